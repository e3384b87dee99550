"""Words that objects are found by: how texts are folded, and what a query asks of an index. Pure functions.

The same words go to SQLite's FTS5 and to PostgreSQL's tsquery; both take a word by its stem. Terms are letters and
digits alone, so that nothing that somebody typed is ever read as an operator.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

LONGEST_TEXT = 2000  # characters that are searched of one object
LONGEST_QUERY = 400
MAX_TERMS = 12
LONGEST_TERM = 40
SHORTEST_BEGINNING = 3  # letters of a last word that may stand for all words that begin so

# Words that say nothing of an object, and are in most texts.
COMMON = """
a an and are as at be been but by for from had has have he her his i if in into is it its make me my no not of on or our
please show she so some such that the their then there these they this to was we were what which who will with you your
"""
STOP = frozenset(COMMON.split())


@dataclass(frozen=True, slots=True)
class Terms:
    """What is asked for, each a word of letters and digits. `open_end`: the last one may be a word's beginning."""

    words: tuple[str, ...]
    open_end: bool = False


def readable(text: str) -> str:
    """Without what no database takes: halves of surrogate pairs, and NUL."""
    return text.replace("\0", " ").encode("utf-8", "ignore").decode("utf-8")


def folded(text: str) -> str:
    """Small letters without accents, at most LONGEST_TEXT characters."""
    parts = unicodedata.normalize("NFKD", readable(text[:LONGEST_TEXT]).casefold())
    return "".join(sign for sign in parts if not unicodedata.combining(sign))[:LONGEST_TEXT]


def terms_of(query: str) -> Terms:
    """The words of a query; the last is open while it is being typed, that is, unless something follows it."""
    text = folded(query[:LONGEST_QUERY])
    found = [word[:LONGEST_TERM] for word in re.findall(r"[^\W_]+", text)]
    meant = [word for word in found if word not in STOP] or found
    words = tuple(dict.fromkeys(meant))[:MAX_TERMS]
    last = bool(words) and words[-1] == found[-1] and text[-1:].isalnum() and len(words[-1]) >= SHORTEST_BEGINNING
    return Terms(words, last)


def tags_wanted(kind: str, owners: Sequence[str], *, public: bool) -> tuple[str, tuple[str, ...]]:
    """Words of `texts.tags`: the kind's ("" for any), and those of which one must be there."""
    seen = [f"o{owner.encode().hex().upper()}" for owner in sorted(owners)]
    return (f"k{kind.encode().hex().upper()}" if kind else ""), (*(["public"] if public else []), *seen)


def fts5_query(terms: Terms, kind: str, any_of: Sequence[str], *, every: bool) -> str:
    """In the language of FTS5 (sqlite.org/fts5.html#full_text_query_syntax); `every`: all words must be there."""
    quoted = [f'"{word}"' for word in terms.words]
    if terms.open_end:
        quoted[-1] += " *"
    parts = [f"text : ({(' AND ' if every else ' OR ').join(quoted)})"]
    some = " OR ".join(f'"{tag}"' for tag in any_of)
    parts.append(f"tags : ({some})")
    if kind:
        parts.append(f'tags : "{kind}"')
    return " AND ".join(parts)


def tsquery(terms: Terms, *, every: bool) -> str:
    """The words for PostgreSQL's to_tsquery."""
    words = [f"'{word}'" for word in terms.words]
    if terms.open_end:
        words[-1] += ":*"
    return (" & " if every else " | ").join(words)


def tag_query(kind: str, any_of: Sequence[str]) -> str:
    """The tags as a tsquery that is taken as it is."""
    some = " | ".join(f"'={tag}'" for tag in any_of)
    return f"({some}) & '={kind}'" if kind else f"({some})"
