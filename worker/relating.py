"""Which relations of a scene hold: those that can be, turned round where that is how they can."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np

from frontdesk.worker.scene import Item, Relation
from frontdesk.worker.standing import Body, Box, Standing, collides

UNDER_SCALES = (1.0, 0.85, 0.7, 0.55, 0.4, 0.3)
# Where there may be room under a thing, from its middle in halves of its width and depth: beside the trunk of a tree.
UNDER_SPOTS = ((0.0, 0.0), (0.0, 0.45), (-0.45, 0.0), (0.45, 0.0), (0.0, -0.45), (0.0, 0.7), (-0.7, 0.0), (0.7, 0.0))
FLAT = 0.6  # of the shorter side: what is no higher is there to be stood upon

Relations: TypeAlias = list[Relation | None]


def holding(items: Sequence[Item], bodies: Sequence[Body]) -> Relations:
    """For each item the relation by which it is placed. None stands on the floor by itself; there are no circles."""
    relations = [_valid(number, item.relation, len(items)) for number, item in enumerate(items)]
    _break_circles(relations)
    _stand_on_what_is_under(relations, bodies)
    _part_for_between(relations, items)
    return relations


def _valid(number: int, relation: Relation | None, count: int) -> Relation | None:
    return relation if relation and 0 <= relation.other < count and relation.other != number else None


def _break_circles(relations: Relations) -> None:
    """Who would stand, by whatever many others, on itself stands on its own."""
    for number in range(len(relations)):
        at, steps = number, 0
        while (relation := relations[at]) is not None and steps <= len(relations):
            at, steps = relation.other, steps + 1
        if steps > len(relations):
            relations[number] = None


def _stand_on_what_is_under(relations: Relations, bodies: Sequence[Body]) -> None:
    """What has no room under another and can carry it does so: "a rug under a table"."""
    for number, relation in enumerate(relations):
        if relation is None or relation.kind != "under" or relations[relation.other] is not None:
            continue
        below, over = bodies[number], bodies[relation.other]
        carries = bool(np.all(over.foot().size[[0, 2]] <= 1.2 * below.box().size[[0, 2]]))
        size = below.box().size
        spots = UNDER_SPOTS[:1] if size[1] <= FLAT * min(size[0], size[2]) else UNDER_SPOTS
        if carries and _room_under(below, over, spots) != 1:
            relations[relation.other] = Relation("on", number)
            relations[number] = None


def _part_for_between(relations: Relations, items: Sequence[Item]) -> None:
    """Two single things with a third one between them make a row of three."""
    for number, relation in enumerate(relations):
        if relation is None or relation.kind != "between" or items[relation.other].count > 1:
            continue
        first, second = relation.other, relation.other + 1
        free = second < len(items) and second != number and relations[second] is None
        if free and relations[first] is None:
            relations[number] = Relation("right_of", first)
            relations[second] = Relation("right_of", number)
        else:
            relations[number] = Relation("on", first)  # "in the middle of the table"


def _room_under(below: Body, over: Body, spots: Sequence[tuple[float, float]]) -> float | None:
    """The largest scale at which one finds room under the other, in one of these places."""
    host = Standing(0, 0, over, np.zeros(3))
    for scale in UNDER_SCALES:
        for (x, z), turn in itertools.product(spots, (0.0, math.pi / 2)):
            there = Standing(1, 0, below.scaled(scale), host.box.size / 2 * (x, 0, z), turn)
            if covered(there.box, host.box) and not collides(there, [host]):
                return scale
    return None


def covered(box: Box, host: Box) -> bool:
    """Whether it is below the host: its middle is, and it is not the higher one."""
    inside = np.all(box.centre[[0, 2]] > host.low[[0, 2]]) and np.all(box.centre[[0, 2]] < host.high[[0, 2]])
    return bool(inside and box.high[1] < host.high[1])
