"""What tests of the queue share: a made-up kind, ready jobs, and an engine that a test drives."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Annotated, Any

from pydantic import Field
from redis.asyncio import Redis

from frontdesk.queue.broker import Broker
from frontdesk.queue.jobs import Job, Outcome, Platform, Progress, ReplyAddress, Requester, Ticket, new_job_id
from frontdesk.queue.kinds import JobKind
from frontdesk.queue.parameters import Params
from frontdesk.queue.report import WorkerState
from frontdesk.queue.results import Result
from frontdesk.queue.scripts import Ended, Scripts
from frontdesk.worker.arq_worker import LeasedWorker

KEEP = 3600.0
_drawn: set[str] = set()


class EchoParams(Params):
    text: Annotated[str, Field(description="What to say back", min_length=1, max_length=500)]
    times: Annotated[int, Field(description="How often", ge=1, le=9)] = 1


class EchoResult(Result):
    said: str

    def body(self) -> str:
        return self.said


ECHO = JobKind("echo", "Says it back", EchoParams, EchoResult, cost=lambda params: 2.0 * params.times)


def requester(user: str = "ada", platform: Platform = "telegram") -> Requester:
    return Requester(platform=platform, user=user, tenant=user)


def address(user: str = "ada", platform: Platform = "telegram", message: str | None = None) -> ReplyAddress:
    return ReplyAddress(platform=platform, channel=f"chat-{user}", user=user, message=message)


def fresh_id(now: float) -> str:
    """An id that no other job of this run has: hundreds of them are made in one second."""
    while (drawn := new_job_id(now)) in _drawn:
        continue
    _drawn.add(drawn)
    return drawn


def job(user: str = "ada", text: str = "hello", *, cost: float = 2.0, **changes: Any) -> Job:
    now = time.time()
    fields = {
        "id": fresh_id(now),
        "kind": "echo",
        "lane": "short",
        "params": {"text": text},
        "requester": requester(user),
        "cost": cost,
        "submitted_at": now,
    }
    return Job.model_validate(fields | changes)


async def submit(broker: Broker, made: Job, update: str | None = None, **options: Any) -> Ticket:
    reply = address(made.requester.user, made.requester.platform)
    return await broker.submit(made, reply, update=update or f"update-{made.id}", declared=made.cost, **options)


def echoed(text: str = "hello") -> Outcome:
    return Outcome(status="done", result={"said": text}, seconds=0.5, gpu_seconds=0.5)


class DrivenEngine:
    """Runs a job until the test says how it ends; without a say, everything is echoed at once."""

    def __init__(self, *, hold: bool = False) -> None:
        self.hold = hold
        self.started: asyncio.Queue[Job] = asyncio.Queue()
        self.cancelled: list[str] = []
        self.reports: dict[str, Callable[[Progress], None]] = {}
        self._ends: dict[str, asyncio.Future[Outcome]] = {}

    async def run(self, made: Job, report: Callable[[Progress], None]) -> Outcome:
        self.reports[made.id] = report
        self.started.put_nowait(made)
        if not self.hold:
            return echoed(str(made.params["text"]))
        return await self._end(made.id)

    def end(self, job_id: str, outcome: Outcome | None = None) -> None:
        self._end(job_id).set_result(outcome or echoed())

    def cancel(self, job_id: str) -> bool:
        self.cancelled.append(job_id)
        if not self._end(job_id).done():
            self.end(job_id, Outcome(status="cancelled"))
        return True

    def _end(self, job_id: str) -> asyncio.Future[Outcome]:
        return self._ends.setdefault(job_id, asyncio.get_running_loop().create_future())


async def end_job(
    scripts: Scripts, job_id: str, lease: str, *, keep: float = KEEP, status: str, outcome: bytes, **measured: Any
) -> bool:
    """End a job as a worker's turn does that takes no other. False where the lease was not its own."""
    ended = Ended(job_id, lease, status=status, outcome=outcome, **measured)
    turn = await scripts.turn("finisher", 60.0, {}, [ended], keep=keep, patience=3600.0)
    return turn.finished[job_id]


async def has_ended(broker: Broker, job_id: str) -> bool:
    record = await broker.job(job_id)
    return record is not None and record.ended


def leased_worker(redis: Redis, engine: Any, *, worker_id: str = "w1", **changes: Any) -> LeasedWorker:
    def describe(name: str, jobs: tuple[str, ...]) -> WorkerState:
        return WorkerState(
            id=name,
            lanes=("short",),
            kinds=("echo",),
            device="cpu",
            models=("none",),
            memory=1,
            started_at=time.time(),
            jobs=jobs,
        )

    options: dict[str, Any] = {
        "kinds": {"echo": "none"},
        "lanes": {"short": 4},
        "describe": describe,
        "keep": KEEP,
        "max_wait": 3600.0,
    }
    return LeasedWorker(redis, engine, worker_id=worker_id, **(options | changes))


@asynccontextmanager
async def working(worker: LeasedWorker) -> AsyncIterator[LeasedWorker]:
    """The worker at work inside the block, drained at its end."""
    task = asyncio.create_task(worker.main())
    try:
        yield worker
    finally:
        await worker.drain(0.0)
        await task


async def until(condition: Callable[[], Any], within: float = 10.0) -> Any:
    """Wait for a condition that another process or server makes true; the value it then had."""
    async with asyncio.timeout(within):
        while True:
            value = condition()
            if asyncio.iscoroutine(value):
                value = await value
            if value:
                return value
            await asyncio.sleep(0.01)
