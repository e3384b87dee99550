"""What a job is likely to cost: the kind's declaration, corrected by what jobs of its size took here."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Estimate:
    """`cost` in device-seconds; `model` serves the kind just now ("" before a worker told)."""

    cost: float
    model: str


def estimated(declared: float, model: str, measured: Mapping[bytes, bytes]) -> Estimate:
    """The declared cost times measured over declared cost, of the same model and the nearest size.

    measured: by "SIZE|MODEL", "COUNT RATIO", where SIZE is the whole part of the declared cost's binary logarithm.
    Another model's figures are better than none; without any, the declaration stands.
    """
    if declared <= 0:
        return Estimate(declared, model)
    own = math.floor(math.log2(declared))
    ratios = [found for field, value in measured.items() if (found := _ratio(field, value)) is not None]
    if not ratios:
        return Estimate(declared, model)
    _, _, ratio = min((named != model, abs(size - own), ratio) for size, named, ratio in ratios)
    return Estimate(declared * ratio, model)


def _ratio(field: bytes, value: bytes) -> tuple[int, str, float] | None:
    """Size, model and ratio of one entry; None where somebody else wrote it."""
    size, _, model = field.decode("utf-8", "replace").partition("|")
    try:
        ratio = float(value.split(b" ")[1])
        return (int(size), model, ratio) if 0 < ratio < math.inf else None
    except (ValueError, IndexError):
        return None
