"""arq's Worker with a lease, a doorbell and a fenced finish.

arq reads the payload, counts the tries and calls the kind's function; this class decides when a job is taken and how it
ends. Claiming, renewing and finishing are scripts of `frontdesk.queue.scripts`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any, Protocol, TypeVar, cast

import structlog
from arq.connections import ArqRedis
from arq.typing import WorkerCoroutine
from arq.worker import Worker, func
from redis.asyncio import Redis
from structlog.contextvars import bound_contextvars

from frontdesk.queue import keys
from frontdesk.queue.codec import decode, dump, encode, load
from frontdesk.queue.connection import LOST, persistently, until_answered
from frontdesk.queue.errors import CorruptMessageError
from frontdesk.queue.events import tell
from frontdesk.queue.jobs import Job, Outcome, Platform, Progress
from frontdesk.queue.logs import requester_hash
from frontdesk.queue.report import WorkerState
from frontdesk.queue.scripts import Claimed, Scripts
from frontdesk.worker.observing import UNOBSERVED, WorkerObserver

log = structlog.get_logger()
T = TypeVar("T")

LEASE = 6.0  # seconds a job stays with a worker that no longer renews
RENEW = 2.0  # seconds between heartbeats
LOOK = 2.0  # seconds between claims when no bell rings: pub/sub may lose one, and dead workers' jobs are freed then
GLANCE = 0.02  # seconds after the end of a lease at which it is looked for
ANY_NUMBER = 10**9
FAREWELL = 10.0  # seconds to write down how the last jobs ended, should Redis be away at a shutdown
ARQ_LIMIT = 30 * 86_400.0  # seconds: arq counts from the claim, the engine from the start on the device, and ends it

DAMAGED = "Its request was damaged in the queue. Please ask again."


class Engine(Protocol):
    """What runs jobs: see `frontdesk.worker.engine.Engine`."""

    async def run(self, job: Job, report: Callable[[Progress], None]) -> Outcome: ...

    def cancel(self, job_id: str) -> bool: ...


class LeasedWorker(Worker):
    """Takes jobs of some lanes under a lease.

    kinds: those it runs, and the model that serves each ("" where there is none). lanes: lane -> jobs that may run at
    once. describe: what this worker says of itself, given its id and those of its running jobs. keep: seconds an ended
    job is remembered. max_wait: seconds after which a waiting job is given up. patience: seconds from which the oldest
    waiting job may overtake those before it. fresh: by kind, seconds for which a result answers the same request.
    """

    def __init__(
        self,
        redis: Redis,
        engine: Engine,
        *,
        worker_id: str,
        kinds: Mapping[str, str],
        lanes: Mapping[str, int],
        describe: Callable[[str, tuple[str, ...]], WorkerState],
        keep: float,
        max_wait: float,
        patience: float = 3600.0,
        fresh: Mapping[str, float] | None = None,
        lease: float = LEASE,
        clock: Callable[[], float] = time.time,
        observer: WorkerObserver = UNOBSERVED,
    ) -> None:
        super().__init__(
            functions=[func(cast(WorkerCoroutine, self._run), name=kind, timeout=ARQ_LIMIT) for kind in kinds],
            queue_name=keys.lane(next(iter(lanes))),
            redis_pool=cast(ArqRedis, redis),  # arq only needs the commands; jobs are enqueued by the broker
            handle_signals=False,
            max_jobs=sum(lanes.values()),
            max_tries=ANY_NUMBER,  # the queue counts the workers that a job stopped, which is not the same
            keep_result=0,  # the outcome is kept with the job, not as arq's result
            log_results=False,
            job_serializer=dump,
            job_deserializer=load,
        )
        self.worker_id = worker_id
        self._redis = redis
        self._engine = engine
        self._models = dict(kinds)
        self._lanes = dict(lanes)
        self._describe = describe
        self._keep = keep
        self._max_wait = max_wait
        self._patience = patience
        self._fresh = dict(fresh or {})
        self._lease = lease
        self._clock = clock
        self._observer = observer
        self._scripts = Scripts(redis)
        self._held: dict[str, Claimed] = {}
        self._outcomes: dict[str, Outcome] = {}
        self._kinds: dict[str, str] = {}
        self._news: asyncio.Queue[tuple[Platform, Progress]] = asyncio.Queue(maxsize=1000)
        self._look = LOOK
        self._wake = asyncio.Event()
        self._stopping = asyncio.Event()

    async def main(self) -> None:
        """Work until `drain`. Losing Redis is waited out: running jobs go on and are finished when it is back."""
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(self._persistently(step))
                for step in (self._claiming, self._listening, self._beating, self._telling)
            ]
            await self._stopping.wait()
            self._wake.set()
            # A claim that is under way is waited for: cancelled, its jobs would be ours without our knowing.
            await asyncio.wait(tasks[:1], timeout=FAREWELL)
            for task in tasks[:2]:  # no more jobs, but leases are renewed and progress told to the end
                await _end(task)
            await asyncio.gather(*self.tasks.values(), return_exceptions=True)
            for task in tasks[2:]:
                await _end(task)
        with suppress(*LOST):
            await self._redis.zrem(keys.WORKERS, self.worker_id)
            await self._redis.delete(keys.worker(self.worker_id))

    async def drain(self, grace: float) -> None:
        """Take no more jobs; give the running ones `grace` seconds, then hand them back without counting a try.

        Where Redis is away and does not come back, they are left: their leases run out.
        """
        self._stopping.set()
        if running := list(self.tasks.values()):
            await asyncio.wait(running, timeout=grace)
        with suppress(TimeoutError):
            async with asyncio.timeout(FAREWELL):
                while running := list(self.tasks.values()):
                    for task in list(self.job_tasks.values()):  # one that was claimed just now is in it a moment later
                        task.cancel()
                    await asyncio.wait(running, timeout=0.1)
        for task in list(self.tasks.values()):
            task.cancel()

    async def _persistently(self, step: Callable[[], Awaitable[None]]) -> None:
        await persistently(step, self._lost(step.__name__), first=0.1, longest=5.0)

    def _lost(self, step: str) -> Callable[[Exception, float], None]:
        def lost(error: Exception, pause: float) -> None:
            self._observer.redis_lost()
            log.warning("redis is away", step=step, error=type(error).__name__, again_in=pause)

        return lost

    async def _claiming(self) -> None:
        while not self._stopping.is_set():
            self._wake.clear()
            await self._poll_iteration()
            with suppress(TimeoutError):
                async with asyncio.timeout(self._look):
                    await self._wake.wait()

    async def _poll_iteration(self) -> None:
        """Take as many jobs as there are free slots, and start them; then look again when a lease may have ended."""
        busy = [claimed.lane for claimed in self._held.values()]
        free = {lane: slots - busy.count(lane) for lane, slots in self._lanes.items()}
        taken = await self._scripts.claim(self.worker_id, self._lease, free, keep=self._keep, patience=self._patience)
        self._look = LOOK if taken.expires is None else min(LOOK, taken.expires + GLANCE)
        for claimed in taken.jobs:
            if self._stopping.is_set():
                await self._scripts.release(claimed.job_id, claimed.lease)
            else:
                self._start(claimed)

    def _start(self, claimed: Claimed) -> None:
        job_id = claimed.job_id
        self._held[job_id] = claimed
        if job_id in self.tasks:  # our own lease had run out while we still ran it: go on under the new one
            return
        self.tasks[job_id] = task = asyncio.create_task(self.run_job(job_id, claimed.place))

        def ended(_: asyncio.Task[None]) -> None:
            self.tasks.pop(job_id, None)
            self._held.pop(job_id, None)
            self._outcomes.pop(job_id, None)
            self._kinds.pop(job_id, None)
            self._wake.set()
            if not task.cancelled() and (error := task.exception()):
                # Redis went away before the start was counted: the lease runs out and the job is taken again.
                log.warning("start failed", job=job_id, error=type(error).__name__)

        task.add_done_callback(ended)

    async def _listening(self) -> None:
        async with self._redis.pubsub(ignore_subscribe_messages=True) as channel:
            await channel.subscribe(keys.DOORBELL, keys.CANCELS)
            self._wake.set()  # a bell may have rung before the subscription
            async for message in channel.listen():
                said = message["data"].decode("utf-8", "replace")
                if message["channel"] == keys.CANCELS.encode():
                    self._cancel(said)
                elif said in self._lanes:
                    self._wake.set()

    async def _beating(self) -> None:
        while True:
            held = {job_id: claimed.lease for job_id, claimed in self._held.items()}
            state = encode(self._describe(self.worker_id, tuple(held)))
            lost, cancelled = await self._scripts.renew(self.worker_id, self._lease, state, held, self._models)
            for job_id in lost:
                # Someone else may run it by now: stop, and do not report an end that is not ours to report.
                mine = self._held.get(job_id)
                if (task := self.job_tasks.get(job_id)) and mine and mine.lease == held[job_id]:
                    log.warning("lease lost", job=job_id)
                    self._observer.lease_lost()
                    task.cancel()
            for job_id in cancelled:
                self._cancel(job_id)
            await asyncio.sleep(min(RENEW, self._lease / 3))

    async def _telling(self) -> None:
        while True:
            platform, progress = await self._news.get()
            await tell(self._redis, platform, progress)

    def _cancel(self, job_id: str) -> None:
        if job_id in self._held:
            self._engine.cancel(job_id)

    async def _run(self, context: dict[Any, Any], wire: str) -> None:
        """What arq calls for every kind."""
        job_id = context["job_id"]
        try:
            job = decode(Job, wire)
        except CorruptMessageError:
            log.warning("a job cannot be read", job=job_id)
            self._outcomes[job_id] = Outcome(status="failed", reason=DAMAGED)
            return
        self._kinds[job_id] = job.kind
        with bound_contextvars(job=job_id, kind=job.kind, requester=requester_hash(job.requester.key)):
            self._outcomes[job_id] = await self._outcome(job)

    async def _outcome(self, job: Job) -> Outcome:
        if self._clock() - job.submitted_at > self._max_wait:
            log.info("expired")
            return Outcome(status="expired")

        def report(progress: Progress) -> None:
            with suppress(asyncio.QueueFull):  # progress is the first thing to drop
                self._news.put_nowait((job.requester.platform, progress))

        log.info("started")
        self._observer.started(job.kind, job.lane, self._clock() - job.submitted_at)
        outcome = await self._engine.run(job, report)
        log.info("ended", status=outcome.status, seconds=round(outcome.seconds, 3), gpu=round(outcome.gpu_seconds, 3))
        return outcome

    async def finish_job(
        self,
        job_id: str,
        finish: bool,
        result_data: bytes | None,
        result_timeout_s: float | None,
        keep_result_forever: bool,
        incr_score: int | None,
        keep_in_progress: float | None,
    ) -> None:
        """arq's end of a run: either the outcome is written, or the job goes back to its place."""
        if finish:
            fallback = Outcome(status="failed", reason="Its worker could not finish it. Please ask again.")
            await self._finish(job_id, self._outcomes.get(job_id, fallback))
        elif claimed := self._held.get(job_id):
            # The lease of the moment: ours may have run out while Redis was away, and been taken anew.
            await self._until_redis_answers(
                lambda: self._scripts.release(job_id, self._held.get(job_id, claimed).lease)
            )

    async def finish_failed_job(self, job_id: str, result_data: bytes | None) -> None:
        """arq's end of what never ran: no payload, a payload it cannot read, or an unknown kind."""
        log.warning("given up", job=job_id)
        await self._finish(job_id, Outcome(status="failed", reason=DAMAGED))

    async def _finish(self, job_id: str, outcome: Outcome) -> None:
        if (claimed := self._held.get(job_id)) is None:
            return
        kind = self._kinds.get(job_id, "")
        finished = await self._until_redis_answers(
            lambda: self._scripts.finish(
                job_id,
                self._held.get(job_id, claimed).lease,
                status=outcome.status,
                outcome=encode(outcome),
                keep=self._keep,
                gpu_seconds=outcome.gpu_seconds,
                model=self._models.get(kind, ""),
                fresh=self._fresh.get(kind, 0.0),
            )
        )
        if finished:
            self._observer.ended(kind, outcome.status, outcome.seconds, outcome.gpu_seconds)
        else:
            log.warning("finish refused: the lease was no longer ours", job=job_id)
            self._observer.lease_lost()

    async def _until_redis_answers(self, call: Callable[[], Awaitable[T]]) -> T:
        return await until_answered(call, self._lost("finish"), first=0.1, longest=2.0)


async def _end(task: asyncio.Task[None]) -> None:
    """Cancel it until it ends: redis-py was seen to swallow a cancellation that met a read."""
    while not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=0.1)
