"""Tools and arms."""

from __future__ import annotations

from manifold3d import CrossSection, Manifold

from frontdesk.worker.blocks import (
    mirrored,
    rectangle,
    smooth,
)
from frontdesk.worker.paints import (
    BRASS,
    DARK_WOOD,
    GOLD,
    RED,
    SKY,
    STEEL,
    WOOD,
)
from frontdesk.worker.solids import Family, Look, Part, begin


def hammer(look: Look) -> list[Part]:
    a, b = begin(look)
    length = 0.31 * a.vary(0.06)
    grip = [
        (0, 0),
        (0.014, 0),
        *smooth([(0.016, 0.01), (0.015, 0.09), (0.0105, 0.17), (0.012, length)], 5),
        (0, length),
    ]
    a.second("handle", WOOD, b.turn(grip).scale((1, 1, 0.8)))
    y = length - 0.012
    face = b.cylinder(0.016, 0.03, edge=0.003).rotate((0, 0, -90)).translate((0.03, y, 0))
    cheek = b.box((0.05, 0.032, 0.027), (0, y - 0.016, 0), edge=0.006)
    neck = b.rod((0, y, 0), (0.04, y, 0), 0.0115)
    claw = Manifold.batch_hull(
        [b.box((0.01, 0.026, 0.024), (-0.022, y - 0.013, 0)), b.box((0.01, 0.015, 0.03), (-0.05, y - 0.012, 0))]
    )
    tip = Manifold.batch_hull(
        [b.box((0.01, 0.015, 0.03), (-0.05, y - 0.012, 0)), b.box((0.004, 0.004, 0.036), (-0.078, y - 0.03, 0))]
    )
    slot = b.slab([(-0.1, -0.009), (-0.035, 0), (-0.1, 0.009)], 0.1, (0, y - 0.05, 0))
    a.main("head", STEEL, face, cheek, neck, (claw + tip) - slot)
    return a.parts(stretch=True)


def axe(look: Look) -> list[Part]:
    a, b = begin(look)
    edge = 0.14 * a.vary(0.1)
    handle = smooth([(0.02, 0.0, 0.0), (0.0, 0.06, 0.0), (0.005, 0.35, 0.0), (0.0, 0.68, 0.0)])
    a.second("handle", WOOD, b.tube(handle, [0.021, 0.018, 0.016, 0.017]).scale((1, 1, 0.75)))
    side = [
        (-0.035, 0.6),
        (-0.035, 0.665),
        *smooth([(0.04, 0.67), (0.1, 0.69), (edge, 0.71)], 4),
        *smooth([(edge + 0.022, 0.63), (edge, 0.53)], 4),
        *smooth([(0.1, 0.565), (0.04, 0.6)], 4),
    ]
    wedge = Manifold.batch_hull(
        [b.box((0.09, 1, 0.034), (-0.01, 0.1, 0)), b.box((0.004, 1, 0.002), (edge + 0.03, 0.1, 0))]
    )
    a.main("head", STEEL, b.plate(side, 0.1) ^ wedge)
    return a.parts(stretch=True)


def sword(look: Look) -> list[Part]:
    a, b = begin(look)
    length = 0.78 * a.vary(0.05)
    tip = [b.plate([(-0.024, 0.2), (0.024, 0.2), (0.02, length), (0, length + 0.08), (-0.02, length)], 0.0012)]
    ridge = b.plate([(-0.0015, 0.2), (0.0015, 0.2), (0.001, length + 0.04)], 0.009)
    a.main("blade", STEEL, Manifold.batch_hull([*tip, ridge]))
    guard = smooth(
        [(-0.105, 0.215, 0.0), (-0.07, 0.198, 0.0), (0.0, 0.195, 0.0), (0.07, 0.198, 0.0), (0.105, 0.215, 0.0)]
    )
    a.second(
        "guard",
        BRASS,
        b.tube(guard, 0.0105),
        mirrored(b.ball(0.015, (0.105, 0.215, 0))),
        b.ball((0.026, 0.026, 0.02), (0, 0.024, 0)),
        b.box((0.045, 0.03, 0.026), (0, 0.18, 0), edge=0.006),
    )
    rings = [b.torus(0.0145, 0.0035, (0, 0.055 + 0.0125 * i, 0)) for i in range(11)]
    a.second("grip", DARK_WOOD, b.rod((0, 0.04, 0), (0, 0.19, 0), 0.0145), *rings)
    return a.parts(stretch=True)


def shield(look: Look) -> list[Part]:
    a, b = begin(look)
    side = smooth([(0.0, 0.0), (0.2, 0.2), (0.28, 0.42), (0.28, 0.66)], 6)
    outline = [*side, (0.14, 0.7), (0.0, 0.72)]
    whole = CrossSection([[*outline, *((-x, y) for x, y in reversed(outline[1:-1]))]])
    bend = b.cylinder(0.55, 2, (0, -0.5, -0.5)) - b.cylinder(0.515, 3, (0, -0.6, -0.5))
    rim = b.cylinder(0.565, 2, (0, -0.5, -0.5)) - b.cylinder(0.505, 3, (0, -0.6, -0.5))
    a.main("board", RED, b.plate(whole.offset(-0.008), 0.9) ^ bend ^ b.box((2, 2, 1), (0, 0, 0.25)))
    a.second("rim", STEEL, b.plate(whole - whole.offset(-0.03), 0.9) ^ rim ^ b.box((2, 2, 1), (0, 0, 0.25)))
    cross = rectangle(0.075, 2) + rectangle(2, 0.075, (0, 0.42))
    band = b.cylinder(0.557, 2, (0, -0.5, -0.5)) - b.cylinder(0.505, 3, (0, -0.6, -0.5))
    a.second("cross", GOLD, b.plate(whole.offset(-0.02) ^ cross, 0.9) ^ band ^ b.box((2, 2, 1), (0, 0, 0.25)))
    a.second("boss", STEEL, b.ball((0.07, 0.07, 0.05 * a.vary(0.15)), (0, 0.457, 0.05)))
    return a.parts(stretch=True)


def key(look: Look) -> list[Part]:
    a, b = begin(look)
    teeth, lobe = int(a.random.integers(2, 4)), 0.014 * a.vary(0.06)
    bow = (
        b.disc(lobe).translate((0, 0.062))
        + b.disc(0.0115).translate((-0.012, 0.05))
        + b.disc(0.0115).translate((0.012, 0.05))
    )
    hole = (
        b.disc(0.0075).translate((0, 0.063))
        + b.disc(0.006).translate((-0.0125, 0.0495))
        + b.disc(0.006).translate((0.0125, 0.0495))
    )
    stem = (
        b.rod((0, 0, 0), (0, 0.045, 0), 0.0032)
        + b.torus(0.0035, 0.0017, (0, 0.038, 0))
        + b.torus(0.0035, 0.0017, (0, 0.034, 0))
    )
    bit = [b.box((0.0125, 0.014 / teeth, 0.0028), (0.0075, 0.003 + i * 0.0185 / teeth, 0)) for i in range(teeth)]
    a.main("key", BRASS, b.plate(bow - hole, 0.0042), stem, *bit, b.box((0.006, 0.018, 0.0028), (0.005, 0.002, 0)))
    return a.parts(stretch=True)


def bucket(look: Look) -> list[Part]:
    a, b = begin(look)
    r, swing = 0.145 * a.vary(0.05), 24 * a.vary(0.8)
    a.main(
        "bucket",
        SKY,
        b.vessel([(0.1, 0), (0.102, 0.004), (r, 0.27)], 0.005),
        b.torus(r, 0.006, (0, 0.268, 0)),
        b.torus(0.113, 0.004, (0, 0.07, 0)),
    )
    hoop = smooth(
        [(-r - 0.004, 0.0, 0.0), (-r * 0.8, 0.11, 0.0), (0.0, 0.165, 0.0), (r * 0.8, 0.11, 0.0), (r + 0.004, 0.0, 0.0)]
    )
    a.second(
        "handle",
        STEEL,
        b.tube(hoop, 0.0045).rotate((swing, 0, 0)).translate((0, 0.25, 0)),
        mirrored(b.ball(0.012, (r, 0.25, 0))),
    )
    a.second(
        "grip", WOOD, b.rod((-0.05, 0.161, 0), (0.05, 0.161, 0), 0.012).rotate((swing, 0, 0)).translate((0, 0.25, 0))
    )
    return a.parts(stretch=True)


TOOLS = (
    Family("hammer", ("hammer", "claw hammer"), (0.15, 0.315, 0.036), hammer),
    Family("axe", ("axe", "hatchet"), (0.2, 0.71, 0.034), axe),
    Family("sword", ("sword",), (0.24, 0.86, 0.04), sword),
    Family("shield", ("shield",), (0.56, 0.72, 0.2), shield),
    Family("key", ("key",), (0.047, 0.076, 0.0104), key),
    Family("bucket", ("bucket", "pail"), (0.31, 0.41, 0.31), bucket),
)
