"""Craft of air and space; aeroplane and helicopter point to +x."""

from __future__ import annotations

from manifold3d import Manifold

from frontdesk.worker.blocks import (
    around,
    mirrored,
    row,
    smooth,
)
from frontdesk.worker.paints import (
    DARK,
    DARK_WOOD,
    FLAME,
    GREY,
    IRON,
    LIGHT,
    RED,
    SILVER,
    SKY,
    STEEL,
    WHITE,
    WINDOW,
    WOOD,
    YELLOW,
)
from frontdesk.worker.solids import Family, Look, Part, begin


def rocket(look: Look) -> list[Part]:
    a, b = begin(look)
    r = 0.62 * a.vary(0.06)
    side = smooth([(0.42, 0.7), (r, 2.0), (r * 0.97, 3.2), (r * 0.72, 4.2), (0.0, 5.4)], 8)
    profile = [(max(0.0, x), y) for x, y in side]
    body = b.turn([(0, 0.7), *profile])
    a.main("body", WHITE, body - b.box((3, 3, 3), (0, 4.05, 0)))
    a.second("nose", RED, body ^ b.box((3, 3, 3), (0, 4.05, 0)))
    fin = b.plate(
        [*smooth([(0.3, 1.9), (0.75, 1.45), (1.1, 0.7), (1.15, 0.0)], 5), (0.98, 0.0), (0.75, 0.55), (0.3, 0.85)], 0.09
    )
    a.second("fins", RED, around(fin, 4, 45))
    a.second("band", RED, b.cylinder(r * 0.8, 0.12, (0, 1.05, 0)) + b.torus(r * 0.82, 0.05, (0, 1.15, 0)))
    a.fixed("nozzle", IRON, b.turn([(0, 0.75), (0.2, 0.75), (0.36, 0.35), (0.32, 0.35), (0.16, 0.7), (0, 0.7)]))
    a.fixed("flame", FLAME, b.turn([(0.0, 0.08), *smooth([(0.03, 0.1), (0.2, 0.35), (0.16, 0.72)], 4), (0.0, 0.72)]))
    a.fixed("window", WINDOW, b.cylinder(0.22, 0.2).rotate((90, 0, 0)).translate((0, 2.9, r - 0.17)))
    a.fixed("frame", SILVER, b.torus(0.24, 0.055).rotate((90, 0, 0)).translate((0, 2.9, r - 0.02)))
    return a.parts(stretch=True)


def aeroplane(look: Look) -> list[Part]:
    a, b = begin(look)
    span = 8.4 * a.vary(0.04)
    side = smooth(
        [(0.0, -9.0), (0.35, -8.6), (0.8, -6.0), (1.25, -2.0), (1.25, 5.5), (0.95, 7.6), (0.45, 8.7), (0.0, 9.0)], 6
    )
    a.main("body", WHITE, b.turn([(max(0.0, r), y) for r, y in side]).rotate((0, 0, -90)).translate((0, 2.9, 0)))
    wing = Manifold.batch_hull([b.ball((1.75, 0.2, 0.1), (0.6, 2.3, 0.6)), b.ball((0.7, 0.08, 0.1), (-2.2, 2.9, span))])
    a.second("wings", SKY, mirrored(wing, axis=(0, 0, 1)))
    tail = Manifold.batch_hull(
        [b.ball((0.9, 0.1, 0.1), (-7.4, 3.3, 0.2)), b.ball((0.45, 0.06, 0.06), (-8.6, 3.5, 3.1))]
    )
    a.second(
        "tail",
        SKY,
        mirrored(tail, axis=(0, 0, 1)),
        Manifold.batch_hull([b.ball((1.2, 0.1, 0.12), (-7.0, 3.5, 0)), b.ball((0.55, 0.06, 0.07), (-8.6, 6.2, 0))]),
    )
    engine = b.turn(
        [
            (0, -0.9),
            (0.3, -0.9),
            *smooth([(0.45, -0.7), (0.58, 0.2), (0.5, 0.95)], 4),
            (0.4, 0.95),
            (0.4, 0.6),
            (0, 0.6),
        ]
    ).rotate((0, 0, -90))
    a.second(
        "engines",
        GREY,
        mirrored(
            engine.translate((1.1, 1.75, 3.1)), b.box((1.0, 0.6, 0.16), (0.3, 1.9, 3.1), edge=0.05), axis=(0, 0, 1)
        ),
    )
    a.fixed(
        "windows",
        WINDOW,
        mirrored(row(b.box((0.24, 0.34, 0.1), (-3.1, 3.15, 1.16)), 14, (0.55, 0, 0)), axis=(0, 0, 1))
        ^ b.box((9.5, 2, 3), (0.45, 2.5, 0)),
    )
    a.fixed(
        "cockpit",
        WINDOW,
        Manifold.batch_hull(
            [b.box((0.15, 0.35, 1.2), (7.95, 3.3, 0), edge=0.06), b.box((0.5, 0.1, 1.0), (7.3, 3.7, 0), edge=0.04)]
        ),
    )
    legs = [b.rod((x, 0.4, z), (x, 2.35, z), 0.12) for x, z in ((6.2, 0.0), (-0.6, 1.5), (-0.6, -1.5))]
    a.fixed(
        "legs",
        STEEL,
        *legs,
        mirrored(b.rod((-0.6, 0.4, 1.2), (-0.6, 0.4, 1.8), 0.1), axis=(0, 0, 1)),
        b.rod((6.2, 0.4, -0.25), (6.2, 0.4, 0.25), 0.1),
    )
    tyre = b.cylinder(0.42, 0.26, (0, -0.13, 0), edge=0.06).rotate((90, 0, 0))
    a.fixed(
        "tyres",
        DARK,
        *(
            tyre.translate((x, 0.42, z))
            for x, z in ((6.2, 0.16), (6.2, -0.16), (-0.6, 1.3), (-0.6, 1.7), (-0.6, -1.3), (-0.6, -1.7))
        ),
    )
    return a.parts(stretch=True)


def helicopter(look: Look) -> list[Part]:
    a, b = begin(look)
    turn = 22 * a.vary(1)
    cabin = b.ball((1.75, 1.05, 0.95), (0.9, 1.75, 0))
    pod = cabin + Manifold.batch_hull([b.ball((0.8, 0.75, 0.7), (-0.2, 1.9, 0)), b.ball(0.2, (-4.3, 2.35, 0))])
    front = b.box((3, 1.3, 3), (2.55, 1.55, 0))
    a.main("body", RED, pod - front)
    a.fixed("canopy", WINDOW, cabin.scale((0.995, 0.995, 0.995)) ^ b.box((3, 1.3, 3), (2.5, 1.55, 0)))
    a.main(
        "tail",
        RED,
        b.plate([(-4.6, 2.2), (-3.9, 2.2), (-4.4, 3.3), (-4.9, 3.3)], 0.12),
        b.box((0.6, 0.08, 1.7), (-3.8, 2.3, 0), edge=0.03),
    )
    blade = b.box((4.2, 0.05, 0.28), (2.15, 3.3, 0), edge=0.02)
    a.second("rotor", DARK, around(blade, 4, turn), b.cylinder(0.17, 0.22, (0, 3.2, 0), edge=0.04))
    a.fixed("mast", STEEL, b.rod((0, 2.3, 0), (0, 3.25, 0), 0.09), b.rod((-4.3, 2.5, -0.1), (-4.3, 2.5, 0.22), 0.06))
    a.second(
        "tail rotor",
        DARK,
        *(
            b.box((0.12, 1.5, 0.04), (0, -0.75, 0), edge=0.015)
            .rotate((0, 0, turn + 90 * i))
            .translate((-4.3, 2.5, 0.2))
            for i in range(2)
        ),
    )
    skid = smooth([(2.4, 0.25, 0.95), (2.0, 0.06, 0.95), (1.4, 0.05, 0.95), (-0.9, 0.05, 0.95)])
    legs = [b.rod((x, 0.05, 0.95), (x, 1.2, 0.45), 0.05) for x in (-0.2, 1.5)]
    a.fixed("skids", STEEL, mirrored(b.tube(skid, 0.055), *legs, axis=(0, 0, 1)))
    return a.parts(stretch=True)


def balloon(look: Look) -> list[Part]:
    a, b = begin(look)
    gores, r = 8, 4.6 * a.vary(0.05)
    side = smooth([(0.75, 4.4), (2.6, 7.2), (r, 11.0), (3.2, 14.6), (0.0, 16.0)], 8)
    profile = [(max(0.0, x), y) for x, y in side]
    envelope = b.turn([(0, 4.4), *profile])
    wedge = b.turn([(0, 0), (12, 0), (12, 20), (0, 20)], degrees=180 / gores)
    wedges = around(wedge, gores)
    a.main("stripes", RED, envelope ^ wedges)
    a.second("envelope", YELLOW, envelope - wedges)
    basket = b.slab(b.rounded(1.5, 1.5, 0.25), 1.15) - b.slab(b.rounded(1.36, 1.36, 0.2), 1.2, (0, 0.1, 0))
    a.fixed("basket", WOOD, basket)
    a.fixed("rim", DARK_WOOD, b.slab(b.rounded(1.6, 1.6, 0.3) - b.rounded(1.34, 1.34, 0.2), 0.12, (0, 1.1, 0)))
    a.fixed(
        "ropes",
        DARK,
        *(b.rod((0.7 * x, 1.15, 0.7 * z), (0.6 * x, 4.6, 0.6 * z), 0.03) for x in (1, -1) for z in (1, -1)),
    )
    a.fixed(
        "burner",
        STEEL,
        b.cylinder(0.18, 0.4, (0, 2.5, 0)),
        *(b.rod((s * 0.66, 2.6, s * q * 0.66), (0, 2.6, 0), 0.03) for s in (1, -1) for q in (1, -1)),
    )
    a.fixed("flame", FLAME, b.turn([(0, 2.85), *smooth([(0.12, 2.86), (0.2, 3.2), (0.02, 4.1)], 5), (0, 4.1)]))
    return a.parts(stretch=True)


def saucer(look: Look) -> list[Part]:
    a, b = begin(look)
    lamps, r = int(a.random.integers(8, 13)), 3.0
    side = smooth([(0.9, 0.9), (2.2, 1.15), (r, 1.55), (2.2, 1.95), (1.1, 2.2)], 6)
    a.main("disc", SILVER, b.turn([(0, 0.9), *side, (0, 2.2)]))
    a.fixed("dome", WINDOW, b.ball((1.15, 1.05, 1.15), (0, 2.1, 0)) - b.box((4, 2, 4), (0, 0.1, 0)))
    a.fixed("lamps", LIGHT, around(b.ball(0.17, (2.62, 1.72, 0)), lamps))
    a.second("ring", GREY, b.torus(r - 0.02, 0.09, (0, 1.55, 0)))
    a.second(
        "legs",
        IRON,
        around(b.rod((1.1, 1.0, 0), (1.7, 0.05, 0), 0.07) + b.cylinder(0.22, 0.08, (1.7, 0, 0), edge=0.03), 3, 90),
    )
    return a.parts(stretch=True)


AIRCRAFT = (
    Family("rocket", ("rocket", "spaceship"), (1.7, 5.4, 1.7), rocket),
    Family("aeroplane", ("aeroplane", "airplane", "plane", "airliner"), (18.2, 6.3, 16.9), aeroplane),
    Family("helicopter", ("helicopter", "chopper"), (9.0, 3.4, 8.0), helicopter),
    Family("hot-air balloon", ("hot-air balloon", "hot air balloon"), (9.2, 16.0, 9.2), balloon),
    Family("flying saucer", ("flying saucer", "ufo"), (6.2, 3.2, 6.2), saucer),
)
