"""The files of an answer on Telegram: the ticket becomes a picture with the words, the others follow in one group."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from carving import CARVE, GIF, PNG, carved, gif, piece, png, usual
from redis.asyncio import Redis
from standin_telegram import TelegramStandIn
from standin_telegram_desk import Room
from standin_telegram_model import MAX_CAPTION, Chat, Message, Person, utf16
from storing import folder_store

from frontdesk.bots import on_telegram_delivery
from frontdesk.queue import keys
from frontdesk.queue.artifacts import ArtifactStore
from frontdesk.queue.connection import answer
from frontdesk.queue.events import OutcomeEvent, OutcomeStream
from frontdesk.queue.jobs import JobRecord
from frontdesk.ratelimit.limits import Limits

pytestmark = pytest.mark.filterwarnings("ignore:.*retry_after:DeprecationWarning")  # the library warns itself


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(on_telegram_delivery, "NETWORK_PAUSE", 0.05)
    monkeypatch.setattr(on_telegram_delivery, "PRIVATE_EVERY", 0.01)
    monkeypatch.setattr(on_telegram_delivery, "GROUP_EVERY", 0.01)


@pytest.fixture
def store(tmp_path: Path) -> ArtifactStore:
    return folder_store(tmp_path, limit=10_000_000)


@pytest.fixture
async def room(telegram: TelegramStandIn, redis: Redis, store: ArtifactStore) -> Room:
    made = Room(telegram, redis, Limits.load(), store)
    made.kinds = (*made.kinds, CARVE)
    return made


async def asked(room: Room, person: Person, chat: Chat | None = None) -> tuple[Message, JobRecord]:
    """A running job's ticket, and the job."""
    ticket = await room.ticket(await room.telegram.say(person, "/carve a horse", chat))
    job = await room.worker.claim()
    return ticket, job


async def delivered(room: Room, person: Person, pieces: list[dict[str, Any]], story: str = "It stands.") -> Message:
    """The ticket, once it is the answer and all is sent."""
    ticket, job = await asked(room, person)
    await room.worker.finish(job, carved(pieces, story))
    assert await room.delivery(job.id) == "delivered"
    return ticket


def others(ticket: Message) -> list[Message]:
    """What the bot sent beside the ticket."""
    return [each for each in ticket.chat.messages.values() if each.sender is None and each is not ticket]


def files(messages: list[Message]) -> dict[str, bytes]:
    return dict(each.document for each in messages if each.document)


async def test_the_ticket_becomes_the_preview_and_the_files_follow(
    room: Room, telegram: TelegramStandIn, alice: Person, store: ArtifactStore
) -> None:
    """One group in reply to it, its pictures as files of full quality."""
    async with room.bot():
        ticket = await delivered(room, alice, usual(store))
    assert (ticket.sort, ticket.document) == ("animation", ("turn.gif", gif()))
    assert ticket.text.startswith("Carved.\nIt stands.\nPieces: 4")
    assert files(others(ticket)) == {
        "view.png": png(), "horse.glb": b"a horse", "horse.stl": b"a horse in plain triangles",
    }  # fmt: skip
    assert {(each.sort, each.reply_to, bool(each.group)) for each in others(ticket)} == {("document", ticket, True)}
    assert len(telegram.called("sendMediaGroup")) == 1


async def test_a_still_is_a_photo_and_a_single_file_needs_no_group(
    room: Room, telegram: TelegramStandIn, alice: Person, store: ArtifactStore
) -> None:
    """Where there is no preview."""
    pieces = [piece(store, "horse.glb", "file", b"a horse"), piece(store, "view.png", "still", png(), PNG)]
    async with room.bot():
        ticket = await delivered(room, alice, pieces)
    assert (ticket.sort, ticket.document) == ("photo", ("view.png", png()))
    assert [(each.document, each.reply_to, each.group) for each in others(ticket)] == [
        (("horse.glb", b"a horse"), ticket, None)
    ]


async def test_without_a_picture_the_words_stay_a_message(room: Room, alice: Person, store: ArtifactStore) -> None:
    """And the files follow it."""
    async with room.bot():
        ticket = await delivered(room, alice, [piece(store, "horse.glb", "file", b"a horse")])
    assert ticket.document is None
    assert "Carved." in ticket.text
    assert files(others(ticket)) == {"horse.glb": b"a horse"}


async def test_a_long_text_is_the_first_of_the_files(room: Room, alice: Person, store: ArtifactStore) -> None:
    """A caption holds 1024 signs: the text's beginning stays in it."""
    story = "It stands on three legs \N{HORSE}. " * 60
    async with room.bot():
        ticket = await delivered(room, alice, usual(store), story)
    assert ticket.text.startswith("Carved.\nIt stands on")
    assert utf16(ticket.text) <= MAX_CAPTION
    assert list(files(others(ticket))) == ["answer.txt", "view.png", "horse.glb", "horse.stl"]
    assert files(others(ticket))["answer.txt"].decode() == story.strip()


async def test_what_is_too_large_for_the_server_is_told_of(room: Room, alice: Person, store: ArtifactStore) -> None:
    """By the setting, with name and size; nothing is left out in silence."""
    pieces = [*usual(store), piece(store, "big.glb", "file", b"b" * 1_200_000)]
    async with room.bot(telegram_upload_mb=1):
        ticket = await delivered(room, alice, pieces)
    assert "big.glb (1.2 MB) is too large for this chat. It is kept by this desk" in ticket.text
    assert len(others(ticket)) == 3


@pytest.mark.parametrize(("limit", "picture"), [(55, False), (75, True)])
async def test_where_telegram_takes_less_than_it_should_the_words_come(
    room: Room, telegram: TelegramStandIn, alice: Person, store: ArtifactStore, limit: int, picture: bool
) -> None:
    """A proxy may be narrower: the picture, or the files, give way, and are told of."""
    telegram.upload_limit = limit
    async with room.bot():
        ticket = await delivered(room, alice, usual(store))
    assert (ticket.sort == "animation", "Carved." in ticket.text) == (picture, True)
    [told] = others(ticket)
    assert told.reply_to is ticket
    names = ["view.png", "horse.glb", "horse.stl"]
    assert [line.split()[0] for line in told.text.splitlines()] == (names if picture else ["turn.gif", *names])


async def test_a_picture_that_telegram_does_not_show_follows_as_a_file(
    room: Room, alice: Person, store: ArtifactStore
) -> None:
    """Telegram looks into photos."""
    async with room.bot():
        ticket = await delivered(room, alice, [piece(store, "odd.png", "still", b"no picture", PNG)])
    assert "Carved." in ticket.text
    assert files(others(ticket)) == {"odd.png": b"no picture"}


async def test_files_that_telegram_refuses_are_told_of(room: Room, alice: Person, store: ArtifactStore) -> None:
    """It takes no empty ones."""
    async with room.bot():
        ticket = await delivered(room, alice, [piece(store, "void.glb", "file", b"")])
    assert [each.text.startswith("void.glb (0 B) was not taken by this chat.") for each in others(ticket)] == [True]


async def test_a_bot_that_stops_after_the_words_goes_on_with_the_files(
    room: Room, telegram: TelegramStandIn, alice: Person, store: ArtifactStore
) -> None:
    """The next process does not show the words again."""
    telegram.fail("sendMediaGroup", status=429, description="Too Many Requests", retry_after=3600)
    async with room.bot():
        ticket, job = await asked(room, alice)
        await room.worker.finish(job, carved(usual(store)))
        await telegram.until(lambda: telegram.called("sendMediaGroup"))
    assert others(ticket) == []
    async with room.bot():
        assert await room.delivery(job.id) == "delivered"
    assert len(files(others(ticket))) == 3
    assert len(telegram.called("editMessageMedia")) == 1


async def test_a_bot_that_stops_before_it_was_known_sends_nothing_twice(
    room: Room, telegram: TelegramStandIn, alice: Person, store: ArtifactStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All was sent, and the process died before the queue had heard of it: what was noted beside the job tells."""
    acknowledge, reached = OutcomeStream.acknowledge, asyncio.Event()

    async def never(stream: OutcomeStream, event: OutcomeEvent, how: str) -> None:
        reached.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(OutcomeStream, "acknowledge", never)
    async with room.bot():
        ticket, job = await asked(room, alice)
        await room.worker.finish(job, carved(usual(store)))
        await reached.wait()
    monkeypatch.setattr(OutcomeStream, "acknowledge", acknowledge)
    async with room.bot():
        assert await room.delivery(job.id) == "delivered"
    assert len(others(ticket)) == 3
    assert (len(telegram.called("editMessageMedia")), len(telegram.called("sendMediaGroup"))) == (1, 1)


@pytest.mark.parametrize("where", ["private", "group"])
async def test_a_late_answer_with_files_rings_once(
    room: Room, telegram: TelegramStandIn, alice: Person, lab: Chat, store: ArtifactStore, where: str
) -> None:
    """In private the files ring; in a group a mention does, as they would not."""
    async with room.bot():
        ticket, job = await asked(room, alice, lab if where == "group" else None)
        await answer(room.redis.hincrby(keys.job(job.id), "submitted", -180_000))
        await room.worker.finish(job, carved(usual(store)))
        assert await room.delivery(job.id) == "delivered"
    pointers = [each for each in others(ticket) if "answered above" in each.text]
    assert [each.pings for each in pointers] == ([[str(alice.id)]] if where == "group" else [])
    assert len(files(others(ticket))) == 3


async def test_a_deleted_ticket_is_replaced_with_its_picture(
    room: Room, telegram: TelegramStandIn, alice: Person, lab: Chat, store: ArtifactStore
) -> None:
    """A new message that names its requester, and the files in reply to that one."""
    async with room.bot():
        ticket, job = await asked(room, alice, lab)
        del lab.messages[ticket.id]
        await room.worker.finish(job, carved(usual(store)))
        assert await room.delivery(job.id) == "delivered"
    head, *rest = others(ticket)
    assert (head.sort, head.pings) == ("animation", [str(alice.id)])
    assert {each.reply_to for each in rest} == {head}
    assert len(rest) == 3


async def test_what_is_cut_off_again_and_again_is_given_up(
    room: Room, telegram: TelegramStandIn, alice: Person, store: ArtifactStore
) -> None:
    """The words are there, and say what could not be sent: no file keeps a chat from its next answers."""
    telegram.fail("sendMediaGroup", cut="before", times=99)
    async with room.bot():
        ticket = await delivered(room, alice, usual(store))
    [told] = others(ticket)
    assert told.text.startswith("view.png (50 B) could not be sent.")
    assert len(telegram.called("sendMediaGroup")) < 12


async def test_pictures_larger_than_photos_may_be_are_files(room: Room, alice: Person, tmp_path: Path) -> None:
    """Telegram takes photos of 10 MB."""
    room.store = wide = folder_store(tmp_path / "wide", limit=20_000_000)
    async with room.bot():
        pieces = [piece(wide, "view.png", "still", png(10_000_001), PNG), piece(wide, "t.gif", "file", gif(), GIF)]
        ticket = await delivered(room, alice, pieces)
    assert ticket.document is None
    assert set(files(others(ticket))) == {"view.png", "t.gif"}
