"""The history's tables as versions of the program come and go: several processes, old tables, newer ones."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from alembic import command
from alembic.config import Config
from databases import emptied
from sqlalchemy import URL, Connection, text

from frontdesk.history.database import MIGRATIONS, Database, named, opened
from frontdesk.queue.errors import ConfigurationError

OPENS = """
import asyncio, sys
from sqlalchemy import make_url
from frontdesk.history.database import opened

async def main():
    async with opened(make_url(sys.argv[1])):
        pass

asyncio.run(main())
"""


@asynccontextmanager
async def tables_of(url: URL, revision: str) -> AsyncIterator[Database]:
    """A database as an earlier version left it; "" for none."""

    def upgrade(connection: Connection) -> None:
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.attributes["connection"] = connection
        command.upgrade(config, revision)

    async with named(url if url.get_backend_name() == "sqlite" else await emptied(url)) as database:
        if revision:
            async with database.engine.begin() as connection:
                await connection.run_sync(upgrade)
        yield database


async def version_of(database: Database) -> list[str]:
    async with database.engine.connect() as connection:
        return list((await connection.scalars(text("SELECT version_num FROM alembic_version"))).all())


@pytest.mark.parametrize("revision", ["", "0001"], ids=["an empty database", "older tables"])
async def test_processes_that_start_together_bring_the_tables_up_to_date_once(database_url: URL, revision: str) -> None:
    """One does it, the others wait; none of them fails."""
    async with tables_of(database_url, revision) as database:
        started = [
            await asyncio.create_subprocess_exec(
                sys.executable, "-c", OPENS, database_url.render_as_string(hide_password=False),
                stderr=asyncio.subprocess.PIPE,
            )
            for _ in range(3)
        ]  # fmt: skip
        said = [(await each.communicate())[1].decode() for each in started]
        assert [each.returncode for each in started] == [0] * 3, said
        assert await version_of(database) == ["0002"]


async def test_tables_of_a_newer_version_are_left_alone(database_url: URL) -> None:
    """As after going back to an older version of the program: it says so, and starts with no traceback."""
    async with tables_of(database_url, "head") as database:
        async with database.engine.begin() as connection:
            await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        with pytest.raises(ConfigurationError, match="newer version"):
            async with opened(database_url):
                pass
        assert await version_of(database) == ["9999"]
