"""A mesh out of a file's bytes: its triangles, y up, for the description of its shape.

Files may come from anywhere: the reader is told the type, sees no file but this one, and gets nothing that is larger
than the limits. A glTF's parts are counted before it is read, since a few bytes of it may stand for any number.
"""

from __future__ import annotations

import io
import json
import math
import struct
from collections.abc import Iterator
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import trimesh

FORMATS = ("glb", "obj", "ply", "stl")  # the best first
MAX_BYTES = {"glb": 64_000_000, "stl": 64_000_000, "ply": 64_000_000, "obj": 32_000_000}  # text takes more when read
MAX_FACES = 2_000_000
MAX_NUMBERS = 24_000_000  # of all a glTF's accessors
MAX_NODES = 10_000
MAX_HEADER = 16_000_000  # bytes of a glTF's JSON
COMPONENTS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT2": 4, "MAT3": 9, "MAT4": 16}

Triangles: TypeAlias = npt.NDArray[np.float64]


class UnreadableMeshError(Exception):
    """It is no mesh, or one that is too large: there is no description of its shape."""


def triangles_of(data: bytes, format: str) -> Triangles:
    """(n, 3, 3): the corners of each face, y up. Raises UnreadableMeshError."""
    if format not in FORMATS or not 0 < len(data) <= MAX_BYTES[format]:
        raise UnreadableMeshError("no mesh, or too large a one")
    try:
        if format == "glb":
            _check_glb(data)
        elif format == "ply":
            _check_ply(data)
        scene = trimesh.load_scene(
            io.BytesIO(data), file_type=format, resolver=None, allow_remote=False, process=False, skip_materials=True
        )
        parts = list(_parts(scene))
        corners = np.concatenate(parts) if parts else np.zeros((0, 3, 3))
    except UnreadableMeshError:
        raise
    except (Exception, RecursionError) as error:  # a damaged file makes readers raise whatever comes up
        raise UnreadableMeshError(type(error).__name__) from error
    if not len(corners) or not np.isfinite(corners).all() or np.abs(corners).max() > 1e12:
        raise UnreadableMeshError("no faces, or none that lie anywhere")
    # A file for printing has z up (queue/kind_sculpt.py); the others have y up.
    return np.stack([corners[..., 0], corners[..., 2], -corners[..., 1]], axis=-1) if format == "stl" else corners


def _parts(scene: Any) -> Iterator[Triangles]:
    """The faces of each copy in a scene, where that copy stands."""
    left = MAX_FACES
    for node in scene.graph.nodes_geometry:
        transform, name = scene.graph[node]
        mesh = scene.geometry[name]
        if not isinstance(mesh, trimesh.Trimesh) or not len(mesh.faces):
            continue
        left -= len(mesh.faces)
        if left < 0:
            raise UnreadableMeshError("too many faces")
        vertices = np.asarray(mesh.vertices, np.float64) @ transform[:3, :3].T + transform[:3, 3]
        yield vertices[np.asarray(mesh.faces)]


def _check_glb(data: bytes) -> None:
    """Nodes form trees (glTF 2.0, 3.5.2), which a reader goes through without an end otherwise; all is small enough."""
    magic, version, _, length, kind = struct.unpack_from("<4sIIII", data)
    if magic != b"glTF" or version != 2 or kind != 0x4E4F534A or not 0 < length <= min(len(data) - 20, MAX_HEADER):
        raise UnreadableMeshError("no glTF 2")
    tree = json.loads(data[20 : 20 + length])
    numbers = sum(max(0, part["count"]) * COMPONENTS[part["type"]] for part in tree.get("accessors", []))
    nodes = tree.get("nodes", [])
    children = [child for node in nodes for child in node.get("children", [])]
    if numbers > MAX_NUMBERS or len(nodes) > MAX_NODES or len(set(children)) != len(children):
        raise UnreadableMeshError("too much, or no tree")
    # With one parent at most, whoever is not reached from a node without parents is in a circle.
    reached = set(range(len(nodes))) - set(children)
    ahead = list(reached)
    while ahead:
        found = nodes[ahead.pop()].get("children", [])
        reached.update(found)
        ahead.extend(found)
    if len(reached) != len(nodes):
        raise UnreadableMeshError("nodes in a circle")


def _check_ply(data: bytes) -> None:
    """No element is said to be more often there than there are bytes for it."""
    head, end, _ = data[:MAX_HEADER].partition(b"end_header")
    if not end:
        raise UnreadableMeshError("no PLY")
    for line in head.split(b"\n"):
        words = line.split()
        if words[:1] == [b"element"] and not 0 <= float(words[2]) <= min(len(data), math.inf):
            raise UnreadableMeshError("more than there can be")
