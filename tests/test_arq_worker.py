"""The worker at the queue: taking, finishing, cancelling, giving back, on a real server."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest
from queueing import KEEP, DrivenEngine, address, echoed, job, leased_worker, submit, until, working
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from frontdesk.queue import keys
from frontdesk.queue.broker import Broker
from frontdesk.queue.events import next_progress, progress_channel
from frontdesk.queue.jobs import JobRecord, Outcome, Progress
from frontdesk.queue.report import queue_report
from frontdesk.queue.scripts import Scripts
from frontdesk.worker import arq_worker


async def ended(broker: Broker, job_id: str) -> JobRecord:
    async def look() -> JobRecord | None:
        record = await broker.job(job_id)
        return record if record and record.ended else None

    record = await until(look)
    assert isinstance(record, JobRecord)
    return record


async def test_a_job_is_run_and_its_outcome_kept(broker: Broker, redis: Redis) -> None:
    """What the engine says is what the requester will read, and nothing is left behind."""
    made = job(text="grüße \U0001f600")
    async with working(leased_worker(redis, DrivenEngine())):
        await submit(broker, made)
        record = await ended(broker, made.id)
    assert record.outcome is not None
    assert record.outcome.result == {"said": "grüße \U0001f600"}
    assert await redis.zcard(keys.RUNNING) == 0
    assert not await redis.exists(keys.payload(made.id))


async def test_a_job_starts_when_it_arrives(broker: Broker, redis: Redis) -> None:
    """The doorbell is heard: no polling interval passes (stock arq waits half a second)."""
    engine = DrivenEngine()
    async with working(leased_worker(redis, engine)):
        await submit(broker, job())
        await engine.started.get()  # the worker is listening from here on
        waits = []
        for _ in range(10):
            before = time.perf_counter()
            await submit(broker, job())
            await engine.started.get()
            waits.append(time.perf_counter() - before)
    assert sorted(waits)[5] < 0.1


async def test_a_freed_slot_takes_the_next_job_at_once(broker: Broker, redis: Redis) -> None:
    """With one slot the second job starts when the first ends, not at the next look."""
    engine = DrivenEngine(hold=True)
    async with working(leased_worker(redis, engine, lanes={"short": 1})):
        first, second = job("ada"), job("bob")
        await submit(broker, first)
        await submit(broker, second)
        assert (await engine.started.get()).id == first.id
        before = time.perf_counter()
        engine.end(first.id)
        assert (await engine.started.get()).id == second.id
        assert time.perf_counter() - before < 0.5
        engine.end(second.id)
        await ended(broker, second.id)


async def test_a_running_job_is_cancelled_by_its_owner(broker: Broker, redis: Redis) -> None:
    """The engine is told to stop, and the outcome says cancelled."""
    engine = DrivenEngine(hold=True)
    made = job("ada")
    async with working(leased_worker(redis, engine)):
        await submit(broker, made)
        await engine.started.get()
        assert await broker.cancel(made.id, made.requester.key) == "stopping"
        record = await ended(broker, made.id)
    assert record.outcome == Outcome(status="cancelled")
    assert engine.cancelled[0] == made.id


async def test_a_cancel_that_was_not_heard_comes_with_the_next_heartbeat(
    broker: Broker, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pub/sub may lose a message; the flag on the job is not lost."""
    monkeypatch.setattr("frontdesk.worker.arq_worker.RENEW", 0.05)
    engine = DrivenEngine(hold=True)
    made = job("ada")
    async with working(leased_worker(redis, engine)):
        await submit(broker, made)
        await engine.started.get()
        await redis.hset(keys.job(made.id), mapping={"cancel": "1"})  # type: ignore[misc]  # redis-py types both clients at once
        assert (await ended(broker, made.id)).state == "cancelled"


async def test_draining_hands_a_running_job_back_without_a_try(broker: Broker, redis: Redis) -> None:
    """A worker that is stopped returns its job to its place; the next worker runs it as its first try."""
    engine = DrivenEngine(hold=True)
    made = job("ada")
    async with working(leased_worker(redis, engine)):
        await submit(broker, made)
        await engine.started.get()
    record = await broker.job(made.id)
    assert record is not None
    assert (record.state, record.kills) == ("waiting", 0)
    async with working(leased_worker(redis, DrivenEngine(), worker_id="w2")):
        assert (await ended(broker, made.id)).state == "done"


async def test_a_draining_worker_lets_a_short_job_end(broker: Broker, redis: Redis) -> None:
    """Within its grace period a running job finishes as usual; the worker ends with it, not at its next look."""
    engine = DrivenEngine(hold=True)
    made = job("ada")
    worker = leased_worker(redis, engine)
    task = asyncio.create_task(worker.main())
    await submit(broker, made)
    await engine.started.get()
    draining = asyncio.create_task(worker.drain(10.0))
    engine.end(made.id)
    async with asyncio.timeout(1.0):
        await draining
        await task
    record = await broker.job(made.id)
    assert record is not None
    assert record.outcome == echoed()


async def test_a_job_claimed_at_the_last_moment_goes_back(
    broker: Broker, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker is told to stop while a claim is under way: what it brings is nobody's try, and free at once."""
    turn, told, under_way = Scripts.turn, asyncio.Event(), asyncio.Event()

    async def slow(scripts: Scripts, *arguments: Any, **options: Any) -> Any:
        taken = await turn(scripts, *arguments, **options)
        if taken.jobs:
            under_way.set()
            await told.wait()
        return taken

    monkeypatch.setattr(Scripts, "turn", slow)
    made = job("ada")
    await submit(broker, made)
    worker = leased_worker(redis, engine := DrivenEngine())
    task = asyncio.create_task(worker.main())
    await under_way.wait()
    draining = asyncio.create_task(worker.drain(0.0))
    await asyncio.sleep(0)  # it is told by then
    told.set()
    await draining
    await task
    record = await broker.job(made.id)
    assert record is not None
    assert (record.state, record.kills) == ("waiting", 0)
    assert engine.started.empty()


async def test_a_worker_can_be_stopped_while_redis_is_away(
    broker: Broker, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It cannot give its job back: the lease does."""
    monkeypatch.setattr(arq_worker, "FAREWELL", 0.2)

    async def gone(scripts: Scripts, job_id: str, lease: str) -> bool:
        raise RedisConnectionError

    monkeypatch.setattr(Scripts, "release", gone)
    engine = DrivenEngine(hold=True)
    async with asyncio.timeout(5.0), working(leased_worker(redis, engine, lease=0.1)):
        await submit(broker, job())
        await engine.started.get()
    other = DrivenEngine()
    async with working(leased_worker(redis, other, worker_id="w2")):
        await other.started.get()


async def test_a_job_whose_worker_vanished_runs_elsewhere(broker: Broker, redis: Redis) -> None:
    """The lease runs out, and the next worker takes the job within its look."""
    made = job("ada")
    await submit(broker, made)
    dead = leased_worker(redis, DrivenEngine(hold=True), worker_id="dead", lease=0.2)
    await dead._poll_iteration()  # claims, and is never heard of again
    for task in dead.tasks.values():
        task.cancel()
    async with working(leased_worker(redis, DrivenEngine(), worker_id="w2")):
        record = await ended(broker, made.id)
    assert (record.state, record.worker) == ("done", "w2")


async def test_a_job_that_stops_every_worker_is_given_up(broker: Broker, redis: Redis) -> None:
    """After three workers the requester is told, no fourth one is lost, and the request is kept aside for admins."""
    made = job("ada")
    await submit(broker, made)
    for number in range(3):
        dead = leased_worker(redis, DrivenEngine(hold=True), worker_id=f"dead{number}")
        await dead._poll_iteration()
        for task in dead.tasks.values():
            task.cancel()
        await Scripts(redis).reap(f"dead{number}", keep=KEEP)
    engine = DrivenEngine()
    async with working(leased_worker(redis, engine)):
        record = await ended(broker, made.id)
    assert record.outcome is not None
    assert record.outcome.reason == "It was started 3 times, and each time its worker stopped."
    assert engine.started.empty()
    assert await redis.zrange(keys.ASIDE, 0, -1) == [made.id.encode()]
    assert await redis.exists(keys.ASIDE_PAYLOAD + made.id)


@pytest.mark.parametrize("garbage", [b"\x80\x04K\x01.", b"{", b'{"f":"echo","a":["{}"],"k":{},"t":null,"et":0}', None])
async def test_a_damaged_request_fails_with_a_sentence(broker: Broker, redis: Redis, garbage: bytes | None) -> None:
    """Whatever stands in Redis in its place, the requester gets an outcome and the worker lives on."""
    made, sound = job("ada"), job("bob")
    await submit(broker, made)
    if garbage is None:
        await redis.delete(keys.payload(made.id))
    else:
        await redis.set(keys.payload(made.id), garbage)
    await submit(broker, sound)
    async with working(leased_worker(redis, DrivenEngine())):
        record = await ended(broker, made.id)
        assert record.outcome == Outcome(
            status="failed", reason="Its request was damaged in the queue. Please ask again."
        )
        assert (await ended(broker, sound.id)).state == "done"


async def test_a_job_that_waited_too_long_expires(broker: Broker, redis: Redis) -> None:
    """It is not run a day late: the requester hears that it was given up."""
    made = job("ada", submitted_at=time.time() - 4000)
    engine = DrivenEngine()
    async with working(leased_worker(redis, engine, max_wait=3600)):
        await submit(broker, made)
        assert (await ended(broker, made.id)).state == "expired"
    assert engine.started.empty()


async def test_progress_reaches_the_platform(broker: Broker, redis: Redis) -> None:
    """The start, where a ticket is shown, and every report go out on the requester's channel."""
    engine = DrivenEngine(hold=True)
    made = job("ada")
    await submit(broker, made)
    await broker.set_reply(made.id, address("ada", message="ticket"))
    async with progress_channel(redis, "telegram") as channel:
        await next_progress(channel, 0.1)
        async with working(leased_worker(redis, engine)):
            await engine.started.get()
            engine.reports[made.id](Progress(job_id=made.id, fraction=0.5, text="half"))
            news = [await next_progress(channel, 5.0) for _ in range(2)]
            engine.end(made.id)
            await ended(broker, made.id)
    assert news == [Progress(job_id=made.id), Progress(job_id=made.id, fraction=0.5, text="half")]


async def test_the_report_shows_lanes_workers_and_the_last_hour(broker: Broker, redis: Redis) -> None:
    """What admins see is what is there."""
    engine = DrivenEngine(hold=True)
    async with working(leased_worker(redis, engine, lanes={"short": 1})):
        running, waiting = job("ada"), job("bob")
        await submit(broker, running)
        await engine.started.get()
        await submit(broker, waiting)
        report = await until(lambda: _with_jobs(redis))
        [lane] = report.lanes
        assert (lane.name, lane.waiting, lane.running) == ("short", 1, 1)
        assert (lane.waiting_by_kind, lane.running_by_kind) == ({"echo": 1}, {"echo": 1})
        assert lane.oldest_wait is not None
        assert 0 <= lane.oldest_wait < 10
        [worker] = report.workers
        assert worker.alive
        assert worker.state.jobs == (running.id,)
        engine.end(running.id)
        engine.end(waiting.id, Outcome(status="failed", reason="no"))
        await ended(broker, waiting.id)
        report = await queue_report(redis)
        assert (report.count("done"), report.count("failed")) == (1, 1)
    assert (await queue_report(redis)).workers == ()


async def _with_jobs(redis: Redis) -> object:
    report = await queue_report(redis)
    return report if report.workers and report.workers[0].state.jobs else None


async def test_an_idle_worker_hardly_asks(redis: Redis) -> None:
    """At most one call a second when there is nothing to do (what a script does inside is no call)."""

    async def calls() -> int:
        return int((await redis.info("commandstats")).get("cmdstat_evalsha", {}).get("calls", 0))

    async with working(leased_worker(redis, DrivenEngine())):
        await until(calls)
        before = await calls()
        await asyncio.sleep(4.0)  # what is measured is the passing of time
        assert await calls() - before <= 5


async def test_redis_may_be_gone_for_a_while(broker: Broker, redis: Redis) -> None:
    """A cut connection while a job runs: the worker lives, and the outcome is written when Redis is back."""
    engine = DrivenEngine(hold=True)
    made = job("ada")
    async with working(leased_worker(redis, engine)):
        await submit(broker, made)
        await engine.started.get()
        await redis.client_kill_filter(_type="pubsub")
        await redis.client_kill_filter(_type="normal", skipme=True)
        engine.end(made.id)
        assert (await ended(broker, made.id)).state == "done"
        again = job("ada")
        await submit(broker, again)
        engine.end(again.id)
        assert (await ended(broker, again.id)).state == "done"
