"""glTF 2.0 as one binary file (Khronos, ISO/IEC 12113), written by hand: the same mesh gives the same bytes.

The plain form keeps positions and normals as floats. The quantised one (KHR_mesh_quantization, which three.js,
Babylon.js and Blender read) keeps them as 16 and 8 bits, and has half to two thirds of the size.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from frontdesk.worker.colours import LINEAR_OF_BYTE, linear
from frontdesk.worker.meshes import Doubles, Floats, Material, Mesh, bounds, corner_normals, watertight

GENERATOR = "Frontdesk"
BYTE, UNSIGNED_BYTE, SHORT, UNSIGNED_SHORT, UNSIGNED_INT, FLOAT = 5120, 5121, 5122, 5123, 5125, 5126
ARRAY_BUFFER, ELEMENT_ARRAY_BUFFER = 34962, 34963
JSON_CHUNK, BINARY_CHUNK = 0x4E4F534A, 0x004E4942
SMALL_INDEX = 65_535  # indices of two bytes reach this many vertices; the last value is reserved
STEPS = 32_767  # of a quantised position to either side of the middle
NORMAL_STEPS = 1023  # corners whose normals differ by less share a vertex

Corners = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], Floats]


def glb(mesh: Mesh, *, name: str = "object", quantised: bool = False) -> bytes:
    """A mesh of at least one face as a .glb. Raises ValueError where it has none."""
    writer = _Writer(mesh, quantised)
    corners = _distinct_corners(mesh)
    primitives = [
        writer.primitive(corners, faces, place)
        for place in range(len(mesh.materials))
        for faces in _pieces(corners[0], np.flatnonzero(mesh.material_of_face == place), quantised)
    ]
    closed = watertight(mesh)
    document: dict[str, Any] = {
        "asset": {"version": "2.0", "generator": GENERATOR},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"name": name, "mesh": 0} | writer.placing()],
        "meshes": [{"name": name, "primitives": primitives}],
        "materials": [_material(mesh.materials[place], closed) for place in writer.materials],
        "accessors": writer.accessors,
        "bufferViews": writer.views,
        "buffers": [{"byteLength": len(writer.data)}],
    }
    if quantised:
        document |= {name: ["KHR_mesh_quantization"] for name in ("extensionsUsed", "extensionsRequired")}
    return _container(document, bytes(writer.data))


class _Writer:
    """Collects the binary chunk with what describes it."""

    def __init__(self, mesh: Mesh, quantised: bool) -> None:
        self.mesh, self.quantised = mesh, quantised
        self.data = bytearray()
        self.views: list[dict[str, int]] = []
        self.accessors: list[dict[str, Any]] = []
        self.materials: dict[int, int] = {}  # those in use: place in the mesh -> place in the file
        low, high = bounds(mesh)
        self.middle: Doubles = (low + high) / 2
        self.half = max(float((high - low).max()) / 2, 1e-9)

    def placing(self) -> dict[str, Any]:
        """Where the node puts the mesh: quantised positions are of -1 to 1."""
        if not self.quantised:
            return {}
        return {"translation": [float(np.float32(x)) for x in self.middle], "scale": [float(np.float32(self.half))] * 3}

    def primitive(self, corners: Corners, faces: npt.NDArray[np.int64], place: int) -> dict[str, Any]:
        """Some faces of one material, their vertices in the order in which the faces first name them."""
        distinct, vertex, normal = corners
        used, first, inverse = np.unique(distinct[faces], return_index=True, return_inverse=True)
        order = np.argsort(first, kind="stable")
        rank = np.empty_like(order)
        rank[order] = np.arange(len(order))
        used = used[order]
        attributes = {"POSITION": self._positions(vertex[used]), "NORMAL": self._normals(normal[used])}
        if self.mesh.colours is not None:
            attributes["COLOR_0"] = self._colours(vertex[used])
        small = len(used) <= SMALL_INDEX
        indices = rank[inverse.ravel()].astype("<u2" if small else "<u4")
        view = self._view(indices.tobytes(), ELEMENT_ARRAY_BUFFER)
        index = self._accessor(view, UNSIGNED_SHORT if small else UNSIGNED_INT, len(indices), "SCALAR")
        material = self.materials.setdefault(place, len(self.materials))
        return {"attributes": attributes, "indices": index, "material": material, "mode": 4}

    def _positions(self, vertex: npt.NDArray[np.int64]) -> int:
        points = self.mesh.vertices[vertex]
        if not self.quantised:
            return self._attribute(points.astype("<f4"), FLOAT, limits=True)
        steps = np.rint((points - self.middle) / self.half * STEPS)
        return self._attribute(np.clip(steps, -STEPS, STEPS).astype("<i2"), SHORT, limits=True, normalised=True)

    def _normals(self, normals: Floats) -> int:
        if not self.quantised:
            return self._attribute(normals.astype("<f4"), FLOAT)
        return self._attribute(np.rint(normals * 127).astype("i1"), BYTE, normalised=True)

    def _colours(self, vertex: npt.NDArray[np.int64]) -> int:
        """Vertex colours are linear in glTF: 8 bits would show steps in the dark, unless size matters more."""
        assert self.mesh.colours is not None  # noqa: S101
        colours = self.mesh.colours[vertex]
        light = LINEAR_OF_BYTE[colours]
        light[:, 3] = colours[:, 3] / 255
        if self.quantised:
            return self._attribute(np.rint(light * 255).astype("u1"), UNSIGNED_BYTE, normalised=True)
        return self._attribute(np.rint(light * 65_535).astype("<u2"), UNSIGNED_SHORT, normalised=True)

    def _attribute(
        self, values: npt.NDArray[Any], component: int, *, limits: bool = False, normalised: bool = False
    ) -> int:
        """One value a vertex, each padded to four bytes; its accessor's number."""
        count, width = values.shape
        stride = -(-width * values.itemsize // 4) * 4
        padded = np.zeros((count, stride // values.itemsize), values.dtype)
        padded[:, :width] = values
        view = self._view(padded.tobytes(), ARRAY_BUFFER, stride)
        extra: dict[str, Any] = {"normalized": True} if normalised else {}
        if limits:
            extra |= {"min": values.min(axis=0).tolist(), "max": values.max(axis=0).tolist()}
        return self._accessor(view, component, count, f"VEC{width}", extra)

    def _view(self, data: bytes, target: int, stride: int | None = None) -> int:
        described = {"buffer": 0, "byteOffset": len(self.data), "byteLength": len(data), "target": target}
        self.views.append(described | ({"byteStride": stride} if stride else {}))
        self.data += data + bytes(-len(data) % 4)
        return len(self.views) - 1

    def _accessor(self, view: int, component: int, count: int, shape: str, extra: dict[str, Any] | None = None) -> int:
        described = {"bufferView": view, "componentType": component, "count": count, "type": shape}
        self.accessors.append(described | (extra or {}))
        return len(self.accessors) - 1


def _distinct_corners(mesh: Mesh) -> Corners:
    """[m, 3] the number of each corner among the distinct ones; of these, [k] the vertex and [k, 3] the normal."""
    normals = corner_normals(mesh).reshape(-1, 3)
    steps = np.rint(normals * NORMAL_STEPS).astype(np.int64) + NORMAL_STEPS
    vertex = mesh.faces.ravel().astype(np.int64)
    key = ((vertex << 33) | (steps[:, 0] << 22) | (steps[:, 1] << 11) | steps[:, 2]).astype(np.int64)
    _, first, inverse = np.unique(key, return_index=True, return_inverse=True)
    return inverse.reshape(-1, 3), vertex[first], normals[first]


def _pieces(
    distinct: npt.NDArray[np.int64], faces: npt.NDArray[np.int64], small: bool
) -> Iterator[npt.NDArray[np.int64]]:
    """The faces at once, or where indices shall be small, halved until each piece's vertices can be counted so."""
    if not len(faces):
        return
    if not small or len(np.unique(distinct[faces])) <= SMALL_INDEX:
        yield faces
        return
    middle = len(faces) // 2
    yield from _pieces(distinct, faces[:middle], small)
    yield from _pieces(distinct, faces[middle:], small)


def _material(material: Material, closed: bool) -> dict[str, Any]:
    light = [round(float(value), 6) for value in linear(material.colour)]
    described: dict[str, Any] = {
        "name": material.name,
        "pbrMetallicRoughness": {
            "baseColorFactor": [*light, material.opacity],
            "metallicFactor": material.metallic,
            "roughnessFactor": material.roughness,
        },
    }
    if material.emissive:
        described["emissiveFactor"] = [round(value * material.emissive, 6) for value in light]
    if material.opacity < 1:
        described["alphaMode"] = "BLEND"
    if not closed:
        described["doubleSided"] = True
    return described


def _container(document: dict[str, Any], binary: bytes) -> bytes:
    text = json.dumps(document, separators=(",", ":"), ensure_ascii=True, allow_nan=False).encode()
    text += b" " * (-len(text) % 4)
    chunks = struct.pack("<II", len(text), JSON_CHUNK) + text + struct.pack("<II", len(binary), BINARY_CHUNK) + binary
    return struct.pack("<4sII", b"glTF", 2, 12 + len(chunks)) + chunks
