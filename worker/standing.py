"""Objects that stand in a scene: where each is, what it touches, and how far one falls onto others."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeAlias

import numpy as np
from manifold3d import Manifold, OpType
from numpy.typing import NDArray
from scipy import ndimage

from frontdesk.worker.solids import Part

Vector: TypeAlias = NDArray[np.float64]

TOUCH = 0.0005  # metres: nearer than this is touching
CLEAR = 0.0005  # metres that a thing is lifted by to ask whether it is in another, not merely on it
SPOTS = 11  # tried along each axis
FIELD = 40  # cells of the longer side of a height field
FAR = 1e6  # metres
_FIRST_STEP = 0.002  # metres


@dataclass(frozen=True)
class Box:
    """Metres; y is up."""

    low: Vector
    high: Vector

    @property
    def size(self) -> Vector:
        return self.high - self.low

    @property
    def centre(self) -> Vector:
        return (self.low + self.high) / 2

    def moved(self, by: Vector) -> Box:
        return Box(self.low + by, self.high + by)

    def overlaps(self, other: Box, gap: float = 0.0) -> bool:
        return bool(np.all(self.low < other.high + gap - 1e-9) and np.all(other.low < self.high + gap - 1e-9))


def around(boxes: Iterable[Box]) -> Box:
    """The smallest box that holds all; there must be one."""
    both = [(box.low, box.high) for box in boxes]
    return Box(np.min([low for low, _ in both], axis=0), np.max([high for _, high in both], axis=0))


@dataclass(frozen=True)
class Body:
    """What a family built, at a scale: its parts as built, and one solid of all in metres, standing on y = 0."""

    parts: tuple[Part, ...]
    scale: float
    solid: Manifold

    @classmethod
    def of(cls, parts: Sequence[Part], scale: float) -> Body:
        solids = [part.solid for part in parts]
        whole = solids[0] if len(solids) == 1 else Manifold.batch_boolean(solids, OpType.Add)
        return cls(tuple(parts), scale, whole.scale((scale, scale, scale)))

    def scaled(self, by: float) -> Body:
        return Body(self.parts, self.scale * by, self.solid.scale((by, by, by)))

    @cached_property
    def corners(self) -> Vector:
        """(n, 3): the vertices."""
        return np.asarray(self.solid.to_mesh().vert_properties, dtype=np.float64)[:, :3]

    @cached_property
    def faces(self) -> NDArray[np.int64]:
        """(n, 3): three vertices each."""
        return np.asarray(self.solid.to_mesh().tri_verts, dtype=np.int64)

    def box(self, turn: float = 0.0) -> Box:
        """The box of all, turned about y."""
        points = _turned(self.corners, turn)
        return Box(points.min(axis=0), points.max(axis=0))

    def foot(self, turn: float = 0.0) -> Box:
        """The box of what touches the ground."""
        points = _turned(self.corners, turn)
        low = points[:, 1].min()
        points = points[points[:, 1] <= low + max(0.002, 0.01 * (points[:, 1].max() - low))]
        return Box(points.min(axis=0), points.max(axis=0))

    @cached_property
    def radius(self) -> float:
        """How far it reaches from its upright axis."""
        return float(np.hypot(self.corners[:, 0], self.corners[:, 2]).max())


@dataclass
class Standing:
    """One object in its place: turned about y by `turn` radians (+z towards +x), then moved to `position`.

    lean: radians towards its front, before the turn, about a point at the height `pivot`. Only the solid leans: where
    there is room is looked for as if it stood upright.
    """

    item: int
    copy: int
    body: Body
    position: Vector
    turn: float = 0.0
    support: Standing | None = None
    upon: list[Standing] = field(default_factory=list)
    lean: float = 0.0
    pivot: float = 0.0

    @property
    def solid(self) -> Manifold:
        return moved(self.body.solid, self.turn, tuple(self.position), self.lean, self.pivot)

    @property
    def box(self) -> Box:
        return self.body.box(self.turn).moved(self.position)

    def triangles(self) -> Vector:
        """(n, 3, 3): corners of each in their place."""
        moved: Vector = (_turned(self.body.corners, self.turn) + self.position)[self.body.faces]
        return moved

    def foothold(self) -> Vector:
        """x and z of the middle of the largest face that it stands on, as it is turned, from its own origin."""
        corners = _turned(self.body.corners, self.turn)[self.body.faces]
        lowest = corners[corners[:, :, 1].max(axis=1) < corners[:, :, 1].min() + 0.002]
        if not len(lowest):
            return np.zeros(2)
        areas = np.abs(_cross((lowest[:, 1] - lowest[:, 0])[:, [0, 2]], (lowest[:, 2] - lowest[:, 0])[:, [0, 2]]))
        middle: Vector = lowest[int(np.argmax(areas))].mean(axis=0)[[0, 2]]
        return middle

    def peak(self) -> Vector:
        """x and z of its highest points' middle."""
        points = _turned(self.body.corners, self.turn) + self.position
        highest: Vector = points[points[:, 1] > points[:, 1].max() - 0.001]
        middle: Vector = highest[:, [0, 2]].mean(axis=0)
        return middle


def moved(
    solid: Manifold, turn: float, position: tuple[float, float, float], lean: float = 0.0, pivot: float = 0.0
) -> Manifold:
    """See `Standing`."""
    if lean:
        solid = solid.translate((0, -pivot, 0)).rotate((math.degrees(lean), 0, 0)).translate((0, pivot, 0))
    return solid.rotate((0, math.degrees(turn), 0)).translate(position)


def _turned(points: Vector, turn: float) -> Vector:
    if turn == 0.0:
        return points
    cosine, sine = math.cos(turn), math.sin(turn)
    x, y, z = points.T
    return np.stack([x * cosine + z * sine, y, z * cosine - x * sine], axis=1)


def collides(thing: Standing, others: Iterable[Standing]) -> bool:
    """Whether it would be in another one, by more than CLEAR from above."""
    box, lifted = thing.box, None
    for other in others:
        if other is not thing and box.overlaps(other.box):
            lifted = lifted or thing.solid.translate((0, CLEAR, 0))
            if (lifted ^ other.solid).volume() > 1e-12:
                return True
    return False


def fall(thing: Standing, others: Sequence[Standing], floor: float = 0.0) -> None:
    """Let it down from above everything until it touches one of the others, or the floor.

    Height fields say about where; the solids themselves say where exactly, to within TOUCH.
    """
    box = thing.box
    below = [other for other in others if _crosses(box, other.box)]
    ground = float(thing.position[1] + floor - box.low[1])
    top = max((float(other.box.high[1]) for other in below), default=floor) - floor + ground
    guess = min(max(_resting_height(thing, below), ground), top)
    free, step = guess, _FIRST_STEP
    while free < top and _hits(thing, below, free):
        free, step = min(free + step, top), 2 * step
    low, step = free, _FIRST_STEP
    while low > ground and not _hits(thing, below, low):
        free, low, step = low, max(low - step, ground), 2 * step
    if low == ground and not _hits(thing, below, ground):
        free = low
    while free - low > TOUCH / 2:
        middle = (free + low) / 2
        if _hits(thing, below, middle):
            low = middle
        else:
            free = middle
    thing.position[1] = free


def lowest_spot(thing: Standing, host: Standing) -> Vector:
    """x and z at which it would come to lie lowest on the host and what is there already; the middlemost of equals."""
    inner, box = host.box, thing.box
    cell = max(float(inner.size[0]), float(inner.size[2]), 1e-6) / FIELD
    rows, columns = (int(np.ceil(inner.size[axis] / cell)) or 1 for axis in (2, 0))
    shape = (max(1, int(np.ceil(box.size[2] / cell))), max(1, int(np.ceil(box.size[0] / cell))))
    spare = (rows - shape[0], columns - shape[1])
    best, found = inner.centre[[0, 2]], np.inf
    if min(spare) < 1:  # as large as the host: there is nothing to choose, and its field would be huge
        return best
    corner = inner.low[[0, 2]]
    over = np.full((rows, columns), -np.inf)
    for other in (host, *host.upon):
        over = np.maximum(over, upper_side(other.triangles(), corner, cell, (rows, columns)))
    around_host = ~ndimage.binary_fill_holes(np.isfinite(over))  # a round one leaves the corners of its box free
    over = np.where(around_host, FAR, np.maximum(over, host.position[1]))
    over = ndimage.maximum_filter(over, 3)  # keep a cell away from what rises
    under = -upper_side(thing.triangles() * (1, -1, 1), box.low[[0, 2]], cell, shape)
    for row in np.unique(np.linspace(0, spare[0], SPOTS).round().astype(int)):
        for column in np.unique(np.linspace(0, spare[1], SPOTS).round().astype(int)):
            rest = float(np.max(over[row : row + shape[0], column : column + shape[1]] - under))
            off = float(np.hypot(row - spare[0] / 2, column - spare[1] / 2)) * cell
            if rest + 0.01 * off < found:
                found = rest + 0.01 * off
                best = corner + np.array([column, row]) * cell + box.size[[0, 2]] / 2
    return best


def enclosed(thing: Standing, host: Standing) -> bool:
    """Whether the host rises around it, seen in the four directions from its middle."""
    inner, box = host.box, thing.box
    cell = max(float(inner.size[0]), float(inner.size[2]), 1e-6) / FIELD
    shape = (int(np.ceil(inner.size[2] / cell)) or 1, int(np.ceil(inner.size[0] / cell)) or 1)
    field = upper_side(host.triangles(), inner.low[[0, 2]], cell, shape)
    column, row = np.clip(((box.centre - inner.low)[[0, 2]] / cell).astype(int), 0, (shape[1] - 1, shape[0] - 1))
    rim = box.low[1] + min(0.1 * inner.size[1], 0.5 * box.size[1])
    rays = (field[row, :column], field[row, column + 1 :], field[:row, column], field[row + 1 :, column])
    return all(len(ray) and ray.max() > rim for ray in rays)


def _hits(thing: Standing, others: Sequence[Standing], height: float) -> bool:
    thing.position[1] = height
    return collides(thing, others)


def _resting_height(thing: Standing, below: Sequence[Standing]) -> float:
    """The height of its position at which, cell by cell, its lower side comes to lie on the others' upper sides."""
    box = thing.box
    cell = max(float(box.size[0]), float(box.size[2]), 1e-6) / FIELD
    shape = (int(np.ceil(box.size[2] / cell)) or 1, int(np.ceil(box.size[0] / cell)) or 1)
    corner = box.low[[0, 2]]
    under = -upper_side(thing.triangles() * (1, -1, 1), corner, cell, shape)
    over = np.full(shape, -np.inf)
    for other in below:
        over = np.maximum(over, upper_side(other.triangles(), corner, cell, shape))
    return float(thing.position[1] + np.max(over - under))


def upper_side(triangles: Vector, corner: Vector, cell: float, shape: tuple[int, int]) -> Vector:
    """The greatest y of (n, 3, 3) triangles over the middle of each cell; -inf where there is none. Rows go along z."""
    flat = (triangles[:, :, [0, 2]] - corner) / cell - 0.5  # cells' middles are whole numbers
    limits = np.array([shape[1], shape[0]])
    first = np.clip(np.ceil(flat.min(axis=1)), 0, limits).astype(int)
    after = np.clip(np.floor(flat.max(axis=1)) + 1, first, limits).astype(int)
    spans = after - first
    counts = spans.prod(axis=1)
    which = np.repeat(np.arange(len(triangles)), counts)
    inner = np.arange(len(which)) - np.repeat(counts.cumsum() - counts, counts)
    column = first[which, 0] + inner % np.maximum(spans[which, 0], 1)
    row = first[which, 1] + inner // np.maximum(spans[which, 0], 1)
    a, b, c = (flat[which, corner_number] for corner_number in range(3))
    point = np.stack([column, row], axis=1)
    area = _cross(b - a, c - a)
    usable = np.abs(area) > 1e-12
    area = np.where(usable, area, 1.0)
    v, w = _cross(point - a, c - a) / area, _cross(b - a, point - a) / area
    inside = usable & (v >= -1e-9) & (w >= -1e-9) & (v + w <= 1 + 1e-9)
    heights = triangles[which, 0, 1] * (1 - v - w) + triangles[which, 1, 1] * v + triangles[which, 2, 1] * w
    field: Vector = np.full(shape, -np.inf)
    np.maximum.at(field, (row[inside], column[inside]), heights[inside])
    return field


def _cross(one: Vector, other: Vector) -> Vector:
    product: Vector = one[:, 0] * other[:, 1] - one[:, 1] * other[:, 0]
    return product


def _crosses(one: Box, other: Box) -> bool:
    """Whether they share ground, seen from above."""
    return all(one.low[axis] < other.high[axis] and other.low[axis] < one.high[axis] for axis in (0, 2))
