"""A look through all that is stored, for what should not be there."""

from __future__ import annotations

from pathlib import Path

from redis.asyncio import Redis
from sqlalchemy import inspect, text

from frontdesk.history.database import Database
from frontdesk.queue.connection import answer


async def all_of_redis(redis: Redis) -> dict[str, str]:
    """Every key with all that it holds."""
    held = dict[str, str]()
    value: object
    async for name in redis.scan_iter("*"):
        sort = (await redis.type(name)).decode()
        match sort:
            case "string":
                value = await redis.get(name)
            case "hash":
                value = await answer(redis.hgetall(name))
            case "list":
                value = await answer(redis.lrange(name, 0, -1))
            case "set":
                value = await answer(redis.smembers(name))
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
