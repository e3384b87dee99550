"""A worker process without models, for tests of its supervisor: everything but the engine is real.

Started like the real one (`python supervised.py --supervised`, settings in the environment). What a job does is its
text: see `Scripted`. Every start of a job is written to the list RUNS, as "JOB PID".
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from queueing import echoed, leased_worker
from redis.asyncio import Redis

from frontdesk.queue import logs
from frontdesk.queue.connection import answer
from frontdesk.queue.errors import ConfigurationError
from frontdesk.queue.jobs import Job, Outcome, Progress
from frontdesk.queue.settings import load_settings
from frontdesk.worker import duty
from frontdesk.worker.arq_worker import LeasedWorker
from frontdesk.worker.lifeline import CONFIGURATION_STATUS, Lifeline

RUNS = "test:runs"
LIVES = "test:lives"  # list: the processes that were started
FAULTS = "test:faults"  # list: what the next processes do instead of working: "configuration", "leave" or "hang"
LEAVE = 1.0  # seconds, instead of the real ones, in which an abandoned process must end


class Scripted:
    """hold: runs until told to go on, with `go_on`. die: kills its process. block: holds up the event loop. stick:
    pretends that a call holds the device for ever. Anything else is echoed at once."""

    def __init__(self, redis: Redis) -> None:
        self.models: list[str] = []
        self.held_for = 0.0
        self.stuck = False
        self._redis = redis
        self._jobs: list[str] = []

    @property
    def jobs(self) -> tuple[str, ...]:
        return tuple(self._jobs)

    async def load(self) -> None:
        await answer(self._redis.rpush(LIVES, os.getpid()))
        match await answer(self._redis.lpop(FAULTS)):
            case b"leave":
                sys.exit(0)
            case b"configuration":
                raise ConfigurationError("FRONTDESK_MODEL is not there.")
            case b"hang":
                time.sleep(600)  # noqa: ASYNC251 - that is the fault

    async def close(self) -> None:
        return

    async def run(self, made: Job, report: Callable[[Progress], None]) -> Outcome:
        self._jobs.append(made.id)
        await answer(self._redis.rpush(RUNS, f"{made.id} {os.getpid()}"))
        text = str(made.params["text"])
        try:
            match text:
                case "hold":
                    await answer(self._redis.blpop([go_on(made.id)], 60))
                case "die":
                    os.kill(os.getpid(), signal.SIGKILL)
                case "block":
                    time.sleep(600)  # noqa: ASYNC251 - that is the fault
                case "stick":
                    self.stuck, self.held_for = True, 301.0
                    await asyncio.sleep(600)
        finally:
            self._jobs.remove(made.id)
        return echoed(text)

    def cancel(self, job_id: str) -> bool:
        return False


def go_on(job_id: str) -> str:
    """The list whose first entry lets a job that holds go on."""
    return f"test:go:{job_id}"


async def serve(lifeline: Lifeline) -> None:
    settings = load_settings()
    assert settings.redis
    async with Redis.from_url(settings.redis) as own:
        engine = Scripted(own)

        @asynccontextmanager
        async def employed(redis: Redis, worker_id: str) -> AsyncIterator[LeasedWorker]:
            yield leased_worker(redis, engine, worker_id=worker_id, lanes={"short": 1})

        await duty.serve(engine, settings.redis, employed, lifeline, grace=settings.stop_grace)


def main() -> int:
    lifeline = Lifeline.inherited(supervised=True)
    logs.configure("json", "info")
    duty.LEAVE = LEAVE  # type: ignore[attr-defined]  # looked up where it is used
    try:
        asyncio.run(serve(lifeline))
    except ConfigurationError as error:
        lifeline.fail(error)
        return CONFIGURATION_STATUS
    return 0


if __name__ == "__main__":
    sys.exit(main())
