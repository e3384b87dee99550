"""Pictures with their cameras, in the layout of the NeRF-synthetic data set (Mildenhall et al. 2020).

`transforms_train.json` and, for pictures that are held out, `transforms_test.json` or `transforms_val.json`; or one
`transforms.json` for all. Each names its pictures, with or without their endings, and gives each a 4x4 camera-to-world
matrix in OpenGL's convention: x right, y up, the camera looks along -z.

Only names and numbers are looked at here: a bot judges an upload by them before its job is queued, and the worker
reads the same.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Annotated, NamedTuple, TypeAlias

from pydantic import BaseModel, Field, ValidationError

from frontdesk.queue.errors import UserError

TRAIN, ALL = "transforms_train.json", "transforms.json"
HELD_OUT = ("transforms_test.json", "transforms_val.json")
ENDINGS = (".png", ".jpg", ".jpeg")
HOLD_OUT_EVERY = 8  # where nothing is held out by the layout, every eighth picture is
NEAR = 0.01  # how far a rotation's columns may be from perpendicular, as a cosine

Rows: TypeAlias = tuple[tuple[float, ...], ...]


class UnusablePhotographsError(UserError):
    """Photographs that nothing can be made of; the sentence names the file and what is wrong with it."""


@dataclass(frozen=True)
class Limits:
    """What one reconstruction may read. Bytes are those of one file, pixels those of one picture or of all."""

    pictures: int = 300  # to learn from
    judged: int = 24  # of those that are held out, spread evenly: more take time and say the same
    picture_bytes: int = 20_000_000
    picture_pixels: int = 16_000_000
    least_side: int = 4
    json_bytes: int = 2_000_000
    pixels: int = 24_000_000  # of all pictures together: they are made smaller where they have more
    longest_side: int = 800  # pixels; larger pictures are made smaller


class Posed(NamedTuple):
    """A picture's file, its camera (4x4, to world, a rotation and a place), and its horizontal angle of view in
    radians."""

    file: PurePosixPath
    camera: Rows
    angle: float


class Layout(NamedTuple):
    """Pictures to learn from, and pictures held out to judge by."""

    train: tuple[Posed, ...]
    held_out: tuple[Posed, ...]


Number = Annotated[float, Field(allow_inf_nan=False, ge=-1e6, le=1e6)]
Row = Annotated[list[Number], Field(min_length=4, max_length=4)]


class _Frame(BaseModel):
    file_path: Annotated[str, Field(min_length=1, max_length=300)]
    transform_matrix: Annotated[list[Row], Field(min_length=4, max_length=4)]


class _Transforms(BaseModel):
    camera_angle_x: Annotated[float, Field(gt=0.01, lt=3.1, allow_inf_nan=False)]
    frames: Annotated[list[_Frame], Field(min_length=1, max_length=2000)]


def read_layout(files: Collection[PurePosixPath], read: Callable[[PurePosixPath], bytes], limits: Limits) -> Layout:
    """What lies in a folder or an archive. files: all of them. read: the bytes of one, at most `limits.json_bytes` + 1.

    Raises UnusablePhotographsError.
    """
    root = _root(files)

    def posed(name: str) -> list[Posed]:
        return _posed(root / name, read(root / name), frozenset(files), limits)

    train = posed(TRAIN if root / TRAIN in files else ALL)
    held_out = next((posed(name) for name in HELD_OUT if root / name in files), [])
    if not held_out:
        held_out, train = train[::HOLD_OUT_EVERY], [one for n, one in enumerate(train) if n % HOLD_OUT_EVERY]
    if len(train) < 2:
        raise UnusablePhotographsError(
            "Two pictures to learn from and one to judge by are the least; a good result needs many more."
        )
    if len(train) > limits.pictures:
        raise UnusablePhotographsError(
            f"There are {len(train):,} pictures to learn from; {limits.pictures} is the most."
        )
    return Layout(tuple(train), tuple(_spread(held_out, limits.judged)))


def _spread(posed: list[Posed], most: int) -> list[Posed]:
    """At most so many, evenly spread."""
    return [posed[number * len(posed) // min(most, len(posed))] for number in range(min(most, len(posed)))]


def _root(files: Collection[PurePosixPath]) -> PurePosixPath:
    """Where the cameras are: archives often hold one folder that holds the rest."""
    roots = {file.parent for file in files if file.name in (TRAIN, ALL)}
    if PurePosixPath() in roots:
        return PurePosixPath()
    if not roots:
        raise UnusablePhotographsError(
            f"{TRAIN} is missing: pictures are expected in the layout of the NeRF-synthetic data set."
        )
    if len(roots) > 1:
        raise UnusablePhotographsError(f"There are {len(roots)} folders with a {TRAIN}; send those of one object.")
    return roots.pop()


def _posed(path: PurePosixPath, data: bytes, files: Collection[PurePosixPath], limits: Limits) -> list[Posed]:
    if len(data) > limits.json_bytes:
        raise UnusablePhotographsError(f"{path.name}: at most {limits.json_bytes:,} bytes are read.")
    try:
        transforms = _Transforms.model_validate_json(data)
    except ValidationError as error:
        detail = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in detail["loc"])
        raise UnusablePhotographsError(f"{path.name}: {f'{where}: ' if where else ''}{detail['msg']}.") from None
    named = [(picture_file(path, frame.file_path, files), frame.transform_matrix) for frame in transforms.frames]
    return [Posed(file, _camera(file.name, matrix), transforms.camera_angle_x) for file, matrix in named]


def picture_file(transforms: PurePosixPath, named: str, files: Collection[PurePosixPath]) -> PurePosixPath:
    """The file that a frame of `transforms` means. Raises UnusablePhotographsError."""
    shown = repr(named[-60:])
    if "\0" in named or "\\" in named or PurePosixPath(named).is_absolute():
        raise UnusablePhotographsError(f"{shown}: pictures are named relative to {transforms.name}.")
    for ending in ("", *ENDINGS):
        file = transforms.parent / f"{named}{ending}"
        if file.suffix.lower() in ENDINGS and file in files:
            return file
    raise UnusablePhotographsError(f"{shown}: there is no such PNG or JPEG file.")


def _camera(name: str, matrix: list[list[float]]) -> Rows:
    """The matrix with a rotation of unit length. Raises UnusablePhotographsError where it is none."""
    axes = [[row[column] for row in matrix[:3]] for column in range(3)]
    lengths = [math.hypot(*axis) for axis in axes]
    if min(lengths) < 1e-9:
        raise UnusablePhotographsError(f"{name}: its transform_matrix does not turn, it flattens.")
    x, y, z = ([part / length for part in axis] for axis, length in zip(axes, lengths, strict=True))
    across = max(abs(_dot(x, y)), abs(_dot(y, z)), abs(_dot(z, x)))
    if across > NEAR or _dot(x, [y[1] * z[2] - y[2] * z[1], y[2] * z[0] - y[0] * z[2], y[0] * z[1] - y[1] * z[0]]) < 0:
        raise UnusablePhotographsError(f"{name}: its transform_matrix is not a rotation and a place.")
    return (*((x[row], y[row], z[row], matrix[row][3]) for row in range(3)), (0.0, 0.0, 0.0, 1.0))


def _dot(one: list[float], other: list[float]) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True))
