"""The queue as admins see it: lanes, workers, and the last hour."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from redis.asyncio import Redis

from frontdesk.queue import keys
from frontdesk.queue.codec import decode
from frontdesk.queue.connection import answer
from frontdesk.queue.errors import CorruptMessageError
from frontdesk.queue.jobs import Wire
from frontdesk.queue.scripts import WORKER_FRESH

LISTED = 500  # jobs of a lane that are counted by kind; the total is exact


class WorkerState(Wire):
    """What a worker says of itself at every heartbeat. `memory` in bytes, times in Unix seconds."""

    id: str
    lanes: tuple[str, ...]
    kinds: tuple[str, ...]
    device: str
    models: tuple[str, ...]
    memory: int
    started_at: float
    jobs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LaneReport:
    name: str
    waiting: int
    running: int
    waiting_by_kind: dict[str, int]
    running_by_kind: dict[str, int]
    oldest_wait: float | None
    """Seconds that the next job has waited."""


@dataclass(frozen=True, slots=True)
class WorkerReport:
    state: WorkerState
    heartbeat_age: float
    """Seconds."""

    @property
    def alive(self) -> bool:
        return self.heartbeat_age < WORKER_FRESH


@dataclass(frozen=True, slots=True)
class QueueReport:
    """`ended` counts the last hour's outcomes by (kind, status)."""

    lanes: tuple[LaneReport, ...]
    workers: tuple[WorkerReport, ...]
    ended: dict[tuple[str, str], int]

    def count(self, *statuses: str) -> int:
        return sum(number for (_, status), number in self.ended.items() if status in statuses)


async def queue_report(redis: Redis) -> QueueReport:
    seconds, microseconds = await redis.time()
    now = seconds + microseconds / 1e6
    running = await _jobs(redis, await redis.zrange(keys.RUNNING, 0, -1))
    running_in = {lane: [kind for kind, where, _ in running if where == lane] for _, lane, _ in running}
    lanes = sorted(name.decode() for name in await answer(redis.smembers(keys.LANES)))
    return QueueReport(
        lanes=tuple([await _lane(redis, name, running_in.get(name, []), now) for name in lanes]),
        workers=await _workers(redis, now),
        ended=await _last_hour(redis, now),
    )


async def _lane(redis: Redis, name: str, running: list[str], now: float) -> LaneReport:
    listed = await _jobs(redis, await redis.zrange(keys.lane(name), 0, LISTED - 1))
    return LaneReport(
        name=name,
        waiting=await redis.zcard(keys.lane(name)),
        running=len(running),
        waiting_by_kind=dict(Counter(kind for kind, _, _ in listed)),
        running_by_kind=dict(Counter(running)),
        oldest_wait=max(0.0, now - listed[0][2]) if listed else None,
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


async def _workers(redis: Redis, now: float) -> tuple[WorkerReport, ...]:
    """Workers heard of within the last minute, which say what they are only while they beat."""
    reports = []
    for worker_id, beat in await redis.zrangebyscore(keys.WORKERS, (now - 60) * 1000, "+inf", withscores=True):
        said = await redis.get(keys.worker(worker_id.decode()))
        if said is None:
            continue
        try:
            reports.append(WorkerReport(decode(WorkerState, said), max(0.0, now - beat / 1000)))
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
