"""What animals are made of: chains of limbs, pairs, eyes."""

from __future__ import annotations

from itertools import pairwise

from manifold3d import Manifold

from frontdesk.worker.blocks import (
    Blocks,
    Point,
    mirrored,
    union,
)
from frontdesk.worker.paints import (
    BLACK,
    WHITE,
)
from frontdesk.worker.solids import Assembly

Z: Point = (0, 0, 1)  # mirrored across the plane of x and y: left and right
Chain = list[tuple[Point, float]]


def chain(b: Blocks, points: Chain) -> Manifold:
    """Limbs from ball to ball."""
    return union(*(b.limb(p, q, r, s) for (p, r), (q, s) in pairwise(points)))


def pair(*solids: Manifold) -> Manifold:
    return mirrored(*solids, axis=Z)


def eyes(a: Assembly, b: Blocks, at: Point, radius: float, white: bool = False) -> None:
    """Dark eyes at a place and its mirror image; with whites around them where asked."""
    if white:
        a.fixed("whites", WHITE, pair(b.ball(radius, at)))
        at, radius = (at[0] + radius * 0.5, at[1], at[2] + radius * 0.4), radius * 0.6
    a.fixed("eyes", BLACK, pair(b.ball(radius, at)))
