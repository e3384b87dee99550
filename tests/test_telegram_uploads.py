"""A document that somebody sends on Telegram: with a command, replied to, or asked for; judged before it is fetched."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import Annotated, Any

import pytest
from mounting import HANG, MAX, MOUNT, REFUSED, TAKES, MountParams, MountResult, good
from pydantic import Field
from redis.asyncio import Redis
from standin_telegram import TelegramStandIn
from standin_telegram_desk import PAINT, PASSAGE, Room, eventually
from standin_telegram_model import Chat, Message, Person
from storing import folder_store

from frontdesk.bots import on_telegram, on_telegram_delivery
from frontdesk.bots.on_telegram_fetching import download_limit
from frontdesk.queue import keys
from frontdesk.queue.artifacts import Artifact, ArtifactStore
from frontdesk.queue.catalogue import SCORE
from frontdesk.queue.connection import answer
from frontdesk.queue.kinds import JobKind
from frontdesk.queue.retention import Keep, Retention
from frontdesk.queue.settings import Settings
from frontdesk.queue.uploads import Upload
from frontdesk.ratelimit.limits import Limits

ZIPPED = ("holiday.zip", good())


@pytest.fixture(autouse=True)
def _swift_people(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(on_telegram_delivery, "PRIVATE_EVERY", 0.01)


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "temp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temp"))
    return tmp_path / "temp"


@pytest.fixture
def store(tmp_path: Path) -> ArtifactStore:
    return folder_store(tmp_path / "store", limit=50_000_000)


@pytest.fixture
async def room(telegram: TelegramStandIn, redis: Redis, store: ArtifactStore, temporary: Path) -> Room:
    made = Room(telegram, redis, Limits.load(), store)
    made.kinds = (HANG, MOUNT, PAINT, SCORE)
    return made


def left(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


async def received(room: Room, ticket: Message) -> bytes:
    """What the job of a ticket was asked with, as its worker gets it; the job holds it."""
    await room.placed(ticket)
    [job_id] = await room.jobs()
    artifact = Artifact.model_validate((await room.params(job_id))["pictures"])
    assert room.store is not None
    retention = Retention(room.redis, room.store, Keep({"*": 1.0}, 3))
    assert await retention.files_of(job_id) == [artifact.sha256]
    assert artifact.name == "pictures.zip"
    assert left(Path(tempfile.gettempdir())) == []
    return room.store.read(artifact)


async def test_a_document_with_a_command_as_its_caption(room: Room, telegram: TelegramStandIn, alice: Person) -> None:
    """Other options stand there, too."""
    async with room.bot():
        ticket = await room.ticket(await telegram.say(alice, "/mount colour=red", document=ZIPPED))
        assert await received(room, ticket) == ZIPPED[1]
        assert (await room.params((await room.job()).id))["colour"] == "red"


@pytest.mark.parametrize("where", ["private", "group"])
async def test_a_command_in_reply_to_a_document(
    room: Room, telegram: TelegramStandIn, alice: Person, lab: Chat, where: str
) -> None:
    """Whoever sent it; in a group the bot has not seen the document before."""
    bob = telegram.person("bob")
    async with room.bot():
        chat = lab if where == "group" else None
        document = await telegram.say(bob if chat else alice, "", chat, document=ZIPPED)
        ticket = await room.ticket(await telegram.say(alice, "/mount", chat, reply_to=document))
        assert await received(room, ticket) == ZIPPED[1]


async def test_a_document_of_another_sort_in_what_is_replied_to_is_chance(
    room: Room, telegram: TelegramStandIn, alice: Person
) -> None:
    """Where the file may be left out; where it is needed, it is told what is taken."""
    async with room.bot():
        notes = await telegram.say(alice, "", document=("notes.txt", b"notes"))
        ticket = await room.ticket(await telegram.say(alice, "/hang height=90", reply_to=notes))
        assert await room.params((await room.job()).id) == {"height": 90, "pictures": None}
        assert ticket.text.startswith("hang")
        refusal = await telegram.answer(await telegram.say(alice, "/mount", reply_to=notes))
        assert "notes.txt is not of a sort that is taken; send a .zip of at most 100 kB." in refusal.text


async def test_a_document_alone_is_told_who_takes_it(room: Room, telegram: TelegramStandIn, alice: Person) -> None:
    """With or without words of its own; what nobody takes is as before."""
    async with room.bot():
        for words in ("", "my holiday"):
            told = await telegram.answer(await telegram.say(alice, words, document=ZIPPED))
            assert told.text == (
                "holiday.zip: send it again with a command as its caption, or reply to it with one: /hang, /mount."
            )
        told = await telegram.answer(await telegram.say(alice, "", document=("notes.txt", b"notes")))
        assert told.text == "I can only read text. /help lists what I do."
        ticket = await room.ticket(await telegram.say(alice, PASSAGE, document=("notes.txt", b"notes")))
        assert ticket.text.startswith("score")


@pytest.mark.parametrize("where", ["private", "group"])
async def test_a_form_asks_for_a_file_that_is_missing(
    room: Room, telegram: TelegramStandIn, alice: Person, lab: Chat, where: str
) -> None:
    """It says what is taken, asks again where it got words or another file, and outlives a restart of the bot."""
    chat = lab if where == "group" else None
    place = chat or telegram.private(alice)
    async with room.bot():
        page = await telegram.answer(await telegram.say(alice, "/mount", chat))
        assert "mount: A zip of pictures (a .zip of at most 100 kB)" in page.text
        await telegram.say(alice, "/etc/passwd", chat, reply_to=page)
        page = await telegram.answer(place, "pictures: is a file that is sent along: a .zip of at most 100 kB.")
        await telegram.say(alice, "", chat, reply_to=page, document=("notes.txt", b"notes"))
        page = await telegram.answer(place, "pictures: notes.txt is not of a sort that is taken")
    async with room.bot():
        await telegram.say(alice, "", chat, reply_to=page, document=ZIPPED)
        page = await telegram.answer(place, "ready to start")
        await telegram.press(alice, page, "Start")
        await telegram.shows(page, "in the queue")
        assert await received(room, page) == ZIPPED[1]


async def test_an_optional_file_can_be_given_on_the_last_page(
    room: Room, telegram: TelegramStandIn, alice: Person
) -> None:
    """Shown by its name there."""

    class FrameParams(MountParams):
        width: Annotated[int, Field(description="In cm", ge=1)]
        pictures: Annotated[Artifact | None, Field(description="A zip"), TAKES] = None  # type: ignore[assignment]

    room.kinds = (JobKind("frame", "Frame", FrameParams, MountResult, cost=lambda _: 1.0), SCORE)
    async with room.bot():
        page = await telegram.answer(await telegram.say(alice, "/frame"))
        await telegram.say(alice, "40")
        page = await telegram.answer(telegram.private(alice), "pictures left open: A zip")
        await telegram.press(alice, page, "pictures")
        await telegram.shows(page, "A zip (a .zip of at most 100 kB)")
        await telegram.say(alice, "", document=ZIPPED)
        page = await telegram.answer(telegram.private(alice), "pictures holiday.zip: A zip")
        await telegram.press(alice, page, "Start")
        await telegram.shows(page, "in the queue")
        assert await received(room, page) == ZIPPED[1]


ANNOUNCED: dict[str, tuple[str, bytes, dict[str, Any], str]] = {
    "too large": ("holiday.zip", good(), {"said_size": MAX + 1}, "has 101 kB; send a .zip of at most 100 kB"),
    "wrong suffix": ("holiday.rar", good(), {}, "is not of a sort that is taken"),
    "wrong type": ("holiday.zip", good(), {"said_type": "video/mp4"}, "is not of a sort that is taken"),
}
FETCHED: dict[str, tuple[str, bytes, dict[str, Any], str]] = {
    "too large in fact": ("a.zip", b"PK\x03\x04" + bytes(2 * MAX), {"said_size": 9}, "is larger than was said"),
    "less than was said": ("a.zip", good(), {"said_size": 9000}, "could not be fetched to its end"),
    **{name: ("a.zip", content, {}, why) for name, (content, why) in REFUSED.items()},
}


@pytest.mark.parametrize("sort", [*ANNOUNCED, *FETCHED])
async def test_what_is_not_taken_is_told(
    room: Room, telegram: TelegramStandIn, alice: Person, store: ArtifactStore, temporary: Path, sort: str
) -> None:
    """In one sentence, and nothing of it stays; what Telegram says of it is enough to refuse it without fetching."""
    name, content, lies, why = (ANNOUNCED | FETCHED)[sort]
    async with room.bot():
        asked = await telegram.say(alice, "/mount", document=(name, content), **lies)
        shown = await telegram.answer(telegram.private(alice), why)
        assert len([m for m in telegram.private(alice).messages.values() if m.sender is None]) == 1
    assert asked.chat is shown.chat
    assert telegram.downloads == (sort in FETCHED)
    assert (left(temporary), store.contents().files, await room.jobs()) == ([], [], [])
    assert not await room.redis.exists(keys.UNFETCHED)


@pytest.mark.parametrize("how", ["cut", "refused", "no answer"])
async def test_a_download_that_fails_is_told(
    room: Room, telegram: TelegramStandIn, alice: Person, temporary: Path, how: str
) -> None:
    """Half way, before it, or where Telegram no longer knows of the file."""
    telegram.download_cut = 60 if how == "cut" else None
    if how == "refused":
        telegram.fail("getFile", status=400, description="Bad Request: file is too big")
    if how == "no answer":
        telegram.fail("getFile", status=502, page=True)
    async with room.bot():
        await telegram.say(alice, "/mount", document=ZIPPED)
        words = "holiday.zip is not handed over by Telegram" if how == "refused" else "could not be fetched to its end"
        await telegram.answer(telegram.private(alice), words)
    assert (left(temporary), await room.jobs()) == ([], [])


async def test_a_file_that_was_wrong_can_be_sent_again(room: Room, telegram: TelegramStandIn, alice: Person) -> None:
    """A form asks for it once more, and keeps the rest."""
    async with room.bot():
        await telegram.answer(await telegram.say(alice, "/mount colour=red"))
        await telegram.say(alice, "", document=("a.zip", REFUSED["way up"][0]))
        page = await telegram.answer(telegram.private(alice), "ready to start")
        await telegram.press(alice, page, "Start")
        await telegram.shows(page, "has a name that is not taken")
        await telegram.say(alice, "", document=ZIPPED)
        page = await telegram.answer(telegram.private(alice), "colour red")
        await telegram.press(alice, page, "Start")
        await telegram.shows(page, "in the queue")
        assert await received(room, page) == ZIPPED[1]


async def test_an_update_that_comes_twice_is_fetched_once(room: Room, telegram: TelegramStandIn, alice: Person) -> None:
    """Telegram sends it again after a crash."""
    async with room.bot():
        await room.ticket(await telegram.say(alice, "/mount", document=ZIPPED))
        await telegram.settled()
        await telegram.repeat()
        await telegram.settled()
        await telegram.answer(await telegram.say(alice, "/jobs"))
    assert telegram.downloads == 1
    assert len(await room.jobs()) == 1


async def test_a_slow_download_keeps_nobody_waiting(room: Room, telegram: TelegramStandIn, alice: Person) -> None:
    """Others are answered meanwhile, in whatever chat."""
    telegram.downloading = asyncio.Event()
    async with room.bot():
        asked = await telegram.say(alice, "/mount", document=ZIPPED)
        await telegram.until(lambda: telegram.downloads)
        await telegram.answer(await telegram.say(telegram.person("bob"), "/status"))
        telegram.downloading.set()
        await room.ticket(asked)
        await eventually(lambda: _gone(room.redis))


async def _gone(redis: Redis) -> bool:
    return not await redis.exists(keys.UNFETCHED)


async def test_a_bot_that_stops_while_it_fetches_goes_on_when_it_is_back(
    room: Room, telegram: TelegramStandIn, alice: Person, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Telegram no longer has the update; nothing of the first try stays."""
    monkeypatch.setattr(on_telegram, "DRAIN_SECONDS", 0.05)
    telegram.downloading = asyncio.Event()
    async with room.bot():
        asked = await telegram.say(alice, "/mount", document=ZIPPED)
        await telegram.until(lambda: telegram.downloads)
        await telegram.settled()
    assert (left(temporary), await room.jobs()) == ([], [])
    assert await answer(room.redis.hlen(keys.UNFETCHED)) == 1
    telegram.downloading.set()
    async with room.bot():
        ticket = await room.ticket(asked)
        assert await received(room, ticket) == ZIPPED[1]
    assert await _gone(room.redis)


async def test_what_two_processes_died_with_is_not_taken_up_again(
    room: Room, telegram: TelegramStandIn, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be what they died of."""
    monkeypatch.setattr(on_telegram, "DRAIN_SECONDS", 0.05)
    telegram.downloading = asyncio.Event()
    async with room.bot():
        await telegram.say(alice, "/mount", document=ZIPPED)
        await telegram.until(lambda: telegram.downloads == 1)
    async with room.bot():
        await telegram.until(lambda: telegram.downloads == 2)
    async with room.bot():
        await telegram.answer(await telegram.say(alice, "/status"))
    assert telegram.downloads == 2


async def test_a_server_of_ones_own_hands_over_on_its_disk(
    room: Room, telegram: TelegramStandIn, alice: Person, tmp_path: Path
) -> None:
    """Started with --local it names a path and serves no file."""
    telegram.disk = tmp_path / "server"
    telegram.disk.mkdir()
    async with room.bot(telegram_upload_mb=2000):
        ticket = await room.ticket(await telegram.say(alice, "/mount", document=ZIPPED))
        assert await received(room, ticket) == ZIPPED[1]
    assert telegram.downloads == 0


async def test_what_telegram_does_not_hand_out_is_told_before(
    room: Room, telegram: TelegramStandIn, alice: Person
) -> None:
    """Its own servers give a bot 20 MB, whatever the command takes."""
    large = JobKind("large", "Large", _params(40_000_000), MountResult, cost=lambda _: 1.0)
    room.kinds = (large, SCORE)
    async with room.bot():
        await telegram.say(alice, "/large", document=ZIPPED, said_size=20_000_001)
        shown = await telegram.answer(telegram.private(alice), "holiday.zip has 20.1 MB")
        assert "what is sent here can be fetched up to 20 MB." in shown.text
    assert telegram.called("getFile") == []


def _params(most: int) -> type[MountParams]:
    class LargeParams(MountParams):
        pictures: Annotated[Artifact, Field(description="A zip"), Upload((".zip",), ("application/zip",), most)]

    return LargeParams


@pytest.mark.parametrize(
    ("url", "upload_mb", "most"),
    [(None, 50, 20), (None, 2000, 20), ("http://here", 50, 20), ("http://here", 51, 51), ("http://here", 2000, 2000)],
)
def test_how_much_can_be_fetched(url: str | None, upload_mb: int, most: int) -> None:
    """More than 50 MB are sent only through a server that was started with --local, which hands out as much."""
    settings = Settings(telegram_api_url=url, telegram_upload_mb=upload_mb)
    assert download_limit(settings) == most * 1_000_000
