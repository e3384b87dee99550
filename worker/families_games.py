"""Chess, dice and balls."""

from __future__ import annotations

from frontdesk.worker.blocks import (
    Point,
    around,
    smooth,
    union,
)
from frontdesk.worker.paints import (
    BLACK,
    BLUE,
    CREAM,
    GREEN,
    RED,
    WHITE,
)
from frontdesk.worker.solids import Family, Look, Paint, Part, begin

IVORY = Paint((0.92, 0.86, 0.72))
PIPS = {
    1: ((0, 0),),
    2: ((-1, -1), (1, 1)),
    3: ((-1, -1), (0, 0), (1, 1)),
    4: ((-1, -1), (-1, 1), (1, -1), (1, 1)),
    5: ((-1, -1), (-1, 1), (1, -1), (1, 1), (0, 0)),
    6: ((-1, -1), (-1, 0), (-1, 1), (1, -1), (1, 0), (1, 1)),
}
SIDES: tuple[tuple[int, Point], ...] = (
    (1, (0, 0, 0)),
    (6, (180, 0, 0)),
    (2, (90, 0, 0)),
    (5, (-90, 0, 0)),
    (3, (0, 0, 90)),
    (4, (0, 0, -90)),
)


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


GAMES = (
    Family("pawn", ("pawn", "chess piece", "chess pawn"), (0.036, 0.061, 0.036), pawn),
    Family("rook", ("rook", "chess rook"), (0.041, 0.061, 0.041), rook),
    Family("king", ("chess king",), (0.046, 0.104, 0.046), king),
    Family("dice", ("dice", "die"), (0.018, 0.016, 0.018), dice),
    Family("ball", ("ball", "beach ball"), (0.22, 0.22, 0.22), ball),
    Family("balloon", ("balloon",), (0.25, 0.885, 0.25), balloon_toy),
)
