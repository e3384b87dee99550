"""What a prompt asks for: families of objects, how they look, and where they stand to one another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from frontdesk.worker.solids import Look

MAX_ITEMS = 12
MAX_OBJECTS = 24
WORN = frozenset({"hat", "cap", "crown", "helmet"})  # words of what belongs on top, whoever has it
STEMMED = frozenset({"flower", "tulip"})

RelationKind: TypeAlias = Literal[
    "on", "under", "beside", "behind", "in_front_of", "left_of", "right_of", "around", "between", "inside"
]


@dataclass(frozen=True)
class Relation:
    """Where an item stands: `other` is the index of an earlier or later item of the scene.

    `between`: between the copies of `other` where that has two or more, else between `other` and the item after it.
    """

    kind: RelationKind
    other: int


@dataclass(frozen=True)
class Item:
    """`count` equal objects of one family. `scale` multiplies the size of a usual one."""

    family: str
    count: int
    look: Look
    scale: float
    relation: Relation | None


@dataclass(frozen=True)
class Scene:
    """At most MAX_ITEMS items and MAX_OBJECTS objects. `unknown`: the words that were not understood, as typed."""

    items: tuple[Item, ...]
    unknown: tuple[str, ...]


@dataclass(frozen=True)
class Meaning:
    """A word that no family has, taken for one by its meaning. `likeness`: the cosine of both, 0 to 1."""

    typed: str
    family: str
    likeness: float


@dataclass(frozen=True)
class Understood:
    """A prompt's scene, and what the reply should say of how it came about.

    `left_out`: what was understood but is more than a scene holds, such as "76 chairs".
    """

    scene: Scene
    meanings: tuple[Meaning, ...]
    left_out: tuple[str, ...]
