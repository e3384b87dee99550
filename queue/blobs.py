"""Whole files under keys, in a folder or in a bucket: a key is there with all of its bytes, or not at all.

Both sorts lie over fsspec. In a folder a file is written under a temporary name, brought to the disk and then moved to
its key, which is one step of the file system. In a bucket an object appears when its upload is complete, which is one
step of the server. Whoever is killed in between leaves a part that nobody sees, and that `clear_parts` removes.
"""

from __future__ import annotations

import os
import secrets
import shutil
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any

import fsspec
from fsspec import AbstractFileSystem

from frontdesk.queue.errors import ConfigurationError, StoreError

PIECE = 16 * 1024 * 1024  # bytes of one request to a bucket; several of them are in memory at once
PARTS = "part"  # folder of unfinished files
TIMEOUTS: dict[str, Any] = {"connect_timeout": 10, "read_timeout": 60, "retries": {"max_attempts": 3}}  # seconds


@dataclass(frozen=True, slots=True)
class Blob:
    """What lies under a key: its bytes, and when it was written (Unix seconds, by the clock of whoever stores it)."""

    key: str
    size: int
    modified: float


class Blobs(ABC):
    """What a folder and a bucket have in common. Blocking; may be used from several threads.

    All methods raise StoreError where the storage cannot be reached or refuses.
    """

    def __init__(self, fs: AbstractFileSystem, root: str) -> None:
        self._fs = fs
        self._root = root

    @abstractmethod
    def write(self, key: str, data: bytes | Path) -> None:
        """Put all of it under the key, in place of what was there."""

    @contextmanager
    def reading(self, key: str) -> Iterator[IO[bytes]]:
        """The file under a key. Raises FileNotFoundError where there is none."""
        with self._reaching(missing=True), self._fs.open(self._path(key), "rb", block_size=PIECE) as file:
            yield file

    def remove(self, key: str) -> None:
        """Nothing happens where nothing is."""
        with self._reaching(missing=True), suppress(FileNotFoundError):
            self._fs.rm_file(self._path(key))

    @abstractmethod
    def remove_older(self, key: str, before: float) -> bool:
        """Remove it unless it was written at or after `before` (Unix seconds). True if it was removed."""

    def listed(self) -> list[Blob]:
        """All that is there, in no order; in a large store this takes a while."""
        with self._reaching():
            found = self._fs.find(self._root, detail=True)
        return [Blob(path[len(self._root) + 1 :], info["size"], _modified(info)) for path, info in found.items()]

    @abstractmethod
    def clear_parts(self, before: float) -> None:
        """Remove what was begun before that time and never finished."""

    def signed(self, key: str, seconds: int, *, name: str, media_type: str) -> str | None:
        """An address under which anybody may fetch it for so long, or None where there are no such addresses."""
        return None

    def path(self, key: str) -> Path | None:
        """Where it lies on this machine, or would; None where it lies elsewhere."""
        return None

    def _path(self, key: str) -> str:
        return f"{self._root}/{key}"

    @contextmanager
    def _reaching(self, *, missing: bool = False) -> Iterator[None]:
        """Libraries of buckets raise whatever comes up, and their words may quote addresses: only the type is told."""
        try:
            yield
        except FileNotFoundError as error:
            if missing:
                raise
            raise StoreError("The artifact store is not there: its folder or bucket is missing.") from error
        except (StoreError, MemoryError):
            raise
        except Exception as error:
            raise StoreError(f"The artifact store cannot be used ({type(error).__name__}).") from error


class FolderBlobs(Blobs):
    """Files below a folder, which is made at the first write, for its owner only."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.absolute()
        super().__init__(fsspec.filesystem("file"), str(self._folder))

    def write(self, key: str, data: bytes | Path) -> None:
        with self._reaching():
            target = self._folder / key
            part = self._new_part()
            target.parent.mkdir(exist_ok=True)
            try:
                with self._fs.open(str(part), "wb") as file:
                    if isinstance(data, Path):
                        with data.open("rb") as source:
                            shutil.copyfileobj(source, file, PIECE)
                    else:
                        file.write(data)
                    file.flush()
                    os.fsync(file.fileno())
                part.replace(target)
            except BaseException:
                part.unlink(missing_ok=True)
                raise

    def remove_older(self, key: str, before: float) -> bool:
        """The file is first moved aside: one that is written anew in the same moment is put back."""
        with self._reaching():
            target, part = self._folder / key, self._new_part()
            try:
                if target.stat().st_mtime >= before:
                    return False
                target.rename(part)
            except FileNotFoundError:  # another process was faster
                return False
            if part.stat().st_mtime >= before:
                part.replace(target)
                return False
            part.unlink()
            return True

    def clear_parts(self, before: float) -> None:
        with self._reaching():
            for part in (self._folder / PARTS).glob("*"):
                with suppress(FileNotFoundError):
                    if part.stat().st_mtime < before:
                        part.unlink()

    def path(self, key: str) -> Path | None:
        return self._folder / key

    def _new_part(self) -> Path:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder = self._folder / PARTS
        folder.mkdir(exist_ok=True)
        return folder / secrets.token_hex(16)


class BucketBlobs(Blobs):
    """Objects of an S3-compatible server below `root`, which is a bucket and a prefix.

    endpoint: its address, where it is not Amazon's. key, secret: None leaves it to what botocore finds on the machine.
    Raises ConfigurationError where s3fs is not installed.
    """

    def __init__(self, root: str, *, endpoint: str | None, key: str | None, secret: str | None) -> None:
        config = {**TIMEOUTS, "signature_version": "s3v4"}
        if endpoint:  # servers of one's own have no name for each bucket
            config["s3"] = {"addressing_style": "path"}
        try:
            fs = fsspec.filesystem(
                "s3",
                key=key,
                secret=secret,
                endpoint_url=endpoint,
                config_kwargs=config,
                use_listings_cache=False,  # others write there too
            )
        except ImportError:
            raise ConfigurationError(
                "FRONTDESK_ARTIFACTS_URL names a bucket, for which s3fs is missing. Run: pip install 'frontdesk[s3]'"
            ) from None
        super().__init__(fs, root)
        self._bucket, _, prefix = root.partition("/")
        self._prefix = f"{prefix}/" if prefix else ""

    def write(self, key: str, data: bytes | Path) -> None:
        with self._reaching():
            if isinstance(data, Path):
                self._fs.put_file(str(data), self._path(key), chunksize=PIECE)
            else:
                self._fs.pipe_file(self._path(key), data, chunksize=PIECE)

    def remove_older(self, key: str, before: float) -> bool:
        """Between the look and the removal are a few milliseconds in which a file that is written anew is lost."""
        with self._reaching(missing=True):
            try:
                info = self._fs.info(self._path(key))
            except FileNotFoundError:
                return False
            if _modified(info) >= before:
                return False
            self._fs.rm_file(self._path(key))
            return True

    def clear_parts(self, before: float) -> None:
        with self._reaching():
            found = self._fs.call_s3("list_multipart_uploads", Bucket=self._bucket, Prefix=self._prefix)
            for upload in found.get("Uploads", ()):
                if upload["Initiated"].timestamp() < before:
                    self._fs.call_s3(
                        "abort_multipart_upload", Bucket=self._bucket, Key=upload["Key"], UploadId=upload["UploadId"]
                    )

    def signed(self, key: str, seconds: int, *, name: str, media_type: str) -> str | None:
        """It is offered as a download, never shown as a page: what a user made is not to run in a browser."""
        with self._reaching():
            address: str = self._fs.sign(
                self._path(key),
                expiration=seconds,
                ResponseContentDisposition=f'attachment; filename="{name}"',
                ResponseContentType=media_type,
            )
            return address


def _modified(info: dict[str, Any]) -> float:
    when = info.get("LastModified", info.get("mtime", 0.0))
    return when.timestamp() if isinstance(when, datetime) else float(when)
