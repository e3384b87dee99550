"""Garbage in Redis: it costs the job it belongs to at most, never the lane, the worker or the courier."""

from __future__ import annotations

import asyncio

import pytest
from queueing import DrivenEngine, address, job, leased_worker, submit, until, working
from redis.asyncio import Redis
from test_courier import Chat, courier_for

from frontdesk.queue import keys
from frontdesk.queue.broker import Broker
from frontdesk.queue.connection import answer
from frontdesk.worker.arq_worker import LeasedWorker


@pytest.fixture
def worker(redis: Redis) -> LeasedWorker:
    """One slot: what blocks it blocks everything."""
    return leased_worker(redis, DrivenEngine(), lanes={"short": 1})


async def is_done(redis: Redis, job_id: str) -> bool:
    return await answer(redis.hmget(keys.job(job_id), ["state"])) == [b"done"]


@pytest.mark.parametrize("field", ["cost", "declared", "kind", "lane", "place", "requester"])
@pytest.mark.parametrize("value", [None, "garbage"])
async def test_a_damaged_job_does_not_hold_up_its_lane(
    broker: Broker, redis: Redis, worker: LeasedWorker, field: str, value: str | None
) -> None:
    """What stands before it in the lane ends, and so does it; the worker can still be drained."""
    damaged, sound = job("eve"), job("ada")
    await submit(broker, damaged)
    await submit(broker, sound)
    if value is None:
        await answer(redis.hdel(keys.job(damaged.id), field))
    else:
        await answer(redis.hset(keys.job(damaged.id), field, value))
    async with working(worker):
        await until(lambda: is_done(redis, sound.id))
        await until(lambda: is_done(redis, damaged.id))
    assert await redis.zcard(keys.RUNNING) == 0


async def test_a_dead_workers_damaged_job_is_freed_with_the_others(
    broker: Broker, redis: Redis, worker: LeasedWorker
) -> None:
    """The look for leases that ran out meets it first."""
    jobs = [job("eve"), job("ada")]
    for made in jobs:
        await submit(broker, made)
    dead = leased_worker(redis, DrivenEngine(hold=True), worker_id="dead", lease=0.01)
    await dead._poll_iteration()
    for task in dead.tasks.values():
        task.cancel()
    await answer(redis.hdel(keys.job(jobs[0].id), "cost", "place"))
    async with working(worker):
        for made in jobs:
            await until(lambda: is_done(redis, made.id))  # noqa: B023 - awaited within the turn


async def test_what_is_no_job_is_passed_over(broker: Broker, redis: Redis, worker: LeasedWorker) -> None:
    """Something of another type stands where a job should."""
    wrong, sound = job("eve"), job("ada")
    await submit(broker, wrong)
    await submit(broker, sound)
    await redis.delete(keys.job(wrong.id))
    await redis.set(keys.job(wrong.id), "no hash")
    async with working(worker):
        await until(lambda: is_done(redis, sound.id))


async def test_garbage_on_the_channels_does_not_end_a_worker(
    broker: Broker, redis: Redis, worker: LeasedWorker
) -> None:
    """It is no lane and no job."""
    async with working(worker):
        await until(lambda: heard(redis, worker.worker_id))
        made = job()
        await submit(broker, made)
        await until(lambda: is_done(redis, made.id))


async def heard(redis: Redis, worker_id: str) -> bool:
    channels = (keys.DOORBELL, keys.CANCELS, keys.hands(worker_id))
    counts = [await redis.publish(channel, b"\xff") for channel in channels]
    await asyncio.sleep(0.05)
    return all(counts)


async def test_garbage_in_the_outcome_stream_is_thrown_away(broker: Broker, redis: Redis) -> None:
    """A courier that tripped over it would trip over it again after every restart."""
    await redis.xadd(keys.outcomes("telegram"), {"job": b"\xff"})
    await redis.xadd(keys.outcomes("telegram"), {"other": "x"})
    made, chat = job(), Chat()
    await submit(broker, made)
    await broker.set_reply(made.id, address(message="ticket"))
    await broker.cancel(made.id, None)
    async with courier_for(chat, redis):
        await until(lambda: chat.shown)
        await until(lambda: _emptied(redis))


async def _emptied(redis: Redis) -> bool:
    return bool(await redis.xlen(keys.outcomes("telegram")) == 0)
