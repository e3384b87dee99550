"""Vehicles on land."""

from __future__ import annotations

from manifold3d import Manifold

from frontdesk.worker.blocks import Blocks, Point, around, four, mirrored, row, smooth
from frontdesk.worker.paints import (
    BLACK,
    BLUE,
    BRASS,
    DARK,
    DARK_WOOD,
    GREEN,
    GREY,
    IRON,
    LIGHT,
    RED,
    RED_LIGHT,
    RUBBER,
    SILVER,
    STEEL,
    WHITE,
    WINDOW,
    WOOD,
    YELLOW,
)  # fmt: skip
from frontdesk.worker.solids import Assembly, Family, Look, Part, begin

# Vehicles point to +x, their wheels turn about z: seen from the front of the picture they show their side.


def _wheels(
    a: Assembly, b: Blocks, radius: float, width: float, places: list[tuple[float, float]], y: float | None = None
) -> None:
    """Tyres and hubs at (x, z) and their mirror images in z; `width` of a tyre."""
    up = radius if y is None else y
    tyre = b.cylinder(radius, width, (0, -width / 2, 0), edge=width * 0.22).rotate((90, 0, 0))
    hub = b.cylinder(radius * 0.58, width * 1.08, (0, -width * 0.54, 0), edge=width * 0.1).rotate((90, 0, 0))
    cap = b.ball((radius * 0.18, radius * 0.18, width * 0.66))
    spots = [(x, up, side * z) for x, z in places for side in (1, -1)]
    a.fixed("tyres", RUBBER, *(tyre.translate(spot) for spot in spots))
    a.fixed("hubs", SILVER, *((hub + cap).translate(spot) for spot in spots))


def _pane(b: Blocks, x: float, y: float, width: float, height: float, z: float) -> Manifold:
    """A window on both sides, standing 1 cm out of a wall at z."""
    return mirrored(b.box((width, height, 0.04), (x, y, z - 0.01), edge=0.015), axis=(0, 0, 1))


def car(look: Look) -> list[Part]:
    a, b = begin(look)
    nose = 0.62 * a.vary(0.06)
    side = smooth(
        [
            (-2.1, 0.35),
            (-2.12, 0.75),
            (-1.9, 0.92),
            (-1.2, 0.98),
            (0.9, 0.96),
            (1.9, nose + 0.12),
            (2.1, nose),
            (2.1, 0.35),
            (1.9, 0.24),
            (-1.9, 0.24),
        ],
        5,
        closed=True,
    )
    body = b.plate(side, 1.74) ^ b.box((4.26, 1.4, 1.74), (0, 0, 0), edge=0.3)
    arches = mirrored(
        *(b.cylinder(0.40, 0.5, edge=0).rotate((90, 0, 0)).translate((x, 0.33, 0.6)) for x in (-1.3, 1.32)),
        axis=(0, 0, 1),
    )
    a.main("body", RED, body - arches)
    roof = b.box((1.55, 0.08, 1.2), (-0.42, 1.38, 0), edge=0.04)
    foot = b.box((2.75, 0.1, 1.6), (-0.42, 0.88, 0), edge=0.04)
    cabin = Manifold.batch_hull([roof, foot])
    a.main("roof", RED, Manifold.batch_hull([roof, b.box((1.75, 0.05, 1.26), (-0.42, 1.3, 0), edge=0.02)]))
    pillars = [
        b.rod((x, 0.92, z), (x2, 1.38, z2), 0.05)
        for z, z2 in ((0.76, 0.6), (-0.76, -0.6))
        for x, x2 in ((-1.66, -1.12), (-0.42, -0.42), (0.86, 0.28))
    ]
    a.main("pillars", RED, *pillars)
    a.fixed("windows", WINDOW, cabin.scale((0.985, 0.99, 0.99)).translate((0, 0.005, 0)))
    _wheels(a, b, 0.33, 0.22, [(-1.3, 0.77), (1.32, 0.77)])
    a.fixed("axles", DARK, b.box((3.4, 0.2, 1.2), (0, 0.25, 0)))
    a.fixed("lights", LIGHT, mirrored(b.ball((0.08, 0.09, 0.17), (2.02, nose + 0.02, 0.6)), axis=(0, 0, 1)))
    a.fixed(
        "rear lights", RED_LIGHT, mirrored(b.box((0.08, 0.14, 0.3), (-2.08, 0.68, 0.62), edge=0.03), axis=(0, 0, 1))
    )
    a.second(
        "bumpers",
        GREY,
        b.box((0.14, 0.14, 1.6), (2.06, 0.32, 0), edge=0.06),
        b.box((0.14, 0.14, 1.6), (-2.06, 0.32, 0), edge=0.06),
    )
    return a.parts(stretch=True)


def bus(look: Look) -> list[Part]:
    a, b = begin(look)
    windows = int(a.random.integers(6, 8))
    a.main(
        "body",
        YELLOW,
        b.box((10.5, 2.55, 2.5), (0, 0.4, 0), edge=0.25)
        - mirrored(
            *(b.cylinder(0.58, 1).rotate((90, 0, 0)).translate((x, 0.48, 0.8)) for x in (-3.0, 3.3)), axis=(0, 0, 1)
        ),
    )
    step = 9.0 / windows
    a.fixed(
        "windows", WINDOW, *(_pane(b, (i + 0.5) * step - 5.0, 1.55, step - 0.18, 0.95, 1.25) for i in range(windows))
    )
    a.fixed(
        "windscreen",
        WINDOW,
        b.box((0.06, 1.2, 2.1), (5.24, 1.35, 0), edge=0.025),
        b.box((0.06, 0.8, 1.9), (-5.24, 1.6, 0), edge=0.025),
    )
    a.fixed("door", WINDOW, b.box((0.85, 2.05, 0.05), (4.55, 0.5, 1.24), edge=0.02))
    a.second("stripe", WHITE, b.box((10.52, 0.2, 2.52), (0, 1.05, 0), edge=0.24) - b.box((1.0, 1, 1), (4.55, 0.8, 1.5)))
    _wheels(a, b, 0.48, 0.3, [(-3.0, 1.06), (3.3, 1.06)])
    a.fixed("axles", DARK, b.box((7, 0.3, 1.9), (0.1, 0.3, 0)))
    a.fixed("lights", LIGHT, mirrored(b.ball((0.07, 0.14, 0.18), (5.22, 0.85, 0.9)), axis=(0, 0, 1)))
    a.fixed("rear lights", RED_LIGHT, mirrored(b.box((0.06, 0.3, 0.16), (-5.23, 0.8, 1.0)), axis=(0, 0, 1)))
    return a.parts(stretch=True)


def truck(look: Look) -> list[Part]:
    a, b = begin(look)
    load = 4.6 * a.vary(0.06)
    cab = b.box((1.75, 1.75, 2.3), (2.6, 0.55, 0), edge=0.2)
    slope = Manifold.batch_hull(
        [b.box((1.7, 0.1, 2.26), (2.6, 1.8, 0), edge=0.04), b.box((1.25, 0.1, 2.1), (2.4, 2.5, 0), edge=0.04)]
    )
    a.main("cab", BLUE, cab, slope)
    a.fixed(
        "windscreen",
        WINDOW,
        Manifold.batch_hull([b.box((0.1, 0.05, 1.9), (3.405, 1.88, 0)), b.box((0.1, 0.05, 1.75), (3.03, 2.45, 0))]),
    )
    a.fixed("windows", WINDOW, _pane(b, 2.65, 1.75, 0.8, 0.5, 1.13))
    a.second("box", WHITE, b.box((load, 2.4, 2.4), (1.6 - load / 2, 0.95, 0), edge=0.05))
    a.fixed(
        "frame",
        DARK,
        b.box((load + 1.6, 0.3, 1.0), (2.6 - load / 2 - 0.4, 0.65, 0)),
        b.box((5.2, 0.25, 1.9), (0.2, 0.4, 0)),
    )
    _wheels(a, b, 0.48, 0.32, [(2.5, 1.0), (-0.9, 1.0), (-2.0, 1.0)])
    a.fixed("bumper", STEEL, b.box((0.2, 0.3, 2.3), (3.45, 0.45, 0), edge=0.06))
    a.fixed("lights", LIGHT, mirrored(b.ball((0.06, 0.13, 0.18), (3.47, 1.0, 0.8)), axis=(0, 0, 1)))
    a.fixed("grille", DARK, b.box((0.06, 0.5, 1.1), (3.46, 0.95, 0), edge=0.02))
    return a.parts(stretch=True)


def bicycle(look: Look) -> list[Part]:
    a, b = begin(look)
    r, seat = 0.34, 0.86 * a.vary(0.03)
    rear, front, crank, neck = (-0.52, r, 0.0), (0.54, r, 0.0), (-0.08, 0.29, 0.0), (0.36, 0.80, 0.0)
    tyre = b.torus(r - 0.018, 0.018).rotate((90, 0, 0))
    rim = b.torus(r - 0.045, 0.012).rotate((90, 0, 0))
    spokes = around(b.rod((0, 0, 0), (r - 0.04, 0, 0), 0.003), 12).rotate((90, 0, 0)) + b.rod(
        (0, 0, -0.05), (0, 0, 0.05), 0.022
    )
    a.fixed("tyres", RUBBER, tyre.translate(rear), tyre.translate(front))
    a.fixed("rims", SILVER, *((rim + spokes).translate(at) for at in (rear, front)))
    under = (-0.19, seat - 0.1, 0.0)
    tubes = [
        (crank, neck, 0.018),
        (under, (0.34, 0.83, 0.0), 0.016),
        (crank, (-0.21, seat, 0.0), 0.017),
        ((0.33, 0.9, 0.0), (0.39, 0.70, 0.0), 0.022),
    ]
    tubes += [
        (rear_side, end, 0.009)
        for s in (-1, 1)
        for rear_side, end in (
            (_off(rear, 0.045 * s), _off(crank, 0.03 * s)),
            (_off(rear, 0.045 * s), _off(under, 0.012 * s)),
        )
    ]
    fork = [
        b.tube([_off((0.39, 0.71, 0.0), 0.02 * s), _off((0.42, 0.62, 0.0), 0.045 * s), _off(front, 0.045 * s)], 0.011)
        for s in (-1, 1)
    ]
    a.main(
        "frame",
        RED,
        *(b.rod(p, q, radius) for p, q, radius in tubes),
        *fork,
        b.rod((0.39, 0.70, -0.035), (0.39, 0.70, 0.035), 0.016),
    )
    a.second(
        "saddle",
        DARK,
        Manifold.batch_hull(
            [
                b.ball((0.07, 0.025, 0.075), (-0.28, seat + 0.02, 0)),
                b.ball((0.03, 0.018, 0.02), (-0.08, seat + 0.02, 0)),
            ]
        ),
    )
    bar = smooth(
        [
            (0.25, 0.98, 0.29),
            (0.33, 0.99, 0.2),
            (0.335, 0.96, 0.04),
            (0.335, 0.96, -0.04),
            (0.33, 0.99, -0.2),
            (0.25, 0.98, -0.29),
        ]
    )
    a.fixed("handlebar", STEEL, b.tube(bar, 0.012), b.rod((0.337, 0.86, 0), (0.33, 0.97, 0), 0.013))
    a.second("grips", DARK, mirrored(b.rod((0.25, 0.98, 0.29), (0.31, 0.986, 0.225), 0.018), axis=(0, 0, 1)))
    ring = b.torus(0.085, 0.008).rotate((90, 0, 0)) + b.cylinder(0.08, 0.01, (0, -0.005, 0)).rotate((90, 0, 0))
    arms = [
        b.rod((-0.08, 0.29, 0.055), (0.04, 0.17, 0.06), 0.011),
        b.rod((-0.08, 0.29, -0.055), (-0.2, 0.41, -0.06), 0.011),
        b.rod((-0.08, 0.29, -0.06), (-0.08, 0.29, 0.06), 0.015),
    ]
    a.fixed(
        "cranks",
        STEEL,
        ring.translate(_off(crank, 0.045)),
        *arms,
        b.rod((-0.52, r + 0.03, 0.045), (-0.08, 0.37, 0.045), 0.005),
        b.rod((-0.52, r - 0.03, 0.045), (-0.08, 0.21, 0.045), 0.005),
    )
    a.fixed(
        "pedals",
        DARK,
        b.box((0.09, 0.02, 0.09), (0.04, 0.16, 0.1), edge=0.008),
        b.box((0.09, 0.02, 0.09), (-0.2, 0.4, -0.1), edge=0.008),
    )
    return a.parts(stretch=True)


def _off(point: Point, z: float) -> Point:
    return (point[0], point[1], point[2] + z)


def _bogies(a: Assembly, b: Blocks, radius: float, xs: list[float]) -> None:
    tread = b.cylinder(radius, 0.13).rotate((90, 0, 0)).translate((0, radius + 0.03, 0.80))
    flange = b.cylinder(radius + 0.03, 0.12).rotate((90, 0, 0)).translate((0, radius + 0.03, 0.70))
    a.fixed(
        "wheels",
        IRON,
        *(
            mirrored((tread + flange).translate((x, 0, 0)), axis=(0, 0, 1))
            + b.rod((x, radius + 0.03, -0.8), (x, radius + 0.03, 0.8), 0.06)
            for x in xs
        ),
    )


def locomotive(look: Look) -> list[Part]:
    a, b = begin(look)
    chimney = 0.2 * a.vary(0.15)
    boiler = b.cylinder(0.72, 4.3, edge=0.06).rotate((0, 0, -90)).translate((-1.0, 2.0, 0))
    bands = [b.cylinder(0.745, 0.07).rotate((0, 0, -90)).translate((x, 2.0, 0)) for x in (0.0, 1.1, 2.2)]
    a.main("boiler", GREEN, boiler)
    a.second("bands", BRASS, *bands, b.ball((0.28, 0.34, 0.28), (1.1, 2.72, 0)), b.cylinder(0.28, 0.2, (1.1, 2.55, 0)))
    a.main("cab", GREEN, b.box((1.7, 2.0, 2.2), (-1.8, 1.15, 0), edge=0.05))
    a.fixed("windows", WINDOW, _pane(b, -1.8, 2.2, 0.9, 0.65, 1.1))
    a.fixed("roof", BLACK, b.box((2.1, 0.14, 2.5), (-1.8, 3.1, 0), edge=0.06))
    a.fixed(
        "chimney",
        BLACK,
        b.turn(
            [(0, 2.55), (0.24, 2.55), (chimney, 2.8), (chimney + 0.03, 3.25), (0.34, 3.4), (0.34, 3.5), (0, 3.5)],
            (2.65, 0, 0),
        ),
    )
    a.fixed(
        "smoke box",
        BLACK,
        b.cylinder(0.76, 0.8, edge=0.05).rotate((0, 0, -90)).translate((2.55, 2.0, 0)),
        b.cylinder(0.1, 0.1, edge=0.02).rotate((0, 0, -90)).translate((3.32, 2.0, 0)),
    )
    a.second(
        "frame",
        RED,
        b.box((6.0, 0.3, 1.2), (0.3, 0.95, 0)),
        b.box((0.2, 0.4, 2.3), (3.35, 0.85, 0)),
        b.box((6.0, 0.1, 2.2), (0.3, 1.2, 0)),
        b.box((0.5, 0.6, 0.9), (2.9, 1.0, 0)),
    )
    a.fixed("lamp", LIGHT, b.ball((0.08, 0.16, 0.16), (3.36, 2.55, 0)))
    a.fixed("lamp holder", BLACK, b.box((0.16, 0.2, 0.3), (3.26, 2.6, 0)))
    spokes = around(b.rod((0, 0, 0), (0.56, 0, 0), 0.04), 10).rotate((90, 0, 0))
    big = (b.torus(0.57, 0.08).rotate((90, 0, 0)) + spokes + b.rod((0, 0, -0.12), (0, 0, 0.12), 0.12)).translate(
        (0, 0.65, 0.82)
    )
    drive = mirrored(*(big.translate((x, 0, 0)) for x in (-1.5, 0.0, 1.5)), axis=(0, 0, 1))
    a.second("wheels", RED, drive, *(b.rod((x, 0.65, -0.8), (x, 0.65, 0.8), 0.07) for x in (-1.5, 0.0, 1.5)))
    small = mirrored(b.cylinder(0.36, 0.14, edge=0.02).rotate((90, 0, 0)).translate((2.8, 0.36, 0.85)), axis=(0, 0, 1))
    a.second(
        "small wheels",
        RED,
        small,
        b.rod((2.8, 0.36, -0.85), (2.8, 0.36, 0.85), 0.06),
        b.box((0.2, 0.7, 0.3), (2.8, 0.3, 0)),
    )
    a.fixed(
        "rods",
        STEEL,
        mirrored(
            b.box((3.3, 0.1, 0.06), (0, 0.42, 0.96), edge=0.02),
            b.box((1.5, 0.32, 0.35), (2.2, 0.9, 0.95), edge=0.05),
            axis=(0, 0, 1),
        ),
    )
    return a.parts(stretch=True)


def wagon(look: Look) -> list[Part]:
    a, b = begin(look)
    windows = int(a.random.integers(5, 8))
    a.main("body", RED, b.box((8.6, 2.1, 2.5), (0, 0.95, 0), edge=0.08))
    roof = b.cylinder(1.36, 8.9, edge=0.1).rotate((0, 0, -90)).scale((1, 0.42, 1)).translate((-4.45, 2.98, 0))
    a.second("roof", GREY, roof - b.box((9, 2, 4), (0, 0.9, 0)))
    step = 7.6 / windows
    a.fixed(
        "windows", WINDOW, *(_pane(b, (i + 0.5) * step - 3.8, 1.85, step - 0.35, 0.85, 1.25) for i in range(windows))
    )
    a.fixed(
        "frame",
        DARK,
        b.box((8.8, 0.25, 1.9), (0, 0.75, 0)),
        mirrored(
            b.box((1.9, 0.4, 1.2), (2.8, 0.4, 0)),
            b.rod((4.35, 0.88, 0.6), (4.75, 0.88, 0.6), 0.16),
            b.rod((4.35, 0.88, -0.6), (4.75, 0.88, -0.6), 0.16),
        ),
    )
    _bogies(a, b, 0.4, [-3.4, -2.2, 2.2, 3.4])
    a.second("stripe", YELLOW, b.box((8.62, 0.12, 2.52), (0, 1.55, 0)))
    return a.parts(stretch=True)


def tractor(look: Look) -> list[Part]:
    a, b = begin(look)
    a.main(
        "bonnet",
        GREEN,
        b.box((1.7, 0.75, 0.8), (0.75, 0.75, 0), edge=0.14),
        b.box((1.2, 0.55, 0.9), (-0.6, 0.6, 0), edge=0.1),
    )
    fender = mirrored(
        b.cylinder(0.9, 0.5).rotate((90, 0, 0)).translate((-0.75, 0.75, 0.5))
        - b.box((3, 2, 4), (0, -1.0, 0))
        - b.cylinder(0.82, 3).rotate((90, 0, 0)).translate((-0.75, 0.75, 0)),
        axis=(0, 0, 1),
    )
    a.main("fenders", GREEN, fender, mirrored(b.box((0.6, 0.1, 0.5), (-0.75, 1.58, 0.5)), axis=(0, 0, 1)))
    a.fixed("cab", WINDOW, b.box((1.1, 1.2, 1.0), (-0.6, 1.1, 0), edge=0.04))
    posts = four(b.rod((0.52, 1.1, 0.49), (0.52, 2.3, 0.47), 0.045)).translate((-0.6, 0, 0))
    a.main("roof", GREEN, b.box((1.35, 0.13, 1.25), (-0.6, 2.28, 0), edge=0.06), posts)
    _wheels(a, b, 0.78, 0.42, [(-0.75, 0.78)])
    _wheels(a, b, 0.45 * a.vary(0.06), 0.28, [(1.2, 0.68)])
    a.fixed(
        "axles",
        DARK,
        b.rod((-0.75, 0.78, -0.8), (-0.75, 0.78, 0.8), 0.12),
        b.rod((1.2, 0.45, -0.7), (1.2, 0.45, 0.7), 0.09),
        b.box((0.9, 0.4, 0.5), (1.0, 0.42, 0)),
    )
    a.second(
        "exhaust",
        IRON,
        b.rod((1.1, 1.4, 0.22), (1.1, 2.05, 0.22), 0.045),
        b.rod((1.1, 1.55, 0.22), (1.1, 1.85, 0.22), 0.075),
    )
    a.fixed("lights", LIGHT, mirrored(b.ball((0.05, 0.09, 0.09), (1.58, 1.25, 0.24)), axis=(0, 0, 1)))
    a.fixed("grille", DARK, *row(b.box((0.05, 0.045, 0.5), (1.58, 0.85, 0)), 4, (0, 0.08, 0)).decompose())
    return a.parts(stretch=True)


def cart(look: Look) -> list[Part]:
    a, b = begin(look)
    r = 0.5 * a.vary(0.05)
    wheel = (
        b.torus(r - 0.04, 0.04).rotate((90, 0, 0))
        + around(b.rod((0, 0, 0), (r - 0.04, 0, 0), 0.022), 10).rotate((90, 0, 0))
        + b.rod((0, 0, -0.1), (0, 0, 0.1), 0.08)
    )
    a.second(
        "wheels",
        DARK_WOOD,
        mirrored(wheel.translate((-0.1, r, 0.66)), axis=(0, 0, 1)),
        b.rod((-0.1, r, -0.7), (-0.1, r, 0.7), 0.035),
    )
    tray = b.box((1.5, 0.42, 1.0), (0, r, 0)) - b.box((1.42, 0.5, 0.92), (0, r + 0.05, 0))
    gaps = row(b.box((2, 0.025, 2), (0, r + 0.13, 0)), 2, (0, 0.13, 0)) - b.box((1.48, 1, 0.98), (0, r, 0))
    a.main("tray", WOOD, tray - gaps)
    a.main("shafts", WOOD, mirrored(b.rod((-0.75, r + 0.02, 0.4), (1.6, r + 0.12, 0.36), 0.035), axis=(0, 0, 1)))
    a.second("leg", DARK_WOOD, mirrored(b.rod((0.85, 0, 0.39), (0.8, r + 0.1, 0.385), 0.03), axis=(0, 0, 1)))
    return a.parts(stretch=True)


VEHICLES = (
    Family("car", ("car", "automobile"), (4.26, 1.46, 1.80), car),
    Family("bus", ("bus", "coach"), (10.6, 2.95, 2.55), bus),
    Family("truck", ("truck", "lorry"), (6.5, 3.35, 2.40), truck),
    Family("bicycle", ("bicycle", "bike"), (1.75, 1.00, 0.62), bicycle),
    Family("locomotive", ("locomotive", "train", "steam engine"), (6.3, 3.50, 2.50), locomotive),
    Family("wagon", ("wagon", "train wagon", "railway carriage"), (9.5, 3.50, 2.70), wagon),
    Family("tractor", ("tractor",), (3.3, 2.40, 2.10), tractor),
    Family("cart", ("cart", "handcart"), (2.4, 1.00, 1.50), cart),
)
