"""A job that finds a free worker goes straight to it; one that would overtake others, or be lost, does not."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from queueing import KEEP, DrivenEngine, job, leased_worker, submit, until, working
from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.exceptions import ConnectionError as RedisConnectionError

from frontdesk.queue import keys
from frontdesk.queue.broker import Broker
from frontdesk.queue.connection import answer
from frontdesk.queue.jobs import Share
from frontdesk.queue.scripts import Claimed, Scripts, handed
from frontdesk.queue.steering import Steering

BY = "console:ada"


class Hands:
    """A worker by hand: what it offers, and what it is handed."""

    def __init__(self, redis: Redis, channel: PubSub) -> None:
        self._redis = redis
        self._scripts = Scripts(redis)
        self._channel = channel

    async def turn(self, slots: int = 1, **options: Any) -> list[Claimed]:
        turn = await self._scripts.turn("w1", 60.0, {"short": slots}, keep=KEEP, patience=3600.0, **options)
        return turn.jobs

    async def listen(self) -> None:
        await self._channel.subscribe(keys.hands("w1"))
        await self._channel.get_message(timeout=5.0)

    async def next(self) -> Claimed:
        message = await self._channel.get_message(ignore_subscribe_messages=True, timeout=5.0)
        assert message is not None
        return handed(message["data"])


@pytest.fixture
async def hands(redis: Redis) -> Any:
    async with redis.pubsub() as channel:
        yield Hands(redis, channel)


async def state(broker: Broker, job_id: str) -> tuple[str, int]:
    record = await broker.job(job_id)
    assert record is not None
    return record.state, record.kills


async def test_a_free_worker_has_the_job_when_its_submission_returns(broker: Broker, redis: Redis) -> None:
    """No turn lies between."""
    engine = DrivenEngine(hold=True)
    async with working(leased_worker(redis, engine)):
        await until(lambda: redis.hlen(keys.IDLE + "short"))
        made = job("ada")
        ticket = await submit(broker, made)
        assert await state(broker, made.id) == ("running", 0)
        assert (ticket.position, ticket.wait) == (0, 0.0)
        assert (await engine.started.get()).id == made.id
        engine.end(made.id)


async def test_as_many_as_there_are_slots(broker: Broker, redis: Redis, hands: Hands) -> None:
    """Two slots, three jobs: the third waits, also for a turn that began before the two were heard of."""
    await hands.listen()
    await hands.turn(slots=2)
    first, second, third = (job(f"user{number}") for number in range(3))
    for made in (first, second, third):
        await submit(broker, made)
    assert await hands.turn(slots=2, handed=0) == []
    assert [(await hands.next()).job_id for _ in range(2)] == [first.id, second.id]
    assert await hands.turn(slots=0, handed=2) == []
    assert await state(broker, third.id) == ("waiting", 0)
    assert [claimed.job_id for claimed in await hands.turn(slots=1, handed=2)] == [third.id]


async def test_a_worker_that_does_not_listen_is_handed_nothing(broker: Broker, redis: Redis, hands: Hands) -> None:
    """Killed while it had nothing to do: the job waits for another one, and nobody is blamed."""
    await hands.turn()
    made = job("ada")
    await submit(broker, made)
    assert await state(broker, made.id) == ("waiting", 0)
    assert not await redis.exists(keys.IDLE + "short")


async def test_what_was_handed_to_nobody_goes_back(broker: Broker, hands: Hands) -> None:
    """The message was lost: the worker names what it holds, and gets the job in the same turn."""
    await hands.listen()
    await hands.turn()
    made = job("ada")
    await submit(broker, made)
    [claimed] = await hands.turn(handed=0, holds=[])
    assert claimed.job_id == made.id
    assert await state(broker, made.id) == ("running", 0)


async def test_nothing_is_handed_past_what_admins_said(broker: Broker, redis: Redis, hands: Hands) -> None:
    """Not in a paused lane, not to a drained worker, not beyond the jobs that a requester may run at once."""
    await hands.listen()
    steering = Steering(redis, keep=KEEP, lanes=["short"])
    made = [job("ada"), job("ada"), job("bob"), job("cleo")]
    await hands.turn(slots=5)
    await submit(broker, made[0], share=Share(running=1))
    assert await state(broker, made[0].id) == ("running", 0)
    await submit(broker, made[1], share=Share(running=1))
    assert await state(broker, made[1].id) == ("waiting", 0)
    await broker.cancel(made[1].id, None)
    await steering.pause("short", by=BY)
    await submit(broker, made[2])
    assert await state(broker, made[2].id) == ("waiting", 0)
    await broker.cancel(made[2].id, None)
    await steering.resume("short", by=BY)
    await answer(redis.sadd(keys.DRAINED, "w1"))
    await submit(broker, made[3])
    assert await state(broker, made[3].id) == ("waiting", 0)


async def test_a_worker_that_stops_is_handed_nothing_more(broker: Broker, redis: Redis) -> None:
    """Its last turn takes its offer back, and with it what came too late."""
    worker = leased_worker(redis, DrivenEngine())
    async with working(worker):
        await until(lambda: redis.hlen(keys.IDLE + "short"))
    made = job("ada")
    await submit(broker, made)
    assert await state(broker, made.id) == ("waiting", 0)
    assert not await answer(redis.hexists(keys.HANDED, worker.worker_id))


async def test_a_lost_answer_blames_no_job(broker: Broker, redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    """The connection breaks after the server has given a job away: it runs a moment later, as if for the first time."""
    turn, lost = Scripts.turn, asyncio.Event()

    async def broken(scripts: Scripts, *arguments: Any, **options: Any) -> Any:
        taken = await turn(scripts, *arguments, **options)
        if taken.jobs and not lost.is_set():
            lost.set()
            raise RedisConnectionError("cut")
        return taken

    monkeypatch.setattr(Scripts, "turn", broken)
    made = job("ada")
    await submit(broker, made)
    engine = DrivenEngine(hold=True)
    async with working(leased_worker(redis, engine)):
        assert (await engine.started.get()).id == made.id
        assert lost.is_set()
        assert await state(broker, made.id) == ("running", 0)
        engine.end(made.id)
