"""Shapes that rays are cast against: spheres, boxes and tori, plain or with a pattern. z is up."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float32]
Bools: TypeAlias = NDArray[np.bool_]
Colour: TypeAlias = tuple[float, float, float]

FAR = np.float32(1e9)
MARCHES = 24  # steps towards a torus; rays that graze it need most


class Pattern(Protocol):
    """Where a second colour shows."""

    @property
    def colour(self) -> Colour: ...

    def shows(self, places: Floats) -> Bools:
        """(n,) of places (n, 3) about the shape's centre."""


@dataclass(frozen=True)
class Checks:
    """Squares seen from above, `size` along a side."""

    size: float
    colour: Colour

    def shows(self, places: Floats) -> Bools:
        square = np.floor(places[:, :2] / np.float32(self.size)).astype(np.int32)
        return np.asarray(square.sum(1) % 2 == 1)


@dataclass(frozen=True)
class Bands:
    """Level bands, each `size` high."""

    size: float
    colour: Colour

    def shows(self, places: Floats) -> Bools:
        return np.asarray(np.floor(places[:, 2] / np.float32(self.size)).astype(np.int32) % 2 == 1)


@dataclass(frozen=True)
class Wedges:
    """Parts of a turn about an upright axis, as of a beach ball."""

    count: int
    colour: Colour

    def shows(self, places: Floats) -> Bools:
        turns = np.arctan2(places[:, 1], places[:, 0]) / np.float32(2 * np.pi)
        return np.asarray(np.floor(turns * (2 * self.count)).astype(np.int32) % 2 == 1)


def _floats(values: Colour) -> Floats:
    return np.array(values, dtype=np.float32)


class Shape(Protocol):
    """`reach`: the radius of a sphere about `centre` that holds all of it."""

    @property
    def centre(self) -> Colour: ...

    @property
    def colour(self) -> Colour: ...

    @property
    def pattern(self) -> Pattern | None: ...

    @property
    def reach(self) -> float: ...

    def cast(self, origins: Floats, directions: Floats) -> tuple[Floats, Floats]:
        """Distance (n,) along each ray (n,3 from n,3, unit length), FAR where it misses or lies behind; normals."""


@dataclass(frozen=True)
class Sphere:
    centre: Colour
    radius: float
    colour: Colour
    pattern: Pattern | None = None

    @property
    def reach(self) -> float:
        return self.radius

    def cast(self, origins: Floats, directions: Floats) -> tuple[Floats, Floats]:
        out = origins - _floats(self.centre)
        half = np.einsum("ij,ij->i", out, directions)
        inside = half * half - np.einsum("ij,ij->i", out, out) + np.float32(self.radius**2)
        distance = -half - np.sqrt(np.maximum(inside, 0))
        distance = np.where((inside > 0) & (distance > 0), distance, FAR)
        normals = (out + distance[:, None] * directions) / np.float32(self.radius)
        return distance, np.asarray(normals, dtype=np.float32)


@dataclass(frozen=True)
class Box:
    """half: half of its sides. turn: radians about z."""

    centre: Colour
    half: Colour
    colour: Colour
    turn: float = 0.0
    pattern: Pattern | None = None

    @property
    def reach(self) -> float:
        return math.hypot(*self.half)

    def cast(self, origins: Floats, directions: Floats) -> tuple[Floats, Floats]:
        cos, sin = math.cos(self.turn), math.sin(self.turn)
        turn = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]], dtype=np.float32)  # from the box to the world
        # One row an axis: numpy is several times faster along rows than across three columns.
        out = np.ascontiguousarray(((origins - _floats(self.centre)) @ turn).T)
        way = np.ascontiguousarray((directions @ turn).T)
        way[np.abs(way) < 1e-7] = 1e-7
        reach = _floats(self.half)[:, None] / np.abs(way)
        middle = -out / way
        near = middle - reach
        distance = near.max(0)
        hit = (distance < (middle + reach).min(0)) & (distance > 0)
        normals = np.where(near == distance, -np.sign(way), np.float32(0))
        return np.where(hit, distance, FAR), np.asarray((turn @ normals).T, dtype=np.float32)


@dataclass(frozen=True)
class Torus:
    """A ring of radius `ring`, `tube` thick in radius, about an axis through its centre."""

    centre: Colour
    axis: Colour
    ring: float
    tube: float
    colour: Colour
    pattern: Pattern | None = None

    @property
    def reach(self) -> float:
        return self.ring + self.tube

    def cast(self, origins: Floats, directions: Floats) -> tuple[Floats, Floats]:
        """By sphere tracing (Hart 1996): the distance is known exactly, the intersection would be a quartic."""
        out = origins - _floats(self.centre)
        along = -np.einsum("ij,ij->i", out, directions) - np.float32(self.reach)
        for _ in range(MARCHES):
            along = along + self._distance(out + along[:, None] * directions)
        places = out + along[:, None] * directions
        hit = (self._distance(places) < 2e-3) & (along > 0)
        return np.where(hit, along, FAR), self._normals(places)

    def _parts(self, places: Floats) -> tuple[Floats, Floats, Floats]:
        """Height above the ring's plane, the part of each place within it, and that part's length."""
        axis = _floats(self.axis) / np.float32(math.hypot(*self.axis))
        height = places @ axis
        within = places - height[:, None] * axis
        return height, within, np.sqrt(np.einsum("ij,ij->i", within, within))

    def _distance(self, places: Floats) -> Floats:
        height, _, length = self._parts(places)
        return np.asarray(np.hypot(length - np.float32(self.ring), height) - np.float32(self.tube))

    def _normals(self, places: Floats) -> Floats:
        _, within, length = self._parts(places)
        from_ring = places - within * (np.float32(self.ring) / np.maximum(length, 1e-6))[:, None]
        norm = np.linalg.norm(from_ring, axis=1, keepdims=True)
        return np.asarray(from_ring / np.maximum(norm, 1e-9), dtype=np.float32)
