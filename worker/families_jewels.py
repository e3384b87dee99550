"""Jewels, and glasses."""

from __future__ import annotations

import math

from manifold3d import Manifold

from frontdesk.worker.blocks import (
    Point,
    around,
    mirrored,
    smooth,
)
from frontdesk.worker.paints import (
    DARK,
    GOLD,
    SILVER,
)
from frontdesk.worker.solids import Family, Look, Paint, Part, begin

GEM = Paint((0.45, 0.75, 0.95), "glass")
RUBY = Paint((0.80, 0.08, 0.20), "glass")


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


JEWELS = (
    Family("crown", ("crown", "tiara"), (0.2, 0.095, 0.2), crown),
    Family("ring", ("ring", "wedding ring", "diamond ring", "engagement ring"), (0.022, 0.027, 0.011), ring),
    Family("necklace", ("necklace",), (0.165, 0.016, 0.22), necklace),
    Family("diamond", ("diamond", "gem", "crystal", "jewel"), (0.08, 0.064, 0.08), crystal),
    Family("glasses", ("glasses", "spectacles", "sunglasses"), (0.145, 0.055, 0.14), glasses),
)
