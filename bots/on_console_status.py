"""`frontdesk status`: the desk's business as tables."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict

from frontdesk.bots.desk import LaneStatus
from frontdesk.bots.on_console_render import Screen, table
from frontdesk.bots.replies import duration
from frontdesk.bots.status_replies import (
    aside_words,
    by_kind,
    kinds_ended,
    memory,
    promises_words,
    queue_reply,
    status_reply,
    stranded_rows,
)
from frontdesk.queue.report import QueueReport, WorkerReport

ENDED = ("done", "failed", "cancelled", "expired")


def show_status(lanes: Sequence[LaneStatus], screen: Screen) -> None:
    screen.show(status_reply(lanes))


def show_queue(report: QueueReport, now: float, screen: Screen) -> None:
    """Tables on a terminal, lines elsewhere. `now` in Unix seconds."""
    screen.say("")
    if not screen.live:
        screen.show(queue_reply(report, now))
        return
    lanes: list[tuple[str, ...]] = [
        (
            lane.name + (" (paused)" if lane.paused else ""),
            f"{lane.waiting}{by_kind(lane.waiting_by_kind)}",
            f"{lane.running}{by_kind(lane.running_by_kind)}",
            duration(lane.oldest_wait) if lane.oldest_wait is not None else "-",
        )
        for lane in report.lanes
    ]
    hour: list[tuple[str, ...]] = [
        (kind, *(str(report.ended.get((kind, status), 0)) for status in ENDED)) for kind in kinds_ended(report)
    ]
    parts: list[tuple[str, tuple[str, ...], list[tuple[str, ...]]]] = [
        ("Lanes", ("lane", "waiting", "running", "oldest"), lanes),
        ("Workers", ("worker", "device", "models", "memory", "jobs", "heard"), [_worker(w) for w in report.workers]),
        ("Last hour", ("kind", *ENDED), hour),
    ]
    for title, columns, rows in parts:
        if rows:
            screen.console.print(table(title, columns, rows))
        else:
            screen.say(f"{title}: none.")
        screen.say("")
    for label, which in stranded_rows(report):
        screen.say(f"{label}: {which}")
    for words in (aside_words(report.aside) if report.aside else None, promises_words(report.promises)):
        if words:
            screen.say(f"{words}.")


def as_object(lanes: Sequence[LaneStatus], report: QueueReport | None) -> str:
    """The same as one JSON object: `queue` is null for who is no admin; times in seconds, memory in bytes."""
    queue = report and {
        "lanes": [asdict(lane) for lane in report.lanes],
        "workers": [
            {
                **worker.state.model_dump(mode="json"),
                "heartbeat_age": worker.heartbeat_age,
                "alive": worker.alive,
                "drained": worker.drained,
            }
            for worker in report.workers
        ],
        "promised_waits": asdict(report.promises),
        "aside": report.aside,
        "last_hour": {
            kind: {status: report.ended.get((kind, status), 0) for status in ENDED} for kind in kinds_ended(report)
        },
    }
    return json.dumps({"lanes": [asdict(lane) for lane in lanes], "queue": queue})


def _worker(worker: WorkerReport) -> tuple[str, ...]:
    state = worker.state
    return (
        state.id,
        state.device,
        ", ".join(state.models),
        memory(state.memory),
        ", ".join(state.jobs) or "idle",
        f"{duration(worker.heartbeat_age)} ago"
        + (": gone" if not worker.alive else ": drained" if worker.drained else ""),
    )
