"""What keeps light away: the object's own shadow, its niches, and the ground that it stands on.

Everything is for a mesh `fitted` into its 1 m box. Lengths in metres.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from frontdesk.worker.lighting import KEY
from frontdesk.worker.meshes import Doubles, Floats, Mesh, Whole
from frontdesk.worker.raster import DEPTHS, seen
from frontdesk.worker.window import GROUND

SAMPLES = 80_000
VOXEL, MARGIN = 1 / 40, 8  # of the volume around the object; voxels that are free around it
# Niches: how far the surroundings reach that are looked at (standard deviation, in voxels), how far before the surface
# they are looked at, how full they are before an open plane, and how much they darken.
NICHES = ((1.3, 2.4, 0.056, 1.5), (3.2, 5.0, 0.037, 3.0))
# What stands on the ground: parts below this height darken it, with a blur of that width, by so much.
CONTACTS = ((0.025, 0.010, 0.30), (0.10, 0.035, 0.20), (0.40, 0.11, 0.22))
CELL = 1 / 64  # of the ground that can be darkened
REACH = 0.88  # the half diagonal of the box and a little
# A surface must not throw a shadow on itself: how far before it a point is asked, and how much nearer to the light.
PUSHED, BIAS = 0.012, 0.003

_ACROSS = np.cross((0.0, 1.0, 0.0), KEY) / np.linalg.norm(np.cross((0.0, 1.0, 0.0), KEY))
_LIGHT = np.stack([_ACROSS, np.cross(KEY, _ACROSS), KEY], axis=1)  # [3, 3]: points @ _LIGHT are seen from the key light
_MIDDLE, _CORNER = np.array([0.0, 0.5, 0.0]), np.array([0.5, 0.0, 0.5])


class Surroundings:
    """How open the space before each place of the object is. Turns with the object."""

    def __init__(self, mesh: Mesh) -> None:
        points, area = _samples(mesh)
        side = round(1 / VOXEL) + 2 * MARGIN
        # Surface in each voxel, in sides of one: the same for a wall whichever way it stands.
        full = _spread(_voxels(points) - 0.5, side) * (area / VOXEL**2)
        full[:, MARGIN - 1] = 0.7  # the ground, which is bright itself
        self._full = [ndimage.gaussian_filter(full, spread, mode="nearest") for spread, *_ in NICHES]
        self._ground = _footprint(points)

    def openness(self, points: Doubles, normals: Floats) -> Floats:
        """[k, 3] places on the object -> [k], 1 where all the light from around arrives."""
        dark = np.zeros(len(points))
        for full, (_, before, plane, weight) in zip(self._full, NICHES, strict=True):
            at = _voxels(points + normals * (before * VOXEL)) - 0.5
            dark += weight * np.maximum(ndimage.map_coordinates(full, at, order=1, mode="nearest") - plane, 0)
        return np.exp(-2.2 * dark).astype(np.float32)

    def contact(self, x: Doubles, z: Doubles) -> Doubles:
        """How much the ground is darkened at some places, 0 to 1."""
        at = (np.stack([x, z]) + GROUND) / CELL - 0.5
        dark: Doubles = ndimage.map_coordinates(self._ground, at, order=1, mode="constant")
        return dark


class KeyShadow:
    """Where the key light reaches in one turn of the object: a shadow map, its edges smoothed over two of its cells
    (Reeves et al. 1987).

    points: [n, 3], the turned vertices. faces: [m, 3] of those that throw shadows. size: of the map, a side.
    """

    def __init__(self, points: Doubles, faces: Whole, size: int) -> None:
        self._size = size
        mapped = self._mapped(points)[faces]
        edge = mapped[:, 1:, :2] - mapped[:, :1, :2]
        facing = mapped[edge[:, 0, 0] * edge[:, 1, 1] < edge[:, 0, 1] * edge[:, 1, 0]]
        nearness = seen(facing, size).nearness
        self._map = np.where(nearness > 0, nearness / DEPTHS, -np.inf).astype(np.float32)

    def lit(self, points: Doubles) -> Floats:
        """[k, 3] places -> [k], 1 in full light, 0 in full shadow."""
        x, y, near = self._mapped(points).astype(np.float32).T
        near += BIAS / (2 * REACH)
        column, row = (np.clip(np.floor(place), 1, self._size - 2).astype(np.int64) for place in (x, y))
        across, down = np.clip(x - column, 0, 1), np.clip(y - row, 0, 1)
        middle = row * self._size + column
        lit = np.zeros(len(points), np.float32)
        for step_down, part_down in ((-1, 1 - down), (0, 1), (1, down)):
            for step_across, part_across in ((-1, 1 - across), (0, 1), (1, across)):
                free = self._map[middle + (step_down * self._size + step_across)] <= near
                lit += free * (part_down * part_across)
        outside = np.maximum(np.abs(x - self._size / 2), np.abs(y - self._size / 2)) > self._size / 2 - 1
        return np.where(outside, 1, lit / 4).astype(np.float32)

    def _mapped(self, points: Doubles) -> Doubles:
        """x and y in cells of the map, y down, and the nearness to the light of 0 to 1."""
        seen_by_light: Doubles = (points - _MIDDLE) @ _LIGHT / (2 * REACH) + 0.5
        seen_by_light[:, 1] = 1 - seen_by_light[:, 1]
        seen_by_light[:, :2] *= self._size
        return seen_by_light


def _samples(mesh: Mesh) -> tuple[Doubles, float]:
    """Points spread evenly over the surface, always the same ones, and the area for which each stands."""
    corners = mesh.vertices[mesh.faces].astype(np.float64)
    edges = corners[:, 1:] - corners[:, :1]
    areas = np.linalg.norm(np.cross(edges[:, 0], edges[:, 1]), axis=1)
    reached = np.cumsum(areas)
    number = np.arange(SAMPLES)
    face = np.searchsorted(reached, (number + 0.5) / SAMPLES * reached[-1]).clip(0, len(areas) - 1)
    # Roberts' R2 sequence, folded into the triangle
    u, v = (number * 0.7548776662466927) % 1, (number * 0.5698402909980532) % 1
    folded = u + v > 1
    u, v = np.where(folded, 1 - u, u), np.where(folded, 1 - v, v)
    points: Doubles = corners[face, 0] + u[:, None] * edges[face, 0] + v[:, None] * edges[face, 1]
    return points, float(reached[-1]) / 2 / SAMPLES


def _voxels(points: Doubles) -> Doubles:
    """[k, 3] places as [3, k] places in the volume."""
    places: Doubles = ((points + _CORNER) / VOXEL + MARGIN).T
    return places


def _spread(places: Doubles, side: int) -> Doubles:
    """How many of the [3, k] places lie near each point of a grid, each shared out among the eight around it."""
    low = np.floor(places).clip(0, side - 2)
    share = places - low
    counts = np.zeros(side**3)
    for corner in np.ndindex(2, 2, 2):
        x, y, z = (low + np.array(corner)[:, None]).astype(np.int64)
        weight = np.where(np.array(corner)[:, None], share, 1 - share).prod(axis=0)
        counts += np.bincount((x * side + y) * side + z, weight, side**3)
    return counts.reshape(side, side, side)


def _footprint(points: Doubles) -> Doubles:
    cells = round(2 * GROUND / CELL)
    x, z = ((points[:, (0, 2)] + GROUND) / CELL).astype(int).clip(0, cells - 1).T
    dark = np.zeros((cells, cells))
    for height, spread, weight in CONTACTS:
        covered = np.zeros((cells, cells))
        low = points[:, 1] < height
        covered[x[low], z[low]] = 1
        dark += weight * ndimage.gaussian_filter(ndimage.binary_closing(covered).astype(float), spread / CELL)
    return dark
