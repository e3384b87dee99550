"""arq as it comes: 0.5 s between polls, a time limit of 30 minutes for each job."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import wire
from arq.connections import RedisSettings, create_pool
from arq.typing import WorkerCoroutine
from arq.worker import Worker, func


def _settings() -> RedisSettings:
    return RedisSettings(unix_socket_path=wire.server())


async def bench(context: dict[Any, Any], number: int, seconds: float) -> None:
    await wire.run_async(number, seconds)


def _work() -> None:
    Worker(
        functions=[func(cast(WorkerCoroutine, bench), timeout=wire.TIME_LIMIT)],
        redis_settings=_settings(),
        max_jobs=wire.slots(),
    ).run()


async def _produce() -> None:
    pool = await create_pool(_settings())

    async def enqueue(number: int, seconds: float) -> None:
        await pool.enqueue_job("bench", number, seconds)

    await wire.produce_async(enqueue)


if __name__ == "__main__":
    wire.main(_work, lambda: asyncio.run(_produce()))
