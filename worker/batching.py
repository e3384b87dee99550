"""Joins requests that arrive together into padded passes of bounded size."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from frontdesk.queue.parameters import Params
from frontdesk.queue.results import Result
from frontdesk.worker.device import Device
from frontdesk.worker.driving import Driver, Seat, longest
from frontdesk.worker.observing import BatchObserver
from frontdesk.worker.runner import BatchRunner, OutOfMemoryError

P = TypeVar("P", bound=Params)
R = TypeVar("R", bound=Result)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Measured(Generic[P, R]):
    """A job and its length in tokens."""

    tokens: int
    seat: Seat[P, R]


class Joiner(Driver[P, R]):
    """Collects for the runner's `max_wait` seconds, then serves all it has in passes, shortest jobs first.

    What arrives during a pass is joined as soon as the jobs collected before it are served, without another wait:
    nobody is overtaken by a later collection. A batch that does not fit in memory is halved and tried again; one that
    fails for another reason is tried again singly, so that only the job at fault fails.
    """

    def __init__(
        self,
        runner: BatchRunner[P, R],
        device: Device,
        *,
        observer: BatchObserver | None = None,
    ) -> None:
        super().__init__(device)
        self._runner = runner
        self._observer = observer or BatchObserver()

    async def _serve(self) -> None:
        await asyncio.sleep(self._runner.max_wait)
        while self._waiting:
            collected = list(self._waiting)
            self._waiting.clear()
            measured = await self._measured(collected)
            for batch in passes(measured, self._runner.max_tokens, length=lambda one: one.tokens):
                await self._pass(batch)

    async def _measured(self, seats: Sequence[Seat[P, R]]) -> list[Measured[P, R]]:
        """The jobs that are still wanted, with their lengths; one that cannot be measured fails alone."""
        seats = [seat for seat in seats if not seat.left]

        def measure() -> list[int | Exception]:
            return [_tried(self._runner.tokens, seat.params) for seat in seats]

        charge = _by_tokens(seats, [1] * len(seats))
        lengths = await self._device.call(measure, share=self._share, charge=charge, limit=longest(seats))
        measured = []
        for seat, length in zip(seats, lengths, strict=True):
            if isinstance(length, Exception):
                seat.fail(length)
            else:
                measured.append(Measured(max(1, length), seat))
        return measured

    async def _pass(self, batch: Sequence[Measured[P, R]]) -> None:
        batch = [one for one in batch if not one.seat.left]
        if not batch:
            return
        seats = [one.seat for one in batch]
        charge = _by_tokens(seats, [one.tokens for one in batch])
        try:
            results = await self._device.call(
                lambda: self._forward(seats), share=self._share, charge=charge, limit=longest(seats)
            )
        except Exception as error:
            if len(batch) == 1:
                seats[0].fail(error)
                return
            if isinstance(error, OutOfMemoryError):
                self._observer.split()
                pieces = 2
            else:
                pieces = len(batch)
        else:
            self._observer.passed(len(batch), len(batch) * max(one.tokens for one in batch))
            for seat, result in zip(seats, results, strict=True):
                seat.give(result)
            return
        for piece in _pieces(batch, pieces):
            await self._pass(piece)

    def _forward(self, seats: Sequence[Seat[P, R]]) -> Sequence[R]:
        for seat in seats:
            seat.begin()
        results = self._runner.run_batch([seat.params for seat in seats])
        if len(results) != len(seats):
            raise RuntimeError(f"run_batch gave {len(results)} results for {len(seats)} jobs")
        return results


def passes(items: Iterable[T], max_tokens: int, *, length: Callable[[T], int]) -> list[list[T]]:
    """Sort by length and cut so that longest times count stays within `max_tokens`; what is longer goes alone."""
    cut: list[list[T]] = []
    for item in sorted(items, key=length):
        if cut and length(item) * (len(cut[-1]) + 1) <= max_tokens:
            cut[-1].append(item)
        else:
            cut.append([item])
    return cut


def _pieces(items: Sequence[T], count: int) -> list[Sequence[T]]:
    size = -(-len(items) // count)
    return [items[start : start + size] for start in range(0, len(items), size)]


def _by_tokens(seats: Sequence[Seat[P, R]], tokens: Sequence[int]) -> Callable[[float], None]:
    """Share a pass's seconds among its jobs by their tokens."""

    def charge(seconds: float) -> None:
        for seat, own in zip(seats, tokens, strict=True):
            seat.context.charge(seconds * own / sum(tokens))

    return charge


def _tried(function: Callable[[P], int], params: P) -> int | Exception:
    try:
        return function(params)
    except Exception as error:
        return error
