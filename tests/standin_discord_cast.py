"""Who and what is in the stand-in's Discord: people, channels, messages and interactions, with their JSON."""

from __future__ import annotations

import mimetypes
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

EPHEMERAL, LOADING = 64, 128
ADMINISTRATOR = 8
GUILD_TEXT, DM, GROUP_DM = 0, 1, 3
IN_GUILD, IN_BOT_DM, IN_PRIVATE = 0, 1, 2


def iso(now: float) -> str:
    return datetime.fromtimestamp(now, UTC).isoformat()


@dataclass(eq=False)
class User:
    id: str
    name: str
    roles: set[str] = field(default_factory=set)
    administrator: bool = False
    dms_open: bool = True
    bot: bool = False

    def payload(self) -> dict[str, Any]:
        return {
            "id": self.id, "username": self.name, "global_name": self.name, "discriminator": "0", "avatar": None,
            "bot": self.bot, "public_flags": 0,
        }  # fmt: skip

    def member(self) -> dict[str, Any]:
        return {
            "user": self.payload(), "roles": sorted(self.roles), "joined_at": iso(1_700_000_000), "nick": None,
            "deaf": False, "mute": False, "flags": 0, "avatar": None,
            "permissions": str(ADMINISTRATOR if self.administrator else 0),
        }  # fmt: skip


MIB = 1024 * 1024


@dataclass(frozen=True)
class Attached:
    """A file of a message, or of a command's option. Two of a message may be called alike.

    `size` and `media_type`: what Discord says of it, if that is not the truth. `cut`: bytes after which its download
    breaks off.
    """

    id: str
    name: str
    data: bytes
    url: str = "http://127.0.0.1:9/"
    size: int | None = None
    media_type: str | None = None
    cut: int | None = None

    def payload(self) -> dict[str, Any]:
        return {
            "id": self.id, "filename": self.name, "size": len(self.data) if self.size is None else self.size,
            "content_type": self.media_type or mimetypes.guess_type(self.name)[0],
            "url": self.url, "proxy_url": self.url,
        }  # fmt: skip


@dataclass(eq=False)
class Channel:
    """A place to talk. `bot_present` is False where only a user-installed app can act, through its interactions.

    Interactions name `upload_limit` (bytes of a file); `takes` is what the place really takes, if less.
    """

    id: str
    type: int = GUILD_TEXT
    guild: str | None = None
    people: list[User] = field(default_factory=list)
    bot_present: bool = True
    upload_limit: int = 10 * MIB
    takes: int | None = None

    @property
    def context(self) -> int:
        if self.type == GUILD_TEXT:
            return IN_GUILD
        return IN_BOT_DM if self.bot_present else IN_PRIVATE

    def payload(self) -> dict[str, Any]:
        if self.type == GUILD_TEXT:
            return {
                "id": self.id, "type": self.type, "guild_id": self.guild, "name": "general", "position": 0,
                "permission_overwrites": [], "nsfw": False, "parent_id": None, "permissions": "0",
            }  # fmt: skip
        people = [person.payload() for person in self.people]
        return {"id": self.id, "type": self.type, "recipients": people, "last_message_id": None, "owner_id": None}


@dataclass(eq=False)
class Message:
    """One message as people see it. `history` holds every content it had; `pings` everybody it ever rang."""

    id: str
    channel: Channel
    author: User
    at: float
    content: str = ""
    embeds: list[dict[str, Any]] = field(default_factory=list)
    components: list[dict[str, Any]] = field(default_factory=list)
    attached: list[Attached] = field(default_factory=list)
    flags: int = 0
    seen_by: User | None = None
    nonce: str | None = None
    reply_to: str | None = None
    pings: set[str] = field(default_factory=set)
    history: list[str] = field(default_factory=list)
    deleted: bool = False

    @property
    def files(self) -> dict[str, bytes]:
        """By name; fails where two are called alike."""
        named = {each.name: each.data for each in self.attached}
        assert len(named) == len(self.attached), [each.name for each in self.attached]
        return named

    @property
    def pictures(self) -> list[str]:
        """The files that its embeds show; Discord shows nothing where an embed names a file that is not there."""
        named = [(embed.get("image") or {}).get("url", "") for embed in self.embeds]
        there = {f"attachment://{each.name}" for each in self.attached}
        return [url.removeprefix("attachment://") for url in named if url in there]

    @property
    def ephemeral(self) -> bool:
        return bool(self.flags & EPHEMERAL)

    @property
    def loading(self) -> bool:
        return bool(self.flags & LOADING)

    @property
    def buttons(self) -> dict[str, dict[str, Any]]:
        """The buttons by label, those that can be clicked only."""
        every = [button for row in self.components for button in row["components"]]
        return {button["label"]: button for button in every if not button.get("disabled")}

    @property
    def text(self) -> str:
        """All that is to be read in it, as it was sent: content, then the embeds from top to bottom."""
        parts = [self.content]
        for embed in self.embeds:
            parts += [embed.get("title") or "", embed.get("description") or ""]
            parts += [f"{each['name']}: {each['value']}" for each in embed.get("fields") or []]
            parts.append((embed.get("footer") or {}).get("text", ""))
        return "\n".join(part for part in parts if part)

    def payload(self) -> dict[str, Any]:
        attachments = [each.payload() for each in self.attached]
        reference = {"message_id": self.reply_to, "channel_id": self.channel.id} if self.reply_to else None
        return {
            "id": self.id, "channel_id": self.channel.id, "author": self.author.payload(), "content": self.content,
            "timestamp": iso(self.at), "edited_timestamp": iso(self.at) if len(self.history) > 1 else None,
            "tts": False, "mention_everyone": "everyone" in self.pings, "mentions": [], "mention_roles": [],
            "attachments": attachments, "embeds": self.embeds, "components": self.components, "pinned": False,
            "type": 0, "flags": self.flags, "nonce": self.nonce,
        } | ({"message_reference": reference} if reference else {}) | self._asked_by()  # fmt: skip

    def _asked_by(self) -> dict[str, Any]:
        """Of an answer to an interaction, whose it was."""
        if self.seen_by is None:
            return {}
        who = {"id": self.id, "type": 2, "user": self.seen_by.payload(), "authorizing_integration_owners": {}}
        return {"interaction_metadata": who}


@dataclass(eq=False)
class Interaction:
    """What a person did with the bot, and how the bot answered. `payload` is what the gateway delivers."""

    id: str
    token: str
    user: User
    channel: Channel
    at: float
    payload: dict[str, Any]
    state: Literal["sent", "thinking", "updating", "answered"] = "sent"
    message: Message | None = None
    followups: list[Message] = field(default_factory=list)
    choices: list[dict[str, Any]] = field(default_factory=list)
    window: dict[str, Any] | None = None
    ended: bool = False

    @property
    def shown(self) -> Message:
        """The bot's first answer; fails while there is none."""
        assert self.message is not None, f"the bot did not answer: {self.state}"
        return self.message

    @property
    def text(self) -> str:
        """All that the bot has answered so far."""
        answers = [self.message] if self.message else []
        return "\n".join(message.text for message in (*answers, *self.followups) if not message.deleted)
