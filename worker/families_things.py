"""Tools, weapons, machines and small things of a household."""

from __future__ import annotations

from manifold3d import CrossSection, Manifold

from frontdesk.worker.blocks import around, four, mirrored, rectangle, row, smooth
from frontdesk.worker.paints import (
    BLACK,
    BRASS,
    CREAM,
    DARK,
    DARK_WOOD,
    FLAME,
    GOLD,
    GREY,
    IRON,
    RED,
    SILVER,
    SKY,
    STEEL,
    WHITE,
    WINDOW,
    WOOD,
    Paint,
)  # fmt: skip
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
    teeth = int(a.random.integers(2, 4))
    bow = (
        b.disc(0.014).translate((0, 0.062))
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


def clock(look: Look) -> list[Part]:
    a, b = begin(look)
    hour = float(a.random.uniform(0, 12))
    a.main(
        "case",
        DARK_WOOD,
        (b.cylinder(0.15, 0.05, edge=0.008) - b.cylinder(0.132, 0.05, (0, 0.042, 0))).rotate((90, 0, 0)),
    )
    a.second("face", WHITE, b.cylinder(0.134, 0.006, (0, 0.038, 0)).rotate((90, 0, 0)))
    marks = [
        b.box(
            (0.008 if i % 3 else 0.012, 0.018 if i % 3 else 0.028, 0.003), (0, 0.094 if i % 3 else 0.086, 0.0445)
        ).rotate((0, 0, 30 * i))
        for i in range(12)
    ]
    a.fixed("marks", DARK, *marks)
    hands = [
        b.box((wide, long, 0.003), (0, -0.018, z), edge=0.001).rotate((0, 0, -turn))
        for wide, long, z, turn in ((0.011, 0.086, 0.047, hour * 30), (0.008, 0.12, 0.0495, hour % 1 * 360))
    ]
    a.fixed("hands", BLACK, *hands, b.rod((0, 0, 0.042), (0, 0, 0.053), 0.0075))
    a.second("feet", BRASS, mirrored(b.limb((0.07, -0.12, 0.025), (0.1, -0.165, 0.025), 0.013)))
    bells = b.ball(0.05, (0, 0, 0)) - b.box((0.2, 0.2, 0.2), (0, -0.2, 0))
    a.second(
        "bells",
        BRASS,
        mirrored(
            bells.rotate((0, 0, -32)).translate((0.092, 0.146, 0.025)),
            b.rod((0.07, 0.115, 0.025), (0.095, 0.155, 0.025), 0.006),
        ),
    )
    a.second(
        "handle",
        BRASS,
        b.tube(
            smooth(
                [
                    (-0.05, 0.14, 0.025),
                    (-0.045, 0.2, 0.025),
                    (0.0, 0.225, 0.025),
                    (0.045, 0.2, 0.025),
                    (0.05, 0.14, 0.025),
                ]
            ),
            0.006,
        ),
    )
    return a.parts(stretch=True)


def book(look: Look) -> list[Part]:
    a, b = begin(look)
    thick = 0.035 * a.vary(0.2)
    w, d = 0.16, 0.23
    cover = b.box((w, thick, d), (0, 0, 0), edge=0.004) - b.box((w, thick - 0.008, d + 1), (0.008, 0.004, 0))
    spine = (
        b.cylinder(thick / 2, d, edge=0.003)
        .rotate((90, 0, 0))
        .scale((0.45, 1, 1))
        .translate((-w / 2 + 0.003, thick / 2, -d / 2))
    )
    a.main("cover", RED, cover, spine - b.box((w, thick - 0.008, d + 1), (0.008, 0.004, 0)))
    a.fixed("pages", CREAM, b.box((w - 0.01, thick - 0.007, d - 0.012), (-0.001, 0.0035, 0)))
    a.second(
        "bands",
        GOLD,
        *(b.box((0.006, thick * 1.02, 0.005), (-w / 2 - 0.0035, -thick * 0.01, z)) for z in (-0.075, 0.075)),
        b.box((0.085, 0.002, 0.05), (0.005, thick - 0.0008, -0.045)),
        b.box((0.05, 0.002, 0.012), (0.005, thick - 0.0008, 0.06)),
    )
    return a.parts(stretch=True)


def chest(look: Look) -> list[Part]:
    a, b = begin(look)
    w, d, h, open_ = 0.7, 0.42, 0.3, 0.0 * a.vary(0.1)
    lid = (b.cylinder(d / 2, w).rotate((0, 0, -90)).translate((-w / 2, h + open_, 0))) - b.box(
        (2, 2, 2), (0, h - 1.985, 0)
    )
    a.main("box", WOOD, b.box((w, h, d)))
    a.main("lid", DARK_WOOD, lid)
    hoop = b.cylinder(d / 2 + 0.012, 0.055).rotate((0, 0, -90)) - b.box((2, 2, 2), (0, -2, 0))
    strap = b.box((0.055, h + 0.01, d + 0.024), (0, 0, 0))
    bands = [
        (hoop.translate((-0.0275, h + 0.002, 0)) + strap).translate((x, 0, 0))
        for x in (-w / 2 + 0.06, 0.0, w / 2 - 0.06)
    ]
    a.second("bands", BRASS, *bands, b.box((w + 0.012, 0.03, d + 0.012), (0, h - 0.03, 0)))
    a.fixed(
        "lock",
        GOLD,
        b.box((0.1, 0.11, 0.03), (0, h - 0.075, d / 2 + 0.012), edge=0.012),
        b.torus(0.03 * a.vary(0.1), 0.009).rotate((90, 0, 0)).translate((0, h + 0.04, d / 2 + 0.018)),
    )
    a.fixed(
        "keyhole",
        BLACK,
        b.rod((0, h - 0.015, d / 2 + 0.02), (0, h - 0.015, d / 2 + 0.029), 0.011),
        b.box((0.009, 0.03, 0.006), (0, h - 0.05, d / 2 + 0.0255)),
    )
    return a.parts(stretch=True)


def box(look: Look) -> list[Part]:
    a, b = begin(look)
    w, h, d = 0.4 * a.x, 0.3 * a.y * a.vary(0.05), 0.3 * a.z
    a.main("board", Paint((0.76, 0.58, 0.38)), b.box((w, h, d), edge=0.004))
    a.second(
        "tape",
        Paint((0.88, 0.78, 0.58)),
        b.box((w + 0.003, h + 0.003, 0.05), (0, 0, 0)) - b.box((2, h * 0.72, 2), (0, 0, 0)),
    )
    return a.parts()


def crate(look: Look) -> list[Part]:
    a, b = begin(look)
    s, gap = 0.6, 0.006 * a.vary(0.3)
    core = b.box((s - 0.06, s - 0.06, s - 0.06), (0, 0.03, 0))
    planks = [b.box((s - 0.04, s / 5 - gap, s - 0.04), (0, 0.02 + i * (s - 0.04) / 5, 0)) for i in range(5)]
    a.main("planks", WOOD, core, *planks)
    edge = 0.07
    frame = (
        b.box((s, s, s))
        - b.box((s - 2 * edge, s - 2 * edge, 2), (0, edge, 0))
        - b.box((2, s - 2 * edge, s - 2 * edge), (0, edge, 0))
        - b.box((s - 2 * edge, 2, s - 2 * edge), (0, -0.5, 0))
        - b.box((s - 0.05, s - 0.05, s - 0.05), (0, 0.025, 0))
    )
    brace = b.plate(rectangle(s * 1.18, 0.07).translate((0, -0.035)), s - 0.01).rotate((0, 0, 45)).translate(
        (0, s / 2, 0)
    ) ^ b.box((s - 0.1, s - 0.1, 2), (0, 0.05, 0))
    a.second(
        "frame",
        DARK_WOOD,
        frame,
        brace - b.box((s - 0.05, s, s - 0.06)),
        brace.rotate((0, 90, 0)) - b.box((s - 0.06, s, s - 0.05)),
    )
    return a.parts(stretch=True)


def barrel(look: Look) -> list[Part]:
    a, b = begin(look)
    belly = 0.30 * a.vary(0.04)
    side = smooth([(0.23, 0.0), (0.275, 0.2), (belly, 0.42), (0.275, 0.64), (0.23, 0.84)], 6)
    grooves = around(b.box((0.02, 2, 0.008), (0.3, -0.5, 0)), 18)
    inside = b.cylinder(0.21, 0.06, (0, 0.81, 0)) + b.cylinder(0.21, 0.06, (0, -0.03, 0))
    a.main("staves", WOOD, b.turn([(0, 0), *side, (0, 0.84)]) - grooves - inside)
    hoops = [(0.06, 0.247), (0.2, 0.277), (0.6, 0.283), (0.74, 0.257)]
    a.second(
        "hoops",
        IRON,
        *(b.cylinder(r + 0.005, 0.05, (0, y, 0)) - b.cylinder(r - 0.03, 0.2, (0, y - 0.1, 0)) for y, r in hoops),
    )
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


def laptop(look: Look) -> list[Part]:
    a, b = begin(look)
    lean = 16 * a.vary(0.3)
    a.main("base", SILVER, b.box((0.33, 0.016, 0.23), edge=0.006))
    keys = row(row(b.box((0.019, 0.003, 0.016), (-0.138, 0.0155, -0.075)), 13, (0.023, 0, 0)), 5, (0, 0, 0.021))
    a.fixed("keys", DARK, keys)
    a.second("pad", GREY, b.box((0.1, 0.002, 0.06), (0, 0.0152, 0.072)))
    lid = b.box((0.33, 0.225, 0.009), (0, 0, 0), edge=0.004)
    screen = b.box((0.31, 0.2, 0.003), (0, 0.014, 0.0045))
    a.main("lid", SILVER, lid.rotate((-lean, 0, 0)).translate((0, 0.012, -0.112)))
    a.fixed("screen", Paint((0.45, 0.68, 0.88), "glow"), screen.rotate((-lean, 0, 0)).translate((0, 0.012, -0.112)))
    return a.parts(stretch=True)


def camera(look: Look) -> list[Part]:
    a, b = begin(look)
    reach = 0.05 * a.vary(0.15)
    a.main(
        "body",
        DARK,
        b.box((0.135, 0.085, 0.05), edge=0.01),
        Manifold.batch_hull(
            [
                b.box((0.06, 0.01, 0.045), (0, 0.08, 0), edge=0.004),
                b.box((0.035, 0.022, 0.03), (0, 0.084, 0), edge=0.006),
            ]
        ),
        b.box((0.025, 0.075, 0.02), (-0.055, 0.005, 0.025), edge=0.009),
    )
    a.fixed(
        "lens",
        BLACK,
        b.cylinder(0.033, 0.025).rotate((90, 0, 0)).translate((0.005, 0.042, 0.02)),
        b.cylinder(0.029, reach, edge=0.003).rotate((90, 0, 0)).translate((0.005, 0.042, 0.03)),
    )
    a.second(
        "rings",
        SILVER,
        *(
            b.cylinder(r, 0.004).rotate((90, 0, 0)).translate((0.005, 0.042, z))
            for r, z in ((0.0342, 0.041), (0.0302, 0.03 + reach * 0.75))
        ),
    )
    a.fixed("glass", WINDOW, b.ball((0.021, 0.021, 0.008), (0.005, 0.042, 0.029 + reach)))
    a.second(
        "buttons",
        SILVER,
        b.cylinder(0.011, 0.01, (0.048, 0.083, 0), edge=0.002),
        b.cylinder(0.007, 0.012, (-0.052, 0.083, 0.008), edge=0.002),
    )
    a.fixed("light", RED, b.ball(0.004, (-0.052, 0.097, 0.008)))
    return a.parts(stretch=True)


def bell(look: Look) -> list[Part]:
    a, b = begin(look)
    flare = 0.062 * a.vary(0.06)
    side = smooth([(flare, 0.004), (0.046, 0.03), (0.036, 0.065), (0.026, 0.095), (0.004, 0.103)], 6)
    inside = [(r - 0.005, y - 0.006) for r, y in side[:-3]]
    a.main(
        "bell",
        GOLD,
        b.turn([(flare - 0.007, 0), (flare, 0), *side, (0, 0.103), (0, 0.093), *reversed(inside)]),
        b.torus(0.0365, 0.0022, (0, 0.062, 0)),
    )
    a.fixed("clapper", IRON, b.rod((0, 0.012, 0), (0, 0.097, 0), 0.003), b.ball(0.012, (0, 0.014, 0)))
    a.second(
        "handle",
        DARK_WOOD,
        b.turn([(0, 0.1), *smooth([(0.008, 0.1), (0.009, 0.12), (0.014, 0.16), (0.009, 0.19)], 5), (0, 0.19)]),
        b.ball(0.013, (0, 0.196, 0)),
    )
    return a.parts(stretch=True)


THINGS = (
    Family("hammer", ("hammer", "claw hammer"), (0.15, 0.315, 0.036), hammer),
    Family("axe", ("axe", "hatchet"), (0.2, 0.71, 0.034), axe),
    Family("sword", ("sword",), (0.24, 0.86, 0.04), sword),
    Family("shield", ("shield",), (0.56, 0.72, 0.2), shield),
    Family("key", ("key",), (0.048, 0.076, 0.012), key),
    Family("clock", ("clock", "alarm clock"), (0.3, 0.40, 0.075), clock),
    Family("book", ("book",), (0.17, 0.037, 0.23), book, sits_on=True),
    Family("chest", ("chest", "treasure chest"), (0.73, 0.52, 0.46), chest),
    Family("box", ("box", "cardboard box", "parcel"), (0.4, 0.3, 0.3), box, sits_on=True),
    Family("crate", ("crate",), (0.6, 0.6, 0.6), crate, sits_on=True),
    Family("barrel", ("barrel", "cask"), (0.6, 0.84, 0.6), barrel, sits_on=True),
    Family("bucket", ("bucket", "pail"), (0.31, 0.41, 0.31), bucket),
    Family("lantern", ("lantern",), (0.16, 0.32, 0.16), lantern),
    Family("laptop", ("laptop", "computer", "notebook"), (0.33, 0.23, 0.29), laptop),
    Family("camera", ("camera",), (0.135, 0.106, 0.11), camera),
    Family("bell", ("bell", "handbell"), (0.125, 0.21, 0.125), bell),
)
