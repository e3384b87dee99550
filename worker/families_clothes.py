"""Clothes and what one carries."""

from __future__ import annotations

from manifold3d import Manifold

from frontdesk.worker.blocks import (
    arc,
    around,
    mirrored,
    smooth,
)
from frontdesk.worker.paints import (
    BLUE,
    BRASS,
    BROWN,
    CREAM,
    DARK,
    DARK_WOOD,
    RED,
    STEEL,
    WHITE,
)
from frontdesk.worker.solids import Family, Look, Paint, Part, begin


def hat(look: Look) -> list[Part]:
    a, b = begin(look)
    brim, dent = 0.165 * a.vary(0.08), 0.022 * a.vary(0.3)
    crown = smooth([(0.098, 0.012), (0.093, 0.06), (0.084, 0.1), (0.07, 0.116), (0.04, 0.112)], 5)
    body = b.turn([(0, 0.006), (0.098, 0.006), *crown, (0, 0.108)]).scale((0.88, 1, 1.1))
    pinch = b.limb((0, 0.13, -0.09), (0, 0.13, 0.1), dent, dent)
    plate = b.turn(
        [
            (0, 0.004),
            (0.1, 0.004),
            *smooth([(brim * 0.85, 0.003), (brim, 0.016)], 3),
            (brim, 0.02),
            (brim * 0.85, 0.009),
            (0.1, 0.01),
            (0, 0.01),
        ]
    ).scale((0.9, 1, 1.08))
    a.main("hat", BROWN, body - pinch, plate)
    a.second(
        "band", DARK, b.turn([(0.08, 0.012), (0.1005, 0.012), (0.0975, 0.036), (0.08, 0.036)]).scale((0.88, 1, 1.1))
    )
    return a.parts(stretch=True)


def top_hat(look: Look) -> list[Part]:
    a, b = begin(look)
    tall = 0.16 * a.vary(0.08)
    a.main(
        "hat",
        DARK,
        b.turn(
            [(0, 0.006), (0.088, 0.006), (0.083, tall * 0.5), (0.095, tall), (0.09, tall + 0.004), (0, tall + 0.004)]
        ),
        b.turn([(0, 0.004), (0.1, 0.002), (0.135, 0.008), (0.14, 0.014), (0.135, 0.015), (0.1, 0.01), (0, 0.012)]),
    )
    a.second("band", RED, b.turn([(0.06, 0.01), (0.0895, 0.01), (0.0866, 0.042), (0.06, 0.042)]))
    return a.parts(stretch=True)


def cap(look: Look) -> list[Part]:
    a, b = begin(look)
    deep = 0.105 * a.vary(0.06)
    dome = b.ball((0.092, deep, 0.1)) - b.ball((0.088, deep - 0.004, 0.096)) - b.box((1, 1, 1), (0, -1, 0))
    peak = b.slab(
        b.disc(0.09).scale((0.98, 1.15)).translate((0, 0.07)) - b.disc(0.1).scale((0.88, 0.98)), 0.006
    ).warp_batch(lambda p: p - abs(p[:, :1]) ** 2 * [[0, 3.2, 0]])
    a.main("crown", RED, dome)
    a.second(
        "peak", Paint((0.62, 0.10, 0.10)), peak.translate((0, 0.008, 0)), b.ball((0.009, 0.006, 0.009), (0, deep, 0))
    )
    return a.parts(stretch=True)


def shirt(look: Look) -> list[Part]:
    a, b = begin(look)
    w, h, sleeve = 0.25, 0.66, 0.2 * a.vary(0.1)
    half = [
        (0.09, h),
        (w, h - 0.05),
        (w + sleeve * 0.75, h - 0.05 - sleeve),
        (w + sleeve * 0.3, h - 0.13 - sleeve),
        (w - 0.01, h - 0.24),
        (w, 0.0),
    ]
    cloth = b.plate([*half, *((-x, y) for x, y in reversed(half))], 0.3) ^ Manifold.batch_hull(
        [
            b.box((1.3, 0.02, 0.05), (0, h, 0), edge=0.009),
            b.box((1.3, 0.3, 0.13), (0, h - 0.45, 0), edge=0.06),
            b.box((1.3, 0.02, 0.14), (0, 0, 0)),
        ]
    )
    neck = b.ball((0.088, 0.075, 0.2), (0, h + 0.01, 0.1)) + b.ball((0.088, 0.04, 0.2), (0, h + 0.01, -0.1))
    a.main("cloth", BLUE, cloth - neck)
    collar = smooth(
        [
            (-0.088, h + 0.004, 0.0),
            (-0.06, h - 0.04, 0.026),
            (0.0, h - 0.064, 0.034),
            (0.06, h - 0.04, 0.026),
            (0.088, h + 0.004, 0.0),
            (0.0, h - 0.024, -0.03),
        ],
        6,
        closed=True,
    )
    a.second("collar", WHITE, b.tube(collar, 0.011, closed=True))
    a.second(
        "pocket",
        WHITE,
        b.plate(
            [(0.06, h - 0.22), (0.15, h - 0.22), (0.15, h - 0.3), (0.105, h - 0.325), (0.06, h - 0.3)],
            0.02,
            (0, 0, 0.058),
        ),
    )
    return a.parts(stretch=True)


def boot(look: Look) -> list[Part]:
    a, b = begin(look)
    tall = 0.26 * a.vary(0.1)
    foot = Manifold.batch_hull(
        [
            b.ball((0.045, 0.035, 0.04), (-0.055, 0.05, 0)),
            b.ball((0.045, 0.042, 0.043), (0.06, 0.05, 0)),
            b.ball((0.035, 0.03, 0.037), (0.1, 0.045, 0)),
        ]
    )
    foot -= b.box((1, 1, 1), (0, -0.978, 0))
    instep = Manifold.batch_hull(
        [
            b.ball(0.042, (-0.05, 0.12, 0)),
            b.ball((0.04, 0.035, 0.036), (0.02, 0.07, 0)),
            b.ball(0.042, (-0.055, 0.06, 0)),
        ]
    )
    shaft = Manifold.batch_hull(
        [b.cylinder(0.045, 0.01, (-0.05, 0.11, 0)), b.cylinder(0.056, 0.01, (-0.055, tall - 0.01, 0))]
    )
    hollow = Manifold.batch_hull(
        [b.cylinder(0.038, 0.01, (-0.05, 0.13, 0)), b.cylinder(0.05, 0.02, (-0.055, tall - 0.01, 0))]
    )
    a.main("leather", BROWN, (foot + instep + shaft) - hollow)
    sole = b.slab(
        smooth(
            [
                (-0.1, 0.0),
                (-0.08, 0.04),
                (0.0, 0.033),
                (0.07, 0.047),
                (0.137, 0.025),
                (0.137, -0.025),
                (0.07, -0.047),
                (0.0, -0.033),
                (-0.08, -0.04),
            ],
            5,
            closed=True,
        ),
        0.014,
        (0, 0.011, 0),
    )
    heel = b.slab(
        smooth([(-0.1, 0.0), (-0.08, 0.038), (-0.03, 0.036), (-0.03, -0.036), (-0.08, -0.038)], 5, closed=True), 0.02
    )
    front = b.slab(b.disc(0.042).scale((1.25, 1)), 0.012, (0.078, 0, 0))
    a.second("sole", DARK, sole, heel, front)
    a.second("cuff", CREAM, b.torus(0.053, 0.008, (-0.055, tall - 0.006, 0), flat=1.4))
    laces = []
    for i in range(4):
        x, y = 0.034 - 0.014 * i, 0.106 + 0.0112 * i
        laces.append(b.limb((x, y, -0.024), (x, y, 0.024), 0.0035))
    a.second("laces", CREAM, *laces)
    return a.parts(stretch=True)


def backpack(look: Look) -> list[Part]:
    a, b = begin(look)
    tall = 0.42 * a.vary(0.05)
    a.main(
        "bag",
        BLUE,
        b.box((0.3, tall, 0.16), edge=0.06),
        b.box((0.306, 0.13, 0.175), (0, tall - 0.11, 0.004), edge=0.055),
    )
    a.second(
        "pocket",
        BROWN,
        b.box((0.22, 0.17, 0.07), (0, 0.035, 0.09), edge=0.028),
        mirrored(b.box((0.05, 0.14, 0.1), (0.15, 0.03, 0), edge=0.022)),
    )
    a.second(
        "handle",
        BROWN,
        b.tube(
            smooth(
                [
                    (-0.045, tall - 0.01, -0.05),
                    (-0.035, tall + 0.03, -0.05),
                    (0.035, tall + 0.03, -0.05),
                    (0.045, tall - 0.01, -0.05),
                ]
            ),
            0.009,
        ),
    )
    strap = smooth(
        [(0.07, tall - 0.03, -0.06), (0.08, tall - 0.06, -0.12), (0.09, tall * 0.5, -0.15), (0.1, 0.06, -0.07)]
    )
    a.second("straps", BROWN, mirrored(b.tube(strap, 0.014)))
    a.fixed(
        "buckles",
        BRASS,
        mirrored(b.box((0.03, 0.07, 0.012), (0.07, tall - 0.14, 0.088), edge=0.004)),
        b.box((0.16, 0.008, 0.01), (0, 0.165, 0.124), edge=0.003),
    )
    return a.parts(stretch=True)


def umbrella(look: Look) -> list[Part]:
    a, b = begin(look)
    ribs, bulge = 8, 0.3 * a.vary(0.1)
    dome = b.turn([(0, 0.7 + bulge), *((0.52 * x, 0.7 + bulge * y) for x, y in arc(1, 0, 88, 14)[::-1]), (0, 0.7)])
    inner = b.turn(
        [(0, 0.688 + bulge), *((0.515 * x, 0.7 + bulge * y - 0.012) for x, y in arc(1, 0, 88, 14)[::-1]), (0, 0.6)]
    )
    bites = around(
        b.cylinder(0.19, 0.3, (0, 0, 0)).rotate((90, 0, 0)).scale((1, 0.35, 1)).translate((0, 0.7, 0.35)), ribs, 22.5
    )
    a.main("canopy", RED, dome - inner - bites)
    a.fixed("stick", STEEL, b.rod((0, 0.09, 0), (0, 1.07, 0), 0.008))
    hook = [(0, 0.12, 0), (0, 0.05, 0), *((0.05 + x, 0.05 + y, 0.0) for x, y in arc(0.05, 180, 350, 12))]
    a.second("handle", DARK_WOOD, b.tube(hook, 0.014))
    a.fixed("ribs", STEEL, around(b.rod((0, 0.72, 0), (0.3, 0.94, 0), 0.004), ribs))
    return a.parts(stretch=True)


CLOTHES = (
    Family("hat", ("hat", "fedora"), (0.3, 0.118, 0.36), hat),
    Family("top hat", ("top hat",), (0.28, 0.165, 0.28), top_hat),
    Family("cap", ("cap", "baseball cap"), (0.184, 0.12, 0.28), cap),
    Family("shirt", ("shirt", "t-shirt"), (0.8, 0.67, 0.14), shirt),
    Family("boot", ("boot", "shoe"), (0.245, 0.265, 0.125), boot),
    Family("backpack", ("backpack", "rucksack"), (0.35, 0.46, 0.29), backpack),
    Family("umbrella", ("umbrella", "parasol"), (1.04, 1.07, 1.04), umbrella),
)
