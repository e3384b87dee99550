"""A post: the place of one worker process, which is filled again whenever the process there ends."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Mapping, Sequence

import structlog

from frontdesk.queue.errors import ConfigurationError
from frontdesk.worker.life import SILENCE, Life
from frontdesk.worker.lifeline import CONFIGURATION_STATUS, LEAVE

log = structlog.get_logger()


class Pauses:
    """Seconds before a child is started again: twice as many with each death, from the first ones again after a life
    in which it served for `steady` seconds."""

    def __init__(self, first: float = 0.5, longest: float = 60.0, steady: float = 60.0) -> None:
        self._first = first
        self._longest = longest
        self._steady = steady
        self._next = first

    def after(self, served: float) -> float:
        pause = self._first if served >= self._steady else self._next
        self._next = min(self._longest, 2 * pause)
        return pause


class Post:
    """Keeps one child running.

    number: of the post, for the log. words: the child's command. environment: all of its own. grace: seconds that its
    jobs get when it is told to end. bury: called at each death with the child's id in the
    queue, and whether its jobs are blameless.
    """

    def __init__(
        self,
        number: int,
        words: Sequence[str],
        environment: Mapping[str, str],
        *,
        grace: float,
        bury: Callable[[str, bool], None],
        pauses: Pauses | None = None,
        silence: float = SILENCE,
    ) -> None:
        self._log = log.bind(post=number)
        self._words = tuple(words)
        self._environment = dict(environment)
        self._within = grace + LEAVE
        self._bury = bury
        self._pauses = pauses or Pauses()
        self._silence = silence
        self._life: Life | None = None
        self._ready = asyncio.Event()
        self._stop = asyncio.Event()
        self._proven = False
        self.gone = asyncio.Event()

    def stop(self) -> None:
        """Tell the child to end, and start no other."""
        self._stop.set()
        if self._life:
            self._life.dismiss(self._within)

    def end(self) -> None:
        """End at once."""
        self.stop()
        if self._life:
            self._life.kill("it was told to end at once")

    async def renew(self) -> None:
        """Let the child end, and wait until another one is ready in its place."""
        self._ready.clear()
        if self._life:
            self._life.dismiss(self._within)
        await self._ready.wait()

    async def keep(self) -> None:
        """Keep a child here until told to stop.

        Raises ConfigurationError where one ends with a setting that is wrong, which was never right at this post. (A
        later one is waited out: others still serve, and somebody is about to mend it.)
        """
        try:
            while not self._stop.is_set():
                pause = await self._live()
                await self._stopped_within(pause)
        finally:
            self.gone.set()

    async def _live(self) -> float:
        """One life of a child. Returns the pause before the next one."""
        try:
            life = await Life.begin(self._words, self._environment, self._became_ready, self._silence)
        except OSError as error:
            pause = self._pauses.after(0.0)
            self._log.error("a worker cannot be started", reason=error.strerror, again_in=pause)
            return pause
        self._life = life
        if self._stop.is_set():
            life.dismiss(self._within)
        try:
            status = await life.ended()
        finally:
            self._life = None
            self._ready.clear()
            if life.worker:
                self._bury(life.worker, life.blameless or life.dismissed)
        return self._consequence(life, status)

    def _consequence(self, life: Life, status: int) -> float:
        if life.dismissed and life.cause is None:
            self._log.info("worker ended", pid=life.pid, worker=life.worker, ended=_named(status))
            return 0.0
        if status == CONFIGURATION_STATUS and not self._proven and not life.dismissed:
            raise ConfigurationError(life.failure or "A setting is wrong.")
        pause = self._pauses.after(life.served)
        self._log.warning(
            "worker died",
            pid=life.pid,
            worker=life.worker,
            ended=_named(status),
            cause=life.cause or life.failure,
            jobs=life.jobs,
            served=round(life.served, 1),
            again_in=None if self._stop.is_set() else pause,
        )
        return pause

    def _became_ready(self) -> None:
        self._proven = True
        self._ready.set()

    async def _stopped_within(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._stop.wait()
        except TimeoutError:
            return


def _named(status: int) -> str:
    """ "status 1", or the name of the signal that ended it."""
    return f"status {status}" if status >= 0 else signal.Signals(-status).name
