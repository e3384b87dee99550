"""The same thing asked twice: one run, an answer for everybody, and nothing of anybody's private ones."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from queueing import ECHO, KEEP, DrivenEngine, address, leased_worker, requester, until, working
from redis.asyncio import Redis

from frontdesk.bots.desk import Desk
from frontdesk.bots.intake import Request
from frontdesk.bots.people import Admins, Person
from frontdesk.queue import keys
from frontdesk.queue.broker import Broker
from frontdesk.queue.events import OutcomeStream
from frontdesk.queue.jobs import JobRecord, Outcome
from frontdesk.queue.kinds import Registry
from frontdesk.queue.scripts import Scripts
from frontdesk.ratelimit.limiter import Limiter
from frontdesk.ratelimit.limits import Limits, nameless

SURE = replace(ECHO, deterministic=True)


def desk_for(redis: Redis, kind: object = ECHO, *, reuse: bool = True) -> Desk:
    kinds = Registry([kind])  # type: ignore[list-item]  # a parameter of the tests
    return Desk(kinds, Broker(redis, keep=KEEP), Limiter(redis), Limits.load(), Admins(), reuse=reuse)


def asked(user: str, text: str = "the same", *, private: bool = False) -> Request:
    update = f"{user}-{text}-{private}-{id(object())}-{asyncio.get_running_loop().time()}"
    return Request(Person(requester(user)), "echo", {"text": text}, address(user), update, private=private)


async def record(redis: Redis, job_id: str) -> JobRecord:
    found = await Broker(redis, keep=KEEP).job(job_id)
    assert found is not None
    return found


async def outcomes(redis: Redis, *job_ids: str) -> list[Outcome | None]:
    async def all_ended() -> bool:
        return all([(await record(redis, job_id)).ended for job_id in job_ids])

    await until(all_ended)
    return [(await record(redis, job_id)).outcome for job_id in job_ids]


async def test_identical_requests_run_once_and_answer_everybody(redis: Redis) -> None:
    """Three people ask the same; one run; three outcomes, each delivered to its own asker."""
    desk, engine = desk_for(redis), DrivenEngine(hold=True)
    tickets = [await desk.submit(asked(user)) for user in ("ada", "bob", "cleo")]
    async with working(leased_worker(redis, engine)):
        ran = await engine.started.get()
        engine.end(ran.id)
        said = await outcomes(redis, *(ticket.job_id for ticket in tickets))
        assert [outcome and outcome.result for outcome in said] == [{"said": "hello"}] * 3
        assert engine.started.empty()
    stream = OutcomeStream(redis, "telegram")
    await stream.open()
    await stream.read(0.01)
    events = await stream.read(0.01)
    assert {event.job_id for event in events} == {ticket.job_id for ticket in tickets}


async def test_they_share_a_position(redis: Redis) -> None:
    """Who asks for what is waiting already stands where that stands."""
    desk = desk_for(redis)
    await desk.submit(asked("eve", "something else"))
    first = await desk.submit(asked("ada"))
    await desk.submit(asked("dan", "a third thing"))
    assert (await desk.submit(asked("bob"))).position == first.position == 2


async def test_other_parameters_are_another_request(redis: Redis) -> None:
    """Only what is the same in everything is the same."""
    desk = desk_for(redis)
    assert [(await desk.submit(asked("ada", text))).position for text in ("one", "two")] == [1, 2]


async def test_another_model_is_another_request(redis: Redis) -> None:
    """A worker that came with another model answers anew."""
    desk, scripts = desk_for(redis), Scripts(redis)
    await scripts.renew("w1", 6.0, b"{}", {}, {"echo": "small (bfloat16)"})
    await desk.submit(asked("ada"))
    await scripts.renew("w1", 6.0, b"{}", {}, {"echo": "large (nf4)"})
    assert (await desk.submit(asked("bob"))).position == 2


async def test_a_private_request_is_shared_with_nobody(redis: Redis) -> None:
    """Neither does it wait for another's run, nor another for its."""
    desk = desk_for(redis, SURE)
    tickets = [
        await desk.submit(asked("ada", private=True)),
        await desk.submit(asked("bob")),
        await desk.submit(asked("bob", private=True)),
    ]
    assert [ticket.position for ticket in tickets] != [1, 1, 1]
    engine = DrivenEngine()
    async with working(leased_worker(redis, engine, fresh={"echo": 60.0})):
        await outcomes(redis, *(ticket.job_id for ticket in tickets))
        later = await desk.submit(asked("cleo", private=True))
        assert not later.answered
        await outcomes(redis, later.job_id)
    assert engine.started.qsize() == 4


async def test_each_cancels_their_own_while_it_waits(redis: Redis) -> None:
    """The first asker leaves: the job goes on at its place for the others; when all have left, it is gone."""
    desk = desk_for(redis)
    tickets = [await desk.submit(asked(user)) for user in ("ada", "bob", "cleo")]
    assert await desk.cancel(Person(requester("ada")), tickets[0].job_id) == "cancelled"
    assert (await record(redis, tickets[1].job_id)).state == "waiting"
    assert (await desk.submit(asked("dan", "behind"))).position == 2
    assert await desk.cancel(Person(requester("cleo")), tickets[2].job_id) == "cancelled"
    assert await desk.cancel(Person(requester("bob")), tickets[1].job_id) == "cancelled"
    assert await redis.zcard(keys.lane("short")) == 1  # dan's


async def test_each_cancels_their_own_while_it_runs(redis: Redis) -> None:
    """The one whose job runs leaves at once, and the run goes on; with the last of them it ends."""
    desk, engine = desk_for(redis), DrivenEngine(hold=True)
    tickets = [await desk.submit(asked(user)) for user in ("ada", "bob", "cleo")]
    async with working(leased_worker(redis, engine)):
        ran = await engine.started.get()
        assert ran.id == tickets[0].job_id
        assert await desk.cancel(Person(requester("ada")), tickets[0].job_id) == "cancelled"
        assert (await record(redis, tickets[0].job_id)).state == "cancelled"
        assert engine.cancelled == []
        assert await desk.cancel(Person(requester("bob")), tickets[1].job_id) == "cancelled"
        engine.end(ran.id)
        [left] = await outcomes(redis, tickets[2].job_id)
        assert left is not None
        assert left.status == "done"
    assert (await record(redis, tickets[0].job_id)).state == "cancelled"


async def test_a_run_that_nobody_waits_for_is_stopped(redis: Redis) -> None:
    """All have cancelled: the device is free for others."""
    desk, engine = desk_for(redis), DrivenEngine(hold=True)
    tickets = [await desk.submit(asked(user)) for user in ("ada", "bob")]
    async with working(leased_worker(redis, engine)):
        ran = await engine.started.get()
        for user, ticket in zip(("ada", "bob"), tickets, strict=True):
            await desk.cancel(Person(requester(user)), ticket.job_id)
        await until(lambda: engine.cancelled == [ran.id])
        await until(lambda: _idle(redis))


async def _idle(redis: Redis) -> bool:
    return bool(await redis.zcard(keys.RUNNING) == 0)


async def test_a_run_that_was_left_by_its_first_asker_survives_its_worker(redis: Redis) -> None:
    """The worker dies: whoever still waits gets the job's place, and an answer."""
    desk, engine = desk_for(redis), DrivenEngine(hold=True)
    tickets = [await desk.submit(asked(user)) for user in ("ada", "bob")]
    dead = leased_worker(redis, engine, worker_id="dead")
    await dead._poll_iteration()
    await desk.cancel(Person(requester("ada")), tickets[0].job_id)
    for task in dead.tasks.values():
        task.cancel()
    await Scripts(redis).reap("dead", keep=KEEP)
    async with working(leased_worker(redis, DrivenEngine(), worker_id="w2")):
        [said] = await outcomes(redis, tickets[1].job_id)
    assert said is not None
    assert said.status == "done"
    assert (await record(redis, tickets[0].job_id)).state == "cancelled"


async def test_nobody_waits_longer_for_somebody_elses_turn(redis: Redis) -> None:
    """What is last in the queue of one who floods it is no reason to wait for that: one's own run is sooner."""
    desk = desk_for(redis)
    for number in range(3):
        last = await desk.submit(asked("eve", f"text {number}"))
    assert last.position == 3
    assert (await desk.submit(asked("bob", "text 2"))).position == 2


async def test_a_cancelled_run_is_not_tried_again(redis: Redis) -> None:
    """Its worker dies before it noticed: the requester wanted it to end, and it has."""
    desk, engine = desk_for(redis), DrivenEngine(hold=True)
    ticket = await desk.submit(asked("ada"))
    dead = leased_worker(redis, engine, worker_id="dead")
    await dead._poll_iteration()
    assert await desk.cancel(Person(requester("ada")), ticket.job_id) == "stopping"
    for task in dead.tasks.values():
        task.cancel()
    await Scripts(redis).reap("dead", keep=KEEP)
    assert await outcomes(redis, ticket.job_id) == [Outcome(status="cancelled")]
    assert not await redis.exists(keys.lane("short"))


async def test_another_models_result_is_not_fresh(redis: Redis) -> None:
    """Asked for under one model and run by another, it answers for the one that ran."""
    desk, scripts = desk_for(redis, SURE), Scripts(redis)
    await scripts.renew("w1", 6.0, b"{}", {}, {"echo": "old"})
    first = await desk.submit(asked("ada"))
    async with working(leased_worker(redis, DrivenEngine(), fresh={"echo": 60.0})):
        await outcomes(redis, first.job_id)
    await scripts.renew("w1", 6.0, b"{}", {}, {"echo": "old"})
    assert not (await desk.submit(asked("bob"))).answered


async def test_a_fresh_result_answers_at_once(redis: Redis) -> None:
    """A deterministic kind is not run again for what it just said; the budget of device time is given back."""
    desk, engine = desk_for(redis, SURE), DrivenEngine()
    async with working(leased_worker(redis, engine, fresh={"echo": 60.0})):
        await until(lambda: redis.hexists(keys.MODELS, "echo"))
        first = await desk.submit(asked("ada"))
        await outcomes(redis, first.job_id)
        second = await desk.submit(asked("bob"))
        assert second.answered
        assert await outcomes(redis, second.job_id) == await outcomes(redis, first.job_id)
        assert engine.started.qsize() == 1
    assert not await redis.exists(f"fd:limit:daily:{nameless('telegram:bob')}")


@pytest.mark.parametrize(("kind", "reuse"), [(ECHO, True), (SURE, False)])
async def test_what_may_differ_is_run_again(redis: Redis, kind: object, reuse: bool) -> None:
    """A kind that is not deterministic, or a desk that wants no old answers."""
    desk, engine = desk_for(redis, kind, reuse=reuse), DrivenEngine()
    async with working(leased_worker(redis, engine, fresh={})):
        for user in ("ada", "bob"):
            ticket = await desk.submit(asked(user))
            await outcomes(redis, ticket.job_id)
    assert engine.started.qsize() == 2
