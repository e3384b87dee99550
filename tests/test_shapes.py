"""The shape of a mesh as a vector: near for like shapes, and nothing for what is no mesh."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import trimesh

from frontdesk.history import mesh_bytes
from frontdesk.history.mesh_bytes import UnreadableMeshError, triangles_of
from frontdesk.history.shapes import shape_of, shape_vector
from frontdesk.worker.mesh_files import Format, written
from frontdesk.worker.sculpt_modeller import Modeller

THINGS = ("chair", "bottle", "table")


@pytest.fixture(scope="module")
def sculptures() -> dict[str, Any]:
    """Two meshes of each thing, by other seeds."""
    modeller = Modeller()
    modeller.load()
    made = {}
    for thing in THINGS:
        for seed in (0, 1):
            made[f"{thing}{seed}"] = modeller.sculpt(
                thing, seed=seed, quality="draft", progress=lambda *_: None, check=lambda: None, show=lambda _: None
            ).looks
    return made


@pytest.fixture(scope="module")
def glbs(sculptures: dict[str, Any]) -> dict[str, bytes]:
    return {name: written(mesh, "glb") for name, mesh in sculptures.items()}


def likeness(one: Any, other: Any) -> float:
    return float(one @ other)


def moved(data: bytes, matrix: Any) -> Any:
    """The shape of the file's mesh after a transformation of its corners."""
    return shape_vector(triangles_of(data, "glb") @ np.asarray(matrix, np.float64).T)


def test_a_vector_has_the_length_one_and_is_the_same_each_time(glbs: dict[str, bytes]) -> None:
    first, second = shape_of(glbs["chair0"], "glb"), shape_of(glbs["chair0"], "glb")
    assert first.shape == (192,)
    assert np.linalg.norm(first) == pytest.approx(1, abs=1e-6)
    assert np.array_equal(first, second)


@pytest.mark.parametrize("thing", THINGS)
def test_the_same_mesh_turned_or_sized_is_nearer_than_any_other_thing(thing: str, glbs: dict[str, bytes]) -> None:
    """By any angle about the vertical axis."""
    itself = shape_of(glbs[f"{thing}0"], "glb")
    others = [shape_of(data, "glb") for name, data in glbs.items() if not name.startswith(thing)]
    nearest = max(likeness(itself, other) for other in others)
    for degrees in (30, 90, 200):
        c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
        turned = moved(glbs[f"{thing}0"], [[c, 0, s], [0, 1, 0], [-s, 0, c]])
        assert likeness(itself, turned) > max(0.998, nearest)
    assert likeness(itself, moved(glbs[f"{thing}0"], 250 * np.eye(3))) > max(0.998, nearest)


@pytest.mark.parametrize("format", ["obj", "ply", "stl"])
def test_the_same_mesh_in_another_format_is_nearer_than_any_other_thing(
    format: Format, sculptures: dict[str, Any], glbs: dict[str, bytes]
) -> None:
    """Also as a file for printing, which has another axis up and another unit."""
    for thing in THINGS:
        itself = shape_of(written(sculptures[f"{thing}0"], format), format)
        near = {name: likeness(itself, shape_of(data, "glb")) for name, data in glbs.items()}
        assert max(near, key=lambda name: near[name]) == f"{thing}0"
        assert near[f"{thing}0"] > 0.998


def test_two_of_a_kind_are_nearer_than_another_kind(glbs: dict[str, bytes]) -> None:
    """A chair is more like another chair than like a bottle."""
    shapes = {name: shape_of(data, "glb") for name, data in glbs.items()}
    for name, shape in shapes.items():
        near = max((other for other in shapes if other != name), key=lambda other: likeness(shape, shapes[other]))
        assert near[:-1] == name[:-1]


def test_what_is_up_counts() -> None:
    """A cone on its tip is not one on its base, though no distance and no angle differs."""
    cone = trimesh.creation.cone(1, 3)
    upright = np.asarray(cone.triangles)[..., [1, 2, 0]]
    upside_down = upright * [1, -1, -1]
    lying = likeness(shape_vector(upright), shape_vector(upside_down))
    assert lying < 0.95 < likeness(shape_vector(upright), shape_vector(upright * [-1, 1, -1]))


def test_a_mesh_without_area_has_a_shape() -> None:
    vector = shape_vector(np.zeros((4, 3, 3)))
    assert np.isfinite(vector).all()


def glb(tree: Any, numbers: bytes = b"") -> bytes:
    """A glTF file of a header and some numbers."""
    header = json.dumps(tree).encode()
    header += b" " * (-len(header) % 4)
    body = struct.pack("<II", len(header), 0x4E4F534A) + header + struct.pack("<II", len(numbers), 0x004E4942) + numbers
    return struct.pack("<4sII", b"glTF", 2, 12 + len(body)) + body


POINTS = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0]], "<f4").tobytes()


def triangle(**changes: Any) -> dict[str, Any]:
    """A glTF of one triangle."""
    return {
        "asset": {"version": "2.0"}, "scene": 0, "scenes": [{"nodes": [0]}], "nodes": [{"mesh": 0}],
        "meshes": [{"primitives": [{"attributes": {"POSITION": 0}}]}],
        "accessors": [{"bufferView": 0, "componentType": 5126, "count": 3, "type": "VEC3"}],
        "bufferViews": [{"buffer": 0, "byteLength": 36}], "buffers": [{"byteLength": 36}], **changes,
    }  # fmt: skip


def test_a_small_glb_is_read_where_its_nodes_put_it() -> None:
    moved = triangle(nodes=[{"children": [1]}, {"mesh": 0, "translation": [5, 0, 0]}])
    assert triangles_of(glb(moved, POINTS), "glb")[0].tolist() == [[5, 0, 0], [6, 0, 0], [5, 1, 0]]


@pytest.mark.parametrize(
    ("data", "format"),
    [
        pytest.param(b"", "glb", id="nothing"),
        pytest.param(b"PK\x03\x04 no mesh", "zip", id="another format"),
        pytest.param(b"#!/bin/sh", "obj", id="no mesh at all"),
        pytest.param(b"glTF", "glb", id="cut off"),
        pytest.param(glb(triangle(), POINTS[:10]), "glb", id="numbers cut off"),
        pytest.param(
            glb(triangle(nodes=[{"mesh": 0, "children": [1]}, {"children": [0]}]), POINTS), "glb", id="circle"
        ),
        pytest.param(glb(triangle(nodes=[{"children": [0]}]), POINTS), "glb", id="its own child"),
        pytest.param(
            glb(triangle(accessors=[{"componentType": 5126, "count": 10**12, "type": "VEC3"}]), POINTS),
            "glb",
            id="huge",
        ),
        pytest.param(
            glb(triangle(buffers=[{"byteLength": 36, "uri": "file:///etc/hostname"}]), b""), "glb", id="another file"
        ),
        pytest.param(glb(triangle(nodes=[{"mesh": 0}] * 20_000), POINTS), "glb", id="many nodes"),
        pytest.param(b"ply\nformat ascii 1.0\nelement vertex 99999999999\nend_header\n", "ply", id="many vertices"),
        pytest.param(b"v 0 0 0\nv nan 0 0\nv 0 1 0\nf 1 2 3\n", "obj", id="not a number"),
        pytest.param(b"v 0 0 0\nv 1 0 0\nv 0 1 0\n", "obj", id="no faces"),
        pytest.param(bytes(80) + struct.pack("<I", 2**31) + bytes(50), "stl", id="many triangles"),
        pytest.param(b"v 1e300 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n", "obj", id="out of all measure"),
    ],
)
def test_what_cannot_be_read_has_no_shape(data: bytes, format: str) -> None:
    """Nor does what would not end, would fill the memory, or asks for other files."""
    with pytest.raises(UnreadableMeshError):
        shape_of(data, format)


def test_copies_count_as_faces(monkeypatch: pytest.MonkeyPatch) -> None:
    """A small mesh that stands in a scene thousands of times is a large one."""
    monkeypatch.setattr(mesh_bytes, "MAX_FACES", 50)
    with pytest.raises(UnreadableMeshError):
        triangles_of(glb(triangle(nodes=[{"mesh": 0}] * 60, scenes=[{"nodes": list(range(60))}]), POINTS), "glb")


def test_larger_files_are_not_looked_at(monkeypatch: pytest.MonkeyPatch, glbs: dict[str, bytes]) -> None:
    monkeypatch.setitem(mesh_bytes.MAX_BYTES, "glb", 100)
    with pytest.raises(UnreadableMeshError):
        triangles_of(glbs["chair0"], "glb")


def test_meshes_are_read_without_what_workers_need() -> None:
    """A recorder has numpy and trimesh alone."""
    code = (
        "import sys\n"
        "for name in ('scipy', 'networkx', 'PIL', 'torch'): sys.modules[name] = None\n"
        "import trimesh\nfrom frontdesk.history.shapes import shape_of\n"
        "box = trimesh.creation.box((1, 2, 3))\n"
        "for format in ('glb', 'obj', 'ply', 'stl'):\n"
        "    data = box.export(file_type=format)\n"
        "    assert shape_of(data if isinstance(data, bytes) else data.encode(), format).shape == (192,)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
