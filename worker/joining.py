"""Solids as meshes, by manifold3d: many coloured parts become one closed surface that still knows each face's part."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import manifold3d
import numpy as np

from frontdesk.worker.meshes import Floats, Material, Mesh, Whole, joined

# How the finishes of parts look, beside their colour.
FINISHES: dict[str, dict[str, float]] = {
    "matte": {"roughness": 0.75},
    "metal": {"metallic": 1.0, "roughness": 0.3},
    "glass": {"opacity": 0.22, "roughness": 0.05},
    "glow": {"emissive": 1.0},
}
TINTED, CLEAR = 2.0, 0.15  # of how far the channels are apart, and how far they are in clear glass
DARKEST = 0.8  # one always sees through it
# Edges shorter than this share of the whole are rounding noise of the union: they go, or become faces without area.
NOISE = 1e-5
# Two bodies that touch along an edge are drawn apart by this share: a file without indices would weld them there.
GAP = 2e-5


class PartLike(Protocol):
    """What is read of a part: see `solids.Part`. The colour is sRGB of 0 to 1."""

    @property
    def solid(self) -> manifold3d.Manifold: ...
    @property
    def colour(self) -> tuple[float, float, float]: ...
    @property
    def finish(self) -> str: ...


def as_they_are(solid: manifold3d.Manifold) -> manifold3d.Manifold:
    return solid


@dataclass(frozen=True)
class Copies:
    """Parts of one object, and where each of its copies stands: the parts are united once for all of them."""

    parts: Sequence[PartLike]
    places: Sequence[Callable[[manifold3d.Manifold], manifold3d.Manifold]] = (as_they_are,)


def material_of(part: PartLike) -> Material:
    """Equal parts have equal materials, named by what they look like."""
    red, green, blue = (round(255 * value) for value in part.colour)
    finish = dict(FINISHES[part.finish])
    if part.finish == "glass":  # what is coloured lets less light through
        tint = TINTED * max(max(part.colour) - min(part.colour) - CLEAR, 0)
        finish["opacity"] = min(finish["opacity"] + tint, DARKEST)
    return Material(f"{part.finish} #{red:02x}{green:02x}{blue:02x}", part.colour, **finish)


def from_copies(objects: Sequence[Copies], check: Callable[[], None] = lambda: None) -> Mesh:
    """Objects to look at: what is opaque united, what is glass united beside it, so that one sees what it holds.

    check: asked between objects; what it raises ends it. Raises ValueError for no parts, or where a solid is broken.
    """
    groups = []
    for glass in (False, True):
        some = [
            Copies([part for part in one.parts if (part.finish == "glass") == glass], one.places) for one in objects
        ]
        if some := [one for one in some if one.parts]:
            groups.append(united_copies(some, check))
    return joined(groups)


def united_copies(objects: Sequence[Copies], check: Callable[[], None] = lambda: None) -> Mesh:
    """Everything as one solid with one closed outer surface, to print: what lies inside of another part is gone."""
    parts = [part for one in objects for part in one.parts]
    originals = [[part.solid.as_original() for part in one.parts] for one in objects]
    bodies = []
    for one, solids in zip(objects, originals, strict=True):
        check()
        body = manifold3d.Manifold.batch_boolean(solids, manifold3d.OpType.Add)
        body.num_tri()  # it is computed when somebody asks
        bodies += [place(body) for place in one.places]
    check()
    whole = manifold3d.Manifold.batch_boolean(bodies, manifold3d.OpType.Add)
    if whole.status() != manifold3d.Error.NoError or whole.is_empty():
        raise ValueError("the parts do not make a solid")
    check()
    low, high = np.array(whole.bounding_box()).reshape(2, 3)
    data = whole.simplify(float((high - low).max()) * NOISE).to_mesh()
    check()
    materials = tuple(dict.fromkeys(material_of(part) for part in parts))
    places = {
        original.original_id(): materials.index(material_of(part))
        for original, part in zip(itertools.chain(*originals), parts, strict=True)
    }
    ends = np.asarray(data.run_index, dtype=np.int64) // 3
    of_face = np.repeat([places[original] for original in data.run_original_id], ends[1:] - ends[:-1])
    vertices, faces = _welded(data)
    return Mesh(_apart(vertices, faces), faces, materials=materials, of_face=of_face.astype(np.int32))


def _welded(data: manifold3d.Mesh) -> tuple[Floats, Whole]:
    """Vertices [n, 3] and faces [m, 3]: vertices that are two only because of their properties are one again."""
    place = np.arange(len(data.vert_properties))
    place[np.asarray(data.merge_from_vert, dtype=np.int64)] = np.asarray(data.merge_to_vert, dtype=np.int64)
    used, faces = np.unique(place[data.tri_verts], return_inverse=True)
    return np.asarray(data.vert_properties, np.float32)[used, :3], faces.reshape(-1, 3).astype(np.int32)


def _apart(vertices: Floats, faces: Whole) -> Floats:
    """Vertices that share their place without being one, each moved a little into its own body."""
    _, inverse, counts = np.unique(vertices, axis=0, return_inverse=True, return_counts=True)
    twice = counts[inverse.ravel()] > 1
    if not twice.any():
        return vertices
    a, b, c = np.moveaxis(vertices[faces].astype(np.float64), 1, 0)
    inward = np.zeros(vertices.shape)
    np.add.at(inward, faces, np.cross(c - a, b - a)[:, None, :])
    lengths = np.maximum(np.linalg.norm(inward, axis=1, keepdims=True), 1e-30)
    step = float(np.ptp(vertices, axis=0).max()) * GAP
    moved: Floats = np.where(twice[:, None], vertices + inward / lengths * step, vertices).astype(np.float32)
    return moved
