"""The gallery in Discord: slash commands from the declarations, pages that turn in place, and who sees what."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from carving import CARVE
from exhibits import Exhibits, remembering
from redis.asyncio import Redis
from standin_discord import Discord, Interaction
from standin_discord_cast import DM, Channel, User
from standin_discord_desk import Front, front
from storing import folder_store

from frontdesk.bots import on_discord_own


@dataclass
class Hall:
    front: Front
    exhibits: Exhibits

    @property
    def discord(self) -> Discord:
        return self.front.discord

    async def asks(self, who: User, command: str, **options: Any) -> Interaction:
        return await self.answered(await self.discord.slash(who, command, **options))

    async def clicks(self, who: User, on: Interaction, label: str) -> Interaction:
        return await self.answered(await self.discord.click(who, on.shown, label))

    async def answered(self, asked: Interaction) -> Interaction:
        await self.discord.until(lambda: asked.state == "answered")
        return asked


@pytest.fixture
async def hall(redis: Redis, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> AsyncIterator[Hall]:
    store = folder_store(tmp_path / "store")
    async with (
        remembering(tmp_path) as memory,
        front(redis, monkeypatch, kinds=[CARVE], store=store, memory=memory) as made,
    ):
        await made.start()
        yield Hall(made, Exhibits(memory, store))


def owner(who: User) -> str:
    return f"discord:{who.id}"


async def test_commands_come_with_typed_options_and_choices(hall: Hall) -> None:
    """As declared: what is needed first, and a list of what may be chosen."""
    offered = hall.discord.commands_of(hall.discord.user("ada"))
    assert [option["name"] for option in offered["similar"]["options"]] == ["job", "by"]
    assert [option["required"] for option in offered["similar"]["options"]] == [True, False]
    assert [choice["value"] for choice in offered["similar"]["options"][1]["choices"]] == ["meaning", "shape"]


async def test_a_page_turns_in_place(hall: Hall) -> None:
    """Everybody sees the list; its pictures stand side by side; Next and Back edit the message."""
    ada, bob = hall.discord.user("ada"), hall.discord.user("bob")
    ids = [await hall.exhibits.add(owner(bob), f"horse {n}", pictures=1) for n in range(7)][::-1]
    asked = await hall.asks(ada, "gallery")
    assert not asked.shown.ephemeral
    assert list(asked.shown.buttons) == ["1", "2", "3", "4", "5", "Next"]
    assert list(asked.shown.files) == [f"{job}-view0.png" for job in ids[:5]]
    assert asked.shown.pictures == []
    turned = await hall.clicks(ada, asked, "Next")
    assert turned.shown is asked.shown
    assert [job for job in ids if job in turned.shown.text] == ids[5:]
    await hall.clicks(ada, asked, "Back")
    assert list(asked.shown.files) == [f"{job}-view0.png" for job in ids[:5]]
    opened = await hall.clicks(ada, asked, "3")
    assert opened.shown.pictures == [f"{ids[2]}-view0.png"]
    assert "GPU-seconds" in opened.text


async def test_ones_own_list_is_seen_by_nobody_else(hall: Hall) -> None:
    """In a channel it is ephemeral, and so is /mine, with three pictures side by side."""
    ada = hall.discord.user("ada")
    ids = [await hall.exhibits.add(owner(ada), f"horse {n}", public=False, pictures=1) for n in range(4)]
    for command, options in (("gallery", {"what": "mine"}), ("mine", {})):
        asked = await hall.asks(ada, command, **options)
        assert asked.shown.ephemeral, command
    assert list(asked.shown.files) == [f"{job}-view0.png" for job in ids[:0:-1]]
    assert all(message.ephemeral for message in hall.discord.said())


async def test_somebody_elses_click_is_answered_to_them_alone(hall: Hall) -> None:
    """The message of who asked stays as it is; what others may not see is not there for them."""
    ada, bob = hall.discord.user("ada"), hall.discord.user("bob")
    hers = await hall.exhibits.add(owner(ada), "a horse")
    for n in range(5):
        await hall.exhibits.add(owner(ada), f"cow {n}")
    asked = await hall.asks(ada, "gallery")
    before = asked.shown.text
    looked = await hall.clicks(bob, asked, "1")
    assert (looked.shown.ephemeral, looked.shown.seen_by, asked.shown.text) == (True, bob, before)
    assert "Report" in looked.shown.buttons
    turned = await hall.clicks(bob, asked, "Next")
    assert "for whoever asked" in turned.text
    assert (turned.shown.ephemeral, asked.shown.text) == (True, before)
    opened = await hall.clicks(ada, await hall.clicks(ada, asked, "Next"), "1")
    assert hers in opened.text
    tried = await hall.clicks(bob, opened, "Unpublish")
    assert "There is no object" in tried.text
    assert (await hall.front.premises.desk.showcase.entry(None, hers)).public


async def test_what_became_private_is_not_shown_where_others_read(hall: Hall) -> None:
    """A button of an old list, pressed by the owner: the object comes as a message for their eyes."""
    ada = hall.discord.user("ada")
    hers = await hall.exhibits.add(owner(ada), "a shy horse")
    asked = await hall.asks(ada, "gallery")
    await hall.asks(ada, "unpublish", job=hers)
    opened = await hall.clicks(ada, asked, "1")
    assert opened.shown is not asked.shown
    assert opened.shown.ephemeral
    published = await hall.clicks(ada, opened, "Publish")
    assert "Published" in published.text


async def test_a_chat_of_two_people_is_not_the_bots_direct_messages(hall: Hall) -> None:
    """Where the app is somebody's own, both read what is not ephemeral: what is private stays with its owner."""
    ada, bob = hall.discord.user("ada"), hall.discord.user("bob")
    hers = await hall.exhibits.add(owner(ada), "a shy horse")
    chat = hall.discord.add(Channel(hall.discord.new_id(), DM, people=[ada, bob], bot_present=False))
    asked = await hall.answered(await hall.discord.slash(ada, "gallery", chat))
    await hall.asks(ada, "unpublish", job=hers)
    opened = await hall.clicks(ada, asked, "1")
    assert (opened.shown.ephemeral, hers in opened.text, "GPU-seconds" in asked.text) == (True, True, False)
    mine = await hall.answered(await hall.discord.slash(ada, "gallery", chat, what="mine"))
    assert mine.shown.ephemeral


async def test_search_in_a_channel_finds_only_what_everybody_sees(hall: Hall) -> None:
    """The answer is read by all; at home, in direct messages, one's own is found too."""
    ada = hall.discord.user("ada")
    hers = await hall.exhibits.add(owner(ada), "a shy horse", public=False)
    public = await hall.exhibits.add(owner(ada), "a bold horse")
    await hall.exhibits.index()
    asked = await hall.asks(ada, "search", text="horse")
    assert (public in asked.text, hers in asked.text, asked.shown.ephemeral) == (True, False, False)
    home = await hall.answered(await hall.discord.slash(ada, "search", hall.discord.dm(ada), text="horse"))
    assert hers in home.text


async def test_titles_stay_text(hall: Hall) -> None:
    """No markup, no link, no ping, whatever somebody asked for."""
    ada = hall.discord.user("ada")
    await hall.exhibits.add(owner(ada), "**bold** [here](http://x.example) <@1> @everyone `tick`")
    asked = await hall.asks(ada, "gallery")
    assert r"\*\*bold\*\* \[here\]" in asked.text
    assert asked.shown.pings == set()


async def test_a_rerun_gets_a_ticket(hall: Hall) -> None:
    """By the button as by the command, as a message of its own."""
    ada = hall.discord.user("ada")
    hers = await hall.exhibits.add(owner(ada), "a horse")
    opened = await hall.clicks(ada, await hall.asks(ada, "gallery"), "1")
    again = await hall.discord.click(ada, opened.shown, "Rerun")
    await hall.front.accepted(again)
    assert again.shown is not opened.shown
    assert list(again.shown.buttons) == ["Cancel"]
    once_more = await hall.discord.slash(ada, "rerun", job=hers)
    await hall.discord.until(lambda: once_more.message and once_more.message.buttons)


async def test_a_report_has_its_reason(hall: Hall) -> None:
    """Of three by a button; who is told of it is its reporter alone."""
    ada, bob = hall.discord.user("ada"), hall.discord.user("bob")
    hers = await hall.exhibits.add(owner(ada), "a horse")
    looked = await hall.clicks(bob, await hall.asks(bob, "gallery"), "1")
    await hall.clicks(bob, looked, "Report")
    told = await hall.clicks(bob, looked, "It is offensive")
    assert "Thank you" in told.text
    assert hall.front.memory is not None
    history = await hall.front.memory.history()
    assert [(each.entry.id, each.reason) for each in await history.reports()] == [(hers, "It is offensive")]


async def test_an_answer_that_takes_its_time_is_promised(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    """Discord wants a sign within 3 seconds. What turns out secret, or refused, is shown to who asked alone."""
    monkeypatch.setattr(on_discord_own, "PROMPT", 0.0)
    ada = hall.discord.user("ada")
    hers = await hall.exhibits.add(owner(ada), "a horse")
    asked = await hall.asks(ada, "gallery")
    assert ("a horse" in asked.text, asked.shown.ephemeral) == (True, False)
    clicked = await hall.clicks(ada, asked, "1")
    assert ("GPU-seconds" in clicked.text, clicked.shown.ephemeral) == (True, True)
    for command, job_id, said in (
        ("unpublish", hers, "Only you see it"),
        ("publish", "zzz", "There is no object"),
        ("rerun", hers, "in a minute"),
    ):
        asked = await hall.discord.slash(ada, command, job=job_id)
        await hall.discord.says(asked, said)
        assert asked.shown.deleted
        assert [message.ephemeral for message in asked.followups] == [True]
