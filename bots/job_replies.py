"""What `/jobs` answers: one's latest jobs, or one of them in full: what became of it, or where it stands."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from frontdesk.bots.desk import Desk
from frontdesk.bots.file_replies import listed
from frontdesk.bots.gallery_replies import object_reply, receipt_block
from frontdesk.bots.people import Person
from frontdesk.bots.replies import Foreign, Reply, jobs_reply, line, outcome_reply, progress_reply, ticket_reply
from frontdesk.queue.errors import HistoryClosedError, NoSuchJobError, NoSuchObjectError
from frontdesk.queue.jobs import JobRecord, Outcome, Progress, Ticket
from frontdesk.queue.kinds import AnyKind


async def asked_for(desk: Desk, person: Person, job_id: str) -> tuple[Reply, bool]:
    """What somebody sees of their jobs; of one of them where it is named. And whether that is for their eyes only.

    What the queue has forgotten is read from the history; so is the receipt. Raises NoSuchJobError, DeskClosedError.
    """
    if not job_id.strip():
        return jobs_reply(await desk.jobs(person), desk.clock()), False
    try:
        record, ticket = await desk.look(person, job_id)
    except NoSuchJobError:
        return await _remembered(desk, person, job_id)
    reply = job_reply(desk.kinds.get(record.kind), record, ticket, desk.clock())
    if record.ended:
        with suppress(NoSuchObjectError, HistoryClosedError):  # not written down yet, or not at this desk
            entry = await desk.showcase.entry(person, record.id)
            reply = replace(reply, blocks=(*reply.blocks, receipt_block(entry)))
    return reply, record.private


async def _remembered(desk: Desk, person: Person, job_id: str) -> tuple[Reply, bool]:
    """One's own job from the history, or somebody else's that everybody sees. Raises NoSuchJobError."""
    try:
        entry = await desk.showcase.entry(person, job_id)
    except (NoSuchObjectError, HistoryClosedError):
        raise NoSuchJobError(job_id.strip().lower()[:32]) from None
    kind = desk.kinds.get(entry.kind)
    if not await desk.showcase.owns(person, entry):
        shown = object_reply(kind, entry, own=False)
        return Reply((*shown.blocks[:-1], receipt_block(entry)), shown.buttons), False
    answer = outcome_reply(kind, entry.id, entry.outcome)
    files = (listed(answer.attachments),) if answer.attachments else ()
    return Reply((*answer.blocks, *files, receipt_block(entry))), not entry.public


def job_reply(kind: AnyKind | None, record: JobRecord, ticket: Ticket, now: float) -> Reply:
    """The answer as it was delivered, or could not be; of a job that has not ended, its ticket. `kind` is None where
    this desk no longer knows it; `now` in Unix seconds."""
    if record.ended:
        answer = outcome_reply(kind, record.id, record.outcome or Outcome(status="failed"), known=record.known)
        if answer.attachments:
            answer = Reply((*answer.blocks, listed(answer.attachments)), answer.buttons)
        if record.delivery and record.delivery.startswith("undeliverable"):
            why = line("It could not be delivered: ", Foreign(_why(record.delivery)))
            return Reply((*answer.blocks, why), answer.buttons)
        return answer
    if kind is None:
        return jobs_reply([record], now)
    if record.state == "running":
        return progress_reply(kind, Progress(job_id=record.id))
    return ticket_reply(kind, ticket, kills=record.kills)


def _why(delivery: str) -> str:
    return delivery.removeprefix("undeliverable").removeprefix(": ") or "nobody knows why"
