"""Plants."""

from __future__ import annotations

import math
from itertools import pairwise

from manifold3d import Manifold

from frontdesk.worker.blocks import (
    Point,
    arc,
    around,
    smooth,
    union,
)
from frontdesk.worker.paints import (
    BARK,
    BROWN,
    CLAY,
    CREAM,
    GREEN,
    LEAF,
    NEEDLE,
    PINK,
    RED,
    WHITE,
    YELLOW,
)
from frontdesk.worker.solids import Family, Look, Paint, Part, begin

STEM = Paint((0.35, 0.55, 0.22))


def tree(look: Look) -> list[Part]:
    a, b = begin(look)
    fork = 2.1 * a.vary(0.1)
    a.second(
        "trunk",
        BARK,
        b.tube(
            smooth([(0.0, -0.05, 0.0), (0.05, 0.8, 0.02), (-0.04, fork, 0.0), (0.0, 3.6, 0.0)]), [0.36, 0.26, 0.22, 0.1]
        )
        - b.box((3, 1, 3), (0, -1, 0)),
    )
    tufts, tips = [b.blob((1.3, 1.15, 1.3), (0, 4.3, 0), 0.07, a.random)], []
    for i in range(6):
        angle, out = math.tau * (i + a.random.uniform(-0.25, 0.25)) / 6, 1.0 * a.vary(0.15)
        tip: Point = (out * math.cos(angle), 3.2 + float(a.random.uniform(-0.25, 0.55)), out * math.sin(angle))
        tips.append(b.rod((0, fork - 0.2, 0), tip, 0.13, 0.05))
        size = 0.95 * a.vary(0.15)
        tufts.append(b.blob((size, size * 0.88, size), tip, 0.08, a.random))
    a.second("branches", BARK, *tips)
    a.main("leaves", LEAF, *tufts)
    return a.parts(stretch=True)


def fir(look: Look) -> list[Part]:
    a, b = begin(look)
    tiers = int(a.random.integers(5, 7))
    a.second("trunk", BARK, b.cylinder(0.2, 1.2, top=0.16))
    skirts = []
    for i in range(tiers):
        share = i / tiers
        r, y = 1.55 * (1 - share) ** 0.85 + 0.12, 0.7 + 4.0 * share
        skirt = b.turn(
            [(0, y + 0.25), (r * 0.5, y + 0.12), (r, y), (r * 0.55, y + 0.6), (0.06, y + 1.35), (0, y + 1.35)]
        )
        notch = around(b.box((0.9, 0.7, 0.18), (r + 0.1, y - 0.1, 0)), 9, 20 * i + 10 * a.vary(1))
        skirts.append(skirt - notch)
    a.main("needles", NEEDLE, *skirts)
    return a.parts(stretch=True)


def palm(look: Look) -> list[Part]:
    a, b = begin(look)
    lean = 0.75 * a.vary(0.3)
    path = smooth([(0.0, 0.0, 0.0), (lean * 0.25, 1.6, 0.0), (lean * 0.65, 3.3, 0.0), (lean, 4.9, 0.0)], 5)
    rings = [b.rod(p, q, 0.155 - 0.003 * i, 0.185 - 0.003 * i) for i, (p, q) in enumerate(pairwise(path))]
    a.second("trunk", BARK, *rings, b.ball(0.16, path[-1]), b.cylinder(0.24, 0.25, top=0.15))
    rib = smooth([(0.0, 0.0, 0.0), (0.7, 0.42, 0.0), (1.4, 0.3, 0.0), (2.1, -0.45, 0.0)], 4)
    frond = []
    for i, (p, q) in enumerate(pairwise(rib)):
        t = (i + 0.5) / (len(rib) - 1)
        half, sag = 0.36 * math.sin(math.pi * (0.12 + 0.86 * t)) ** 0.7, 0.12
        for s in (1, -1):
            gap = 0.22 * (q[0] - p[0])
            corners = [
                (p[0], p[1], 0.0),
                (q[0] - gap, q[1] - gap * (q[1] - p[1]), 0.0),
                (q[0] + 0.1 - gap, q[1] - sag, s * half),
                (p[0] + 0.16, p[1] - sag, s * half),
            ]
            frond.append(Manifold.hull_points([(x, y + d, z) for x, y, z in corners for d in (0, 0.025)]))
    leaf = union(*frond, b.small.tube(rib, [0.04, 0.03, 0.012]))
    fronds = [
        leaf.scale((s, s, s)).rotate((0, 360 / 9 * i + 12 * a.vary(1), 0)) for i in range(9) for s in [a.vary(0.1)]
    ]
    a.main("leaves", LEAF, *(f.translate(path[-1]) for f in fronds))
    nuts = around(b.ball(0.14, (0.2, -0.14, 0)), 4, 20)
    a.fixed("coconuts", BROWN, nuts.translate(path[-1]))
    return a.parts(stretch=True)


def flower(look: Look) -> list[Part]:
    a, b = begin(look)
    petals, bend = int(a.random.integers(7, 11)), 0.03 * a.vary(0.8)
    head = (bend, 0.4, 0.012)
    stem = smooth([(0.0, 0.0, 0.0), (-0.012, 0.14, 0.0), (0.004, 0.28, 0.0), head])
    a.fixed("stem", STEM, b.tube(stem, 0.0065))
    blade = b.ball((0.075, 0.006, 0.026), (0.078, 0, 0))
    a.fixed(
        "leaves",
        LEAF,
        blade.rotate((0, 0, 38)).translate((-0.01, 0.10, 0)),
        blade.rotate((0, 0, 32)).rotate((0, 170, 0)).translate((-0.005, 0.18, 0)),
    )
    petal = b.ball((0.046, 0.0075, 0.024), (0.066, 0, 0)).rotate((0, 0, 14))
    tilt = (48, 0, 0)
    a.main("petals", PINK, around(petal, petals).rotate(tilt).translate(head))
    a.second("heart", YELLOW, b.ball((0.032, 0.018, 0.032), (0, 0.006, 0)).rotate(tilt).translate(head))
    return a.parts(stretch=True)


def tulip(look: Look) -> list[Part]:
    a, b = begin(look)
    tall = 0.3 * a.vary(0.08)
    a.fixed("stem", STEM, b.tube(smooth([(0.0, 0.0, 0.0), (0.01, tall / 2, 0.0), (0.0, tall, 0.0)]), 0.0065))
    leaf = Manifold.batch_hull(
        [
            b.ball((0.006, 0.01, 0.012), (0.004, 0.01, 0)),
            b.ball((0.005, 0.05, 0.022), (0.03, 0.11, 0)),
            b.ball((0.003, 0.01, 0.004), (0.06, 0.22, 0)),
        ]
    )
    a.fixed("leaves", LEAF, leaf, leaf.rotate((0, 160, 0)).scale((1, 0.85, 1)))
    outside = smooth([(0.006, 0.0), (0.036, 0.02), (0.04, 0.05), (0.03, 0.085)], 6)
    cup = b.vessel(outside, 0.004, (0, tall, 0))
    notch = b.cylinder(0.016, 0.2).rotate((90, 0, 0)).scale((0.85, 2.1, 1)).translate((0, tall + 0.094, 0))
    a.main("petals", RED, cup - around(notch, 5))
    a.second("heart", YELLOW, around(b.limb((0.005, tall + 0.006, 0), (0.01, tall + 0.045, 0), 0.003), 5))
    return a.parts(stretch=True)


def potted_plant(look: Look) -> list[Part]:
    a, b = begin(look)
    a.main("pot", CLAY, b.vessel([(0.085, 0), (0.088, 0.004), (0.115, 0.16), (0.13, 0.162), (0.132, 0.205)], 0.011))
    a.fixed("soil", Paint((0.22, 0.15, 0.10)), b.cylinder(0.116, 0.02, (0, 0.165, 0)))
    blades = []
    for i in range(11):
        angle, lean, tall = 33.0 * i * 1.7, float(a.random.uniform(0.05, 0.22)), 0.42 * a.vary(0.25)
        path = smooth(
            [(0.012, 0.175, 0.0), (0.03 + lean * 0.25, 0.2 + tall * 0.55, 0.0), (0.03 + lean, 0.2 + tall, 0.0)], 5
        )
        stem = b.tube([(x, y, 0.0) for x, y, _ in path], [0.008, 0.02, 0.024, 0.016, 0.002])
        blades.append(stem.scale((1, 1, 1.4)).rotate((0, angle, 0)))
    a.second("leaves", LEAF, *blades)
    return a.parts(stretch=True)


def mushroom(look: Look) -> list[Part]:
    a, b = begin(look)
    wide, tall = 0.065 * a.vary(0.1), 0.07 * a.vary(0.1)
    stalk = smooth([(0.024, 0.0), (0.02, 0.02), (0.015, tall), (0.016, tall + 0.012)], 5)
    a.second(
        "stalk",
        CREAM,
        b.turn([(0, 0), *stalk, (0, tall + 0.012)]),
        b.turn([(0.012, tall * 0.72), (0.028, tall * 0.6), (0.0285, tall * 0.63), (0.012, tall * 0.82)]),
    )
    dome = [(wide * x, tall + 0.058 * y) for x, y in arc(1, 0, 90, 12)]
    a.main("cap", RED, b.turn([(0, tall + 0.006), (wide * 0.9, tall - 0.004), *dome]))
    a.second("gills", CREAM, b.cylinder(wide * 0.88, 0.008, (0, tall - 0.006, 0)))
    spots = []
    for up, count, start in ((88, 1, 0), (52, 5, 10), (20, 8, 33)):
        for i in range(count):
            size = (0.0095 if up > 30 else 0.007) * a.vary(0.3)
            spot = (
                b.ball((0.0035, size, size), (1, 0, 0))
                .translate((-1, 0, 0))
                .rotate((0, 0, up))
                .translate((wide * math.cos(math.radians(up)), 0.058 * math.sin(math.radians(up)), 0))
            )
            spots.append(spot.rotate((0, start + 360 * i / count, 0)).translate((0, tall, 0)))
    a.fixed("spots", WHITE, *spots)
    return a.parts(stretch=True)


def cactus(look: Look) -> list[Part]:
    a, b = begin(look)
    left, right = 0.75 * a.vary(0.15), 0.95 * a.vary(0.15)

    def ribbed(path: list[Point], radius: float) -> Manifold:
        core = b.tube(smooth(path, 5), radius)
        return core + b.ball(radius, path[-1])

    limbs = [
        ribbed([(0, 0, 0), (0, 0.9, 0), (0, 1.62, 0)], 0.17),
        ribbed([(0, left, 0), (-0.32, left + 0.02, 0), (-0.46, left + 0.14, 0), (-0.47, left + 0.5, 0)], 0.105),
        ribbed([(0, right - 0.15, 0), (0.3, right - 0.13, 0), (0.43, right, 0), (0.44, right + 0.3, 0)], 0.1),
    ]
    a.main("body", GREEN, *limbs)
    ridge = [
        b.limb(
            (0.165 * math.cos(t), 0.01, 0.165 * math.sin(t)), (0.165 * math.cos(t), 1.62, 0.165 * math.sin(t)), 0.018
        )
        for t in [math.tau * i / 12 for i in range(12)]
    ]
    a.main("ribs", Paint((0.20, 0.48, 0.22)), *ridge)
    a.second(
        "blossom",
        PINK,
        around(b.ball((0.07, 0.02, 0.035), (0.055, 0, 0)).rotate((0, 0, 35)), 6).translate((0, 1.79, 0)),
        around(b.ball((0.045, 0.015, 0.025), (0.035, 0, 0)).rotate((0, 0, 35)), 6).translate((-0.47, left + 0.6, 0)),
    )
    return a.parts(stretch=True)


def bush(look: Look) -> list[Part]:
    a, b = begin(look)
    tufts = [b.blob((0.48, 0.45, 0.48), (0, 0.5, 0), 0.08, a.random)]
    for i in range(7):
        angle, size = math.tau * i / 7, 0.3 * a.vary(0.2)
        tufts.append(
            b.blob(
                (size, size, size), (0.36 * math.cos(angle), 0.33 * a.vary(0.25), 0.36 * math.sin(angle)), 0.1, a.random
            )
        )
    a.main("leaves", LEAF, union(*tufts) - b.box((4, 1, 4), (0, -1, 0)))
    a.second("stems", BARK, b.cylinder(0.06, 0.3))
    return a.parts(stretch=True)


PLANTS = (
    Family("tree", ("tree", "oak", "oak tree", "maple tree", "birch tree", "apple tree"), (3.9, 5.45, 3.9), tree),
    Family("fir", ("fir", "fir tree", "pine", "pine tree", "christmas tree", "spruce"), (3.3, 5.6, 3.3), fir),
    Family("palm", ("palm", "palm tree"), (4.2, 5.4, 4.2), palm),
    Family("flower", ("flower", "daisy", "blossom"), (0.26, 0.50, 0.14), flower),
    Family("tulip", ("tulip",), (0.12, 0.385, 0.08), tulip),
    Family("potted plant", ("potted plant", "plant", "houseplant"), (0.39, 0.71, 0.45), potted_plant),
    Family("mushroom", ("mushroom", "toadstool"), (0.13, 0.13, 0.13), mushroom),
    Family("cactus", ("cactus",), (1.1, 1.85, 0.37), cactus),
    Family("bush", ("bush", "shrub", "hedge"), (1.3, 0.95, 1.3), bush),
)
