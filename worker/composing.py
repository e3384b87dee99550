"""A scene as placed parts: what is on a table, around it, under it or beside it stands there, touching and not inside.

Pure and deterministic: the same scene, families and seed give the same places. Metres, y up, the front towards +z:
whoever looks at the scene has "left" at -x, and "in front" towards themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from manifold3d import Manifold

from frontdesk.worker.arranging import Arrangement
from frontdesk.worker.rows import in_rows
from frontdesk.worker.scene import Scene
from frontdesk.worker.solids import Family, Part
from frontdesk.worker.standing import Body, Standing, Vector, around, moved


@dataclass(frozen=True)
class Placed:
    """One part in its place: scaled by `scale`, turned by `turn` radians about y (+z towards +x), then moved.

    lean, pivot: see `Standing`.
    """

    part: Part
    item: int
    copy: int
    translation: tuple[float, float, float]
    turn: float
    scale: float
    lean: float = 0.0
    pivot: float = 0.0

    def solid(self) -> Manifold:
        """The part's solid in its place."""
        return self.place(self.part.solid)

    def place(self, solid: Manifold) -> Manifold:
        """A solid of the same object as its family built it, in its place."""
        return moved(solid.scale((self.scale,) * 3), self.turn, self.translation, self.lean, self.pivot)


@dataclass(frozen=True)
class Composition:
    """All parts, centred in x and z, on y = 0. `low`, `high`: the corners of their box. `notes`: what was changed."""

    parts: tuple[Placed, ...]
    low: tuple[float, float, float]
    high: tuple[float, float, float]
    notes: tuple[str, ...]


def compose(
    scene: Scene, families: Mapping[str, Family], *, seed: int = 0, check: Callable[[], None] = lambda: None
) -> Composition:
    """Place everything that a scene holds. `check` is called between objects and may raise to end it.

    Raises KeyError for a family that is not there.
    """
    bodies = []
    for item in scene.items:
        check()
        bodies.append(Body.of(families[item.family].build(item.look), item.scale))
    arrangement = Arrangement(scene.items, bodies, families, seed, check)
    clusters: list[list[Standing]] = []
    for root in arrangement.roots:
        check()
        clusters.append(arrangement.cluster(root))
    return _centred(clusters, tuple(arrangement.notes))


def _centred(clusters: list[list[Standing]], notes: tuple[str, ...]) -> Composition:
    """The clusters in rows, and all of it over the origin."""
    everything = [standing for cluster in clusters for standing in cluster]
    if not everything:
        return Composition((), (0.0, 0.0, 0.0), (0.0, 0.0, 0.0), notes)
    boxes = [around(standing.box for standing in cluster) for cluster in clusters]
    for cluster, move in zip(clusters, in_rows(boxes), strict=True):
        for standing in cluster:
            standing.position = standing.position + move
    whole = around(standing.box for standing in everything)
    shift = -whole.centre
    shift[1] = -whole.low[1]
    placed = []
    for standing in everything:
        x, y, z = (float(value) for value in standing.position + shift)
        where = ((x, y, z), standing.turn, standing.body.scale, standing.lean, standing.pivot)
        placed += [Placed(part, standing.item, standing.copy, *where) for part in standing.body.parts]
    box = whole.moved(shift)
    return Composition(tuple(placed), _corner(box.low), _corner(box.high), notes)


def _corner(values: Vector) -> tuple[float, float, float]:
    return float(values[0]), float(values[1]), float(values[2])
