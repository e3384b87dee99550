"""Motor vehicles. They point to +x, so that a picture from the front shows their side."""

from __future__ import annotations

from manifold3d import Manifold

from frontdesk.worker.blocks import (
    Blocks,
    mirrored,
    smooth,
)
from frontdesk.worker.paints import (
    BLUE,
    DARK,
    GREY,
    LIGHT,
    RED,
    RED_LIGHT,
    RUBBER,
    SILVER,
    STEEL,
    WHITE,
    WINDOW,
    YELLOW,
)
from frontdesk.worker.solids import Assembly, Family, Look, Part, begin


def wheels(
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


def pane(b: Blocks, x: float, y: float, width: float, height: float, z: float) -> Manifold:
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
    wheels(a, b, 0.33, 0.22, [(-1.3, 0.77), (1.32, 0.77)])
    a.fixed("axles", DARK, b.box((3.4, 0.2, 1.4), (0, 0.25, 0)))
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
        "windows", WINDOW, *(pane(b, (i + 0.5) * step - 5.0, 1.55, step - 0.18, 0.95, 1.25) for i in range(windows))
    )
    a.fixed(
        "windscreen",
        WINDOW,
        b.box((0.06, 1.2, 2.1), (5.24, 1.35, 0), edge=0.025),
        b.box((0.06, 0.8, 1.9), (-5.24, 1.6, 0), edge=0.025),
    )
    a.fixed("door", WINDOW, b.box((0.85, 2.05, 0.05), (4.55, 0.5, 1.24), edge=0.02))
    a.second("stripe", WHITE, b.box((10.52, 0.2, 2.52), (0, 1.05, 0), edge=0.24) - b.box((1.0, 1, 1), (4.55, 0.8, 1.5)))
    wheels(a, b, 0.48, 0.3, [(-3.0, 1.06), (3.3, 1.06)])
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
    a.fixed("windows", WINDOW, pane(b, 2.65, 1.75, 0.8, 0.5, 1.13))
    a.second("box", WHITE, b.box((load, 2.4, 2.4), (1.6 - load / 2, 0.95, 0), edge=0.05))
    a.fixed(
        "frame",
        DARK,
        b.box((load + 1.6, 0.3, 1.0), (2.6 - load / 2 - 0.4, 0.65, 0)),
        b.box((5.2, 0.25, 1.9), (0.2, 0.4, 0)),
    )
    wheels(a, b, 0.48, 0.32, [(2.5, 1.0), (-0.9, 1.0), (-2.0, 1.0)])
    a.fixed("bumper", STEEL, b.box((0.2, 0.3, 2.3), (3.45, 0.45, 0), edge=0.06))
    a.fixed("lights", LIGHT, mirrored(b.ball((0.06, 0.13, 0.18), (3.47, 1.0, 0.8)), axis=(0, 0, 1)))
    a.fixed("grille", DARK, b.box((0.06, 0.5, 1.1), (3.46, 0.95, 0), edge=0.02))
    return a.parts(stretch=True)


CARS = (
    Family("car", ("car", "automobile"), (4.26, 1.46, 1.80), car),
    Family("bus", ("bus", "coach"), (10.6, 2.95, 2.55), bus),
    Family("truck", ("truck", "lorry"), (6.5, 3.35, 2.40), truck),
)
