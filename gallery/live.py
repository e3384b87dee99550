"""News of jobs for whoever waits at the page or at the HTTP door: one place in a process that listens to the queue."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Collection
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import TypeAlias, TypeVar, get_args

import structlog
from redis.asyncio import Redis

from frontdesk.bots.tickets import Standing, matters
from frontdesk.queue.batches import batched
from frontdesk.queue.broker import Broker
from frontdesk.queue.connection import heed_cancelling, persistently
from frontdesk.queue.errors import CorruptMessageError, NoSuchJobError
from frontdesk.queue.events import last_entry, next_progress, progress_channel, tail
from frontdesk.queue.jobs import JobRecord, Platform, Progress, Ticket

log = structlog.get_logger()

News: TypeAlias = Ticket | Progress | JobRecord
T = TypeVar("T")

TAILED: tuple[Platform, ...] = ("console", "web")  # their streams can be read by many; the others are their couriers'
LOOK = 2.0  # seconds between two looks at jobs whose end no stream tells, and at tickets
LOOK_AGAIN = 10.0  # seconds after which every job is looked at, should an event have been trimmed away
BLOCK = 2.0  # seconds that Redis holds a question without an answer: a connection is given up as lost after ten
TICKETS = 64  # tickets in one look
IN_ONE_TRIP = 200  # records
REMEMBERED = 256  # jobs whose newest progress is kept for who comes later
PAUSE = 0.5  # seconds before Redis is tried again


class _Watcher:
    """One who waits. Of each sort of news only the newest waits for them, so that a slow one costs no memory."""

    def __init__(self) -> None:
        self._pending: dict[type[News], News] = {}
        self._gone = False
        self._ready = asyncio.Event()

    def tell(self, news: News) -> None:
        self._pending.pop(type(news), None)  # it goes behind what came before it
        self._pending[type(news)] = news
        self._ready.set()

    def lose(self) -> None:
        """The queue no longer knows the job."""
        self._gone = True
        self._ready.set()

    async def next(self, job_id: str) -> News:
        while not self._pending:
            if self._gone:
                raise NoSuchJobError(job_id[:32])
            self._ready.clear()
            await self._ready.wait()
        return self._pending.pop(next(iter(self._pending)))


@dataclass(slots=True)
class _Watched:
    """A job that somebody waits for, and the newest of each sort of news, for those who come later.

    unheard: no stream tells its end, or its ticket may change. looked: when its ticket was last looked at.
    early: progress that came before the ticket.
    """

    watchers: list[_Watcher] = field(default_factory=list)
    newest: dict[type[News], News] = field(default_factory=dict)
    unheard: bool = True
    looked: float = 0.0
    early: Progress | None = None

    def goes_on(self, progress: Progress) -> None:
        """Tell how far it is, once its ticket was told."""
        if Ticket in self.newest:
            self.tell(progress)
        else:
            self.early = progress

    def tell(self, news: News) -> None:
        if JobRecord in self.newest:  # it has ended: nothing comes after that
            return
        self.newest.pop(type(news), None)
        self.newest[type(news)] = news
        for watcher in self.watchers:
            watcher.tell(news)

    def found(self, record: JobRecord | None) -> bool:
        """Tell what its record says; None: there is none. True where its ticket says more."""
        if record is None:
            for watcher in self.watchers:
                watcher.lose()
            return False
        self.unheard = record.state == "waiting" or record.reply.platform not in TAILED
        if record.ended:
            self.tell(record)
        elif record.state == "running":
            self.stands(Ticket(record.id, 0, 0.0), self.looked)
        return record.state == "waiting"

    def stands(self, ticket: Ticket, now: float) -> None:
        """Tell its ticket, where that says something new."""
        self.looked, told = now, self.newest.get(Ticket)
        if (
            not isinstance(told, Ticket)
            or told.position != ticket.position
            or matters(Standing(told), Standing(ticket))
        ):
            self.tell(ticket)
        if self.early is not None:
            early, self.early = self.early, None
            if ticket.position or early != Progress(job_id=early.job_id):  # else the ticket has said it: it runs
                self.tell(early)


class Live:
    """Follows the queue while `run` runs; `watch` tells of one job.

    Ends of jobs that were asked for at a terminal, on the page or at the HTTP door are read from their streams. Those
    of chats are their courier's, which takes them away: such jobs are looked at every `look` seconds, all that are
    watched in one round trip. So are the tickets of jobs that wait, at most TICKETS of them, in turn.
    """

    def __init__(self, redis: Redis, broker: Broker, *, look: float = LOOK) -> None:
        self._redis = redis
        self._broker = broker
        self._look = look
        self._watched: dict[str, _Watched] = {}
        self._unseen: set[str] = set()
        self._asked = asyncio.Event()
        self._latest: OrderedDict[str, Progress] = OrderedDict()

    def latest(self, job_id: str) -> Progress | None:
        """How far a job was when it last told, of the REMEMBERED that told last."""
        return self._latest.get(job_id)

    async def run(self) -> None:
        """Listen until cancelled. Losing Redis is waited out; whoever waits goes on waiting."""
        async with asyncio.TaskGroup() as group:
            loops: list[Callable[[], Awaitable[None]]] = [partial(self._outcomes, platform) for platform in TAILED]
            for loop in (*loops, self._progress, self._looks):
                group.create_task(persistently(loop, self._away, first=PAUSE, longest=PAUSE))

    async def watch(self, job_id: str) -> AsyncGenerator[News, None]:
        """News of a job, and at last its record once it has ended, also where it had ended before.

        First its ticket, if it has not ended. A slow reader is given the newest ticket and the newest progress, and
        none of those between. While Redis is away nothing comes. Whoever leaves early closes it (`aclosing`). Nobody
        is asked here whose job it is. Raises NoSuchJobError where the queue does not know the job, or forgets it.
        """
        watcher = _Watcher()
        watched = self._watched.setdefault(job_id, _Watched())
        if not watched.watchers:
            self._look_soon(job_id)
            watched.early = self.latest(job_id)
        for news in watched.newest.values():
            watcher.tell(news)
        watched.watchers.append(watcher)
        try:
            while True:
                news = await watcher.next(job_id)
                yield news
                if isinstance(news, JobRecord):
                    return
        finally:
            watched.watchers.remove(watcher)
            if not watched.watchers:
                del self._watched[job_id]
                self._unseen.discard(job_id)

    async def ended(self, job_id: str) -> JobRecord:
        """The job's record once it has ended. Raises NoSuchJobError."""
        async with aclosing(self.watch(job_id)) as told:
            async for news in told:
                if isinstance(news, JobRecord):
                    return news
        raise NoSuchJobError(job_id[:32])

    def _away(self, error: Exception, _pause: float) -> None:
        log.info("redis is away", error=type(error).__name__)

    async def _outcomes(self, platform: Platform) -> None:
        after = await last_entry(self._redis, platform)
        await self._look_at(self._watched)  # what ended before that entry, or while Redis was away
        while True:
            heed_cancelling()
            events = await tail(self._redis, platform, after, block=BLOCK)
            after = events[-1].entry if events else after
            await self._look_at({event.job_id for event in events})

    async def _progress(self) -> None:
        async with progress_channel(self._redis, *get_args(Platform)) as channel:
            while True:
                heed_cancelling()
                progress = await next_progress(channel, BLOCK)
                if progress is None:
                    continue
                if progress == Progress(job_id=progress.job_id):  # it started, and its ticket will say so
                    self._look_soon(progress.job_id)
                    continue
                self._latest[progress.job_id] = progress
                self._latest.move_to_end(progress.job_id)
                if len(self._latest) > REMEMBERED:
                    self._latest.popitem(last=False)
                if watched := self._watched.get(progress.job_id):
                    watched.goes_on(progress)
                    if progress.waiting:  # its ticket holds again
                        self._look_soon(progress.job_id)

    def _look_soon(self, job_id: str) -> None:
        self._unseen.add(job_id)
        self._asked.set()

    async def _looks(self) -> None:
        """At once at what is newly watched, and at the rest now and then; never while nobody waits."""
        now = asyncio.get_running_loop().time
        await self._look_at(self._watched)
        due, due_all = now() + self._look, now() + LOOK_AGAIN
        while True:
            heed_cancelling()
            with suppress(TimeoutError):
                async with asyncio.timeout(max(0.0, due - now()) if self._watched else None):
                    await self._asked.wait()
            self._asked.clear()
            unseen, self._unseen = self._unseen, set()
            if now() < due:
                await self._look_at(unseen)
                continue
            rest = (job_id for job_id, watched in self._watched.items() if watched.unheard or now() >= due_all)
            await self._look_at(unseen.union(rest))
            due, due_all = now() + self._look, (due_all if now() < due_all else now() + LOOK_AGAIN)

    async def _look_at(self, job_ids: Collection[str]) -> None:
        """Tell of those that ended, and where the others stand."""
        watched_ids = [job_id for job_id in job_ids if job_id in self._watched]
        waiting = list[JobRecord]()
        for some in batched(watched_ids, IN_ONE_TRIP):
            records = await self._broker.records(some)
            for job_id in some:
                record = records.get(job_id) or await self._known(job_id)
                if (watched := self._watched.get(job_id)) is None:
                    continue
                if watched.found(record) and record is not None:
                    waiting.append(record)
        waiting.sort(key=lambda record: self._looked(record.id))
        for record in waiting[:TICKETS]:
            ticket = await self._broker.ticket(record.id, record.lane)
            if watched := self._watched.get(record.id):
                watched.stands(ticket, asyncio.get_running_loop().time())

    def _looked(self, job_id: str) -> float:
        watched = self._watched.get(job_id)
        return watched.looked if watched else 0.0

    async def _known(self, job_id: str) -> JobRecord | None:
        """Asked for by itself, since only then an error of Redis is one."""
        try:
            return await self._broker.job(job_id)
        except CorruptMessageError:
            return None


async def with_beats(news: AsyncIterator[T], every: float) -> AsyncGenerator[T | None, None]:
    """The same news, and None after each `every` seconds without any: a connection on which nothing is sent is taken
    for dead."""
    coming = asyncio.ensure_future(anext(news))
    try:
        while True:
            done, _ = await asyncio.wait({coming}, timeout=every)
            if not done:
                yield None
                continue
            try:
                found = coming.result()
            except StopAsyncIteration:
                return
            yield found
            coming = asyncio.ensure_future(anext(news))
    finally:
        coming.cancel()
        await asyncio.gather(coming, return_exceptions=True)
