"""Recorder, web page and database are killed at random while programs ask: nothing is lost, and nothing is doubled."""

from __future__ import annotations

import asyncio
import os
import random
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from databases import Postgres, opened_empty, postgres_server
from queueing import leased_worker, until, working
from redis.asyncio import Redis
from sqlalchemy import select
from test_web_process import free_port

from frontdesk.bots.remote import Client
from frontdesk.history.api_keys import ApiKeys
from frontdesk.history.database import Database
from frontdesk.history.schema import jobs
from frontdesk.queue.embedded import EmbeddedServer
from frontdesk.queue.jobs import Job, Outcome, Progress
from frontdesk.queue.record import RecordStream

SEED = 11
ASKED = 60
KILLS = 8
OWNER = "console:root"


class Writer:
    """Writes at once what a job asks for."""

    async def run(self, made: Job, report: Callable[[Progress], None]) -> Outcome:
        fields = {"text": str(made.params["prompt"]), "tokens": 1, "stopped": "end", "seed": 1}
        written = fields | {"model": "none", "precision": "none"}
        return Outcome(status="done", result=written, seconds=0.01, gpu_seconds=0.01, model="none", device="CPU")

    def cancel(self, job_id: str) -> bool:
        return False


@asynccontextmanager
async def kept_running(module: str, environment: dict[str, str]) -> AsyncIterator[Callable[[], None]]:
    """The process, started again whenever it ends; yields what kills it."""
    now: list[asyncio.subprocess.Process] = []

    async def keep() -> None:
        while True:
            words = (sys.executable, "-m", module)
            now[:] = [await asyncio.create_subprocess_exec(*words, env=environment, stdout=-3, stderr=-3)]
            await now[0].wait()

    def kill() -> None:
        if now and now[0].returncode is None:
            now[0].kill()

    keeping = asyncio.create_task(keep())
    try:
        yield kill
    finally:
        keeping.cancel()
        await asyncio.wait([keeping])
        kill()


async def killing(draw: random.Random, ends: list[Callable[[], None]], server: Postgres) -> None:
    """kill -9 of this one or that one, and now and then of the database, which comes back."""
    for number in range(KILLS):
        await asyncio.sleep(draw.uniform(0.5, 2.5))
        if number % 4 == 2:
            server.kill()
            await asyncio.sleep(draw.uniform(0.0, 0.5))
            await asyncio.to_thread(server.start_again)
        else:
            draw.choice(ends)()


async def asking(base: str, key: str, draw: random.Random) -> list[str]:
    """The ids of all that was asked for: each request is sent until it is answered, under a key of its own."""
    async with Client(base, key, tries=60) as client:

        async def one(number: int) -> str:
            await asyncio.sleep(draw.uniform(0.0, 8.0))
            params: dict[str, str | int | float | bool | None] = {
                "prompt": f"Write {number}",
                "max_tokens": 16,
                "seed": number,
            }
            return (await client.submit("write", params, idempotency_key=f"chaos-key-{number:04d}")).id

        return list(await asyncio.gather(*(one(number) for number in range(ASKED))))


async def recorded(database: Database) -> Counter[str]:
    async with database.reading() as connection:
        rows = (await connection.execute(select(jobs.c.id, jobs.c.status, jobs.c.params))).all()
    assert {row.status for row in rows} <= {"done"}
    prompts = Counter(str(row.params["prompt"]) for row in rows)
    assert set(prompts.values()) <= {1}, "a request was asked for twice"
    return Counter(row.id for row in rows)


@pytest.mark.timeout(300)
async def test_kills_at_random_lose_and_double_nothing(
    redis: Redis, redis_server: EmbeddedServer, tmp_path: Path
) -> None:
    """Each request that was accepted is one job, and each job is written down once."""
    draw, port = random.Random(SEED), free_port()  # noqa: S311 -- it is to be repeatable
    with postgres_server() as server:
        address = server.url.set(drivername="postgresql").render_as_string(hide_password=False)
        environment = {
            **os.environ,
            "FRONTDESK_REDIS_URL": redis_server.url,
            "FRONTDESK_DATABASE_URL": address,
            "FRONTDESK_DATA_DIR": str(tmp_path / "data"),
            "FRONTDESK_WEB_LISTEN": f"127.0.0.1:{port}",
            "FRONTDESK_ADMINS": OWNER,
        }
        async with (
            opened_empty(server.url) as database,
            kept_running("frontdesk.history.main", environment) as kill_recorder,
            kept_running("frontdesk.gallery.main", environment) as kill_web,
            working(leased_worker(redis, Writer(), kinds={"write": "none"})),
        ):
            _, key = await ApiKeys(database).new(OWNER, "chaos")
            await until(lambda: redis.exists("fd:recording"), within=60)
            asked, _ = await asyncio.gather(
                asking(f"http://127.0.0.1:{port}", key, draw), killing(draw, [kill_recorder, kill_web], server)
            )
            await until(lambda: written_down(redis), within=90)
            assert len(set(asked)) == ASKED
            assert await recorded(database) == Counter(asked)


async def written_down(redis: Redis) -> bool:
    return await RecordStream(redis, keep=60.0).backlog() == 0
