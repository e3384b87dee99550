"""Files that somebody at a console names by their path. Only the console's own process reads paths, as its own user."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from frontdesk.bots.incoming import Given, IncomingFile
from frontdesk.queue.errors import InvalidRequestError, Problem
from frontdesk.queue.kinds import AnyKind


def with_local(kind: AnyKind, raw: Mapping[str, Given]) -> dict[str, Given]:
    """The same, where the paths of the kind's files are files. Raises InvalidRequestError for what is none."""
    files = {parameter.name for parameter in kind.files}
    return {
        name: _local(name, value) if name in files and isinstance(value, str) and value.strip() else value
        for name, value in raw.items()
    }


def _local(name: str, typed: str) -> IncomingFile:
    try:
        path = Path(typed.strip().removeprefix("@")).expanduser()
        if not path.exists():
            raise InvalidRequestError([Problem(name, f"there is no file {typed.strip()}.")])
        if not path.is_file():
            raise InvalidRequestError([Problem(name, f"{typed.strip()} is no ordinary file.")])
        return IncomingFile.of(str(path.absolute()), path.name, size=path.stat().st_size)
    except (OSError, RuntimeError, ValueError):  # a path that is too long, has no home, or is none
        raise InvalidRequestError([Problem(name, f"{typed.strip()} cannot be read.")]) from None
