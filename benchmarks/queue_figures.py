"""Reads figures out of what the rounds found: a list of rounds by queue; in each, by measure, figures or a failure."""

from __future__ import annotations

import statistics
from typing import Any


def values(figures: dict[str, Any], peer: str, measure: str, figure: str) -> list[float | None]:
    """One figure of a queue, round by round; rounds in which the measure failed are left out."""
    turns = [turn.get(measure) for turn in figures["found"].get(peer, [])]
    return [turn[figure] for turn in turns if isinstance(turn, dict) and figure in turn]


def median(figures: dict[str, Any], peer: str, measure: str, figure: str) -> float | None:
    """None where there is none, and where it did not happen in time in some round."""
    each = values(figures, peer, measure, figure)
    numbers = [value for value in each if value is not None]
    return statistics.median(numbers) if numbers and len(numbers) == len(each) else None


def ratios(figures: dict[str, Any], one: str, other: str, measure: str, figure: str) -> list[float]:
    """One queue's figure over another's, round by round: what came in one round is compared."""
    pairs = zip(figures["found"].get(one, []), figures["found"].get(other, []), strict=False)
    turns = ((turn.get(measure), against.get(measure)) for turn, against in pairs)
    return [a[figure] / b[figure] for a, b in turns if isinstance(a, dict) and isinstance(b, dict)]


def total(figures: dict[str, Any], peer: str, figure: str) -> int:
    """The sum over all rounds and measures that have it."""
    turns = (turn for each in figures["found"][peer] for turn in each.values())
    return sum(int(turn.get(figure, 0)) for turn in turns if isinstance(turn, dict))


def failures(figures: dict[str, Any], peer: str) -> list[str]:
    """What was said where a measure failed."""
    return [turn for each in figures["found"][peer] for turn in each.values() if isinstance(turn, str)]
