"""saq with what it offers for long jobs: a heartbeat that the job itself gives, and a sweep that misses it."""

from __future__ import annotations

import asyncio
from typing import Any

import wire
from saq import Worker
from saq.queue.redis import RedisQueue

SWEEP = 5  # seconds between looks for dead jobs (saq's default: 60)
SHORT = 1.0  # seconds: what is shorter needs no heartbeat


async def bench(context: dict[str, Any], *, number: int, seconds: float) -> None:
    if seconds <= SHORT:
        await wire.run_async(number, seconds)
        return
    beating = asyncio.create_task(_beat(context["job"]))
    await wire.run_async(number, seconds)
    beating.cancel()


async def _beat(job: Any) -> None:
    while True:
        await asyncio.sleep(wire.LEASE / 3)
        await job.update()


def _queue() -> Any:
    return RedisQueue.from_url(f"unix://{wire.server()}")


async def _work() -> None:
    queue = _queue()
    await queue.connect()
    await Worker(queue, functions=[bench], concurrency=wire.slots(), timers={"sweep": SWEEP}).start()


async def _produce() -> None:
    queue = _queue()
    await queue.connect()

    async def enqueue(number: int, seconds: float) -> None:
        await queue.enqueue(
            "bench", number=number, seconds=seconds, timeout=wire.TIME_LIMIT, heartbeat=wire.LEASE, retries=3
        )

    await wire.produce_async(enqueue)


if __name__ == "__main__":
    wire.main(lambda: asyncio.run(_work()), lambda: asyncio.run(_produce()))
