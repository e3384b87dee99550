"""The rules' arithmetic, and that Redis computes the same, atomically."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis.asyncio import Redis

from frontdesk.queue.embedded import EmbeddedServer
from frontdesk.ratelimit.limiter import Limiter
from frontdesk.ratelimit.policy import ALLOWED, SLACK, Decision, InFlight, Ledger, Rate, Rule, acquire, refund

NOW = 1_800_000_000.0
RATE = Rate("rate", "test:rate", burst=3, per_second=0.1)
BUDGET = Rate("budget", "test:budget", burst=600, per_second=600 / 86400, cost=200)
SEATS = InFlight("seats", "test:seats", limit=2, lifetime=100)


class Clock:
    """A clock that stands still until it is set."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


def admitted(ledger: Ledger, now: float, rules: list[Rule], member: str = "job") -> bool:
    return acquire(ledger, now, rules, member)[0].allowed


def spend(ledger: Ledger, now: float, rules: list[Rule], times: int) -> Ledger:
    for number in range(times):
        decision, ledger = acquire(ledger, now, rules, f"job-{number}")
        assert decision == ALLOWED
    return ledger


def test_burst_then_sustained_rate() -> None:
    """A full burst passes at once; then one passes for each interval of the sustained rate."""
    ledger = spend(Ledger(), NOW, [RATE], 3)
    decision, ledger = acquire(ledger, NOW, [RATE], "job")
    assert decision == Decision(False, "rate", 10.0)
    ledger = spend(ledger, NOW + 10, [RATE], 1)
    assert not admitted(ledger, NOW + 10, [RATE])
    spend(ledger, NOW + 1000, [RATE], 3)


def test_costs_are_weighed() -> None:
    """A budget of 600 a day lets three jobs of 200 through, and the next when 200 have come back: 8 hours later."""
    ledger = spend(Ledger(), NOW, [BUDGET], 3)
    decision, _ = acquire(ledger, NOW, [BUDGET], "job")
    assert decision.retry_after == pytest.approx(8 * 3600)
    assert admitted(ledger, NOW, [replace(BUDGET, cost=0)])


def test_cost_above_the_burst_never_passes() -> None:
    """What is larger than the whole budget is refused for good: no time is told."""
    assert acquire(Ledger(), NOW, [replace(BUDGET, cost=601)], "job")[0] == Decision(False, "budget", None)
    assert admitted(Ledger(), NOW, [replace(BUDGET, cost=600)])


def test_in_flight_counts_members() -> None:
    """As many as the limit may be in flight; a member is counted once, and one that is never released is forgotten."""
    ledger = spend(Ledger(), NOW, [SEATS], 2)
    assert acquire(ledger, NOW, [SEATS], "third")[0] == Decision(False, "seats", None)
    assert admitted(ledger, NOW, [SEATS], "job-1")
    assert not admitted(ledger, NOW + 99, [SEATS], "third")
    assert admitted(ledger, NOW + 100, [SEATS], "third")


def test_refusal_by_one_charges_none() -> None:
    """A request that one rule refuses leaves the ledger as it was."""
    ledger = spend(Ledger(), NOW, [SEATS], 2)
    decision, after = acquire(ledger, NOW, [RATE, SEATS, BUDGET], "third")
    assert decision.rule == "seats"
    assert after == ledger


def test_the_refusal_that_lasts_longest_is_told() -> None:
    """Of several refusals the longest wait is told, and no time at all where a wait would not be enough."""
    ledger = spend(Ledger(), NOW, [RATE, BUDGET], 3)
    assert acquire(ledger, NOW, [RATE, BUDGET], "job")[0].rule == "budget"
    assert acquire(ledger, NOW, [BUDGET, RATE], "job")[0].rule == "budget"
    full = spend(ledger, NOW, [SEATS], 2)
    assert acquire(full, NOW, [RATE, BUDGET, SEATS], "job")[0] == Decision(False, "seats", None)
    huge = replace(BUDGET, cost=601)
    assert acquire(full, NOW, [SEATS, huge, RATE], "job")[0] == Decision(False, "budget", None)


def test_refund_undoes_a_charge() -> None:
    """After a refund as much passes as before the charge, but never more than the burst."""
    rules: list[Rule] = [RATE, BUDGET, SEATS]
    before = spend(Ledger(), NOW, rules, 1)
    after = refund(acquire(before, NOW, rules, "job")[1], NOW, rules, "job")
    assert after.members == before.members
    assert after.tats == pytest.approx(before.tats)
    generous = refund(refund(after, NOW, rules, "job-0"), NOW, rules, "job-0")
    assert not admitted(spend(generous, NOW, [RATE], 3), NOW, [RATE])


@pytest.mark.parametrize(
    "wrong", [{"burst": 0}, {"per_second": 0}, {"cost": -1}, {"cost": math.nan}, {"burst": math.inf}]
)
def test_impossible_rates_cannot_be_made(wrong: dict[str, float]) -> None:
    """A rate that divides by zero or pays back is refused where it is made."""
    with pytest.raises(ValueError, match="rate: burst and rate must be above 0"):
        replace(RATE, **wrong)  # type: ignore[arg-type]  # mypy checks every field against the dict's one type


def test_impossible_seats_cannot_be_made() -> None:
    """So is a number in flight below one."""
    with pytest.raises(ValueError, match="seats: limit and lifetime"):
        replace(SEATS, limit=0)


bursts = st.floats(0.5, 1000)
speeds = st.floats(1e-4, 100)
steps = st.lists(st.tuples(st.floats(0, 50), st.floats(0, 20)), max_size=40)


@given(bursts, speeds, steps)
def test_never_more_than_burst_and_rate(burst: float, per_second: float, steps: list[tuple[float, float]]) -> None:
    """In any window of t seconds, what is let through costs at most burst + rate * t."""
    ledger, now, passed = Ledger(), NOW, []
    for pause, cost in steps:
        now += pause
        decision, ledger = acquire(ledger, now, [Rate("rate", "key", burst, per_second, cost)], "job")
        if decision.allowed:
            passed.append((now, cost))
    for first, (begin, _) in enumerate(passed):
        total = 0.0
        for end, cost in passed[first:]:
            total += cost
            assert total <= burst + per_second * (end - begin + 2 * SLACK) + 1e-6


@given(bursts, speeds, steps)
def test_retry_after_is_exact(burst: float, per_second: float, steps: list[tuple[float, float]]) -> None:
    """Who waits as long as told gets in; who comes earlier does not."""
    ledger, now = Ledger(), NOW
    for pause, cost in steps:
        now += pause
        rules: list[Rule] = [Rate("rate", "key", burst, per_second, cost)]
        decision, after = acquire(ledger, now, rules, "job")
        if decision.retry_after is not None:
            assert admitted(ledger, now + decision.retry_after, rules)
            assert not admitted(ledger, now + decision.retry_after - 3 * SLACK, rules)
        ledger = after


# --- in Redis


async def test_refusal_and_its_wait(redis: Redis) -> None:
    """On the server's own clock: the burst passes, then the refusal names the rule and about the whole interval."""
    limiter = Limiter(redis)
    assert [await limiter.acquire([RATE], str(number)) for number in range(3)] == [ALLOWED] * 3
    decision = await limiter.acquire([RATE], "job")
    assert (decision.allowed, decision.rule) == (False, "rate")
    assert decision.retry_after is not None
    assert 0 < decision.retry_after <= 10


async def test_no_rules_allow_everything(redis: Redis) -> None:
    """Who has no limits is never refused, and nothing is written."""
    await Limiter(redis).refund([], "job")
    assert await Limiter(redis).acquire([], "job") == ALLOWED
    assert await redis.dbsize() == 0


async def test_many_at_once_admit_exactly_the_limit(redis: Redis, redis_server: EmbeddedServer) -> None:
    """Of 200 that ask at the same moment over two clients, exactly as many pass as the rules say."""
    seats = InFlight("seats", "test:seats", limit=20, lifetime=1000)
    slow = Rate("rate", "test:rate", burst=30, per_second=1e-6)
    async with Redis.from_url(redis_server.url) as other:
        limiters = [Limiter(redis), Limiter(other)]
        decisions = await asyncio.gather(
            *(limiters[number % 2].acquire([slow, seats], f"job-{number}") for number in range(200))
        )
    assert sum(decision.allowed for decision in decisions) == 20
    assert await redis.zcard(seats.key) == 20
    # The 180 that the seats refused were not charged: ten of the burst of 30 are left.
    again = await asyncio.gather(*(limiters[0].acquire([slow], f"job-{number}") for number in range(50)))
    assert sum(decision.allowed for decision in again) == 10


async def test_refused_by_one_leaves_the_other_uncharged(redis: Redis) -> None:
    """A refusal writes nothing, whichever rule comes first."""
    limiter = Limiter(redis)
    one = InFlight("seats", "test:one", limit=1, lifetime=100)
    await limiter.acquire([one], "job-0")
    orders: list[list[Rule]] = [[RATE, one], [one, RATE]]
    for rules in orders:
        assert (await limiter.acquire(rules, "job-1")).rule == "seats"
        assert await redis.keys() == [b"test:one"]


async def test_refund_in_redis(redis: Redis) -> None:
    """A refunded request costs nothing: the burst is whole again and the seat is free."""
    clock = Clock()
    limiter = Limiter(redis, clock)
    rules: list[Rule] = [RATE, replace(SEATS, limit=1)]
    await limiter.acquire(rules, "job")
    await limiter.refund(rules, "job")
    await limiter.refund(rules, "job")  # not below nothing
    assert await redis.keys() == []
    allowed = [(await limiter.acquire([RATE], str(number))).allowed for number in range(4)]
    assert allowed == [True, True, True, False]


async def test_removed_member_frees_its_seat(redis: Redis) -> None:
    """Who ends a job removes its id from the rule's sorted set, and the next may come."""
    limiter = Limiter(redis)
    rules: list[Rule] = [replace(SEATS, limit=1)]
    await limiter.acquire(rules, "job-0")
    assert not (await limiter.acquire(rules, "job-1")).allowed
    await redis.zrem(SEATS.key, "job-0")
    assert (await limiter.acquire(rules, "job-1")).allowed


async def test_keys_expire(redis: Redis) -> None:
    """Nothing stays for ever: keys live as long as they mean something, and a minute."""
    await Limiter(redis).acquire([RATE, BUDGET, SEATS], "job")
    lives = {key: await redis.pttl(key) / 1000 for key in (RATE.key, BUDGET.key, SEATS.key)}
    assert 10 < lives[RATE.key] <= 10 + 61
    assert 28_800 < lives[BUDGET.key] <= 28_800 + 61
    assert 100 < lives[SEATS.key] <= 100 + 61


async def test_shorter_lifetime_keeps_older_members(redis: Redis) -> None:
    """A lifetime that was shortened does not make the whole set expire early."""
    limiter = Limiter(redis)
    await limiter.acquire([replace(SEATS, lifetime=10_000)], "job-0")
    await limiter.acquire([replace(SEATS, lifetime=1)], "job-1")
    assert await redis.pttl(SEATS.key) > 9_000_000


@st.composite
def requests(draw: st.DrawFn) -> tuple[float, bool, list[Rule], str]:
    """A pause before it, whether it is a refund, its rules, and its member."""
    pool: list[Rule] = [
        Rate("a", "test:a", draw(bursts), draw(speeds), draw(st.floats(0, 20))),
        Rate("b", "test:b", 2, 0.5, draw(st.sampled_from([0.0, 0.5, 1.0, 3.0]))),
        InFlight("c", "test:c", draw(st.integers(1, 3)), draw(st.floats(0.5, 20))),
        InFlight("d", "test:d", 4, 30),
    ]
    rules = draw(st.lists(st.sampled_from(pool), min_size=1, max_size=4, unique_by=lambda rule: rule.key))
    pause = draw(st.one_of(st.just(0.0), st.floats(0, 10)))
    return pause, draw(st.integers(0, 4)) == 0, rules, draw(st.sampled_from(["job-1", "job-2", "job-3", "job-4"]))


@given(st.lists(requests(), min_size=1, max_size=25))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_redis_decides_as_the_policy_does(
    redis_server: EmbeddedServer, sequence: list[tuple[float, bool, list[Rule], str]]
) -> None:
    """The script and the pure arithmetic give the same decisions, to the last bit of the wait, for any sequence."""
    asyncio.run(_compare(redis_server.url, sequence))


async def _compare(url: str, sequence: list[tuple[float, bool, list[Rule], str]]) -> None:
    async with _empty(url) as redis:
        clock, ledger = Clock(), Ledger()
        limiter = Limiter(redis, clock)
        for pause, is_refund, rules, member in sequence:
            clock.now += pause
            if is_refund:
                await limiter.refund(rules, member)
                ledger = refund(ledger, clock.now, rules, member)
            else:
                expected, ledger = acquire(ledger, clock.now, rules, member)
                assert await limiter.acquire(rules, member) == expected


@asynccontextmanager
async def _empty(url: str) -> AsyncIterator[Redis]:
    async with Redis.from_url(url) as redis:
        await redis.flushdb()
        yield redis
