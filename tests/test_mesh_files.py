"""Mesh files as other programs read them: Khronos' validator for glTF, trimesh for all."""

from __future__ import annotations

import io
import json
import struct
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pytest
import trimesh
from gltf import Validator
from things import BLUE, RED, Part, ball, block, chair, from_parts, lone, painted_ball, tumbler, united

from frontdesk.worker import glb as glb_module
from frontdesk.worker import mesh_files
from frontdesk.worker.colours import encoded
from frontdesk.worker.glb import glb
from frontdesk.worker.mesh_files import MEDIA_TYPES, Format, within, written
from frontdesk.worker.meshes import Material, Mesh, fitted, statistics

FORMATS = tuple(MEDIA_TYPES)


def glowing() -> Mesh:
    return from_parts([*lone(ball(0.1), RED, "glow"), *lone(block(0.1, 0.1, 0.1, x=1), BLUE, "glass")])


def open_surface() -> Mesh:
    whole = painted_ball(32)
    return Mesh(whole.vertices, whole.faces[:100], whole.colours)


def unused_vertices() -> Mesh:
    return Mesh(np.eye(4, 3, dtype=np.float32) * 5, np.array([[0, 1, 3]]), materials=(Material("a", (1, 1, 1)),) * 2)


MESHES = {
    "chair": lambda: from_parts(chair()), "glass": lambda: from_parts(tumbler()), "lamp": glowing,
    "scan": painted_ball, "open": open_surface, "leftovers": unused_vertices,
}  # fmt: skip


def read(data: bytes, format: str) -> trimesh.Trimesh:
    """As trimesh reads it, all in one."""
    scene = trimesh.load_scene(io.BytesIO(data), file_type=format)
    return cast("trimesh.Trimesh", scene.to_geometry())


def colours_of(mesh: trimesh.Trimesh) -> npt.NDArray[np.uint8]:
    visual: Any = mesh.visual
    return np.asarray(visual.vertex_colors)


def document(data: bytes) -> dict[str, Any]:
    (length,) = struct.unpack("<I", data[12:16])
    return cast("dict[str, Any]", json.loads(data[20 : 20 + length]))


STORED = {5120: ("i1", 127), 5121: ("u1", 255), 5122: ("<i2", 32767), 5123: ("<u2", 65535), 5125: ("<u4", 1),
          5126: ("<f4", 1)}  # fmt: skip


def accessor(data: bytes, number: int) -> npt.NDArray[np.float64]:
    """[count, components], as the specification says to read it: trimesh does not know normalised whole numbers."""
    described = document(data)
    accessor = described["accessors"][number]
    view = described["bufferViews"][accessor["bufferView"]]
    kind, most = STORED[accessor["componentType"]]
    width = {"SCALAR": 1, "VEC3": 3, "VEC4": 4}[accessor["type"]]
    step = np.dtype(kind).itemsize
    start = data.index(b"BIN\x00") + 4 + view["byteOffset"]
    rows = np.frombuffer(data, kind, view["byteLength"] // step, start)
    values = rows.reshape(accessor["count"], view.get("byteStride", width * step) // step)[:, :width].astype(np.float64)
    return values / most if accessor.get("normalized") else values


def assembled(data: bytes) -> trimesh.Trimesh:
    """All pieces of a glb, placed as its node says, with their colours or none."""
    described = document(data)
    (node,) = described["nodes"]
    pieces = []
    for piece in described["meshes"][0]["primitives"]:
        names = piece["attributes"]
        points = accessor(data, names["POSITION"]) * node.get("scale", [1, 1, 1]) + node.get("translation", [0, 0, 0])
        colours = encoded(accessor(data, names["COLOR_0"])[:, :3]) * 255 if "COLOR_0" in names else None
        faces = accessor(data, piece["indices"]).astype(int).reshape(-1, 3)
        colours = None if colours is None else np.rint(colours).astype(np.uint8)
        pieces.append(trimesh.Trimesh(points, faces, vertex_colors=colours, process=False))
    joined: Any = trimesh.util.concatenate
    return cast("trimesh.Trimesh", joined(pieces))


@pytest.mark.parametrize("quantised", [False, True], ids=["plain", "quantised"])
@pytest.mark.parametrize("name", MESHES)
def test_khronos_validator_has_nothing_to_say(
    name: str, quantised: bool, gltf_validator: Validator, tmp_path: Path
) -> None:
    """No error and no warning, for parts, glass, light, painted and open surfaces."""
    data = glb(fitted(MESHES[name]()), quantised=quantised)
    assert gltf_validator.complaints(data, tmp_path / "file.glb") == []


def test_the_validator_sees_what_is_broken(gltf_validator: Validator, tmp_path: Path) -> None:
    """Otherwise the test above would say nothing."""
    data = bytearray(glb(from_parts(chair())))
    place = data.index(b"BIN\x00") + 4
    data[place : place + 4] = struct.pack("<f", 1e9)
    assert gltf_validator.complaints(bytes(data), tmp_path / "file.glb") != []


@pytest.mark.parametrize("quantised", [False, True], ids=["plain", "quantised"])
def test_a_glb_stands_upright_in_a_box_of_one_metre(quantised: bool) -> None:
    """+Y is up, x and z are centred, nothing is outside: also after rounding to 16 bits."""
    mesh = fitted(from_parts(chair()))
    low, high = assembled(glb(mesh, quantised=quantised)).bounds
    assert low[1] == pytest.approx(0, abs=1e-4)
    assert (high - low).max() <= 1
    assert high[1] == (high - low).max()
    assert (low + high)[[0, 2]] == pytest.approx((0, 0), abs=1e-3)


def test_a_glb_says_how_its_parts_look() -> None:
    """Linear colours, metal, glass that is blended, and light."""
    materials = {
        material["name"]: material for material in document(glb(from_parts([*chair(), *tumbler()])))["materials"]
    }
    steel, red, glass = materials["metal #b2b2b8"], materials["matte #cc1a1a"], materials["glass #cce6f2"]
    assert steel["pbrMetallicRoughness"]["metallicFactor"] == 1
    assert red["pbrMetallicRoughness"]["baseColorFactor"] == pytest.approx([0.604, 0.010, 0.010, 1], abs=1e-3)
    assert "alphaMode" not in red
    assert glass["alphaMode"] == "BLEND"
    assert glass["pbrMetallicRoughness"]["baseColorFactor"][3] < 0.5
    (lamp,) = [m for m in document(glb(glowing()))["materials"] if "emissiveFactor" in m]
    assert lamp["emissiveFactor"] == pytest.approx([0.604, 0.010, 0.010], abs=1e-3)


def test_an_open_surface_is_seen_from_both_sides() -> None:
    assert document(glb(open_surface()))["materials"][0]["doubleSided"] is True
    assert "doubleSided" not in document(glb(painted_ball(16)))["materials"][0]


def test_the_quantised_glb_is_much_smaller_and_hardly_different() -> None:
    """The known step for what a chat does not take: under 70 %, the shape within a tenth of a millimetre."""
    mesh = fitted(painted_ball(128))
    plain, quantised = glb(mesh), glb(mesh, quantised=True)
    assert len(quantised) < 0.7 * len(plain)
    before, after = assembled(plain), assembled(quantised)
    assert before.bounds == pytest.approx(read(plain, "glb").bounds)
    assert after.vertices == pytest.approx(before.vertices, abs=1e-4)
    assert after.volume == pytest.approx(before.volume, rel=1e-3)


def test_a_quantised_glb_counts_its_vertices_in_two_bytes(
    gltf_validator: Validator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond 65,535 vertices (here 1,000) it becomes several pieces, which say the same."""
    monkeypatch.setattr(glb_module, "SMALL_INDEX", 1000)
    mesh = fitted(painted_ball(96))
    data = glb(mesh, quantised=True)
    described = document(data)
    pieces = described["meshes"][0]["primitives"]
    assert len(pieces) > 2
    assert {described["accessors"][piece["indices"]]["componentType"] for piece in pieces} == {5123}
    assert assembled(data).volume == pytest.approx(statistics(mesh).volume or 0, rel=1e-3)
    assert gltf_validator.complaints(data, tmp_path / "file.glb") == []


@pytest.mark.parametrize("name", ["chair", "glass", "scan"])
def test_an_stl_is_manifold(name: str) -> None:
    """Every edge has two faces after a reader welded equal places, all look outward, and one body stays one."""
    mesh = painted_ball() if name == "scan" else united({"chair": chair, "glass": tumbler}[name]())
    solid = read(written(mesh, "stl"), "stl")
    assert solid.is_watertight
    assert solid.is_winding_consistent
    assert len(solid.faces) == len(mesh.faces)
    scale = 100 / max(statistics(mesh).size)
    assert solid.volume == pytest.approx((statistics(mesh).volume or 0) * scale**3, rel=1e-4)


def test_an_stl_of_touching_bodies_is_manifold_too() -> None:
    """Two blocks that share nothing but an edge."""
    solid = read(written(united([Part(block(1, 1, 1)), Part(block(1, 1, 1, x=1, y=1))]), "stl"), "stl")
    assert solid.is_watertight


def test_an_stl_is_ready_to_print() -> None:
    """Millimetres, z up, standing on the plate, the longest side 100."""
    low, high = read(written(from_parts(chair()), "stl"), "stl").bounds
    assert low[2] == pytest.approx(0, abs=1e-4)
    assert high[2] == pytest.approx(100, abs=1e-3)
    back = read(written(united(lone(block(1, 1, 0.1, z=-0.5)) + lone(block(1, 0.1, 1))), "stl"), "stl")
    assert back.vertices[back.vertices[:, 2] > 50][:, 1].min() > 0  # what was behind (-z) lies at +y


@pytest.mark.parametrize("format", ["obj", "ply", "glb", "glb, quantised"])
def test_vertex_colours_can_be_read(format: str) -> None:
    """At the vertices, sRGB in obj and ply, linear in glb: red towards +x, whatever the format."""
    mesh = painted_ball(32)
    data = glb(mesh, quantised="quantised" in format)
    again = assembled(data) if "glb" in format else read(written(mesh, cast("Format", format)), format)
    assert len(again.faces) == len(mesh.faces)
    colours = colours_of(again)[:, :3].astype(int)
    expected = np.rint((again.vertices / 0.8 + 0.5) * 255)
    assert np.abs(colours - expected).max() <= (13 if "quantised" in format else 2)  # 8 bits are few for linear light


@pytest.mark.parametrize("format", ["obj", "ply"])
def test_materials_become_vertex_colours(format: Format) -> None:
    """Each part keeps its own; a vertex between two is there twice."""
    again = read(written(from_parts(chair()), format), format)
    seen = {tuple(colour) for colour in colours_of(again)[:, :3].tolist()}
    assert seen == {(178, 178, 184), (204, 26, 26), (140, 89, 51)}


@pytest.mark.parametrize("format", FORMATS)
def test_the_same_mesh_gives_the_same_bytes(format: Format) -> None:
    """Files are kept by the hash of what is in them."""
    assert written(from_parts(chair()), format) == written(from_parts(chair()), format)


@pytest.mark.parametrize("format", FORMATS)
def test_the_faces_arrive_whole(format: Format) -> None:
    """The volume that another program computes is the mesh's own."""
    mesh = fitted(united(chair()))
    scale = 100**3 / (1 - 1e-5) ** 3 if format == "stl" else 1
    again = read(written(mesh, format), format)
    again.merge_vertices(merge_norm=True, merge_tex=True)
    assert again.volume == pytest.approx((statistics(mesh).volume or 0) * scale, rel=1e-3)


@pytest.mark.parametrize("format", FORMATS)
def test_a_mesh_without_faces_is_no_file(format: Format) -> None:
    with pytest.raises(ValueError, match="without faces"):
        written(Mesh(np.eye(3, dtype=np.float32), np.zeros((0, 3), np.int32)), format)


def test_what_fits_is_not_touched() -> None:
    mesh = fitted(from_parts(chair()))
    fitting = within(mesh, "glb", 10_000_000)
    assert fitting is not None
    assert fitting == (glb(mesh), "")


def test_what_is_too_large_is_first_quantised() -> None:
    """And the user is told."""
    mesh = fitted(painted_ball(128))
    fitting = within(mesh, "glb", len(glb(mesh)) - 1)
    assert fitting is not None
    assert fitting.data == glb(mesh, quantised=True)
    assert fitting.done == "stored with 16-bit positions"


@pytest.mark.parametrize("format", FORMATS)
def test_then_it_gets_fewer_faces(format: Format) -> None:
    mesh = fitted(painted_ball(128))
    limit = len(written(mesh, format)) // 4
    fitting = within(mesh, format, limit)
    assert fitting is not None
    assert limit / 3 < len(fitting.data) <= limit
    assert f"from {len(mesh.faces):,} to " in fitting.done
    again = read(fitting.data, format)
    assert 0 < len(again.faces) < len(mesh.faces)


def test_what_cannot_be_made_small_enough_is_none() -> None:
    """Then there is only a link."""
    assert within(fitted(painted_ball(64)), "obj", 1000) is None
    assert mesh_files.FEWEST_FACES > 100


def test_a_name_cannot_become_a_line_of_an_obj() -> None:
    """It may come from what a user typed."""
    text = written(painted_ball(8), "obj", name="küche\nv 9 9 9").decode("ascii")
    assert "\no k_che_v_9_9_9\n" in text
    assert json.loads(json.dumps(document(glb(painted_ball(8), name="küche\n"))))["nodes"][0]["name"] == "küche\n"
