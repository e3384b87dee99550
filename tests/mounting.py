"""A made-up kind that takes a file, and archives of every sort, for tests of uploads."""

from __future__ import annotations

import io
import stat
import tempfile
import zipfile
from pathlib import Path
from typing import Annotated

from pydantic import Field

from frontdesk.queue.archives import ArchiveLimits, unpack
from frontdesk.queue.artifacts import Artifact
from frontdesk.queue.kinds import JobKind, Params, Result
from frontdesk.queue.uploads import Upload
from frontdesk.worker.runner import RunContext, Runner

ZIP = "application/zip"
MAX = 100_000
TIGHT = ArchiveLimits(archive=MAX, entries=5, total=200_000, single=150_000, ratio=10.0)


def look_inside(path: Path) -> None:
    """The kind's own check, as a kind that takes archives has it."""
    with tempfile.TemporaryDirectory() as folder:
        unpack(path, Path(folder) / "opened", suffixes=(".txt",), limits=TIGHT)


TAKES = Upload((".zip",), (ZIP, "application/x-zip-compressed"), MAX, check=look_inside)


class MountParams(Params):
    pictures: Annotated[Artifact, Field(description="A zip of pictures"), TAKES]
    colour: Annotated[str, Field(description="Of the frame", max_length=20)] = "black"


class HangParams(Params):
    height: Annotated[int, Field(description="In cm", ge=1, le=300)] = 150
    pictures: Annotated[Artifact | None, Field(description="A zip of pictures"), TAKES] = None


class MountResult(Result):
    said: str

    def body(self) -> str:
        return self.said


MOUNT = JobKind("mount", "Frame pictures", MountParams, MountResult, cost=lambda _: 1.0)
HANG = JobKind("hang", "Hang pictures", HangParams, MountResult, cost=lambda _: 1.0)


class Mounting(Runner[MountParams, MountResult]):
    """Opens what it was asked with."""

    def run(self, params: MountParams, context: RunContext) -> MountResult:
        with zipfile.ZipFile(context.fetch(params.pictures)) as archive:
            return MountResult(said=", ".join(archive.namelist()))


def zipped(*entries: tuple[str | zipfile.ZipInfo, bytes]) -> bytes:
    """The same bytes whenever it is made."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for entry, content in entries:
            info = zipfile.ZipInfo(entry) if isinstance(entry, str) else entry
            archive.writestr(info, content, zipfile.ZIP_DEFLATED)
    return data.getvalue()


def good(content: bytes = b"a picture") -> bytes:
    return zipped(("one.txt", content), ("two.txt", b"another"))


def encrypted() -> bytes:
    """Its flag says so, in both places where it stands."""
    data = bytearray(good())
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(mark) + at] |= 1
    return bytes(data)


def linked() -> bytes:
    entry = zipfile.ZipInfo("link.txt")
    entry.create_system, entry.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    return zipped((entry, b"/etc/passwd"))


# What each of these is refused for: by its first bytes, or by what is inside.
REFUSED = {
    "bomb": (zipped(("one.txt", b"0" * 5_000_000)), "in the archive has more than 0.15 MB"),
    "many small bombs": (zipped(*((f"{n}.txt", b"0" * 140_000) for n in range(5))), "Too much comes out"),
    "absolute path": (zipped(("/etc/one.txt", b"x")), "has a name that is not taken"),
    "way up": (zipped(("../one.txt", b"x")), "has a name that is not taken"),
    "link": (linked(), "is a link or a device"),
    "too many": (zipped(*((f"{n}.txt", b"x") for n in range(6))), "has 6 entries; at most 5"),
    "encrypted": (encrypted(), "is encrypted"),
    "of another sort": (zipped(("one.exe", b"x")), "is not of a sort that is taken here"),
    "no zip": (b"this is no archive", "is called .zip, but is none"),
    "a program": (b"MZ" + good(), "is called .zip, but is none"),
    "cut short": (good()[:60], "That is not a zip archive"),
    "empty": (b"", "is empty"),
}
