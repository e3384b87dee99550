"""What a prompt may ask of an object: colour, accent, finish, proportions, a seed."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import pytest
from touching import loose, sides

from frontdesk.worker.families import FAMILIES
from frontdesk.worker.solids import Look, Part

COLOUR, ACCENT = (0.123, 0.456, 0.789), (0.987, 0.654, 0.321)

families = pytest.mark.parametrize("name", FAMILIES)


def built(name: str, look: Look) -> list[Part]:
    return FAMILIES[name].build(look)


@cache
def plain(name: str) -> list[Part]:
    """With nothing asked, coarsely."""
    return built(name, Look(detail="draft"))


@cache
def dressed(name: str) -> list[Part]:
    return built(name, Look(colour=COLOUR, accent=ACCENT, finish="metal", detail="draft"))


def same(first: list[Part], second: list[Part]) -> bool:
    """Whether two objects agree in every vertex, face, colour, finish and name."""
    return len(first) == len(second) and all(
        np.array_equal(a.solid.to_mesh().vert_properties, b.solid.to_mesh().vert_properties)
        and np.array_equal(a.solid.to_mesh().tri_verts, b.solid.to_mesh().tri_verts)
        and (a.colour, a.finish, a.name) == (b.colour, b.finish, b.name)
        for a, b in zip(first, second, strict=True)
    )


@families
def test_the_same_look_makes_the_same_object(name: str) -> None:
    assert same(plain(name), built(name, Look(detail="draft")))


@families
def test_another_seed_makes_another_one_in_proportion_and_in_one_piece(name: str) -> None:
    """Natural variation, not another thing."""
    parts = built(name, Look(seed=7, detail="draft"))
    assert any(not same(built(name, Look(seed=seed, detail="draft")), plain(name)) for seed in (7, 8, 9, 10))
    assert sides(parts) == pytest.approx(FAMILIES[name].size, rel=0.4)
    assert loose(parts) == []


@pytest.mark.parametrize("asked", [(0.6, 1.5, 1.0), (1.5, 0.6, 1.5)])
@families
def test_proportions_are_kept_to_in_one_piece(name: str, asked: tuple[float, float, float]) -> None:
    """Half as wide again is half as wide again, and not taller."""
    wanted = dict(zip(("wide", "tall", "deep"), asked, strict=True))
    parts = built(name, Look(proportions=wanted, detail="draft"))
    assert sides(parts) / sides(plain(name)) == pytest.approx(asked, rel=0.2)
    assert loose(parts) == []


@families
def test_colour_reaches_the_main_parts_and_accent_the_second(name: str) -> None:
    """A red chair has a red seat; a bulb, eyes and tyres stay as they are."""
    main = [part.colour == COLOUR for part in dressed(name)]
    assert any(main)
    for before, after in zip(plain(name), dressed(name), strict=True):
        if after.colour == COLOUR:
            assert after.finish == "metal"
        else:
            assert after.finish == before.finish
            assert after.colour in (ACCENT, before.colour)


@families
def test_one_wish_leaves_the_others_alone(name: str) -> None:
    """Colour alone changes no accent, no finish; nor does any wish of dress change a shape."""
    coloured = built(name, Look(colour=COLOUR, detail="draft"))
    for before, after, full in zip(plain(name), coloured, dressed(name), strict=True):
        assert after.colour == (COLOUR if full.colour == COLOUR else before.colour)
        assert after.finish == before.finish
        assert after.solid.bounding_box() == full.solid.bounding_box() == before.solid.bounding_box()


@families
def test_without_a_wish_every_part_has_a_name_and_a_colour(name: str) -> None:
    for part in plain(name):
        assert all(0 <= value <= 1 for value in part.colour)
        assert part.name


def test_most_families_have_a_second_colour() -> None:
    accented = [name for name in FAMILIES if any(part.colour == ACCENT for part in dressed(name))]
    assert len(accented) > 0.9 * len(FAMILIES)


@pytest.mark.parametrize("wish", [1000.0, -3.0, 0.0, math.inf, math.nan])
def test_impossible_proportions_are_brought_back(wish: float) -> None:
    """A thousand times as wide is no chair any more."""
    factors = sides(built("chair", Look(proportions={"wide": wish}))) / sides(built("chair", Look()))
    assert 0.3 < factors[0] < 3


def test_any_seed_is_taken() -> None:
    for seed in (-1, 2**70):
        assert built("tree", Look(seed=seed, detail="draft"))
