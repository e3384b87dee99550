"""The least that a queue can be: ZADD and a loop over BZPOPMIN. A job that was popped by a killed worker is gone."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import wire
from redis.asyncio import Redis


async def _work() -> None:
    async def loop() -> None:
        redis: Any = Redis(unix_socket_path=wire.server(), socket_timeout=None)
        while True:
            _, payload, _ = await redis.bzpopmin(wire.NAME)
            await wire.run_async(*json.loads(payload))

    await asyncio.gather(*(loop() for _ in range(wire.slots())))


async def _produce() -> None:
    redis: Any = Redis(unix_socket_path=wire.server(), socket_timeout=None)

    async def enqueue(number: int, seconds: float) -> None:
        await redis.zadd(wire.NAME, {json.dumps([number, seconds]): number})

    await wire.produce_async(enqueue)


if __name__ == "__main__":
    wire.main(lambda: asyncio.run(_work()), lambda: asyncio.run(_produce()))
