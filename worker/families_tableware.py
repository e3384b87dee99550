"""Things that stand on a table: vessels, plates, candles."""

from __future__ import annotations

from frontdesk.worker.blocks import around, mirrored, smooth, union
from frontdesk.worker.paints import (
    BRASS,
    CLAY,
    CREAM,
    DARK,
    FLAME,
    GLASS,
    GREEN_GLASS,
    IRON,
    PORCELAIN,
    RED,
    SKY,
    STEEL,
    Paint,
)  # fmt: skip
from frontdesk.worker.solids import Family, Look, Part, begin

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
    a.second("lid", PORCELAIN, b.turn([(0, 0.128), *lid, (0, 0.158)]), b.ball(0.013, (0, 0.167, 0)))
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
        [(0.036, 0.004), (0.037, 0.02), (0.037, 0.06), (0.037, shoulder - 0.04), (0.036, shoulder), (0.028, shoulder + 0.03), (0.014, 0.245), (0.0135, 0.3)], 6
    )
    a.main(
        "bottle",
        GREEN_GLASS,
        b.turn([(0, 0.004), (0.033, 0), *profile, (0, 0.3)]),
        b.torus(0.014, 0.003, (0, 0.287, 0)),
    )
    a.second("label", CREAM, b.cylinder(0.0376, shoulder - 0.105, (0, 0.062, 0)))
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


def candle(look: Look) -> list[Part]:
    a, b = begin(look)
    tall = 0.16 * a.vary(0.2)
    drip = [
        b.limb((0.017 * x, tall + 0.014, 0.017 * z), (0.018 * x, tall - drop, 0.018 * z), 0.004)
        for x, z, drop in ((1, 0.1, 0.03), (-0.5, 0.85, 0.05), (-0.6, -0.8, 0.02))
    ]
    holder = [
        (0, 0),
        (0.052, 0),
        (0.056, 0.014),
        (0.053, 0.014),
        (0.05, 0.005),
        (0.024, 0.006),
        (0.024, 0.03),
        (0, 0.03),
    ]
    ear = smooth([(0.05, 0.008, 0.0), (0.075, 0.012, 0.0), (0.078, 0.03, 0.0), (0.06, 0.032, 0.0), (0.052, 0.012, 0.0)])
    a.second("holder", BRASS, b.turn(holder), b.tube(ear, 0.004))
    a.main("wax", CREAM, b.cylinder(0.019, tall, (0, 0.02, 0), edge=0.004), *drip)
    top = tall + 0.02
    a.fixed("wick", DARK, b.rod((0, top - 0.004, 0), (0, top + 0.012, 0), 0.0016))
    flame = smooth([(0.002, 0.0), (0.0085, 0.01), (0.006, 0.024), (0.001, 0.042)], 5)
    a.fixed("flame", FLAME, b.turn([(0, 0), *flame, (0, 0.042)], (0, top + 0.006, 0)))
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
    Family("pan", ("pan", "frying pan", "skillet"), (0.46, 0.08, 0.26), pan),
    Family("pot", ("pot", "saucepan", "casserole"), (0.28, 0.19, 0.22), pot),
    Family("candle", ("candle", "candlestick"), (0.14, 0.23, 0.11), candle),
    Family("fork", ("fork",), (0.025, 0.20, 0.003), fork),
    Family("spoon", ("spoon",), (0.042, 0.206, 0.012), spoon),
    Family("knife", ("knife",), (0.02, 0.235, 0.014), knife),
    Family("trophy", ("trophy", "prize"), (0.24, 0.30, 0.16), trophy),
    Family("basket", ("basket",), (0.31, 0.345, 0.31), basket),
)
