"""Addresses under which anybody can fetch one file for a while, for stores that cannot sign any themselves.

An address says all that its server needs: the job, the file, and when it ends. It is signed with HMAC-SHA256 (RFC 2104)
under a key that never leaves this desk, so that nobody can make one, or change what one says.
"""

from __future__ import annotations

import hmac
import os
import re
import secrets
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from pydantic import ValidationError

from frontdesk.queue.errors import ConfigurationError, FrontdeskError
from frontdesk.queue.jobs import Artifact
from frontdesk.queue.settings import Settings

PURPOSE = "frontdesk file 1"  # so that the key's signatures are good for nothing else
KEY_FILE = "links.key"
KEY_BYTES = 32
JOB = re.compile(r"[0-9a-z]{1,32}")
NUMBER = re.compile(r"\d{1,15}", re.ASCII)


class BadLinkError(FrontdeskError):
    """An address that this desk did not give."""


class ExpiredLinkError(FrontdeskError):
    """One that it gave, and that has ended."""


class Links:
    """Gives addresses below `base`, and reads them. `clock` gives Unix seconds."""

    def __init__(self, base: str, key: bytes, clock: Callable[[], float] = time.time) -> None:
        self._base = base
        self._key = key
        self._clock = clock

    @property
    def path(self) -> str:
        """Where they begin on their server: "/files", below the path of the base."""
        return f"{urlsplit(self._base).path}/files"

    def address(self, job_id: str, artifact: Artifact, seconds: float) -> str:
        """Where a job's file can be fetched for so long."""
        until = str(int(self._clock() + seconds))
        signature = self._signature(job_id, artifact, until)
        query = {"size": artifact.size, "type": artifact.media_type, "until": until, "signature": signature}
        return f"{self._base}/files/{job_id}/{artifact.sha256}/{artifact.name}?{urlencode(query)}"

    def read(self, job_id: str, sha256: str, name: str, query: Mapping[str, str]) -> Artifact:
        """The file that an address is for. Raises BadLinkError, ExpiredLinkError."""
        until, size = query.get("until", ""), query.get("size", "")
        if not (JOB.fullmatch(job_id) and NUMBER.fullmatch(until) and NUMBER.fullmatch(size)):
            raise BadLinkError
        try:
            artifact = Artifact(name=name, sha256=sha256, size=int(size), media_type=query.get("type", ""))
        except ValidationError:
            raise BadLinkError from None
        signature = self._signature(job_id, artifact, until)
        if not hmac.compare_digest(signature.encode(), query.get("signature", "").encode("utf-8", "replace")):
            raise BadLinkError
        if int(until) <= self._clock():
            raise ExpiredLinkError
        return artifact

    def _signature(self, job_id: str, artifact: Artifact, until: str) -> str:
        """No part can hold a line break, so that no two addresses sign the same text."""
        said = (PURPOSE, job_id, artifact.sha256, str(artifact.size), artifact.name, artifact.media_type, until)
        return hmac.digest(self._key, "\n".join(said).encode(), "sha256").hex()


def links_of(settings: Settings) -> Links | None:
    """The links that the settings want; None where they name no public address. Raises ConfigurationError."""
    if settings.files_url is None:
        return None
    if settings.files_key is not None:
        return Links(settings.files_url, settings.files_key.get_secret_value().encode())
    return Links(settings.files_url, kept_key(settings.data_dir / KEY_FILE))


def kept_key(path: Path, setting: str = "FRONTDESK_FILES_KEY") -> bytes:
    """The key in a file for its owner only, which is made where there is none; `setting` may name another. Raises
    ConfigurationError."""
    advice = f"Mend that, or set {setting}."
    try:
        with suppress(FileNotFoundError):
            return _read(path)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}-{secrets.token_hex(8)}")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_hex(KEY_BYTES))
        try:
            with suppress(FileExistsError):  # another process was faster, and its key is the one
                os.link(draft, path)
        finally:
            draft.unlink()
        return _read(path)
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read or written: {error.strerror}. {advice}") from None


def _read(path: Path) -> bytes:
    key = path.read_text("ascii", "replace").strip()
    if path.stat().st_mode & 0o077:
        raise ConfigurationError(f"{path} can be read by others, who could sign as this desk. Run: chmod 600 {path}")
    if not re.fullmatch(rf"[0-9a-f]{{{2 * KEY_BYTES}}}", key):
        raise ConfigurationError(f"{path} holds no key. Remove it: another is made, and what was signed so far ends.")
    return bytes.fromhex(key)
