"""Craft of water, air and space."""

from __future__ import annotations

import math

import numpy as np
from manifold3d import Manifold

from frontdesk.worker.blocks import Floats, around, loft, mirrored, row, smooth
from frontdesk.worker.paints import (
    BLUE,
    CREAM,
    DARK,
    DARK_WOOD,
    FLAME,
    GREY,
    IRON,
    LIGHT,
    ORANGE,
    RED,
    SILVER,
    SKY,
    STEEL,
    WHITE,
    WINDOW,
    WOOD,
    YELLOW,
)  # fmt: skip
from frontdesk.worker.solids import Family, Look, Part, begin


def _hull(length: float, beam: float, depth: float, inset: float = 0.0, transom: float = 0.6) -> Manifold:
    """A boat's body along x, bow at +x, deck from y = depth upwards at the bow; `inset` makes the smaller one inside."""
    rings = []
    for t in np.linspace(0.0, 1.0, 13):
        half = max(
            0.012,
            beam
            / 2
            * (transom + (1 - transom) * math.sin(math.pi * min(t * 1.1, 0.5)))
            * (1 - max(0.0, t - 0.45) ** 2 / 0.3026)
            - inset,
        )
        keel = depth * 0.75 * max(0.0, t - 0.6) ** 1.6 + inset
        rail = depth * (1 + 0.28 * (2 * t - 0.9) ** 2) + (1.0 if inset else 0.0)
        u = np.linspace(-1, 1, 17)
        y = keel + (rail - keel) * np.abs(u) ** 2.2
        z = half * np.sin(u * math.pi / 2)
        x = np.full_like(u, (t - 0.5) * length * (1 - 2 * inset / length))
        rings.append(np.stack([x, y, z], 1))
    return loft(np.stack(rings))


def boat(look: Look) -> list[Part]:
    a, b = begin(look)
    hull = _hull(3.6, 1.35, 0.5) - _hull(3.6, 1.35, 0.5, inset=0.05)
    a.main("hull", WOOD, hull)
    seats = [b.box((0.28, 0.045, 1.5), (x, 0.36, 0)) ^ _hull(3.6, 1.35, 0.5) for x in (-1.2, -0.2, 0.8)]
    a.second("seats", DARK_WOOD, *seats)
    tilt = 14 * a.vary(0.3)
    oar = b.rod((0, 0, -0.9), (0, 0, 0.7), 0.022) + b.box((0.15, 0.025, 0.5), (0, -0.0125, 0.85), edge=0.012)
    a.second("oars", DARK_WOOD, mirrored(oar.rotate((tilt, 0, 0)).translate((-0.1, 0.56, 0.72)), axis=(0, 0, 1)))
    a.fixed(
        "rowlocks",
        IRON,
        mirrored(
            b.torus(0.035, 0.012).rotate((90, 0, 0)).translate((-0.1, 0.56, 0.63)),
            b.rod((-0.1, 0.4, 0.62), (-0.1, 0.54, 0.63), 0.012),
            axis=(0, 0, 1),
        ),
    )
    return a.parts(stretch=True)


def sailing_boat(look: Look) -> list[Part]:
    a, b = begin(look)
    mast = 7.0 * a.vary(0.05)
    a.main("hull", BLUE, _hull(6.0, 2.0, 0.85))
    deck = _hull(5.9, 1.96, 0.85).translate((0, 0.05, 0)) - b.box((9, 1.5, 9), (0, -0.66, 0))
    a.second("deck", WOOD, deck)
    a.second("cabin", WHITE, b.box((1.7, 0.62, 1.0), (0.1, 0.7, 0), edge=0.16))
    a.fixed(
        "portholes",
        WINDOW,
        *(
            mirrored(b.cylinder(0.09, 0.04).rotate((90, 0, 0)).translate((x, 1.12, 0.48)), axis=(0, 0, 1))
            for x in (-0.35, 0.1, 0.55)
        ),
    )
    a.fixed(
        "mast",
        DARK_WOOD,
        b.rod((0.7, 0.6, 0), (0.7, mast, 0), 0.06, 0.035),
        b.rod((0.7, 1.65, 0), (-2.3, 1.55, 0), 0.04),
    )
    belly = smooth([(0.68, 1.72), (0.68, mast - 0.15), (-0.6, 4.2), (-2.25, 1.62)], 8)
    main = b.plate([belly[0], *belly[8:]], 0.03)
    jib = b.plate(smooth([(0.8, mast - 0.8), (1.9, 3.0), (2.85, 1.15)], 8) + [(0.95, 1.5)], 0.03)
    a.second(
        "sails", CREAM, main.refine_to_length(0.4).warp_batch(_billow), jib.refine_to_length(0.4).warp_batch(_billow)
    )
    a.fixed(
        "stays",
        STEEL,
        b.rod((2.85, 1.0, 0), (0.7, mast - 0.05, 0), 0.012),
        b.rod((-2.85, 0.95, 0), (0.7, mast - 0.05, 0), 0.01),
    )
    a.fixed("pennant", RED, b.plate([(0.7, mast - 0.02), (0.7, mast - 0.32), (0.1, mast - 0.17)], 0.03))
    return a.parts(stretch=True)


def _billow(points: Floats) -> Floats:
    """The wind in both sails: their middle swells, their edges at mast and stay remain."""
    x = points[:, 0]
    share = np.where(x < 0.75, (0.7 - x) / 3.0, (x - 0.75) / 2.1).clip(0, 1)
    return np.asarray(points + np.outer(0.22 * np.sin(math.pi * share), (0, 0, 1)))


def ship(look: Look) -> list[Part]:
    a, b = begin(look)
    funnels = int(a.random.integers(2, 4))
    a.main("hull", DARK, _hull(60, 10, 7, transom=0.75))
    deck = _hull(59.4, 9.8, 7, transom=0.75).translate((0, 0.4, 0)) - b.box((90, 10, 90), (0, -3.6, 0))
    a.second(
        "deck",
        WHITE,
        deck,
        b.box((34, 3.2, 7.4), (-4, 5.4, 0), edge=0.3),
        b.box((28, 2.4, 6.2), (-4, 8.4, 0), edge=0.3),
        b.box((6, 2.4, 6.8), (9, 10.5, 0), edge=0.3),
    )
    a.fixed("waterline", RED, _hull(60.2, 10.1, 7, transom=0.75) ^ b.box((90, 2, 90), (0, -0.1, 0)))
    a.fixed(
        "windows",
        WINDOW,
        *(
            mirrored(row(b.box((1, 0.8, 0.16), (-18.5, y, z)), 15, (2, 0, 0)), axis=(0, 0, 1))
            for y, z in ((7.1, 3.68), (9.4, 3.08))
        ),
    )
    a.fixed("bridge", WINDOW, b.box((0.2, 1.0, 6), (12, 11.3, 0)))
    places = [1 - 7.0 * i for i in range(funnels)]
    a.fixed("funnels", ORANGE, *(b.cylinder(1.2, 5.2, (x, 10.5, 0), top=1.05) for x in places))
    a.fixed("funnel tops", DARK, *(b.cylinder(1.1, 1.1, (x, 15.4, 0)) for x in places))
    a.fixed("masts", STEEL, b.rod((21, 6, 0), (20, 18, 0), 0.25, 0.1), b.rod((-25, 6, 0), (-26, 16, 0), 0.25, 0.1))
    return a.parts(stretch=True)


def submarine(look: Look) -> list[Part]:
    a, b = begin(look)
    body = smooth(
        [(0.0, -6.0), (0.35, -5.9), (1.0, -4.2), (1.35, -1.5), (1.35, 2.5), (1.05, 4.6), (0.5, 5.6), (0.0, 5.85)], 6
    )
    a.main("body", YELLOW, b.turn([(max(0.0, r), y) for r, y in body]).rotate((0, 0, -90)))
    tower = b.slab(b.rounded(2.2, 0.9, 0.44), 1.5, (0.6, 0.9, 0))
    a.main("tower", YELLOW, tower)
    scope = smooth([(0.3, 2.3, 0.0), (0.3, 3.2, 0.0), (0.36, 3.35, 0.0), (0.62, 3.38, 0.0)])
    a.fixed("periscope", STEEL, b.tube(scope, 0.07), b.rod((1.0, 2.3, 0), (1.0, 3.0, 0), 0.035))
    fin = b.plate([(-5.6, 0), (-4.2, 0), (-4.7, 1.5), (-5.6, 1.5)], 0.14)
    a.second(
        "fins",
        RED,
        fin,
        fin.rotate((90, 0, 0)),
        fin.rotate((-90, 0, 0)),
        fin.rotate((180, 0, 0)),
        mirrored(b.box((0.8, 0.1, 1.2), (0.8, 1.8, 0.9), edge=0.04), axis=(0, 0, 1)),
    )
    blade = b.ball((0.07, 0.5, 0.2), (-6.1, 0.5, 0))
    turn = a.vary(1) * 45
    a.fixed(
        "propeller",
        STEEL,
        *(blade.rotate((turn + 90 * i, 0, 0)) for i in range(4)),
        b.rod((-6.25, 0, 0), (-5.5, 0, 0), 0.14),
    )
    a.fixed(
        "portholes",
        WINDOW,
        *(
            mirrored(b.cylinder(0.28, 0.3).rotate((90, 0, 0)).translate((x, 0.25, 1.12)), axis=(0, 0, 1))
            for x in (-1.2, 0.6, 2.4)
        ),
    )
    a.fixed(
        "frames",
        SILVER,
        *(
            mirrored(b.torus(0.29, 0.06).rotate((90, 0, 0)).translate((x, 0.25, 1.34)), axis=(0, 0, 1))
            for x in (-1.2, 0.6, 2.4)
        ),
    )
    return a.parts(stretch=True)


def rocket(look: Look) -> list[Part]:
    a, b = begin(look)
    r = 0.62 * a.vary(0.06)
    side = smooth([(0.42, 0.7), (r, 2.0), (r * 0.97, 3.2), (r * 0.72, 4.2), (0.0, 5.4)], 8)
    profile = [(max(0.0, x), y) for x, y in side]
    body = b.turn([(0, 0.7), *profile])
    a.main("body", WHITE, body - b.box((3, 3, 3), (0, 4.05, 0)))
    a.second("nose", RED, body ^ b.box((3, 3, 3), (0, 4.03, 0)))
    fin = b.plate(
        smooth([(0.3, 1.9), (0.75, 1.45), (1.1, 0.7), (1.15, 0.0)], 5) + [(0.98, 0.0), (0.75, 0.55), (0.3, 0.85)], 0.09
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
        mirrored(row(b.box((0.24, 0.34, 0.1), (-4.2, 3.15, 1.16)), 17, (0.55, 0, 0)), axis=(0, 0, 1))
        ^ b.box((9.5, 2, 3), (0.45, 2.5, 0)),
    )
    a.fixed(
        "cockpit",
        WINDOW,
        Manifold.batch_hull(
            [b.box((0.15, 0.35, 1.2), (7.95, 3.3, 0), edge=0.06), b.box((0.5, 0.1, 1.0), (7.3, 3.7, 0), edge=0.04)]
        ),
    )
    legs = [b.rod((x, 0.4, z), (x, 2.0, z), 0.12) for x, z in ((6.2, 0.0), (-0.6, 1.5), (-0.6, -1.5))]
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


CRAFT = (
    Family("boat", ("boat", "rowing boat", "dinghy"), (3.6, 0.75, 2.3), boat),
    Family("sailing boat", ("sailing boat", "sailboat", "yacht"), (6.0, 7.0, 2.0), sailing_boat),
    Family("ship", ("ship", "steamer", "cruise ship"), (60.0, 18.0, 10.0), ship),
    Family("submarine", ("submarine",), (12.2, 4.9, 3.0), submarine),
    Family("rocket", ("rocket", "spaceship"), (1.7, 5.4, 1.7), rocket),
    Family("aeroplane", ("aeroplane", "airplane", "plane", "airliner"), (18.2, 6.3, 16.9), aeroplane),
    Family("helicopter", ("helicopter", "chopper"), (9.0, 3.4, 8.0), helicopter),
    Family("hot-air balloon", ("hot-air balloon", "hot air balloon"), (9.2, 16.0, 9.2), balloon),
    Family("flying saucer", ("flying saucer", "ufo"), (6.2, 3.2, 6.2), saucer),
)
