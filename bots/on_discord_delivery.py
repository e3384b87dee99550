"""Brings replies to Discord: over the placeholder while its requester looks at it, else as a new message that rings
them, else as a DM."""

from __future__ import annotations

import time
import zlib
from collections.abc import Awaitable, Callable
from typing import Any, cast

import aiohttp
import discord
import structlog

from frontdesk.bots.deliverer import TryLaterError, UndeliverableError
from frontdesk.bots.on_discord_render import Drawn, attachments, draw, view
from frontdesk.bots.replies import Reply, answered_reply
from frontdesk.queue.jobs import Platform, ReplyAddress

log = structlog.get_logger()

TOKEN_LIFE = 14 * 60.0  # seconds: Discord ends an interaction's token after 15 minutes
EDIT_PAUSE = 1.5  # seconds between two edits in one chat; Discord allows 5 in 5 s
PATIENCE = 5.0  # seconds to wait where Discord does not say how long
# discord.py types ids as numbers, but Discord has this name for an interaction's first answer.
FIRST_ANSWER = cast(int, "@original")
TOO_OLD_TO_EDIT_OFTEN = 30046
NOBODY = discord.AllowedMentions.none()

Way = Callable[[ReplyAddress, str, Drawn], Awaitable[None]]


class DiscordDeliverer:
    """The courier's hands on Discord. `client` must be logged in."""

    platform: Platform = "discord"

    def __init__(self, client: discord.Client, clock: Callable[[], float] = time.time) -> None:
        self._client = client
        self._clock = clock

    def pace(self, address: ReplyAddress) -> float:
        return EDIT_PAUSE

    async def deliver(self, address: ReplyAddress, job_id: str, reply: Reply, *, late: bool) -> None:
        """An edit rings nobody: who no longer looks at the ticket gets a message that mentions them."""
        edits, direct = self._edits(address), self._direct
        if address.private:  # never sent where others read
            ways = [*edits, direct]
        elif late or not self._token_lives(address):
            ways = [self._send, *edits, direct]
        else:
            ways = [*edits, self._send, direct]
        reason = await self._first_open(ways, address, job_id, draw(reply))
        if reason is not None:
            raise UndeliverableError(reason)

    async def update(self, address: ReplyAddress, job_id: str, reply: Reply) -> None:
        reason = await self._first_open(self._edits(address), address, job_id, draw(reply, final=False))
        if reason is not None:
            raise UndeliverableError(reason)

    def _edits(self, address: ReplyAddress) -> list[Way]:
        """By the interaction's token, which alone reaches ephemeral messages and places the bot is not in; then as
        the bot itself."""
        visible = address.message is not None and not address.private
        ways: list[Way] = [self._edit_by_token] if self._token_lives(address) else []
        return [*ways, self._edit_as_bot] if visible else ways

    def _token_lives(self, address: ReplyAddress) -> bool:
        return address.token is not None and self._clock() < (address.token_expires or float("inf"))

    async def _first_open(self, ways: list[Way], address: ReplyAddress, job_id: str, drawn: Drawn) -> str | None:
        """Take the first way that Discord does not bar; None, or why the last one was barred."""
        reason = "Discord no longer lets this answer be edited"
        for way in ways:
            try:
                await way(address, job_id, drawn)
            except discord.RateLimited as limited:
                raise TryLaterError(limited.retry_after) from None
            except discord.HTTPException as error:
                if not self._bars(way, error):
                    _let_wait(error)
                    raise
                reason = f"Discord refuses it (error {error.code or error.status})"
            except (aiohttp.ClientError, OSError) as error:
                raise TryLaterError(PATIENCE) from error
            else:
                return None
        return reason

    def _bars(self, way: Way, error: discord.HTTPException) -> bool:
        """Whether this way stays closed for this answer. 401 is an ended interaction's; the bot's own would be for
        all answers, and is not held against this one."""
        if error.status == 401:
            return way == self._edit_by_token
        return error.status in (403, 404) or error.code == TOO_OLD_TO_EDIT_OFTEN

    async def _edit_by_token(self, address: ReplyAddress, job_id: str, drawn: Drawn) -> None:
        application = self._client.application_id
        if application is None or address.token is None:
            raise RuntimeError("the client is not logged in")
        hook = discord.Webhook.partial(application, address.token, client=self._client)
        await hook.edit_message(FIRST_ANSWER, **edited(drawn))

    async def _edit_as_bot(self, address: ReplyAddress, job_id: str, drawn: Drawn) -> None:
        channel = self._client.get_partial_messageable(int(address.channel))
        await channel.get_partial_message(int(address.message or 0)).edit(**edited(drawn))

    async def _send(self, address: ReplyAddress, job_id: str, drawn: Drawn) -> None:
        channel, ticket = self._client.get_partial_messageable(int(address.channel)), None
        if address.message is not None:
            ticket = channel.get_partial_message(int(address.message)).to_reference(fail_if_not_exists=False)
        await self._post(channel, address, job_id, drawn, ticket)
        try:  # a ticket that went on would be a second word on the same job
            await self._first_open(self._edits(address), address, job_id, draw(answered_reply(job_id, "below")))
        except (TryLaterError, discord.HTTPException) as error:
            log.info("ticket not closed", job=job_id, reason=type(error).__name__)

    async def _direct(self, address: ReplyAddress, job_id: str, drawn: Drawn) -> None:
        channel = await self._client.create_dm(discord.Object(int(address.user)))
        await self._post(channel, address, job_id, drawn)

    async def _post(
        self,
        channel: discord.abc.Messageable,
        address: ReplyAddress,
        job_id: str,
        drawn: Drawn,
        ticket: discord.MessageReference | None = None,
    ) -> None:
        """A new message that rings the requester, once: Discord drops a second one with the same nonce. A job that was
        queued again has another outcome, and so another nonce."""
        requester = discord.Object(int(address.user))
        await channel.send(
            f"<@{requester.id}> {drawn.content}",
            embeds=drawn.embeds,
            files=attachments(drawn),
            view=view(drawn.buttons) or discord.utils.MISSING,
            nonce=f"{job_id}{_sum_of(drawn):08x}",
            reference=cast(Any, ticket),  # typed as if it had to be there
            allowed_mentions=discord.AllowedMentions(everyone=False, roles=False, users=[requester]),
        )


def _sum_of(drawn: Drawn) -> int:
    return zlib.crc32(repr((drawn.content, [embed.to_dict() for embed in drawn.embeds], drawn.files)).encode())


def _let_wait(error: discord.HTTPException) -> None:
    """Raises TryLaterError where time may help."""
    if error.status in (401, 429) or error.status >= 500:
        raise TryLaterError(PATIENCE) from None


def edited(drawn: Drawn) -> dict[str, Any]:
    """What replaces all of a message."""
    return {
        "content": drawn.content,
        "embeds": list(drawn.embeds),
        "attachments": attachments(drawn),
        "view": view(drawn.buttons),
        "allowed_mentions": NOBODY,
    }
