"""taskiq on Redis streams, acknowledged after the run.

What a dead worker held is claimed by another after `idle_timeout`. Nothing renews a message, so that has to be longer
than the longest job, or a job that still runs is run a second time.
"""

from __future__ import annotations

import asyncio
from typing import Any

import wire
from taskiq_redis import RedisStreamBroker


def broker() -> Any:
    """The factory that taskiq's command line calls."""
    made = RedisStreamBroker(
        f"unix://{wire.server()}", queue_name=wire.NAME, idle_timeout=(wire.TIME_LIMIT + 10) * 1000
    )
    made.register_task(wire.run_async, task_name="bench")
    return made


async def _produce() -> None:
    made = broker()
    await made.startup()
    task = made.find_task("bench")

    async def enqueue(number: int, seconds: float) -> None:
        await task.kiq(number, seconds)

    await wire.produce_async(enqueue)


def _work() -> None:
    wire.become(
        "taskiq", "worker", "--workers", "1", "--max-async-tasks", str(wire.slots()), "--log-level", "WARNING",
        "on_taskiq:broker",
    )  # fmt: skip


if __name__ == "__main__":
    wire.main(_work, lambda: asyncio.run(_produce()))
