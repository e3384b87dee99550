"""The words a prompt is put together with: counts, sizes, shades, relations, and those that say nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Literal, TypeAlias

from frontdesk.worker.prompt_colours import MATERIALS, RGB, SHADES, Material, colours
from frontdesk.worker.scene import RelationKind

Words: TypeAlias = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Count:
    """`vague` gives way to a number that follows ("a row of five"); `definite` may mean what was named before."""

    number: int | None
    definite: bool = False
    vague: bool = False


@dataclass(frozen=True, slots=True)
class Multiplier:
    number: int


@dataclass(frozen=True, slots=True)
class Size:
    """Factors. `long` goes along the longer side of what it is said of."""

    scale: float = 1.0
    tall: float = 1.0
    wide: float = 1.0
    deep: float = 1.0
    long: float = 1.0


@dataclass(frozen=True, slots=True)
class Colour:
    rgb: RGB


@dataclass(frozen=True, slots=True)
class Shade:
    name: str


@dataclass(frozen=True, slots=True)
class Shape:
    """`name` is how a family's name would say it."""

    name: str


@dataclass(frozen=True, slots=True)
class Link:
    """How what follows stands to what was before.

    `reverse`: what follows is the one that stands there ("a table surrounded by chairs"). `with` decides by the sizes.
    """

    kind: RelationKind | Literal["with", "of", "and", "without", "each"]
    reverse: bool = False


@dataclass(frozen=True, slots=True)
class Plain:
    """A word with one use. `one` stands for a noun, `it` for a thing; `part` names a part of a thing."""

    use: Literal["very", "part", "it", "one", "stop"]


Sense: TypeAlias = Count | Multiplier | Size | Colour | Shade | Material | Shape | Link | Plain

LONGEST = 5  # words of the longest phrase here and of a family's name
UNITS = frozenset({"m", "cm", "mm", "km", "metre", "metres", "meter", "meters", "ft", "foot", "feet", "inch", "inches"})

_NUMBERS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen twenty"
)
_COUNTS: Mapping[str, Count] = {
    "a/an/another/some/any/its/my/your/our/his/her/their": Count(None),
    "the/this/these/those/all/all the/all of the": Count(None, definite=True),
    "a single/single/exactly one/only one/just one/a lone/a solitary": Count(1),
    "a pair of/pair of/a couple of/couple of/both/a couple/twin": Count(2),
    "several/a few/few/various/multiple/a trio of/a number of": Count(3),
    "many/lots of/a lot of/plenty of/numerous": Count(5),
    "half a dozen": Count(6),
    "a dozen": Count(12),
    "a hundred": Count(100),
    "a thousand": Count(1000),
    "no/not any": Count(0),
}
_VAGUE = (
    "a row of/a line of/a group of/a set of/a bunch of/a stack of/a pile of/a heap of/a collection of/a cluster of/"
    "rows of/groups of/stacks of/piles of/a circle of/a herd of/a flock of/a bouquet of"
)
_SIZES: Mapping[str, Size] = {
    "tiny/minuscule/microscopic/toy": Size(scale=0.4),
    "small/little/mini/miniature/petite/smaller": Size(scale=0.7),
    "large/big/oversized/larger/bigger/great": Size(scale=1.4),
    "huge/giant/enormous/gigantic/massive/colossal/immense": Size(scale=2.0),
    "tall/high/taller": Size(tall=1.4),
    "short/low/shorter/squat": Size(tall=0.7),
    "wide/broad/wider": Size(wide=1.4),
    "narrow/narrower": Size(wide=0.7),
    "long/longer/elongated": Size(long=1.5),
    "thin/slim/slender/skinny/thinner": Size(wide=0.7, deep=0.7),
    "thick/fat/chubby/plump/chunky/stout/thicker": Size(wide=1.3, deep=1.3),
    "flat/flattened/flatter": Size(tall=0.5),
    "shallow": Size(deep=0.7),
}
_SHAPES = {
    "round": "round/circular/rounded",
    "square": "square",
    "oval": "oval/elliptical",
    "rectangular": "rectangular/oblong",
}
_LINKS: Mapping[str, Link] = {
    "on/on top of/upon/atop/onto/over/above/on the top of/on top": Link("on"),
    "topped with/topped by": Link("on", reverse=True),
    "under/beneath/below/underneath": Link("under"),
    "beside/next to/by/near/near to/close to/alongside/adjacent to/at/by the side of/at the side of/on the side of/"
    "against/nearby/across from/leaning on/leaning against/propped against": Link("beside"),
    "behind/in back of/at the back of/in the back of": Link("behind"),
    "in front of/facing/in the front of/before": Link("in_front_of"),
    "to the left of/left of/on the left of/at the left of/"
    "on the left side of/to left of/on the left/to the left/on its left": Link("left_of"),
    "to the right of/right of/on the right of/at the right of/"
    "on the right side of/to right of/on the right/to the right/on its right": Link("right_of"),
    "around/surrounding/encircling/all around/circling": Link("around"),
    "surrounded by/surrounded with/encircled by": Link("around", reverse=True),
    "between/in between/in the middle of": Link("between"),
    "inside/in/within/into/inside of": Link("inside"),
    "containing/full of/filled with/that contains": Link("inside", reverse=True),
    "with/wearing/holding/carrying/having/has/that has/which has/featuring/including/along with/together with/"
    "accompanied by": Link("with"),
    "of/made of/made from/made out of/out of/made in/painted/coloured/colored/painted in": Link("of"),
    "and/plus/as well as/also": Link("and"),
    "without/not with/with no/with no": Link("without"),
    "each": Link("each"),
}
_PLAIN: Mapping[Literal["very", "part", "it", "one", "stop"], str] = {
    "very": "very/really/extremely/super/incredibly/so",
    "part": "leg/seat/backrest/top/tabletop/handle/shade/lid/door/roof/base/foot/feet/wheel/wing/nose/trim/edge/stripe/"
    "spot/dot/arm/cushion/pillow/window/wall/frame/stem/trunk/leaf/petal/sail/rim/tail/ear/belly/accent/detail",
    "it": "it/them/itself/themselves/one another/each other/itself",
    "one": "one/ones",
    "stop": "is/are/was/were/be/being/been/that/which/who/there/there is/there are/here/please/make/create/generate/"
    "model/build/draw/render/show/give/sculpt/design/i/me/we/us/you/want/would/like/need/can/could/will/should/to/from/"
    "a model of/a render of/a rendering of/a picture of/a photo of/an image of/a drawing of/a sculpture of/for/so/do/"
    "a 3d model of/model of/picture of/photo of/image of/a scene with/a scene of/scene with/scene of/a scene/the scene/"
    "a 3d object of/3d/object/objects/thing/things/as/but/or/then/just/only/quite/rather/some sort of/a kind of/"
    "a sort of/kind of/sort of/sitting/standing/lying/resting/placed/sits/stands/lies/rests/perched/laying/sit/stand/"
    "lie/put/set/located/positioned/leaning/hanging/floating/arranged/i'd/i'll/it's/let's/there's/don't/not/this is/"
    "it is/does/did/have/had/shape/shaped/sized/size/style/type/colour/color/made/in the background/in the foreground/"
    "in the middle/in the centre/in the center/of them/side by side/in a row/in total/standard/ordinary/normal/regular/"
    "usual/simple/plain/basic/classic/typical/medium/medium-sized/hi/hello/thanks",
}


@cache
def closed_words() -> Mapping[Words, Sense]:
    """Every word or phrase of the grammar itself. Nouns are in a `Vocabulary`."""
    found: dict[Words, Sense] = {}

    def add(names: str, sense: Sense) -> None:
        for name in names.split("/"):
            found[tuple(name.split())] = sense

    for use, names in _PLAIN.items():
        add(names, Plain(use))
    for words, rgb in colours().items():
        found[words] = Colour(rgb)
    for name, material in MATERIALS.items():
        add(name, material)
    for name, shade in SHADES.items():
        add(name, Shade(shade))
    for number, name in enumerate(_NUMBERS.split()):
        if name != "one":  # may stand for a noun: "a red one"
            add(name, Count(number))
    for table in (_COUNTS, _SIZES, _LINKS):
        for names, sense in table.items():
            add(names, sense)
    add(_VAGUE, Count(3, vague=True))
    for shape, names in _SHAPES.items():
        add(names, Shape(shape))
    for name, number in (("dozen", 12), ("dozens of", 12), ("hundred", 100), ("thousand", 1000), ("million", 10**6)):
        add(name, Multiplier(number))
    return found


def singular_part(word: str) -> str:
    """The singular of a part's name: "legs" is "leg"; other words as they are."""
    return {"leaves": "leaf", "bellies": "belly"}.get(word, word.removesuffix("s"))
