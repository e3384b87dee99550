"""Submitting, cancelling and looking, on a real server."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from queueing import KEEP, address, echoed, end_job, job, requester, submit
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from frontdesk.queue import keys
from frontdesk.queue.broker import Broker, JobIdTakenError
from frontdesk.queue.codec import encode
from frontdesk.queue.connection import answer
from frontdesk.queue.errors import CorruptMessageError
from frontdesk.queue.jobs import Outcome
from frontdesk.queue.report import WorkerState
from frontdesk.queue.scripts import Claimed, Place, Scripts


async def heartbeat(scripts: Scripts, worker: str = "w1") -> None:
    state = WorkerState(id=worker, lanes=("short",), kinds=("echo",), device="cpu", models=(), memory=0, started_at=0)
    await scripts.renew(worker, 6.0, encode(state), {}, {"echo": "none"})


async def claim(scripts: Scripts, worker: str, lease: float, slots: int) -> list[Claimed]:
    return (await scripts.turn(worker, lease, {"short": slots}, keep=KEEP, patience=3600.0)).jobs


async def test_a_ticket_says_the_place_and_the_expected_wait(broker: Broker, scripts: Scripts) -> None:
    """Two jobs of 2 s ahead and one worker: third in the queue, starting in 4 s."""
    await heartbeat(scripts)
    tickets = [await submit(broker, job(user)) for user in ("ada", "bob", "cleo")]
    assert [(ticket.position, ticket.wait) for ticket in tickets] == [(1, 0.0), (2, 2.0), (3, 4.0)]


async def test_jobs_take_the_slots_of_all_workers_in_their_order(broker: Broker, scripts: Scripts) -> None:
    """One of two workers runs a job, the next in the queue will go to the other: the third waits for the first end."""
    await heartbeat(scripts, "w1")
    await heartbeat(scripts, "w2")
    await submit(broker, job("ada", cost=300.0))
    await submit(broker, job("bob", cost=500.0))
    await claim(scripts, "w1", 6.0, 1)
    assert (await submit(broker, job("cleo", cost=200.0))).wait == pytest.approx(300.0, abs=5.0)
    assert (await submit(broker, job("dan"))).wait == pytest.approx(500.0, abs=5.0)


async def test_without_a_worker_no_wait_is_promised(broker: Broker) -> None:
    """Nobody knows how long it takes until someone works."""
    assert (await submit(broker, job())).wait is None


async def test_the_same_update_twice_is_one_job(broker: Broker, redis: Redis) -> None:
    """A platform that repeats itself gets the first ticket again."""
    first = await submit(broker, job(), update="u1")
    second = await submit(broker, job(), update="u1")
    assert (second.job_id, second.repeated, first.repeated) == (first.job_id, True, False)
    assert await redis.zcard(keys.lane("short")) == 1


async def test_the_same_update_at_the_same_moment_is_one_job(broker: Broker, redis: Redis) -> None:
    """Fifty at once: one of them makes the job."""
    tickets = await asyncio.gather(*(submit(broker, job(), update="u1") for _ in range(50)))
    assert len({ticket.job_id for ticket in tickets}) == 1
    assert sum(not ticket.repeated for ticket in tickets) == 1
    assert await redis.zcard(keys.lane("short")) == 1


async def test_a_submission_that_was_sent_twice_is_no_repetition(
    broker: Broker, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A dropped connection makes the client send it again: it is new, and what it was charged is not given back."""
    once = Scripts.submit

    async def twice(scripts: Scripts, **given: Any) -> Any:
        await once(scripts, **given)
        return await once(scripts, **given)

    monkeypatch.setattr(Scripts, "submit", twice)
    ticket = await submit(broker, job())
    assert (ticket.repeated, ticket.position) == (False, 1)
    assert await redis.zcard(keys.lane("short")) == 1


async def test_a_job_that_was_queued_is_accepted_whatever_comes_after(
    broker: Broker, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Redis goes away before it tells the position: who is sent away now would ask twice."""

    async def gone(scripts: Scripts, lane: str, job_id: str = "") -> Place:
        raise RedisConnectionError

    monkeypatch.setattr(Scripts, "place", gone)
    made = job()
    assert (await submit(broker, made)).job_id == made.id
    assert await redis.zcard(keys.lane("short")) == 1


async def test_an_id_that_is_taken_is_refused(broker: Broker) -> None:
    """Two jobs never share an id, even when drawn in the same second."""
    made = job()
    await submit(broker, made, update="u1")
    with pytest.raises(JobIdTakenError):
        await submit(broker, made, update="u2")


async def test_only_the_owner_or_an_admin_cancels(broker: Broker) -> None:
    """To anybody else the job does not exist."""
    ticket = await submit(broker, job("ada"))
    assert await broker.cancel(ticket.job_id, requester("eve").key) == "unknown"
    assert await broker.cancel(ticket.job_id, None) == "cancelled"
    assert await broker.cancel(ticket.job_id, requester("ada").key) == "ended"


async def test_a_cancelled_job_leaves_the_queue_and_its_in_flight_sets(broker: Broker, redis: Redis) -> None:
    """The place, the estimate and the limit are free again, and the outcome is told."""
    made = job()
    await redis.zadd("held", {made.id: 9e9})
    await submit(broker, made, releases=("held",))
    await broker.cancel(made.id, made.requester.key)
    record = await broker.job(made.id)
    assert record is not None
    assert record.outcome == Outcome(status="cancelled")
    assert await redis.zcard("held") == 0
    assert (await broker.place("short")).waiting_cost == 0
    assert await redis.xlen(keys.outcomes("telegram")) == 1
    assert not await redis.exists(keys.payload(made.id))


async def test_jobs_come_oldest_first(broker: Broker, scripts: Scripts) -> None:
    """First come, first served within a lane."""
    ids = [(await submit(broker, job(user))).job_id for user in ("ada", "bob", "cleo")]
    assert [claimed.job_id for claimed in await claim(scripts, "w1", 6.0, 3)] == ids


async def test_a_dead_workers_job_is_claimed_again_at_its_old_place(broker: Broker, scripts: Scripts) -> None:
    """When the lease runs out the job goes back in front of those that came later."""
    first = await submit(broker, job("ada"))
    [held] = await claim(scripts, "w1", 0.0, 1)
    second = await submit(broker, job("bob"))
    await asyncio.sleep(0.002)  # a lease of nothing ends with the server's next millisecond
    claimed = await claim(scripts, "w2", 6.0, 2)
    assert [c.job_id for c in claimed] == [first.job_id, second.job_id]
    assert claimed[0].place == held.place


async def test_only_the_holder_of_the_lease_finishes(broker: Broker, scripts: Scripts) -> None:
    """A worker that was thought dead and comes back changes nothing."""
    made = job()
    await submit(broker, made)
    [late] = await claim(scripts, "w1", 0.0, 1)
    await asyncio.sleep(0.002)
    [owner] = await claim(scripts, "w2", 6.0, 1)

    async def finished(lease: str) -> bool:
        return await end_job(
            scripts, made.id, lease, status="done", outcome=encode(echoed()), keep=KEEP, gpu_seconds=1.0
        )

    assert not await finished(late.lease)
    assert not await scripts.release(made.id, late.lease)
    assert await finished(owner.lease)
    assert await finished(owner.lease)  # sent twice, as after a cut connection: it is done, and was done once
    assert await broker.redis.xlen(keys.outcomes("telegram")) == 1


async def test_estimates_follow_what_was_measured(broker: Broker, scripts: Scripts) -> None:
    """A kind that takes three times what it declares costs three times as much from then on."""
    await heartbeat(scripts)
    made = job(cost=2.0)
    await submit(broker, made)
    [claimed] = await claim(scripts, "w1", 6.0, 1)
    await end_job(
        scripts,
        made.id,
        claimed.lease,
        status="done",
        outcome=encode(echoed()),
        keep=KEEP,
        gpu_seconds=6.0,
        model="none",
    )
    estimate = await broker.estimate("echo", 2.5)
    assert estimate.cost == pytest.approx(7.5)
    assert estimate.model == "none"


async def test_ones_own_jobs_are_listed_newest_first(broker: Broker) -> None:
    """Only one's own, whatever became of them."""
    ids = [(await submit(broker, job("ada"))).job_id for _ in range(3)]
    await submit(broker, job("bob"))
    await broker.cancel(ids[0], None)
    records = await broker.jobs_of(requester("ada").key)
    assert [(record.id, record.state) for record in records] == [
        (ids[2], "waiting"),
        (ids[1], "waiting"),
        (ids[0], "cancelled"),
    ]


async def test_a_damaged_job_is_told_apart_from_a_missing_one(broker: Broker, redis: Redis) -> None:
    """Garbage in Redis is an error with a name, and hides no other job."""
    ticket = await submit(broker, job("ada"))
    other = await submit(broker, job("ada"))
    await answer(redis.hset(keys.job(ticket.job_id), mapping={"reply": b"\x80\x04garbage"}))
    with pytest.raises(CorruptMessageError):
        await broker.job(ticket.job_id)
    assert [record.id for record in await broker.jobs_of(requester("ada").key)] == [other.job_id]
    assert await broker.job("nosuchjob") is None


async def test_the_placeholder_joins_the_address(broker: Broker) -> None:
    """Once shown, the ticket's message is where the answer goes."""
    ticket = await submit(broker, job("ada"))
    await broker.set_reply(ticket.job_id, address("ada", message="77"))
    record = await broker.job(ticket.job_id)
    assert record is not None
    assert record.reply.message == "77"
    await broker.set_reply("nosuchjob", address("ada"))
    assert await broker.job("nosuchjob") is None
