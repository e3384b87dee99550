"""Who is next: shares by weight, bands, ageing, caps, and places that are kept, on a real server."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from queueing import KEEP, echoed, end_job, job, submit
from redis.asyncio import Redis

from frontdesk.queue import keys
from frontdesk.queue.broker import Broker
from frontdesk.queue.codec import encode
from frontdesk.queue.connection import answer
from frontdesk.queue.embedded import EmbeddedServer
from frontdesk.queue.jobs import Requester, Share
from frontdesk.queue.scripts import Claimed, Scripts

HOUR = 3600.0


async def claim(scripts: Scripts, slots: int = 1, *, worker: str = "w1", patience: float = HOUR) -> list[Claimed]:
    return (await scripts.turn(worker, 60.0, {"short": slots}, keep=KEEP, patience=patience)).jobs


async def finish(scripts: Scripts, claimed: Claimed, took: float) -> None:
    assert await end_job(
        scripts, claimed.job_id, claimed.lease, status="done", outcome=encode(echoed()), keep=KEEP, gpu_seconds=took
    )


async def order(scripts: Scripts, took: float = 2.0) -> list[str]:
    """The ids of all jobs that wait, as one worker with one slot runs them."""
    served = []
    while claimed := await claim(scripts):
        served.append(claimed[0].job_id)
        await finish(scripts, claimed[0], took)
    return served


async def test_a_flood_delays_somebody_else_by_less_than_two_jobs(broker: Broker, scripts: Scripts) -> None:
    """One person asks for 200 jobs, another for one while the first of them runs: it is next but one at most."""
    for _ in range(200):
        await submit(broker, job("eve"))
    [running] = await claim(scripts)
    single = await submit(broker, job("ada"))
    await finish(scripts, running, 2.0)
    served = await order(scripts)
    assert served.index(single.job_id) <= 1
    assert len(served) == 200


async def test_who_comes_first_goes_first_among_equals(broker: Broker, scripts: Scripts) -> None:
    """Of people who have had nothing yet, the order is that of asking."""
    ids = [(await submit(broker, job(f"user{number}"))).job_id for number in range(30)]
    assert await order(scripts) == ids


async def test_twice_the_weight_is_twice_the_share(broker: Broker, scripts: Scripts) -> None:
    """While both keep the lane busy, two jobs of the one go for each of the other's."""
    heavy = {(await submit(broker, job("ada"), share=Share(weight=2.0))).job_id for _ in range(20)}
    for _ in range(20):
        await submit(broker, job("bob"))
    first = (await order(scripts))[:18]
    assert sum(job_id in heavy for job_id in first) == pytest.approx(12, abs=1)


async def test_what_a_job_really_took_is_what_counts(broker: Broker, scripts: Scripts) -> None:
    """Whose jobs take ten times what was estimated gets fewer of them, not more of the device."""
    greedy = {(await submit(broker, job("eve", cost=1.0))).job_id for _ in range(3)}
    first = await claim(scripts)
    await finish(scripts, first[0], 10.0)
    later = await submit(broker, job("eve", cost=1.0))
    for _ in range(8):
        await submit(broker, job("ada", cost=1.0))
    served = await order(scripts, took=1.0)
    assert served[-1] == later.job_id
    assert first[0].job_id in greedy


async def test_a_cancelled_job_is_not_charged(broker: Broker, scripts: Scripts) -> None:
    """Who takes back what was waiting stands where they stood before."""
    for _ in range(5):
        made = job("ada", cost=100.0)
        await submit(broker, made)
        await broker.cancel(made.id, made.requester.key)
    await submit(broker, job("bob", cost=1.0))
    again = await submit(broker, job("ada", cost=1.0))
    await submit(broker, job("bob", cost=1.0))
    assert (await order(scripts))[1] == again.job_id


async def test_a_higher_band_goes_first_whatever_came_before(broker: Broker, scripts: Scripts) -> None:
    """High before normal before low, each in its own fair order."""
    low = await submit(broker, job("ada"), share=Share(band=2))
    normal = await submit(broker, job("bob"))
    high = await submit(broker, job("cleo"), share=Share(band=0))
    assert await order(scripts) == [high.job_id, normal.job_id, low.job_id]


async def test_nothing_waits_for_ever(broker: Broker, scripts: Scripts) -> None:
    """Behind a stream of high-priority jobs that never ends, an old job starts within four starts all the same."""
    low = await submit(broker, job("ada"), share=Share(band=2))
    for number in range(8):
        await submit(broker, job(f"user{number}"), share=Share(band=0))
    served = [(await claim(scripts, patience=0.0))[0].job_id for _ in range(4)]
    assert low.job_id in served


async def test_until_it_is_old_it_waits_its_turn(broker: Broker, scripts: Scripts) -> None:
    """Ageing takes nothing from the order while nobody has waited long."""
    low = await submit(broker, job("ada"), share=Share(band=2))
    for number in range(8):
        await submit(broker, job(f"user{number}"), share=Share(band=0))
    served = [(await claim(scripts))[0].job_id for _ in range(9)]
    assert served[-1] == low.job_id


@pytest.mark.parametrize("share", [Share(running=2), Share(tenant_running=2)])
async def test_a_cap_on_running_jobs_lets_others_by(broker: Broker, scripts: Scripts, share: Share) -> None:
    """Two of one's jobs (or of one's server) run; the next ones wait, and do not hold up anybody else."""
    for user in ("eve", "eva", "evi") if share.tenant_running else ("eve",) * 3:
        mine = Requester(platform="telegram", user=user, tenant="club")
        await submit(broker, job(user, requester=mine), share=share)
    other = await submit(broker, job("ada"), share=share)
    claimed = await claim(scripts, 4)
    assert len(claimed) == 3
    assert other.job_id in [one.job_id for one in claimed]
    await finish(scripts, claimed[0], 1.0)
    assert len(await claim(scripts, 4)) == 1


async def test_a_job_that_goes_back_keeps_its_place_behind_no_newcomer(broker: Broker, scripts: Scripts) -> None:
    """A drained or dead worker's job is in front of whoever came later; so it is after a second time."""
    first = job("ada")
    await submit(broker, first)
    for _ in range(2):
        [held] = await claim(scripts)
        assert held.job_id == first.id
        await submit(broker, job("bob"))
        assert await scripts.release(held.job_id, held.lease)
    [held] = await claim(scripts)
    await scripts.reap("w1", keep=KEEP)
    assert (await claim(scripts, worker="w2"))[0].job_id == first.id


async def test_a_worker_that_was_told_to_stop_blames_no_job(broker: Broker, scripts: Scripts) -> None:
    """However often it happens, the job is not given up."""
    made = job("ada")
    await submit(broker, made)
    for _ in range(4):
        await claim(scripts)
        assert await scripts.reap("w1", keep=KEEP, to_blame=False) == ([made.id], [])


async def test_who_shares_a_worker_with_a_bad_job_is_not_given_up(broker: Broker, scripts: Scripts) -> None:
    """Its last chance it gets alone; the others were there twice, and run on."""
    bad = job("eve")
    await submit(broker, bad)
    good = [(await submit(broker, job(f"user{number}"))).job_id for number in range(3)]
    given_up = []
    for number in range(5):
        taken = [one.job_id for one in await claim(scripts, 4, worker=f"w{number}")]
        if bad.id not in taken:
            break
        given_up += (await scripts.reap(f"w{number}", keep=KEEP))[1]
    assert given_up == [bad.id]
    for job_id in good:
        record = await broker.job(job_id)
        assert record is not None
        assert record.state in ("waiting", "running")


async def test_a_failed_run_costs_what_it_took(broker: Broker, scripts: Scripts) -> None:
    """Who burns the device until the time limit does not stand first again."""
    await submit(broker, job("eve", cost=1.0))
    [held] = await claim(scripts)
    failed = encode(echoed().model_copy(update={"status": "failed", "result": None}))
    await end_job(scripts, held.job_id, held.lease, status="failed", outcome=failed, keep=KEEP, gpu_seconds=100.0)
    later = await submit(broker, job("eve", cost=1.0))
    for _ in range(3):
        await submit(broker, job("ada", cost=1.0))
    assert (await order(scripts))[-1] == later.job_id


async def test_hundreds_of_running_jobs_never_starve_the_waiting(broker: Broker, scripts: Scripts) -> None:
    """They are not in the way of the next look (stock arq sees only the first hundred of its set)."""
    for number in range(300):
        await submit(broker, job(f"user{number}"))
    assert len(await claim(scripts, 300)) == 300
    waiting = await submit(broker, job("ada"))
    assert (await claim(scripts, worker="w2"))[0].job_id == waiting.job_id


async def test_a_full_lane_of_capped_people_hides_nobody(broker: Broker, scripts: Scripts) -> None:
    """Hundreds of jobs that may not run just now stand before one that may."""
    await submit(broker, job("eve"), share=Share(running=1))
    await claim(scripts)
    for _ in range(100):
        await submit(broker, job("eve", cost=0.001), share=Share(running=1))
    other = await submit(broker, job("ada"))
    assert [one.job_id for one in await claim(scripts, 4)] == [other.job_id]


async def test_an_outage_of_the_server_takes_no_job_from_its_worker(
    broker: Broker, scripts: Scripts, redis: Redis
) -> None:
    """Leases that ran out while nobody could renew them are prolonged: the run that goes on is not started again."""
    await submit(broker, job("ada"))
    [held] = (await scripts.turn("w1", 0.001, {"short": 1}, keep=KEEP, patience=HOUR)).jobs
    await redis.set(keys.LOOKED, int(time.time() * 1000) - 60_000)  # nobody has looked for a minute
    await asyncio.sleep(0.005)  # the lease runs out
    assert await claim(scripts, worker="w2") == []
    lost, _ = await scripts.renew("w1", 6.0, b"{}", {held.job_id: held.lease}, {})
    assert lost == []


async def test_counts_are_exact_when_everything_has_ended(broker: Broker, scripts: Scripts, redis: Redis) -> None:
    """Finished, cancelled, reaped, released: nothing is counted as running or waiting afterwards."""
    made = [job(f"user{number % 3}") for number in range(12)]
    for one in made:
        await submit(broker, one)
    held = await claim(scripts, 6)
    await finish(scripts, held[0], 1.0)
    await scripts.release(held[1].job_id, held[1].lease)
    await scripts.reap("w1", keep=KEEP)
    for one in made[6:]:
        await broker.cancel(one.id, None)
    await order(scripts)
    left = await answer(redis.hgetall(keys.BUSY)), await answer(redis.hgetall(keys.HOLDERS))
    assert left == ({}, {})
    assert await redis.exists(keys.LANE_COST + "short", keys.BUSY_COST + "short", keys.RUNNING) == 0


costs = st.floats(min_value=0.1, max_value=20.0)
people = st.lists(
    st.tuples(st.sampled_from([0.5, 1.0, 2.0, 4.0]), st.lists(costs, min_size=12, max_size=12)), min_size=2, max_size=5
)


@settings(max_examples=20)
@given(people=people)
def test_no_share_falls_below_its_weight(
    redis_server: EmbeddedServer, people: Sequence[tuple[float, Sequence[float]]]
) -> None:
    """While two people keep a lane busy, what they were served, each by their weight, differs by no more than
    max cost / weight of the one plus that of the other (Goyal, Vin and Cheng 1996, theorem 1)."""
    asyncio.run(served_fairly(redis_server.url, people))


async def served_fairly(url: str, people: Sequence[tuple[float, Sequence[float]]]) -> None:
    async with Redis.from_url(url) as redis:
        await redis.flushdb()
        broker, scripts = Broker(redis, keep=KEEP), Scripts(redis)
        # Everybody's first job, then everybody's second ...: the order of asking is nobody's advantage.
        owners, left = {}, [0] * len(people)
        for turn in itertools.zip_longest(*(costs for _, costs in people)):
            for number, cost in enumerate(turn):
                made = job(f"user{number}", cost=cost)
                await submit(broker, made, share=Share(weight=people[number][0]))
                owners[made.id] = (number, float(f"{cost:.4g}"))
                left[number] += 1
        served = [0.0] * len(people)
        while all(left):  # as long as everybody still waits
            [held] = await claim(scripts)
            number, cost = owners[held.job_id]
            await finish(scripts, held, cost)
            served[number] += cost / people[number][0]
            left[number] -= 1
            for one, other in itertools.combinations(range(len(people)), 2):
                bound = sum(max(people[who][1]) / people[who][0] for who in (one, other))
                assert abs(served[one] - served[other]) <= bound + 0.01
