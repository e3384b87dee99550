"""Building blocks: closed solids in metres, y up. `at` is the centre of a block's base, unless said otherwise."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from manifold3d import CrossSection, Manifold, Mesh, OpType
from numpy.typing import NDArray

Point = tuple[float, float, float]
Outline = Sequence[tuple[float, float]]
Floats = NDArray[np.float64]
P = TypeVar("P", bound=tuple[float, ...])
ORIGIN: Point = (0.0, 0.0, 0.0)


class Blocks:
    """Makes blocks of one fineness: `segments` is how many edges a full circle has, a multiple of eight."""

    def __init__(self, segments: int) -> None:
        self.segments = segments
        self.thin = max(8, segments // 2)  # for rods and rounded edges, which are small in the picture

    @property
    def half(self) -> Blocks:
        """Blocks of half the fineness: for what is small beside the whole."""
        return Blocks(self.thin)

    @property
    def small(self) -> Blocks:
        """Blocks of a quarter: for what is tiny, or comes in dozens."""
        return Blocks(max(8, self.segments // 4))

    def box(self, size: Point, at: Point = ORIGIN, edge: float = 0.0) -> Manifold:
        """`edge`: radius of the rounded edges, at most half of the smallest side."""
        up = (at[0], at[1] + size[1] / 2, at[2])
        if edge <= 0:
            return Manifold.cube(size, True).translate(up)
        half = np.asarray(size) / 2
        radius = min(edge, float(half.min()) * 0.999)
        ball = _vertices(Manifold.sphere(1.0, self.thin))
        signs = np.array(np.meshgrid((-1, 1), (-1, 1), (-1, 1))).reshape(3, 8).T
        corners = [ball[(ball * sign > -1e-6).all(1)] * radius + sign * (half - radius) for sign in signs]
        return Manifold.hull_points(np.concatenate(corners)).translate(up)

    def cylinder(
        self, radius: float, height: float, at: Point = ORIGIN, top: float | None = None, edge: float = 0.0
    ) -> Manifold:
        """Upright; `top` is the upper radius (0: a cone), `edge` the radius of both rims."""
        upper = radius if top is None else top
        if edge <= 0:
            return upright(Manifold.cylinder(height, radius, upper, self.segments)).translate(at)
        quarter = np.linspace(0, math.pi / 2, max(3, self.segments // 8))
        low = [(radius - edge + edge * math.sin(t), edge - edge * math.cos(t)) for t in quarter]
        high = [(upper - edge + edge * math.cos(t), height - edge + edge * math.sin(t)) for t in quarter]
        return self.turn([(0, 0), *low, *high, (0, height)], at)

    def rod(self, start: Point, end: Point, radius: float, tip: float | None = None) -> Manifold:
        """Straight and round, from point to point; `tip` is the radius at the end."""
        axis = np.subtract(end, start)
        length = float(np.linalg.norm(axis))
        solid = Manifold.cylinder(length, radius, radius if tip is None else tip, self.thin)
        return solid.transform(np.column_stack([_frame(axis), start]))

    def limb(self, start: Point, end: Point, radius: float, tip: float | None = None) -> Manifold:
        """A rod with round ends: the hull of two balls, a little coarser than a ball alone."""
        tip = radius if tip is None else tip
        ends = Blocks(self.segments * 3 // 4)
        return Manifold.batch_hull([ends.ball(radius, start), ends.ball(tip, end)])

    def ball(self, radii: float | Point, at: Point = ORIGIN) -> Manifold:
        """A sphere or ellipsoid; `at` is its centre."""
        size = (radii, radii, radii) if isinstance(radii, int | float) else radii
        return Manifold.sphere(1.0, self.segments).scale(size).translate(at)

    def blob(self, radii: Point, at: Point, rough: float, random: np.random.Generator) -> Manifold:
        """An ellipsoid whose surface swells and sinks by about `rough` of its radius; `at` is its centre."""
        waves = random.normal(size=(5, 3)) * 2.6
        phases = random.uniform(0, 2 * math.pi, 5)

        def swell(points: Floats) -> Floats:
            lifts = np.sin(points @ waves.T + phases).sum(1, keepdims=True) / 2.2
            return np.asarray(points * (1 + rough * lifts))

        return Manifold.sphere(1.0, self.segments).warp_batch(swell).scale(radii).translate(at)

    def turn(self, profile: Outline | CrossSection, at: Point = ORIGIN, degrees: float = 360) -> Manifold:
        """Turned on a lathe about y: the profile gives (radius, height), as an outline that may start on the axis."""
        return upright(Manifold.revolve(section(profile), self.segments, degrees)).translate(at)

    def vessel(self, profile: Outline, wall: float, at: Point = ORIGIN) -> Manifold:
        """A turned hollow form, open above: the profile is its outside from the foot to the rim."""
        whole = [(0.0, profile[0][1]), *profile, (0.0, profile[-1][1])]
        outside = section(whole) + section([(-x, y) for x, y in whole])
        rim, top = profile[-1]
        inside = outside.offset(-wall) + rectangle(2 * (rim - wall), 3 * wall).translate((0, top - wall))
        return self.turn(outside - inside, at)

    def torus(self, radius: float, thick: float, at: Point = ORIGIN, flat: float = 1.0) -> Manifold:
        """A lying ring, `at` its centre: `radius` to the middle of a wire of radius `thick`, `flat` times as high."""
        wire = CrossSection.circle(thick, max(12, self.thin)).scale((1, flat)).translate((radius, 0))
        return self.turn(wire, at)

    def tube(self, path: Sequence[Point], radius: float | Sequence[float], closed: bool = False) -> Manifold:
        """A round bar along a path; several radii are spread evenly along it."""
        line = np.asarray(path, float)
        radii = np.broadcast_to(radius, (len(radius),) if isinstance(radius, Sequence) else (1,))
        along = np.interp(np.linspace(0, 1, len(line)), np.linspace(0, 1, len(radii)), radii)
        angles = np.linspace(0, 2 * math.pi, self.thin, endpoint=False)
        frames = _frames(line, closed)
        flat = np.stack([np.cos(angles), np.sin(angles)])
        rings = line[:, None] + along[:, None, None] * np.einsum("kij,jn->kni", frames[:, :, :2], flat)
        return loft(rings, closed)

    def helix(self, radius: float, height: float, turns: float, wire: float, at: Point = ORIGIN) -> Manifold:
        """A coil that climbs about y; `at` is the centre of its lowest turn."""
        angles = np.linspace(0, 2 * math.pi * turns, int(self.segments * turns) + 1)
        rise = np.linspace(0, height, len(angles))
        path = np.stack([radius * np.cos(angles), rise, radius * np.sin(angles)], 1) + at
        return self.tube([(float(x), float(y), float(z)) for x, y, z in path], wire)

    def plate(self, outline: Outline | CrossSection, depth: float, at: Point = ORIGIN) -> Manifold:
        """An upright outline in x and y, `depth` thick in z; z of `at` is the middle of the thickness."""
        return Manifold.extrude(section(outline), depth).translate((at[0], at[1], at[2] - depth / 2))

    def slab(self, outline: Outline | CrossSection, height: float, at: Point = ORIGIN) -> Manifold:
        """A lying outline in x and z, `height` thick upwards."""
        return upright(Manifold.extrude(section(outline).mirror((0, 1)), height)).translate(at)

    def disc(self, radius: float) -> CrossSection:
        return CrossSection.circle(radius, self.segments)

    def rounded(self, width: float, height: float, corner: float) -> CrossSection:
        """A rectangle about the origin with round corners."""
        inner = rectangle(width - 2 * corner, height - 2 * corner)
        centre = inner.translate((0, -(height - 2 * corner) / 2))
        points = [point for polygon in centre.to_polygons() for point in polygon]
        return CrossSection.batch_hull([CrossSection.circle(corner, self.thin).translate(point) for point in points])


def section(outline: Outline | CrossSection) -> CrossSection:
    """A filled outline; it may go round either way."""
    if isinstance(outline, CrossSection):
        return outline
    points = np.asarray(outline, float)
    x, y = points.T
    area = float(x @ np.roll(y, -1) - y @ np.roll(x, -1))
    return CrossSection([points if area > 0 else points[::-1]])


def rectangle(width: float, height: float, at: tuple[float, float] = (0.0, 0.0)) -> CrossSection:
    """`at` is the middle of its lower side."""
    return CrossSection.square((width, height)).translate((at[0] - width / 2, at[1]))


def star(points: int, outer: float, inner: float) -> list[tuple[float, float]]:
    """A star about the origin, one point up."""
    angles = [math.pi / 2 + math.pi * i / points for i in range(2 * points)]
    return [(r * math.cos(t), r * math.sin(t)) for i, t in enumerate(angles) for r in [inner if i % 2 else outer]]


def arc(radius: float, start: float, end: float, count: int = 16) -> list[tuple[float, float]]:
    """Points of a circle about the origin, angles in degrees."""
    angles = np.radians(np.linspace(start, end, count))
    return [(radius * math.cos(t), radius * math.sin(t)) for t in angles]


def smooth(points: Sequence[P], per: int = 6, closed: bool = False) -> list[P]:
    """A rounded line through the points, `per` steps between two: Catmull and Rom's spline (1974)."""
    p = np.asarray(points, float)
    ends = (p[-1:], p[:2]) if closed else (2 * p[:1] - p[1:2], 2 * p[-1:] - p[-2:-1])
    q = np.concatenate([ends[0], p, ends[1]])
    t = np.linspace(0, 1, per, endpoint=False)[:, None]
    pieces = [
        b + t * ((c - a) / 2 + t * ((2 * a - 5 * b + 4 * c - d) / 2 + t * (3 * b - a - 3 * c + d) / 2))
        for a, b, c, d in zip(q, q[1:], q[2:], q[3:], strict=False)
    ]
    line = np.concatenate(pieces if closed else [*pieces, p[-1:]])
    return [tuple(float(value) for value in row) for row in line]  # type: ignore[misc]


def loft(rings: Floats, closed: bool = False) -> Manifold:
    """The skin over rings of (count, points, 3); each ring is convex, or can be seen whole from its middle."""
    count, points, _ = rings.shape
    vertices = rings.reshape(-1, 3)
    ring, step = np.meshgrid(np.arange(count if closed else count - 1), np.arange(points), indexing="ij")
    after = (step + 1) % points
    a, b = ring * points + step, ring * points + after
    c, d = (ring + 1) % count * points + step, (ring + 1) % count * points + after
    faces = [np.stack([a, b, c], -1).reshape(-1, 3), np.stack([b, d, c], -1).reshape(-1, 3)]
    if not closed:
        vertices = np.concatenate([vertices, rings[:1].mean(1), rings[-1:].mean(1)])
        here, next_ = np.arange(points), (np.arange(points) + 1) % points
        first, last = np.full(points, count * points), np.full(points, count * points + 1)
        far = (count - 1) * points
        faces += [np.stack([next_, here, first], 1), np.stack([far + here, far + next_, last], 1)]
    joined = np.concatenate(faces)
    corners = vertices[joined] - vertices.mean(0)
    if np.linalg.det(corners).sum() < 0:  # six times the volume: inside out
        joined = joined[:, ::-1]
    return Manifold(Mesh(vertices.astype(np.float32), np.ascontiguousarray(joined, np.uint32)))


def upright(solid: Manifold) -> Manifold:
    """Turns z, along which manifold3d extrudes and revolves, to y."""
    return solid.rotate((-90, 0, 0))


def union(*solids: Manifold) -> Manifold:
    return solids[0] if len(solids) == 1 else Manifold.batch_boolean(list(solids), OpType.Add)


def mirrored(*solids: Manifold, axis: Point = (1, 0, 0)) -> Manifold:
    """The solids together with their mirror images across the plane through the origin: left and right."""
    return union(*solids, *(solid.mirror(axis) for solid in solids))


def four(*solids: Manifold) -> Manifold:
    """The solids in all four corners, mirrored in x and z."""
    return mirrored(mirrored(*solids), axis=(0, 0, 1))


def around(solid: Manifold, count: int, start: float = 0.0) -> Manifold:
    """`count` copies turned about y, the first by `start` degrees."""
    return union(*(solid.rotate((0, start + 360 * i / count, 0)) for i in range(count)))


def row(solid: Manifold, count: int, step: Point) -> Manifold:
    """`count` copies, each one `step` further; the first where it is."""
    return union(*(solid.translate((step[0] * i, step[1] * i, step[2] * i)) for i in range(count)))


def _vertices(solid: Manifold) -> Floats:
    return np.asarray(solid.to_mesh().vert_properties[:, :3], float)


def _frame(axis: Floats) -> Floats:
    """A turned frame (3, 3) whose third column points along the axis."""
    third = axis / np.linalg.norm(axis)
    other = np.eye(3)[int(np.argmin(np.abs(third)))]
    first = np.cross(other, third)
    first /= np.linalg.norm(first)
    return np.column_stack([first, np.cross(third, first), third])


def _frames(line: Floats, closed: bool) -> Floats:
    """Frames (k, 3, 3) along a line that turn as little as they can, so that a tube does not twist."""
    tangents = np.roll(line, -1, 0) - np.roll(line, 1, 0) if closed else np.gradient(line, axis=0)
    frames = [_frame(tangents[0])]
    for tangent in tangents[1:]:
        third = tangent / np.linalg.norm(tangent)
        first = frames[-1][:, 0] - third * (frames[-1][:, 0] @ third)
        first /= np.linalg.norm(first)
        frames.append(np.column_stack([first, np.cross(third, first), third]))
    return np.stack(frames)
