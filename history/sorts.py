"""The sorts of vectors that an object is found by, and how many numbers each has."""

from __future__ import annotations

from typing import Literal, TypeAlias

Sort: TypeAlias = Literal["meaning", "shape"]

WIDTHS: dict[Sort, int] = {"meaning": 384, "shape": 192}
