"""Smaller versions of large files, for chats that do not take the whole: made at the end of a run, since only a worker
can, and kept beside it.

Which are made follows a ladder of what platforms take: just under 48 MB, and just under 8 MiB. A file that fits below
the ladder has none.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, TypeAlias

import numpy as np
from PIL import Image, ImageSequence

from frontdesk.queue.artifacts import Artifact
from frontdesk.queue.jobs import Version
from frontdesk.worker.animation import animated
from frontdesk.worker.mesh_files import Format, within
from frontdesk.worker.meshes import Bytes, Mesh
from frontdesk.worker.runner import RunContext

MEDIUM, SMALL = 47_900_000, 8 * 1024 * 1024 - 64 * 1024  # bytes; Telegram's limit, and what Discord's once was
LADDER = ((MEDIUM, "-medium"), (SMALL, "-small"))
SHRINK = 0.8  # of the sides of a picture, from one try to the next
COLOURS = 256
LEAST_SIDE = 16  # pixels
MOST_FRAMES = 2000  # of a moving picture that is read

Check: TypeAlias = Callable[[], None]


class Made(NamedTuple):
    """A smaller version: what its name has before the last dot, its bytes, and what was done for it."""

    suffix: str
    data: bytes
    note: str


def unchecked() -> None:
    """For those who need no cancelling."""


def mesh_versions(
    mesh: Mesh,
    whole: bytes,
    format: Format = "glb",
    *,
    name: str = "object",
    ladder: Sequence[tuple[int, str]] = LADDER,
    check: Check = unchecked,
) -> list[Made]:
    """Versions of a mesh's file `whole`, the largest first: a glb quantised, then any format with ever fewer faces.

    `check` is called at every step: what it raises ends the making.
    """

    def make(limit: int) -> tuple[bytes, str] | None:
        return within(mesh, format, limit, name=name, whole=whole, check=check)

    return _descending(len(whole), make, ladder, check)


def picture_versions(
    whole: bytes, *, ladder: Sequence[tuple[int, str]] = LADDER, check: Check = unchecked
) -> list[Made]:
    """Versions of a picture: a moving one (GIF) with fewer colours, pixels and frames, a still one with 256 colours and
    ever fewer pixels. Raises OSError for what is no picture."""

    def make(limit: int) -> tuple[bytes, str] | None:
        with Image.open(io.BytesIO(whole)) as picture:
            moving = getattr(picture, "n_frames", 1) > 1
            return _moving(picture, limit) if moving else _still(picture, limit)

    return _descending(len(whole), make, ladder, check)


def kept(
    context: RunContext, data: bytes, made: Sequence[Made], *, name: str, media_type: str
) -> tuple[Artifact, tuple[Version, ...]]:
    """Keep a file with its smaller versions, as an `Attachment` takes them. Raises what `RunContext.keep` does."""
    whole = context.keep(data, name=name, media_type=media_type)
    stem, dot, suffix = whole.name.rpartition(".")
    versions = []
    for each in made:
        called = f"{stem}{each.suffix}.{suffix}" if dot else f"{whole.name}{each.suffix}"
        artifact = context.keep(each.data, name=called, media_type=media_type)
        versions.append(Version(**artifact.model_dump(), note=each.note[:200]))
    return whole, tuple(versions)


def _descending(
    size: int,
    make: Callable[[int], tuple[bytes, str] | None],
    ladder: Sequence[tuple[int, str]],
    check: Check,
) -> list[Made]:
    """One version for each rung that is below the file, and below the version before."""
    found: list[Made] = []
    for limit, suffix in ladder:
        if limit >= min([size, *(len(each.data) for each in found)]):
            continue
        check()
        if (made := make(limit)) is not None:
            found.append(Made(suffix, *made))
    return found


def _moving(picture: Image.Image, limit: int) -> tuple[bytes, str] | None:
    frames, seconds = [], 0.0
    for frame in ImageSequence.Iterator(picture):
        seconds += frame.info.get("duration", 80) / 1000
        frames.append(_rgb(frame))
        if len(frames) > MOST_FRAMES:
            return None
    try:
        data = animated(frames, seconds=seconds / len(frames), limit=limit)
    except ValueError:
        return None
    with Image.open(io.BytesIO(data)) as smaller:
        count = getattr(smaller, "n_frames", 1)
        return data, f"{count} of {len(frames)} pictures, {_sides(smaller)} of {_sides(picture)} pixels"


def _still(picture: Image.Image, limit: int) -> tuple[bytes, str] | None:
    """In its own format where that has fewer colours or fewer pixels to give."""
    for size in _sizes(picture):
        small = picture if size == picture.size else picture.convert("RGBA").resize(size, Image.Resampling.BOX)
        data = _encoded(small, picture.format or "PNG")
        if len(data) <= limit:
            return data, f"fewer colours, {size[0]} x {size[1]} of {_sides(picture)} pixels"
    return None


def _encoded(picture: Image.Image, format: str) -> bytes:
    stream = io.BytesIO()
    if format == "JPEG":
        picture.convert("RGB").save(stream, "JPEG", quality=85, optimize=True)
    else:
        method = Image.Quantize.FASTOCTREE  # the one that keeps what is transparent
        picture.convert("RGBA").quantize(COLOURS, method).save(stream, format, optimize=True)
    return stream.getvalue()


def _sizes(picture: Image.Image) -> Iterator[tuple[int, int]]:
    width, height = picture.size
    while min(width, height) >= LEAST_SIDE:
        yield width, height
        width, height = int(width * SHRINK), int(height * SHRINK)


def _rgb(frame: Image.Image) -> Bytes:
    pixels: Bytes = np.asarray(frame.convert("RGB"))
    return pixels


def _sides(picture: Image.Image) -> str:
    return f"{picture.width} x {picture.height}"
