"""Building blocks: closed, where they are asked to be, and of the size asked for."""

from __future__ import annotations

import math

import numpy as np
import pytest
from manifold3d import Error, Manifold

from frontdesk.worker.blocks import Blocks, Point, arc, around, four, mirrored, row, section, smooth, star

b = Blocks(32)
SQUARE = [(0.0, 0.0), (2.0, 0.0), (2.0, 1.0), (0.0, 1.0)]
WAVE: list[Point] = [(0.02 * i, 0.3 * math.sin(0.2 * i), 0.2 * math.cos(0.2 * i)) for i in range(45)]
LOOP: list[Point] = [(math.cos(t), 0.0, math.sin(t)) for t in np.linspace(0, math.tau, 20, endpoint=False)]
BLOCKS: dict[str, tuple[Manifold, float]] = {
    # name: (a solid, its volume by school geometry)
    "box": (b.box((1, 2, 3)), 6),
    "rounded box": (b.box((1, 2, 3), edge=0.001), 6),
    "cylinder": (b.cylinder(1, 2), 2 * math.pi),
    "cone": (b.cylinder(1, 3, top=0), math.pi),
    "rounded cylinder": (b.cylinder(1, 2, edge=0.01), 2 * math.pi),
    "rod": (b.rod((1, 2, 3), (2, 0, 1), 0.1), 0.03 * math.pi),
    "limb": (b.limb((0, 0, 0), (0, 0, 1), 0.5), 0.25 * math.pi + math.pi / 6),
    "ball": (b.ball((1, 2, 3)), 8 * math.pi),
    "turn": (b.turn([(1, 0), (2, 0), (2, 1), (1, 1)]), 3 * math.pi),
    "vessel": (b.vessel([(1.0, 0.0), (1.0, 2.0)], 0.1), 2 * math.pi - 0.81 * math.pi * 1.9),
    "torus": (b.torus(2, 0.5), math.pi**2),
    "tube": (b.tube([(0, 0, 0), (0, 1, 0), (0, 2, 0)], 0.3), 0.18 * math.pi),
    "bent tube": (b.tube(WAVE, 0.01), 0.0001 * math.pi * float(np.linalg.norm(np.diff(WAVE, axis=0), axis=1).sum())),
    "ring tube": (b.tube(LOOP, 0.05, closed=True), 0.0025 * math.pi * math.tau),
    "helix": (b.helix(1, 0.5, 2, 0.05), 0.0025 * math.pi * math.hypot(2 * math.tau, 0.5)),
    "plate": (b.plate(SQUARE, 0.5), 1),
    "slab": (b.slab(SQUARE, 0.5), 1),
}


@pytest.mark.parametrize("name", BLOCKS)
def test_a_block_is_closed_and_has_its_volume(name: str) -> None:
    """Within 6 %: what is round is made of flat faces."""
    solid, volume = BLOCKS[name]
    assert solid.status() == Error.NoError
    assert solid.volume() == pytest.approx(volume, rel=0.06)


def test_blocks_stand_on_their_base() -> None:
    for solid in (b.box((1, 2, 1), (5, 3, 1)), b.box((1, 2, 1), (5, 3, 1), edge=0.2), b.cylinder(0.5, 2, (5, 3, 1))):
        assert solid.bounding_box() == pytest.approx((4.5, 3, 0.5, 5.5, 5, 1.5))


def test_an_outline_lies_or_stands_as_it_is_drawn() -> None:
    """Upright: x and y, the thickness about z. Lying: x and z, the thickness upwards."""
    assert b.plate(SQUARE, 0.5).bounding_box() == pytest.approx((0, 0, -0.25, 2, 1, 0.25))
    assert b.slab(SQUARE, 0.5).bounding_box() == pytest.approx((0, 0, 0, 2, 0.5, 1))


def test_an_outline_may_go_round_either_way() -> None:
    assert section(SQUARE).area() == pytest.approx(2)
    assert section(SQUARE[::-1]).area() == pytest.approx(2)


def test_copies_are_where_they_should_be() -> None:
    cube = b.box((1, 1, 1), (2, 0, 3))
    assert mirrored(cube).bounding_box() == pytest.approx((-2.5, 0, 2.5, 2.5, 1, 3.5))
    assert four(cube).volume() == pytest.approx(4)
    assert around(cube, 5).volume() == pytest.approx(5)
    assert row(cube, 3, (2, 0, 0)).bounding_box() == pytest.approx((1.5, 0, 2.5, 6.5, 1, 3.5))


def test_a_smooth_line_passes_through_its_points() -> None:
    points = [(0.0, 0.0), (1.0, 2.0), (3.0, 1.0)]
    assert smooth(points, 4)[::4] == pytest.approx(np.array(points))
    assert len(smooth(points, 4, closed=True)) == 12


def test_stars_and_arcs_lie_on_their_circles() -> None:
    radii = [round(math.hypot(x, y), 6) for x, y in star(5, 2, 1)]
    assert radii == [2, 1] * 5
    assert all(math.hypot(x, y) == pytest.approx(3) for x, y in arc(3, 10, 80))


def test_a_blob_is_as_rough_as_asked_and_depends_on_the_seed_alone() -> None:
    def blob(rough: float, seed: int = 1) -> Manifold:
        return b.blob((1, 1, 1), (0, 0, 0), rough, np.random.default_rng(seed))

    assert blob(0).volume() == pytest.approx(b.ball(1).volume())
    assert blob(0.1).volume() == blob(0.1).volume() != blob(0.1, seed=2).volume()
