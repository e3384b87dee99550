"""The files of an answer on their way to a platform: what fits there, and what each of them is called. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePath
from typing import Literal, TypeAlias

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
class Parcel:
    """One file. `name` is its own among those of its answer. `path`: where it lies for as long as it is delivered, or
    None for one that does not come along, and then `without` says why. `link`: where anybody can fetch it for a while.
    """

    attachment: Attachment
    name: str
    path: Path | None = None
    without: Without | None = None
    link: str | None = None

    @property
    def size(self) -> int:
        """Bytes."""
        return self.attachment.artifact.size

    @property
    def media_type(self) -> str:
        return self.attachment.artifact.media_type


def parcels(attachments: Sequence[Attachment]) -> tuple[Parcel, ...]:
    """In their order, with names that differ even where capitals count for nothing."""
    names = distinct(attachment.artifact.name for attachment in attachments)
    return tuple(Parcel(attachment, name) for attachment, name in zip(attachments, names, strict=True))


def fitted(all_of_them: Sequence[Parcel], room: Room) -> tuple[Parcel, ...]:
    """The same, where those that do not fit are left out as "too large": first each that is too large by itself; then,
    until the rest fits together, the largest of the files to download, of the stills, and at last of the previews.
    """
    out = {number for number, parcel in enumerate(all_of_them) if parcel.without is None and parcel.size > room.file}
    aboard = [n for n, parcel in enumerate(all_of_them) if parcel.without is None and n not in out]
    aboard.sort(key=lambda n: (LEFT_FIRST[all_of_them[n].attachment.role], -all_of_them[n].size, n))
    while aboard and (len(aboard) > room.count or sum(all_of_them[n].size for n in aboard) > room.request):
        out.add(aboard.pop(0))
    return tuple(
        replace(parcel, path=None, without="too large") if number in out else parcel
        for number, parcel in enumerate(all_of_them)
    )


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
