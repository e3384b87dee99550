"""Things of a household."""

from __future__ import annotations

from manifold3d import Manifold

from frontdesk.worker.blocks import (
    around,
    mirrored,
    rectangle,
    row,
    smooth,
)
from frontdesk.worker.paints import (
    BLACK,
    BRASS,
    CREAM,
    DARK,
    DARK_WOOD,
    GOLD,
    GREY,
    IRON,
    RED,
    SILVER,
    WHITE,
    WINDOW,
    WOOD,
)
from frontdesk.worker.solids import Family, Look, Paint, Part, begin


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


GOODS = (
    Family("clock", ("clock", "alarm clock"), (0.3, 0.41, 0.1), clock),
    Family("book", ("book",), (0.17, 0.037, 0.23), book, sits_on=True),
    Family("chest", ("chest", "treasure chest"), (0.73, 0.52, 0.46), chest),
    Family("box", ("box", "cardboard box", "parcel"), (0.4, 0.3, 0.3), box, sits_on=True),
    Family("crate", ("crate",), (0.6, 0.6, 0.6), crate, sits_on=True),
    Family("barrel", ("barrel", "cask"), (0.6, 0.84, 0.6), barrel, sits_on=True),
    Family("laptop", ("laptop", "computer", "notebook"), (0.33, 0.23, 0.29), laptop),
    Family("camera", ("camera",), (0.135, 0.106, 0.11), camera),
)
