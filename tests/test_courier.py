"""Delivery: every outcome reaches its chat, once where the platform allows it, and progress never stands in its way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from queueing import (
    ECHO,
    KEEP,
    DrivenEngine,
    address,
    echoed,
    end_job,
    has_ended,
    job,
    leased_worker,
    submit,
    until,
    working,
)
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from frontdesk.bots.courier import Courier
from frontdesk.bots.deliverer import TryLaterError, UndeliverableError
from frontdesk.bots.parcels import Room
from frontdesk.bots.replies import Line, Quote, Reply
from frontdesk.queue import keys
from frontdesk.queue.broker import Broker
from frontdesk.queue.codec import encode
from frontdesk.queue.connection import answer, connected
from frontdesk.queue.embedded import EmbeddedServer
from frontdesk.queue.events import OutcomeEvent, OutcomeStream, tell
from frontdesk.queue.jobs import JobRecord, Outcome, Platform, Progress, ReplyAddress
from frontdesk.queue.kinds import Registry
from frontdesk.queue.scripts import Scripts


def text_of(reply: Reply) -> str:
    quotes = [block.text for block in reply.blocks if isinstance(block, Quote)]
    lines = [
        "".join(span.text for span in block.spans if not hasattr(span, "words"))
        for block in reply.blocks
        if isinstance(block, Line)
    ]
    return " / ".join(quotes + lines)


@dataclass
class Chat:
    """A platform that writes down what it is told to show, and fails as the test says."""

    platform: Platform = "telegram"
    seconds_between: float = 0.0
    shown: list[tuple[str, str | None, str]] = field(default_factory=list)
    updates: list[tuple[str, str]] = field(default_factory=list)
    faults: list[Exception] = field(default_factory=list)
    rung: list[str] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def room(self, address: ReplyAddress) -> Room:
        return Room(100, 150, 3)

    def pace(self, address: ReplyAddress) -> float:
        return self.seconds_between

    async def deliver(self, address: ReplyAddress, job_id: str, reply: Reply, *, late: bool) -> None:
        if self.faults:
            raise self.faults.pop(0)
        self.rung += [address.channel] if late else []
        self.shown.append((address.channel, address.message, text_of(reply)))

    async def update(self, address: ReplyAddress, job_id: str, reply: Reply) -> None:
        self.updates.append((address.channel, text_of(reply)))


@asynccontextmanager
async def courier_for(chat: Chat, redis: Redis) -> AsyncIterator[Courier]:
    courier = Courier(Registry([ECHO]), Broker(redis, keep=KEEP), redis, chat, retry=0.05, look_every=0.02)
    task = asyncio.create_task(courier.run())
    try:
        yield courier
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def delivery(broker: Broker, job_id: str) -> str | None:
    record = await broker.job(job_id)
    return record.delivery if record else None


async def placed(broker: Broker, user: str = "ada", text: str = "hello") -> str:
    """A job whose ticket its requester has seen."""
    made = job(user, text)
    await submit(broker, made)
    await broker.set_reply(made.id, address(user, message=f"ticket-{made.id}"))
    return made.id


async def test_an_answer_takes_the_tickets_place(broker: Broker, redis: Redis) -> None:
    """The outcome is shown where the ticket stood, recorded, and not handed out again."""
    chat = Chat()
    job_id = await placed(broker, text="hi there")
    async with working(leased_worker(redis, DrivenEngine())), courier_for(chat, redis):
        assert await until(lambda: delivery(broker, job_id)) == "delivered"
    [(channel, message, text)] = chat.shown
    assert (channel, message) == ("chat-ada", f"ticket-{job_id}")
    assert text.startswith("hi there")
    assert await redis.xlen(keys.outcomes("telegram")) == 0


async def test_what_ended_while_the_bot_was_away_is_delivered_on_its_return(broker: Broker, redis: Redis) -> None:
    """A bot that was down forgets nothing."""
    ids = [await placed(broker, user) for user in ("ada", "bob")]
    for job_id in ids:
        await broker.cancel(job_id, None)
    chat = Chat()
    async with courier_for(chat, redis):
        for job_id in ids:
            await until(lambda: delivery(broker, job_id))  # noqa: B023 - awaited within the turn
    assert sorted(channel for channel, _, _ in chat.shown) == ["chat-ada", "chat-bob"]


async def test_what_a_dead_bot_had_taken_is_delivered_by_the_next(broker: Broker, redis: Redis) -> None:
    """Taken but not acknowledged is not delivered."""
    job_id = await placed(broker)
    await broker.cancel(job_id, None)
    stuck = Chat(faults=[TryLaterError(3600)])
    async with courier_for(stuck, redis):
        await until(lambda: not stuck.faults)
    assert stuck.shown == []
    chat = Chat()
    async with courier_for(chat, redis):
        await until(lambda: delivery(broker, job_id))
    assert len(chat.shown) == 1


async def test_one_chats_pause_is_no_others(broker: Broker, redis: Redis) -> None:
    """A platform that wants an hour for one chat gets it; everybody else is answered."""
    chat = Chat(faults=[TryLaterError(3600)])
    async with courier_for(chat, redis):
        first = await placed(broker, "ada")
        await broker.cancel(first, None)
        await until(lambda: not chat.faults)
        second = await placed(broker, "bob")
        await broker.cancel(second, None)
        await until(lambda: delivery(broker, second))
    assert [channel for channel, _, _ in chat.shown] == ["chat-bob"]


async def test_a_passing_fault_is_tried_again(broker: Broker, redis: Redis) -> None:
    """The answer comes when the platform is back."""
    chat = Chat(faults=[TryLaterError(0.01), TryLaterError(0.01)])
    job_id = await placed(broker)
    await broker.cancel(job_id, None)
    async with courier_for(chat, redis):
        assert await until(lambda: delivery(broker, job_id)) == "delivered"
    assert len(chat.shown) == 1


async def test_what_was_shown_is_not_shown_again_while_redis_is_away(
    broker: Broker, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the note of it is written again."""
    chat, acknowledge = Chat(), OutcomeStream.acknowledge
    faults = [RedisConnectionError(), RedisConnectionError()]

    async def failing(stream: OutcomeStream, event: OutcomeEvent, how: str) -> None:
        if faults:
            raise faults.pop()
        await acknowledge(stream, event, how)

    monkeypatch.setattr(OutcomeStream, "acknowledge", failing)
    job_id = await placed(broker)
    await broker.cancel(job_id, None)
    async with courier_for(chat, redis):
        assert await until(lambda: delivery(broker, job_id)) == "delivered"
    assert len(chat.shown) == 1


async def test_an_event_that_was_lost_on_its_way_comes_again(
    broker: Broker, redis: Redis, redis_server: EmbeddedServer, tmp_path: Path
) -> None:
    """The connection drops when the server has handed it out: it must not wait for the bot's next restart."""
    chat = Chat()
    job_id = await placed(broker)
    await broker.cancel(job_id, None)
    async with swallowing(redis_server.url.removeprefix("unix://"), tmp_path / "socket", job_id.encode()) as swallowed:
        async with connected(f"unix://{tmp_path / 'socket'}") as client, courier_for(chat, client):
            await until(lambda: chat.shown)
        assert swallowed


@asynccontextmanager
async def swallowing(server: str, path: Path, needle: bytes) -> AsyncIterator[list[bytes]]:
    """A way to a server that cuts the connection instead of passing on the first answer that holds the needle."""
    swallowed: list[bytes] = []

    async def forward(reading: asyncio.StreamReader, writing: asyncio.StreamWriter, *, cutting: bool) -> None:
        while data := await reading.read(65536):
            if cutting and not swallowed and needle in data:
                swallowed.append(data)
                break
            writing.write(data)
        writing.close()

    async def connect(reading: asyncio.StreamReader, writing: asyncio.StreamWriter) -> None:
        from_server, to_server = await asyncio.open_unix_connection(server)
        with suppress(OSError):
            await asyncio.gather(
                forward(reading, to_server, cutting=False), forward(from_server, writing, cutting=True)
            )

    async with await asyncio.start_unix_server(connect, path):
        yield swallowed


async def test_who_cannot_be_reached_is_recorded(broker: Broker, redis: Redis) -> None:
    """A blocked bot ends in a recorded reason, and stops nothing else in that chat."""
    chat = Chat(faults=[UndeliverableError("the bot was blocked")])
    first, second = await placed(broker), await placed(broker)
    await broker.cancel(first, None)
    async with courier_for(chat, redis):
        assert await until(lambda: delivery(broker, first)) == "undeliverable: the bot was blocked"
        await broker.cancel(second, None)
        assert await until(lambda: delivery(broker, second)) == "delivered"


async def test_a_fault_nobody_foresaw_does_not_block_the_chat_for_ever(
    broker: Broker, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a few tries it is recorded, and the next answer goes out."""
    monkeypatch.setattr("frontdesk.bots.courier.ATTEMPTS", 2)
    monkeypatch.setattr("frontdesk.bots.courier.FIRST_RETRY", 0.01)
    chat = Chat(faults=[ZeroDivisionError(), ZeroDivisionError()])
    job_id = await placed(broker)
    await broker.cancel(job_id, None)
    async with courier_for(chat, redis):
        assert await until(lambda: delivery(broker, job_id)) == "undeliverable: ZeroDivisionError"


async def test_an_answer_waits_for_its_ticket(broker: Broker, redis: Redis) -> None:
    """A job that ends before its ticket is shown still becomes one message."""
    chat = Chat()
    async with working(leased_worker(redis, DrivenEngine())), courier_for(chat, redis) as courier:
        made = job()
        async with courier.placing("chat-ada", "update"):
            await submit(broker, made)
            await until(lambda: has_ended(broker, made.id))
            assert chat.shown == []
            await broker.set_reply(made.id, address(message="late"))
        await until(lambda: delivery(broker, made.id))
    assert [message for _, message, _ in chat.shown] == ["late"]


async def test_an_update_that_comes_twice_shows_its_ticket_once(broker: Broker, redis: Redis) -> None:
    """The second waits until the first has shown it, and is then told that it was; so it is of a job that has ended."""
    async with courier_for(Chat(), redis) as courier:
        made, entered = job(), asyncio.Event()

        async def again() -> bool:
            async with courier.placing("chat-ada", "update"):
                entered.set()
                return (await submit(broker, job(), "update")).placed

        async with courier.placing("chat-ada", "update"):
            await submit(broker, made, "update")
            second = asyncio.create_task(again())
            await asyncio.sleep(0.01)
            assert not entered.is_set()
            await broker.set_reply(made.id, address(message="ticket"))
        assert await second
        await submit(broker, ended := job(), "another")
        await broker.cancel(ended.id, None)
        assert (await submit(broker, job(), "another")).placed


async def test_progress_that_was_on_its_way_does_not_cover_the_answer(
    broker: Broker, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The courier still looks the job up when its answer is delivered."""
    chat, scripts, read = Chat(), Scripts(redis), Broker.job
    reading, answered = asyncio.Event(), asyncio.Event()

    async def slow(self: Broker, job_id: str) -> JobRecord | None:
        record = await read(self, job_id)
        if not reading.is_set():
            reading.set()
            await answered.wait()
        return record

    async with courier_for(chat, redis):
        await until(lambda: _subscribed(redis))
        job_id = await placed(broker)
        [held] = (await scripts.turn("w1", 60.0, {"short": 1}, keep=KEEP, patience=3600.0)).jobs
        monkeypatch.setattr(Broker, "job", slow)
        await tell(redis, "telegram", Progress(job_id=job_id, text="half"))
        await reading.wait()
        await end_job(scripts, job_id, held.lease, status="done", outcome=encode(echoed()), gpu_seconds=1.0)
        await until(lambda: chat.shown)
        answered.set()
        assert await until(lambda: delivery(broker, job_id)) == "delivered"
        await submit(broker, other := job())
        await broker.set_reply(other.id, address(message="other"))
        await broker.cancel(other.id, None)
        await until(lambda: len(chat.shown) == 2)
    assert chat.updates == []


async def test_of_progress_only_the_newest_is_shown_and_the_answer_goes_first(broker: Broker, redis: Redis) -> None:
    """In a chat with no budget left for edits the answer still comes at once."""
    chat = Chat(seconds_between=3600.0)
    engine = DrivenEngine(hold=True)
    async with courier_for(chat, redis):
        await until(lambda: _subscribed(redis))
        async with working(leased_worker(redis, engine)):
            job_id = await placed(broker)
            await engine.started.get()
            for number in range(5):
                engine.reports[job_id](Progress(job_id=job_id, fraction=number / 5, text=f"part {number}"))
            await until(lambda: chat.updates)
            engine.end(job_id, Outcome(status="failed", reason="no luck"))
            assert await until(lambda: delivery(broker, job_id)) == "delivered"
    assert len(chat.updates) == 1
    assert chat.shown[0][2].endswith("no luck")


async def _subscribed(redis: Redis) -> bool:
    return bool((await redis.pubsub_numsub(keys.progress("telegram")))[0][1])


@pytest.mark.parametrize(("age", "ended", "rung"), [(60, "failed", 0), (180, "failed", 1), (180, "cancelled", 0)])
async def test_who_waited_long_is_rung(broker: Broker, redis: Redis, age: int, ended: str, rung: int) -> None:
    """They have turned to something else by now; who cancelled has not."""
    chat, engine = Chat(), DrivenEngine(hold=True)
    async with working(leased_worker(redis, engine)), courier_for(chat, redis):
        job_id = await placed(broker)
        await engine.started.get()
        await answer(redis.hincrby(keys.job(job_id), "submitted", -1000 * age))
        engine.end(job_id, Outcome.model_validate({"status": ended}))
        await until(lambda: delivery(broker, job_id))
    assert len(chat.rung) == rung


async def test_a_result_this_desk_does_not_know_is_still_reported(broker: Broker, redis: Redis) -> None:
    """A kind that was uninstalled meanwhile: the requester hears that it is done."""
    chat = Chat()
    made = job(kind="gone")
    await submit(broker, made)
    await broker.cancel(made.id, None)
    async with courier_for(chat, redis):
        await until(lambda: delivery(broker, made.id))
    assert "cancelled" in chat.shown[0][2]


async def test_losing_redis_is_waited_out(broker: Broker, redis: Redis) -> None:
    """Cut connections: the courier comes back by itself and delivers."""
    chat = Chat()
    async with courier_for(chat, redis):
        await until(lambda: _subscribed(redis))
        await redis.client_kill_filter(_type="pubsub")
        await redis.client_kill_filter(_type="normal", skipme=True)
        job_id = await placed(broker)
        await broker.cancel(job_id, None)
        assert await until(lambda: delivery(broker, job_id)) == "delivered"
