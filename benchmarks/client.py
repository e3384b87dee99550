"""A front end for measuring: submits through the desk as an unlimited person and waits for outcomes."""

from __future__ import annotations

import asyncio
import itertools
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from pydantic import SecretStr

from frontdesk.bots.intake import Request
from frontdesk.bots.main import Premises, premises
from frontdesk.bots.people import Person
from frontdesk.bots.waiting import Waiter, waiting
from frontdesk.queue.embedded import EmbeddedServer
from frontdesk.queue.jobs import Outcome, ReplyAddress, Requester
from frontdesk.queue.parameters import Value
from frontdesk.queue.report import queue_report
from frontdesk.queue.settings import Settings

UNLIMITED = """
[member]
daily_seconds = false
running = false
tenant_running = false
[member.kinds.default]
burst = false
per_hour = false
in_flight = false
"""


class Client:
    """Asks for jobs one by one or many at a time; outcomes come through the queue's own stream."""

    def __init__(self, front: Premises, waiter: Waiter) -> None:
        self._front = front
        self._waiter = waiter
        self._numbers = itertools.count()

    async def ask(self, kind: str, raw: Mapping[str, Value]) -> Outcome:
        person = Person(Requester(platform="console", user="bench", tenant="bench"))
        reply = ReplyAddress(platform="console", channel="bench", user="bench")
        update = f"bench-{os.getpid()}-{next(self._numbers)}"
        ticket = await self._front.desk.submit(Request(person, kind, raw, reply, update))
        return await self._waiter.outcome(ticket.job_id, lambda progress: None)


@asynccontextmanager
async def running_system(folder: Path, environment: Mapping[str, str]) -> AsyncIterator[tuple[Client, int]]:
    """Server, worker process and client; yields the client and the worker's process id once it is on duty.

    The folder keeps the converted model, so that the next start is quick.
    """
    limits = folder / "unlimited.toml"
    limits.write_text(UNLIMITED)
    with EmbeddedServer(folder) as server:
        settings = Settings(redis_url=SecretStr(server.url), data_dir=folder, limits_file=limits, reuse_hours=0)
        variables = {**os.environ, "FRONTDESK_REDIS_URL": server.url, "FRONTDESK_DATA_DIR": str(folder), **environment}
        worker = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "frontdesk.worker.main", env=variables, stderr=asyncio.subprocess.DEVNULL
        )
        try:
            async with premises(settings) as front:
                while not (await queue_report(front.redis)).workers:
                    if worker.returncode is not None:
                        raise RuntimeError("the worker did not start; run python -m frontdesk.worker.main to see why")
                    await asyncio.sleep(0.1)
                async with waiting(front) as waiter:
                    yield Client(front, waiter), worker.pid
        finally:
            if worker.returncode is None:
                worker.terminate()
                await worker.wait()
