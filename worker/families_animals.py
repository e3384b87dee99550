"""Animals, made of balls and limbs. They look to +x, so that a picture from the front shows their side."""

from __future__ import annotations

import math
from itertools import pairwise

from manifold3d import Manifold

from frontdesk.worker.blocks import Blocks, Point, around, mirrored, smooth, union
from frontdesk.worker.paints import (
    BLACK,
    BROWN,
    CREAM,
    DARK,
    GREEN,
    GREY,
    ORANGE,
    PINK,
    RED,
    SKY,
    WHITE,
    YELLOW,
    Paint,
)  # fmt: skip
from frontdesk.worker.solids import Assembly, Family, Look, Part, begin

Z: Point = (0, 0, 1)  # mirrored across the plane of x and y: left and right
GINGER = Paint((0.86, 0.55, 0.24))
TAN = Paint((0.72, 0.52, 0.32))
Chain = list[tuple[Point, float]]


def _chain(b: Blocks, points: Chain) -> Manifold:
    """Limbs from ball to ball."""
    return union(*(b.limb(p, q, r, s) for (p, r), (q, s) in pairwise(points)))


def _pair(*solids: Manifold) -> Manifold:
    return mirrored(*solids, axis=Z)


def _eyes(a: Assembly, b: Blocks, at: Point, radius: float, white: bool = False) -> None:
    """Dark eyes at a place and its mirror image; with whites around them where asked."""
    if white:
        a.fixed("whites", WHITE, _pair(b.ball(radius, at)))
        at, radius = (at[0] + radius * 0.5, at[1], at[2] + radius * 0.4), radius * 0.6
    a.fixed("eyes", BLACK, _pair(b.ball(radius, at)))


def cat(look: Look) -> list[Part]:
    a, b = begin(look)
    sway = 0.05 * a.vary(0.8)
    body = _chain(b, [((-0.15, 0.195, 0), 0.075), ((0.02, 0.2, 0), 0.07), ((0.13, 0.21, 0), 0.072)])
    neck, head = b.limb((0.14, 0.23, 0), (0.2, 0.3, 0), 0.055, 0.05), b.ball((0.068, 0.062, 0.07), (0.22, 0.32, 0))
    legs = _pair(
        _chain(b, [((0.13, 0.19, 0.045), 0.034), ((0.135, 0.03, 0.045), 0.02)]), b.ball((0.03, 0.019, 0.022), (0.15, 0.019, 0.045)),
        _chain(b, [((-0.15, 0.18, 0.04), 0.055), ((-0.13, 0.10, 0.05), 0.035), ((-0.165, 0.03, 0.05), 0.02)]), b.ball((0.032, 0.019, 0.022), (-0.15, 0.019, 0.05)),
    )  # fmt: skip
    ear = b.cylinder(0.026, 0.055, top=0.003).scale((0.6, 1, 1)).rotate((14, 0, 0)).translate((0.215, 0.362, 0.04))
    tail = smooth([(-0.2, 0.21, 0.0), (-0.27, 0.24, sway), (-0.3, 0.33, sway), (-0.27, 0.42, 0.0)])
    a.main(
        "body",
        GINGER,
        body,
        neck,
        head,
        legs,
        _pair(ear),
        b.tube(tail, [0.024, 0.019, 0.017, 0.012]),
        b.ball(0.0125, tail[-1]),
    )
    a.second(
        "muzzle",
        CREAM,
        _pair(b.ball((0.022, 0.02, 0.022), (0.275, 0.302, 0.015))),
        b.ball((0.05, 0.06, 0.05), (0.165, 0.215, 0)),
    )
    inner = b.cylinder(0.017, 0.038, top=0.002).scale((0.5, 1, 1)).rotate((14, 0, 0)).translate((0.2235, 0.366, 0.042))
    a.fixed("nose and ears", PINK, b.ball(0.009, (0.296, 0.314, 0)), _pair(inner))
    _eyes(a, b, (0.272, 0.338, 0.03), 0.0125)
    hairs = [b.rod((0.28, 0.302, 0.025), (0.285, 0.302 + 0.012 * i, 0.085), 0.0012) for i in (-1, 0, 1)]
    a.fixed("whiskers", DARK, _pair(*hairs))
    return a.parts(stretch=True)


def dog(look: Look) -> list[Part]:
    a, b = begin(look)
    wag = 0.06 * a.vary(0.9)
    body = _chain(b, [((-0.24, 0.37, 0), 0.105), ((0.0, 0.38, 0), 0.105), ((0.2, 0.38, 0), 0.125)])
    neck, head = b.limb((0.23, 0.42, 0), (0.33, 0.56, 0), 0.095, 0.075), b.ball((0.1, 0.088, 0.09), (0.36, 0.6, 0))
    snout = b.limb((0.4, 0.58, 0), (0.5, 0.565, 0), 0.06, 0.042)
    front = _chain(b, [((0.21, 0.35, 0.075), 0.06), ((0.215, 0.18, 0.075), 0.036), ((0.215, 0.04, 0.075), 0.03)])
    hind = _chain(
        b,
        [
            ((-0.25, 0.36, 0.07), 0.085),
            ((-0.2, 0.21, 0.085), 0.05),
            ((-0.29, 0.13, 0.085), 0.03),
            ((-0.27, 0.04, 0.085), 0.028),
        ],
    )
    paws = [b.ball((0.05, 0.03, 0.036), (x, 0.03, z)) for x, z in ((0.235, 0.075), (-0.25, 0.085))]
    tail = smooth([(-0.33, 0.42, 0.0), (-0.43, 0.5, wag), (-0.45, 0.62, wag)])
    a.main(
        "body",
        TAN,
        body,
        neck,
        head,
        snout,
        _pair(front, hind, *paws),
        b.tube(tail, [0.035, 0.028, 0.015]),
        b.ball(0.016, tail[-1]),
    )
    ear = _chain(b, [((0.33, 0.67, 0.065), 0.03), ((0.335, 0.62, 0.105), 0.04), ((0.35, 0.52, 0.108), 0.03)])
    a.second("ears", BROWN, _pair(ear))
    a.fixed("nose", BLACK, b.ball((0.022, 0.02, 0.026), (0.537, 0.585, 0)))
    a.fixed("collar", RED, b.torus(0.088, 0.016).rotate((0, 0, -38)).translate((0.285, 0.5, 0)))
    a.fixed("tag", YELLOW, b.ball((0.012, 0.022, 0.022), (0.362, 0.432, 0)))
    _eyes(a, b, (0.437, 0.638, 0.042), 0.016)
    return a.parts(stretch=True)


def horse(look: Look) -> list[Part]:
    a, b = begin(look)
    lift = 0.06 * a.vary(0.6)
    body = _chain(b, [((-0.55, 1.08, 0), 0.29), ((0.0, 1.06, 0), 0.28), ((0.5, 1.08, 0), 0.28)])
    neck = _chain(b, [((0.58, 1.15, 0), 0.24), ((0.85, 1.5, 0), 0.16), ((1.0, 1.72, 0), 0.125)])
    head = _chain(b, [((1.03, 1.75, 0), 0.13), ((1.2, 1.62, 0), 0.1), ((1.38, 1.45, 0), 0.075)])
    front = _chain(b, [((0.52, 1.0, 0.15), 0.16), ((0.55, 0.55, 0.16), 0.075), ((0.54, 0.12, 0.16), 0.05)])
    hind = _chain(
        b,
        [
            ((-0.6, 1.05, 0.14), 0.22),
            ((-0.55, 0.7, 0.17), 0.12),
            ((-0.72, 0.5, 0.17), 0.07),
            ((-0.68, 0.12, 0.17), 0.05),
        ],
    )
    ear = b.cylinder(0.04, 0.14, top=0.006).rotate((8, 0, 14)).translate((0.98, 1.84, 0.07))
    a.main("body", BROWN, body, neck, head, _pair(front, hind, ear))
    hoofs = [b.cylinder(0.085, 0.12, (x, 0, z), top=0.058) for x, z in ((0.55, 0.16), (-0.67, 0.17))]
    a.fixed("hoofs", DARK, _pair(*hoofs))
    mane = [b.ball((0.09, 0.12, 0.035), (0.93 - 0.075 * i, 1.8 - 0.105 * i, 0)) for i in range(6)] + [
        b.ball((0.08, 0.06, 0.04), (1.08, 1.87, 0))
    ]
    tail = smooth([(-0.8, 1.2, 0.0), (-0.98, 1.1, 0.0), (-1.02, 0.8, lift), (-0.96, 0.5, lift)])
    a.second("mane", DARK, *mane)
    a.second("tail", DARK, b.tube(tail, [0.05, 0.08, 0.09, 0.02]))
    _eyes(a, b, (1.13, 1.745, 0.1), 0.026)
    a.fixed("nostrils", BLACK, _pair(b.ball(0.016, (1.43, 1.47, 0.04))))
    return a.parts(stretch=True)


def elephant(look: Look) -> list[Part]:
    a, b = begin(look)
    swing = 0.25 * a.vary(0.5)
    body = union(
        b.ball((1.45, 1.05, 0.95), (-0.25, 1.85, 0)),
        b.ball((0.7, 0.75, 0.62), (1.25, 2.25, 0)),
        b.limb((0.6, 2.1, 0), (1.2, 2.25, 0), 0.65, 0.55),
    )
    legs = _pair(*(b.cylinder(0.33, 1.6, (x, 0, 0.5), top=0.4) for x in (0.6, -1.1)))
    trunk = smooth(
        [(1.75, 2.15, 0.0), (2.1, 1.75, 0.0), (2.2, 1.1, 0.0), (2.25, 0.55, 0.0), (2.45 + swing, 0.45, 0.0)], 7
    )
    tail = b.tube(smooth([(-1.6, 2.2, 0.0), (-1.8, 1.8, 0.0), (-1.8, 1.2, 0.0)]), [0.07, 0.04])
    a.main("body", GREY, body, legs, b.tube(trunk, [0.38, 0.27, 0.2, 0.16, 0.14]), tail)
    ear = b.ball((0.5, 0.68, 0.07), (-0.32, -0.1, 0)).rotate((0, 28, 0)).translate((1.2, 2.35, 0.58))
    a.second("ears", Paint((0.62, 0.58, 0.60)), _pair(ear))
    tusk = smooth([(1.72, 1.85, 0.25), (2.05, 1.5, 0.32), (2.4, 1.5, 0.32)])
    a.fixed("tusks", CREAM, _pair(b.tube(tusk, [0.09, 0.075, 0.02])))
    a.fixed(
        "toes",
        CREAM,
        _pair(
            *(
                b.ball((0.07, 0.09, 0.08), (x + 0.33 * math.cos(t), 0.085, 0.5 + 0.33 * math.sin(t)))
                for x in (0.6, -1.1)
                for t in (-0.8, 0.0, 0.8)
            )
        ),
    )
    a.fixed("tuft", DARK, b.ball((0.06, 0.16, 0.06), (-1.8, 1.15, 0)))
    _eyes(a, b, (1.78, 2.42, 0.37), 0.06)
    return a.parts(stretch=True)


def pig(look: Look) -> list[Part]:
    a, b = begin(look)
    skin = Paint((0.94, 0.66, 0.64))
    body = union(b.ball((0.48, 0.31, 0.29), (-0.05, 0.46, 0)), b.ball((0.22, 0.21, 0.2), (0.42, 0.56, 0)))
    legs = _pair(*(b.cylinder(0.062, 0.3, (x, 0.04, 0.15), top=0.09) for x in (0.24, -0.33)))
    ear = b.cylinder(0.075, 0.14, top=0.01).scale((0.35, 1, 1)).rotate((28, 0, -38)).translate((0.42, 0.7, 0.1))
    a.main("body", skin, body, legs, _pair(ear))
    a.second(
        "snout",
        PINK,
        b.rod((0.58, 0.53, 0), (0.7, 0.52, 0), 0.085),
        b.helix(0.045, 0.12, 1.5 * a.vary(0.15), 0.014).rotate((0, 0, 90)).translate((-0.5, 0.53, 0.0)),
    )
    a.fixed("nostrils", DARK, _pair(b.ball((0.012, 0.024, 0.015), (0.7, 0.525, 0.03))))
    a.fixed("hoofs", BROWN, _pair(*(b.cylinder(0.064, 0.06, (x, 0, 0.15)) for x in (0.24, -0.33))))
    _eyes(a, b, (0.585, 0.64, 0.09), 0.022)
    return a.parts(stretch=True)


def sheep(look: Look) -> list[Part]:
    a, b = begin(look)
    fleece = [b.ball((0.42, 0.3, 0.27), (0, 0.56, 0))]
    for i in range(26):  # tufts spread evenly: the golden angle
        y = 1 - 2 * (i + 0.5) / 26
        t, r = i * 2.39996, math.sqrt(1 - y * y)
        fleece.append(b.half.ball(0.115 * a.vary(0.12), (0.37 * r * math.cos(t), 0.57 + 0.25 * y, 0.23 * r * math.sin(t))))
    a.main("fleece", CREAM, *fleece, b.ball((0.1, 0.08, 0.11), (0.5, 0.87, 0)), b.ball(0.08, (-0.46, 0.6, 0)))
    head = union(b.limb((0.47, 0.8, 0), (0.62, 0.7, 0), 0.105, 0.075), b.limb((0.35, 0.65, 0), (0.47, 0.78, 0), 0.1))
    ear = b.ball((0.04, 0.03, 0.1), (0.45, 0.83, 0.15))
    a.second(
        "face and legs",
        DARK,
        head,
        _pair(ear, *(b.cylinder(0.042, 0.4, (x, 0, 0.13), top=0.05) for x in (0.22, -0.24))),
    )
    _eyes(a, b, (0.565, 0.815, 0.06), 0.024, white=True)
    return a.parts(stretch=True)


def rabbit(look: Look) -> list[Part]:
    a, b = begin(look)
    fur, tilt = Paint((0.72, 0.62, 0.53)), 14 * a.vary(0.5)
    body = union(
        b.ball((0.15, 0.115, 0.1), (-0.05, 0.12, 0)),
        b.limb((0.02, 0.13, 0), (0.1, 0.15, 0), 0.09, 0.065),
        b.ball((0.075, 0.066, 0.062), (0.15, 0.225, 0)),
        b.limb((0.09, 0.14, 0), (0.13, 0.2, 0), 0.06, 0.05),
    )
    ear = b.ball((0.022, 0.085, 0.028), (0, 0.08, 0)).rotate((8, 0, tilt)).translate((0.125, 0.27, 0.03))
    inner = b.ball((0.012, 0.065, 0.016), (0.0135, 0.08, 0)).rotate((8, 0, tilt)).translate((0.125, 0.27, 0.03))
    legs = _pair(
        b.ball((0.085, 0.08, 0.045), (-0.09, 0.09, 0.075)),
        b.ball((0.075, 0.024, 0.03), (-0.04, 0.024, 0.08)),
        b.limb((0.1, 0.12, 0.035), (0.13, 0.024, 0.035), 0.03, 0.023),
    )
    a.main("body", fur, body, legs, _pair(ear))
    a.second(
        "tail and muzzle",
        WHITE,
        b.ball(0.04, (-0.2, 0.13, 0)),
        _pair(b.ball((0.025, 0.022, 0.024), (0.2, 0.205, 0.014))),
    )
    a.fixed("nose and ears", PINK, b.ball(0.011, (0.225, 0.224, 0)), _pair(inner))
    _eyes(a, b, (0.19, 0.245, 0.045), 0.0125)
    return a.parts(stretch=True)


def fish(look: Look) -> list[Part]:
    a, b = begin(look)
    curl, mid = 7 * a.vary(0.9), 0.12
    side = smooth([(0.17, 0.0), (0.12, 0.055), (0.02, 0.078), (-0.1, 0.04), (-0.16, 0.018)], 6)
    body = (
        b.turn([(0, 0.17), *((max(0.001, y), x) for x, y in side), (0, -0.16)])
        .rotate((0, 0, -90))
        .scale((1, 1, 0.52))
        .translate((0, mid, 0))
    )
    a.main("body", ORANGE, body)
    tail = b.plate(
        smooth(
            [(-0.14, 0.0), (-0.2, 0.055), (-0.27, 0.09), (-0.235, 0.0), (-0.27, -0.09), (-0.2, -0.055)], 5, closed=True
        ),
        0.012,
    )
    back = b.plate(smooth([(0.07, 0.06), (0.02, 0.12), (-0.06, 0.115), (-0.1, 0.03)], 5), 0.01)
    belly = b.plate(smooth([(0.0, -0.06), (-0.05, -0.115), (-0.09, -0.11), (-0.1, -0.03)], 5), 0.01)
    side_fin = b.ball((0.045, 0.028, 0.006), (-0.035, 0, 0)).rotate((0, 32, -20)).translate((0.05, -0.015, 0.036))
    fins = union(tail.rotate((0, curl, 0)), back, belly, _pair(side_fin)).translate((0, mid, 0))
    a.second("fins", Paint((0.95, 0.72, 0.25)), fins)
    bands = [b.box((0.026, 1, 1), (x, -0.4, 0)) for x in (0.055, -0.055)]
    a.fixed(
        "bands",
        WHITE,
        *(body.translate((0, -mid, 0)).scale((1.0, 1.02, 1.03)).translate((0, mid, 0)) ^ band for band in bands),
    )
    _eyes(a, b, (0.12, mid + 0.018, 0.026), 0.014, white=True)
    return a.parts(stretch=True)


def bird(look: Look) -> list[Part]:
    a, b = begin(look)
    lift = 18 * a.vary(0.3)
    body = _chain(b, [((-0.04, 0.09, 0), 0.035), ((0.015, 0.1, 0), 0.045), ((0.055, 0.145, 0), 0.034)])
    tail = Manifold.batch_hull(
        [b.ball((0.01, 0.01, 0.015), (-0.06, 0.095, 0)), b.box((0.01, 0.006, 0.055), (-0.145, 0.105, 0))]
    )
    a.main("body", SKY, body, tail)
    wing = b.ball((0.065, 0.035, 0.012), (-0.02, 0, 0)).rotate((0, -10, lift)).translate((-0.005, 0.108, 0.038))
    a.main("wings", Paint((0.22, 0.42, 0.70)), _pair(wing))
    a.second("breast", Paint((0.90, 0.45, 0.22)), b.ball((0.04, 0.042, 0.036), (0.034, 0.098, 0)))
    a.fixed("beak", YELLOW, b.rod((0.08, 0.148, 0), (0.118, 0.144, 0), 0.011, 0.001))
    legs = [b.rod((0.005, 0.07, 0.018), (0.012, 0.003, 0.018), 0.003)]
    toes = [
        b.rod((0.012, 0.003, 0.018), (0.012 + 0.03 * math.cos(t), 0.003, 0.018 + 0.03 * math.sin(t)), 0.003)
        for t in (-0.5, 0.0, 0.5, math.pi)
    ]
    a.fixed("legs", ORANGE, _pair(*legs, *toes))
    _eyes(a, b, (0.073, 0.158, 0.024), 0.0065)
    return a.parts(stretch=True)


def duck(look: Look) -> list[Part]:
    a, b = begin(look)
    tip = 0.085 * a.vary(0.1)
    body = union(
        b.ball((0.075, 0.05, 0.056), (0, 0.05, 0)),
        b.limb((-0.04, 0.06, 0), (-0.085, tip, 0), 0.035, 0.008),
        b.ball(0.041, (0.045, 0.125, 0)),
        b.limb((0.035, 0.07, 0), (0.045, 0.11, 0), 0.04, 0.03),
    )
    a.main(
        "body",
        YELLOW,
        body - b.box((1, 1, 1), (0, -0.996, 0)),
        _pair(b.ball((0.045, 0.024, 0.014), (-0.015, 0.066, 0.052)).rotate((0, 0, 10))),
    )
    a.second(
        "beak",
        ORANGE,
        b.ball((0.027, 0.008, 0.02), (0.092, 0.121, 0)),
        b.ball((0.022, 0.006, 0.016), (0.088, 0.112, 0)),
    )
    _eyes(a, b, (0.074, 0.14, 0.021), 0.0062)
    return a.parts(stretch=True)


def penguin(look: Look) -> list[Part]:
    a, b = begin(look)
    flap = 16 * a.vary(0.4)
    body = union(
        b.ball((0.16, 0.26, 0.15), (0, 0.3, 0)),
        b.ball((0.105, 0.1, 0.1), (0, 0.58, 0)),
        b.limb((0, 0.42, 0), (0, 0.55, 0), 0.115, 0.09),
    )
    flipper = (
        b.ball((0.055, 0.17, 0.018), (0, -0.15, 0)).rotate((-flap, 0, 0)).translate((0, 0.47, 0.125))
    )
    a.main("body", DARK, body, _pair(flipper), b.limb((-0.1, 0.12, 0), (-0.19, 0.04, 0), 0.06, 0.02))
    a.second(
        "front",
        WHITE,
        b.ball((0.13, 0.225, 0.125), (0.045, 0.285, 0)),
        _pair(b.ball((0.05, 0.055, 0.04), (0.06, 0.585, 0.045))),
    )
    a.fixed(
        "beak and feet",
        ORANGE,
        b.rod((0.09, 0.575, 0), (0.17, 0.56, 0), 0.028, 0.004),
        _pair(b.ball((0.085, 0.024, 0.055), (0.07, 0.024, 0.075))),
    )
    _eyes(a, b, (0.1, 0.61, 0.055), 0.014)
    return a.parts(stretch=True)


def turtle(look: Look) -> list[Part]:
    a, b = begin(look)
    raised = 0.02 * a.vary(0.8)
    shell = b.ball((0.2, 0.14, 0.165), (0, 0.07, 0)) - b.box((1, 1, 1), (0, -0.925, 0))
    a.main("shell", Paint((0.42, 0.30, 0.16)), shell)
    plates = [b.cylinder(0.062, 0.02, (0, 0.197, 0), top=0.05)]
    plates += [
        b.cylinder(0.05, 0.02, top=0.038)
        .rotate((0, 0, -46))
        .translate((0.124, 0.155, 0))
        .rotate((0, t, 0))
        .scale((1, 1, 0.83))
        for t in range(30, 390, 60)
    ]
    a.second("plates", Paint((0.60, 0.46, 0.24)), *plates)
    a.second("rim", Paint((0.60, 0.46, 0.24)), b.torus(0.18, 0.02, (0, 0.08, 0)).scale((1.06, 1, 0.88)))
    feet = [b.limb((x, 0.075, 0.11), (x * 1.38, 0.03, 0.175), 0.04, 0.03) for x in (0.11, -0.11)]
    neck = b.limb((0.15, 0.08, 0), (0.26, 0.12 + raised, 0), 0.04)
    a.fixed(
        "skin",
        Paint((0.45, 0.58, 0.28)),
        _pair(*feet),
        neck,
        b.ball((0.058, 0.048, 0.05), (0.275, 0.13 + raised, 0)),
        b.rod((-0.17, 0.07, 0), (-0.26, 0.04, 0), 0.025, 0.004),
    )
    _eyes(a, b, (0.31, 0.145 + raised, 0.03), 0.011)
    return a.parts(stretch=True)


def snake(look: Look) -> list[Part]:
    a, b = begin(look)
    wide = 0.16 * a.vary(0.15)
    line = [(-0.62 + 0.1 * i, 0.03, wide * math.sin(i * 1.25) * (0.4 + 0.05 * i)) for i in range(11)]
    path: list[Point] = [*line, (0.45, 0.05, 0.02), (0.5, 0.14, 0.0), (0.53, 0.2, 0.0), (0.6, 0.22, 0.0)]
    a.main("body", GREEN, b.tube(smooth(path, 5), [0.004, 0.018, 0.026, 0.03, 0.03, 0.03, 0.028, 0.026, 0.024, 0.024]))
    a.main("head", GREEN, b.ball((0.062, 0.03, 0.042), (0.62, 0.222, 0)))
    fine = smooth(path, 5)
    stripes = [
        b.torus(0.0275, 0.0045)
        .rotate((0, 0, 90))
        .rotate((0, -math.degrees(math.atan2(q[2] - p[2], q[0] - p[0])), 0))
        .translate(p)
        for p, q in list(pairwise(fine))[20:50:4]
    ]
    a.second("bands", YELLOW, *stripes)
    a.fixed(
        "tongue",
        RED,
        b.rod((0.67, 0.218, 0), (0.71, 0.215, 0), 0.003),
        _pair(b.rod((0.71, 0.215, 0), (0.735, 0.215, 0.012), 0.0028, 0.001)),
    )
    _eyes(a, b, (0.642, 0.238, 0.026), 0.0085)
    return a.parts(stretch=True)


def snail(look: Look) -> list[Part]:
    a, b = begin(look)
    turns = 2.3 * a.vary(0.08)
    steps = int(14 * turns)
    coil: list[Point] = []
    for i in range(steps + 1):
        t = i / steps
        angle, r = math.pi * 1.55 - math.tau * turns * t, 0.026 * (1 - t) + 0.001
        coil.append((-0.006 + r * math.cos(angle), 0.041 + r * math.sin(angle), 0.010 * t))
    a.main("shell", Paint((0.72, 0.46, 0.26)), _pair(b.tube(coil, [0.0135, 0.011, 0.0085, 0.006])))
    foot = [(-0.055, 0.003, 0.0), (-0.03, 0.007, 0.0), (0.02, 0.008, 0.0), (0.042, 0.018, 0.0), (0.05, 0.034, 0.0)]
    flesh = Paint((0.80, 0.70, 0.52))
    a.second(
        "body",
        flesh,
        b.tube(smooth(foot), [0.002, 0.009, 0.011, 0.0095, 0.008]).scale((1, 1, 1.15)) - b.box((1, 1, 1), (0, -1, 0)),
        b.ball((0.0105, 0.009, 0.0095), (0.051, 0.036, 0)),
    )
    a.second(
        "horns",
        flesh,
        _pair(
            b.rod((0.053, 0.04, 0.004), (0.064, 0.058, 0.01), 0.0016),
            b.rod((0.06, 0.034, 0.004), (0.068, 0.036, 0.007), 0.0012),
        ),
    )
    _eyes(a, b, (0.0642, 0.0585, 0.0101), 0.0026)
    return a.parts(stretch=True)


def bee(look: Look) -> list[Part]:
    a, b = begin(look)
    lift = 28 * a.vary(0.2)
    belly = b.ball((0.03, 0.02, 0.02), (-0.02, 0.032, 0))
    bands = [b.box((0.0095, 1, 1), (x, -0.4, 0)) for x in (-0.008, -0.027, -0.043)]
    a.main("body", YELLOW, belly, b.ball((0.015, 0.0165, 0.0165), (0.012, 0.036, 0)))
    stripes = belly.translate((0.02, -0.032, 0)).scale((1.01, 1.04, 1.04)).translate((-0.02, 0.032, 0))
    a.second(
        "stripes",
        DARK,
        *(stripes ^ band for band in bands),
        b.rod((-0.046, 0.032, 0), (-0.058, 0.031, 0), 0.003, 0.0003),
    )
    head = b.ball((0.0115, 0.012, 0.0135), (0.031, 0.037, 0))
    feelers = [b.tube([(0.036, 0.046, 0.004), (0.043, 0.057, 0.006), (0.051, 0.058, 0.008)], 0.001)]
    legs = [
        b.tube([(x, 0.026, 0.009), (x * 1.2, 0.02, 0.02), (x * 1.45, 0.0015, 0.024)], 0.0013)
        for x in (-0.014, 0.004, 0.018)
    ]
    a.second("head and legs", DARK, head, _pair(*feelers, *legs))
    wings = [
        b.ball((0.014, 0.0012, s), (0, 0, s)).rotate((-lift, t, 0)).translate((x, 0.05, 0.003))
        for x, s, t in ((0.01, 0.022, -8), (-0.003, 0.016, -30))
    ]
    a.fixed("wings", Paint((0.85, 0.92, 0.97), "glass"), _pair(*wings))
    _eyes(a, b, (0.0375, 0.041, 0.0082), 0.0042, white=True)
    return a.parts(stretch=True)


def spider(look: Look) -> list[Part]:
    a, b = begin(look)
    reach = 0.075 * a.vary(0.08)
    a.main(
        "body", DARK, b.ball((0.032, 0.026, 0.028), (-0.032, 0.04, 0)), b.ball((0.02, 0.016, 0.018), (0.012, 0.034, 0))
    )
    legs = []
    for degrees in (28, 62, 105, 142):
        t = math.radians(degrees)
        x, z = math.cos(t), math.sin(t)
        legs.append(
            b.tube(
                [
                    (0.01 + 0.01 * x, 0.034, 0.01 * z),
                    (0.01 + reach * 0.55 * x, 0.068, reach * 0.55 * z),
                    (0.01 + reach * x, 0.03, reach * z),
                    (0.01 + reach * 1.2 * x, 0.0015, reach * 1.2 * z),
                ],
                [0.0034, 0.0028, 0.0022, 0.001],
            )
        )
    a.second("legs", DARK, _pair(*legs))
    a.fixed("mark", RED, around(b.ball((0.008, 0.004, 0.005), (0.008, 0, 0)), 3).translate((-0.034, 0.064, 0)))
    _eyes(a, b, (0.028, 0.041, 0.007), 0.0042, white=True)
    return a.parts(stretch=True)


ANIMALS = (
    Family("cat", ("cat", "kitten"), (0.61, 0.43, 0.17), cat),
    Family("dog", ("dog", "puppy"), (1.0, 0.70, 0.29), dog),
    Family("horse", ("horse", "pony"), (2.5, 1.98, 0.72), horse),
    Family("elephant", ("elephant",), (4.4, 3.0, 2.2), elephant),
    Family("pig", ("pig", "piglet"), (1.33, 0.84, 0.58), pig),
    Family("sheep", ("sheep", "lamb"), (1.25, 0.95, 0.7), sheep),
    Family("rabbit", ("rabbit", "bunny", "hare"), (0.47, 0.43, 0.24), rabbit),
    Family("fish", ("fish", "goldfish"), (0.44, 0.24, 0.12), fish),
    Family("bird", ("bird", "sparrow", "robin"), (0.27, 0.18, 0.1), bird),
    Family("duck", ("duck", "rubber duck", "duckling"), (0.21, 0.165, 0.13), duck),
    Family("penguin", ("penguin",), (0.36, 0.68, 0.4), penguin),
    Family("turtle", ("turtle", "tortoise"), (0.6, 0.215, 0.41), turtle),
    Family("snake", ("snake",), (1.36, 0.25, 0.3), snake),
    Family("snail", ("snail",), (0.125, 0.08, 0.05), snail),
    Family("bee", ("bee", "bumblebee", "wasp"), (0.11, 0.075, 0.08), bee),
    Family("spider", ("spider",), (0.17, 0.07, 0.17), spider),
)
