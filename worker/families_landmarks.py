"""What stands in a landscape."""

from __future__ import annotations

from manifold3d import Manifold

from frontdesk.worker.blocks import (
    around,
    four,
    mirrored,
    union,
)
from frontdesk.worker.families_buildings import gable, roof
from frontdesk.worker.paints import (
    CREAM,
    DARK,
    DARK_STONE,
    DARK_WOOD,
    GLASS,
    LIGHT,
    PALE_WOOD,
    RED,
    ROOF,
    SAND,
    STEEL,
    STONE,
    WHITE,
    WINDOW,
    YELLOW,
)
from frontdesk.worker.solids import Family, Look, Paint, Part, begin


def bridge(look: Look) -> list[Part]:
    a, b = begin(look)
    length, wide, arches = 16.0 * a.x, 3.6 * a.z, 3
    rise = 1.2 * a.vary(0.15)
    crown = [(x * length / 2, 3.0 + rise * (1 - x * x)) for x in (-1, -0.75, -0.5, -0.25, 0, 0.25, 0.5, 0.75, 1)]
    span = length / arches
    holes = [
        b.plate(b.disc(span * 0.39).scale((1, 0.85 + 0.25 * (i == 1))), 9, ((i - 1) * span, 0.7, 0))
        for i in range(arches)
    ]
    wall = b.plate([(-length / 2, 0), *crown, (length / 2, 0)], wide).scale((1, a.y, 1))
    a.main("arches", STONE, wall - union(*holes))
    rail = [*crown, *((x, y + 0.75) for x, y in reversed(crown))]
    a.main("parapets", STONE, mirrored(b.plate(rail, 0.35, (0, 0, wide / 2 - 0.15)).scale((1, a.y, 1)), axis=(0, 0, 1)))
    road = [*((x, y - 0.1) for x, y in crown), *((x, y + 0.06) for x, y in reversed(crown))]
    a.second("road", DARK_STONE, b.plate(road, wide - 0.6).scale((1, a.y, 1)))
    piers = [b.slab([(-0.5, 0), (0, 0.8), (0.5, 0)], 2.2 * a.y, (s * span / 2, 0, wide / 2 - 0.05)) for s in (-1, 1)]
    a.main("piers", STONE, mirrored(*piers, axis=(0, 0, 1)))
    return a.parts()


def fence(look: Look) -> list[Part]:
    a, b = begin(look)
    w, h = 2.0 * a.x, 1.0 * a.y
    count = max(4, round(9 * a.x))
    step = w / count
    half, tip = step * 0.36, 0.09
    pales = [
        b.plate(
            [(-half, 0.05), (half, 0.05), (half, top - tip), (0, top), (-half, top - tip)],
            0.022 * a.z,
            ((i + 0.5) * step - w / 2, 0, 0.03 * a.z),
        )
        for i in range(count)
        for top in [h * a.vary(0.02)]
    ]
    a.main("pales", WHITE, *pales)
    a.main("rails", WHITE, *(b.box((w, 0.07, 0.035 * a.z), (0, y * h, 0.005 * a.z)) for y in (0.25, 0.68)))
    a.second(
        "posts", PALE_WOOD, mirrored(b.box((0.08, h * 0.95, 0.08 * a.z), (w / 2 - 0.1, 0, -0.045 * a.z), edge=0.01))
    )
    return a.parts()


def windmill(look: Look) -> list[Part]:
    a, b = begin(look)
    turn, tall = 45 * a.vary(0.7), 8.0
    a.main("walls", WHITE, b.cylinder(2.5, tall, top=1.6))
    a.second(
        "cap",
        ROOF,
        b.turn(
            [
                (0, tall - 0.1),
                (1.85, tall - 0.1),
                (1.8, tall + 0.3),
                (1.3, tall + 1.1),
                (0.5, tall + 1.6),
                (0, tall + 1.65),
            ]
        ),
    )
    hub = (0.0, tall + 0.55, 2.2)
    a.fixed("shaft", DARK_WOOD, b.rod((0, hub[1], 0), (0, hub[1], 2.45), 0.22), b.ball(0.3, (0, hub[1], 2.45)))
    spar = b.box((0.16, 4.8, 0.14), (0, 0, 0.05))
    lattice = [b.box((0.95, 0.07, 0.08), (0.5, y, 0.05)) for y in (1.1, 1.8, 2.5, 3.2, 3.9, 4.6)] + [
        b.box((0.07, 3.55, 0.08), (0.95, 1.1, 0.05))
    ]
    sail = b.box((0.86, 3.5, 0.03), (0.5, 1.12, 0.02))
    a.fixed(
        "spars",
        DARK_WOOD,
        *(arm.rotate((0, 0, turn + 90 * i)).translate(hub) for i in range(4) for arm in (spar, *lattice)),
    )
    a.second("sails", CREAM, *(sail.rotate((0, 0, turn + 90 * i)).translate(hub) for i in range(4)))
    a.fixed("door", DARK_WOOD, b.box((1.1, 2.0, 0.5), (0, 0, 2.22)))
    a.fixed("windows", WINDOW, *(b.box((0.7, 0.9, 0.4), (0, y, z)) for y, z in ((3.4, 2.0), (5.6, 1.76))))
    return a.parts(stretch=True)


def lighthouse(look: Look) -> list[Part]:
    a, b = begin(look)
    bands, tall = 5, 12.0 * a.vary(0.05)
    body = b.cylinder(2.1, tall, (0, 0.8, 0), top=1.3)
    rings = [b.box((9, tall / bands, 9), (0, 0.8 + tall / bands * i, 0)) for i in range(bands)]
    a.main("tower", RED, *(body ^ ring for ring in rings[::2]))
    a.second("bands", WHITE, *(body ^ ring for ring in rings[1::2]))
    top = tall + 0.8
    a.fixed("rock", DARK_STONE, b.blob((3.2, 1.0, 3.2), (0, 0.3, 0), 0.05, a.random) - b.box((9, 5, 9), (0, -5, 0)))
    a.fixed(
        "gallery",
        DARK,
        b.cylinder(1.9, 0.25, (0, top - 0.05, 0)),
        b.torus(1.8, 0.05, (0, top + 0.9, 0)),
        around(b.rod((1.8, top, 0), (1.8, top + 0.9, 0), 0.04), 12),
    )
    a.fixed("lantern", GLASS, b.cylinder(1.05, 1.7, (0, top + 0.15, 0)))
    a.fixed("light", LIGHT, b.ball(0.55, (0, top + 1.0, 0)), b.rod((0, top, 0), (0, top + 1, 0), 0.2))
    a.main("cap", RED, b.cylinder(1.35, 1.1, (0, top + 1.8, 0), top=0.12), b.ball(0.2, (0, top + 2.95, 0)))
    a.fixed(
        "windows",
        DARK,
        *(b.box((0.6, 0.9, 0.5), (0, y, z)) for y, z in ((4.2, 1.72), (8.6, 1.45))),
        b.box((1.0, 1.9, 0.6), (0, 0.9, 1.9)),
    )
    return a.parts(stretch=True)


def tent(look: Look) -> list[Part]:
    a, b = begin(look)
    w, h, d = 2.2, 1.55, 2.8 * a.vary(0.06)
    shell = gable(b, w, h, d, 0) - gable(b, w - 0.08, h - 0.06, d - 0.1, 0.0)
    door = b.plate([(-0.42, -0.01), (0.42, -0.01), (0, h * 0.78)], 0.4, (0, 0, d / 2))
    a.main("canvas", Paint((0.85, 0.45, 0.15)), shell - door)
    flap = Manifold.batch_hull(
        [
            b.box((0.02, 0.02, 0.02), (0.43, 0, d / 2)),
            b.box((0.02, 0.02, 0.02), (0.9, 0, d / 2 + 0.3)),
            b.box((0.02, 0.02, 0.02), (0.02, h * 0.78, d / 2)),
        ]
    )
    a.second("flaps", CREAM, mirrored(flap))
    a.fixed("poles", DARK_WOOD, *(b.rod((0, 0, z), (0, h + 0.12, z), 0.025) for z in (d / 2, -d / 2)))
    ropes = four(
        b.rod((0, h + 0.05, d / 2), (0.35, 0.0, d / 2 + 0.9), 0.008),
        b.rod((w / 2 - 0.03, 0.02, d / 2 - 0.03), (w / 2 + 0.15, 0, d / 2 + 0.1), 0.012),
    )
    a.fixed("ropes", SAND, ropes - b.box((9, 1, 9), (0, -1, 0)))
    return a.parts(stretch=True)


def pyramid(look: Look) -> list[Part]:
    a, b = begin(look)
    courses, wide, tall = 16, 46.0, 29.0 * a.vary(0.08)
    step = tall / courses
    a.main(
        "courses",
        SAND,
        *(b.box((s, step + 0.05, s), (0, i * step, 0)) for i in range(courses) for s in [wide * (1 - i / courses)]),
    )
    a.second("door", DARK, b.box((3, 4, 6), (0, 0, wide / 2 - 1.9)))
    return a.parts(stretch=True)


def well(look: Look) -> list[Part]:
    a, b = begin(look)
    r, turn = 0.62, 40 * a.vary(1)
    a.main("wall", STONE, b.turn([(r - 0.16, 0), (r, 0), (r, 0.7), (r - 0.16, 0.7)]))
    a.main("rim", DARK_STONE, b.turn([(r - 0.19, 0.68), (r + 0.05, 0.68), (r + 0.05, 0.8), (r - 0.19, 0.8)]))
    a.fixed("water", Paint((0.25, 0.45, 0.60), "glass"), b.cylinder(r - 0.15, 0.3))
    a.fixed(
        "posts",
        DARK_WOOD,
        mirrored(b.box((0.1, 1.4, 0.1), (0.58, 0.7, 0))),
        b.rod((-0.66, 1.45, 0), (0.72, 1.45, 0), 0.05),
    )
    a.second("roof", ROOF, roof(b, 1.2, 0.5, 1.5, 0, 0.05).rotate((0, 90, 0)).translate((0, 2.0, 0)))
    a.fixed("gables", DARK_WOOD, mirrored(gable(b, 1.16, 0.48, 0.05, 0).rotate((0, 90, 0)).translate((0.58, 2.01, 0))))
    crank = b.rod((0.7, 0, 0), (0.7, 0.25, 0), 0.02) + b.rod((0.69, 0.25, 0), (0.85, 0.25, 0), 0.02)
    a.fixed("crank", STEEL, crank.rotate((turn, 0, 0)).translate((0, 1.45, 0)))
    a.fixed(
        "rope",
        SAND,
        b.rod((0, 0.95, 0), (0, 1.45, 0), 0.012),
        b.cylinder(0.065, 0.3).rotate((0, 0, -90)).translate((-0.15, 1.45, 0)),
    )
    a.fixed(
        "bucket",
        YELLOW,
        b.vessel([(0.1, 0.72), (0.11, 0.73), (0.14, 0.94)], 0.012),
        b.rod((-0.135, 0.93, 0), (0.135, 0.93, 0), 0.01),
        b.rod((0, 0.92, 0), (0, 0.96, 0), 0.015),
    )
    return a.parts(stretch=True)


LANDMARKS = (
    Family("bridge", ("bridge",), (16.0, 4.95, 5.1), bridge),
    Family("fence", ("fence", "picket fence"), (2.0, 1.02, 0.13), fence),
    Family("windmill", ("windmill", "mill"), (7.5, 12.0, 5.0), windmill),
    Family("lighthouse", ("lighthouse",), (6.4, 16.0, 6.4), lighthouse),
    Family("tent", ("tent",), (2.6, 1.67, 4.6), tent),
    Family("pyramid", ("pyramid",), (46.0, 29.0, 47.0), pyramid),
    Family("well", ("well", "water well"), (1.75, 2.57, 1.5), well),
)
