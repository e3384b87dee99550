"""Waits for the answers that this process shows itself: a console has no courier."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import structlog

from frontdesk.bots.main import Premises
from frontdesk.queue.broker import Broker
from frontdesk.queue.connection import LOST, heed_cancelling, persistently
from frontdesk.queue.errors import CorruptMessageError
from frontdesk.queue.events import last_entry, next_progress, progress_channel, tail
from frontdesk.queue.jobs import Outcome, Progress

log = structlog.get_logger()

LOOK_AGAIN = 5.0  # seconds after which all records are read, should an event have been trimmed away
PAUSE = 0.5  # seconds before Redis is tried again
GONE = Outcome(status="failed", reason="The queue no longer knows this job.")


@dataclass(frozen=True, slots=True)
class _Awaited:
    ended: asyncio.Future[Outcome]
    news: Callable[[Progress], None]


class Waiter:
    """Waits for any number of jobs at once; made by `waiting`.

    `trouble` is told True when Redis is lost and False when it is back; jobs are then looked up again.
    """

    def __init__(self, front: Premises, trouble: Callable[[bool], None]) -> None:
        self._redis = front.redis
        self._broker: Broker = front.broker
        self._trouble = trouble
        self._lost = False
        self._awaited: dict[str, _Awaited] = {}

    async def outcome(self, job_id: str, news: Callable[[Progress], None]) -> Outcome:
        """How the job ended, once it has. `news` is called whenever it tells something of itself."""
        awaited = _Awaited(asyncio.get_running_loop().create_future(), news)
        self._awaited[job_id] = awaited
        try:
            with suppress(*LOST):  # `run` looks again when Redis is back
                await self._look([job_id])
            return await awaited.ended
        finally:
            del self._awaited[job_id]

    async def run(self) -> None:
        """Listen until cancelled. Losing Redis is waited out."""
        async with asyncio.TaskGroup() as group:
            for loop in (self._outcomes, self._progress):
                group.create_task(persistently(loop, self._away, first=PAUSE, longest=PAUSE))

    def _away(self, error: Exception, _pause: float) -> None:
        log.info("redis is away", error=type(error).__name__)
        self._tell(lost=True)

    async def _outcomes(self) -> None:
        after = await last_entry(self._redis, "console")
        self._tell(lost=False)
        await self._look(list(self._awaited))
        while True:
            heed_cancelling()
            events = await tail(self._redis, "console", after, block=LOOK_AGAIN)
            after = events[-1].entry if events else after
            ended = {event.job_id for event in events} & self._awaited.keys()
            await self._look(ended if events else list(self._awaited))

    async def _progress(self) -> None:
        async with progress_channel(self._redis, "console") as channel:
            while True:
                heed_cancelling()
                progress = await next_progress(channel, LOOK_AGAIN)
                if progress and (awaited := self._awaited.get(progress.job_id)) and not awaited.ended.done():
                    awaited.news(progress)

    async def _look(self, job_ids: Collection[str]) -> None:
        for job_id in job_ids:
            try:
                record = await self._broker.job(job_id)
            except CorruptMessageError:
                record = None
            awaited = self._awaited.get(job_id)
            if awaited is None or awaited.ended.done():
                continue
            if record is None:
                awaited.ended.set_result(GONE)
            elif record.ended:
                awaited.ended.set_result(record.outcome or GONE)

    def _tell(self, *, lost: bool) -> None:
        if lost != self._lost:
            self._lost = lost
            self._trouble(lost)


@asynccontextmanager
async def waiting(front: Premises, trouble: Callable[[bool], None] = lambda lost: None) -> AsyncIterator[Waiter]:
    """A waiter that listens inside the block."""
    waiter = Waiter(front, trouble)
    listening = asyncio.create_task(waiter.run())
    try:
        yield waiter
    finally:
        listening.cancel()
        with suppress(asyncio.CancelledError):
            await listening
