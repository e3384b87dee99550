"""Animals with four legs. They look to +x, so that a picture from the front shows their side."""

from __future__ import annotations

import math

from frontdesk.worker.blocks import (
    smooth,
    union,
)
from frontdesk.worker.bodies import chain, eyes, pair
from frontdesk.worker.paints import (
    BLACK,
    BROWN,
    CREAM,
    DARK,
    GREY,
    PINK,
    RED,
    WHITE,
    YELLOW,
)
from frontdesk.worker.solids import Family, Look, Paint, Part, begin

GINGER = Paint((0.86, 0.55, 0.24))
TAN = Paint((0.72, 0.52, 0.32))


def cat(look: Look) -> list[Part]:
    a, b = begin(look)
    sway = 0.05 * a.vary(0.8)
    body = chain(b, [((-0.15, 0.195, 0), 0.075), ((0.02, 0.2, 0), 0.07), ((0.13, 0.21, 0), 0.072)])
    neck, head = b.limb((0.14, 0.23, 0), (0.2, 0.3, 0), 0.055, 0.05), b.ball((0.068, 0.062, 0.07), (0.22, 0.32, 0))
    legs = pair(
        chain(b, [((0.13, 0.19, 0.045), 0.034), ((0.135, 0.03, 0.045), 0.02)]),
        b.ball((0.03, 0.019, 0.022), (0.15, 0.019, 0.045)),
        chain(b, [((-0.15, 0.18, 0.04), 0.055), ((-0.13, 0.10, 0.05), 0.035), ((-0.165, 0.03, 0.05), 0.02)]),
        b.ball((0.032, 0.019, 0.022), (-0.15, 0.019, 0.05)),
    )
    ear = b.cylinder(0.026, 0.055, top=0.003).scale((0.6, 1, 1)).rotate((14, 0, 0)).translate((0.215, 0.362, 0.04))
    tail = smooth([(-0.2, 0.21, 0.0), (-0.27, 0.24, sway), (-0.3, 0.33, sway), (-0.27, 0.42, 0.0)])
    a.main(
        "body",
        GINGER,
        body,
        neck,
        head,
        legs,
        pair(ear),
        b.tube(tail, [0.024, 0.019, 0.017, 0.012]),
        b.ball(0.0125, tail[-1]),
    )
    a.second(
        "muzzle",
        CREAM,
        pair(b.ball((0.022, 0.02, 0.022), (0.275, 0.302, 0.015))),
        b.ball((0.05, 0.06, 0.05), (0.165, 0.215, 0)),
    )
    inner = b.cylinder(0.017, 0.038, top=0.002).scale((0.5, 1, 1)).rotate((14, 0, 0)).translate((0.2235, 0.366, 0.042))
    a.fixed("nose and ears", PINK, b.ball(0.009, (0.296, 0.314, 0)), pair(inner))
    eyes(a, b, (0.272, 0.338, 0.03), 0.0125)
    hairs = [b.rod((0.28, 0.302, 0.025), (0.285, 0.302 + 0.012 * i, 0.085), 0.0012) for i in (-1, 0, 1)]
    a.fixed("whiskers", DARK, pair(*hairs))
    return a.parts(stretch=True)


def dog(look: Look) -> list[Part]:
    a, b = begin(look)
    wag = 0.06 * a.vary(0.9)
    body = chain(b, [((-0.24, 0.37, 0), 0.105), ((0.0, 0.38, 0), 0.105), ((0.2, 0.38, 0), 0.125)])
    neck, head = b.limb((0.23, 0.42, 0), (0.33, 0.56, 0), 0.095, 0.075), b.ball((0.1, 0.088, 0.09), (0.36, 0.6, 0))
    snout = b.limb((0.4, 0.58, 0), (0.5, 0.565, 0), 0.06, 0.042)
    front = chain(b, [((0.21, 0.35, 0.075), 0.06), ((0.215, 0.18, 0.075), 0.036), ((0.215, 0.04, 0.075), 0.03)])
    hind = chain(
        b,
        [
            ((-0.25, 0.36, 0.07), 0.085),
            ((-0.2, 0.21, 0.085), 0.05),
            ((-0.29, 0.13, 0.085), 0.03),
            ((-0.27, 0.04, 0.085), 0.028),
        ],
    )
    paws = [b.ball((0.05, 0.03, 0.036), (x, 0.03, z)) for x, z in ((0.235, 0.075), (-0.25, 0.085))]
    tail = smooth([(-0.33, 0.42, 0.0), (-0.43, 0.5, wag), (-0.45, 0.62, wag)])
    a.main(
        "body",
        TAN,
        body,
        neck,
        head,
        snout,
        pair(front, hind, *paws),
        b.tube(tail, [0.035, 0.028, 0.015]),
        b.ball(0.016, tail[-1]),
    )
    ear = chain(b, [((0.33, 0.67, 0.065), 0.03), ((0.335, 0.62, 0.105), 0.04), ((0.35, 0.52, 0.108), 0.03)])
    a.second("ears", BROWN, pair(ear))
    a.fixed("nose", BLACK, b.ball((0.022, 0.02, 0.026), (0.537, 0.585, 0)))
    a.fixed("collar", RED, b.torus(0.088, 0.016).rotate((0, 0, -38)).translate((0.285, 0.5, 0)))
    a.fixed("tag", YELLOW, b.ball((0.012, 0.022, 0.022), (0.362, 0.432, 0)))
    eyes(a, b, (0.437, 0.638, 0.042), 0.016)
    return a.parts(stretch=True)


def horse(look: Look) -> list[Part]:
    a, b = begin(look)
    lift = 0.06 * a.vary(0.6)
    body = chain(b, [((-0.55, 1.08, 0), 0.29), ((0.0, 1.06, 0), 0.28), ((0.5, 1.08, 0), 0.28)])
    neck = chain(b, [((0.58, 1.15, 0), 0.24), ((0.85, 1.5, 0), 0.16), ((1.0, 1.72, 0), 0.125)])
    head = chain(b, [((1.03, 1.75, 0), 0.13), ((1.2, 1.62, 0), 0.1), ((1.38, 1.45, 0), 0.075)])
    front = chain(b, [((0.52, 1.0, 0.15), 0.16), ((0.55, 0.55, 0.16), 0.075), ((0.54, 0.12, 0.16), 0.05)])
    hind = chain(
        b,
        [
            ((-0.6, 1.05, 0.14), 0.22),
            ((-0.55, 0.7, 0.17), 0.12),
            ((-0.72, 0.5, 0.17), 0.07),
            ((-0.68, 0.12, 0.17), 0.05),
        ],
    )
    ear = b.cylinder(0.04, 0.14, top=0.006).rotate((8, 0, 14)).translate((0.98, 1.84, 0.07))
    a.main("body", BROWN, body, neck, head, pair(front, hind, ear))
    hoofs = [b.cylinder(0.085, 0.12, (x, 0, z), top=0.058) for x, z in ((0.55, 0.16), (-0.67, 0.17))]
    a.fixed("hoofs", DARK, pair(*hoofs))
    mane = [b.ball((0.09, 0.12, 0.035), (0.93 - 0.075 * i, 1.8 - 0.105 * i, 0)) for i in range(6)] + [
        b.ball((0.08, 0.06, 0.04), (1.08, 1.87, 0))
    ]
    tail = smooth([(-0.8, 1.2, 0.0), (-0.98, 1.1, 0.0), (-1.02, 0.8, lift), (-0.96, 0.5, lift)])
    a.second("mane", DARK, *mane)
    a.second("tail", DARK, b.tube(tail, [0.05, 0.08, 0.09, 0.02]))
    eyes(a, b, (1.13, 1.745, 0.1), 0.026)
    a.fixed("nostrils", BLACK, pair(b.ball(0.016, (1.43, 1.47, 0.04))))
    return a.parts(stretch=True)


def elephant(look: Look) -> list[Part]:
    a, b = begin(look)
    swing = 0.25 * a.vary(0.5)
    body = union(
        b.ball((1.45, 1.05, 0.95), (-0.25, 1.85, 0)),
        b.ball((0.7, 0.75, 0.62), (1.25, 2.25, 0)),
        b.limb((0.6, 2.1, 0), (1.2, 2.25, 0), 0.65, 0.55),
    )
    legs = pair(*(b.cylinder(0.33, 1.6, (x, 0, 0.5), top=0.4) for x in (0.6, -1.1)))
    trunk = smooth(
        [(1.75, 2.15, 0.0), (2.1, 1.75, 0.0), (2.2, 1.1, 0.0), (2.25, 0.55, 0.0), (2.45 + swing, 0.45, 0.0)], 7
    )
    tail = b.tube(smooth([(-1.6, 2.2, 0.0), (-1.8, 1.8, 0.0), (-1.8, 1.2, 0.0)]), [0.07, 0.04])
    a.main("body", GREY, body, legs, b.tube(trunk, [0.38, 0.27, 0.2, 0.16, 0.14]), tail)
    ear = b.ball((0.5, 0.68, 0.07), (-0.32, -0.1, 0)).rotate((0, 28, 0)).translate((1.2, 2.35, 0.58))
    a.second("ears", Paint((0.62, 0.58, 0.60)), pair(ear))
    tusk = smooth([(1.72, 1.85, 0.25), (2.05, 1.5, 0.32), (2.4, 1.5, 0.32)])
    a.fixed("tusks", CREAM, pair(b.tube(tusk, [0.09, 0.075, 0.02])))
    a.fixed(
        "toes",
        CREAM,
        pair(
            *(
                b.ball((0.07, 0.09, 0.08), (x + 0.33 * math.cos(t), 0.085, 0.5 + 0.33 * math.sin(t)))
                for x in (0.6, -1.1)
                for t in (-0.8, 0.0, 0.8)
            )
        ),
    )
    a.fixed("tuft", DARK, b.ball((0.06, 0.16, 0.06), (-1.8, 1.15, 0)))
    eyes(a, b, (1.78, 2.42, 0.37), 0.06)
    return a.parts(stretch=True)


def pig(look: Look) -> list[Part]:
    a, b = begin(look)
    skin = Paint((0.94, 0.66, 0.64))
    body = union(b.ball((0.48, 0.31, 0.29), (-0.05, 0.46, 0)), b.ball((0.22, 0.21, 0.2), (0.42, 0.56, 0)))
    legs = pair(*(b.cylinder(0.062, 0.3, (x, 0.04, 0.15), top=0.09) for x in (0.24, -0.33)))
    ear = b.cylinder(0.075, 0.14, top=0.01).scale((0.35, 1, 1)).rotate((28, 0, -38)).translate((0.42, 0.7, 0.1))
    a.main("body", skin, body, legs, pair(ear))
    a.second(
        "snout",
        PINK,
        b.rod((0.58, 0.53, 0), (0.7, 0.52, 0), 0.085),
        b.helix(0.045, 0.12, 1.5 * a.vary(0.15), 0.014).rotate((0, 0, 90)).translate((-0.5, 0.53, 0.0)),
    )
    a.fixed("nostrils", DARK, pair(b.ball((0.012, 0.024, 0.015), (0.7, 0.525, 0.03))))
    a.fixed("hoofs", BROWN, pair(*(b.cylinder(0.064, 0.06, (x, 0, 0.15)) for x in (0.24, -0.33))))
    eyes(a, b, (0.585, 0.64, 0.09), 0.022)
    return a.parts(stretch=True)


def sheep(look: Look) -> list[Part]:
    a, b = begin(look)
    fleece = [b.ball((0.42, 0.3, 0.27), (0, 0.56, 0))]
    for i in range(26):  # tufts spread evenly: the golden angle
        y = 1 - 2 * (i + 0.5) / 26
        t, r = i * 2.39996, math.sqrt(1 - y * y)
        fleece.append(
            b.half.ball(0.115 * a.vary(0.12), (0.37 * r * math.cos(t), 0.57 + 0.25 * y, 0.23 * r * math.sin(t)))
        )
    a.main("fleece", CREAM, *fleece, b.ball((0.1, 0.08, 0.11), (0.5, 0.87, 0)), b.ball(0.08, (-0.46, 0.6, 0)))
    head = union(b.limb((0.47, 0.8, 0), (0.62, 0.7, 0), 0.105, 0.075), b.limb((0.35, 0.65, 0), (0.47, 0.78, 0), 0.1))
    ear = b.ball((0.04, 0.03, 0.1), (0.45, 0.83, 0.15))
    a.second(
        "face and legs",
        DARK,
        head,
        pair(ear, *(b.cylinder(0.042, 0.4, (x, 0, 0.13), top=0.05) for x in (0.22, -0.24))),
    )
    eyes(a, b, (0.565, 0.815, 0.06), 0.024, white=True)
    return a.parts(stretch=True)


def rabbit(look: Look) -> list[Part]:
    a, b = begin(look)
    fur, tilt = Paint((0.72, 0.62, 0.53)), 14 * a.vary(0.5)
    body = union(
        b.ball((0.15, 0.115, 0.1), (-0.05, 0.12, 0)),
        b.limb((0.02, 0.13, 0), (0.1, 0.15, 0), 0.09, 0.065),
        b.ball((0.075, 0.066, 0.062), (0.15, 0.225, 0)),
        b.limb((0.09, 0.14, 0), (0.13, 0.2, 0), 0.06, 0.05),
    )
    ear = b.ball((0.022, 0.085, 0.028), (0, 0.08, 0)).rotate((8, 0, tilt)).translate((0.125, 0.27, 0.03))
    inner = b.ball((0.012, 0.065, 0.016), (0.0135, 0.08, 0)).rotate((8, 0, tilt)).translate((0.125, 0.27, 0.03))
    legs = pair(
        b.ball((0.085, 0.08, 0.045), (-0.09, 0.09, 0.075)),
        b.ball((0.075, 0.024, 0.03), (-0.04, 0.024, 0.08)),
        b.limb((0.1, 0.12, 0.035), (0.13, 0.024, 0.035), 0.03, 0.023),
    )
    a.main("body", fur, body, legs, pair(ear))
    a.second(
        "tail and muzzle",
        WHITE,
        b.ball(0.04, (-0.2, 0.13, 0)),
        pair(b.ball((0.025, 0.022, 0.024), (0.2, 0.205, 0.014))),
    )
    a.fixed("nose and ears", PINK, b.ball(0.011, (0.225, 0.224, 0)), pair(inner))
    eyes(a, b, (0.19, 0.245, 0.045), 0.0125)
    return a.parts(stretch=True)


MAMMALS = (
    Family("cat", ("cat", "kitten"), (0.62, 0.43, 0.19), cat),
    Family("dog", ("dog", "puppy"), (1.0, 0.70, 0.29), dog),
    Family("horse", ("horse", "pony"), (2.5, 1.98, 0.72), horse),
    Family("elephant", ("elephant",), (4.62, 3.0, 1.95), elephant),
    Family("pig", ("pig", "piglet"), (1.33, 0.84, 0.58), pig),
    Family("sheep", ("sheep", "lamb"), (1.25, 0.95, 0.7), sheep),
    Family("rabbit", ("rabbit", "bunny", "hare"), (0.47, 0.43, 0.24), rabbit),
)
