"""A worker that lacks what a job needs leaves it to others; it hides no other job, and whoever asked is told why."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import pytest
from queueing import (
    ECHO,
    KEEP,
    DrivenEngine,
    address,
    echoed,
    end_job,
    job,
    leased_worker,
    requester,
    submit,
    until,
    working,
)
from redis.asyncio import Redis

from frontdesk.bots.desk import Desk
from frontdesk.bots.intake import Request
from frontdesk.bots.job_replies import job_reply
from frontdesk.bots.people import Admins, Person
from frontdesk.bots.replies import as_text, ticket_reply
from frontdesk.queue import keys
from frontdesk.queue.broker import Broker
from frontdesk.queue.codec import encode
from frontdesk.queue.connection import answer
from frontdesk.queue.jobs import Job, Platform, Share, Ticket
from frontdesk.queue.kinds import Registry
from frontdesk.queue.needs import lacking, written
from frontdesk.queue.oversight import Oversight
from frontdesk.queue.report import Stranded, WorkerState, queue_report
from frontdesk.queue.scripts import Claimed, Scripts
from frontdesk.queue.steering import Steering
from frontdesk.ratelimit.limiter import Limiter
from frontdesk.ratelimit.limits import Limits

DIGITS, PICTURES = "echo/digits", "echo/pictures"
NO_DIGITS = {DIGITS: "The digits are not installed here."}
GIGABYTE = 10**9
HOUR = 3600.0


async def on_duty(
    scripts: Scripts,
    worker: str,
    lacks: dict[str, str] | None = None,
    memory: int = 0,
    lanes: tuple[str, ...] = ("short",),
) -> None:
    state = WorkerState(
        id=worker, lanes=lanes, kinds=("echo",), device="cpu", models=(), memory=0, started_at=0, lacks=lacks or {},
        memory_limit=memory,
    )  # fmt: skip
    await scripts.renew(worker, 60.0, encode(state), {}, {})


async def claim(
    scripts: Scripts, worker: str = "w1", slots: int = 1, lacks: Any = (), memory: int = 0, **options: Any
) -> list[Claimed]:
    options = {"keep": KEEP, "patience": HOUR} | options
    return (await scripts.turn(worker, 60.0, {"short": slots}, lacks=lacks, memory=memory, **options)).jobs


async def finish(scripts: Scripts, claimed: Claimed) -> None:
    assert await end_job(scripts, claimed.job_id, claimed.lease, status="done", outcome=encode(echoed()), gpu_seconds=2)


async def served(scripts: Scripts, worker: str = "w1", lacks: Any = (), **options: Any) -> list[str]:
    """The ids of all jobs that it takes, one after the other."""
    ids = []
    while claimed := await claim(scripts, worker, lacks=lacks, **options):
        ids.append(claimed[0].job_id)
        await finish(scripts, claimed[0])
    return ids


async def asked(broker: Broker, user: str = "ada", needs: str = DIGITS, **options: Any) -> str:
    return (await submit(broker, job(user), needs=needs, **options)).job_id


async def look(broker: Broker, made: Job) -> Ticket:
    return await broker.ticket(made.id, made.lane)


@pytest.mark.parametrize(
    ("needs", "lacks", "memory"),
    [
        (DIGITS, (DIGITS,), 0),
        (f"{PICTURES} {DIGITS}", (DIGITS,), 0),
        ("", ("echo",), 0),
        ("8200000000", (), 8 * GIGABYTE),
    ],
    ids=["a need", "one of two", "the kind itself", "memory"],
)
async def test_a_job_is_left_to_a_worker_that_has_what_it_needs(
    broker: Broker, scripts: Scripts, needs: str, lacks: tuple[str, ...], memory: int
) -> None:
    """However often the other one looks."""
    job_id = await asked(broker, needs=needs)
    assert [await claim(scripts, "poor", lacks=lacks, memory=memory) for _ in range(3)] == [[], [], []]
    [claimed] = await claim(scripts, "rich", memory=9 * GIGABYTE)
    assert claimed.job_id == job_id


async def test_a_worker_with_just_enough_memory_takes_it(broker: Broker, scripts: Scripts) -> None:
    await asked(broker, needs=str(8 * GIGABYTE))
    assert len(await claim(scripts, memory=8 * GIGABYTE)) == 1


@pytest.mark.parametrize("in_one_turn", [1, 8])
async def test_others_are_found_behind_any_number_of_jobs_that_it_cannot_run(
    broker: Broker, scripts: Scripts, in_one_turn: int
) -> None:
    """1,300 of one person before one of somebody else take a few looks, and the worker is told to look at once."""
    for _ in range(1300):
        await asked(broker, "eve", share=Share(band=0))
    wanted = await asked(broker, "ada", needs="")
    for _ in range(11):
        turn = await scripts.turn("w1", 60.0, {"short": in_one_turn}, lacks=(DIGITS,), keep=KEEP, patience=HOUR)
        if turn.jobs:
            break
        assert turn.expires == 0.0
    assert [claimed.job_id for claimed in turn.jobs] == [wanted]


async def test_who_comes_later_with_the_ability_takes_them_in_the_fair_order(broker: Broker, scripts: Scripts) -> None:
    """As if nobody had looked at them before: those that were passed over, and the rest, by their places."""
    every = []
    for number in range(12):
        every.append(await asked(broker, f"user{number}", ("", DIGITS, PICTURES)[number % 3]))
        if number == 7:
            assert await claim(scripts, "poor", slots=9, lacks=("echo", DIGITS, PICTURES)) == []
    assert await served(scripts, "rich") == every


async def test_each_worker_takes_what_it_can_in_the_fair_order(broker: Broker, scripts: Scripts) -> None:
    ids = [await asked(broker, f"user{number}", ("", DIGITS, PICTURES)[number % 3]) for number in range(9)]
    assert await served(scripts, "plain", (DIGITS, PICTURES)) == ids[0::3]
    assert await served(scripts, "painter", (DIGITS,)) == ids[2::3]
    assert await served(scripts, "counter", (PICTURES,)) == ids[1::3]


async def test_the_oldest_overtakes_where_it_can_be_run(broker: Broker, scripts: Scripts, redis: Redis) -> None:
    """Every fourth start goes to the oldest: of those that this worker can run, also where another passed it over."""
    oldest = await asked(broker, "ada", share=Share(band=2))
    second = await asked(broker, "bob", needs="", share=Share(band=2))
    for _ in range(12):
        await asked(broker, "eve", needs="", share=Share(band=0))
    for position, job_id in enumerate((oldest, second)):
        await answer(redis.hset(keys.job(job_id), "submitted", str(int((time.time() - 7200 + position) * 1000))))
    poor = [(await claim(scripts, "poor", lacks=(DIGITS,)))[0].job_id for _ in range(4)]
    assert poor.index(second) == 3
    rich = [(await claim(scripts, "rich"))[0].job_id for _ in range(4)]
    assert rich.index(oldest) == 3


async def test_it_is_handed_to_one_that_can_run_it(broker: Broker, scripts: Scripts, redis: Redis) -> None:
    """Of two idle workers, the one that lacks nothing; where neither can, it waits."""
    poor_engine, rich_engine = DrivenEngine(), DrivenEngine()
    poor = leased_worker(redis, poor_engine, worker_id="poor", lacks=(DIGITS, PICTURES), lanes={"short": 9})
    rich = leased_worker(redis, rich_engine, worker_id="rich", lacks=(PICTURES,))
    async with working(poor), working(rich):
        await until(lambda: _idle(redis, 2))
        job_id = await asked(broker)
        assert (await rich_engine.started.get()).id == job_id
        left = job("bob")
        await submit(broker, left, needs=PICTURES)
        common = await asked(broker, "cleo", "")
        await until(lambda: _ended(broker, common))
        record = await broker.job(left.id)
        assert record is not None
        assert record.state == "waiting"


async def _idle(redis: Redis, count: int) -> bool:
    return bool(await answer(redis.hlen(keys.IDLE + "short")) == count)


async def _ended(broker: Broker, job_id: str) -> bool:
    record = await broker.job(job_id)
    return record is not None and record.ended


async def test_the_ticket_says_why_nobody_can_run_it(broker: Broker, scripts: Scripts) -> None:
    """At submission and afterwards, until somebody comes who can, or until nobody is there at all."""
    made = job()
    assert (await submit(broker, made, needs=DIGITS)).lacking is None  # no worker at all is another reason
    await on_duty(scripts, "poor", NO_DIGITS)
    other = job("bob")
    ticket = await submit(broker, other, needs=DIGITS)
    assert (ticket.lacking, ticket.wait, ticket.unserved) == ("The digits are not installed here.", None, False)
    await claim(scripts, "poor", lacks=NO_DIGITS)
    assert (await look(broker, made)).lacking == "The digits are not installed here."
    await on_duty(scripts, "rich")
    ticket = await look(broker, other)
    assert ticket.lacking is None
    assert ticket.wait is not None


async def test_the_ticket_says_how_much_memory_it_takes(broker: Broker, scripts: Scripts) -> None:
    await on_duty(scripts, "small", memory=8 * GIGABYTE)
    ticket = await submit(broker, job(), needs=written((), 12_340_000_000))
    assert ticket.lacking == "It takes 13.0 GB of memory, and a job may take 8.0 GB here."
    await on_duty(scripts, "large", memory=13 * GIGABYTE)
    assert (await submit(broker, job("bob"), needs=written((), 12_340_000_000))).lacking is None


async def test_positions_and_waits_leave_out_what_nobody_can_run(broker: Broker, scripts: Scripts) -> None:
    """Forty jobs that wait for a worker that never comes hold up nobody; a worker that can run them counts them in."""
    await on_duty(scripts, "poor", NO_DIGITS)
    await asked(broker, "zoe", "")
    assert len(await claim(scripts, "poor", lacks=NO_DIGITS)) == 1
    for number in range(40):
        await asked(broker, f"user{number}")
    await claim(scripts, "poor", lacks=NO_DIGITS)
    made = job("ada")
    ticket = await submit(broker, made, needs="")
    assert ticket.position == 1
    assert ticket.wait is not None
    assert ticket.wait < 10
    await on_duty(scripts, "rich")
    ticket = await look(broker, made)
    assert ticket.position == 41
    assert ticket.wait is not None
    assert ticket.wait > 20


async def test_a_request_like_one_that_waits_for_a_worker_waits_with_it(broker: Broker, scripts: Scripts) -> None:
    """And is told why; one run answers both."""
    await on_duty(scripts, "poor", NO_DIGITS)
    first, second = job("ada"), job("bob")
    await submit(broker, first, digest="abcdefghijk", needs=DIGITS)
    await claim(scripts, "poor", lacks=NO_DIGITS)
    ticket = await submit(broker, second, digest="abcdefghijk", needs=DIGITS)
    record = await broker.job(second.id)
    assert record is not None
    assert (record.leader, ticket.position) == (first.id, 1)
    assert ticket.lacking == "The digits are not installed here."
    await broker.cancel(first.id, first.requester.key)  # the other takes its place
    assert await served(scripts, "rich") == [second.id]


async def test_it_can_be_cancelled_and_leaves_nothing(broker: Broker, scripts: Scripts, redis: Redis) -> None:
    made = job()
    await submit(broker, made, needs=DIGITS)
    await claim(scripts, "poor", lacks=NO_DIGITS)
    assert await broker.cancel(made.id, made.requester.key) == "cancelled"
    assert await claim(scripts, "rich") == []
    assert [key async for key in redis.scan_iter("fd:apart*")] == []
    assert not await redis.exists(keys.LANE_COST + "short")
    assert await answer(redis.hget(keys.virtual("short"), "apart")) is None


async def test_an_admin_can_bring_it_forward(broker: Broker, scripts: Scripts, redis: Redis) -> None:
    ids = [await asked(broker, f"user{number}") for number in range(3)]
    await claim(scripts, "poor", lacks=NO_DIGITS)
    await asked(broker, "zoe", "")
    assert (await Steering(redis, keep=KEEP).bump(ids[2], by="console:ada")).result == "bumped"
    assert await redis.zcard(keys.lane("short")) == 1
    assert (await served(scripts, "rich"))[:2] == [ids[2], ids[0]]


async def test_it_goes_back_to_its_place_when_its_worker_dies(broker: Broker, scripts: Scripts) -> None:
    ids = [await asked(broker, f"user{number}") for number in range(3)]
    await claim(scripts, "poor", lacks=NO_DIGITS)
    [held] = await claim(scripts, "rich")
    assert held.job_id == ids[0]
    await scripts.reap("rich", keep=KEEP)
    await claim(scripts, "poor", lacks=NO_DIGITS)
    assert await served(scripts, "other") == ids


async def test_what_nobody_could_run_in_time_ends(broker: Broker, scripts: Scripts, redis: Redis) -> None:
    """A day later it is given to a worker that cannot run it, which says that it waited too long."""
    engine, made = DrivenEngine(), job()
    await submit(broker, made.model_copy(update={"submitted_at": time.time() - 7200}), needs=DIGITS)
    await answer(redis.hset(keys.job(made.id), "submitted", str(int((time.time() - 7200) * 1000))))
    worker = leased_worker(redis, engine, kinds={}, lacks=("echo", DIGITS), lanes={"short": 1}, max_wait=HOUR)
    async with working(worker):
        await until(lambda: _ended(broker, made.id))
    record = await broker.job(made.id)
    assert record is not None
    assert record.outcome is not None
    assert record.outcome.status == "expired"
    assert engine.started.empty()


async def test_admins_see_what_nobody_can_run(broker: Broker, scripts: Scripts, redis: Redis) -> None:
    """By what it needs, whether a worker has looked at it or not; nothing of it once somebody can."""
    first = await asked(broker)
    await asked(broker, "bob", "")
    await on_duty(scripts, "poor", NO_DIGITS)
    stranded = Stranded("echo echo/digits", 1, "The digits are not installed here.")
    assert [lane.stranded for lane in (await queue_report(redis)).lanes] == [(stranded,)]
    await claim(scripts, "poor", slots=0, lacks=NO_DIGITS)
    [_] = await claim(scripts, "poor", lacks=NO_DIGITS, slots=2)
    [lane] = (await queue_report(redis)).lanes
    assert (lane.waiting, lane.stranded) == (1, (stranded,))
    assert [waiting.id for waiting in await Oversight(redis).waiting()] == [first]
    await on_duty(scripts, "rich")
    assert [lane.stranded for lane in (await queue_report(redis)).lanes] == [()]


@pytest.mark.parametrize("platform", ["discord", "telegram", "console"])
async def test_whoever_asks_reads_why(broker: Broker, scripts: Scripts, redis: Redis, platform: Platform) -> None:
    """From the declaration to the ticket, on every platform alike; and again with `/jobs JOB`."""
    kind = replace(ECHO, needs=lambda params: (DIGITS,) if params.text == "digits" else ())
    desk = Desk(Registry([kind]), broker, Limiter(redis), Limits.load(), Admins())
    await on_duty(scripts, "poor", NO_DIGITS)
    person, lines = Person(requester("ada", platform)), []
    for text in ("digits", "else"):
        request = Request(person, "echo", {"text": text}, address("ada", platform), f"update-{text}", private=False)
        ticket = await desk.submit(request)
        lines.append(as_text(ticket_reply(kind, ticket)).split("\n")[1:])
        assert as_text(job_reply(kind, *await desk.look(person, ticket.job_id), 0.0)).split("\n")[1:] == lines[-1]
    assert lines == [["The digits are not installed here."], []]


@pytest.mark.parametrize("needs", ["", DIGITS, f"{DIGITS} 2000000000", "12000000000"])
@pytest.mark.parametrize("lacks", [{}, NO_DIGITS, {"echo": "No echo here."}])
@pytest.mark.parametrize("memory", [0, GIGABYTE, 20 * GIGABYTE])
async def test_admins_and_requesters_read_the_same(
    broker: Broker, scripts: Scripts, redis: Redis, needs: str, lacks: dict[str, str], memory: int
) -> None:
    """The rule is in the scripts and in the report."""
    await on_duty(scripts, "w1", lacks, memory)
    ticket = await submit(broker, job(), needs=needs)
    assert ticket.lacking == lacking(["echo", *needs.split()], lacks, memory)
    [lane] = (await queue_report(redis)).lanes
    assert [each.lacking for each in lane.stranded] == ([ticket.lacking] if ticket.lacking else [])


async def test_a_job_without_needs_costs_no_more(broker: Broker, scripts: Scripts, redis: Redis) -> None:
    """Neither memory, nor commands of Redis: as many where the worker lacks something as where it lacks nothing."""

    async def commands(work: Any) -> int:
        await redis.config_resetstat()
        await work
        said = await redis.info("commandstats")
        return sum(
            int(each["calls"]) for name, each in said.items() if not name.startswith(("cmdstat_config", "cmdstat_info"))
        )

    made = [job(f"user{number}") for number in range(6)]
    for each in made:
        await submit(broker, each)
    await claim(scripts)
    without = await commands(claim(scripts))
    assert await commands(claim(scripts, lacks=NO_DIGITS, memory=GIGABYTE)) == without
    fields = await answer(redis.hkeys(keys.job(made[5].id)))
    assert not {b"needs", b"apart"} & set(fields)


def test_memory_is_rounded_up() -> None:
    """So that jobs that take nearly the same are treated alike, and none is said to take less than it does."""
    assert [written((), size) for size in (1, 99, 101, 812_345_678, 12_000_000_000)] == [
        "1", "99", "110", "820000000", "12000000000",
    ]  # fmt: skip
    assert written((DIGITS, PICTURES), None) == "echo/digits echo/pictures"
