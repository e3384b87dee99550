"""Reads Telegram's updates once, into frozen data that the handlers work with. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from telegram import CallbackQuery, Message, Update, User
from telegram.constants import ChatType

from frontdesk.queue.jobs import ReplyAddress, Requester

ALLOWED_UPDATES: Final = (Update.MESSAGE, Update.CALLBACK_QUERY)
COMMAND = re.compile(r"/([A-Za-z0-9_]{1,64})(?:@([A-Za-z0-9_]{1,64}))?(?:\s+(.*))?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Place:
    """A chat, or a topic of one, and who acts in it. `message` is the one to reply to."""

    chat: int
    user: int
    message: int
    private: bool
    thread: int | None = None

    @property
    def requester(self) -> Requester:
        return Requester(platform="telegram", user=str(self.user), tenant=str(self.chat))

    @property
    def address(self) -> ReplyAddress:
        return ReplyAddress(
            platform="telegram",
            channel=str(self.chat),
            user=str(self.user),
            thread=str(self.thread) if self.thread else None,
            reply_to=str(self.message),
        )


@dataclass(frozen=True, slots=True)
class Said:
    """A message. `text` is its text or caption without the command; `command` in lower case, None for plain words.

    quoted: the text of the message that it replies to, or the part of it that was picked; None for no reply.
    to_bot: a reply to one of the bot's own messages, or a command that names the bot.
    """

    update: int
    place: Place
    command: str | None
    text: str
    quoted: str | None = None
    to_bot: bool = False


@dataclass(frozen=True, slots=True)
class Pressed:
    """A button was pressed: `action` and `rest` are what stands around the first colon of its data."""

    update: int
    place: Place
    query: str
    action: str
    rest: str


def read(update: Update, bot: User) -> Said | Pressed | None:
    """What a person did, or None if it is not for this bot: edits, other bots' commands, service messages."""
    if update.callback_query is not None:
        return _pressed(update.update_id, update.callback_query)
    if update.message is not None:
        return _said(update.update_id, update.message, bot)
    return None


def _said(number: int, message: Message, bot: User) -> Said | None:
    place = _place(message, message.from_user)
    text = message.text or message.caption or ""
    if place is None or (not text and not place.private) or _service(message):
        return None
    replied = message.reply_to_message
    quoted = message.quote.text if message.quote and message.quote.is_manual else None
    if quoted is None and replied is not None:
        quoted = replied.text or replied.caption or ""
    to_bot = replied is not None and replied.from_user is not None and replied.from_user.id == bot.id
    if not text.startswith("/") or (match := COMMAND.fullmatch(text)) is None:
        return Said(number, place, None, text, quoted, to_bot)
    if match[2] is not None and match[2].lower() != (bot.username or "").lower():
        return None
    return Said(number, place, match[1].lower(), match[3] or "", quoted, to_bot or match[2] is not None)


def _pressed(number: int, query: CallbackQuery) -> Pressed | None:
    """A press on a message too old for Telegram to show its content still says where it stands."""
    if query.message is None or query.data is None:
        return None
    chat = query.message.chat
    thread = query.message.message_thread_id if isinstance(query.message, Message) else None
    place = Place(chat.id, query.from_user.id, query.message.message_id, chat.type == ChatType.PRIVATE, thread)
    action, _, rest = query.data.partition(":")
    return Pressed(number, place, query.id, action, rest)


def _place(message: Message, user: User | None) -> Place | None:
    """None for channel posts, and for other bots; an anonymous admin comes as a bot that stands for a chat."""
    if user is None or (user.is_bot and message.sender_chat is None):
        return None
    thread = message.message_thread_id if message.is_topic_message else None
    return Place(message.chat.id, user.id, message.message_id, message.chat.type == ChatType.PRIVATE, thread)


def _service(message: Message) -> bool:
    """Joined, pinned, renamed: nothing a person wrote."""
    return not (message.text or message.caption or message.effective_attachment)
