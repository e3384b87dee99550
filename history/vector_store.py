"""Where vectors are kept and compared: one interface, with or without pgvector."""

from __future__ import annotations

from typing import Protocol

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from frontdesk.history.database import Database
from frontdesk.history.exact_vectors import ExactVectors
from frontdesk.history.pg_vectors import PgVectors
from frontdesk.history.sight import Wanted
from frontdesk.history.sorts import Sort
from frontdesk.history.vectors import Array, Found

# The column's type says what the migration found there.
TYPE = (
    "SELECT CAST(CAST(atttypid AS regtype) AS text) FROM pg_attribute"
    " WHERE attrelid = CAST('vectors' AS regclass) AND attname = 'vector'"
)


class VectorStore(Protocol):
    """Vectors have the length 1. Both methods that read raise HistoryClosedError."""

    async def vector(self, job: str, sort: Sort) -> Array | None:
        """An object's vector, or None where it has none."""

    async def nearest(self, sort: Sort, vector: Array, wanted: Wanted, limit: int) -> list[Found]:
        """The nearest first, by cosine; what the caller may see was true a moment ago, and is to be asked again."""

    async def write(self, connection: AsyncConnection, job: str, sort: Sort, vector: Array) -> None:
        """Within the caller's transaction; in place of the last one."""


async def store_for(database: Database) -> VectorStore:
    """The store that this database's tables are made for. Raises HistoryClosedError."""
    if not database.postgres:
        return ExactVectors(database)
    async with database.reading() as connection:
        kind = (await connection.execute(text(TYPE))).scalar_one()
    return PgVectors(database) if str(kind).endswith("halfvec") else ExactVectors(database)
