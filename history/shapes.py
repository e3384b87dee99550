"""What shape a mesh has, as a vector: near for like shapes, however they are turned about the vertical, sized or saved.

Four histograms over points that are drawn from the surface, evenly by area, once the points' middle is the origin and
their root mean square distance from it 1. Three are Osada et al. 2002, "Shape distributions":

- D2: the distance between two points (64 bins up to 3.5).
- A3: the angle at one of three points (32 bins up to pi).
- D1: the distance from the middle (32 bins up to 2.5).

These bear any rotation. The fourth knows what is up: height by distance from the vertical axis (8 x 8 bins, heights of
-2 to 2, distances up to 2), so that a table differs from the same one upside down.

A value counts to the two bins that it lies between. Each histogram has the sum 1, and the vector is the roots of all,
each weighted: the cosine of two vectors is then the weighted mean of the histograms' Bhattacharyya coefficients, and
their length is 1. What is drawn is seeded, so that the same file has the same vector.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from frontdesk.history.mesh_bytes import Triangles, triangles_of
from frontdesk.history.sorts import WIDTHS

POINTS = 16_384
WEIGHTS = {"d2": 0.3, "a3": 0.15, "d1": 0.15, "profile": 0.4}
SEED = 20021

Floats: TypeAlias = npt.NDArray[np.float64]


def shape_of(data: bytes, format: str) -> npt.NDArray[np.float32]:
    """(192,), of length 1, of a file's mesh; `format`: glb, obj, ply, stl. Raises UnreadableMeshError."""
    return shape_vector(triangles_of(data, format))


def shape_vector(triangles: Triangles) -> npt.NDArray[np.float32]:
    """(192,), of length 1, of (n, 3, 3) corners of faces. One without any area is as a point."""
    points = _normalised(_drawn(triangles, np.random.default_rng(SEED)))
    a, b, c = points, np.roll(points, 1, axis=0), np.roll(points, 7, axis=0)
    histograms = {
        "d2": _histogram([np.linalg.norm(a - b, axis=1)], [(0.0, 3.5, 64)]),
        "a3": _histogram([_angles(a, b, c)], [(0.0, np.pi, 32)]),
        "d1": _histogram([np.linalg.norm(a, axis=1)], [(0.0, 2.5, 32)]),
        "profile": _histogram([a[:, 1], np.hypot(a[:, 0], a[:, 2])], [(-2.0, 2.0, 8), (0.0, 2.0, 8)]),
    }
    vector = np.concatenate([np.sqrt(WEIGHTS[name] * histogram) for name, histogram in histograms.items()])
    if len(vector) != WIDTHS["shape"]:
        raise AssertionError("a shape has another number of bins")
    return np.asarray(vector / np.linalg.norm(vector), np.float32)


def _drawn(triangles: Triangles, rng: np.random.Generator) -> Floats:
    """(POINTS, 3) in a random order, evenly by area (Osada et al. 2002, eq. 1), the faces in even steps of area."""
    first, second = triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0]
    areas = np.linalg.norm(np.cross(first, second), axis=1)
    if not areas.sum() > 0:
        areas = np.ones(len(triangles))
    ends = np.cumsum(areas / areas.sum())
    where = (np.arange(POINTS) + rng.random(POINTS)) / POINTS
    face = rng.permutation(np.minimum(np.searchsorted(ends, where), len(triangles) - 1))
    root, along = np.sqrt(rng.random(POINTS))[:, None], rng.random(POINTS)[:, None]
    return np.asarray(triangles[face, 0] + root * ((1 - along) * first[face] + along * second[face]), np.float64)


def _normalised(points: Floats) -> Floats:
    points = points - points.mean(0)
    scale = float(np.sqrt(np.square(points).sum(1).mean()))
    return points / scale if scale > 0 else points


def _angles(a: Floats, b: Floats, c: Floats) -> Floats:
    """At `a`, between `b` and `c`, in radians."""
    one, other = b - a, c - a
    lengths = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    cosines = np.clip((one * other).sum(1) / np.maximum(lengths, 1e-12), -1, 1)
    return np.asarray(np.arccos(cosines), np.float64)


def _histogram(values: Sequence[Floats], bins: Sequence[tuple[float, float, int]]) -> Floats:
    """Of points with one or more coordinates, the sum 1; each bin is (lowest, highest, number) of a coordinate."""
    places, shares = np.zeros(len(values[0]), np.int64)[None], np.ones(len(values[0]))[None]
    total = 1
    for value, (low, high, number) in zip(values, bins, strict=True):
        at = np.clip((value - low) / (high - low) * number - 0.5, 0, number - 1)
        below = np.minimum(at.astype(np.int64), number - 2)
        places = np.concatenate([places * number + below, places * number + below + 1])
        shares = np.concatenate([shares * (1 - (at - below)), shares * (at - below)])
        total *= number
    return np.asarray(np.bincount(places.ravel(), shares.ravel(), minlength=total) / len(values[0]), np.float64)
