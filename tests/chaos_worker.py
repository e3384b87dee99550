"""`frontdesk worker` for a run of chaos: everything is real but the model.

`python chaos_worker.py` is the supervisor, with two children; `python chaos_worker.py --supervised` is a child. What a
job does stands in its prompt: a number, the seconds that it takes, and whether it works or fails. Every run of a job
writes another text, so that a second outcome of one job would be seen.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from queueing import leased_worker
from redis.asyncio import Redis

from frontdesk.queue import logs
from frontdesk.queue.jobs import Job, Outcome, Progress
from frontdesk.queue.report import WorkerState
from frontdesk.queue.settings import load_settings
from frontdesk.worker import duty
from frontdesk.worker import main as parent
from frontdesk.worker.arq_worker import LeasedWorker
from frontdesk.worker.lifeline import SUPERVISED, Lifeline

POSTS = 2
SLOTS = 4
LEAVE = 2.0  # seconds, instead of the real ones, in which an abandoned process must end


class Light:
    """An engine without a model, which takes its time and reports on the way."""

    def __init__(self) -> None:
        self.models = ["light (none)"]
        self.held_for = 0.0
        self.stuck = False
        self._jobs: dict[str, asyncio.Event] = {}

    @property
    def jobs(self) -> tuple[str, ...]:
        return tuple(self._jobs)

    async def load(self) -> None:
        return

    async def close(self) -> None:
        return

    async def run(self, made: Job, report: Callable[[Progress], None]) -> Outcome:
        _, seconds, end = str(made.params["prompt"]).split()
        cancelled = self._jobs[made.id] = asyncio.Event()
        report(Progress(job_id=made.id, fraction=0.0))
        began = time.monotonic()
        try:
            async with asyncio.timeout(float(seconds)):
                await cancelled.wait()
            return Outcome(status="cancelled")
        except TimeoutError:
            took = time.monotonic() - began
        finally:
            del self._jobs[made.id]
        if end == "fails":
            return Outcome(status="failed", reason="It was asked to fail.", seconds=took, gpu_seconds=took)
        result = {
            "text": f"answer{secrets.token_hex(6)}",
            "tokens": 1,
            "stopped": "end",
            "seed": 1,
            "model": "light",
            "precision": "none",
        }
        return Outcome(status="done", result=result, seconds=took, gpu_seconds=took)

    def cancel(self, job_id: str) -> bool:
        if running := self._jobs.get(job_id):
            running.set()
        return running is not None


def describe(name: str, jobs: tuple[str, ...]) -> WorkerState:
    return WorkerState(
        id=name,
        lanes=("short",),
        kinds=("write",),
        device="cpu",
        models=("light (none)",),
        memory=1,
        started_at=time.time(),
        slots=SLOTS,
        jobs=jobs,
    )


async def serve(lifeline: Lifeline) -> None:
    settings, engine = load_settings(), Light()
    assert settings.redis

    @asynccontextmanager
    async def employed(redis: Redis, worker_id: str) -> AsyncIterator[LeasedWorker]:
        lanes, kinds = {"short": SLOTS}, {"write": "light (none)"}
        yield leased_worker(redis, engine, worker_id=worker_id, lanes=lanes, kinds=kinds, describe=describe)

    await duty.serve(engine, settings.redis, employed, lifeline, grace=settings.stop_grace)


async def gpus() -> int:
    return POSTS


def main() -> int:
    if SUPERVISED not in sys.argv:
        os.environ["FRONTDESK_LANES"] = "short"  # the only one that such children serve
        vars(parent).update(CHILD=(sys.executable, str(Path(__file__)), SUPERVISED), gpus=gpus)
        return parent.main()
    lifeline = Lifeline.inherited(supervised=True)
    logs.configure("json", "info")
    duty.LEAVE = LEAVE  # type: ignore[attr-defined]  # looked up where it is used
    asyncio.run(serve(lifeline))
    return 0


if __name__ == "__main__":
    sys.exit(main())
