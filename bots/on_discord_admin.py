"""Discord's `/admin` group, made from the table of what admins can do."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Protocol, TypeAlias

import discord
from discord import app_commands

from frontdesk.bots.admin_actions import ACTIONS, LONGEST_REASON, MOST, Action, Argument, Sort
from frontdesk.bots.on_discord_options import Told, with_options
from frontdesk.bots.on_discord_render import AnyInteraction
from frontdesk.queue.parameters import Value

NAME_LIMIT = 100  # characters of a lane, a worker, a job, a tier
OFFERED: frozenset[Sort] = frozenset({"lane", "worker", "waiting", "unfinished", "aside", "job", "reported", "tier"})

Choices: TypeAlias = list[app_commands.Choice[str]]
Offered: TypeAlias = Callable[[list[tuple[str, str]], str], Choices]


class AdminActions(Protocol):
    """What the group does."""

    async def admin(self, interaction: AnyInteraction, action: str, given: Mapping[str, str]) -> None: ...
    async def offers(self, interaction: AnyInteraction, sort: Sort) -> list[tuple[str, str]]:
        """What an argument may be just now: value and description."""


class AdminOption(app_commands.Transformer[discord.Client]):
    """An argument as a typed option. What comes through it is text; a person is their requester key."""

    def __init__(self, argument: Argument) -> None:
        self._argument = argument

    @property
    def type(self) -> discord.AppCommandOptionType:
        types = {"person": discord.AppCommandOptionType.user, "count": discord.AppCommandOptionType.integer}
        return types.get(self._argument.sort, discord.AppCommandOptionType.string)

    @property
    def min_value(self) -> int | None:
        return 1 if self._argument.sort == "count" else None

    @property
    def max_value(self) -> int | None:
        if self._argument.sort == "person":
            return None
        return {"count": MOST, "text": LONGEST_REASON}.get(self._argument.sort, NAME_LIMIT)

    async def transform(self, interaction: AnyInteraction, value: Value | discord.abc.User, /) -> str:
        return f"discord:{value.id}" if isinstance(value, discord.abc.User) else str(value)


def admin_group(actions: AdminActions, offered: Offered) -> app_commands.Group:
    """Discord shows it to a server's administrators, and to whom they grant it; the desk asks for its own admins.

    Only in servers: elsewhere Discord would show it to everybody. offered: entries that fit what is typed, as choices.
    """
    group = app_commands.Group(
        name="admin",
        description="Admins: lanes, workers, jobs and people",
        default_permissions=discord.Permissions(administrator=True),
        allowed_contexts=app_commands.AppCommandContext(guild=True, dm_channel=False, private_channel=False),
        allowed_installs=app_commands.AppInstallationType(guild=True, user=False),
    )
    for action in ACTIONS.values():
        group.add_command(_command(action, actions, offered))
    return group


def _command(action: Action, actions: AdminActions, offered: Offered) -> app_commands.Command[Any, ..., None]:
    async def callback(_interaction: AnyInteraction, /, **options: str | None) -> None:
        given = {name: value for name, value in options.items() if value is not None}
        await actions.admin(_interaction, action.name, given)

    options = [Told(each.name, each.description, AdminOption(each), each.required) for each in action.arguments]
    command = app_commands.Command[Any, ..., None](
        name=action.name, description=action.summary, callback=with_options(callback, options)
    )
    for argument in action.arguments:
        if argument.sort in OFFERED:
            command.autocomplete(argument.name)(_offer(argument.sort, actions, offered))
    return command


def _offer(
    sort: Sort, actions: AdminActions, offered: Offered
) -> Callable[[AnyInteraction, str], Coroutine[Any, Any, Choices]]:
    async def offer(interaction: AnyInteraction, typed: str) -> Choices:
        return offered(await actions.offers(interaction, sort), typed)

    return offer
