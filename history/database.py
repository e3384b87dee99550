"""One way to open the database, for every process: SQLite in the data folder, or PostgreSQL by its address."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import structlog
from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import URL, Connection, event, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from frontdesk.queue.errors import ConfigurationError, HistoryClosedError
from frontdesk.queue.settings import Settings

log = structlog.get_logger()

FILE = "history.db"
MIGRATIONS = Path(__file__).parent / "migrations"
PATIENCE = 10.0  # seconds that a statement waits for SQLite's one writer, or for a connection
# Readers beside a writer; what was committed is on the disk, since Redis forgets it then; 64 MB of pages in memory.
PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "cache_size=-65536", "temp_store=MEMORY")
MIGRATING = 7_261_430_118  # any number: PostgreSQL's lock under which one process migrates and the others wait
AWAY = (DBAPIError, PoolTimeoutError, OSError)
"""What a caller sees where the database is away or refuses."""


class DatabaseAwayError(ConfigurationError):
    """A server cannot be reached, or does not let us in."""


class Database:
    """An engine, and tables that are brought to what this version needs before they are first used.

    So a front end starts while its database is away, and finds it later.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine
        self._prepared = False
        self._preparing = asyncio.Lock()

    @property
    def postgres(self) -> bool:
        return self.engine.dialect.name == "postgresql"

    async def prepare(self) -> None:
        """Raises ConfigurationError, DatabaseAwayError."""
        async with self._preparing:
            if not self._prepared:
                await _migrate(self.engine)
                self._prepared = True

    def reading(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """A connection for reading. Raises HistoryClosedError."""
        return self._connected(self.engine.connect)

    def writing(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """A transaction, written when the block ends without an error. Raises HistoryClosedError."""
        return self._connected(self.engine.begin)

    @asynccontextmanager
    async def _connected(
        self, connect: Callable[[], AbstractAsyncContextManager[AsyncConnection]]
    ) -> AsyncIterator[AsyncConnection]:
        await self._ready()
        try:
            async with connect() as connection:
                yield connection
        except AWAY as error:
            raise _closed(error) from None

    async def _ready(self) -> None:
        if self._prepared:
            return
        try:
            await self.prepare()
        except ConfigurationError as error:
            log.warning("the history cannot be opened", reason=str(error))
            raise HistoryClosedError from None


def _closed(error: BaseException) -> HistoryClosedError:
    # The library's own words hold the statement's parameters, and with them what a user wrote.
    log.warning("the history cannot be reached", error=type(getattr(error, "orig", None) or error).__name__)
    return HistoryClosedError()


def address_of(settings: Settings) -> URL:
    """The database that the settings name, with the driver for asyncio. Raises ConfigurationError."""
    if settings.database_url is None:
        return URL.create("sqlite+aiosqlite", database=str(settings.data_dir / FILE))
    try:
        url = make_url(settings.database_url.get_secret_value())
    except ArgumentError:
        raise ConfigurationError("FRONTDESK_DATABASE_URL is no address such as postgresql://name@host/db.") from None
    if url.get_backend_name() in ("postgresql", "postgres"):
        return url.set(drivername="postgresql+asyncpg")
    if url.get_backend_name() == "sqlite":
        return url.set(drivername="sqlite+aiosqlite")
    raise ConfigurationError("FRONTDESK_DATABASE_URL must begin with postgresql:// or sqlite:///.")


@asynccontextmanager
async def named(url: URL, *, connections: int = 8) -> AsyncIterator[Database]:
    """The database of that address, which nobody has asked anything yet. Raises ConfigurationError where its library is
    missing."""
    engine = _engine(url, connections)
    try:
        yield Database(engine)
    finally:
        await engine.dispose()


@asynccontextmanager
async def opened(url: URL) -> AsyncIterator[Database]:
    """The same, ready for use. Raises ConfigurationError; DatabaseAwayError where it cannot be reached."""
    async with named(url) as database:
        await database.prepare()
        yield database


@asynccontextmanager
async def reached(url: URL) -> AsyncIterator[Database]:
    """As `opened`, where a server that does not answer yet is waited for. Raises ConfigurationError for a file that
    cannot be used."""
    pause = 0.5
    async with named(url) as database:
        while True:
            try:
                await database.prepare()
                break
            except DatabaseAwayError as error:
                log.warning("waiting for the database", reason=str(error), again_in=pause)
                await asyncio.sleep(pause)
                pause = min(10.0, 2 * pause)
        yield database


def _engine(url: URL, connections: int) -> AsyncEngine:
    if url.get_backend_name() == "sqlite":
        if url.database:
            Path(url.database).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        engine = create_async_engine(url, connect_args={"timeout": PATIENCE}, pool_size=connections)
        event.listen(engine.sync_engine, "connect", _prepare_sqlite)
        event.listen(engine.sync_engine, "begin", _begin_sqlite)
        return engine
    options: dict[str, Any] = {"server_settings": {"application_name": "frontdesk"}, "timeout": PATIENCE}
    try:
        return create_async_engine(
            _without_host(url, options),
            connect_args=options,
            pool_size=connections,
            max_overflow=0,
            pool_timeout=PATIENCE,
            pool_pre_ping=True,
        )
    except (ImportError, NoSuchModuleError):
        raise ConfigurationError("asyncpg is not installed. Run: pip install 'frontdesk[postgres]'") from None


def _without_host(url: URL, options: dict[str, Any]) -> URL:
    """A folder with the server's socket, which libpq takes as `?host=/folder`, is an argument for asyncpg."""
    if isinstance(folder := url.query.get("host"), str):
        options["host"] = folder
        return url.difference_update_query(["host"])
    return url


def _prepare_sqlite(connection: Any, _: object) -> None:
    """Each connection anew: SQLite keeps none of these but the first."""
    connection.isolation_level = None  # SQLAlchemy's own BEGIN below, and none of the driver's
    cursor = connection.cursor()
    for pragma in PRAGMAS:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN")


async def _migrate(engine: AsyncEngine) -> None:
    """Bring the tables up to date; several processes that start together do it one after the other."""

    def upgrade(connection: Connection) -> None:
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")

    for attempt in range(5):
        try:
            async with engine.connect() as connection:
                if engine.dialect.name == "sqlite":
                    await connection.exec_driver_sql("ROLLBACK")
                    await connection.exec_driver_sql("BEGIN IMMEDIATE")  # the one writer
                else:
                    await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATING})
                await connection.run_sync(upgrade)
                await connection.commit()
            return
        except CommandError:  # a revision that this version does not have
            raise ConfigurationError(
                "The history's database was brought up to date by a newer version of Frontdesk. Run that one."
            ) from None
        except AWAY as error:
            if attempt == 4 or "locked" not in str(getattr(error, "orig", error)):
                raise _unusable(engine, error) from None
            await asyncio.sleep(0.5)


def _unusable(engine: AsyncEngine, error: BaseException) -> ConfigurationError:
    said = f"The history's database cannot be used ({type(getattr(error, 'orig', None) or error).__name__})."
    if engine.dialect.name == "sqlite":
        return ConfigurationError(f"{said} Can {engine.url.database} be written, and is it a file of Frontdesk's?")
    return DatabaseAwayError(f"{said} Is the server running, and FRONTDESK_DATABASE_URL right?")
