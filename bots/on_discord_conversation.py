"""What happens at a command of Discord's: read who asks, call the desk, show what it says."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from functools import partial

import aiohttp
import discord
import structlog
from discord import app_commands

from frontdesk.bots.admin_actions import Sort
from frontdesk.bots.administration import Administration
from frontdesk.bots.desk import Desk
from frontdesk.bots.incoming import Given
from frontdesk.bots.intake import Request
from frontdesk.bots.job_replies import asked_for
from frontdesk.bots.on_discord_again import window
from frontdesk.bots.on_discord_delivery import NOBODY, TOKEN_LIFE, UPLOAD_LIMIT, edited
from frontdesk.bots.on_discord_render import AnyInteraction, Drawn, attachments, draw, view
from frontdesk.bots.on_discord_uploads import fetch
from frontdesk.bots.own_commands import OwnCommands, help_on
from frontdesk.bots.parsing import PRIVATE, split_private
from frontdesk.bots.people import Person
from frontdesk.bots.replies import (
    Reply,
    cancel_reply,
    help_reply,
    refusal_reply,
    say,
    ticket_reply,
    unexpected_reply,
)
from frontdesk.bots.status_replies import queue_reply, status_reply
from frontdesk.bots.top_replies import top_of
from frontdesk.bots.variants import again
from frontdesk.queue.errors import DeskClosedError, UserError
from frontdesk.queue.jobs import JobRecord, ReplyAddress, Requester, Ticket
from frontdesk.queue.kinds import AnyKind

log = structlog.get_logger()

ALREADY_ACKNOWLEDGED = 40060

Placing = Callable[[str, str], AbstractAsyncContextManager[Callable[[Ticket], None]]]


class Conversation:
    """`placing` is the courier's: it holds an answer back until its ticket is shown, and is told of that."""

    def __init__(self, desk: Desk, placing: Placing, own: OwnCommands) -> None:
        self._desk = desk
        self._placing = placing
        self._own = own
        self._answering: set[asyncio.Task[object]] = set()

    async def end(self, within: float) -> None:
        """Let the commands that are being answered come to their end, for `within` seconds."""
        if self._answering:
            await asyncio.wait(self._answering, timeout=within)

    async def submit(self, interaction: AnyInteraction, kind: AnyKind, raw: Mapping[str, Given]) -> None:
        own, private = split_private(raw)
        address = _address(interaction, private)
        update = f"discord:{interaction.id}"
        request = Request(person_of(interaction), kind.name, own, address, update, private, fetch)

        async def work() -> None:
            async with self._placing(address.channel, request.update) as shown:
                ticket = await self._desk.submit(request)
                if ticket.placed:
                    return  # a repeated interaction, which has its ticket, or its answer already
                await self._place(interaction, ticket.job_id, address, ticket_reply(kind, ticket))
                shown(ticket)

        await self.answer(interaction, work, private=private)

    async def _place(self, interaction: AnyInteraction, job_id: str, address: ReplyAddress, reply: Reply) -> None:
        """Show the ticket. The job is accepted by now: if this fails, its answer still finds its way."""
        try:
            shown = await _show(interaction, reply)
            await self._desk.placed(job_id, address.model_copy(update={"message": str(shown.id)}))
        except (discord.HTTPException, aiohttp.ClientError, OSError, DeskClosedError) as error:
            log.info("ticket not shown", job=job_id, reason=type(error).__name__)

    async def help(self, interaction: AnyInteraction, name: str | None) -> None:
        async def work() -> Reply:
            more = {each.name: each.summary for each in self._own.values()}
            listed = help_reply(self._desk.kinds, admin=self._desk.is_admin(person_of(interaction)), more=more)
            return help_on(self._desk.kinds, self._own, name or "", listed)

        await self.answer(interaction, work)

    async def jobs(self, interaction: AnyInteraction, job_id: str | None) -> None:
        """Only the person sees it, whether the job is private or not."""

        async def work() -> Reply:
            return (await asked_for(self._desk, person_of(interaction), job_id or ""))[0]

        await self.answer(interaction, work)

    async def cancel(self, interaction: AnyInteraction, job_id: str) -> None:
        async def work() -> Reply:
            wanted = job_id.strip().lower()
            return cancel_reply(wanted, await self._desk.cancel(person_of(interaction), wanted))

        await self.answer(interaction, work)

    async def pressed(self, interaction: AnyInteraction, action: str, job_id: str, number: str) -> None:
        """A button under one of our messages, which may be from before a restart."""
        if action == "again":
            await self.again(interaction, job_id, int(number) if number.isdecimal() else -1)
        else:
            await self.cancel(interaction, job_id)

    async def again(self, interaction: AnyInteraction, job_id: str, number: int, text: str | None = None) -> None:
        """Another request from below an answer; where its `text` is to be written anew, a window that asks for it."""
        try:
            wanted = await again(self._desk, person_of(interaction), job_id, number, f"discord:{interaction.id}")
        except UserError as error:
            await self.answer(interaction, partial(_raise, error))
            return
        if wanted.edit is None or text is not None:
            raw = wanted.raw if text is None else wanted.written(text)
            await self.submit(interaction, wanted.kind, {**raw, PRIVATE.name: wanted.private})
            return
        try:  # at once: a window cannot be promised first
            await interaction.response.send_modal(window(wanted, job_id, number))
        except (discord.HTTPException, aiohttp.ClientError, OSError) as error:
            log.info("a window was not shown", reason=type(error).__name__)

    async def top(self, interaction: AnyInteraction, dataset: str) -> None:
        """Only the person sees it: their own entries are marked."""

        async def work() -> Reply:
            return await top_of(self._desk, person_of(interaction), dataset)

        await self.answer(interaction, work)

    async def status(self, interaction: AnyInteraction) -> None:
        async def work() -> Reply:
            return status_reply(await self._desk.status())

        await self.answer(interaction, work)

    async def queue(self, interaction: AnyInteraction) -> None:
        async def work() -> Reply:
            return queue_reply(await self._desk.queue(person_of(interaction)), self._desk.clock())

        await self.answer(interaction, work)

    async def admin(self, interaction: AnyInteraction, action: str, given: Mapping[str, str]) -> None:
        async def work() -> Reply:
            return (await Administration(self._desk).perform(person_of(interaction), action, given)).reply

        await self.answer(interaction, work)

    async def offers(self, interaction: AnyInteraction, sort: Sort) -> list[tuple[str, str]]:
        try:
            return await Administration(self._desk).offers(person_of(interaction), sort)
        except UserError:
            return []

    async def latest(self, interaction: AnyInteraction) -> list[tuple[str, str]]:
        return [(each.id, _described(each)) for each in await self._own_jobs(interaction)]

    async def unfinished(self, interaction: AnyInteraction) -> list[tuple[str, str]]:
        return [(each.id, _described(each)) for each in await self._own_jobs(interaction) if not each.ended]

    async def _own_jobs(self, interaction: AnyInteraction) -> list[JobRecord]:
        try:
            return await self._desk.jobs(person_of(interaction), limit=25)
        except UserError:
            return []

    async def answer(
        self,
        interaction: AnyInteraction,
        work: Callable[[], Awaitable[Reply | None]],
        *,
        private: bool = True,
        pressed: bool = False,
    ) -> None:
        """Acknowledge within Discord's 3 seconds, do the work, show what it says (if the work did not show it) or why
        it was refused. pressed: the answer takes the place of the message whose button was pressed."""
        if (task := asyncio.current_task()) is not None:
            self._answering.add(task)
            task.add_done_callback(self._answering.discard)
        if not await _acknowledged(interaction, private, pressed=pressed):
            return
        apart = partial(show_apart, interaction) if pressed else partial(_refuse, interaction, private=private)
        try:
            try:
                reply = await work()
            except UserError as error:
                await apart(refusal_reply(error, self._desk.clock()))
            except Exception:
                log.exception("command failed", command=_command(interaction))
                await apart(unexpected_reply())
            else:
                if reply is not None:
                    await _show(interaction, reply)
        except (discord.HTTPException, aiohttp.ClientError, OSError) as error:
            log.info("answer not shown", command=_command(interaction), reason=type(error).__name__)

    async def failed(self, interaction: AnyInteraction, error: app_commands.AppCommandError) -> None:
        """What failed before a command of ours was reached."""
        changed = isinstance(error, app_commands.CommandNotFound | app_commands.CommandSignatureMismatch)
        if not changed:
            log.error("command failed", command=_command(interaction), exc_info=error)

        async def work() -> Reply:
            if changed:
                return say("That command has changed. Restart your Discord app to see it as it is now.")
            return unexpected_reply()

        await self.answer(interaction, work)


async def _raise(error: UserError) -> Reply:
    raise error


def _described(job: JobRecord) -> str:
    return f"{job.id} {job.kind}, {job.state}"


def person_of(interaction: AnyInteraction) -> Person:
    user = interaction.user
    tenant = interaction.guild_id or user.id
    roles = user.roles if isinstance(user, discord.Member) else []
    requester = Requester(platform="discord", user=str(user.id), tenant=str(tenant))
    return Person(requester, frozenset(str(role.id) for role in roles))


def _address(interaction: AnyInteraction, private: bool) -> ReplyAddress:
    return ReplyAddress(
        platform="discord",
        channel=str(interaction.channel_id or 0),  # 0: a sort of channel that discord.py does not know
        user=str(interaction.user.id),
        token=interaction.token,
        token_expires=interaction.created_at.timestamp() + TOKEN_LIFE,
        private=private,
        upload_limit=interaction.filesize_limit if interaction.filesize_limit != UPLOAD_LIMIT else None,
    )


def _command(interaction: AnyInteraction) -> str:
    """For the log: the command's name and nothing of what was typed."""
    return interaction.command.qualified_name if interaction.command else interaction.type.name


async def _acknowledged(
    interaction: AnyInteraction, private: bool, *, pressed: bool = False, again: bool = True
) -> bool:
    """Tell Discord that an answer is coming; False if Discord no longer takes one."""
    if interaction.response.is_done():
        return True
    try:
        await interaction.response.defer(ephemeral=private, thinking=not pressed)
    except discord.HTTPException as error:
        if error.code == ALREADY_ACKNOWLEDGED:
            return True
        log.info("too late to answer", command=_command(interaction), status=error.status, code=error.code)
        return False
    except (aiohttp.ClientError, OSError) as error:
        if again:  # whether Discord took it is not known; if it did, the second try is told so
            return await _acknowledged(interaction, private, pressed=pressed, again=False)
        log.info("not acknowledged", command=_command(interaction), reason=type(error).__name__)
        return False
    return True


async def _show(interaction: AnyInteraction, reply: Reply) -> discord.InteractionMessage:
    return await interaction.edit_original_response(**edited(draw(reply)))


async def _refuse(interaction: AnyInteraction, reply: Reply, *, private: bool) -> None:
    """Only the requester needs to read a refusal: a public "is thinking" gives way to an ephemeral message."""
    if private or isinstance(interaction.channel, discord.DMChannel):
        await _show(interaction, reply)
        return
    await interaction.delete_original_response()
    await show_apart(interaction, reply)


async def show_apart(interaction: AnyInteraction, reply: Reply | Drawn) -> None:
    """Another message, which only the person sees."""
    drawn = draw(reply) if isinstance(reply, Reply) else reply
    await interaction.followup.send(
        drawn.content,
        embeds=drawn.embeds,
        files=attachments(drawn),
        view=view(drawn.buttons) or discord.utils.MISSING,
        ephemeral=True,
        allowed_mentions=NOBODY,
    )
