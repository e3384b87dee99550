"""A stand-in for Telegram's Bot API on the loopback: the real library talks to it, a test plays the people.

It refuses what Telegram refuses in Telegram's words, marks up a bot's text as Telegram does (mentions, commands),
and knows the accidents that matter: an update that comes twice, a flood answer, an error page, a cut connection.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Literal

from aiohttp import web
from standin_telegram_api import BotApi
from standin_telegram_model import (
    BOT_NAME,
    COMMAND,
    JSON,
    MENTION,
    PATIENCE,
    Call,
    Chat,
    Click,
    Fault,
    Message,
    Person,
    RefusedError,
    found,
)


class TelegramStandIn(BotApi):
    """`async with TelegramStandIn.open() as telegram:`; `telegram.url` is what the setting `telegram_api_url` takes."""

    @classmethod
    @asynccontextmanager
    async def open(cls) -> AsyncIterator[TelegramStandIn]:
        telegram = cls()
        app = web.Application(client_max_size=60 * 2**20)
        app.router.add_route("*", "/bot{token}/{method}", telegram._serve)
        app.router.add_route("GET", "/file/bot{token}/{path:.+}", telegram._serve_file)
        runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        telegram.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield telegram
        finally:
            if telegram._hook:
                telegram._hook.cancel()
            await runner.cleanup()
        assert not telegram.problems, telegram.problems

    # What people do

    def person(self, username: str) -> Person:
        person = Person(500_000 + len(self.people), username)
        self.people[person.id] = person
        return person

    def private(self, person: Person) -> Chat:
        return self.chats.setdefault(person.id, Chat(person.id, "private", person=person))

    def group(self, title: str = "The lab") -> Chat:
        chat = Chat(-1_001_000_000_000 - len(self.chats), "supergroup", title)
        return self.chats.setdefault(chat.id, chat)

    async def say(
        self, person: Person, text: str, chat: Chat | None = None, *, reply_to: Message | None = None,
        document: tuple[str, bytes] | None = None, thread: int | None = None,
        said_size: int | None = None, said_type: str | None = None,
    ) -> Message:  # fmt: skip
        """Write in a chat (default: the private one); with a document, the text is its caption.

        In groups a bot sees commands, mentions of itself and replies to it: nothing else comes as an update.
        """
        chat = chat or self.private(person)
        person.started = person.started or chat.type == "private"
        message = self._add(chat, person, text, found(text, COMMAND, "bot_command") + found(text, MENTION, "mention"))
        message.reply_to, message.document, message.thread = reply_to, document, thread
        message.said_size, message.said_type = said_size, said_type
        to_bot = text.startswith("/") or f"@{BOT_NAME}" in text or (reply_to is not None and reply_to.sender is None)
        if chat.type == "private" or to_bot:
            await self.push({"message": message.json()})
        return message

    async def edit(self, message: Message, text: str) -> None:
        message.text, message.entities = text, found(text, COMMAND, "bot_command")
        await self.push({"edited_message": message.json() | {"edit_date": int(time.time())}})

    async def press(self, person: Person, message: Message, label: str) -> Click:
        """Press the button whose label begins with `label`."""
        rows = (message.keyboard or {}).get("inline_keyboard", ())
        data = next((b["callback_data"] for row in rows for b in row if b["text"].startswith(label)), None)
        assert data, f"{message.text!r} has no button {label!r}, only {message.buttons}"
        click = Click(f"c{next(self._ids)}")
        self._clicks[click.id] = click
        await self.push({"callback_query": {
            "id": click.id, "from": person.json(), "message": message.json(), "chat_instance": "1", "data": data,
        }})  # fmt: skip
        return click

    async def push(self, update: JSON) -> int:
        number = next(self._update_ids)
        self.updates[number] = {"update_id": number, **update}
        await self._changed()
        return number

    async def repeat(self, number: int | None = None) -> int:
        """Send an update again that the bot has already confirmed (default: the last one)."""
        number = number or max(self.confirmed)
        self.updates[number] = self.confirmed[number]
        await self._changed()
        return number

    def fail(
        self, method: str, *, status: int = 500, description: str = "Internal Server Error", times: int = 1,
        chat: Chat | None = None, page: bool = False, cut: Literal["before", "after"] | None = None, **parameters: Any,
    ) -> None:  # fmt: skip
        """Answer the next calls of a method (a regular expression) with an error, or with a proxy's error page, or
        cut the connection before or after the call has had its effect."""
        refusal = None if page or cut else RefusedError(status, description, **parameters)
        self._faults.append(Fault(method, times, chat.id if chat else None, refusal, page, cut))

    # What a test waits for

    async def until(self, condition: Callable[[], object], what: str = "") -> None:
        async with self._news:
            try:
                await asyncio.wait_for(self._news.wait_for(lambda: bool(condition())), PATIENCE)
            except TimeoutError:
                raise AssertionError(f"{what or 'it'} did not happen. So far:\n{self.transcript()}") from None

    async def answer(self, to: Message | Chat, containing: str = "") -> Message:
        """The bot's next unseen message that replies to a message, or stands in a chat."""
        chat = to if isinstance(to, Chat) else to.chat

        def fits(message: Message) -> bool:
            wanted = isinstance(to, Chat) or message.reply_to is to
            return message.sender is None and message.id not in self._seen and wanted and containing in message.text

        await self.until(lambda: any(map(fits, chat.messages.values())), f"an answer with {containing!r}")
        message = next(filter(fits, chat.messages.values()))
        self._seen.add(message.id)
        return message

    async def shows(self, message: Message, text: str) -> None:
        await self.until(lambda: text in message.text, f"an edit to {text!r}")

    async def settled(self) -> None:
        """Every update so far is confirmed by the bot."""
        await self.until(lambda: not self.updates, "the confirmation of every update")

    def called(self, method: str, chat: Chat | None = None) -> list[Call]:
        return [call for call in self.calls if call.method == method and (chat is None or call.chat == chat.id)]

    def transcript(self) -> str:
        """Everything said so far, for a failing test's message."""
        return "\n".join(
            f"[{chat.title or 'private'}] {m.sender.username if m.sender else 'bot'}: {m.text[:300]} {m.buttons or ''}"
            for chat in self.chats.values() for m in chat.messages.values()
        )  # fmt: skip
