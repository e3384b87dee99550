"""Keeps a batch running that jobs join and leave between steps."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import TypeVar

from frontdesk.queue.parameters import Params
from frontdesk.queue.results import Result
from frontdesk.worker.device import Device
from frontdesk.worker.driving import Driver, Seat, longest
from frontdesk.worker.observing import BatchObserver
from frontdesk.worker.runner import OutOfMemoryError, Stepped, Stepper, SteppingRunner

P = TypeVar("P", bound=Params)
R = TypeVar("R", bound=Result)
T = TypeVar("T")


class RunningBatch(Driver[P, R]):
    """Steps while there are jobs; newcomers join at the next step, up to the runner's `max_jobs`, in their order.

    Where a step does not fit in memory, the newest half is parked and goes on later, as others leave; where a newcomer
    does not fit, it waits for that. A job that does not fit alone fails. Each step is a call of its own, so that other
    work on the device gets its turn between two.
    """

    def __init__(
        self,
        runner: SteppingRunner[P, R],
        device: Device,
        *,
        observer: BatchObserver | None = None,
    ) -> None:
        super().__init__(device)
        self._runner = runner
        self._observer = observer or BatchObserver()
        self._stepper: Stepper[P, R] | None = None
        self._running: dict[str, Seat[P, R]] = {}  # in the order in which they joined
        self._parked: dict[str, Seat[P, R]] = {}  # these wait as well
        self._room = 0

    async def _serve(self) -> None:
        while self._waiting or self._running or self._parked:
            try:
                if self._stepper is None:
                    self._stepper = await self._call(self._runner.stepper)
                    self._room = self._runner.max_jobs
                await self._let_go(self._stepper)
                await self._let_in(self._stepper)
                if self._running:
                    await self._step(self._stepper)
            except Exception as error:
                self._collapse(error)

    async def _let_go(self, stepper: Stepper[P, R]) -> None:
        """Take out whoever left."""
        for seat in [*self._running.values(), *self._parked.values()]:
            if seat.left:
                await self._call(partial(stepper.remove, seat.key))
                self._forget(seat.key)

    async def _let_in(self, stepper: Stepper[P, R]) -> None:
        while self._waiting and len(self._running) < self._room:
            seat = self._waiting.popleft()
            if seat.left:
                continue

            def add(seat: Seat[P, R] = seat) -> None:
                seat.begin()
                stepper.add(seat.key, seat.params)

            try:
                await self._call(add, seat)
            except OutOfMemoryError as error:
                if self._running:
                    self._waiting.appendleft(seat)
                    self._room = len(self._running)
                else:
                    seat.fail(error)
            except Exception as error:
                seat.fail(error)
            else:
                self._parked.pop(seat.key, None)
                self._running[seat.key] = seat

    async def _step(self, stepper: Stepper[P, R]) -> None:
        try:
            stepped = await self._call(stepper.step, *self._running.values())
        except OutOfMemoryError as error:
            fault = error
        else:
            self._observer.stepped(len(self._running))
            self._tell(stepped)
            return
        seats = list(self._running.values())
        if len(seats) == 1:
            seats[0].fail(fault)
            return
        self._observer.split()
        self._room = len(seats) - len(seats) // 2
        for seat in reversed(seats[self._room :]):
            await self._call(partial(stepper.park, seat.key))
            self._parked[seat.key] = self._running.pop(seat.key)
            self._waiting.appendleft(seat)

    def _tell(self, stepped: dict[str, Stepped[R]]) -> None:
        for key, news in stepped.items():
            if news.result is None:
                self._running[key].context.progress(news.fraction, text=news.text)
            else:
                self._running[key].give(news.result)
                self._forget(key)

    def _forget(self, key: str) -> None:
        """A place is free: after a shortage of memory, one more may try."""
        self._parked.pop(key, None)
        if self._running.pop(key, None):
            self._room = min(self._room + 1, self._runner.max_jobs)

    def _collapse(self, error: Exception) -> None:
        """The state of the batch is unknown: fail all that were in it, and begin a new one for those who wait.

        Nobody in it can be blamed alone, and a second try would show its requester another text than the first.
        """
        for seat in [*self._running.values(), *self._parked.values()]:
            seat.fail(error)
        if self._stepper is None:  # not even an empty batch can be made
            for seat in self._waiting:
                seat.fail(error)
            self._waiting.clear()
        self._running.clear()
        self._parked.clear()
        self._stepper = None

    async def _call(self, function: Callable[[], T], *payers: Seat[P, R]) -> T:
        limit = longest(self._seated)  # making room for one holds up the others as well
        return await self._device.call(function, share=self._share, charge=_evenly(payers), limit=limit)


def _evenly(seats: Iterable[Seat[P, R]]) -> Callable[[float], None]:
    payers = list(seats)

    def charge(seconds: float) -> None:
        for seat in payers:
            seat.context.charge(seconds / len(payers))

    return charge
