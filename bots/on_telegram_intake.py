"""Reads Telegram's updates once, into frozen data that the handlers work with. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from telegram import CallbackQuery, Document, Message, MessageEntity, Update, User
from telegram.constants import ChatType

from frontdesk.bots.incoming import IncomingFile
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
    named: the text with the requester key of each person whom it mentions in place of their name.
    author: requester key of the person who wrote the message that it replies to.
    to_bot: a reply to one of the bot's own messages, or a command that names the bot.
    file: the document that it holds, or else that of the message it replies to; `sent`: it is the message's own.
    """

    update: int
    place: Place
    command: str | None
    text: str
    quoted: str | None = None
    named: str = ""
    author: str | None = None
    to_bot: bool = False
    file: IncomingFile | None = None
    sent: bool = False


@dataclass(frozen=True, slots=True)
class Pressed:
    """A button was pressed: `action` and `rest` are what stands around the first colon of its data. `pictured`: its
    message shows a picture."""

    update: int
    place: Place
    query: str
    action: str
    rest: str
    pictured: bool = False


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
    replied = message.reply_to_message
    to_bot = replied is not None and replied.from_user is not None and replied.from_user.id == bot.id
    document = message.document
    wanted = text or place is None or place.private or (document is not None and to_bot)
    if place is None or not wanted or _service(message):
        return None
    quoted = message.quote.text if message.quote and message.quote.is_manual else None
    if quoted is None and replied is not None:
        quoted = replied.text or replied.caption or ""
    file = _file(document or (replied.document if replied else None))
    if not text.startswith("/") or (match := COMMAND.fullmatch(text)) is None:
        return Said(number, place, None, text, quoted, to_bot=to_bot, file=file, sent=document is not None)
    if match[2] is not None and match[2].lower() != (bot.username or "").lower():
        return None
    return Said(
        update=number,
        place=place,
        command=match[1].lower(),
        text=match[3] or "",
        quoted=quoted,
        named=_named(text, message),
        author=_author(replied),
        to_bot=to_bot or match[2] is not None,
        file=file,
        sent=document is not None,
    )


def _file(document: Document | None) -> IncomingFile | None:
    if document is None:
        return None
    name, size, media_type = document.file_name, document.file_size, document.mime_type
    return IncomingFile.of(document.file_id, name, size=size, media_type=media_type)


def _named(text: str, message: Message) -> str:
    """What follows the command. Only mentions of people without a @name carry an id."""
    wide = text.encode("utf-16-le")
    for entity in reversed(message.entities or message.caption_entities):
        if entity.type == MessageEntity.TEXT_MENTION and entity.user is not None:
            start, end = 2 * entity.offset, 2 * (entity.offset + entity.length)
            wide = wide[:start] + f"telegram:{entity.user.id}".encode("utf-16-le") + wide[end:]
    match = COMMAND.fullmatch(wide.decode("utf-16-le", "replace"))
    return (match and match[3]) or ""


def _author(replied: Message | None) -> str | None:
    """In a topic every message replies to the one that opened it, which is meant for nobody."""
    if replied is None or replied.from_user is None or replied.from_user.is_bot or replied.forum_topic_created:
        return None
    return f"telegram:{replied.from_user.id}"


def _pressed(number: int, query: CallbackQuery) -> Pressed | None:
    """A press on a message too old for Telegram to show its content still says where it stands."""
    if query.message is None or query.data is None:
        return None
    chat = query.message.chat
    seen = query.message if isinstance(query.message, Message) else None
    thread = seen.message_thread_id if seen else None
    place = Place(chat.id, query.from_user.id, query.message.message_id, chat.type == ChatType.PRIVATE, thread)
    action, _, rest = query.data.partition(":")
    return Pressed(number, place, query.id, action, rest, pictured=bool(seen and seen.effective_attachment))


def _place(message: Message, user: User | None) -> Place | None:
    """None for other bots. Who writes as a chat (an anonymous admin, a channel) is that chat: the user that Telegram
    names for them is one and the same in all groups."""
    if user is None or (user.is_bot and message.sender_chat is None):
        return None
    thread = message.message_thread_id if message.is_topic_message else None
    who = user.id if message.sender_chat is None else message.sender_chat.id
    return Place(message.chat.id, who, message.message_id, message.chat.type == ChatType.PRIVATE, thread)


def _service(message: Message) -> bool:
    """Joined, pinned, renamed: nothing a person wrote."""
    return not (message.text or message.caption or message.effective_attachment)
