"""A file as a parameter: what its declaration takes, and what is said of one that does not fit.

Two looks are free of any download: `refuse_announced` judges what a platform says of a file, `refuse_content` its
first bytes. What is inside a file is the declaration's own `check` to judge.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from frontdesk.queue.artifacts import MAX_BYTES
from frontdesk.queue.errors import DeclarationError, UserError

SUFFIX = re.compile(r"\.[a-z0-9]{1,8}")
MEDIA_TYPE = re.compile(r"[a-z0-9][a-z0-9.+_-]*/[a-z0-9][a-z0-9.+_-]*")
HEAD = 16  # bytes that tell what a file is
SHOWN = 40  # characters of a file's name in a sentence
# What files of a suffix begin with. Of other suffixes only programs are told apart.
BEGINNINGS: dict[str, tuple[bytes, ...]] = {
    ".zip": (b"PK\x03\x04", b"PK\x05\x06"),
    ".png": (b"\x89PNG\r\n\x1a\n",),
    ".jpg": (b"\xff\xd8\xff",),
    ".jpeg": (b"\xff\xd8\xff",),
    ".gif": (b"GIF87a", b"GIF89a"),
    ".glb": (b"glTF",),
    ".pdf": (b"%PDF-",),
}
PROGRAMS = (b"MZ", b"\x7fELF", b"\xcf\xfa\xed\xfe", b"\xce\xfa\xed\xfe", b"\xca\xfe\xba\xbe", b"#!")
# What platforms and programs say of a file that they know nothing of.
UNKNOWN_TYPES = frozenset({"application/octet-stream", "binary/octet-stream", "application/x-download"})


class UnfitFileError(UserError):
    """A file that is not taken; the sentence goes after the parameter's name."""


@dataclass(frozen=True)
class Upload:
    """Says of a parameter of the type `Artifact` that it is a file somebody sends: `Annotated[Artifact | None,
    Field(description=...), Upload(...)]`.

    suffixes: those that are taken, in small letters (".zip").
    media_types: those that a platform may call it; the first is what the worker is told.
    max_bytes: of the largest file.
    check: looks into a file before the job is queued, and raises UserError. It runs in a thread of the bot, so it must
        open nothing that is large in memory and come to an end by itself.

    Raises DeclarationError.
    """

    suffixes: tuple[str, ...]
    media_types: tuple[str, ...]
    max_bytes: int
    check: Callable[[Path], object] | None = None

    def __post_init__(self) -> None:
        if not self.suffixes or not all(map(SUFFIX.fullmatch, self.suffixes)):
            raise DeclarationError('an upload names its suffixes in small letters, such as ".zip"')
        if not self.media_types or not all(map(MEDIA_TYPE.fullmatch, self.media_types)):
            raise DeclarationError('an upload names its media types, such as "application/zip"')
        if not 1 <= self.max_bytes <= MAX_BYTES:
            raise DeclarationError(f"an upload has 1 to {MAX_BYTES:,} bytes")

    @property
    def media_type(self) -> str:
        return self.media_types[0]

    @property
    def words(self) -> str:
        """What it takes: "a .zip of at most 20 MB"."""
        return f"a {' or '.join(self.suffixes)} of at most {megabytes(self.max_bytes)}"

    def suffix(self, name: str) -> str | None:
        """The suffix of a file's name, if it is one of those that are taken."""
        suffix = PurePosixPath(name.strip().lower()).suffix
        return suffix if suffix in self.suffixes else None

    def refuse_announced(self, name: str, size: int | None, media_type: str | None, *, most: int | None = None) -> None:
        """Raises UnfitFileError where a file cannot be right by what is said of it. most: bytes that its platform
        lets a bot fetch."""
        told = (media_type or "").partition(";")[0].strip().lower()
        if self.suffix(name) is None or (told and told not in UNKNOWN_TYPES | set(self.media_types)):
            raise UnfitFileError(f"{shown(name)} is not of a sort that is taken; send {self.words}.")
        if size is not None and size > self.max_bytes:
            raise UnfitFileError(f"{shown(name)} has {megabytes(size)}; send {self.words}.")
        if size is not None and most is not None and size > most:
            raise UnfitFileError(
                f"{shown(name)} has {megabytes(size)}; what is sent here can be fetched up to {megabytes(most)}."
            )

    def refuse_content(self, name: str, head: bytes) -> None:
        """Raises UnfitFileError where a file's first bytes are not those of its suffix. `head`: HEAD bytes, or all."""
        if not head:
            raise UnfitFileError(f"{shown(name)} is empty.")
        beginnings = BEGINNINGS.get(self.suffix(name) or "")
        if beginnings is not None and not head.startswith(beginnings):
            raise UnfitFileError(f"{shown(name)} is called {self.suffix(name)}, but is none.")
        if beginnings is None and head.startswith(PROGRAMS):
            raise UnfitFileError(f"{shown(name)} is a program, which is not taken.")


def shown(name: str) -> str:
    """A name for a sentence: short, and without what cannot be seen. It is still somebody's own words."""
    plain = "".join(sign if sign.isprintable() else "?" for sign in name) or "The file"
    return plain if len(plain) <= SHOWN else f"{plain[: SHOWN // 2]}...{plain[-SHOWN // 2 + 3 :]}"


def megabytes(size: int) -> str:
    """ "20 MB", "1.5 MB", "800 kB", in thousands; rounded up, so that one byte too many shows."""
    if size < 1_000_000:
        return f"{-(-size // 1000):,} kB"
    tenths = -(-size // 100_000)
    return f"{tenths // 10:,} MB" if tenths % 10 == 0 else f"{tenths / 10:,.1f} MB"
