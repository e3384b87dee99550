"""Objects to write and to draw: parts as the modeller makes them, and a painted ball as a reconstruction makes one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import manifold3d
import numpy as np
from manifold3d import Manifold

from frontdesk.worker.joining import Copies, from_copies, united_copies
from frontdesk.worker.meshes import Mesh

RED, GREEN, BLUE, WOOD, STEEL, PALE = (
    (0.8, 0.1, 0.1), (0.1, 0.6, 0.2), (0.1, 0.2, 0.8), (0.55, 0.35, 0.2), (0.7, 0.7, 0.72), (0.8, 0.9, 0.95),
)  # fmt: skip


@dataclass(frozen=True)
class Part:
    solid: Manifold
    colour: tuple[float, float, float] = WOOD
    finish: str = "matte"
    name: str = "part"


def block(width: float, height: float, depth: float, x: float = 0, y: float = 0, z: float = 0) -> Manifold:
    """Metres; centred over x and z, standing on y."""
    return Manifold.cube((width, height, depth)).translate((x - width / 2, y, z - depth / 2))


def rod(radius: float, height: float, x: float = 0, y: float = 0, z: float = 0, segments: int = 32) -> Manifold:
    """An upright cylinder."""
    upright = Manifold.cylinder(height, radius, radius, segments).rotate((-90, 0, 0))
    return upright.translate((x, y, z))


def ball(radius: float, x: float = 0, y: float = 0, z: float = 0, segments: int = 64) -> Manifold:
    return Manifold.sphere(radius, segments).translate((x, y + radius, z))


def chair() -> list[Part]:
    """Steel legs through a red seat, a wooden back; its front looks along +z."""
    legs = [Part(rod(0.02, 0.45, x, 0, z), STEEL, "metal", "leg") for x in (-0.19, 0.19) for z in (-0.19, 0.19)]
    seat = Part(block(0.45, 0.05, 0.45, y=0.43), RED, "matte", "seat")
    back = Part(block(0.45, 0.45, 0.03, y=0.46, z=-0.20), WOOD, "matte", "back")
    return [*legs, seat, back]


def tumbler() -> list[Part]:
    """A drinking glass with something red in it."""
    outside = Manifold.cylinder(0.14, 0.032, 0.04, 64)
    inside = Manifold.cylinder(0.14, 0.029, 0.037, 64).translate((0, 0, 0.008))
    drink = Manifold.cylinder(0.07, 0.0295, 0.0335, 64).translate((0, 0, 0.007))
    return [
        Part((outside - inside).rotate((-90, 0, 0)), PALE, "glass", "glass"),
        Part(drink.rotate((-90, 0, 0)), RED, "matte", "drink"),
    ]


def lone(solid: Manifold, colour: tuple[float, float, float] = WOOD, finish: str = "matte") -> list[Part]:
    return [Part(solid, colour, finish)]


def from_parts(parts: Sequence[Part]) -> Mesh:
    """The parts to look at."""
    return from_copies([Copies(parts)])


def united(parts: Sequence[Part]) -> Mesh:
    """All parts as one solid."""
    return united_copies([Copies(parts)])


def painted_ball(segments: int = 64) -> Mesh:
    """Coloured at its vertices: red towards +x, green upwards, blue towards +z."""
    data: manifold3d.Mesh = Manifold.sphere(0.4, segments).to_mesh()
    vertices = np.asarray(data.vert_properties[:, :3], np.float32)
    colours = np.full((len(vertices), 4), 255, np.uint8)
    colours[:, :3] = np.rint((vertices / 0.8 + 0.5) * 255)
    return Mesh(vertices, np.asarray(data.tri_verts, np.int32), colours)
