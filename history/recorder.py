"""Writes down every job that ended: reads them from the queue, writes them in one transaction, then acknowledges.

What is written twice is written once (the job's id is the key), so a crash between the two steps repeats nothing, and
one before them loses nothing. While the database is away, jobs wait in Redis.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence

import structlog
from redis.asyncio import Redis
from sqlalchemy import Insert, Table
from sqlalchemy.dialects import postgresql, sqlite

from frontdesk.history import schema
from frontdesk.history.database import Database
from frontdesk.history.recording import Row, file_rows, job_row
from frontdesk.queue.broker import Broker
from frontdesk.queue.connection import heed_cancelling, persistently
from frontdesk.queue.errors import HistoryClosedError
from frontdesk.queue.jobs import JobRecord, Outcome
from frontdesk.queue.kinds import Registry
from frontdesk.queue.record import ABANDONED, Ended, RecordStream

log = structlog.get_logger()

BATCH = 200  # jobs of one transaction
BLOCK = 2.0  # seconds
LOOK_BACK = 15.0  # seconds between two looks for what another recorder left
LONGEST_PAUSE = 10.0  # seconds between two tries to reach the database


class Recorder:
    """keep: seconds for which Redis remembers an ended job. abandoned: seconds after which what another recorder took
    and did not write is taken over. wrote: is called after each transaction that added jobs."""

    def __init__(
        self,
        redis: Redis,
        database: Database,
        kinds: Registry,
        *,
        keep: float,
        abandoned: float = ABANDONED,
        wrote: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._broker = Broker(redis, keep=keep)
        self._stream = RecordStream(redis, keep=keep)
        self._database = database
        self._kinds = kinds
        self._abandoned = abandoned
        self._wrote = wrote
        self._clock = clock

    async def run(self) -> None:
        """Record until cancelled. Losing Redis or the database is waited out."""
        await persistently(self._work, _lost, first=1.0, longest=LONGEST_PAUSE)

    async def _work(self) -> None:
        await self._stream.open()
        looked = float("-inf")
        while True:
            heed_cancelling()
            if self._clock() - looked > LOOK_BACK:
                await self._stream.expect()
                while left := await self._stream.take_over(BATCH, abandoned=self._abandoned):
                    await self._record(left)
                looked = self._clock()
            if events := await self._stream.read(BLOCK, BATCH):
                await self._record(events)

    async def _record(self, events: Sequence[Ended]) -> None:
        """Write a batch, however long the database is away, and acknowledge it."""
        jobs, files = rows(self._kinds, events, await self._broker.records([event.job_id for event in events]))
        pause = 0.5
        while True:
            try:
                added = await self._write(jobs, files)
                break
            except HistoryClosedError:
                await asyncio.sleep(pause)
                pause = min(LONGEST_PAUSE, 2 * pause)
        await self._stream.acknowledge(events)
        if added:
            self._wrote()

    async def _write(self, jobs: Sequence[Row], files: Sequence[Row]) -> bool:
        """Whether any of them was new. Raises HistoryClosedError."""
        if not jobs:
            return False
        async with self._database.writing() as connection:
            written = await connection.execute(_once(self._database, schema.jobs).returning(schema.jobs.c.id), jobs)
            new = {row.id for row in written}
            if added := [row for row in files if row["job"] in new]:
                await connection.execute(_once(self._database, schema.files), added)
        log.debug("recorded", jobs=len(new), repeated=len(jobs) - len(new))
        return bool(new)


def rows(kinds: Registry, events: Sequence[Ended], records: dict[str, JobRecord]) -> tuple[list[Row], list[Row]]:
    """The rows of some jobs and of their files. What Redis has forgotten, or nobody can read, is passed over."""
    jobs: dict[str, Row] = {}
    files: list[Row] = []
    for event in events:
        record = records.get(event.job_id)
        if record is None or event.asked is None or not record.ended:
            log.warning("a job cannot be recorded", job=event.job_id, known=record is not None)
            continue
        if event.job_id in jobs:
            continue
        kind = kinds.get(event.asked.kind)
        jobs[event.job_id] = job_row(kind, event.asked, record)
        files += file_rows(kind, event.job_id, record.outcome or Outcome(status="failed"))
    return list(jobs.values()), files


def _once(database: Database, table: Table) -> Insert:
    """An insert that leaves alone what is there."""
    insert = postgresql.insert if database.postgres else sqlite.insert
    return insert(table).on_conflict_do_nothing()


def _lost(error: Exception, pause: float) -> None:
    log.warning("redis is away", step="record", error=type(error).__name__, again_in=pause)
