"""The files of a run: a private folder, what it keeps as its result, and its checkpoint.

What a run keeps is copied aside at once, and goes to the artifact store when the run has succeeded: a run that fails
has put nothing there that would have to be taken back.
"""

from __future__ import annotations

import asyncio
import fcntl
import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import structlog

from frontdesk.queue.artifacts import Artifact, ArtifactStore, described
from frontdesk.queue.errors import FrontdeskError, StoreError
from frontdesk.worker.runner import CancelledRunError

MAX_KEPT = 64  # files of one run
MAX_SHOWN = 2  # pictures of one run that goes on
MAX_PICTURE = 1_000_000  # bytes of one
CLOSING = 0.3  # seconds for which the end of a run waits for what its thread still writes
LOCK = ".lock"

log = structlog.get_logger()


class Workroom:
    """The folder in which this process' runs have theirs. Made at its first use; what processes left there that were
    killed is removed then. May be used from any thread.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._own: Path | None = None
        self._lock = threading.Lock()

    def new_folder(self) -> Path:
        """An empty folder for one run. Raises OSError."""
        with self._lock:
            if self._own is None:
                self._own = self._move_in()
            return Path(tempfile.mkdtemp(dir=self._own))

    def close(self) -> None:
        """Remove all of it, also what a run still uses that nobody waits for."""
        with self._lock:
            if self._own is not None:
                shutil.rmtree(self._own, ignore_errors=True)
                self._mark.close()
                self._own = None

    def _move_in(self) -> Path:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (self._folder / LOCK).open("w") as door, _locked(door.fileno()):
            for left in self._folder.glob("*/"):
                _remove_if_abandoned(left)
            own = Path(tempfile.mkdtemp(dir=self._folder))
            self._mark = (own / LOCK).open("w")  # held as long as this process lives
            fcntl.flock(self._mark, fcntl.LOCK_EX)
            return own


class RunFiles:
    """The files of one run. Used from any thread, but for `put_all` and `close`, which the event loop awaits.

    store, room: None where a worker (or a test) has none; what needs them raises FrontdeskError then.
    """

    def __init__(self, job_id: str, store: ArtifactStore | None = None, room: Workroom | None = None) -> None:
        self._job_id = job_id
        self._store_or_none = store
        self._room = room
        self._lock = threading.RLock()
        self._folder: Path | None = None
        self._aside: Path | None = None
        self._kept: list[tuple[Path, Artifact]] = []
        self._saved = False
        self._shown = 0
        self._closed = False

    @property
    def folder(self) -> Path:
        with self._lock:
            self._check_open()
            if self._folder is None:
                self._folder = self._new_folder()
            return self._folder

    def fetch(self, artifact: Artifact) -> Path:
        with self._lock:
            folder, store = Path(tempfile.mkdtemp(dir=self.folder, prefix="asked-")), self._store
        try:  # without the lock: it may take a minute, and who cancels the run does not wait for it
            return store.fetch(artifact, folder)
        finally:
            if self._closed:
                shutil.rmtree(folder.parent, ignore_errors=True)
            self._check_open()

    def keep(self, data: bytes | Path, *, name: str, media_type: str) -> Artifact:
        with self._lock:
            self._check_open()
            store = self._store
            if self._aside is None:
                self._aside = self._new_folder()
            if len(self._kept) >= MAX_KEPT:
                raise ValueError(f"a run keeps {MAX_KEPT} files at most")
            copy = self._aside / str(len(self._kept))
            if isinstance(data, Path):
                described(data, name=name, media_type=media_type, limit=store.limit)  # before it is copied
                shutil.copyfile(data, copy)
            else:
                copy.write_bytes(data)
            artifact = described(copy, name=name, media_type=media_type, limit=store.limit)
            self._kept.append((copy, artifact))
            return artifact

    def show(self, data: bytes, *, name: str, media_type: str) -> Artifact | None:
        """Put a picture where couriers find it; None where it is passed over."""
        if not media_type.startswith("image/"):
            raise ValueError("only pictures are shown")
        with self._lock:
            self._check_open()
            if self._store_or_none is None or self._shown >= MAX_SHOWN or len(data) > MAX_PICTURE:
                log.info("a picture is passed over", job_id=self._job_id, size=len(data), shown=self._shown)
                return None
            self._shown += 1
            try:
                return self._store.show(self._job_id, data, name=name, media_type=media_type)
            except StoreError as error:
                log.warning("no picture", job_id=self._job_id, reason=str(error))
                return None

    def save(self, state: bytes) -> None:
        with self._lock:
            self._check_open()
            self._saved = True
            try:
                self._store.save(self._job_id, state)
            except StoreError as error:
                log.warning("no checkpoint", job_id=self._job_id, reason=str(error))

    def saved(self) -> bytes | None:
        with self._lock:
            self._check_open()
            try:
                state = self._store.saved(self._job_id)
            except StoreError as error:
                log.warning("no checkpoint", job_id=self._job_id, reason=str(error))
                return None
            self._saved = self._saved or state is not None
            return state

    async def put_all(self) -> tuple[str, ...]:
        """Put what was kept into the store; the hashes, each once. Raises StoreError."""
        return await asyncio.to_thread(self._put_all) if self._kept else ()

    async def close(self, *, ended: bool) -> None:
        """Remove folder and picture; the checkpoint too, where the job `ended` and does not go back to the queue.

        A file that a run still writes which nobody waits for is not waited for long: it goes when it is there.
        """
        self._closed = True
        if self._folder or self._aside or self._saved or self._shown:
            await asyncio.to_thread(self._close, ended)

    def _put_all(self) -> tuple[str, ...]:
        with self._lock:
            for copy, artifact in self._kept:
                self._store.put(copy, name=artifact.name, media_type=artifact.media_type)
            return tuple(dict.fromkeys(artifact.sha256 for _, artifact in self._kept))

    def _close(self, ended: bool) -> None:
        if self._lock.acquire(timeout=CLOSING):
            try:
                self._remove(ended)
            finally:
                self._lock.release()
        else:
            name = f"closing-{self._job_id}"
            threading.Thread(target=self._remove, args=(ended,), name=name, daemon=True).start()

    def _remove(self, ended: bool) -> None:
        with self._lock:
            for folder in (self._folder, self._aside):
                if folder is not None:
                    shutil.rmtree(folder, ignore_errors=True)
            with suppress(StoreError):  # the sweep finds it
                if self._shown:
                    self._store.hide(self._job_id)
                if ended and self._saved:
                    self._store.forget(self._job_id)

    @property
    def _store(self) -> ArtifactStore:
        if self._store_or_none is None:
            raise FrontdeskError("this worker has no artifact store")
        return self._store_or_none

    def _new_folder(self) -> Path:
        if self._room is None:
            raise FrontdeskError("this worker has no folder for its runs")
        return self._room.new_folder()

    def _check_open(self) -> None:
        if self._closed:
            raise CancelledRunError("nobody waits for this run any more")


@contextmanager
def _locked(descriptor: int) -> Iterator[None]:
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        yield
    finally:
        fcntl.flock(descriptor, fcntl.LOCK_UN)


def _remove_if_abandoned(folder: Path) -> None:
    """The kernel lets go of a process' lock when it dies, however it dies."""
    with suppress(OSError), (folder / LOCK).open("a") as mark:
        fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)  # raises BlockingIOError while somebody lives there
        shutil.rmtree(folder, ignore_errors=True)
