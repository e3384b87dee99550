"""What admins do to the queue, on a real server: each action as those who wait see it, and what the audit log holds."""

from __future__ import annotations

import time

import pytest
from queueing import KEEP, DrivenEngine, echoed, end_job, job, leased_worker, submit, until, working
from redis.asyncio import Redis

from frontdesk.queue import keys
from frontdesk.queue.broker import Broker
from frontdesk.queue.codec import encode
from frontdesk.queue.errors import UnknownTargetError
from frontdesk.queue.jobs import Outcome
from frontdesk.queue.report import WorkerState
from frontdesk.queue.scripts import Claimed, Scripts
from frontdesk.queue.steering import Steering

ROOT = "telegram:root"
WRITTEN = "my diary"


@pytest.fixture
def steering(redis: Redis) -> Steering:
    return Steering(redis, keep=KEEP, lanes=["long"])


class Hands:
    """Claims jobs as workers of any name do."""

    def __init__(self, redis: Redis) -> None:
        self.scripts = Scripts(redis)

    async def beat(self, worker: str) -> None:
        said = WorkerState(
            id=worker, lanes=("short",), kinds=("echo",), device="cpu", models=(), memory=1, started_at=0.0
        )
        await self.scripts.renew(worker, 6.0, encode(said), {}, {})

    async def claim(self, worker: str = "w1", slots: int = 1) -> list[Claimed]:
        return (await self.scripts.turn(worker, 60.0, {"short": slots}, keep=KEEP, patience=3600.0)).jobs

    async def stop_workers(self, job_id: str, times: int = 3) -> None:
        """The job stops one worker after another."""
        for number in range(times):
            [claimed] = await self.claim(f"victim-{number}")
            assert claimed.job_id == job_id
            await self.scripts.reap(f"victim-{number}", keep=KEEP)


@pytest.fixture
def hands(redis: Redis) -> Hands:
    return Hands(redis)


async def actions(steering: Steering) -> list[tuple[str, str, str]]:
    return [(entry.by, entry.action, entry.target) for entry in await steering.seen.audit()]


async def test_from_a_paused_lane_nothing_is_taken_until_it_is_resumed(
    redis: Redis, broker: Broker, steering: Steering
) -> None:
    """What waits keeps waiting; at the resumption a free worker takes it at once."""
    engine = DrivenEngine()
    await submit(broker, made := job())
    paused = await steering.pause("short", by=ROOT)
    assert (paused.changed, paused.jobs) == (True, 1)
    async with working(leased_worker(redis, engine)) as worker:
        await until(lambda: redis.exists(keys.worker(worker.worker_id)))
        assert engine.started.empty()
        again = await steering.pause("short", by=ROOT)
        assert (again.changed, again.jobs) == (False, 1)
        assert (await steering.resume("Short ", by=ROOT)).changed
        assert (await engine.started.get()).id == made.id
    assert await actions(steering) == [(ROOT, "resume", "short"), (ROOT, "pause", "short")]


async def test_a_lane_may_be_paused_before_it_ever_held_a_job(steering: Steering) -> None:
    """A declared one, that is; of any other the sentence says which there are."""
    assert (await steering.pause("long", by=ROOT)).changed
    with pytest.raises(UnknownTargetError, match=r"There is no lane 'lnog'\. Known: long\."):
        await steering.pause("lnog", by=ROOT)


async def test_a_drained_worker_takes_nothing_more(broker: Broker, steering: Steering, hands: Hands) -> None:
    """It goes on with what it runs, others take the rest, and it may be let back."""
    for name in ("gpu-a-1", "gpu-b-1"):
        await hands.beat(name)
    for _ in range(4):
        await submit(broker, job())
    await hands.claim("gpu-a-1")
    drained = await steering.drain("GPU-A", by=ROOT, reason="new driver")
    assert (drained.name, drained.changed, drained.jobs) == ("gpu-a-1", True, 1)
    assert await hands.claim("gpu-a-1") == []
    assert len(await hands.claim("gpu-b-1")) == 1
    assert not (await steering.drain("gpu-a-1", by=ROOT)).changed
    assert (await steering.undrain("gpu-a-1", by=ROOT)).changed
    assert len(await hands.claim("gpu-a-1")) == 1
    assert [entry.reason for entry in await steering.seen.audit()] == ["", "new driver"]


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("gpu-", r"More than one worker begins with 'gpu-'\. They are: gpu-a-1, gpu-b-1\."),
        ("tpu", r"There is no worker 'tpu'\. Known: gpu-a-1, gpu-b-1\."),
        ("", r"There is no worker ''\. Known: gpu-a-1, gpu-b-1\."),
    ],
)
async def test_a_worker_is_named_by_its_beginning(steering: Steering, hands: Hands, name: str, sentence: str) -> None:
    """Where that is not enough, the sentence has the ids."""
    for worker in ("gpu-a-1", "gpu-b-1"):
        await hands.beat(worker)
    with pytest.raises(UnknownTargetError, match=sentence):
        await steering.drain(name, by=ROOT)


async def test_workers_that_left_are_no_longer_drained(redis: Redis, steering: Steering, hands: Hands) -> None:
    """Each process has an id of its own: nothing of one that ended stays behind."""
    await hands.beat("old")
    await steering.drain("old", by=ROOT)
    await redis.zrem(keys.WORKERS, "old")
    await hands.beat("new")
    await steering.drain("new", by=ROOT)
    assert await steering.seen.drained() == {"new"}


async def test_a_bumped_job_goes_first(broker: Broker, steering: Steering, hands: Hands) -> None:
    """Before all that wait, and before what was bumped earlier; bumping it again changes nothing."""
    made = [job(f"user-{number}") for number in range(4)]
    for each in made:
        await submit(broker, each)
    assert (await steering.bump(made[3].id, by=ROOT)).result == "bumped"
    assert (await steering.bump(f" {made[2].id.upper()} ", by=ROOT)).result == "bumped"
    assert (await steering.bump(made[2].id, by=ROOT)).result == "first"
    taken = [claimed.job_id for claimed in await hands.claim(slots=4)]
    assert taken == [made[2].id, made[3].id, made[0].id, made[1].id]
    assert await actions(steering) == [(ROOT, "bump", made[2].id), (ROOT, "bump", made[3].id)]
    assert (await steering.bump(made[0].id, by=ROOT)).result == "running"
    with pytest.raises(UnknownTargetError, match="There is no job nope"):
        await steering.bump("nope", by=ROOT)


async def test_who_waits_for_anothers_outcome_bumps_that_one(broker: Broker, steering: Steering, hands: Hands) -> None:
    """Two ask the same thing: the run that both wait for goes first."""
    first, leader, follower = job("a"), job("b"), job("c")
    await submit(broker, first)
    await submit(broker, leader, digest="same")
    await submit(broker, follower, digest="same")
    bumped = await steering.bump(follower.id, by=ROOT)
    assert (bumped.moved, bumped.result) == (leader.id, "bumped")
    assert (await hands.claim())[0].job_id == leader.id
    assert (await steering.bump(follower.id, by=ROOT)).result == "running"
    assert [entry.detail for entry in await steering.seen.audit()] == [leader.id]


async def test_cancelling_somebody_elses_job_is_written_down(broker: Broker, steering: Steering) -> None:
    """One's own is nobody's business, and what did not happen is not in the log."""
    own, other = job("root"), job("ada")
    for each in (own, other):
        await submit(broker, each)
    assert await steering.cancel(own.id, by=ROOT) == "cancelled"
    assert await steering.cancel(other.id, by=ROOT, reason="spam") == "cancelled"
    assert await steering.cancel(other.id, by=ROOT) == "ended"
    assert await steering.cancel("nope", by=ROOT) == "unknown"
    [entry] = await steering.seen.audit()
    assert (entry.by, entry.action, entry.target, entry.reason) == (ROOT, "cancel", other.id, "spam")
    assert abs(entry.at - time.time()) < 60
    record = await broker.job(other.id)
    assert record is not None
    assert record.state == "cancelled"


async def test_what_admins_said_of_a_person(steering: Steering) -> None:
    """A ban with its reason, a tier, and both lifted again."""
    assert await steering.standing("telegram:eve") == await steering.standing("telegram:nobody")
    await steering.ban("telegram:eve", by=ROOT, reason='said "no"')
    assert await steering.set_tier("telegram:eve", "trusted", by=ROOT)
    assert not await steering.set_tier("telegram:eve", "trusted", by=ROOT)
    said = await steering.standing("telegram:eve")
    assert said.ban is not None
    assert (said.ban.reason, said.ban.by, said.tiers) == ('said "no"', ROOT, {"telegram:eve": "trusted"})
    assert abs(said.ban.at - time.time()) < 60
    assert (list(await steering.seen.bans()), await steering.seen.tiers()) == (
        ["telegram:eve"],
        {"telegram:eve": "trusted"},
    )
    await steering.unban("telegram:eve", by=ROOT)
    assert await steering.set_tier("telegram:eve", None, by=ROOT)
    with pytest.raises(UnknownTargetError, match=r"^telegram:eve is not banned\.$"):
        await steering.unban("telegram:eve", by=ROOT)
    assert [entry.action for entry in await steering.seen.audit()] == ["tier", "unban", "tier", "ban"]
    assert [entry.detail for entry in await steering.seen.audit(1)] == ["default"]


async def test_a_job_that_stopped_three_workers_runs_again_when_an_admin_says_so(
    redis: Redis, broker: Broker, steering: Steering, hands: Hands
) -> None:
    """It is asked for as it was, waits behind what its lane has reached, and its requester gets a second outcome."""
    made = job("ada", WRITTEN, submitted_at=time.time() - 80_000)
    await submit(broker, made, digest="same")
    await hands.stop_workers(made.id)
    [aside] = await steering.seen.aside()
    assert (aside.id, aside.kind, aside.requester, aside.kills) == (made.id, "echo", "telegram:ada", 3)
    await redis.hset(keys.job(made.id), "delivery", "delivered")  # type: ignore[misc]
    await broker.set_sent(made.id, "7 words files")
    before = await redis.xlen(keys.outcomes("telegram"))

    await steering.requeue(made.id, by=ROOT)
    record = await broker.job(made.id)
    assert record is not None
    assert (record.state, record.kills, record.outcome, record.delivery) == ("waiting", 0, None, None)
    assert await broker.sent(made.id) is None
    assert await redis.ttl(keys.job(made.id)) == -1
    assert await steering.seen.aside() == []
    engine = DrivenEngine(hold=True)
    async with working(leased_worker(redis, engine, max_wait=3600.0)):
        assert (await engine.started.get()).params == {"text": WRITTEN}
        engine.end(made.id, echoed("again"))
        await until(lambda: redis.hget(keys.job(made.id), "outcome"))
    assert await redis.xlen(keys.outcomes("telegram")) == before + 1
    assert (await actions(steering))[0] == (ROOT, "requeue", made.id)


async def test_a_job_that_is_requeued_may_be_put_aside_again(broker: Broker, steering: Steering, hands: Hands) -> None:
    """It has the same three chances."""
    await submit(broker, made := job())
    await hands.stop_workers(made.id)
    await steering.requeue(made.id, by=ROOT)
    await hands.stop_workers(made.id)
    assert [(each.id, each.kills) for each in await steering.seen.aside()] == [(made.id, 3)]


async def test_a_requeued_job_waits_behind_its_requesters_others(
    broker: Broker, steering: Steering, hands: Hands
) -> None:
    """It is charged as a new one is, in its own band."""
    await submit(broker, made := job("ada"))
    await hands.stop_workers(made.id)
    others = [job("ada"), job("bob")]
    for each in others:
        await submit(broker, each)
    await steering.requeue(made.id, by=ROOT)
    taken = [claimed.job_id for claimed in await hands.claim(slots=3)]
    assert taken.index(made.id) > taken.index(others[1].id)
    assert set(taken) == {made.id, *(each.id for each in others)}


async def test_a_job_that_is_dropped_is_gone(redis: Redis, broker: Broker, steering: Steering, hands: Hands) -> None:
    """What it asked for is forgotten at once; how it ended stays with its requester."""
    await submit(broker, made := job("ada", WRITTEN))
    await hands.stop_workers(made.id)
    await steering.drop(made.id, by=ROOT)
    assert await steering.seen.aside() == []
    assert not await redis.exists(keys.ASIDE_PAYLOAD + made.id)
    for again in (steering.drop(made.id, by=ROOT), steering.requeue(made.id, by=ROOT)):
        with pytest.raises(UnknownTargetError, match=f"No job {made.id} is kept aside."):
            await again
    record = await broker.job(made.id)
    assert record is not None
    assert record.state == "failed"
    assert (await actions(steering))[0] == (ROOT, "drop", made.id)


async def test_what_has_expired_is_no_longer_listed(
    redis: Redis, broker: Broker, steering: Steering, hands: Hands
) -> None:
    """A request is kept as long as its outcome; then its id goes as well."""
    await submit(broker, made := job())
    await hands.stop_workers(made.id)
    await redis.delete(keys.ASIDE_PAYLOAD + made.id)
    assert await steering.seen.aside() == []
    with pytest.raises(UnknownTargetError):
        await steering.requeue(made.id, by=ROOT)
    with pytest.raises(UnknownTargetError):
        await steering.drop(made.id, by=ROOT)
    assert await redis.zcard(keys.ASIDE) == 0


async def test_nothing_that_admins_read_holds_what_somebody_wrote(
    redis: Redis, broker: Broker, steering: Steering, hands: Hands
) -> None:
    """Neither the lists nor the log."""
    await submit(broker, made := job("ada", WRITTEN))
    seen = [repr(await steering.seen.waiting())]
    await hands.stop_workers(made.id)
    seen.append(repr(await steering.seen.aside()))
    await steering.requeue(made.id, by=ROOT, reason="try again")
    await steering.bump(made.id, by=ROOT)
    await steering.cancel(made.id, by=ROOT)
    seen += [repr(await steering.seen.unfinished()), repr(await redis.xrange(keys.AUDIT))]
    assert [each for each in seen if WRITTEN in each] == []


async def test_the_outcome_of_a_requeued_job_is_that_of_its_second_run(
    redis: Redis, broker: Broker, steering: Steering, hands: Hands
) -> None:
    """The first failure is no longer shown."""
    await submit(broker, made := job())
    await hands.stop_workers(made.id)
    await steering.requeue(made.id, by=ROOT)
    [claimed] = await hands.claim()
    ended = encode(Outcome(status="done", result={"said": "x"}))
    await end_job(hands.scripts, made.id, claimed.lease, status="done", outcome=ended, keep=KEEP, gpu_seconds=1.0)
    record = await broker.job(made.id)
    assert record is not None
    assert record.outcome is not None
    assert (record.state, record.outcome.result) == ("done", {"said": "x"})
    assert await redis.ttl(keys.job(made.id)) > 0
