"""Meshes: what is said of their shape, how they are put into the box, and parts that become one solid."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from things import (
    BLUE,
    RED,
    STEEL,
    WOOD,
    Part,
    ball,
    block,
    chair,
    from_parts,
    lone,
    painted_ball,
    rod,
    tumbler,
    united,
)

from frontdesk.worker.meshes import Material, Mesh, corner_normals, fitted, joined, statistics, watertight
from frontdesk.worker.simplifying import simplified


def triangle() -> Mesh:
    return Mesh(np.eye(3, dtype=np.float32), np.array([[0, 1, 2]], np.int32))


def test_a_block_is_as_large_as_it_was_made() -> None:
    """Twelve triangles, its size in metres, closed, and its volume in cubic metres."""
    figures = statistics(from_parts(lone(block(0.2, 0.3, 0.5))))
    assert (figures.faces, figures.vertices, figures.watertight) == (12, 8, True)
    assert figures.size == pytest.approx((0.2, 0.3, 0.5), abs=1e-6)
    assert figures.volume == pytest.approx(0.03, abs=1e-6)


def test_an_open_surface_has_no_volume() -> None:
    """It would be the volume of nothing in particular."""
    closed = from_parts(lone(block(1, 1, 1)))
    figures = statistics(Mesh(closed.vertices, closed.faces[1:]))
    assert not figures.watertight
    assert figures.volume is None


def test_a_face_turned_inside_out_is_no_closed_surface() -> None:
    closed = from_parts(lone(block(1, 1, 1)))
    faces = closed.faces.copy()
    faces[0] = faces[0, ::-1]
    assert watertight(closed)
    assert not watertight(Mesh(closed.vertices, faces))


@pytest.mark.parametrize(
    ("size", "at"), [((2, 0.5, 1), (3, -4, 1)), ((0.01, 0.04, 0.02), (0, 0, 0)), ((1, 1, 1), (0, 7, 0))]
)
def test_a_fitted_mesh_stands_in_the_middle_of_its_box(
    size: tuple[float, float, float], at: tuple[float, float, float]
) -> None:
    """Its longest side is 1 m and never more, it stands on y = 0, and is centred over the origin; its shape stays."""
    mesh = fitted(from_parts(lone(block(*size, *at))))
    low, high = mesh.vertices.min(axis=0), mesh.vertices.max(axis=0)
    assert low[1] == 0
    assert (low + high)[[0, 2]] == pytest.approx((0, 0), abs=1e-6)
    assert (high - low).max() <= 1
    assert high - low == pytest.approx(np.array(size) / max(size), abs=1e-4)


def test_what_cannot_be_a_mesh_is_refused() -> None:
    """Rather than written into a file that no program opens."""
    corners, faces = np.eye(3, dtype=np.float32), np.array([[0, 1, 2]], np.int32)
    with pytest.raises(ValueError, match="not there"):
        Mesh(corners, np.array([[0, 1, 3]], np.int32))
    with pytest.raises(ValueError, match="nowhere"):
        Mesh(np.full((3, 3), np.nan, np.float32), faces)
    with pytest.raises(ValueError, match="four bytes"):
        Mesh(corners, faces, np.zeros((2, 4), np.uint8))
    with pytest.raises(ValueError, match="one of the materials"):
        Mesh(corners, faces, of_face=np.array([1], np.int32))
    with pytest.raises(ValueError, match="0 to 1"):
        Material("too much", (0, 0, 1.5))
    with pytest.raises(ValueError, match="without faces"):
        fitted(Mesh(corners, np.zeros((0, 3), np.int32)))
    with pytest.raises(ValueError, match="nothing"):
        joined([])


def test_parts_keep_their_colours_and_become_one_closed_surface() -> None:
    """What lies inside of another part is gone: the legs' ends within the seat are no faces any more."""
    parts = chair()
    mesh = from_parts(parts)
    figures = statistics(mesh)
    assert figures.watertight
    assert figures.volume is not None
    assert 0 < figures.volume < sum(part.solid.volume() for part in parts) - 1e-5
    assert [material.name for material in mesh.materials] == ["metal #b2b2b8", "matte #cc1a1a", "matte #8c5933"]
    tops = {part.name: part.colour for part in parts}
    for face in range(0, len(mesh.faces), 7):
        middle, colour = (
            mesh.vertices[mesh.faces[face]].mean(axis=0),
            mesh.materials[mesh.material_of_face[face]].colour,
        )
        if middle[1] < 0.42:
            assert colour == tops["leg"] == STEEL
        elif middle[1] > 0.50:
            assert colour == tops["back"] == WOOD


def test_one_sees_what_a_glass_holds() -> None:
    """To look at, glass stays apart from what it touches; to print, all is one solid."""
    mesh, solid = from_parts(tumbler()), united(tumbler())
    opacity = np.array([material.opacity for material in mesh.materials])[mesh.material_of_face]
    assert 0 < (opacity < 1).sum() < len(mesh.faces)
    assert statistics(mesh).watertight
    assert statistics(solid).watertight
    assert len(solid.faces) < len(mesh.faces)


def test_bodies_that_touch_along_an_edge_stay_apart() -> None:
    """Two blocks corner to corner share an edge of four faces as soon as a file's reader welds equal places."""
    parts = [Part(block(1, 1, 1)), Part(block(1, 1, 1, x=1, y=1), BLUE)]
    mesh = united(parts)
    assert watertight(mesh)
    assert len(np.unique(mesh.vertices, axis=0)) == len(mesh.vertices) == 16


def test_solids_that_are_nothing_are_refused() -> None:
    with pytest.raises(ValueError, match="do not make a solid"):
        united(lone(block(1, 1, 1) - block(2, 2, 2, y=-0.5)))
    with pytest.raises(ValueError, match="nothing"):
        from_parts([])


def test_the_same_parts_give_the_same_mesh() -> None:
    """To the last bit: files are known by their content."""
    first, second = from_parts(chair()), from_parts(chair())
    assert (first.vertices == second.vertices).all()
    assert (first.faces == second.faces).all()
    assert (first.material_of_face == second.material_of_face).all()


def test_edges_are_sharp_and_curves_smooth() -> None:
    """A cylinder's side shades as if it were round, its rim as an edge: the crease lies at 40 degrees."""
    mesh = from_parts(lone(rod(0.5, 1, segments=24)))
    normals = corner_normals(mesh).reshape(-1, 3)
    places = mesh.vertices[mesh.faces].reshape(-1, 3)
    assert np.linalg.norm(normals, axis=1) == pytest.approx(np.ones(len(normals)), abs=1e-5)
    flat = np.abs(normals[:, 1]) > 0.5
    assert np.abs(normals[flat]) == pytest.approx(np.tile((0.0, 1.0, 0.0), (flat.sum(), 1)), abs=1e-5)
    outward = places[~flat] * (2, 0, 2)
    assert normals[~flat] == pytest.approx(outward, abs=math.sin(math.radians(1)))


def test_a_block_has_flat_sides() -> None:
    normals = corner_normals(from_parts(lone(block(1, 1, 1)))).reshape(-1, 3)
    assert np.sort(np.abs(normals), axis=1) == pytest.approx(np.tile((0.0, 0.0, 1.0), (36, 1)), abs=1e-6)


def test_a_painted_surface_is_smooth_everywhere() -> None:
    """It was measured, so an edge of one triangle against the next is noise."""
    mesh = painted_ball(16)
    normals = corner_normals(mesh)
    for vertex in range(0, len(mesh.vertices), 5):
        around = normals[mesh.faces == vertex]
        assert around == pytest.approx(np.tile(around[0], (len(around), 1)), abs=1e-5)


def test_a_face_without_area_has_a_normal_all_the_same() -> None:
    """The glTF validator refuses one of length 0."""
    mesh = Mesh(np.array([(0, 0, 0), (1, 0, 0), (2, 0, 0)], np.float32), np.array([[0, 1, 2]], np.int32))
    assert np.linalg.norm(corner_normals(mesh), axis=2) == pytest.approx(np.ones((1, 3)))


@pytest.mark.parametrize("target", [4000, 800])
def test_fewer_faces_are_still_the_same_closed_shape(target: int) -> None:
    """At most as many as asked for, still closed, the volume within a hundredth."""
    mesh = from_parts([Part(ball(0.5, segments=128), RED), Part(block(0.2, 1.4, 0.2), BLUE)])
    fewer = simplified(mesh, target)
    before, after = statistics(mesh), statistics(fewer)
    assert target / 2 < after.faces <= target < before.faces
    assert after.watertight
    assert after.volume == pytest.approx(before.volume, rel=0.01)
    assert after.size == pytest.approx(before.size, abs=0.01)
    assert fewer.materials == mesh.materials
    above = fewer.vertices[fewer.faces].mean(axis=1)[:, 1] > 1.1
    assert {fewer.materials[place].colour for place in fewer.material_of_face[above]} == {BLUE}


def test_fewer_faces_keep_the_colours_where_they_were() -> None:
    """A painted ball is red towards +x, before and after."""
    fewer = simplified(painted_ball(128), 3000)
    assert fewer.colours is not None
    assert len(fewer.faces) <= 3000
    expected = (fewer.vertices / 0.8 + 0.5) * 255
    assert np.abs(fewer.colours[:, :3] - expected).max() < 12


def test_a_mesh_that_is_small_enough_stays_as_it_is() -> None:
    mesh = triangle()
    assert simplified(mesh, 1) is mesh


def test_an_open_surface_can_be_made_smaller_too() -> None:
    """A reconstruction may end at the border of its volume."""
    whole = painted_ball(128)
    half = Mesh(whole.vertices, whole.faces[whole.vertices[whole.faces].mean(axis=1)[:, 1] > 0], whole.colours)
    fewer = simplified(half, 2000)
    assert 1000 < len(fewer.faces) <= 2000
    assert fewer.vertices[:, 1].max() == pytest.approx(0.4, abs=0.01)


@pytest.mark.parametrize("make", [lambda: painted_ball(32), lambda: united(tumbler())])
def test_making_fewer_faces_can_be_ended(make: Callable[[], Mesh]) -> None:
    """Between its steps: on a large mesh each takes a second or more."""
    mesh, asked = make(), list[None]()
    simplified(mesh, len(mesh.faces) // 2, lambda: asked.append(None))
    assert len(asked) >= 2


def test_joined_meshes_share_equal_materials() -> None:
    mesh = joined([from_parts(lone(block(1, 1, 1), RED)), from_parts(chair())])
    assert [material.name for material in mesh.materials].count("matte #cc1a1a") == 1
    assert statistics(mesh).watertight


@pytest.mark.parametrize("make", [tumbler, chair])
def test_what_is_thin_stays_closed_with_fewer_faces(make: Callable[[], list[Part]]) -> None:
    """A wall of two millimetres folds easily; a printer needs it closed all the same."""
    mesh = united(make())
    fewer = simplified(mesh, len(mesh.faces) // 2)
    assert len(fewer.faces) <= len(mesh.faces) // 2
    assert statistics(fewer).watertight
