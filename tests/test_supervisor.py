"""The supervisor: real processes that die, hang and are replaced, on a real server."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from queueing import KEEP, job, submit, until
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from supervised import FAULTS, LIVES, RUNS, go_on
from supervising import CHILD

from frontdesk.queue import keys
from frontdesk.queue.broker import Broker
from frontdesk.queue.connection import answer
from frontdesk.queue.embedded import EmbeddedServer
from frontdesk.queue.errors import ConfigurationError
from frontdesk.queue.events import next_progress, progress_channel
from frontdesk.queue.jobs import Job, JobRecord, Progress
from frontdesk.queue.scripts import Scripts
from frontdesk.worker.supervisor import Supervisor

WITHIN = 30.0  # seconds for a process to start on a busy machine


class Room:
    """A supervisor at work, and the queue it works for."""

    def __init__(self, redis: Redis, supervisor: Supervisor) -> None:
        self.redis = redis
        self.broker = Broker(redis, keep=KEEP)
        self.supervisor = supervisor
        self.running = asyncio.create_task(supervisor.run())

    async def ask(self, text: str) -> Job:
        made = job(text=text)
        await submit(self.broker, made)
        return made

    async def on_duty(self, count: int) -> None:
        async def enough() -> bool:
            if self.running.done():
                self.running.result()
            return bool(await self.redis.zcard(keys.WORKERS) == count)

        await until(enough, WITHIN)

    async def runs(self, made: Job, count: int) -> list[int]:
        """The processes that started a job, as soon as there are so many."""

        async def enough() -> list[int] | None:
            runs = [run.decode().split() for run in await answer(self.redis.lrange(RUNS, 0, -1))]
            pids = [int(pid) for job_id, pid in runs if job_id == made.id]
            return pids if len(pids) >= count else None

        found: list[int] = await until(enough, WITHIN)
        return found

    async def lives(self, count: int) -> list[int]:
        """The processes that were started, as soon as there are so many."""

        async def enough() -> list[int] | None:
            pids = [int(pid) for pid in await answer(self.redis.lrange(LIVES, 0, -1))]
            return pids if len(pids) >= count else None

        found: list[int] = await until(enough, WITHIN)
        return found

    async def ended(self, made: Job) -> JobRecord:
        async def end() -> JobRecord | None:
            record = await self.broker.job(made.id)
            return record if record and record.ended else None

        record: JobRecord = await until(end, WITHIN)
        return record

    async def let_go(self, made: Job) -> None:
        await answer(self.redis.rpush(go_on(made.id), "now"))


@asynccontextmanager
async def supervised(
    redis: Redis, url: str, posts: int = 1, *, grace: float = 0.0, silence: float = 10.0
) -> AsyncIterator[Room]:
    own = {**os.environ, "FRONTDESK_REDIS_URL": url, "FRONTDESK_STOP_GRACE": str(grace)}
    supervisor = Supervisor(CHILD, [own] * posts, redis, grace=grace, keep=KEEP, first_pause=0.05, silence=silence)
    room = Room(redis, supervisor)
    try:
        yield room
    finally:
        supervisor.stop()
        supervisor.stop()
        await asyncio.gather(room.running, return_exceptions=True)


@pytest.fixture
def url(redis_server: EmbeddedServer) -> str:
    return redis_server.url


async def within(seconds: float, work: Awaitable[Any]) -> Any:
    async with asyncio.timeout(seconds):
        return await work


async def test_a_killed_workers_job_runs_elsewhere_at_once(redis: Redis, url: str) -> None:
    """kill -9 while it runs: the other worker has it within a second (a lease is 6 s), and its requester is told."""
    async with progress_channel(redis, "telegram") as channel, supervised(redis, url, 2) as room:
        await room.on_duty(2)
        made = await room.ask("hold")
        (first,) = await room.runs(made, 1)
        assert await next_progress(channel, 5.0) is None  # that the subscription began
        killed = time.perf_counter()
        os.kill(first, signal.SIGKILL)
        _, second = await room.runs(made, 2)
        took = time.perf_counter() - killed
        assert second != first
        assert took < 1.0
        note = "Its worker stopped; it is tried again (2 of 3)."
        assert await next_progress(channel, 5.0) == Progress(job_id=made.id, waiting=True, note=note)
        await room.let_go(made)
        record = await room.ended(made)
        assert (record.state, record.kills) == ("done", 1)
        await room.on_duty(2)
        assert len(await room.lives(3)) == 3


@pytest.mark.parametrize("fault", ["block", "stick"])
async def test_a_worker_that_hangs_is_killed_and_replaced(redis: Redis, url: str, fault: str) -> None:
    """Its event loop stands still, or a call holds its device for longer than any job may take."""
    async with supervised(redis, url, silence=2.0) as room:
        made = await room.ask(fault)
        first, second = await room.runs(made, 2)
        assert first != second
        assert not alive(first)


async def test_a_job_that_kills_three_workers_is_given_up(redis: Redis, url: str) -> None:
    """It fails with a reason, is kept aside for the admins, and the next worker serves the others."""
    async with supervised(redis, url) as room:
        made = await room.ask("die")
        record = await room.ended(made)
        assert record.outcome is not None
        assert record.outcome.status == "failed"
        assert record.outcome.reason == "It was started 3 times, and each time its worker stopped."
        assert await redis.zrange(keys.ASIDE, 0, -1) == [made.id.encode()]
        other = await room.ask("hello")
        assert (await room.ended(other)).state == "done"
        assert len(await room.runs(made, 3)) == 3


async def test_draining_gives_a_job_back_without_a_try(redis: Redis, url: str) -> None:
    """Told to stop, it waits for the grace of the running job; nobody's worker died."""
    async with supervised(redis, url) as room:
        made = await room.ask("hold")
        await room.runs(made, 1)
        room.supervisor.stop()
        await within(WITHIN, room.running)
        record = await room.broker.job(made.id)
        assert record is not None
        assert (record.state, record.kills) == ("waiting", 0)


async def test_a_second_stop_does_not_wait(redis: Redis, url: str) -> None:
    """Ctrl-C twice: no grace, and the job is free at once all the same."""
    async with supervised(redis, url, grace=60.0) as room:
        made = await room.ask("hold")
        await room.runs(made, 1)
        room.supervisor.stop()
        room.supervisor.stop()
        await within(5.0, room.running)
        record = await room.broker.job(made.id)
        assert record is not None
        assert record.state == "waiting"


async def test_a_worker_that_hangs_while_it_loads_can_be_stopped(redis: Redis, url: str) -> None:
    """It does not hear SIGTERM; its parent does not wait for ever."""
    await answer(redis.rpush(FAULTS, "hang"))
    async with supervised(redis, url) as room:
        (pid,) = await room.lives(1)
        room.supervisor.stop()
        room.supervisor.stop()
        await within(5.0, room.running)
        assert not alive(pid)


async def test_a_rolling_restart_loses_nothing(redis: Redis, url: str) -> None:
    """All processes are new, one after the other; every job that came meanwhile ran once and is done."""
    async with supervised(redis, url, 2, grace=10.0) as room:
        await room.on_duty(2)
        before = set(await room.lives(2))
        room.supervisor.roll()
        asked: list[Job] = []
        while len(await room.lives(0)) < 4 or len(asked) < 20:
            asked.append(await room.ask("hello"))
            assert (await room.ended(asked[-1])).state == "done"
        await room.on_duty(2)
        assert not any(map(alive, before))
        runs = await answer(redis.lrange(RUNS, 0, -1))
        assert sorted(run.decode().split()[0] for run in runs) == sorted(made.id for made in asked)


async def test_a_worker_that_leaves_unasked_is_started_again(redis: Redis, url: str) -> None:
    """Status 0 is no reason to stay without it."""
    await answer(redis.rpush(FAULTS, "leave"))
    async with supervised(redis, url) as room:
        await room.on_duty(1)
        assert len(await room.lives(2)) == 2


async def test_a_wrong_setting_ends_it(redis: Redis, url: str) -> None:
    """Another start would not help: the child's sentence is passed on, and the other child is told to end."""
    await answer(redis.rpush(FAULTS, "configuration"))
    async with supervised(redis, url, 2) as room:
        with pytest.raises(ConfigurationError, match=r"^FRONTDESK_MODEL is not there\.$"):
            await within(WITHIN, asyncio.shield(room.running))
        assert not any(map(alive, await room.lives(1)))


async def test_a_setting_that_became_wrong_is_waited_out(redis: Redis, url: str) -> None:
    """Where it was right before, the others still serve, and somebody is about to mend it."""
    async with supervised(redis, url) as room:
        await room.on_duty(1)
        await answer(redis.rpush(FAULTS, "configuration"))
        (pid,) = await room.lives(1)
        os.kill(pid, signal.SIGKILL)
        assert len(await room.lives(3)) == 3
        await room.on_duty(1)


async def test_a_job_is_freed_when_redis_is_back(redis: Redis, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Redis is away when the worker dies: the next worker is started meanwhile, and the job is not forgotten."""
    reap, failures = Scripts.reap, iter([RedisConnectionError(), TimeoutError()])

    async def gone(scripts: Scripts, worker: str, *, keep: float) -> tuple[list[str], list[str]]:
        for failure in failures:
            raise failure
        return await reap(scripts, worker, keep=keep)

    monkeypatch.setattr(Scripts, "reap", gone)
    async with supervised(redis, url) as room:
        made = await room.ask("hold")
        (first,) = await room.runs(made, 1)
        os.kill(first, signal.SIGKILL)
        await room.runs(made, 2)
        await room.let_go(made)
        assert (await room.ended(made)).kills == 1


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
