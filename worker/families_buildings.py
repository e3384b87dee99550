"""Houses and towers."""

from __future__ import annotations

from manifold3d import Manifold

from frontdesk.worker.blocks import (
    Blocks,
    around,
    four,
    mirrored,
    rectangle,
    row,
)
from frontdesk.worker.paints import (
    BRICK,
    DARK,
    DARK_WOOD,
    GOLD,
    GREY,
    PLASTER,
    RED,
    ROOF,
    SLATE,
    STEEL,
    STONE,
    WHITE,
    WINDOW,
)
from frontdesk.worker.solids import Assembly, Family, Look, Part, begin


def gable(b: Blocks, width: float, height: float, depth: float, y: float, z: float = 0.0) -> Manifold:
    """A solid gable whose ridge runs in z."""
    return b.plate([(-width / 2, y), (width / 2, y), (0, y + height)], depth, (0, 0, z))


def roof(b: Blocks, width: float, height: float, depth: float, y: float, thick: float) -> Manifold:
    """Two slopes over a gable of that size, overhanging on all sides."""
    lift, over = thick * 1.4, 0.12 * width
    drop = over * height / (width / 2)
    low, high = y - drop, y + height
    edge = width / 2 + over
    outline = [(-edge, low), (0, high), (edge, low), (edge, low + lift), (0, high + lift), (-edge, low + lift)]
    return b.plate(outline, depth)


def _window(b: Blocks, width: float, height: float, at: tuple[float, float, float]) -> tuple[Manifold, Manifold]:
    """Frame with a cross, and pane, on a wall that faces +z; `at` is the middle of the sill."""
    pane = b.box((width, height, 0.06), at)
    outer = b.box((width + 0.16, height + 0.16, 0.1), (at[0], at[1] - 0.08, at[2]))
    cross = b.box((0.06, height, 0.09), at) + b.box((width, 0.06, 0.09), (at[0], at[1] + height / 2, at[2]))
    return outer - b.box((width, height, 1), at) + cross, pane


def _windows(
    a: Assembly, b: Blocks, places: list[tuple[float, float]], size: tuple[float, float], depth: float
) -> None:
    """Windows on the front and the back of a house of that depth."""
    frames, panes = zip(*(_window(b, *size, (x, y, depth / 2)) for x, y in places), strict=True)
    a.fixed("window frames", WHITE, mirrored(*frames, axis=(0, 0, 1)))
    a.fixed("windows", WINDOW, mirrored(*panes, axis=(0, 0, 1)))


def house(look: Look) -> list[Part]:
    a, b = begin(look)
    w, d, wall, rise = 8.0 * a.x, 6.5 * a.z, 3.3 * a.y, 3.0 * a.y * a.vary(0.12)
    a.main("walls", PLASTER, b.box((w, wall, d)), gable(b, w, rise, d, wall))
    a.second("roof", ROOF, roof(b, w, rise, d + 0.9, wall, 0.22))
    a.fixed("plinth", STONE, b.box((w + 0.2, 0.3, d + 0.2)))
    a.fixed(
        "chimney",
        BRICK,
        b.box((0.75, rise * 0.95, 0.75), (w * 0.24, wall + rise * 0.25, -d * 0.15)),
        b.box((0.9, 0.15, 0.9), (w * 0.24, wall + rise * 1.18, -d * 0.15)),
    )
    a.fixed("door", DARK_WOOD, b.box((1.05, 2.1, 0.1), (0, 0.3, d / 2)), b.box((1.6, 0.3, 0.8), (0, 0, d / 2 + 0.3)))
    a.fixed("knob", GOLD, b.ball(0.07, (0.36, 1.3, d / 2 + 0.06)))
    a.fixed(
        "door frame",
        WHITE,
        b.plate(rectangle(1.4, 2.3, (0, 0.3)) - rectangle(1.05, 2.1, (0, 0.2)), 0.16, (0, 0, d / 2)),
    )
    x = w * 0.31
    _windows(a, b, [(-x, 1.2), (x, 1.2), (0.0, wall + rise * 0.12)], (1.15, 1.15), d)
    side = b.box((0.08, 1.2, 1.3), (w / 2, 1.2, 0))
    a.fixed("side windows", WINDOW, mirrored(side))
    return a.parts()


def tower(look: Look) -> list[Part]:
    a, b = begin(look)
    r, tall = 2.0, 9.0 * a.vary(0.06)
    body = b.turn(
        [
            (0, 0),
            (r * 1.12, 0),
            (r, 0.8),
            (r * 0.94, tall),
            (r * 1.12, tall + 0.5),
            (r * 1.12, tall + 1.1),
            (0, tall + 1.1),
        ]
    )
    teeth = around(b.box((0.5, 0.7, 0.75), (r * 1.12 - 0.25, tall + 1.05, 0)), 10)
    a.main("walls", STONE, body, teeth)
    a.second("roof", ROOF, b.cylinder(r * 0.98, 3.2, (0, tall + 1.05, 0), top=0.03))
    slits = [around(b.box((0.5, 1.1, 0.34), (r - 0.2, y, 0)), 3, 30 + 40 * i) for i, y in enumerate((2.6, 4.8, 7.0))]
    a.fixed("windows", DARK, *slits)
    a.fixed(
        "door", DARK_WOOD, b.plate(rectangle(1.1, 1.5) + b.disc(0.55).translate((0, 1.5)), 0.5, (0, 0, r * 1.06 - 0.1))
    )
    return a.parts(stretch=True)


def castle(look: Look) -> list[Part]:
    a, b = begin(look)
    half, wall, tall, r = 8.0, 4.5, 7.5 * a.vary(0.06), 2.0
    ring = b.box((2 * half, wall, 2 * half)) - b.box((2 * half - 2, wall, 2 * half - 2), (0, 0.3, 0))
    merlon = row(b.box((0.8, 0.8, 0.5), (-half + 2.6, wall - 0.05, half - 0.25)), 8, (1.55, 0, 0))
    side = merlon.rotate((0, 90, 0))
    gate = b.plate(rectangle(2.4, 2.2) + b.disc(1.2).translate((0, 2.2)), 6, (0, 0, half))
    a.main("walls", STONE, (ring + mirrored(merlon, axis=(0, 0, 1)) + mirrored(side)) - gate)
    drum = b.turn(
        [(0, 0), (r * 1.1, 0), (r, 0.7), (r, tall), (r * 1.15, tall + 0.5), (r * 1.15, tall + 1.0), (0, tall + 1.0)]
    )
    drum += around(b.box((0.45, 0.6, 0.7), (r * 1.15 - 0.22, tall + 0.95, 0)), 8)
    a.main("towers", STONE, four(drum.translate((half, 0, half))))
    a.second("roofs", SLATE, four(b.cylinder(r * 0.95, 3.0, (half, tall + 0.9, half), top=0.03)))
    keep = b.box((6.5, 10, 6.5), (0, 0, -1.5)) + four(
        b.box((0.9, 1.0, 0.9), (2.8, 9.9, 2.8)), row(b.box((0.8, 0.8, 0.5), (0.65, 9.9, 3.0)), 1, (0, 0, 0))
    ).translate((0, 0, -1.5))
    a.main("keep", STONE, keep, b.box((2 * half - 1, 0.35, 2 * half - 1)))
    a.second(
        "keep roof",
        SLATE,
        Manifold.batch_hull([b.box((5.4, 0.2, 5.4), (0, 9.9, -1.5)), b.box((0.1, 0.1, 0.1), (0, 13, -1.5))]),
    )
    a.fixed(
        "flag",
        RED,
        b.plate([(0, 15.2), (1.6, 14.8), (0, 14.4)], 0.08, (0, 0, -1.5)),
        b.rod((0, 12.5, -1.5), (0, 15.3, -1.5), 0.07),
    )
    slits = [b.box((0.5, 1.4, 0.2), (x, y, 1.75)) for x in (-1.7, 1.7) for y in (3.6, 6.6)]
    a.fixed(
        "windows",
        DARK,
        *slits,
        four(b.box((0.4, 1.2, 0.4), (half, 4.4, half + r - 0.1)), b.box((0.4, 1.2, 0.4), (half + r - 0.1, 4.4, half))),
    )
    a.fixed("gate", DARK_WOOD, b.plate(rectangle(2.6, 2.2) + b.disc(1.3).translate((0, 2.2)), 0.3, (0, 0, half - 0.5)))
    return a.parts(stretch=True)


def church(look: Look) -> list[Part]:
    a, b = begin(look)
    w, wall, rise, d, spire = 7.0, 5.5, 4.0, 13.0, 8.0 * a.vary(0.1)
    nave = b.box((w, wall, d), (0, 0, -1)) + gable(b, w, rise, d, wall, -1)
    a.main("walls", PLASTER, nave, b.box((4.2, 12, 4.2), (0, 0, 6.5)), b.box((4.5, 0.4, 4.5), (0, 11.8, 6.5)))
    slopes = roof(b, w, rise, d + 0.4, wall, 0.25).translate((0, 0, -1)) - b.box((4.1, 30, 4.1), (0, 0, 6.5))
    pyramid = Manifold.batch_hull(
        [b.box((4.6, 0.1, 4.6), (0, 12.1, 6.5)), b.box((0.06, 0.06, 0.06), (0, 12.2 + spire, 6.5))]
    )
    a.second("roof", ROOF, slopes)
    a.second("spire", SLATE, pyramid)
    top = 12.1 + spire
    a.fixed("cross", GOLD, b.box((0.16, 1.5, 0.16), (0, top, 6.5)), b.box((0.85, 0.16, 0.16), (0, top + 0.85, 6.5)))
    arch = rectangle(0.9, 2.2) + b.disc(0.45).translate((0, 2.2))
    side = b.plate(arch, 0.12).rotate((0, 90, 0)).translate((w / 2, 1.8, 0))
    belfry = b.plate(arch, 4.26, (0, 8.4, 6.5))
    a.fixed(
        "windows",
        WINDOW,
        mirrored(row(side.translate((0, 0, -6)), 4, (0, 0, 3.0))),
        b.plate(b.disc(0.75), 4.26, (0, 6.3, 6.5)),
    )
    a.fixed("belfry", DARK, belfry, belfry.translate((0, 0, -6.5)).rotate((0, 90, 0)).translate((0, 0, 6.5)))
    a.fixed("door", DARK_WOOD, b.plate(rectangle(1.7, 2.3) + b.disc(0.85).translate((0, 2.3)), 0.3, (0, 0, 8.58)))
    return a.parts(stretch=True)


def skyscraper(look: Look) -> list[Part]:
    a, b = begin(look)
    steps = [(30.0, 60.0), (24.0, 40.0 * a.vary(0.15)), (16.0, 26.0 * a.vary(0.2))]
    y = 0.0
    for number, (wide, tall) in enumerate(steps):
        a.main(f"block {number + 1}", GREY, b.box((wide, tall + 0.5, wide), (0, y, 0)))
        count = round(wide / 4)
        strip = row(b.box((2.2, tall - 4, 0.6), ((0.5 - count / 2) * 3.7, y + 2.5, wide / 2)), count, (3.7, 0, 0))
        sides = around(strip, 4)
        floors = row(b.box((wide + 3, 1.0, wide + 3), (0, y + 5, 0)), max(1, int((tall - 4) / 5)), (0, 5, 0))
        core = b.box((wide - 0.4, tall, wide - 0.4), (0, y, 0))  # holds the panes together, out of sight
        a.second(f"windows {number + 1}", WINDOW, sides - floors, core)
        y += tall
    a.fixed("mast", STEEL, b.rod((0, y, 0), (0, y + 24, 0), 1.0, 0.2), b.box((9, 3, 9), (0, y, 0)))
    a.fixed("door", DARK, b.box((7, 5, 1), (0, 0, 15.2)))
    return a.parts(stretch=True)


BUILDINGS = (
    Family("house", ("house", "cottage", "home"), (9.9, 6.6, 7.4), house),
    Family("tower", ("tower", "turret"), (4.5, 13.3, 4.5), tower),
    Family("castle", ("castle", "fortress"), (20.6, 15.3, 20.6), castle),
    Family("church", ("church", "chapel"), (8.7, 21.6, 16.3), church),
    Family("skyscraper", ("skyscraper", "office tower"), (30.6, 150.0, 31.2), skyscraper),
)
