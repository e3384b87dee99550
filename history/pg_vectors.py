"""Vectors in PostgreSQL with pgvector: halfvec under an HNSW index (Malkov and Yashunin 2016) for what is public.

The index knows nothing of kinds and owners: it is asked again and again, nearest first, until enough rows fit
(`hnsw.iterative_scan`), or it has given up. One's own objects are few, and so are those of a kind of which it finds
less than was asked: they are compared one by one. So is a kind that has no more than FEW: to come upon them among the
others would take longer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sqlalchemy import Row, TextClause, bindparam, text
from sqlalchemy.ext.asyncio import AsyncConnection

from frontdesk.history.database import Database
from frontdesk.history.sight import Wanted
from frontdesk.history.sorts import WIDTHS, Sort
from frontdesk.history.vectors import Array, Found

GIVEN = "CAST(CAST(:vector AS text) AS halfvec)"
PUBLIC = "jobs.made AND jobs.published_at IS NOT NULL AND NOT jobs.hidden"
MANY = text("SELECT 1 FROM jobs WHERE kind = :kind AND published_at IS NOT NULL OFFSET :few LIMIT 1")
FEW = 8000
ITERATIVE = text(
    "SELECT set_config('hnsw.ef_search', :width, true), set_config('hnsw.iterative_scan', 'relaxed_order', true)"
)
OWN = "jobs.made AND jobs.owner IN :owners"

WRITE = (
    f"INSERT INTO vectors (job, sort, vector) VALUES (:job, :sort, {GIVEN})"  # noqa: S608 - constants alone
    " ON CONFLICT (job, sort) DO UPDATE SET vector = excluded.vector"
)


class PgVectors:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def vector(self, job: str, sort: Sort) -> Array | None:
        query = text("SELECT CAST(vector AS text) FROM vectors WHERE job = :job AND sort = :sort")
        async with self._database.reading() as connection:
            found = (await connection.execute(query, {"job": job, "sort": sort})).scalar()
        return None if found is None else np.array(str(found).strip("[]").split(","), np.float32)

    async def nearest(self, sort: Sort, vector: Array, wanted: Wanted, limit: int) -> list[Found]:
        values: dict[str, Any] = {"vector": _written(vector), "sort": sort, "kind": wanted.kind, "limit": limit}
        best: dict[str, float] = {}
        async with self._database.reading() as connection:
            if wanted.public:
                rows = await self._public(connection, WIDTHS[sort], values)
                best.update((row.job, float(row.likeness)) for row in rows)
            if wanted.owners:
                statement = _statement(OWN, wanted.kind).bindparams(bindparam("owners", expanding=True))
                own = await connection.execute(statement, {**values, "owners": sorted(wanted.owners)})
                best.update((row.job, float(row.likeness)) for row in own)
        return [Found(job, best[job]) for job in sorted(best, key=lambda job: (-best[job], job))[:limit]]

    async def _public(
        self, connection: AsyncConnection, width: int, values: dict[str, Any]
    ) -> Sequence[Row[tuple[Any, ...]]]:
        kind = values["kind"]
        if not kind or (await connection.execute(MANY, {"kind": kind, "few": FEW})).first():
            await connection.execute(ITERATIVE, {"width": str(min(1000, max(40, values["limit"])))})
            rows = (await connection.execute(_statement(PUBLIC, kind, width), values)).all()
            if len(rows) == values["limit"]:
                return rows
        return (await connection.execute(_statement(PUBLIC, kind), values)).all()

    async def write(self, connection: AsyncConnection, job: str, sort: Sort, vector: Array) -> None:
        await connection.execute(text(WRITE), {"job": job, "sort": sort, "vector": _written(vector)})


def _statement(seen: str, kind: str, width: int | None = None) -> TextClause:
    """Nearest first. With a width it is the index's own expression; without, no index fits, and the answer is exact."""
    column = "vectors.vector" if width is None else f"CAST(vectors.vector AS halfvec({width}))"
    sort = ":sort" if width is None else _literal(width)
    likeness, only = f"1 - ({column} <=> {GIVEN})", " AND jobs.kind = :kind" if kind else ""
    return text(
        f"SELECT vectors.job, {likeness} AS likeness FROM vectors JOIN jobs ON jobs.id = vectors.job"  # noqa: S608
        f" WHERE vectors.sort = {sort} AND {seen}{only} ORDER BY {column} <=> {GIVEN} LIMIT :limit"
    )


def _literal(width: int) -> str:
    """The sort in the words of the index's condition: a parameter would not be known to be the same."""
    return next(f"'{sort}'" for sort, numbers in WIDTHS.items() if numbers == width)


def _written(vector: Array) -> str:
    return f"[{','.join(f'{number:.6g}' for number in vector.tolist())}]"
