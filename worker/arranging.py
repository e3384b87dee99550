"""Where each item of a scene stands, by its relation to another one."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from frontdesk.worker.relating import UNDER_SCALES, UNDER_SPOTS, covered, holding
from frontdesk.worker.rows import GAP, gap_between, in_rows
from frontdesk.worker.scene import STEMMED, WORN, Item, Relation, RelationKind
from frontdesk.worker.solids import Family
from frontdesk.worker.standing import Body, Box, Standing, Vector, around, collides, enclosed, fall, lowest_spot
from frontdesk.worker.surfaces import Level, levels, stand_upon

INSIDE_SCALES = (1.0, 0.8, 0.65, 0.5, 0.35)
LEANING, GOLDEN = math.radians(20), math.pi * (3 - math.sqrt(5))  # of flowers in a vase: outwards, and about its axis
WIDER = 20  # times that a circle is made wider
SIDES: Mapping[str, tuple[int, int]] = {  # the axis and the direction
    "left_of": (0, -1),
    "right_of": (0, 1),
    "in_front_of": (2, 1),
    "behind": (2, -1),
}
SEATS = frozenset({"chair", "stool", "armchair", "bench", "seat"})
TABLES = frozenset({"table", "desk", "piano"})


class Arrangement:
    """Places clusters: an item without a relation, with all that stand by it, by them, and so on."""

    def __init__(
        self,
        items: Sequence[Item],
        bodies: Sequence[Body],
        families: Mapping[str, Family],
        seed: int,
        check: Callable[[], None],
    ) -> None:
        self._check = check
        self.notes: list[str] = []
        self._items = items
        self._bodies = list(bodies)
        self._families = families
        self._seed = seed
        self._relations = holding(items, bodies)
        self._placed: list[list[Standing]] = [[] for _ in items]
        self._tops: dict[int, list[Level]] = {}
        self._cluster: list[Standing] = []
        self.roots = [number for number, relation in enumerate(self._relations) if relation is None]

    def cluster(self, root: int) -> list[Standing]:
        """Every object of a root's cluster, on the floor y = 0 around the origin."""
        self._cluster = []
        waiting = [root]
        while waiting:
            item = waiting.pop(0)
            self._place(item)
            waiting += [n for n, relation in enumerate(self._relations) if relation and relation.other == item]
        return self._cluster

    def _place(self, item: int) -> None:
        relation = self._relations[item]
        if relation is None:
            self._row(item)
        elif relation.kind == "on":
            self._each_upon(item, relation.other)
        elif relation.kind == "inside":
            self._each_inside(item, relation.other)
        elif relation.kind == "under":
            self._each_under(item, relation.other)
        elif relation.kind == "around":
            self._circle(item, relation.other)
        elif relation.kind == "between":
            self._in_gaps(item, relation.other)
        else:
            self._aside(item, relation.other, relation.kind)

    def _row(self, item: int) -> None:
        body, box = self._bodies[item], self._bodies[item].box()
        for copy, move in enumerate(in_rows([box] * self._items[item].count, self._kept_free(item))):
            self._stand(Standing(item, copy, body, move))

    def _kept_free(self, item: int) -> float:
        """Metres between the copies of an item, for what stands between them."""
        between = [n for n, relation in enumerate(self._relations) if relation == Relation("between", item)]
        return max((float(self._bodies[n].box().size[0]) * (1 + 2 * GAP) for n in between), default=0.0)

    def _each_upon(self, item: int, other: int) -> None:
        for copy, host in self._shared_out(item, other):
            self._upon(item, copy, host, None)

    def _upon(self, item: int, copy: int, host: Standing, target: Vector | None, turn: float = 0.0) -> None:
        """On the host's flat top, near the target; where it has none, it comes to rest on the highest point."""
        body = self._bodies[item]
        tops = self._tops_of(host)
        if target is None and tops:
            number = copy // max(1, len(self._placed[host.item]))
            target = _spread(tops[0], number, self._copies_on(item, host))
        there = stand_upon(Standing(item, copy, body, np.zeros(3), turn, host), tops, target, self._cluster)
        if there is None:
            there = self._balanced(item, copy, host, turn)
        host.upon.append(there)
        self._stand(there)

    def _balanced(self, item: int, copy: int, host: Standing, turn: float) -> Standing:
        """On the middle of a host without a flat top, or on its highest point: where hats go, and what misses it."""
        worn = bool(_words(self._families[self._items[item].family]) & WORN)
        there = Standing(item, copy, self._bodies[item], np.zeros(3), turn, host)
        points = [host.box.centre[[0, 2]], host.peak(), host.peak() - there.foothold()]
        for x, z in points[1:] if worn else points:
            there.position = np.array([x, 0.0, z])
            fall(there, self._cluster)
            if there.position[1] > host.position[1] + 0.3 * host.box.size[1]:
                break
        return there

    def _each_inside(self, item: int, other: int) -> None:
        full = self._bodies[item]
        for scale in INSIDE_SCALES:
            self._bodies[item] = full.scaled(scale)
            first = self._let_into(item, 0, self._placed[other][0])
            if first is not None:
                self._say_scaled(item, scale, f"to fit inside the {self._items[other].family}")
                self._fill(item, other)
                return
        self._bodies[item] = full
        self.notes.append(f"The {self._items[item].family} does not fit inside the {self._items[other].family}.")
        if self._placed[other][0].box.size[1] > 3 * full.box().size[1]:
            self._aside(item, other, "in_front_of")
        else:
            self._each_upon(item, other)

    def _let_into(self, item: int, copy: int, host: Standing) -> Standing | None:
        """Let it down into the host; None where it would not come to lie below the rim."""
        body = self._bodies[item]
        there = Standing(item, copy, body, np.zeros(3), 0.0, host)
        x, z = lowest_spot(there, host) - body.box().centre[[0, 2]]
        there.position = np.array([x, 0.0, z])
        fall(there, self._cluster)
        return there if host.upon or enclosed(there, host) else None

    def _fill(self, item: int, other: int) -> None:
        if _words(self._families[self._items[item].family]) & STEMMED:
            self._bunch(item, other)
            return
        for copy, host in self._shared_out(item, other):
            there = self._let_into(item, copy, host)
            if there is None:  # beside its neighbours one host may have less room than another
                self._upon(item, copy, host, None)
                continue
            host.upon.append(there)
            self._stand(there)

    def _bunch(self, item: int, other: int) -> None:
        """Flowers stand close together, the first upright, the others leaning over the rim, each to its own side."""
        for copy, host in self._shared_out(item, other):
            if (first := next((there for there in host.upon if there.item == item), None)) is None:
                there = self._let_into(item, copy, host)
                if there is None:
                    self._upon(item, copy, host, None)
                    continue
            else:
                number = sum(there.item == item for there in host.upon)
                there = Standing(item, copy, first.body, first.position.copy(), number * GOLDEN, host)
                there.lean, there.pivot = LEANING, float(host.box.high[1] - first.position[1])
            host.upon.append(there)
            self._stand(there)

    def _each_under(self, item: int, other: int) -> None:
        full = self._bodies[item]
        for scale in UNDER_SCALES:
            self._bodies[item] = full.scaled(scale)
            under = [self._under(item, copy, host) for copy, host in self._shared_out(item, other)]
            found = [there for there in under if there is not None]
            if len(found) == len(under):
                self._say_scaled(item, scale, f"to fit under the {self._items[other].family}")
                for there in found:
                    self._stand(there)
                return
        self._bodies[item] = full
        self.notes.append(f"There is no room under the {self._items[other].family}: it stands beside it.")
        self._aside(item, other, "beside")

    def _under(self, item: int, copy: int, host: Standing) -> Standing | None:
        body, count = self._bodies[item], self._copies_on(item, host)
        number = copy // len(self._placed[host.item])
        along = 0 if host.box.size[0] >= host.box.size[2] else 2
        for (x, z), turn in itertools.product(UNDER_SPOTS, (0.0, math.pi / 2)):
            position = host.box.centre + host.box.size / 2 * (x, 0, z)
            position[1] = host.position[1]
            box = body.box(turn)
            position[along] += (number - (count - 1) / 2) * float(box.size[along]) * (1 + GAP)
            there = Standing(item, copy, body, position, turn, host.support)
            if not collides(there, self._cluster) and covered(there.box, host.box):
                return there
        return None

    def _circle(self, item: int, other: int) -> None:
        """Evenly on a circle, facing its centre, the first one in front."""
        box = self._bodies[item].box()
        host = around(standing.box for standing in self._placed[other])
        count = self._items[item].count
        single = len(self._placed[other]) == 1
        reach = self._placed[other][0].body.radius if single else float(np.hypot(host.size[0], host.size[2])) / 2
        depth, width = float(box.size[2]), float(box.size[0])
        radius = reach + gap_between(box, host, 2) + depth / 2
        if count > 2:  # neighbours' inner corners keep apart
            radius = max(radius, depth / 2 + width * (1 + GAP) / 2 / math.tan(math.pi / count))
        for _ in range(WIDER):
            angles = [2 * math.pi * copy / count for copy in range(count)]
            ring = [self._on_circle(item, copy, host.centre, radius, angle) for copy, angle in enumerate(angles)]
            if not any(collides(there, self._cluster) for there in ring):
                break
            radius *= 1.2
        support = self._placed[other][0].support
        for there in ring:
            if support is not None:
                self._upon(item, there.copy, support, there.position[[0, 2]], there.turn)
            else:
                self._stand(there)

    def _on_circle(self, item: int, copy: int, centre: Vector, radius: float, angle: float) -> Standing:
        position = np.array([centre[0] + radius * math.sin(angle), 0.0, centre[2] + radius * math.cos(angle)])
        return Standing(item, copy, self._bodies[item], position, angle + math.pi)

    def _in_gaps(self, item: int, other: int) -> None:
        """Between the copies of another one, each in a gap of its own while there are gaps."""
        hosts = self._placed[other]
        if len(hosts) == 1:
            self._each_upon(item, other)
            return
        gaps = len(hosts) - 1
        for copy in range(self._items[item].count):
            first = (copy + (gaps - 1) // 2) % gaps
            middle = (hosts[first].box.centre + hosts[first + 1].box.centre) / 2
            self._stand_near(item, copy, hosts[first], middle[[0, 2]], 2, 1, 0.0)

    def _aside(self, item: int, other: int, kind: RelationKind) -> None:
        """Beside another one or to a side of it: as near as there is room."""
        count = self._items[item].count
        hosts = self._placed[other]
        for copy in range(count):
            if kind == "beside":
                host = hosts[copy % len(hosts)]
                axis, sign = 0, 1 if (copy // len(hosts) + self._seed) % 2 == 0 else -1
                place = host.box
            else:
                host, (axis, sign) = hosts[0], SIDES[kind]
                place = around(standing.box for standing in hosts)
            turn = self._turn_to(item, other, axis, sign)
            own = self._bodies[item].box(turn)
            target = place.centre[[0, 2]]
            distance = (place.size[axis] + own.size[axis]) / 2 + gap_between(own, place, axis)
            target[axis // 2] += sign * distance
            if axis == 2:
                step = float(own.size[0]) + max(2 * GAP * float(own.size[0]), self._kept_free(item))
                target[0] += (copy - (count - 1) / 2) * step
            self._stand_near(item, copy, host, target, axis, sign, turn)

    def _stand_near(
        self, item: int, copy: int, host: Standing, target: Vector, axis: int, sign: int, turn: float
    ) -> None:
        """At a point (x, z): on what the host stands on, or on the floor, moved along an axis until it is free."""
        if host.support is not None:
            self._upon(item, copy, host.support, target, turn)
            return
        there = Standing(item, copy, self._bodies[item], np.array([target[0], 0.0, target[1]]), turn)
        box = self._bodies[item].box(turn)
        there.position[[0, 2]] -= box.centre[[0, 2]]
        for _ in self._cluster:
            mine = there.box
            blocking = [standing.box for standing in self._cluster if mine.overlaps(standing.box)]
            if not blocking:
                break
            there.position[axis] += sign * max(_way_past(mine, theirs, axis, sign) for theirs in blocking)
        self._stand(there)

    def _turn_to(self, item: int, other: int, axis: int, sign: int) -> float:
        """Seats face the table that they stand by; everything else faces the front."""
        seat, table = self._families[self._items[item].family], self._families[self._items[other].family]
        if not (_words(seat) & SEATS and _words(table) & TABLES):
            return 0.0
        return -sign * math.pi / 2 if axis == 0 else (math.pi if sign > 0 else 0.0)

    # Small things

    def _stand(self, standing: Standing) -> None:
        self._check()
        self._placed[standing.item].append(standing)
        self._cluster.append(standing)

    def _shared_out(self, item: int, other: int) -> list[tuple[int, Standing]]:
        """Which copy of the other each copy goes to."""
        hosts = self._placed[other]
        return [(copy, hosts[copy % len(hosts)]) for copy in range(self._items[item].count)]

    def _copies_on(self, item: int, host: Standing) -> int:
        return math.ceil(self._items[item].count / len(self._placed[host.item]))

    def _tops_of(self, host: Standing) -> list[Level]:
        if id(host) not in self._tops:
            self._tops[id(host)] = levels(host.solid)
        return self._tops[id(host)]

    def _say_scaled(self, item: int, scale: float, why: str) -> None:
        if scale < 1:
            self.notes.append(f"The {self._items[item].family} was made smaller, {scale:.0%} of its size, {why}.")


def _way_past(mine: Box, theirs: Box, axis: int, sign: int) -> float:
    """Metres to go along an axis until one is past the other, with a gap."""
    gap = gap_between(mine, theirs, axis)
    return float(theirs.high[axis] - mine.low[axis] if sign > 0 else mine.high[axis] - theirs.low[axis]) + gap


def _words(family: Family) -> set[str]:
    return {part for word in (*family.words, family.name) for part in word.split()}


def _spread(level: Level, copy: int, count: int) -> Vector | None:
    """A point for each of several on one top, along its longer side."""
    if count < 2:
        return None
    extent, middle = level.extent(), level.middle()
    axis = 0 if extent[0] >= extent[1] else 1
    middle[axis] += ((copy % count + 0.5) / count - 0.5) * extent[axis] * 0.8
    return middle
