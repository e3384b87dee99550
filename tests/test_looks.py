"""What a prompt may ask of an object: colour, accent, finish, proportions, a seed."""

from __future__ import annotations

import math

import numpy as np
import pytest
from touching import loose, sides

from frontdesk.worker.families import FAMILIES
from frontdesk.worker.solids import Look, Part

OTHER = (0.123, 0.456, 0.789)

families = pytest.mark.parametrize("name", FAMILIES)


def built(name: str, look: Look) -> list[Part]:
    return FAMILIES[name].build(look)


def volumes(parts: list[Part]) -> list[tuple[float, ...]]:
    return [(part.solid.volume(), *part.solid.bounding_box()) for part in parts]


@families
def test_a_seed_makes_the_same_one_again_and_another_seed_another(name: str) -> None:
    first, again = built(name, Look(detail="draft")), built(name, Look(detail="draft"))
    for part, same in zip(first, again, strict=True):
        assert np.array_equal(part.solid.to_mesh().vert_properties, same.solid.to_mesh().vert_properties)
        assert np.array_equal(part.solid.to_mesh().tri_verts, same.solid.to_mesh().tri_verts)
        assert (part.colour, part.finish, part.name) == (same.colour, same.finish, same.name)
    assert any(volumes(built(name, Look(detail="draft", seed=seed))) != volumes(again) for seed in (1, 2, 3))


@families
def test_seeds_keep_it_in_proportion_and_in_one_piece(name: str) -> None:
    """Natural variation, not another thing."""
    parts = built(name, Look(seed=7, detail="draft"))
    assert sides(parts) == pytest.approx(FAMILIES[name].size, rel=0.4)
    assert loose(parts) == []


@pytest.mark.parametrize(("asked", "axis"), [("wide", 0), ("tall", 1), ("deep", 2)])
@families
def test_proportions_are_kept_to(name: str, asked: str, axis: int) -> None:
    """Half as wide again is half as wide again, and not taller."""
    factors = sides(built(name, Look(proportions={asked: 1.5}, detail="draft"))) / sides(
        built(name, Look(detail="draft"))
    )
    assert factors[axis] == pytest.approx(1.5, rel=0.2)
    assert np.delete(factors, axis) == pytest.approx([1, 1], rel=0.1)


@families
def test_odd_proportions_keep_it_in_one_piece(name: str) -> None:
    for proportions in ({"wide": 0.6, "tall": 1.6}, {"tall": 0.6, "deep": 1.6, "wide": 1.6}):
        assert loose(built(name, Look(proportions=proportions, detail="draft"))) == []


@families
def test_colour_reaches_the_main_parts_and_accent_the_second(name: str) -> None:
    """A red chair has a red seat; its lamp bulb, eyes and tyres stay as they are."""
    plain = built(name, Look(detail="draft"))
    coloured = built(name, Look(colour=OTHER, detail="draft"))
    accented = built(name, Look(accent=OTHER, detail="draft"))
    finished = built(name, Look(finish="metal", detail="draft"))
    main = {i for i, part in enumerate(coloured) if part.colour == OTHER}
    second = {i for i, part in enumerate(accented) if part.colour == OTHER}
    assert main
    assert main.isdisjoint(second)
    for i, part in enumerate(plain):
        assert coloured[i].colour == (OTHER if i in main else part.colour)
        assert accented[i].colour == (OTHER if i in second else part.colour)
        assert finished[i].finish == ("metal" if i in main else part.finish)


@families
def test_without_a_wish_every_part_has_a_name_and_a_colour(name: str) -> None:
    for part in built(name, Look(detail="draft")):
        assert all(0 <= value <= 1 for value in part.colour)
        assert part.name


def test_most_families_have_a_second_colour() -> None:
    accented = [n for n in FAMILIES if any(p.colour == OTHER for p in built(n, Look(accent=OTHER, detail="draft")))]
    assert len(accented) > 0.9 * len(FAMILIES)


@pytest.mark.parametrize("wish", [1000.0, -3.0, 0.0, math.inf, math.nan])
def test_impossible_proportions_are_brought_back(wish: float) -> None:
    """A thousand times as wide is no chair any more."""
    factors = sides(built("chair", Look(proportions={"wide": wish}))) / sides(built("chair", Look()))
    assert 0.3 < factors[0] < 3


def test_any_seed_is_taken() -> None:
    for seed in (-1, 2**70):
        assert built("tree", Look(seed=seed, detail="draft"))
