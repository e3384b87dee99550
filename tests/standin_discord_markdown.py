"""How Discord's clients read a message, strictly: the text as shown, and everything in it that is more than text."""

from __future__ import annotations

import re

ESCAPE = re.compile(r"\\([^0-9A-Za-z\s])")
# What begins a line and takes effect; then what takes effect anywhere. A lone mark counts: another may follow.
AT_START = (
    ("heading", re.compile(r"\s*(#{1,3}|-#)(\s|$)")),
    ("list", re.compile(r"\s*([-*+]|\d+\.)(\s|$)")),
    ("quote", re.compile(r"\s*>{1,3}(\s|$)")),
)
ANYWHERE = (
    ("markup", re.compile(r"[*_`]|~~|\|\|")),
    ("mention", re.compile(r"<(@[!&]?|#|id:)\w+>")),
    ("time", re.compile(r"<t:-?\d+(:\w)?>")),
    ("command", re.compile(r"</[^>]+:\d+>")),
    ("emoji", re.compile(r"<a?:\w+:\d+>|:\w+:")),
    ("link", re.compile(r"\w+://\S|\[[^\]]*\]\(")),
)


def shown(content: str) -> tuple[str, set[str]]:
    """The characters a reader sees, and the names of the effects."""
    text, effects, at = "", set[str](), 0
    while at < len(content):
        if escape := ESCAPE.match(content, at):
            text, at = text + escape[1], escape.end()
            continue
        patterns = ANYWHERE if at and content[at - 1] != "\n" else (*AT_START, *ANYWHERE)
        effects |= {name for name, pattern in patterns if pattern.match(content, at)}
        text, at = text + content[at], at + 1
    return text, effects
