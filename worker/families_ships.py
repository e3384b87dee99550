"""Craft of the water; they point to +x."""

from __future__ import annotations

import math

import numpy as np
from manifold3d import Manifold

from frontdesk.worker.blocks import (
    Floats,
    loft,
    mirrored,
    row,
    smooth,
)
from frontdesk.worker.paints import (
    BLUE,
    CREAM,
    DARK,
    DARK_WOOD,
    IRON,
    ORANGE,
    RED,
    SILVER,
    STEEL,
    WHITE,
    WINDOW,
    WOOD,
    YELLOW,
)
from frontdesk.worker.solids import Family, Look, Part, begin


def _hull(length: float, beam: float, depth: float, inset: float = 0.0, transom: float = 0.6) -> Manifold:
    """A boat's body along x, bow at +x, its rail `depth` high or higher; `inset` makes the smaller one inside."""
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


def _billow(points: Floats) -> Floats:
    """The wind in both sails: their middle swells, their edges at mast and stay remain."""
    x = points[:, 0]
    share = np.where(x < 0.75, (0.7 - x) / 3.0, (x - 0.75) / 2.1).clip(0, 1)
    return np.asarray(points + np.outer(0.22 * np.sin(math.pi * share), (0, 0, 1)))


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
    jib = b.plate([*smooth([(0.8, mast - 0.8), (1.9, 3.0), (2.85, 1.15)], 8), (0.95, 1.5)], 0.03)
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


SHIPS = (
    Family("boat", ("boat", "rowing boat", "dinghy"), (3.6, 0.82, 3.56), boat),
    Family("sailing boat", ("sailing boat", "sailboat", "yacht"), (6.0, 7.0, 2.0), sailing_boat),
    Family("ship", ("ship", "steamer", "cruise ship"), (60.0, 18.0, 10.0), ship),
    Family("submarine", ("submarine",), (12.2, 4.9, 3.0), submarine),
)
