"""How well promised waits hold under a mixed load.

    python benchmarks/waits.py [--minutes 10] [--seed 5] [--json FILE]

Three workers of different speed (1, 2 and 1/2) serve two lanes, one of them both, on the embedded server. Forty people
ask as they like: most now and then for small jobs, some for long ones, and every minute or so one of them for a flood.
What a job really takes scatters around its estimate (log-normal, sigma 0.5), and one kind takes three times what it
declares. Jobs only sleep, so that a whole day's variety fits in minutes. Counted are the jobs that were told a wait.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import random
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from machine import machine

from frontdesk.queue import logs
from frontdesk.queue.broker import Broker
from frontdesk.queue.connection import connected
from frontdesk.queue.embedded import EmbeddedServer
from frontdesk.queue.jobs import Job, Outcome, Progress, ReplyAddress, Requester, Ticket, new_job_id
from frontdesk.queue.report import WorkerState
from frontdesk.worker.arq_worker import LeasedWorker

KINDS = {"brief": ("short", 1.0), "wordy": ("short", 3.0), "build": ("long", 1.0)}  # lane, true over declared cost
WORKERS = {"plain": (1.0, {"short": 1}), "fast": (2.0, {"short": 1, "long": 1}), "slow": (0.5, {"long": 1})}
PEOPLE = 40
LOAD = 0.8  # of what the workers can do
FLOOD = 12  # jobs of one


class Sleeper:
    """An engine whose jobs take their declared cost, times their kind's truth and chance, on a device of some speed."""

    def __init__(self, speed: float, source: random.Random) -> None:
        self._true_speed = speed
        self._source = source
        self._device = asyncio.Lock()
        self.speed = 1.0
        self.started: dict[str, float] = {}

    async def run(self, job: Job, report: Callable[[Progress], None]) -> Outcome:
        self.started[job.id] = time.time()
        declared = float(job.params["seconds"])
        took = declared * KINDS[job.kind][1] * self._source.lognormvariate(0.0, 0.5) / self._true_speed
        async with self._device:
            await asyncio.sleep(took)
        self.speed += 0.1 * (min(10.0, max(0.1, job.cost / took)) - self.speed)
        return Outcome(status="done", seconds=took, gpu_seconds=took)

    def cancel(self, job_id: str) -> bool:
        return False


def worker_of(redis: Any, name: str, engine: Sleeper, slots: Mapping[str, int]) -> LeasedWorker:
    def describe(worker_id: str, jobs: tuple[str, ...]) -> WorkerState:
        return WorkerState(
            id=worker_id, lanes=tuple(slots), kinds=tuple(KINDS), device="sleep", models=(), memory=0, started_at=0,
            slots=1, speed=engine.speed, jobs=jobs,
        )  # fmt: skip

    kinds = dict.fromkeys(KINDS, "none")
    return LeasedWorker(
        redis, engine, worker_id=name, kinds=kinds, lanes=slots, describe=describe, keep=3600.0, max_wait=3600.0
    )


class Crowd:
    """People who ask. `told` has each ticket with what became of it."""

    def __init__(self, broker: Broker, source: random.Random) -> None:
        self._broker = broker
        self._source = source
        self._numbers = itertools.count()
        self.told: dict[str, Ticket] = {}
        self.asked: dict[str, float] = {}

    async def ask(self, user: str, kind: str, seconds: float) -> None:
        number = next(self._numbers)
        now = time.time()
        estimate = await self._broker.estimate(kind, seconds)
        job = Job(
            id=new_job_id(now), kind=kind, lane=KINDS[kind][0], params={"seconds": seconds, "number": number},
            requester=Requester(platform="telegram", user=user, tenant=user), cost=estimate.cost, submitted_at=now,
        )  # fmt: skip
        reply = ReplyAddress(platform="telegram", channel=user, user=user)
        self.told[job.id] = await self._broker.submit(job, reply, update=f"u{number}", declared=seconds)
        self.asked[job.id] = now

    async def live(self, seconds: float) -> None:
        """Ask at such a rate that the workers have LOAD of their time to do."""
        end = time.time() + seconds
        flood = time.time() + 30
        mean = 1.2  # true device-seconds of a job, in the mix below
        rate = LOAD * sum(speed for speed, _ in WORKERS.values()) / mean / 1.3  # the floods come on top
        while time.time() < end:
            user = f"user{int(PEOPLE * self._source.random() ** 2)}"
            if time.time() > flood:
                flood = time.time() + self._source.uniform(30, 90)
                for _ in range(FLOOD):
                    await self.ask(user, "brief", self._source.uniform(0.3, 1.0))
            kind = self._source.choices(("brief", "wordy", "build"), (6, 2, 2))[0]
            await self.ask(
                user, kind, self._source.uniform(1.0, 3.0) if kind == "build" else self._source.uniform(0.1, 1)
            )
            await asyncio.sleep(self._source.expovariate(rate))


async def measure(url: str, minutes: float, seed: int) -> dict[str, Any]:
    source = random.Random(seed)  # noqa: S311 -- a reproducible crowd
    engines = {name: Sleeper(speed, source) for name, (speed, _) in WORKERS.items()}
    async with AsyncExitStack() as stack:
        redis = await stack.enter_async_context(connected(url))
        crowd = Crowd(Broker(redis, keep=3600.0), source)
        workers = [worker_of(redis, name, engines[name], slots) for name, (_, slots) in WORKERS.items()]
        tasks = [asyncio.create_task(worker.main()) for worker in workers]
        while await redis.zcard("fd:workers") < len(workers):  # noqa: ASYNC110 -- the server makes it true
            await asyncio.sleep(0.1)
        await crowd.live(60 * minutes)
        while await redis.exists("fd:lane:short", "fd:lane:long"):  # noqa: ASYNC110 -- the server makes it true
            await asyncio.sleep(0.1)
        for worker, task in zip(workers, tasks, strict=True):
            await worker.drain(30.0)
            await task
    started = {job_id: at for engine in engines.values() for job_id, at in engine.started.items()}
    waits = [
        (started[job_id] - crowd.asked[job_id], ticket)
        for job_id, ticket in crowd.told.items()
        if ticket.wait and ticket.wait > 0
    ]
    return {
        "machine": machine(), "minutes": minutes, "seed": seed, "jobs": len(crowd.told), "told_a_wait": len(waits),
        "median_wait": sorted(wait for wait, _ in waits)[len(waits) // 2],
        "longest_wait": max(wait for wait, _ in waits),
        "p90_held": sum(wait <= (ticket.wait_high or 0) for wait, ticket in waits) / len(waits),
        "p50_held": sum(wait <= (ticket.wait or 0) for wait, ticket in waits) / len(waits),
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    logs.configure("json", "warning")
    with tempfile.TemporaryDirectory() as folder, EmbeddedServer(Path(folder)) as server:
        found = asyncio.run(measure(server.url, options.minutes, options.seed))
    if options.json:
        options.json.write_text(json.dumps(found, indent=1))
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
