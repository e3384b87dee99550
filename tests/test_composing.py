"""Where things stand: on, under, beside, around, between and inside one another, touching and never in each other."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from manifold3d import Manifold, OpType
from numpy.typing import NDArray
from small_families import BUILT, FAMILIES

from frontdesk.worker.composing import Composition, compose
from frontdesk.worker.prompt_grammar import Grammar
from frontdesk.worker.scene import Item, Relation, RelationKind, Scene
from frontdesk.worker.solids import Look

GRAMMAR = Grammar(FAMILIES)
MILLIMETRE = 0.001
Vector = NDArray[np.float64]


def composed(prompt: str, seed: int = 0) -> tuple[Composition, dict[str, list[Manifold]]]:
    """The composition of a prompt, and each family's objects as solids, copy by copy."""
    scene = GRAMMAR.understand(prompt).scene
    composition = compose(scene, FAMILIES, seed=seed)
    return composition, {
        scene.items[number].family: [solid for (item, _), solid in objects(composition).items() if item == number]
        for number in range(len(scene.items))
    }


def objects(composition: Composition) -> dict[tuple[int, int], Manifold]:
    """Item and copy -> the solid in its place."""
    parts: dict[tuple[int, int], list[Manifold]] = {}
    for placed in composition.parts:
        parts.setdefault((placed.item, placed.copy), []).append(placed.solid())
    return {key: Manifold.batch_boolean(solids, OpType.Add) for key, solids in sorted(parts.items())}


def low(solid: Manifold) -> Vector:
    return np.array(solid.bounding_box()[:3])


def high(solid: Manifold) -> Vector:
    return np.array(solid.bounding_box()[3:])


def middle(solid: Manifold) -> Vector:
    return (low(solid) + high(solid)) / 2


def touch(one: Manifold, other: Manifold) -> bool:
    return bool(one.min_gap(other, 1.0) < MILLIMETRE)


def apart(solids: list[Manifold]) -> bool:
    """Whether none is in another by more than a millimetre from above."""
    return all(
        (a.translate((0, MILLIMETRE, 0)) ^ b).volume() < 1e-9 or (a.translate((0, -MILLIMETRE, 0)) ^ b).volume() < 1e-9
        for a, b in combinations(solids, 2)
    )


def everything(composition: Composition) -> list[Manifold]:
    return list(objects(composition).values())


@pytest.mark.parametrize(
    ("prompt", "height"),
    [
        ("a lamp on a table", 0.75),
        ("a cat on a chair", 0.47),  # the seat: the back's edge is higher, but no place to sit
        ("a book on a stone", 0.5),
        ("a cat on a sofa", 0.4),
        ("a bowl on a book on a table", 0.78),
        ("a huge stone on a small table", 0.525),
    ],
)
def test_on_rests_on_the_highest_flat_area(prompt: str, height: float) -> None:
    """It stands at that height, touches what carries it, and is in nothing."""
    composition, found = composed(prompt)
    upper, carrier = (solids[0] for solids in list(found.values())[:2])
    assert low(upper)[1] == pytest.approx(height, abs=MILLIMETRE)
    assert touch(upper, carrier)
    assert apart(everything(composition))


@pytest.mark.parametrize(
    "prompt", ["a stone on an orange", "a cat on a lamp", "a table on a tree", "a chair on a knife"]
)
def test_on_what_has_no_room_balances(prompt: str) -> None:
    """Where no flat area is large enough it rests on the top all the same."""
    composition, found = composed(prompt)
    upper, carrier = (solids[0] for solids in found.values())
    assert touch(upper, carrier)
    assert apart([upper, carrier])
    assert low(upper)[1] > 0
    assert composition.low[1] == 0


def test_several_share_a_table_without_crowding_each_other() -> None:
    """Ten books, two lamps and a bowl all lie on the table top itself."""
    composition, found = composed("ten books and two lamps on a table")
    tops = [*found["book"], *found["lamp"]]
    assert [round(low(solid)[1], 3) for solid in tops] == [0.75] * 12
    assert apart(everything(composition))


def test_copies_spread_over_the_copies_of_what_carries_them() -> None:
    """Two lamps on two tables: one each."""
    _, found = composed("two lamps on two tables")
    for lamp, table in zip(found["lamp"], found["table"], strict=True):
        assert touch(lamp, table)


def test_under_stands_between_the_legs() -> None:
    """A cat has room under a table: on the floor, below its top, in none of its legs."""
    composition, found = composed("a cat under a table")
    [cat], [table] = found["cat"], found["table"]
    assert low(cat)[1] == 0
    assert np.all(low(cat)[[0, 2]] > low(table)[[0, 2]])
    assert np.all(high(cat) < high(table))
    assert apart([cat, table])
    assert composition.notes == ()


def test_what_is_too_large_for_under_is_made_smaller_and_that_is_said() -> None:
    """A dog of 0.7 m goes under a table with 0.7 m of room at most."""
    composition, found = composed("a large dog under a table")
    [dog], [table] = found["dog"], found["table"]
    assert high(dog)[1] < high(table)[1]
    assert apart([dog, table])
    assert composition.notes == ("The dog was made smaller, 70% of its size, to fit under the table.",)


def test_what_is_flat_carries_what_it_is_under() -> None:
    """A rug has no room under a table's legs, nor a table under a lamp: these stand on them."""
    _, found = composed("a rug under a table")
    assert low(found["table"][0])[1] == pytest.approx(high(found["rug"][0])[1], abs=MILLIMETRE)
    _, found = composed("a table under a lamp")
    assert low(found["lamp"][0])[1] == pytest.approx(high(found["table"][0])[1], abs=MILLIMETRE)


def test_no_room_under_at_all_is_said() -> None:
    """Under a solid house there is no room for a cat."""
    composition, found = composed("a cat under a house")
    assert composition.notes == ("There is no room under the house: it stands beside it.",)
    assert apart(everything(composition))
    assert low(found["cat"][0])[1] == 0


@pytest.mark.parametrize(
    ("relation", "axis", "sign"),
    [("to the left of", 0, -1), ("to the right of", 0, 1), ("behind", 2, -1), ("in front of", 2, 1)],
)
def test_sides_are_as_the_viewer_sees_them(relation: str, axis: int, sign: int) -> None:
    """The viewer is at +z: left is -x. Both stand on the floor with a gap in proportion, in line."""
    composition, found = composed(f"three cats {relation} a table")
    table = found["table"][0]
    for cat in found["cat"]:
        gap = low(cat)[axis] - high(table)[axis] if sign > 0 else low(table)[axis] - high(cat)[axis]
        assert gap >= 0.01
        assert low(cat)[1] == 0
    nearest = min(abs(middle(cat)[axis] - middle(table)[axis]) for cat in found["cat"])
    assert nearest < (high(table) - low(table))[axis] / 2 + 0.4
    assert apart(everything(composition))


def test_seats_face_the_table_they_stand_beside() -> None:
    """The issue's own prompt: one chair on either side, its back away from the table."""
    composition, found = composed("two small red chairs beside a round wooden table")
    table = middle(found["round table"][0])
    assert len(found["chair"]) == 2
    sides = [np.sign(middle(chair)[0] - table[0]) for chair in found["chair"]]
    assert sorted(sides) == [-1, 1]
    for chair, side in zip(found["chair"], sides, strict=True):
        back = chair.trim_by_plane((0, 1, 0), 0.5)  # only the back is so high
        assert np.sign(middle(back)[0] - middle(chair)[0]) == side
        assert high(chair)[1] == pytest.approx(0.7 * 0.9, abs=MILLIMETRE)
    assert apart(everything(composition))


@pytest.mark.parametrize("count", ["one", "two", "three", "four", "seven", "12"])
def test_around_is_an_even_circle_facing_the_middle(count: str) -> None:
    """Equal distances from the middle, equal steps between neighbours, every back outside."""
    composition, found = composed(f"{count} chairs around a table")
    [table], chairs = found["table"], found["chair"]
    centre = middle(table)
    away = [math.hypot(*(placed.translation[axis] - centre[axis] for axis in (0, 2))) for placed in seats(composition)]
    assert away == pytest.approx([away[0]] * len(away), abs=1e-6)
    angles = sorted(
        math.atan2(placed.translation[0] - centre[0], placed.translation[2] - centre[2]) % (2 * math.pi)
        for placed in seats(composition)
    )
    steps = np.diff([*angles, angles[0] + 2 * math.pi])
    assert steps == pytest.approx([2 * math.pi / len(chairs)] * len(chairs), abs=1e-6)
    for placed in seats(composition):
        front = np.array([math.sin(placed.turn), math.cos(placed.turn)])
        inward = np.array([centre[0] - placed.translation[0], centre[2] - placed.translation[2]])
        assert front @ inward / np.linalg.norm(inward) == pytest.approx(1)
    assert apart(everything(composition))


def seats(composition: Composition) -> list:  # type: ignore[type-arg]
    """The first part of each chair."""
    chairs = {part.copy: part for part in reversed(composition.parts) if part.item == 0}
    return [chairs[copy] for copy in sorted(chairs)]


def test_between_two_of_a_kind() -> None:
    """A stone between two cats has room, though the cats alone would stand nearer."""
    composition, found = composed("a stone between two cats")
    [stone], [left, right] = found["stone"], found["cat"]
    assert high(left)[0] < low(stone)[0]
    assert high(stone)[0] < low(right)[0]
    assert apart(everything(composition))


def test_between_two_others() -> None:
    """A row of three: it is in the middle."""
    _, found = composed("a dog between a tree and a house")
    assert high(found["tree"][0])[0] < low(found["dog"][0])[0]
    assert high(found["dog"][0])[0] < low(found["house"][0])[0]


def test_between_things_on_a_table_is_on_the_table() -> None:
    """A bowl between two lamps that stand on a table."""
    composition, found = composed("a table with two lamps and a bowl between them")
    assert low(found["bowl"][0])[1] == pytest.approx(0.75, abs=MILLIMETRE)
    assert apart(everything(composition))


def test_inside_lies_below_the_rim() -> None:
    """Oranges lie in the bowl, on its bottom or on one another."""
    composition, found = composed("three oranges in a large bowl on a table")
    [bowl], [table], oranges = found["bowl"], found["table"], found["fruit"]
    assert low(bowl)[1] == pytest.approx(high(table)[1], abs=MILLIMETRE)
    for orange in oranges:
        assert low(orange)[1] < high(bowl)[1]
        assert any(touch(orange, other) for other in (bowl, *(one for one in oranges if one is not orange)))
    assert touch(oranges[0], bowl)
    assert apart(everything(composition))


def test_what_does_not_fit_inside_says_so() -> None:
    """A stone is no bowl, and a house of solid walls has no inside: there the cat stands before it."""
    composition, found = composed("a cat inside a house")
    assert composition.notes == ("The cat does not fit inside the house.",)
    assert low(found["cat"][0])[2] > high(found["house"][0])[2]


def test_many_stand_in_rows() -> None:
    """A dozen stones: two rows of six, none in another."""
    composition, found = composed("a dozen stones")
    assert len({round(float(middle(stone)[2]), 3) for stone in found["stone"]}) == 2
    assert len({round(float(middle(stone)[0]), 3) for stone in found["stone"]}) == 6
    assert apart(everything(composition))


def test_the_same_seed_gives_the_same_places() -> None:
    """And another one may choose the other side."""
    prompt = "a cat beside a table with a lamp and three books on it"

    def places(seed: int) -> list[tuple[float, ...]]:
        return [(*placed.translation, placed.turn, placed.scale) for placed in composed(prompt, seed)[0].parts]

    assert places(3) == places(3)
    assert places(0) != places(1)


def test_nothing_is_nothing() -> None:
    """An empty scene has no parts and a box of no size."""
    assert compose(Scene((), ()), FAMILIES) == Composition((), (0.0, 0.0, 0.0), (0.0, 0.0, 0.0), ())


def test_composing_can_be_ended() -> None:
    """Whoever cancels is heard between two items."""

    def cancelled() -> None:
        raise TimeoutError

    with pytest.raises(TimeoutError):
        compose(GRAMMAR.understand("a cat").scene, FAMILIES, check=cancelled)


KINDS: tuple[RelationKind, ...] = (
    "on", "under", "beside", "behind", "in_front_of", "left_of", "right_of", "around", "between", "inside",
)  # fmt: skip
LOOK = Look(None, None, None, {}, "draft", 0)
RELATIONS = st.none() | st.builds(Relation, st.sampled_from(KINDS), st.integers(-1, 5))
ITEMS = st.builds(
    Item,
    st.sampled_from(["chair", "table", "cat", "bowl", "fruit", "rug", "stone", "lamp"]),
    st.integers(1, 3),
    st.just(LOOK),
    st.sampled_from([0.4, 1.0, 2.0]),
    RELATIONS,
)


@settings(max_examples=60, derandomize=True)
@given(st.lists(ITEMS, max_size=5), st.integers(0, 2**31))
def test_any_scene_stands(items: list[Item], seed: int) -> None:
    """Whatever relates to whatever, in circles too: all is there, over the origin, on the floor, apart."""
    composition = compose(Scene(tuple(items), ()), FAMILIES, seed=seed)
    found = objects(composition)
    assert sorted(found) == [(number, copy) for number, item in enumerate(items) for copy in range(item.count)]
    if not items:
        return
    boxes = np.array([solid.bounding_box() for solid in found.values()])
    assert composition.low == pytest.approx(boxes[:, :3].min(0), abs=1e-5)
    assert composition.high == pytest.approx(boxes[:, 3:].max(0), abs=1e-5)
    assert composition.low[1] == 0
    assert [composition.low[axis] + composition.high[axis] for axis in (0, 2)] == pytest.approx([0, 0], abs=1e-9)
    assert apart(list(found.values()))


def test_what_hangs_over_is_not_in_the_neighbour() -> None:
    """A large chair on the first of two small ones stands in neither."""
    large, small = (Item("chair", count, LOOK, scale, None) for count, scale in ((1, 1.0), (2, 0.4)))
    on_small = Item("chair", 1, LOOK, 1.0, Relation("on", 1))
    composition = compose(Scene((large, small, on_small), ()), FAMILIES)
    assert apart(everything(composition))


def test_the_small_families_are_as_large_as_they_say() -> None:
    """The tests above compare heights with these sizes."""
    for name, _, size, solids, _ in BUILT:
        box = np.array(Manifold.batch_boolean(solids, OpType.Add).bounding_box())
        assert box[3:] - box[:3] == pytest.approx(size, abs=0.12), name
        assert box[1] == pytest.approx(0)
