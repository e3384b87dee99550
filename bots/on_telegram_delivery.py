"""Sends and edits Telegram messages within Telegram's limits."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final

import httpx
import structlog
from telegram import Bot, LinkPreviewOptions, Message, ReplyParameters
from telegram.constants import ChatAction
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
    TimedOut,
)

from frontdesk.bots.deliverer import TryLaterError, UndeliverableError
from frontdesk.bots.on_telegram_render import MAX_CAPTION, Document, Rendered, for_you, utf16
from frontdesk.bots.on_telegram_uploads import TooLargeError, edit_file, is_too_large, send_album, send_file, send_group
from frontdesk.queue.jobs import ReplyAddress

log = structlog.get_logger()

# Telegram's limits are 1 message a second in a private chat, 20 a minute in a group and about 30 a second in all.
PRIVATE_BURST, PRIVATE_EVERY = 2, 1.25  # 2 at once, and 5 within 5 seconds
GROUP_BURST, GROUP_EVERY = 5, 4.0  # 5 + 60 / 4 = 20 in the worst minute
TOTAL_BURST, TOTAL_EVERY = 25, 0.04
PROGRESS_EVERY_PRIVATE, PROGRESS_EVERY_GROUP = 2.0, 8.0  # seconds: half of the budget stays for answers
MAX_CHATS_KEPT: Final = 10_000
PATIENCE: Final = 12.0  # seconds a ticket or a notice waits for its turn: less than the courier waits for a ticket
NETWORK_PAUSE: Final = 2.0
PROBE_TIMEOUT: Final = 5.0

GONE = re.compile(
    r"chat not found|user is deactivated|group chat was (?:deactivated|deleted)|peer_id_invalid|chat_write_forbidden"
    r"|(?:not enough|have no) rights to send|topic_closed|chat_restricted|user_is_blocked",
    re.IGNORECASE,
)
NO_PLACEHOLDER = re.compile(
    r"message to edit not found|message can't be edited|message_id_invalid|no text in the message to edit",
    re.IGNORECASE,
)
NO_TEXT = re.compile(r"no text in the message to edit", re.IGNORECASE)
NO_PREVIEW = LinkPreviewOptions(is_disabled=True)


class Pace:
    """When a chat may get its next message: a burst, then one every so many seconds; all chats together likewise.

    `clock` is monotonic, in seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._full: dict[int, float] = {}  # chat -> when its whole burst is free again
        self._total = 0.0

    def wait(self, chat: int) -> float:
        """Seconds until a message may go to this chat."""
        now = self._clock()
        burst, every = self._rule(chat)
        of_chat = self._full.get(chat, 0.0) - (burst - 1) * every
        of_all = self._total - (TOTAL_BURST - 1) * TOTAL_EVERY
        return max(0.0, of_chat - now, of_all - now)

    def take(self, chat: int) -> None:
        """A message goes to this chat now."""
        now = self._clock()
        self._full[chat] = max(self._full.get(chat, 0.0), now) + self._rule(chat)[1]
        self._total = max(self._total, now) + TOTAL_EVERY
        if len(self._full) > MAX_CHATS_KEPT:
            self._full = {chat: full for chat, full in self._full.items() if full > now}

    def block(self, chat: int, seconds: float) -> None:
        """Telegram wants a pause in this chat."""
        burst, every = self._rule(chat)
        self._full[chat] = max(self._full.get(chat, 0.0), self._clock() + seconds + (burst - 1) * every)

    def _rule(self, chat: int) -> tuple[int, float]:
        return (PRIVATE_BURST, PRIVATE_EVERY) if chat > 0 else (GROUP_BURST, GROUP_EVERY)


@dataclass(frozen=True)
class Sender:
    """Writes to chats. Raises UndeliverableError and TryLaterError in place of Telegram's errors.

    A flood answer halts the one chat that it came for. What is too large for Telegram raises TooLargeError.
    """

    bot: Bot
    pace: Pace

    async def post(self, address: ReplyAddress, drawn: Rendered, patience: float = PATIENCE) -> int:
        """Show a message when its chat's turn comes, and return its id: an edit where the address names a message.

        Tries again for `patience` seconds where it was certainly not sent. Raises TryLaterError when that is not
        enough, or when what became of it is not known.
        """
        end = time.monotonic() + patience
        while True:
            wait = self.pace.wait(int(address.channel))
            if time.monotonic() + wait > end:
                raise TryLaterError(wait)
            await asyncio.sleep(wait)
            try:
                return await self.show(address, drawn)
            except TryLaterError as later:
                if time.monotonic() + later.seconds > end or not not_sent(later.__cause__):
                    raise
                await asyncio.sleep(later.seconds)

    async def show(self, address: ReplyAddress, drawn: Rendered, *, mention: bool = False) -> int:
        """Edit the message that the address names into this one, or send it anew where that cannot be.

        mention: notify the requester by name if it is sent anew to a group, where they may not look for it.
        """
        if address.message is not None:
            try:
                await self.edit(int(address.channel), int(address.message), drawn)
            except BadRequest as error:
                if NO_TEXT.search(error.message):
                    return await self._replace(address, drawn)
                if not NO_PLACEHOLDER.search(error.message):
                    raise
            except ChatMigrated:
                pass
            else:
                return int(address.message)
        alone = mention and int(address.channel) < 0
        return await self.send(address, for_you(drawn, int(address.user)) if alone else drawn)

    async def _replace(self, address: ReplyAddress, drawn: Rendered) -> int:
        """A picture's message cannot become one of words that are longer than a caption: they are sent, and it goes."""
        alone = int(address.channel) < 0
        message = await self.send(address, for_you(drawn, int(address.user)) if alone else drawn)
        await self.take_back(int(address.channel), int(address.message or 0))
        return message

    async def take_back(self, chat: int, message: int) -> None:
        """Delete a message of the bot, if Telegram lets it."""
        try:
            await self.bot.delete_message(chat, message)
        except TelegramError as error:
            log.info("a picture was not taken back", reason=type(error).__name__)

    async def send(self, address: ReplyAddress, drawn: Rendered) -> int:
        """Send a message now, and return its id."""
        try:
            return await self._send(address, drawn)
        except ChatMigrated as moved:
            log.info("a group became a supergroup")
            return await self._send(address.model_copy(update={"channel": str(moved.new_chat_id)}), drawn)
        except BadRequest as error:
            if address.thread and "thread not found" in error.message:
                return await self._send(address.model_copy(update={"thread": None}), drawn)
            return await self._send(address, _bare(drawn, error))

    async def edit(self, chat: int, message: int, drawn: Rendered) -> None:
        """Turn a message of the bot into another; doing it again changes nothing. Raises BadRequest where the message
        cannot be edited any more, and ChatMigrated."""
        try:
            await self._edit(chat, message, drawn)
        except BadRequest as error:
            await self._edit(chat, message, _bare(drawn, error))

    async def _send(self, address: ReplyAddress, drawn: Rendered) -> int:
        chat, where = int(address.channel), _where(address)
        async with self._told(chat):
            message: Message
            if drawn.document or drawn.media:
                message = await send_file(self.bot, chat, drawn, **where)
            else:
                message = await self.bot.send_message(
                    chat, drawn.text, entities=drawn.entities, link_preview_options=NO_PREVIEW,
                    reply_markup=drawn.force_reply or drawn.keyboard, **where,
                )  # fmt: skip
        return message.message_id

    async def send_files(
        self, address: ReplyAddress, documents: Sequence[Document], patience: float = PATIENCE
    ) -> None:
        """Send files as one group, when the chat's turn comes. Each of them counts as a message.

        Raises TooLargeError, and BadRequest where Telegram refuses one.
        """
        chat = int(address.channel)
        if (wait := self.pace.wait(chat)) > patience:
            raise TryLaterError(wait)
        await asyncio.sleep(wait)
        try:
            await self._send_files(address, documents)
        except ChatMigrated as moved:
            await self._send_files(address.model_copy(update={"channel": str(moved.new_chat_id)}), documents)
        except BadRequest as error:
            if not (address.thread and "thread not found" in error.message):
                raise
            await self._send_files(address.model_copy(update={"thread": None}), documents)

    async def send_album(self, address: ReplyAddress, pictures: Sequence[Document]) -> None:
        """Send two to ten pictures side by side, when the chat's turn comes. What Telegram does not show is left out
        without a word: what they belong to follows."""
        chat = int(address.channel)
        await asyncio.sleep(min(PATIENCE, self.pace.wait(chat)))
        try:
            async with self._told(chat):
                await send_album(self.bot, chat, pictures, **_where(address))
        except (BadRequest, TooLargeError, ChatMigrated) as error:
            log.info("an album was not shown", reason=type(error).__name__)

    async def _send_files(self, address: ReplyAddress, documents: Sequence[Document]) -> None:
        chat = int(address.channel)
        async with self._told(chat):
            for _ in documents[1:]:
                self.pace.take(chat)
            await send_group(self.bot, chat, documents, **_where(address))

    async def _edit(self, chat: int, message: int, drawn: Rendered) -> None:
        async with self._told(chat):
            try:
                if drawn.document or drawn.media:
                    await edit_file(self.bot, chat, message, drawn)
                elif drawn.caption:
                    await self._edit_caption(chat, message, drawn)
                else:
                    await self._edit_text(chat, message, drawn)
            except BadRequest as error:
                if "not modified" not in error.message.lower():
                    raise

    async def _edit_text(self, chat: int, message: int, drawn: Rendered) -> None:
        """A ticket that shows a picture has its words in the caption."""
        try:
            await self.bot.edit_message_text(
                drawn.text, chat, message, entities=drawn.entities, link_preview_options=NO_PREVIEW,
                reply_markup=drawn.keyboard,
            )  # fmt: skip
        except BadRequest as error:
            if not NO_TEXT.search(error.message) or utf16(drawn.text) > MAX_CAPTION:
                raise
            await self._edit_caption(chat, message, drawn)

    async def _edit_caption(self, chat: int, message: int, drawn: Rendered) -> None:
        await self.bot.edit_message_caption(
            chat, message, caption=drawn.text, caption_entities=drawn.entities, reply_markup=drawn.keyboard
        )

    async def reachable(self, user: int) -> bool:
        """Whether the bot may write to a person: not before they pressed Start, nor after they blocked it."""
        try:
            await self.bot.send_chat_action(user, ChatAction.TYPING, read_timeout=PROBE_TIMEOUT)
        except Forbidden:
            return False
        except BadRequest as error:
            return GONE.search(error.message) is None
        except (RetryAfter, NetworkError):
            return True  # not known: the delivery will tell
        return True

    @asynccontextmanager
    async def _told(self, chat: int) -> AsyncIterator[None]:
        """Count a message to a chat, and read Telegram's errors."""
        self.pace.take(chat)
        try:
            yield
        except RetryAfter as error:
            seconds = _seconds(error)
            self.pace.block(chat, seconds)
            log.info("telegram wants a pause", seconds=seconds)
            raise TryLaterError(seconds) from error
        except Forbidden as error:
            raise UndeliverableError(error.message) from None
        except BadRequest as error:
            if GONE.search(error.message):
                raise UndeliverableError(error.message) from None
            raise
        except (
            NetworkError,
            InvalidToken,
        ) as error:  # the second: a token that was reset, or a proxy that does not know the way
            if isinstance(error, NetworkError) and is_too_large(error):
                raise TooLargeError(error.message) from None
            raise TryLaterError(NETWORK_PAUSE) from error


def _where(address: ReplyAddress) -> dict[str, Any]:
    reply_to = int(address.reply_to) if address.reply_to else None
    return {
        "reply_parameters": ReplyParameters(reply_to, allow_sending_without_reply=True) if reply_to else None,
        "message_thread_id": int(address.thread) if address.thread else None,
    }


def _bare(drawn: Rendered, error: BadRequest) -> Rendered:
    """The words alone, for a Bot API server older than one of the entities. Raises what is another error."""
    if not drawn.entities or "entit" not in error.message.lower():
        raise error
    log.warning("telegram refuses entities")
    return replace(drawn, entities=())


def not_sent(cause: BaseException | None) -> bool:
    """Telegram refused the message or never saw it. After a time-out or a cut connection one cannot know."""
    if isinstance(cause, RetryAfter):
        return True
    if isinstance(cause, TimedOut):
        return isinstance(cause.__cause__, httpx.ConnectTimeout | httpx.PoolTimeout)
    return isinstance(cause, NetworkError) and not isinstance(
        cause.__cause__, httpx.ReadError | httpx.WriteError | httpx.RemoteProtocolError
    )


def _seconds(error: RetryAfter) -> float:
    after = error.retry_after
    return after.total_seconds() if isinstance(after, timedelta) else float(after)
