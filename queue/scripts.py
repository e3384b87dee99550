"""The steps in a job's life, each one atomic call to Redis: the scripts of `lua`, with types."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from redis.asyncio import Redis

from frontdesk.queue import keys, lua

UPDATES_KEPT = 3 * 86_400  # seconds: Telegram offers an update again for a day, a bot may be down longer
JOBS_LISTED = 50
WORKER_FRESH = 10.0  # seconds without a heartbeat after which a worker no longer counts


@dataclass(frozen=True, slots=True)
class Claimed:
    job_id: str
    lane: str
    lease: str
    place: int


@dataclass(frozen=True, slots=True)
class Place:
    """Where a job stands in its lane: `rank` 0 is next, None is not waiting; costs in device-seconds."""

    rank: int | None
    waiting: int
    waiting_cost: float
    running_cost: float
    workers: int


class Scripts:
    """The scripts, registered with one Redis client (EVALSHA, and loaded again after a restart)."""

    def __init__(self, redis: Redis) -> None:
        self._submit = redis.register_script(lua.SUBMIT)
        self._claim = redis.register_script(lua.CLAIM)
        self._renew = redis.register_script(lua.RENEW)
        self._finish = redis.register_script(lua.FINISH)
        self._release = redis.register_script(lua.RELEASE)
        self._cancel = redis.register_script(lua.CANCEL)
        self._place = redis.register_script(lua.PLACE)

    async def submit(
        self,
        *,
        job_id: str,
        update: str,
        requester: str,
        payload: bytes,
        in_flight: float,
        fields: Mapping[str, str | bytes | float],
    ) -> tuple[str | None, bool]:
        """The id that stands for this update (None: the id is taken, draw another), and whether it did before."""
        given, repeated = await self._submit(
            keys=[keys.idempotency(update), keys.payload(job_id), keys.job(job_id), keys.requester_jobs(requester)],
            args=[
                job_id,
                payload,
                UPDATES_KEPT,
                JOBS_LISTED,
                int(in_flight),
                *(part for pair in fields.items() for part in pair),
            ],
        )
        return (given.decode() or None), bool(repeated)

    async def claim(self, worker: str, lease: float, free: Mapping[str, int]) -> list[Claimed]:
        """Take up to `free[lane]` jobs of each lane for `lease` seconds; first, free what dead workers held."""
        flat: list[bytes] = await self._claim(
            args=[worker, int(lease * 1000), *(part for pair in free.items() for part in pair)]
        )
        rows = zip(flat[0::4], flat[1::4], flat[2::4], flat[3::4], strict=True)
        return [Claimed(i.decode(), lane.decode(), held.decode(), int(place)) for lane, i, held, place in rows]

    async def renew(
        self, worker: str, lease: float, described: bytes, held: Mapping[str, str]
    ) -> tuple[list[str], list[str]]:
        """Heartbeat: prolong `held` (id -> lease). Returns the ids lost to others, and those to cancel."""
        lost, cancelled = await self._renew(
            args=[worker, int(lease * 1000), described, int(WORKER_FRESH * 1000), *(p for x in held.items() for p in x)]
        )
        return [job_id.decode() for job_id in lost], [job_id.decode() for job_id in cancelled]

    async def finish(
        self, job_id: str, lease: str, *, status: str, outcome: bytes, keep: float, gpu_seconds: float
    ) -> bool:
        """Result, removal and outcome event become visible together. False: the lease is someone else's by now."""
        return bool(await self._finish(args=[job_id, lease, status, outcome, int(keep), gpu_seconds]))

    async def release(self, job_id: str, lease: str) -> bool:
        """Give a running job back to its place in the lane."""
        return bool(await self._release(args=[job_id, lease]))

    async def cancel(self, job_id: str, requester: str, outcome: bytes, keep: float) -> str:
        """ "unknown", "cancelled", "stopping" or "ended"; an empty requester may cancel any job."""
        answer: bytes = await self._cancel(args=[job_id, requester, outcome, int(keep)])
        return answer.decode()

    async def place(self, lane: str, job_id: str = "") -> Place:
        rank, waiting, waiting_cost, running_cost, workers = await self._place(
            args=[lane, job_id, int(WORKER_FRESH * 1000)]
        )
        return Place(
            None if rank < 0 else int(rank), int(waiting), float(waiting_cost), float(running_cost), int(workers)
        )
