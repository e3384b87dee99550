"""A job that finds a free worker goes straight to it; one that would overtake others, or be lost, does not."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from queueing import KEEP, DrivenEngine, fresh_id, job, leased_worker, submit, until, working
from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.exceptions import ConnectionError as RedisConnectionError

from frontdesk.queue import keys
from frontdesk.queue.broker import Broker
from frontdesk.queue.connection import answer, connected
from frontdesk.queue.embedded import EmbeddedServer
from frontdesk.queue.jobs import Share
from frontdesk.queue.pools import _Loyal
from frontdesk.queue.scripts import Claimed, Scripts, handed
from frontdesk.queue.steering import Steering

BY = "console:ada"


class Hands:
    """A worker by hand: what it offers, and what it is handed."""

    def __init__(self, redis: Redis, channel: PubSub) -> None:
        self._redis = redis
        self._scripts = Scripts(redis)
        self._channel = channel

    async def turn(self, slots: int = 1, worker: str = "w1", **options: Any) -> list[Claimed]:
        await self._scripts.renew(worker, 60.0, b"{}", {}, {})
        turn = await self._scripts.turn(worker, 60.0, {"short": slots}, keep=KEEP, patience=3600.0, **options)
        return turn.jobs

    async def listen(self, worker: str = "w1") -> None:
        await self._channel.subscribe(keys.hands(worker))
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
    assert await hands.turn(slots=2, by_hand=0) == []
    assert [(await hands.next()).job_id for _ in range(2)] == [first.id, second.id]
    assert await hands.turn(slots=0, by_hand=2) == []
    assert await state(broker, third.id) == ("waiting", 0)
    assert [claimed.job_id for claimed in await hands.turn(slots=1, by_hand=2)] == [third.id]


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
    [claimed] = await hands.turn(by_hand=0, holds=[])
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
    assert not await redis.exists(keys.turns(worker.worker_id))


@pytest.mark.parametrize("beside", [False, True], ids=["a claim alone", "beside the end of another job"])
async def test_a_lost_answer_blames_no_job(
    broker: Broker, redis_server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch, beside: bool
) -> None:
    """The connection breaks after the server has given a job away, and the client sends the turn again: the job runs a
    moment later, as if for the first time, and what ended has ended once."""
    read, lost = _Loyal.read_response, asyncio.Event()
    engine, first, made = DrivenEngine(hold=True), job("bob"), job("ada")

    async def broken(connection: Any, *arguments: Any, **options: Any) -> Any:
        said = await read(connection, *arguments, **options)
        if isinstance(said, list) and made.id.encode() in said and not lost.is_set():
            lost.set()
            await connection.disconnect()
            raise RedisConnectionError("cut")
        return said

    monkeypatch.setattr(_Loyal, "read_response", broken)
    for one in (first, made) if beside else (made,):
        await submit(broker, one)
    async with connected(redis_server.url) as ours, working(leased_worker(ours, engine, lanes={"short": 1})):
        if beside:
            assert (await engine.started.get()).id == first.id
            engine.end(first.id)
        assert (await engine.started.get()).id == made.id
        assert lost.is_set()
        assert await state(broker, made.id) == ("running", 0)
        assert await broker.redis.xlen(keys.outcomes("telegram")) == int(beside)
        engine.end(made.id)


async def test_a_cut_channel_costs_no_slot_and_no_job(broker: Broker, redis: Redis) -> None:
    """The client connects again by itself; what was handed over meanwhile comes all the same, and all that follows."""
    engine = DrivenEngine(hold=True)
    async with working(leased_worker(redis, engine, lanes={"short": 1})) as worker:
        await until(lambda: redis.hlen(keys.IDLE + "short"))
        await answer(redis.hincrby(keys.turns(worker.worker_id), "handed", 1))  # a message that never came
        await redis.client_kill_filter(_type="pubsub")
        for user in ("ada", "bob", "cleo"):
            made = job(user)
            await submit(broker, made)
            assert (await asyncio.wait_for(engine.started.get(), 1.5)).id == made.id
            engine.end(made.id)
            await until(lambda: _ended(broker, made.id))  # noqa: B023 - awaited within the turn


async def _ended(broker: Broker, job_id: str) -> bool:
    record = await broker.job(job_id)
    return record is not None and record.ended


async def test_a_message_that_was_overtaken_is_not_believed(broker: Broker, redis: Redis) -> None:
    """Its job went back when the worker said what it holds: who has it now runs it alone."""
    engine = DrivenEngine(hold=True)
    worker = leased_worker(redis, engine)
    worker._sure = False
    await worker._poll_iteration()
    stale = f"short\n{fresh_id(1e9)}\nw1#{worker._floor}\n0\nnothing".encode()
    await worker._receive(stale)
    assert not worker.tasks


async def test_jobs_go_to_the_worker_with_most_free_slots(broker: Broker, hands: Hands) -> None:
    """Two idle ones get two jobs: one each."""
    for worker in ("w1", "w2"):
        await hands.listen(worker)
        await hands.turn(slots=4, worker=worker)
    for user in ("ada", "bob"):
        await submit(broker, job(user))
    leases = [(await hands.next()).lease.partition("#")[0] for _ in range(2)]
    assert sorted(leases) == ["w1", "w2"]


async def test_a_worker_that_does_not_beat_is_handed_nothing(broker: Broker, redis: Redis, hands: Hands) -> None:
    """Its event loop stands still, or its host is gone, though its connection is open."""
    await hands.listen()
    await hands.turn()
    await redis.zadd(keys.WORKERS, {"w1": 1.0})
    made = job("ada")
    await submit(broker, made)
    assert await state(broker, made.id) == ("waiting", 0)


async def test_nobody_joins_a_job_on_its_last_chance(broker: Broker, redis: Redis, scripts: Scripts) -> None:
    """Also not from another lane of the same worker."""
    async with redis.pubsub() as channel:
        await channel.subscribe(keys.hands("w1"))
        for number in range(2):
            if not number:
                await submit(broker, bad := job("eve", lane="long"))
            await scripts.turn(f"victim-{number}", 60.0, {"long": 1}, keep=KEEP, patience=3600.0)
            await scripts.reap(f"victim-{number}", keep=KEEP)
        await scripts.renew("w1", 60.0, b"{}", {}, {})
        turn = await scripts.turn("w1", 60.0, {"short": 2, "long": 2}, keep=KEEP, patience=3600.0)
        assert [claimed.job_id for claimed in turn.jobs] == [bad.id]
        made = job("ada")
        await submit(broker, made)
        assert await state(broker, made.id) == ("waiting", 0)


@pytest.mark.parametrize("key", [keys.IDLE + "short", keys.turns("w1"), keys.SAME + "sa"])
async def test_damaged_offers_hold_up_nobody(broker: Broker, redis: Redis, key: str) -> None:
    """Something of another type stands where they should."""
    await redis.set(key, "no hash")
    engine, made = DrivenEngine(), job("ada")
    async with working(leased_worker(redis, engine)):
        await submit(broker, made, digest="same")
        await until(lambda: _ended(broker, made.id))


async def test_a_stop_does_not_wait_for_the_next_look(broker: Broker, redis: Redis) -> None:
    """What ran ends within the grace, and with it the worker."""
    engine, made = DrivenEngine(hold=True), job("ada")
    worker = leased_worker(redis, engine)
    task = asyncio.create_task(worker.main())
    await submit(broker, made)
    await engine.started.get()
    draining = asyncio.create_task(worker.drain(10.0))
    engine.end(made.id)
    async with asyncio.timeout(1.0):
        await draining
        await task
