"""What tests of the worker's engine share: runners that a test holds and releases, and a clock that they move."""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any, cast

from pydantic import Field

from frontdesk.queue.artifacts import ArtifactStore
from frontdesk.queue.blobs import FolderBlobs
from frontdesk.queue.jobs import Job, Progress, Requester, new_job_id
from frontdesk.queue.kinds import JobKind, Registry
from frontdesk.queue.parameters import Params
from frontdesk.queue.results import Result
from frontdesk.worker.context import JobContext
from frontdesk.worker.engine import AnyRunner, Engine
from frontdesk.worker.run_files import RunFiles, Workroom
from frontdesk.worker.runner import (
    BatchRunner,
    Bench,
    OutOfMemoryError,
    RunContext,
    Runner,
    Stepped,
    SteppingRunner,
)

NO_BENCH = cast(Bench, None)  # the runners here have no model
PATIENCE = 30.0  # seconds after which a test that waits has failed


class TextParams(Params):
    text: Annotated[str, Field(description="What to say back", min_length=1, max_length=500)]


class TextResult(Result):
    said: str


def kind(name: str = "say", *, time_limit: float = 300.0) -> JobKind[TextParams, TextResult]:
    return JobKind(name, "Says it back", TextParams, TextResult, cost=lambda params: 1.0, time_limit=time_limit)


def said(text: str) -> TextParams:
    return TextParams(text=text)


def context(job_id: str = "job", folder: Path | None = None) -> JobContext:
    """With a folder, the run may have files: in a store and in a room that lie there."""
    if folder is None:
        return JobContext(job_id, lambda progress: None)
    store, room = ArtifactStore(FolderBlobs(folder / "store")), Workroom(folder / "runs")
    return JobContext(job_id, lambda progress: None, files=RunFiles(job_id, store, room))


class Clock:
    """Seconds that pass only where a test says so."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Gate:
    """A point in the device's thread: it tells the test what arrived there, and waits until the test lets it go."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._arrived: asyncio.Queue[Any] = asyncio.Queue()
        self._answers: queue.SimpleQueue[Exception | None] = queue.SimpleQueue()

    def pass_through(self, what: Any) -> None:
        self._loop.call_soon_threadsafe(self._arrived.put_nowait, what)
        if error := self._answers.get(timeout=PATIENCE):
            raise error

    async def arrival(self) -> Any:
        return await asyncio.wait_for(self._arrived.get(), PATIENCE)

    def let_go(self, *errors: Exception | None) -> None:
        """Let one go, or as many as are given; each may raise an error instead."""
        for error in errors or (None,):
            self._answers.put(error)


class Saying(Runner[TextParams, TextResult]):
    """A plain runner. Notes the threads it ran in."""

    def __init__(self, gate: Gate | None = None) -> None:
        super().__init__(NO_BENCH)
        self.gate = gate
        self.ran: list[str] = []
        self.threads: set[str] = set()

    def run(self, params: TextParams, context: RunContext) -> TextResult:
        self.ran.append(params.text)
        self.threads.add(threading.current_thread().name)
        if self.gate:
            self.gate.pass_through(params.text)
        context.check()
        return TextResult(said=params.text)


class Batching(BatchRunner[TextParams, TextResult]):
    """A token a character. `fits` padded tokens fit in memory; a batch with a text of `poison` in it fails."""

    max_wait = 0.0
    max_tokens = 100

    def __init__(self, gate: Gate | None = None, *, fits: int = 10_000, poison: str = "", clock: Clock | None = None):
        super().__init__(NO_BENCH)
        self.gate = gate
        self.fits = fits
        self.poison = poison
        self.clock = clock
        self.batches: list[list[str]] = []

    def tokens(self, params: TextParams) -> int:
        if params.text == "unmeasurable":
            raise ValueError("no length")
        return len(params.text)

    def run_batch(self, batch: Sequence[TextParams]) -> Sequence[TextResult]:
        texts = [params.text for params in batch]
        self.batches.append(texts)
        if self.gate:
            self.gate.pass_through(texts)
        if self.clock:
            self.clock.now += 1.0
        if max(map(len, texts)) * len(texts) > self.fits:
            raise OutOfMemoryError("full")
        if self.poison in texts:
            raise ValueError(f"poisoned by {self.poison}")
        return [TextResult(said=text) for text in texts]


class Spelling:
    """A running batch that says a text letter by letter; `fits` letters that were said so far fit in memory."""

    def __init__(self, runner: SpellingRunner) -> None:
        self._runner = runner
        self.jobs: dict[str, tuple[str, int]] = {}
        self.parked: dict[str, tuple[str, int]] = {}

    def add(self, key: str, params: TextParams) -> None:
        if self._runner.clock:
            self._runner.clock.now += 10.0
        if error := self._runner.refused.pop(params.text, None):
            raise error
        text, count = self.parked.get(key, (params.text, 0))
        self._check(list(self.jobs.values()), count + 1)
        self.jobs[key] = (text, count)
        self.parked.pop(key, None)

    def step(self) -> dict[str, Stepped[TextResult]]:
        runner = self._runner
        texts = [text for text, _ in self.jobs.values()]
        runner.steps.append(texts)
        if runner.gate:
            runner.gate.pass_through(texts)
        if runner.clock:
            runner.clock.now += 1.0
        self._check(list(self.jobs.values()), len(self.jobs))
        stepped = {}
        for key, (text, count) in list(self.jobs.items()):
            self.jobs[key] = (text, count + 1)
            ended = count + 1 == len(text)
            result = TextResult(said=text) if ended else None
            stepped[key] = Stepped(text[: count + 1], (count + 1) / len(text), result)
            if ended:
                del self.jobs[key]
        return stepped

    def park(self, key: str) -> None:
        self.parked[key] = self.jobs.pop(key)

    def remove(self, key: str) -> None:
        self.jobs.pop(key, None)
        self.parked.pop(key, None)

    def _check(self, jobs: list[tuple[str, int]], more: int) -> None:
        if sum(count for _, count in jobs) + more > self._runner.fits:
            raise OutOfMemoryError("full")


class SpellingRunner(SteppingRunner[TextParams, TextResult]):
    max_jobs = 3

    def __init__(self, gate: Gate | None = None, *, fits: int = 10_000, clock: Clock | None = None) -> None:
        super().__init__(NO_BENCH)
        self.gate = gate
        self.fits = fits
        self.clock = clock
        self.refused: dict[str, Exception] = {}  # raised once when that text wants to join
        self.steps: list[list[str]] = []
        self.batches: list[Spelling] = []

    def stepper(self) -> Spelling:
        self.batches.append(Spelling(self))
        return self.batches[-1]


def job(text: str = "hello", name: str = "say", **params: Any) -> Job:
    now = time.time()
    ada = Requester(platform="console", user="ada", tenant="ada")
    return Job(
        id=new_job_id(now),
        kind=name,
        lane="short",
        params={"text": text} | params,
        requester=ada,
        cost=1,
        submitted_at=now,
    )


def unheard(progress: Progress) -> None:
    """For tests that do not look at progress."""


@asynccontextmanager
async def serving(runner: AnyRunner, *, time_limit: float = 300.0, **options: Any) -> AsyncIterator[Engine]:
    engine = Engine(Registry([kind(time_limit=time_limit)]), {"say": runner}, **options)
    await engine.load()
    yield engine
    await engine.close()


class Acting(Saying):
    """Does what the test says with the context of a run."""

    def __init__(self, act: Callable[[RunContext], object]) -> None:
        super().__init__()
        self.act = act

    def run(self, params: TextParams, context: RunContext) -> TextResult:
        self.act(context)
        return super().run(params, context)
