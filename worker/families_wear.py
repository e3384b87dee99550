"""Clothing and jewellery."""

from __future__ import annotations

import math

from manifold3d import Manifold

from frontdesk.worker.blocks import Point, around, mirrored, smooth
from frontdesk.worker.paints import BLUE, BRASS, BROWN, CREAM, DARK, GOLD, RED, SILVER, WHITE, Paint
from frontdesk.worker.solids import Family, Look, Part, begin

GEM = Paint((0.45, 0.75, 0.95), "glass")
RUBY = Paint((0.80, 0.08, 0.20), "glass")


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


def crown(look: Look) -> list[Part]:
    a, b = begin(look)
    points, tall = int(a.random.integers(5, 8)), 0.085 * a.vary(0.08)
    wall = b.cylinder(0.088, tall, top=0.1) - b.cylinder(0.0845, tall + 0.02, (0, -0.0005, 0), top=0.099)
    step = 360 / points
    half = 0.105 * math.tan(math.radians(step / 2))
    notch = b.plate([(-half, tall + 0.01), (0, tall * 0.42), (half, tall + 0.01)], 0.08, (0, 0, 0.1))
    a.main(
        "crown",
        GOLD,
        wall - around(notch, points),
        b.torus(0.0885, 0.005, (0, 0.005, 0)),
        b.torus(0.0915, 0.003, (0, 0.026, 0)),
    )
    tip = (0.099 * math.sin(math.radians(step / 2)), tall, 0.099 * math.cos(math.radians(step / 2)))
    a.main("beads", GOLD, around(b.ball(0.008, tip), points))
    a.second("jewels", RUBY, around(b.ball((0.0075, 0.0075, 0.005), (0, 0.0155, 0.09)), points, step / 2))
    return a.parts(stretch=True)


def ring(look: Look) -> list[Part]:
    a, b = begin(look)
    gem = 0.0052 * a.vary(0.12)
    band = b.torus(0.0095, 0.0015).rotate((90, 0, 0)).translate((0, 0.011, 0))
    claws = around(b.limb((0.0012, 0.0205, 0), (gem * 0.92, 0.0205 + gem * 0.95, 0), 0.0008, 0.0006), 6)
    a.main("band", GOLD, band, claws, b.cylinder(0.002, 0.002, (0, 0.0198, 0)))
    cut = [(gem * math.cos(t), 0.0205 + gem * 0.85, gem * math.sin(t)) for t in [math.tau * i / 8 for i in range(8)]]
    table = [
        (gem * 0.6 * math.cos(t), 0.0205 + gem * 1.15, gem * 0.6 * math.sin(t))
        for t in [math.tau * (i + 0.5) / 8 for i in range(8)]
    ]
    a.second("gem", GEM, Manifold.hull_points([(0, 0.0207, 0), *cut, *table]))
    return a.parts(stretch=True)


def necklace(look: Look) -> list[Part]:
    a, b = begin(look)
    count = 34
    beads = []
    for i in range(count):
        t = math.tau * i / count
        size = 0.0052 + 0.0026 * (1 + math.cos(t - math.pi / 2)) / 2
        beads.append(b.half.ball(size, (0.075 * math.cos(t), 0.008, (0.085 * a.vary(0.004)) * math.sin(t))))
    a.main("pearls", Paint((0.95, 0.92, 0.88)), *beads)
    a.second("pendant", RUBY, b.ball((0.011, 0.007, 0.015), (0, 0.008, 0.105)))
    a.fixed(
        "setting",
        GOLD,
        b.torus(0.0125, 0.0018).scale((1, 1, 1.25)).translate((0, 0.008, 0.105)),
        b.tube(
            [(0.075 * math.cos(t), 0.008, 0.085 * math.sin(t)) for t in [math.tau * i / 48 for i in range(48)]],
            0.0012,
            closed=True,
        ),
    )
    return a.parts(stretch=True)


def glasses(look: Look) -> list[Part]:
    a, b = begin(look)
    r = 0.024 * a.vary(0.06)
    rim = b.torus(r, 0.0021).rotate((90, 0, 0)).scale((1.1, 1, 1)).translate((0.033, r + 0.003, 0))
    arm = smooth(
        [(0.033 + 1.1 * r, r + 0.012, 0.0), (0.069, r + 0.014, -0.01), (0.071, r + 0.012, -0.1), (0.068, 0.006, -0.135)]
    )
    bridge = smooth([(-0.009, r + 0.008, 0.0), (0.0, r + 0.013, 0.002), (0.009, r + 0.008, 0.0)])
    a.main("frame", DARK, mirrored(rim, b.tube(arm, 0.0018)), b.tube(bridge, 0.0019))
    lens = b.cylinder(r, 0.0018, (0, -0.0009, 0)).rotate((90, 0, 0)).scale((1.1, 1, 1)).translate((0.033, r + 0.003, 0))
    a.second("lenses", Paint((0.75, 0.88, 0.95), "glass"), mirrored(lens))
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
    laces = [
        b.limb((0.03 - 0.011 * i, 0.108 + 0.019 * i, -0.024), (0.03 - 0.011 * i, 0.108 + 0.019 * i, 0.024), 0.0035)
        for i in range(4)
    ]
    a.second("laces", CREAM, *(lace.translate((-0.002, -0.006, 0)) for lace in laces))
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


def crystal(look: Look) -> list[Part]:
    a, b = begin(look)
    r, top = 0.04 * a.vary(0.05), 0.62

    def circle(count: int, radius: float, y: float, shift: float = 0.0) -> list[Point]:
        return [
            (radius * math.cos(t), y, radius * math.sin(t))
            for t in [math.tau * (i + shift) / count for i in range(count)]
        ]

    points = [
        (0.0, 0.0, 0.0),
        *circle(16, r, 0.043),
        *circle(16, r, 0.045),
        *circle(8, r * 0.82, 0.054, 0.5),
        *circle(8, r * top, 0.06),
    ]
    a.main("diamond", GEM, Manifold.hull_points(points))
    a.second(
        "stand",
        SILVER,
        b.torus(0.0165, 0.0028, (0, 0.0185, 0)),
        around(b.rod((0.0165, 0.0185, 0), (0.026, -0.004, 0), 0.0022), 3),
    )
    return a.parts(stretch=True)


WEAR = (
    Family("hat", ("hat", "fedora"), (0.3, 0.118, 0.36), hat),
    Family("top hat", ("top hat",), (0.28, 0.165, 0.28), top_hat),
    Family("cap", ("cap", "baseball cap"), (0.184, 0.12, 0.28), cap),
    Family("crown", ("crown", "tiara"), (0.2, 0.095, 0.2), crown),
    Family("ring", ("ring", "wedding ring"), (0.022, 0.027, 0.011), ring),
    Family("necklace", ("necklace",), (0.165, 0.016, 0.22), necklace),
    Family("glasses", ("glasses", "spectacles", "sunglasses"), (0.145, 0.055, 0.14), glasses),
    Family("boot", ("boot", "shoe"), (0.245, 0.265, 0.125), boot),
    Family("shirt", ("shirt", "t-shirt"), (0.8, 0.67, 0.14), shirt),
    Family("backpack", ("backpack", "rucksack"), (0.35, 0.46, 0.29), backpack),
    Family("diamond", ("diamond", "gem", "crystal", "jewel"), (0.08, 0.064, 0.08), crystal),
)
