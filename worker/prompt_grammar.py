"""English prompts as scenes. Any text gives a scene, maybe an empty one.

A deterministic grammar over the families' nouns, in time proportional to the prompt's length. Nouns that no family has
may be matched by meaning; every other word that it does not understand is reported as typed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, Protocol

from frontdesk.worker.prompt_colours import Material
from frontdesk.worker.prompt_phrases import Break, Element, Phrase, PhraseReader
from frontdesk.worker.prompt_scene import SceneBuilder
from frontdesk.worker.prompt_words import Colour, Link
from frontdesk.worker.scene import Meaning, Understood
from frontdesk.worker.solids import Family
from frontdesk.worker.vocabulary import Noun, Vocabulary

MAX_ASKED = 8  # phrases of a prompt that are looked up by meaning: each costs some milliseconds
MAX_WORD = 40  # letters; longer ones are no words


class ByMeaning(Protocol):
    """Finds families for words that no family has."""

    def nearest(self, phrases: Sequence[str]) -> Sequence[tuple[str, float] | None]:
        """For each phrase a family's name and the likeness, or None where nothing is near enough."""


class Grammar:
    """Understands prompts over some families, by their words alone or also by meaning."""

    def __init__(self, families: Mapping[str, Family], meaning: ByMeaning | None = None) -> None:
        self._vocabulary = Vocabulary(families)
        self._reader = PhraseReader(self._vocabulary)
        self._meaning = meaning

    def understand(
        self, prompt: str, *, seed: int = 0, detail: Literal["draft", "good", "best"] = "good"
    ) -> Understood:
        """The scene of a prompt, the same for the same prompt and seed."""
        elements = self._reader.read(prompt)
        meanings = self._by_meaning(elements)
        builder = SceneBuilder(self._vocabulary, seed=seed, detail=detail)
        for element in elements:
            builder.add(element)
        return Understood(builder.scene(), tuple(meanings), tuple(builder.left_out))

    def _by_meaning(self, elements: Sequence[Element]) -> list[Meaning]:
        """Give a noun to phrases that have none, where their last words mean nearly the same as one."""
        if self._meaning is None:
            return []
        asked = _nameless(elements)[:MAX_ASKED]
        words = {text: None for phrase in asked for text in _candidates(phrase)}
        found = dict(zip(words, self._meaning.nearest(list(words)) if words else (), strict=True))
        meanings = []
        for phrase in asked:
            for length, text in enumerate(_candidates(phrase), 1):
                if match := found[text]:
                    meanings.append(_take(phrase, length, *match))
                    break
        return meanings


def _nameless(elements: Sequence[Element]) -> list[Phrase]:
    """Phrases whose noun is not known: not those that only add to the thing before ("in red", "with white legs")."""
    asked, link = [], None
    something = False
    for element in elements:
        if isinstance(element, Link):
            link = element if element.kind != "and" else link
        elif isinstance(element, Break):
            link = None
        else:
            adds = element.part and something and link is not None and link.kind in ("with", "of")
            if not adds and element.pronoun is None and element.noun is None and _candidates(element):
                asked.append(element)
            something = something or element.noun is not None
            link = None
    return asked


def _candidates(phrase: Phrase) -> list[str]:
    """What may be its noun: the last word, then the last two."""
    if phrase.part:
        return [phrase.typed.casefold()]
    if not phrase.adjectives or phrase.elliptic:
        return []
    last = phrase.adjectives[-1]
    # "a peach" may be a fruit; "red" alone is a colour.
    if last.sense is not None and not (phrase.determined and isinstance(last.sense, Colour | Material)):
        return []
    words = [" ".join(word.keys) for word in phrase.adjectives[-2:]]
    if len(words[-1]) > MAX_WORD or not any(map(str.isalpha, words[-1])):
        return []
    both = len(words) == 2 and phrase.adjectives[-2].sense is None and len(words[0]) <= MAX_WORD
    return [words[-1], " ".join(words)] if both else words[-1:]


def _take(phrase: Phrase, length: int, family: str, likeness: float) -> Meaning:
    """Make the last `length` words the noun."""
    if not phrase.part:
        taken = phrase.adjectives[-length:]
        del phrase.adjectives[-length:]
        phrase.typed = " ".join(word.typed for word in taken)
    word = phrase.typed.casefold()
    plural = phrase.count is None and not phrase.determined and word.endswith("s") and not word.endswith(("ss", "us"))
    phrase.noun, phrase.part = Noun(family, word, plural), False
    return Meaning(phrase.typed, family, likeness)
