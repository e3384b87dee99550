"""Frontdesk's queue: `Broker.submit`, and one `LeasedWorker` with an engine that does nothing but what the job says."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable

import wire

from frontdesk.queue import logs
from frontdesk.queue.broker import Broker, JobIdTakenError
from frontdesk.queue.connection import connected
from frontdesk.queue.jobs import Job, Outcome, Progress, ReplyAddress, Requester, new_job_id
from frontdesk.queue.report import WorkerState
from frontdesk.worker.arq_worker import LeasedWorker

KEEP = 3600.0  # seconds that an ended job is remembered


class NoEngine:
    """Runs the job on the event loop, without a runner."""

    async def run(self, job: Job, report: Callable[[Progress], None]) -> Outcome:
        await wire.run_async(job.params["number"], job.params["seconds"])
        return Outcome(status="done", result={"number": job.params["number"]})

    def cancel(self, job_id: str) -> bool:
        return False


def _describe(worker_id: str, jobs: tuple[str, ...]) -> WorkerState:
    return WorkerState(
        id=worker_id,
        lanes=(wire.NAME,),
        kinds=(wire.NAME,),
        device="cpu",
        models=(),
        memory=0,
        started_at=time.time(),
        jobs=jobs,
    )


async def _work() -> None:
    logs.configure("json", "warning")
    async with connected(f"unix://{wire.server()}") as redis:
        worker = LeasedWorker(
            redis,
            NoEngine(),
            worker_id=f"bench-{time.monotonic_ns()}",
            kinds={wire.NAME: ""},
            lanes={wire.NAME: wire.slots()},
            describe=_describe,
            keep=KEEP,
            max_wait=KEEP,
            lease=wire.LEASE,
        )
        await worker.main()


async def _produce() -> None:
    requester = Requester(platform="console", user="bench", tenant="bench")
    reply = ReplyAddress(platform="console", channel="bench", user="bench")
    updates = itertools.count()
    async with connected(f"unix://{wire.server()}") as redis:
        broker = Broker(redis, keep=KEEP)

        async def enqueue(number: int, seconds: float) -> None:
            while True:
                now = time.time()
                job = Job(
                    id=new_job_id(now),
                    kind=wire.NAME,
                    lane=wire.NAME,
                    params={"number": number, "seconds": seconds},
                    requester=requester,
                    cost=1.0,
                    submitted_at=now,
                )
                try:
                    await broker.submit(job, reply, update=f"bench-{next(updates)}", declared=1.0)
                    return
                except JobIdTakenError:  # drawn twice within a second: as the desk does, draw again
                    continue

        await wire.produce_async(enqueue)


def main(work: Callable[[], object]) -> None:
    wire.main(work, lambda: asyncio.run(_produce()))


if __name__ == "__main__":
    main(lambda: asyncio.run(_work()))
