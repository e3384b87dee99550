"""A small software renderer for looking at the modeller's objects: flat shaded, one picture an object, NumPy alone.

Triangles are covered with sample points, closer than half a pixel, that fall into a z-buffer. Not for users' pictures.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from frontdesk.worker.solids import Part

Floats = NDArray[np.float64]
LIGHTS = (((0.45, 0.75, 0.6), 0.62), ((-0.7, 0.25, 0.45), 0.22), ((0.0, -1.0, 0.2), 0.08))
AMBIENT = 0.3


def picture(parts: Sequence[Part], pixels: int, turn: float = 30.0, rise: float = 22.0) -> NDArray[np.uint8]:
    """Parts as (pixels, pixels, 3): seen from the front (+z), the camera `turn` degrees round and `rise` degrees up."""
    size = pixels * 2  # two samples a pixel and direction, averaged at the end
    corners, colours = _triangles(parts)
    view = _view(turn, rise)
    seen = corners @ view.T
    low, high = seen.min((0, 1)), seen.max((0, 1))
    scale = size * 0.92 / float((high - low)[:2].max())
    screen = (seen - (low + high) / 2) * scale * (1, -1, 1) + (size / 2, size / 2, 0)
    shade = _shades(corners, view) * colours
    points, owners = _samples(screen)
    column, line = (points[:, :2].astype(int).clip(0, size - 1)).T
    depth = np.full(size * size, -np.inf)
    place = line * size + column
    np.maximum.at(depth, place, points[:, 2])
    front = points[:, 2] >= depth[place] - 1e-9
    image = np.full((size * size, 3), 0.93)
    image[place[front]] = shade[owners[front]]
    half = image.reshape(pixels, 2, pixels, 2, 3).mean((1, 3))
    return np.asarray((half.clip(0, 1) * 255).round(), np.uint8)


def _triangles(parts: Sequence[Part]) -> tuple[Floats, Floats]:
    """Corners (n, 3, 3) and colours (n, 3) of all parts."""
    corners, colours = [], []
    for part in parts:
        mesh = part.solid.to_mesh()
        faces = np.asarray(mesh.vert_properties, float)[:, :3][np.asarray(mesh.tri_verts)]
        corners.append(faces)
        tint = np.asarray(part.colour) * (1.25 if part.finish == "glow" else 1.0)
        colours.append(np.broadcast_to(tint, (len(faces), 3)))
    return np.concatenate(corners), np.concatenate(colours)


def _view(turn: float, rise: float) -> Floats:
    t, r = math.radians(turn), math.radians(rise)
    about_y = np.array([[math.cos(t), 0, -math.sin(t)], [0, 1, 0], [math.sin(t), 0, math.cos(t)]])
    about_x = np.array([[1, 0, 0], [0, math.cos(r), -math.sin(r)], [0, math.sin(r), math.cos(r)]])
    return np.asarray(about_x @ about_y)


def _shades(corners: Floats, view: Floats) -> Floats:
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normal /= np.linalg.norm(normal, axis=1, keepdims=True) + 1e-30
    normal = normal @ view.T
    total = np.full(len(normal), AMBIENT)
    for direction, strength in LIGHTS:
        towards = np.asarray(direction) / np.linalg.norm(direction)
        total += strength * (normal @ towards).clip(0)
    return total[:, None]


def _samples(screen: Floats) -> tuple[Floats, NDArray[np.int64]]:
    """Points on triangles that face us, less than half a pixel apart, and the triangle of each."""
    edge1, edge2 = screen[:, 1] - screen[:, 0], screen[:, 2] - screen[:, 0]
    facing = np.flatnonzero(edge1[:, 0] * edge2[:, 1] - edge1[:, 1] * edge2[:, 0] < 0)
    sides = np.stack([edge1, edge2, edge2 - edge1], 1)[facing]
    need = np.ceil(np.linalg.norm(sides[:, :, :2], axis=2).max(1) * 2.0).astype(int) + 1
    steps = 2 ** np.ceil(np.log2(need)).astype(int)
    points, owners = [], []
    for step in np.unique(steps):
        chosen = facing[steps == step]
        i, j = np.meshgrid(np.arange(step + 1), np.arange(step + 1))
        inside = i + j <= step
        u, v = i[inside] / step, j[inside] / step
        for some in np.array_split(chosen, max(1, len(chosen) * len(u) // 2_000_000)):
            triangle = screen[some]
            placed = (
                triangle[:, :1] * (1 - u - v)[None, :, None]
                + triangle[:, 1:2] * u[None, :, None]
                + triangle[:, 2:] * v[None, :, None]
            )
            points.append(placed.reshape(-1, 3))
            owners.append(np.repeat(some, len(u)))
    return np.concatenate(points), np.concatenate(owners)
