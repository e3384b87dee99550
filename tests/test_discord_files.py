"""The files of an answer on Discord: a picture to look at, the rest to download, and words for what does not fit."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from carving import CARVE, GIF, PNG, carving, gif, piece, png, usual
from redis.asyncio import Redis
from standin_discord import Interaction
from standin_discord_desk import Front, front
from storing import folder_store

from frontdesk.bots import on_discord_delivery
from frontdesk.bots.on_discord import DiscordClient
from frontdesk.bots.on_discord_delivery import DiscordDeliverer
from frontdesk.bots.on_discord_render import LEFT_OUT, draw_parcels
from frontdesk.bots.parcels import Parcel, Room
from frontdesk.bots.replies import Reply, line, outcome_reply
from frontdesk.queue.artifacts import Artifact, ArtifactStore
from frontdesk.queue.results import Attachment

MIB = 1024 * 1024


@dataclass
class Bench:
    """A bot with a store."""

    front: Front
    store: ArtifactStore

    async def carve(
        self, pieces: list[dict[str, Any]], *, later: float = 0.0, story: str = "It stands."
    ) -> Interaction:
        """Ask for a figure that ends so, `later` seconds later."""
        discord = self.front.discord
        asked = await discord.slash(discord.user("ada"), "carve", what="a horse")
        job_id = await self.front.accepted(asked)
        discord.now += later
        self.front.engine.end(job_id, carving(pieces, story))
        await discord.until(lambda: any("Carved." in message.text for message in discord.said()))
        return asked


@pytest.fixture
async def bench(redis: Redis, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> AsyncIterator[Bench]:
    monkeypatch.setattr(on_discord_delivery, "PATIENCE", 0.02)
    store = folder_store(tmp_path, limit=30 * MIB)
    async with front(redis, monkeypatch, kinds=[CARVE], store=store) as made:
        await made.start()
        yield Bench(made, store)


async def test_the_ticket_becomes_the_answer_with_its_files(bench: Bench) -> None:
    """The preview stands in the embed, and all files are there, once, in their order."""
    asked = await bench.carve(usual(bench.store))
    assert asked.shown.files == {
        "turn.gif": gif(), "view.png": png(), "horse.glb": b"a horse", "horse.stl": b"a horse in plain triangles",
    }  # fmt: skip
    assert list(asked.shown.files) == ["turn.gif", "view.png", "horse.glb", "horse.stl"]
    assert asked.shown.pictures == ["turn.gif"]
    assert "too large" not in asked.text


async def test_without_a_preview_a_still_is_shown(bench: Bench) -> None:
    """And what Discord cannot show in an embed is attached only."""
    asked = await bench.carve([
        piece(bench.store, "turn.mp4", "preview", b"film", "video/mp4"),
        piece(bench.store, "view.png", "still", png(), PNG),
    ])  # fmt: skip
    assert (asked.shown.pictures, list(asked.shown.files)) == (["view.png"], ["turn.mp4", "view.png"])


async def test_what_is_too_large_there_is_told_of(bench: Bench) -> None:
    """By the limit that the interaction named, with name and size."""
    bench.front.discord.general.upload_limit = 55
    asked = await bench.carve(usual(bench.store))
    assert list(asked.shown.files) == ["view.png", "horse.glb", "horse.stl"]
    assert asked.shown.pictures == ["view.png"]
    assert "`turn.gif` (60 B) is too large for this chat. It is kept by this desk" in asked.text
    assert len([call for call in bench.front.discord.calls_to("PATCH", "/webhooks") if call.get("attachments")]) == 1


async def test_three_files_that_fit_alone_may_be_too_much_together(bench: Bench) -> None:
    """A request holds 25 MiB: the largest of the files to download stays behind."""
    asked = await bench.carve([
        piece(bench.store, "a.glb", "file", b"a" * 9 * MIB),
        piece(bench.store, "b.glb", "file", b"b" * (9 * MIB + 1)),
        piece(bench.store, "c.png", "still", png(9 * MIB + 2), PNG),
    ])  # fmt: skip
    assert list(asked.shown.files) == ["a.glb", "c.png"]
    assert "`b.glb` (9.4 MB) is too large" in asked.text


@pytest.mark.parametrize(("takes", "kept"), [(10 * MIB, ["view.png"]), (40, [])])
async def test_where_discord_takes_less_than_it_said_the_answer_still_comes(
    bench: Bench, takes: int, kept: list[str]
) -> None:
    """First what it usually takes, then the words alone."""
    general = bench.front.discord.general
    general.upload_limit, general.takes = 50 * MIB, takes
    asked = await bench.carve([
        piece(bench.store, "view.png", "still", png(), PNG), piece(bench.store, "big.glb", "file", b"b" * 11 * MIB),
    ])  # fmt: skip
    assert list(asked.shown.files) == kept
    assert "`big.glb` (11.5 MB) is too large" in asked.text


async def test_of_many_files_ten_come_along(bench: Bench) -> None:
    """And a long text is one of them."""
    pieces = [piece(bench.store, f"part{n}.glb", "file", b"x" * (30 - n)) for n in range(12)]
    asked = await bench.carve(pieces, story="It stands. " * 500)
    assert list(asked.shown.files) == ["answer.txt", *(f"part{n}.glb" for n in range(3, 12))]
    assert all(f"`part{n}.glb`" in asked.text for n in range(3))


async def test_a_late_answer_brings_its_files_in_a_new_message(bench: Bench) -> None:
    """The ticket, which then points at it, has none."""
    asked = await bench.carve(usual(bench.store), later=180)
    discord = bench.front.discord
    await discord.until(lambda: "answered below" in asked.shown.text)
    ticket, answer = discord.said()
    assert (len(answer.files), answer.pictures, ticket.files) == (4, ["turn.gif"], {})


async def test_a_repetition_doubles_nothing(bench: Bench) -> None:
    """Neither a message's files when it is edited again, nor a message whose files have another link, or are gone."""
    asked = await bench.carve(usual(bench.store))
    discord, broker = bench.front.discord, bench.front.premises.broker
    [record] = await broker.jobs_of(f"discord:{asked.user.id}")
    assert record.outcome is not None
    reply = outcome_reply(CARVE, record.id, record.outcome)
    away = [Parcel(each, each.artifact.name, without="away") for each in reply.attachments]
    there = [Parcel(each, each.artifact.name, path=Path(__file__)) for each in reply.attachments]
    async with DiscordClient() as client:
        await client.login(discord.token)
        deliverer = DiscordDeliverer(client, lambda: discord.now)
        nowhere = record.reply.model_copy(update={"message": None, "token": None})
        for link in ("https://example.org/1", "https://example.org/2", None):
            parcels = tuple(replace(each, link=link, without="too large" if link else "away") for each in away)
            await deliverer.deliver(nowhere, record.id, replace(reply, parcels=parcels), late=False)
        assert len(discord.said()) == 2
        for _ in range(2):
            await deliverer.deliver(record.reply, record.id, replace(reply, parcels=tuple(there)), late=False)
            assert len(asked.shown.attached) == 4


def test_however_many_files_are_missing_the_words_fit() -> None:
    """Long addresses give way, and at last the names."""
    artifact = Artifact(name="n" * 70 + ".glb", sha256="0" * 64, size=10**9, media_type=GIF)
    parcels = [
        Parcel(Attachment(artifact, "file"), f"{n}-{artifact.name}", link="https://example.org/" + "x" * 900)
        for n in range(90)
    ]
    drawn = draw_parcels(Reply((line("Carved."),), parcels=tuple(parcels)), "job1", Room(10, 10, 10))
    told = drawn.embeds[-1].description or ""
    assert len(told) <= LEFT_OUT
    assert "[download it](<https://example.org/" not in told or told.count("]") == told.count(">)")
    assert told.splitlines()[-1].startswith("And ")
    assert drawn.uploads == ()
