"""The steps in a job's life, each one atomic call to Redis: the scripts of `lua`, with types."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from redis.asyncio import Redis

from frontdesk.queue import keys
from frontdesk.queue.codec import encode
from frontdesk.queue.jobs import Outcome
from frontdesk.queue.lua import KILLS, script

UPDATES_KEPT = 3 * 86_400  # seconds: Telegram offers an update again for a day, a bot may be down longer
JOBS_LISTED = 50
WORKER_FRESH = 10.0  # seconds without a heartbeat after which a worker no longer counts


CANCELLED = encode(Outcome(status="cancelled"))
GIVEN_UP = encode(Outcome(status="failed", reason=f"It was started {KILLS} times, and each time its worker stopped."))


@dataclass(frozen=True, slots=True)
class Claimed:
    job_id: str
    lane: str
    lease: str
    place: int


@dataclass(frozen=True, slots=True)
class Taken:
    """What a worker got; and in how many seconds any worker's lease ends unless it is renewed (None: there is none)."""

    jobs: list[Claimed]
    expires: float | None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a job stands in its lane: `rank` 0 is next, None is not waiting. `wait` and `wait_high` are the median and
    the 90th percentile of the time until it starts, in seconds; `waiting_cost` in device-seconds."""

    rank: int | None
    waiting: int
    workers: int
    wait: float
    wait_high: float
    waiting_cost: float


@dataclass(frozen=True, slots=True)
class Submitted:
    """`job_id` stands for the update (None: the id is taken, draw another). `repeated`: it did before; `answered`: by a
    result that was there. `place`: where a new one stands."""

    job_id: str | None
    repeated: bool
    answered: bool
    place: Place | None


class Scripts:
    """The scripts, registered with one Redis client (EVALSHA, and loaded again after a restart)."""

    def __init__(self, redis: Redis) -> None:
        self._submit = redis.register_script(script("waits", "submit"))
        self._claim = redis.register_script(script("waits", "claim"))
        self._renew = redis.register_script(script("renew"))
        self._finish = redis.register_script(script("finish"))
        self._release = redis.register_script(script("release"))
        self._reap = redis.register_script(script("reap"))
        self._cancel = redis.register_script(script("cancelling", "cancel"))
        self._place = redis.register_script(script("waits", "place"))

    async def submit(
        self,
        *,
        job_id: str,
        update: str,
        requester: str,
        payload: bytes,
        in_flight: float,
        band: int,
        digest: str,
        reuse: bool,
        keep: float,
        fields: Mapping[str, str | bytes | float],
    ) -> Submitted:
        """Queue a job at its fair place, or let it wait for one like it, or answer it from a fresh result."""
        given, repeated, answered, *place = await self._submit(
            keys=[
                keys.idempotency(update),
                keys.payload(job_id),
                keys.job(job_id),
                keys.requester_jobs(requester),
            ],
            args=[
                job_id,
                payload,
                UPDATES_KEPT,
                JOBS_LISTED,
                int(in_flight),
                band,
                digest,
                int(reuse),
                int(keep),
                int(WORKER_FRESH * 1000),
                *(part for pair in fields.items() for part in pair),
            ],
        )
        return Submitted(given.decode() or None, bool(repeated), bool(answered), _place(*place[0]) if place else None)

    async def claim(self, worker: str, lease: float, free: Mapping[str, int], *, keep: float, patience: float) -> Taken:
        """Take up to `free[lane]` jobs of each lane for `lease` seconds; first, free what dead workers held.

        patience: seconds from which the oldest job may overtake those before it.
        """
        first, *flat = await self._claim(
            args=[
                worker,
                int(lease * 1000),
                int(keep),
                GIVEN_UP,
                int(patience * 1000),
                *(part for pair in free.items() for part in pair),
            ]
        )
        rows = zip(flat[0::4], flat[1::4], flat[2::4], flat[3::4], strict=True)
        jobs = [Claimed(i.decode(), lane.decode(), held.decode(), int(place)) for lane, i, held, place in rows]
        return Taken(jobs, int(first) / 1000 if first else None)

    async def renew(
        self, worker: str, lease: float, described: bytes, held: Mapping[str, str], models: Mapping[str, str]
    ) -> tuple[list[str], list[str]]:
        """Heartbeat: prolong `held` (id -> lease), and say which model serves each kind (`models`).

        Returns the ids lost to others, and those to cancel.
        """
        lost, cancelled = await self._renew(
            args=[
                worker,
                int(lease * 1000),
                described,
                int(WORKER_FRESH * 1000),
                len(models),
                *(part for pair in models.items() for part in pair),
                *(part for pair in held.items() for part in pair),
            ]
        )
        return [job_id.decode() for job_id in lost], [job_id.decode() for job_id in cancelled]

    async def finish(
        self,
        job_id: str,
        lease: str,
        *,
        status: str,
        outcome: bytes,
        keep: float,
        gpu_seconds: float,
        model: str = "",
        fresh: float = 0.0,
    ) -> bool:
        """Result, removal and outcome event become visible together, for all who asked for it. False: the lease is
        someone else's by now. fresh: seconds for which the result answers the same request."""
        return bool(
            await self._finish(args=[job_id, lease, status, outcome, int(keep), gpu_seconds, model, int(fresh)])
        )

    async def release(self, job_id: str, lease: str) -> bool:
        """Give a running job back to its place in the lane."""
        return bool(await self._release(args=[job_id, lease]))

    async def reap(self, worker: str, *, keep: float, to_blame: bool = True) -> tuple[list[str], list[str]]:
        """Free what a dead worker held. Returns the ids that went back, and those given up.

        to_blame: whether its jobs may have stopped it; not so where it was told to stop.
        """
        back, ended = await self._reap(args=[worker, int(keep), GIVEN_UP, int(to_blame)])
        return [job_id.decode() for job_id in back], [job_id.decode() for job_id in ended]

    async def cancel(self, job_id: str, requester: str, keep: float) -> str:
        """ "unknown", "cancelled", "stopping" or "ended"; an empty requester may cancel any job."""
        answer: bytes = await self._cancel(args=[job_id, requester, CANCELLED, int(keep)])
        return answer.decode()

    async def place(self, lane: str, job_id: str = "") -> Place:
        return _place(*await self._place(args=[lane, job_id, int(WORKER_FRESH * 1000)]))


def _place(rank: int, waiting: int, workers: int, wait: bytes, high: bytes, cost: bytes) -> Place:
    return Place(None if rank < 0 else rank, waiting, workers, float(wait), float(high), float(cost))
