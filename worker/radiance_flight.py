"""A flight around what a radiance field holds: pictures from a circle, the object in the middle of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from frontdesk.worker.posed_images import orbiting
from frontdesk.worker.radiance_field import RadianceField
from frontdesk.worker.radiance_mesh import Surface
from frontdesk.worker.radiance_rendering import Scout, photograph

ANGLE = 0.6911112070083618  # radians, horizontally: that of the NeRF-synthetic data set's camera
ELEVATION = 0.45  # radians above the plane
BEGIN = -math.radians(120)  # where a mesh's still is seen from, too: the left front, y being the way back
MARGIN = 1.02
PLAIN = 249  # of 255: what is nearly white becomes so, or traces of fog would flicker in the background


@dataclass(frozen=True)
class Orbit:
    """A circle around a point of the world, z up; lengths in the pictures' own units."""

    centre: tuple[float, float, float]
    distance: float

    @classmethod
    def around(cls, surface: Surface) -> Orbit:
        """Near enough that the object fills the pictures, from wherever it is seen on the circle."""
        x, y, z = surface.vertices[:, 0], -surface.vertices[:, 2], surface.vertices[:, 1]
        points = np.stack([x, y, z], axis=1).astype(np.float64)
        centre = (points.min(0) + points.max(0)) / 2
        out = points - centre
        # All of it turned: a point as high as z and as far from the axis as r shows at most that far from the middle.
        far, high = np.hypot(out[:, 0], out[:, 1]), np.abs(out[:, 2])
        wide = far / math.tan(ANGLE / 2) + far * math.cos(ELEVATION) + high * math.sin(ELEVATION)
        up = high * math.cos(ELEVATION) + far * math.sin(ELEVATION)
        tall = up / math.tan(ANGLE / 2) + far * math.cos(ELEVATION)
        distance = MARGIN * float(max(np.quantile(wide, 0.999), np.quantile(tall, 0.999)))
        return cls((float(centre[0]), float(centre[1]), float(centre[2])), distance)


def fly_around(
    field: RadianceField,
    orbit: Orbit,
    *,
    frames: int,
    size: int,
    count: int | None = None,
    check: Callable[[], None] = lambda: None,
) -> Iterator[NDArray[np.uint8]]:
    """Pictures (size, size, 3) from a circle around the object, one after the other; the first follows the last.

    frames: of a full turn, counter-clockwise of the object as seen from above; the first `count` of them are taken.
    `check` may raise to end it.
    """
    scout = Scout(field.grid)
    focal = 0.5 * size / math.tan(0.5 * ANGLE)
    step = 0.5 / (field.grid.side - 1)
    for number in range(frames if count is None else count):
        turn = BEGIN - 2 * math.pi * number / frames
        camera = orbiting(turn, ELEVATION, orbit.distance, orbit.centre)
        seen = photograph(field, scout, camera, focal, (size, size), step, check)
        picture = np.asarray(np.round(255 * seen), dtype=np.uint8)
        picture[(picture >= PLAIN).all(axis=2)] = 255
        yield picture
