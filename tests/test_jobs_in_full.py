"""`/jobs JOB`: one job in full, on every front end, and only to whom it belongs."""

from __future__ import annotations

from dataclasses import replace

import pytest
from console import premises
from redis.asyncio import Redis
from shaping import SHAPE, ShapeResult, shaped
from standin_discord import RefusedError
from standin_discord_desk import front, written
from standin_telegram import TelegramStandIn
from standin_telegram_desk import PASSAGE, SCORED, Room
from standin_telegram_model import Chat, Person
from test_replies import WRITTEN, record, words

from frontdesk.bots.job_replies import job_reply
from frontdesk.bots.on_console import person
from frontdesk.bots.on_console_conversation import Accepted, Conversation
from frontdesk.bots.on_console_render import plain
from frontdesk.bots.replies import Button, Reply
from frontdesk.queue import keys
from frontdesk.queue.broker import Broker
from frontdesk.queue.catalogue import WRITE
from frontdesk.queue.connection import answer
from frontdesk.queue.jobs import Artifact, Outcome, Ticket
from frontdesk.queue.results import Attachment

TICKET = Ticket("abc", 3, 30.0)
DONE = Outcome(status="done", result=WRITTEN, seconds=3.0)
FIGURES = ["Tokens: 5 (stopped at the limit); Seed: 7; Model: m (p)", "write abc, 3.0 s"]


def test_of_an_ended_job_its_answer_is_shown() -> None:
    """As it was delivered."""
    reply = job_reply(
        WRITE, record("abc", state="done", started_at=101.0, outcome=DONE, delivery="delivered"), TICKET, 160.0
    )
    assert words(reply) == ["> Because of air.", *FIGURES]
    failed = record("abc", state="failed", outcome=Outcome(status="failed", reason="No room."))
    assert words(job_reply(WRITE, failed, TICKET, 160.0)) == ["write abc: failed.", "No room."]


def test_of_what_was_known_already_that_is_said() -> None:
    """It took no time."""
    reply = job_reply(WRITE, record("abc", state="done", outcome=DONE, delivery="delivered"), TICKET, 160.0)
    assert words(reply)[-1] == "write abc, known already"


@pytest.mark.parametrize(
    ("delivery", "why"),
    [("undeliverable: the bot was blocked", "the bot was blocked"), ("undeliverable", "nobody knows why")],
)
def test_of_an_answer_that_was_lost_the_reason_is_told_as_well(delivery: str, why: str) -> None:
    """The result is there all the same."""
    reply = job_reply(
        WRITE, record("abc", state="done", started_at=101.0, outcome=DONE, delivery=delivery), TICKET, 160.0
    )
    assert words(reply) == ["> Because of air.", *FIGURES, f"It could not be delivered: {why}"]


class DrawnResult(ShapeResult):
    """With a file, as those have that are sculpted."""

    def attachments(self) -> tuple[Attachment, ...]:
        file = Artifact(name="chair.glb", sha256="ab" * 32, size=1, media_type="model/gltf-binary")
        return (Attachment(file, "file"),)


@pytest.mark.parametrize("delivery", ["delivered", "undeliverable: the bot was blocked"])
@pytest.mark.parametrize("result", [ShapeResult, DrawnResult])
def test_what_may_come_next_is_offered_here_as_well(result: type[ShapeResult], delivery: str) -> None:
    """Also below an answer that has files, or never arrived."""
    ended = record("abc", kind="shape", state="done", started_at=101.0, outcome=shaped(), delivery=delivery)
    reply = job_reply(replace(SHAPE, result=result), ended, TICKET, 160.0)
    assert [button.action for button in reply.buttons] == ["again"] * 3


def test_of_a_job_that_has_not_ended_its_ticket_is_shown() -> None:
    """With the way out; and what is left of a kind that was uninstalled."""
    waiting = job_reply(WRITE, record("abc", kills=1), TICKET, 160.0)
    assert words(waiting) == [
        "write abc: its worker stopped; it waits again, number 3 in the queue, starts in about 30 s."
    ]
    assert waiting.buttons == (Button("Cancel", "cancel", "abc"),)
    running = job_reply(WRITE, record("abc", state="running"), Ticket("abc", 0, 0.0), 160.0)
    assert (words(running), running.buttons) == (["write abc: running ..."], waiting.buttons)
    assert words(job_reply(None, record("abc"), TICKET, 160.0)) == ["abc write: waiting, 60 s ago"]


async def test_on_discord_only_its_requester_sees_it(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    """The option offers one's latest jobs; the answer is ephemeral, whatever the job was."""
    async with front(redis, monkeypatch) as opened:
        await opened.start()
        discord = opened.discord
        ada, bob = discord.user("ada"), discord.user("bob")
        asked = await discord.slash(ada, "write", prompt="Why?", private=True)
        job_id = await opened.accepted(asked)
        shown = await discord.slash(ada, "jobs", job=job_id.upper())
        await discord.says(shown, f"`{job_id}`: running ...")
        opened.engine.end(job_id, written("Because."))
        await discord.says(asked, "Because.")
        again = await discord.slash(ada, "jobs", job=job_id)
        await discord.says(again, "Because.")
        assert again.shown.ephemeral
        assert await discord.autocomplete(ada, "jobs", "job", job_id[:6]) == [
            {"name": f"{job_id} write, done", "value": job_id}
        ]
        assert await discord.autocomplete(bob, "jobs", "job") == []
        others = await discord.slash(bob, "jobs", job=job_id)
        await discord.says(others, f"There is no job {job_id} of yours.")
        with pytest.raises(RefusedError):
            await discord.slash(ada, "jobs", task=job_id)


async def test_on_telegram_it_is_shown_where_it_was_asked_for(
    room: Room, telegram: TelegramStandIn, alice: Person
) -> None:
    """A ticket while it waits, its start, its answer; and the answer to somebody who had blocked the bot."""
    async with room.bot():
        await room.ticket(await telegram.say(alice, f"/score {PASSAGE}"))
        job_id = (await room.job()).id
        shown = await telegram.answer(await telegram.say(alice, f"/jobs {job_id}"))
        assert "in the queue" in shown.text
        assert shown.buttons == ["Cancel"]
        job = await room.worker.claim()
        alice.blocks_bot = True
        await room.worker.finish(job, SCORED)
        assert (await room.delivery(job_id)).startswith("undeliverable")
        alice.blocks_bot = False
        shown = await telegram.answer(await telegram.say(alice, f"/jobs {job_id}"), "Reads like")
        assert "It could not be delivered: Forbidden" in shown.text


async def test_on_telegram_a_private_one_is_not_shown_in_a_group(
    room: Room, telegram: TelegramStandIn, alice: Person, lab: Chat
) -> None:
    """It goes to the private chat, and the group reads no more than that; for others there is no such job."""
    bob = telegram.person("bob")
    async with room.bot():
        await telegram.answer(await telegram.say(alice, "/start"))
        await telegram.say(alice, f"/score private=yes {PASSAGE}", lab)
        await telegram.answer(telegram.private(alice), "in the queue")
        job = await room.worker.claim()
        await room.worker.finish(job, SCORED)
        await room.delivery(job.id)
        asked = await telegram.say(alice, f"/jobs {job.id}", lab)
        told = await telegram.answer(asked)
        assert told.text == "That one is private: I show it in our private chat."
        private = [m for m in telegram.private(alice).messages.values() if "Reads like" in m.text]
        assert len(private) == 2
        others = await telegram.answer(await telegram.say(bob, f"/jobs {job.id}", lab))
        assert "There is no job" in others.text
    assert "Reads like" not in "".join(message.text for message in lab.messages.values())


async def test_on_telegram_a_private_one_needs_an_open_private_chat(
    room: Room, telegram: TelegramStandIn, alice: Person, lab: Chat
) -> None:
    """Who closed it meanwhile is told how to open it, and nothing is shown."""
    async with room.bot():
        await telegram.answer(await telegram.say(alice, "/start"))
        await telegram.say(alice, f"/score private=yes {PASSAGE}", lab)
        await telegram.answer(telegram.private(alice), "in the queue")
        alice.blocks_bot = True
        told = await telegram.answer(await telegram.say(alice, f"/jobs {(await room.job()).id}", lab))
        assert "press Start" in told.text


async def test_at_a_console_it_is_shown_like_an_answer(redis: Redis) -> None:
    """`/jobs ID`."""
    desk = premises(redis).desk
    talk = Conversation(desk, person("ada"), channel="chat", default_kind="echo")
    accepted = await talk.take("hello")
    assert isinstance(accepted, Accepted)
    job_id = accepted.ticket.job_id

    async def shown(by: str = "ada") -> str:
        reply = await Conversation(desk, person(by), channel="chat", default_kind="echo").take(f"/jobs {job_id}")
        assert isinstance(reply, Reply)
        return plain(reply)

    assert await shown() == f"echo {job_id}: number 1 in the queue. No worker is on duty just now; it waits for one."
    await Broker(redis, keep=3600.0).cancel(job_id, None)
    assert await shown() == f"echo {job_id}: cancelled."
    assert await shown("bob") == f"There is no job {job_id} of yours."


async def test_a_damaged_job_is_none(redis: Redis) -> None:
    """What cannot be read is nobody's, and no fault that is logged."""
    desk = premises(redis).desk
    talk = Conversation(desk, person("ada"), channel="chat", default_kind="echo")
    accepted = await talk.take("hello")
    assert isinstance(accepted, Accepted)
    await answer(redis.hset(keys.job(accepted.ticket.job_id), "submitted", "never"))
    reply = await talk.take(f"/jobs {accepted.ticket.job_id}")
    assert isinstance(reply, Reply)
    assert plain(reply) == f"There is no job {accepted.ticket.job_id} of yours."
