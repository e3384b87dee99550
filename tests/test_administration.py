"""What admins can do, at the desk: who may, what people then see, and what is written down."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import pytest
from queueing import ECHO, KEEP, DrivenEngine, address, leased_worker, requester, until, working
from redis.asyncio import Redis

from frontdesk.bots.admin_actions import ACTIONS
from frontdesk.bots.admin_words import told
from frontdesk.bots.administration import Administration
from frontdesk.bots.desk import Desk
from frontdesk.bots.intake import Request
from frontdesk.bots.on_console_render import plain
from frontdesk.bots.people import Admins, Person
from frontdesk.queue import keys
from frontdesk.queue.broker import Broker
from frontdesk.queue.connection import client
from frontdesk.queue.errors import BannedError, DeskClosedError, LimitedError, NotAllowedError, UserError
from frontdesk.queue.kinds import Registry
from frontdesk.queue.scripts import Scripts
from frontdesk.ratelimit.limiter import Limiter
from frontdesk.ratelimit.limits import Limits

ROOT, EVE = Person(requester("1")), Person(requester("666"))
WRITTEN = "my diary"
updates = itertools.count()


def made_desk(redis: Redis, limits: Path | None = None) -> Desk:
    admins = Admins(frozenset({ROOT.requester.key}))
    return Desk(Registry([ECHO]), Broker(redis, keep=KEEP), Limiter(redis), Limits.load(limits), admins)


@pytest.fixture
def desk(redis: Redis) -> Desk:
    return made_desk(redis)


@pytest.fixture
def admin(desk: Desk) -> Administration:
    return Administration(desk)


def request(who: Person = EVE, text: str | None = None) -> Request:
    """By default a text that nobody else asks for."""
    number = next(updates)
    return Request(who, "echo", {"text": text or f"hello {number}"}, address(who.requester.user), f"admin-{number}")


async def said(admin: Administration, text: str, who: Person = ROOT, author: str | None = None) -> str:
    """What `/admin TEXT` answers, be it a refusal."""
    try:
        return plain(await told(admin, who, text, author))
    except UserError as error:
        return str(error)


async def put_aside(redis: Redis, desk: Desk, text: str = WRITTEN) -> str:
    """A job of Eve's that has stopped three workers; its id."""
    job_id = (await desk.submit(request(text=text))).job_id
    scripts = Scripts(redis)
    for number in range(3):
        await scripts.turn(f"victim-{number}", 60.0, {"short": 1}, keep=KEEP, patience=3600.0)
        await scripts.reap(f"victim-{number}", keep=KEEP)
    return job_id


@pytest.mark.parametrize("name", ACTIONS)
async def test_every_action_is_for_admins_only(admin: Administration, redis: Redis, name: str) -> None:
    """Others learn nothing, not even what is missing; nothing happens and nothing is written down."""
    for given in ({}, {"lane": "short", "worker": "w1", "job": "x", "person": "telegram:1", "tier": "trusted"}):
        with pytest.raises(NotAllowedError):
            await admin.perform(EVE, name, given)
    with pytest.raises(NotAllowedError):
        await told(admin, EVE, f"{name} nonsense")
    assert await redis.keys("fd:*") == []
    assert [await admin.offers(EVE, argument.sort) for argument in ACTIONS[name].arguments if argument] == [
        [] for _ in ACTIONS[name].arguments
    ]


async def test_others_do_not_learn_what_there_is(admin: Administration) -> None:
    """Neither from `/admin` alone nor from an action that does not exist."""
    assert await said(admin, "", EVE) == await said(admin, "dance", EVE) == "Only admins of this desk can do that."
    assert "/admin ban PERSON REASON Take no more jobs from a person" in await said(admin, "")


async def test_a_paused_lane_waits_and_goes_on(admin: Administration, desk: Desk, redis: Redis) -> None:
    """The jobs of a paused lane are not taken; the sentence says how many wait."""
    await desk.submit(request())
    assert await said(admin, "pause short new driver") == "Lane short is paused: 1 job waits."
    assert await said(admin, "pause short") == "Lane short was paused already: 1 job waits."
    engine = DrivenEngine()
    async with working(leased_worker(redis, engine)):
        await until(lambda: redis.exists(keys.worker("w1")))
        assert engine.started.empty()
        assert await said(admin, "RESUME short") == "Lane short goes on: 1 job waits."
        await engine.started.get()
    assert "fd:paused" not in {key.decode() for key in await redis.keys("fd:*")}


async def test_a_drained_worker_takes_nothing_more(admin: Administration, desk: Desk, redis: Redis) -> None:
    """It ends what it runs; the next job waits until it is let back, and `/queue` shows that."""
    engine = DrivenEngine(hold=True)
    async with working(leased_worker(redis, engine)):
        first = (await desk.submit(request())).job_id
        await engine.started.get()
        assert await said(admin, "drain w") == "Worker w1 is drained: it finishes 1 job and takes no more."
        await desk.submit(request())
        engine.end(first)
        await until(lambda: redis.hget(keys.job(first), "outcome"))
        report = await desk.queue(ROOT)
        assert [(worker.state.id, worker.drained) for worker in report.workers] == [("w1", True)]
        assert engine.started.empty()
        assert await said(admin, "undrain w1") == "Worker w1 takes jobs again."
        second = await engine.started.get()
        engine.end(second.id)


async def test_a_bumped_job_is_next(admin: Administration, desk: Desk) -> None:
    """Whoever asked last is first, and others see that they stand one behind."""
    tickets = [await desk.submit(request(Person(requester(str(number))))) for number in range(10, 13)]
    last = tickets[-1].job_id
    assert await said(admin, f"bump {last.upper()} for the talk") == f"{last} is next in its lane."
    assert (await desk.steering.seen.waiting())[0].id == last
    assert await said(admin, f"bump {last}") == f"{last} was next in its lane already."
    assert (await said(admin, "bump nope")).startswith("There is no job nope. Waiting: ")


async def test_anybodys_job_can_be_cancelled(admin: Administration, desk: Desk) -> None:
    """With a reason for the log; that of one's own leaves no trace there."""
    theirs, own = (await desk.submit(request())).job_id, (await desk.submit(request(ROOT))).job_id
    assert await said(admin, f"cancel {theirs} it loops") == f"{theirs}: cancelled."
    assert await said(admin, f"cancel {own}") == f"{own}: cancelled."
    assert await said(admin, "cancel nope") == "There is no job nope."
    third = (await desk.submit(request())).job_id
    assert await desk.cancel(ROOT, third) == "cancelled"  # as by /cancel, or the button
    log = (await said(admin, "audit")).splitlines()
    assert [line.split(" UTC ")[1] for line in log] == [
        f"telegram:1 cancel {third}",
        f"telegram:1 cancel {theirs}: it loops",
    ]


async def test_who_is_banned_reads_why_and_is_not_charged(admin: Administration, desk: Desk, redis: Redis) -> None:
    """The limits are not touched; what was asked for before goes on; lifted, the desk is open again."""
    before = await desk.submit(request())
    counted = await redis.keys("fd:limit:*")
    state = {key: await redis.dump(key) for key in counted}
    assert (await said(admin, "ban 666 You flood the lab.")).startswith(
        "telegram:666 may no longer ask here: You flood the lab."
    )
    for _ in range(20):
        with pytest.raises(BannedError, match=r"^You may not ask here: You flood the lab\.$"):
            await desk.submit(request())
    assert {key: await redis.dump(key) for key in await redis.keys("fd:limit:*")} == state
    assert not (await desk.job(EVE, before.job_id)).ended
    assert "telegram:666 is banned since" in await said(admin, "people")
    assert await said(admin, "unban telegram:666") == "telegram:666 may ask here again."
    await desk.submit(request())


async def test_a_tier_changes_what_one_may_ask_for(admin: Administration, desk: Desk) -> None:
    """At once and until it is changed back, whatever the limits file says of that person."""
    for _ in range(3):
        await desk.submit(request())
    with pytest.raises(LimitedError, match="already have 3"):
        await desk.submit(request())
    assert await said(admin, "tier 666 Trusted asked nicely") == "telegram:666 is now of the tier trusted."
    await desk.submit(request())
    assert await said(admin, "tier 666 trusted") == "telegram:666 was already of the tier trusted."
    assert await said(admin, "people") == "telegram:666 is of the tier trusted."
    back = "telegram:666 is now of the tier member, as the limits file says."
    assert await said(admin, "tier telegram:666 default") == back
    with pytest.raises(LimitedError):
        await desk.submit(request())
    assert await said(admin, "tier 666 vip") == "There is no tier 'vip'. Known: member, trusted, admin, default."


async def test_a_tier_that_the_file_no_longer_has_is_that_of_the_file(redis: Redis, desk: Desk) -> None:
    """What an admin said once does not close the desk to anybody."""
    await desk.steering.set_tier(EVE.requester.key, "gone", by="telegram:1")
    assert (await desk.submit(request())).position == 1


async def test_a_job_that_was_put_aside_is_seen_and_runs_again(admin: Administration, desk: Desk, redis: Redis) -> None:
    """Listed and inspected without its text; requeued, its requester gets a second outcome."""
    job_id = await put_aside(redis, desk)
    listed, inspected = await said(admin, "aside"), await said(admin, f"inspect {job_id}")
    assert listed == f"{job_id} echo of telegram:666 in short: stopped 3 workers, the last 1 s ago."
    for words in (f"echo {job_id}: failed.", "Asked by: telegram:666", "Workers stopped: 3", "Kept aside: yes"):
        assert words in inspected
    assert (await desk.queue(ROOT)).aside == 1
    told_before = await redis.xlen(keys.outcomes("telegram"))
    requeued = await said(admin, f"requeue {job_id}")
    assert requeued == f"{job_id} waits in its lane again. Who asked for it gets a second answer."
    assert await said(admin, "aside") == "No job is kept aside."
    async with working(leased_worker(redis, DrivenEngine())):
        await until(lambda: redis.hget(keys.job(job_id), "outcome"))
    record = await desk.job(EVE, job_id)
    assert record.outcome is not None
    assert record.outcome.result == {"said": WRITTEN}
    assert await redis.xlen(keys.outcomes("telegram")) == told_before + 1
    assert WRITTEN not in listed + inspected + await said(admin, "audit") + await said(admin, f"inspect {job_id}")


async def test_a_job_that_was_put_aside_is_dropped(admin: Administration, desk: Desk, redis: Redis) -> None:
    """Then it can no longer be run again."""
    job_id = await put_aside(redis, desk)
    assert await said(admin, f"drop {job_id}") == f"{job_id} is dropped: what it asked for is forgotten."
    assert await said(admin, f"requeue {job_id}") == f"No job {job_id} is kept aside."


async def test_the_audit_log_says_who_did_what_and_when(admin: Administration, desk: Desk, redis: Redis) -> None:
    """Newest first, as many as asked for; what was refused or changed nothing is not in it."""
    assert await said(admin, "audit") == "No admin has done anything yet."
    for text in ("ban 7 spam", "tier 7 trusted", "pause short", "pause short", "pause nowhere", "unban 8"):
        await said(admin, text)
    lines = (await said(admin, "audit")).splitlines()
    assert [line.split(" UTC ")[1] for line in lines] == [
        "telegram:1 pause short",
        "telegram:1 tier telegram:7 trusted",
        "telegram:1 ban telegram:7: spam",
    ]
    seconds, _ = await redis.time()
    assert all(abs(entry.at - seconds) < 60 for entry in await desk.steering.seen.audit())
    assert (await said(admin, "audit 1")).count("\n") == 0


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("dance", "Admins cannot 'dance'. They can: pause, resume, drain"),
        ("pause", "lane: is needed: The lane. Say: pause LANE [REASON]"),
        ("pause moon", "There is no lane 'moon'. Known: short."),
        ("drain", "worker: is needed"),
        ("drain w9", "There is no worker 'w9'."),
        ("bump", "job: is needed"),
        ("bump 0000", "There is no job 0000."),
        ("cancel 0000", "There is no job 0000."),
        ("inspect 0000", "There is no job 0000."),
        ("requeue 0000", "No job 0000 is kept aside."),
        ("drop x' or 1=1", "No job x' is kept aside."),
        ("ban", "person: is needed: Who. Say: ban PERSON REASON"),
        ("ban 666", "reason: is needed: Why: they read it when they ask. Say: ban PERSON REASON"),
        ("ban @eve spam", "reply to a message of theirs, or give their id."),
        ("ban eve spam", "person: must be an id such as discord:123, telegram:456 or console:ada."),
        ("ban telegram:eve spam", "person: must be an id such as"),
        (f"ban 666 {'x' * 301}", "reason: must have at most 300 characters; this has 301."),
        ("unban 666", "telegram:666 is not banned."),
        ("tier 666", "tier: is needed"),
        ("audit 0", "limit: must be 1 to 100."),
        ("audit many", "limit: must be 1 to 100."),
        ("audit 3 4", "That is too much. Say: audit [LIMIT]"),
        ("people all", "That is too much. Say: people"),
    ],
)
async def test_what_cannot_be_done_is_one_sentence(
    admin: Administration, redis: Redis, text: str, sentence: str
) -> None:
    """It says what is wrong and what there is, and nothing happens."""
    answer = await said(admin, text)
    assert sentence in answer
    assert "\n" not in answer
    assert not await redis.exists(keys.AUDIT, keys.BANNED, keys.PAUSED, keys.TIERS)


async def test_who_is_replied_to_is_the_person(admin: Administration) -> None:
    """In a reply no id is needed, a number is part of the reason, and a whole key still names another."""
    assert (await said(admin, "ban 3 floods today", author="telegram:77")).startswith(
        "telegram:77 may no longer ask here: 3 floods today"
    )
    assert (await said(admin, "ban discord:5 spam", author="telegram:77")).startswith("discord:5 may no longer")
    assert await said(admin, "tier trusted", author="telegram:77") == "telegram:77 is now of the tier trusted."
    assert await said(admin, "unban", author="telegram:77") == "telegram:77 may ask here again."
    assert await said(admin, "people") == (await said(admin, "people", author="telegram:77"))


async def test_what_is_typed_is_completed(admin: Administration, desk: Desk, redis: Redis) -> None:
    """Lanes, workers, jobs and tiers as they are now, in words that tell them apart."""
    aside = await put_aside(redis, desk)
    waiting = (await desk.submit(request())).job_id
    await said(admin, "pause short")
    assert await admin.offers(ROOT, "lane") == [("short", "short (paused)")]
    assert await admin.offers(ROOT, "tier") == [(name, name) for name in ("member", "trusted", "admin", "default")]
    assert await admin.offers(ROOT, "waiting") == [(waiting, f"{waiting} echo, waiting, of telegram:666")]
    assert [job_id for job_id, _ in await admin.offers(ROOT, "unfinished")] == [waiting]
    assert [job_id for job_id, _ in await admin.offers(ROOT, "aside")] == [aside]
    assert [job_id for job_id, _ in await admin.offers(ROOT, "job")] == [waiting, aside]
    assert await admin.offers(ROOT, "person") == []
    async with working(leased_worker(redis, DrivenEngine())):
        await until(lambda: redis.exists(keys.worker("w1")))
        await said(admin, "drain w1")
        assert await admin.offers(ROOT, "worker") == [("w1", "w1 (drained)")]


async def test_without_redis_the_desk_is_closed_for_admins_too() -> None:
    """A sentence, as everywhere."""
    async with client("redis://127.0.0.1:1/0") as nowhere:
        admin = Administration(made_desk(nowhere))
        with pytest.raises(DeskClosedError):
            await told(admin, ROOT, "pause short")
        with pytest.raises(DeskClosedError):
            await admin.offers(ROOT, "lane")


@pytest.mark.parametrize("name", ACTIONS)
def test_discord_and_telegram_can_show_every_action(name: str) -> None:
    """Names, descriptions and numbers stay within what the platforms take, and a text comes last."""
    action = ACTIONS[name]
    assert re.fullmatch("[a-z]{1,32}", name)
    assert max(map(len, (action.summary, *(argument.description for argument in action.arguments)))) <= 100
    assert [each.required for each in action.arguments] == sorted((a.required for a in action.arguments), reverse=True)
    assert "text" not in [argument.sort for argument in action.arguments[:-1]]
    assert len(ACTIONS) <= 25
