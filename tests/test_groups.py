"""One request that is many jobs: one ticket, one progress, one outcome, and one way out."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any

import pytest
from pydantic import Field
from queueing import (
    ECHO,
    KEEP,
    DrivenEngine,
    EchoParams,
    address,
    end_job,
    has_ended,
    leased_worker,
    requester,
    until,
    working,
)
from redis.asyncio import Redis

from frontdesk.bots.desk import Desk
from frontdesk.bots.intake import Request
from frontdesk.bots.people import Admins, Person
from frontdesk.queue import keys
from frontdesk.queue.artifacts import Artifact
from frontdesk.queue.broker import Broker
from frontdesk.queue.codec import encode
from frontdesk.queue.errors import DeclarationError, LimitedError, UnknownTargetError
from frontdesk.queue.events import OutcomeStream, next_progress, progress_channel
from frontdesk.queue.jobs import JobRecord, Outcome, Progress, Ranking, is_member, member_id
from frontdesk.queue.kinds import JobKind, Members, Registry
from frontdesk.queue.parameters import Params, Value
from frontdesk.queue.report import WorkerState
from frontdesk.queue.results import Result
from frontdesk.queue.scripts import Claimed, Scripts
from frontdesk.queue.uploads import Upload
from frontdesk.ratelimit.limiter import Limiter
from frontdesk.ratelimit.limits import Limits, nameless

SURE = replace(ECHO, deterministic=True)
ADA = Person(requester("ada"))


class ManyParams(Params):
    text: Annotated[str, Field(description="What to say back")]
    times: Annotated[int, Field(description="In how many ways", ge=2, le=24)] = 3


class ManyResult(Result):
    members: int
    done: int
    best: list[dict[str, Any]]


def each(params: ManyParams) -> Sequence[EchoParams]:
    return [EchoParams(text=f"{params.text} {number}") for number in range(params.times)]


MANY = JobKind(
    "many", "Says it in several ways", ManyParams, ManyResult, cost=lambda params: 2.0, members=Members(SURE, each)
)


@pytest.fixture
def desk(redis: Redis) -> Desk:
    return Desk(Registry([SURE, MANY]), Broker(redis, keep=KEEP), Limiter(redis), Limits.load(), Admins())


def asked(
    times: int = 3, *, user: str = "ada", update: str = "u1", text: str = "say", private: bool = False
) -> Request:
    raw: dict[str, Value] = {"text": text, "times": times}
    return Request(Person(requester(user)), "many", raw, address(user), update, private=private)


def ended(place: int, text: str = "hello") -> Outcome:
    return Outcome(
        status="done", result={"said": text}, gpu_seconds=0.5, ranking=Ranking(place=place, said=f"rank {place}")
    )


async def record(desk: Desk, job_id: str) -> JobRecord:
    found = await Broker(desk.steering._redis, keep=KEEP).job(job_id)
    assert found is not None
    return found


async def outcome_of(redis: Redis, job_id: str) -> Outcome:
    broker = Broker(redis, keep=KEEP)
    await until(lambda: has_ended(broker, job_id))
    found = await broker.job(job_id)
    assert found is not None
    assert found.outcome is not None
    return found.outcome


async def told(redis: Redis) -> list[str]:
    """The jobs whose outcomes are to be delivered."""
    stream = OutcomeStream(redis, "telegram")
    await stream.open()
    return [event.job_id for event in [*await stream.read(0.01), *await stream.read(0.01)]]


async def test_the_last_member_ends_the_group(redis: Redis, desk: Desk) -> None:
    """One outcome for all of them: the best first, and nobody is told of a member."""
    ticket, engine = await desk.submit(asked()), DrivenEngine(hold=True)
    async with working(leased_worker(redis, engine)):
        ran = [await engine.started.get() for _ in range(3)]
        assert [job.params["text"] for job in ran] == ["say 0", "say 1", "say 2"]
        for place, job in zip((7, 3, 5), ran, strict=True):
            engine.end(job.id, ended(place, str(job.params["text"])))
        outcome = await outcome_of(redis, ticket.job_id)
    result = ManyResult.model_validate(outcome.result)
    assert (outcome.status, result.members, result.done) == ("done", 3, 3)
    assert [one["outcome"]["d"]["result"]["said"] for one in result.best] == ["say 1", "say 2", "say 0"]
    assert result.best[0]["job_id"] == ran[1].id
    assert await told(redis) == [ticket.job_id]
    assert [job.id for job in await desk.jobs(ADA)] == [ticket.job_id]
    assert await redis.zcard("fd:limit:in_flight:many:telegram:ada") == 0


async def test_progress_is_of_all_together(redis: Redis, desk: Desk) -> None:
    """How many have ended, and the best so far."""
    ticket, engine = await desk.submit(asked()), DrivenEngine(hold=True)
    assert (await record(desk, ticket.job_id)).state == "waiting"
    heard: list[Progress] = []
    async with progress_channel(redis, "telegram") as channel, working(leased_worker(redis, engine)):
        ran = [await engine.started.get() for _ in range(3)]
        assert (await record(desk, ticket.job_id)).state == "running"
        engine.end(ran[0].id, ended(9))
        engine.end(ran[1].id, Outcome(status="failed", reason="It diverged."))

        async def both() -> bool:
            while news := await next_progress(channel, 0.05):
                heard.extend([news] if news.job_id == ticket.job_id else [])
            return bool(heard) and (heard[-1].note or "").startswith("2 of 3")

        await until(both)
        engine.end(ran[2].id, ended(4))
        await outcome_of(redis, ticket.job_id)
    assert heard[0].note == "0 of 3 ended"
    assert heard[-1].note == "2 of 3 ended, 1 without a result; the best so far: rank 9"
    assert heard[-1].fraction == pytest.approx(2 / 3)


async def test_it_fails_only_where_all_do(redis: Redis, desk: Desk) -> None:
    """With the reason of one of them."""
    first, second = await desk.submit(asked(2)), await desk.submit(asked(2, update="u2", text="again"))
    engine = DrivenEngine(hold=True)
    async with working(leased_worker(redis, engine)):
        for number in range(4):
            job = await engine.started.get()
            engine.end(job.id, ended(1) if number == 3 else Outcome(status="failed", reason='It "diverged".'))
        failed, mixed = await outcome_of(redis, first.job_id), await outcome_of(redis, second.job_id)
    assert failed.status == "failed"
    assert failed.reason == 'None of the 2 came to a result. It "diverged".'
    assert mixed.status == "done"
    assert ManyResult.model_validate(mixed.result).done == 1


async def test_one_cancel_ends_all_of_it(redis: Redis, desk: Desk) -> None:
    """What waits and what runs, within a moment; what came out so far is told."""
    ticket, engine = await desk.submit(asked(8)), DrivenEngine(hold=True)
    async with working(leased_worker(redis, engine, lanes={"short": 2})):
        ran = [await engine.started.get() for _ in range(2)]
        engine.end(ran[0].id, ended(9))
        ran.append(await engine.started.get())
        assert await desk.cancel(ADA, ticket.job_id) == "cancelled"
        async with asyncio.timeout(2):
            await until(lambda: set(engine.cancelled) == {ran[1].id, ran[2].id})
            await until(lambda: _idle(redis))
        outcome = await outcome_of(redis, ticket.job_id)
        assert (outcome.status, outcome.reason) == ("cancelled", "1 of 8 ended; the best so far: rank 9.")
        assert engine.started.empty()
    assert await told(redis) == [ticket.job_id]
    assert not await redis.exists(keys.lane("short"), keys.LANE_COST + "short", keys.BUSY_COST + "short")
    assert await desk.cancel(ADA, ticket.job_id) == "ended"


async def test_nobody_elses_can_be_cancelled(desk: Desk) -> None:
    """Neither whole nor in part, and one's own part may."""
    ticket = await desk.submit(asked())
    bob = Person(requester("bob"))
    for job_id in (ticket.job_id, member_id(ticket.job_id, 0)):
        with pytest.raises(Exception, match="no job"):
            await desk.cancel(bob, job_id)
    assert await desk.cancel(ADA, member_id(ticket.job_id, 0)) == "cancelled"
    assert (await record(desk, ticket.job_id)).state == "running"


async def test_a_killed_worker_costs_one_members_start(redis: Redis, desk: Desk) -> None:
    """The group goes on, and ends once."""
    ticket, scripts = await desk.submit(asked(2)), Scripts(redis)
    [first, second] = (await scripts.turn("w1", 60.0, {"short": 2}, keep=KEEP, patience=3600.0)).jobs
    await end_job(scripts, first.job_id, first.lease, status="done", outcome=encode(ended(2)), gpu_seconds=1.0)
    assert await scripts.reap("w1", keep=KEEP) == ([second.job_id], [])
    assert (await record(desk, ticket.job_id)).state == "running"
    [again] = (await scripts.turn("w2", 60.0, {"short": 2}, keep=KEEP, patience=3600.0)).jobs
    late = encode(ended(0))  # the dead one was not quite dead
    assert not await end_job(scripts, second.job_id, second.lease, status="done", outcome=late, gpu_seconds=1.0)
    for _ in range(2):  # its answer was lost, and it is sent again
        assert await end_job(
            scripts, again.job_id, again.lease, status="done", outcome=encode(ended(1)), gpu_seconds=1.0
        )
    outcome = await outcome_of(redis, ticket.job_id)
    assert ManyResult.model_validate(outcome.result).best[0]["outcome"]["d"]["ranking"]["place"] == 1
    assert await told(redis) == [ticket.job_id]


async def test_a_member_that_stops_its_workers_fails_alone(redis: Redis, desk: Desk) -> None:
    """The third time it is given up; the group has the result of the others."""
    ticket, scripts = await desk.submit(asked(2)), Scripts(redis)
    [good] = (await scripts.turn("w0", 60.0, {"short": 1}, keep=KEEP, patience=3600.0)).jobs
    await end_job(scripts, good.job_id, good.lease, status="done", outcome=encode(ended(2)), gpu_seconds=1.0)
    for number in range(3):
        await scripts.turn(f"w{number}", 60.0, {"short": 1}, keep=KEEP, patience=3600.0)
        await scripts.reap(f"w{number}", keep=KEEP)
    outcome = await outcome_of(redis, ticket.job_id)
    assert ManyResult.model_validate(outcome.result).model_dump(include={"members", "done"}) == {
        "members": 2,
        "done": 1,
    }
    assert await told(redis) == [ticket.job_id]


async def test_a_member_that_was_kept_aside_runs_again_only_while_its_group_waits_for_others(
    redis: Redis, desk: Desk
) -> None:
    """Its end counts once; when the group has ended, nobody would be told of another."""
    ticket, scripts, steering = await desk.submit(asked(2)), Scripts(redis), desk.steering

    async def claim(worker: str = "w0") -> Claimed:
        [taken] = (await scripts.turn(worker, 60.0, {"short": 1}, keep=KEEP, patience=3600.0)).jobs
        return taken

    async def end(taken: Claimed) -> None:
        await end_job(scripts, taken.job_id, taken.lease, status="done", outcome=encode(ended(2)), gpu_seconds=1.0)

    good = await claim()
    for number in range(3):
        bad = await claim(f"w{number + 1}")
        await scripts.reap(f"w{number + 1}", keep=KEEP)
    await steering.requeue(bad.job_id, by="console:root")
    await end(good)
    assert not (await record(desk, ticket.job_id)).ended
    for number in range(3):
        assert (await claim(f"w{number + 1}")).job_id == bad.job_id
        await scripts.reap(f"w{number + 1}", keep=KEEP)
    outcome = await outcome_of(redis, ticket.job_id)
    assert ManyResult.model_validate(outcome.result).done == 1
    with pytest.raises(UnknownTargetError, match="one of many jobs of a request, which has ended"):
        await steering.requeue(bad.job_id, by="console:root")
    assert await told(redis) == [ticket.job_id]


async def test_an_admin_brings_a_group_forward_as_one(redis: Redis, desk: Desk) -> None:
    """With all of its members that wait, in their order; again, it is said to be first or to run."""
    for number in range(3):
        await desk.submit(
            Request(Person(requester("bob")), "echo", {"text": f"before {number}"}, address("bob"), f"b{number}")
        )
    ticket, scripts, steering = await desk.submit(asked(2)), Scripts(redis), desk.steering
    assert (await steering.bump(ticket.job_id, by="console:root")).result == "bumped"
    assert (await desk.look(ADA, ticket.job_id))[1].position in (0, 1)
    members = [member_id(ticket.job_id, number) for number in range(2)]
    for number, then in enumerate(("first", "running")):
        [taken] = (await scripts.turn(f"w{number}", 60.0, {"short": 1}, keep=KEEP, patience=3600.0)).jobs
        assert taken.job_id == members[number]
        assert (await steering.bump(ticket.job_id, by="console:root")).result == then
    assert [entry.target for entry in await steering.seen.audit()] == [ticket.job_id]


async def test_what_is_known_or_asked_for_already_counts_as_well(redis: Redis, desk: Desk) -> None:
    """A member is answered by a fresh result, or joins the same job of somebody else."""
    engine = DrivenEngine(hold=True)
    async with working(leased_worker(redis, engine, fresh={"echo": 60.0})):
        await until(lambda: redis.hexists(keys.MODELS, "echo"))
        for update, text in (("b1", "say 0"), ("b2", "say 1")):
            await desk.submit(Request(Person(requester("bob")), "echo", {"text": text}, address("bob"), update))
        known, running = await engine.started.get(), await engine.started.get()
        engine.end(known.id, ended(5))
        await outcome_of(redis, known.id)
        ticket = await desk.submit(asked())
        own = await engine.started.get()
        assert own.params["text"] == "say 2"
        assert ticket.spared == 0.5  # as measured
        engine.end(own.id, ended(6))
        engine.end(running.id, ended(1))
        outcome = await outcome_of(redis, ticket.job_id)
        result = ManyResult.model_validate(outcome.result)
        assert [one["outcome"]["d"]["ranking"]["place"] for one in result.best] == [1, 5, 6]
        charged = await redis.get(f"fd:limit:daily:{nameless('telegram:ada')}")
        again = await desk.submit(asked(update="u2"))
        assert again.answered
        assert (await outcome_of(redis, again.job_id)).result is not None
        assert engine.started.empty()
    assert set(await told(redis)) == {known.id, running.id, ticket.job_id, again.job_id}
    left = await redis.get(f"fd:limit:daily:{nameless('telegram:ada')}")
    assert float(left) == pytest.approx(float(charged), abs=0.1)


async def test_a_private_one_shares_with_nobody(redis: Redis, desk: Desk) -> None:
    """Neither do its members wait for others', nor others for them; and they enter no leaderboard."""
    first, second = await desk.submit(asked(2, private=True)), await desk.submit(asked(2, user="bob", update="u2"))
    assert second.position > 1
    engine, ranking = DrivenEngine(hold=True), Ranking(place=1, said="", board="b", edition="e", configuration="c")
    async with working(leased_worker(redis, engine)):
        for _ in range(4):
            job = await engine.started.get()
            outcome = ended(1) if not job.private else ended(1).model_copy(update={"ranking": ranking})
            engine.end(job.id, outcome)
        for ticket in (first, second):
            await outcome_of(redis, ticket.job_id)
    assert not await redis.exists(keys.BOARDS)


async def test_an_update_that_comes_again_gets_the_same_ticket(redis: Redis, desk: Desk) -> None:
    """At the same moment or later: the jobs are queued once, and charged once."""
    other = Desk(desk.kinds, Broker(redis, keep=KEEP), Limiter(redis), Limits.load(), Admins())
    tickets = await asyncio.gather(*(one.submit(asked(4)) for one in (desk, other, desk, other)))
    again = await desk.submit(asked(4))
    assert {ticket.job_id for ticket in (*tickets, again)} == {tickets[0].job_id}
    assert sum(not ticket.repeated for ticket in tickets) == 1
    assert await redis.zcard(keys.lane("short")) == 4
    assert await redis.zcard("fd:limit:in_flight:many:telegram:ada") == 1


async def test_it_is_admitted_as_one(redis: Redis, desk: Desk) -> None:
    """The day's budget is charged with all of it, or it is refused whole; in flight it counts as one request."""
    limits = Limits.load()
    small = limits.tiers["member"].model_copy(update={"daily_seconds": 40.0})
    tight = limits.model_copy(update={"tiers": dict(limits.tiers) | {"member": small}})
    narrow = Desk(desk.kinds, Broker(redis, keep=KEEP), Limiter(redis), tight, Admins())
    with pytest.raises(LimitedError):  # a member of the group costs 2
        await narrow.submit(asked(24))
    assert not await redis.exists(keys.lane("short"), keys.requester_jobs("telegram:ada"))
    await desk.submit(asked(24))
    assert await redis.zcard(keys.lane("short")) == 24
    assert await redis.zcard("fd:limit:in_flight:many:telegram:ada") == 1


async def test_its_jobs_run_in_turn_with_others(redis: Redis, desk: Desk) -> None:
    """A group of 8 delays another person's job by one of them, and no more run at a time than its asker may have."""
    await desk.submit(asked(8))
    await desk.submit(Request(Person(requester("bob")), "echo", {"text": "bob's"}, address("bob"), "b1"))
    scripts = Scripts(redis)
    jobs = (await scripts.turn("w1", 60.0, {"short": 2}, keep=KEEP, patience=3600.0)).jobs
    assert b"bob's" in jobs[1].payload
    more = (await scripts.turn("w2", 60.0, {"short": 20}, keep=KEEP, patience=3600.0)).jobs
    assert len(more) == 7  # a member of the desk runs 8 at a time
    assert (await desk.look(ADA, (await desk.jobs(ADA))[0].id))[0].state == "running"


async def test_a_ticket_stands_where_its_first_member_does(redis: Redis, desk: Desk) -> None:
    """Behind those that were there before, also when one looks again."""
    await desk.submit(Request(Person(requester("bob")), "echo", {"text": "first"}, address("bob"), "b1"))
    ticket = await desk.submit(asked())
    assert ticket.position == 2
    assert (await desk.look(ADA, ticket.job_id))[1].position == 2


def test_members_have_ids_that_no_other_job_has() -> None:
    """So a group is never refused for one of them."""
    assert is_member(member_id("0a1b2c3d4", 7))
    assert not is_member("0a1b2c3d4")


def test_members_run_in_the_groups_lane() -> None:
    """Else a worker would wait for what another sort of worker has to do."""
    with pytest.raises(DeclarationError, match="lane"):
        replace(MANY, lane="long")


class SentParams(ManyParams):
    picture: Annotated[Artifact, Field(description="A picture"), Upload((".png",), ("image/png",), 1000)]


def test_a_request_of_many_jobs_takes_no_files() -> None:
    """Its members are made before a file is fetched."""
    with pytest.raises(DeclarationError, match="takes no files"):
        replace(MANY, params=SentParams)


@pytest.mark.parametrize("number", [0, 51])
def test_a_request_is_made_of_a_job_at_least_and_of_no_more_than_are_listed(number: int) -> None:
    """A member that is listed nowhere could not be cancelled."""
    members = Members(SURE, lambda params: [EchoParams(text=str(each)) for each in range(number)])
    with pytest.raises(DeclarationError, match="1 to 50 jobs"):
        members.each(ManyParams(text="x"))


async def _idle(redis: Redis) -> bool:
    return bool(await redis.zcard(keys.RUNNING) == 0)


async def test_a_group_that_no_worker_can_run_says_so(redis: Redis) -> None:
    """At submission and later, also once its members were set apart; and then it waits in the order of places."""
    needy = replace(SURE, needs=lambda params: ("echo/digits",))
    kinds = Registry([needy, replace(MANY, members=Members(needy, each))])
    desk = Desk(kinds, Broker(redis, keep=KEEP), Limiter(redis), Limits.load(), Admins())
    scripts, reason = Scripts(redis), "The digits are not installed here."
    state = WorkerState(
        id="poor", lanes=("short",), kinds=("echo",), device="cpu", models=(), memory=0, started_at=0,
        lacks={"echo/digits": reason},
    )  # fmt: skip
    await scripts.renew("poor", 60.0, encode(state), {}, {})
    ticket = await desk.submit(asked())
    assert ticket.lacking == reason
    options: dict[str, Any] = {"keep": KEEP, "patience": 3600.0}
    assert (await scripts.turn("poor", 60.0, {"short": 4}, lacks=("echo/digits",), **options)).jobs == []
    _, looked = await desk.look(ADA, ticket.job_id)
    assert (looked.position, looked.lacking) == (1, reason)
    assert len((await scripts.turn("rich", 60.0, {"short": 4}, **options)).jobs) == 3
    assert (await desk.look(ADA, ticket.job_id))[0].state == "running"
