"""A flight around what a radiance field holds: pictures from a circle, the object in the middle of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from frontdesk.worker.meshes import Floats
from frontdesk.worker.posed_images import orbiting
from frontdesk.worker.radiance_field import RadianceField
from frontdesk.worker.radiance_mesh import Surface
from frontdesk.worker.radiance_rendering import Scout, photograph

ANGLE = 0.6911112070083618  # radians, horizontally: that of the NeRF-synthetic data set's camera
ELEVATION = 0.45  # radians above the plane
BEGIN = -math.radians(120)  # where a mesh's still is seen from, too: the left front, y being the way back
MARGIN = 1.08  # soft edges reach a little beyond the surface
PLAIN = 249  # of 255: what is nearly white becomes so, or traces of fog would flicker in the background


@dataclass(frozen=True)
class Orbit:
    """A circle around a point of the world, z up; lengths in the pictures' own units."""

    centre: tuple[float, float, float]
    distance: float

    @classmethod
    def around(cls, surface: Surface) -> Orbit:
        """Near enough that the object fills the pictures, from wherever it is seen on the circle."""
        points = np.stack([surface.vertices[:, 0], -surface.vertices[:, 2], surface.vertices[:, 1]], axis=1)
        low, high = points.min(0).astype(float), points.max(0).astype(float)
        x, y, _ = (low + high) / 2
        far = np.hypot(points[:, 0] - x, points[:, 1] - y)
        heights = np.linspace(low[2], high[2], 21)
        distances = [_distance(far, points[:, 2] - z) for z in heights]
        nearest = int(np.argmin(distances))
        return cls((float(x), float(y), float(heights[nearest])), MARGIN * distances[nearest])


def _distance(far: Floats, high: Floats) -> float:
    """From where on a camera sees all points. far, high: (n,) from the axis, and above what it looks at."""
    cos, sin, wide = math.cos(ELEVATION), math.sin(ELEVATION), 1 / math.tan(ANGLE / 2)
    # Wherever a point is turned to, it fits between left and right from here on ...
    level = far * math.hypot(wide, cos) + high * sin
    # ... and between above and below at its nearest and at its farthest.
    upright = [np.abs(high * cos - near * sin) * wide + near * cos + high * sin for near in (far, -far)]
    return max(float(np.quantile(each, 0.999)) for each in (level, *upright))


def fly_around(
    field: RadianceField,
    orbit: Orbit,
    *,
    frames: int,
    size: int,
    check: Callable[[], None] = lambda: None,
) -> Iterator[NDArray[np.uint8]]:
    """Pictures (size, size, 3) from a circle around the object, one after the other; the first follows the last.

    frames: of a full turn of the object, counter-clockwise as seen from above. `check` may raise to end it.
    """
    scout = Scout(field.grid)
    focal = 0.5 * size / math.tan(0.5 * ANGLE)
    step = 0.5 / (field.grid.side - 1)
    for number in range(frames):
        turn = BEGIN - 2 * math.pi * number / frames
        camera = orbiting(turn, ELEVATION, orbit.distance, orbit.centre)
        seen = photograph(field, scout, camera, focal, (size, size), step, check)
        picture = np.asarray(np.round(255 * seen), dtype=np.uint8)
        picture[(picture >= PLAIN).all(axis=2)] = 255
        yield picture
