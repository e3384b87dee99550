"""What the HTTP door answers with. Times in Unix seconds, durations in seconds, sizes in bytes."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from frontdesk.history.entries import Entry
from frontdesk.history.receipts import receipt
from frontdesk.queue.jobs import JobRecord, Outcome, Progress, Ticket

State = Literal["waiting", "running", "done", "failed", "cancelled", "expired"]


class View(BaseModel):
    model_config = ConfigDict(extra="forbid")


class NewJob(View):
    """A request of a kind, its parameters as `/kinds/{name}` has them. Files are not among them: they are parts of a
    multipart request, each under its parameter's name, beside a part `job` with this JSON.

    private: nobody else sees anything of it. publish: whether others are to see what comes of it; null: as the kind has
    it. webhook: where the outcome is to be posted.
    """

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, hide_input_in_errors=True)

    kind: str = Field(min_length=1, max_length=64)
    params: dict[str, bool | int | float | str | None] = Field(default_factory=dict, max_length=64)
    private: bool = False
    publish: bool | None = None
    webhook: str | None = Field(None, max_length=2000)


class Wait(View):
    """Expected seconds until the start: half of all waits stay below p50, nine tenths below p90."""

    p50: float
    p90: float | None = None


class TicketView(View):
    """A job that was accepted. `position` 1 is next, 0: running, or ended. `wait` is null while no worker can run it
    (`lacking` says why none on duty can), or while its lane is `paused`. `url` is where it is from now on."""

    id: str
    kind: str
    url: str
    position: int
    wait: Wait | None
    paused: bool = False
    lacking: str | None = None
    answered: bool = Field(False, description="A result that was there already answers it")


class ProgressView(View):
    """How far a running job is: `fraction` of 0 to 1, and the text so far."""

    fraction: float | None = None
    text: str | None = None
    note: str | None = None
    waiting: bool = Field(False, description="Its worker stopped, and it is tried again")


class OutcomeView(View):
    """How a job ended. `result` is as its kind says; `reason` a sentence."""

    status: Literal["done", "failed", "cancelled", "expired"]
    result: dict[str, Any] | None = None
    reason: str | None = None
    seconds: float
    gpu_seconds: float


class ReceiptLine(View):
    label: str
    value: str


class JobView(View):
    """A job. `position`, `wait`, `paused` and `lacking` as of a ticket, while it waits; `progress` while it runs, where
    any came lately; `outcome` once it has ended, and `receipt` a moment later."""

    id: str
    kind: str
    url: str
    state: State
    private: bool
    submitted_at: float
    started_at: float | None = None
    finished_at: float | None = None
    position: int | None = None
    wait: Wait | None = None
    paused: bool = False
    lacking: str | None = None
    progress: ProgressView | None = None
    outcome: OutcomeView | None = None
    receipt: list[ReceiptLine] | None = None


class JobPage(View):
    """Newest first; `after` is the cursor of the next page, null on the last."""

    jobs: list[JobView]
    after: str | None = None


class ArtifactView(View):
    """A file of a job. A "smaller" one is a version of the last file before it; `note` says what was done for it."""

    name: str
    url: str
    role: Literal["preview", "still", "file", "smaller"]
    size: int
    media_type: str
    sha256: str
    note: str | None = None


class ArtifactList(View):
    artifacts: list[ArtifactView]


class CancelView(View):
    """`stopping`: it runs, and ends at its next step; `ended`: it had ended before."""

    id: str
    result: Literal["cancelled", "stopping", "ended"]


def address(root: str, job_id: str) -> str:
    return f"{root}/jobs/{job_id}"


def wait_of(ticket: Ticket) -> Wait | None:
    return None if ticket.wait is None else Wait(p50=ticket.wait, p90=ticket.wait_high)


def ticket_view(root: str, kind: str, ticket: Ticket) -> TicketView:
    return TicketView(
        id=ticket.job_id,
        kind=kind,
        url=address(root, ticket.job_id),
        position=ticket.position,
        wait=wait_of(ticket),
        paused=ticket.paused,
        lacking=ticket.lacking,
        answered=ticket.answered,
    )


def progress_view(progress: Progress) -> ProgressView:
    return ProgressView(fraction=progress.fraction, text=progress.text, note=progress.note, waiting=progress.waiting)


def outcome_view(outcome: Outcome | Entry) -> OutcomeView:
    return OutcomeView(
        status=outcome.status,
        result=None if outcome.result is None else dict(outcome.result),
        reason=outcome.reason,
        seconds=outcome.seconds,
        gpu_seconds=outcome.gpu_seconds,
    )


def job_view(
    root: str,
    record: JobRecord,
    *,
    ticket: Ticket | None = None,
    progress: Progress | None = None,
    entry: Entry | None = None,
) -> JobView:
    """What the queue knows of a job, with its entry in the history where there is one."""
    waits = record.state == "waiting" and ticket is not None
    return JobView(
        id=record.id,
        kind=record.kind,
        url=address(root, record.id),
        state=record.state,
        private=record.private,
        submitted_at=record.submitted_at,
        started_at=record.started_at,
        finished_at=record.finished_at,
        position=ticket.position if ticket and waits else None,
        wait=wait_of(ticket) if ticket and waits else None,
        paused=bool(ticket and waits and ticket.paused),
        lacking=ticket.lacking if ticket and waits else None,
        progress=progress_view(progress) if progress and record.state == "running" else None,
        outcome=outcome_view(record.outcome) if record.outcome else None,
        receipt=receipt_view(entry) if entry else None,
    )


def entry_view(root: str, entry: Entry) -> JobView:
    """A job that only the history knows."""
    return JobView(
        id=entry.id,
        kind=entry.kind,
        url=address(root, entry.id),
        state=entry.status,
        private=entry.private,
        submitted_at=entry.submitted_at,
        started_at=entry.started_at,
        finished_at=entry.finished_at,
        outcome=outcome_view(entry),
        receipt=receipt_view(entry),
    )


def receipt_view(entry: Entry) -> list[ReceiptLine]:
    return [ReceiptLine(label=label, value=value) for label, value in receipt(entry)]
