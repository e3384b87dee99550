"""What the stand-in for Telegram keeps: people, chats, messages, and what was called."""

from __future__ import annotations

import mimetypes
import re
import time
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

JSON: TypeAlias = dict[str, Any]

BOT_ID, BOT_NAME = 4_200_000_000, "frontdesk_test_bot"
TOKEN = f"{BOT_ID}:AAstand-in-token-for-the-loopback-only"
MAX_TEXT, MAX_CAPTION, MAX_CALLBACK_DATA, MAX_ANSWER = 4096, 1024, 64, 200
MAX_PHOTO, MAX_UPLOAD, MAX_DOWNLOAD = 10 * 2**20, 50 * 2**20, 20 * 2**20
PATIENCE = 20.0  # seconds a test waits for something before it fails with what happened so far
NOT_MODIFIED = (
    "message is not modified: specified new message content and reply markup are exactly the same as a current "
    "content and reply markup of the message"
)
ENTITY_TYPES = {
    "bold", "italic", "underline", "strikethrough", "spoiler", "blockquote", "expandable_blockquote", "code", "pre",
    "text_link", "text_mention", "custom_emoji", "date_time",
}  # fmt: skip
MENTION = re.compile(r"(?<!\w)@([A-Za-z0-9_]{2,32})(?!\w)")
COMMAND = re.compile(r"(?<![\w/<>])/[A-Za-z0-9_]{1,64}(?:@[A-Za-z0-9_]{3,32})?(?![\w/<>])")


class RefusedError(Exception):
    """What Telegram answers instead of a result."""

    def __init__(self, status: int, description: str, **parameters: Any) -> None:
        super().__init__(description)
        self.status, self.description, self.parameters = status, description, parameters


def bad(description: str) -> RefusedError:
    return RefusedError(400, f"Bad Request: {description}")


def utf16(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


@dataclass(eq=False)
class Person:
    id: int
    username: str
    started: bool = False
    blocks_bot: bool = False

    def json(self) -> JSON:
        return {"id": self.id, "is_bot": False, "first_name": self.username.title(), "username": self.username}


@dataclass(eq=False)
class Chat:
    id: int
    type: Literal["private", "group", "supergroup"]
    title: str = ""
    person: Person | None = None
    bot_removed: bool = False
    messages: dict[int, Message] = field(default_factory=dict)

    def json(self) -> JSON:
        names = {"first_name": self.person.username.title()} if self.person else {"title": self.title}
        return {"id": self.id, "type": self.type, **names}


@dataclass(eq=False)
class Message:
    """Live: a bot's edits show here. `history` holds every text it had, `pings` whom its text notifies."""

    id: int
    chat: Chat
    sender: Person | None  # None: the bot
    text: str
    entities: list[JSON] = field(default_factory=list)
    keyboard: JSON | None = None
    reply_to: Message | None = None
    document: tuple[str, bytes] | None = None
    sort: Literal["document", "animation", "photo"] = "document"  # how the document is shown
    said_size: int | None = None  # what Telegram says of the document, if that is not the truth
    said_type: str | None = None
    group: str | None = None
    thread: int | None = None
    silent: bool = False
    history: list[str] = field(default_factory=list)
    date: int = field(default_factory=lambda: int(time.time()))

    @property
    def buttons(self) -> list[str]:
        return [button["text"] for row in (self.keyboard or {}).get("inline_keyboard", ()) for button in row]

    @property
    def pings(self) -> list[str]:
        named = [self.marked(entity)[1:] for entity in self.entities if entity["type"] == "mention"]
        return named + [str(e["user"]["id"]) for e in self.entities if e["type"] == "text_mention"]

    def marked(self, entity: JSON) -> str:
        """The part of the text that an entity covers."""
        units = self.text.encode("utf-16-le")
        return units[2 * entity["offset"] : 2 * (entity["offset"] + entity["length"])].decode("utf-16-le")

    def json(self, deep: bool = True) -> JSON:
        body = "caption" if self.document else "text"
        sent: JSON = {
            "message_id": self.id, "chat": self.chat.json(), "date": self.date, body: self.text,
            "from": self.sender.json() if self.sender else BOT,
        }  # fmt: skip
        if self.entities:
            sent["caption_entities" if self.document else "entities"] = self.entities
        if self.document:
            name, data = self.document
            size = len(data) if self.said_size is None else self.said_size
            file = {"file_id": f"f{self.id}", "file_unique_id": f"u{self.id}", "file_size": size}
            pixels = {"width": 64, "height": 64}
            if self.sort == "photo":
                sent["photo"] = [file | pixels]
            else:  # an animation has both, for older bots
                media_type = self.said_type or mimetypes.guess_type(name)[0] or "application/octet-stream"
                sent["document"] = file | {"file_name": name, "mime_type": media_type}
            if self.sort == "animation":
                sent["animation"] = file | pixels | {"file_name": name, "duration": 2}
        if self.group:
            sent["media_group_id"] = self.group
        if self.keyboard and "inline_keyboard" in self.keyboard:
            sent["reply_markup"] = self.keyboard
        if self.thread:
            sent |= {"message_thread_id": self.thread, "is_topic_message": True}
        if deep and self.reply_to:
            sent["reply_to_message"] = self.reply_to.json(deep=False)
        return sent


BOT: JSON = {"id": BOT_ID, "is_bot": True, "first_name": "Frontdesk", "username": BOT_NAME}


@dataclass(eq=False)
class Click:
    """A press on a button; `answered` once the bot answered its query, with `text` as a small notice."""

    id: str
    answered: bool = False
    text: str | None = None
    alert: bool = False


@dataclass
class Fault:
    method: str
    times: int
    chat: int | None
    refusal: RefusedError | None = None
    page: bool = False
    cut: Literal["before", "after"] | None = None


@dataclass(frozen=True)
class Call:
    method: str
    params: JSON
    at: float

    @property
    def chat(self) -> int | None:
        return int(self.params["chat_id"]) if "chat_id" in self.params else None


def found(text: str, pattern: re.Pattern[str], kind: str) -> list[JSON]:
    return [
        {"type": kind, "offset": utf16(text[: match.start()]), "length": utf16(match[0])}
        for match in pattern.finditer(text)
    ]
