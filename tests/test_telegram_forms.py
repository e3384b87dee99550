"""The guided form: what a command lacks is asked for, one thing at a time."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import pytest
from pydantic import Field
from redis.asyncio import Redis
from standin_telegram import TelegramStandIn
from standin_telegram_desk import PAINT, PASSAGE, Room
from standin_telegram_model import Chat, Message, Person

from frontdesk.bots import forms, on_telegram_delivery
from frontdesk.bots.on_telegram_render import render_question
from frontdesk.queue import keys
from frontdesk.queue.catalogue import WRITE
from frontdesk.queue.errors import InvalidRequestError, Problem
from frontdesk.queue.kinds import JobKind
from frontdesk.queue.parameters import Params
from frontdesk.queue.results import Result
from frontdesk.ratelimit.limits import Limits


@pytest.fixture(autouse=True)
def _swift_people(monkeypatch: pytest.MonkeyPatch) -> None:
    """The people here write faster than people do."""
    monkeypatch.setattr(on_telegram_delivery, "PRIVATE_EVERY", 0.01)


async def asked_for(room: Room, ticket: Message) -> dict[str, object]:
    """The parameters of the only job, once its ticket is shown."""
    await room.placed(ticket)
    return await room.params((await room.job()).id)


async def test_a_form_asks_for_one_thing_after_the_other(room: Room, telegram: TelegramStandIn, alice: Person) -> None:
    """Choices and yes/no are buttons, numbers are written, and the optional ones may be changed before the start."""
    async with room.bot():
        page = await telegram.answer(await telegram.say(alice, "/paint"))
        assert page.text == "paint: The colour (one of red, green)"
        assert page.buttons == ["red", "green", "Cancel"]
        await telegram.press(alice, page, "green")
        await telegram.shows(page, "How many coats (1 to 9)")
        await telegram.say(alice, "3")
        page = await telegram.answer(telegram.private(alice), "Whether it shines")
        assert page.buttons == ["Yes", "No", "Cancel"]
        await telegram.press(alice, page, "Yes")
        await telegram.shows(page, "ready to start")
        assert "drying 2.0: Hours to dry" in page.text
        assert page.buttons == ["Start", "drying", "Cancel"]
        await telegram.press(alice, page, "drying")
        await telegram.shows(page, "Hours to dry (0 to 24)")
        assert page.buttons == ["Normal (2.0)", "Cancel"]
        await telegram.say(alice, "5.5")
        page = await telegram.answer(telegram.private(alice), "drying 5.5")
        await telegram.press(alice, page, "Start")
        await telegram.shows(page, "in the queue")
        assert await asked_for(room, page) == {"colour": "green", "coats": 3, "glossy": True, "drying": 5.5}


async def test_what_was_given_is_not_asked_again(room: Room, telegram: TelegramStandIn, alice: Person) -> None:
    """The form begins with the first thing that lacks, and a default may be taken with a button."""
    async with room.bot():
        page = await telegram.answer(await telegram.say(alice, "/paint colour=red glossy=no drying=9"))
        assert "How many coats" in page.text
        await telegram.say(alice, "2")
        page = await telegram.answer(telegram.private(alice), "ready to start")
        await telegram.press(alice, page, "drying")
        await telegram.shows(page, "(0 to 24)")
        await telegram.press(alice, page, "Normal")
        await telegram.shows(page, "drying 2.0")
        await telegram.press(alice, page, "Start")
        assert await asked_for(room, page) == {"colour": "red", "coats": 2, "glossy": False, "drying": 2.0}


async def test_a_wrong_answer_is_explained_and_asked_again(
    room: Room, telegram: TelegramStandIn, alice: Person
) -> None:
    """The question comes back with what was wrong, and nothing else is lost."""
    async with room.bot():
        await telegram.answer(await telegram.say(alice, "/score"))
        await telegram.say(alice, "too short")
        page = await telegram.answer(telegram.private(alice), "this has 9")
        assert "The text to judge" in page.text
        await telegram.say(alice, PASSAGE)
        ticket = await telegram.answer(telegram.private(alice), "in the queue")
        assert await asked_for(room, ticket) == {"text": PASSAGE.strip()}


async def test_a_form_survives_a_restart(room: Room, telegram: TelegramStandIn, alice: Person) -> None:
    """A bot that comes back takes the answer to the question that the one before has asked."""
    async with room.bot():
        page = await telegram.answer(await telegram.say(alice, "/paint coats=1 glossy=no"))
    async with room.bot():
        await telegram.press(alice, page, "red")
        await telegram.shows(page, "ready to start")
        await telegram.press(alice, page, "Start")
        assert (await asked_for(room, page))["colour"] == "red"


async def test_a_form_is_forgotten_after_ten_minutes(
    room: Room, telegram: TelegramStandIn, redis: Redis, alice: Person
) -> None:
    """An abandoned form does not wait for ever; its buttons then say so."""
    async with room.bot():
        page = await telegram.answer(await telegram.say(alice, "/paint"))
        key = keys.form(f"telegram:{alice.id}", str(alice.id))
        assert 590 < await redis.ttl(key) <= 600
        await redis.delete(key)
        click = await telegram.press(alice, page, "red")
        await telegram.until(lambda: click.answered)
        assert "no longer open" in str(click.text)


async def test_a_form_is_its_owners(room: Room, telegram: TelegramStandIn, alice: Person, lab: Chat) -> None:
    """In a group nobody else can press its buttons, or answer for the one who was asked."""
    bob = telegram.person("bob")
    async with room.bot():
        page = await telegram.answer(await telegram.say(alice, "/paint coats=1 glossy=no", lab))
        click = await telegram.press(bob, page, "red")
        await telegram.until(lambda: click.answered)
        assert "not yours" in str(click.text)
        await telegram.say(bob, "green", lab, reply_to=page)
        await telegram.settled()
        await telegram.press(alice, page, "red")
        await telegram.shows(page, "ready to start")


async def test_a_group_is_asked_with_an_open_reply_field(
    room: Room, telegram: TelegramStandIn, alice: Person, lab: Chat
) -> None:
    """A bot in a group sees only replies to it, so a question for text opens one; other words are left alone."""
    async with room.bot():
        page = await telegram.answer(await telegram.say(alice, "/score", lab))
        assert page.keyboard == {"force_reply": True, "selective": True, "input_field_placeholder": "The text to judge"}
        elsewhere = await telegram.say(alice, "something else", lab)
        await telegram.push({"message": elsewhere.json()})
        await telegram.say(alice, PASSAGE, lab, reply_to=page)
        ticket = await telegram.answer(lab, "in the queue")
        assert await asked_for(room, ticket) == {"text": PASSAGE.strip()}


@pytest.mark.parametrize("way", ["button", "command"])
async def test_a_form_can_be_left(room: Room, telegram: TelegramStandIn, alice: Person, way: str) -> None:
    """The Cancel button and `/cancel` end a form; what is written next is plain words again."""
    async with room.bot():
        page = await telegram.answer(await telegram.say(alice, "/score"))
        if way == "button":
            await telegram.press(alice, page, "Cancel")
            await telegram.shows(page, "nothing was asked for")
        else:
            assert "nothing was asked for" in (await telegram.answer(await telegram.say(alice, "/cancel"))).text
        await telegram.say(alice, "hello")
        await telegram.answer(telegram.private(alice), "I took your message as the text for")
        assert await room.jobs() == []


@pytest.mark.parametrize("again", ["answer", "press"])
async def test_a_repeated_update_does_not_answer_twice(
    room: Room, telegram: TelegramStandIn, alice: Person, again: str
) -> None:
    """An answer or a press that Telegram sends again neither answers the next question nor makes a second job."""
    async with room.bot():
        await telegram.answer(await telegram.say(alice, "/paint colour=red glossy=no"))
        await telegram.say(alice, "3")
        page = await telegram.answer(telegram.private(alice), "ready to start")
        if again == "answer":
            await telegram.settled()
            await telegram.repeat()
            page = await telegram.answer(telegram.private(alice), "ready to start")
        await telegram.press(alice, page, "Start")
        ticket = page
        await telegram.shows(ticket, "in the queue")
        await room.placed(ticket)
        if again == "press":
            await telegram.settled()
            await telegram.repeat()
            await telegram.settled()
            await telegram.answer(await telegram.say(alice, "/jobs"))
        assert (await asked_for(room, ticket))["coats"] == 3
        assert len(await room.jobs()) == 1


async def test_a_repeated_command_does_not_begin_again(room: Room, telegram: TelegramStandIn, alice: Person) -> None:
    """The command that began a form may come again: at once it asks again, later it is passed over."""
    async with room.bot():
        await telegram.answer(await telegram.say(alice, "/paint colour=red glossy=no"))
        await telegram.settled()
        begun = await telegram.repeat()
        await telegram.answer(telegram.private(alice), "How many coats")
        await telegram.say(alice, "3")
        page = await telegram.answer(telegram.private(alice), "ready to start")
        await telegram.settled()
        await telegram.repeat(begun)
        await telegram.settled()
        await telegram.press(alice, page, "Start")
        assert (await asked_for(room, page))["coats"] == 3


async def test_a_form_waits_out_a_limit(telegram: TelegramStandIn, redis: Redis, alice: Person, tmp_path: Path) -> None:
    """Who is refused at the last page may press Start again later, and has not filled in the form for nothing."""
    narrow = tmp_path / "limits.toml"
    narrow.write_text("[member.kinds.default]\nin_flight = 1\n")
    room = Room(telegram, redis, Limits.load(narrow))
    async with room.bot():
        first = await room.ticket(await telegram.say(alice, "/paint colour=red coats=1 glossy=no"))
        await telegram.say(alice, "/paint colour=red coats=2")
        page = await telegram.answer(telegram.private(alice), "Whether it shines")
        await telegram.press(alice, page, "No")
        await telegram.shows(page, "ready to start")
        click = await telegram.press(alice, page, "Start")
        await telegram.until(lambda: click.answered)
        assert click.alert
        assert "waiting or running" in str(click.text)
        await telegram.press(alice, first, "Cancel")
        await telegram.shows(first, "cancelled.")
        await telegram.press(alice, page, "Start")
        await telegram.shows(page, "in the queue")


async def test_another_command_leaves_the_form_open(room: Room, telegram: TelegramStandIn, alice: Person) -> None:
    """Looking something up in between is fine."""
    async with room.bot():
        await telegram.answer(await telegram.say(alice, "/score"))
        await telegram.answer(await telegram.say(alice, "/help score"))
        await telegram.say(alice, PASSAGE)
        await telegram.answer(telegram.private(alice), "in the queue")


async def test_a_corrupt_form_counts_as_none(
    room: Room, telegram: TelegramStandIn, redis: Redis, alice: Person
) -> None:
    """What cannot be read is dropped, and the person is served."""
    await redis.set(keys.form(f"telegram:{alice.id}", str(alice.id)), b"\x80not json")
    async with room.bot():
        await room.ticket(await telegram.say(alice, PASSAGE))


# The pure part


def test_buttons_of_another_page_mean_nothing() -> None:
    """A press that does not fit the open page is no answer."""
    form = forms.begin(PAINT, {}, private=False, update=1, origin="1")
    for act in ("coats:0", "colour:9", "colour:x", "colour:", "nothing:0", forms.GO, "drying"):
        assert forms.pressed(PAINT, form, act, 2) is None


def test_a_form_that_fails_as_a_whole_is_not_reopened() -> None:
    """Where no single answer is to blame, asking again would not help."""
    form = forms.begin(WRITE, {"prompt": "hello"}, private=False, update=1, origin="1")
    assert forms.reopened(WRITE, form, InvalidRequestError([Problem("", "No.")])) is None


def test_the_last_page_takes_no_writing() -> None:
    """Words on the last page are not an answer to it."""
    form = forms.begin(WRITE, {"prompt": "hello"}, private=False, update=1, origin="1")
    with pytest.raises(ValueError, match="nothing is asked"):
        forms.written(WRITE, form, "hello", 2)


class Longest(Params):
    a23456789_123456789_123456789_12: Annotated[bool, Field(description="x")]


def test_every_button_fits_telegrams_limit() -> None:
    """The longest name that a kind may have still makes a button of at most 64 bytes."""
    kind = JobKind(name="k" * 32, summary="x", params=Longest, result=Result, cost=lambda _: 1.0)
    form = forms.begin(kind, {}, private=False, update=1, origin="1")
    drawn = render_question(form.id, forms.question(kind, form), force=False)
    assert drawn.keyboard is not None
    data = [str(button.callback_data) for row in drawn.keyboard.inline_keyboard for button in row]
    assert max(len(text.encode()) for text in data) <= 64
