"""arq's Worker with a lease, a doorbell and a fenced finish.

Jobs are arq's, on the wire and in its tables of tasks; this class decides when one is taken and how it ends. It asks
Redis in turns: what ended since the last is written down, and what fills the free slots is claimed, in one round trip.
Turns, renewing and releasing are scripts of `frontdesk.queue.scripts`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from contextlib import suppress
from typing import Any, Protocol, cast

import structlog
from arq.connections import ArqRedis
from arq.jobs import DeserializationError, deserialize_job_raw
from arq.typing import WorkerCoroutine
from arq.worker import Worker, func
from redis.asyncio import Redis
from structlog.contextvars import bound_contextvars

from frontdesk.queue import keys
from frontdesk.queue.codec import decode, dump, encode, load
from frontdesk.queue.connection import LOST, end_loops, persistently, until_answered
from frontdesk.queue.errors import CorruptMessageError
from frontdesk.queue.events import tell
from frontdesk.queue.jobs import Job, Outcome, Platform, Progress
from frontdesk.queue.logs import requester_hash
from frontdesk.queue.report import WorkerState
from frontdesk.queue.scripts import Claimed, Ended, Scripts, handed
from frontdesk.worker.observing import UNOBSERVED, WorkerObserver

log = structlog.get_logger()

LEASE = 6.0  # seconds a job stays with a worker that no longer renews
RENEW = 2.0  # seconds between heartbeats
LOOK = 2.0  # seconds between claims when no bell rings: pub/sub may lose one, and dead workers' jobs are freed then
GLANCE = 0.02  # seconds after the end of a lease at which it is looked for
AFTER = 0.005  # seconds from a job that was handed over to the turn that offers the slots that are left
OVERDUE = 60.0  # seconds beyond the longest wait, so that also by this machine's clock it is over
FAREWELL = 10.0  # seconds to write down how the last jobs ended, should Redis be away at a shutdown

DAMAGED = "Its request was damaged in the queue. Please ask again."
UNFINISHED = "Its worker could not finish it. Please ask again."


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
    lacks: kinds and needs of jobs that it leaves to others; memory: bytes that a job may take (0: any).
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
        lacks: Collection[str] = (),
        memory: int = 0,
        lease: float = LEASE,
        clock: Callable[[], float] = time.time,
        observer: WorkerObserver = UNOBSERVED,
    ) -> None:
        super().__init__(
            # Also of kinds that it lacks: what nobody could run in time is given to it to be ended.
            functions=[func(cast(WorkerCoroutine, self._run), name=name) for name in {**kinds, **dict.fromkeys(lacks)}],
            queue_name=keys.lane(next(iter(lanes))),
            redis_pool=cast(ArqRedis, redis),  # arq only needs the commands; jobs are enqueued by the broker
            handle_signals=False,
            max_jobs=sum(lanes.values()),
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
        self._lacks = tuple(lacks)
        self._memory = memory
        self._lease = lease
        self._clock = clock
        self._observer = observer
        self._scripts = Scripts(redis)
        self._held: dict[str, Claimed] = {}
        self._ended: dict[str, tuple[Outcome, asyncio.Event]] = {}
        self._kinds: dict[str, str] = {}
        self._sure = True
        self._turn = int(clock() * 1e6)  # above those of an earlier process of this name
        self._by_hand = 0
        self._floor = 0
        self._news: asyncio.Queue[tuple[Platform, Progress]] = asyncio.Queue(maxsize=1000)
        self._look = LOOK
        self._wake = asyncio.Event()
        self._stopping = asyncio.Event()

    async def main(self) -> None:
        """Work until `drain`. Losing Redis is waited out: running jobs go on and are finished when it is back."""
        async with asyncio.TaskGroup() as group:
            taking, listening, *others = [
                group.create_task(self._persistently(step))
                for step in (self._taking_turns, self._listening, self._beating, self._telling)
            ]
            await self._stopping.wait()
            self._wake.set()
            while self.tasks:  # leases are renewed, progress and ends told to the last
                await asyncio.wait(list(self.tasks.values()))
            # Its last turn is waited for: cancelled, jobs would be ours without our knowing.
            await asyncio.wait([taking], timeout=FAREWELL)
            for task in (taking, listening, *others):
                await end_loops(task)
        with suppress(*LOST):
            await self._redis.zrem(keys.WORKERS, self.worker_id)
            await self._redis.delete(keys.worker(self.worker_id), keys.turns(self.worker_id))

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

    async def _taking_turns(self) -> None:
        """To the end of the last job, so that all ends are written; the last turn takes our offers back."""
        while self.tasks or not self._stopping.is_set():
            self._wake.clear()
            await self._poll_iteration()
            if self._stopping.is_set() and not self.tasks:
                break
            with suppress(TimeoutError):
                async with asyncio.timeout(self._look):
                    await self._wake.wait()
        self._sure = False  # what is handed over from now on goes back
        with suppress(*LOST):
            await self._poll_iteration()

    async def _poll_iteration(self) -> None:
        """One turn; the next is due when a job comes or ends, and when a lease may have ended."""
        ended = [self._end_of(job_id, outcome) for job_id, (outcome, _) in self._ended.items()]
        busy = [claimed.lane for job_id, claimed in self._held.items() if job_id not in self._ended]
        free = {lane: slots - busy.count(lane) for lane, slots in self._lanes.items()}
        sure, self._sure = self._sure, True
        self._turn += 1
        try:
            turn = await self._scripts.turn(
                self.worker_id,
                self._lease,
                dict.fromkeys(self._lanes, 0) if self._stopping.is_set() else free,
                ended,
                number=self._turn,
                keep=self._keep,
                patience=self._patience,
                by_hand=self._by_hand,
                lacks=self._lacks,
                memory=self._memory,
                max_wait=self._max_wait + OVERDUE,
                holds=None if sure else list(self._held),
            )
        except BaseException:
            self._sure = False  # it may have been taken, and nobody here knows of what it claimed
            raise
        if turn.lost:
            self._sure = False
            self._wake.set()
        self._floor = turn.floor or self._floor
        self._look = LOOK if turn.expires is None else min(LOOK, turn.expires + GLANCE)
        for job_id, error in turn.refused.items():
            log.warning("its end is not taken: tried again", job=job_id, error=type(error).__name__)
        for job_id, ours in turn.finished.items():
            if job_id in self._ended:  # else it was left alone meanwhile, at the end of a drain
                self._settle(job_id, ours)
        for claimed in turn.jobs:
            await self._take(claimed)

    async def _receive(self, message: bytes) -> None:
        """A job that was handed over at its submission; not one that went back since, when we said what we hold."""
        try:
            claimed = handed(message)
        except CorruptMessageError:
            log.warning("what was handed over is no job")
            self._sure = False
            return
        if claimed.number <= self._floor:
            return
        self._by_hand += 1
        await self._take(claimed)
        asyncio.get_running_loop().call_later(AFTER, self._wake.set)  # what is free is told anew, after the job's start

    async def _take(self, claimed: Claimed) -> None:
        if self._stopping.is_set():
            await self._scripts.release(claimed.job_id, claimed.lease)
        else:
            self._start(claimed)

    def _start(self, claimed: Claimed) -> None:
        job_id = claimed.job_id
        self._held[job_id] = claimed
        if job_id in self.tasks:  # our own lease had run out while we still ran it: go on under the new one
            return
        self.tasks[job_id] = asyncio.create_task(self.run_job(job_id, claimed.place))

    def _end_of(self, job_id: str, outcome: Outcome) -> Ended:
        kind = self._kinds.get(job_id, "")
        return Ended(
            job_id,
            self._held[job_id].lease,  # of the moment: ours may have run out while Redis was away, and been taken anew
            status=outcome.status,
            outcome=encode(outcome),
            gpu_seconds=outcome.gpu_seconds,
            model=self._models.get(kind, ""),
            fresh=self._fresh.get(kind, 0.0),
        )

    def _settle(self, job_id: str, ours: bool) -> None:
        """The end of a job is written, or was not ours to write."""
        (outcome, written), kind = self._ended[job_id], self._kinds.get(job_id, "")
        self._forget(job_id)
        written.set()
        if ours:
            self._observer.ended(kind, outcome.status, outcome.seconds, outcome.gpu_seconds)
        else:
            log.warning("finish refused: the lease was no longer ours", job=job_id)
            self._observer.lease_lost()

    def _forget(self, job_id: str) -> None:
        for known in (self._held, self._ended, self._kinds, self.tasks):
            known.pop(job_id, None)

    async def _listening(self) -> None:
        async with self._redis.pubsub() as channel:
            hands = keys.hands(self.worker_id)
            await channel.subscribe(keys.DOORBELL, keys.CANCELS, hands)
            while True:
                sort, name, said = await channel.parse_response()  # `listen` takes longer than the job's claim
                if sort != b"message":  # subscribed, or once more: redis-py connects again by itself
                    self._sure = False  # bells may have rung, and jobs been handed over, that nobody heard of
                    self._wake.set()
                    continue
                text = said.decode("utf-8", "replace")
                if name == keys.CANCELS.encode():
                    self._cancel(text)
                elif name == hands.encode():
                    await self._receive(said)
                elif text in self._lanes:
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

    async def run_job(self, job_id: str, score: int) -> None:
        """A job from its claim to the turn that writes its outcome; or back to its place, when cancelled.

        In place of arq's own, which reads each payload and counts each start by itself: the claim does both.
        """
        try:
            outcome = await self._outcome_of(job_id, self._held[job_id].payload)
            if outcome is None:
                await self._give_back(job_id)
            else:
                self._ended[job_id] = outcome, (written := asyncio.Event())
                self._wake.set()
                await written.wait()
        finally:
            if self.tasks.get(job_id) is asyncio.current_task():  # else a turn took it off, and may have begun it anew
                self._forget(job_id)
                self._wake.set()

    async def _outcome_of(self, job_id: str, payload: bytes) -> Outcome | None:
        """None for one that was cancelled by this worker."""
        self.job_tasks[job_id] = running = asyncio.create_task(self._called(job_id, payload))
        try:
            return await running
        except asyncio.CancelledError:
            return None
        except Exception as error:
            # TRY400: an exception's own words may hold what a user wrote.
            log.error("not finished", job=job_id, error=type(error).__name__)  # noqa: TRY400
            return Outcome(status="failed", reason=UNFINISHED)
        finally:
            del self.job_tasks[job_id]

    async def _called(self, job_id: str, payload: bytes) -> Outcome:
        """Call the function of its kind, as the broker wrote it for arq."""
        try:
            name, (wire,), *_ = deserialize_job_raw(payload, deserializer=self.job_deserializer)
            function, job = self.functions[name], decode(Job, wire)
        except (DeserializationError, CorruptMessageError, KeyError, TypeError, ValueError):
            log.warning("a job cannot be read", job=job_id)
            return Outcome(status="failed", reason=DAMAGED)
        self._kinds[job_id] = job.kind
        with bound_contextvars(job=job_id, kind=job.kind, requester=requester_hash(job.requester.key)):
            return cast(Outcome, await function.coroutine({"job_id": job_id}, job))

    async def _run(self, context: dict[Any, Any], job: Job) -> Outcome:
        """The function of every kind."""
        if self._clock() - job.submitted_at > self._max_wait:
            log.info("expired")
            return Outcome(status="expired")

        def report(progress: Progress) -> None:
            with suppress(asyncio.QueueFull):  # progress is the first thing to drop
                self._news.put_nowait((job.platform, progress))

        log.info("started")
        self._observer.started(job.kind, job.lane, self._clock() - job.submitted_at)
        outcome = await self._engine.run(job, report)
        log.info("ended", status=outcome.status, seconds=round(outcome.seconds, 3), gpu=round(outcome.gpu_seconds, 3))
        return outcome

    async def _give_back(self, job_id: str) -> None:
        claimed = self._held[job_id]
        await until_answered(
            lambda: self._scripts.release(job_id, self._held.get(job_id, claimed).lease),
            self._lost("release"),
            first=0.1,
            longest=2.0,
        )
