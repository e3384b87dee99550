"""Answers with files on Telegram: the ticket becomes the words with the picture, and the other files follow in a group.

The edit may be repeated; the group may not. So what was sent is noted with the job: a bot that was killed goes on where
the note says, and sends a group twice only if it died between Telegram's taking it and the note.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace
from typing import Final, Protocol

import structlog
from telegram.error import BadRequest, NetworkError

from frontdesk.bots.deliverer import TryLaterError, UndeliverableError
from frontdesk.bots.file_replies import left_out
from frontdesk.bots.on_telegram_delivery import Sender, not_sent
from frontdesk.bots.on_telegram_render import render
from frontdesk.bots.on_telegram_uploads import NARROW, Laden, TooLargeError, laden, upload_room
from frontdesk.bots.parcels import Room, Without
from frontdesk.bots.replies import Code, Reply, line
from frontdesk.queue.jobs import ReplyAddress

log = structlog.get_logger()

UPLOAD_TRIES: Final = 4  # of what is cut off while it is uploaded
# Telegram's words for a picture that it does not show.
NO_PICTURE = re.compile(r"photo|image|animation|video|media|wrong (?:file|type)|too big|non-empty", re.IGNORECASE)
NOTE = re.compile(r"(\d+) (picture|words)( files)?")


class Notes(Protocol):
    """What is remembered of a delivery, beside the job. Both raise what Redis being away raises."""

    async def sent(self, job_id: str) -> str | None: ...
    async def set_sent(self, job_id: str, note: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Sent:
    """`message` has the words, with the picture or without; `files`: the others were sent, or told of."""

    message: int
    picture: bool
    files: bool = False

    def __str__(self) -> str:
        return f"{self.message} {'picture' if self.picture else 'words'}{' files' if self.files else ''}"


class ParcelPost:
    """Delivers answers that have files. `room`: what Telegram takes."""

    def __init__(self, sender: Sender, notes: Notes, room: Room) -> None:
        self._sender = sender
        self._notes = notes
        self._room = room
        self._sent: dict[str, Sent] = {}  # by job: until Redis knows of it and all is sent
        self._cut: Counter[str] = Counter()  # by job: uploads that were cut off

    async def deliver(self, address: ReplyAddress, job_id: str, reply: Reply) -> tuple[int, bool]:
        """Do what is not done yet. The message that has the words, and whether others came after it.

        Raises UndeliverableError, TryLaterError, and what Redis being away raises.
        """
        try:
            message, followed = await self._deliver(address, job_id, reply)
        except UndeliverableError:
            self._forget(job_id)
            raise
        self._forget(job_id)
        return message, followed

    def _forget(self, job_id: str) -> None:
        self._sent.pop(job_id, None)
        self._cut.pop(job_id, None)

    async def _deliver(self, address: ReplyAddress, job_id: str, reply: Reply) -> tuple[int, bool]:
        sent = self._sent.get(job_id) or _read(await self._notes.sent(job_id))
        if sent is None:
            sent, answer = await self._show(address, job_id, reply)
            if answer.documents:
                await self._note(job_id, sent)
        else:
            await self._note(job_id, sent)
            answer = laden(reply, job_id, self._room, inline=sent.picture)
        if answer.documents and not sent.files:
            await self._send_others(address, job_id, reply, sent, answer)
            await self._note(job_id, replace(sent, files=True))
        return sent.message, bool(answer.documents)

    async def _show(self, address: ReplyAddress, job_id: str, reply: Reply) -> tuple[Sent, Laden]:
        """The words with the picture; where Telegram will not show it, it follows as a file."""
        answer = laden(reply, job_id, self._room, inline=self._cut[job_id] < UPLOAD_TRIES)
        try:
            message = await self._sender.show(address, answer.head, mention=True)
        except TooLargeError:
            log.info("a picture is too large for telegram", job=job_id)
        except BadRequest as error:
            if answer.head.media is None or not NO_PICTURE.search(error.message):
                raise
            log.info("telegram does not show a picture", job=job_id, reason=error.message)
        except TryLaterError as later:
            self._count_cut(job_id, later)
            raise
        else:
            return Sent(message, answer.head.media is not None), answer
        answer = laden(reply, job_id, self._room, inline=False)
        return Sent(await self._sender.show(address, answer.head, mention=True), False), answer

    async def _send_others(self, address: ReplyAddress, job_id: str, reply: Reply, sent: Sent, answer: Laden) -> None:
        at = address.model_copy(update={"message": None, "reply_to": str(sent.message)})
        why: Without = "cut off"
        if self._cut[job_id] < 2 * UPLOAD_TRIES:
            try:
                await self._send_fitting(
                    at, job_id, answer, laden(reply, job_id, upload_room(NARROW), inline=sent.picture)
                )
            except TooLargeError:
                why = "too large"
            except BadRequest as error:
                log.warning("telegram refuses files", job=job_id, reason=error.message)
                why = "refused"
            except TryLaterError as later:
                self._count_cut(job_id, later)
                raise
            else:
                return
        lines = left_out(job_id, [parcel.left(why) for parcel in answer.parcels])
        if len(answer.documents) > len(answer.parcels):
            lines.append(line("The whole text is in ", Code(f"/jobs {job_id}"), "."))
        await self._sender.post(at, render(Reply(tuple(lines))))

    async def _send_fitting(self, at: ReplyAddress, job_id: str, answer: Laden, narrow: Laden) -> None:
        """The files; where they are too large after all, smaller versions of them, and words for what that changes."""
        try:
            await self._sender.send_files(at, answer.documents)
        except TooLargeError:
            if not narrow.documents or narrow.documents == answer.documents:
                raise
            await self._sender.send_files(at, narrow.documents)
            changed = [parcel for parcel in narrow.whole if parcel not in answer.whole]
            try:
                await self._sender.post(at, render(Reply(tuple(left_out(job_id, changed)))))
            except TryLaterError as later:  # trying all of it again would send the files twice
                log.warning("nobody was told of smaller files", job=job_id, reason=str(later))

    def _count_cut(self, job_id: str, later: TryLaterError) -> None:
        if isinstance(later.__cause__, NetworkError) and not not_sent(later.__cause__):
            self._cut[job_id] += 1

    async def _note(self, job_id: str, sent: Sent) -> None:
        self._sent[job_id] = sent
        await self._notes.set_sent(job_id, str(sent))


def _read(note: str | None) -> Sent | None:
    match = NOTE.fullmatch(note or "")
    return Sent(int(match[1]), match[2] == "picture", match[3] is not None) if match else None
