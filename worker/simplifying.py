"""Fewer faces for the same shape, by quadric error metrics (Garland and Heckbert 1997; fast-simplification)."""

from __future__ import annotations

from dataclasses import replace

import fast_simplification
import numpy as np
from scipy.spatial import cKDTree

from frontdesk.worker.meshes import Floats, Mesh


def simplified(mesh: Mesh, faces: int) -> Mesh:
    """The shape in about `faces` faces and never more, a closed one still closed wherever that can be.

    Colours are those of the nearest vertex, materials those of the nearest face. The mesh itself where it has few
    enough already; fewer faces than a shape needs to stay one are not reached.
    """
    if len(mesh.faces) <= faces:
        return mesh
    points, triangles = fast_simplification.simplify(
        mesh.vertices.astype(np.float64), mesh.faces.copy(), target_count=faces
    )
    colours = None if mesh.colours is None else mesh.colours[cKDTree(mesh.vertices).query(points)[1]]
    fewer = Mesh(points, triangles, colours)
    nearest = cKDTree(_middles(mesh)).query(_middles(fewer))[1]
    return replace(fewer, materials=mesh.materials, of_face=mesh.material_of_face[nearest])


def _middles(mesh: Mesh) -> Floats:
    middles: Floats = mesh.vertices[mesh.faces].mean(axis=1)
    return middles
