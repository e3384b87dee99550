"""The commands that Telegram offers while one types."""

from __future__ import annotations

import structlog
from telegram import (
    Bot,
    BotCommand,
    BotCommandScope,
    BotCommandScopeAllGroupChats,
    BotCommandScopeAllPrivateChats,
    BotCommandScopeChat,
    BotCommandScopeDefault,
)
from telegram.error import TelegramError

from frontdesk.bots.own_commands import OwnCommands
from frontdesk.queue.kinds import Registry
from frontdesk.queue.settings import Settings

log = structlog.get_logger()


class Menu:
    """One list for each scope. A menu that cannot be set stops nothing."""

    def __init__(self, bot: Bot, kinds: Registry, more: OwnCommands) -> None:
        self._bot = bot
        own = {
            "help": "What I do, or one command's options",
            "jobs": "Your latest jobs, or one of them in full",
            "cancel": "Cancel one of your jobs",
            "top": "The best trainings of each data set",
            "status": "How busy the desk is",
            **{each.name: each.summary for each in more.values()},
        }
        self._everyone = {kind.name: kind.summary for kind in kinds.values()} | own
        self._admins = self._everyone | {"queue": "Lanes, workers and the last hour", "admin": "What admins can do"}

    async def set_all(self, settings: Settings) -> None:
        for scope in (
            BotCommandScopeDefault(),
            BotCommandScopeAllPrivateChats(),
            BotCommandScopeAllGroupChats(),
        ):
            await self._set(self._everyone, scope)
        for admin in sorted(settings.admins):
            platform, _, user = admin.partition(":")
            if platform == "telegram":
                await self.set_for_admin(int(user))

    async def set_for_admin(self, user: int) -> None:
        """In an admin's private chat, which exists once they have pressed Start."""
        await self._set(self._admins, BotCommandScopeChat(user))

    async def _set(self, commands: dict[str, str], scope: BotCommandScope) -> None:
        try:
            await self._bot.set_my_commands([BotCommand(*entry) for entry in commands.items()], scope)
        except TelegramError as error:
            log.info("a menu was not set", scope=scope.type, reason=error.message)
