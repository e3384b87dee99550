"""Learning curves as lines in a drawing: pure arithmetic from shares to points."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 640, 320  # of the drawing, in its own units
LEFT, RIGHT, TOP, BOTTOM = 52, 12, 12, 44  # margins
STEPS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2)


@dataclass(frozen=True, slots=True)
class Curve:
    """`rank` of its entry on the board, what it is called, and a share of 0 to 1 after each epoch."""

    rank: int
    name: str
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Drawing:
    """lines: (curve, "M 1 2 L 3 4"). across and up: places and labels of the marks on the axes."""

    lines: tuple[tuple[Curve, str], ...]
    across: tuple[tuple[float, str], ...]
    up: tuple[tuple[float, str], ...]
    left: float = LEFT
    right: float = WIDTH - RIGHT
    top: float = TOP
    bottom: float = HEIGHT - BOTTOM
    width: int = WIDTH
    height: int = HEIGHT


def drawing(curves: Sequence[Curve]) -> Drawing | None:
    """All curves in one drawing over epochs 1 to the last; None without any point."""
    curves = [curve for curve in curves if curve.values]
    if not curves:
        return None
    epochs = max(len(curve.values) for curve in curves)
    low, high, step = _range([value for curve in curves for value in curve.values])

    def x(epoch: int) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * ((epoch - 1) / (epochs - 1) if epochs > 1 else 0.5)

    def y(value: float) -> float:
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (value - low) / (high - low)

    def line(curve: Curve) -> str:
        points = [f"{x(epoch):.1f} {y(value):.1f}" for epoch, value in enumerate(curve.values, start=1)]
        return f"M {' L '.join(points if len(points) > 1 else points * 2)}"

    every = max(1, math.ceil(epochs / 8))
    marks = [*range(1, epochs + 1, every)]
    digits = 1 if step < 0.01 else 0
    levels = [low + step * count for count in range(round((high - low) / step) + 1)]
    return Drawing(
        tuple((curve, line(curve)) for curve in curves),
        tuple((x(epoch), str(epoch)) for epoch in marks),
        tuple((y(level), f"{100 * level:.{digits}f} %") for level in levels),
    )


def _range(values: Sequence[float]) -> tuple[float, float, float]:
    """From where to where, and in which steps: at most seven of them, which hold all values."""
    low, high = min(values), max(values)
    for step in STEPS:
        below, above = math.floor(low / step + 1e-9) * step, math.ceil(high / step - 1e-9) * step
        if above <= below:
            above = below + step
        if round((above - below) / step) <= 6:
            break
    return below, min(above, max(1.0, below + step)), step
