"""The courier's hands on Telegram: answers, with their files, and news."""

from __future__ import annotations

import structlog
from telegram.error import BadRequest, TelegramError

from frontdesk.bots.deliverer import TryLaterError, UndeliverableError
from frontdesk.bots.on_telegram_delivery import (
    NO_PLACEHOLDER,
    PROGRESS_EVERY_GROUP,
    PROGRESS_EVERY_PRIVATE,
    Sender,
)
from frontdesk.bots.on_telegram_parcels import Notes, ParcelPost
from frontdesk.bots.on_telegram_render import for_you, render
from frontdesk.bots.on_telegram_uploads import news, upload_room
from frontdesk.bots.parcels import Room
from frontdesk.bots.replies import Reply, answered_reply
from frontdesk.queue.jobs import Platform, ReplyAddress

log = structlog.get_logger()


class TelegramDeliverer:
    """Edits the ticket into the answer, or sends the answer where there is none to edit.

    An edit may be repeated freely. A new message is sent again if Telegram took it and its reply was lost on the way:
    there a person can get an answer twice, but never not at all. An edit notifies nobody, so an answer that comes late
    is followed by a short message that points at it.

    upload_limit: bytes of the largest file that the Bot API server takes.
    """

    platform: Platform = "telegram"

    def __init__(self, sender: Sender, notes: Notes, upload_limit: int) -> None:
        self._sender = sender
        self._room = upload_room(upload_limit)
        self._parcels = ParcelPost(sender, notes, self._room)

    def pace(self, address: ReplyAddress) -> float:
        return PROGRESS_EVERY_PRIVATE if int(address.channel) > 0 else PROGRESS_EVERY_GROUP

    def room(self, address: ReplyAddress) -> Room:
        return self._room

    async def deliver(self, address: ReplyAddress, job_id: str, reply: Reply, *, late: bool) -> None:
        self._in_turn(address)
        followed = False
        if reply.parcels:
            shown, followed = await self._parcels.deliver(address, job_id, reply)
        else:
            shown = await self._sender.show(address, render(reply), mention=True)
        rung = followed and int(address.channel) > 0  # in a group, files notify nobody by name
        if late and address.message == str(shown) and not rung:
            await self._ring(address, job_id)

    async def _ring(self, address: ReplyAddress, job_id: str) -> None:
        """Notify the requester of an answer. It is there, whatever becomes of this: in doubt never done again."""
        drawn, chat = render(answered_reply(job_id, "above")), int(address.channel)
        at = address.model_copy(update={"message": None, "reply_to": address.message})
        try:
            await self._sender.post(at, for_you(drawn, int(address.user)) if chat < 0 else drawn)
        except (UndeliverableError, TryLaterError, TelegramError) as error:
            log.info("nobody was rung", job=job_id, reason=type(error).__name__)

    async def update(self, address: ReplyAddress, job_id: str, reply: Reply) -> None:
        if address.message is None:
            return
        self._in_turn(address)
        try:
            await self._sender.edit(int(address.channel), int(address.message), news(reply))
        except BadRequest as error:
            if NO_PLACEHOLDER.search(error.message):
                raise UndeliverableError(error.message) from None
            raise

    def _in_turn(self, address: ReplyAddress) -> None:
        """Raises TryLaterError where the chat has no budget left just now."""
        if (wait := self._sender.pace.wait(int(address.channel))) > 0:
            raise TryLaterError(wait)
