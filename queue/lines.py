"""Foreign text where there is room for one line."""

from __future__ import annotations


def one_line(text: str, most: int) -> str:
    """The text with single spaces, and what is beyond so many characters cut off."""
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[: most - 1].rstrip()}…"
