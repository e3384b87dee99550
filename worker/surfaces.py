"""The flat areas of an object that others can stand on, and free spots on them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from manifold3d import CrossSection, Manifold
from numpy.typing import NDArray

from frontdesk.worker.standing import Body, Box, Standing, Vector, collides

CELLS = 56  # of the longer side of a grid
EPSILON = 0.0005  # metres above and below a level that are looked at
MAIN = 0.5  # a level of this share of the largest flat area counts as a top: a seat does, a chair's back does not
WHOLE, PART = 0.97, 0.35  # how much of what touches must be on the flat area
MOST_LEVELS = 6


@dataclass(frozen=True)
class Level:
    """A flat area at one height, as cells of `flat`; `covered` has something above it. Rows go along z."""

    height: float
    area: float
    corner: Vector  # x and z of the first cell's outer corner
    cell: float
    flat: NDArray[np.bool_]
    covered: NDArray[np.bool_]

    def centres(self) -> tuple[Vector, Vector]:
        """x of the columns, z of the rows."""
        rows, columns = self.flat.shape
        return (
            self.corner[0] + (np.arange(columns) + 0.5) * self.cell,
            self.corner[1] + (np.arange(rows) + 0.5) * self.cell,
        )

    def middle(self) -> Vector:
        """x and z of the flat area's centre."""
        rows, columns = np.nonzero(self.flat)
        x, z = self.centres()
        return np.array([x[columns].mean(), z[rows].mean()])

    def extent(self) -> Vector:
        """Metres of the flat area along x and z."""
        rows, columns = np.nonzero(self.flat)
        return np.array([np.ptp(columns) + 1, np.ptp(rows) + 1]) * self.cell


def levels(solid: Manifold) -> list[Level]:
    """The flat tops of a solid, those fit to stand on first: the highest of the large ones, then the rest by area."""
    upright = solid.rotate((90, 0, 0))  # z is up now, and y is -z
    x0, y0, _, x1, y1, _ = upright.bounding_box()
    cell = max(x1 - x0, y1 - y0) / CELLS
    found = []
    for height in _heights(solid):
        above = upright.trim_by_plane((0, 0, 1), height + EPSILON).project()
        exposed = upright.slice(height - EPSILON) - above
        if exposed.area() <= 4 * EPSILON**2:
            continue
        corner = np.array([x0, -y1])
        shape = (max(1, int(np.ceil((y1 - y0) / cell))), max(1, int(np.ceil((x1 - x0) / cell))))
        flat, covered = (_cells(section, corner, cell, shape) for section in (exposed, above))
        if flat.any():
            found.append(Level(height, exposed.area(), corner, cell, flat, covered))
    most = max((level.area for level in found), default=0.0)
    main = [level for level in found if level.area >= MAIN * most]
    rest = [level for level in found if level.area < MAIN * most]
    return sorted(main, key=lambda level: -level.height) + sorted(rest, key=lambda level: -level.area)


def _heights(solid: Manifold) -> list[float]:
    """Heights of faces that look straight up, those with most area first, at most MOST_LEVELS."""
    mesh = solid.to_mesh()
    points = np.asarray(mesh.vert_properties, dtype=np.float64)[:, :3][np.asarray(mesh.tri_verts)]
    normals = np.cross(points[:, 1] - points[:, 0], points[:, 2] - points[:, 0])
    doubled = np.linalg.norm(normals, axis=1)
    up = (doubled > 0) & (normals[:, 1] > 0.9998 * doubled)
    heights = np.round(points[up, :, 1].mean(axis=1), 4)
    unique, where = np.unique(heights, return_inverse=True)
    areas = np.bincount(where, weights=doubled[up] / 2, minlength=len(unique))
    return [float(unique[index]) for index in np.argsort(-areas, kind="stable")[:MOST_LEVELS]]


def _cells(section: CrossSection, corner: Vector, cell: float, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Which cells' centres lie inside, by the even-odd rule."""
    x = corner[0] + (np.arange(shape[1]) + 0.5) * cell
    z = corner[1] + (np.arange(shape[0]) + 0.5) * cell
    inside = np.zeros(shape, dtype=bool)
    for polygon in section.to_polygons():
        ends = np.asarray(polygon, dtype=np.float64) * (1, -1)
        for (ax, az), (bx, bz) in zip(ends, np.roll(ends, -1, axis=0), strict=True):
            rows = np.nonzero((z < az) != (z < bz))[0]
            crossing = ax + (z[rows] - az) * (bx - ax) / (bz - az) if len(rows) else rows
            for row, at in zip(rows, crossing, strict=True):
                inside[row] ^= x < at
    return inside


def stand_upon(
    thing: Standing, tops: Sequence[Level], target: Vector | None, others: Sequence[Standing]
) -> Standing | None:
    """A place for it on its support's flat tops, as near to `target` (x, z) as there is room; None if nowhere.

    It may be turned by a quarter. `others`: what it must not be in.
    """
    support = thing.support
    if support is None:
        return None
    for least in (WHOLE, PART):
        for level in tops:
            for more in (0.0, np.pi / 2):
                turn = thing.turn + more
                for x, z in _spots(level, thing.body, turn, support.upon, target, least):
                    there = replace(thing, position=np.array([x, level.height, z]), turn=turn)
                    if not collides(there, others):
                        return there
    return None


def _spots(
    level: Level, body: Body, turn: float, taken: Sequence[Standing], target: Vector | None, least: float
) -> Iterator[tuple[float, float]]:
    """Up to four free spots, the best one first."""
    x, z = level.centres()
    covered = level.covered.copy()
    for other in taken:
        box = other.box
        covered |= np.outer((z > box.low[2]) & (z < box.high[2]), (x > box.low[0]) & (x < box.high[0]))
    held = _share(level.flat, level.cell, body.foot(turn))
    free = _share(covered, level.cell, body.box(turn)) == 0
    good = (held >= least) & free
    if not good.any():
        return
    goal = level.middle() if target is None else target
    away = np.hypot(x[None, :] - goal[0], z[:, None] - goal[1]) / max(level.cell, 1e-9)
    # Part of it may hang over: then as little as can be, and near enough.
    worth = np.where(good, away if least == WHOLE else away - 1000 * np.round(held, 2), np.inf)
    rows, columns = np.unravel_index(np.argsort(worth, axis=None, kind="stable")[:40:13], worth.shape)
    for row, column in zip(rows, columns, strict=True):
        if not good[row, column]:
            return
        exact = away[row, column] < 1
        yield (goal[0], goal[1]) if exact else (float(x[column]), float(z[row]))


def _share(cells: NDArray[np.bool_], cell: float, box: Box) -> Vector:
    """For each cell: the share of the box's cells that are set, with the box's origin in that cell's centre."""
    rows, columns = cells.shape
    sums = np.zeros((rows + 1, columns + 1))
    sums[1:, 1:] = cells.cumsum(axis=0).cumsum(axis=1)
    spans = []
    for axis, count in ((2, rows), (0, columns)):
        low = np.round(box.low[axis] / cell + 0.5).astype(int)
        high = max(low + 1, np.round(box.high[axis] / cell + 0.5).astype(int))
        starts = np.arange(count) + low
        spans.append((np.clip(starts, 0, count), np.clip(starts + high - low, 0, count), int(high - low)))
    (top, bottom, height), (left, right, width) = spans
    upper, lower = sums[top], sums[bottom]
    total: Vector = lower[:, right] - upper[:, right] - lower[:, left] + upper[:, left]
    share: Vector = total / (height * width)
    return share
