"""The modeller's families: every one is a solid thing of a real size that stands on the ground, in every fineness."""

from __future__ import annotations

from functools import cache
from itertools import combinations
from time import process_time

import numpy as np
import pytest
import trimesh
from manifold3d import Error, Manifold

from frontdesk.worker.families import FAMILIES
from frontdesk.worker.solids import SEGMENTS, Detail, Look, Part

TOUCH = 0.002  # of an object's largest side: what the eye takes for touching
OTHER = (0.123, 0.456, 0.789)

families = pytest.mark.parametrize("name", FAMILIES)
details = pytest.mark.parametrize("detail", SEGMENTS)


@cache
def built(name: str, detail: Detail = "good", seed: int = 0) -> tuple[Part, ...]:
    return tuple(FAMILIES[name].build(Look(detail=detail, seed=seed)))


def bounds(parts: tuple[Part, ...] | list[Part]) -> np.ndarray:
    """(2, 3): the lowest and the highest corner."""
    boxes = np.array([part.solid.bounding_box() for part in parts])
    return np.stack([boxes[:, :3].min(0), boxes[:, 3:].max(0)])


def sides(parts: tuple[Part, ...] | list[Part]) -> np.ndarray:
    return np.asarray(np.ptp(bounds(parts), 0))


def groups(solids: list[Manifold], reach: float) -> int:
    """How many groups of solids remain when those that are nearer than `reach` to each other are taken together."""
    boxes = np.array([solid.bounding_box() for solid in solids])
    leader = list(range(len(solids)))

    def find(i: int) -> int:
        while leader[i] != i:
            i = leader[i]
        return i

    for i, j in combinations(range(len(solids)), 2):
        near = (boxes[i, :3] <= boxes[j, 3:] + reach).all() and (boxes[j, :3] <= boxes[i, 3:] + reach).all()
        if near and find(i) != find(j) and solids[i].min_gap(solids[j], 2 * reach) <= reach:
            leader[find(i)] = find(j)
    return len({find(i) for i in range(len(solids))})


def test_there_are_many_families() -> None:
    assert len(FAMILIES) >= 44


@details
@families
def test_every_part_is_a_closed_solid(name: str, detail: Detail) -> None:
    """No hole, no loose edge, nothing inside out: it can be printed, joined and cut."""
    for part in built(name, detail):
        mesh = part.solid.to_mesh()
        checked = trimesh.Trimesh(mesh.vert_properties[:, :3], mesh.tri_verts, process=False)
        assert part.solid.status() == Error.NoError, part.name
        assert part.solid.volume() > 0, part.name
        assert checked.is_watertight, part.name
        assert checked.is_winding_consistent, part.name
        assert checked.volume > 0, part.name


@details
@families
def test_it_stands_on_the_ground_in_the_middle(name: str, detail: Detail) -> None:
    low, high = bounds(built(name, detail))
    assert abs(low[1]) <= 0.001
    assert np.abs((low + high)[[0, 2]] / 2).max() <= 0.01


@details
@families
def test_it_has_the_size_of_a_real_one(name: str, detail: Detail) -> None:
    """Within 40 % of what the family states, each way."""
    assert sides(built(name, detail)) == pytest.approx(FAMILIES[name].size, rel=0.4)


@details
@families
def test_it_is_not_too_heavy_for_a_file(name: str, detail: Detail) -> None:
    assert sum(part.solid.num_tri() for part in built(name, detail)) < 60_000


@details
@families
def test_no_part_floats(name: str, detail: Detail) -> None:
    """Every loose body of every part touches another, and all hang together."""
    parts = built(name, detail)
    bodies = [body for part in parts for body in part.solid.decompose()]
    assert groups(bodies, float(sides(parts).max()) * TOUCH) == 1


@families
def test_it_is_made_quickly(name: str) -> None:
    """Under 0.4 s of one core."""
    started = process_time()
    FAMILIES[name].build(Look(seed=1))
    assert process_time() - started < 0.4


@families
def test_a_seed_makes_the_same_one_again_and_another_seed_another(name: str) -> None:
    again = FAMILIES[name].build(Look(seed=0))
    for part, same in zip(built(name), again, strict=True):
        assert np.array_equal(part.solid.to_mesh().vert_properties, same.solid.to_mesh().vert_properties)
        assert (part.colour, part.finish, part.name) == (same.colour, same.finish, same.name)
    assert any(volumes(FAMILIES[name].build(Look(seed=seed))) != volumes(again) for seed in (1, 2, 3))


def volumes(parts: list[Part]) -> list[tuple[float, ...]]:
    return [(part.solid.volume(), *part.solid.bounding_box()) for part in parts]


@families
def test_seeds_keep_it_in_proportion_and_in_one_piece(name: str) -> None:
    """Natural variation, not another thing."""
    parts = FAMILIES[name].build(Look(seed=7, detail="draft"))
    assert sides(parts) == pytest.approx(FAMILIES[name].size, rel=0.4)
    bodies = [body for part in parts for body in part.solid.decompose()]
    assert groups(bodies, float(sides(parts).max()) * TOUCH) == 1


@pytest.mark.parametrize(("asked", "axis"), [("wide", 0), ("tall", 1), ("deep", 2)])
@families
def test_proportions_are_kept_to(name: str, asked: str, axis: int) -> None:
    """Half as wide again is half as wide again, and not taller; it stays in one piece."""
    plain = sides(built(name, "draft"))
    parts = FAMILIES[name].build(Look(proportions={asked: 1.5}, detail="draft"))
    factors = sides(parts) / plain
    assert factors[axis] == pytest.approx(1.5, rel=0.2)
    assert np.delete(factors, axis) == pytest.approx([1, 1], rel=0.1)
    bodies = [body for part in parts for body in part.solid.decompose()]
    assert groups(bodies, float(sides(parts).max()) * TOUCH) == 1


@families
def test_colour_reaches_the_main_parts_and_accent_the_second(name: str) -> None:
    """A red chair has a red seat; its lamp bulb, eyes and tyres stay as they are."""
    plain = built(name, "draft")
    coloured = FAMILIES[name].build(Look(colour=OTHER, detail="draft"))
    accented = FAMILIES[name].build(Look(accent=OTHER, detail="draft"))
    finished = FAMILIES[name].build(Look(finish="metal", detail="draft"))
    main = {i for i, part in enumerate(coloured) if part.colour == OTHER}
    second = {i for i, part in enumerate(accented) if part.colour == OTHER}
    assert main
    assert main.isdisjoint(second)
    for i, (before, after) in enumerate(zip(plain, coloured, strict=True)):
        assert i in main or after.colour == before.colour
    assert {i for i, part in enumerate(finished) if part.finish == "metal"} >= main
    assert all(part.finish == before.finish for i, (before, part) in enumerate(zip(plain, finished, strict=True)) if i not in main)


@families
def test_the_colours_are_colours(name: str) -> None:
    for part in built(name, "draft"):
        assert all(0 <= value <= 1 for value in part.colour)
        assert part.name


def test_a_word_means_one_family() -> None:
    words = [word for family in FAMILIES.values() for word in family.words]
    assert len(words) == len(set(words))
    assert all(word == word.lower().strip() for word in words)
    assert all(name == family.name for name, family in FAMILIES.items())


def test_extreme_proportions_are_brought_back() -> None:
    """A thousand times as wide is no chair any more."""
    wide = sides(FAMILIES["chair"].build(Look(proportions={"wide": 1000.0})))
    assert wide[0] < 3 * sides(built("chair"))[0]


def test_any_seed_is_taken() -> None:
    for seed in (-1, 2**70):
        assert FAMILIES["tree"].build(Look(seed=seed, detail="draft"))
