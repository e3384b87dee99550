"""Lamps, candles and lanterns."""

from __future__ import annotations

from manifold3d import Manifold

from frontdesk.worker.blocks import (
    Blocks,
    four,
    smooth,
)
from frontdesk.worker.paints import (
    BRASS,
    CREAM,
    DARK,
    FLAME,
    IRON,
    LIGHT,
    RED,
    STEEL,
    WINDOW,
)
from frontdesk.worker.solids import Family, Look, Part, begin


def _shade(b: Blocks, low: float, high: float, height: float, y: float) -> Manifold:
    return b.turn([(low, y), (low + 0.004, y), (high + 0.004, y + height), (high, y + height)])


def lamp(look: Look) -> list[Part]:
    a, b = begin(look)
    belly = 0.075 * a.vary(0.2)
    curve = smooth([(0.075, 0.012), (0.03, 0.025), (belly, 0.09), (belly * 0.8, 0.15), (0.018, 0.21), (0.014, 0.32)], 5)
    body = [(0, 0), (0.075, 0), *curve, (0, 0.32)]
    a.second("base", BRASS, b.turn(body))
    a.fixed("bulb", LIGHT, b.ball((0.03, 0.04, 0.03), (0, 0.35, 0)))
    a.main(
        "shade",
        CREAM,
        _shade(b, 0.15, 0.09, 0.2, 0.25),
        b.rod((-0.1, 0.43, 0), (0.1, 0.43, 0), 0.003),
        b.rod((0, 0.3, 0), (0, 0.44, 0), 0.003),
    )
    return a.parts(stretch=True)


def floor_lamp(look: Look) -> list[Part]:
    a, b = begin(look)
    wide = 0.2 * a.vary(0.15)
    a.second("foot", IRON, b.cylinder(0.14, 0.03, edge=0.012), b.rod((0, 0.02, 0), (0, 1.45, 0), 0.012))
    a.fixed("bulb", LIGHT, b.ball((0.04, 0.055, 0.04), (0, 1.47, 0)))
    a.main(
        "shade",
        CREAM,
        _shade(b, wide, wide * 0.7, 0.28, 1.32),
        b.rod((-wide * 0.75, 1.55, 0), (wide * 0.75, 1.55, 0), 0.004),
        b.rod((0, 1.4, 0), (0, 1.56, 0), 0.004),
    )
    return a.parts(stretch=True)


def desk_lamp(look: Look) -> list[Part]:
    a, b = begin(look)
    elbow = (0.0, 0.26, -0.13 * a.vary(0.25))
    head = (0.0, 0.42, 0.06)
    a.second("base", DARK, b.cylinder(0.085, 0.022, edge=0.009))
    a.second(
        "arm",
        STEEL,
        b.rod((0, 0.01, 0), elbow, 0.007),
        b.rod(elbow, head, 0.007),
        b.ball(0.014, elbow),
        b.ball(0.014, head),
    )
    hood = b.turn([(0.02, 0.05), (0.026, 0.05), (0.075, -0.08), (0.07, -0.08)]) + b.cylinder(
        0.026, 0.03, (0, 0.045, 0), edge=0.01
    )
    tilt = (-35, 0, 0)
    a.main("hood", RED, hood.rotate(tilt).translate((0, head[1] - 0.01, head[2] + 0.02)))
    bulb = b.ball(0.03, (0, -0.03, 0)) + b.rod((0, -0.03, 0), (0, 0.06, 0), 0.012)
    a.fixed("bulb", LIGHT, bulb.rotate(tilt).translate((0, head[1] - 0.01, head[2] + 0.02)))
    return a.parts(stretch=True)


def candle(look: Look) -> list[Part]:
    a, b = begin(look)
    tall = 0.16 * a.vary(0.2)
    drip = [
        b.limb((0.017 * x, tall + 0.014, 0.017 * z), (0.018 * x, tall - drop, 0.018 * z), 0.004)
        for x, z, drop in ((1, 0.1, 0.03), (-0.5, 0.85, 0.05), (-0.6, -0.8, 0.02))
    ]
    holder = [
        (0, 0),
        (0.052, 0),
        (0.056, 0.014),
        (0.053, 0.014),
        (0.05, 0.005),
        (0.024, 0.006),
        (0.024, 0.03),
        (0, 0.03),
    ]
    ear = smooth([(0.05, 0.008, 0.0), (0.075, 0.012, 0.0), (0.078, 0.03, 0.0), (0.06, 0.032, 0.0), (0.052, 0.012, 0.0)])
    a.second("holder", BRASS, b.turn(holder), b.tube(ear, 0.004))
    a.main("wax", CREAM, b.cylinder(0.019, tall, (0, 0.02, 0), edge=0.004), *drip)
    top = tall + 0.02
    a.fixed("wick", DARK, b.rod((0, top - 0.004, 0), (0, top + 0.012, 0), 0.0016))
    flame = smooth([(0.002, 0.0), (0.0085, 0.01), (0.006, 0.024), (0.001, 0.042)], 5)
    a.fixed("flame", FLAME, b.turn([(0, 0), *flame, (0, 0.042)], (0, top + 0.006, 0)))
    return a.parts(stretch=True)


def lantern(look: Look) -> list[Part]:
    a, b = begin(look)
    tall = 0.17 * a.vary(0.08)
    a.main(
        "frame",
        IRON,
        b.box((0.15, 0.02, 0.15), edge=0.006),
        b.box((0.135, 0.012, 0.135), (0, 0.015, 0)),
        four(b.box((0.01, tall, 0.01), (0.058, 0.02, 0.058))),
        b.box((0.135, 0.012, 0.135), (0, tall + 0.015, 0)),
    )
    roof = Manifold.batch_hull(
        [b.box((0.16, 0.008, 0.16), (0, tall + 0.025, 0)), b.box((0.05, 0.01, 0.05), (0, tall + 0.075, 0))]
    )
    a.main(
        "roof",
        IRON,
        roof,
        b.cylinder(0.02, 0.02, (0, tall + 0.08, 0)),
        b.torus(0.028, 0.005).rotate((90, 0, 0)).translate((0, tall + 0.122, 0)),
    )
    a.fixed(
        "glass",
        WINDOW,
        four(b.box((0.003, tall, 0.11), (0.056, 0.02, 0))).rotate((0, 90, 0)),
        b.box((0.1, 0.004, 0.1), (0, 0.025, 0)),
        four(b.box((0.003, tall, 0.11), (0.056, 0.02, 0))),
    )
    a.second("candle", CREAM, b.cylinder(0.026, tall * 0.45, (0, 0.02, 0), edge=0.004))
    a.fixed(
        "flame",
        FLAME,
        b.turn(
            [(0, 0), *smooth([(0.004, 0.0), (0.011, 0.014), (0.002, 0.045)], 4), (0, 0.045)],
            (0, 0.018 + tall * 0.45, 0),
        ),
    )
    return a.parts(stretch=True)


LIGHTS = (
    Family("lamp", ("lamp", "table lamp", "bedside lamp"), (0.31, 0.45, 0.31), lamp),
    Family("floor lamp", ("floor lamp", "standing lamp"), (0.41, 1.60, 0.41), floor_lamp),
    Family("desk lamp", ("desk lamp", "reading lamp"), (0.17, 0.48, 0.34), desk_lamp),
    Family("candle", ("candle", "candlestick"), (0.14, 0.23, 0.11), candle),
    Family("lantern", ("lantern",), (0.16, 0.32, 0.16), lantern),
)
