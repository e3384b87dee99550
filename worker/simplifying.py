"""Fewer faces for the same shape, by quadric error metrics (Garland and Heckbert 1997; fast-simplification)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import fast_simplification
import manifold3d
import numpy as np
from scipy.spatial import cKDTree

from frontdesk.worker.meshes import Floats, Mesh, bounds, watertight

TRIES = 16


def simplified(mesh: Mesh, faces: int, check: Callable[[], None] = lambda: None) -> Mesh:
    """The shape in at most `faces` faces, or as few as it can do with; a closed one still closed wherever that can be.

    Colours are those of the nearest vertex, materials those of the nearest face. The mesh itself where it has few
    enough already. `check` is asked before each step: what it raises ends the work.
    """
    if len(mesh.faces) <= faces:
        return mesh
    points, triangles = fast_simplification.simplify(
        mesh.vertices.astype(np.float64), mesh.faces.copy(), target_count=faces
    )
    fewer = Mesh(points, triangles)
    check()
    if watertight(mesh) and not watertight(fewer):  # it may fold what is thin
        fewer = _still_closed(mesh, faces, check) or fewer
    colours = None if mesh.colours is None else mesh.colours[cKDTree(mesh.vertices).query(fewer.vertices)[1]]
    check()
    nearest = cKDTree(_middles(mesh)).query(_middles(fewer))[1]
    return replace(fewer, colours=colours, materials=mesh.materials, of_face=mesh.material_of_face[nearest])


def _still_closed(mesh: Mesh, faces: int, check: Callable[[], None]) -> Mesh | None:
    """Edges collapsed as far as the solid stays one: a rougher shape, closed for certain. None if that is too many."""
    solid = manifold3d.Manifold(manifold3d.Mesh(mesh.vertices.copy(), mesh.faces.astype(np.uint32)))
    low, high = bounds(mesh)
    least, most = 1e-6, float((high - low).max()) / 2  # how far the surface may move, in metres
    best: manifold3d.Manifold | None = None
    for _ in range(TRIES):
        check()
        tolerance = (least * most) ** 0.5
        tried = solid.simplify(tolerance)
        if tried.num_tri() > faces:
            least = tolerance
        else:
            best, most = tried, tolerance
    if best is None or best.is_empty():
        return None
    data = best.to_mesh()
    return Mesh(np.asarray(data.vert_properties[:, :3]), np.asarray(data.tri_verts, np.int32))


def _middles(mesh: Mesh) -> Floats:
    middles: Floats = mesh.vertices[mesh.faces].mean(axis=1)
    return middles
