"""The migrations lead to the tables that the program works with."""

from __future__ import annotations

from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection

from frontdesk.history.database import Database
from frontdesk.history.schema import metadata

SEARCH = {"words", "vectors"}  # made in SQL of their own: the index of words with its parts, and PostgreSQL's vectors


@pytest.mark.filterwarnings("ignore:Did not recognize type 'halfvec'")
async def test_migrated_tables_are_those_of_the_schema(database: Database) -> None:
    """A column that is in one of the two alone would be missed at the first query, on somebody else's machine."""

    def differences(connection: Connection) -> list[Any]:
        found: list[Any] = compare_metadata(MigrationContext.configure(connection), metadata)
        return found

    async with database.reading() as connection:
        found = await connection.run_sync(differences)
    assert [each for each in found if not named(each) & SEARCH] == []


def named(difference: Any) -> set[str]:
    """The words in the names of the tables and indexes that a difference is about."""
    parts = difference if isinstance(difference, tuple) else difference[0]
    tables = {str(getattr(part, "name", part)) for part in parts}
    tables |= {part.table.name for part in parts if getattr(part, "table", None) is not None}
    return {word for name in tables for word in name.split("_")}
