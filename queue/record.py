"""Ended jobs on their way to whoever writes them down: each handed out until it is acknowledged.

The step that ends a job notes it here with what it asked for (`common.lua`), as long as a recorder was at work within
the last days. Recorders share the work: what one of them took and did not acknowledge, another takes over.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from redis.asyncio import Redis

from frontdesk.queue import keys
from frontdesk.queue.codec import decode, load
from frontdesk.queue.connection import answer
from frontdesk.queue.errors import CorruptMessageError
from frontdesk.queue.events import make_group
from frontdesk.queue.jobs import Job

GROUP = "recorders"
ABANDONED = 30.0  # seconds after which what a recorder took and did not acknowledge is another's


@dataclass(frozen=True, slots=True)
class Ended:
    """A job ended; `asked` is its request, or None where that cannot be read. `entry`: its place in the stream."""

    entry: str
    job_id: str
    asked: Job | None


class RecordStream:
    """keep: seconds for which ended jobs are noted while no recorder is at work, as long as results are kept."""

    def __init__(self, redis: Redis, *, keep: float) -> None:
        self._redis = redis
        self._keep = keep
        self._consumer = secrets.token_hex(8)

    async def open(self) -> None:
        """From now on ended jobs are noted."""
        await make_group(self._redis, keys.RECORD, GROUP)
        await self.expect()

    async def expect(self) -> None:
        """Ended jobs are noted for `keep` seconds more."""
        await self._redis.set(keys.RECORDING, 1, px=int(self._keep * 1000))

    async def read(self, block: float, count: int) -> list[Ended]:
        """Wait up to `block` seconds for jobs that ended."""
        answered = await self._redis.xreadgroup(
            GROUP, self._consumer, {keys.RECORD: ">"}, count=count, block=int(block * 1000)
        )
        return _ended(answered[0][1] if answered else [])

    async def take_over(self, count: int, *, abandoned: float) -> list[Ended]:
        """What was handed out more than `abandoned` seconds ago, and never acknowledged."""
        _, entries, *_ = await self._redis.xautoclaim(
            keys.RECORD, GROUP, self._consumer, min_idle_time=int(abandoned * 1000), start_id="0-0", count=count
        )
        return _ended(entries)

    async def acknowledge(self, events: Sequence[Ended]) -> None:
        """They are written down, and never handed out again."""
        entries = [event.entry for event in events]
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.xack(keys.RECORD, GROUP, *entries)
            pipe.xdel(keys.RECORD, *entries)
            await pipe.execute()

    async def backlog(self) -> int:
        """How many ended jobs are not written down yet."""
        return int(await answer(self._redis.xlen(keys.RECORD)))


def _ended(entries: Sequence[tuple[bytes, dict[bytes, bytes] | None]]) -> list[Ended]:
    found = []
    for entry, fields in entries:
        said = fields or {}
        job_id = said.get(b"job", b"").decode("ascii", "replace")
        found.append(Ended(entry.decode(), job_id, asked(said.get(b"payload", b""))))
    return found


def asked(payload: bytes) -> Job | None:
    """The request within what the broker wrote for arq, or None for what is none."""
    try:
        call: Any = load(payload)
        return decode(Job, call["a"][0])
    except (CorruptMessageError, KeyError, TypeError, IndexError):
        return None
