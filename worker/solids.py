"""What the objects of the modeller are made of: parts with a colour and a finish, the look asked for, and families."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import numpy as np
from manifold3d import Manifold

from frontdesk.worker.blocks import Blocks, union

Colour = tuple[float, float, float]
Finish = Literal["matte", "metal", "glass", "glow"]
Detail = Literal["draft", "good", "best"]

SEGMENTS: Mapping[Detail, int] = {"draft": 16, "good": 32, "best": 48}
LEAST, MOST = 0.4, 2.5  # proportions beyond these no longer look like the thing


@dataclass(frozen=True)
class Part:
    """One closed solid in metres, y up, of one colour (sRGB, 0 to 1) and finish."""

    solid: Manifold
    colour: Colour
    finish: Finish
    name: str


@dataclass(frozen=True)
class Look:
    """What a prompt asks of an object; None and missing proportions mean the family's own."""

    colour: Colour | None = None
    accent: Colour | None = None
    finish: Finish | None = None
    proportions: Mapping[str, float] = field(default_factory=dict)
    detail: Detail = "good"
    seed: int = 0


@dataclass(frozen=True)
class Family:
    """A sort of object. `words`: the nouns that mean it, in the singular; `size`: metres of a usual one (x, y, z).

    `build` gives parts that stand on y = 0, centred in x and z, and face +z. `sits_on`: others may stand on its top.
    """

    name: str
    words: tuple[str, ...]
    size: tuple[float, float, float]
    build: Callable[[Look], list[Part]]
    sits_on: bool = False


class Paint(NamedTuple):
    """What a part looks like when nothing else is asked."""

    colour: Colour
    finish: Finish = "matte"


class Assembly:
    """Gathers the parts of one object and dresses them by a look.

    `x`, `y`, `z` are the proportions asked for; `random` depends on the look's seed alone, not on the detail.
    """

    def __init__(self, look: Look) -> None:
        self.x, self.y, self.z = (
            max(LEAST, min(look.proportions.get(name, 1.0), MOST)) for name in ("wide", "tall", "deep")
        )
        self.random = np.random.default_rng(look.seed % 2**63)
        self._look = look
        self._parts: list[Part] = []

    def vary(self, share: float) -> float:
        """A factor near 1, at most `share` away."""
        return float(1 + self.random.uniform(-share, share))

    def main(self, name: str, paint: Paint, *solids: Manifold) -> None:
        """A part that takes the colour and the finish asked for."""
        self._add(name, self._look.colour or paint.colour, self._look.finish or paint.finish, *solids)

    def second(self, name: str, paint: Paint, *solids: Manifold) -> None:
        """A part that takes the accent."""
        self._add(name, self._look.accent or paint.colour, paint.finish, *solids)

    def fixed(self, name: str, paint: Paint, *solids: Manifold) -> None:
        """A part that looks the same whatever is asked: a bulb, an eye, a tyre."""
        self._add(name, paint.colour, paint.finish, *solids)

    def parts(self, stretch: bool = False) -> list[Part]:
        """All parts, moved to stand on y = 0 and centred in x and z.

        `stretch` scales the whole by the proportions: for families that did not use `x`, `y` and `z` themselves.
        """
        if stretch:
            self._parts = [_moved(part, scale=(self.x, self.y, self.z)) for part in self._parts]
        boxes = np.array([part.solid.bounding_box() for part in self._parts])
        low, high = boxes[:, :3].min(0), boxes[:, 3:].max(0)
        shift = (-(low[0] + high[0]) / 2, -low[1], -(low[2] + high[2]) / 2)
        return [_moved(part, shift=shift) for part in self._parts]

    def _add(self, name: str, colour: Colour, finish: Finish, *solids: Manifold) -> None:
        self._parts.append(Part(union(*solids), colour, finish, name))


def begin(look: Look) -> tuple[Assembly, Blocks]:
    """An empty assembly, and the blocks to fill it with in the fineness asked for."""
    return Assembly(look), Blocks(SEGMENTS[look.detail])


def _moved(
    part: Part, shift: tuple[float, float, float] = (0, 0, 0), scale: tuple[float, float, float] = (1, 1, 1)
) -> Part:
    return Part(part.solid.scale(scale).translate(shift), part.colour, part.finish, part.name)
