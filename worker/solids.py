"""What an object is made of: solid parts with a colour and a finish, and the families that build them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from manifold3d import Manifold

Finish = Literal["matte", "metal", "glass", "glow"]
Colour = tuple[float, float, float]


@dataclass(frozen=True)
class Part:
    solid: Manifold
    colour: Colour
    finish: Finish
    name: str


@dataclass(frozen=True)
class Look:
    colour: Colour | None
    accent: Colour | None
    finish: Finish | None
    proportions: Mapping[str, float]
    detail: Literal["draft", "good", "best"]
    seed: int


@dataclass(frozen=True)
class Family:
    name: str
    words: tuple[str, ...]
    size: tuple[float, float, float]
    build: Callable[[Look], list[Part]]
    sits_on: bool


FAMILIES: Mapping[str, Family] = {}
