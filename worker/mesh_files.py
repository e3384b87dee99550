"""A mesh as a file that other programs read. The same mesh gives the same bytes, whatever the format.

- glb: everything, for viewers and engines. Metres, y up.
- obj: one text file and nothing beside it, since a chat hands out single files: the colours stand in the vertex lines,
  where Blender, MeshLab and CloudCompare read them. What is metal or glass is lost. Metres, y up.
- ply: binary, with vertex colours. Metres, y up.
- stl: binary, shape only, for printing: millimetres and z up, as slicers take it, the longest side 100 mm.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from frontdesk.worker.glb import GENERATOR, glb
from frontdesk.worker.meshes import Bytes, Floats, Mesh, Whole, bounds, corner_normals, face_normals
from frontdesk.worker.simplifying import simplified

Format: TypeAlias = Literal["glb", "obj", "ply", "stl"]
MEDIA_TYPES: dict[Format, str] = {
    "glb": "model/gltf-binary",
    "obj": "model/obj",
    "ply": "application/octet-stream",  # none is registered
    "stl": "model/stl",
}
PRINTED = 100.0  # mm
FEWEST_FACES = 500
_UNSAFE = re.compile(r"[^A-Za-z0-9_.-]+")


class Fitting(NamedTuple):
    """A file that is small enough, and what was done for it in words to a user: empty where nothing was."""

    data: bytes
    done: str


def written(mesh: Mesh, format: Format, *, name: str = "object") -> bytes:
    """The file. Raises ValueError for a mesh without faces."""
    bounds(mesh)
    match format:
        case "glb":
            return glb(mesh, name=name)
        case "obj":
            return obj(mesh, name=name)
        case "ply":
            return ply(mesh)
        case "stl":
            return stl(mesh)


def within(
    mesh: Mesh,
    format: Format,
    limit: int,
    *,
    name: str = "object",
    whole: bytes | None = None,
    check: Callable[[], None] = lambda: None,
) -> Fitting | None:
    """The file in at most `limit` bytes: a glb quantised if need be, then any of them with ever fewer faces.

    None where even few faces take more. whole: the file as it is, where that was written already. `check` is called
    before each try: what it raises ends them.
    """
    data = written(mesh, format, name=name) if whole is None else whole
    if len(data) <= limit:
        return Fitting(data, "")
    quantised, fewer = format == "glb", mesh
    while True:
        check()
        data = glb(fewer, name=name, quantised=True) if quantised else written(fewer, format, name=name)
        if len(data) <= limit:
            return Fitting(data, "; ".join(_done(mesh, fewer, quantised)))
        target = int(len(fewer.faces) * min(0.7, limit / len(data) * 0.9))
        if target < FEWEST_FACES or len((smaller := simplified(fewer, target, check)).faces) >= len(fewer.faces):
            return None
        fewer = smaller


def obj(mesh: Mesh, *, name: str = "object") -> bytes:
    """Wavefront OBJ; what is no letter, digit, `_`, `.` or `-` in the name becomes `_`."""
    vertices, faces, colours = _painted(mesh)
    normals, corner = np.unique(np.round(corner_normals(mesh).reshape(-1, 3), 4), axis=0, return_inverse=True)
    pairs = np.stack([faces.ravel() + 1, corner.ravel() + 1], axis=1).reshape(-1, 6)
    lines = [f"# {GENERATOR}: metres, y up, sRGB colours at the vertices", f"o {_UNSAFE.sub('_', name)}"]
    lines += _formatted("v {:.6f} {:.6f} {:.6f} {:.4f} {:.4f} {:.4f}", vertices, colours[:, :3] / 255)
    lines += _formatted("vn {:.4f} {:.4f} {:.4f}", normals + 0.0)
    lines += _formatted("f {}//{} {}//{} {}//{}", pairs)
    return ("\n".join(lines) + "\n").encode("ascii")


def ply(mesh: Mesh) -> bytes:
    """Stanford PLY, binary little endian."""
    vertices, faces, colours = _painted(mesh)
    header = (
        f"ply\nformat binary_little_endian 1.0\ncomment {GENERATOR}: metres, y up\nelement vertex {len(vertices)}\n"
        "property float x\nproperty float y\nproperty float z\n"
        "property uchar red\nproperty uchar green\nproperty uchar blue\nproperty uchar alpha\n"
        f"element face {len(faces)}\nproperty list uchar int vertex_indices\nend_header\n"
    )
    points = np.zeros(len(vertices), dtype=[("place", "<f4", 3), ("colour", "u1", 4)])
    points["place"], points["colour"] = vertices, colours
    triangles = np.zeros(len(faces), dtype=[("count", "u1"), ("vertices", "<i4", 3)])
    triangles["count"], triangles["vertices"] = 3, faces
    return header.encode("ascii") + points.tobytes() + triangles.tobytes()


def stl(mesh: Mesh, longest: float = PRINTED) -> bytes:
    """Binary STL, standing on z = 0, its longest side of `longest` mm. Closed where the mesh is."""
    low, high = bounds(mesh)
    middle = (low + high) / 2
    scale = longest / float((high - low).max())
    x, y, z = ((mesh.vertices - np.array([middle[0], low[1], middle[2]])) * scale).T
    points = np.stack([x, -z, y], axis=1).astype("<f4")
    turned = Mesh(points, mesh.faces)
    records = np.zeros(len(mesh.faces), dtype=[("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])
    records["normal"], records["corners"] = face_normals(turned) + 0.0, points[mesh.faces] + np.float32(0)
    header = f"{GENERATOR}: millimetres, z up".encode("ascii").ljust(80)
    return header + len(records).to_bytes(4, "little") + records.tobytes()


def _painted(mesh: Mesh) -> tuple[Floats, Whole, Bytes]:
    """Vertices, faces, and the colour of each vertex in sRGB; one between two colours is there twice."""
    key = mesh.faces.astype(np.int64) * len(mesh.materials) + mesh.material_of_face[:, None]
    used, faces = np.unique(key, return_inverse=True)
    vertex, place = np.divmod(used, len(mesh.materials))
    base = np.array([(*material.colour, material.opacity) for material in mesh.materials])[place]
    own = np.ones_like(base) if mesh.colours is None else mesh.colours[vertex] / 255
    return mesh.vertices[vertex], faces.reshape(-1, 3).astype(np.int32), np.rint(base * own * 255).astype(np.uint8)


def _formatted(template: str, *columns: npt.NDArray[Any]) -> list[str]:
    """A line for each row of arrays that stand side by side."""
    return [template.format(*row) for row in np.concatenate(columns, axis=1).tolist()]


def _done(mesh: Mesh, fewer: Mesh, quantised: bool) -> Iterator[str]:
    if quantised:
        yield "stored with 16-bit positions"
    if len(fewer.faces) < len(mesh.faces):
        yield f"reduced from {len(mesh.faces):,} to {len(fewer.faces):,} faces"
