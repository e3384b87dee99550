"""A tractor, and what goes without a motor; all point to +x."""

from __future__ import annotations

from manifold3d import Manifold

from frontdesk.worker.blocks import (
    Point,
    around,
    four,
    mirrored,
    row,
    smooth,
)
from frontdesk.worker.families_cars import wheels
from frontdesk.worker.paints import (
    DARK,
    DARK_WOOD,
    GREEN,
    IRON,
    LIGHT,
    RED,
    RUBBER,
    SILVER,
    STEEL,
    WINDOW,
    WOOD,
)
from frontdesk.worker.solids import Family, Look, Part, begin


def _off(point: Point, z: float) -> Point:
    return (point[0], point[1], point[2] + z)


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
    wheels(a, b, 0.78, 0.42, [(-0.75, 0.78)])
    wheels(a, b, 0.45 * a.vary(0.06), 0.28, [(1.2, 0.68)])
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


CARTS = (
    Family("bicycle", ("bicycle", "bike"), (1.75, 1.00, 0.62), bicycle),
    Family("tractor", ("tractor",), (3.3, 2.40, 2.10), tractor),
    Family("cart", ("cart", "handcart"), (2.4, 1.00, 1.50), cart),
)
