"""What tests ask of an object's parts: how large they are together, and whether they hang together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from frontdesk.worker.solids import Part

TOUCH = 0.002  # of an object's largest side: what the eye takes for touching


def sides(parts: Sequence[Part]) -> NDArray[np.float64]:
    """Metres in x, y and z of the box about all parts."""
    boxes = np.array([part.solid.bounding_box() for part in parts])
    return np.asarray(boxes[:, 3:].max(0) - boxes[:, :3].min(0))


def loose(parts: Sequence[Part]) -> list[str]:
    """The parts with bodies that do not hang together with the largest body, directly or by way of others."""
    reach = float(sides(parts).max()) * TOUCH
    bodies = [(body, part.name) for part in parts for body in part.solid.decompose()]
    boxes = np.array([body.bounding_box() for body, _ in bodies])
    todo = [int(np.argmax((boxes[:, 3:] - boxes[:, :3]).prod(1)))]
    apart = np.ones(len(bodies), bool)
    apart[todo] = False
    while todo:
        here = todo.pop()
        low, high = boxes[here, :3] - reach, boxes[here, 3:] + reach
        near = apart & (boxes[:, :3] <= high).all(1) & (boxes[:, 3:] >= low).all(1)
        for other in np.flatnonzero(near):
            if bodies[here][0].min_gap(bodies[other][0], 2 * reach) <= reach:
                apart[other] = False
                todo.append(int(other))
    return [bodies[i][1] for i in np.flatnonzero(apart)]
