"""The device's one thread, shared by time between those who use it.

Whatever blocks runs here and never on the event loop. Each kind has a `Share`: of the calls that wait, the one whose
share has used the least device time is next (start-time fair queueing, Goyal, Vin and Cheng 1996). So long scoring
passes and short writing steps get half of the device each, instead of one call each in turn.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import math
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from frontdesk.worker.runner import OutOfMemoryError

T = TypeVar("T")


@dataclass
class Share:
    """What one user of the device has had of it: the virtual time in seconds at which its last call ended."""

    used_until: float = 0.0


class Device:
    """Runs calls one at a time. `clock` is monotonic, in seconds. Used from one event loop."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="device")
        self._queue: list[tuple[float, int, asyncio.Future[None]]] = []
        self._numbers = itertools.count()
        self._now = 0.0  # virtual time: the start of the call that runs
        self._taken = False
        self._since: float | None = None
        self._limit = math.inf

    @property
    def held_for(self) -> float:
        """Seconds for which the call that runs now has run; 0 when none does."""
        since = self._since
        return 0.0 if since is None else self._clock() - since

    @property
    def overrun(self) -> float:
        """Seconds for which the call that runs now has run beyond its limit; 0 when it has not, or none does."""
        return max(0.0, self.held_for - self._limit)

    def hurry(self, within: float) -> None:
        """Nobody waits any more for the call that runs now: it is to end within so many seconds."""
        self._limit = min(self._limit, self.held_for + within)

    async def call(
        self,
        function: Callable[[], T],
        *,
        share: Share,
        charge: Callable[[float], None] = lambda seconds: None,
        limit: float = math.inf,
    ) -> T:
        """Run a blocking function in the device's thread, then `charge` the seconds it took, also where it raised.

        limit: seconds for which it may hold the device.
        A call that is cancelled while it waits never runs; one that runs goes on to its end, unheard.
        """
        start = await self._turn(share)
        spent = 0.0

        def timed() -> T:
            nonlocal spent
            self._limit = limit
            self._since = began = self._clock()
            try:
                return _plainly_raising(function)
            finally:
                spent, self._since = self._clock() - began, None

        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, timed)
        finally:
            share.used_until = start + spent
            charge(spent)
            self._release()

    def close(self) -> None:
        """Take no more calls. A call that runs is not waited for."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def _turn(self, share: Share) -> float:
        turn = asyncio.get_running_loop().create_future()
        start = max(self._now, share.used_until)
        heapq.heappush(self._queue, (start, next(self._numbers), turn))
        self._offer_soon()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._release()
            raise
        return start

    def _release(self) -> None:
        self._taken = False
        self._offer_soon()

    def _offer_soon(self) -> None:
        # Not at once: whoever just ended its call, and has a next one, should be among those to choose from.
        asyncio.get_running_loop().call_soon(self._offer)

    def _offer(self) -> None:
        while self._queue and not self._taken:
            start, _, turn = heapq.heappop(self._queue)
            if not turn.done():
                self._now, self._taken = start, True
                turn.set_result(None)


def _plainly_raising(function: Callable[[], T]) -> T:
    """Call it, letting out only what a future can carry."""
    try:
        return function()
    except OutOfMemoryError as error:
        message = str(error)
    except StopIteration as error:
        raise RuntimeError("a runner raised StopIteration") from error
    except Exception:
        raise
    except BaseException as error:
        raise RuntimeError(f"a runner raised {type(error).__name__}") from error
    # Raised anew: the first one's traceback would keep the failed call's tensors alive during the next try.
    raise OutOfMemoryError(message)
