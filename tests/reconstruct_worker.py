"""A worker process that reconstructs, for tests that kill it: everything is real, but it saves its state all the time.

`python reconstruct_worker.py`, settings in the environment. It prints its name once it takes jobs.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import torch
from queueing import leased_worker
from redis.asyncio import Redis
from tiny_scenes import SMALL

from frontdesk.queue import logs
from frontdesk.queue.artifacts import ArtifactStore
from frontdesk.queue.kind_reconstruct import RECONSTRUCT
from frontdesk.queue.kinds import Registry
from frontdesk.queue.settings import load_settings
from frontdesk.worker import duty
from frontdesk.worker.arq_worker import LeasedWorker
from frontdesk.worker.engine import Engine
from frontdesk.worker.lifeline import Lifeline
from frontdesk.worker.models import ModelStore
from frontdesk.worker.reconstruct_runner import ReconstructRunner
from frontdesk.worker.run_files import Workroom
from frontdesk.worker.runner import Bench


async def serve() -> None:
    settings = load_settings()
    assert settings.redis
    bench = Bench(ModelStore(settings), settings.data_dir)
    runner = ReconstructRunner(bench, save_every=0.1, look_every=1e9, flight=SMALL)
    engine = Engine(
        Registry([RECONSTRUCT]),
        {"reconstruct": runner},
        store=ArtifactStore.of(settings),
        room=Workroom(settings.data_dir / "runs"),
    )

    @asynccontextmanager
    async def employed(redis: Redis, worker_id: str) -> AsyncIterator[LeasedWorker]:
        kinds = {"reconstruct": engine.model_of("reconstruct")}
        sys.stdout.write(f"{worker_id}\n")
        sys.stdout.flush()
        yield leased_worker(redis, engine, worker_id=worker_id, lanes={"long": 1}, kinds=kinds)

    await duty.serve(engine, settings.redis, employed, Lifeline.inherited(supervised=False), grace=0.0)


if __name__ == "__main__":
    torch.set_num_threads(1)
    logs.configure("json", "info")
    asyncio.run(serve())
