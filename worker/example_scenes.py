"""Example scenes, rendered by the project itself: solid coloured shapes, photographed from all around.

The pictures are cast ray by ray against spheres, boxes and tori, with several rays a pixel, a lamp's diffuse light and
a highlight that moves with the eye. z is up, the shapes lie within 1.5 of the origin, and the cameras are 4 away with
the NeRF-synthetic data set's angle of view.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from frontdesk.worker.posed_images import HELD_OUT, TRAIN, Matrix, orbiting

Floats: TypeAlias = NDArray[np.float32]
Colour: TypeAlias = tuple[float, float, float]

ANGLE = 0.6911112070083618  # radians, horizontally, as in the data set
DISTANCE = 4.0
FAR = np.float32(1e9)
LAMP = np.array([0.4, -0.5, 0.77], dtype=np.float32) / np.float32(np.linalg.norm([0.4, -0.5, 0.77]))
AMBIENT, DIFFUSE, HIGHLIGHT, SHININESS = 0.45, 0.55, 0.25, 12
MARCHES = 24  # steps towards a torus; rays that graze it need most


def _floats(values: Colour) -> Floats:
    return np.array(values, dtype=np.float32)


class Shape(Protocol):
    """`reach`: the radius of a sphere about `centre` that holds all of it."""

    @property
    def centre(self) -> Colour: ...

    @property
    def colour(self) -> Colour: ...

    @property
    def reach(self) -> float: ...

    def cast(self, origins: Floats, directions: Floats) -> tuple[Floats, Floats]:
        """Distance (n,) along each ray (n,3 from n,3, unit length), FAR where it misses; outward normals (n,3)."""


@dataclass(frozen=True)
class Sphere:
    centre: Colour
    radius: float
    colour: Colour

    @property
    def reach(self) -> float:
        return self.radius

    def cast(self, origins: Floats, directions: Floats) -> tuple[Floats, Floats]:
        out = origins - _floats(self.centre)
        half = np.einsum("ij,ij->i", out, directions)
        inside = half * half - np.einsum("ij,ij->i", out, out) + np.float32(self.radius**2)
        distance = np.where(inside > 0, -half - np.sqrt(np.maximum(inside, 0)), FAR)
        normals = (out + distance[:, None] * directions) / np.float32(self.radius)
        return distance, np.asarray(normals, dtype=np.float32)


@dataclass(frozen=True)
class Box:
    """half: half of its sides. turn: radians about z."""

    centre: Colour
    half: Colour
    colour: Colour
    turn: float = 0.0

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
        hit = self._distance(places) < 2e-3
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


def still_life() -> tuple[Shape, ...]:
    """A red ball, a blue box and a yellow one, a green ring and two small balls on a grey plate."""
    return (
        Box((0.0, 0.0, -0.48), (1.02, 1.02, 0.1), (0.62, 0.60, 0.58)),
        Sphere((-0.46, -0.36, 0.04), 0.42, (0.85, 0.12, 0.10)),
        Box((0.46, 0.36, 0.04), (0.31, 0.24, 0.42), (0.12, 0.25, 0.75), turn=0.5),
        Box((0.46, 0.36, 0.60), (0.17, 0.17, 0.14), (0.95, 0.75, 0.15), turn=0.1),
        Torus((-0.42, 0.50, 0.04), (0.3, -1.0, 0.15), 0.31, 0.11, (0.10, 0.60, 0.25)),
        Sphere((0.48, -0.54, -0.20), 0.18, (0.55, 0.20, 0.65)),
        Sphere((0.02, -0.02, -0.25), 0.13, (0.95, 0.50, 0.10)),
    )


def red_ball() -> tuple[Shape, ...]:
    """The simplest scene that there is."""
    return (Sphere((0.0, 0.0, 0.0), 0.7, (0.85, 0.10, 0.08)),)


EXAMPLES: Mapping[str, Callable[[], tuple[Shape, ...]]] = {"still_life": still_life, "red_ball": red_ball}


def write_example(
    name: str, folder: Path, *, train: int = 40, held_out: int = 8, size: int = 100, samples: int = 3, seed: int = 0
) -> None:
    """Render an example into an existing folder, in the layout of the NeRF-synthetic data set.

    size: pixels along a side. samples: rays along a side of a pixel, so samples² in all. Raises KeyError by the name.
    """
    shapes = EXAMPLES[name]()
    cameras = _cameras(train, held_out, np.random.default_rng(seed))
    for part, stem, some in ((TRAIN, "train", cameras[:train]), (HELD_OUT[0], "test", cameras[train:])):
        (folder / stem).mkdir(exist_ok=True)
        frames = []
        for number, camera in enumerate(some):
            path = f"{stem}/r_{number}"
            Image.fromarray(photograph(shapes, camera, size, samples)).save(folder / f"{path}.png")
            frames.append({"file_path": f"./{path}", "transform_matrix": camera.tolist()})
        (folder / part).write_text(json.dumps({"camera_angle_x": ANGLE, "frames": frames}), "utf-8")


def _cameras(train: int, held_out: int, random: np.random.Generator) -> list[Matrix]:
    """Training cameras on a golden spiral from a little below the plate to high above it, others by chance."""
    golden = math.pi * (3 - math.sqrt(5))
    heights = np.linspace(-0.15, 0.95, train)
    start = random.uniform(0, 2 * math.pi)
    spread = [orbiting(start + golden * n, math.asin(height), DISTANCE) for n, height in enumerate(heights)]
    chance = [
        orbiting(random.uniform(0, 2 * math.pi), math.asin(random.uniform(-0.1, 0.9)), DISTANCE)
        for _ in range(held_out)
    ]
    return spread + chance


def photograph(shapes: tuple[Shape, ...], camera: Matrix, size: int, samples: int) -> NDArray[np.uint8]:
    """A picture of size x size x 4 bytes; what no shape covers is transparent. samples² rays a pixel."""
    fine = size * samples
    step = 2 * math.tan(ANGLE / 2) / fine
    line = ((np.arange(fine) + 0.5) * step - math.tan(ANGLE / 2)).astype(np.float32)
    local = np.stack(np.broadcast_arrays(line[None, :], -line[:, None], np.float32(-1)), axis=-1).reshape(-1, 3)
    directions = local @ camera[:3, :3].T.astype(np.float32)
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    light, cover = _cast(shapes, camera[:3, 3].astype(np.float32), directions)
    blocks = (size, samples, size, samples)
    cover = cover.reshape(blocks).mean((1, 3))
    light = light.reshape(*blocks, 3).mean((1, 3)) / np.maximum(cover, 1e-6)[..., None]
    picture = np.concatenate([light, cover[..., None]], axis=-1)
    return np.asarray(np.round(255 * np.clip(picture, 0, 1)), dtype=np.uint8)


def _cast(shapes: tuple[Shape, ...], origin: Floats, directions: Floats) -> tuple[Floats, Floats]:
    """The light (n,3) that comes along each ray, black where nothing is, and whether something is (n,)."""
    nearest = np.full(len(directions), FAR, dtype=np.float32)
    light = np.zeros_like(directions)
    for shape in shapes:
        to_centre = _floats(shape.centre) - origin
        closest = directions @ to_centre
        near = np.flatnonzero(to_centre @ to_centre - closest * closest < np.float32(shape.reach**2))
        ways = directions[near]
        distance, normals = shape.cast(np.broadcast_to(origin, ways.shape), ways)
        front = distance < nearest[near]
        rays = near[front]
        nearest[rays] = distance[front]
        light[rays] = _shade(_floats(shape.colour), normals[front], ways[front])
    return light, (nearest < FAR).astype(np.float32)


def _shade(colour: Floats, normals: Floats, ways: Floats) -> Floats:
    """Phong's model (1975) with one lamp at infinity."""
    facing = normals @ LAMP
    mirrored = 2 * facing[:, None] * normals - LAMP
    gleam = np.clip(-np.einsum("ij,ij->i", mirrored, ways), 0, 1) ** SHININESS * (facing > 0)
    matte = AMBIENT + DIFFUSE * np.clip(facing, 0, 1)
    return np.asarray(np.clip(matte[:, None] * colour + HIGHLIGHT * gleam[:, None], 0, 1), dtype=np.float32)
