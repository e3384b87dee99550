"""Turns jobs into outcomes with the runners of one device. Knows no queue and no tensors."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Any, TypeAlias

import structlog
from pydantic import ValidationError

from frontdesk.queue.artifacts import ArtifactStore
from frontdesk.queue.errors import ConfigurationError, StoreError, UserError
from frontdesk.queue.jobs import Job, Outcome, Progress
from frontdesk.queue.kinds import AnyKind, Registry
from frontdesk.queue.logs import frames
from frontdesk.queue.results import Result
from frontdesk.worker.batching import Joiner
from frontdesk.worker.context import JobContext
from frontdesk.worker.device import Device, Share
from frontdesk.worker.driving import PATIENCE, Driver, OneByOne, Seat
from frontdesk.worker.observing import UNOBSERVED, BatchObserver, WorkerObserver
from frontdesk.worker.run_files import RunFiles, Workroom
from frontdesk.worker.runner import (
    BatchRunner,
    Bench,
    CancelledRunError,
    MemoryLimitError,
    OutOfMemoryError,
    RunError,
    Runner,
    SteppingRunner,
)
from frontdesk.worker.stepping import RunningBatch

ENTRY_POINTS = "frontdesk.runners"

UNFIT = "this worker lacks a library, a model or a setting for it."

SPEED_STEP = 0.1  # share of the latest job in the measured speed
SPEEDS = (0.1, 10.0)  # one job's estimate says no more than that

AnyRunner: TypeAlias = Runner[Any, Any]
AnyDriver: TypeAlias = Driver[Any, Any]

log = structlog.get_logger()


class Engine:
    """Runs jobs of some kinds on one device, each kind by the driver that its runner's shape asks for.

    kinds: what this worker is asked to serve.
    runners: by kind; those of other kinds are left alone.
    unfit: kinds whose runner cannot be had here, and why, for whoever runs the worker.
    clock: monotonic, in seconds.
    observer: hears of the batches.
    device: its name, for receipts.
    store: keeps the files that runs make; room: where runs have their private folders. None: runs have no files.

    Raises ConfigurationError where a kind has no runner.
    """

    def __init__(
        self,
        kinds: Registry,
        runners: Mapping[str, AnyRunner],
        *,
        unfit: Mapping[str, str] | None = None,
        clock: Callable[[], float] = time.monotonic,
        observer: WorkerObserver = UNOBSERVED,
        device: str = "",
        store: ArtifactStore | None = None,
        room: Workroom | None = None,
    ) -> None:
        self._faults = dict(unfit or {})
        if missing := [name for name in kinds if name not in runners and name not in self._faults]:
            raise ConfigurationError(
                f"This worker is asked to serve {', '.join(missing)}, but no installed package brings a runner for it "
                f"(entry points {ENTRY_POINTS!r}). Install one, or leave its lane out of FRONTDESK_LANES."
            )
        self._kinds = kinds
        self._runners = {name: runners[name] for name in kinds if name in runners}
        self._clock = clock
        self._device = Device(clock)
        self._share = Share()
        self._drivers = {
            name: _driver(runner, self._device, observer.batches(name)) for name, runner in self._runners.items()
        }
        self._lacks: dict[str, str] = {}
        self._seats: set[Seat[Any, Any]] = set()
        self._speed = 1.0
        self._store = store
        self._room = room
        self._named = device

    @property
    def models(self) -> list[str]:
        """The loaded models with their precision, each once."""
        return list(dict.fromkeys(runner.model for runner in self._runners.values() if runner.model))

    @property
    def kinds(self) -> tuple[str, ...]:
        """What it serves, once loaded."""
        return tuple(self._runners)

    @property
    def faults(self) -> Mapping[str, str]:
        """The kinds that it was asked to serve and cannot, with the reason for whoever runs the worker."""
        return self._faults

    @property
    def lacks(self) -> Mapping[str, str]:
        """Kinds that it cannot serve and needs that it cannot meet, once loaded: each with a sentence for who asks."""
        return {name: f"No {name} can be run here: {UNFIT}" for name in self._faults} | self._lacks

    def model_of(self, kind: str) -> str:
        """The model that serves a kind, with its precision; "" where there is none."""
        return self._runners[kind].model or ""

    def slots(self, lane: str, most: int) -> int:
        """How many jobs of a lane this worker holds at a time: one where they run one by one, so that the others wait
        where a worker that comes free can take them."""
        drivers = [driver for name, driver in self._drivers.items() if self._kinds[name].lane == lane]
        return 1 if all(isinstance(driver, OneByOne) for driver in drivers) else most

    @property
    def speed(self) -> float:
        """Estimated over measured device-seconds of the latest jobs: above 1 where this device is faster than most."""
        return self._speed

    @property
    def jobs(self) -> tuple[str, ...]:
        """The ids of those that run, or wait for the device."""
        return tuple(seat.context.job_id for seat in self._seats)

    @property
    def held_for(self) -> float:
        """Seconds for which the device has run its present call; 0 when it is free."""
        return self._device.held_for

    @property
    def stuck(self) -> bool:
        """The device is held by a call that outlasted its time, or its job: only a new process helps."""
        return self._device.overrun > PATIENCE

    async def load(self) -> None:
        """Load and warm up all runners, and ask what they lack.

        A kind whose runner raises ConfigurationError is not served; where none is left, that is raised. So is what else
        a runner raises.
        """
        for name, runner in list(self._runners.items()):
            try:
                await self._device.call(runner.load, share=self._share)
                self._lacks |= runner.lacks()
            except ConfigurationError as error:
                self._faults[name] = str(error)
                del self._runners[name], self._drivers[name]
        if self._faults and not self._runners:
            raise ConfigurationError(" ".join(dict.fromkeys(self._faults.values())))
        for name, reason in self._faults.items():
            log.warning("a kind is not served here", kind=name, reason=reason)
        for need, sentence in self._lacks.items():
            log.info("some jobs are left to other workers", need=need, reason=sentence)

    async def run(self, job: Job, report: Callable[[Progress], None]) -> Outcome:
        """Run one job to its outcome, telling progress at a bounded rate, on the event loop.

        Raises nothing but asyncio.CancelledError, when the caller is cancelled; the job's place is then free again.
        """
        files = RunFiles(job.id, self._store, self._room)
        context = JobContext(job.id, report, files=files)
        began, ended = self._clock(), False
        try:
            outcome = await self._outcome(job, context, files)
            ended = True
        finally:
            context.close()
            await files.close(ended=ended)
        if outcome.status == "done" and job.cost > 0 and context.device_seconds > 0:
            ratio = min(SPEEDS[1], max(SPEEDS[0], job.cost / context.device_seconds))
            self._speed += SPEED_STEP * (ratio - self._speed)
        runner = self._runners.get(job.kind)
        return outcome.model_copy(
            update={
                "seconds": self._clock() - began,
                "gpu_seconds": context.device_seconds,
                "model": (runner and runner.model) or "",
                "revision": (runner and runner.revision) or "",
                "device": self._named,
            }
        )

    def cancel(self, job_id: str) -> bool:
        """End a job because its requester wants that. False where it does not run here, or has ended."""
        mine = [seat for seat in self._seats if seat.context.job_id == job_id]
        ended = [seat.give_up(CancelledRunError("cancelled by its requester")) for seat in mine]
        return any(ended)

    async def close(self) -> None:
        """Cancel what runs, unload, and take no more jobs. One runner's bad clean-up does not stop the rest."""
        for driver in self._drivers.values():
            await driver.close()
        for name, runner in self._runners.items():
            try:
                await asyncio.wait_for(self._device.call(runner.unload, share=self._share), PATIENCE)
            except Exception as error:
                log.warning("not unloaded", kind=name, error=type(error).__name__, frames=frames(error))
        self._device.close()
        if self._room:
            await asyncio.to_thread(self._room.close)

    async def _outcome(self, job: Job, context: JobContext, files: RunFiles) -> Outcome:
        try:
            result = await self._result(job, context)
            fields, ranking = result.model_dump(mode="json"), result.ranking()
            return Outcome(status="done", result=fields, files=await files.put_all(), ranking=ranking)
        except CancelledRunError:
            return Outcome(status="cancelled")
        except MemoryLimitError as error:
            log.info("more memory than declared", job_id=job.id, kind=job.kind, most=error.most)
            return Outcome(status="failed", reason=str(error))
        except OutOfMemoryError:
            log.info("out of memory", job_id=job.id, kind=job.kind)
            return Outcome(status="failed", reason="This needs more memory than this worker has.")
        except StoreError as error:
            log.warning("files not stored", job_id=job.id, kind=job.kind, reason=str(error))
            return Outcome(status="failed", reason="Its files could not be stored. Please ask again later.")
        except UserError as error:
            return Outcome(status="failed", reason=str(error))
        except Exception as error:
            name = f"{type(error).__module__}.{type(error).__qualname__}"
            # TRY400: an exception's own words, which a traceback ends in, may hold what the user or the model wrote.
            log.error("run failed", job_id=job.id, kind=job.kind, error=name, frames=frames(error))  # noqa: TRY400
            return Outcome(status="failed", reason="Something went wrong inside the worker.")

    async def _result(self, job: Job, context: JobContext) -> Result:
        kind = self._kinds[job.kind]
        if kind.name not in self._drivers:
            raise RunError(self.lacks[kind.name])
        params = _params(kind, job)
        _, memory = kind.wants(params)
        seat = self._drivers[kind.name].enter(params, context, time_limit=kind.limit(params), memory=memory)
        self._seats.add(seat)
        try:
            result = await seat.wait()
        finally:
            self._seats.discard(seat)
        expected: type[Result] = kind.result
        if not isinstance(result, expected):
            raise TypeError(f"the runner of {kind.name} gave a {type(result).__name__}")
        return result


def installed_runners(names: Iterable[str], bench: Bench) -> tuple[dict[str, AnyRunner], dict[str, str]]:
    """The runners that installed packages bring for these kinds, constructed and not yet loaded; and by kind, why a
    runner that is there cannot be imported: a library is missing, or its own is not the one it needs.

    A kind without a runner is in neither. Raises ConfigurationError where what is there is no runner, or a kind has
    two.
    """
    wanted, found, unfit = set(names), dict[str, AnyRunner](), dict[str, str]()
    for point in entry_points(group=ENTRY_POINTS):
        if point.name in found or point.name in unfit:
            raise ConfigurationError(f"Two installed packages bring a runner for {point.name}; uninstall one.")
        if point.name in wanted:
            try:
                found[point.name] = _imported(point)(bench)
            except ImportError as error:
                unfit[point.name] = f"The runner for {point.name} ({point.value}) cannot be imported: {error}."
    return found, unfit


def _imported(point: EntryPoint) -> type[AnyRunner]:
    try:
        runner = point.load()
    except AttributeError as error:
        raise ConfigurationError(f"The runner for {point.name} ({point.value}) cannot be imported: {error}") from error
    if not (isinstance(runner, type) and issubclass(runner, Runner)):
        raise ConfigurationError(f"The runner for {point.name} ({point.value}) is not a subclass of Runner.")
    return runner


def _driver(runner: AnyRunner, device: Device, observer: BatchObserver) -> AnyDriver:
    if isinstance(runner, SteppingRunner):
        return RunningBatch(runner, device, observer=observer)
    if isinstance(runner, BatchRunner):
        return Joiner(runner, device, observer=observer)
    return OneByOne(runner, device)


def _params(kind: AnyKind, job: Job) -> Any:
    """The job's parameters as the kind declares them now. Raises UserError where they no longer fit."""
    try:
        return kind.params.model_validate(dict(job.params))
    except ValidationError as error:
        names = sorted({str(problem["loc"][0]) for problem in error.errors(include_input=False) if problem["loc"]})
        wrong = f" ({', '.join(names)})" if names else ""
        raise UserError(
            f"This worker's {kind.name} takes other parameters than this request has{wrong}. Please ask again."
        ) from None
