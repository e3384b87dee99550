"""What one stand-in Discord knows: its clock, channels, messages, interactions and commands."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import standin_discord_rules as rules
from standin_discord_cast import GUILD_TEXT, LOADING, Attached, Channel, Interaction, Message, User
from standin_discord_rules import ApiError

EPOCH = 1_420_070_400  # Discord ids begin in 2015


class State:
    """Time stands still unless a test moves `now` (seconds)."""

    def __init__(self) -> None:
        self.now = time.time()
        self.token = "bot.token.for-tests"  # noqa: S105 (made up)
        self.commands: list[dict[str, Any]] = []
        self.syncs = 0
        self.roles: list[str] = []
        self.channels: dict[str, Channel] = {}
        self.messages: dict[str, Message] = {}
        self.interactions: dict[str, Interaction] = {}
        self.cdn: dict[str, Attached] = {}  # files of people, by id
        self.news = asyncio.Event()
        self._serial = 0
        self.bot = User(self.new_id(), "Frontdesk", bot=True)
        self.application = self.bot.id
        self.guild = self.new_id()
        self.general = self.add(Channel(self.new_id(), GUILD_TEXT, self.guild))
        self.elsewhere = self.add(Channel(self.new_id(), GUILD_TEXT, self.new_id(), bot_present=False))

    def new_id(self) -> str:
        self._serial += 1
        return str(int((self.now - EPOCH) * 1000) << 22 | self._serial)

    def add(self, channel: Channel) -> Channel:
        self.channels[channel.id] = channel
        return channel

    def new_message(self, channel: Channel, author: User, flags: int = 0, seen_by: User | None = None) -> Message:
        message = Message(self.new_id(), channel, author, self.now, flags=flags, seen_by=seen_by)
        self.messages[message.id] = message
        return message

    def write(self, message: Message, payload: dict[str, Any], files: dict[str, tuple[str, bytes]]) -> None:
        """Make a message what the bot says. Raises ApiError, and leaves it as it was."""
        limit = message.channel.takes or message.channel.upload_limit
        rules.check_message(payload, {field: data for field, (_, data) in files.items()}, limit)
        kept = rules.keeps(message.attached, payload, files)
        content = payload.get("content", message.content) or ""
        embeds = payload.get("embeds", message.embeds) or []
        if not (content or embeds or files or kept):
            raise ApiError(400, 50006, "Cannot send an empty message")
        message.content, message.embeds = content, embeds
        message.attached = kept + [Attached(self.new_id(), name, data) for name, data in files.values()]
        message.components = payload.get("components", message.components) or []
        message.flags &= ~LOADING
        message.history.append(content)
        message.pings |= rules.pings(content, payload.get("allowed_mentions"))

    def post(self, message: Message, payload: dict[str, Any], files: dict[str, tuple[str, bytes]]) -> Message:
        """A new message of the bot's. Raises ApiError, and it never was."""
        try:
            self.write(message, payload, files)
        except ApiError:
            del self.messages[message.id]
            raise
        return message
