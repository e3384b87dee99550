"""A prompt as tokens: words as typed and in the form they are looked up, and the punctuation that parts them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass

MAX_PROMPT = 10_000  # characters that are looked at: a bound on the work, far beyond what a kind lets through

COMMA, STOP, AND = ",", ".", "and"
_PUNCTUATION = {
    **dict.fromkeys(",/|\u3001\uff0c\uff0c()[]{}", COMMA),
    **dict.fromkeys(".;:!?\n\r\u2026\u3002\uff01\uff1f", STOP),
    **dict.fromkeys("&+", AND),
}
_SEPARATORS = "".join(map(re.escape, _PUNCTUATION)) + r"\s\"\u201c\u201d\u201e\u00ab\u00bb*_#@~^<>=%$`\\"
_TOKEN = re.compile(rf"\d+(?:[.,]\d+)+|[^{_SEPARATORS}]+|[{''.join(map(re.escape, _PUNCTUATION))}]")
_APOSTROPHES = str.maketrans({"\u2019": "'", "\u2018": "'", "\u02bc": "'"})
_DASHES = re.compile("[-\u2010\u2011\u2012\u2013\u2014]+")
_POSSESSIVE = re.compile(r"'s$|s'$")


@dataclass(frozen=True, slots=True)
class Token:
    """`key`: in lower case, compatible forms made equal. `typed` is empty for punctuation."""

    typed: str
    key: str


def tokens(prompt: str, known: Callable[[str], bool]) -> list[Token]:
    """A word with hyphens is one token, unless it is made of `known` words only ("red-and-white")."""
    # A lone surrogate, which JSON can carry, is no character.
    text = unicodedata.normalize("NFC", prompt[:MAX_PROMPT].encode("utf-8", "replace").decode())
    return [token for match in _TOKEN.finditer(text) for token in _tokens(match.group(), known)]


def _tokens(run: str, known: Callable[[str], bool]) -> Iterator[Token]:
    if mark := _PUNCTUATION.get(run):
        yield Token("", mark)
        return
    for word in (run,) if run.isascii() else _symbols_apart(run):
        key = unicodedata.normalize("NFKC", word).casefold().translate(_APOSTROPHES)
        parts = [part for part in _DASHES.split(key) if part]
        if len(parts) > 1 and all(map(known, parts)):
            yield from (Token(part, part) for part in parts)
            continue
        typed = word.strip("-'\u2019\u2018\u2010\u2011\u2012\u2013\u2014")
        key = _DASHES.sub("-", key).strip("-'")
        if typed and key:
            # "it's" is a word of its own; of "cat's" the cat counts.
            yield Token(typed, key if known(key) else _POSSESSIVE.sub(_without_possessive, key))


def _without_possessive(match: re.Match[str]) -> str:
    return "s" if match.group() == "s'" else ""


def _symbols_apart(run: str) -> Iterator[str]:
    """Emoji and other symbols stand alone; what joins or colours them stays with them."""
    start, was_symbol = 0, None
    for position, character in enumerate(run):
        category = unicodedata.category(character)
        if category[0] == "M" or category == "Cf" or category == "Sk":
            continue
        symbol = category in ("So", "Sm", "Sc")
        if was_symbol is not None and symbol is not was_symbol:
            yield run[start:position]
            start = position
        was_symbol = symbol
    yield run[start:]
