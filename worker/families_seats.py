"""Things to sit and lie on."""

from __future__ import annotations

from frontdesk.worker.blocks import (
    four,
    mirrored,
    row,
)
from frontdesk.worker.paints import (
    CREAM,
    DARK_WOOD,
    FABRIC,
    IRON,
    WHITE,
    WOOD,
)
from frontdesk.worker.solids import Family, Look, Paint, Part, begin


def _upholstered(look: Look, width: float, seats: int) -> list[Part]:
    a, b = begin(look)
    w, h, d = width * a.x, 0.85 * a.y, 0.88 * a.z
    arm, seat, back, soft = 0.17, 0.30 * a.y, 0.2, 0.05 * a.vary(0.2)
    a.main("base", FABRIC, b.box((w - 0.02, 0.2 * a.y, d - 0.02), (0, 0.1, 0), edge=0.03))
    a.main("arms", FABRIC, mirrored(b.box((arm, 0.5 * a.y, d), (w / 2 - arm / 2, 0.1, 0), edge=soft)))
    a.main("back", FABRIC, b.box((w - 2 * arm + 0.04, h - 0.1, back), (0, 0.1, back / 2 - d / 2), edge=soft))
    each = (w - 2 * arm) / seats
    places = [(i - (seats - 1) / 2) * each for i in range(seats)]
    z = back / 2
    cushions = [b.box((each - 0.012, 0.16, d - back + 0.02), (x, seat - 0.02, z), edge=0.05) for x in places]
    backs = [
        b.box((each - 0.012, h - seat - 0.16, 0.16), (x, seat + 0.13, back - d / 2 + 0.06), edge=0.06) for x in places
    ]
    a.second("cushions", Paint((0.36, 0.52, 0.66)), *cushions, *backs)
    a.fixed(
        "feet", DARK_WOOD, four(b.rod((w / 2 - 0.1, 0, d / 2 - 0.1), (w / 2 - 0.12, 0.12, d / 2 - 0.12), 0.02, 0.03))
    )
    return a.parts()


def chair(look: Look) -> list[Part]:
    a, b = begin(look)
    w, h, d, seat = 0.45 * a.x, 0.90 * a.y, 0.46 * a.z, 0.45 * a.y
    slats, lean = int(a.random.integers(3, 6)), 0.07 * a.vary(0.3)
    x, z = w / 2 - 0.025, d / 2 - 0.03
    a.main("seat", WOOD, b.box((w, 0.045, d), (0, seat - 0.045, 0), edge=0.015))
    a.second(
        "legs",
        DARK_WOOD,
        mirrored(
            b.rod((x, 0, z), (x, seat - 0.02, z), 0.014, 0.022),
            b.rod((x, 0, -z - 0.02), (x, seat - 0.02, -z), 0.014, 0.02),
            b.rod((x, seat - 0.04, -z), (x, h - 0.02, -z - lean), 0.02, 0.016),
            b.rod((x, seat / 3, z), (x, seat / 3, -z), 0.01),
        ),
    )
    middle = b.rod((-x, seat / 3, 0), (x, seat / 3, 0), 0.01)
    a.second("stretcher", DARK_WOOD, middle)
    low = seat + (h - seat) * 0.35
    z_at = {y: -z - lean * (y - seat) / (h - seat) for y in (low, h - 0.05)}
    rails = [
        b.box((w, size, 0.022), (0, y - size / 2, z_at[y]), edge=0.009) for y, size in ((low, 0.05), (h - 0.05, 0.1))
    ]
    step = 2 * x / (slats + 1)
    bars = [
        b.rod((i * step - x, low, z_at[low]), (i * step - x, h - 0.05, z_at[h - 0.05]), 0.011)
        for i in range(1, slats + 1)
    ]
    a.main("back", WOOD, *rails, *bars)
    return a.parts()


def armchair(look: Look) -> list[Part]:
    return _upholstered(look, 0.88, 1)


def sofa(look: Look) -> list[Part]:
    return _upholstered(look, 1.95, 3)


def stool(look: Look) -> list[Part]:
    a, b = begin(look)
    h, r, splay = 0.48 * a.y, 0.17, 0.05 * a.vary(0.4) * min(a.x, a.z)
    seat = b.cylinder(r, 0.045, edge=0.015).scale((a.x, 1, a.z)).translate((0, h - 0.045, 0))
    a.main("seat", WOOD, seat)
    x, z = 0.11 * a.x, 0.11 * a.z
    a.second("legs", DARK_WOOD, four(b.rod((x + splay, 0, z + splay), (x, h - 0.02, z), 0.014, 0.02)))
    px, pz, y = x + splay * 0.65, z + splay * 0.65, h * 0.35
    rungs = [b.rod((-px, y, s * pz), (px, y, s * pz), 0.009) for s in (-1, 1)]
    rungs += [b.rod((s * px, y, -pz), (s * px, y, pz), 0.009) for s in (-1, 1)]
    a.second("rungs", DARK_WOOD, *rungs)
    return a.parts()


def bench(look: Look) -> list[Part]:
    a, b = begin(look)
    w, h, seat, d = 1.5 * a.x, 0.85 * a.y, 0.43 * a.y, 0.5 * a.z
    plank = row(b.box((w, 0.03, 0.085), (0, seat, -0.4 * d), edge=0.01), 5, (0, 0, 0.105 * a.z * a.vary(0.05)))
    a.main("seat", WOOD, plank)
    rise = (h - seat) / 4
    back = [
        b.box((w, rise * 0.78, 0.03), (0, seat + rise * (i + 0.9), -0.47 * d - 0.02 * i), edge=0.01) for i in range(3)
    ]
    a.main("back", WOOD, *back)
    x = w / 2 - 0.15
    irons = mirrored(
        b.rod((x, 0, 0.42 * d), (x, seat + 0.01, 0.38 * d), 0.025),
        b.rod((x, 0, -0.5 * d), (x, seat + 0.01, -0.42 * d), 0.025),
        b.rod((x, seat, -0.45 * d), (x, h - 0.02, -0.45 * d - 0.075), 0.022),
        b.rod((x, seat - 0.01, 0.42 * d), (x, seat - 0.01, -0.45 * d), 0.022),
        b.tube(
            [(x, seat, 0.38 * d), (x, seat + 0.19, 0.4 * d), (x, seat + 0.21, 0.2 * d), (x, seat + 0.2, -0.5 * d)],
            0.018,
        ),
    )
    a.second("frame", IRON, irons)
    return a.parts()


def bed(look: Look) -> list[Part]:
    a, b = begin(look)
    w, h, d = 1.5 * a.x, 1.0 * a.y, 2.05 * a.z
    a.second(
        "frame",
        WOOD,
        b.box((w, 0.24, d - 0.08), (0, 0.12, 0.02), edge=0.02),
        four(b.box((0.09, 0.15, 0.09), (w / 2 - 0.06, 0, d / 2 - 0.08))),
    )
    a.second("headboard", WOOD, b.box((w + 0.04, h - 0.02, 0.06), (0, 0.02, 0.03 - d / 2), edge=0.025))
    a.second("footboard", WOOD, b.box((w + 0.04, h * 0.52, 0.05), (0, 0.02, d / 2 - 0.03), edge=0.02))
    a.fixed("mattress", WHITE, b.box((w - 0.06, 0.22, d - 0.14), (0, 0.33, 0.005), edge=0.06))
    cover = d * 0.66 * a.vary(0.06)
    a.main("blanket", FABRIC, b.box((w - 0.01, 0.26, cover), (0, 0.35, d / 2 - 0.06 - cover / 2), edge=0.07))
    a.main("fold", Paint((0.55, 0.68, 0.78)), b.box((w, 0.05, 0.2), (0, 0.58, d / 2 - 0.1 - cover), edge=0.025))
    pillow = (
        b.box((w * 0.42, 0.13, 0.36), (w * 0.235, 0, 0), edge=0.06).rotate((16, 0, 0)).translate((0, 0.53, 0.3 - d / 2))
    )
    a.fixed("pillows", CREAM, mirrored(pillow))
    return a.parts()


SEATS = (
    Family("chair", ("chair",), (0.45, 0.90, 0.55), chair),
    Family("armchair", ("armchair", "recliner"), (0.88, 0.85, 0.88), armchair),
    Family("sofa", ("sofa", "couch", "settee"), (1.95, 0.85, 0.88), sofa),
    Family("stool", ("stool", "barstool"), (0.36, 0.48, 0.36), stool, sits_on=True),
    Family("bench", ("bench", "park bench"), (1.50, 0.85, 0.55), bench),
    Family("bed", ("bed",), (1.54, 1.00, 2.05), bed),
)
