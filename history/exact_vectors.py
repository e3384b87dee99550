"""Vectors in the memory of each process that searches, for SQLite, and for PostgreSQL without pgvector.

A sort is loaded at its first search. Before each search the process asks the log of changes, which triggers fill, for
what came after what it knows: whatever another process wrote, removed, published or hid is known by then.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import numpy as np
from sqlalchemy import Row, delete, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from frontdesk.history.database import Database
from frontdesk.history.one_core import compute_on_one_core
from frontdesk.history.schema import changes, jobs, vectors
from frontdesk.history.sight import Wanted
from frontdesk.history.sorts import WIDTHS, Sort
from frontdesk.history.vectors import Array, Found, Held, Vectors

ROWS = 2000  # read at a time

SEEN = (jobs.c.published_at.is_not(None) & jobs.c.hidden.is_(False)).label("public")


@dataclass
class _Sort:
    """One sort in memory, as of a change; `lock`: one refresh or search at a time."""

    table: Vectors
    seq: int
    lock: asyncio.Lock


class ExactVectors:
    def __init__(self, database: Database) -> None:
        compute_on_one_core()
        self._database = database
        self._sorts: dict[Sort, _Sort] = {}

    async def vector(self, job: str, sort: Sort) -> Array | None:
        async with self._database.reading() as connection:
            query = select(vectors.c.vector).where(vectors.c.job == job, vectors.c.sort == sort)
            found = (await connection.execute(query)).scalar()
        return None if found is None else np.frombuffer(found, "<f2").astype(np.float32)

    async def nearest(self, sort: Sort, vector: Array, wanted: Wanted, limit: int) -> list[Found]:
        held = self._sorts.setdefault(sort, _Sort(Vectors(WIDTHS[sort]), -1, asyncio.Lock()))
        async with held.lock:
            await self._refresh(held, sort)
            return await asyncio.to_thread(
                held.table.nearest,
                vector,
                kind=wanted.kind,
                owners=wanted.owners,
                public=wanted.public,
                limit=limit,
            )

    async def write(self, connection: AsyncConnection, job: str, sort: Sort, vector: Array) -> None:
        await connection.execute(delete(vectors).where(vectors.c.job == job, vectors.c.sort == sort))
        await connection.execute(vectors.insert().values(job=job, sort=sort, vector=vector.astype("<f2").tobytes()))

    async def _refresh(self, held: _Sort, sort: Sort) -> None:
        async with self._database.reading() as connection:
            newest = (await connection.execute(select(func.coalesce(func.max(changes.c.seq), 0)))).scalar_one()
            if not 0 <= held.seq <= newest:  # the first time, or another database lies there now
                held.table = await _loaded(connection, sort)
                held.seq = newest
            while held.seq < newest:
                held.seq = await _changed(connection, held.table, sort, held.seq)


async def _loaded(connection: AsyncConnection, sort: Sort) -> Vectors:
    count = (await connection.execute(select(func.count()).where(vectors.c.sort == sort))).scalar_one()
    table, last = Vectors(WIDTHS[sort], count + count // 8), ""
    query = (
        select(jobs.c.id, vectors.c.vector, jobs.c.kind, jobs.c.owner, SEEN)
        .join_from(vectors, jobs)
        .where(vectors.c.sort == sort)
        .order_by(vectors.c.job)
        .limit(ROWS)
    )
    while rows := (await connection.execute(query.where(vectors.c.job > last))).all():
        for row in rows:
            table.put(_held(row))
        last = rows[-1].id
    return table


async def _changed(connection: AsyncConnection, table: Vectors, sort: Sort, seq: int) -> int:
    """Take in some of what came after `seq`; the number of the last of them."""
    query = (
        select(changes.c.seq, changes.c.job, jobs.c.id, vectors.c.vector, jobs.c.kind, jobs.c.owner, SEEN)
        .outerjoin_from(changes, jobs, changes.c.job == jobs.c.id)
        .outerjoin(vectors, (vectors.c.job == jobs.c.id) & (vectors.c.sort == sort))
        .where(changes.c.seq > seq)
        .order_by(changes.c.seq)
        .limit(ROWS)
    )
    rows = (await connection.execute(query)).all()
    for row in rows:
        if row.vector is None:
            table.drop(row.job)
        else:
            table.put(_held(row))
    return rows[-1].seq if rows else seq


def _held(row: Row[tuple[object, ...]]) -> Held:
    return Held(row.id, row.vector, row.kind, row.owner, bool(row.public))
