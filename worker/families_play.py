"""Toys, games and musical instruments."""

from __future__ import annotations

import math

from manifold3d import CrossSection, Manifold

from frontdesk.worker.blocks import Point, arc, around, mirrored, row, smooth, union
from frontdesk.worker.paints import (
    BLACK,
    BLUE,
    BRASS,
    BROWN,
    CREAM,
    DARK,
    DARK_WOOD,
    GOLD,
    GREEN,
    GREY,
    ORANGE,
    PALE_WOOD,
    RED,
    RED_LIGHT,
    SILVER,
    WHITE,
    WOOD,
    Paint,
)  # fmt: skip
from frontdesk.worker.solids import Family, Look, Part, begin

IVORY = Paint((0.92, 0.86, 0.72))


def pawn(look: Look) -> list[Part]:
    a, b = begin(look)
    head = 0.0125 * a.vary(0.06)
    side = smooth([(0.0165, 0.007), (0.0125, 0.013), (0.008, 0.022), (0.0062, 0.036)], 6)
    a.main(
        "pawn",
        IVORY,
        b.turn([(0, 0), (0.017, 0), (0.018, 0.003), *side, (0, 0.036)]),
        b.ball((0.012, 0.003, 0.012), (0, 0.036, 0)),
        b.ball(head, (0, 0.047, 0)),
    )
    a.second("felt", GREEN, b.cylinder(0.0165, 0.0012, (0, -0.001, 0)))
    return a.parts(stretch=True)


def rook(look: Look) -> list[Part]:
    a, b = begin(look)
    waist = 0.0105 * a.vary(0.06)
    side = smooth([(0.019, 0.008), (0.0145, 0.015), (waist, 0.03), (waist, 0.042), (0.0155, 0.048)], 6)
    crown = b.turn([(0, 0.046), (0.0155, 0.046), (0.016, 0.06), (0.0105, 0.06), (0.0105, 0.053), (0, 0.053)])
    a.main(
        "rook",
        IVORY,
        b.turn([(0, 0), (0.0195, 0), (0.0205, 0.003), *side, (0, 0.05)]),
        crown - around(b.box((0.02, 0.02, 0.0045), (0.012, 0.0545, 0)), 6),
        b.torus(waist + 0.001, 0.0022, (0, 0.042, 0)),
    )
    a.second("felt", GREEN, b.cylinder(0.019, 0.0012, (0, -0.001, 0)))
    return a.parts(stretch=True)


def king(look: Look) -> list[Part]:
    a, b = begin(look)
    waist = 0.0105 * a.vary(0.06)
    side = smooth([(0.0215, 0.009), (0.0155, 0.018), (waist, 0.04), (waist * 0.95, 0.058)], 6)
    head = smooth([(0.0105, 0.066), (0.0155, 0.08), (0.013, 0.084), (0.004, 0.088)], 5)
    a.main(
        "king",
        IVORY,
        b.turn([(0, 0), (0.022, 0), (0.023, 0.004), *side, (0, 0.058)]),
        b.ball((0.0165, 0.003, 0.0165), (0, 0.059, 0)),
        b.ball((0.0135, 0.0026, 0.0135), (0, 0.0645, 0)),
        b.turn([(0, 0.058), (0.0105, 0.058), *head, (0, 0.088)]),
    )
    a.main(
        "cross", IVORY, b.box((0.0042, 0.017, 0.0042), (0, 0.086, 0)), b.box((0.0125, 0.0042, 0.0042), (0, 0.094, 0))
    )
    a.second("felt", GREEN, b.cylinder(0.0215, 0.0012, (0, -0.001, 0)))
    return a.parts(stretch=True)


PIPS = {
    1: ((0, 0),), 2: ((-1, -1), (1, 1)), 3: ((-1, -1), (0, 0), (1, 1)), 4: ((-1, -1), (-1, 1), (1, -1), (1, 1)),
    5: ((-1, -1), (-1, 1), (1, -1), (1, 1), (0, 0)), 6: ((-1, -1), (-1, 0), (-1, 1), (1, -1), (1, 0), (1, 1)),
}  # fmt: skip
SIDES: tuple[tuple[int, Point], ...] = (
    (1, (0, 0, 0)),
    (6, (180, 0, 0)),
    (2, (90, 0, 0)),
    (5, (-90, 0, 0)),
    (3, (0, 0, 90)),
    (4, (0, 0, -90)),
)


def dice(look: Look) -> list[Part]:
    a, b = begin(look)
    s = 0.016
    hollows = [
        b.half.ball(0.0017, (x * 0.0042, s / 2 + 0.0007, z * 0.0042)).rotate(turn)
        for count, turn in SIDES
        for x, z in PIPS[count]
    ]
    body = b.box((s, s, s), (0, -s / 2, 0), edge=0.0022) - union(*hollows)
    pips = [
        b.half.ball(0.0016, (x * 0.0042, s / 2 - 0.0005, z * 0.0042)).rotate(turn)
        ^ b.box((s - 0.0006, s - 0.0006, s - 0.0006), (0, 0.0003 - s / 2, 0))
        for count, turn in SIDES
        for x, z in PIPS[count]
    ]
    _, top = SIDES[int(a.random.integers(6))]
    spin = (0, float(a.random.uniform(-12, 12)), 0)
    a.main("body", WHITE, body.rotate(top).rotate(spin))
    a.second("pips", BLACK, union(*pips).rotate(top).rotate(spin))
    return a.parts(stretch=True)


def ball(look: Look) -> list[Part]:
    a, b = begin(look)
    r, spin = 0.11, (20 * a.vary(1), 30 * a.vary(1), 0.0)
    whole = b.ball(r)
    wedges = around(b.turn([(0, -1), (1, -1), (1, 1), (0, 1)], degrees=60), 3)
    cap = b.box((1, 0.03, 1), (0, r * 0.92, 0)) + b.box((1, 0.03, 1), (0, -r * 0.92 - 0.03, 0))
    a.main("panels", RED, ((whole ^ wedges) - cap).rotate(spin))
    a.second("stripes", WHITE, (whole - wedges - cap).rotate(spin))
    a.second("caps", BLUE, (whole ^ cap).rotate(spin))
    return a.parts(stretch=True)


def balloon_toy(look: Look) -> list[Part]:
    a, b = begin(look)
    sway = 0.04 * a.vary(0.9)
    side = smooth([(0.004, 0.0), (0.05, 0.06), (0.125, 0.19), (0.105, 0.29), (0.0, 0.335)], 7)
    y = 0.55
    a.main(
        "balloon",
        RED,
        b.turn([(0, 0), *((max(0.0, x), v) for x, v in side)], (0, y, 0)),
        b.cylinder(0.016, 0.02, (0, y - 0.016, 0), top=0.004),
    )
    string = smooth([(0.0, 0.0, 0.0), (sway, 0.15, 0.01), (-sway, 0.33, -0.01), (0.0, y - 0.008, 0.0)])
    a.second("string", CREAM, b.tube(string, 0.0025))
    return a.parts(stretch=True)


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
                    b.ball((0.006, 0.008, 0.008), (0.004, 0.196, 0.086)),
                    b.box((0.006, 0.04, 0.016), (0.042, 0.176, 0.08), edge=0.003),
                ]
            )
        ),
        b.ball(0.01, (0, 0.196, 0.087)),
    )
    return a.parts(stretch=True)


def guitar(look: Look) -> list[Part]:
    a, b = begin(look)
    waist = 0.118 * a.vary(0.05)
    side = smooth(
        [
            (0.0, 0.0),
            (0.12, 0.015),
            (0.185, 0.12),
            (0.165, 0.2),
            (waist, 0.28),
            (0.138, 0.38),
            (0.11, 0.45),
            (0.0, 0.475),
        ],
        6,
    )
    outline = CrossSection([[*side, *((-x, y) for x, y in reversed(side[1:-1]))]])
    a.main("top", Paint((0.86, 0.62, 0.34)), b.plate(outline.offset(-0.004), 0.012, (0, 0, 0.047)))
    a.second("sides", DARK_WOOD, b.plate(outline, 0.09))
    a.fixed("hole", BLACK, b.cylinder(0.046, 0.002).rotate((90, 0, 0)).translate((0, 0.31, 0.052)))
    a.fixed("rose", CREAM, b.torus(0.051, 0.004, flat=0.5).rotate((90, 0, 0)).translate((0, 0.31, 0.053)))
    a.second(
        "neck",
        DARK_WOOD,
        b.box((0.052, 0.44, 0.03), (0, 0.44, 0.032), edge=0.012),
        Manifold.batch_hull(
            [b.box((0.055, 0.02, 0.018), (0, 0.86, 0.033)), b.box((0.075, 0.02, 0.016), (0, 1.0, 0.018))]
        ),
    )
    a.fixed(
        "fingerboard",
        BLACK,
        b.box((0.05, 0.5, 0.012), (0, 0.37, 0.046), edge=0.002),
        b.box((0.14, 0.026, 0.012), (0, 0.135, 0.052), edge=0.004),
    )
    a.fixed(
        "frets",
        SILVER,
        *(b.box((0.05, 0.003, 0.003), (0, 0.868 - 0.72 * (1 - 2 ** (-i / 12)), 0.057)) for i in range(1, 13)),
    )
    a.fixed(
        "strings",
        SILVER,
        *(
            b.rod((0.0075 * i, 0.148, 0.064), (0.0065 * i, 0.87, 0.062), 0.0011)
            for i in (-2.5, -1.5, -0.5, 0.5, 1.5, 2.5)
        ),
        b.box((0.05, 0.006, 0.028), (0, 0.866, 0.036)),
        b.box((0.07, 0.006, 0.008), (0, 0.145, 0.058)),
    )
    a.fixed(
        "pegs",
        CREAM,
        mirrored(
            *(
                b.rod((0.02, y, 0.026), (0.055, y, 0.024), 0.005) + b.ball((0.012, 0.009, 0.007), (0.058, y, 0.024))
                for y in (0.9, 0.94, 0.98)
            )
        ),
    )
    return a.parts(stretch=True)


def drum(look: Look) -> list[Part]:
    a, b = begin(look)
    tall, r = 0.26 * a.vary(0.08), 0.18
    a.main("shell", RED, b.cylinder(r, tall, (0, 0.012, 0)))
    a.second("hoops", GOLD, *(b.cylinder(r + 0.008, 0.028, (0, y, 0)) for y in (0.0, tall)))
    a.fixed("skin", CREAM, b.cylinder(r - 0.006, 0.004, (0, tall + 0.0265, 0)))
    zigzag = [
        b.rod(
            ((r + 0.004) * math.cos(t), y, (r + 0.004) * math.sin(t)),
            ((r + 0.004) * math.cos(u), v, (r + 0.004) * math.sin(u)),
            0.004,
        )
        for i in range(16)
        for t, u in [(math.tau * i / 16, math.tau * (i + 1) / 16)]
        for y, v in [(0.02, tall + 0.005) if i % 2 else (tall + 0.005, 0.02)]
    ]
    a.fixed("cord", CREAM, *zigzag)
    stick = b.rod((-0.15, 0, 0), (0.17, 0.012, 0), 0.007, 0.005) + b.ball((0.014, 0.01, 0.01), (0.17, 0.012, 0))
    a.fixed(
        "sticks",
        PALE_WOOD,
        *(stick.rotate((0, t, 0)).translate((0, tall + 0.037, z)) for t, z in ((25, 0.03), (-20, -0.05))),
    )
    return a.parts(stretch=True)


def trumpet(look: Look) -> list[Part]:
    a, b = begin(look)
    bend, y = 0.055 * a.vary(0.06), 0.12
    flare = smooth([(0.009, -0.2), (0.012, -0.02), (0.022, 0.08), (0.06, 0.135)], 6)
    horn = (
        b.turn([*flare, *((r - 0.002, v + 0.001) for r, v in reversed(flare))])
        .rotate((0, 0, -90))
        .translate((0.15, y + bend, 0))
    )
    loop: list[Point] = [
        (-0.05, y + bend, 0),
        (-0.14, y + bend, 0),
        *((-0.14 + x, y + v, 0.0) for x, v in arc(bend, 90, 270, 12)),
        (-0.14, y - bend, 0),
        (0.1, y - bend, 0),
        *((0.1 + x, y - 0.0165 + v, 0.0) for x, v in arc(bend - 0.0165, -90, 90, 12)),
        (0.1, y + bend - 0.033, 0),
        (-0.33, y + bend - 0.033, 0),
    ]
    a.main(
        "tube",
        BRASS,
        horn,
        b.tube(loop, 0.0075),
        b.rod((-0.33, y + bend - 0.033, 0), (-0.365, y + bend - 0.033, 0), 0.006, 0.014),
        b.torus(0.0595, 0.003).rotate((0, 0, 90)).translate((0.285, y + bend, 0)),
    )
    valves = [b.cylinder(0.0125, 0.115, (x, y - bend - 0.012, 0), edge=0.003) for x in (-0.04, -0.01, 0.02)]
    a.second(
        "valves",
        SILVER,
        *valves,
        *(
            b.rod((x, y, 0), (x, y + bend + 0.025, 0), 0.004) + b.cylinder(0.0095, 0.006, (x, y + bend + 0.024, 0))
            for x in (-0.04, -0.01, 0.02)
        ),
    )
    return a.parts(stretch=True)


def piano(look: Look) -> list[Part]:
    a, b = begin(look)
    tall = 1.2 * a.vary(0.03)
    a.main(
        "case",
        DARK,
        b.box((1.5, tall, 0.38), (0, 0, -0.12), edge=0.015),
        b.box((1.5, 0.08, 0.62), (0, 0.62, 0), edge=0.015),
        b.box((1.56, 0.04, 0.42), (0, tall - 0.01, -0.12), edge=0.015),
    )
    a.main(
        "legs",
        DARK,
        mirrored(
            b.box((0.09, 0.66, 0.1), (0.7, 0, 0.24), edge=0.02),
            b.box((0.05, 0.17, 0.3), (0.725, 0.62, 0.16), edge=0.012),
        ),
    )
    a.fixed(
        "white keys", WHITE, row(b.box((0.0255, 0.025, 0.15), (-0.679, 0.698, 0.2), edge=0.003), 52, (0.0266, 0, 0))
    )
    blacks = [
        b.box((0.014, 0.016, 0.095), (-0.679 + 0.0266 * (i + 0.5), 0.72, 0.17))
        for i in range(51)
        if i % 7 not in (1, 4)
    ]
    a.fixed("black keys", BLACK, *blacks)
    a.second("stand", WOOD, b.box((0.6, 0.2, 0.02), (0, 0.8, 0.078), edge=0.008))
    a.fixed("pedals", GOLD, *(b.box((0.03, 0.012, 0.12), (x, 0.03, 0.12), edge=0.004) for x in (-0.07, 0, 0.07)))
    return a.parts(stretch=True)


PLAY = (
    Family("pawn", ("pawn", "chess piece", "chess pawn"), (0.036, 0.061, 0.036), pawn),
    Family("rook", ("rook", "chess rook"), (0.041, 0.061, 0.041), rook),
    Family("king", ("chess king",), (0.046, 0.104, 0.046), king),
    Family("dice", ("dice", "die"), (0.018, 0.016, 0.018), dice),
    Family("ball", ("ball", "beach ball"), (0.22, 0.22, 0.22), ball),
    Family("balloon", ("balloon",), (0.25, 0.885, 0.25), balloon_toy),
    Family("gift", ("gift", "present"), (0.28, 0.29, 0.28), gift),
    Family("snowman", ("snowman",), (1.36, 1.67, 0.84), snowman),
    Family("robot", ("robot",), (0.95, 1.41, 0.32), robot),
    Family("teddy bear", ("teddy bear", "teddy", "bear"), (0.3, 0.36, 0.26), teddy),
    Family("guitar", ("guitar",), (0.37, 1.02, 0.11), guitar),
    Family("drum", ("drum",), (0.376, 0.3, 0.376), drum),
    Family("trumpet", ("trumpet",), (0.66, 0.19, 0.12), trumpet),
    Family("piano", ("piano",), (1.56, 1.23, 0.62), piano),
)
