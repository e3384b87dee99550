"""One job in full, as a neutral reply: what became of it, or where it stands."""

from __future__ import annotations

from frontdesk.bots.replies import Foreign, Reply, jobs_reply, line, outcome_reply, progress_reply, ticket_reply
from frontdesk.queue.jobs import JobRecord, Outcome, Progress, Ticket
from frontdesk.queue.kinds import AnyKind


def job_reply(kind: AnyKind | None, record: JobRecord, ticket: Ticket, now: float) -> Reply:
    """The answer as it was delivered, or could not be; of a job that has not ended, its ticket. `kind` is None where
    this desk no longer knows it; `now` in Unix seconds."""
    if record.ended:
        answer = outcome_reply(kind, record.id, record.outcome or Outcome(status="failed"))
        if record.delivery and record.delivery.startswith("undeliverable"):
            return Reply((*answer.blocks, line("It could not be delivered: ", Foreign(_why(record.delivery)))))
        return answer
    if kind is None:
        return jobs_reply([record], now)
    if record.state == "running":
        return progress_reply(kind, Progress(job_id=record.id))
    return ticket_reply(kind, ticket, kills=record.kills)


def _why(delivery: str) -> str:
    return delivery.removeprefix("undeliverable").removeprefix(": ") or "nobody knows why"
