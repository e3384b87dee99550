"""What stock arq 0.28 does to a queue like ours: each rule is broken by its own Worker and holds with ours (`sound`).

The same jobs go to both. Stock arq is run as its documentation says, with its own pickle; ours through the broker.
"""

from __future__ import annotations

import asyncio
import os
import pickle
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Any, cast

import pytest
from arq.connections import ArqRedis
from arq.constants import in_progress_key_prefix, job_key_prefix, retry_key_prefix
from arq.typing import WorkerCoroutine
from arq.worker import Worker, func
from queueing import KEEP, DrivenEngine, fresh_id, job, leased_worker, submit, until
from redis.asyncio import ConnectionPool, Redis, UnixDomainSocketConnection
from servers import Server

from frontdesk.queue import keys
from frontdesk.queue.broker import Broker
from frontdesk.queue.connection import connected
from frontdesk.queue.scripts import Scripts

QUEUE = "arq:queue"
SOON = 3.0  # seconds: stock arq polls every half


class House(ABC):
    """A queue with workers whose jobs run until the test ends them; `started` has the ids of those that began."""

    sound: bool
    """Whether the rules hold here."""

    def __init__(self, redis: Redis) -> None:
        self.redis = redis
        self.started: list[str] = []
        self.finish = asyncio.Event()
        self._tasks: list[asyncio.Task[Any]] = []

    @abstractmethod
    async def enqueue(self, job_id: str) -> None: ...

    @abstractmethod
    async def work(self, slots: int = 10) -> asyncio.Task[Any]:
        """Start one more worker."""

    @abstractmethod
    async def kill(self, worker: asyncio.Task[Any]) -> None:
        """End it as kill -9 would: nothing is written any more."""

    async def begins(self, job_id: str, within: float = SOON) -> bool:
        with suppress(TimeoutError):
            await until(lambda: job_id in self.started, within)
            return True
        return False

    async def close(self) -> None:
        self.finish.set()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


class Stock(House):
    """arq's own Worker."""

    sound = False

    def __init__(self, redis: Redis) -> None:
        super().__init__(redis)
        self.pool = ArqRedis(connection_pool=_stock_pool(redis.connection_pool.connection_kwargs))
        self._workers: dict[asyncio.Task[Any], Worker] = {}

    async def enqueue(self, job_id: str) -> None:
        assert await self.pool.enqueue_job("hold", _job_id=job_id)

    async def work(self, slots: int = 10) -> asyncio.Task[Any]:
        async def hold(context: dict[str, Any]) -> None:
            self.started.append(context["job_id"])
            await self.finish.wait()

        worker = Worker(
            functions=[func(cast(WorkerCoroutine, hold), name="hold", timeout=300)],
            redis_pool=self.pool,
            handle_signals=False,
            max_jobs=slots,
        )
        task = asyncio.create_task(worker.main())
        self._workers[task] = worker
        self._tasks.append(task)
        return task

    async def close(self) -> None:
        await super().close()
        await self.pool.aclose()

    async def kill(self, worker: asyncio.Task[Any]) -> None:
        running = self._workers[worker]
        worker.cancel()
        for task in running.tasks.values():
            task.cancel()
        await asyncio.gather(worker, *running.tasks.values(), return_exceptions=True)
        # What a cancelled task still wrote, a killed process would not have written.
        for job_id in running.tasks:
            await self.redis.set(in_progress_key_prefix + job_id, b"1", ex=310)


def _stock_pool(address: dict[str, Any]) -> ConnectionPool:
    """As arq makes it: ours tries again by itself."""
    if path := address.get("path"):
        return ConnectionPool(connection_class=UnixDomainSocketConnection, path=path)
    return ConnectionPool(host=address["host"], port=address["port"])


class Ours(House):
    """The leased worker."""

    sound = True

    def __init__(self, redis: Redis) -> None:
        super().__init__(redis)
        self.broker = Broker(redis, keep=KEEP)
        self._number = 0

    async def enqueue(self, job_id: str) -> None:
        await submit(self.broker, job(f"user{self._number}", id=job_id))
        self._number += 1

    async def work(self, slots: int = 10) -> asyncio.Task[Any]:
        self._number += 1
        engine = DrivenEngine(hold=True)
        worker = leased_worker(self.redis, engine, worker_id=f"w{self._number}", lanes={"short": slots}, lease=1.0)

        async def main() -> None:
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(worker.main())
                    group.create_task(self._noted(engine))
            finally:
                running = list(worker.tasks.values())
                for one in running:
                    one.cancel()
                await asyncio.gather(*running, return_exceptions=True)  # what it still writes, it writes before `kill`

        task = asyncio.create_task(main())
        self._tasks.append(task)
        return task

    async def _noted(self, engine: DrivenEngine) -> None:
        while True:
            self.started.append((await engine.started.get()).id)

    async def kill(self, worker: asyncio.Task[Any]) -> None:
        held = dict(await self.redis.zrange(keys.RUNNING, 0, -1, withscores=True))
        hashes = {entry: await self.redis.dump(keys.job(entry.decode())) for entry in held}
        worker.cancel()
        await asyncio.gather(worker, return_exceptions=True)
        # What a cancelled task still wrote, a killed process would not have written.
        for entry, dumped in hashes.items():
            await self.redis.restore(keys.job(entry.decode()), 0, dumped, replace=True)
            await self.redis.zrem(keys.lane("short"), entry)
            await self.redis.zadd(keys.RUNNING, {entry: held[entry]})


BOTH = [pytest.param(Stock, id="stock"), pytest.param(Ours, id="ours")]


@pytest.fixture(params=BOTH)
async def house(request: pytest.FixtureRequest, redis: Redis) -> AsyncIterator[House]:
    async with AsyncExitStack() as stack:
        made: House = request.param(redis)
        stack.push_async_callback(made.close)
        yield made


def new_id() -> str:
    return fresh_id(time.time())


async def test_a_killed_workers_job_runs_again_within_seconds(house: House) -> None:
    """The lease ends, not a lock of the longest job time-out and ten seconds."""
    job_id = new_id()
    first = await house.work()
    await house.enqueue(job_id)
    assert await house.begins(job_id)
    await house.kill(first)
    house.started.clear()
    await house.work()
    assert await house.begins(job_id) is house.sound


async def test_running_jobs_do_not_hide_the_waiting_ones(house: House) -> None:
    """A hundred and twenty run elsewhere; a free worker starts the one that waits."""
    await house.work(slots=120)
    running = [new_id() for _ in range(120)]
    for job_id in running:
        await house.enqueue(job_id)
    await until(lambda: len(house.started) == 120, 30.0)
    waiting = new_id()
    await house.enqueue(waiting)
    await house.work()
    assert await house.begins(waiting) is house.sound


async def test_a_free_worker_starts_a_job_at_once(house: House) -> None:
    """No polling interval passes between a job's arrival and its start."""
    await house.work(slots=100)
    await house.enqueue(first := new_id())
    assert await house.begins(first)
    waits = []
    for number in range(9):
        await asyncio.sleep(0.013 * number)  # so that arrivals fall anywhere between two polls
        began = time.perf_counter()
        await house.enqueue(job_id := new_id())
        assert await house.begins(job_id)
        waits.append(time.perf_counter() - began)
    assert (sorted(waits)[4] < 0.1) is house.sound


@pytest.mark.parametrize("kind", BOTH)
async def test_a_worker_lives_through_a_restart_of_the_server(
    kind: type[House], valkey_program: Path, tmp_path: Path
) -> None:
    """The server is away for two of stock arq's polls and comes back; the worker takes the next job all the same."""
    with Server(valkey_program, tmp_path) as server:
        async with connected(server.url) as redis, AsyncExitStack() as stack:
            house = kind(redis)
            stack.push_async_callback(house.close)
            worker = await house.work()
            await house.enqueue(first := new_id())
            assert await house.begins(first)
            server.kill()
            await asyncio.wait([worker], timeout=2.0)  # the outage itself
            server.start()
            await house.enqueue(second := new_id())
            assert await house.begins(second, 10.0 if house.sound else SOON) is house.sound


async def test_stopping_workers_is_no_fault_of_the_job(house: House) -> None:
    """Handed back six times by workers that were stopped, it still runs."""
    job_id = new_id()
    await house.enqueue(job_id)
    for _ in range(6):
        if isinstance(house, Ours):
            scripts = Scripts(house.redis)
            [held] = (await scripts.turn("w", 60.0, {"short": 1}, keep=KEEP, patience=3600.0)).jobs
            await scripts.release(held.job_id, held.lease)
        else:
            await house.redis.incr(retry_key_prefix + job_id)
    await house.work()
    assert await house.begins(job_id) is house.sound


async def test_a_job_whose_time_is_over_ends_with_an_outcome(house: House) -> None:
    """Queued for longer than allowed, it is told to its requester instead of vanishing."""
    job_id = new_id()
    if isinstance(house, Ours):
        await submit(house.broker, job(id=job_id, submitted_at=time.time() - 4000))
    else:
        await house.enqueue(job_id)
        await house.redis.delete(job_key_prefix + job_id)  # as it expires a day after it was queued
    await house.work()
    await until(lambda: _left(house.redis, job_id), SOON)
    assert bool(await house.redis.xlen(keys.outcomes("telegram"))) is house.sound


async def _left(redis: Redis, job_id: str) -> bool:
    stock, ours = await redis.zscore(QUEUE, job_id), await redis.zscore(keys.lane("short"), job_id)
    return stock is None and ours is None and not await redis.zscore(keys.RUNNING, job_id)


async def test_nothing_in_the_queue_runs_code(house: House, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Who can write to Redis can put a pickle there: it is not opened."""
    mark = tmp_path_factory.mktemp("trap") / "opened"
    job_id = new_id()
    await house.enqueue(job_id)
    await house.redis.set(job_key_prefix + job_id, pickle.dumps({"t": Trap(str(mark))}))
    await house.work()
    await until(lambda: _left(house.redis, job_id), SOON)
    assert mark.exists() is not house.sound


class Trap:
    """Makes a folder when it is unpickled."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.mkdir, (self.path,)
