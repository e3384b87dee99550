"""Things in rows, with gaps in proportion."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from frontdesk.worker.standing import Box, Vector

ROW = 6  # things of a row; more make another row behind it
GAP = 0.15  # of the smaller of two things, between them
GAPS = (0.01, 1.0)  # metres


def gap_between(one: Box, other: Box, axis: int) -> float:
    """Metres, in proportion to the smaller one."""
    return float(np.clip(GAP * min(one.size[axis], other.size[axis]), *GAPS))


def in_rows(boxes: Sequence[Box], between: float = 0.0) -> list[Vector]:
    """How to move each so that all stand in rows from left to right, the first row in front, the middle at x = 0.

    `between`: metres that are kept free between neighbours, at least.
    """
    moves: list[Vector] = []
    front = 0.0
    rows = math.ceil(len(boxes) / ROW)
    size = math.ceil(len(boxes) / rows) if rows else 0
    for start in range(0, len(boxes), max(size, 1)):
        row = boxes[start : start + size]
        x, depth, placed = 0.0, max(float(box.size[2]) for box in row), []
        for number, box in enumerate(row):
            if number:
                x += max(gap_between(row[number - 1], box, 0) * 2, between)
            placed.append(x - float(box.low[0]))
            x += float(box.size[0])
        back = front - depth / 2 if start else 0.0
        for box, left in zip(row, placed, strict=True):
            moves.append(np.array([left - x / 2, 0.0, back - float(box.centre[2])]))
        front = back - depth / 2 - GAP * depth
    return moves
