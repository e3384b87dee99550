"""The Discord bot as a process: how it starts, what it asks of Discord, and how it ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from redis.asyncio import Redis
from standin_discord_desk import PASSAGE, Front, front

from frontdesk.bots.desk import Desk
from frontdesk.bots.intake import Request
from frontdesk.queue.catalogue import SCORE
from frontdesk.queue.errors import ConfigurationError, FrontdeskError
from frontdesk.queue.jobs import Ticket
from frontdesk.queue.kinds import Registry
from frontdesk.queue.settings import Settings

GUILDS = 1


@pytest.fixture
async def closed(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Front]:
    """A bot that the test starts."""
    async with front(redis, monkeypatch) as made:
        yield made


def configured(opened: Front, **settings: Any) -> None:
    named = {"discord_token": opened.discord.token, "discord_api_url": opened.discord.url} | settings
    opened.premises = replace(opened.premises, settings=Settings.model_validate(named))


async def test_commands_are_told_to_discord_once_and_again_when_they_change(closed: Front) -> None:
    """A restart costs none of the day's command updates; a new kind shows up by itself."""
    await closed.start()
    await closed.stop()
    await closed.start()
    assert closed.discord.syncs == 1
    await closed.stop()
    closed.premises = replace(closed.premises, kinds=Registry([SCORE]))
    await closed.start()
    assert closed.discord.syncs == 2
    assert "write" not in closed.discord.commands_of(closed.discord.user("ada"))


async def test_no_privileged_intent_is_asked_for(closed: Front) -> None:
    """The bot reads neither messages nor member lists: only the guilds themselves, for their roles."""
    await closed.start()
    assert closed.discord.gateway.intents == GUILDS


async def test_commands_are_for_servers_direct_messages_and_private_chats(closed: Front) -> None:
    """Installed in a server or by one person for themselves; what admins see of the queue is for servers only."""
    await closed.start()
    reach = {
        command["name"]: (command["contexts"], command["integration_types"]) for command in closed.discord.commands
    }
    assert reach.pop("queue") == reach.pop("admin") == ([0], [0])
    assert set(map(str, reach.values())) == {str(([0, 1, 2], [0, 1]))}
    assert [c["name"] for c in closed.discord.commands if c["default_member_permissions"] == "8"] == ["queue", "admin"]


async def test_menus_end_at_discords_limit(closed: Front) -> None:
    """Of many kinds the first five have an entry in the menu of messages; all have their command."""
    kinds = Registry(replace(SCORE, name=f"score{number}") for number in range(7))
    closed.premises = replace(closed.premises, kinds=kinds)
    await closed.start()
    ada = closed.discord.user("ada")
    assert len(closed.discord.commands_of(ada, sort=3)) == 5
    assert set(kinds) < set(closed.discord.commands_of(ada))


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"discord_token": None}, "FRONTDESK_DISCORD_TOKEN is not set"),
        ({"discord_token": "wrong.one"}, "Discord refuses FRONTDESK_DISCORD_TOKEN"),
    ],
)
async def test_a_wrong_setting_stops_the_start_with_one_line(
    closed: Front, settings: dict[str, Any], sentence: str
) -> None:
    """It names the setting and not its value."""
    configured(closed, **settings)
    with pytest.raises(ConfigurationError, match=sentence) as refused:
        await closed.start()
    assert "\n" not in str(refused.value)
    assert "wrong.one" not in str(refused.value)


async def test_while_discord_is_away_the_bot_ends_as_one_to_be_started_again(closed: Front) -> None:
    """No setting is to blame, so this is no ConfigurationError, after which nobody would try again."""
    configured(closed, discord_api_url="http://127.0.0.1:9")
    with pytest.raises(FrontdeskError, match="Discord cannot be reached") as ended:
        await closed.start()
    assert not isinstance(ended.value, ConfigurationError)
    assert "\n" not in str(ended.value)


async def test_commands_that_discord_refuses_stop_the_start(closed: Front) -> None:
    """With Discord's reason, in one line."""
    closed.discord.fail("PUT /applications", 400, code=50035)
    with pytest.raises(ConfigurationError, match="Discord refuses to start the bot") as refused:
        await closed.start()
    assert "\n" not in str(refused.value)


async def test_a_lost_gateway_is_opened_again(closed: Front) -> None:
    """Discord closes connections all the time: commands work after it."""
    await closed.start()
    discord = closed.discord
    await discord.gateway.drop(4000)
    await discord.until(lambda: discord.gateway.connected)
    asked = await discord.slash(discord.user("ada"), "help")
    await discord.says(asked, "/score")


async def test_a_connection_closed_for_good_stops_the_bot_with_one_line(closed: Front) -> None:
    """A token that was reset while the bot ran: Discord says 4004, and trying again would not help."""
    await closed.start()
    await closed.discord.gateway.drop(4004)
    with pytest.raises(ConfigurationError, match="4004"):
        await closed.ended()


async def test_a_shutdown_finishes_what_is_being_answered(closed: Front, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who asked a moment before gets the ticket, and then the bot leaves the gateway."""
    submit, opened = Desk.submit, asyncio.Event()

    async def slow(desk: Desk, request: Request) -> Ticket:
        await opened.wait()
        return await submit(desk, request)

    monkeypatch.setattr(Desk, "submit", slow)
    await closed.start()
    discord = closed.discord
    asked = await discord.slash(discord.user("ada"), "score", text=PASSAGE)
    await discord.until(lambda: asked.state == "thinking")
    asyncio.get_running_loop().call_later(0.2, opened.set)
    await closed.stop()
    assert list(asked.shown.buttons) == ["Cancel"]
    await discord.until(lambda: not discord.gateway.connected)
