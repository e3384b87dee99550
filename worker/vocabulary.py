"""The nouns of the families, in the singular and the plural, with the adjectives that are part of a name."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from frontdesk.worker.prompt_words import LONGEST, Words
from frontdesk.worker.solids import Family

_IRREGULAR = {
    "people": "person", "children": "child", "feet": "foot", "teeth": "tooth",
    "geese": "goose", "mice": "mouse", "oxen": "ox", "dice": "die", "cacti": "cactus",
    "fungi": "fungus", "loaves": "loaf", "hooves": "hoof", "chassis": "chassis",
}  # fmt: skip
_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Noun:
    """`family` is what the words mean by themselves; `head` is their last word in the singular.

    `several`: what more than one of it is, where that is something else ("glasses", "two glasses").
    """

    family: str
    head: str
    plural: bool
    several: str | None = None


class Vocabulary:
    """Finds families by the words they have. The first family that has a word keeps it."""

    def __init__(self, families: Mapping[str, Family]) -> None:
        self.families = families
        self._nouns: dict[Words, str] = {}
        self.parts: set[str] = set()  # words of names of several words
        self._by_head: defaultdict[str, list[tuple[frozenset[str], str]]] = defaultdict(list)
        for name, family in families.items():
            for words in (*family.words, name):
                key = tuple(_WORD.findall(words.casefold()))
                if key and len(key) <= LONGEST and self._nouns.setdefault(key, name) == name and len(key) > 1:
                    self._by_head[key[-1]].append((frozenset(key[:-1]), name))
                    self.parts.update(key)

    def noun(self, words: Words) -> Noun | None:
        """What these words, in lower case, mean as a whole."""
        if (family := self._nouns.get(words)) is not None:
            others = (self._nouns.get((*words[:-1], one)) for one in singulars(words[-1]))
            return Noun(family, words[-1], plural=False, several=next(filter(None, others), None))
        for singular in singulars(words[-1]):
            if (family := self._nouns.get((*words[:-1], singular))) is not None:
                return Noun(family, singular, plural=True)
        return None

    def refined(self, noun: Noun, adjectives: Collection[str]) -> tuple[str, frozenset[str]]:
        """The family whose name has most of the adjectives ("round", "wooden" table), and those that it has."""
        best: tuple[str, frozenset[str]] = (noun.family, frozenset())
        for needed, family in self._by_head.get(noun.head, ()):
            if len(needed) > len(best[1]) and needed <= set(adjectives):
                best = (family, needed)
        return best


def singulars(word: str) -> Iterator[str]:
    """What a plural may be the plural of, likeliest first. Not every one is a word."""
    if word in _IRREGULAR:
        yield _IRREGULAR[word]
    elif word.endswith("men"):
        yield word[:-3] + "man"
    if len(word) < 3 or not word.endswith("s") or word.endswith("ss"):
        return
    if word.endswith("ies"):
        yield word[:-3] + "y"
    if word.endswith("ves"):
        yield word[:-3] + "f"
        yield word[:-3] + "fe"
    yield word[:-1]
    if word.endswith("es"):
        yield word[:-2]
    if word.endswith("zzes"):
        yield word[:-3]
