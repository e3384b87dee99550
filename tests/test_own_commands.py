"""Commands that are no kind, declared once: what is read of them, who sees their answers, and the files they bring."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from carving import CARVE
from console import Paper, Script, premises, staffed
from redis.asyncio import Redis
from standin_discord_desk import front
from standin_telegram import TelegramStandIn
from standin_telegram_desk import Room

from frontdesk.bots import commands, on_telegram_delivery
from frontdesk.bots.commands import own_commands
from frontdesk.bots.main import Premises
from frontdesk.bots.on_console import Chat, person
from frontdesk.bots.own_commands import MAX_GIVEN, Option, OwnCommand, own_button, typed
from frontdesk.bots.parcels import Parcel
from frontdesk.bots.people import Person
from frontdesk.bots.replies import Reply, line, say
from frontdesk.bots.waiting import waiting
from frontdesk.queue.errors import DeclarationError, InvalidRequestError
from frontdesk.queue.jobs import Artifact
from frontdesk.queue.results import Attachment
from frontdesk.ratelimit.limits import Limits

ZIP = b"PK a zip"


class Safe:
    """A secret command whose answer brings a file, and whose button turns it into other words."""

    def __init__(self, folder: Path) -> None:
        self.asked = 0
        self._file = folder / "all.zip"
        self._file.write_bytes(ZIP)

    async def answer(self, person: Person, given: Mapping[str, str]) -> Reply:
        self.asked += 1
        artifact = Artifact(name="all.zip", sha256="0" * 64, size=len(ZIP), media_type="application/zip")
        parcel = Parcel(Attachment(artifact, "file"), "all.zip", self._file)
        return Reply(
            (line(f"The key of {person.requester.user}."),), (own_button("export", "Lock", "l"),), parcels=(parcel,)
        )

    async def press(self, person: Person, data: str) -> Reply:
        return say(f"Locked with {data}.")

    def declared(self, front: Premises) -> list[OwnCommand]:
        return [OwnCommand("export", "Take all of it", self.answer, press=self.press, secret=True)]


@pytest.fixture
def safe(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Safe:
    made = Safe(tmp_path)
    monkeypatch.setattr(commands, "DECLARED", [made.declared])
    monkeypatch.setattr(on_telegram_delivery, "PRIVATE_EVERY", 0.01)
    monkeypatch.setattr(on_telegram_delivery, "GROUP_EVERY", 0.01)
    return made


async def nothing(person: Person, given: Mapping[str, str]) -> Reply:
    return say("Nothing.")


TOLD = OwnCommand(
    "report", "Tell", nothing, (Option("job", "Which", required=True), Option("why", "Why", required=True, rest=True))
)


@pytest.mark.parametrize(
    ("text", "given"),
    [
        ("abc it is rude", {"job": "abc", "why": "it is rude"}),
        ("  abc\n it is\nrude ", {"job": "abc", "why": "it is\nrude"}),
        ("abc \x00hm\x07", {"job": "abc", "why": "hm"}),
    ],
)
def test_words_become_arguments_in_their_order(text: str, given: dict[str, str]) -> None:
    """The last one takes all that is left, line breaks and all, but nothing that a terminal would obey."""
    assert typed(TOLD, text) == given


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "job: is needed: Which. Say: /report JOB WHY"),
        ("abc", "why: is needed: Why. Say: /report JOB WHY"),
        ("abc " + "x" * (MAX_GIVEN + 1), "why: must have at most 1,000 characters."),
    ],
)
def test_what_lacks_or_is_too_long_is_told(text: str, sentence: str) -> None:
    """In one sentence that says what to write."""
    with pytest.raises(InvalidRequestError) as error:
        typed(TOLD, text)
    assert str(error.value) == sentence


@pytest.mark.parametrize("names", [("carve",), ("mine", "mine")])
def test_a_name_that_is_not_reserved_or_is_taken_is_refused(
    redis: Redis, monkeypatch: pytest.MonkeyPatch, names: tuple[str, ...]
) -> None:
    """At the start, not when somebody types it."""
    made = [OwnCommand(name, "Something", nothing) for name in names]
    monkeypatch.setattr(commands, "DECLARED", [lambda front: made])
    with pytest.raises(DeclarationError, match="must be reserved"):
        own_commands(premises(redis))


async def test_a_secret_answer_on_discord_is_its_askers_alone(
    redis: Redis, monkeypatch: pytest.MonkeyPatch, safe: Safe
) -> None:
    """Ephemeral, with its file; a button edits it, and a button of a command that is gone is told so."""
    async with front(redis, monkeypatch, kinds=[CARVE]) as made:
        await made.start()
        ada = made.discord.user("ada")
        asked = await made.discord.slash(ada, "export")
        await made.discord.says(asked, f"The key of {ada.id}.")
        assert (asked.shown.ephemeral, asked.shown.files) == (True, {"all.zip": ZIP})
        clicked = await made.discord.click(ada, asked.shown, "Lock")
        await made.discord.says(clicked, "Locked with l.")
        assert (clicked.shown is asked.shown, asked.shown.files) == (True, {})
        again = await made.discord.slash(ada, "export")
        await made.discord.says(again, "The key")
        again.shown.buttons["Lock"]["custom_id"] = "frontdesk:own:gone:l"
        late = await made.discord.click(ada, again.shown, "Lock")
        await made.discord.says(late, "no longer remembered")


async def test_a_secret_answer_in_a_group_on_telegram_comes_to_the_private_chat(
    telegram: TelegramStandIn, redis: Redis, safe: Safe
) -> None:
    """Nothing is asked of the command before its asker can be reached there."""
    room = Room(telegram, redis, Limits.load())
    async with room.bot():
        ada, group = telegram.person("ada"), telegram.group()
        asked = await telegram.say(ada, "/export", group)
        assert "press Start" in (await telegram.answer(asked)).text
        assert safe.asked == 0
        await telegram.say(ada, "/start")
        home = telegram.private(ada)
        await telegram.answer(home, "Hello")
        asked = await telegram.say(ada, "/export", group)
        told = await telegram.answer(home, "The key")
        assert "our private chat" in (await telegram.answer(asked)).text
        sent = await telegram.answer(home)
        assert sent.document == ("all.zip", ZIP)
        await telegram.press(ada, told, "Lock")
        await telegram.shows(told, "Locked with l.")
        assert [message for message in group.messages.values() if "key" in message.text] == []


async def test_a_file_of_an_answer_is_saved_at_a_terminal(redis: Redis, safe: Safe, tmp_path: Path) -> None:
    """In the chat's folder, and the reply says where."""
    desk, paper, folder = premises(redis), Paper(), tmp_path / "mine"
    async with staffed(desk), waiting(desk) as waiter:
        await Chat(desk, waiter, Script("/export", "/1"), paper, person("ada"), folder).run()
    assert (folder / "all.zip").read_bytes() == ZIP
    assert f"Saved: {folder / 'all.zip'}" in paper.text
    assert "/1 Lock" in paper.text
    assert "Locked with l." in paper.text
