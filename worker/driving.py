"""How jobs reach a runner: a seat for each job, and the driver that serves those who sit."""

from __future__ import annotations

import asyncio
import itertools
import math
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from typing import Generic, TypeVar

from frontdesk.queue.parameters import Params
from frontdesk.queue.results import Result
from frontdesk.worker.context import JobContext
from frontdesk.worker.device import Device, Share
from frontdesk.worker.memory import MemoryWatch
from frontdesk.worker.runner import RunError, Runner

P = TypeVar("P", bound=Params)
R = TypeVar("R", bound=Result)

PATIENCE = 5.0  # seconds beyond its time for which a call may hold the device before that counts as stuck
NOTICE = 1.5  # seconds a plain run gets to notice that it was given up; then it has ended for whoever waits
LEAVE = 5.0  # seconds a plain run gets to leave the device once nobody waits for it, before it is late


class Seat(Generic[P, R]):
    """One job with a driver, from its arrival to its end. `key` is unique in its driver. Used on the event loop only,
    but for `begin` and `left`.

    time_limit: seconds its run may take. For a run that has the device to itself: `watch` looks after its memory, and
    `hurry` is called when it was given up, so that it does not hold the device for ever.
    """

    def __init__(
        self,
        key: str,
        params: P,
        context: JobContext,
        *,
        time_limit: float = math.inf,
        watch: MemoryWatch | None = None,
        hurry: Callable[[], None] | None = None,
    ) -> None:
        self.key = key
        self.params = params
        self.context = context
        self.time_limit = time_limit
        self._watch = watch
        self._hurry = hurry
        self._loop = asyncio.get_running_loop()
        self._future: asyncio.Future[R] = self._loop.create_future()
        self._reason: Exception | None = None
        self._began = False

    @property
    def left(self) -> bool:
        """Nobody waits for the result, or it is there."""
        return self._future.done()

    async def wait(self) -> R:
        """The result. Raises what the run raised, or why it was given up; leaves when the caller is cancelled."""
        try:
            result = await self._future
        except asyncio.CancelledError:
            self.context.give_up()
            raise
        except Exception:
            if self._reason is None:
                raise
        else:
            if self._reason is None:
                return result
        raise self._reason

    def begin(self) -> None:
        """The device has begun: the time limit starts to count. From any thread; only the first time counts."""
        if not self._began:
            self._began = True
            if self._watch:
                self._watch.begin()
            with suppress(RuntimeError):  # the loop has been closed meanwhile
                self._loop.call_soon_threadsafe(self._start_clock)

    def give_up(self, reason: Exception) -> bool:
        """End with this reason: at once, or, where a plain run must notice it first, after NOTICE seconds at most.

        False where the job has ended already.
        """
        if self.left:
            return False
        self._reason = self._reason or reason
        self.context.give_up(self._reason)
        if self._began and self._hurry:
            self._hurry()
            self._loop.call_later(NOTICE, self.fail, reason)
        else:
            self.fail(reason)
        return True

    def give(self, result: R) -> None:
        if not self.left:
            self._future.set_result(result)

    def fail(self, error: Exception) -> None:
        if not self.left:
            self._future.set_exception(error)

    def abandon(self) -> None:
        """Cancel whoever waits: the worker stops."""
        self.context.give_up()
        self._future.cancel()

    def when_left(self, callback: Callable[[Seat[P, R]], object]) -> None:
        """Call back, on a later turn of the event loop, once the seat is left."""
        self._future.add_done_callback(lambda _: callback(self))

    def _start_clock(self) -> None:
        if self._watch and not self.left:
            watching = asyncio.create_task(self._keep_to_memory(self._watch))
            self.when_left(lambda _: watching.cancel())
        if self.time_limit == math.inf or self.left:
            return
        sentence = f"It took longer than {self.time_limit:g} s and was stopped."
        timer = self._loop.call_later(self.time_limit, self.give_up, RunError(sentence))
        self.when_left(lambda _: timer.cancel())

    async def _keep_to_memory(self, watch: MemoryWatch) -> None:
        self.give_up(await watch.exceeded())


def longest(seats: Iterable[Seat[P, R]]) -> float:
    """Seconds for which a call that serves all of these may hold the device."""
    return max((seat.time_limit for seat in seats), default=math.inf)


class Driver(ABC, Generic[P, R]):
    """Serves the jobs of one runner through the device. A task of its own runs only while somebody sits."""

    def __init__(self, device: Device) -> None:
        self._device = device
        self._share = Share()
        self._waiting: deque[Seat[P, R]] = deque()
        self._seated: set[Seat[P, R]] = set()
        self._numbers = itertools.count(1)
        self._task: asyncio.Task[None] | None = None

    def enter(
        self, params: P, context: JobContext, *, time_limit: float = math.inf, memory: int | None = None
    ) -> Seat[P, R]:
        """Take a seat; the driver serves it from the next turn of the event loop on.

        time_limit: seconds its run may take. memory: bytes by which it may make the process grow (None: any); where
        jobs share a call of the device, nobody can say whose memory it is, and only the device's own end is the limit.
        """
        key = f"{context.job_id}.{next(self._numbers)}"
        seat = self._seat(key, params, context, time_limit, memory)
        self._waiting.append(seat)
        self._seated.add(seat)
        seat.when_left(self._seated.discard)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._drive())
        return seat

    async def run(self, params: P, context: JobContext) -> R:
        """Serve one job. Raises what its runner raised."""
        return await self.enter(params, context).wait()

    async def close(self) -> None:
        """Stop, and cancel everybody who still waits."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        for seat in self._seated:
            seat.abandon()
        self._waiting.clear()

    def _seat(self, key: str, params: P, context: JobContext, time_limit: float, memory: int | None) -> Seat[P, R]:
        return Seat[P, R](key, params, context, time_limit=time_limit)

    @abstractmethod
    async def _serve(self) -> None:
        """Serve until nobody sits. A seat that was left is skipped."""

    async def _drive(self) -> None:
        try:
            await self._serve()
        except Exception as error:
            # A fault of ours, not of a runner: better that all fail than that somebody waits for ever.
            self._waiting.clear()
            for seat in self._seated:
                seat.fail(error)


class OneByOne(Driver[P, R]):
    """Plain runners: one job after the other, each kept to its time and to its memory.

    A run that was given up gets a moment to notice it, and then some seconds to leave the device: after that, the
    device is stuck.
    """

    def __init__(self, runner: Runner[P, R], device: Device) -> None:
        super().__init__(device)
        self._runner = runner

    def _seat(self, key: str, params: P, context: JobContext, time_limit: float, memory: int | None) -> Seat[P, R]:
        watch = MemoryWatch(memory) if memory else None
        hurry = partial(self._device.hurry, LEAVE)
        return Seat[P, R](key, params, context, time_limit=time_limit, watch=watch, hurry=hurry)

    async def _serve(self) -> None:
        while self._waiting:
            seat = self._waiting.popleft()

            def run(seat: Seat[P, R] = seat) -> R:
                seat.context.check()
                seat.begin()
                return self._runner.run(seat.params, seat.context)

            if seat.left:
                continue
            try:
                charge, limit = seat.context.charge, seat.time_limit
                seat.give(await self._device.call(run, share=self._share, charge=charge, limit=limit))
            except Exception as error:
                seat.fail(error)
