"""How answers reach Telegram: through floods, lost connections, restarts and deleted messages, and free of markup."""

from __future__ import annotations

import asyncio
from typing import Literal

import pytest
from standin_telegram import TelegramStandIn
from standin_telegram_desk import PASSAGE, SCORED, Room, eventually, written
from standin_telegram_model import Chat, Person

from frontdesk.bots import on_telegram_delivery
from frontdesk.bots.on_telegram_delivery import GROUP_BURST, PRIVATE_BURST, Pace
from frontdesk.queue import keys
from frontdesk.queue.connection import answer

pytestmark = pytest.mark.filterwarnings("ignore:.*retry_after:DeprecationWarning")  # the library warns itself


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a lost connection the next try comes soon."""
    monkeypatch.setattr(on_telegram_delivery, "NETWORK_PAUSE", 0.05)


# Nothing is lost


async def test_an_answer_finds_its_ticket_after_a_restart(room: Room, telegram: TelegramStandIn, alice: Person) -> None:
    """A job that ends while the bot is down is delivered when it is back, in the ticket's place."""
    async with room.bot():
        ticket = await room.ticket(await telegram.say(alice, f"/score {PASSAGE}"))
    job = await room.worker.claim()
    await room.worker.finish(job, SCORED)
    async with room.bot():
        await telegram.shows(ticket, "Reads like")
        assert await room.delivery(job.id) == "delivered"
        assert len(telegram.called("sendMessage")) == 1


async def test_what_was_written_while_the_bot_was_down_is_taken(
    room: Room, telegram: TelegramStandIn, alice: Person
) -> None:
    """Telegram keeps messages for an absent bot, and the bot does not throw them away."""
    asked = await telegram.say(alice, f"/score {PASSAGE}")
    async with room.bot():
        await room.ticket(asked)


async def test_an_update_is_confirmed_only_when_its_job_is_queued(
    room: Room, telegram: TelegramStandIn, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the desk has not taken a job, Telegram still keeps its message: a kill at that moment loses nothing."""
    premises = room.premises()
    reached, go_on, submit = asyncio.Event(), asyncio.Event(), type(premises.desk).submit

    async def slow(*args: object) -> object:
        reached.set()
        await go_on.wait()
        return await submit(*args)  # type: ignore[arg-type]  # whatever the desk was called with

    monkeypatch.setattr(type(premises.desk), "submit", slow)
    async with room.bot():
        asked = await telegram.say(alice, f"/score {PASSAGE}")
        await reached.wait()
        assert telegram.updates
        go_on.set()
        await room.ticket(asked)
        await telegram.settled()


async def test_a_blocked_bot_is_recorded(room: Room, telegram: TelegramStandIn, alice: Person) -> None:
    """Who blocks the bot before the answer comes gets none, and the job says why."""
    async with room.bot():
        await room.ticket(await telegram.say(alice, f"/score {PASSAGE}"))
        alice.blocks_bot = True
        job = await room.worker.claim()
        await room.worker.finish(job, SCORED)
        assert await room.delivery(job.id) == "undeliverable: Forbidden: bot was blocked by the user"


async def test_a_deleted_chat_is_recorded(room: Room, telegram: TelegramStandIn, alice: Person, lab: Chat) -> None:
    """An answer for a chat that is gone is given up at once."""
    async with room.bot():
        await room.ticket(await telegram.say(alice, f"/score {PASSAGE}", lab))
        del telegram.chats[lab.id]
        job = await room.worker.claim()
        await room.worker.finish(job, SCORED)
        assert "Chat not found" in await room.delivery(job.id)


async def test_a_deleted_ticket_is_replaced_by_a_new_message(
    room: Room, telegram: TelegramStandIn, alice: Person, lab: Chat
) -> None:
    """In a group the new message replies to the question and notifies who asked."""
    async with room.bot():
        asked = await telegram.say(alice, f"/score {PASSAGE}", lab)
        ticket = await room.ticket(asked)
        del lab.messages[ticket.id]
        job = await room.worker.claim()
        await room.worker.finish(job, SCORED)
        answer = await telegram.answer(asked, "Reads like")
        assert answer.pings == [str(alice.id)]
        assert answer.marked(answer.entities[0]) == "you"


@pytest.mark.parametrize("where", ["private", "group"])
async def test_a_late_answer_notifies(
    room: Room, telegram: TelegramStandIn, alice: Person, lab: Chat, where: str
) -> None:
    """An edit rings nobody: a short message that points at the answer does, by name in a group, and once."""
    chat = lab if where == "group" else telegram.private(alice)
    async with room.bot():
        ticket = await room.ticket(await telegram.say(alice, f"/score {PASSAGE}", chat))
        job = await room.worker.claim()
        await telegram.shows(ticket, "running ...")
        await answer(room.redis.hincrby(keys.job(job.id), "submitted", -180_000))
        telegram.fail("editMessageText", cut="after")
        await room.worker.finish(job, SCORED)
        pointer = await telegram.answer(ticket, "answered above")
        assert "Reads like" in ticket.text
        assert await room.delivery(job.id) == "delivered"
    assert pointer.pings == ([str(alice.id)] if where == "group" else [])
    assert len([message for message in chat.messages.values() if "answered above" in message.text]) == 1
    assert len([message for message in chat.messages.values() if "Reads like" in message.text]) == 1


@pytest.mark.parametrize("cut", ["before", "after"])
async def test_what_only_notifies_is_not_sent_twice(
    room: Room, telegram: TelegramStandIn, alice: Person, cut: Literal["before", "after"]
) -> None:
    """Where it is not known whether Telegram took it, it is left: the answer is there."""
    async with room.bot():
        ticket = await room.ticket(await telegram.say(alice, f"/score {PASSAGE}"))
        job = await room.worker.claim()
        await answer(room.redis.hincrby(keys.job(job.id), "submitted", -180_000))
        telegram.fail("sendMessage", cut=cut)
        await room.worker.finish(job, SCORED)
        assert await room.delivery(job.id) == "delivered"
        assert "Reads like" in ticket.text
    assert len(telegram.called("sendMessage")) == 2


async def test_a_ticket_is_kept_up_to_date(room: Room, telegram: TelegramStandIn, alice: Person) -> None:
    """Its place is told anew when it became next; a ticket that was deleted meanwhile is not sent again."""
    bob, cleo, dan = [telegram.person(name) for name in ("bob", "cleo", "dan")]
    await room.worker.announce()
    async with room.bot():
        await room.ticket(await telegram.say(alice, "/write first"))
        await room.ticket(await telegram.say(bob, "/write second"))
        hers = await room.ticket(await telegram.say(cleo, "/write third"))
        theirs = await room.ticket(await telegram.say(dan, "/write fourth"))
        assert "number 3 in the queue" in hers.text
        del telegram.private(dan).messages[theirs.id]
        await room.worker.claim()
        await room.worker.claim()
        await telegram.shows(hers, "number 1 in the queue")
        assert hers.buttons == ["Cancel"]

        async def forgotten() -> bool:
            return len(await room.broker.tickets("telegram")) == 1

        await eventually(forgotten)
    assert len(telegram.called("sendMessage")) == 4


async def test_a_lost_ticket_does_not_lose_the_answer(room: Room, telegram: TelegramStandIn, alice: Person) -> None:
    """When the connection breaks while the ticket is sent, the answer comes as a message of its own."""
    async with room.bot():
        telegram.fail("sendMessage", cut="before")
        asked = await telegram.say(alice, f"/score {PASSAGE}")
        job = await room.worker.claim()
        await room.worker.finish(job, SCORED)
        assert "Reads like" in (await telegram.answer(asked)).text
        assert len([m for m in telegram.private(alice).messages.values() if m.sender is None]) == 1


async def test_an_answer_faster_than_its_ticket_waits_for_it(
    room: Room, telegram: TelegramStandIn, alice: Person
) -> None:
    """A job that ends before its ticket is shown still becomes one message, not two."""
    async with room.bot():
        telegram.fail("sendMessage", status=429, description="Too Many Requests: retry after 1", retry_after=1)
        asked = await telegram.say(alice, f"/score {PASSAGE}")
        job = await room.worker.claim()
        await room.worker.finish(job, SCORED)
        ticket = await telegram.answer(asked)
        await telegram.shows(ticket, "Reads like")
        assert await room.delivery(job.id) == "delivered"
        assert len(telegram.private(alice).messages) == 2


@pytest.mark.parametrize("fault", ["page", "cut before", "cut after", "error"])
async def test_an_edit_is_tried_until_it_is_done(
    room: Room, telegram: TelegramStandIn, alice: Person, fault: str
) -> None:
    """Error pages, cut connections and lost replies: the ticket becomes the answer, once."""
    async with room.bot():
        ticket = await room.ticket(await telegram.say(alice, f"/score {PASSAGE}"))
        job = await room.worker.claim()
        await telegram.shows(ticket, "running ...")
        if fault == "page":
            telegram.fail("editMessageText", page=True)
        elif fault == "error":
            telegram.fail("editMessageText", status=500)
        else:
            telegram.fail("editMessageText", cut="after" if fault == "cut after" else "before")
        await room.worker.finish(job, SCORED)
        assert await room.delivery(job.id) == "delivered"
        assert [text.splitlines()[0] for text in ticket.history[2:]] == ["Reads like a person wrote it."]
        assert len(telegram.private(alice).messages) == 2


async def test_a_flood_answer_halts_one_chat_only(
    room: Room, telegram: TelegramStandIn, alice: Person, lab: Chat
) -> None:
    """After a 429 that chat is left alone as long as Telegram wants; others get their answers meanwhile."""
    bob = telegram.person("bob")
    async with room.bot():
        hers = await room.ticket(await telegram.say(alice, f"/score {PASSAGE}"))
        his = await room.ticket(await telegram.say(bob, "/write hello"))
        telegram.fail(
            "editMessageText", status=429, description="Too Many Requests: retry after 2", retry_after=2,
            chat=telegram.private(alice),
        )  # fmt: skip
        first, second = await room.worker.claim(), await room.worker.claim()
        await room.worker.finish(first, SCORED)
        await telegram.until(lambda: telegram.called("editMessageText", telegram.private(alice)))
        await room.worker.finish(second, written("hello you"))
        await telegram.shows(his, "hello you")
        assert "Reads like" not in hers.text
        await telegram.shows(hers, "Reads like")
        tries = [call.at for call in telegram.called("editMessageText", telegram.private(alice))]
        assert tries[1] - tries[0] >= 2.0
        assert len(tries) == 2


def test_no_chat_gets_more_than_telegram_allows() -> None:
    """At most one message a second to a person and 20 a minute to a group, after a short burst."""
    for chat, burst, most in ((5, PRIVATE_BURST, 60 + PRIVATE_BURST), (-5, GROUP_BURST, 20)):
        now = 0.0
        pace = Pace(lambda: now)  # noqa: B023 (the clock is to move)
        sent = []
        while now < 300:
            if (wait := pace.wait(chat)) > 0:
                now += max(wait, 0.001)
                continue
            pace.take(chat)
            sent.append(now)
        assert sent[burst - 1] == 0.0
        assert sent[burst] > 0.0
        assert max(sum(begin <= at < begin + 60 for at in sent) for begin in sent) <= most


def test_all_chats_together_stay_within_telegrams_limit() -> None:
    """A thousand people at once are served at 25 messages a second."""
    now = 0.0
    pace = Pace(lambda: now)
    for person in range(1, 1001):
        now += pace.wait(person)
        pace.take(person)
    assert 1000 / 30 < now < 1000 / 20


async def test_an_endless_pause_in_one_chat_does_not_hold_up_the_others(
    room: Room, telegram: TelegramStandIn, alice: Person, lab: Chat
) -> None:
    """A flood answer of an hour: that chat's ticket is given up, everybody else is served, the job stays queued."""
    async with room.bot():
        telegram.fail("sendMessage", status=429, description="Too Many Requests", retry_after=3600, chat=lab)
        await telegram.say(alice, f"/score {PASSAGE}", lab)
        await telegram.say(alice, "/jobs", lab)
        await room.ticket(await telegram.say(alice, "/write hello"))
        assert len(await room.jobs()) == 2
        assert len(telegram.called("sendMessage", lab)) == 1


async def test_a_deleted_topic_is_answered_in_the_group(
    room: Room, telegram: TelegramStandIn, alice: Person, lab: Chat
) -> None:
    """When the topic is gone the ticket stands in the group itself."""
    async with room.bot():
        telegram.fail("sendMessage", status=400, description="Bad Request: message thread not found")
        ticket = await room.ticket(await telegram.say(alice, f"/score {PASSAGE}", lab, thread=77))
        assert ticket.thread is None


async def test_a_group_that_became_a_supergroup_is_followed(
    room: Room, telegram: TelegramStandIn, alice: Person, lab: Chat
) -> None:
    """Telegram names the group's new id, and the answer goes there."""
    moved = telegram.group("The lab, bigger")
    async with room.bot():
        ticket = await room.ticket(await telegram.say(alice, f"/score {PASSAGE}", lab))
        job = await room.worker.claim()
        await telegram.shows(ticket, "running ...")
        telegram.fail(
            "editMessageText|sendMessage", status=400, times=2, chat=lab, migrate_to_chat_id=moved.id,
            description="Bad Request: group chat was upgraded to a supergroup chat",
        )  # fmt: skip
        await room.worker.finish(job, SCORED)
        answer = await telegram.answer(moved, "Reads like")
        assert answer.pings == [str(alice.id)]


async def test_who_blocks_the_bot_at_once_harms_nobody(room: Room, telegram: TelegramStandIn, alice: Person) -> None:
    """Replies that cannot be shown are dropped, whatever they would have said."""
    bob = telegram.person("bob")
    async with room.bot():
        await telegram.answer(await telegram.say(alice, "/help"))
        alice.blocks_bot = True
        await telegram.say(alice, "/help")
        await telegram.say(alice, "/queue")
        await telegram.answer(await telegram.say(bob, "/help"))


async def test_a_question_about_reaching_somebody_that_gets_no_answer_stops_nothing(
    room: Room, telegram: TelegramStandIn, alice: Person, lab: Chat
) -> None:
    """Whether a private chat is open may be unknown for a moment: the delivery will tell."""
    async with room.bot():
        await telegram.answer(await telegram.say(alice, "/start"))
        telegram.fail("sendChatAction", status=500)
        await telegram.say(alice, f"/score private=yes {PASSAGE}", lab)
        await telegram.answer(telegram.private(alice), "in the queue")


# Long, partial and hostile text


async def test_a_long_answer_becomes_a_file(room: Room, telegram: TelegramStandIn, alice: Person) -> None:
    """What is longer than a message turns the ticket into a document with a preview, and the file holds all of it."""
    text = "Once upon a time 🙂 @bob said /start. " * 200
    async with room.bot():
        ticket = await room.ticket(await telegram.say(alice, "/write hello"))
        job = await room.worker.claim()
        await room.worker.finish(job, written(text))
        assert await room.delivery(job.id) == "delivered"
        assert ticket.document is not None
        assert (ticket.document[0], ticket.document[1].decode()) == ("answer.txt", text.strip())
        assert ticket.text.startswith("Once upon a time")
        assert "Tokens: 9" in ticket.text
        assert ticket.pings == []


async def test_partial_text_is_shown_in_the_ticket(room: Room, telegram: TelegramStandIn, alice: Person) -> None:
    """Progress edits the ticket at a bounded rate; the answer is not held up by it."""
    async with room.bot():
        ticket = await room.ticket(await telegram.say(alice, "/write hello"))
        job = await room.worker.claim()
        await room.worker.progress(job, "Once", 0.1)
        await telegram.shows(ticket, "running 10% ...\nOnce")
        assert ticket.buttons == ["Cancel"]
        for step in range(2, 9):
            await room.worker.progress(job, "Once " * step, step / 10)
        await room.worker.finish(job, written("Once upon a time"))
        await telegram.shows(ticket, "Once upon a time")
        assert len(telegram.called("editMessageText")) <= 3
        assert len(telegram.called("sendMessage")) == 1


@pytest.mark.parametrize(
    "text",
    [
        "Ask @alice or @bob_the_builder, (@carol) and\n@dave!",
        "Send /queue now, then /cancel@frontdesk_test_bot",
        "<b>bold</b> *stars* _lines_ `code` [link](tg://user?id=500000) </unclosed &amp;",
        "🙂@alice 👩‍👩‍👧@bob \u202eعربي@carol",
    ],
)
async def test_a_models_text_is_never_markup_nor_a_ping(
    room: Room, telegram: TelegramStandIn, alice: Person, lab: Chat, text: str
) -> None:
    """What a model wrote is shown as it is: no name is notified, no command can be tapped, no tag is read."""
    async with room.bot():
        ticket = await room.ticket(await telegram.say(alice, "/write hello", lab))
        job = await room.worker.claim()
        await room.worker.finish(job, written(text))
        assert await room.delivery(job.id) == "delivered"
        (quote,) = [entity for entity in ticket.entities if entity["type"] == "blockquote"]
        assert ticket.marked(quote).replace("\u2060", "") == text
        assert {entity["type"] for entity in ticket.entities} == {"blockquote", "code"}
        assert ticket.pings == []


async def test_link_previews_are_off(room: Room, telegram: TelegramStandIn, alice: Person) -> None:
    """An address in an answer does not unfold."""
    async with room.bot():
        await telegram.answer(await telegram.say(alice, "see https://example.org"))
        await telegram.until(lambda: telegram.called("sendMessage"))
        assert all(call.params["link_preview_options"]["is_disabled"] for call in telegram.called("sendMessage"))
