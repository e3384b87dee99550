"""What the desk remembers, for whoever may see it."""

from __future__ import annotations

import base64
import binascii
import json
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, Select, and_, delete, false, func, or_, select, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from frontdesk.history.database import Database
from frontdesk.history.entries import Entry, KeptFile, Page, Viewer
from frontdesk.history.schema import files, jobs, reports
from frontdesk.queue.batches import batched
from frontdesk.queue.errors import NoSuchObjectError
from frontdesk.queue.jobs import Artifact

PAGE = 12
MOST = 100  # entries of a page
BATCH = 500  # rows of one statement
REASON = 500  # characters of a report
ID = re.compile(r"[0-9a-z]{1,16}")


@dataclass(frozen=True, slots=True)
class Report:
    """What somebody said of an object. `at` in Unix seconds; reporters stay unnamed."""

    entry: Entry
    reason: str
    at: float


class History:
    """Everything here looks with the eyes of a viewer: what is not theirs and not public is not there."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock

    async def get(self, viewer: Viewer, job_id: str) -> Entry:
        """A job that ended, object or not. Raises NoSuchObjectError, HistoryClosedError."""
        async with self._database.reading() as connection:
            return await entry_of(connection, viewer, job_id)

    async def kept(self, job_id: str) -> Entry:
        """Anybody's job that ended, for whoever holds the database in their hands: nothing for a chat. Raises
        NoSuchObjectError, HistoryClosedError."""
        async with self._database.reading() as connection:
            query = select(jobs).where(jobs.c.id == job_id)
            found = await with_files(connection, (await connection.execute(query)).mappings().all())
        if not found:
            raise NoSuchObjectError(job_id)
        return found[0]

    async def page(
        self, viewer: Viewer, *, mine: bool = False, kind: str = "", limit: int = PAGE, after: str | None = None
    ) -> Page:
        """Objects, newest first: what is public, or with `mine` one's own. Raises HistoryClosedError."""
        when = jobs.c.finished_at if mine else jobs.c.published_at
        wanted = [jobs.c.made.is_(True), own(viewer) if mine else public()]
        if kind:
            wanted.append(jobs.c.kind == kind)
        if place := _read(after):
            wanted.append(tuple_(when, jobs.c.id) < tuple_(*place))
        limit = min(limit, MOST)
        query = select(jobs).where(*wanted).order_by(when.desc(), jobs.c.id.desc()).limit(limit + 1)
        async with self._database.reading() as connection:
            found = (await connection.execute(query)).mappings().all()
            entries = await with_files(connection, found[:limit])
        if len(found) <= limit or not entries:
            return Page(entries)
        last = found[limit - 1]
        return Page(entries, _written(last["finished_at"] if mine else last["published_at"], last["id"]))

    async def latest(self, viewer: Viewer, *, limit: int = 10) -> tuple[Entry, ...]:
        """The viewer's own jobs that ended, however they did, newest first."""
        query = select(jobs).where(own(viewer)).order_by(jobs.c.finished_at.desc(), jobs.c.id.desc()).limit(limit)
        async with self._database.reading() as connection:
            return await with_files(connection, (await connection.execute(query)).mappings().all())

    async def publish(self, viewer: Viewer, job_id: str, *, on: bool) -> Entry:
        """Show one's own object to others, or no longer. Raises NoSuchObjectError, HistoryClosedError."""
        async with self._database.writing() as connection:
            entry = await entry_of(connection, viewer, job_id)
            if not (entry.own(viewer) and entry.made):
                raise NoSuchObjectError(job_id)
            if on == (entry.published_at is not None):
                return entry
            since = self._clock() if on else None
            await connection.execute(update(jobs).where(jobs.c.id == entry.id).values(published_at=since))
            return await entry_of(connection, viewer, job_id)

    async def report(self, viewer: Viewer, reporter: str, job_id: str, reason: str) -> Entry:
        """Tell the admins of a public object; the same reporter's later word replaces their earlier one. Raises
        NoSuchObjectError, HistoryClosedError."""
        async with self._database.writing() as connection:
            entry = await entry_of(connection, viewer, job_id)
            if not entry.public:
                raise NoSuchObjectError(job_id)
            insert = (postgresql.insert if self._database.postgres else sqlite.insert)(reports)
            said = {"reason": reason[:REASON], "at": self._clock(), "settled_at": None}
            named = {"job": entry.id, "reporter": reporter}
            await connection.execute(
                insert.values(named | said).on_conflict_do_update(index_elements=["job", "reporter"], set_=said)
            )
            return entry

    async def reports(self, *, limit: int = 50) -> list[Report]:
        """Those that no admin has settled, of objects that are still public, oldest first. For admins."""
        query = (
            select(jobs, reports.c.reason.label("said"), reports.c.at.label("said_at"))
            .join(reports, reports.c.job == jobs.c.id)
            .where(reports.c.settled_at.is_(None), public())
            .order_by(reports.c.at)
            .limit(limit)
        )
        async with self._database.reading() as connection:
            found = (await connection.execute(query)).mappings().all()
            entries = {entry.id: entry for entry in await with_files(connection, found)}
        return [Report(entries[row["id"]], row["said"], row["said_at"]) for row in found]

    async def settle(self, job_id: str, *, hide: bool | None = None) -> None:
        """An admin has looked at the reports of an object; `hide` takes it from the gallery, or puts it back. Raises
        NoSuchObjectError where there is no such public object, HistoryClosedError."""
        async with self._database.writing() as connection:
            await connection.execute(
                update(reports)
                .where(reports.c.job == job_id, reports.c.settled_at.is_(None))
                .values(settled_at=self._clock())
            )
            if hide is not None:
                shown = and_(jobs.c.id == job_id, jobs.c.published_at.is_not(None))
                done = await connection.execute(update(jobs).where(shown).values(hidden=hide))
                if not done.rowcount:
                    raise NoSuchObjectError(job_id)

    async def remove(self, job_ids: Sequence[str]) -> None:
        """Forget jobs with all that hangs on them. Raises HistoryClosedError."""
        async with self._database.writing() as connection:
            for some in batched(job_ids, BATCH):
                await connection.execute(delete(jobs).where(jobs.c.id.in_(some)))


async def count(database: Database) -> int:
    """How many jobs are remembered. Raises HistoryClosedError."""
    async with database.reading() as connection:
        return (await connection.execute(select(func.count()).select_from(jobs))).scalar_one()


def public() -> ColumnElement[bool]:
    """What anybody sees."""
    return and_(jobs.c.published_at.is_not(None), jobs.c.hidden.is_(False))


def own(viewer: Viewer) -> ColumnElement[bool]:
    return jobs.c.owner.in_(sorted(viewer.identities)) if viewer.identities else false()


def shown_to(viewer: Viewer) -> ColumnElement[bool]:
    """`Entry.shown_to`, for the database."""
    return or_(public(), own(viewer))


async def entry_of(connection: AsyncConnection, viewer: Viewer, job_id: str) -> Entry:
    """Raises NoSuchObjectError."""
    if not ID.fullmatch(name := job_id.strip().lower()):  # also what no database takes, such as NUL
        raise NoSuchObjectError(job_id)
    query = select(jobs).where(jobs.c.id == name, shown_to(viewer))
    found = await with_files(connection, (await connection.execute(query)).mappings().all())
    if not found:
        raise NoSuchObjectError(job_id)
    return found[0]


async def entries_of(connection: AsyncConnection, viewer: Viewer, query: Select[Any]) -> tuple[Entry, ...]:
    """The entries of a query over `jobs` that a viewer may see, in its order."""
    return await with_files(connection, (await connection.execute(query.where(shown_to(viewer)))).mappings().all())


async def with_files(connection: AsyncConnection, rows: Sequence[RowMapping]) -> tuple[Entry, ...]:
    """Rows of `jobs` as entries with their files."""
    ids = list(dict.fromkeys(row["id"] for row in rows))
    if not ids:
        return ()
    query = select(files).where(files.c.job.in_(ids)).order_by(files.c.job, files.c.position)
    kept: dict[str, list[KeptFile]] = {}
    for row in (await connection.execute(query)).mappings():
        artifact = Artifact(name=row["name"], sha256=row["sha256"], size=row["size"], media_type=row["media_type"])
        kept.setdefault(row["job"], []).append(KeptFile(artifact, row["role"], row["note"]))
    return tuple(_entry(row, tuple(kept.get(row["id"], ()))) for row in rows)


NAMES = tuple(name for name in Entry.__dataclass_fields__ if name != "files")


def _entry(row: RowMapping, kept: tuple[KeptFile, ...]) -> Entry:
    return Entry(**{name: row[name] for name in NAMES}, files=kept)


def _written(when: float, job_id: str) -> str:
    """Where a page ended, for whoever asks for the next one."""
    return base64.urlsafe_b64encode(json.dumps([when, job_id]).encode()).decode().rstrip("=")


def _read(after: str | None) -> tuple[float, str] | None:
    """None for the beginning, and for what nobody was given."""
    if not after or len(after) > 200:
        return None
    try:
        when, job_id = json.loads(base64.urlsafe_b64decode(after + "=" * (-len(after) % 4)))
        return (float(when), job_id) if ID.fullmatch(job_id) else None
    except (ValueError, TypeError, OverflowError, binascii.Error):
        return None
