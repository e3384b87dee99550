"""Whatever ends is written down once, whoever dies meanwhile."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import yaml
from databases import opened_empty, postgres_server, sqlite_in
from queueing import KEEP, job, submit, until
from redis.asyncio import Redis
from remembering import ends, recorder, recording_begins, remembered
from sqlalchemy import select

from frontdesk.history.database import Database
from frontdesk.history.recorder import Recorder
from frontdesk.history.schema import jobs
from frontdesk.queue import keys
from frontdesk.queue.broker import Broker
from frontdesk.queue.connection import end_loops
from frontdesk.queue.jobs import Outcome
from frontdesk.queue.kinds import Registry
from frontdesk.queue.record import RecordStream


@asynccontextmanager
async def at_work(one: Recorder) -> AsyncIterator[None]:
    task = asyncio.create_task(one.run())
    try:
        yield
    finally:
        await end_loops(task)


async def recorded(database: Database) -> list[str]:
    async with database.reading() as connection:
        return sorted((await connection.execute(select(jobs.c.id))).scalars())


async def backlog(redis: Redis) -> int:
    return await RecordStream(redis, keep=KEEP).backlog()


async def test_a_job_is_remembered_with_what_it_asked_and_what_it_took(redis: Redis, database: Database) -> None:
    """Its parameters, times, device-seconds, model, device and outcome."""
    await recording_begins(redis)
    told = Outcome(
        status="done", result={"said": "hi", "seed": 7}, seconds=0.5, gpu_seconds=0.25, model="m (float32)",
        revision="abc", device="CPU",
    )  # fmt: skip
    made = await ends(redis, job("ada", "say hi"), told)
    async with at_work(recorder(redis, database)):
        await until(lambda: recorded(database))
    async with database.reading() as connection:
        row = (await connection.execute(select(jobs))).mappings().one()
    assert (row["id"], row["kind"], row["status"], row["owner"]) == (made.id, "echo", "done", "telegram:ada")
    assert (row["params"], row["result"], row["title"]) == ({"text": "say hi"}, {"said": "hi", "seed": 7}, "say hi")
    assert (row["gpu_seconds"], row["seconds"], row["seed"]) == (0.25, 0.5, 7)
    assert (row["model"], row["revision"], row["device"]) == ("m (float32)", "abc", "CPU")
    assert row["submitted_at"] <= row["started_at"] <= row["finished_at"]
    assert await backlog(redis) == 0


async def test_what_ended_while_no_recorder_was_there_is_made_up_for(redis: Redis, database: Database) -> None:
    """As long as one was there before: a desk that never had one keeps nothing for it."""
    await ends(redis, job())
    assert await redis.exists(keys.RECORD) == 0
    await recording_begins(redis)
    made = [await ends(redis, job()) for _ in range(5)]
    async with at_work(recorder(redis, database)):
        await until(lambda: backlog_is_gone(redis))
    assert await recorded(database) == sorted(each.id for each in made)


async def backlog_is_gone(redis: Redis) -> bool:
    return await backlog(redis) == 0


async def test_a_job_that_was_cancelled_while_it_waited_is_remembered(
    redis: Redis, broker: Broker, database: Database
) -> None:
    """Every way to end is one."""
    await recording_begins(redis)
    made = job()
    await submit(broker, made)
    await broker.cancel(made.id, made.requester.key)
    async with at_work(recorder(redis, database)):
        await until(lambda: recorded(database))
    async with database.reading() as connection:
        assert (await connection.execute(select(jobs.c.status, jobs.c.made))).one() == ("cancelled", False)


async def test_what_was_written_and_not_acknowledged_is_written_once(redis: Redis, database: Database) -> None:
    """A recorder that died between the two: the next one takes its jobs over."""
    await recording_begins(redis)
    made = await ends(redis, job())
    dead = RecordStream(redis, keep=KEEP)
    assert [event.job_id for event in await dead.read(0.1, 10)] == [made.id]
    await remembered(database, made)
    async with at_work(recorder(redis, database, abandoned=0.0)):
        await until(lambda: backlog_is_gone(redis))
    assert await recorded(database) == [made.id]


async def test_two_recorders_share_the_work_and_double_nothing(redis: Redis, database: Database) -> None:
    await recording_begins(redis)
    made = [await ends(redis, job()) for _ in range(40)]
    async with at_work(recorder(redis, database)), at_work(recorder(redis, database)):
        await until(lambda: backlog_is_gone(redis))
    assert await recorded(database) == sorted(each.id for each in made)


async def test_a_damaged_event_holds_up_nothing(redis: Redis, database: Database) -> None:
    """One that names no job, one whose request cannot be read, one of a kind that is not installed."""
    await recording_begins(redis)
    await redis.xadd(keys.RECORD, {"job": "nonsense", "payload": b"\xff"})
    await redis.xadd(keys.RECORD, {"else": "1"})
    made = await ends(redis, job())
    async with at_work(recorder(redis, database, kinds=Registry([]))):
        await until(lambda: recorded(database))
        await until(lambda: backlog_is_gone(redis))
    assert await recorded(database) == [made.id]


async def test_text_that_a_database_does_not_take_is_kept_without_it(redis: Redis, database: Database) -> None:
    """PostgreSQL's text and JSON hold no NUL and no half of a surrogate pair."""
    await recording_begins(redis)
    told = Outcome(status="done", result={"said": "a\0b\ud800c"})
    await ends(redis, job("ada", "x\0y"), told)
    async with at_work(recorder(redis, database)):
        await until(lambda: recorded(database))
    async with database.reading() as connection:
        row = (await connection.execute(select(jobs.c.params, jobs.c.result))).one()
    assert (row.params["text"], row.result["said"]) == ("xy", "ab?c")


async def test_jobs_wait_in_redis_while_the_database_is_away(redis: Redis) -> None:
    """The server is killed between two jobs and comes back: both are there, each once."""
    with postgres_server() as server:
        async with opened_empty(server.url) as database:
            await recording_begins(redis)
            async with at_work(recorder(redis, database)):
                await ends(redis, job())
                await until(lambda: recorded(database))
                server.kill()
                await ends(redis, job())
                await until(lambda: taken(redis))
                await asyncio.to_thread(server.start_again)
                await until(lambda: backlog_is_gone(redis), within=30.0)
                assert len(await recorded(database)) == 2


async def taken(redis: Redis) -> bool:
    return bool((await redis.xpending(keys.RECORD, "recorders"))["pending"])


RECORD = """
import asyncio, sys
from redis.asyncio import Redis
from sqlalchemy import make_url
from frontdesk.history.database import opened
from frontdesk.history.recorder import Recorder
from frontdesk.queue.kinds import Registry

async def main():
    async with Redis.from_url(sys.argv[1]) as redis, opened(make_url(sys.argv[2])) as database:
        await Recorder(redis, database, Registry([]), keep=3600.0, abandoned=0.2).run()

asyncio.run(main())
"""


@pytest.mark.timeout(180)
async def test_killing_recorders_at_any_moment_loses_and_doubles_nothing(url: str, tmp_path: Path) -> None:
    """kill -9, again and again, while jobs end."""
    async with opened_empty(sqlite_in(tmp_path)) as database, Redis.from_url(url) as redis:
        program = [sys.executable, "-c", RECORD, url, database.engine.url.render_as_string()]
        await recording_begins(redis)
        ending = asyncio.create_task(end_many(redis, 300))
        for _ in range(5):
            before = len(await recorded(database))
            process = await asyncio.create_subprocess_exec(*program, stdout=subprocess.DEVNULL)
            await until(lambda before=before: grown(database, before), within=30.0)  # type: ignore[misc]
            process.kill()
            await process.wait()
            await ends(redis, job("eve"))
        made = await ending
        async with at_work(recorder(redis, database, abandoned=0.0)):
            await until(lambda: backlog_is_gone(redis))
        assert len(await recorded(database)) == made + 5


async def end_many(redis: Redis, number: int) -> int:
    for _ in range(number):
        await ends(redis, job())
    return number


async def grown(database: Database, before: int) -> bool:
    return len(await recorded(database)) > before


def test_the_recorders_container_signs_no_links() -> None:
    """It hands out nothing: of the secrets, it gets those of the database and the queue."""
    compose = yaml.safe_load(Path(__file__).parent.with_name("docker-compose.yml").read_text("utf-8"))
    named = compose["services"]["recorder"]["environment"]
    assert {name for name in named if re.search("KEY|TOKEN|SECRET", name)} == set()
    assert {"FRONTDESK_DATABASE_URL", "FRONTDESK_REDIS_URL"} <= set(named)
