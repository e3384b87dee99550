"""`frontdesk ask`: submit one job, wait, print its answer, and say in the exit status how it went."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Iterable, Mapping
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Any, Protocol

from frontdesk.bots.courier import DELIVERED
from frontdesk.bots.incoming import Sent, read_local
from frontdesk.bots.intake import Request
from frontdesk.bots.main import Premises
from frontdesk.bots.on_console import BACK_SENTENCE, LOST_SENTENCE, NO_WORKER, login, person, progress_shown
from frontdesk.bots.on_console_files import with_files
from frontdesk.bots.on_console_render import Screen
from frontdesk.bots.on_console_uploads import with_local
from frontdesk.bots.parsing import split_private
from frontdesk.bots.replies import Reply, outcome_reply, refusal_reply, say, ticket_reply
from frontdesk.bots.waiting import waiting
from frontdesk.queue.connection import LOST
from frontdesk.queue.errors import DeskClosedError, InvalidRequestError, LimitedError, Problem, UserError
from frontdesk.queue.jobs import ReplyAddress
from frontdesk.queue.kinds import AnyKind
from frontdesk.queue.parameters import Parameter, Value

STDIN = "-"
FROM_FILE = "@"


class Exit(IntEnum):
    """The exit statuses of the commands for scripts."""

    DONE = 0
    FAILED = 1
    REFUSED = 2
    UNREACHABLE = 3


@dataclass(frozen=True, slots=True)
class Answer:
    """What `--json` prints. `status` is an outcome's, or refused, closed or timeout; times in seconds; `files` are the
    paths of the answer's files."""

    kind: str
    status: str
    job: str | None = None
    result: Mapping[str, Any] | None = None
    reason: str | None = None
    retry_after: float | None = None
    seconds: float | None = None
    files: tuple[str, ...] = ()

    @property
    def exit(self) -> Exit:
        return {
            "done": Exit.DONE,
            "refused": Exit.REFUSED,
            "closed": Exit.UNREACHABLE,
            "timeout": Exit.UNREACHABLE,
        }.get(self.status, Exit.FAILED)

    def json(self) -> str:
        return json.dumps({name: getattr(self, name) for name in self.__slots__})


async def ask(
    front: Premises,
    name: str,
    words: Iterable[str],
    *,
    piped: bytes = b"",
    within: float | None,
    as_json: bool,
    out: Screen,
    err: Screen,
    folder: Path | None = None,
) -> Exit:
    """Ask for one job of a kind and wait up to `within` seconds; a job given up is cancelled.

    `words` and `piped`, the standard input, are read by `arguments`. The answer goes to `out`, all else to `err`,
    and its files to `folder`, or to the current one.
    """
    try:
        kind = front.kinds[name]
        answer, reply = await _answered(
            front, kind, _request(kind, arguments(kind, words, piped)), within, err, folder or Path()
        )
    except UserError as error:
        answer, reply = _refused(name, error), refusal_reply(error, front.desk.clock())
    return told(answer, reply, as_json=as_json, out=out, err=err)


def told(answer: Answer, reply: Reply, *, as_json: bool, out: Screen, err: Screen) -> Exit:
    """Print it: as JSON, or an answer to `out` and a refusal to `err`."""
    if as_json:
        out.console.out(answer.json(), highlight=False)
    else:
        (err if answer.exit in (Exit.REFUSED, Exit.UNREACHABLE) else out).show(reply)
    return answer.exit


def _request(kind: AnyKind, given: Mapping[str, Sent]) -> Request:
    raw, private = split_private(given)
    return Request(
        person=person(login()),
        kind=kind.name,
        raw=with_local(kind, raw),
        reply=ReplyAddress(platform="console", channel="ask", user=login(), private=private),
        update=f"console:{secrets.token_hex(12)}",
        private=private,
        fetch=read_local,
    )


async def _answered(
    front: Premises, kind: AnyKind, request: Request, within: float | None, err: Screen, folder: Path
) -> tuple[Answer, Reply]:
    """Submit and wait. Whoever leaves before the end, by Ctrl-C or for lack of time, takes the job back."""
    async with waiting(front, lambda lost: err.say(LOST_SENTENCE if lost else BACK_SENTENCE)) as waiter:
        ticket = await front.desk.submit(request)
        job_id = ticket.job_id
        if err.live:
            err.show(ticket_reply(kind, ticket))
        if ticket.unserved:
            err.say(f"{NO_WORKER} Waiting for one.")
        elif ticket.lacking and not err.live:
            err.show(ticket_reply(kind, ticket))
        try:
            with progress_shown(err, kind) if err.live else nullcontext(lambda progress: None) as news:
                async with asyncio.timeout(within):
                    outcome = await waiter.outcome(job_id, news)
        except (TimeoutError, asyncio.CancelledError) as error:
            with suppress(UserError):
                await front.desk.cancel(request.person, job_id)
            if isinstance(error, asyncio.CancelledError):
                raise
            reason = f"There was no answer within {within:g} s; {job_id} was cancelled."
            return Answer(kind.name, "timeout", job_id, reason=reason), say(reason)
    reply, files = await with_files(
        outcome_reply(kind, job_id, outcome, known=ticket.answered), job_id, front.store, folder
    )
    with suppress(*LOST):
        await front.broker.set_delivery(job_id, DELIVERED)
    answer = Answer(
        kind=kind.name,
        status=outcome.status,
        job=job_id,
        result=outcome.result,
        reason=outcome.reason,
        seconds=round(outcome.seconds, 3),
        files=tuple(map(str, files)),
    )
    return answer, reply


def _refused(kind: str, error: UserError) -> Answer:
    return Answer(
        kind=kind,
        status="closed" if isinstance(error, DeskClosedError) else "refused",
        reason=str(error),
        retry_after=error.retry_after if isinstance(error, LimitedError) else None,
    )


def reads_stdin(words: Iterable[str]) -> bool:
    return any(word == STDIN or word.endswith(f"={STDIN}") for word in words)


class Asked(Protocol):
    """A kind, as far as it can be typed."""

    @property
    def name(self) -> str: ...
    @property
    def parameters(self) -> tuple[Parameter, ...]: ...
    @property
    def subject(self) -> Parameter | None: ...


def arguments(kind: Asked, words: Iterable[str], piped: bytes = b"") -> dict[str, Value]:
    """`name=value` words as raw parameters; a word without a name is the kind's subject.

    A text's value may be `-` for standard input (`piped`) or `@file`; `@@` begins one that really begins with @. A
    file's value is its path.
    Raises InvalidRequestError.
    """
    texts = {parameter.name for parameter in kind.parameters if parameter.type == "text"}
    known = {parameter.name for parameter in kind.parameters} | {"private"}
    raw: dict[str, Value] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or (kind.subject and not name.isidentifier()):
            name, value = kind.subject.name if kind.subject else "", word
        if name not in known:
            takes = ", ".join(sorted(known))
            raise InvalidRequestError([Problem("", f"{kind.name} has no option {name[:32]!r}. It takes: {takes}.")])
        if name in raw:
            raise InvalidRequestError([Problem(name, "is given twice; put a text with spaces in quotes.")])
        raw[name] = _content(name, value, piped) if name in texts else value
    return raw


def _content(name: str, value: str, piped: bytes) -> str:
    if value.startswith(FROM_FILE * 2):
        return value[1:]
    try:
        if value == STDIN:
            return piped.decode("utf-8-sig")
        if value.startswith(FROM_FILE):
            return Path(value[1:]).read_text("utf-8-sig")
    except OSError as error:
        raise InvalidRequestError([Problem(name, f"{value[1:]} cannot be read: {error.strerror}.")]) from None
    except UnicodeDecodeError:
        raise InvalidRequestError([Problem(name, f"{value} is not text in UTF-8.")]) from None
    return value
