"""A small software renderer for looking at the modeller's objects: flat shaded, one picture an object, NumPy alone.

One triangle after the other into a z-buffer. Not for users' pictures.
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
    edge1, edge2 = screen[:, 1] - screen[:, 0], screen[:, 2] - screen[:, 0]
    facing = np.flatnonzero(edge1[:, 0] * edge2[:, 1] - edge1[:, 1] * edge2[:, 0] < -1e-9)
    depths = np.full((size, size), -np.inf)
    image = np.full((size, size, 3), 0.93)
    for number in facing:
        if found := _covered(screen[number], size):
            lines, columns, depth, inside = found
            inside &= depth > depths[lines, columns]
            depths[lines, columns][inside] = depth[inside]
            image[lines, columns][inside] = shade[number]
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


def _covered(triangle: Floats, size: int) -> tuple[slice, slice, Floats, NDArray[np.bool_]] | None:
    """Lines and columns about a triangle on the screen, its depth there, and which of those pixels it covers."""
    low = np.ceil(triangle[:, :2].min(0) - 0.5).astype(int).clip(0)
    high = np.floor(triangle[:, :2].max(0) - 0.5).astype(int).clip(max=size - 1)
    if (low > high).any():
        return None
    (ax, ay, az), (bx, by, bz), (cx, cy, cz) = triangle.tolist()
    area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
    x = np.arange(low[0], high[0] + 1) + 0.5
    y = np.arange(low[1], high[1] + 1)[:, None] + 0.5
    u = ((bx - x) * (cy - y) - (by - y) * (cx - x)) / area
    v = ((cx - x) * (ay - y) - (cy - y) * (ax - x)) / area
    w = 1 - u - v
    depth = u * az + v * bz + w * cz
    return slice(low[1], high[1] + 1), slice(low[0], high[0] + 1), depth, (u >= 0) & (v >= 0) & (w >= 0)
