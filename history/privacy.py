"""What the history holds of one person: to hand it out, and to remove it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Table, delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from frontdesk.history.database import AWAY, Database
from frontdesk.history.entries import Entry
from frontdesk.history.history import with_files
from frontdesk.history.schema import api_keys, jobs, reports, webhooks
from frontdesk.queue.batches import batched

BATCH = 200  # jobs that are in memory at a time
SECRET = frozenset({"sha256", "secret"})  # columns that nobody is shown


@dataclass(frozen=True, slots=True)
class Removed:
    """How many rows of each sort were removed; what hung on the jobs went with them."""

    jobs: int = 0
    reports: int = 0
    api_keys: int = 0
    webhooks: int = 0


class PersonalHistory:
    """Of the identities ("discord:1") of one person. Raises HistoryClosedError."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def job_ids(self, identities: Collection[str]) -> list[str]:
        async with self._database.reading() as connection:
            found = await connection.execute(select(jobs.c.id).where(jobs.c.owner.in_(sorted(identities))))
            return [row.id for row in found]

    async def entries(self, identities: Collection[str]) -> AsyncIterator[Entry]:
        """All of their jobs, newest first, whatever became of them; a few are in memory at a time."""
        last = ""
        while True:
            query = select(jobs).where(jobs.c.owner.in_(sorted(identities))).order_by(jobs.c.id.desc()).limit(BATCH)
            if last:
                query = query.where(jobs.c.id < last)
            async with self._database.reading() as connection:
                rows = (await connection.execute(query)).mappings().all()
                found = await with_files(connection, rows)
            for entry in found:
                yield entry
            if len(rows) < BATCH:
                return
            last = rows[-1]["id"]

    async def others(self, identities: Collection[str]) -> dict[str, list[Mapping[str, Any]]]:
        """Their reports, API keys and webhooks, without hashes and secrets."""
        async with self._database.reading() as connection:
            own = sorted(identities)
            return {
                "reports": await _rows(connection, reports, reports.c.reporter.in_(own)),
                "api_keys": await _rows(connection, api_keys, api_keys.c.owner.in_(own)),
                "webhooks": await _rows(connection, webhooks, webhooks.c.owner.in_(own)),
            }

    async def remove(self, identities: Collection[str], job_ids: Collection[str] = ()) -> Removed:
        """Remove all of it, in one transaction. `job_ids`: jobs of theirs that the queue knew."""
        own = sorted(identities)
        async with self._database.writing() as connection:
            if not self._database.postgres:  # what is deleted is overwritten, and not only left out
                await connection.exec_driver_sql("PRAGMA secure_delete=ON")
            said = await connection.execute(delete(reports).where(reports.c.reporter.in_(own)))
            keys = await connection.execute(delete(api_keys).where(api_keys.c.owner.in_(own)))
            hooks = await connection.execute(delete(webhooks).where(webhooks.c.owner.in_(own)))
            gone = await connection.execute(delete(jobs).where(jobs.c.owner.in_(own)))
            for some in batched(sorted(job_ids), BATCH):  # written down while they were removed
                await connection.execute(delete(jobs).where(jobs.c.id.in_(some)))
        await self._compact()
        return Removed(gone.rowcount, said.rowcount, keys.rowcount, hooks.rowcount)

    async def _compact(self) -> None:
        """SQLite's index of words only marks what was deleted, until its parts are joined anew; and what was written is
        in a second file for a while, old pages among it, which is emptied where nobody reads just now."""
        if self._database.postgres:
            return
        try:
            async with self._database.engine.connect() as connection:
                await connection.exec_driver_sql("PRAGMA secure_delete=ON")
                await connection.exec_driver_sql("INSERT INTO words (words) VALUES ('optimize')")
                await connection.commit()
                await connection.exec_driver_sql("ROLLBACK")  # of the transaction that was begun meanwhile
                await connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        except AWAY:
            return


async def _rows(connection: AsyncConnection, table: Table, wanted: ColumnElement[bool]) -> list[Mapping[str, Any]]:
    columns = [column for column in table.c if column.name not in SECRET]
    return [dict(row) for row in (await connection.execute(select(*columns).where(wanted))).mappings()]
