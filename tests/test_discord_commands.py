"""Discord's commands that are there whatever the kinds: help, jobs, cancel, status, queue."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis
from standin_discord_desk import PASSAGE, Front, front

from frontdesk.bots.people import Admins


@pytest.fixture
async def opened(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Front]:
    """A bot with the built-in kinds."""
    async with front(redis, monkeypatch) as made:
        await made.start()
        yield made


async def test_one_sees_and_cancels_ones_own_jobs(opened: Front) -> None:
    """`/jobs` lists them with buttons, `/cancel` offers those that run, and the placeholder says how it ended."""
    discord = opened.discord
    ada = discord.user("ada")
    asked = await discord.slash(ada, "score", text=PASSAGE)
    job_id = await opened.accepted(asked)
    listed = await discord.slash(ada, "jobs")
    await discord.until(lambda: listed.message and f"Cancel {job_id}" in listed.message.buttons)
    assert listed.shown.ephemeral
    offered = await discord.autocomplete(ada, "cancel", "job", job_id[:4])
    assert [choice["value"] for choice in offered] == [job_id]
    assert await discord.autocomplete(ada, "cancel", "job", "nothing like it") == []
    cancelled = await discord.slash(ada, "cancel", job=job_id.upper())
    await discord.says(asked, "cancelled.")
    await discord.says(cancelled, "stopping")
    assert opened.engine.cancelled == [job_id]
    assert await discord.autocomplete(ada, "cancel", "job") == []


async def test_nobody_cancels_anothers_job(opened: Front) -> None:
    """By command or by the button that all can see: refused ephemerally, as if there were no such job."""
    discord = opened.discord
    bob = discord.user("bob")
    asked = await discord.slash(discord.user("ada"), "score", text=PASSAGE)
    job_id = await opened.accepted(asked)
    tried = [await discord.slash(bob, "cancel", job=job_id), await discord.click(bob, asked.shown, "Cancel")]
    for each in tried:
        await discord.says(each, f"There is no job {job_id} of yours.")
        assert each.shown.ephemeral
    assert opened.engine.cancelled == []


async def test_an_old_button_works_after_a_restart(opened: Front) -> None:
    """A message of an earlier process keeps its Cancel button."""
    discord = opened.discord
    ada = discord.user("ada")
    asked = await discord.slash(ada, "score", text=PASSAGE)
    job_id = await opened.accepted(asked)
    await opened.stop()
    await opened.start()
    await discord.click(ada, asked.shown, "Cancel")
    await discord.says(asked, "cancelled.")
    assert opened.engine.cancelled == [job_id]


async def test_help_lists_the_commands_and_explains_one(opened: Front) -> None:
    """The kinds with their summaries; then one kind's options and an example. An unknown one is named."""
    discord = opened.discord
    ada = discord.user("ada")
    every = await discord.slash(ada, "help")
    await discord.says(every, "`/write` Text from a prompt")
    assert "/queue" not in every.shown.text
    offered = await discord.autocomplete(ada, "help", "command", "wr")
    assert [choice["value"] for choice in offered] == ["write"]
    one = await discord.slash(ada, "help", command="write")
    await discord.says(one, "`temperature`")
    unknown = await discord.slash(ada, "help", command="dance")
    await discord.says(unknown, "There is no kind called 'dance'.")
    own = await discord.slash(ada, "help", command="jobs")
    await discord.says(own, "`/jobs` Your latest jobs")


async def test_the_queue_is_for_admins(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    """Admins by id and by role get it; everybody else neither sees it anywhere nor gets it by sending it."""
    async with front(redis, monkeypatch) as opened:
        discord = opened.discord
        role = discord.role()
        mallory, ops = discord.user("mallory"), discord.user("ops", roles={role}, administrator=True)
        root = discord.user("root")
        opened.appoint(Admins(frozenset({f"discord:{root.id}"}), frozenset({role})))
        await opened.start()
        for channel in (discord.general, discord.dm(mallory), discord.elsewhere):
            assert "queue" not in discord.commands_of(mallory, channel)
            sent = await discord.slash(mallory, "queue", channel, hidden=True)
            await discord.says(sent, "Only admins of this desk can do that.")
        for admin in (ops, root):
            asked = await discord.slash(admin, "queue", discord.general, hidden=admin is root)
            await discord.says(asked, "0 waiting")
            assert asked.shown.ephemeral


async def test_status_tells_everybody_how_busy_the_desk_is(opened: Front) -> None:
    """Each lane's kinds and what a new job would wait."""
    asked = await opened.discord.slash(opened.discord.user("ada"), "status")
    await opened.discord.says(asked, "nobody is waiting")
