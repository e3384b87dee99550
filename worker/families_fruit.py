"""Fruit and vegetables."""

from __future__ import annotations

import math

from frontdesk.worker.blocks import (
    Point,
    around,
    mirrored,
    smooth,
    union,
)
from frontdesk.worker.paints import (
    BARK,
    BROWN,
    CREAM,
    GREEN,
    LEAF,
    ORANGE,
    RED,
    YELLOW,
)
from frontdesk.worker.solids import Family, Look, Paint, Part, begin


def apple(look: Look) -> list[Part]:
    a, b = begin(look)
    wide = 0.039 * a.vary(0.06)
    side = smooth(
        [(0.0, 0.007), (0.012, 0.001), (0.026, 0.008), (wide, 0.04), (0.03, 0.067), (0.014, 0.072), (0.0, 0.061)], 6
    )
    a.main("apple", RED, b.turn([(max(0.0, r), y) for r, y in side]))
    a.fixed(
        "stem",
        BARK,
        b.tube(smooth([(0.0, 0.058, 0.0), (0.001, 0.075, 0.0), (0.007, 0.088, 0.0)]), [0.0018, 0.0016, 0.0024]),
    )
    leaf = b.ball((0.02, 0.0018, 0.0095), (0.02, 0, 0)).rotate((10, 35, 22)).translate((0.001, 0.075, 0))
    a.second("leaf", LEAF, leaf)
    return a.parts(stretch=True)


def pear(look: Look) -> list[Part]:
    a, b = begin(look)
    wide, lean = 0.038 * a.vary(0.06), 0.006 * a.vary(0.8)
    side = smooth(
        [(0.0, 0.005), (0.015, 0.001), (wide, 0.034), (0.027, 0.065), (0.0165, 0.092), (0.008, 0.102), (0.0, 0.1)], 6
    )
    a.main("pear", Paint((0.78, 0.80, 0.30)), b.turn([(max(0.0, r), y) for r, y in side]))
    a.fixed(
        "stem",
        BARK,
        b.tube(smooth([(0.0, 0.097, 0.0), (lean * 0.3, 0.11, 0.0), (lean, 0.124, 0.0)]), [0.0016, 0.0016, 0.0024]),
    )
    a.second(
        "leaf",
        LEAF,
        b.ball((0.019, 0.0016, 0.009), (0.019, 0, 0))
        .rotate((0, 160, 0))
        .rotate((0, 0, -18))
        .translate((0.001, 0.108, 0)),
    )
    return a.parts(stretch=True)


def banana(look: Look) -> list[Part]:
    a, b = begin(look)
    bend = 0.05 * a.vary(0.12)
    path: list[Point] = [
        (0.1 * math.sin(t), 0.018 + bend * (1 - math.cos(t)) * 1.4, 0.0) for t in [-1.25 + 0.125 * i for i in range(21)]
    ]
    a.main("skin", YELLOW, b.tube(path, [0.007, 0.0145, 0.017, 0.018, 0.018, 0.017, 0.0135, 0.006]))
    first, last = path[0], path[-1]
    a.fixed(
        "tips",
        BROWN,
        b.rod(first, (first[0] - 0.002, first[1] + 0.005, 0), 0.006, 0.005),
        b.rod(last, (last[0] + 0.002, last[1] + 0.02, 0), 0.006, 0.0065),
    )
    return a.parts(stretch=True)


def carrot(look: Look) -> list[Part]:
    a, b = begin(look)
    tall = 0.17 * a.vary(0.08)
    side = smooth([(0.0, 0.0), (0.004, 0.01), (0.013, tall * 0.5), (0.02, tall * 0.88), (0.016, tall), (0.0, tall)], 5)
    grooves = [
        b.torus(0.0045 + 0.0165 * y / (tall * 0.9), 0.0011, (0, y, 0)) ^ b.box((1, 1, 1), (0.5 * s, 0, 0.2))
        for y, s in ((tall * 0.35, 1), (tall * 0.5, -1), (tall * 0.64, 1), (tall * 0.78, -1))
    ]
    root = b.turn([(max(0.0, r), y) for r, y in side])
    a.main("root", ORANGE, root - union(*grooves))
    greens = []
    for i in range(7):
        t, out = math.tau * i / 7, 0.028 * a.vary(0.35) if i else 0.0
        path = smooth(
            [
                (0.0, tall - 0.006, 0.0),
                (out * 0.4 * math.cos(t), tall + 0.035, out * 0.4 * math.sin(t)),
                (out * math.cos(t), tall + 0.08 * a.vary(0.15), out * math.sin(t)),
            ]
        )
        greens.append(b.tube(path, [0.0022, 0.003, 0.0055, 0.006, 0.002]))
    a.second("greens", LEAF, *greens)
    return a.parts(stretch=True)


def pumpkin(look: Look) -> list[Part]:
    a, b = begin(look)
    squat = 0.72 * a.vary(0.08)
    rib = b.ball((0.085, 0.155 * squat, 0.068), (0.085, 0.155 * squat, 0))
    a.main("ribs", ORANGE, around(rib, 10), b.ball((0.11, 0.12 * squat, 0.11), (0, 0.155 * squat, 0)))
    top = 0.28 * squat
    a.second(
        "stem",
        GREEN,
        b.tube(
            smooth([(0.0, top - 0.03, 0.0), (0.004, top + 0.03, 0.0), (0.025, top + 0.06, 0.0)]), [0.024, 0.014, 0.017]
        ),
    )
    return a.parts(stretch=True)


def strawberry(look: Look) -> list[Part]:
    a, b = begin(look)
    wide = 0.0165 * a.vary(0.08)
    side = smooth([(0.0, 0.0), (0.006, 0.004), (wide, 0.026), (0.013, 0.036), (0.0, 0.0375)], 6)
    a.main("berry", RED, b.turn([(max(0.0, r), y) for r, y in side]))
    profile = [(r, y) for r, y in side if 0.004 < y < 0.034 and r > 0.004]
    seeds = []
    for k, (r, y) in enumerate(profile[:: max(1, len(profile) // 6)]):
        seeds.append(around(b.small.ball((0.0006, 0.0013, 0.0009), (r, y, 0)), 9, 20 * (k % 2)))
    a.fixed("seeds", YELLOW, *seeds)
    a.second(
        "leaves",
        LEAF,
        around(b.ball((0.009, 0.0009, 0.0038), (0.008, 0, 0)).rotate((0, 0, -16)), 6).translate((0, 0.0378, 0)),
        b.rod((0, 0.036, 0), (0.002, 0.047, 0), 0.0011),
    )
    return a.parts(stretch=True)


def cherry(look: Look) -> list[Part]:
    a, b = begin(look)
    spread = 0.017 * a.vary(0.12)
    fruits = mirrored(b.ball((0.0115, 0.0108, 0.0115), (spread, 0.0108, 0)))
    a.main("fruit", Paint((0.70, 0.06, 0.12)), fruits)
    stem = smooth([(spread, 0.0205, 0.0), (spread * 0.75, 0.042, 0.0), (0.0, 0.066, 0.0)])
    a.fixed("stems", GREEN, mirrored(b.tube(stem, 0.0009)), b.ball(0.0022, (0, 0.066, 0)))
    a.second("leaf", LEAF, b.ball((0.015, 0.001, 0.0075), (0.015, 0, 0)).rotate((0, 0, 16)).translate((0, 0.066, 0)))
    return a.parts(stretch=True)


def watermelon(look: Look) -> list[Part]:
    a, b = begin(look)
    thick = 0.045 * a.vary(0.1)
    half = [(-1, 0), (1, 0), (1, -1), (-1, -1)]
    wedge = b.plate(half, thick)
    rind, white, flesh = (
        b.plate(b.disc(r), thick + extra) for r, extra in ((0.15, 0.0), (0.141, 0.001), (0.132, 0.002))
    )
    a.second("rind", GREEN, (rind ^ wedge) - b.plate(b.disc(0.14), 1))
    a.fixed("white", CREAM, (white ^ b.plate(half, 1)) - b.plate(b.disc(0.131), 1))
    a.main("flesh", Paint((0.90, 0.25, 0.28)), flesh ^ b.plate(half, 1))
    places = [
        (r * math.sin(t), -r * math.cos(t))
        for r, angles in ((0.1, (-1.0, -0.5, 0.0, 0.5, 1.0)), (0.06, (-0.7, 0.05, 0.75)))
        for t in angles
    ]
    seeds = [b.small.ball((0.0035, 0.006, 0.0022), (x, y, thick / 2 + 0.001)) for x, y in places]
    a.fixed("seeds", Paint((0.12, 0.08, 0.06)), mirrored(*seeds, axis=(0, 0, 1)))
    return a.parts(stretch=True)


FRUIT = (
    Family("apple", ("apple",), (0.08, 0.09, 0.078), apple),
    Family("pear", ("pear",), (0.078, 0.124, 0.076), pear),
    Family("banana", ("banana",), (0.2, 0.08, 0.036), banana),
    Family("carrot", ("carrot",), (0.053, 0.265, 0.07), carrot),
    Family("pumpkin", ("pumpkin", "gourd"), (0.34, 0.27, 0.34), pumpkin),
    Family("strawberry", ("strawberry",), (0.035, 0.048, 0.035), strawberry),
    Family("cherry", ("cherry",), (0.057, 0.075, 0.023), cherry),
    Family("watermelon", ("watermelon", "melon"), (0.3, 0.15, 0.05), watermelon),
)
