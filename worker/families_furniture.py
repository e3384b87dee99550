"""Tables and what things are kept in."""

from __future__ import annotations

import math

from manifold3d import Manifold

from frontdesk.worker.blocks import (
    Blocks,
    around,
    four,
    mirrored,
    union,
)
from frontdesk.worker.paints import (
    BRASS,
    CREAM,
    DARK,
    DARK_WOOD,
    GREEN,
    PALE_WOOD,
    RED,
    SKY,
    WOOD,
    YELLOW,
)
from frontdesk.worker.solids import Assembly, Family, Look, Paint, Part, begin

BOOKS = (RED, GREEN, SKY, YELLOW, DARK, CREAM)


def _knob(b: Blocks, at: tuple[float, float, float], radius: float = 0.014) -> Manifold:
    return union(b.ball(radius, (at[0], at[1], at[2] + 0.02)), b.rod(at, (at[0], at[1], at[2] + 0.02), radius / 2))


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


def ladder(look: Look) -> list[Part]:
    a, b = begin(look)
    w, h, depth = 0.45 * a.x, 1.8 * a.y, 0.5 * a.z
    count, angle = round(6 * a.y), math.atan2(depth / 2, h)
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


FURNITURE = (
    Family("table", ("table", "dining table"), (1.40, 0.75, 0.80), table, sits_on=True),
    Family("round table", ("round table", "coffee table"), (1.10, 0.75, 1.10), round_table, sits_on=True),
    Family("desk", ("desk", "writing desk"), (1.30, 0.75, 0.65), desk, sits_on=True),
    Family("bookshelf", ("bookshelf", "bookcase", "shelf"), (0.90, 1.90, 0.30), bookshelf, sits_on=True),
    Family("cupboard", ("cupboard", "wardrobe", "cabinet", "closet"), (1.17, 1.90, 0.65), cupboard, sits_on=True),
    Family("ladder", ("ladder", "stepladder"), (0.51, 1.82, 0.60), ladder),
)
