"""How long it will take: the median and the 90th percentile, and how they learn from what happened."""

from __future__ import annotations

import random
import time

import pytest
from queueing import KEEP, echoed, end_job, job, submit
from redis.asyncio import Redis

from frontdesk.queue import keys
from frontdesk.queue.broker import Broker
from frontdesk.queue.codec import encode
from frontdesk.queue.connection import answer
from frontdesk.queue.jobs import Ticket
from frontdesk.queue.report import WorkerState
from frontdesk.queue.scripts import Claimed, Scripts


async def duty(
    scripts: Scripts, worker: str = "w1", *, slots: int = 1, speed: float = 1.0, lanes: tuple[str, ...] = ("short",)
) -> None:
    state = WorkerState(
        id=worker, lanes=lanes, kinds=("echo",), device="cpu", models=(), memory=0, started_at=0, slots=slots,
        speed=speed,
    )  # fmt: skip
    await scripts.renew(worker, 60.0, encode(state), {}, {})


async def claim(scripts: Scripts, slots: int = 1, worker: str = "w1", lane: str = "short") -> list[Claimed]:
    return (await scripts.turn(worker, 3600.0, {lane: slots}, keep=KEEP, patience=3600.0)).jobs


async def finish(scripts: Scripts, held: Claimed) -> None:
    await end_job(scripts, held.job_id, held.lease, status="done", outcome=encode(echoed()), keep=KEEP, gpu_seconds=0.0)


async def lined_up(broker: Broker, count: int, cost: float = 100.0, lane: str = "short") -> list[Ticket]:
    return [await submit(broker, job(f"user{number}", cost=cost, lane=lane)) for number in range(count)]


async def test_a_free_slot_is_no_wait(broker: Broker, scripts: Scripts) -> None:
    """As many as there are slots start at once; the next one waits for the first of them."""
    await duty(scripts, slots=2)
    tickets = await lined_up(broker, 3)
    assert [ticket.wait for ticket in tickets[:2]] == [0.0, 0.0]
    assert tickets[2].wait == pytest.approx(200.0, rel=0.05)  # two at once on one device take twice as long


async def test_the_high_figure_is_above_the_median(broker: Broker, scripts: Scripts) -> None:
    """Nine of ten waits end before it."""
    await duty(scripts)
    ticket = (await lined_up(broker, 3))[-1]
    assert ticket.wait is not None
    assert ticket.wait_high is not None
    assert ticket.wait_high > ticket.wait > 150


async def test_a_faster_worker_is_a_shorter_wait(broker: Broker, scripts: Scripts) -> None:
    """A device that does twice the estimated work in a second halves the wait."""
    await duty(scripts, speed=2.0)
    assert (await lined_up(broker, 2))[1].wait == pytest.approx(50.0, rel=0.05)


async def test_a_worker_of_two_busy_lanes_is_half_a_worker_to_each(broker: Broker, scripts: Scripts) -> None:
    """And a whole one while the other lane is empty."""
    await duty(scripts, lanes=("short", "long"))
    alone = (await lined_up(broker, 2))[1]
    await lined_up(broker, 1, lane="long")
    shared = await broker.ticket(alone.job_id, "short")
    assert alone.wait == pytest.approx(100.0, rel=0.05)
    assert shared.wait == pytest.approx(200.0, rel=0.05)


async def test_other_lanes_do_not_count(broker: Broker, scripts: Scripts) -> None:
    """What waits or runs elsewhere is ahead of nobody here."""
    await duty(scripts)
    await duty(scripts, "w2", lanes=("long",))
    await lined_up(broker, 5, lane="long")
    await claim(scripts, worker="w2", lane="long")
    assert (await lined_up(broker, 2))[1].wait == pytest.approx(100.0, rel=0.05)


async def test_far_back_the_lanes_mean_counts(broker: Broker, scripts: Scripts) -> None:
    """The hundredth job waits for ninety-nine."""
    await duty(scripts)
    assert (await lined_up(broker, 100, cost=10.0))[-1].wait == pytest.approx(990.0, rel=0.05)


async def test_a_drained_worker_is_none(broker: Broker, scripts: Scripts, redis: Redis) -> None:
    """It takes no more jobs, so no wait can be promised for it."""
    await duty(scripts)
    await answer(redis.sadd(keys.DRAINED, "w1"))
    assert (await lined_up(broker, 1))[0].wait is None


async def test_nine_of_ten_promises_come_to_hold(broker: Broker, scripts: Scripts, redis: Redis) -> None:
    """Real waits are twice what the estimates say, and scatter widely: the promises follow."""
    source = random.Random(7)  # noqa: S311 -- a reproducible scatter
    await duty(scripts)
    await submit(broker, job("first", cost=30.0))
    [held] = await claim(scripts)
    kept = []
    for number in range(500):
        made = job("ada", cost=30.0)
        ticket = await submit(broker, made)
        assert ticket.wait_high is not None
        real = 60.0 * source.lognormvariate(0.0, 0.7)
        kept.append(real <= ticket.wait_high)
        await answer(redis.hset(keys.job(made.id), "submitted", str(int((time.time() - real) * 1000))))
        await finish(scripts, held)
        [held] = await claim(scripts)
        assert held.job_id == made.id, number
    assert 0.85 <= sum(kept[100:]) / len(kept[100:]) <= 0.95


async def test_how_often_they_held_is_counted(broker: Broker, scripts: Scripts, redis: Redis) -> None:
    """One start in time and one that came too late, of those that were told a wait."""
    await duty(scripts)
    await submit(broker, job("first", cost=30.0))
    [held] = await claim(scripts)
    for late in (0.0, 10_000.0):
        made = job("ada", cost=30.0)
        await submit(broker, made)
        await answer(redis.hset(keys.job(made.id), "submitted", str(int((time.time() - late) * 1000))))
        await finish(scripts, held)
        [held] = await claim(scripts)
    counted = [await answer(redis.hgetall(key)) for key in await redis.keys(keys.MINUTE + "*")]
    assert sum(int(minute.get(b"wait|held", 0)) for minute in counted) == 1
    assert sum(int(minute.get(b"wait|missed", 0)) for minute in counted) == 1
