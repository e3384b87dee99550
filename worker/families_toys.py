"""Toys and figures."""

from __future__ import annotations

import math

from manifold3d import Manifold

from frontdesk.worker.blocks import (
    mirrored,
    union,
)
from frontdesk.worker.paints import (
    BLACK,
    BLUE,
    BROWN,
    CREAM,
    DARK,
    GOLD,
    GREY,
    ORANGE,
    RED,
    RED_LIGHT,
    WHITE,
)
from frontdesk.worker.solids import Family, Look, Paint, Part, begin


def gift(look: Look) -> list[Part]:
    a, b = begin(look)
    tall = 0.2 * a.vary(0.12)
    a.main(
        "box",
        BLUE,
        b.box((0.26, tall, 0.26), edge=0.003),
        b.box((0.275, 0.055, 0.275), (0, tall - 0.04, 0), edge=0.003),
    )
    top = tall + 0.015
    a.second("ribbon", GOLD, b.box((0.04, top + 0.002, 0.279)), b.box((0.279, top + 0.002, 0.04)))
    loop = (
        b.torus(0.042, 0.006).scale((1, 2.6, 0.75)).rotate((90, 0, 0)).translate((0.045, 0.028, 0)).rotate((0, 0, 14))
    )
    tail = b.box((0.1, 0.004, 0.028), (0.06, 0.004, 0)).rotate((0, 35, -2))
    a.second(
        "bow",
        GOLD,
        *((loop.rotate((0, t, 0)) + tail.rotate((0, t, 0))).translate((0, top, 0)) for t in (20, 200)),
        b.ball((0.02, 0.016, 0.02), (0, top + 0.016, 0)),
    )
    return a.parts(stretch=True)


def snowman(look: Look) -> list[Part]:
    a, b = begin(look)
    middle = 0.29 * a.vary(0.06)
    a.main(
        "snow",
        WHITE,
        b.ball((0.42, 0.38, 0.42), (0, 0.37, 0)) - b.box((2, 1, 2), (0, -1, 0)),
        b.ball((middle, middle * 0.95, middle), (0, 0.9, 0)),
        b.ball(0.2, (0, 1.29, 0)),
    )
    a.fixed("nose", ORANGE, b.rod((0, 1.29, 0.18), (0, 1.275, 0.38), 0.032, 0.003))
    a.fixed(
        "coal",
        BLACK,
        mirrored(b.ball(0.024, (0.07, 1.355, 0.178))),
        *(b.ball(0.014, (0.02 * i, 1.2 + 0.005 * i * i, 0.173)) for i in range(-3, 4)),
        *(
            b.ball(0.028, (0, y, math.sqrt(max(0.0, 1 - ((y - 0.9) / (middle * 0.95)) ** 2)) * middle))
            for y in (0.8, 0.92, 1.03)
        ),
    )
    a.second(
        "hat", DARK, b.cylinder(0.23, 0.03, (0, 1.43, 0), edge=0.01), b.cylinder(0.145, 0.23, (0, 1.44, 0), edge=0.012)
    )
    a.second(
        "scarf",
        RED,
        b.torus(0.165, 0.05, (0, 1.13, 0), flat=0.8),
        b.box((0.09, 0.3, 0.035), (0.11, 0.85, 0.25), edge=0.015).rotate((-6, 0, 0)),
    )
    arms = [
        b.rod((0.2, 0.95, 0), (0.62, 1.2, 0.03), 0.018, 0.012),
        b.rod((0.52, 1.14, 0.02), (0.58, 1.28, 0.05), 0.011, 0.007),
        b.rod((0.54, 1.15, 0.02), (0.68, 1.15, 0.03), 0.011, 0.007),
    ]
    a.fixed("arms", BROWN, mirrored(*arms))
    return a.parts(stretch=True)


def robot(look: Look) -> list[Part]:
    a, b = begin(look)
    raised = 28 * a.vary(0.8)
    a.main(
        "body",
        GREY,
        b.box((0.42, 0.46, 0.28), (0, 0.42, 0), edge=0.03),
        b.box((0.32, 0.26, 0.26), (0, 0.96, 0), edge=0.035),
    )
    arm = union(b.limb((0, 0, 0), (0, -0.18, 0), 0.05), b.limb((0, -0.2, 0), (0, -0.34, 0.05), 0.05))
    a.main(
        "arms",
        GREY,
        mirrored(arm.rotate((0, 0, raised)).translate((0.27, 0.82, 0))),
        mirrored(b.box((0.14, 0.1, 0.22), (0.11, 0, 0.02), edge=0.03)),
    )
    a.second(
        "joints",
        DARK,
        b.cylinder(0.08, 0.09, (0, 0.87, 0)),
        mirrored(
            b.ball(0.07, (0.235, 0.82, 0)),
            b.cylinder(0.055, 0.36, (0.11, 0.08, 0)),
            *(b.torus(0.055, 0.014, (0.11, y, 0)) for y in (0.14, 0.21, 0.28, 0.35)),
        ),
    )
    hand = b.torus(0.045, 0.018).rotate((90, 0, 0)) - b.box((0.05, 0.1, 0.1), (0, -0.1, 0))
    x, y = 0.27 + 0.39 * math.sin(math.radians(raised)), 0.82 - 0.39 * math.cos(math.radians(raised))
    a.second("hands", DARK, mirrored(hand.rotate((0, 0, raised)).translate((x, y, 0.05))))
    a.fixed(
        "eyes",
        Paint((0.35, 0.85, 0.95), "glow"),
        mirrored(b.cylinder(0.045, 0.02, edge=0.006).rotate((90, 0, 0)).translate((0.075, 1.11, 0.122))),
    )
    a.fixed("mouth", BLACK, *(b.box((0.022, 0.035, 0.02), (0.03 * i, 1.0, 0.125)) for i in range(-3, 4)))
    a.fixed("panel", DARK, b.box((0.26, 0.2, 0.02), (0, 0.59, 0.137), edge=0.008))
    a.fixed(
        "lights", RED_LIGHT, *(b.ball(0.018, (0.06 * i, 0.74, 0.15)) for i in (-1, 0, 1)), b.ball(0.03, (0, 1.38, 0))
    )
    a.second(
        "aerial",
        DARK,
        b.rod((0, 1.2, 0), (0, 1.37, 0), 0.01),
        mirrored(b.cylinder(0.05, 0.04, edge=0.01).rotate((0, 0, -90)).translate((0.15, 1.09, 0))),
    )
    return a.parts(stretch=True)


def teddy(look: Look) -> list[Part]:
    a, b = begin(look)
    raised = 20 * a.vary(0.8)
    arm = b.limb((0, 0, 0), (0.09, -0.07, 0.03), 0.036, 0.032).rotate((0, 0, raised))
    body = [b.ball((0.085, 0.1, 0.078), (0, 0.115, 0)), b.ball((0.082, 0.073, 0.074), (0, 0.265, 0.01))]
    limbs = mirrored(
        arm.translate((0.06, 0.165, 0.01)),
        b.limb((0.055, 0.05, 0.03), (0.085, 0.04, 0.13), 0.046, 0.04),
        b.ball((0.032, 0.032, 0.018), (0.062, 0.33, 0)),
    )
    a.main("fur", Paint((0.66, 0.45, 0.26)), *body, limbs)
    a.second(
        "muzzle and soles",
        CREAM,
        b.ball((0.036, 0.03, 0.028), (0, 0.247, 0.072)),
        b.ball((0.055, 0.068, 0.03), (0, 0.115, 0.058)),
        mirrored(
            b.ball((0.027, 0.027, 0.01), (0.088, 0.04, 0.166)), b.ball((0.019, 0.019, 0.01), (0.062, 0.331, 0.012))
        ),
    )
    a.fixed(
        "eyes and nose",
        BLACK,
        mirrored(b.ball(0.0095, (0.029, 0.285, 0.077))),
        b.ball((0.013, 0.009, 0.009), (0, 0.258, 0.098)),
    )
    a.fixed(
        "bow",
        RED,
        mirrored(
            Manifold.batch_hull(
                [
                    b.ball((0.006, 0.008, 0.008), (0.004, 0.196, 0.056)),
                    b.box((0.006, 0.04, 0.016), (0.042, 0.176, 0.056), edge=0.003),
                ]
            )
        ),
        b.ball(0.012, (0, 0.196, 0.057)),
    )
    return a.parts(stretch=True)


TOYS = (
    Family("gift", ("gift", "present"), (0.28, 0.29, 0.28), gift),
    Family("snowman", ("snowman",), (1.36, 1.67, 0.84), snowman),
    Family("robot", ("robot",), (1.1, 1.41, 0.31), robot),
    Family("teddy bear", ("teddy bear", "teddy", "bear"), (0.405, 0.36, 0.255), teddy),
)
