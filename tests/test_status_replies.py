"""How busy the desk is, in words: for everybody, and for admins."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest
from console import Paper
from redis.asyncio import Redis

from frontdesk.bots.desk import LaneStatus
from frontdesk.bots.on_console_render import plain
from frontdesk.bots.on_console_status import as_object, show_queue
from frontdesk.bots.replies import Rows
from frontdesk.bots.status_replies import memory, queue_reply, status_reply
from frontdesk.queue import keys
from frontdesk.queue.report import (
    LaneReport,
    Promises,
    QueueReport,
    Stranded,
    WorkerReport,
    WorkerState,
    queue_report,
)

NOW = 1_000_000.0


def worker(
    number: int = 1, *, age: float = 0.5, jobs: tuple[str, ...] = (), models: tuple[str, ...] = ("tiny",)
) -> WorkerReport:
    state = WorkerState(
        id=f"w{number}",
        lanes=("short",),
        kinds=("score",),
        device="CPU",
        models=models,
        memory=812_000_000,
        started_at=NOW - 7200,
        jobs=jobs,
    )
    return WorkerReport(state, age)


def rows(report: QueueReport) -> dict[str, str]:
    [block] = [block for block in queue_reply(report, NOW).blocks if isinstance(block, Rows)]
    return dict(block.rows)


def test_everybody_reads_that_a_lane_is_paused() -> None:
    """And not that it lacks a worker."""
    status = LaneStatus("short", ("score",), 2, 1, None, paused=True)
    assert plain(status_reply([status])) == "score: paused by the admins just now; 2 waiting."


@pytest.mark.parametrize(
    ("waiting", "workers", "wait", "sentence"),
    [
        (0, 1, 0.0, "score, write: nobody is waiting; a new job starts at once."),
        (3, 1, 130.0, "score, write: 3 waiting; a new job starts in about 3 min."),
        (2, 0, None, "score, write: no worker is on duty just now; 2 waiting."),
    ],
)
def test_everybody_reads_how_long_a_new_job_would_wait(
    waiting: int, workers: int, wait: float | None, sentence: str
) -> None:
    """One line for each lane, by the names of its kinds."""
    assert plain(status_reply([LaneStatus("short", ("score", "write"), waiting, workers, wait)])) == sentence


def test_a_desk_without_kinds_says_so() -> None:
    """An empty message cannot be sent anywhere."""
    assert plain(status_reply([])) == "This desk takes no jobs."


def test_admins_read_lanes_workers_and_the_last_hour() -> None:
    """By kind; with device, model, memory, current jobs and the last heartbeat of each worker."""
    report = QueueReport(
        lanes=(LaneReport("short", 3, 1, {"score": 2, "write": 1}, {"write": 1}, 12.0),),
        workers=(worker(jobs=("1abc",)), worker(2, age=30.0, models=())),
        ended={("score", "done"): 12, ("score", "failed"): 1, ("write", "cancelled"): 2},
    )
    assert plain(queue_reply(report, NOW)).startswith("Queue: 3 waiting, 1 running, 1 worker on duty.\n")
    assert rows(report) == {
        "Lane short": "3 waiting (2 score, 1 write), 1 running (1 write), the longest has waited 12 s",
        "Worker 1": "w1: CPU, 812 MB; tiny; running 1abc; heard of 1 s ago; up for 2 h",
        "Worker 2": "w2: CPU, 812 MB; no model; idle; heard of 30 s ago, not on duty; up for 2 h",
        "Last hour": "12 done, 1 failed, 2 cancelled",
        "score, last hour": "12 done, 1 failed",
        "write, last hour": "0 done, 0 failed, 2 cancelled",
    }


def test_admins_read_what_admins_did_and_how_far_the_waits_held() -> None:
    """Paused lanes, drained workers, jobs that were put aside, and the share of P90 waits that held."""
    report = QueueReport(
        lanes=(LaneReport("long", 2, 0, {}, {}, 70.0, paused=True), LaneReport("short", 0, 0, {}, {}, None)),
        workers=(WorkerReport(worker().state, 0.5, drained=True), worker(2)),
        ended={("score", "done"): 12},
        promises=Promises(held=193, missed=19),
        aside=1,
    )
    shown = rows(report)
    assert shown["Lane long"].startswith("paused; 2 waiting, 0 running")
    assert "paused" not in shown["Lane short"]
    assert "heard of 1 s ago, drained;" in shown["Worker 1"]
    assert "drained" not in shown["Worker 2"]
    assert shown["Aside"] == "1 job that stopped three workers"
    assert shown["Waits"] == "P90 waits held: 91 % of 212 in the last hour"
    paper = Paper(terminal=True)
    show_queue(report, NOW, paper)
    for words in ("long (paused)", "ago: drained", "1 job that stopped three workers.", "P90 waits held: 91 %"):
        assert words in paper.text
    assert json.loads(as_object([], report))["queue"]["promised_waits"] == {"held": 193, "missed": 19}


def test_admins_read_what_cannot_run_anywhere_and_why() -> None:
    """By what such jobs want; a worker's line names what it cannot run. On a terminal as well."""
    stranded = (
        Stranded("train train/mnist 600000000", 7, "The digits are not here."),
        *(Stranded(f"kind{number}", 1, "No.") for number in range(6)),
    )
    state = worker().state.model_copy(update={"lacks": {"train/mnist": "The digits are not here.", "sculpt": "No."}})
    lane = LaneReport("long", 13, 0, {"train": 7}, {}, 70.0, stranded=stranded)
    report = QueueReport(lanes=(lane,), workers=(WorkerReport(state, 0.5),), ended={})
    shown = plain(queue_reply(report, NOW))
    assert "Cannot run: 7 train (train/mnist, 600 MB): The digits are not here.\n" in shown
    assert "Cannot run: and 3 other sorts of jobs\n" in shown
    fewer = replace(report, lanes=(replace(lane, stranded=stranded[:5]),))
    assert "Cannot run: and 1 other sort of jobs\n" in plain(queue_reply(fewer, NOW))
    assert "; cannot run sculpt, train/mnist" in shown
    paper = Paper(terminal=True)
    show_queue(report, NOW, paper)
    assert "Cannot run: 7 train (train/mnist, 600 MB): The digits are not here." in paper.text
    assert json.loads(as_object([], report))["queue"]["lanes"][0]["stranded"][0]["waiting"] == 7


async def test_promises_are_no_outcomes_of_a_kind(redis: Redis) -> None:
    """They are counted in the same minutes, and reported apart."""
    seconds, _ = await redis.time()
    minute = keys.minute(seconds // 60)
    await redis.hset(minute, mapping={"wait|held": 9, "wait|missed": 1, "echo|done": 4})  # type: ignore[misc]
    await redis.sadd(keys.PAUSED, "long")  # type: ignore[misc]
    report = await queue_report(redis)
    assert report.ended == {("echo", "done"): 4}
    assert report.promises == Promises(held=9, missed=1)
    assert [(lane.name, lane.paused) for lane in report.lanes] == [("long", True)]


def test_many_workers_and_jobs_are_cut_short() -> None:
    """A platform shows about 25 rows; what is left out is counted."""
    shown = rows(QueueReport((), tuple(worker(n, jobs=("1abc",) * 20) for n in range(40)), {}))
    assert len(shown) <= 20
    assert shown["More workers"] == "28"
    assert shown["Worker 1"].count("1abc") == 8


def test_a_terminal_shows_tables() -> None:
    """`frontdesk status` for admins: the same figures, one table each, and foreign text is no markup."""
    report = QueueReport(
        lanes=(LaneReport("short", 3, 1, {"score": 2, "write": 1}, {"write": 1}, 12.0),),
        workers=(worker(jobs=("1abc",), models=("[red]tiny",)), worker(2, age=30.0)),
        ended={("score", "done"): 12, ("score", "expired"): 7},
    )
    paper = Paper(terminal=True)
    show_queue(report, NOW, paper)
    show_queue(QueueReport((), (), {}), NOW, paper)
    lines = [" ".join(re.sub(r"\x1b\[[\d;]*m", "", line).split()) for line in paper.text.splitlines()]
    assert "short 3 (2 score, 1 write) 1 (1 write) 12 s" in lines
    assert "w1 CPU [red]tiny 812 MB 1abc 1 s ago" in lines
    assert "w2 CPU tiny 812 MB idle 30 s ago: gone" in lines
    assert "score 12 0 0 7" in lines
    assert lines.count("Workers: none.") == 1


def test_memory_in_words() -> None:
    """Bytes as people say them."""
    assert (memory(812_000_000), memory(13_400_000_000)) == ("812 MB", "13.4 GB")
