"""How busy the desk is, as neutral replies: a few words for everybody, the whole queue for admins."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from frontdesk.bots.desk import LaneStatus
from frontdesk.bots.replies import Line, Reply, Rows, Strong, duration, line, say
from frontdesk.queue.report import LaneReport, Promises, QueueReport, WorkerReport

MEGABYTE, GIGABYTE = 10**6, 10**9
STRANDED_SHOWN = 4
JOBS_NAMED = 8  # of one worker
WORKERS_SHOWN = 12  # a Discord embed has 25 rows for lanes, workers and kinds together


def status_reply(lanes: Sequence[LaneStatus]) -> Reply:
    """How long a new job of each kind would wait."""
    if not lanes:
        return say("This desk takes no jobs.")
    return Reply(tuple(_public(status) for status in lanes))


def _public(status: LaneStatus) -> Line:
    ahead = f"{status.waiting} waiting" if status.waiting else "nobody is waiting"
    if status.paused:
        sentence = f"paused by the admins just now; {ahead}."
    elif status.wait is None:
        sentence = f"no worker is on duty just now; {ahead}."
    elif status.wait < 1:
        sentence = f"{ahead}; a new job starts at once."
    else:
        sentence = f"{ahead}; a new job starts in about {duration(status.wait)}."
    return line(Strong(", ".join(status.kinds)), f": {sentence}")


def queue_reply(report: QueueReport, now: float) -> Reply:
    """The admins' view: lanes, workers, and the last hour. `now` in Unix seconds."""
    alive = [worker for worker in report.workers if worker.alive]
    waiting = sum(lane.waiting for lane in report.lanes)
    running = sum(lane.running for lane in report.lanes)
    workers = "1 worker" if len(alive) == 1 else f"{len(alive) or 'no'} workers"
    head = line(Strong("Queue"), f": {waiting} waiting, {running} running, {workers} on duty.")
    rows = [(f"Lane {lane.name}", lane_words(lane)) for lane in report.lanes]
    rows += stranded_rows(report)
    for number, worker in enumerate(report.workers[:WORKERS_SHOWN], 1):
        rows.append((f"Worker {number}", f"{worker.state.id}: {worker_words(worker, now)}"))
    if len(report.workers) > WORKERS_SHOWN:
        rows.append(("More workers", str(len(report.workers) - WORKERS_SHOWN)))
    if report.aside:
        rows.append(("Aside", aside_words(report.aside)))
    if report.reported:
        rows.append(("Reported", f"{report.reported} in the gallery; /admin reports lists them"))
    if promised := promises_words(report.promises):
        rows.append(("Waits", promised))
    rows.append(("Last hour", counted(report)))
    rows += [(f"{kind}, last hour", counted(report, kind)) for kind in kinds_ended(report)]
    return Reply((head, Rows(tuple(rows))))


def lane_words(lane: LaneReport) -> str:
    """ "paused; 3 waiting (2 score, 1 write), 1 running (1 write), the longest has waited 12 s" """
    words = f"{'paused; ' if lane.paused else ''}{lane.waiting} waiting{by_kind(lane.waiting_by_kind)}"
    words += f", {lane.running} running"
    words += by_kind(lane.running_by_kind)
    return words if lane.oldest_wait is None else f"{words}, the longest has waited {duration(lane.oldest_wait)}"


def stranded_rows(report: QueueReport) -> list[tuple[str, str]]:
    """The jobs that no worker on duty can run, and why: at most STRANDED_SHOWN sorts of them."""
    found = [
        ("Cannot run", f"{each.waiting} {wanted_words(each.wanted)}: {each.lacking}")
        for lane in report.lanes
        for each in lane.stranded
    ]
    more = len(found) - STRANDED_SHOWN
    others = "1 other sort" if more == 1 else f"{more} other sorts"
    return found[:STRANDED_SHOWN] + ([("Cannot run", f"and {others} of jobs")] if more > 0 else [])


def wanted_words(wanted: str) -> str:
    """ "train train/mnist 600000000" as "train (train/mnist, 600 MB)"."""
    kind, *needs = wanted.split()
    listed = ", ".join(memory(int(need)) if need.isdecimal() else need for need in needs)
    return f"{kind} ({listed})" if listed else kind


def worker_words(worker: WorkerReport, now: float) -> str:
    state = worker.state
    jobs = ", ".join(state.jobs[:JOBS_NAMED]) + (" ..." if len(state.jobs) > JOBS_NAMED else "")
    return "; ".join(
        (
            f"{state.device}, {memory(state.memory)}",
            ", ".join(state.models) or "no model",
            f"running {jobs}" if jobs else "idle",
            f"heard of {duration(worker.heartbeat_age)} ago" + duty(worker),
            f"up for {duration(now - state.started_at)}",
            *([f"cannot run {', '.join(sorted(state.lacks))}"] if state.lacks else []),
        )
    )


def duty(worker: WorkerReport) -> str:
    return ", not on duty" if not worker.alive else ", drained" if worker.drained else ""


def aside_words(aside: int) -> str:
    return f"{aside} {'job' if aside == 1 else 'jobs'} that stopped three workers"


def promises_words(promises: Promises) -> str | None:
    """How far the expected waits can be trusted: "P90 waits held: 91 % of 212". None where nobody waited."""
    made = promises.held + promises.missed
    return f"P90 waits held: {100 * promises.held / made:.0f} % of {made} in the last hour" if made else None


def counted(report: QueueReport, kind: str | None = None) -> str:
    """The last hour's outcomes of one kind, or of all: "12 done, 1 failed"."""
    total = Counter[str]()
    for (name, status), number in report.ended.items():
        total[status] += number if kind in (None, name) else 0
    shown = ("done", "failed", *(status for status in ("cancelled", "expired") if total[status]))
    return ", ".join(f"{total[status]} {status}" for status in shown)


def kinds_ended(report: QueueReport) -> list[str]:
    return sorted({kind for kind, _ in report.ended})


def memory(size: int) -> str:
    """Bytes in words: "812 MB", "13.4 GB"."""
    return f"{size / GIGABYTE:.1f} GB" if size >= GIGABYTE else f"{size / MEGABYTE:.0f} MB"


def by_kind(numbers: Mapping[str, int]) -> str:
    return f" ({', '.join(f'{number} {kind}' for kind, number in sorted(numbers.items()))})" if numbers else ""
