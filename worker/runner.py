"""What runs a kind: a class with `load` and `run`, usable without any queue.

All methods are blocking and are called from the device's one thread, never from the event loop, and never two at once.
Three shapes, from plain to fast:

- `Runner.run`: one job at a time.
- `BatchRunner.run_batch`: jobs that arrive together share one pass.
- `SteppingRunner`: jobs join and leave a batch that is running.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from frontdesk.queue.artifacts import Artifact
from frontdesk.queue.errors import FrontdeskError, UserError
from frontdesk.queue.parameters import Params
from frontdesk.queue.results import Result

if TYPE_CHECKING:
    from frontdesk.worker.models import ModelStore

P = TypeVar("P", bound=Params)
R = TypeVar("R", bound=Result)
P_in = TypeVar("P_in", bound=Params, contravariant=True)


class CancelledRunError(FrontdeskError):
    """Raised inside a run whose requester cancelled it."""


class RunError(UserError):
    """A run cannot succeed, for a reason that its requester should read. Never retried."""


class OutOfMemoryError(FrontdeskError):
    """The device's memory was not enough. Batches are split and tried again; a single job fails.

    Runners raise it in place of their library's own error.
    """


class MemoryLimitError(OutOfMemoryError, UserError):
    """A run took more than the `most` bytes that its kind declares."""

    def __init__(self, most: int) -> None:
        amount = f"{most / 1e9:.1f} GB" if most >= 1e9 else f"{most / 1e6:.0f} MB"
        super().__init__(f"This needs more memory than the {amount} that such a job may take.")
        self.most = most


class RunContext(Protocol):
    """What a run may tell and ask while it runs. Safe to call from any thread."""

    @property
    def job_id(self) -> str: ...

    def progress(self, fraction: float | None = None, *, text: str | None = None, note: str | None = None) -> None:
        """Tell the requester how far it is: a fraction of 0 to 1, the text so far, or a short note."""

    def check(self) -> None:
        """Raise CancelledRunError if the requester cancelled, and OutOfMemoryError if the run took more than its kind
        declares. Call it at every step of a long run, several times a second."""

    @property
    def folder(self) -> Path:
        """A private folder, removed after the run. Raises CancelledRunError when nobody waits for the run any more."""

    def fetch(self, artifact: Artifact) -> Path:
        """A copy of a file that the run was asked with, in a folder of its own below `folder`.

        Raises FileGoneError, FileDamagedError, StoreError (none need be caught), CancelledRunError as `folder` does.
        """

    def keep(self, data: bytes | Path, *, name: str, media_type: str) -> Artifact:
        """A file of the result, as it is now: it is in the store when the run has succeeded, and nowhere if it fails.

        Raises FileTooLargeError, ValueError for a media type that is none, CancelledRunError as `folder` does.
        """

    def show(self, data: bytes, *, name: str, media_type: str) -> None:
        """A picture of what there is so far, for the requester's ticket until the answer takes its place.

        The first two of a run are shown, of at most 1 MB each, and each replaces the one before. Others, and those that
        cannot be stored, are passed over: a run is worth more than its preview. Raises ValueError for a media type that
        is no picture's, CancelledRunError as `folder` does.
        """

    def save(self, state: bytes) -> None:
        """A checkpoint of this job, in place of its last one. Where it cannot be stored the run goes on without."""

    def saved(self) -> bytes | None:
        """The job's last checkpoint, perhaps of another worker that died or gave the job back; None: begin anew."""


@dataclass(frozen=True)
class Bench:
    """What a runner finds on its worker. `models` loads each model once and shares it between runners."""

    models: ModelStore
    data_dir: Path


class Runner(ABC, Generic[P, R]):
    """Loads once, runs one kind."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench

    def load(self) -> None:
        """Load and warm up. Runs before the worker takes its first job.

        Where it raises ConfigurationError, the worker serves its other kinds, if there are any; what else it raises
        stops the worker.
        """

    def lacks(self) -> Mapping[str, str]:
        """What this worker has not got, once loaded, of the needs that the kind declares: each by its name, with a
        sentence for whoever asks. Jobs that need it are left to other workers."""
        return {}

    def unload(self) -> None:
        """Give memory back."""

    @property
    def model(self) -> str | None:
        """The model's name and precision for the admins' view, or None."""
        return None

    @property
    def revision(self) -> str | None:
        """Which weights exactly, or which version of the program that is the model; None where nobody knows."""
        return None

    @abstractmethod
    def run(self, params: P, context: RunContext) -> R:
        """Run one job. Raises RunError, CancelledRunError, OutOfMemoryError."""


class BatchRunner(Runner[P, R]):
    """Jobs that arrive within `max_wait` seconds share a pass of at most `max_tokens` padded tokens."""

    max_wait: float = 0.01
    max_tokens: int = 2048

    @abstractmethod
    def tokens(self, params: P) -> int:
        """The length of one job in tokens, as the pass will see it."""

    @abstractmethod
    def run_batch(self, batch: Sequence[P]) -> Sequence[R]:
        """Results in the batch's order. An error other than OutOfMemoryError fails every job of the batch."""

    def run(self, params: P, context: RunContext) -> R:
        context.check()
        return self.run_batch([params])[0]


class Stepper(Protocol[P_in, R]):
    """A running batch. `key` names a job in it."""

    def add(self, key: str, params: P_in) -> None:
        """Let a job join. Raises RunError or OutOfMemoryError; the batch is then as it was before."""

    def step(self) -> dict[str, Stepped[R]]:
        """Advance every job by one token; what each has so far, or its result where it ended. Who ended has left.

        Raises OutOfMemoryError with the batch as it was before the step.
        """

    def park(self, key: str) -> None:
        """Take a job out to make room; `add` with the same key lets it go on where it was."""

    def remove(self, key: str) -> None:
        """Let a job leave, also one that is parked; an unknown key is ignored."""


@dataclass(frozen=True, slots=True)
class Stepped(Generic[R]):
    """Where one job of a running batch stands: `result` once it ended."""

    text: str
    fraction: float
    result: R | None = None


class SteppingRunner(Runner[P, R]):
    """Jobs join a running batch of at most `max_jobs` at its next step."""

    max_jobs: int = 8

    @abstractmethod
    def stepper(self) -> Stepper[P, R]:
        """A new, empty running batch."""

    def run(self, params: P, context: RunContext) -> R:
        stepper = self.stepper()
        stepper.add(context.job_id, params)
        while True:
            context.check()
            stepped = stepper.step()[context.job_id]
            if stepped.result is not None:
                return stepped.result
            context.progress(stepped.fraction, text=stepped.text)
