"""The queue as admins see it: lanes, workers, and the last hour."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from redis.asyncio import Redis

from frontdesk.queue import keys
from frontdesk.queue.codec import decode
from frontdesk.queue.errors import CorruptMessageError
from frontdesk.queue.jobs import Wire
from frontdesk.queue.needs import lacking
from frontdesk.queue.oversight import Oversight, next_in, sets_of
from frontdesk.queue.scripts import WORKER_FRESH

PROMISE = "wait"  # stands in a minute's counts where a kind would: its results are `held` and `missed`
LISTED = 500  # jobs of a lane that are counted by kind; the total is exact


class WorkerState(Wire):
    """What a worker says of itself at every heartbeat.

    `slots`: jobs that it runs at once, of each lane; `speed`: device-seconds of the queue's estimates that it does in a
    second; `memory` in bytes, times in Unix seconds. `lacks`: kinds of its lanes, and needs of jobs, that it leaves to
    others, each with a sentence for who asks; `faults`: the same kinds with the reason for admins. `memory_limit`:
    bytes that a job may take (0: any).
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
    lacks: Mapping[str, str] = {}
    faults: Mapping[str, str] = {}
    memory_limit: int = 0


@dataclass(frozen=True, slots=True)
class Stranded:
    """Waiting jobs that no worker on duty can run. `wanted`: their kind, and what they need beside its runner;
    `lacking`: why, in a sentence for admins."""

    wanted: str
    waiting: int
    lacking: str


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
    stranded: tuple[Stranded, ...] = ()


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
    stopped their workers and wait for an admin, `reported` the objects that people reported."""

    lanes: tuple[LaneReport, ...]
    workers: tuple[WorkerReport, ...]
    ended: dict[tuple[str, str], int]
    promises: Promises = Promises()
    aside: int = 0
    reported: int = 0

    def count(self, *statuses: str) -> int:
        return sum(number for (_, status), number in self.ended.items() if status in statuses)


async def queue_report(redis: Redis) -> QueueReport:
    seconds, microseconds = await redis.time()
    now = seconds + microseconds / 1e6
    running = await _jobs(redis, await redis.zrange(keys.RUNNING, 0, -1))
    running_in = {lane: [job.kind for job in running if job.lane == lane] for lane in {job.lane for job in running}}
    seen = Oversight(redis)
    paused = await seen.paused()
    workers = await _workers(redis, now, await seen.drained())
    crew = [worker.state for worker in workers if worker.alive and not worker.drained]
    counted = await _last_hour(redis, now)
    promises = Promises(*(counted.pop((PROMISE, result), 0) for result in ("held", "missed")))
    return QueueReport(
        lanes=tuple(
            [
                await _lane(
                    redis, name, running_in.get(name, []), now, name in paused, [w for w in crew if name in w.lanes]
                )
                for name in await seen.lanes()
            ]
        ),
        workers=workers,
        ended=counted,
        promises=promises,
        aside=len(await seen.aside()),
    )


async def _lane(
    redis: Redis, name: str, running: list[str], now: float, paused: bool, crew: Sequence[WorkerState]
) -> LaneReport:
    sizes = {wanted: await redis.zcard(key) for wanted, key in (await sets_of(redis, name)).items()}
    listed = await _jobs(redis, await next_in(redis, name, LISTED))
    return LaneReport(
        name=name,
        waiting=sum(sizes.values()),
        running=len(running),
        waiting_by_kind=dict(Counter(job.kind for job in listed)),
        running_by_kind=dict(Counter(running)),
        oldest_wait=max(0.0, now - min(job.submitted_at for job in listed)) if listed else None,
        paused=paused,
        stranded=_stranded(Counter(job.wanted for job in listed) | Counter(sizes), crew),
    )


def _stranded(waiting: Mapping[str, int], crew: Sequence[WorkerState]) -> tuple[Stranded, ...]:
    """Of the jobs that wait, by what they want, those that none of a lane's workers can run; none without a worker."""
    found = []
    for wanted, number in sorted(waiting.items()):
        words = wanted.split()
        reasons = [lacking(words, {**state.lacks, **state.faults}, state.memory_limit) for state in crew]
        if words and number and reasons and None not in reasons:
            found.append(Stranded(wanted, number, reasons[0] or ""))
    return tuple(found)


class _Waiting(NamedTuple):
    """`wanted`: the kind, and the words of `needs.written`; the submission in Unix seconds."""

    kind: str
    lane: str
    submitted_at: float
    wanted: str


async def _jobs(redis: Redis, job_ids: list[bytes]) -> list[_Waiting]:
    """In one round trip."""
    async with redis.pipeline(transaction=False) as pipe:
        for job_id in job_ids:
            pipe.hmget(keys.job(job_id.decode()), ["kind", "lane", "submitted", "needs"])
        return [
            _Waiting(
                kind=(kind or b"?").decode(),
                lane=(lane or b"?").decode(),
                submitted_at=int(submitted or 0) / 1000,
                wanted=f"{(kind or b'?').decode()} {(needs or b'').decode()}".strip(),
            )
            for kind, lane, submitted, needs in await pipe.execute()
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
