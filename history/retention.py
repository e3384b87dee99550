"""How long the history keeps a job that ended: as long as its kind is kept, and while it holds files.

The queue decides which jobs hold files (`queue/retention.py`): the last few objects of a person do whatever their age,
and others lose theirs when their kind is overdue. What is overdue and holds none is removed here, published or not:
whoever publishes does not ask for it to be kept, and nobody is kept in the gallery for longer than in their own list.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence

import structlog
from redis.asyncio import Redis
from sqlalchemy import and_, or_, select

from frontdesk.history.database import Database
from frontdesk.history.history import History
from frontdesk.history.schema import jobs
from frontdesk.queue import keys
from frontdesk.queue.connection import LOST, heed_cancelling
from frontdesk.queue.errors import HistoryClosedError
from frontdesk.queue.retention import Keep, Retention

EVERY = 3600.0  # seconds between two looks
AGAIN = 60.0  # seconds after one that failed
BATCH = 500  # jobs looked at in one step, so that nobody who writes waits for long

log = structlog.get_logger()


class HistoryRetention:
    """clock: Unix seconds. pause: sleeps."""

    def __init__(
        self,
        redis: Redis,
        database: Database,
        retention: Retention,
        keep: Keep,
        *,
        clock: Callable[[], float] = time.time,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._redis = redis
        self._database = database
        self._history = History(database)
        self._retention = retention
        self._keep = keep
        self._clock = clock
        self._pause = pause

    async def run(self) -> None:
        """Remove what is overdue, once an hour, until cancelled."""
        while True:
            heed_cancelling()
            try:
                removed = await self.sweep()
            except (HistoryClosedError, *LOST) as error:
                log.warning("what is overdue was not removed", error=type(error).__name__, again_in=AGAIN)
                await self._pause(AGAIN)
                continue
            if removed:
                log.info("overdue jobs removed", jobs=len(removed))
            await self._pause(EVERY)

    async def sweep(self) -> list[str]:
        """One look. Returns the jobs that were removed. Raises HistoryClosedError, and what Redis being away raises."""
        await self._retention.let_go()
        removed, after = list[str](), ""
        while late := await self._overdue(after):
            after = late[-1]
            if gone := await self._without_files(late):
                await self._history.remove(gone)
                removed += gone
        return removed

    async def _overdue(self, after: str) -> list[str]:
        now, named = self._clock(), [kind for kind in self._keep.days if kind != "*"]
        by_kind = [and_(jobs.c.kind == kind, jobs.c.finished_at < now - self._keep.seconds(kind)) for kind in named]
        others = and_(jobs.c.kind.not_in(named), jobs.c.finished_at < now - self._keep.seconds("*"))
        query = select(jobs.c.id).where(jobs.c.id > after, or_(others, *by_kind)).order_by(jobs.c.id).limit(BATCH)
        async with self._database.reading() as connection:
            return [row.id for row in await connection.execute(query)]

    async def _without_files(self, job_ids: Sequence[str]) -> list[str]:
        held = await self._redis.mget([keys.files(job_id) for job_id in job_ids])
        return [job_id for job_id, files in zip(job_ids, held, strict=True) if files is None]
