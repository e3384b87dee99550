"""What the desk says to admins, as neutral parts. Ids, lanes and workers can be copied."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from frontdesk.bots.replies import Block, Code, Foreign, Line, Reply, Rows, Strong, duration, line, say
from frontdesk.queue.oversight import Aside, Audited, Ban, Inspected
from frontdesk.queue.steering import Bumped, Switched

if TYPE_CHECKING:
    from frontdesk.history.history import Report

REPORTS, TITLE = 12, 80  # shown at once; characters of what an object is about


def paused_reply(lane: Switched) -> Reply:
    state = "is paused" if lane.changed else "was paused already"
    return say("Lane ", Code(lane.name), f" {state}: {_wait(lane.jobs)}.")


def resumed_reply(lane: Switched) -> Reply:
    state = "goes on" if lane.changed else "was not paused"
    return say("Lane ", Code(lane.name), f" {state}: {_wait(lane.jobs)}.")


def drained_reply(worker: Switched) -> Reply:
    state = "is drained" if worker.changed else "was drained already"
    left = (
        f"it finishes {_jobs(worker.jobs)} and takes no more" if worker.jobs else "it runs nothing, and takes no jobs"
    )
    return say("Worker ", Code(worker.name), f" {state}: {left}.")


def undrained_reply(worker: Switched) -> Reply:
    return say("Worker ", Code(worker.name), " takes jobs again." if worker.changed else " was not drained.")


def bumped_reply(bumped: Bumped) -> Reply:
    if bumped.result == "bumped" and bumped.moved != bumped.job_id:
        return say(
            Code(bumped.job_id), " waits for the outcome of ", Code(bumped.moved), ", which is next in its lane."
        )
    sentence = {
        "bumped": "is next in its lane.",
        "first": "was next in its lane already.",
        "running": "runs already.",
    }.get(bumped.result, f"had already ended: {bumped.result}.")
    return say(Code(bumped.job_id), f" {sentence}")


def banned_reply(requester: str, reason: str) -> Reply:
    return Reply(
        (
            line(Code(requester), " may no longer ask here: ", Foreign(reason)),
            line("Jobs they have asked for already go on."),
        )
    )


def unbanned_reply(requester: str) -> Reply:
    return say(Code(requester), " may ask here again.")


def tier_reply(requester: str, tier: str, *, changed: bool, by_file: bool) -> Reply:
    """`by_file`: no admin says it any more, but the limits file."""
    verb = "is now" if changed else "was already"
    whose = ", as the limits file says" if by_file else ""
    return say(Code(requester), f" {verb} of the tier ", Code(tier), f"{whose}.")


def requeued_reply(job_id: str) -> Reply:
    return say(Code(job_id), " waits in its lane again. Who asked for it gets a second answer.")


def dropped_reply(job_id: str) -> Reply:
    return say(Code(job_id), " is dropped: what it asked for is forgotten.")


def aside_reply(jobs: Sequence[Aside], now: float) -> Reply:
    """The jobs that stopped their workers, newest first."""
    if not jobs:
        return say("No job is kept aside.")
    return Reply(tuple(_aside(job, now) for job in jobs))


def inspected_reply(job: Inspected, now: float) -> Reply:
    """One job, without what it asked for and what it was answered."""
    ended = f"{_ago(job.finished_at, now)}" if job.finished_at else ""
    rows = [
        ("Asked by", job.requester),
        ("Lane", job.lane),
        ("Asked", _ago(job.submitted_at, now)),
        ("Started", _ago(job.started_at, now) if job.started_at else ""),
        ("Ended", ended),
        ("Worker", job.worker),
        ("Estimated", f"{job.cost:.3g} device-seconds"),
        ("Workers stopped", str(job.kills) if job.kills else ""),
        ("Waits for", job.leader),
        ("Delivery", job.delivery),
        ("Kept aside", "yes" if job.aside else ""),
    ]
    head = line(Strong(job.kind), " ", Code(job.id), f": {job.state}.")
    return Reply((head, Rows(tuple((label, value) for label, value in rows if value))))


def people_reply(bans: Mapping[str, Ban], tiers: Mapping[str, str]) -> Reply:
    """Who is banned, and who was put in a tier."""
    if not bans and not tiers:
        return say("Nobody is banned, and no tier was changed.")
    banned: list[Block] = [
        line(Code(requester), f" is banned since {_date(ban.at)}, by ", Code(ban.by or "?"), ": ", Foreign(ban.reason))
        for requester, ban in bans.items()
    ]
    return Reply((*banned, *(line(Code(who), " is of the tier ", Code(tier), ".") for who, tier in tiers.items())))


def reports_reply(reports: Sequence[Report], now: float) -> Reply:
    """Oldest first; who reported stays unnamed."""
    if not reports:
        return say("Nothing in the gallery is reported.")
    lines = [
        line(Code(each.entry.id), f" {each.entry.kind}, {_ago(each.at, now)}: ", Foreign(each.reason),
             ". It says: ", Foreign(each.entry.title[:TITLE]))
        for each in reports[:REPORTS]
    ]  # fmt: skip
    more = [line(f"And {len(reports) - REPORTS} more.")] if len(reports) > REPORTS else []
    then = line(Code("/admin hide JOB"), " takes one out of the gallery, ", Code("/admin settle JOB"), " leaves it.")
    return Reply((*lines, *more, then))


def hidden_reply(job_id: str, *, hidden: bool) -> Reply:
    where = "out of the gallery; its owner still sees it." if hidden else "in the gallery again."
    return say(Code(job_id), f" is {where}")


def settled_reply(job_id: str) -> Reply:
    return say("What was reported of ", Code(job_id), " is settled; it stays where it is.")


def audit_reply(entries: Sequence[Audited]) -> Reply:
    """What admins did, newest first."""
    return Reply(tuple(map(_audited, entries))) if entries else say("No admin has done anything yet.")


def _aside(job: Aside, now: float) -> Line:
    stopped = f": stopped {job.kills} workers, the last {_ago(job.at, now)}."
    return line(Code(job.id), f" {job.kind} of ", Code(job.requester), " in ", Code(job.lane), stopped)


def _audited(entry: Audited) -> Line:
    words = [line(f"{_date(entry.at)} ", Code(entry.by), f" {entry.action} ", Code(entry.target))]
    if entry.detail:
        words.append(line(" ", Code(entry.detail)))
    if entry.reason:
        words.append(line(": ", Foreign(entry.reason)))
    return Line(tuple(span for part in words for span in part.spans))


def _jobs(number: int) -> str:
    return "1 job" if number == 1 else f"{number} jobs"


def _wait(number: int) -> str:
    if not number:
        return "nobody waits"
    return "1 job waits" if number == 1 else f"{number} jobs wait"


def _ago(at: float, now: float) -> str:
    return f"{duration(max(1.0, now - at))} ago"


def _date(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
