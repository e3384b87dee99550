"""What one person types at a console, and what the desk answers. Knows no terminal."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import structlog

from frontdesk.bots.admin_words import told
from frontdesk.bots.administration import Administration
from frontdesk.bots.desk import Desk
from frontdesk.bots.incoming import Given, read_local
from frontdesk.bots.intake import Request
from frontdesk.bots.job_replies import asked_for
from frontdesk.bots.on_console_uploads import with_local
from frontdesk.bots.own_commands import OwnCommands, help_on, typed
from frontdesk.bots.parsing import PRIVATE, bounds, missing, parse_arguments, split_private, validate
from frontdesk.bots.people import Person
from frontdesk.bots.replies import (
    Button,
    Code,
    Foreign,
    Reply,
    Span,
    Strong,
    cancel_reply,
    help_reply,
    line,
    refusal_reply,
    say,
    unexpected_reply,
)
from frontdesk.bots.status_replies import queue_reply, status_reply
from frontdesk.bots.top_replies import top_of
from frontdesk.bots.variants import Again, again
from frontdesk.queue.errors import ForgottenAnswerError, InvalidRequestError, NotAllowedError, UserError
from frontdesk.queue.jobs import ReplyAddress, Ticket
from frontdesk.queue.kinds import AnyKind
from frontdesk.queue.parameters import Parameter

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Accepted:
    """A job was queued."""

    kind: AnyKind
    ticket: Ticket


@dataclass(frozen=True, slots=True)
class Wanting:
    """Something is missing: `question` asks for `parameter`, and `Conversation.fill` takes what is typed."""

    kind: AnyKind
    raw: Mapping[str, Given]
    parameter: Parameter
    question: Reply


Answer: TypeAlias = Reply | Accepted | Wanting


class Conversation:
    """One person at the desk. `channel` tells the front ends of a console apart: a chat, a demonstration."""

    def __init__(
        self, desk: Desk, person: Person, *, channel: str, default_kind: str, own: OwnCommands | None = None
    ) -> None:
        self.person = person
        self._own = own or {}
        self._buttons: tuple[Button, ...] = ()
        self._desk = desk
        self._channel = channel
        self._default = default_kind
        self._commands: dict[str, Callable[[str], Awaitable[Answer]]] = {
            "help": self._help,
            "start": self._help,
            "jobs": self._jobs,
            "cancel": self._cancel,
            "top": self._top,
            "status": self._status,
            "queue": self._queue,
            "admin": self._admin,
            "again": self._again,
        }

    async def take(self, text: str) -> Answer:
        """Answer a line: a command, or the text for the default kind. Never raises what a user may see."""
        return await self._guarded(self._take(text.strip()))

    async def fill(self, wanting: Wanting, text: str) -> Answer:
        """Go on with a request, now that its question is answered."""
        raw = {**wanting.raw, wanting.parameter.name: text}
        return await self._guarded(self._complete(wanting.kind, raw, asked=wanting.parameter))

    async def _guarded(self, answering: Awaitable[Answer]) -> Answer:
        try:
            return await answering
        except UserError as error:
            return refusal_reply(error, self._desk.clock())
        except Exception:
            log.exception("a line could not be answered")
            return unexpected_reply()

    async def _take(self, text: str) -> Answer:
        if not text.startswith("/"):
            kind = self._desk.kinds[self._default]
            if kind.subject is None:
                return await self._complete(kind, parse_arguments(kind, text))
            return await self._complete(kind, {kind.subject.name: text})
        name, rest = (*text[1:].split(maxsplit=1), "", "")[:2]
        if command := self._commands.get(name.lower()):
            return await command(rest.strip())
        if own := self._own.get(name.lower()):
            return await self._said(await own.answer(self.person, typed(own, rest)))
        if name.isdecimal():
            return await self._press(int(name))
        if name.lower() not in self._desk.kinds:
            return say("There is no command ", Code(f"/{name[:32]}"), ". ", Code("/help"), " lists them.")
        kind = self._desk.kinds[name.lower()]
        return await self._complete(kind, parse_arguments(kind, rest))

    async def _complete(self, kind: AnyKind, raw: Mapping[str, Given], asked: Parameter | None = None) -> Answer:
        """Submit the request, or ask for what it lacks. `asked`: what was just asked for, and may be wrong."""
        typed, private = split_private(raw)
        if lacking := missing(kind, typed):
            return _question(kind, typed, lacking[0])
        try:
            own = with_local(kind, typed)
            validate(kind, own)
        except InvalidRequestError as error:
            if asked is None or asked.name not in {problem.parameter for problem in error.problems}:
                raise
            kept = {name: value for name, value in typed.items() if name != asked.name}
            return _question(kind, kept, asked, error)
        user = self.person.requester.user
        request = Request(
            person=self.person,
            kind=kind.name,
            raw=own,
            reply=ReplyAddress(platform="console", channel=self._channel, user=user, private=private),
            update=f"console:{secrets.token_hex(12)}",
            private=private,
            fetch=read_local,
        )
        return Accepted(kind, await self._desk.submit(request))

    async def _said(self, said: Reply | Again) -> Answer:
        if isinstance(said, Again):
            return await self._complete(said.kind, {**said.raw, PRIVATE.name: said.private})
        self._buttons = tuple(button for button in said.buttons if button.action == "own")
        return with_numbers(said, self._buttons)

    async def _press(self, number: int) -> Answer:
        """`/2`: the second button below the last answer that had some."""
        if not 1 <= number <= len(self._buttons):
            raise ForgottenAnswerError
        button = self._buttons[number - 1]
        own = self._own.get(button.target)
        if own is None or own.press is None:
            raise ForgottenAnswerError
        return await self._said(await own.press(self.person, str(button.detail)))

    async def _help(self, rest: str) -> Reply:
        more = {each.name: each.summary for each in self._own.values()}
        admin = self._desk.is_admin(self.person)
        listed = help_reply(self._desk.kinds, admin=admin, default=self._default, more=more)
        return help_on(self._desk.kinds, self._own, rest, listed)

    async def _jobs(self, rest: str) -> Reply:
        return with_commands((await asked_for(self._desk, self.person, rest))[0])

    async def _again(self, rest: str) -> Answer:
        """`/again JOB NUMBER`: what a button below that job's answer would ask for; a new text may follow."""
        job_id, number, text = (*rest.split(maxsplit=2), "", "", "")[:3]
        if not number.isdecimal():
            return say("Say which: ", Code("/again JOB NUMBER"), ", as it stands below an answer.")
        update = f"console:{secrets.token_hex(12)}"
        wanted = await again(self._desk, self.person, job_id.lower(), int(number) - 1, update)
        raw: dict[str, Given] = {**wanted.raw, PRIVATE.name: wanted.private}
        if wanted.edit is None:
            return await self._complete(wanted.kind, raw)
        if text:
            return await self._complete(wanted.kind, {**raw, wanted.edit.name: text})
        kept = {name: value for name, value in raw.items() if name != wanted.edit.name}
        asked = _question(wanted.kind, kept, wanted.edit)
        was = line("It was: ", Foreign(wanted.text))
        return Wanting(asked.kind, kept, wanted.edit, Reply((*asked.question.blocks, was)))

    async def _cancel(self, rest: str) -> Reply:
        if not rest:
            return say("Say which: ", Code("/cancel ID"), ". ", Code("/jobs"), " lists yours.")
        return cancel_reply(rest[:32], await self._desk.cancel(self.person, rest))

    async def _top(self, rest: str) -> Reply:
        return await top_of(self._desk, self.person, rest)

    async def _status(self, rest: str) -> Reply:
        return status_reply(await self._desk.status())

    async def _queue(self, rest: str) -> Reply:
        if not self._desk.is_admin(self.person):
            raise NotAllowedError
        return queue_reply(await self._desk.queue(self.person), self._desk.clock())

    async def _admin(self, rest: str) -> Reply:
        return await told(Administration(self._desk), self.person, rest)


def with_numbers(reply: Reply, buttons: Sequence[Button]) -> Reply:
    """The reply with a line for its buttons: a slash and a button's number press it."""
    spans: list[Span | str] = []
    for number, button in enumerate(buttons, 1):
        label = "" if button.label == str(number) else f" {button.label}"
        spans += ["  " if spans else "", Code(f"/{number}"), label]
    return replace(reply, blocks=(*reply.blocks, line(*spans))) if spans else reply


def with_commands(reply: Reply) -> Reply:
    """The reply with a line for each button below an answer, which says what to type."""
    typed = [
        line(Code(f"/again {button.target} {button.detail + 1}"), f" {button.label}")
        for button in reply.buttons
        if button.action == "again" and isinstance(button.detail, int)
    ]
    return replace(reply, blocks=(*reply.blocks, *typed))


def _question(
    kind: AnyKind, raw: Mapping[str, Given], parameter: Parameter, problem: InvalidRequestError | None = None
) -> Wanting:
    head = [line(Foreign(str(problem)))] if problem else []
    asks = line(Strong(kind.name), f": {parameter.description} ({bounds(parameter)})")
    return Wanting(kind, raw, parameter, Reply((*head, asks)))
