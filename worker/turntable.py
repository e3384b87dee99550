"""The preview of an object: a still, and one turn of it that loops. How it is drawn is in studio.py."""

from __future__ import annotations

import io
import math
from collections.abc import Callable
from typing import NamedTuple

from PIL import Image

from frontdesk.worker.animation import LIMIT
from frontdesk.worker.animation import animated as animated  # the fly-around of a kind that has pictures already
from frontdesk.worker.meshes import Bytes, Mesh
from frontdesk.worker.studio import Studio

STILL_SIZE, FRAME_SIZE, FRAMES = 768, 360, 36
FIRST_TURN = math.radians(-30)  # the front, which looks along +z, is seen from its left


class Preview(NamedTuple):
    """still: a PNG. animation: a GIF."""

    still: bytes
    animation: bytes


def preview(
    mesh: Mesh,
    *,
    progress: Callable[[float, str], None] = lambda fraction, note: None,
    check: Callable[[], None] = lambda: None,
    limit: int = LIMIT,
) -> Preview:
    """Both pictures, the mesh prepared once for them. Raises ValueError for a mesh without faces.

    progress: told the share that is done and a note, after each frame. check: asked before each frame; what it raises
    ends the drawing. limit: of the animation, in bytes.
    """
    studio = Studio(mesh)
    check()
    large = _still(studio, STILL_SIZE)
    return Preview(large, _turning(studio, FRAMES, FRAME_SIZE, progress, check, limit))


def still(mesh: Mesh, *, size: int = STILL_SIZE) -> bytes:
    """A PNG of `size` pixels a side, the object seen from its left front and a little from above."""
    return _still(Studio(mesh), size)


def turntable(
    mesh: Mesh,
    *,
    frames: int = FRAMES,
    size: int = FRAME_SIZE,
    progress: Callable[[float, str], None] = lambda fraction, note: None,
    check: Callable[[], None] = lambda: None,
    limit: int = LIMIT,
) -> bytes:
    """A GIF of one turn, counter-clockwise from above, that begins with the still's view. See `preview`."""
    return _turning(Studio(mesh), frames, size, progress, check, limit)


def png(picture: Bytes) -> bytes:
    """[height, width, 3] in sRGB as a file."""
    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, "PNG")
    return stream.getvalue()


def _still(studio: Studio, size: int) -> bytes:
    return png(studio.portrait(size, FIRST_TURN))


def _turning(
    studio: Studio,
    frames: int,
    size: int,
    progress: Callable[[float, str], None],
    check: Callable[[], None],
    limit: int,
) -> bytes:
    pictures = []
    for number in range(frames):
        check()
        pictures.append(studio.picture(size, FIRST_TURN + 2 * math.pi * number / frames))
        progress((number + 1) / (frames + 1), f"preview, view {number + 1} of {frames}")
    check()
    return animated(pictures, limit=limit, check=check)
