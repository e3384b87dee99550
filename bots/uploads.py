"""Takes in the files of a request: fetched, looked at, and put into the store, or nothing of them stays.

What a platform said of a file is judged before this (`parsing.validate`); here its bytes are counted as they come, its
beginning is compared with its name, and the kind's own check looks inside.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, contextmanager
from pathlib import Path

import structlog

from frontdesk.bots.incoming import Fetch, Given, IncomingFile, LostUploadError
from frontdesk.queue.artifacts import Artifact, ArtifactStore
from frontdesk.queue.errors import FilesClosedError, InvalidRequestError, Problem, StoreError, UserError
from frontdesk.queue.kinds import AnyKind
from frontdesk.queue.logs import frames
from frontdesk.queue.parameters import Parameter
from frontdesk.queue.uploads import HEAD, UnfitFileError, Upload, shown

WITHIN = 45.0  # seconds for all files of a request; less than a request that is not queued yet counts in flight
AT_A_TIME = 4  # requests whose files are taken in; each takes room on the disk
CHECKS = 2  # files that are looked into at a time: no thread can be stopped
PREFIX = "frontdesk-upload-"

log = structlog.get_logger()


class Uploads:
    """store: None where a front end has none, and takes no files. within: seconds for all files of one request."""

    def __init__(self, store: ArtifactStore | None, *, within: float = WITHIN) -> None:
        self._store = store
        self._within = within
        self._turns = asyncio.Semaphore(AT_A_TIME)
        self._threads = ThreadPoolExecutor(CHECKS, thread_name_prefix="upload-check")

    async def take(self, kind: AnyKind, raw: Mapping[str, Given], fetch: Fetch | None) -> dict[str, Artifact]:
        """Put the request's files into the store, each under its parameter's name.

        Raises InvalidRequestError for a file that is not taken, or did not come; FilesClosedError where the store, or
        this machine, has no room for it.
        """
        given = ((parameter, raw.get(parameter.name)) for parameter in kind.files)
        files = [(parameter, file) for parameter, file in given if isinstance(file, IncomingFile)]
        if not files:
            return {}
        if self._store is None or fetch is None:
            raise FilesClosedError
        parameter = files[0][0]
        try:
            async with asyncio.timeout(self._within), self._turns:
                with _folder() as folder:
                    paths = {}
                    for parameter, file in files:
                        paths[parameter] = await self._fetched(parameter, file, fetch, folder)
                    return {each.name: await self._put(self._store, each, path) for each, path in paths.items()}
        except TimeoutError:
            raise InvalidRequestError([Problem(parameter.name, "took too long to fetch and look at.")]) from None

    async def _fetched(self, parameter: Parameter, file: IncomingFile, fetch: Fetch, folder: Path) -> Path:
        upload = _of(parameter)
        path = folder / f"{parameter.name}{upload.suffix(file.name)}"
        try:
            with _room():
                await _copy(fetch(file), path, upload, file)
                with path.open("rb") as begun:
                    upload.refuse_content(file.name, begun.read(HEAD))
            if upload.check is not None:
                await asyncio.get_running_loop().run_in_executor(self._threads, _check, upload.check, path, file.name)
        except LostUploadError as error:
            raise _refused(parameter, f"{shown(file.name)} {error.sentence}") from error
        except FilesClosedError:
            raise
        except UserError as error:
            raise _refused(parameter, str(error)) from error
        return path

    async def _put(self, store: ArtifactStore, parameter: Parameter, path: Path) -> Artifact:
        """Under the parameter's name: what somebody calls a file is theirs, and one run may answer two people."""
        with _room():
            return await asyncio.to_thread(store.put, path, name=path.name, media_type=_of(parameter).media_type)


async def _copy(chunks: AsyncGenerator[bytes, None], path: Path, upload: Upload, file: IncomingFile) -> None:
    """Write what comes, up to the first byte too many."""
    size = 0
    with path.open("xb") as copy:
        async with aclosing(chunks):
            async for chunk in chunks:
                size += len(chunk)
                if size > upload.max_bytes:
                    raise UnfitFileError(f"{shown(file.name)} is larger than was said; send {upload.words}.")
                await asyncio.to_thread(copy.write, chunk)
    if size < (file.size or 0):
        raise LostUploadError


def _check(look: Callable[[Path], object], path: Path, name: str) -> None:
    """Runs in a thread, which may go on when nobody waits for it any more: then it leaves nothing behind."""
    try:
        look(path)
    except UserError:
        raise
    except Exception as error:
        # TRY400: an error's own words may quote the file.
        log.error("an upload could not be looked into", error=type(error).__name__, frames=frames(error))  # noqa: TRY400
        raise UnfitFileError(f"{shown(name)} cannot be read; it may be damaged.") from error
    finally:
        if not path.exists():
            shutil.rmtree(path.parent, ignore_errors=True)


@contextmanager
def _folder() -> Iterator[Path]:
    with _room():
        folder = Path(tempfile.mkdtemp(prefix=PREFIX))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _room() -> Iterator[None]:
    """Raises FilesClosedError where the store is away, or there is no room for files on this machine."""
    try:
        yield
    except (StoreError, OSError) as error:
        log.warning("an upload cannot be kept", reason=type(error).__name__)
        raise FilesClosedError from error


def _refused(parameter: Parameter, sentence: str) -> InvalidRequestError:
    log.info("upload refused", parameter=parameter.name)
    return InvalidRequestError([Problem(parameter.name, sentence)])


def _of(parameter: Parameter) -> Upload:
    if parameter.upload is None:
        raise ValueError(f"{parameter.name} is no file")
    return parameter.upload
