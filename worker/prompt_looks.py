"""Adjectives as a look: colours, finish, size and proportions of one thing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from math import sqrt

from frontdesk.worker.prompt_colours import RGB, Material, shaded
from frontdesk.worker.prompt_phrases import Described
from frontdesk.worker.prompt_words import Colour, Shade, Shape, Size
from frontdesk.worker.solids import Finish

SCALES = (0.2, 4.0)
PROPORTIONS = (0.4, 2.5)
SURFACES = 2  # that a look has colours for
VERY = 1.5  # the exponent of a factor that "very" stands before


@dataclass(slots=True)
class Surface:
    """`named`: the colour comes from a colour's name, which a material's own gives way to."""

    colour: RGB | None = None
    finish: Finish | None = None
    named: bool = False


@dataclass(slots=True)
class Dress:
    """Adjectives taken together. The first surface is the thing's own, the second its accent."""

    surfaces: list[Surface] = field(default_factory=list)
    scale: float = 1.0
    proportions: dict[str, float] = field(default_factory=lambda: {"tall": 1.0, "wide": 1.0, "deep": 1.0})
    not_understood: list[Described] = field(default_factory=list)
    surplus: list[Described] = field(default_factory=list)  # a third colour, for which nothing has a place

    @property
    def colour(self) -> RGB | None:
        return self.surfaces[0].colour if self.surfaces else None

    @property
    def finish(self) -> Finish | None:
        return self.surfaces[0].finish if self.surfaces else None

    @property
    def accent(self) -> RGB | None:
        return self.surfaces[1].colour if len(self.surfaces) > 1 else None


def dressed(adjectives: Iterable[Described], size: tuple[float, float, float]) -> Dress:
    """`size`: metres x, y, z of the thing, by which "long" and "square" know what they change."""
    dress, shade = Dress(), ""
    for word in adjectives:
        before = len(dress.surfaces)
        match word.sense:
            case Size():
                _grow(dress, word.sense, size, VERY if word.very else 1.0)
            case Shade(name):
                shade = name
            case Colour(rgb):
                _paint(dress, shaded(rgb, shade) if shade else rgb, word.joined)
                shade = ""
            case Material():
                _cover(dress, word.sense, shade, word.joined)
                shade = ""
            case Shape("square"):
                _square(dress, size)
            case _:
                dress.not_understood.append(word)
        if len(dress.surfaces) > max(before, SURFACES):
            dress.surplus.append(word)
    dress.scale = min(max(dress.scale, SCALES[0]), SCALES[1])
    dress.proportions = {
        name: round(min(max(value, PROPORTIONS[0]), PROPORTIONS[1]), 4) for name, value in dress.proportions.items()
    }
    return dress


def _grow(dress: Dress, by: Size, size: tuple[float, float, float], exponent: float) -> None:
    dress.scale *= by.scale**exponent
    dress.proportions["tall"] *= by.tall**exponent
    dress.proportions["wide"] *= by.wide**exponent
    dress.proportions["deep"] *= by.deep**exponent
    dress.proportions["wide" if size[0] >= size[2] else "deep"] *= by.long**exponent


def _square(dress: Dress, size: tuple[float, float, float]) -> None:
    """As wide as deep, with the same area."""
    dress.proportions["wide"] *= sqrt(size[2] / size[0])
    dress.proportions["deep"] *= sqrt(size[0] / size[2])


def _paint(dress: Dress, rgb: RGB, joined: bool) -> None:
    last = dress.surfaces[-1] if dress.surfaces and not joined else None
    if last is None or last.named:
        dress.surfaces.append(Surface(rgb, named=True))
    else:
        last.colour, last.named = rgb, True


def _cover(dress: Dress, material: Material, shade: str, joined: bool) -> None:
    colour = shaded(material.colour, shade) if shade and material.colour else material.colour
    last = dress.surfaces[-1] if dress.surfaces and not joined else None
    if last is None:
        dress.surfaces.append(Surface(colour, material.finish))
        return
    last.colour = last.colour or colour
    # "red polished wood": what shines is said once, and wood says nothing against it.
    last.finish = material.finish if last.finish in (None, "matte") else last.finish
