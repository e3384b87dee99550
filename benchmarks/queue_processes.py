"""Starts the processes of a peer, and ends every one of them, the forked and the orphaned included."""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import psutil
from queue_peers import Peer

TOKEN = "QUEUE_BENCHMARK_TOKEN"  # noqa: S105 - in the environment of what is started: it outlives sessions and parents
PATIENCE = 60.0  # seconds after which what should have happened counts as a failure


class Failed(RuntimeError):  # noqa: N818 - it is caught and told, not an error of this program
    """A peer did not do what it was told; the sentence names its log."""


@dataclass(frozen=True)
class Run:
    """A job that ran: the process, and when it started and ended by the monotonic clock (None: it did not end)."""

    number: int
    pid: int
    start: float
    end: float | None = None


@dataclass
class Ledger:
    """What the jobs wrote; `runs` are in the order of their starts."""

    path: Path
    runs: list[Run] = field(default_factory=list)
    _read: int = 0

    def look(self) -> list[Run]:
        """Read on; a line that is not whole yet is left for the next time."""
        with self.path.open("rb") as file:
            file.seek(self._read)
            text = file.read()
        text = text[: text.rfind(b"\n") + 1]
        self._read += len(text)
        for line in text.decode().splitlines():
            event, number, pid, at = line.split()
            if event == "start":
                self.runs.append(Run(int(number), int(pid), float(at)))
            else:
                self._end(int(number), int(pid), float(at))
        return self.runs

    def _end(self, number: int, pid: int, at: float) -> None:
        for index in range(len(self.runs) - 1, -1, -1):
            run = self.runs[index]
            if (run.number, run.pid, run.end) == (number, pid, None):
                self.runs[index] = Run(number, pid, run.start, at)
                return


class Processes:
    """One peer's processes on one server, for one measure. `folder` takes their logs."""

    def __init__(self, peer: Peer, environments: Path, socket: Path, folder: Path) -> None:
        self._peer = peer
        self._command = peer.command(environments)
        self._log = folder / f"{peer.script}.log"
        self._token = secrets.token_hex(8)
        descriptor = folder / f"ledger-{self._token}"
        descriptor.touch()
        self.ledger = Ledger(descriptor)
        self._environment = os.environ | {
            "QUEUE_BENCHMARK_SOCKET": str(socket),
            "QUEUE_BENCHMARK_LEDGER": str(descriptor),
        }
        self._producer: subprocess.Popen[str] | None = None
        self._children: list[subprocess.Popen[str]] = []

    def work(self, slots: int) -> subprocess.Popen[str]:
        """Start a worker."""
        return self._start("work", slots, stdout=None)

    def enqueue(self, first: int, count: int, seconds: float = 0.0) -> tuple[float, float]:
        """Enqueue jobs by one call each; the clock before the first and after the last. Raises Failed."""
        if self._producer is None:
            self._producer = self._start("produce", 1, stdout=subprocess.PIPE)
            self._answer()
        assert self._producer.stdin
        self._producer.stdin.write(json.dumps({"first": first, "count": count, "seconds": seconds}) + "\n")
        self._producer.stdin.flush()
        answer = self._answer()
        return answer["began"], answer["ended"]

    def wait(self, number: int) -> None:
        """Wait until job `number` has started. Raises Failed."""
        deadline = time.monotonic() + PATIENCE
        while not any(run.number == number for run in reversed(self.ledger.look())):
            self._check(deadline, f"job {number} did not start")
            time.sleep(0.005)

    def wait_all(self, count: int) -> None:
        """Wait until so many jobs have ended, as long as some do. Raises Failed."""
        before, deadline = 0, time.monotonic() + PATIENCE
        while (ended := sum(run.end is not None for run in self.ledger.look())) < count:
            if ended > before:
                before, deadline = ended, time.monotonic() + PATIENCE
            self._check(deadline, f"only {ended} of {count} jobs ran")
            time.sleep(0.05)

    def kill(self, leader: subprocess.Popen[str]) -> float:
        """End a worker with all its processes as SIGKILL does it; the clock after that."""
        for process in self._descendants(leader.pid):
            with suppress(psutil.Error):
                process.kill()
        leader.wait()
        return time.monotonic()

    def close(self) -> None:
        """End all that was started here, and what that started."""
        for child in self._children:
            with suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
        while left := self._marked():
            for process in left:
                with suppress(psutil.Error):
                    process.kill()
            time.sleep(0.01)
        for child in self._children:
            child.wait()
            for pipe in (child.stdin, child.stdout):
                if pipe:
                    with suppress(OSError):
                        pipe.close()
        self.ledger.path.unlink(missing_ok=True)

    def _start(self, role: str, slots: int, stdout: int | None) -> subprocess.Popen[str]:
        with self._log.open("a") as log:
            output: int | IO[str] = log if stdout is None else stdout
            child = subprocess.Popen(
                [*self._command, role],
                env=self._environment | {"QUEUE_BENCHMARK_SLOTS": str(slots), TOKEN: self._token},
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=log,
                text=True,
                start_new_session=True,  # Ctrl-C is for the benchmark, which ends them
            )
        self._children.append(child)
        return child

    def _answer(self) -> dict[str, Any]:
        assert self._producer
        assert self._producer.stdout
        line = self._producer.stdout.readline()
        if not line:
            raise Failed(f"{self._peer.name}: its producer ended; see {self._log}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _check(self, deadline: float, what: str) -> None:
        if time.monotonic() > deadline or any(child.poll() is not None for child in self._children):
            why = "its worker ended" if time.monotonic() <= deadline else f"nothing more came in {PATIENCE:.0f} s"
            raise Failed(f"{self._peer.name}: {what}, {why}; see {self._log}")

    def _descendants(self, pid: int) -> list[psutil.Process]:
        leader = psutil.Process(pid)
        return [leader, *leader.children(recursive=True)]

    def _marked(self) -> list[psutil.Process]:
        """What carries our token, and still runs."""
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error, OSError):
                if process.environ().get(TOKEN) == self._token and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
        return found


@contextmanager
def processes(peer: Peer, environments: Path, socket: Path, folder: Path) -> Iterator[Processes]:
    started = Processes(peer, environments, socket, folder)
    try:
        yield started
    finally:
        with undisturbed():
            started.close()


@contextmanager
def undisturbed() -> Iterator[None]:
    """Ctrl-C and SIGTERM wait until the block is over: an impatient second one leaves nothing behind either."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
