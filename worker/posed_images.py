"""Photographs with their cameras, read from a folder in the layout of the NeRF-synthetic data set (see `transforms`).

What is read here was made by a stranger: everything has a limit, and nothing outside of the folder is opened.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops

from frontdesk.queue.posed_archive import check_size
from frontdesk.queue.transforms import Limits, Posed, UnusablePhotographsError, read_layout

Picture: TypeAlias = NDArray[np.uint8]
Matrix: TypeAlias = NDArray[np.float64]

EIGHT_BITS = ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "YCbCr")
OPAQUE = ("1", "L", "RGB", "CMYK", "YCbCr")
NOT_A_PICTURE = (OSError, ValueError, SyntaxError, struct.error, Image.DecompressionBombError)


@dataclass(frozen=True)
class View:
    """A picture of h x w x 3 bytes (sRGB, over white) and the pinhole camera that took it.

    camera: 4x4, camera to world, OpenGL's convention. focal: in pixels; the optical axis meets the picture's middle.
    holes: h x w bytes, how much of the white shows; None for a picture that is opaque all over.
    """

    name: str
    camera: Matrix
    focal: float
    picture: Picture
    holes: Picture | None = None


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


def read_posed_images(
    folder: Path, limits: Limits | None = None, check: Callable[[], None] = lambda: None
) -> PosedImages:
    """The views of a folder. `check` is called before each picture, and may raise to end it.

    Raises UnusablePhotographsError with a sentence that names the file.
    """
    limits = limits or Limits()
    files = {PurePosixPath(path.relative_to(folder)) for path in folder.rglob("*") if _is_ours(path, folder)}
    layout = read_layout(files, lambda name: _head(folder / name, limits.json_bytes + 1), limits)
    every = (*layout.train, *layout.held_out)
    shrinking = _shrinking([_size(folder / posed.file, limits) for posed in every], limits)
    views = []
    for posed in every:
        check()
        views.append(_view(folder / posed.file, posed, shrinking))
    return PosedImages(tuple(views[: len(layout.train)]), tuple(views[len(layout.train) :]))


def _is_ours(path: Path, folder: Path) -> bool:
    return path.is_file() and path.resolve().is_relative_to(folder.resolve())


def _head(path: Path, size: int) -> bytes:
    with path.open("rb") as file:
        return file.read(size)


def _shrinking(sizes: list[tuple[int, int]], limits: Limits) -> float:
    """The longest side that a picture may keep, in pixels, so that all together have no more than `limits.pixels`."""
    side = float(limits.longest_side)
    while sum(width * height * min(1.0, side / max(width, height)) ** 2 for width, height in sizes) > limits.pixels:
        side *= 0.95
    return side


def _size(path: Path, limits: Limits) -> tuple[int, int]:
    """Width and height by its header. Raises UnusablePhotographsError."""
    if path.stat().st_size > limits.picture_bytes:
        raise UnusablePhotographsError(f"{path.name} has more than {limits.picture_bytes:,} bytes.")
    try:
        with Image.open(path, formats=("PNG", "JPEG")) as image:
            size, mode = image.size, image.mode
    except NOT_A_PICTURE:
        raise _unreadable(path) from None
    check_size(path.name, *size, limits)
    if mode not in EIGHT_BITS:
        raise UnusablePhotographsError(f"{path.name}: pictures of 8 bits a channel are read, not {mode!r}.")
    return size


def _view(path: Path, posed: Posed, longest_side: float) -> View:
    try:
        with Image.open(path, formats=("PNG", "JPEG")) as image:
            shrink = min(1.0, longest_side / max(image.size))
            size = (max(4, round(image.width * shrink)), max(4, round(image.height * shrink)))
            image.draft("RGB", size)  # a JPEG is decoded at half its size, or less, where that is enough
            picture, holes = _over_white(image)
    except NOT_A_PICTURE:
        raise _unreadable(path) from None
    focal = 0.5 * size[0] / math.tan(0.5 * posed.angle)
    camera = np.array(posed.camera, dtype=np.float64)
    return View(path.name, camera, focal, _sized(picture, size), None if holes is None else _sized(holes, size))


def _over_white(image: Image.Image) -> tuple[Image.Image, Image.Image | None]:
    """The picture over white, and how much of the white shows, if it does anywhere."""
    if image.mode in OPAQUE and not image.has_transparency_data:
        return image.convert("RGB"), None
    coloured = image.convert("RGBA")
    holes = ImageChops.invert(coloured.getchannel("A"))
    white = Image.new("RGBA", coloured.size, "white")
    return Image.alpha_composite(white, coloured).convert("RGB"), holes if holes.getbbox() else None


def _sized(picture: Image.Image, size: tuple[int, int]) -> Picture:
    return np.asarray(picture if picture.size == size else picture.resize(size, Image.Resampling.BOX), dtype=np.uint8)


def _unreadable(path: Path) -> UnusablePhotographsError:
    return UnusablePhotographsError(f"{path.name} is not a PNG or JPEG picture that can be read.")
