"""What the engine gives to a run: the place to tell its progress, to ask whether to go on, and to leave its files."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import structlog

from frontdesk.queue.artifacts import Artifact
from frontdesk.queue.jobs import Progress
from frontdesk.worker.run_files import RunFiles
from frontdesk.worker.runner import CancelledRunError

PROGRESS_INTERVAL = 0.25  # seconds between two reports of one job

log = structlog.get_logger()


class JobContext:
    """A `RunContext` that passes news to `report` on the event loop: the latest, at most every `interval` seconds.

    Made on the event loop; `progress`, `check` and what concerns `files` may be called from any thread.
    """

    def __init__(
        self,
        job_id: str,
        report: Callable[[Progress], None],
        *,
        interval: float = PROGRESS_INTERVAL,
        files: RunFiles | None = None,
    ) -> None:
        self._job_id = job_id
        self._files = files or RunFiles(job_id)
        self._report = report
        self._interval = interval
        self._loop = asyncio.get_running_loop()
        self._lock = threading.Lock()
        self._latest: tuple[float | None, str | None, str | None] | None = None
        self._next_report = 0.0
        self._given_up = False
        self._closed = False
        self.device_seconds = 0.0

    @property
    def job_id(self) -> str:
        return self._job_id

    def progress(self, fraction: float | None = None, *, text: str | None = None, note: str | None = None) -> None:
        with self._lock:
            waiting = self._latest is not None
            self._latest = (fraction, text, note)
        if not waiting:
            with suppress(RuntimeError):  # the loop has been closed under a run that goes on
                self._loop.call_soon_threadsafe(self._report_in_time)

    def check(self) -> None:
        if self._given_up:
            raise CancelledRunError("nobody waits for this run any more")

    @property
    def folder(self) -> Path:
        return self._files.folder

    def fetch(self, artifact: Artifact) -> Path:
        return self._files.fetch(artifact)

    def keep(self, data: bytes | Path, *, name: str, media_type: str) -> Artifact:
        return self._files.keep(data, name=name, media_type=media_type)

    def save(self, state: bytes) -> None:
        self._files.save(state)

    def saved(self) -> bytes | None:
        return self._files.saved()

    def give_up(self) -> None:
        """Let the next `check` end the run."""
        self._given_up = True

    def charge(self, seconds: float) -> None:
        """Add to this job's share of the device's time."""
        self.device_seconds += seconds

    def close(self) -> None:
        """The job has ended: report nothing more."""
        self._closed = True

    def _report_in_time(self) -> None:
        self._loop.call_at(max(self._next_report, self._loop.time()), self._report_now)

    def _report_now(self) -> None:
        with self._lock:
            latest, self._latest = self._latest, None
        if latest is None or self._closed:
            return
        self._next_report = self._loop.time() + self._interval
        fraction, text, note = latest
        try:
            self._report(Progress(job_id=self._job_id, fraction=fraction, text=text, note=note))
        except Exception as error:
            # Progress is worth less than the run. The error's own words may hold the text: only its type is logged.
            log.warning("progress not reported", job_id=self._job_id, error=type(error).__name__)
