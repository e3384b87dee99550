"""The files that jobs make, kept by their content. They never travel through Redis.

A file lies under the first two signs of its SHA-256 and all of them (`ab/ab12...`): the same content, put by whomever
and however often, lies there once. Who may delete it is `retention`'s to know. Beside the files lie what running jobs
need: their checkpoints (`saved/JOB`), and pictures of what there is so far (`shown/JOB`).

The class is synchronous: call it from the device's thread, or from asyncio through `asyncio.to_thread`.
"""

from __future__ import annotations

import hashlib
import re
import tempfile
import unicodedata
from collections.abc import Generator
from contextlib import closing
from pathlib import Path
from typing import Literal, NamedTuple

from frontdesk.queue.blobs import Blob, Blobs, BucketBlobs, FolderBlobs
from frontdesk.queue.errors import ConfigurationError, FileDamagedError, FileGoneError, FileTooLargeError
from frontdesk.queue.jobs import MAX_NAME
from frontdesk.queue.jobs import Artifact as Artifact  # the store's word, though news of a job may name one, too
from frontdesk.queue.settings import Settings

MAX_BYTES = 2_000_000_000  # of one file; what Telegram's own server can send
CHUNK = 1024 * 1024
LONGEST_LINK = 7 * 86_400  # seconds: what S3 signs

FILE = re.compile(r"[0-9a-f]{2}/([0-9a-f]{64})")
OF_JOB = re.compile(r"(?:saved|shown)/([A-Za-z0-9_-]{1,64})")
STAMP = "desk"  # whose store it is
DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)  # names that Windows keeps for itself


class Contents(NamedTuple):
    """What lies in a store: files with their hash as key, and checkpoints and pictures with their job's id."""

    files: list[Blob]
    checkpoints: list[Blob]


class ArtifactStore:
    """Keeps files by content in `blobs`. limit: bytes of the largest file that is taken.

    All methods raise StoreError where the storage cannot be reached or refuses.
    """

    def __init__(self, blobs: Blobs, *, limit: int = MAX_BYTES) -> None:
        self._blobs = blobs
        self.limit = limit

    @classmethod
    def of(cls, settings: Settings) -> ArtifactStore:
        """The store that the settings name; nothing is opened yet. Raises ConfigurationError."""
        url, secret = settings.artifacts_url, settings.artifacts_secret
        if (settings.artifacts_key is None) != (secret is None):
            raise ConfigurationError("FRONTDESK_ARTIFACTS_KEY and FRONTDESK_ARTIFACTS_SECRET belong together.")
        if url is None or not url.startswith("s3://"):
            return cls(FolderBlobs(Path(url) if url else settings.data_dir / "artifacts"))
        return cls(
            BucketBlobs(
                url.removeprefix("s3://"),
                endpoint=settings.artifacts_endpoint,
                key=settings.artifacts_key,
                secret=secret.get_secret_value() if secret else None,
            )
        )

    @property
    def in_folder(self) -> bool:
        """Whether it lies on this machine, and gives no addresses itself."""
        return isinstance(self._blobs, FolderBlobs)

    def put(self, data: bytes | Path, *, name: str, media_type: str) -> Artifact:
        """Keep a file; it is there as a whole or not at all. Putting the same content again does no harm, also at the
        same time. A file given as a path must not change meanwhile.

        Raises FileTooLargeError, ValueError for a media type that is none or a path that is no ordinary file.
        """
        artifact = described(data, name=name, media_type=media_type, limit=self.limit)
        self._blobs.write(_key(artifact.sha256), data)
        return artifact

    def read(self, artifact: Artifact) -> bytes:
        """All of it. Raises FileGoneError, FileDamagedError."""
        with closing(self._verified(_key(artifact.sha256), artifact)) as chunks:
            return b"".join(chunks)

    def fetch(self, artifact: Artifact, folder: Path) -> Path:
        """Copy it to `folder` under its name, in place of a file of that name; whole and verified, or not at all.

        Raises FileGoneError, FileDamagedError, OSError where the folder cannot be written.
        """
        return self._fetched(_key(artifact.sha256), artifact, folder)

    def show(self, job_id: str, data: bytes, *, name: str, media_type: str) -> Artifact:
        """Keep a picture of a job that runs, in place of its last one. Raises FileTooLargeError, ValueError for a media
        type that is none."""
        artifact = described(data, name=name, media_type=media_type, limit=self.limit)
        self._blobs.write(_of_job("shown", job_id), data)
        return artifact

    def fetch_shown(self, job_id: str, artifact: Artifact, folder: Path) -> Path:
        """Copy a job's picture to `folder`, as `fetch` does; if another one is there by now, it counts as damaged."""
        return self._fetched(_of_job("shown", job_id), artifact, folder)

    def hide(self, job_id: str) -> None:
        """Delete a job's picture."""
        self._blobs.remove(_of_job("shown", job_id))

    def _fetched(self, key: str, artifact: Artifact, folder: Path) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".part-", delete=False) as file:
            part = Path(file.name)
            try:
                with closing(self._verified(key, artifact)) as chunks:
                    file.writelines(chunks)
                file.close()
                return part.replace(folder / artifact.name)
            except BaseException:
                part.unlink(missing_ok=True)
                raise

    def remove(self, sha256: str) -> None:
        """Delete a file, whoever still holds it; nothing happens where it is gone."""
        self._blobs.remove(_key(sha256))

    def remove_older(self, sha256: str, before: float) -> bool:
        """Delete a file unless it was put at or after `before` (Unix seconds). True if it was deleted."""
        return self._blobs.remove_older(_key(sha256), before)

    def signed(self, artifact: Artifact, seconds: float) -> str | None:
        """An address under which anybody may download it for so long (a week at most); None for a folder."""
        life = max(1, min(int(seconds), LONGEST_LINK))
        return self._blobs.signed(_key(artifact.sha256), life, name=artifact.name, media_type=artifact.media_type)

    def path(self, artifact: Artifact) -> Path | None:
        """Where it lies on this machine; None where the store is no folder here. Raises FileGoneError, also for a file
        that has another size by now."""
        if (path := self._blobs.path(_key(artifact.sha256))) is None:
            return None
        if not path.is_file() or path.stat().st_size != artifact.size:
            raise FileGoneError(artifact.name)
        return path

    def save(self, job_id: str, state: bytes) -> None:
        """Keep a job's checkpoint in place of its last one. Raises FileTooLargeError."""
        if len(state) > self.limit:
            raise FileTooLargeError("The checkpoint", len(state), self.limit)
        self._blobs.write(_of_job("saved", job_id), hashlib.sha256(state).digest() + state)

    def saved(self, job_id: str) -> bytes | None:
        """A job's last checkpoint, or None where there is none, or it was damaged."""
        try:
            with self._blobs.reading(_of_job("saved", job_id)) as file:
                digest, state = file.read(32), file.read(self.limit + 1)
        except FileNotFoundError:
            return None
        return state if hashlib.sha256(state).digest() == digest else None

    def forget(self, job_id: str) -> None:
        """Delete a job's checkpoint, and its picture."""
        self._blobs.remove(_of_job("saved", job_id))
        self.hide(job_id)

    def contents(self) -> Contents:
        """All files and checkpoints; what else lies there is not ours."""
        files, checkpoints = list[Blob](), list[Blob]()
        for blob in self._blobs.listed():
            for pattern, found in ((FILE, files), (OF_JOB, checkpoints)):
                if match := pattern.fullmatch(blob.key):
                    found.append(Blob(match[1], blob.size, blob.modified))
        return Contents(files, checkpoints)

    def clear_parts(self, before: float) -> None:
        """Remove what was begun before that time (Unix seconds) and never finished."""
        self._blobs.clear_parts(before)

    def stamp(self, token: str) -> str:
        """Whose store it is: what was stamped on it first, which is `token` if nothing was."""
        try:
            with self._blobs.reading(STAMP) as file:
                return file.read(100).decode("ascii", "replace")
        except FileNotFoundError:
            self._blobs.write(STAMP, token.encode("ascii"))
            return token

    def _verified(self, key: str, artifact: Artifact) -> Generator[bytes, None, None]:
        """Its bytes in pieces; the last comes before the hash is known, so that nobody may use them until the end."""
        digest, size = hashlib.sha256(), 0
        try:
            with self._blobs.reading(key) as file:
                while size <= artifact.size and (chunk := file.read(CHUNK)):
                    size += len(chunk)
                    digest.update(chunk)
                    yield chunk
        except FileNotFoundError:
            raise FileGoneError(artifact.name) from None
        if size != artifact.size or digest.hexdigest() != artifact.sha256:
            raise FileDamagedError(artifact.name)


def described(data: bytes | Path, *, name: str, media_type: str, limit: int = MAX_BYTES) -> Artifact:
    """What a file would be in a store. Raises FileTooLargeError, ValueError as `ArtifactStore.put` does."""
    safe = safe_name(name)
    if isinstance(data, Path):
        if not data.is_file():
            raise ValueError(f"{safe} is no ordinary file")
        size = data.stat().st_size
    else:
        size = len(data)
    if size > limit:
        raise FileTooLargeError(safe, size, limit)
    return Artifact(name=safe, sha256=_digest(data), size=size, media_type=media_type)


def safe_name(name: str) -> str:
    """A file name that every platform and file system takes: letters, digits, `.`, `_` and `-`, at most 80; the last
    suffix is kept. Whatever stood before the last slash is left out."""
    last = unicodedata.normalize("NFKD", re.split(r"[/\\]", name)[-1])
    plain = re.sub(r"[^A-Za-z0-9._-]+", "_", "".join(sign for sign in last if not unicodedata.combining(sign)))
    stem, dot, suffix = plain.lstrip(".-").rstrip(".").rpartition(".")
    if not dot:
        stem, suffix = suffix, ""
    suffix = suffix[:16]
    stem = stem[: MAX_NAME - len(suffix) - 1] or "file"
    safe = f"{stem}.{suffix}" if suffix else stem
    return f"_{safe}"[:MAX_NAME] if DEVICES.fullmatch(safe) else safe


def _digest(data: bytes | Path) -> str:
    if isinstance(data, bytes):
        return hashlib.sha256(data).hexdigest()
    with data.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _key(sha256: str) -> str:
    key = f"{sha256[:2]}/{sha256}"
    if not FILE.fullmatch(key):
        raise ValueError("not a SHA-256 in small hexadecimal digits")
    return key


def _of_job(folder: Literal["saved", "shown"], job_id: str) -> str:
    key = f"{folder}/{job_id}"
    if not OF_JOB.fullmatch(key):
        raise ValueError("not the id of a job")
    return key
