"""Pictures of runs that go on, in their tickets: each uploaded once, when a chat has nothing else to be told."""

from __future__ import annotations

import asyncio
import tempfile
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import structlog

from frontdesk.bots.deliverer import TryLaterError
from frontdesk.bots.parcels import Parcel
from frontdesk.bots.replies import Reply
from frontdesk.queue.artifacts import ArtifactStore
from frontdesk.queue.connection import LOST
from frontdesk.queue.errors import FileDamagedError, FileGoneError, StoreError
from frontdesk.queue.jobs import Artifact
from frontdesk.queue.kinds import Attachment

log = structlog.get_logger()

TRIES = 3  # of a job's pictures, where the platform wants a pause or cuts the upload off
PATIENCE = 10.0  # seconds for a picture; without it the words go out alone
NOT_THERE = (FileGoneError, FileDamagedError, StoreError, OSError, TimeoutError)


class Previews:
    """Which ticket shows which picture, as far as this process knows: another one uploads it once more."""

    def __init__(self, store: ArtifactStore | None) -> None:
        self._store = store
        self._shown: dict[str, str] = {}  # by job: the hash of the picture that its ticket has
        self._given_up: dict[str, str] = {}  # by job: the hash of the one that was not to be had, or taken
        self._tries: Counter[str] = Counter()

    @asynccontextmanager
    async def shown(self, job_id: str, reply: Reply, preview: Artifact | None, *, spare: bool) -> AsyncIterator[Reply]:
        """A ticket's words with the picture that they are to bring, or with the one that is there. `spare`: the chat
        has room for a picture now. What the block raises tells that the ticket did not take it."""
        stays = replace(reply, picture_stays=job_id in self._shown)
        known = (self._shown.get(job_id), self._given_up.get(job_id))
        if preview is None or not spare or preview.sha256 in known:
            yield stays
            return
        with tempfile.TemporaryDirectory(prefix="frontdesk-", ignore_cleanup_errors=True) as folder:
            if (path := await self._fetched(job_id, preview, Path(folder))) is None:
                self._given_up[job_id] = preview.sha256
                yield stays
                return
            try:
                yield replace(reply, parcels=(Parcel(Attachment(preview, "preview"), preview.name, path),))
            except (TryLaterError, *LOST):
                self._tries[job_id] += 1
                if self._tries[job_id] >= TRIES:
                    self._given_up[job_id] = preview.sha256
                raise
            except Exception:
                self._given_up[job_id] = preview.sha256
                raise
            self._shown[job_id] = preview.sha256

    def forget(self, job_id: str) -> None:
        """The job has ended."""
        self._shown.pop(job_id, None)
        self._given_up.pop(job_id, None)
        self._tries.pop(job_id, None)

    async def _fetched(self, job_id: str, preview: Artifact, folder: Path) -> Path | None:
        if self._store is None:
            return None
        try:
            async with asyncio.timeout(PATIENCE):
                return await asyncio.to_thread(self._store.fetch_shown, job_id, preview, folder)
        except NOT_THERE as error:
            log.info("a picture is not shown", job=job_id, reason=type(error).__name__)
            return None
