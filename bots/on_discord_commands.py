"""Discord's commands, made from the declarations of the kinds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol, TypeAlias

import discord
from discord import app_commands

from frontdesk.bots.incoming import IncomingFile, Sent
from frontdesk.bots.on_discord_admin import AdminActions, admin_group
from frontdesk.bots.on_discord_options import Told, with_options
from frontdesk.bots.on_discord_render import AnyInteraction
from frontdesk.bots.on_discord_uploads import described
from frontdesk.bots.parsing import PRIVATE
from frontdesk.bots.top_replies import DATASETS
from frontdesk.queue.kinds import AnyKind, Registry
from frontdesk.queue.parameters import Parameter, Value
from frontdesk.queue.uploads import Upload

TEXT_LIMIT = 6000  # characters that Discord takes in one option
SAFE_INTEGER = 2**53 - 1  # Discord's integers travel as JavaScript's
CHOICES = 25
MENUS = 5
NO_FILE = "none"  # words in place of a file: they are refused with what is taken
OPTION_PARTS = (
    "type", "name", "description", "required", "choices", "autocomplete",
    "min_value", "max_value", "min_length", "max_length",
)  # fmt: skip

AnyCommand: TypeAlias = app_commands.Command[Any, ..., Any] | app_commands.ContextMenu
TopCommand: TypeAlias = AnyCommand | app_commands.Group

# In guilds, in the bot's DMs and between people; added to a guild or to one person's account.
EVERYWHERE = app_commands.AppCommandContext(guild=True, dm_channel=True, private_channel=True)
BOTH_INSTALLS = app_commands.AppInstallationType(guild=True, user=True)

TYPES = {
    "text": discord.AppCommandOptionType.string,
    "choice": discord.AppCommandOptionType.string,
    "integer": discord.AppCommandOptionType.integer,
    "number": discord.AppCommandOptionType.number,
    "boolean": discord.AppCommandOptionType.boolean,
    "file": discord.AppCommandOptionType.attachment,
}


class Actions(AdminActions, Protocol):
    """What the commands do."""

    async def submit(self, interaction: AnyInteraction, kind: AnyKind, raw: Mapping[str, Sent]) -> None: ...
    async def help(self, interaction: AnyInteraction, name: str | None) -> None: ...
    async def jobs(self, interaction: AnyInteraction, job_id: str | None) -> None: ...
    async def cancel(self, interaction: AnyInteraction, job_id: str) -> None: ...
    async def top(self, interaction: AnyInteraction, dataset: str) -> None: ...
    async def status(self, interaction: AnyInteraction) -> None: ...
    async def queue(self, interaction: AnyInteraction) -> None: ...
    async def latest(self, interaction: AnyInteraction) -> list[tuple[str, str]]:
        """The person's own latest jobs: id and description."""

    async def unfinished(self, interaction: AnyInteraction) -> list[tuple[str, str]]:
        """The person's own jobs that can be cancelled: id and description."""


class Option(app_commands.Transformer[discord.Client]):
    """One declared parameter as a typed option of Discord's. The desk validates what comes through it."""

    def __init__(self, parameter: Parameter) -> None:
        self._parameter = parameter

    @property
    def type(self) -> discord.AppCommandOptionType:
        return TYPES[self._parameter.type]

    @property
    def min_value(self) -> float | None:
        return self._limit(self._parameter.min_length, self._parameter.minimum)

    @property
    def max_value(self) -> float | None:
        if self._parameter.type == "text":
            return min(self._parameter.max_length or TEXT_LIMIT, TEXT_LIMIT)
        return self._limit(None, self._parameter.maximum)

    @property
    def choices(self) -> list[app_commands.Choice[str | int | float]] | None:
        # As text whatever their type: the desk finds the choice that reads so.
        return [app_commands.Choice(name=str(c), value=str(c)) for c in self._parameter.choices] or None

    async def transform(self, interaction: AnyInteraction, value: Value | discord.Attachment, /) -> Sent:
        return described(value) if isinstance(value, discord.Attachment) else value

    def _limit(self, length: int | None, value: float | None) -> float | None:
        if self._parameter.type == "text":
            return None if length is None else min(length, TEXT_LIMIT)
        if self._parameter.type == "integer" and value is not None:
            return max(-SAFE_INTEGER, min(SAFE_INTEGER, int(value)))
        return value if self._parameter.type == "number" else None


def kind_command(kind: AnyKind, actions: Actions) -> AnyCommand:
    """A slash command with an option for every parameter, and `private`."""

    async def callback(_interaction: AnyInteraction, /, **options: Sent | None) -> None:
        raw = {name: value for name, value in options.items() if value is not None}
        await actions.submit(_interaction, kind, raw)

    options = [Told(each.name, each.description, Option(each), each.required) for each in (*kind.parameters, PRIVATE)]
    return app_commands.Command(name=kind.name, description=kind.summary, callback=with_options(callback, options))


def kind_menu(kind: AnyKind, actions: Actions) -> app_commands.ContextMenu | None:
    """An entry "Score this" in the menu of every message, for a kind that needs nothing but a text, or a file: then the
    message's first file of a sort that is taken is meant."""
    needed = [parameter for parameter in kind.parameters if parameter.required]
    subject = kind.subject or (kind.files[0] if kind.files else None)
    if subject is None or needed not in ([], [subject]):
        return None

    async def callback(interaction: AnyInteraction, message: discord.Message) -> None:
        given = message.content if subject.upload is None else _attached(message, subject.upload) or NO_FILE
        await actions.submit(interaction, kind, {subject.name: given})

    return app_commands.ContextMenu(name=f"{kind.name.replace('_', ' ').capitalize()} this"[:32], callback=callback)


def _attached(message: discord.Message, upload: Upload) -> IncomingFile | None:
    """The first of its files that is taken, or else its first, so that the refusal says what would be."""
    every = [described(attachment) for attachment in message.attachments]
    return next((file for file in every if upload.suffix(file.name)), every[0] if every else None)


def fixed_commands(kinds: Registry, actions: Actions) -> list[TopCommand]:
    """The commands that are there whatever the kinds."""

    @app_commands.command(name="help", description="The commands, or the options of one")
    @app_commands.describe(command="The command to explain")
    async def help_(interaction: AnyInteraction, command: str | None = None) -> None:
        await actions.help(interaction, command)

    @help_.autocomplete("command")
    async def known(interaction: AnyInteraction, typed: str) -> list[app_commands.Choice[str]]:
        return _offered([(name, name) for name in kinds], typed)

    @app_commands.command(name="jobs", description="Your latest jobs, or one of them in full")
    @app_commands.describe(job="The job to show in full")
    async def jobs(interaction: AnyInteraction, job: str | None = None) -> None:
        await actions.jobs(interaction, job)

    @jobs.autocomplete("job")
    async def latest(interaction: AnyInteraction, typed: str) -> list[app_commands.Choice[str]]:
        return _offered(await actions.latest(interaction), typed)

    @app_commands.command(name="cancel", description="Cancel one of your jobs")
    @app_commands.describe(job="The job's id")
    async def cancel(interaction: AnyInteraction, job: str) -> None:
        await actions.cancel(interaction, job)

    @cancel.autocomplete("job")
    async def unfinished(interaction: AnyInteraction, typed: str) -> list[app_commands.Choice[str]]:
        return _offered(await actions.unfinished(interaction), typed)

    @app_commands.command(name="top", description="The best trainings of each data set")
    @app_commands.describe(dataset="All of one data set's board")
    @app_commands.choices(dataset=[app_commands.Choice(name=name, value=name) for name in DATASETS])
    async def top(interaction: AnyInteraction, dataset: str = "") -> None:
        await actions.top(interaction, dataset)

    @app_commands.command(name="status", description="How busy the desk is")
    async def status(interaction: AnyInteraction) -> None:
        await actions.status(interaction)

    # Discord shows it to a server's administrators, and to whom they grant it; the desk asks for its own admins.
    # Only in servers: elsewhere Discord would show it to everybody.
    @app_commands.command(name="queue", description="Admins: lanes, workers and the last hour")
    @app_commands.allowed_contexts(guilds=True, dms=False, private_channels=False)
    @app_commands.allowed_installs(guilds=True, users=False)
    @app_commands.default_permissions(administrator=True)
    async def queue(interaction: AnyInteraction) -> None:
        await actions.queue(interaction)

    return [help_, jobs, cancel, top, status, queue, admin_group(actions, _offered)]


def _offered(entries: Iterable[tuple[str, str]], typed: str) -> list[app_commands.Choice[str]]:
    wanted = typed.strip().lower()
    found = [(value, shown) for value, shown in entries if wanted in shown.lower()]
    return [app_commands.Choice(name=shown[:100], value=value) for value, shown in found[:CHOICES]]


def add_commands(
    tree: app_commands.CommandTree[Any], kinds: Registry, actions: Actions, own: Iterable[TopCommand] = ()
) -> None:
    """All commands of this installation. own: those that are declared for all platforms."""
    for kind in kinds.values():
        tree.add_command(kind_command(kind, actions))
    menus = [menu for kind in kinds.values() if (menu := kind_menu(kind, actions))]
    for command in (*fixed_commands(kinds, actions), *own, *menus[:MENUS]):
        tree.add_command(command)


async def sync_if_changed(tree: app_commands.CommandTree[Any]) -> bool:
    """Tell Discord the commands where they differ from what it has; whether they did.

    Raises discord.HTTPException and discord.app_commands.CommandSyncFailure.
    """
    client: discord.Client = tree.client
    if client.application_id is None:
        raise RuntimeError("the client is not logged in")
    ours = [command.to_dict(tree) for command in tree.get_commands()]
    # Not `tree.fetch_commands()`: discord.py 2.7 reads the contexts of a fetched command wrongly.
    theirs = await client.http.get_global_commands(client.application_id)
    if sorted(map(_comparable, ours)) == sorted(map(_comparable, theirs)):
        return False
    await tree.sync()
    return True


def _comparable(command: Mapping[str, Any]) -> str:
    """What a user would notice of a command, in one order, whatever is left out or null."""
    permissions = command.get("default_member_permissions")
    about = [command.get(name) or None for name in ("type", "name", "description", "contexts", "integration_types")]
    return repr((about, permissions and int(permissions), _options(command)))


def _options(command: Mapping[str, Any]) -> list[Any]:
    """Of a group, its commands with their options."""
    return [
        [[_plain(option.get(part)) for part in OPTION_PARTS], _options(option)]
        for option in command.get("options") or ()
    ]


def _plain(value: Any) -> Any:
    """Discord leaves out what is false or empty, and may write 2.0 as 2."""
    if isinstance(value, list):
        return [(choice["name"], choice["value"]) for choice in value] or None
    return float(value) if isinstance(value, int | float) and value is not False else value or None
