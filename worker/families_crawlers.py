"""Reptiles and crawling things. They look to +x, so that a picture from the front shows their side."""

from __future__ import annotations

import math
from itertools import pairwise

from frontdesk.worker.blocks import (
    Point,
    around,
    smooth,
)
from frontdesk.worker.bodies import eyes, pair
from frontdesk.worker.paints import (
    DARK,
    GREEN,
    RED,
    YELLOW,
)
from frontdesk.worker.solids import Family, Look, Paint, Part, begin


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
        pair(*feet),
        neck,
        b.ball((0.058, 0.048, 0.05), (0.275, 0.13 + raised, 0)),
        b.rod((-0.17, 0.07, 0), (-0.26, 0.04, 0), 0.025, 0.004),
    )
    eyes(a, b, (0.31, 0.145 + raised, 0.03), 0.011)
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
        pair(b.rod((0.71, 0.215, 0), (0.735, 0.215, 0.012), 0.0028, 0.001)),
    )
    eyes(a, b, (0.642, 0.238, 0.026), 0.0085)
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
    a.main("shell", Paint((0.72, 0.46, 0.26)), pair(b.tube(coil, [0.0135, 0.011, 0.0085, 0.006])))
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
        pair(
            b.rod((0.053, 0.04, 0.004), (0.064, 0.058, 0.01), 0.0016),
            b.rod((0.06, 0.034, 0.004), (0.068, 0.036, 0.007), 0.0012),
        ),
    )
    eyes(a, b, (0.0642, 0.0585, 0.0101), 0.0026)
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
    a.second("head and legs", DARK, head, pair(*feelers, *legs))
    wings = [
        b.ball((0.014, 0.0012, s), (0, 0, s)).rotate((-lift, t, 0)).translate((x, 0.05, 0.003))
        for x, s, t in ((0.01, 0.022, -8), (-0.003, 0.016, -30))
    ]
    a.fixed("wings", Paint((0.85, 0.92, 0.97), "glass"), pair(*wings))
    eyes(a, b, (0.0375, 0.041, 0.0082), 0.0042, white=True)
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
    a.second("legs", DARK, pair(*legs))
    a.fixed("mark", RED, around(b.ball((0.008, 0.004, 0.005), (0.008, 0, 0)), 3).translate((-0.034, 0.064, 0)))
    eyes(a, b, (0.028, 0.041, 0.007), 0.0042, white=True)
    return a.parts(stretch=True)


CRAWLERS = (
    Family("turtle", ("turtle", "tortoise"), (0.6, 0.215, 0.41), turtle),
    Family("snake", ("snake",), (1.36, 0.25, 0.3), snake),
    Family("snail", ("snail",), (0.124, 0.074, 0.0315), snail),
    Family("bee", ("bee", "bumblebee", "wasp"), (0.11, 0.075, 0.08), bee),
    Family("spider", ("spider",), (0.17, 0.07, 0.17), spider),
)
