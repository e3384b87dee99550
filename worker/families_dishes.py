"""Dishes and sweets."""

from __future__ import annotations

import math

from manifold3d import Manifold

from frontdesk.worker.blocks import (
    around,
    smooth,
    union,
)
from frontdesk.worker.paints import (
    CREAM,
    FLAME,
    GREEN,
    LEAF,
    PINK,
    PORCELAIN,
    RED,
    SKY,
    WHITE,
    YELLOW,
)
from frontdesk.worker.solids import Colour, Family, Look, Paint, Part, begin

DOUGH = Paint((0.84, 0.62, 0.34))
CRUST = Paint((0.72, 0.46, 0.20))
CHOCOLATE = Paint((0.33, 0.19, 0.12))
CHEESE = Paint((0.97, 0.78, 0.28))


def donut(look: Look) -> list[Part]:
    a, b = begin(look)
    ring, thick = 0.032, 0.0165 * a.vary(0.06)
    a.second("dough", DOUGH, b.torus(ring, thick, (0, thick * 0.9, 0), flat=0.9))
    icing = b.torus(ring, thick * 1.05, (0, thick * 0.93, 0), flat=0.95)
    cut = b.box((1, 1, 1), (0, thick * 1.02 - 1, 0))
    drips = around(b.ball((0.0105, 0.008, 0.0065), (ring + thick * 0.82, thick * 1.02, 0)), 7, 12) ^ icing
    a.main("icing", PINK, icing - cut, drips)
    colours: tuple[Colour, ...] = (SKY.colour, YELLOW.colour, WHITE.colour, GREEN.colour)
    sprinkles: dict[Colour, list[Manifold]] = {}
    for i in range(40):
        t, u = float(a.random.uniform(0, 360)), float(a.random.uniform(25, 155))
        bit = (
            b.small.limb((-0.0018, 0, 0), (0.0018, 0, 0), 0.0011)
            .rotate((0, float(a.random.uniform(0, 180)), 0))
            .translate((0, thick * 0.97, 0))
        )
        placed = bit.rotate((0, 0, u - 90)).translate((ring, thick * 0.93, 0)).rotate((0, t, 0))
        sprinkles.setdefault(colours[i % 4], []).append(placed)
    for number, (colour, bits) in enumerate(sprinkles.items()):
        a.fixed(f"sprinkles {number + 1}", Paint(colour), *bits)
    return a.parts(stretch=True)


def ice_cream(look: Look) -> list[Part]:
    a, b = begin(look)
    scoop = 0.034 * a.vary(0.06)
    cone = b.turn([(0, 0), (0.003, 0), (0.029, 0.115), (0, 0.115)])
    rings = [b.half.torus(0.003 + 0.026 * y / 0.115 + 0.0003, 0.0014, (0, y, 0)) for y in (0.02, 0.04, 0.06, 0.08, 0.1)]
    ribs = around(b.small.rod((0.003, 0.002, 0), (0.0293, 0.114, 0), 0.0011), 14)
    a.second("cone", DOUGH, cone)
    a.second("waffle", CRUST, *rings, ribs)
    a.main(
        "scoop", PINK, b.ball(scoop, (0, 0.132, 0)), around(b.half.ball((0.011, 0.007, 0.011), (0.0265, 0.117, 0)), 9)
    )
    a.fixed(
        "second scoop",
        CREAM,
        b.ball(scoop * 0.84, (0, 0.174, 0)),
        around(b.half.ball((0.0085, 0.0055, 0.0085), (0.0215, 0.162, 0)), 8, 20),
    )
    a.fixed("cherry", RED, b.ball(0.009, (0, 0.207, 0)))
    return a.parts(stretch=True)


def cake(look: Look) -> list[Part]:
    a, b = begin(look)
    candles = int(a.random.integers(5, 9))
    a.fixed("plate", PORCELAIN, b.cylinder(0.16, 0.008, edge=0.003), b.cylinder(0.05, 0.01))
    a.second("sponge", DOUGH, b.cylinder(0.12, 0.04, (0, 0.007, 0)), b.cylinder(0.12, 0.04, (0, 0.055, 0)))
    a.fixed("jam", RED, b.cylinder(0.122, 0.01, (0, 0.046, 0), edge=0.004))
    a.main(
        "icing",
        PINK,
        b.cylinder(0.124, 0.016, (0, 0.09, 0), edge=0.006),
        around(b.half.limb((0.117, 0.095, 0), (0.119, 0.075, 0), 0.011, 0.009), 14),
    )
    a.second(
        "cream",
        CREAM,
        around(b.half.turn([(0, 0), (0.011, 0), (0.012, 0.004), (0.006, 0.012), (0, 0.017)], (0.1, 0.104, 0)), 14),
    )
    stick = b.small.cylinder(0.0035, 0.05, (0.06, 0.104, 0))
    a.fixed("candles", SKY, around(stick, candles))
    flame = b.small.turn(
        [(0, 0), *smooth([(0.001, 0.0), (0.004, 0.006), (0.0006, 0.018)], 4), (0, 0.018)], (0.06, 0.153, 0)
    )
    a.fixed("flames", FLAME, around(flame, candles))
    return a.parts(stretch=True)


def pizza(look: Look) -> list[Part]:
    a, b = begin(look)
    a.second("crust", CRUST, b.cylinder(0.15, 0.01, edge=0.003), b.torus(0.145, 0.012, (0, 0.0115, 0), flat=0.9))
    a.main(
        "cheese",
        CHEESE,
        b.blob((0.139, 0.006, 0.139), (0, 0.011, 0), 0.015, a.random),
        b.cylinder(0.136, 0.006, (0, 0.008, 0)),
    )
    slices, olives, basil = [], [], []
    for i in range(9):
        t, r = 2.39996 * i + a.vary(0.3), 0.036 * math.sqrt(i + 0.4) * 1.04
        slices.append(b.cylinder(0.021, 0.005, (r * math.cos(t), 0.0145, r * math.sin(t)), edge=0.0015))
        olives.append(
            b.half.torus(0.0075, 0.0028, (r * 0.92 * math.cos(t + 0.62), 0.0165, r * 0.92 * math.sin(t + 0.62)))
        )
        if i % 2:
            basil.append(
                b.half.ball((0.016, 0.0025, 0.009))
                .rotate((0, 70 * i, 8))
                .translate((r * math.cos(t - 0.6), 0.0175, r * math.sin(t - 0.6)))
            )
    a.fixed("salami", Paint((0.72, 0.22, 0.16)), *slices)
    a.fixed("olives", Paint((0.14, 0.13, 0.12)), *olives)
    a.fixed("basil", LEAF, *basil)
    return a.parts(stretch=True)


def burger(look: Look) -> list[Part]:
    a, b = begin(look)
    plump = a.vary(0.06)
    a.main(
        "bun",
        CRUST,
        b.cylinder(0.052, 0.02, edge=0.008),
        (b.ball((0.055, 0.036 * plump, 0.055), (0, 0.058, 0)) - b.box((1, 1, 1), (0, -0.942, 0))),
        b.cylinder(0.054, 0.008, (0, 0.0545, 0), edge=0.0035),
    )
    frill = b.cylinder(0.054, 0.004, (0, 0.019, 0)) + around(
        b.half.ball((0.012, 0.0035, 0.009), (0.054, 0.021, 0)).rotate((10, 0, -8)), 14
    ).translate((0, 0.008, 0))
    a.second("lettuce", Paint((0.45, 0.70, 0.25)), frill)
    a.fixed("meat", CHOCOLATE, b.cylinder(0.055, 0.016, (0, 0.0225, 0), edge=0.006))
    a.second(
        "cheese",
        CHEESE,
        b.box((0.09, 0.003, 0.09), (0, 0.0385, 0)).rotate((0, 45, 0)),
        around(b.plate([(-0.012, 0), (0.012, 0), (0, -0.016)], 0.003, (0, 0.041, 0.0565)), 4),
    )
    a.fixed("tomato", RED, b.cylinder(0.05, 0.0075, (0, 0.041, 0), edge=0.003))
    a.second("sauce", Paint((0.95, 0.90, 0.72)), b.cylinder(0.051, 0.008, (0, 0.0475, 0), edge=0.0035))
    seeds = []
    for i in range(24):
        up, t = math.radians(28 + 60 * (i / 24)), i * 2.39996
        spot = (0.0537 * math.cos(up), 0.058 + 0.0352 * plump * math.sin(up), 0.0)
        seeds.append(
            b.small.ball((0.0028, 0.0011, 0.0016))
            .rotate((0, 0, math.degrees(up) - 90))
            .translate(spot)
            .rotate((0, math.degrees(t), 0))
        )
    a.fixed("seeds", CREAM, *seeds)
    return a.parts(stretch=True)


def egg(look: Look) -> list[Part]:
    a, b = begin(look)
    wide = 0.0215 * a.vary(0.04)
    side = smooth([(0.0, 0.0), (0.011, 0.0035), (wide, 0.024), (0.0155, 0.045), (0.0, 0.0575)], 8)
    lift = 0.028
    a.main("egg", Paint((0.91, 0.78, 0.64)), b.turn([(max(0.0, r), y) for r, y in side], (0, lift, 0)))
    holder = smooth([(0.02, 0.003), (0.007, 0.012), (0.007, 0.02), (0.019, 0.034), (0.0235, 0.052)], 5)
    inner = [(r - 0.002, y + 0.0015) for r, y in holder[-10:]]
    a.second("egg cup", SKY, b.turn([(0, 0), (0.02, 0), *holder, *reversed(inner), (0, inner[0][1])]))
    return a.parts(stretch=True)


def cheese(look: Look) -> list[Part]:
    a, b = begin(look)
    tall = 0.06 * a.vary(0.08)
    wedge = b.slab([(-0.08, 0.05), (0.09, 0.0), (-0.08, -0.05)], tall)
    holes = [
        ((-0.03, 0.012, 0.04), 0.011),
        ((0.015, 0.04, 0.022), 0.009),
        ((-0.06, 0.045, 0.046), 0.008),
        ((0.045, 0.018, 0.014), 0.007),
        ((-0.04, tall, 0.01), 0.013),
        ((0.025, tall, -0.005), 0.008),
        ((-0.08, 0.03, 0.015), 0.012),
        ((-0.08, 0.018, -0.025), 0.008),
        ((-0.02, 0.03, -0.035), 0.011),
    ]
    a.main("cheese", CHEESE, wedge - union(*(b.ball(r, at) for at, r in holes)))
    back = b.slab([(-0.0795, 0.05), (-0.0795, -0.05), (-0.084, -0.0513), (-0.084, 0.0513)], tall)
    a.second("rind", Paint((0.86, 0.55, 0.16)), back)
    return a.parts(stretch=True)


DISHES = (
    Family("donut", ("donut", "doughnut"), (0.098, 0.034, 0.098), donut),
    Family("ice cream", ("ice cream", "ice-cream", "cone", "gelato"), (0.075, 0.216, 0.075), ice_cream),
    Family("cake", ("cake", "birthday cake"), (0.32, 0.17, 0.32), cake),
    Family("pizza", ("pizza",), (0.31, 0.023, 0.31), pizza),
    Family("burger", ("burger", "hamburger", "cheeseburger"), (0.13, 0.095, 0.13), burger),
    Family("egg", ("egg",), (0.047, 0.09, 0.047), egg),
    Family("cheese", ("cheese",), (0.174, 0.06, 0.102), cheese),
)
