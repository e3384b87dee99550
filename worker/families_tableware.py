"""Vessels and plates."""

from __future__ import annotations

from frontdesk.worker.blocks import (
    smooth,
)
from frontdesk.worker.paints import (
    CLAY,
    CREAM,
    GLASS,
    GREEN_GLASS,
    PORCELAIN,
    SKY,
)
from frontdesk.worker.solids import Family, Look, Paint, Part, begin

COFFEE = Paint((0.24, 0.13, 0.07))
WINE = Paint((0.45, 0.05, 0.12))
TEA = Paint((0.55, 0.27, 0.08))


def mug(look: Look) -> list[Part]:
    a, b = begin(look)
    r, ear = 0.041, 0.030 * a.vary(0.15)
    body = b.vessel([(r * 0.9, 0), (r, 0.006), (r, 0.094), (r - 0.001, 0.096)], 0.004)
    path = smooth(
        [
            (r - 0.002, 0.078, 0.0),
            (r + ear * 0.7, 0.078, 0.0),
            (r + ear, 0.05, 0.0),
            (r + ear * 0.6, 0.022, 0.0),
            (r - 0.002, 0.02, 0.0),
        ]
    )
    a.main("mug", PORCELAIN, body, b.tube(path, 0.0058) - b.cylinder(r - 0.003, 0.2))
    a.second("coffee", COFFEE, b.cylinder(r - 0.0035, 0.004, (0, 0.078, 0)))
    return a.parts(stretch=True)


def cup(look: Look) -> list[Part]:
    a, b = begin(look)
    belly = 0.044 * a.vary(0.06)
    saucer = [(0, 0), (0.04, 0), (0.045, 0.003), (0.075, 0.013), (0.074, 0.0155), (0.043, 0.006), (0, 0.005)]
    a.main("saucer", PORCELAIN, b.turn(saucer))
    profile = smooth([(0.024, 0.005), (0.025, 0.009), (0.036, 0.022), (belly, 0.045), (0.048, 0.068)], 4)
    path = smooth(
        [(0.04, 0.06, 0.0), (0.064, 0.062, 0.0), (0.068, 0.044, 0.0), (0.054, 0.028, 0.0), (0.036, 0.026, 0.0)]
    )
    a.main("cup", PORCELAIN, b.vessel(profile, 0.003), b.tube(path, 0.0035) - b.cylinder(0.036, 0.2))
    a.second("tea", TEA, b.cylinder(0.0425, 0.003, (0, 0.054, 0)))
    return a.parts(stretch=True)


def teapot(look: Look) -> list[Part]:
    a, b = begin(look)
    r = 0.085 * a.vary(0.06)
    body = smooth([(0.05, 0.0), (0.056, 0.008), (r, 0.06), (0.07, 0.115), (0.042, 0.132)], 6)
    a.main("body", PORCELAIN, b.turn([(0, 0), *body, (0, 0.132)]))
    lid = smooth([(0.04, 0.130), (0.034, 0.142), (0.01, 0.150), (0.009, 0.158)], 4)
    a.main("lid", PORCELAIN, b.turn([(0, 0.128), *lid, (0, 0.158)]))
    a.second("knob", PORCELAIN, b.ball(0.013, (0, 0.167, 0)))
    spout = smooth([(0.06, 0.045, 0.0), (0.105, 0.058, 0.0), (0.122, 0.1, 0.0), (0.148, 0.13, 0.0)])
    hole = b.rod((0.13, 0.11, 0), (0.16, 0.142, 0), 0.006, 0.009)
    a.main("spout", PORCELAIN, b.tube(spout, [0.026, 0.02, 0.013, 0.012]) - hole)
    path = smooth(
        [(-0.058, 0.118, 0.0), (-0.11, 0.126, 0.0), (-0.138, 0.09, 0.0), (-0.115, 0.045, 0.0), (-0.066, 0.035, 0.0)]
    )
    a.main("handle", PORCELAIN, b.tube(path, [0.008, 0.009, 0.008]))
    return a.parts(stretch=True)


def bowl(look: Look) -> list[Part]:
    a, b = begin(look)
    belly = 0.085 * a.vary(0.08)
    profile = smooth([(0.045, 0.0), (0.046, 0.008), (belly, 0.04), (0.105, 0.085)], 6)
    a.main("bowl", PORCELAIN, b.vessel(profile, 0.005))
    a.second("rim", SKY, b.torus(0.1025, 0.0035, (0, 0.085, 0)))
    return a.parts(stretch=True)


def plate(look: Look) -> list[Part]:
    a, b = begin(look)
    lift = 0.024 * a.vary(0.1)
    top = [(0.13, lift), (0.129, lift + 0.003), (0.09, 0.012), (0.082, 0.006), (0, 0.0055)]
    a.main("plate", PORCELAIN, b.turn([(0, 0), (0.08, 0), (0.095, 0.009), *top]))
    a.second("rim", SKY, b.torus(0.128, 0.0026, (0, lift + 0.0018, 0)))
    return a.parts(stretch=True)


def bottle(look: Look) -> list[Part]:
    a, b = begin(look)
    shoulder = 0.185 * a.vary(0.06)
    profile = smooth(
        [
            (0.036, 0.004),
            (0.037, 0.02),
            (0.037, 0.06),
            (0.037, shoulder - 0.04),
            (0.036, shoulder),
            (0.028, shoulder + 0.03),
            (0.014, 0.245),
            (0.0135, 0.3),
        ],
        6,
    )
    a.main(
        "bottle",
        GREEN_GLASS,
        b.turn([(0, 0.004), (0.033, 0), *profile, (0, 0.3)]),
        b.torus(0.014, 0.003, (0, 0.287, 0)),
    )
    tall = shoulder - 0.105
    label = b.cylinder(0.0376, tall, (0, 0.062, 0)) - b.cylinder(0.0366, tall + 0.02, (0, 0.052, 0))
    a.second("label", CREAM, label)
    a.fixed("cork", Paint((0.72, 0.55, 0.36)), b.cylinder(0.0105, 0.03, (0, 0.29, 0), edge=0.002))
    return a.parts(stretch=True)


def wine_glass(look: Look) -> list[Part]:
    a, b = begin(look)
    belly = 0.042 * a.vary(0.08)
    foot = smooth([(0.036, 0.003), (0.014, 0.007), (0.0042, 0.02), (0.0038, 0.06), (0.0042, 0.092), (0.013, 0.103)], 5)
    bowl_outside = smooth([(0.012, 0.1), (0.034, 0.12), (belly, 0.15), (0.038, 0.185), (0.034, 0.205)], 6)
    a.main("glass", GLASS, b.turn([(0, 0), (0.036, 0), *foot, (0, 0.103)]), b.vessel(bowl_outside, 0.0018))
    wine = smooth([(0.009, 0.1025), (0.0315, 0.1225), (belly - 0.0024, 0.15)], 5)
    a.second("wine", WINE, b.turn([(0, 0.1015), *wine, (0, 0.15)]))
    return a.parts(stretch=True)


def vase(look: Look) -> list[Part]:
    a, b = begin(look)
    belly, neck = 0.085 * a.vary(0.15), 0.032 * a.vary(0.2)
    profile = smooth([(0.045, 0.0), (0.05, 0.01), (belly, 0.12), (0.06, 0.21), (neck, 0.26), (0.05, 0.3)], 7)
    a.main("vase", Paint((0.20, 0.38, 0.60)), b.vessel(profile, 0.006))
    a.second("bands", CREAM, b.torus(neck + 0.001, 0.004, (0, 0.26, 0)), b.torus(0.0485, 0.004, (0, 0.3, 0)))
    return a.parts(stretch=True)


def jug(look: Look) -> list[Part]:
    a, b = begin(look)
    belly = 0.07 * a.vary(0.08)
    profile = smooth([(0.05, 0.0), (0.053, 0.008), (belly, 0.07), (0.052, 0.15), (0.045, 0.185), (0.055, 0.22)], 6)
    lip = b.tube([(0.02, 0.185, 0), (0.075, 0.225, 0)], [0.02, 0.016])
    inside = b.tube([(0.01, 0.19, 0), (0.09, 0.244, 0)], [0.018, 0.015])
    body = b.vessel(profile, 0.006)
    spout = lip - inside - b.box((0.3, 0.1, 0.3), (0, 0.2195, 0)) - b.cylinder(0.046, 0.1, (0, 0.16, 0))
    path = smooth(
        [(-0.05, 0.195, 0.0), (-0.105, 0.19, 0.0), (-0.115, 0.13, 0.0), (-0.095, 0.075, 0.0), (-0.062, 0.06, 0.0)]
    )
    handle = b.tube(path, [0.009, 0.01, 0.008]) - b.cylinder(0.045, 0.3, (0, 0.05, 0))
    a.main("jug", CLAY, body - b.rod((0.03, 0.212, 0), (0.08, 0.24, 0), 0.014), spout, handle)
    a.second("band", CREAM, b.torus(belly - 0.001, 0.003, (0, 0.07, 0), flat=2))
    return a.parts(stretch=True)


TABLEWARE = (
    Family("mug", ("mug", "coffee mug", "beer mug"), (0.116, 0.096, 0.082), mug),
    Family("cup", ("cup", "teacup", "saucer", "coffee cup"), (0.15, 0.07, 0.15), cup),
    Family("teapot", ("teapot", "kettle"), (0.31, 0.18, 0.17), teapot),
    Family("bowl", ("bowl",), (0.21, 0.09, 0.21), bowl),
    Family("plate", ("plate", "dish"), (0.26, 0.03, 0.26), plate, sits_on=True),
    Family("bottle", ("bottle", "wine bottle"), (0.075, 0.32, 0.075), bottle),
    Family("wine glass", ("wine glass", "glass", "goblet"), (0.085, 0.205, 0.085), wine_glass),
    Family("vase", ("vase", "urn"), (0.17, 0.30, 0.17), vase),
    Family("jug", ("jug", "pitcher"), (0.20, 0.22, 0.14), jug),
)
