"""The people of a run of chaos, on the stand-ins of both platforms, and the platforms' bad moments."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

from aiohttp import web
from chaos_plan import Ask, Trouble
from standin_discord import COMMAND, Discord, RefusedError
from standin_discord_rest import Fault, Handler, Rest
from standin_discord_state import State
from standin_telegram import TelegramStandIn
from standin_telegram_model import Fault as TelegramFault
from standin_telegram_model import Message

LOOKS_OUT = 5.0  # seconds for which somebody who means to cancel looks out for a ticket


class RoughRest(Rest):
    """Discord's REST, which can also lose an answer after the request had its effect."""

    def __init__(self, state: State) -> None:
        super().__init__(state)
        self.cuts: list[Fault] = []

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        answer = await super().middleware(request, handler)
        cut = next((each for each in self.cuts if each.times), None)
        if cut is not None and not request.path.startswith("/gateway") and request.transport is not None:
            cut.times -= 1
            request.transport.abort()
        return answer


class Crowd:
    """Who asks, and what happened to their platforms. `counts` says how often."""

    def __init__(self, telegram: TelegramStandIn, discord: Discord, rest: RoughRest, users: int) -> None:
        self.telegram = telegram
        self.discord = discord
        self.counts: Counter[str] = Counter()
        self._rest = rest
        self._group = telegram.group()
        self._on_telegram = [telegram.person(f"person{number}") for number in range(users)]
        self._on_discord = [discord.user(f"person{number}") for number in range(users)]

    async def ask(self, ask: Ask) -> None:
        """One person's request, and what they do after it. What cannot be asked just now is counted and let be."""
        try:
            await (self._on_telegrams_side(ask) if ask.platform == "telegram" else self._on_discords_side(ask))
        except (ConnectionError, RefusedError):
            self.counts["not asked: Discord's gateway was down"] += 1

    async def _on_telegrams_side(self, ask: Ask) -> None:
        telegram = self.telegram
        blocks = ask.then == "block"
        person = telegram.person(f"passer{ask.number}") if blocks else self._on_telegram[ask.person]
        chat = telegram.private(person) if ask.alone or blocks else self._group
        said = await telegram.say(person, f"/write {ask.prompt}", chat)
        self.counts["asked on telegram"] += 1
        if blocks:
            await asyncio.sleep(ask.runs * 4)
            person.blocks_bot = True
            self.counts["blocked the bot"] += 1
        if ask.then == "cancel":
            await self._press_cancel(ask, said)
        if ask.again is not None:
            await asyncio.sleep(ask.again)
            for number, update in list(telegram.confirmed.items()):
                if update.get("message", {}).get("message_id") == said.id:
                    await telegram.repeat(number)
                    self.counts["updates repeated"] += 1

    async def _press_cancel(self, ask: Ask, said: Message) -> None:
        def tickets() -> list[Message]:
            return [each for each in said.chat.messages.values() if each.reply_to is said and "Cancel" in each.buttons]

        with suppress(TimeoutError):  # no ticket came, or an answer at once
            async with asyncio.timeout(LOOKS_OUT):
                await self.telegram.until(tickets)
        for ticket in tickets():
            await self.telegram.press(self._on_telegram[ask.person], ticket, "Cancel")
            self.counts["pressed Cancel"] += 1

    async def _on_discords_side(self, ask: Ask) -> None:
        discord, person = self.discord, self._on_discord[ask.person]
        if not discord.gateway.connected:
            self.counts["not asked: Discord's gateway was down"] += 1
            return
        asked = await discord.slash(person, "write", discord.dm(person) if ask.alone else None, prompt=ask.prompt)
        self.counts["asked on discord"] += 1
        if ask.then == "cancel":
            with suppress(AssertionError):  # no ticket came, or an answer at once
                await discord.until(lambda: asked.message is not None and asked.message.buttons, LOOKS_OUT)
                await discord.click(person, asked.shown, "Cancel")
                self.counts["pressed Cancel"] += 1
        if ask.again is not None:
            await asyncio.sleep(ask.again)
            await discord.repeat(asked)
            self.counts["updates repeated"] += 1

    async def suffer(self, trouble: Trouble) -> None:
        """Let the platform's next answers go wrong, for a while."""
        name = f"{trouble.platform}: {trouble.sort}"
        if trouble.sort == "gateway":
            self.counts[name] += 1
            with suppress(ConnectionError):  # it is going down just now
                await self.discord.gateway.drop(4000)
            return
        fault = self._fail(trouble)
        await asyncio.sleep(trouble.lasts)
        left, fault.times = fault.times, 0
        self.counts[name] += trouble.times - left

    def _fail(self, trouble: Trouble) -> TelegramFault | Fault:
        if trouble.platform == "telegram":
            answers: dict[str, dict[str, Any]] = {
                "429": {"status": 429, "description": "Too Many Requests", "retry_after": max(1, round(trouble.pause))},
                "500": {"status": 500},
                "cut before": {"cut": "before"},
                "cut after": {"cut": "after"},
            }
            self.telegram.fail(".*", times=trouble.times, **answers[trouble.sort])
            return self.telegram._faults[-1]
        if trouble.sort == "cut after":
            self._rest.cuts.append(Fault("", 0, trouble.times))
            return self._rest.cuts[-1]
        status = {"429": 429, "500": 500, "cut before": 0}[trouble.sort]
        self.discord.fail("", status, times=trouble.times, retry_after=trouble.pause)
        return self.discord.rest.faults[-1]

    def unanswered(self) -> Counter[str]:
        """Requests that nothing was said to, by platform. On Discord the person's client says itself that the bot did
        not respond, at once or, where it had acknowledged the request, after 15 minutes."""
        found: Counter[str] = Counter()
        for chat in self.telegram.chats.values():
            answered = {id(each.reply_to) for each in chat.messages.values() if each.sender is None}
            for said in chat.messages.values():
                if said.sender is not None and not said.sender.blocks_bot and id(said) not in answered:
                    found["telegram"] += 1
        for asked in self.discord.interactions.values():
            if asked.payload["type"] == COMMAND and asked.state in ("sent", "thinking"):
                found["discord, not acknowledged" if asked.state == "sent" else "discord, acknowledged"] += 1
        return found


@asynccontextmanager
async def crowd(users: int) -> AsyncIterator[Crowd]:
    """Both platforms open, Discord's clock going like everybody's."""
    discord = Discord()
    rest = discord.rest = RoughRest(discord)
    async with TelegramStandIn.open() as telegram, discord:
        ticking = asyncio.create_task(_tick(discord))
        try:
            yield Crowd(telegram, discord, rest, users)
        finally:
            ticking.cancel()
    assert discord.rest.unhandled == []


async def _tick(discord: Discord) -> None:
    loop = asyncio.get_running_loop()
    offset = discord.now - loop.time()
    while True:
        discord.now = offset + loop.time()
        await asyncio.sleep(0.02)
