"""Furniture and lamps."""

from __future__ import annotations

import math

from manifold3d import Manifold

from frontdesk.worker.blocks import Blocks, arc, around, four, mirrored, row, smooth, union
from frontdesk.worker.paints import (
    BRASS,
    CREAM,
    DARK,
    DARK_WOOD,
    FABRIC,
    GREEN,
    IRON,
    LIGHT,
    PALE_WOOD,
    RED,
    SKY,
    STEEL,
    WHITE,
    WOOD,
    YELLOW,
)  # fmt: skip
from frontdesk.worker.solids import Assembly, Family, Look, Paint, Part, begin


def chair(look: Look) -> list[Part]:
    a, b = begin(look)
    w, h, d, seat = 0.45 * a.x, 0.90 * a.y, 0.46 * a.z, 0.45 * a.y
    slats, lean = int(a.random.integers(3, 6)), 0.07 * a.vary(0.3)
    x, z = w / 2 - 0.025, d / 2 - 0.03
    a.main("seat", WOOD, b.box((w, 0.045, d), (0, seat - 0.045, 0), edge=0.015))
    a.second("legs", DARK_WOOD, mirrored(
        b.rod((x, 0, z), (x, seat - 0.02, z), 0.014, 0.022), b.rod((x, 0, -z - 0.02), (x, seat - 0.02, -z), 0.014, 0.02),
        b.rod((x, seat - 0.04, -z), (x, h - 0.02, -z - lean), 0.02, 0.016), b.rod((x, seat / 3, z), (x, seat / 3, -z), 0.01),
    ))  # fmt: skip
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


def armchair(look: Look) -> list[Part]:
    return _upholstered(look, 0.88, 1)


def sofa(look: Look) -> list[Part]:
    return _upholstered(look, 1.95, 3)


def stool(look: Look) -> list[Part]:
    a, b = begin(look)
    h, r, splay = 0.48 * a.y, 0.17, 0.05 * a.vary(0.4)
    seat = b.cylinder(r, 0.045, edge=0.015).scale((a.x, 1, a.z)).translate((0, h - 0.045, 0))
    a.main("seat", WOOD, seat)
    x, z = 0.11 * a.x, 0.11 * a.z
    a.second("legs", DARK_WOOD, four(b.rod((x + splay, 0, z + splay), (x, h - 0.02, z), 0.014, 0.02)))
    px, pz, y = x + splay * 0.65, z + splay * 0.65, h * 0.35
    rungs = [b.rod((-px, y, s * pz), (px, y, s * pz), 0.009) for s in (-1, 1)]
    rungs += [b.rod((s * px, y, -pz), (s * px, y, pz), 0.009) for s in (-1, 1)]
    a.second("rungs", DARK_WOOD, *rungs)
    return a.parts()


def table(look: Look) -> list[Part]:
    a, b = begin(look)
    w, h, d, thick = 1.4 * a.x, 0.75 * a.y, 0.8 * a.z, 0.035 * a.vary(0.2)
    x, z = w / 2 - 0.08, d / 2 - 0.08
    a.main("top", WOOD, b.box((w, thick, d), (0, h - thick, 0), edge=0.012))
    a.main(
        "apron",
        WOOD,
        b.box((2 * x, 0.09, 2 * z), (0, h - thick - 0.085, 0))
        - b.box((2 * x - 0.05, 1, 2 * z - 0.05), (0, h - 0.6, 0)),
    )
    a.second("legs", DARK_WOOD, four(b.rod((x, 0, z), (x, h - thick + 0.005, z), 0.025, 0.04)))
    return a.parts()


def round_table(look: Look) -> list[Part]:
    a, b = begin(look)
    h, r, waist = 0.75, 0.55, 0.045 * a.vary(0.25)
    a.main("top", WOOD, b.cylinder(r, 0.035, (0, h - 0.035, 0), edge=0.014))
    profile = [
        (0, 0.1),
        (0.07, 0.1),
        (0.08, 0.16),
        (waist, 0.24),
        (0.06, 0.4),
        (waist, 0.6),
        (0.12, h - 0.03),
        (0, h - 0.03),
    ]
    a.second("column", DARK_WOOD, b.turn(profile))
    foot = b.tube([(0, 0.17, 0), (0.12, 0.17, 0), (0.24, 0.07, 0), (0.36, 0.025, 0)], [0.04, 0.036, 0.03, 0.024])
    a.second("feet", DARK_WOOD, around(foot, 4, 45))
    return a.parts(stretch=True)


def _knob(b: Blocks, at: tuple[float, float, float], radius: float = 0.014) -> Manifold:
    return union(b.ball(radius, (at[0], at[1], at[2] + 0.02)), b.rod(at, (at[0], at[1], at[2] + 0.02), radius / 2))


def desk(look: Look) -> list[Part]:
    a, b = begin(look)
    w, h, d = 1.3 * a.x, 0.75 * a.y, 0.65 * a.z
    drawers, side = int(a.random.integers(3, 5)), w / 2 - 0.24
    a.main("top", WOOD, b.box((w, 0.035, d), (0, h - 0.035, 0), edge=0.01))
    a.second("cabinet", DARK_WOOD, b.box((0.42, h - 0.083, d - 0.08), (side, 0.05, 0)))
    a.second(
        "legs",
        DARK_WOOD,
        *(b.rod((0.05 - w / 2, 0, z), (0.06 - w / 2, h - 0.03, z), 0.02, 0.03) for z in (0.06 - d / 2, d / 2 - 0.06)),
    )
    a.second("feet", DARK_WOOD, b.box((0.38, 0.06, d - 0.14), (side, 0, 0)))
    tall = (h - 0.1) / drawers
    fronts = [
        b.box((0.38, tall - 0.015, 0.02), (side, 0.06 + i * tall, d / 2 - 0.035), edge=0.006) for i in range(drawers)
    ]
    a.main("drawers", WOOD, *fronts)
    a.fixed("knobs", BRASS, *(_knob(b, (side, 0.05 + (i + 0.5) * tall, d / 2 - 0.03)) for i in range(drawers)))
    a.main("panel", WOOD, b.box((w - 0.3, h * 0.4, 0.018), (-0.1, h * 0.55, 0.07 - d / 2)))
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
        b.rod((x, 0, 0.42 * d), (x, seat + 0.01, 0.38 * d), 0.025), b.rod((x, 0, -0.5 * d), (x, seat + 0.01, -0.42 * d), 0.025),
        b.rod((x, seat, -0.45 * d), (x, h - 0.02, -0.45 * d - 0.075), 0.022), b.rod((x, seat - 0.01, 0.42 * d), (x, seat - 0.01, -0.45 * d), 0.022),
        b.tube([(x, seat, 0.38 * d), (x, seat + 0.19, 0.4 * d), (x, seat + 0.21, 0.2 * d), (x, seat + 0.2, -0.5 * d)], 0.018),
    )  # fmt: skip
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


BOOKS = (RED, GREEN, SKY, YELLOW, DARK, CREAM)


def _books(
    a: Assembly, b: Blocks, width: float, tall: float, at: tuple[float, float, float]
) -> dict[Paint, list[Manifold]]:
    """A row of books of chance sizes and colours, from the left; `at` is the middle of the board they stand on."""
    books: dict[Paint, list[Manifold]] = {}
    x = -width / 2
    while (thick := float(a.random.uniform(0.025, 0.055))) < width / 2 - x:
        size = (thick - 0.002, tall * a.random.uniform(0.68, 0.92), 0.19 * a.vary(0.1))
        paint = BOOKS[a.random.integers(len(BOOKS))]
        books.setdefault(paint, []).append(b.box(size, (at[0] + x + thick / 2, at[1] - 0.002, at[2])))
        x += thick
    return books


def bookshelf(look: Look) -> list[Part]:
    a, b = begin(look)
    w, h, d, board, count = 0.9 * a.x, 1.9 * a.y, 0.3 * a.z, 0.025, 5
    step = (h - 0.1) / count
    case = b.box((w, h, d)) - b.box((w - 2 * board, h - board - 0.075, d), (0, 0.075, 0.015))
    boards = [b.box((w - board, board, d - 0.02), (0, 0.05 + i * step, 0)) for i in range(1, count)]
    a.main("case", WOOD, case, *boards)
    books: dict[Paint, list[Manifold]] = {}
    for i in range(count):
        y = 0.075 + i * step
        room = (w - 2 * board) * (1 if i % 2 else a.random.uniform(0.55, 0.9))
        for paint, solids in _books(a, b, room, step - board, ((room - w) / 2 + board, y, 0.0)).items():
            books.setdefault(paint, []).extend(solids)
    for number, (paint, solids) in enumerate(books.items()):
        a.fixed(f"books {number + 1}", paint, *solids)
    return a.parts()


def cupboard(look: Look) -> list[Part]:
    a, b = begin(look)
    w, h, d = 1.1 * a.x, 1.9 * a.y, 0.55 * a.z
    a.main("body", WOOD, b.box((w, h - 0.12, d), (0, 0.08, 0)))
    a.main(
        "cornice",
        WOOD,
        b.box((w + 0.07, 0.06, d + 0.06), (0, h - 0.06, 0), edge=0.02),
        b.box((w + 0.05, 0.06, d + 0.04), (0, 0.07, 0), edge=0.02),
    )
    door = b.box((w / 2 - 0.03, h - 0.24, 0.025), (w / 4, 0.15, d / 2 + 0.01), edge=0.006)
    split = 0.6 * a.vary(0.1)
    for low, high in ((0.07, split - 0.02), (split + 0.02, 0.93)):
        tall = (h - 0.24) * (high - low)
        door -= b.box((w / 2 - 0.15, tall, 0.02), (w / 4, 0.15 + (h - 0.24) * low, d / 2 + 0.023))
    a.second("doors", PALE_WOOD, mirrored(door))
    a.fixed("knobs", BRASS, mirrored(_knob(b, (0.045, h * 0.5, d / 2 + 0.02), 0.018)))
    a.main(
        "feet", DARK_WOOD, four(b.rod((w / 2 - 0.07, 0, d / 2 - 0.07), (w / 2 - 0.07, 0.09, d / 2 - 0.07), 0.025, 0.04))
    )
    return a.parts()


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


def ladder(look: Look) -> list[Part]:
    a, b = begin(look)
    w, h, depth = 0.45 * a.x, 1.8 * a.y, 0.5 * a.z
    count, angle = int(round(6 * a.y)), math.atan2(depth / 2, h)
    front = mirrored(b.box((0.04, h / math.cos(angle), 0.07), (w / 2, 0, 0)))
    steps = [b.box((w, 0.03, 0.11), (0, h * (i + 0.7) / count, 0), edge=0.008) for i in range(count)]
    back = mirrored(
        b.box((0.03, h / math.cos(angle), 0.04), (w / 2 - 0.04, 0, 0)),
        b.rod((-w / 2, h * 0.4, 0), (w / 2, h * 0.4, 0), 0.012),
    )
    tilt = math.degrees(angle) * a.vary(0.06)
    flat = b.box((9, 1, 9), (0, -1, 0))
    a.main("rails", WOOD, front.rotate((-tilt, 0, 0)).translate((0, 0, depth / 2)) - flat)
    a.second(
        "steps",
        PALE_WOOD,
        *(step.translate((0, 0, depth / 2 * (1 - (i + 0.7) / count))) for i, step in enumerate(steps)),
    )
    a.main("legs", WOOD, back.rotate((tilt, 0, 0)).translate((0, 0, -depth / 2)) - flat)
    a.second("top", PALE_WOOD, b.box((w + 0.06, 0.035, 0.18), (0, h - 0.01, 0), edge=0.01))
    return a.parts()


def umbrella(look: Look) -> list[Part]:
    a, b = begin(look)
    ribs, bulge = 8, 0.3 * a.vary(0.1)
    dome = b.turn([(0, 0.7 + bulge), *((0.52 * x, 0.7 + bulge * y) for x, y in arc(1, 0, 88, 14)[::-1]), (0, 0.7)])
    inner = b.turn(
        [(0, 0.688 + bulge), *((0.515 * x, 0.7 + bulge * y - 0.012) for x, y in arc(1, 0, 88, 14)[::-1]), (0, 0.6)]
    )
    bites = around(
        b.cylinder(0.19, 0.3, (0, 0, 0)).rotate((90, 0, 0)).scale((1, 0.35, 1)).translate((0, 0.7, 0.35)), ribs, 22.5
    )
    a.main("canopy", RED, dome - inner - bites)
    a.fixed("stick", STEEL, b.rod((0, 0.09, 0), (0, 1.07, 0), 0.008))
    hook = [(0, 0.12, 0), (0, 0.05, 0), *((0.05 + x, 0.05 + y, 0.0) for x, y in arc(0.05, 180, 350, 12))]
    a.second("handle", DARK_WOOD, b.tube(hook, 0.014))
    a.fixed("ribs", STEEL, around(b.rod((0, 0.72, 0), (0.3, 0.94, 0), 0.004), ribs))
    return a.parts(stretch=True)


FURNITURE = (
    Family("chair", ("chair",), (0.45, 0.90, 0.55), chair),
    Family("armchair", ("armchair", "recliner"), (0.88, 0.85, 0.88), armchair),
    Family("sofa", ("sofa", "couch", "settee"), (1.95, 0.85, 0.88), sofa),
    Family("stool", ("stool", "barstool"), (0.36, 0.48, 0.36), stool, sits_on=True),
    Family("table", ("table", "dining table"), (1.40, 0.75, 0.80), table, sits_on=True),
    Family("round table", ("round table", "coffee table"), (1.10, 0.75, 1.10), round_table, sits_on=True),
    Family("desk", ("desk", "writing desk"), (1.30, 0.75, 0.65), desk, sits_on=True),
    Family("bench", ("bench", "park bench"), (1.50, 0.85, 0.55), bench),
    Family("bed", ("bed",), (1.54, 1.00, 2.05), bed),
    Family("bookshelf", ("bookshelf", "bookcase", "shelf"), (0.90, 1.90, 0.30), bookshelf, sits_on=True),
    Family("cupboard", ("cupboard", "wardrobe", "cabinet", "closet"), (1.17, 1.90, 0.65), cupboard, sits_on=True),
    Family("lamp", ("lamp", "table lamp", "bedside lamp"), (0.31, 0.45, 0.31), lamp),
    Family("floor lamp", ("floor lamp", "standing lamp"), (0.41, 1.60, 0.41), floor_lamp),
    Family("desk lamp", ("desk lamp", "reading lamp"), (0.17, 0.47, 0.28), desk_lamp),
    Family("ladder", ("ladder", "stepladder"), (0.51, 1.82, 0.60), ladder),
    Family("umbrella", ("umbrella", "parasol"), (1.04, 1.07, 1.04), umbrella),
)
