"""Tokens as phrases: each a thing, a part of one, a pronoun or loose adjectives, and the links between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from frontdesk.worker.prompt_colours import Material
from frontdesk.worker.prompt_tokens import AND, COMMA, STOP, Token, tokens
from frontdesk.worker.prompt_words import (
    LONGEST,
    UNITS,
    Colour,
    Count,
    Link,
    Multiplier,
    Plain,
    Sense,
    Shade,
    Shape,
    Size,
    Words,
    closed_words,
    singular_part,
)
from frontdesk.worker.vocabulary import Noun, Vocabulary

MOST_COUNTED = 10**6

Adjective: TypeAlias = Size | Colour | Shade | Material | Shape


@dataclass(slots=True)
class Described:
    """A word before a noun. `sense` is None where nothing is known of it; `noun`: what it would be by itself."""

    position: int
    typed: str
    keys: Words
    sense: Adjective | None
    noun: Noun | None = None
    very: bool = False
    joined: bool = False  # "and" or a comma stands before it


@dataclass(slots=True)
class Phrase:
    """What stands between two links or articles. A phrase without noun, part and pronoun adds to the one before."""

    position: int
    count: int | None = None
    vague: bool = False
    determined: bool = False
    definite: bool = False
    adjectives: list[Described] = field(default_factory=list)
    noun: Noun | None = None
    typed: str = ""
    named_at: int = 0  # the position of the noun or the part
    after: list[Described] = field(default_factory=list)  # unknown words behind the noun
    pronoun: Literal["it", "one"] | None = None
    part: bool = False
    elliptic: bool = False  # "a red" of "a red and a white chair"

    @property
    def empty(self) -> bool:
        return not (self.determined or self.adjectives or self.noun or self.pronoun or self.part)

    @property
    def bare(self) -> bool:
        """Whether it names nothing yet."""
        return not (self.noun or self.part or self.pronoun)


@dataclass(frozen=True, slots=True)
class Break:
    """The end of a sentence."""


Element: TypeAlias = Phrase | Link | Break


class PhraseReader:
    """Reads from left to right; every word is looked up a bounded number of times."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self._closed = closed_words()

    def read(self, prompt: str) -> list[Element]:
        found = tokens(prompt, self._known)
        reading = _Reading()
        position = 0
        while position < len(found):
            if found[position].typed:
                position += self._take(reading, found, position)
            else:
                reading.punctuation(found[position].key)
                position += 1
        reading.close()
        return reading.elements

    def _known(self, word: str) -> bool:
        vocabulary = self._vocabulary
        return (word,) in self._closed or word in vocabulary.parts or vocabulary.noun((word,)) is not None

    def _take(self, reading: _Reading, found: Sequence[Token], position: int) -> int:
        """Take the longest known phrase that begins here. Returns how many tokens it has."""
        ahead = found[position : position + LONGEST]
        keys = tuple(token.key for token in ahead)
        for length in range(len(ahead), 0, -1):
            words = keys[:length]
            noun, sense = self._vocabulary.noun(words), self._closed.get(words)
            if noun or sense:
                typed = " ".join(token.typed for token in ahead[:length])
                reading.word(Described(position, typed, words, None, noun), sense)
                return length
        word = Described(position, ahead[0].typed, keys[:1], None)
        number = _number(keys[0])
        if number is not None and keys[1:2] and keys[1] in UNITS:
            word.typed += f" {ahead[1].typed}"
            reading.unknown(word)
            return 2
        if number is not None:
            reading.word(word, Count(number))
        elif self._closed.get((singular_part(keys[0]),)) == Plain("part"):
            reading.word(word, Plain("part"))
        else:
            reading.unknown(word)
        return 1


def _number(key: str) -> int | None:
    """A whole number, also with thousands parted by commas, or as in "3x"; None for anything else."""
    digits = key.removesuffix("x").removesuffix("\N{MULTIPLICATION SIGN}")
    first, *groups = digits.split(",")
    if groups and not (len(first) <= 3 and all(len(group) == 3 for group in groups)):
        return None
    digits = first + "".join(groups)
    if not digits.isdecimal():
        return None
    return int(digits) if len(digits) < 7 else MOST_COUNTED


class _Reading:
    """The elements so far, and the phrase that is being read."""

    def __init__(self) -> None:
        self.elements: list[Element] = []
        self._phrase = Phrase(0)
        self._very = False
        self._joined = False  # "and" or a comma came since the last word of a phrase that has no noun yet

    def punctuation(self, mark: str) -> None:
        if mark == STOP:
            self.close()
            self.elements.append(Break())
        elif mark in (COMMA, AND):
            self._and(comma=mark == COMMA)

    def word(self, word: Described, sense: Sense | None) -> None:
        """A known word or phrase: `word.noun`, `sense`, or both."""
        if isinstance(sense, Size | Colour | Shade | Material | Shape) and not (word.noun and word.noun.plural):
            word.sense = sense
            self._adjective(word)
        elif word.noun:
            self._noun(word, word.noun)
        elif isinstance(sense, Count):
            self._count(word.position, sense)
        elif isinstance(sense, Multiplier):
            self._multiply(word.position, sense.number)
        elif isinstance(sense, Link):
            if sense.kind == "and":
                self._and()
            else:
                self._link(sense)
        elif isinstance(sense, Plain):
            self._plain(word, sense)

    def unknown(self, word: Described) -> None:
        if self._phrase.noun or self._phrase.part:
            self._phrase.after.append(word)
        else:
            self._begin(word.position).adjectives.append(word)
            self._joined = False

    def close(self, *, before_count: bool = False) -> None:
        """End the phrase. `before_count`: because another begins ("a red and | a white chair")."""
        phrase, self._phrase = self._phrase, Phrase(0)
        joined, self._joined, self._very = self._joined, False, False
        if phrase.empty:
            return
        if phrase.bare and phrase.adjectives:
            last = phrase.adjectives[-1]
            made_of = self.elements[-1:] in ([Link("of")], [Link("inside")])
            if last.noun and (phrase.determined or not made_of):  # "an orange": no other noun came
                phrase.adjectives.pop()
                phrase.noun, phrase.typed, phrase.named_at = last.noun, last.typed, last.position
            elif before_count and joined and phrase.determined:
                phrase.elliptic = all(word.sense for word in phrase.adjectives)
        self.elements.append(phrase)
        if joined:
            self.elements.append(Link("and"))

    def _begin(self, position: int) -> Phrase:
        if self._phrase.empty:
            self._phrase.position = position
        return self._phrase

    def _and(self, *, comma: bool = False) -> None:
        """Between adjectives it joins them; after a noun, or an unknown word that may be one, it ends the phrase."""
        phrase = self._phrase
        listed = comma and len(phrase.adjectives) > 1 and phrase.adjectives[-2].sense
        if phrase.bare and phrase.adjectives and (phrase.adjectives[-1].sense or listed):
            self._joined = True
        else:
            self._link(Link("and"))

    def _link(self, link: Link) -> None:
        self.close()
        self.elements.append(link)

    def _count(self, position: int, count: Count) -> None:
        phrase = self._phrase
        if phrase.adjectives or not phrase.bare or (phrase.count is not None and not phrase.vague):
            self.close(before_count=True)
        phrase = self._begin(position)
        phrase.determined = True
        phrase.definite = phrase.definite or count.definite
        if count.number is not None:
            phrase.count, phrase.vague = count.number, count.vague

    def _multiply(self, position: int, number: int) -> None:
        if self._phrase.adjectives or not self._phrase.bare:
            self.close(before_count=True)
        phrase = self._begin(position)
        phrase.determined = True
        phrase.count = min((1 if phrase.count is None else phrase.count) * number, MOST_COUNTED)

    def _plain(self, word: Described, plain: Plain) -> None:
        phrase = self._phrase
        if plain.use == "very":
            self._very = True
        elif plain.use == "part":
            if not phrase.bare:
                self.close()
            phrase = self._begin(word.position)
            phrase.part, phrase.typed, phrase.named_at = True, word.typed, word.position
        elif plain.use == "it":
            self.close()
            self._begin(word.position).pronoun = "it"
            self.close()
        elif plain.use == "one" and phrase.bare and phrase.adjectives and not self._joined:
            phrase.pronoun = "one"
            self.close()
        elif plain.use == "one":
            self._count(word.position, Count(1))

    def _adjective(self, word: Described) -> None:
        if word.sense == Shape("round") and self._phrase.noun:
            self._link(Link("around"))  # "chairs round a table"
            return
        if not self._phrase.bare:
            self.close()
        word.very, word.joined, self._very, self._joined = self._very, self._joined, False, False
        self._begin(word.position).adjectives.append(word)

    def _noun(self, word: Described, noun: Noun) -> None:
        phrase = self._phrase
        if phrase.noun and phrase.determined and not phrase.noun.plural:  # "an apple tree": only the tree counts
            phrase.adjectives.append(Described(phrase.named_at, phrase.typed, (phrase.noun.head,), None))
            phrase.adjectives += phrase.after
            phrase.after = []
        elif not phrase.bare:
            self.close()
        phrase = self._begin(word.position)
        phrase.noun, phrase.typed, phrase.named_at, phrase.part = noun, word.typed, word.position, False
        self._joined = False
