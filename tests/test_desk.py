"""The use cases as a front end calls them, on a real server."""

from __future__ import annotations

import asyncio
import itertools
import time

import pytest
from queueing import ECHO, KEEP, DrivenEngine, address, leased_worker, requester, until, working
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from frontdesk.bots.desk import Desk
from frontdesk.bots.intake import Request
from frontdesk.bots.people import Admins, Person
from frontdesk.queue import keys
from frontdesk.queue.broker import Broker
from frontdesk.queue.connection import client
from frontdesk.queue.errors import (
    DeskClosedError,
    InvalidRequestError,
    LimitedError,
    NoSuchJobError,
    NotAllowedError,
    UnknownKindError,
)
from frontdesk.queue.jobs import Platform
from frontdesk.queue.kinds import Registry
from frontdesk.ratelimit.limiter import Limiter
from frontdesk.ratelimit.limits import Limits

updates = itertools.count()


def made_desk(redis: Redis, admins: Admins | None = None) -> Desk:
    kinds = Registry([ECHO])
    return Desk(kinds, Broker(redis, keep=KEEP), Limiter(redis), Limits.load(), admins or Admins())


@pytest.fixture
def desk(redis: Redis) -> Desk:
    return made_desk(redis, Admins(frozenset({"telegram:root"}), frozenset({"700"})))


def person(user: str = "ada", platform: Platform = "telegram", roles: frozenset[str] = frozenset()) -> Person:
    return Person(requester(user, platform), roles)


def request(
    text: str | None = None, user: str = "ada", update: str | None = None, private: bool = False, **raw: str
) -> Request:
    """By default a text that nobody else asks for."""
    number = next(updates)
    said = {"text": text or f"hello {number}"}
    return Request(person(user), "echo", said | raw, address(user), update or f"u{number}", private=private)


async def test_a_request_becomes_a_waiting_job(desk: Desk) -> None:
    """It is checked, queued, and shows up among one's own jobs only."""
    ticket = await desk.submit(request(times="3"))
    assert ticket.position == 1
    assert [record.id for record in await desk.jobs(person("ada"))] == [ticket.job_id]
    assert await desk.jobs(person("bob")) == []


async def test_what_is_wrong_is_said_before_anything_is_charged(desk: Desk, redis: Redis) -> None:
    """An invalid request costs nothing: it does not reach the limits or the queue."""
    for _ in range(20):
        with pytest.raises(InvalidRequestError, match="times: must be 1 to 9"):
            await desk.submit(request(times="40"))
    with pytest.raises(UnknownKindError, match="no kind called 'sing'"):
        await desk.submit(Request(person(), "sing", {}, address(), "u"))
    assert not await redis.exists(keys.lane("short"))
    assert (await desk.submit(request())).position == 1


async def test_a_flood_is_told_when_to_come_back(desk: Desk) -> None:
    """Members may have three jobs in flight; the fourth waits for one of them to end."""
    tickets = [await desk.submit(request()) for _ in range(3)]
    with pytest.raises(LimitedError, match="already have 3"):
        await desk.submit(request())
    await desk.cancel(person(), tickets[0].job_id)
    await desk.submit(request())
    await desk.cancel(person(), tickets[1].job_id)
    await desk.submit(request())
    await desk.cancel(person(), tickets[2].job_id)
    with pytest.raises(LimitedError, match="too often") as caught:
        await desk.submit(request())
    assert caught.value.retry_after is not None
    assert 60 < caught.value.retry_after <= 120


async def test_one_persons_flood_is_not_anothers(desk: Desk) -> None:
    """Limits are each person's own, and so is the wait: who comes after three jobs of one person is second."""
    for _ in range(3):
        await desk.submit(request(user="ada"))
    assert (await desk.submit(request(user="bob"))).position == 2


async def test_a_repeated_update_is_neither_queued_nor_charged_again(desk: Desk) -> None:
    """Ten times the same update: one job, one charge, one ticket."""
    tickets = await asyncio.gather(*(desk.submit(request(update="same")) for _ in range(10)))
    assert len({ticket.job_id for ticket in tickets}) == 1
    for _ in range(2):
        await desk.submit(request())
    with pytest.raises(LimitedError, match="already have 3"):
        await desk.submit(request())


async def test_the_place_in_flight_is_free_when_the_job_ended(desk: Desk, redis: Redis) -> None:
    """Whoever waits for their answers can go on asking."""
    async with working(leased_worker(redis, DrivenEngine())):
        for _ in range(4):
            ticket = await desk.submit(request())
            await until(lambda: _ended(desk, ticket.job_id))  # noqa: B023 - awaited within the turn


async def test_a_request_that_never_reached_the_queue_takes_no_place_for_long(
    desk: Desk, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Redis goes away, or the bot dies, between the limits and the queue: what was charged cannot be given back."""

    async def gone(*_: object, **__: object) -> None:
        raise RedisConnectionError

    accepted = await desk.submit(request())
    monkeypatch.setattr(Broker, "submit", gone)
    monkeypatch.setattr(Limiter, "refund", gone)
    with pytest.raises(DeskClosedError):
        await desk.submit(request())
    (lost, soon), (kept, late) = await redis.zrange("fd:limit:in_flight:echo:telegram:ada", 0, -1, withscores=True)
    assert (kept.decode(), lost == kept) == (accepted.job_id, False)
    assert soon - time.time() < 120 < late - time.time()


async def _ended(desk: Desk, job_id: str) -> bool:
    return (await desk.job(person(), job_id)).ended


async def test_cancel_is_for_the_owner_and_for_admins(desk: Desk) -> None:
    """Others learn nothing, not even that the job exists."""
    first, second = await desk.submit(request()), await desk.submit(request())
    with pytest.raises(NoSuchJobError):
        await desk.cancel(person("eve"), first.job_id)
    with pytest.raises(NoSuchJobError):
        await desk.job(person("eve"), first.job_id)
    assert await desk.cancel(person("ada"), f" {first.job_id.upper()} ") == "cancelled"
    assert await desk.cancel(person("root"), second.job_id) == "cancelled"
    with pytest.raises(NoSuchJobError):
        await desk.cancel(person("ada"), "x' or 1=1")


@pytest.mark.parametrize(
    ("who", "admin"),
    [
        (person("root"), True),
        (person("root", "discord"), False),
        (person("bob", "discord", frozenset({"700"})), True),
        (person("bob", "telegram", frozenset({"700"})), False),
        (person("bob"), False),
    ],
)
async def test_admins_are_known_by_id_and_by_discord_role(desk: Desk, who: Person, admin: bool) -> None:
    """An id counts on its own platform only, a role on Discord only."""
    assert desk.is_admin(who) is admin
    if admin:
        await desk.queue(who)
    else:
        with pytest.raises(NotAllowedError):
            await desk.queue(who)


async def test_the_status_tells_how_long_a_new_job_would_wait(desk: Desk, redis: Redis) -> None:
    """Without a worker there is no wait to tell; with one there is."""
    await desk.submit(request())
    [lane] = await desk.status()
    assert (lane.kinds, lane.waiting, lane.workers, lane.wait) == (("echo",), 1, 0, None)
    engine = DrivenEngine(hold=True)
    async with working(leased_worker(redis, engine)):
        await engine.started.get()
        await until(lambda: _staffed(desk))
        [lane] = await desk.status()
        assert lane.wait == pytest.approx(2.0, abs=0.5)  # what the running job is estimated to take


async def _staffed(desk: Desk) -> bool:
    return (await desk.status())[0].workers == 1


async def test_without_redis_the_desk_is_closed_for_a_moment(tmp_path: object) -> None:
    """A sentence, not a traceback, for everything one can ask."""
    async with client("redis://127.0.0.1:1/0") as nowhere:
        desk = made_desk(nowhere, Admins(frozenset({"telegram:ada"})))
        for call in (
            desk.submit(request()),
            desk.cancel(person(), "abc"),
            desk.jobs(person()),
            desk.job(person(), "abc"),
            desk.status(),
            desk.queue(person()),
            desk.placed("abc", address()),
        ):
            with pytest.raises(DeskClosedError, match="closed for a moment"):
                await call
