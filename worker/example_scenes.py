"""Example scenes, rendered by the project itself: solid coloured shapes, photographed from all around.

The pictures are cast ray by ray against spheres, boxes and tori, with several rays a pixel, a lamp's diffuse light and
shadows, and highlights that move with the eye. z is up, the shapes lie within 1.5 of the origin, and the cameras are 4
away with the NeRF-synthetic data set's angle of view.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from frontdesk.queue.transforms import HELD_OUT, TRAIN
from frontdesk.worker.example_shapes import FAR, Bands, Bools, Box, Checks, Colour, Floats, Shape, Sphere, Torus, Wedges
from frontdesk.worker.posed_images import Matrix, orbiting

ANGLE = 0.6911112070083618  # radians, horizontally, as in the data set
DISTANCE = 4.0
LAMP = np.array([0.4, -0.5, 0.77], dtype=np.float32) / np.float32(np.linalg.norm([0.4, -0.5, 0.77]))
AMBIENT, DIFFUSE, HIGHLIGHT, SHININESS = 0.5, 0.55, 0.3, 20
OFF = np.float32(2e-3)  # how far above a surface its shadow ray begins

WHITE: Colour = (0.93, 0.92, 0.90)


def still_life() -> tuple[Shape, ...]:
    """A beach ball, a banded tower with a yellow box on it, a green ring and small balls on a chessboard."""
    return (
        Box((0.0, 0.0, -0.48), (1.02, 1.02, 0.1), (0.34, 0.30, 0.29), pattern=Checks(0.24, (0.86, 0.81, 0.72))),
        Sphere((-0.46, -0.36, 0.04), 0.42, (0.85, 0.12, 0.10), pattern=Wedges(5, WHITE)),
        Box(
            (0.46, 0.36, 0.04), (0.31, 0.24, 0.42), (0.12, 0.25, 0.75), turn=0.5, pattern=Bands(0.12, (0.35, 0.65, 0.9))
        ),
        Box(
            (0.46, 0.36, 0.60),
            (0.17, 0.17, 0.14),
            (0.95, 0.75, 0.15),
            turn=0.1,
            pattern=Checks(0.11, (0.75, 0.3, 0.05)),
        ),
        Torus(
            (-0.42, 0.50, 0.04), (0.3, -1.0, 0.15), 0.31, 0.11, (0.10, 0.60, 0.25), pattern=Wedges(4, (0.7, 0.85, 0.2))
        ),
        Sphere((0.48, -0.54, -0.20), 0.18, (0.55, 0.20, 0.65), pattern=Bands(0.09, (0.95, 0.75, 0.85))),
        Sphere((0.02, -0.02, -0.25), 0.13, (0.95, 0.50, 0.10)),
        Sphere((-0.02, -0.78, -0.30), 0.08, (0.05, 0.55, 0.60)),
        Box((0.78, -0.10, -0.29), (0.09, 0.09, 0.09), (0.80, 0.10, 0.30), turn=0.7),
    )


def red_ball() -> tuple[Shape, ...]:
    """The simplest scene that there is."""
    return (Sphere((0.0, 0.0, 0.0), 0.7, (0.85, 0.10, 0.08)),)


EXAMPLES: Mapping[str, Callable[[], tuple[Shape, ...]]] = {"still_life": still_life, "red_ball": red_ball}


def write_example(
    name: str,
    folder: Path,
    *,
    train: int = 40,
    held_out: int = 8,
    size: int = 100,
    samples: int = 3,
    seed: int = 0,
    check: Callable[[], None] = lambda: None,
) -> None:
    """Render an example into an existing folder, in the layout of the NeRF-synthetic data set.

    size: pixels along a side. samples: rays along a side of a pixel, so samples² in all. `check` is called before each
    picture, and may raise to end it. Raises KeyError by the name.
    """
    shapes = EXAMPLES[name]()
    cameras = _cameras(train, held_out, np.random.default_rng(seed))
    for part, stem, some in ((TRAIN, "train", cameras[:train]), (HELD_OUT[0], "test", cameras[train:])):
        (folder / stem).mkdir(exist_ok=True)
        frames = []
        for number, camera in enumerate(some):
            check()
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
    normals, colours = np.zeros_like(directions), np.zeros_like(directions)
    for shape in shapes:
        near = _near(shape, origin, directions)
        ways = directions[near]
        distance, outward = shape.cast(np.broadcast_to(origin, ways.shape), ways)
        front = distance < nearest[near]
        rays = near[front]
        nearest[rays] = distance[front]
        normals[rays] = outward[front]
        colours[rays] = _painted(shape, origin + distance[front, None] * ways[front])
    hit = np.flatnonzero(nearest < FAR)
    ways, normals = directions[hit], normals[hit]
    lit = _lit(shapes, origin + nearest[hit, None] * ways, normals)
    light = np.zeros_like(directions)
    light[hit] = _shade(colours[hit], normals, ways, lit)
    return light, (nearest < FAR).astype(np.float32)


def _near(shape: Shape, origins: Floats, directions: Floats) -> NDArray[np.intp]:
    """Which rays pass through the sphere around a shape. origins: (3,) or (n, 3)."""
    to_centre = np.broadcast_to(np.array(shape.centre, dtype=np.float32) - origins, directions.shape)
    closest = np.einsum("ij,ij->i", directions, to_centre)
    away = np.einsum("ij,ij->i", to_centre, to_centre)
    return np.flatnonzero(away - closest * closest < np.float32(shape.reach**2))


def _painted(shape: Shape, places: Floats) -> Floats:
    """The shape's own colours (n,3) at places on it."""
    colour = np.array(shape.colour, dtype=np.float32)
    if shape.pattern is None:
        return np.broadcast_to(colour, places.shape)
    shows = shape.pattern.shows(places - np.array(shape.centre, dtype=np.float32))
    return np.where(shows[:, None], np.array(shape.pattern.colour, dtype=np.float32), colour)


def _lit(shapes: tuple[Shape, ...], places: Floats, normals: Floats) -> Bools:
    """Which places (n,3) the lamp sees."""
    lit = np.asarray(normals @ LAMP > 0)
    above = places + OFF * normals
    for shape in shapes:
        left = np.flatnonzero(lit)
        ways = np.broadcast_to(LAMP, (len(left), 3))
        near = left[_near(shape, above[left], ways)]
        distance, _ = shape.cast(above[near], np.broadcast_to(LAMP, (len(near), 3)))
        lit[near[distance < FAR]] = False
    return lit


def _shade(colours: Floats, normals: Floats, ways: Floats, lit: Bools) -> Floats:
    """Phong's model (1975) with one lamp at infinity."""
    facing = normals @ LAMP
    mirrored = 2 * facing[:, None] * normals - LAMP
    gleam = np.clip(-np.einsum("ij,ij->i", mirrored, ways), 0, 1) ** SHININESS * lit
    matte = AMBIENT + DIFFUSE * facing * lit
    return np.asarray(np.clip(matte[:, None] * colours + HIGHLIGHT * gleam[:, None], 0, 1), dtype=np.float32)
