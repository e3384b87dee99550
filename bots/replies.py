"""What the desk says, as neutral parts: each front end draws them in its own way.

`Foreign` spans and `Quote` blocks hold what a user, a model or a plug-in wrote: a front end must never let them become
markup, a link preview, a command or a ping. Everything else is our own words.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from frontdesk.bots.parcels import Parcel
from frontdesk.bots.parsing import PRIVATE, bounds, usage
from frontdesk.queue.errors import LimitedError, UserError
from frontdesk.queue.jobs import JobRecord, Outcome, Progress, Ticket
from frontdesk.queue.kinds import AnyKind, Registry, result_of
from frontdesk.queue.results import MAX_VARIANTS, Attachment, Result
from frontdesk.queue.uploads import shown

NOTICED = 10.0  # seconds less than which nobody plans with
MAX_LABEL = 40  # of a button below an answer


@dataclass(frozen=True, slots=True)
class Plain:
    text: str


@dataclass(frozen=True, slots=True)
class Strong:
    text: str


@dataclass(frozen=True, slots=True)
class Code:
    """An id, a command, an option: to be read letter by letter, and copied."""

    text: str


@dataclass(frozen=True, slots=True)
class Foreign:
    text: str


@dataclass(frozen=True, slots=True)
class Moment:
    """A time to come: `at` in Unix seconds for platforms that count down themselves, `words` for the others."""

    at: float
    words: str


@dataclass(frozen=True, slots=True)
class Link:
    """An address of ours, behind words of ours where a platform can hide it."""

    text: str
    url: str


Span: TypeAlias = Plain | Strong | Code | Foreign | Moment | Link


@dataclass(frozen=True, slots=True)
class Line:
    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Quote:
    """A longer foreign text; long ones become a file. `name` is that file's name."""

    text: str
    name: str = "answer.txt"


@dataclass(frozen=True, slots=True)
class Rows:
    """Labels (ours) and values (foreign)."""

    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Table:
    """Columns of short words and figures of ours, in letters of one width. `more`: rows that are left out."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    more: int = 0


Block: TypeAlias = Line | Quote | Rows | Table


@dataclass(frozen=True, slots=True)
class Button:
    """`action`, `target` and `detail` come back when it is pressed: a job and the number of what to ask for again, or
    a command of our own and what it put there."""

    label: str
    action: Literal["cancel", "again", "own"]
    target: str
    detail: int | str | None = None

    @property
    def data(self) -> str:
        """What comes back, in at most 48 characters: platforms keep 64 bytes for a button."""
        return f"{self.action}:{self.target}" + ("" if self.detail is None else f":{self.detail}")


@dataclass(frozen=True, slots=True)
class Reply:
    """`attachments` are the answer's files in order; `parcels` the same once the courier has fetched them.

    In news of a job that runs, the only parcel is a picture of what there is so far; `picture_stays`: the ticket has
    one, which is left as it is.
    secret: it is for whoever asked alone. album: its pictures are there to be looked at side by side.
    """

    blocks: tuple[Block, ...]
    buttons: tuple[Button, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    parcels: tuple[Parcel, ...] = ()
    picture_stays: bool = False
    secret: bool = False
    album: bool = False


def line(*spans: Span | str) -> Line:
    """A line; bare strings are plain words of ours."""
    return Line(tuple(Plain(span) if isinstance(span, str) else span for span in spans))


def say(*spans: Span | str) -> Reply:
    return Reply((line(*spans),))


def as_text(reply: Reply) -> str:
    """All of a reply as bare text, for files and small notices. Foreign text is in it as it came."""
    return "\n".join(_block_as_text(block) for block in reply.blocks)


def _block_as_text(block: Block) -> str:
    if isinstance(block, Line):
        return "".join(span_as_text(span) for span in block.spans)
    if isinstance(block, Table):
        return f"{block.title}\n{table_as_text(block)}"
    return block.text if isinstance(block, Quote) else rows_as_text(block)


def span_as_text(span: Span) -> str:
    if isinstance(span, Link):
        return f"{span.text}: {span.url}"
    return span.words if isinstance(span, Moment) else span.text


def rows_as_text(block: Rows) -> str:
    return "\n".join(f"{label}: {value}" for label, value in block.rows)


def table_as_text(block: Table, most: float = math.inf) -> str:
    """Without the title. In columns, every one but the last flush right; rows beyond `most` characters are counted with
    those left out.
    """
    widths = [max(map(len, column)) for column in zip(block.columns, *block.rows, strict=True)]
    lines: list[str] = []
    for row in (block.columns, *block.rows):
        *cells, last = (cell.rjust(width) for cell, width in zip(row, widths, strict=True))
        lines.append("  ".join((*cells, last.strip())).rstrip())
    while len(lines) > 1 and sum(map(len, lines)) + len(lines) + len("and 12345 more") > most:
        lines.pop()
    more = block.more + 1 + len(block.rows) - len(lines)
    return "\n".join([*lines, f"and {more} more"] if more else lines)


def duration(seconds: float) -> str:
    """ "40 s", "3 min", "1 h 20 min", "2 days": rounded up, so that who waits as long is never too early."""
    whole = max(1, int(-(-seconds // 1)))
    if whole < 90:
        return f"{whole} s"
    minutes = -(-whole // 60)
    if minutes < 60:
        return f"{minutes} min"
    if minutes < 48 * 60:
        hours, left = divmod(minutes, 60)
        return f"{hours} h {left} min" if left else f"{hours} h"
    return f"{-(-minutes // 1440)} days"


def ticket_reply(kind: AnyKind, ticket: Ticket, *, kills: int = 0) -> Reply:
    """Accepted: the job's id, its position, the expected wait, and a way out. `kills`: workers that it stopped."""
    lines = [line(Strong(kind.name), " ", Code(ticket.job_id), f": {standing(ticket, kills=kills)}")]
    if ticket.lacking and ticket.position:
        lines.append(line(Foreign(ticket.lacking)))
    return Reply(tuple(lines), (cancel_button(ticket.job_id),))


def standing(ticket: Ticket, *, kills: int = 0) -> str:
    """Where a job stands, as the end of a sentence. `kills` as of `ticket_reply`."""
    again = "its worker stopped; it waits again, " if kills and ticket.position else ""
    return f"{again}{_where(ticket)}"


def _where(ticket: Ticket) -> str:
    if ticket.position == 0:
        return "starting now."
    if ticket.paused:
        return f"number {ticket.position} in the queue, which the admins have paused; it starts when they resume it."
    if ticket.lacking:
        return f"number {ticket.position} in the queue. No worker on duty can run it; it waits for one that can."
    if ticket.wait is None:
        return f"number {ticket.position} in the queue. No worker is on duty just now; it waits for one."
    if ticket.position == 1 and ticket.wait < 1:
        return "next in the queue."
    where, high = f"number {ticket.position} in the queue, starts in about {duration(ticket.wait)}", ticket.wait_high
    if high is None or high - ticket.wait < max(NOTICED, ticket.wait / 4):
        return f"{where}."
    return f"{where} (9 of 10 start within {duration(high)})."


def progress_reply(kind: AnyKind, progress: Progress) -> Reply:
    """A running job: how far it is, and the text so far. Or one that waits again, and why."""
    share = f" {progress.fraction:.0%}" if progress.fraction is not None else ""
    doing = "waiting again ..." if progress.waiting else f"running{share} ..."
    head = line(Strong(kind.name), " ", Code(progress.job_id), f": {doing}")
    blocks: list[Block] = [head]
    if progress.note:
        blocks.append(line(Foreign(progress.note)))
    if progress.text:
        blocks.append(Quote(progress.text))
    return Reply(tuple(blocks), (cancel_button(progress.job_id),))


def outcome_reply(kind: AnyKind | None, job_id: str, outcome: Outcome, *, known: bool = False) -> Reply:
    """How a job ended; `kind` is None where this desk no longer knows it. `known`: its result was there already."""
    name = kind.name if kind else "job"
    if outcome.status == "done" and kind is not None and outcome.result is not None:
        return _result_reply(kind, job_id, outcome, known)
    sentence = {
        "done": "done.",
        "cancelled": "cancelled.",
        "expired": "waited too long and was given up. Please ask again.",
        "failed": "failed.",
    }[outcome.status]
    blocks: list[Block] = [line(Strong(name), " ", Code(job_id), f": {sentence}")]
    if outcome.reason:
        blocks.append(line(Foreign(outcome.reason)))
    return Reply(tuple(blocks))


def _result_reply(kind: AnyKind, job_id: str, outcome: Outcome, known: bool) -> Reply:
    result = result_of(kind, outcome)
    if result is None:
        return say(Strong(kind.name), " ", Code(job_id), ": done, but its result is not one that this desk can show.")
    blocks: list[Block] = []
    if headline := (known and result.known()) or result.headline():
        blocks.append(line(Strong(headline)))
    if body := result.body():
        blocks.append(Quote(body))
    if figures := result.figures():
        blocks.append(Rows(tuple(figures)))
    took = "known already" if known else f"{outcome.seconds:.1f} s"
    blocks.append(line(kind.name, " ", Code(job_id), f", {took}"))
    return Reply(tuple(blocks), _again_buttons(job_id, result), attachments=tuple(result.attachments()))


def answered_reply(job_id: str, where: Literal["above", "below"]) -> Reply:
    """Points at a job's answer, which is another message."""
    return say(Code(job_id), f": answered {where}.")


def refusal_reply(error: UserError, now: float) -> Reply:
    """What a user did wrong or must wait for. `now` in Unix seconds."""
    if isinstance(error, LimitedError) and error.retry_after is not None:
        words = f"in {duration(error.retry_after)}"
        return say(Foreign(str(error)), " You can ask again ", Moment(now + error.retry_after, words), ".")
    return say(Foreign(str(error)))


def unexpected_reply() -> Reply:
    return say("Something went wrong at the desk, and it has been logged. Please try again in a moment.")


def cancel_reply(job_id: str, result: str) -> Reply:
    """`result` as the desk's `cancel` gave it."""
    sentence = {
        "cancelled": "cancelled.",
        "stopping": "stopping; it ends at its next step.",
        "ended": "had already ended.",
    }[result]
    return say(Code(job_id), f": {sentence}")


def jobs_reply(records: Sequence[JobRecord], now: float) -> Reply:
    """One's own latest jobs, newest first; those that have not ended can be cancelled."""
    if not records:
        return say("You have no jobs.")
    lines = [
        line(Code(r.id), f" {r.kind}: {_state(r)}, {duration(max(1.0, now - r.submitted_at))} ago") for r in records
    ]
    return Reply(tuple(lines), tuple(cancel_button(r.id, named=True) for r in records if not r.ended)[:5])


def help_reply(
    kinds: Registry,
    *,
    slash: str = "/",
    admin: bool = False,
    default: str | None = None,
    more: Mapping[str, str] | None = None,
) -> Reply:
    """Every command. `default`: the kind that a plain message means, where the front end takes one; `more`: summaries
    of other commands by their names."""
    blocks: list[Block] = [line(Code(slash + kind.name), f" {kind.summary}") for kind in kinds.values()]
    own = {
        "help": "This list, or one command's options",
        "jobs": "Your latest jobs; with an id, that one in full",
        "cancel": "Cancel one of your jobs",
        "top": "The best trainings of each data set",
        "status": "How busy the desk is",
        **(more or {}),
    } | ({"queue": "Lanes, workers and the last hour", "admin": "What admins can do"} if admin else {})
    blocks += [line(Code(slash + name), f" {summary}") for name, summary in own.items()]
    if default is not None and (kind := kinds.get(default)):
        blocks.append(line("A plain message is taken as the text for ", Code(slash + kind.name), "."))
    return Reply(tuple(blocks))


def file_reply(name: str, takers: Sequence[AnyKind], *, slash: str = "/") -> Reply:
    """A file came, and nothing with it: the commands that take one of its sort."""
    commands: list[Span | str] = []
    for kind in takers:
        commands += [", " if commands else "", Code(slash + kind.name)]
    return say(
        Foreign(shown(name)), ": send it again with a command as its caption, or reply to it with one: ", *commands, "."
    )


def kind_help_reply(kind: AnyKind, *, slash: str = "/") -> Reply:
    """One command: what it does, its options, and an example."""
    blocks: list[Block] = [line(Code(slash + kind.name), f" {kind.summary}")]
    for parameter in (*kind.parameters, PRIVATE):
        given = "needed" if parameter.required else f"normally {_default(parameter.default)}"
        blocks.append(line(Code(parameter.name), f" {parameter.description} ({bounds(parameter)}; {given})"))
    blocks.append(line("Example: ", Code(usage(kind, slash))))
    return Reply(tuple(blocks))


def cancel_button(job_id: str, *, named: bool = False) -> Button:
    return Button(f"Cancel {job_id}" if named else "Cancel", "cancel", job_id)


def _again_buttons(job_id: str, result: Result) -> tuple[Button, ...]:
    offered = tuple(result.variants())[:MAX_VARIANTS]
    return tuple(Button(each.label[:MAX_LABEL], "again", job_id, number) for number, each in enumerate(offered))


def _default(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "left open" if value is None else str(value)


def _state(record: JobRecord) -> str:
    if record.delivery and record.delivery != "delivered":
        return f"{record.state} (could not be delivered)"
    return record.state
