"""One person on two platforms: a code joins them, and nobody takes a person over."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from queueing import ECHO, KEEP, DrivenEngine, address, has_ended, leased_worker, until, working
from redis.asyncio import Redis

from frontdesk.bots.administration import Administration
from frontdesk.bots.desk import Desk
from frontdesk.bots.intake import Request
from frontdesk.bots.people import Admins, Person
from frontdesk.queue import keys
from frontdesk.queue.accounts import CODE_LIFE, MOST, TRIES, TRIES_LIFE, Accounts, Linked
from frontdesk.queue.broker import Broker
from frontdesk.queue.errors import BannedError, LimitedError, NoSuchJobError, NotAllowedError, OthersAnswerError
from frontdesk.queue.events import next_progress, progress_channel, tail
from frontdesk.queue.jobs import ALPHABET, Platform, Progress, Requester
from frontdesk.queue.kinds import Registry
from frontdesk.queue.steering import Steering
from frontdesk.ratelimit.limiter import Limiter
from frontdesk.ratelimit.limits import Limits

ADA, ADA_TOO, EVE = "discord:1", "telegram:2", "telegram:666"
BOTH = Linked(ADA, frozenset({ADA, ADA_TOO}))
ROOT = "console:root"


@pytest.fixture
def accounts(redis: Redis) -> Accounts:
    return Accounts(redis)


@pytest.fixture
def desk(redis: Redis) -> Desk:
    broker, admins = Broker(redis, keep=KEEP), Admins(frozenset({"console:ada"}))
    return Desk(Registry([ECHO]), broker, Limiter(redis), Limits.load(), admins)


def person(identity: str) -> Person:
    platform, user = identity.split(":")
    return Person(Requester(platform=_platform(platform), user=user, tenant=user))


def _platform(name: str) -> Platform:
    known: dict[str, Platform] = {"discord": "discord", "telegram": "telegram", "console": "console"}
    return known[name]


_updates = iter(range(10**6))


def request(identity: str, text: str = "hello") -> Request:
    who = person(identity)
    reply = address(who.requester.user, who.requester.platform)
    return Request(who, "echo", {"text": text}, reply, f"u{next(_updates)}")


async def joined(accounts: Accounts, giver: str = ADA, other: str = ADA_TOO) -> None:
    assert (await accounts.link(other, await accounts.code(giver))).result == "linked"


# The code


async def test_a_code_joins_two_identities(accounts: Accounts) -> None:
    """Who gave it is the account under which both count."""
    assert await accounts.of(ADA) == Linked(ADA, frozenset({ADA}))
    code = await accounts.code(ADA)
    assert len(code) == 9
    assert set(code.replace("-", "")) <= set(ALPHABET)
    assert (await accounts.link(ADA_TOO, code)).giver == ADA
    assert await accounts.of(ADA) == await accounts.of(ADA_TOO) == BOTH


@pytest.mark.parametrize(
    "typed", [str.upper, lambda code: code.replace("-", ""), lambda code: f" {code.replace('0', 'O')} "]
)
async def test_a_code_is_taken_however_it_is_typed(accounts: Accounts, typed: Callable[[str], str]) -> None:
    """In capitals, in one group, with letters that look like its figures."""
    assert (await accounts.link(ADA_TOO, typed(await accounts.code(ADA)))).result == "linked"


async def test_a_code_is_good_for_one_use(accounts: Accounts) -> None:
    """Who reads it over a shoulder and enters it later gets nothing."""
    code = await accounts.code(ADA)
    assert (await accounts.link(ADA_TOO, code)).result == "linked"
    assert (await accounts.link(EVE, code)).result == "wrong"
    assert await accounts.of(EVE) == Linked(EVE, frozenset({EVE}))


async def test_of_two_who_enter_one_code_at_once_one_is_joined(accounts: Accounts) -> None:
    """Twenty race; one wins, and the others are told that the code is wrong."""
    code = await accounts.code(ADA)
    said = await asyncio.gather(*(accounts.link(f"telegram:{n}", code) for n in range(20)))
    assert sorted(each.result for each in said) == ["linked"] + ["wrong"] * 19
    assert len((await accounts.of(ADA)).identities) == 2


async def test_a_code_is_kept_for_whoever_entered_it_first(accounts: Accounts) -> None:
    """Somebody types theirs in a group, and is asked whether they mean it: who reads along is too late, and the code
    stays good for its own."""
    code = await accounts.code(ADA)
    assert (await accounts.giver(ADA_TOO, code)).result == "linked"
    assert (await accounts.giver(EVE, code)).result == "wrong"
    assert (await accounts.link(EVE, code)).result == "wrong"
    assert (await accounts.link(ADA_TOO, code)).result == "linked"
    assert await accounts.of(EVE) == Linked(EVE, frozenset({EVE}))


async def test_a_code_ends_after_ten_minutes_and_when_another_is_given(accounts: Accounts, redis: Redis) -> None:
    """The latest one counts. Redis keeps hashes of codes only, and forgets them by itself."""
    first, second = await accounts.code(ADA), await accounts.code(ADA)
    assert (await accounts.link(ADA_TOO, first)).result == "wrong"
    names = [name.decode() for name in await redis.keys("fd:link*") if b"tries" not in name]
    assert len(names) == 2
    for name in names:
        assert 0 < await redis.ttl(name) <= CODE_LIFE
        stored = name + (await redis.get(name)).decode()
        assert second not in stored
        assert second.replace("-", "") not in stored
    assert (await accounts.link(ADA_TOO, second)).result == "linked"
    assert await redis.keys("fd:link:*") + await redis.keys("fd:linking:*") == []


async def test_codes_cannot_be_guessed(accounts: Accounts, redis: Redis) -> None:
    """After five wrong ones within an hour not even the right one counts, nor is it used up."""
    code = await accounts.code(ADA)
    for _ in range(TRIES):
        assert (await accounts.giver(EVE, "0000-0000")).result == "wrong"
    tired = await accounts.link(EVE, code)
    assert (tired.result, tired.giver) == ("tired", None)
    assert 0 < tired.retry_after <= TRIES_LIFE
    await redis.delete(keys.LINK_TRIES + EVE)
    assert (await accounts.link(EVE, code)).result == "linked"


async def test_to_look_at_a_code_does_not_use_it(accounts: Accounts) -> None:
    """Whoever is asked whether they mean it has not joined yet."""
    code = await accounts.code(ADA)
    assert (await accounts.giver(ADA_TOO, code)).giver == ADA
    assert await accounts.of(ADA_TOO) == Linked(ADA_TOO, frozenset({ADA_TOO}))
    assert (await accounts.link(ADA_TOO, code)).result == "linked"


async def test_whom_a_code_does_not_join(accounts: Accounts) -> None:
    """Oneself, whoever is the same person already, and whoever is somebody else's already."""
    assert (await accounts.link(ADA, await accounts.code(ADA))).result == "self"
    await joined(accounts)
    assert (await accounts.link(ADA_TOO, await accounts.code(ADA))).result == "together"
    await joined(accounts, EVE, "console:eve")
    assert (await accounts.link(ADA_TOO, await accounts.code(EVE))).result == "elsewhere"
    assert await accounts.of(ADA) == BOTH


async def test_a_person_has_a_few_identities(accounts: Accounts) -> None:
    """One more than that is refused."""
    for number in range(MOST - 1):
        await joined(accounts, ADA, f"telegram:{number}")
    assert (await accounts.link(EVE, await accounts.code(ADA))).result == "full"


async def test_unlinking(accounts: Accounts, redis: Redis) -> None:
    """Who leaves counts alone again; where that was the account, another of those that remain becomes it."""
    await joined(accounts)
    await joined(accounts, ADA_TOO, "console:ada")
    assert (await accounts.of("console:ada")).account == ADA
    assert await accounts.unlink(ADA) == {ADA_TOO, "console:ada"}
    assert await accounts.of(ADA) == Linked(ADA, frozenset({ADA}))
    assert await accounts.of("console:ada") == Linked(ADA_TOO, frozenset({ADA_TOO, "console:ada"}))
    assert await accounts.unlink("console:ada") == {ADA_TOO}
    assert await accounts.unlink(ADA_TOO) == frozenset()
    assert not await redis.exists(keys.LINKED)


# What is shared


async def test_limits_are_shared(desk: Desk, accounts: Accounts) -> None:
    """Three jobs in flight of one person, wherever they ask."""
    await joined(accounts)
    for identity in (ADA, ADA_TOO, ADA_TOO):
        await desk.submit(request(identity))
    for identity in (ADA, ADA_TOO):
        with pytest.raises(LimitedError, match="already have 3"):
            await desk.submit(request(identity))


async def test_jobs_are_shared_until_they_part(desk: Desk, accounts: Accounts) -> None:
    """Each sees, and cancels, what the other asked for; after `/unlink` each has what it asked for itself."""
    before = (await desk.submit(request(ADA_TOO))).job_id
    await joined(accounts)
    own = [(await desk.submit(request(identity))).job_id for identity in (ADA, ADA_TOO)]
    for identity in (ADA, ADA_TOO):
        assert [job.id for job in await desk.jobs(person(identity))] == [own[1], own[0], before]
        assert (await desk.look(person(identity), own[0]))[0].id == own[0]
        assert [job.id for job in await desk.jobs(person(identity), 1)] == [own[1]]
    assert await desk.cancel(person(ADA), own[1]) == "cancelled"
    assert (await desk.answered(person(ADA), own[1])).identity == ADA_TOO
    await accounts.unlink(ADA_TOO)
    assert [job.id for job in await desk.jobs(person(ADA))] == [own[0]]
    assert [job.id for job in await desk.jobs(person(ADA_TOO))] == [own[1], before]
    for theirs in (own[1], before):
        with pytest.raises(NoSuchJobError):
            await desk.job(person(ADA), theirs)
        with pytest.raises(NoSuchJobError):
            await desk.cancel(person(ADA), theirs)
    with pytest.raises(OthersAnswerError):
        await desk.answered(person(ADA), own[1])


async def test_a_ban_anywhere_is_a_ban(desk: Desk, accounts: Accounts) -> None:
    """Nobody escapes it to another platform."""
    await joined(accounts)
    await desk.steering.ban(ADA_TOO, by=ROOT, reason="no")
    with pytest.raises(BannedError):
        await desk.submit(request(ADA))
    await accounts.unlink(ADA)
    await desk.submit(request(ADA))


async def test_an_admin_is_one_everywhere(desk: Desk, accounts: Accounts) -> None:
    """By any identity; and no longer when they part. Who is no admin is refused as ever."""
    with pytest.raises(NotAllowedError):
        await desk.queue(person(ADA))
    await joined(accounts, "console:ada", ADA)
    await desk.queue(person(ADA))
    await Administration(desk).perform(person(ADA), "ban", {"person": EVE, "reason": "no"})
    [entry] = await desk.steering.seen.audit()
    assert entry.by == ADA
    await accounts.unlink(ADA)
    with pytest.raises(NotAllowedError):
        await desk.queue(person(ADA))


async def test_what_a_tier_gives_it_gives_to_the_person(desk: Desk, accounts: Accounts, redis: Redis) -> None:
    """Trusted on one platform is trusted on the other: more jobs in flight than a member may have."""
    await joined(accounts)
    await Steering(redis, keep=KEEP).set_tier(ADA_TOO, "trusted", by=ROOT)
    for _ in range(4):
        await desk.submit(request(ADA))


@given(st.permutations([ADA, ADA_TOO, EVE]))
def test_the_better_tier_counts_of_those_that_somebody_gave(order: list[str]) -> None:
    """Whatever the order; who is in none with one identity loses nothing by it; an unknown tier counts for nothing."""
    limits = Limits.load()
    assert limits.tier_of(*order) == "member"
    assert limits.tier_of(*order, said={EVE: "trusted"}) == "trusted"
    assert limits.tier_of(*order, said={EVE: "trusted", ADA: "admin", ADA_TOO: "gone"}) == "admin"


async def test_an_ended_job_is_found_under_both(desk: Desk, accounts: Accounts, redis: Redis) -> None:
    """Results are shared, not only what waits."""
    await joined(accounts)
    async with working(leased_worker(redis, DrivenEngine())):
        job_id = (await desk.submit(request(ADA_TOO))).job_id
        await until(lambda: has_ended(Broker(redis, keep=KEEP), job_id))
    assert (await desk.job(person(ADA), job_id)).state == "done"


async def test_the_answer_goes_where_it_was_asked(desk: Desk, accounts: Accounts, redis: Redis) -> None:
    """Who counts as somebody of Discord and asks in Telegram gets the answer, its progress and the ticket there."""
    await joined(accounts)
    engine = DrivenEngine(hold=True)
    async with progress_channel(redis, "telegram") as news, working(leased_worker(redis, engine)):
        asked = request(ADA_TOO)
        job_id = (await desk.submit(asked)).job_id
        record = await Broker(redis, keep=KEEP).job(job_id)
        assert record is not None
        assert (record.requester, record.identity) == (ADA, ADA_TOO)
        await engine.started.get()
        engine.reports[job_id](Progress(job_id=job_id, note="half"))
        said = await until(lambda: next_progress(news, 1.0))
        assert (said.job_id, said.note) == (job_id, "half")
        engine.end(job_id)
        await until(lambda: has_ended(Broker(redis, keep=KEEP), job_id))
    assert [event.job_id for event in await tail(redis, "telegram", "0", 0.1)] == [job_id]
    assert await redis.xlen(keys.outcomes("discord")) == 0
