"""What the queue tells the front ends: outcomes, which are kept until delivered, and progress, which is not."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.exceptions import ResponseError

from frontdesk.queue import keys
from frontdesk.queue.codec import decode, encode
from frontdesk.queue.connection import answer
from frontdesk.queue.errors import CorruptMessageError
from frontdesk.queue.jobs import Platform, Progress

GROUP = "couriers"


@dataclass(frozen=True, slots=True)
class OutcomeEvent:
    """A job ended: `entry` is its place in the stream."""

    entry: str
    job_id: str


class OutcomeStream:
    """The ended jobs of one platform, each handed out again and again until it is acknowledged.

    There is one courier for each platform, so what an earlier one left unacknowledged is taken up by the next.
    """

    def __init__(self, redis: Redis, platform: Platform) -> None:
        self._redis = redis
        self._key = keys.outcomes(platform)
        self._from = "0"

    async def open(self) -> None:
        """Begin with what was handed out before and never acknowledged."""
        await make_group(self._redis, self._key, GROUP)
        self._from = "0"

    async def read(self, block: float, count: int = 64) -> list[OutcomeEvent]:
        """Wait up to `block` seconds for events; an empty list if none came.

        Now and then it hands out again what was not acknowledged yet.
        """
        answered = await self._redis.xreadgroup(
            GROUP, "courier", {self._key: self._from}, count=count, block=int(block * 1000)
        )
        entries = answered[0][1] if answered else []
        if self._from != ">":  # the unacknowledged ones come in pages, after the last one seen
            self._from = entries[-1][0].decode() if entries else ">"
        elif not entries:
            self._from = "0"  # where a connection dropped, events were handed out that never came
        return _events(entries)

    async def acknowledge(self, event: OutcomeEvent, delivery: str) -> None:
        """Record how the delivery ended ("delivered" or a reason) and never hand the event out again."""
        async with self._redis.pipeline(transaction=True) as pipe:
            if await self._redis.exists(keys.job(event.job_id)):
                pipe.hset(keys.job(event.job_id), mapping={"delivery": delivery})
            pipe.xack(self._key, GROUP, event.entry)
            pipe.xdel(self._key, event.entry)
            await pipe.execute()


async def make_group(redis: Redis, stream: str, group: str) -> None:
    """A consumer group that reads a stream from its beginning on; nothing happens where it is there."""
    try:
        await redis.xgroup_create(stream, group, id="0", mkstream=True)
    except ResponseError as error:
        if "BUSYGROUP" not in str(error):
            raise


def _events(entries: list[tuple[bytes, dict[bytes, bytes] | None]]) -> list[OutcomeEvent]:
    """What is no event gets the id of no job, so that whoever reads it can be rid of it."""
    return [
        OutcomeEvent(entry.decode(), (fields or {}).get(b"job", b"").decode("ascii", "replace"))
        for entry, fields in entries
    ]


async def tail(redis: Redis, platform: Platform, after: str, block: float) -> list[OutcomeEvent]:
    """Events after an entry ("$" for new ones), for a reader that keeps its own place."""
    answered = await redis.xread({keys.outcomes(platform): after}, count=64, block=int(block * 1000))
    entries = answered[0][1] if answered else []
    return _events(entries)


async def last_entry(redis: Redis, platform: Platform) -> str:
    """The newest entry of a platform's stream, to `tail` from."""
    newest = await redis.xrevrange(keys.outcomes(platform), count=1)
    return newest[0][0].decode() if newest else "0"


async def tell(redis: Redis, platform: Platform, progress: Progress) -> None:
    await answer(redis.publish(keys.progress(platform), encode(progress)))


@asynccontextmanager
async def progress_channel(redis: Redis, *platforms: Platform) -> AsyncIterator[PubSub]:
    async with redis.pubsub(ignore_subscribe_messages=True) as channel:
        await channel.subscribe(*(keys.progress(platform) for platform in platforms))
        yield channel


async def next_progress(channel: PubSub, within: float) -> Progress | None:
    """The next news within `within` seconds, or None; what cannot be read is passed over."""
    message = await channel.get_message(ignore_subscribe_messages=True, timeout=within)
    if message is None:
        return None
    try:
        return decode(Progress, message["data"])
    except CorruptMessageError:
        return None
