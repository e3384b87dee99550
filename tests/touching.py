"""What tests ask of an object's parts: how large they are together, and whether they hang together."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from frontdesk.worker.solids import Part

TOUCH = 0.002  # of an object's largest side: what the eye takes for touching


def sides(parts: Sequence[Part]) -> NDArray[np.float64]:
    """Metres in x, y and z of the box about all parts."""
    boxes = np.array([part.solid.bounding_box() for part in parts])
    return np.asarray(boxes[:, 3:].max(0) - boxes[:, :3].min(0))


def groups(parts: Sequence[Part]) -> int:
    """How many groups of loose bodies remain when those that touch are one; 1: an object in one piece."""
    reach = float(sides(parts).max()) * TOUCH
    bodies = sorted((body for part in parts for body in part.solid.decompose()), key=lambda body: -body.num_tri())
    boxes = np.array([body.bounding_box() for body in bodies])
    leader = list(range(len(bodies)))

    def find(i: int) -> int:
        while leader[i] != i:
            i = leader[i]
        return i

    for i, j in combinations(range(len(bodies)), 2):
        near = (boxes[i, :3] <= boxes[j, 3:] + reach).all() and (boxes[j, :3] <= boxes[i, 3:] + reach).all()
        if near and find(i) != find(j) and bodies[i].min_gap(bodies[j], 2 * reach) <= reach:
            leader[find(i)] = find(j)
    return len({find(i) for i in range(len(bodies))})
