"""Plants, stones and the sky."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
from manifold3d import Manifold

from frontdesk.worker.blocks import Point, arc, around, loft, smooth, star, union
from frontdesk.worker.paints import (
    BARK,
    BROWN,
    CLAY,
    CREAM,
    DARK_STONE,
    GREEN,
    LEAF,
    NEEDLE,
    PINK,
    RED,
    STONE,
    WHITE,
    YELLOW,
    Paint,
)  # fmt: skip
from frontdesk.worker.solids import Family, Look, Part, begin

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
    rings = [
        b.rod(p, q, 0.155 - 0.003 * i, 0.185 - 0.003 * i) for i, (p, q) in enumerate(pairwise(path))
    ]
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


def stone(look: Look) -> list[Part]:
    a, b = begin(look)
    rock = b.blob((0.5, 0.36, 0.42), (0, 0.26, 0), 0.13, a.random)
    for _ in range(7):
        lean = (float(a.random.uniform(-70, 70)), float(a.random.uniform(0, 360)), 0.0)
        rock -= b.box((3, 2, 3), (0, 0.42 * a.vary(0.08), 0)).rotate(lean).translate((0, 0.26, 0)) ^ b.box(
            (9, 9, 9), (0, 0.02, 0)
        )
    a.main("stone", STONE, rock - b.box((4, 2, 4), (0, -2, 0)))
    return a.parts(stretch=True)


def mountain(look: Look) -> list[Part]:
    a, b = begin(look)
    peaks = [(0.0, 0.0, 62.0, 52.0), (-42.0, 14.0, 40.0, 38.0), (40.0, 8.0, 36.0, 40.0), (14.0, 26.0, 24.0, 30.0)]
    cones = []
    for x, z, tall, r in peaks:
        points: list[Point] = [(x, tall * a.vary(0.05), z)]
        for share in (0.35, 0.7, 1.0):
            for i in range(9):
                t, out = math.tau * (i + share) / 9, r * share * a.vary(0.14)
                points.append(
                    (x + out * math.cos(t), tall * max(0.0, 1 - share) ** 1.15 * a.vary(0.12), z + out * math.sin(t))
                )
        cones.append(Manifold.hull_points([*points, *((px, 0.0, pz) for px, _, pz in points[1:])]))
    whole = union(*cones)
    line = b.box((400, 200, 400), (0, 40, 0)).rotate((4, 0, -5))
    a.main("rock", DARK_STONE, whole - line)
    a.second("snow", WHITE, whole ^ line)
    return a.parts(stretch=True)


def cloud(look: Look) -> list[Part]:
    a, b = begin(look)
    puffs = [
        (-0.62, 0.3, 0.3),
        (-0.28, 0.48, 0.42),
        (0.18, 0.56, 0.48),
        (0.58, 0.36, 0.34),
        (0.88, 0.24, 0.22),
        (-0.05, 0.3, 0.4),
    ]
    a.main(
        "puffs",
        WHITE,
        union(*[b.ball((r * a.vary(0.08), r, r * 0.85), (x, y, 0.06 * math.sin(9 * x))) for x, y, r in puffs])
        - b.box((9, 1, 9), (0, -0.9, 0)),
    )
    return a.parts(stretch=True)


def star_shape(look: Look) -> list[Part]:
    a, b = begin(look)
    outline = star(5, 0.5, 0.21 * a.vary(0.06))
    faces = [(x, y, 0.0) for x, y in outline]
    tips = [
        Manifold.hull_points(
            [
                (0, 0, 0.11),
                (0, 0, -0.11),
                p,
                q,
                (p[0] * 0.98, p[1] * 0.98, 0.02),
                (q[0] * 0.98, q[1] * 0.98, 0.02),
                (p[0] * 0.98, p[1] * 0.98, -0.02),
                (q[0] * 0.98, q[1] * 0.98, -0.02),
            ]
        )
        for p, q in zip(faces, faces[1:] + faces[:1], strict=True)
    ]
    a.main("star", Paint((0.97, 0.78, 0.22), "metal"), *tips)
    return a.parts(stretch=True)


def moon(look: Look) -> list[Part]:
    a, b = begin(look)
    bite = 0.4 * a.vary(0.06)
    crescent = b.disc(0.5) - b.disc(bite).translate((0.24, 0.06))
    face = b.plate(crescent, 0.16)
    a.main("moon", Paint((0.97, 0.88, 0.55)), face)
    return a.parts(stretch=True)


def heart(look: Look) -> list[Part]:
    a, b = begin(look)
    plump = a.vary(0.08)
    points = [
        (
            16 * math.sin(t) ** 3 / 34,
            (13 * math.cos(t) - 5 * math.cos(2 * t) - 2 * math.cos(3 * t) - math.cos(4 * t)) / 34,
        )
        for t in [math.tau * i / b.segments / 2 for i in range(2 * b.segments)]
    ]
    outline = np.asarray(points)
    rings = []
    for k in np.linspace(-1, 1, 13) * 0.99:
        size = math.sqrt(1 - k * k) ** 0.7
        rings.append(np.column_stack([outline * size, np.full(len(outline), 0.16 * k * plump)]))
    a.main("heart", RED, loft(np.stack(rings)))
    return a.parts(stretch=True)


NATURE = (
    Family("tree", ("tree", "oak"), (3.9, 5.45, 3.9), tree),
    Family("fir", ("fir", "pine", "christmas tree", "spruce"), (3.3, 5.6, 3.3), fir),
    Family("palm", ("palm", "palm tree"), (4.2, 5.4, 4.2), palm),
    Family("flower", ("flower", "daisy", "blossom"), (0.22, 0.48, 0.2), flower),
    Family("tulip", ("tulip",), (0.12, 0.385, 0.08), tulip),
    Family("potted plant", ("potted plant", "plant", "houseplant"), (0.5, 0.65, 0.5), potted_plant),
    Family("mushroom", ("mushroom", "toadstool"), (0.13, 0.13, 0.13), mushroom),
    Family("cactus", ("cactus",), (1.1, 1.85, 0.37), cactus),
    Family("bush", ("bush", "shrub", "hedge"), (1.3, 0.95, 1.3), bush),
    Family("stone", ("stone", "rock", "boulder"), (0.9, 0.55, 0.75), stone),
    Family("mountain", ("mountain", "hill"), (155.0, 62.0, 110.0), mountain),
    Family("cloud", ("cloud",), (2.0, 1.0, 0.82), cloud),
    Family("star", ("star",), (0.95, 0.9, 0.22), star_shape),
    Family("moon", ("moon", "crescent"), (0.9, 1.0, 0.16), moon),
    Family("heart", ("heart",), (0.94, 0.87, 0.3), heart),
)
