"""Who is told what happens in a worker: nobody, unless somebody wants to count it."""

from __future__ import annotations

from typing import Literal, TypeAlias

Status: TypeAlias = Literal["done", "failed", "cancelled", "expired"]


class BatchObserver:
    """Hears of the batches of one kind. Does nothing by itself."""

    def passed(self, jobs: int, tokens: int) -> None:
        """A pass served so many jobs; `tokens` as padded: the longest times the jobs."""

    def stepped(self, jobs: int) -> None:
        """A running batch of so many jobs took a step."""

    def split(self) -> None:
        """A batch did not fit in memory and was made smaller."""


class WorkerObserver:
    """Hears of a worker's jobs. Does nothing by itself; whoever overrides a method must not raise.

    All methods but `loaded` are called on the event loop. Times in seconds.
    """

    def batches(self, kind: str) -> BatchObserver:
        """Who hears of this kind's batches."""
        return BatchObserver()

    def loaded(self, model: str, seconds: float) -> None:
        """A model was loaded. Called in the device's thread."""

    def started(self, kind: str, lane: str, wait: float) -> None:
        """A job starts, so long after its submission."""

    def ended(self, kind: str, status: Status, seconds: float, device_seconds: float) -> None:
        """A job ended after so long, with so much of the device's time."""

    def lease_lost(self) -> None:
        """A job was taken from this worker, which did not renew its lease in time, or finished it too late."""

    def redis_lost(self) -> None:
        """A call to Redis failed and will be tried again."""


UNOBSERVED = WorkerObserver()
