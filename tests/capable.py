"""A worker process with the real engine and plain runners, for tests of what a process alone can show.

Started like the real one (`python capable.py --supervised`, settings in the environment). `checks` asks twenty times a
second whether to go on, as a run should; `deaf` never asks, whatever it is told.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

from queueing import EchoParams, EchoResult, leased_worker
from redis.asyncio import Redis

from frontdesk.queue import logs
from frontdesk.queue.connection import answer
from frontdesk.queue.kinds import JobKind, Registry
from frontdesk.queue.settings import load_settings
from frontdesk.worker import driving, duty
from frontdesk.worker.arq_worker import LeasedWorker
from frontdesk.worker.engine import Engine
from frontdesk.worker.lifeline import Lifeline
from frontdesk.worker.runner import Bench, RunContext, Runner

RUNS = "test:runs"  # list: every job's start, as "TEXT PID"
STUCK_AFTER = 0.5  # seconds, in place of the ten that a run gets to leave the device


class Checking(Runner[EchoParams, EchoResult]):
    def __init__(self, url: str) -> None:
        super().__init__(cast(Bench, None))
        self._url = url

    def run(self, params: EchoParams, context: RunContext) -> EchoResult:
        asyncio.run(self._note(params.text))
        if params.text == "deaf":
            time.sleep(600)
        while params.text == "checks":
            context.check()
            time.sleep(0.05)
        return EchoResult(said=params.text)

    async def _note(self, text: str) -> None:
        async with Redis.from_url(self._url) as redis:
            await answer(redis.rpush(RUNS, f"{text} {os.getpid()}"))


async def serve(lifeline: Lifeline) -> None:
    settings = load_settings()
    assert settings.redis
    kind = JobKind("echo", "Says it back", EchoParams, EchoResult, cost=lambda params: 1.0, time_limit=3600.0)
    engine = Engine(Registry([kind]), {"echo": Checking(settings.redis)})

    @asynccontextmanager
    async def employed(redis: Redis, worker_id: str) -> AsyncIterator[LeasedWorker]:
        yield leased_worker(redis, engine, worker_id=worker_id, lanes={"short": 1})

    await duty.serve(engine, settings.redis, employed, lifeline, grace=settings.stop_grace)


def main() -> None:
    logs.configure("json", "info")
    driving.LEAVE = driving.PATIENCE = STUCK_AFTER  # looked up where they are used
    vars(sys.modules["frontdesk.worker.engine"])["PATIENCE"] = STUCK_AFTER
    asyncio.run(serve(Lifeline.inherited(supervised=True)))
    os._exit(0)  # the device's thread may hold a deaf run


if __name__ == "__main__":
    main()
