"""`frontdesk fetch JOB`: the files of a job that could not come with its answer, copied to a folder."""

from __future__ import annotations

from pathlib import Path

from frontdesk.bots.asking import Exit
from frontdesk.bots.desk import Person
from frontdesk.bots.main import Premises
from frontdesk.bots.on_console_files import with_files
from frontdesk.bots.on_console_render import Screen
from frontdesk.bots.replies import Reply, outcome_reply, refusal_reply
from frontdesk.queue.errors import DeskClosedError, UserError
from frontdesk.queue.jobs import Outcome


async def fetch(front: Premises, who: Person, job_id: str, folder: Path, *, out: Screen, err: Screen) -> Exit:
    """Copy them, in place of no other file. One's own job, or as an admin anybody's."""
    try:
        record = await front.desk.job(who, job_id, anyones=True)
    except UserError as error:
        err.show(refusal_reply(error, front.desk.clock()))
        return Exit.UNREACHABLE if isinstance(error, DeskClosedError) else Exit.REFUSED
    kind, outcome = front.kinds.get(record.kind), record.outcome or Outcome(status="failed")
    attachments = outcome_reply(kind, record.id, outcome).attachments
    if not attachments:
        err.say(f"{record.id} has no files." if record.ended else f"{record.id} has not ended.")
        return Exit.FAILED
    told, paths = await with_files(Reply((), attachments=attachments), record.id, front.store, folder)
    out.show(told)
    return Exit.DONE if len(paths) == len(attachments) else Exit.FAILED
