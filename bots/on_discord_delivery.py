"""Brings replies to Discord: over the placeholder while its requester looks at it, else as a new message that rings
them, else as a DM."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any, cast

import aiohttp
import discord
import structlog

from frontdesk.bots.deliverer import TryLaterError, UndeliverableError
from frontdesk.bots.on_discord_render import Drawn, attachments, draw, draw_news, draw_parcels, view
from frontdesk.bots.parcels import Room
from frontdesk.bots.replies import Reply, answered_reply
from frontdesk.queue.jobs import Platform, ReplyAddress

log = structlog.get_logger()

TOKEN_LIFE = 14 * 60.0  # seconds: Discord ends an interaction's token after 15 minutes
EDIT_PAUSE = 1.5  # seconds between two edits in one chat; Discord allows 5 in 5 s
PATIENCE = 5.0  # seconds to wait where Discord does not say how long
# discord.py types ids as numbers, but Discord has this name for an interaction's first answer.
FIRST_ANSWER = cast(int, "@original")
TOO_OLD_TO_EDIT_OFTEN = 30046
TOO_LARGE = 40005
MIB = 1024 * 1024
UPLOAD_LIMIT = 10 * MIB  # bytes of a file where Discord names no other limit
REQUEST_LIMIT = 25 * MIB  # bytes of a request; a file may be larger where boosts allow it
FRAME = 64 * 1024  # bytes of a request that are not files
NARROW = 8 * MIB  # what it took in earlier years, and what proxies may take
UPLOADS = 10
UPLOAD_TRIES = 4  # of files whose upload is cut off
NO_ROOM = Room(0, 0, 0)
NOBODY = discord.AllowedMentions.none()

Way = Callable[[ReplyAddress, str, Drawn], Awaitable[None]]


class DiscordDeliverer:
    """The courier's hands on Discord. `client` must be logged in."""

    platform: Platform = "discord"

    def __init__(self, client: discord.Client, clock: Callable[[], float] = time.time) -> None:
        self._client = client
        self._clock = clock
        self._cut: Counter[str] = Counter()  # by job: uploads that were cut off

    def pace(self, address: ReplyAddress) -> float:
        return EDIT_PAUSE

    def room(self, address: ReplyAddress) -> Room:
        return upload_room(address.upload_limit or UPLOAD_LIMIT)

    async def deliver(self, address: ReplyAddress, job_id: str, reply: Reply, *, late: bool) -> None:
        """An edit rings nobody: who no longer looks at the ticket gets a message that mentions them."""
        try:
            await self._deliver(address, job_id, reply, late=late)
        except TryLaterError as later:
            if reply.parcels and isinstance(later.__cause__, aiohttp.ClientError | OSError):
                self._cut[job_id] += 1
            raise
        self._cut.pop(job_id, None)

    async def _deliver(self, address: ReplyAddress, job_id: str, reply: Reply, *, late: bool) -> None:
        edits, direct = self._edits(address), self._direct
        if address.private:  # never sent where others read
            ways = [*edits, direct]
        elif late or not self._token_lives(address):
            ways = [self._send, *edits, direct]
        else:
            ways = [*edits, self._send, direct]
        reason = await self._first_open(ways, address, job_id, self._drawings(address, job_id, reply))
        if reason is not None:
            raise UndeliverableError(reason)

    async def update(self, address: ReplyAddress, job_id: str, reply: Reply) -> None:
        reason = await self._first_open(self._edits(address), address, job_id, [draw_news(reply)])
        if reason is not None:
            raise UndeliverableError(reason)

    def _drawings(self, address: ReplyAddress, job_id: str, reply: Reply) -> list[Drawn]:
        """The reply, and then as it is where Discord takes less than it said: by its usual limits, then bare."""
        if not reply.parcels:
            return [draw(reply)]
        if self._cut[job_id] >= UPLOAD_TRIES:
            left = tuple(each if each.without else each.left("cut off") for each in reply.parcels)
            return [draw_parcels(replace(reply, parcels=left), job_id, NO_ROOM)]
        rooms = [self.room(address), *(upload_room(limit) for limit in (UPLOAD_LIMIT, NARROW)), NO_ROOM]
        rooms = [room for room in rooms if room.file <= rooms[0].file]
        drawings = [draw_parcels(reply, job_id, room) for room in rooms]
        return [each for n, each in enumerate(drawings) if not n or each.uploads != drawings[n - 1].uploads]

    def _edits(self, address: ReplyAddress) -> list[Way]:
        """By the interaction's token, which alone reaches ephemeral messages and places the bot is not in; then as
        the bot itself."""
        visible = address.message is not None and not address.private
        ways: list[Way] = [self._edit_by_token] if self._token_lives(address) else []
        return [*ways, self._edit_as_bot] if visible else ways

    def _token_lives(self, address: ReplyAddress) -> bool:
        return address.token is not None and self._clock() < (address.token_expires or float("inf"))

    async def _first_open(
        self, ways: list[Way], address: ReplyAddress, job_id: str, drawings: Sequence[Drawn]
    ) -> str | None:
        """Take the first way that Discord does not bar; None, or why the last one was barred. Of the drawings the first
        one that it does not find too large."""
        reason, waiting, (drawn, *smaller) = "Discord no longer lets this answer be edited", list(ways), drawings
        while waiting:
            way = waiting[0]
            try:
                await way(address, job_id, drawn)
            except discord.RateLimited as limited:
                raise TryLaterError(limited.retry_after) from None
            except discord.HTTPException as error:
                if smaller and (error.status == 413 or error.code == TOO_LARGE):
                    log.info("discord takes less", job=job_id, uploads=len(drawn.uploads))
                    drawn = smaller.pop(0)
                    continue
                if not self._bars(way, error):
                    _let_wait(error)
                    raise
                waiting.pop(0)
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
            await self._first_open(self._edits(address), address, job_id, [draw(answered_reply(job_id, "below"))])
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
            nonce=f"{job_id}{drawn.stamp:08x}",
            reference=cast(Any, ticket),  # typed as if it had to be there
            allowed_mentions=discord.AllowedMentions(everyone=False, roles=False, users=[requester]),
        )


def upload_room(limit: int) -> Room:
    """What Discord takes in one message, in a place that takes files of `limit` bytes."""
    return Room(limit, max(REQUEST_LIMIT, limit) - FRAME, UPLOADS)


def _let_wait(error: discord.HTTPException) -> None:
    """Raises TryLaterError where time may help."""
    if error.status in (401, 429) or error.status >= 500:
        raise TryLaterError(PATIENCE) from None


def edited(drawn: Drawn) -> dict[str, Any]:
    """What replaces all of a message; or its words, where the rest stays."""
    words = {"content": drawn.content, "view": view(drawn.buttons), "allowed_mentions": NOBODY}
    if drawn.stays:
        return words
    return {**words, "embeds": list(drawn.embeds), "attachments": attachments(drawn)}
