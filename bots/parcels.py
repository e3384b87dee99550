"""The files of an answer on their way to a platform: what fits there, and what each of them is called. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePath
from typing import Literal, TypeAlias

from frontdesk.queue.jobs import Artifact, Version
from frontdesk.queue.kinds import Attachment

Without: TypeAlias = Literal["too large", "gone", "damaged", "away", "refused", "cut off"]
"""Why a file does not come with its answer. "away": the store could not be reached; "refused" and "cut off": the
platform did not take it, or the upload did not come to its end."""

LEFT_FIRST = {"file": 0, "still": 1, "preview": 2}


@dataclass(frozen=True, slots=True)
class Room:
    """What a platform takes in one message: bytes of a file, bytes of all of them, how many."""

    file: int
    request: int
    count: int


@dataclass(frozen=True, slots=True)
class Copy:
    """A smaller version of a parcel's file, under a name of its own. `path` as a parcel's."""

    version: Version
    name: str
    path: Path | None = None


@dataclass(frozen=True, slots=True)
class Parcel:
    """One file. `name` is its own among those of its answer. `path`: where it lies for as long as it is delivered, or
    None for one that does not come along, and then `without` says why. `link`: where anybody can fetch it for a while.

    smaller: versions to take where it does not fit, the largest first. instead: the version that it is by now; then
    `name`, `size` and `path` are that one's, and `whole` is the name of the file itself.
    """

    attachment: Attachment
    name: str
    path: Path | None = None
    without: Without | None = None
    link: str | None = None
    smaller: tuple[Copy, ...] = ()
    instead: Version | None = None
    whole: str = ""

    @property
    def artifact(self) -> Artifact:
        """What comes along, or would."""
        return self.instead or self.attachment.artifact

    @property
    def size(self) -> int:
        """Bytes."""
        return self.artifact.size

    @property
    def media_type(self) -> str:
        return self.artifact.media_type

    def shrunk(self) -> Parcel:
        """The next smaller version in its place; there must be one."""
        copy, *rest = self.smaller
        whole = self.whole or self.name
        return replace(self, name=copy.name, path=copy.path, smaller=tuple(rest), instead=copy.version, whole=whole)

    def left(self, why: Without) -> Parcel:
        """The file itself, which does not come along."""
        return replace(self, name=self.whole or self.name, path=None, without=why, smaller=(), instead=None, whole="")


def parcels(attachments: Sequence[Attachment]) -> tuple[Parcel, ...]:
    """In their order, with names that differ even where capitals count for nothing."""
    versions = [version for attachment in attachments for version in attachment.smaller]
    names = iter(distinct(each.name for each in (*(attachment.artifact for attachment in attachments), *versions)))
    whole = [next(names) for _ in attachments]
    return tuple(
        Parcel(attachment, name, smaller=tuple(Copy(version, next(names)) for version in attachment.smaller))
        for attachment, name in zip(attachments, whole, strict=True)
    )


def fitted(all_of_them: Sequence[Parcel], room: Room) -> tuple[Parcel, ...]:
    """The same, where what does not fit gives way to its largest version that does, or is left out as "too large":
    first each file that is too large by itself; then, until the rest fits together, the largest of the files to
    download, of the stills, and at last of the previews. No file is left out while one of them has a smaller version.
    """
    made = [_within(parcel, room.file) for parcel in all_of_them]
    while aboard := [number for number, parcel in enumerate(made) if parcel.without is None]:
        aboard.sort(key=lambda n: (LEFT_FIRST[made[n].attachment.role], -made[n].size, n))
        if len(aboard) > room.count:
            made[aboard[0]] = made[aboard[0]].left("too large")
        elif sum(made[n].size for n in aboard) > room.request:
            number = next((n for n in aboard if made[n].smaller), aboard[0])
            made[number] = made[number].shrunk() if made[number].smaller else made[number].left("too large")
        else:
            break
    return tuple(made)


def _within(parcel: Parcel, limit: int) -> Parcel:
    while parcel.without is None and parcel.size > limit:
        parcel = parcel.shrunk() if parcel.smaller else parcel.left("too large")
    return parcel


def distinct(names: Iterable[str]) -> list[str]:
    """`a.glb`, `a-2.glb`, `a-3.glb` where three are called alike."""
    taken: set[str] = set()
    made = []
    for name in names:
        number, unlike = 1, name
        while unlike.lower() in taken:
            number += 1
            unlike = numbered(name, number)
        taken.add(unlike.lower())
        made.append(unlike)
    return made


def numbered(name: str, number: int) -> str:
    """`chair.glb` and 2: `chair-2.glb`. `name` is a bare file name."""
    path = PurePath(name)
    return f"{path.stem}-{number}{path.suffix}"
