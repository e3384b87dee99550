"""A job as its requester's page shows it: one line on where it stands, and what there is of it so far."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from frontdesk.bots.replies import Block, Reply, outcome_reply, standing
from frontdesk.gallery.cards import PICTURES
from frontdesk.history.entries import Entry
from frontdesk.history.recording import title
from frontdesk.queue.jobs import Artifact, Job, JobRecord, Outcome, Progress, Ticket
from frontdesk.queue.kinds import Registry
from frontdesk.queue.results import Attachment

STATES = {
    "waiting": "waiting",
    "running": "running",
    "done": "done",
    "failed": "failed",
    "cancelled": "cancelled",
    "expired": "given up: it waited too long",
}


@dataclass(frozen=True, slots=True)
class JobView:
    """`state`: in a few words of ours; `said`: a sentence or the answer, as neutral blocks. `fraction`: of 0 to 1;
    `text`, `note`, `title`: foreign. `picture`: an address of ours. `attachments`: of a job that is done."""

    id: str
    kind: str
    state: str
    ended: bool
    private: bool = False
    submitted_at: float | None = None
    said: tuple[Block, ...] = ()
    fraction: float | None = None
    text: str = ""
    note: str = ""
    picture: str = ""
    attachments: tuple[Attachment, ...] = ()
    title: str = ""

    @property
    def shown(self) -> Artifact | None:
        """The picture of what a job that is done made; one that stands still before one that moves."""
        roles = {
            each.role: each.artifact for each in reversed(self.attachments) if each.artifact.media_type in PICTURES
        }
        return roles.get("still") or roles.get("preview")


def title_of(kinds: Registry, job: Job) -> str:
    """What a job that has not ended is about."""
    return title(kinds.get(job.kind), job, None)


def of_record(kinds: Registry, record: JobRecord, ticket: Ticket) -> JobView:
    """A job as the queue remembers it."""
    answer = Reply(())
    if record.ended:
        outcome = record.outcome or Outcome(status="failed")
        answer = outcome_reply(kinds.get(record.kind), record.id, outcome, known=record.known)
    return JobView(
        record.id,
        record.kind,
        _standing(ticket, record.kills) if record.state == "waiting" else STATES[record.state],
        record.ended,
        private=record.private,
        submitted_at=record.submitted_at,
        said=answer.blocks,
        attachments=answer.attachments,
    )


def of_entry(kinds: Registry, entry: Entry) -> JobView:
    """A job as the history remembers it, when the queue has forgotten it."""
    answer = outcome_reply(kinds.get(entry.kind), entry.id, entry.outcome)
    return JobView(
        entry.id,
        entry.kind,
        STATES[entry.status],
        ended=True,
        private=entry.private,
        submitted_at=entry.submitted_at,
        said=answer.blocks,
        attachments=answer.attachments,
        title=entry.title,
    )


def of_ticket(record: JobRecord, ticket: Ticket) -> JobView:
    """News: where it stands in the queue, or that it started."""
    state = STATES["running"] if ticket.position == 0 else _standing(ticket, record.kills)
    return JobView(record.id, record.kind, state, ended=False, private=record.private)


def of_progress(record: JobRecord, progress: Progress) -> JobView:
    """News: how far it is."""
    share = f"running, {progress.fraction:.0%}" if progress.fraction is not None else STATES["running"]
    return JobView(
        record.id,
        record.kind,
        "waiting again" if progress.waiting else share,
        ended=False,
        private=record.private,
        fraction=progress.fraction,
        text=progress.text or "",
        note=progress.note or "",
        picture=_picture(record.id, progress.preview) if progress.preview else "",
    )


def newest_first(views: Sequence[JobView], limit: int) -> list[JobView]:
    """Each job once, as it is named first: unfinished ones above those that ended, each newest first (ids sort by
    time)."""
    once: dict[str, JobView] = {}
    for view in views:
        once.setdefault(view.id, view)
    return sorted(sorted(once.values(), key=lambda view: view.id, reverse=True), key=lambda view: view.ended)[:limit]


def _standing(ticket: Ticket, kills: int) -> str:
    return standing(ticket, kills=kills).rstrip(".")


def _picture(job_id: str, artifact: Artifact) -> str:
    query = urlencode({"size": artifact.size, "type": artifact.media_type})
    return f"/jobs/{job_id}/picture/{artifact.sha256}?{query}"
