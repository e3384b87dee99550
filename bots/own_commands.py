"""Commands that are no kind of job, declared once for all front ends: what they are called, what they take, what they
answer.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from frontdesk.bots.people import Person
from frontdesk.bots.replies import Reply


@dataclass(frozen=True, slots=True)
class Option:
    """One argument, always text. `rest`: it takes all words that follow (the last option only)."""

    name: str
    description: str
    required: bool = False
    choices: tuple[str, ...] = ()
    rest: bool = False


@dataclass(frozen=True, slots=True)
class OwnCommand:
    """answer: what to say to a person who gave these arguments; raises UserError.
    press: what to say to a person who pressed one of its buttons, which takes the place of the message below which it
    stands; raises UserError.
    secret: the answer is its asker's alone: in a group it is shown to them only, or they are sent to a private chat.
    """

    name: str
    summary: str
    answer: Callable[[Person, Mapping[str, str]], Awaitable[Reply]]
    options: tuple[Option, ...] = ()
    press: Callable[[Person, str], Awaitable[Reply]] | None = None
    secret: bool = False
