"""Rows of the tables as entries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import ColumnElement, Row, select
from sqlalchemy.ext.asyncio import AsyncConnection

from frontdesk.history.entries import Entry, KeptFile
from frontdesk.history.schema import files, jobs
from frontdesk.queue.jobs import Artifact


async def entries_by_id(
    connection: AsyncConnection, ids: Sequence[str], condition: ColumnElement[bool]
) -> dict[str, Entry]:
    """Those of the ids that fit the condition, with their files."""
    if not ids:
        return {}
    rows = (await connection.execute(select(jobs).where(jobs.c.id.in_(ids), condition))).all()
    kept = select(files).where(files.c.job.in_([row.id for row in rows])).order_by(files.c.job, files.c.position)
    of_job: dict[str, list[KeptFile]] = defaultdict(list)
    for file in await connection.execute(kept):
        artifact = Artifact(name=file.name, sha256=file.sha256, size=file.size, media_type=file.media_type)
        of_job[file.job].append(KeptFile(artifact, file.role, file.note))
    return {row.id: _entry(row, of_job[row.id]) for row in rows}


def _entry(row: Row[tuple[object, ...]], kept: Sequence[KeptFile]) -> Entry:
    values = {name: value for name, value in row._mapping.items() if name != "indexed"}
    return Entry(**values, files=tuple(kept))
