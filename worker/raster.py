"""Which triangle is seen at each pixel: a z-buffer in numpy, without a loop over triangles.

Triangles become spans of a row, and spans become pixels. An edge is always walked from its upper end to its lower one,
so that two triangles that share it compute the same place to the last bit: no pixel between them is missed or taken
twice. A pixel belongs to the triangle over its centre; pixels are numbered row by row from the upper left.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from frontdesk.worker.meshes import Doubles

Index = npt.NDArray[np.int64]

DEPTHS = 2**31 - 2  # steps of nearness; 0 is nothing at all
FACES = 2**32 - 1


class Seen(NamedTuple):
    """What is seen: `pixels` [k] in ascending order, `faces` [k] over them, `nearness` [size * size] of all pixels, 0
    where there is nothing."""

    pixels: Index
    faces: Index
    nearness: Index


class _Spans(NamedTuple):
    """Runs of pixels: nearness is `base + step * pixel` for the pixels `start` to `start + length - 1`."""

    face: Index
    start: Index
    length: Index
    base: Doubles
    step: Doubles


def seen(corners: Doubles, size: int, *, over: Index | None = None, under: Index | None = None) -> Seen:
    """Draw triangles into a square picture of `size` pixels a side.

    corners: [m, 3, 3], of each corner x and y in pixels (y down) and nearness of 0 to 1. Nearness must be linear in the
    picture: 1 / distance for a perspective view, or a distance for a parallel one.
    over, under: [size * size] `nearness` of earlier drawings: only what is nearer than one and farther than the other.
    """
    spans = _spans(corners, size)
    ends = np.cumsum(spans.length)
    pixel = np.arange(ends[-1] if len(ends) else 0) + np.repeat(spans.start - (ends - spans.length), spans.length)
    nearness = np.repeat(spans.step, spans.length)
    nearness *= pixel
    nearness += np.repeat(spans.base, spans.length)
    keys = nearness.astype(np.int64)
    keep = None
    if over is not None:
        keep = keys > over[pixel]
    if under is not None:
        keep = (keys < under[pixel]) if keep is None else keep & (keys < under[pixel])
    keys <<= 32
    keys |= np.repeat(spans.face, spans.length)
    if keep is not None:
        pixel, keys = pixel[keep], keys[keep]
    nearest = np.full(size * size, -1, dtype=np.int64)
    np.maximum.at(nearest, pixel, keys)
    pixels = np.flatnonzero(nearest >= 0)
    return Seen(pixels, nearest[pixels] & FACES, np.maximum(nearest >> 32, 0))


def _spans(corners: Doubles, size: int) -> _Spans:
    some = _near_centres(corners)
    order = np.argsort(corners[some, :, 1], axis=1)
    x, y, near = (corners[some[:, None], order, axis] for axis in range(3))
    top, bottom = (np.clip(np.ceil(y[:, end] - 0.5), 0, size).astype(np.int64) for end in (0, 2))
    face, row = _runs(top, bottom - top)
    centre: Doubles = row + np.float64(0.5)
    lower = (centre >= y[face, 1]).astype(np.int64)  # the second of the two short edges
    x_long, near_long = _along(x, y, near, face, np.zeros_like(face), np.full_like(face, 2), centre)
    x_short, near_short = _along(x, y, near, face, lower, lower + 1, centre)
    swap = x_short < x_long
    left, right = np.where(swap, x_short, x_long), np.where(swap, x_long, x_short)
    near_left, near_right = np.where(swap, near_short, near_long), np.where(swap, near_long, near_short)
    first, last = (np.clip(np.ceil(edge - 0.5), 0, size).astype(np.int64) for edge in (left, right))
    kept = np.flatnonzero(last > first)
    first, count, left, near_left, row = first[kept], (last - first)[kept], left[kept], near_left[kept], row[kept]
    width, rise = right[kept] - left, near_right[kept] - near_left
    # A single pixel needs no step, and in a sliver it would be a huge one.
    step = np.where(count > 1, rise / width, 0.0) * DEPTHS
    near_first = near_left + np.clip((first + 0.5 - left) / width, 0, 1) * rise
    start = row * size + first
    return _Spans(some[face[kept]], start, count, near_first * DEPTHS + 1 - start * step, step)


def _near_centres(corners: Doubles) -> Index:
    """The triangles whose rectangle has the centre of a pixel in it: of a fine mesh, many have not."""
    x, y = corners[:, :, 0], corners[:, :, 1]
    across = np.ceil(np.maximum(np.maximum(x[:, 0], x[:, 1]), x[:, 2]) - 0.5)
    across -= np.ceil(np.minimum(np.minimum(x[:, 0], x[:, 1]), x[:, 2]) - 0.5)
    down = np.ceil(np.maximum(np.maximum(y[:, 0], y[:, 1]), y[:, 2]) - 0.5)
    down -= np.ceil(np.minimum(np.minimum(y[:, 0], y[:, 1]), y[:, 2]) - 0.5)
    return np.flatnonzero((across > 0) & (down > 0))


def _runs(first: Index, count: Index) -> tuple[Index, Index]:
    """For runs of whole numbers, one after the other: which run, and the number."""
    count = np.maximum(count, 0)
    run = np.repeat(np.arange(len(count)), count)
    return run, np.arange(len(run)) + (first - (np.cumsum(count) - count))[run]


def _along(
    x: Doubles, y: Doubles, near: Doubles, face: Index, start: Index, end: Index, at: Doubles
) -> tuple[Doubles, Doubles]:
    """x and nearness where the edges from `start` down to `end` cross the heights `at`."""
    x_start, y_start, near_start = x[face, start], y[face, start], near[face, start]
    share = (at - y_start) / (y[face, end] - y_start)
    return x_start + share * (x[face, end] - x_start), near_start + share * (near[face, end] - near_start)
