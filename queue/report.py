"""The queue as admins see it: lanes, workers, and the last hour."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from redis.asyncio import Redis

from frontdesk.queue import keys
from frontdesk.queue.codec import decode
from frontdesk.queue.errors import CorruptMessageError
from frontdesk.queue.jobs import Wire
from frontdesk.queue.oversight import Oversight
from frontdesk.queue.scripts import WORKER_FRESH

PROMISE = "wait"  # stands in a minute's counts where a kind would: its results are `held` and `missed`
LISTED = 500  # jobs of a lane that are counted by kind; the total is exact


class WorkerState(Wire):
    """What a worker says of itself at every heartbeat.

    `slots`: jobs that it runs at once, of each lane; `speed`: device-seconds of the queue's estimates that it does in a
    second; `memory` in bytes, times in Unix seconds.
    """

    id: str
    lanes: tuple[str, ...]
    kinds: tuple[str, ...]
    device: str
    models: tuple[str, ...]
    memory: int
    started_at: float
    slots: int = 1
    speed: float = 1.0
    jobs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LaneReport:
    name: str
    waiting: int
    running: int
    waiting_by_kind: dict[str, int]
    running_by_kind: dict[str, int]
    oldest_wait: float | None
    """Seconds that the job has waited that waits the longest, of the first LISTED."""
    paused: bool = False


@dataclass(frozen=True, slots=True)
class WorkerReport:
    state: WorkerState
    heartbeat_age: float
    """Seconds."""
    drained: bool = False

    @property
    def alive(self) -> bool:
        return self.heartbeat_age < WORKER_FRESH


@dataclass(frozen=True, slots=True)
class Promises:
    """Of the jobs that started: how many P90 waits were held, and how many were not."""

    held: int = 0
    missed: int = 0


@dataclass(frozen=True, slots=True)
class QueueReport:
    """`ended` counts the last hour's outcomes by (kind, status), `promises` its starts; `aside` are the jobs that
    stopped their workers and wait for an admin."""

    lanes: tuple[LaneReport, ...]
    workers: tuple[WorkerReport, ...]
    ended: dict[tuple[str, str], int]
    promises: Promises = Promises()
    aside: int = 0

    def count(self, *statuses: str) -> int:
        return sum(number for (_, status), number in self.ended.items() if status in statuses)


async def queue_report(redis: Redis) -> QueueReport:
    seconds, microseconds = await redis.time()
    now = seconds + microseconds / 1e6
    running = await _jobs(redis, await redis.zrange(keys.RUNNING, 0, -1))
    running_in = {lane: [kind for kind, where, _ in running if where == lane] for _, lane, _ in running}
    seen = Oversight(redis)
    paused = await seen.paused()
    counted = await _last_hour(redis, now)
    promises = Promises(*(counted.pop((PROMISE, result), 0) for result in ("held", "missed")))
    return QueueReport(
        lanes=tuple(
            [await _lane(redis, name, running_in.get(name, []), now, name in paused) for name in await seen.lanes()]
        ),
        workers=await _workers(redis, now, await seen.drained()),
        ended=counted,
        promises=promises,
        aside=len(await seen.aside()),
    )


async def _lane(redis: Redis, name: str, running: list[str], now: float, paused: bool) -> LaneReport:
    listed = await _jobs(redis, await redis.zrange(keys.lane(name), 0, LISTED - 1))
    return LaneReport(
        name=name,
        waiting=await redis.zcard(keys.lane(name)),
        running=len(running),
        waiting_by_kind=dict(Counter(kind for kind, _, _ in listed)),
        running_by_kind=dict(Counter(running)),
        oldest_wait=max(0.0, now - min(at for _, _, at in listed)) if listed else None,
        paused=paused,
    )


async def _jobs(redis: Redis, job_ids: list[bytes]) -> list[tuple[str, str, float]]:
    """Kind, lane and submission (Unix seconds) of each job, in one round trip."""
    async with redis.pipeline(transaction=False) as pipe:
        for job_id in job_ids:
            pipe.hmget(keys.job(job_id.decode()), ["kind", "lane", "submitted"])
        return [
            ((kind or b"?").decode(), (lane or b"?").decode(), int(submitted or 0) / 1000)
            for kind, lane, submitted in await pipe.execute()
        ]


async def _workers(redis: Redis, now: float, drained: frozenset[str]) -> tuple[WorkerReport, ...]:
    """Workers heard of within the last minute, which say what they are only while they beat."""
    reports = []
    for worker_id, beat in await redis.zrangebyscore(keys.WORKERS, (now - 60) * 1000, "+inf", withscores=True):
        said = await redis.get(keys.worker(worker_id.decode()))
        if said is None:
            continue
        try:
            state = decode(WorkerState, said)
            reports.append(WorkerReport(state, max(0.0, now - beat / 1000), worker_id.decode() in drained))
        except CorruptMessageError:
            continue
    return tuple(reports)


async def _last_hour(redis: Redis, now: float) -> dict[tuple[str, str], int]:
    total: Counter[tuple[str, str]] = Counter()
    async with redis.pipeline(transaction=False) as pipe:
        for minute in range(int(now // 60) - 59, int(now // 60) + 1):
            pipe.hgetall(keys.minute(minute))
        for counted in await pipe.execute():
            for name, number in counted.items():
                kind, _, status = name.decode().partition("|")
                total[kind, status] += int(number)
    return dict(total)
