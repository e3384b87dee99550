"""Stones, the sky, and a heart."""

from __future__ import annotations

import math

import numpy as np
from manifold3d import Manifold

from frontdesk.worker.blocks import (
    Point,
    loft,
    smooth,
    star,
    union,
)
from frontdesk.worker.paints import (
    DARK_STONE,
    RED,
    STONE,
    WHITE,
)
from frontdesk.worker.solids import Family, Look, Paint, Part, begin


def hill(look: Look) -> list[Part]:
    a, b = begin(look)
    tall = 14 * a.vary(0.1)
    side = smooth([(38.0, 0.0), (33.0, 0.16 * tall), (25.0, 0.64 * tall), (19.5, 0.94 * tall), (16.0, tall)], 6)
    a.main("hill", Paint((0.42, 0.60, 0.28)), b.turn([(0, 0), *side, (0, tall)]).scale((1.0, 1.0, 0.85)))
    return a.parts(stretch=True)


def stone(look: Look) -> list[Part]:
    a, b = begin(look)
    rock = b.blob((0.5, 0.36, 0.42), (0, 0.26, 0), 0.13, a.random)
    for _ in range(7):
        lean = (float(a.random.uniform(-70, 70)), float(a.random.uniform(0, 360)), 0.0)
        rock -= b.box((3, 2, 3), (0, 0.42 * a.vary(0.08), 0)).rotate(lean).translate((0, 0.26, 0)) ^ b.box(
            (9, 9, 9), (0, 0.02, 0)
        )
    a.main("stone", STONE, rock - b.box((4, 2, 4), (0, -2, 0)))
    return a.parts(stretch=True)


def mountain(look: Look) -> list[Part]:
    a, b = begin(look)
    peaks = [(0.0, 0.0, 62.0, 52.0), (-42.0, 14.0, 40.0, 38.0), (40.0, 8.0, 36.0, 40.0), (14.0, 26.0, 24.0, 30.0)]
    cones = []
    for x, z, tall, r in peaks:
        points: list[Point] = [(x, tall * a.vary(0.05), z)]
        for share in (0.35, 0.7, 1.0):
            for i in range(9):
                t, out = math.tau * (i + share) / 9, r * share * a.vary(0.14)
                points.append(
                    (x + out * math.cos(t), tall * max(0.0, 1 - share) ** 1.15 * a.vary(0.12), z + out * math.sin(t))
                )
        cones.append(Manifold.hull_points([*points, *((px, 0.0, pz) for px, _, pz in points[1:])]))
    whole = union(*cones)
    line = b.box((400, 200, 400), (0, 40, 0)).rotate((4, 0, -5))
    a.main("rock", DARK_STONE, whole - line)
    a.second("snow", WHITE, whole ^ line)
    return a.parts(stretch=True)


def cloud(look: Look) -> list[Part]:
    a, b = begin(look)
    puffs = [
        (-0.62, 0.3, 0.3),
        (-0.28, 0.48, 0.42),
        (0.18, 0.56, 0.48),
        (0.58, 0.36, 0.34),
        (0.88, 0.24, 0.22),
        (-0.05, 0.3, 0.4),
    ]
    a.main(
        "puffs",
        WHITE,
        union(*[b.ball((r * a.vary(0.08), r, r * 0.85), (x, y, 0.06 * math.sin(9 * x))) for x, y, r in puffs])
        - b.box((9, 1, 9), (0, -0.9, 0)),
    )
    return a.parts(stretch=True)


def star_shape(look: Look) -> list[Part]:
    a, _b = begin(look)
    outline = star(5, 0.5, 0.21 * a.vary(0.06))
    faces = [(x, y, 0.0) for x, y in outline]
    tips = [
        Manifold.hull_points(
            [
                (0, 0, 0.11),
                (0, 0, -0.11),
                p,
                q,
                (p[0] * 0.98, p[1] * 0.98, 0.02),
                (q[0] * 0.98, q[1] * 0.98, 0.02),
                (p[0] * 0.98, p[1] * 0.98, -0.02),
                (q[0] * 0.98, q[1] * 0.98, -0.02),
            ]
        )
        for p, q in zip(faces, faces[1:] + faces[:1], strict=True)
    ]
    a.main("star", Paint((0.97, 0.78, 0.22), "metal"), *tips)
    return a.parts(stretch=True)


def moon(look: Look) -> list[Part]:
    a, b = begin(look)
    bite = 0.4 * a.vary(0.06)
    crescent = b.disc(0.5) - b.disc(bite).translate((0.24, 0.06))
    face = b.plate(crescent, 0.16)
    a.main("moon", Paint((0.97, 0.88, 0.55)), face)
    return a.parts(stretch=True)


def heart(look: Look) -> list[Part]:
    a, b = begin(look)
    plump = a.vary(0.08)
    points = [
        (
            16 * math.sin(t) ** 3 / 34,
            (13 * math.cos(t) - 5 * math.cos(2 * t) - 2 * math.cos(3 * t) - math.cos(4 * t)) / 34,
        )
        for t in [math.tau * i / b.segments / 2 for i in range(2 * b.segments)]
    ]
    outline = np.asarray(points)
    rings = []
    for k in np.linspace(-1, 1, 13) * 0.99:
        size = math.sqrt(1 - k * k) ** 0.7
        rings.append(np.column_stack([outline * size, np.full(len(outline), 0.16 * k * plump)]))
    a.main("heart", RED, loft(np.stack(rings)))
    return a.parts(stretch=True)


NATURE = (
    Family("stone", ("stone", "rock", "boulder"), (1.0, 0.63, 0.85), stone),
    Family("mountain", ("mountain", "peak"), (155.0, 62.0, 110.0), mountain),
    Family("hill", ("hill", "mound"), (76.0, 14.0, 64.6), hill, sits_on=True),
    Family("cloud", ("cloud",), (2.0, 1.0, 0.82), cloud),
    Family("star", ("star",), (0.95, 0.9, 0.22), star_shape),
    Family("moon", ("moon", "crescent"), (0.9, 1.0, 0.16), moon),
    Family("heart", ("heart",), (0.94, 0.87, 0.3), heart),
)
