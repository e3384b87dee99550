"""What the processes of a peer share: orders of the benchmark, and the ledger in which jobs say that they run.

The ledger is a file that every job appends a line to: the same few microseconds for all peers, no load on the server,
and nothing lost when a process is killed. Only the standard library is used: each peer runs in an environment of its
own.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import Awaitable, Callable
from functools import cache
from pathlib import Path
from typing import NoReturn

NAME = "bench"  # of the queue, the lane, the stream
TIME_LIMIT = 1800  # seconds that a job may take
LEASE = 6  # seconds after which a silent worker counts as dead, wherever a peer lets one choose


def server() -> str:
    """The path of the server's unix socket."""
    return os.environ["QUEUE_BENCHMARK_SOCKET"]


def slots() -> int:
    """Jobs that a worker runs at a time."""
    return int(os.environ["QUEUE_BENCHMARK_SLOTS"])


@cache
def _ledger() -> int:
    return os.open(os.environ["QUEUE_BENCHMARK_LEDGER"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)


def _note(event: str, number: int) -> None:
    now = time.monotonic()  # one clock for all processes of a machine
    os.write(_ledger(), f"{event} {number} {os.getpid()} {now:.7f}\n".encode())


def run(number: int, seconds: float) -> None:
    """The job, for peers that run functions in threads or processes."""
    _note("start", number)
    if seconds:
        time.sleep(seconds)
    _note("end", number)


async def run_async(number: int, seconds: float) -> None:
    """The same job as a coroutine."""
    _note("start", number)
    if seconds:
        await asyncio.sleep(seconds)
    _note("end", number)


def produce(enqueue: Callable[[int, float], object]) -> None:
    """Enqueue what standard input orders, one call a job; tells the clock before the first and after the last."""
    _say({"ready": True})
    for line in sys.stdin:
        order = json.loads(line)
        began = time.monotonic()
        for number in range(order["first"], order["first"] + order["count"]):
            enqueue(number, order["seconds"])
        _say({"began": began, "ended": time.monotonic()})


async def produce_async(enqueue: Callable[[int, float], Awaitable[object]]) -> None:
    """The same for a coroutine."""
    _say({"ready": True})
    while line := await asyncio.to_thread(sys.stdin.readline):
        order = json.loads(line)
        began = time.monotonic()
        for number in range(order["first"], order["first"] + order["count"]):
            await enqueue(number, order["seconds"])
        _say({"began": began, "ended": time.monotonic()})


def become(module: str, *arguments: str) -> NoReturn:
    """Turn this process into a library's own command line, which finds the peers' files."""
    here = str(Path(__file__).resolve().parent)
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [here, os.environ.get("PYTHONPATH")]))
    os.execv(sys.executable, [sys.executable, "-m", module, *arguments])  # noqa: S606 - it is to be this very process


def main(work: Callable[[], object], produce: Callable[[], object]) -> None:
    """`work` or `produce`, as the one argument says."""
    {"work": work, "produce": produce}[sys.argv[1]]()


def _say(answer: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()
