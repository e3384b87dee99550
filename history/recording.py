"""What is written down of a job that ended: pure functions from what the queue knows to rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from frontdesk.history.entries import KeptFile
from frontdesk.queue.jobs import Job, JobRecord, Outcome, is_member
from frontdesk.queue.kinds import AnyKind, result_of
from frontdesk.queue.lines import one_line
from frontdesk.queue.results import Result

TITLE = 200  # characters
Row = Mapping[str, Any]


def job_row(kind: AnyKind | None, job: Job, record: JobRecord) -> Row:
    """A row of `jobs`. `kind`: None for one that is not installed here."""
    outcome = record.outcome or Outcome(status="failed")
    result = result_of(kind, outcome)
    made = outcome.status == "done" and not is_member(job.id)
    finished = record.finished_at or record.submitted_at
    return {
        "id": job.id,
        "kind": job.kind,
        "lane": job.lane,
        "status": outcome.status,
        "owner": job.requester.identity,
        "tenant": job.requester.tenant,
        "private": job.private,
        "params": _storable(job.params),
        "result": _storable(outcome.result),
        "reason": outcome.reason,
        "title": title(kind, job, result),
        "submitted_at": record.submitted_at,
        "started_at": record.started_at,
        "finished_at": finished,
        "seconds": outcome.seconds,
        # Who was answered by another's run used nothing of the device.
        "gpu_seconds": outcome.gpu_seconds if record.started_at is not None else 0.0,
        "model": outcome.model,
        "revision": outcome.revision,
        "device": outcome.device,
        "worker": record.worker,
        "seed": seed(job, outcome),
        "made": made,
        "published_at": finished if made and published_at_once(kind, job, record) else None,
        "hidden": False,
        "indexed": not made,
    }


def files_of(kind: AnyKind | None, outcome: Outcome | None) -> tuple[KeptFile, ...]:
    """The files that an outcome names, in the order of the answer, each smaller version behind its whole."""
    result, listed = result_of(kind, outcome), list[KeptFile]()
    for attachment in result.attachments() if result else ():
        listed.append(KeptFile(attachment.artifact, attachment.role))
        listed += [KeptFile(version, "smaller", version.note) for version in attachment.smaller]
    return tuple(listed)


def file_rows(kind: AnyKind | None, job_id: str, outcome: Outcome) -> list[Row]:
    """Rows of `files`."""
    return [
        {
            "job": job_id,
            "position": position,
            "role": file.role,
            "name": file.artifact.name,
            "sha256": file.artifact.sha256,
            "size": file.artifact.size,
            "media_type": file.artifact.media_type,
            "note": file.note,
        }
        for position, file in enumerate(files_of(kind, outcome))
    ]


def title(kind: AnyKind | None, job: Job, result: Result | None) -> str:
    """What it is about in one line: what was asked, or what came of it."""
    asked = job.params.get(kind.subject.name) if kind and kind.subject else None
    words = asked if isinstance(asked, str) else (result.headline() if result else None) or job.kind
    return one_line(_clean(words), TITLE) or job.kind


def seed(job: Job, outcome: Outcome) -> int | None:
    """The seed that was used: the result's own where it was drawn, or the one that was asked for."""
    for source in (outcome.result or {}, job.params):
        value = source.get("seed")
        if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63:
            return value
    return None


def published_at_once(kind: AnyKind | None, job: Job, record: JobRecord) -> bool:
    """Whether others see it without a word of its requester: they said so when they asked, or it was asked for where
    others listen, is worth a look, shows nothing that they gave, and was not made before."""
    if job.private or job.publish is not None:
        return bool(job.publish) and not job.private
    requester = job.requester
    alone = requester.tenant in (requester.user, requester.identity)
    if kind is None or not kind.gallery or alone:
        return False
    gave_files = any(job.params.get(parameter.name) is not None for parameter in kind.files)
    return not gave_files and record.started_at is not None and record.leader is None


def _storable(value: Any) -> Any:
    """PostgreSQL's JSON holds no NUL and no half of a surrogate pair."""
    if isinstance(value, str):
        return _clean(value)
    if isinstance(value, Mapping):
        return {_clean(str(name)): _storable(each) for name, each in value.items()}
    if isinstance(value, Sequence):
        return [_storable(each) for each in value]
    return value


def _clean(text: str) -> str:
    return text.replace("\0", "").encode("utf-8", "replace").decode()
