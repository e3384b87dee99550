"""Birds and fish. They look to +x, so that a picture from the front shows their side."""

from __future__ import annotations

import math

from manifold3d import Manifold

from frontdesk.worker.blocks import (
    smooth,
    union,
)
from frontdesk.worker.bodies import chain, eyes, pair
from frontdesk.worker.paints import (
    DARK,
    ORANGE,
    SKY,
    WHITE,
    YELLOW,
)
from frontdesk.worker.solids import Family, Look, Paint, Part, begin


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
    fins = union(
        tail.translate((0.15, 0, 0)).rotate((0, curl, 0)).translate((-0.15, 0, 0)), back, belly, pair(side_fin)
    ).translate((0, mid, 0))
    a.second("fins", Paint((0.95, 0.72, 0.25)), fins)
    bands = [b.box((0.026, 1, 1), (x, -0.4, 0)) for x in (0.055, -0.055)]
    a.fixed(
        "bands",
        WHITE,
        *(body.translate((0, -mid, 0)).scale((1.0, 1.02, 1.03)).translate((0, mid, 0)) ^ band for band in bands),
    )
    eyes(a, b, (0.12, mid + 0.018, 0.026), 0.014, white=True)
    return a.parts(stretch=True)


def bird(look: Look) -> list[Part]:
    a, b = begin(look)
    lift = 18 * a.vary(0.3)
    body = chain(b, [((-0.04, 0.09, 0), 0.035), ((0.015, 0.1, 0), 0.045), ((0.055, 0.145, 0), 0.034)])
    tail = Manifold.batch_hull(
        [b.ball((0.01, 0.01, 0.015), (-0.06, 0.095, 0)), b.box((0.01, 0.006, 0.055), (-0.145, 0.105, 0))]
    )
    a.main("body", SKY, body, tail)
    wing = b.ball((0.065, 0.035, 0.012), (-0.02, 0, 0)).rotate((0, -10, lift)).translate((-0.005, 0.108, 0.038))
    a.main("wings", Paint((0.22, 0.42, 0.70)), pair(wing))
    a.second("breast", Paint((0.90, 0.45, 0.22)), b.ball((0.04, 0.042, 0.036), (0.034, 0.098, 0)))
    a.fixed("beak", YELLOW, b.rod((0.08, 0.148, 0), (0.118, 0.144, 0), 0.011, 0.001))
    legs = [b.rod((0.005, 0.07, 0.018), (0.012, 0.003, 0.018), 0.003)]
    toes = [
        b.rod((0.012, 0.003, 0.018), (0.012 + 0.03 * math.cos(t), 0.003, 0.018 + 0.03 * math.sin(t)), 0.003)
        for t in (-0.5, 0.0, 0.5, math.pi)
    ]
    a.fixed("legs", ORANGE, pair(*legs, *toes))
    eyes(a, b, (0.073, 0.158, 0.024), 0.0065)
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
        pair(b.ball((0.045, 0.024, 0.014), (-0.015, 0.066, 0.052)).rotate((0, 0, 10))),
    )
    a.second(
        "beak",
        ORANGE,
        b.ball((0.027, 0.008, 0.02), (0.092, 0.121, 0)),
        b.ball((0.022, 0.006, 0.016), (0.088, 0.112, 0)),
    )
    eyes(a, b, (0.074, 0.14, 0.021), 0.0062)
    return a.parts(stretch=True)


def penguin(look: Look) -> list[Part]:
    a, b = begin(look)
    flap = 16 * a.vary(0.4)
    body = union(
        b.ball((0.16, 0.26, 0.15), (0, 0.3, 0)),
        b.ball((0.105, 0.1, 0.1), (0, 0.58, 0)),
        b.limb((0, 0.42, 0), (0, 0.55, 0), 0.115, 0.09),
    )
    flipper = b.ball((0.055, 0.17, 0.018), (0, -0.15, 0)).rotate((-flap, 0, 0)).translate((0, 0.47, 0.125))
    a.main("body", DARK, body, pair(flipper), b.limb((-0.1, 0.12, 0), (-0.19, 0.04, 0), 0.06, 0.02))
    a.second(
        "front",
        WHITE,
        b.ball((0.13, 0.225, 0.125), (0.045, 0.285, 0)),
        pair(b.ball((0.05, 0.055, 0.04), (0.06, 0.585, 0.045))),
    )
    a.fixed(
        "beak and feet",
        ORANGE,
        b.rod((0.09, 0.575, 0), (0.17, 0.56, 0), 0.028, 0.004),
        pair(
            b.ball((0.085, 0.024, 0.055), (0.07, 0.024, 0.075)),
            b.limb((0.03, 0.12, 0.06), (0.05, 0.03, 0.07), 0.04, 0.03),
        ),
    )
    eyes(a, b, (0.1, 0.61, 0.055), 0.014)
    return a.parts(stretch=True)


ANIMALS = (
    Family("fish", ("fish", "goldfish"), (0.44, 0.25, 0.16), fish),
    Family("bird", ("bird", "sparrow", "robin"), (0.27, 0.18, 0.1), bird),
    Family("duck", ("duck", "rubber duck", "duckling"), (0.21, 0.165, 0.13), duck),
    Family("penguin", ("penguin",), (0.385, 0.68, 0.45), penguin),
)
