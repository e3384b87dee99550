"""Commands that are no kind of job, on Telegram: what they say, with their pictures, and their buttons."""

from __future__ import annotations

from dataclasses import replace

import structlog
from telegram.error import BadRequest

from frontdesk.bots.on_telegram_counter import Counter, Turn
from frontdesk.bots.on_telegram_delivery import Sender
from frontdesk.bots.on_telegram_intake import Pressed, Said
from frontdesk.bots.on_telegram_render import render
from frontdesk.bots.on_telegram_uploads import Laden, TooLargeError, album, laden
from frontdesk.bots.own_commands import OwnCommand, OwnCommands, typed
from frontdesk.bots.own_commands import Said as Answer
from frontdesk.bots.packing import pictured
from frontdesk.bots.parcels import Room
from frontdesk.bots.replies import Reply
from frontdesk.bots.variants import Again
from frontdesk.queue.artifacts import ArtifactStore
from frontdesk.queue.errors import ForgottenAnswerError
from frontdesk.queue.jobs import ReplyAddress

log = structlog.get_logger()


class OwnAnswers:
    """`room`: what Telegram takes. Raises what `Counter` raises."""

    def __init__(
        self, own: OwnCommands, counter: Counter, sender: Sender, store: ArtifactStore | None, room: Room
    ) -> None:
        self._own = own
        self._counter = counter
        self._sender = sender
        self._store = store
        self._room = room

    async def said(self, turn: Turn, said: Said, own: OwnCommand) -> None:
        given = typed(own, said.text)
        if own.secret and not await self._counter.can_aside(turn):
            return
        await self._answer(turn, await own.answer(turn.person, given), secret=own.secret, reached=own.secret)

    async def pressed(self, turn: Turn, press: Pressed) -> None:
        """What is said takes the place of the message, unless it is secret and others read there."""
        name, _, data = press.rest.partition(":")
        own = self._own.get(name)
        if own is None or own.press is None:
            raise ForgottenAnswerError
        await self._answer(turn, await own.press(turn.person, data), secret=own.secret)

    async def _answer(self, turn: Turn, answer: Answer, *, secret: bool, reached: bool = False) -> None:
        """reached: it is known that the person can be told something aside."""
        if isinstance(answer, Again):
            at, update = turn.place.address, turn.act.update
            await self._counter.submit(turn, answer.kind, answer.raw, private=answer.private, update=update, at=at)
            return
        if turn.place.private or not (secret or answer.secret):
            await self._show(turn, answer, turn.place.address)
        elif reached or await self._counter.can_aside(turn):
            await self._show(turn, answer, self._counter.aside(turn), aside=True)
            await self._counter.say_aside(turn)

    async def _show(self, turn: Turn, answer: Reply, at: ReplyAddress, *, aside: bool = False) -> None:
        over = turn.act if isinstance(turn.act, Pressed) and not aside else None
        if not aside:
            await self._counter.acknowledge(turn)
        async with pictured(self._store, answer) as reply:
            if reply.album and over is None and len(pictures := album(reply)) > 1:
                await self._sender.send_album(at, pictures)
                reply = _without_pictures(reply)
            drawn = laden(_first_picture(reply), "", self._room)
            if over is None:
                await self._post(at, reply, drawn)
            elif over.pictured and drawn.head.media is None:  # the old picture would stay above the new words
                await self._post(at.model_copy(update={"reply_to": None}), reply, drawn)
                await self._sender.take_back(turn.place.chat, turn.place.message)
            else:
                await self._post(at.model_copy(update={"message": str(turn.place.message)}), reply, drawn)

    async def _post(self, at: ReplyAddress, reply: Reply, drawn: Laden) -> None:
        try:
            await self._sender.post(at, drawn.head)
        except (TooLargeError, BadRequest) as error:
            if drawn.head.media is None:
                raise
            log.info("telegram does not show a picture", reason=type(error).__name__)
            await self._sender.post(at, render(_without_pictures(reply)))
        if drawn.documents:
            await self._sender.send_files(at.model_copy(update={"message": None}), drawn.documents)


def _first_picture(reply: Reply) -> Reply:
    """A message has room for one picture."""
    shown = next((parcel for parcel in reply.parcels if parcel.attachment.role != "file"), None)
    kept = (parcel for parcel in reply.parcels if parcel is shown or parcel.attachment.role == "file")
    return replace(reply, parcels=tuple(kept))


def _without_pictures(reply: Reply) -> Reply:
    return replace(reply, parcels=tuple(each for each in reply.parcels if each.attachment.role == "file"))
