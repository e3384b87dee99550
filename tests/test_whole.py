"""The whole way on real parts: command line, queue, a worker process with the real model, and real faults."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from processes import House
from queueing import until
from redis.asyncio import Redis

from frontdesk.queue import keys
from frontdesk.queue.broker import Broker
from frontdesk.queue.embedded import EmbeddedServer
from frontdesk.queue.jobs import JobRecord
from frontdesk.queue.report import WorkerReport, queue_report

pytestmark = [pytest.mark.model, pytest.mark.timeout(300)]

PRIVATE_WORDS = "zirkonblaue Wellblechforelle"
PASSAGE = f"The {PRIVATE_WORDS} swam past the pier while the old men argued about the tide and the price of rope. " * 3


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[EmbeddedServer]:
    """A server of the test's own, which it may kill."""
    with EmbeddedServer(tmp_path / "redis") as server:
        yield server


@pytest.fixture
def house(model_folder: Path, server: EmbeddedServer) -> House:
    return House(model_folder, server.url, {"FRONTDESK_LANES": "short"})


async def _workers(redis: Redis) -> tuple[WorkerReport, ...]:
    return tuple(worker for worker in (await queue_report(redis)).workers if worker.alive)


@asynccontextmanager
async def on_duty(house: House, redis: Redis) -> AsyncIterator[asyncio.subprocess.Process]:
    """A worker process that has loaded its model and takes jobs."""
    before = {worker.state.id for worker in await _workers(redis)}
    async with house.service("worker") as process:

        async def ready() -> bool:
            assert process.returncode is None, house.logged
            return bool({worker.state.id for worker in await _workers(redis)} - before)

        await until(ready, within=120)
        yield process


@pytest.fixture
async def queue(server: EmbeddedServer) -> AsyncIterator[Redis]:
    async with Redis.from_url(server.url) as client:
        yield client


async def _only_job(queue: Redis, state: str) -> JobRecord | None:
    ids = [key.decode().removeprefix(keys.JOB) async for key in queue.scan_iter(keys.JOB + "*")]
    records = [await Broker(queue, keep=60).job(job_id) for job_id in ids]
    return next((record for record in records if record and record.state == state), None)


async def test_a_text_is_scored_and_a_prompt_answered(house: House, queue: Redis) -> None:
    """From the command line to the model and back; the same seed writes the same text; no log line tells what."""
    async with on_duty(house, queue):
        scored, first, second = [
            await house.run("ask", *arguments, "--json", within=120)
            for arguments in (
                ("score", PASSAGE),
                ("write", "max_tokens=16", "seed=5", PRIVATE_WORDS),
                ("write", "max_tokens=16", "seed=5", PRIVATE_WORDS),
            )
        ]
        status = await house.run("status", "--json")
    assert [scored.status, first.status, second.status, status.status] == [0, 0, 0, 0], house.logged
    result = json.loads(scored.out)["result"]
    assert result["verdict"] in {"human", "machine", "unclear"}
    assert result["tokens"] == result["tokens_in_text"] > 50
    assert result["perplexity"] > 1
    assert json.loads(first.out)["result"]["text"] == json.loads(second.out)["result"]["text"]
    assert PRIVATE_WORDS not in house.logged
    assert PRIVATE_WORDS.split()[1] not in house.logged
    ended = [json.loads(line) for line in house.logged.splitlines() if '"ended"' in line]
    assert {"job", "kind", "requester", "seconds", "status"} <= ended[0].keys()


async def test_a_worker_killed_in_the_middle_loses_nothing(house: House, queue: Redis) -> None:
    """kill -9 while it writes: its successor writes it, once, and the requester who waited gets the answer."""
    async with on_duty(house, queue):
        asking = asyncio.create_task(house.run("ask", "write", "max_tokens=200", "A long story", "--json", within=200))
        await until(lambda: _only_job(queue, "running"), within=60)
        (worker,) = await _workers(queue)
        os.kill(int(worker.state.id.split("-")[-2]), signal.SIGKILL)  # HOST-PROCESS-RANDOM
        ran = await asking
    assert ran.status == 0, ran.err
    assert json.loads(ran.out)["status"] == "done"
    killed = await _only_job(queue, "done")
    assert killed is not None
    assert killed.kills == 1
    assert await queue.xlen(keys.outcomes("console")) == 1


async def test_a_killed_redis_comes_back_and_the_answer_with_it(
    house: House, queue: Redis, server: EmbeddedServer
) -> None:
    """kill -9 of the server while a job runs: worker and asker wait for it, and the outcome arrives."""
    async with on_duty(house, queue):
        asking = asyncio.create_task(house.run("ask", "write", "max_tokens=100", "A story", "--json", within=200))
        await until(lambda: _only_job(queue, "running"), within=60)
        await queue.waitaof(1, 0, 5000)
        assert server.pid
        os.kill(server.pid, signal.SIGKILL)
        ran = await asking
    assert ran.status == 0, ran.err
    assert json.loads(ran.out)["status"] == "done"


async def test_a_stopped_worker_hands_its_job_back(house: House, queue: Redis) -> None:
    """SIGTERM in the middle of a long job: after its grace it goes back, and the next worker finishes it."""
    house.environment["FRONTDESK_STOP_GRACE"] = "0"
    async with on_duty(house, queue) as worker:
        asking = asyncio.create_task(house.run("ask", "write", "max_tokens=64", "A story", "--json", within=200))
        await until(lambda: _only_job(queue, "running"), within=60)
        worker.send_signal(signal.SIGTERM)
        assert await worker.wait() == 0, house.logged
    assert await _only_job(queue, "waiting")
    async with on_duty(house, queue):
        ran = await asking
    assert json.loads(ran.out)["status"] == "done"


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"FRONTDESK_MODEL": "/nowhere/model"}, "/nowhere/model"),
        ({"FRONTDESK_LANES": "moon"}, "FRONTDESK_LANES"),
        ({"FRONTDESK_DEVICE": "cuda:7"}, "FRONTDESK_DEVICE"),
        ({"FRONTDESK_DISCORD_TOKEN": "a\nb"}, "FRONTDESK_DISCORD_TOKEN"),
    ],
)
async def test_a_wrong_setting_stops_the_worker_with_one_line(
    tmp_path: Path, redis_server: EmbeddedServer, settings: dict[str, str], says: str
) -> None:
    """Whoever starts it reads what to change, and no traceback."""
    ran = await House(tmp_path, redis_server.url, settings).run("worker")
    assert ran.status == 2
    [line] = [line for line in ran.err.splitlines() if not line.startswith("{")]
    assert says in line
    assert not re.search("Traceback|a\nb", ran.err)
