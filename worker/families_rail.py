"""What runs on rails; it points to +x."""

from __future__ import annotations

from frontdesk.worker.blocks import (
    Blocks,
    around,
    mirrored,
)
from frontdesk.worker.families_cars import pane
from frontdesk.worker.paints import (
    BLACK,
    BRASS,
    DARK,
    GREEN,
    GREY,
    IRON,
    LIGHT,
    RED,
    STEEL,
    WINDOW,
    YELLOW,
)
from frontdesk.worker.solids import Assembly, Family, Look, Part, begin


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
    a.fixed("windows", WINDOW, pane(b, -1.8, 2.2, 0.9, 0.65, 1.1))
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
            b.box((3.3, 0.1, 0.06), (0, 0.42, 0.91), edge=0.02),
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
        "windows", WINDOW, *(pane(b, (i + 0.5) * step - 3.8, 1.85, step - 0.35, 0.85, 1.25) for i in range(windows))
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


RAIL = (
    Family(
        "locomotive",
        ("locomotive", "train", "steam engine", "steam locomotive", "steam train"),
        (6.3, 3.50, 2.50),
        locomotive,
    ),
    Family("wagon", ("wagon", "train wagon", "railway carriage"), (9.5, 3.50, 2.70), wagon),
)
