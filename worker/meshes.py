"""A coloured triangle mesh, and what is asked of one before it becomes a file or a picture. Only numpy.

Vertices are shared between faces, so that a closed surface is closed in its indices, too. Normals are not kept: they
belong to the corners of faces, and follow from the shape.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

Floats: TypeAlias = npt.NDArray[np.float32]
Doubles: TypeAlias = npt.NDArray[np.float64]
Whole: TypeAlias = npt.NDArray[np.int32]
Bytes: TypeAlias = npt.NDArray[np.uint8]

CREASE = 40.0  # degrees: where two faces meet at more than this, one sees an edge
BOX = 1.0  # metres
ROUNDING = 1e-5  # of the box is left free, so that no format's rounding leaves it


@dataclass(frozen=True)
class Material:
    """How a surface looks. All values are of 0 to 1; raises ValueError otherwise.

    colour: sRGB, as people choose colours. emissive: how much of that colour it shines by itself.
    """

    name: str
    colour: tuple[float, float, float]
    metallic: float = 0.0
    roughness: float = 0.8
    opacity: float = 1.0
    emissive: float = 0.0

    def __post_init__(self) -> None:
        for value in (*self.colour, self.metallic, self.roughness, self.opacity, self.emissive):
            if not 0 <= value <= 1:
                raise ValueError(f"material {self.name!r}: {value} is not within 0 to 1")


PLAIN = Material("plain", (0.75, 0.75, 0.75))
PAINTED = Material("painted", (1.0, 1.0, 1.0), roughness=0.9)


@dataclass(frozen=True, eq=False)
class Mesh:
    """A surface of triangles. Raises ValueError where the parts do not fit each other.

    vertices: [n, 3] float32 in metres, y up. faces: [m, 3] int32, counter-clockwise as seen from outside.
    colours: [n, 4] uint8 in sRGB with alpha, or None. materials: at least one in the end: without any, `PLAIN`, or
    under colours `PAINTED`. of_face: [m] int32, each face's place in `materials`; zeros if left out. A surface's colour
    is its material's times its vertices'.
    """

    vertices: Floats
    faces: Whole
    colours: Bytes | None = None
    materials: tuple[Material, ...] = ()
    of_face: Whole | None = None

    def __post_init__(self) -> None:
        vertices = np.ascontiguousarray(self.vertices, dtype=np.float32).reshape(-1, 3)
        faces = np.ascontiguousarray(self.faces, dtype=np.int32).reshape(-1, 3)
        materials = self.materials or ((PLAIN,) if self.colours is None else (PAINTED,))
        of_face = np.zeros(len(faces), np.int32) if self.of_face is None else np.asarray(self.of_face, dtype=np.int32)
        if not np.isfinite(vertices).all():
            raise ValueError("a vertex lies nowhere")
        if faces.size and (faces.min() < 0 or faces.max() >= len(vertices)):
            raise ValueError("a face names a vertex that is not there")
        if of_face.shape != (len(faces),) or (faces.size and not 0 <= of_face.min() <= of_face.max() < len(materials)):
            raise ValueError("every face has one of the materials")
        if self.colours is not None and (self.colours.shape != (len(vertices), 4) or self.colours.dtype != np.uint8):
            raise ValueError("every vertex has a colour of four bytes")
        for name, value in {"vertices": vertices, "faces": faces, "materials": materials, "of_face": of_face}.items():
            object.__setattr__(self, name, value)

    @property
    def material_of_face(self) -> Whole:
        """[m] int32."""
        assert self.of_face is not None  # noqa: S101 - set above, the field's type only says what may be left out
        return self.of_face


class Statistics(NamedTuple):
    """What is said of a mesh. size: x, y, z in metres. volume: m3, None where the surface is open."""

    faces: int
    vertices: int
    size: tuple[float, float, float]
    watertight: bool
    volume: float | None


def statistics(mesh: Mesh) -> Statistics:
    low, high = bounds(mesh)
    closed = watertight(mesh)
    x, y, z = (float(extent) for extent in high - low)
    return Statistics(len(mesh.faces), len(mesh.vertices), (x, y, z), closed, volume(mesh) if closed else None)


def bounds(mesh: Mesh) -> tuple[Doubles, Doubles]:
    """The least and the greatest x, y, z. Raises ValueError where there is nothing."""
    if not len(mesh.faces):
        raise ValueError("a mesh without faces has no size")
    used = mesh.vertices[np.unique(mesh.faces)].astype(np.float64)
    return used.min(axis=0), used.max(axis=0)


def watertight(mesh: Mesh) -> bool:
    """Whether every edge has one face on either side, both seen from outside."""
    if not len(mesh.faces):
        return False
    ahead = mesh.faces.astype(np.int64)
    back = np.roll(ahead, -1, axis=1)
    there = np.sort((ahead * len(mesh.vertices) + back).ravel())
    here = np.sort((back * len(mesh.vertices) + ahead).ravel())
    return bool((there[1:] != there[:-1]).all() and (there == here).all() and (ahead != back).all())


def volume(mesh: Mesh) -> float:
    """m3 inside a closed surface: the sum of the tetrahedra between its faces and the origin."""
    a, b, c = np.moveaxis(mesh.vertices[mesh.faces].astype(np.float64), 1, 0)
    return float(np.einsum("ij,ij->i", a, np.cross(b, c)).sum() / 6)


def fitted(mesh: Mesh, box: float = BOX) -> Mesh:
    """The same shape, its longest side filling a box of `box` metres, centred over the origin and standing on y = 0."""
    low, high = bounds(mesh)
    extent = float((high - low).max())
    if extent <= 0:
        raise ValueError("a mesh of one point cannot be fitted")
    foot = np.array([(low[0] + high[0]) / 2, low[1], (low[2] + high[2]) / 2])
    moved = (mesh.vertices.astype(np.float64) - foot) * (box * (1 - ROUNDING) / extent)
    moved[:, 1] = np.maximum(moved[:, 1], 0)
    return replace(mesh, vertices=moved.astype(np.float32))


def joined(meshes: Sequence[Mesh]) -> Mesh:
    """Several meshes as one; equal materials become one. Raises ValueError for none, or if only some have colours."""
    if not meshes:
        raise ValueError("nothing to join")
    materials = tuple(dict.fromkeys(material for mesh in meshes for material in mesh.materials))
    starts = np.cumsum([0, *(len(mesh.vertices) for mesh in meshes)])
    colours = [mesh.colours for mesh in meshes if mesh.colours is not None]
    if colours and len(colours) < len(meshes):
        raise ValueError("either all meshes have vertex colours or none")
    places = [np.array([materials.index(material) for material in mesh.materials]) for mesh in meshes]
    return Mesh(
        np.concatenate([mesh.vertices for mesh in meshes]),
        np.concatenate([mesh.faces + start for mesh, start in zip(meshes, starts, strict=False)]),
        np.concatenate(colours) if colours else None,
        materials,
        np.concatenate([place[mesh.material_of_face] for mesh, place in zip(meshes, places, strict=True)]),
    )


def face_normals(mesh: Mesh) -> Doubles:
    """[m, 3] of length 1; 0 for a face without area."""
    a, b, c = np.moveaxis(mesh.vertices[mesh.faces].astype(np.float64), 1, 0)
    return _unit(np.cross(b - a, c - a))


def corner_normals(mesh: Mesh, crease: float | None = None) -> Floats:
    """[m, 3, 3]: the normal at each corner of each face, of length 1.

    It is the mean of the normals of those faces around the corner's vertex that are turned by at most `crease` degrees
    against the corner's own face, weighted by their angles there (Thuermer and Wuethrich 1998). By default 40 degrees,
    and for a painted mesh, which was measured and has no true edges, any.
    """
    if crease is None:
        crease = CREASE if mesh.colours is None else 180.0
    normals, angles = face_normals(mesh), _corner_angles(mesh).ravel()
    vertex = mesh.faces.ravel()
    order = np.argsort(vertex, kind="stable")
    counts = np.bincount(vertex, minlength=len(mesh.vertices))
    first = (np.cumsum(counts) - counts)[vertex[order]]  # where the corners around the same vertex begin
    around = counts[vertex[order]]
    corner = np.repeat(np.arange(len(order)), around)
    neighbour = np.arange(len(corner)) - np.repeat(np.cumsum(around) - around, around) + first[corner]
    own, other = order[corner], order[neighbour]
    near = np.einsum("ij,ij->i", normals[own // 3], normals[other // 3]) >= math.cos(math.radians(crease)) - 1e-9
    own, other = own[near], other[near]
    sums = [np.bincount(own, angles[other] * normals[other // 3, axis], len(vertex)) for axis in range(3)]
    return _upright(_unit(np.stack(sums, axis=1).astype(np.float64)), np.repeat(normals, 3, axis=0)).reshape(-1, 3, 3)


def _corner_angles(mesh: Mesh) -> Doubles:
    """[m, 3] in radians."""
    corners = mesh.vertices[mesh.faces].astype(np.float64)
    ahead = _unit(np.roll(corners, -1, axis=1) - corners)
    back = _unit(np.roll(corners, 1, axis=1) - corners)
    angles: Doubles = np.arccos(np.clip(np.einsum("ijk,ijk->ij", ahead, back), -1, 1))
    return angles


def _upright(normals: Doubles, instead: Doubles) -> Floats:
    """Normals that came out as nothing replaced by the face's own, and by straight up where that has none either."""
    lost = np.einsum("ij,ij->i", normals, normals) < 0.5
    normals[lost] = instead[lost]
    normals[np.einsum("ij,ij->i", normals, normals) < 0.5] = (0.0, 1.0, 0.0)
    return normals.astype(np.float32)


def _unit(vectors: Doubles) -> Doubles:
    lengths = np.sqrt(np.einsum("...i,...i->...", vectors, vectors))[..., None]
    units: Doubles = np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 1e-30)
    return units
