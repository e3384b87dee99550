"""A file that somebody sends with a request: what their platform says of it, and how its bytes come."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Collection
from pathlib import Path
from typing import Annotated, Self, TypeAlias

from pydantic import Field

from frontdesk.queue.artifacts import Artifact
from frontdesk.queue.errors import FrontdeskError
from frontdesk.queue.jobs import Wire
from frontdesk.queue.kinds import AnyKind, Parameter, Registry, Value

MAX_NAME = 255
CHUNK = 1024 * 1024


class LostUploadError(FrontdeskError):
    """A file cannot be fetched from its platform, or only a part of it came. `sentence` is for whoever sent it, and
    goes after the file's name."""

    def __init__(self, sentence: str = "could not be fetched to its end. Please send it again.") -> None:
        super().__init__(sentence)
        self.sentence = sentence


class IncomingFile(Wire):
    """A file before it is fetched; plain data, so that it can be kept with a half-filled form.

    source: by what its platform finds it: an id, an address, a path. No log may hold it.
    name, size, media_type: as the platform tells them, which proves nothing. `size` in bytes.
    most: bytes that the platform lets a bot fetch.
    """

    source: Annotated[str, Field(max_length=4096)]
    name: Annotated[str, Field(max_length=MAX_NAME)]
    size: Annotated[int, Field(ge=0)] | None = None
    media_type: str | None = None
    most: int | None = None

    @classmethod
    def of(cls, source: str, name: str | None, *, size: int | None = None, media_type: str | None = None) -> Self:
        """`name` is cut, and its end is kept."""
        return cls(source=source, name=(name or "")[-MAX_NAME:], size=size, media_type=media_type)


Sent: TypeAlias = Value | IncomingFile
"""What a parameter is given: what was typed or chosen, or a file."""

Given: TypeAlias = Sent | Artifact
"""The same, once files may be in the store."""

Fetch: TypeAlias = Callable[[IncomingFile], AsyncGenerator[bytes, None]]
"""The bytes of a file, in pieces. Raises LostUploadError."""


def parameter_for(kind: AnyKind, given: Collection[str], file: IncomingFile) -> Parameter | None:
    """The parameter that a file is meant for, where nobody said which: of those not given yet, the first that takes its
    sort, or else the first, so that the refusal says what is taken."""
    free = [parameter for parameter in kind.files if parameter.name not in given]
    return next((each for each in free if fits(each, file)), free[0] if free else None)


def fits(parameter: Parameter, file: IncomingFile) -> bool:
    """Whether a parameter takes files of that name's sort."""
    return parameter.upload is not None and parameter.upload.suffix(file.name) is not None


def takers(kinds: Registry, file: IncomingFile) -> list[AnyKind]:
    """The kinds that take files of that name's sort."""
    return [kind for kind in kinds.values() if any(fits(parameter, file) for parameter in kind.files)]


async def read_local(file: IncomingFile) -> AsyncGenerator[bytes, None]:
    """A file of this machine, `source` being its path. Raises LostUploadError."""
    try:
        with await asyncio.to_thread(Path(file.source).open, "rb") as opened:
            while chunk := await asyncio.to_thread(opened.read, CHUNK):
                yield chunk
    except OSError as error:
        raise LostUploadError(f"cannot be read: {error.strerror}.") from error
