"""Shown tickets stay true: told anew when it matters, seldom, and never over an answer."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st
from queueing import KEEP, address, job, submit, until
from redis.asyncio import Redis
from test_courier import Chat, courier_for, delivery, placed

from frontdesk.bots import tickets
from frontdesk.bots.deliverer import TryLaterError, UndeliverableError
from frontdesk.bots.replies import Reply
from frontdesk.bots.tickets import (
    LEAST_PAUSE,
    LONGEST_PAUSE,
    NO_WORKER_PAUSE,
    Standing,
    TicketWatch,
    matters,
    pause,
)
from frontdesk.queue import keys
from frontdesk.queue.broker import Broker
from frontdesk.queue.codec import encode
from frontdesk.queue.events import tell
from frontdesk.queue.jobs import JobRecord, Progress, ReplyAddress, Ticket
from frontdesk.queue.report import WorkerState
from frontdesk.queue.scripts import Claimed, Scripts
from frontdesk.queue.steering import Steering

WAITS = st.none() | st.floats(min_value=0, max_value=100_000)
STANDINGS = st.builds(
    lambda position, wait, kills: Standing(Ticket("j", position, wait), kills),
    st.integers(min_value=1, max_value=1000), WAITS, st.integers(min_value=0, max_value=2),
)  # fmt: skip


def at(position: int, wait: float | None, kills: int = 0) -> Standing:
    return Standing(Ticket("j", position, wait), kills)


@pytest.mark.parametrize(
    ("told", "true", "worth"),
    [
        (at(5, 60.0), at(5, 60.0), False),
        (at(5, 60.0), at(4, 52.0), False),
        (at(2, 9.0), at(1, 5.0), True),
        (at(1, 5.0), at(2, 9.0), True),
        (at(8, 60.0), at(4, 50.0), True),
        (at(4, 50.0), at(8, 55.0), True),
        (at(5, 60.0), at(5, 39.0), True),
        (at(5, 60.0), at(5, 81.0), True),
        (at(5, 60.0), at(5, 79.0), False),
        (at(5, 12.0), at(5, 3.0), False),
        (at(5, 60.0), at(5, None), True),
        (at(5, None), at(5, 60.0), True),
        (at(5, None), at(4, None), False),
        (at(0, 0.0), at(0, 0.0), False),
        (at(3, 10.0), at(0, 0.0), True),
        (at(5, 60.0), at(5, 60.0, kills=1), True),
        (at(5, 60.0, kills=1), at(5, 60.0, kills=1), False),
    ],
)
def test_what_is_worth_telling(told: Standing, true: Standing, worth: bool) -> None:
    """It became next, moved far, a third of the wait went or came, a worker came or went, its own one stopped."""
    assert matters(told, true) is worth


@given(STANDINGS)
def test_what_is_told_already_is_not_told_again(standing: Standing) -> None:
    """Or a ticket would be edited for ever."""
    assert not matters(standing, standing)


@given(STANDINGS, STANDINGS)
def test_a_stopped_worker_is_always_told(told: Standing, true: Standing) -> None:
    """Whatever else changed or did not."""
    assert matters(told, true) or true.kills <= told.kills


@given(st.integers(min_value=1, max_value=500), st.floats(min_value=0.1, max_value=60))
def test_a_long_wait_is_told_of_a_few_times(length: int, each: float) -> None:
    """Who moves up from number 500 to the first is told some twenty times, not five hundred, and the last says so."""
    told, times = at(length, (length - 1) * each), 0
    for position in range(length, 0, -1):
        true = at(position, (position - 1) * each)
        if matters(told, true):
            told, times = true, times + 1
    assert times <= 4 + 3 * math.log2(length * max(1.0, each))
    assert told.ticket.position == 1


@given(WAITS)
def test_pauses_grow_with_the_wait(wait: float | None) -> None:
    """From a few seconds to a minute."""
    assert LEAST_PAUSE <= pause(wait) <= LONGEST_PAUSE
    assert wait is None or pause(wait) <= pause(wait + 100)


QUEUE = "the queue. No worker is on duty just now; it waits for one."


class Hands:
    """A worker by hand, on a queue whose tickets are watched by a clock that the test moves."""

    def __init__(self, redis: Redis) -> None:
        self.redis = redis
        self.broker = Broker(redis, keep=KEEP)
        self.scripts = Scripts(redis)
        self.now = 0.0
        self.edits: list[Standing] = []
        self.watch = self.watching()

    def watching(self, most: int = 64) -> TicketWatch:
        return TicketWatch(self.broker, "telegram", most=most, clock=lambda: self.now)

    async def on_duty(self, lacks: Mapping[str, str] | None = None) -> None:
        state = WorkerState(
            id="w1",
            lanes=("short",),
            kinds=("echo",),
            device="cpu",
            models=(),
            memory=1,
            started_at=0.0,
            slots=1,
            lacks=lacks or {},
        )
        await self.scripts.renew("w1", 60.0, encode(state), {}, {"echo": "none"})

    async def claim(self) -> Claimed:
        (claimed,) = (await self.scripts.turn("w1", 60.0, {"short": 1}, keep=KEEP, patience=3600.0)).jobs
        return claimed

    async def look(self, watch: TicketWatch | None = None) -> list[str]:
        """The jobs whose tickets are told anew at once."""
        found: list[str] = []

        def tell_now(record: JobRecord, standing: Standing) -> None:
            found.append(record.id)
            self.edits.append(standing)
            (watch or self.watch).told(record.id, standing)

        await (watch or self.watch).look(tell_now)
        return found


@pytest.fixture
async def hands(redis: Redis) -> Hands:
    made = Hands(redis)
    await made.on_duty()
    return made


async def test_a_ticket_is_told_when_it_became_next(hands: Hands) -> None:
    """Of three who wait; who moved from number 3 to number 2, with the same wait, is not told."""
    first, second, _ = [await placed(hands.broker, user) for user in ("ada", "bob", "cleo")]
    assert await hands.look() == []
    assert (await hands.claim()).job_id == first
    hands.now += LEAST_PAUSE
    assert await hands.look() == [second]
    assert hands.edits[-1].ticket.position == 1


async def test_a_ticket_says_that_its_lane_was_paused(hands: Hands) -> None:
    """And, later, that it goes on."""
    made = await placed(hands.broker, "ada")
    assert await hands.look() == []
    steering = Steering(hands.redis, keep=KEEP, lanes=["short"])
    await steering.pause("short", by="console:eve")
    hands.now += LONGEST_PAUSE
    assert await hands.look() == [made]
    assert hands.edits[-1].ticket.paused
    await steering.resume("short", by="console:eve")
    hands.now += NO_WORKER_PAUSE
    assert await hands.look() == [made]
    assert not hands.edits[-1].ticket.paused


async def test_a_ticket_says_why_nobody_can_run_its_job(hands: Hands) -> None:
    """As soon as that is so; and no longer when a worker came that can."""
    made = await placed(hands.broker, "ada")
    assert await hands.look() == []
    await hands.on_duty(lacks={"echo": "The weights are not here."})
    hands.now += LONGEST_PAUSE
    assert await hands.look() == [made]
    assert hands.edits[-1].ticket.lacking == "The weights are not here."
    await hands.on_duty()
    hands.now += NO_WORKER_PAUSE
    assert await hands.look() == [made]
    assert hands.edits[-1].ticket.lacking is None


async def test_nobody_there_and_nobody_able_are_told_apart(hands: Hands) -> None:
    """A ticket that says that no worker is on duty is edited when one comes that cannot run its job."""
    made = await placed(hands.broker, "ada")
    await hands.scripts.reap("w1", keep=KEEP)
    assert await hands.look() == []
    await hands.on_duty(lacks={"echo": "The weights are not here."})
    hands.now += LONGEST_PAUSE
    assert await hands.look() == [made]


async def test_no_ticket_is_told_again_before_its_pause(hands: Hands) -> None:
    """However much changed meanwhile."""
    for user in ("ada", "bob", "cleo"):
        await placed(hands.broker, user)
    await hands.look()
    await hands.claim()
    hands.now += LEAST_PAUSE - 0.01
    assert await hands.look() == []
    hands.now += 0.01
    assert len(await hands.look()) == 1


async def test_after_a_restart_nothing_is_edited_without_need(hands: Hands) -> None:
    """What an earlier process showed is not known, and taken for true."""
    for user in ("ada", "bob", "cleo"):
        await placed(hands.broker, user)
    assert await hands.look(hands.watching()) == []


async def test_what_a_ticket_said_at_first_is_known(hands: Hands) -> None:
    """The queue moved on before the first look."""
    await placed(hands.broker, "ada")
    second = await placed(hands.broker, "bob")
    hands.watch.told(second, Standing(await hands.broker.ticket(second, "short")))
    await hands.claim()
    assert await hands.look() == []
    hands.now += LEAST_PAUSE
    assert await hands.look() == [second]


async def test_a_job_that_waits_again_is_told(hands: Hands) -> None:
    """Its worker stopped while it ran: the watch followed it."""
    job_id = await placed(hands.broker)
    await hands.look()
    await hands.claim()
    hands.now += LEAST_PAUSE
    assert await hands.look() == []
    await hands.scripts.reap("w1", keep=KEEP)
    hands.now += LEAST_PAUSE
    assert await hands.look() == [job_id]
    assert (hands.edits[-1].kills, hands.edits[-1].ticket.position) == (1, 1)


async def test_what_runs_ends_or_vanishes_is_forgotten(hands: Hands) -> None:
    """Nobody looks for a place that is none."""
    running, cancelled, gone = [await placed(hands.broker, user) for user in ("ada", "bob", "cleo")]
    await hands.look()
    await hands.claim()
    await hands.broker.cancel(cancelled, None)
    await hands.redis.delete(keys.job(gone))
    hands.now += LONGEST_PAUSE
    assert await hands.look() == []
    assert await hands.broker.tickets("telegram") == []
    assert running not in {edit.ticket.job_id for edit in hands.edits}


async def test_one_look_is_at_so_many_tickets_and_none_is_left_out(hands: Hands) -> None:
    """With more tickets than that, one turn comes after the other."""
    ids = {await placed(hands.broker, f"user{number}", f"text {number}") for number in range(12)}
    watch = hands.watching(most=5)
    for _ in range(3):
        assert await hands.look(watch) == []
    await hands.redis.zrem(keys.WORKERS, "w1")  # the worker goes, which every ticket should say
    hands.now += LONGEST_PAUSE
    looks = [await hands.look(watch) for _ in range(3)]
    assert [len(look) for look in looks] == [5, 5, 2]
    assert {job_id for look in looks for job_id in look} == ids


# Through the courier


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> asyncio.Queue[None]:
    """One entry for each look; there is no pause between edits of one ticket."""
    monkeypatch.setattr(tickets, "LEAST_PAUSE", 0.0)
    monkeypatch.setattr(tickets, "PAUSE_SHARE", 0.0)
    done, look = asyncio.Queue[None](), TicketWatch.look

    async def looking(watch: TicketWatch, told: tickets.Tell) -> None:
        await look(watch, told)
        done.put_nowait(None)

    monkeypatch.setattr(TicketWatch, "look", looking)
    return done


async def test_people_see_their_place_change(hands: Hands, redis: Redis, looks: asyncio.Queue[None]) -> None:
    """The ticket of who waits says the new place; who runs is told nothing of places."""
    chat = Chat()
    _, second = [await placed(hands.broker, user) for user in ("ada", "bob")]
    async with courier_for(chat, redis):
        await looks.get()
        await hands.claim()
        await until(lambda: [text for channel, text in chat.updates if channel == "chat-bob"])
        while not looks.empty():
            looks.get_nowait()
        for _ in range(3):
            await looks.get()
        shown = [text for channel, text in chat.updates if channel == "chat-bob"]
    assert len(shown) == 1
    assert shown[0] == f"echo {second}: number 1 in the queue, starts in about 2 s."
    assert all("running" in text for channel, text in chat.updates if channel == "chat-ada")


async def test_who_waits_again_reads_why(hands: Hands, redis: Redis, looks: asyncio.Queue[None]) -> None:
    """Its supervisor buries the worker: the ticket does not say that it runs, but its place."""
    chat = Chat()
    job_id = await placed(hands.broker)
    await hands.claim()
    async with courier_for(chat, redis):
        await until(lambda: subscribed(redis))
        await hands.scripts.reap("w1", keep=KEEP)
        await until(lambda: chat.updates)
    assert chat.updates == [("chat-ada", f"echo {job_id}: its worker stopped; it waits again, number 1 in {QUEUE}")]


async def test_places_give_way_to_progress_and_both_to_answers(
    hands: Hands, redis: Redis, looks: asyncio.Queue[None]
) -> None:
    """In a chat without budget only the newest waits, and what is least important is last."""
    chat = Chat(seconds_between=0.3)
    running, second, third = [await placed(hands.broker, text=text) for text in ("one", "two", "three")]
    async with courier_for(chat, redis):
        await looks.get()
        await until(lambda: subscribed(redis))
        await hands.claim()
        await until(lambda: chat.updates)  # a place, and now the budget is used up
        await tell(redis, "telegram", Progress(job_id=running, text="half"))
        await hands.broker.cancel(second, None)
        await until(lambda: delivery(hands.broker, second))
        assert len(chat.updates) == 1
        await until(lambda: len(chat.updates) == 2)
    assert "half" in chat.updates[1][1]
    assert third not in chat.updates[1][1]


async def test_a_place_never_covers_an_answer(
    hands: Hands, redis: Redis, looks: asyncio.Queue[None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A look that was overtaken by the answer is not shown."""
    chat = Chat()
    job_id = await placed(hands.broker)
    ticket, taken = Broker.ticket, asyncio.Event()

    async def overtaken(broker: Broker, wanted: str, lane: str) -> Ticket:
        if not taken.is_set():
            await broker.cancel(job_id, None)
            await until(lambda: delivery(broker, job_id))
            taken.set()
        return Ticket(wanted, 1, 5.0)

    monkeypatch.setattr(Broker, "ticket", overtaken)
    monkeypatch.setattr(tickets, "matters", lambda told, true: True)
    async with courier_for(chat, redis):
        await looks.get()
        await asyncio.wait_for(taken.wait(), 10)
        await looks.get()
        monkeypatch.setattr(Broker, "ticket", ticket)
        again = await placed(hands.broker, text="later")
        await hands.broker.cancel(again, None)
        await until(lambda: delivery(hands.broker, again))
    assert [text for _, text in chat.updates if job_id in text] == []


async def test_a_ticket_that_cannot_be_edited_is_left_alone(
    hands: Hands, redis: Redis, looks: asyncio.Queue[None]
) -> None:
    """Deleted by its requester: forgotten, and the rest goes on."""

    class Deaf(Chat):
        async def update(self, address: ReplyAddress, job_id: str, reply: Reply) -> None:
            raise UndeliverableError("message to edit not found")

    for user in ("ada", "bob"):
        await placed(hands.broker, user)
    async with courier_for(Deaf(), redis):
        await looks.get()
        await hands.claim()

        async def forgotten() -> bool:
            return await hands.broker.tickets("telegram") == []

        await until(forgotten)


async def test_news_that_have_to_wait_are_shown_later(hands: Hands, redis: Redis, looks: asyncio.Queue[None]) -> None:
    """The platform wants a pause: the newest place is shown after it."""

    class Busy(Chat):
        async def update(self, address: ReplyAddress, job_id: str, reply: Reply) -> None:
            if self.faults:
                raise self.faults.pop()
            await super().update(address, job_id, reply)

    chat = Busy(faults=[TryLaterError(0.01)])
    for user in ("ada", "bob"):
        await placed(hands.broker, user)
    async with courier_for(chat, redis):
        await looks.get()
        await hands.claim()
        await until(lambda: chat.updates)
    assert chat.faults == []


async def test_places_are_told_again_after_redis_was_lost(
    hands: Hands, redis: Redis, looks: asyncio.Queue[None]
) -> None:
    """The look goes on by itself."""
    chat = Chat()
    for user in ("ada", "bob"):
        await placed(hands.broker, user)
    async with courier_for(chat, redis):
        await looks.get()
        await redis.client_kill_filter(_type="normal", skipme=True)
        await hands.claim()
        await until(lambda: chat.updates)


async def test_who_waits_for_an_identical_job_sees_it_start(
    hands: Hands, redis: Redis, looks: asyncio.Queue[None]
) -> None:
    """The job like it takes its first step: its own ticket no longer names a place."""
    chat = Chat()
    ids = []
    for user in ("ada", "bob"):
        made = job(user, "same")
        await submit(hands.broker, made, digest="same")
        await hands.broker.set_reply(made.id, address(user, message=f"ticket-{made.id}"))
        ids.append(made.id)
    async with courier_for(chat, redis):
        await looks.get()
        await hands.claim()
        shown = await until(lambda: [text for channel, text in chat.updates if channel == "chat-bob"])
    assert shown[0] == f"echo {ids[1]}: running ..."


async def subscribed(redis: Redis) -> bool:
    return bool((await redis.pubsub_numsub(keys.progress("telegram")))[0][1])
