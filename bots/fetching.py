"""`frontdesk fetch JOB`: the files of a job that could not come with its answer, copied to a folder."""

from __future__ import annotations

from pathlib import Path

from frontdesk.bots.asking import Exit
from frontdesk.bots.gallery_replies import whole_files
from frontdesk.bots.main import Premises
from frontdesk.bots.on_console_files import with_files
from frontdesk.bots.on_console_render import Screen
from frontdesk.bots.people import Person
from frontdesk.bots.replies import Reply, outcome_reply, refusal_reply
from frontdesk.queue.errors import (
    DeskClosedError,
    HistoryClosedError,
    NoSuchJobError,
    NoSuchObjectError,
    NotAllowedError,
    UserError,
)
from frontdesk.queue.jobs import Outcome
from frontdesk.queue.results import Attachment


async def fetch(front: Premises, who: Person, job_id: str, folder: Path, *, out: Screen, err: Screen) -> Exit:
    """Copy them, in place of no other file. One's own job, or as an admin anybody's."""
    try:
        attachments, ended = await _files(front, who, job_id)
    except UserError as error:
        err.show(refusal_reply(error, front.desk.clock()))
        return Exit.UNREACHABLE if isinstance(error, DeskClosedError) else Exit.REFUSED
    job_id = job_id.strip().lower()
    if not attachments:
        err.say(f"{job_id} has no files." if ended else f"{job_id} has not ended.")
        return Exit.FAILED
    told, paths = await with_files(Reply((), attachments=attachments), job_id, front.store, folder)
    out.show(told)
    return Exit.DONE if len(paths) == len(attachments) else Exit.FAILED


async def _files(front: Premises, who: Person, job_id: str) -> tuple[tuple[Attachment, ...], bool]:
    """A job's files, and whether it has ended: what the queue has forgotten, the history still knows. Raises
    NoSuchJobError, DeskClosedError."""
    try:
        record = await front.desk.job(who, job_id, anyones=True)
    except NoSuchJobError as error:
        try:
            entry = await front.desk.showcase.kept(who, job_id)
        except (NoSuchObjectError, HistoryClosedError, NotAllowedError):
            raise error from None
        return whole_files(entry), True
    outcome = record.outcome or Outcome(status="failed")
    return outcome_reply(front.kinds.get(record.kind), record.id, outcome).attachments, record.ended
