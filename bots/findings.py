"""What the doctor found."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from rich.table import Table
from rich.text import Text

from frontdesk.bots.on_console_render import Screen, harmless

STYLES = {"ok": "green", "note": "yellow", "broken": "bold red"}


class Level(Enum):
    GOOD = "ok"
    NOTE = "note"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at, what was found, and what to do about it."""

    level: Level
    subject: str
    sentence: str
    advice: str = ""


def good(subject: str, sentence: str) -> Finding:
    return Finding(Level.GOOD, subject, sentence)


def note(subject: str, sentence: str, advice: str) -> Finding:
    return Finding(Level.NOTE, subject, sentence, advice)


def broken(subject: str, sentence: str, advice: str) -> Finding:
    return Finding(Level.BROKEN, subject, sentence, advice)


def show(findings: Iterable[Finding], screen: Screen) -> None:
    """One line each, and below it what to do."""
    grid = Table.grid(padding=(0, 2, 0, 0))
    for finding in findings:
        level, sentence, advice = finding.level.value, harmless(finding.sentence), harmless(finding.advice)
        if screen.live:
            grid.add_row(Text(level, STYLES[level]), finding.subject, Text(sentence))
            if advice:
                grid.add_row("", "", Text(f"-> {advice}"))
        else:
            screen.say(f"{level:<6}  {finding.subject:<8}  {sentence}" + (f" -> {advice}" if advice else ""))
    if screen.live:
        screen.console.print(grid)
