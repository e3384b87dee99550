"""Pictures with their cameras, in the layout of the NeRF-synthetic data set (Mildenhall et al. 2020).

A folder holds `transforms_train.json` and, for pictures that are held out, `transforms_test.json` or
`transforms_val.json`. Each names its pictures without their endings and gives each a 4x4 camera-to-world matrix in
OpenGL's convention: x right, y up, the camera looks along -z.

What is read here was made by a stranger: everything has a limit, and nothing outside of the folder is opened.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydantic import BaseModel, Field, ValidationError

from frontdesk.worker.runner import RunError

Picture: TypeAlias = NDArray[np.uint8]
Matrix: TypeAlias = NDArray[np.float64]

TRAIN = "transforms_train.json"
HELD_OUT = ("transforms_test.json", "transforms_val.json")
ENDINGS = (".png", ".jpg", ".jpeg")
HOLD_OUT_EVERY = 8  # where a folder holds nothing out itself, every eighth picture is
EIGHT_BITS = ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "YCbCr")
NOT_A_PICTURE = (OSError, ValueError, SyntaxError, struct.error, Image.DecompressionBombError)


@dataclass(frozen=True)
class Limits:
    """What one reconstruction may read. Bytes are those of one file, pixels those of one picture or of all."""

    pictures: int = 300
    picture_bytes: int = 20_000_000
    picture_pixels: int = 4_000_000
    json_bytes: int = 2_000_000
    pixels: int = 24_000_000  # of all pictures together, after they were made smaller
    longest_side: int = 800  # pixels; larger pictures are made smaller


@dataclass(frozen=True)
class View:
    """A picture of h x w x 3 bytes (sRGB, over white) and the pinhole camera that took it.

    camera: 4x4, camera to world, OpenGL's convention. focal: in pixels; the optical axis meets the picture's middle.
    """

    name: str
    camera: Matrix
    focal: float
    picture: Picture


@dataclass(frozen=True)
class PosedImages:
    """Views to train on, and views held out to judge by."""

    train: tuple[View, ...]
    held_out: tuple[View, ...]


def orbiting(
    azimuth: float, elevation: float, distance: float, centre: tuple[float, float, float] = (0.0, 0.0, 0.0)
) -> Matrix:
    """A camera (4x4, to world, OpenGL's convention) that sees a point from a place around it; z is up. Radians."""
    level = (math.cos(azimuth), math.sin(azimuth))
    back = np.array([math.cos(elevation) * level[0], math.cos(elevation) * level[1], math.sin(elevation)])
    right = np.array([-level[1], level[0], 0.0])
    camera = np.eye(4)
    camera[:3, :3] = np.stack([right, np.cross(back, right), back], axis=1)
    camera[:3, 3] = distance * back + np.array(centre)
    return camera


class _Frame(BaseModel):
    file_path: Annotated[str, Field(min_length=1, max_length=300)]
    transform_matrix: Annotated[
        list[
            Annotated[
                list[Annotated[float, Field(allow_inf_nan=False, ge=-1e6, le=1e6)]], Field(min_length=4, max_length=4)
            ]
        ],
        Field(min_length=4, max_length=4),
    ]


class _Transforms(BaseModel):
    camera_angle_x: Annotated[float, Field(gt=0.01, lt=3.1, allow_inf_nan=False)]
    frames: Annotated[list[_Frame], Field(min_length=1)]


def read_posed_images(folder: Path, limits: Limits | None = None) -> PosedImages:
    """The views of a folder, or of the only folder in it. Raises RunError with a sentence that names the file."""
    limits = limits or Limits()
    root = _root(folder)
    train = _frames(root / TRAIN, limits)
    held_out = next((_frames(root / name, limits) for name in HELD_OUT if (root / name).is_file()), [])
    if not held_out:
        held_out, train = train[::HOLD_OUT_EVERY], [f for n, f in enumerate(train) if n % HOLD_OUT_EVERY]
    if len(train) < 2:
        raise RunError(f"{TRAIN}: at least three pictures are needed, and many more for a good result.")
    if len(train) + len(held_out) > limits.pictures:
        raise RunError(f"There are {len(train) + len(held_out)} pictures; {limits.pictures} is the most.")
    left = limits.pixels
    views = []
    for angle, frame in (*train, *held_out):
        views.append(_view(root, frame, angle, limits))
        left -= views[-1].picture.shape[0] * views[-1].picture.shape[1]
        if left < 0:
            raise RunError(
                f"The pictures have more than {limits.pixels:,} pixels together: send fewer or smaller ones."
            )
    return PosedImages(tuple(views[: len(train)]), tuple(views[len(train) :]))


def _root(folder: Path) -> Path:
    """Where the cameras are: archives often hold one folder that holds the rest."""
    if (folder / TRAIN).is_file():
        return folder
    inner = [path for path in sorted(folder.iterdir()) if (path / TRAIN).is_file() and not path.is_symlink()]
    if len(inner) != 1:
        raise RunError(f"{TRAIN} is missing: pictures are expected in the layout of the NeRF-synthetic data set.")
    return inner[0]


def _frames(path: Path, limits: Limits) -> list[tuple[float, _Frame]]:
    """Each frame with the horizontal angle of view, in radians."""
    if path.is_symlink() or path.stat().st_size > limits.json_bytes:
        raise RunError(f"{path.name}: at most {limits.json_bytes:,} bytes are read.")
    try:
        transforms = _Transforms.model_validate_json(path.read_bytes())
    except ValidationError as error:
        detail = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in detail["loc"])
        raise RunError(f"{path.name}: {f'{where}: ' if where else ''}{detail['msg']}.") from None
    return [(transforms.camera_angle_x, frame) for frame in transforms.frames]


def _view(root: Path, frame: _Frame, angle: float, limits: Limits) -> View:
    path = _picture_path(root, frame.file_path)
    picture = _picture(path, limits)
    focal = 0.5 * picture.shape[1] / math.tan(0.5 * angle)
    return View(path.name, _camera(path.name, frame), focal, picture)


def _picture_path(root: Path, named: str) -> Path:
    """The file that a frame means; it must lie in the folder. Raises RunError."""
    shown = repr(named[-60:])
    if "\0" in named or "\\" in named or Path(named).is_absolute():
        raise RunError(f"{shown}: pictures are named relative to {TRAIN}.")
    for ending in ("", *ENDINGS):
        path = root / f"{named}{ending}"
        if path.suffix.lower() in ENDINGS and path.is_file():
            if not path.resolve().is_relative_to(root.resolve()):
                raise RunError(f"{shown} lies outside of the folder.")
            return path
    raise RunError(f"{shown}: there is no such PNG or JPEG file.")


def _camera(name: str, frame: _Frame) -> Matrix:
    """The matrix with a rotation of unit length. Raises RunError where it is none."""
    camera = np.array(frame.transform_matrix, dtype=np.float64)
    scale = np.linalg.norm(camera[:3, :3], axis=0)
    if scale.min() < 1e-9:
        raise RunError(f"{name}: its transform_matrix does not turn, it flattens.")
    camera[:3, :3] /= scale
    turn = camera[:3, :3]
    if not np.allclose(turn.T @ turn, np.eye(3), atol=0.01) or np.linalg.det(turn) < 0:
        raise RunError(f"{name}: its transform_matrix is not a rotation and a place.")
    camera[3] = (0, 0, 0, 1)
    return camera


def _picture(path: Path, limits: Limits) -> Picture:
    """The picture over white, at most `longest_side` long. Raises RunError."""
    if path.stat().st_size > limits.picture_bytes:
        raise RunError(f"{path.name} has more than {limits.picture_bytes:,} bytes.")
    try:
        with Image.open(path, formats=("PNG", "JPEG")) as image:  # reads the header only
            width, height = image.size
            if width * height > limits.picture_pixels or min(width, height) < 4:
                raise RunError(f"{path.name} is {width} x {height}; {limits.picture_pixels:,} pixels is the most.")
            if image.mode not in EIGHT_BITS:
                raise RunError(f"{path.name}: pictures of 8 bits a channel are read, not {image.mode!r}.")
            coloured = image.convert("RGBA")
    except NOT_A_PICTURE:
        raise RunError(f"{path.name} is not a PNG or JPEG picture that can be read.") from None
    over_white = Image.alpha_composite(Image.new("RGBA", coloured.size, "white"), coloured).convert("RGB")
    shrink = limits.longest_side / max(over_white.size)
    if shrink < 1:
        width, height = (max(4, round(side * shrink)) for side in over_white.size)
        over_white = over_white.resize((width, height), Image.Resampling.BOX)
    return np.asarray(over_white, dtype=np.uint8)
