"""The camera of the previews: it stands still, a little above, and the object turns on its axis before it.

Right-handed, y up: the camera looks along -z, x runs to the right. A turn of the object is counter-clockwise as seen
from above, in radians.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from frontdesk.worker.meshes import Doubles, Floats
from frontdesk.worker.raster import DEPTHS, Index

ELEVATION = math.radians(20)
HALF_VIEW = math.tan(math.radians(15))  # half of the picture's side at a distance of 1
FILLED = 0.86  # of the picture, by the object at its widest while it turns
SLICES, ANGLES, HEIGHTS = 24, 48, 41


@dataclass(frozen=True)
class Camera:
    """height: of the point on the axis that it looks at. distance: from there. nearest: of anything drawn. Metres."""

    height: float
    distance: float
    nearest: float

    @classmethod
    def before(cls, vertices: Floats) -> Camera:
        """As near as an object allows that turns on its axis, wholly within the picture."""
        return cls._framing(_outline(vertices))

    @classmethod
    def for_view(cls, vertices: Floats, turn: float) -> Camera:
        """As near as one view of it allows: an object that is long from the side comes nearer to its front."""
        return cls._framing(vertices.astype(np.float64) @ turned(turn))

    @classmethod
    def _framing(cls, points: Doubles) -> Camera:
        height, distance = _framing(points)
        reach = float(np.linalg.norm(points - (0, height, 0), axis=1).max())
        return cls(height, distance, distance - reach * 1.01)

    @property
    def eye(self) -> Doubles:
        return np.array([0.0, self.height, 0.0]) - self.forward * self.distance

    @property
    def forward(self) -> Doubles:
        return np.array([0.0, -math.sin(ELEVATION), -math.cos(ELEVATION)])

    @property
    def up(self) -> Doubles:
        return np.array([0.0, math.cos(ELEVATION), -math.sin(ELEVATION)])

    def project(self, points: Doubles, size: int) -> Doubles:
        """[n, 3] places as [n, 3] x and y in pixels, y down, and nearness of 0 to 1 for the z-buffer."""
        seen = points - self.eye
        depth = seen @ self.forward
        scale = size / 2 / HALF_VIEW / depth
        return np.stack([size / 2 + points[:, 0] * scale, size / 2 - (seen @ self.up) * scale, self.nearest / depth], 1)

    def rays(self, size: int) -> Floats:
        """[size * size, 3]: from the eye through each pixel's centre, as long as one goes to be 1 m farther away."""
        across = ((np.arange(size) + 0.5) / size * 2 - 1) * HALF_VIEW
        rays = np.empty((size, size, 3))
        rays[:] = self.forward - across[:, None, None] * self.up
        rays[:, :, 0] += across
        return rays.reshape(-1, 3).astype(np.float32)

    def depth(self, nearness: Index) -> Floats:
        """Metres along the viewing direction, for nearness out of the z-buffer."""
        return (self.nearest * DEPTHS / np.maximum(nearness, 1)).astype(np.float32)


def turned(turn: float) -> Doubles:
    """[3, 3]: `points @ turned(turn)` are the points after the turn."""
    c, s = math.cos(turn), math.sin(turn)
    return np.array([[c, 0, -s], [0, 1, 0], [s, 0, c]])


def _outline(vertices: Floats) -> Doubles:
    """Points around the body that the vertices sweep in a full turn."""
    radius, height = np.hypot(vertices[:, 0], vertices[:, 2]), vertices[:, 1]
    low, high = float(height.min()), float(height.max())
    slice_of = np.clip(((height - low) / max(high - low, 1e-9) * SLICES).astype(int), 0, SLICES - 1)
    widest = np.zeros(SLICES)
    np.maximum.at(widest, slice_of, radius)
    edges = low + (high - low) * np.arange(SLICES + 1) / SLICES
    rings = np.concatenate([np.stack([widest, edges[:-1]], 1), np.stack([widest, edges[1:]], 1)])
    angle = np.arange(ANGLES) / ANGLES * 2 * math.pi
    x, z = rings[:, :1] * np.cos(angle), rings[:, :1] * np.sin(angle)
    return np.stack([x, np.broadcast_to(rings[:, 1:], x.shape), z], axis=2).reshape(-1, 3)


def _framing(outline: Doubles) -> tuple[float, float]:
    """The height to look at, and the least distance at which all points are within the picture."""
    low, high = float(outline[:, 1].min()), float(outline[:, 1].max())
    height = np.linspace(low, max(high, low + 1e-3), HEIGHTS)[:, None]
    x, y, z = outline.T[:, None, :]
    beside = np.maximum(np.abs(x), np.abs((y - height) * math.cos(ELEVATION) - z * math.sin(ELEVATION)))
    towards = (y - height) * math.sin(ELEVATION) + z * math.cos(ELEVATION)
    distance = (towards + beside / (HALF_VIEW * FILLED)).max(axis=1)
    best = int(distance.argmin())
    return float(height[best, 0]), float(distance[best])
