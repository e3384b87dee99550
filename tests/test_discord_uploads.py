"""A file that somebody attaches on Discord: an option of the command, or a message's, judged before it is fetched."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from mounting import HANG, MAX, MOUNT, REFUSED, good
from redis.asyncio import Redis
from standin_discord import Discord, RefusedError, User
from standin_discord_cast import Attached
from standin_discord_desk import Front, front
from storing import folder_store

from frontdesk.queue.artifacts import Artifact, ArtifactStore
from frontdesk.queue.jobs import Outcome
from frontdesk.queue.retention import Keep, Retention


@dataclass
class Bench:
    """A bot with a store, and what lies about."""

    front: Front
    store: ArtifactStore
    temporary: Path
    ada: User

    @property
    def discord(self) -> Discord:
        return self.front.discord

    def nothing_left(self) -> bool:
        return not list(self.temporary.iterdir()) and not self.store.contents().files

    def fetched(self) -> int:
        return len(self.discord.calls_to("GET", "/attachments/"))

    async def received(self) -> Artifact:
        """What the next job was asked with, as its worker gets it."""
        made = await self.front.engine.started.get()
        self.front.engine.end(made.id, Outcome(status="done", result={"said": "mounted"}))
        return Artifact.model_validate(made.params["pictures"])


@pytest.fixture
async def bench(redis: Redis, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> AsyncIterator[Bench]:
    (tmp_path / "temp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temp"))
    store = folder_store(tmp_path / "store")
    async with front(redis, monkeypatch, kinds=[HANG, MOUNT], store=store) as made:
        await made.start()
        yield Bench(made, store, tmp_path / "temp", made.discord.user("ada"))


async def test_a_command_takes_a_file(bench: Bench, redis: Redis) -> None:
    """As Discord's own option for files; the worker gets it from the store, and the job holds it."""
    discord = bench.discord
    asked = await discord.slash(bench.ada, "mount", pictures=discord.upload("holiday.zip", good()), colour="red")
    artifact = await bench.received()
    await discord.says(asked, "mounted")
    assert artifact.name == "pictures.zip"
    assert bench.store.read(artifact) == good()
    [kept] = await Retention(redis, bench.store, Keep({"*": 1.0}, 3)).objects_of(f"discord:{bench.ada.id}")
    assert kept.job_id in asked.text
    assert list(bench.temporary.iterdir()) == []


async def test_discord_itself_knows_what_must_be_given(bench: Bench) -> None:
    """An option for files, which may be needed, or left open."""
    commands = bench.discord.commands_of(bench.ada)
    assert [(option["name"], option["type"], option.get("required", False)) for option in commands["mount"]["options"]][
        :1
    ] == [("pictures", 11, True)]
    assert commands["hang"]["options"][1]["type"] == 11
    with pytest.raises(RefusedError, match="pictures must be given"):
        await bench.discord.slash(bench.ada, "mount")
    asked = await bench.discord.slash(bench.ada, "hang", height=90)
    made = await bench.front.engine.started.get()
    assert made.params == {"height": 90, "pictures": None}
    bench.front.engine.end(made.id, Outcome(status="done", result={"said": "hung"}))
    await bench.discord.says(asked, "hung")


ANNOUNCED = {
    "too large": (Attached("", "holiday.zip", good(), size=MAX + 1), "has 101 kB; send a .zip of at most 100 kB"),
    "wrong suffix": (Attached("", "holiday.rar", good()), "is not of a sort that is taken"),
    "wrong type": (Attached("", "holiday.zip", good(), media_type="video/mp4"), "is not of a sort that is taken"),
}
FETCHED = {
    "too large in fact": (Attached("", "a.zip", b"PK\x03\x04" + bytes(2 * MAX), size=9), "is larger than was said"),
    "broken off": (Attached("", "a.zip", good(), cut=60), "could not be fetched to its end"),
    "less than was said": (Attached("", "a.zip", good(), size=9000), "could not be fetched to its end"),
    **{name: (Attached("", "a.zip", content), why) for name, (content, why) in REFUSED.items()},
}


@pytest.mark.parametrize("sort", [*ANNOUNCED, *FETCHED])
async def test_what_is_not_taken_is_told_to_its_sender_alone(bench: Bench, sort: str) -> None:
    """In one sentence, and nothing of it stays; what Discord says of it is enough to refuse it without fetching."""
    file, why = (ANNOUNCED | FETCHED)[sort]
    lies = {"size": file.size, "media_type": file.media_type, "cut": file.cut}
    asked = await bench.discord.slash(bench.ada, "mount", pictures=bench.discord.upload(file.name, file.data, **lies))
    await bench.discord.says(asked, why)
    assert bench.nothing_left()
    assert bench.fetched() == (sort in FETCHED)
    assert [message.ephemeral for message in bench.discord.said()] == [True]
    assert bench.front.engine.started.empty()


async def test_a_file_that_discord_does_not_hand_out_is_told(bench: Bench) -> None:
    """It was deleted meanwhile, or Discord has trouble: what comes in its place is not taken for it."""
    file = bench.discord.upload("holiday.zip", good(), size=9)
    bench.discord.fail("GET /attachments", 503)
    asked = await bench.discord.slash(bench.ada, "mount", pictures=file)
    await bench.discord.says(asked, "holiday.zip could not be fetched to its end. Please send it again.")
    assert bench.nothing_left()


async def test_a_store_that_is_away_is_told(bench: Bench, tmp_path: Path) -> None:
    """And it can be tried again."""
    (tmp_path / "store").touch()
    asked = await bench.discord.slash(bench.ada, "mount", pictures=bench.discord.upload("holiday.zip", good()))
    await bench.discord.says(asked, "The desk cannot take files just now.")
    assert list(bench.temporary.iterdir()) == []


async def test_an_interaction_that_comes_twice_is_fetched_once(bench: Bench) -> None:
    """Discord repeats them when a connection resumes."""
    asked = await bench.discord.slash(bench.ada, "mount", pictures=bench.discord.upload("holiday.zip", good()))
    job_id = await bench.front.accepted(asked)
    await bench.discord.repeat(asked)
    other = await bench.discord.slash(bench.ada, "status")
    await bench.discord.until(lambda: other.message and not other.message.loading)
    assert bench.fetched() == 1
    bench.front.engine.end(job_id, Outcome(status="done", result={"said": "mounted"}))
    await bench.discord.says(asked, "mounted")


async def test_a_message_offers_its_file(bench: Bench) -> None:
    """In its menu, for a kind that needs nothing more: the first that is taken; without one it is told what is."""
    discord = bench.discord
    files = [discord.upload("notes.txt", b"notes"), discord.upload("holiday.zip", good())]
    asked = await discord.menu(bench.ada, "Mount this", await discord.say(bench.ada, "look", None, *files))
    assert bench.store.read(await bench.received()) == good()
    await discord.says(asked, "mounted")
    asked = await discord.menu(bench.ada, "Hang this", await discord.say(bench.ada, "look", None, files[0]))
    await discord.says(asked, "notes.txt is not of a sort that is taken; send a .zip of at most 100 kB.")
    asked = await discord.menu(bench.ada, "Hang this", await discord.say(bench.ada, "look"))
    await discord.says(asked, "pictures: is a file that is sent along: a .zip of at most 100 kB.")
    assert bench.fetched() == 1
