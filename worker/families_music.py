"""Musical instruments."""

from __future__ import annotations

import math

from manifold3d import CrossSection, Manifold

from frontdesk.worker.blocks import (
    Point,
    arc,
    mirrored,
    row,
    smooth,
)
from frontdesk.worker.paints import (
    BLACK,
    BRASS,
    CREAM,
    DARK,
    DARK_WOOD,
    GOLD,
    IRON,
    PALE_WOOD,
    RED,
    SILVER,
    WHITE,
    WOOD,
)
from frontdesk.worker.solids import Family, Look, Paint, Part, begin


def guitar(look: Look) -> list[Part]:
    a, b = begin(look)
    waist = 0.118 * a.vary(0.05)
    side = smooth(
        [
            (0.0, 0.0),
            (0.12, 0.015),
            (0.185, 0.12),
            (0.165, 0.2),
            (waist, 0.28),
            (0.138, 0.38),
            (0.11, 0.45),
            (0.0, 0.475),
        ],
        6,
    )
    outline = CrossSection([[*side, *((-x, y) for x, y in reversed(side[1:-1]))]])
    a.main("top", Paint((0.86, 0.62, 0.34)), b.plate(outline.offset(-0.004), 0.012, (0, 0, 0.047)))
    a.second("sides", DARK_WOOD, b.plate(outline, 0.09))
    a.fixed("hole", BLACK, b.cylinder(0.046, 0.002).rotate((90, 0, 0)).translate((0, 0.31, 0.052)))
    a.fixed("rose", CREAM, b.torus(0.051, 0.004, flat=0.5).rotate((90, 0, 0)).translate((0, 0.31, 0.053)))
    a.second(
        "neck",
        DARK_WOOD,
        b.box((0.052, 0.44, 0.03), (0, 0.44, 0.032), edge=0.012),
        Manifold.batch_hull(
            [b.box((0.055, 0.02, 0.018), (0, 0.86, 0.033)), b.box((0.075, 0.02, 0.016), (0, 1.0, 0.018))]
        ),
    )
    a.fixed(
        "fingerboard",
        BLACK,
        b.box((0.05, 0.5, 0.012), (0, 0.37, 0.046), edge=0.002),
        b.box((0.14, 0.026, 0.012), (0, 0.135, 0.052), edge=0.004),
    )
    a.fixed(
        "frets",
        SILVER,
        *(b.box((0.05, 0.003, 0.003), (0, 0.868 - 0.72 * (1 - 2 ** (-i / 12)), 0.0525)) for i in range(1, 13)),
    )
    a.fixed(
        "strings",
        SILVER,
        *(
            b.rod((0.0075 * i, 0.148, 0.064), (0.0065 * i, 0.87, 0.062), 0.0011)
            for i in (-2.5, -1.5, -0.5, 0.5, 1.5, 2.5)
        ),
        b.box((0.05, 0.006, 0.028), (0, 0.866, 0.049)),
        b.box((0.07, 0.006, 0.01), (0, 0.145, 0.0595)),
    )
    a.fixed(
        "pegs",
        CREAM,
        mirrored(
            *(
                b.rod((0.02, y, 0.026), (0.055, y, 0.024), 0.005) + b.ball((0.012, 0.009, 0.007), (0.058, y, 0.024))
                for y in (0.9, 0.94, 0.98)
            )
        ),
    )
    return a.parts(stretch=True)


def drum(look: Look) -> list[Part]:
    a, b = begin(look)
    tall, r = 0.26 * a.vary(0.08), 0.18
    a.main("shell", RED, b.cylinder(r, tall, (0, 0.012, 0)))
    a.second("hoops", GOLD, *(b.cylinder(r + 0.008, 0.028, (0, y, 0)) for y in (0.0, tall)))
    a.fixed("skin", CREAM, b.cylinder(r - 0.006, 0.004, (0, tall + 0.0265, 0)))
    zigzag = [
        b.rod(
            ((r + 0.004) * math.cos(t), y, (r + 0.004) * math.sin(t)),
            ((r + 0.004) * math.cos(u), v, (r + 0.004) * math.sin(u)),
            0.004,
        )
        for i in range(16)
        for t, u in [(math.tau * i / 16, math.tau * (i + 1) / 16)]
        for y, v in [(0.02, tall + 0.005) if i % 2 else (tall + 0.005, 0.02)]
    ]
    a.fixed("cord", CREAM, *zigzag)
    stick = b.rod((-0.15, 0, 0), (0.17, 0.012, 0), 0.007, 0.005) + b.ball((0.014, 0.01, 0.01), (0.17, 0.012, 0))
    a.fixed(
        "sticks",
        PALE_WOOD,
        *(stick.rotate((0, t, 0)).translate((0, tall + 0.037, z)) for t, z in ((25, 0.03), (-20, -0.05))),
    )
    return a.parts(stretch=True)


def trumpet(look: Look) -> list[Part]:
    a, b = begin(look)
    bend, y = 0.055 * a.vary(0.06), 0.12
    flare = smooth([(0.009, -0.2), (0.012, -0.02), (0.022, 0.08), (0.06, 0.135)], 6)
    horn = (
        b.turn([*flare, *((r - 0.002, v + 0.001) for r, v in reversed(flare))])
        .rotate((0, 0, -90))
        .translate((0.15, y + bend, 0))
    )
    loop: list[Point] = [
        (-0.05, y + bend, 0),
        (-0.14, y + bend, 0),
        *((-0.14 + x, y + v, 0.0) for x, v in arc(bend, 90, 270, 12)),
        (-0.14, y - bend, 0),
        (0.1, y - bend, 0),
        *((0.1 + x, y - 0.0165 + v, 0.0) for x, v in arc(bend - 0.0165, -90, 90, 12)),
        (0.1, y + bend - 0.033, 0),
        (-0.33, y + bend - 0.033, 0),
    ]
    a.main(
        "tube",
        BRASS,
        horn,
        b.tube(loop, 0.0075),
        b.rod((-0.33, y + bend - 0.033, 0), (-0.365, y + bend - 0.033, 0), 0.006, 0.014),
        b.torus(0.0595, 0.003).rotate((0, 0, 90)).translate((0.285, y + bend, 0)),
    )
    valves = [b.cylinder(0.0125, 0.115, (x, y - bend - 0.012, 0), edge=0.003) for x in (-0.04, -0.01, 0.02)]
    a.second(
        "valves",
        SILVER,
        *valves,
        *(
            b.rod((x, y, 0), (x, y + bend + 0.025, 0), 0.004) + b.cylinder(0.0095, 0.006, (x, y + bend + 0.024, 0))
            for x in (-0.04, -0.01, 0.02)
        ),
    )
    return a.parts(stretch=True)


def piano(look: Look) -> list[Part]:
    a, b = begin(look)
    tall = 1.2 * a.vary(0.03)
    a.main(
        "case",
        DARK,
        b.box((1.5, tall, 0.38), (0, 0, -0.12), edge=0.015),
        b.box((1.5, 0.08, 0.62), (0, 0.62, 0), edge=0.015),
        b.box((1.56, 0.04, 0.42), (0, tall - 0.01, -0.12), edge=0.015),
    )
    a.main(
        "legs",
        DARK,
        mirrored(
            b.box((0.09, 0.66, 0.1), (0.7, 0, 0.24), edge=0.02),
            b.box((0.05, 0.17, 0.3), (0.725, 0.62, 0.16), edge=0.012),
        ),
    )
    a.fixed(
        "white keys", WHITE, row(b.box((0.0255, 0.025, 0.15), (-0.679, 0.698, 0.2), edge=0.003), 52, (0.0266, 0, 0))
    )
    blacks = [
        b.box((0.014, 0.016, 0.095), (-0.679 + 0.0266 * (i + 0.5), 0.72, 0.17))
        for i in range(51)
        if i % 7 not in (1, 4)
    ]
    a.fixed("black keys", BLACK, *blacks)
    a.second("stand", WOOD, b.box((0.6, 0.2, 0.02), (0, 0.8, 0.078), edge=0.008))
    a.fixed("pedals", GOLD, *(b.box((0.03, 0.012, 0.12), (x, 0.03, 0.12), edge=0.004) for x in (-0.07, 0, 0.07)))
    return a.parts(stretch=True)


def bell(look: Look) -> list[Part]:
    a, b = begin(look)
    flare = 0.062 * a.vary(0.06)
    side = smooth([(flare, 0.004), (0.046, 0.03), (0.036, 0.065), (0.026, 0.095), (0.004, 0.103)], 6)
    inside = [(r - 0.005, y - 0.006) for r, y in side[:-3]]
    a.main(
        "bell",
        GOLD,
        b.turn([(flare - 0.007, 0), (flare, 0), *side, (0, 0.103), (0, 0.093), *reversed(inside)]),
        b.torus(0.0365, 0.0022, (0, 0.062, 0)),
    )
    a.fixed("clapper", IRON, b.rod((0, 0.012, 0), (0, 0.097, 0), 0.003), b.ball(0.012, (0, 0.014, 0)))
    a.second(
        "handle",
        DARK_WOOD,
        b.turn([(0, 0.1), *smooth([(0.008, 0.1), (0.009, 0.12), (0.014, 0.16), (0.009, 0.19)], 5), (0, 0.19)]),
        b.ball(0.013, (0, 0.196, 0)),
    )
    return a.parts(stretch=True)


MUSIC = (
    Family("guitar", ("guitar",), (0.37, 1.02, 0.11), guitar),
    Family("drum", ("drum",), (0.376, 0.3, 0.376), drum),
    Family("trumpet", ("trumpet",), (0.66, 0.19, 0.12), trumpet),
    Family("piano", ("piano",), (1.56, 1.23, 0.62), piano),
    Family("bell", ("bell", "handbell"), (0.125, 0.21, 0.125), bell),
)
