"""The Telegram side of one act of one person: showing replies, and submitting a job with its ticket."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing, suppress
from dataclasses import dataclass, replace
from typing import Final

from telegram import InlineKeyboardButton, InlineKeyboardMarkup, User
from telegram.error import TelegramError

from frontdesk.bots.courier import Courier
from frontdesk.bots.desk import Desk
from frontdesk.bots.incoming import Given, IncomingFile
from frontdesk.bots.intake import Request
from frontdesk.bots.on_telegram_delivery import Sender
from frontdesk.bots.on_telegram_fetching import fetch
from frontdesk.bots.on_telegram_intake import Place, Pressed, Said
from frontdesk.bots.on_telegram_render import Rendered, render
from frontdesk.bots.people import Person
from frontdesk.bots.replies import say, ticket_reply
from frontdesk.queue.errors import DeskClosedError
from frontdesk.queue.jobs import ReplyAddress
from frontdesk.queue.kinds import AnyKind

ASIDE: Final = "That one is private: I show it in our private chat."
FROM_GROUP: Final = "private"  # what the Start button of a group's message sends along


@dataclass(frozen=True)
class Turn:
    """One act of one person. `settled` is called once nothing of it can be lost any more; `put_off` where that will
    take its time, so that the next one can come meanwhile."""

    act: Said | Pressed
    settled: Callable[[], None]
    put_off: Callable[[], Awaitable[None]]

    @property
    def place(self) -> Place:
        return self.act.place

    @property
    def person(self) -> Person:
        return Person(self.act.place.requester)


class Counter:
    """Where people and desk meet. Raises UserError, UndeliverableError and TryLaterError."""

    def __init__(self, desk: Desk, courier: Courier, sender: Sender, me: User) -> None:
        self._desk = desk
        self._courier = courier
        self._sender = sender
        self._me = me

    async def show(self, turn: Turn, drawn: Rendered, at: ReplyAddress | None = None) -> int:
        """Reply to the person's message, or at an address. Returns the message's id."""
        await self.acknowledge(turn)
        return await self._sender.post(at or turn.place.address, drawn)

    async def show_aside(self, turn: Turn, drawn: Rendered) -> None:
        """Show what is for the person alone: from a group it goes to the private chat, if they have opened it."""
        if turn.place.private:
            await self.show(turn, drawn)
        elif await self.can_aside(turn):
            await self._sender.post(self.aside(turn), drawn)
            await self.say_aside(turn)

    async def can_aside(self, turn: Turn) -> bool:
        """Whether the person can be told something that is theirs alone; if not, they are asked to see to it."""
        if turn.place.private or await self._sender.reachable(turn.place.user):
            return True
        await self.show(turn, self._please_start())
        return False

    def aside(self, turn: Turn) -> ReplyAddress:
        """Their private chat."""
        return turn.place.address if turn.place.private else _to_person(turn.place)

    async def say_aside(self, turn: Turn) -> None:
        """Point a group's member at their private chat."""
        if isinstance(turn.act, Pressed):
            await self.acknowledge(turn, ASIDE)
        else:
            await self.show(turn, render(say(ASIDE)))

    async def acknowledge(self, turn: Turn, text: str | None = None, *, alert: bool = False) -> None:
        """The act is dealt with: let the next one come, and stop the spinner of a pressed button."""
        turn.settled()
        if isinstance(turn.act, Pressed):
            with suppress(TelegramError):  # too late, or twice
                await self._sender.bot.answer_callback_query(turn.act.query, text, show_alert=alert)

    async def submit(
        self, turn: Turn, kind: AnyKind, raw: Mapping[str, Given], *, private: bool, update: int, at: ReplyAddress
    ) -> None:
        """Queue a job, show its ticket at an address, and tell the desk where it stands.

        A private answer to a question from a group goes to the private chat, if the person has opened it.
        """
        aside = private and not turn.place.private
        if aside and not await self._sender.reachable(turn.place.user):
            await self.show(turn, self._please_start(), at)
            return
        ticket_at = _to_person(turn.place) if aside else at
        answer_at = ticket_at.model_copy(update={"message": None})
        key = f"telegram:{self._me.id}:{update}"

        async def fetched(file: IncomingFile) -> AsyncGenerator[bytes, None]:
            await turn.put_off()
            async with aclosing(fetch(self._sender.bot, file)) as pieces:
                async for piece in pieces:
                    yield piece

        async with self._courier.placing(answer_at.channel, key) as shown:
            ticket = await self._desk.submit(Request(turn.person, kind.name, raw, answer_at, key, private, fetched))
            turn.settled()
            if ticket.repeated and ticket.placed:
                return
            message = await self.show(turn, render(ticket_reply(kind, ticket)), ticket_at)
            shown(ticket)
            with suppress(DeskClosedError):  # the answer then comes as a message of its own
                await self._desk.placed(ticket.job_id, answer_at.model_copy(update={"message": str(message)}))
        if aside:
            await self._sender.post(at, render(say("The answer comes to our private chat.")))

    def _please_start(self) -> Rendered:
        drawn = render(say("To answer you in private I need you to press Start in our private chat. Then ask again."))
        button = InlineKeyboardButton("Open our chat", url=f"https://t.me/{self._me.username}?start={FROM_GROUP}")
        return replace(drawn, keyboard=InlineKeyboardMarkup([[button]]))


def _to_person(place: Place) -> ReplyAddress:
    return ReplyAddress(platform="telegram", channel=str(place.user), user=str(place.user), private=True)
