"""What admins can look up: lanes, workers, jobs kept aside, bans, tiers, the audit log. Never what somebody wrote."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import cast

from redis.asyncio import Redis

from frontdesk.queue import keys
from frontdesk.queue.codec import decode
from frontdesk.queue.connection import answer
from frontdesk.queue.errors import CorruptMessageError
from frontdesk.queue.jobs import Wire

LOOKED_AT = 200  # jobs of a lane


class Ban(Wire):
    """Why, by whom and since when (Unix seconds) somebody is refused."""

    reason: str
    by: str
    at: float


@dataclass(frozen=True, slots=True)
class Aside:
    """A job that stopped its workers. Times in Unix seconds; nothing of its parameters."""

    id: str
    kind: str
    lane: str
    requester: str
    submitted_at: float
    at: float
    """When it was put aside."""
    kills: int


@dataclass(frozen=True, slots=True)
class Listed:
    """An unfinished job, in a few words."""

    id: str
    kind: str
    lane: str
    state: str
    requester: str


@dataclass(frozen=True, slots=True)
class Inspected:
    """Everything about a job but what it asked for and what it was answered. Times in Unix seconds, the cost in
    device-seconds; `leader` is the job whose outcome it waits for."""

    id: str
    kind: str
    lane: str
    state: str
    requester: str
    worker: str
    leader: str
    delivery: str
    cost: float
    kills: int
    submitted_at: float
    started_at: float | None
    finished_at: float | None
    aside: bool


@dataclass(frozen=True, slots=True)
class Audited:
    """One thing that an admin did: `by` their requester key, or `console:LOGIN`; `at` in Unix seconds by the server."""

    at: float
    by: str
    action: str
    target: str
    detail: str
    reason: str


class Oversight:
    """`lanes`: those that exist before any job was in them."""

    def __init__(self, redis: Redis, lanes: Iterable[str] = ()) -> None:
        self._redis = redis
        self._lanes = frozenset(lanes)

    async def lanes(self) -> list[str]:
        used = await answer(self._redis.sunion([keys.LANES, keys.PAUSED]))
        return sorted(self._lanes | {name.decode() for name in used})

    async def paused(self) -> frozenset[str]:
        return frozenset(name.decode() for name in await answer(self._redis.smembers(keys.PAUSED)))

    async def workers(self) -> list[str]:
        """Those heard of within the last hour, by id."""
        return sorted(name.decode() for name in await self._redis.zrange(keys.WORKERS, 0, -1))

    async def drained(self) -> frozenset[str]:
        return frozenset(name.decode() for name in await answer(self._redis.smembers(keys.DRAINED)))

    async def waiting(self) -> list[Listed]:
        """The next jobs of each lane, in their order."""
        ids = [await next_in(self._redis, name, LOOKED_AT) for name in await self.lanes()]
        return await self._listed([job_id for lane in ids for job_id in lane])

    async def unfinished(self) -> list[Listed]:
        """Running jobs, then waiting ones."""
        return [*await self._listed(await self._redis.zrange(keys.RUNNING, 0, LOOKED_AT - 1)), *await self.waiting()]

    async def aside(self, limit: int = 100) -> list[Aside]:
        """The jobs kept aside, newest first."""
        found = await self._redis.zrevrange(keys.ASIDE, 0, limit - 1, withscores=True)
        async with self._redis.pipeline(transaction=False) as pipe:
            for job_id, _ in found:
                pipe.exists(keys.ASIDE_PAYLOAD + job_id.decode())
                pipe.hmget(keys.job(job_id.decode()), ["kind", "lane", "requester", "submitted", "kills"])
            seen = await pipe.execute()
        return [
            _aside(job_id.decode(), at / 1000, known)
            for (job_id, at), kept, known in zip(found, seen[0::2], seen[1::2], strict=True)
            if kept
        ]

    async def job(self, job_id: str) -> Inspected | None:
        words = ("kind", "lane", "state", "requester", "worker", "leader", "delivery")
        numbers = ("cost", "kills", "submitted", "started", "finished")
        async with self._redis.pipeline(transaction=False) as pipe:
            pipe.hmget(keys.job(job_id), [*words, *numbers])
            pipe.exists(keys.ASIDE_PAYLOAD + job_id)
            known, kept = await pipe.execute()
        if known[0] is None:
            return None
        kind, lane, state, requester, worker, leader, delivery = _words(known[: len(words)])
        cost, kills, submitted, started, finished = (float(value or 0) for value in known[len(words) :])
        return Inspected(
            id=job_id,
            kind=kind,
            lane=lane,
            state=state,
            requester=requester,
            worker=worker,
            leader=leader,
            delivery=delivery,
            cost=cost,
            kills=int(kills),
            submitted_at=submitted / 1000,
            started_at=started / 1000 or None,
            finished_at=finished / 1000 or None,
            aside=bool(kept),
        )

    async def bans(self) -> dict[str, Ban]:
        """By requester key."""
        kept = cast("dict[bytes, bytes]", await answer(self._redis.hgetall(keys.BANNED)))
        return {requester.decode(): read_ban(said) for requester, said in sorted(kept.items())}

    async def tiers(self) -> dict[str, str]:
        """The tier of each requester whom an admin put in one, by requester key."""
        kept = cast("dict[bytes, bytes]", await answer(self._redis.hgetall(keys.TIERS)))
        return {requester.decode(): tier.decode() for requester, tier in sorted(kept.items())}

    async def audit(self, limit: int = 20) -> list[Audited]:
        """What admins did, newest first."""
        entries = await self._redis.xrevrange(keys.AUDIT, count=limit)
        return [
            Audited(
                int(entry.partition(b"-")[0]) / 1000,
                *_words([said.get(name) for name in (b"who", b"action", b"target", b"detail", b"reason")]),
            )
            for entry, said in entries
        ]

    async def _listed(self, ids: list[bytes]) -> list[Listed]:
        async with self._redis.pipeline(transaction=False) as pipe:
            for job_id in ids:
                pipe.hmget(keys.job(job_id.decode()), ["kind", "lane", "state", "requester"])
            return [Listed(i.decode(), *_words(known)) for i, known in zip(ids, await pipe.execute(), strict=True)]


async def sets_of(redis: Redis, lane: str) -> dict[str, str]:
    """The keys of the sets in which a lane's jobs wait: the common one under "", the others by what their jobs want."""
    apart = cast("bytes | None", await answer(redis.hget(keys.virtual(lane), "apart")))
    wanted = apart.decode("utf-8", "replace").split("\n") if apart else []
    return {"": keys.lane(lane)} | {want: keys.apart(lane, want) for want in wanted}


async def next_in(redis: Redis, lane: str, count: int) -> list[bytes]:
    """The ids of a lane's next jobs, in their order."""
    found: list[tuple[float, bytes]] = []
    for key in (await sets_of(redis, lane)).values():
        found += [(place, i) for i, place in await redis.zrange(key, 0, count - 1, withscores=True)]
    return [job_id for _, job_id in sorted(found)[:count]]


def read_ban(data: bytes) -> Ban:
    """A ban holds even where its reason cannot be read."""
    try:
        return decode(Ban, data)
    except CorruptMessageError:
        return Ban(reason="", by="", at=0.0)


def _aside(job_id: str, at: float, known: list[bytes | None]) -> Aside:
    kind, lane, requester, submitted, kills = _words(known)
    return Aside(job_id, kind, lane, requester, int(submitted or 0) / 1000, at, int(kills or 0))


def _words(values: list[bytes | None]) -> tuple[str, ...]:
    return tuple((value or b"").decode("utf-8", "replace") for value in values)
