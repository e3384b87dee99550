"""Pots, cutlery and a trophy for the cook."""

from __future__ import annotations

from frontdesk.worker.blocks import (
    around,
    mirrored,
    smooth,
    union,
)
from frontdesk.worker.paints import (
    BRASS,
    DARK,
    IRON,
    RED,
    STEEL,
)
from frontdesk.worker.solids import Family, Look, Paint, Part, begin


def pan(look: Look) -> list[Part]:
    a, b = begin(look)
    r = 0.13 * a.vary(0.05)
    a.main("pan", IRON, b.vessel([(r * 0.8, 0), (r * 0.83, 0.003), (r, 0.045)], 0.004))
    a.second(
        "handle",
        DARK,
        b.tube(
            smooth([(r - 0.006, 0.035, 0.0), (r + 0.06, 0.055, 0.0), (r + 0.19, 0.065, 0.0)]), [0.008, 0.012, 0.014]
        ),
    )
    a.fixed(
        "rivets",
        STEEL,
        mirrored(b.ball(0.006, (r - 0.006, 0.036, 0.013)), axis=(0, 0, 1)),
        b.box((0.006, 0.016, 0.026), (r - 0.003, 0.028, 0)),
    )
    return a.parts(stretch=True)


def pot(look: Look) -> list[Part]:
    a, b = begin(look)
    r, tall = 0.11, 0.13 * a.vary(0.08)
    a.main("pot", RED, b.cylinder(r, tall, edge=0.012))
    lid = smooth([(r + 0.002, tall), (r, tall + 0.008), (r * 0.6, tall + 0.026), (0.02, tall + 0.03)], 4)
    a.main("lid", RED, b.turn([(0, tall - 0.002), (r, tall - 0.002), *lid, (0, tall + 0.03)]))
    a.second(
        "knob", DARK, b.cylinder(0.009, 0.02, (0, tall + 0.026, 0)), b.ball((0.02, 0.01, 0.02), (0, tall + 0.05, 0))
    )
    ear = [
        (r - 0.006, tall * 0.75, 0.035),
        (r + 0.03, tall * 0.78, 0.03),
        (r + 0.03, tall * 0.78, -0.03),
        (r - 0.006, tall * 0.75, -0.035),
    ]
    a.second("handles", DARK, mirrored(b.tube(smooth(ear), 0.007)))
    return a.parts(stretch=True)


def fork(look: Look) -> list[Part]:
    a, b = begin(look)
    neck = 0.125 * a.vary(0.04)
    handle = [(0.0055, 0.0), (0.009, 0.012), (0.0065, 0.06), (0.0035, neck), (0.012, 0.148), (0.0125, 0.16)]
    side = smooth(handle, 5)
    body = b.plate([*side, *((-x, y) for x, y in reversed(side))], 0.0026)
    tines = [b.box((0.0036, 0.046, 0.0026), (x, 0.155, 0), edge=0.001) for x in (-0.0105, -0.0035, 0.0035, 0.0105)]
    a.main("fork", STEEL, body, *tines)
    return a.parts(stretch=True)


def spoon(look: Look) -> list[Part]:
    a, b = begin(look)
    side = smooth([(0.0055, 0.0), (0.009, 0.012), (0.0065, 0.06), (0.0035, 0.13 * a.vary(0.04)), (0.0035, 0.155)], 5)
    hollow = union(b.ball((0.021, 0.031, 0.010), (0, 0.175, 0))) - b.ball((0.0195, 0.0295, 0.010), (0, 0.175, 0.003))
    a.main(
        "spoon",
        STEEL,
        b.plate([*side, *((-x, y) for x, y in reversed(side))], 0.0026, (0, 0, -0.004)),
        hollow - b.box((1, 1, 1), (0, -0.3, 0.503)),
    )
    return a.parts(stretch=True)


def knife(look: Look) -> list[Part]:
    a, b = begin(look)
    blade = [
        (-0.004, 0.1),
        (-0.011, 0.1),
        (-0.012, 0.17 * a.vary(0.05)),
        (-0.006, 0.215),
        (0.003, 0.235),
        (0.0055, 0.2),
        (0.006, 0.1),
    ]
    a.main("blade", STEEL, b.plate(blade, 0.0018))
    a.second("handle", DARK, b.box((0.02, 0.108, 0.013), (-0.001, 0, 0), edge=0.006))
    a.fixed("rivets", BRASS, *(b.rod((0, y, -0.0072), (0, y, 0.0072), 0.0026) for y in (0.025, 0.05, 0.075)))
    return a.parts(stretch=True)


def basket(look: Look) -> list[Part]:
    a, b = begin(look)
    rounds, r = 7, 0.14 * a.vary(0.06)
    wicker = Paint((0.72, 0.52, 0.30))
    weave = [b.torus(r * (0.82 + 0.18 * i / (rounds - 1)), 0.011, (0, 0.011 + i * 0.0205, 0)) for i in range(rounds)]
    a.main("weave", wicker, b.cylinder(r * 0.84, 0.012), *weave)
    a.second(
        "stakes", Paint((0.55, 0.37, 0.20)), around(b.rod((r * 0.835, 0.004, 0), (r * 1.015, 0.138, 0), 0.008), 18)
    )
    hoop = smooth([(-r, 0.13, 0.0), (-r * 0.85, 0.26, 0.0), (0.0, 0.335, 0.0), (r * 0.85, 0.26, 0.0), (r, 0.13, 0.0)])
    a.main("handle", wicker, b.tube(hoop, 0.01))
    return a.parts(stretch=True)


def trophy(look: Look) -> list[Part]:
    a, b = begin(look)
    belly = 0.07 * a.vary(0.08)
    outside = smooth([(0.012, 0.14), (0.05, 0.165), (belly, 0.22), (0.08, 0.3)], 6)
    stem = smooth([(0.04, 0.07), (0.014, 0.085), (0.02, 0.11), (0.011, 0.13), (0.022, 0.148)], 5)
    gold = Paint((0.95, 0.75, 0.25), "metal")
    a.main(
        "cup",
        gold,
        b.vessel(outside, 0.004),
        b.turn([(0, 0.065), (0.04, 0.065), *stem, (0, 0.15)]),
        b.torus(0.079, 0.003, (0, 0.3, 0)),
    )
    ear = smooth(
        [(0.074, 0.275, 0.0), (0.115, 0.285, 0.0), (0.12, 0.235, 0.0), (0.085, 0.195, 0.0), (0.058, 0.182, 0.0)]
    )
    a.main("handles", gold, mirrored(b.tube(ear, 0.005)) - b.cylinder(0.055, 0.2, (0, 0.17, 0)))
    a.second("base", DARK, b.box((0.1, 0.055, 0.1), edge=0.006), b.box((0.084, 0.02, 0.084), (0, 0.05, 0), edge=0.005))
    a.fixed("plaque", gold, b.box((0.06, 0.026, 0.004), (0, 0.015, 0.05)))
    return a.parts(stretch=True)


KITCHEN = (
    Family("pan", ("pan", "frying pan", "skillet"), (0.46, 0.08, 0.26), pan),
    Family("pot", ("pot", "saucepan", "casserole"), (0.28, 0.19, 0.22), pot),
    Family("fork", ("fork",), (0.025, 0.20, 0.003), fork),
    Family("spoon", ("spoon",), (0.042, 0.206, 0.012), spoon),
    Family("knife", ("knife",), (0.02, 0.235, 0.014), knife),
    Family("basket", ("basket",), (0.31, 0.345, 0.31), basket),
    Family("trophy", ("trophy", "prize"), (0.24, 0.30, 0.16), trophy),
)
