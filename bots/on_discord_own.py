"""Commands that are no kind of job, on Discord: slash commands made from their declarations, and their buttons."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from functools import partial
from typing import Any

import discord
from discord import app_commands

from frontdesk.bots.on_discord_commands import AnyCommand
from frontdesk.bots.on_discord_conversation import Conversation, person_of, show_apart
from frontdesk.bots.on_discord_delivery import edited, upload_room
from frontdesk.bots.on_discord_options import Told, with_options
from frontdesk.bots.on_discord_render import AnyInteraction, draw_parcels
from frontdesk.bots.own_commands import MAX_GIVEN, Option, OwnCommand, OwnCommands, Said, checked
from frontdesk.bots.packing import pictured
from frontdesk.bots.parsing import PRIVATE
from frontdesk.bots.variants import Again
from frontdesk.queue.artifacts import ArtifactStore
from frontdesk.queue.errors import ForgottenAnswerError, HistoryClosedError

PROMPT = 1.5  # seconds within which an answer decides by itself who sees it; Discord wants a sign after 3


class OwnOption(app_commands.Transformer[discord.Client]):
    """One argument, as text of Discord's."""

    def __init__(self, option: Option) -> None:
        self._option = option

    @property
    def type(self) -> discord.AppCommandOptionType:
        return discord.AppCommandOptionType.string

    @property
    def max_value(self) -> int | None:
        return None if self._option.choices else MAX_GIVEN

    @property
    def choices(self) -> list[app_commands.Choice[str | int | float]] | None:
        return [app_commands.Choice(name=each, value=each) for each in self._option.choices] or None

    async def transform(self, interaction: AnyInteraction, value: str, /) -> str:
        return value


class OwnAnswers:
    """What happens at such a command, and at one of its buttons. `conversation` acknowledges, submits and refuses."""

    def __init__(self, own: OwnCommands, conversation: Conversation, store: ArtifactStore | None) -> None:
        self._own = own
        self._conversation = conversation
        self._store = store

    def commands(self) -> list[AnyCommand]:
        return [self._command(command) for command in self._own.values()]

    def _command(self, own: OwnCommand) -> AnyCommand:
        async def callback(_interaction: AnyInteraction, /, **options: str | None) -> None:
            given = {name: value for name, value in options.items() if value is not None}
            await self._asked(_interaction, own, given)

        options = [Told(each.name, each.description, OwnOption(each), each.required) for each in own.options]
        return app_commands.Command(name=own.name, description=own.summary, callback=with_options(callback, options))

    async def _asked(self, interaction: AnyInteraction, own: OwnCommand, given: Mapping[str, str]) -> None:
        async def work() -> Said:
            return await own.answer(person_of(interaction), checked(own, given))

        working, early = await _begun(work)
        if isinstance(early, Again):
            await self._submit(interaction, early)
            return
        private = own.secret or (working.done() and (early is None or early.secret))
        shown = partial(self._shown, interaction, working, public=not private)
        await self._conversation.answer(interaction, shown, private=private)

    async def pressed(self, interaction: AnyInteraction, name: str, data: str) -> None:
        """A button, perhaps from before a restart. What is secret, and what somebody else than who asked wants to see,
        is shown to who pressed it alone; all else takes the place of the message."""

        async def work() -> Said:
            own = self._own.get(name)
            if own is None or own.press is None:
                raise ForgottenAnswerError
            return await own.press(person_of(interaction), data)

        working, early = await _begun(work)
        if isinstance(early, Again):
            await self._submit(interaction, early)
            return
        shared = _shared(interaction)
        apart = early is None or (shared and (early.secret or not _own_message(interaction)))
        shown = partial(self._shown, interaction, working)
        await self._conversation.answer(interaction, shown, pressed=not apart)

    async def _submit(self, interaction: AnyInteraction, wanted: Again) -> None:
        await self._conversation.submit(interaction, wanted.kind, {**wanted.raw, PRIVATE.name: wanted.private})

    async def _shown(self, interaction: AnyInteraction, working: asyncio.Task[Said], *, public: bool = False) -> None:
        """public: the answer was promised where others read, before it was known; one that is secret breaks that."""
        said = await working
        if isinstance(said, Again):  # so late that it was decided without it where its ticket would stand
            raise HistoryClosedError
        async with pictured(self._store, said) as reply:
            # Several pictures stand side by side where no embed takes one of them.
            alone = sum(parcel.attachment.role != "file" for parcel in reply.parcels) == 1
            drawn = draw_parcels(reply, "", upload_room(interaction.filesize_limit), inline=alone)
            if public and said.secret and not _alone(interaction):
                await interaction.delete_original_response()
                await show_apart(interaction, drawn)
            else:
                await interaction.edit_original_response(**edited(drawn))


async def _begun(work: Callable[[], Coroutine[Any, Any, Said]]) -> tuple[asyncio.Task[Said], Said | None]:
    """The work, and what it said if it said something at once."""
    working = asyncio.create_task(work())
    await asyncio.wait({working}, timeout=PROMPT)
    return working, None if not working.done() or working.exception() else working.result()


def _shared(interaction: AnyInteraction) -> bool:
    """Whether others see the message whose button was pressed."""
    message = interaction.message
    return not (_alone(interaction) or (message and message.flags.ephemeral))


def _alone(interaction: AnyInteraction) -> bool:
    """In the person's direct messages with the bot. Those of two people are of the same sort, but for their context."""
    return interaction.context.dm_channel


def _own_message(interaction: AnyInteraction) -> bool:
    """Whether it answers who now pressed its button."""
    asked = interaction.message.interaction_metadata if interaction.message else None
    return asked is None or asked.user.id == interaction.user.id
