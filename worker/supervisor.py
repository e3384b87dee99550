"""The parent of the worker processes: one post for each device. Imports no model library, and stays small.

Whatever ends a child, its jobs are free again at once: only the parent knows at that moment that it is dead.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import structlog
from redis.asyncio import Redis

from frontdesk.queue.connection import until_answered
from frontdesk.queue.errors import ConfigurationError
from frontdesk.queue.scripts import Scripts
from frontdesk.worker.life import SILENCE
from frontdesk.worker.post import Pauses, Post

log = structlog.get_logger()

FAREWELL = 5.0  # seconds to free the last jobs, should Redis be away at the end; their leases run out anyway
LONGEST_PAUSE = 2.0  # seconds between two tries to free a job


class Supervisor:
    """Keeps a child at each post.

    words: the command of all children. environments: one for each post. grace: seconds that running jobs get when a
    child is told to end. keep: seconds an ended job is remembered. first_pause: seconds before a child that died is
    started again, the first time. silence: seconds without a pulse after which a child is killed.
    """

    def __init__(
        self,
        words: Sequence[str],
        environments: Sequence[Mapping[str, str]],
        redis: Redis,
        *,
        grace: float,
        keep: float,
        first_pause: float = 0.5,
        silence: float = SILENCE,
    ) -> None:
        self._posts = [
            Post(number, words, own, grace=grace, bury=self._bury, pauses=Pauses(first_pause), silence=silence)
            for number, own in enumerate(environments)
        ]
        self._scripts = Scripts(redis)
        self._keep = keep
        self._stopping = False
        self._roll = asyncio.Event()
        self._reaping: set[asyncio.Task[None]] = set()
        self._failure: ConfigurationError | None = None

    def stop(self) -> None:
        """Drain and end all children; asked a second time, end them at once."""
        for post in self._posts:
            if self._stopping:
                post.end()
            else:
                post.stop()
        self._stopping = True

    def roll(self) -> None:
        """Replace one child after the other, each when the one before is ready."""
        self._roll.set()

    async def run(self) -> None:
        """Returns when told to stop and all children are gone. Raises ConfigurationError when one of them says so."""
        log.info("supervising", workers=len(self._posts))
        async with asyncio.TaskGroup() as group:
            rolling = group.create_task(self._rolling())
            await asyncio.gather(*(group.create_task(self._keep_at(post)) for post in self._posts))
            rolling.cancel()
        if self._reaping:
            await asyncio.wait(self._reaping, timeout=FAREWELL)
            for task in self._reaping:
                task.cancel()
        if self._failure:
            raise self._failure

    async def _keep_at(self, post: Post) -> None:
        try:
            await post.keep()
        except ConfigurationError as error:
            self._failure = self._failure or error
            if not self._stopping:
                self.stop()

    async def _rolling(self) -> None:
        while True:
            await self._roll.wait()
            self._roll.clear()
            log.info("replacing workers one by one")
            for post in self._posts:
                await post.renew()
            log.info("all workers are replaced")

    def _bury(self, worker: str, blameless: bool) -> None:
        """Free what a dead child held, beside whatever else goes on."""
        task = asyncio.create_task(self._reap(worker, to_blame=not (blameless or self._stopping)))
        self._reaping.add(task)
        task.add_done_callback(self._reaping.discard)

    async def _reap(self, worker: str, *, to_blame: bool) -> None:
        """Redis may be away: as soon as it answers, the jobs are free."""

        def lost(error: Exception, pause: float) -> None:
            log.warning("redis is away", step="reap", error=type(error).__name__, again_in=pause)

        back, given_up = await until_answered(
            lambda: self._scripts.reap(worker, keep=self._keep, to_blame=to_blame),
            lost,
            first=0.05,
            longest=LONGEST_PAUSE,
        )
        for job_id in back:
            log.warning("its worker died: back in the queue", job=job_id, worker=worker)
        for job_id in given_up:
            log.warning("it has stopped too many workers: given up and kept aside", job=job_id, worker=worker)
