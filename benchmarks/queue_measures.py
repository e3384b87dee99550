"""What is measured of each queue: one function a measure, each on an emptied server with processes of its own."""

from __future__ import annotations

import itertools
import os
import random
import signal
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import Popen
from typing import Any

from queue_peers import Peer
from queue_processes import Processes, processes
from redis import Redis

Figures = dict[str, float | None]  # None: it did not happen within the patience

WARM = 5  # jobs before a measure begins
HELD = 1_800.0  # seconds of the job whose worker is killed
STANDING_BY = 12.0  # seconds in which the slowest worker has started


@dataclass(frozen=True)
class Sizes:
    """How much is measured. samples: latencies. slots: jobs at a time for no-op jobs. scale: share of the peer's jobs.
    idle, patience: seconds."""

    samples: int = 200
    slots: int = 10
    scale: float = 1.0
    gaps: int = 40
    idle: float = 10.0
    patience: float = 60.0


@dataclass(frozen=True)
class Place:
    """Where a measure takes place: the server, the peers' environments, a folder for logs, and the dice."""

    socket: Path
    environments: Path
    folder: Path
    dice: random.Random
    sizes: Sizes

    @contextmanager
    def start(self, peer: Peer) -> Iterator[tuple[Processes, Any]]:
        """An emptied server and no process yet."""
        redis: Any = Redis(unix_socket_path=str(self.socket))
        try:
            redis.flushall()
            with processes(peer, self.environments, self.socket, self.folder) as started:
                yield started, redis
        finally:
            redis.close()


def latency(peer: Peer, place: Place) -> Figures:
    """Milliseconds from before the call that enqueues to the job's first line, with an idle worker.

    The pauses are spread over half a second, the period of the peer that polls, so that they meet it anywhere.
    """
    with place.start(peer) as (started, _):
        started.work(place.sizes.slots)
        _warm(started)
        asked = {}
        for number in range(WARM, WARM + place.sizes.samples):
            time.sleep(place.dice.uniform(0.02, 0.52))
            asked[number], _ = started.enqueue(number, 1)
            started.wait(number)
        runs = started.ledger.look()
        lost, twice = _lost(started, WARM + len(asked))
    waits = [(run.start - asked[run.number]) * 1000 for run in runs if run.number in asked]
    cut = statistics.quantiles(waits, n=100, method="inclusive")
    return {"p50": cut[49], "p95": cut[94], "p99": cut[98], "lost": lost, "twice": twice}


def _throughput(peer: Peer, place: Place, seconds: float, slots: int, jobs: int) -> Figures:
    """Jobs a second out of a full queue: of the last nine tenths, so that a worker's start does not count."""
    jobs = max(20, int(jobs * place.sizes.scale))
    with place.start(peer) as (started, _):
        began, ended = started.enqueue(0, jobs, seconds)
        started.work(slots)
        started.wait_all(jobs)
        time.sleep(0.2)  # a job that runs twice would show
        starts = [run.start for run in started.ledger.look()]
        lost, twice = _lost(started, jobs)
    first = len(starts) // 10
    rate = (len(starts) - 1 - first) / (starts[-1] - starts[first])
    return {"rate": rate, "enqueue rate": jobs / (ended - began), "lost": lost, "twice": twice}


def no_op(peer: Peer, place: Place) -> Figures:
    """Jobs a second that do nothing."""
    return _throughput(peer, place, 0.0, place.sizes.slots, peer.jobs)


def ten_ms(peer: Peer, place: Place) -> Figures:
    """Jobs a second that sleep 10 ms, ten at a time: 1,000 is all there could be."""
    return _throughput(peer, place, 0.01, 10, peer.jobs)


def gaps(peer: Peer, place: Place) -> Figures:
    """Milliseconds between the end of a job and the start of the next, one at a time, 50 ms each, a full queue."""
    with place.start(peer) as (started, _):
        started.enqueue(0, place.sizes.gaps, 0.05)
        started.work(1)
        started.wait_all(place.sizes.gaps)
        runs = started.ledger.look()
        lost, twice = _lost(started, place.sizes.gaps)
    found = [(later.start - (run.end or 0.0)) * 1000 for run, later in itertools.pairwise(runs)]
    return {"median": statistics.median(found), "most": max(found), "lost": lost, "twice": twice}


def idle(peer: Peer, place: Place) -> Figures:
    """What a worker with nothing to do asks of the server, a second: commands (those inside scripts, too), requests."""
    with place.start(peer) as (started, redis):
        started.work(place.sizes.slots)
        _warm(started)
        time.sleep(min(3.0, place.sizes.idle))
        commands, requests, began = *_counted(redis), time.monotonic()
        time.sleep(place.sizes.idle)
        later, more, seconds = *_counted(redis), time.monotonic() - began
    # Each count is two requests and two commands of its own, and the first sees half of itself.
    return {"commands": max(0.0, later - commands - 2) / seconds, "requests": max(0.0, more - requests - 2) / seconds}


def recovery(peer: Peer, place: Place) -> Figures:
    """Seconds until the job of a killed worker runs again.

    whole: all its processes killed, another worker started at once. child: only the process that runs the job killed,
    where a parent watches over it. spare: the same process killed while another worker stands by.
    """
    with _held(peer, place) as (started, leader, pid):
        watched = pid != leader.pid
        killed = started.kill(leader)
        started.work(1)
        found: Figures = {"whole": _second_start(started, killed, place.sizes.patience)}
    if watched:
        with _held(peer, place) as (started, _, pid):
            os.kill(pid, signal.SIGKILL)
            found["child"] = _second_start(started, time.monotonic(), place.sizes.patience)
    if any(seconds is not None for seconds in found.values()):  # who did not come back to it would not do so here
        with _held(peer, place) as (started, _, pid):
            started.work(1)
            time.sleep(STANDING_BY)
            os.kill(pid, signal.SIGKILL)
            found["spare"] = _second_start(started, time.monotonic(), place.sizes.patience)
    return found


@contextmanager
def _held(peer: Peer, place: Place) -> Iterator[tuple[Processes, Popen[str], int]]:
    """A worker that has run a long job for a while, anywhere between two heartbeats, and the process that runs it."""
    with place.start(peer) as (started, _):
        leader = started.work(1)
        started.enqueue(0, 1, HELD)
        started.wait(0)
        time.sleep(place.dice.uniform(3.0, 5.0))
        yield started, leader, started.ledger.runs[0].pid


def _second_start(started: Processes, killed: float, patience: float) -> float | None:
    """Seconds from the kill to the job's second start; None: not within the patience."""
    while time.monotonic() < killed + patience:
        if len(runs := started.ledger.look()) > 1:
            return runs[1].start - killed
        time.sleep(0.01)
    return None


def _warm(started: Processes) -> None:
    started.enqueue(0, WARM)
    for number in range(WARM):
        started.wait(number)
    time.sleep(0.5)


def _lost(started: Processes, jobs: int) -> tuple[int, int]:
    """Jobs of the first so many that never ran, and those that ran more than once."""
    ran = [run.number for run in started.ledger.look()]
    return len(set(range(jobs)) - set(ran)), len(ran) - len(set(ran))


def _counted(redis: Any) -> tuple[int, int]:
    """Commands called and requests read by the server since its start."""
    calls = sum(int(each["calls"]) for each in redis.info("commandstats").values())
    return calls, int(redis.info("stats")["total_reads_processed"])


TAKEN: dict[str, Callable[[Peer, Place], Figures]] = {
    "latency": latency,
    "no-op": no_op,
    "10 ms": ten_ms,
    "gaps": gaps,
    "idle": idle,
    "recovery": recovery,
}
