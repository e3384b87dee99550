"""Discord's `/admin`: who sees it, what it offers while one types, and what it does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from redis.asyncio import Redis
from standin_discord import RefusedError, User
from standin_discord_desk import PASSAGE, Front, front

from frontdesk.bots.admin_actions import ACTIONS
from frontdesk.bots.people import Admins
from frontdesk.queue import keys

REFUSED = "Only admins of this desk can do that."


@pytest.fixture
async def opened(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Front]:
    """A bot with one admin, who is also an administrator of the server."""
    async with front(redis, monkeypatch) as made:
        root = made.discord.user("root", administrator=True)
        made.appoint(Admins(frozenset({f"discord:{root.id}"})))
        await made.start()
        yield made


@pytest.fixture
def root(opened: Front) -> User:
    [person] = [each for channel in opened.discord.channels.values() for each in channel.people if each.name == "root"]
    return person


async def done(opened: Front, who: User, action: str, words: str, **options: Any) -> None:
    """`/admin ACTION`, and the words that its answer has; nobody else sees that."""
    asked = await opened.discord.slash(who, f"admin {action}", **options)
    await opened.discord.says(asked, words)
    assert asked.shown.ephemeral


async def test_the_group_is_hidden_from_others_and_refuses_them(opened: Front) -> None:
    """A member sees it nowhere; an administrator of the server who is no admin here is refused by the desk."""
    discord = opened.discord
    mallory, boss = discord.user("mallory"), discord.user("boss", administrator=True)
    for channel in (discord.general, discord.dm(mallory), discord.elsewhere):
        assert "admin" not in discord.commands_of(mallory, channel)
        sent = await discord.slash(mallory, "admin pause", channel, hidden=True, lane="short")
        await discord.says(sent, REFUSED)
        assert sent.shown.ephemeral
    await done(opened, boss, "audit", REFUSED)
    await done(opened, boss, "ban", REFUSED, person=mallory, reason="spam")
    for action, option in (("pause", "lane"), ("tier", "tier"), ("cancel", "job")):
        assert await discord.autocomplete(boss, f"admin {action}", option) == []
        assert await discord.autocomplete(mallory, f"admin {action}", option, hidden=True) == []
    assert not await opened.premises.redis.exists(keys.PAUSED, keys.BANNED, keys.AUDIT)


async def test_every_action_is_a_command_of_the_group(opened: Front, root: User) -> None:
    """With its arguments as typed options; what is a person is picked from the server's."""
    group = opened.discord.commands_of(root)["admin"]
    listed = {each["name"]: each for each in group["options"]}
    assert list(listed) == list(ACTIONS)
    assert [(option["name"], option["type"], option["required"]) for option in listed["tier"]["options"]] == [
        ("person", 6, True), ("tier", 3, True), ("reason", 3, False)
    ]  # fmt: skip
    with pytest.raises(RefusedError, match="reason must be given"):
        await opened.discord.slash(root, "admin ban", person=root)


async def test_a_lane_is_paused_and_resumed(opened: Front, root: User) -> None:
    """Lanes are offered while one types; nothing of a paused one is taken; the sentence for a wrong one names them."""
    discord = opened.discord
    offered = await discord.autocomplete(root, "admin pause", "lane", "sho")
    assert [choice["value"] for choice in offered] == ["short"]
    await done(opened, root, "pause", "Lane `short` is paused: nobody waits.", lane="short", reason="new driver")
    assert [c["name"] for c in await discord.autocomplete(root, "admin resume", "lane")] == ["short (paused)"]
    asked = await discord.slash(discord.user("ada"), "score", text=PASSAGE)
    await discord.until(lambda: asked.message and asked.message.buttons)
    assert opened.engine.started.empty()
    queue = await discord.slash(root, "queue")
    await discord.says(queue, "Lane short: paused; 1 waiting")
    await done(opened, root, "resume", "Lane `short` goes on: 1 job waits.", lane="short")
    await opened.engine.started.get()
    await done(opened, root, "pause", "There is no lane 'moon'. Known: short.", lane="moon")
    await done(opened, root, "audit", f"`discord:{root.id}` resume `short`")


async def test_a_person_is_banned_and_may_ask_again(opened: Front, root: User) -> None:
    """They read why; so does whoever looks people up."""
    discord = opened.discord
    eve = discord.user("eve")
    await done(opened, root, "ban", "may no longer ask here: You flood *the* lab.".replace("*", "\\*"),
               person=eve, reason="You flood *the* lab.")  # fmt: skip
    asked = await discord.slash(eve, "score", text=PASSAGE, private=True)
    await discord.says(asked, "You may not ask here: You flood")
    await done(opened, root, "people", f"`discord:{eve.id}` is banned since")
    await done(opened, root, "unban", "may ask here again.", person=eve)
    await opened.accepted(await discord.slash(eve, "score", text=PASSAGE))


async def test_tiers_and_workers_are_offered(opened: Front, root: User) -> None:
    """From the limits file, and from who sends heartbeats."""
    discord, eve = opened.discord, opened.discord.user("eve")
    tiers = [choice["value"] for choice in await discord.autocomplete(root, "admin tier", "tier")]
    assert tiers == ["member", "trusted", "admin", "default"]
    await done(opened, root, "tier", "is now of the tier `trusted`.", person=eve, tier="trusted")
    assert [c["value"] for c in await discord.autocomplete(root, "admin drain", "worker")] == ["w1"]
    await done(opened, root, "drain", "Worker `w1` is drained", worker="w1")
    await done(opened, root, "undrain", "Worker `w1` takes jobs again.", worker="w1")


async def test_anybodys_job_is_cancelled(opened: Front, root: User) -> None:
    """Unfinished jobs of everybody are offered, by id and kind, without a word of what they ask."""
    discord = opened.discord
    asked = await discord.slash(discord.user("ada"), "score", text=PASSAGE)
    job_id = await opened.accepted(asked)
    [offered] = await discord.autocomplete(root, "admin cancel", "job", "score")
    assert (offered["value"], offered["name"].startswith(f"{job_id} score, running, of discord:")) == (job_id, True)
    await done(opened, root, "inspect", "device-seconds", job=job_id)
    await done(opened, root, "cancel", "stopping", job=job_id, reason="it loops")
    await discord.says(asked, "cancelled.")
    await done(opened, root, "audit", f"cancel `{job_id}`: it loops")
    await done(opened, root, "bump", "had already ended: cancelled.", job=job_id)


async def test_the_group_is_told_to_discord_only_when_it_changes(opened: Front) -> None:
    """Its inner commands are compared as well."""
    discord = opened.discord
    await opened.stop()
    await opened.start()
    assert discord.syncs == 1
    [group] = [command for command in discord.commands if command["name"] == "admin"]
    group["options"][0]["options"][0]["description"] = "Another lane"
    await opened.stop()
    await opened.start()
    assert discord.syncs == 2
