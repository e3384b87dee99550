"""Commands that are no kind of job, declared once for all front ends: what they are called, what they take, what they
answer. A front end makes its own sort of command of each, and asks `checked` or `typed` for what a person gave.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from frontdesk.bots.parsing import clean
from frontdesk.bots.people import Person
from frontdesk.bots.replies import Button, Code, Reply, kind_help_reply, line
from frontdesk.bots.variants import Again
from frontdesk.queue.errors import InvalidRequestError, Problem
from frontdesk.queue.kinds import RESERVED, Registry

MAX_GIVEN = 1000  # characters of an argument

Said: TypeAlias = Reply | Again
"""What a command says, or the request that it stands for: that is queued as any other, and gets a ticket."""


@dataclass(frozen=True, slots=True)
class Option:
    """One argument, always text. `rest`: it takes all words that follow (the last option only). `choices`: the only
    values; they come as they are written here."""

    name: str
    description: str
    required: bool = False
    choices: tuple[str, ...] = ()
    rest: bool = False


@dataclass(frozen=True, slots=True)
class OwnCommand:
    """answer: what to say to a person who gave these arguments (checked, without those left open); raises UserError.
    press: what to say to a person who pressed one of its buttons (`own_button(command, label, data)`), which takes
    the place of the message below which it stands; raises UserError.
    secret: the answer is its asker's alone: in a group it is shown to them only, or they are sent to a private chat,
    and then nothing is asked of it before they can be reached there. A reply can also be `secret` by itself.

    A reply's `attachments` are fetched from the store; its `parcels`, which lie on the disk already, come along too.
    """

    name: str
    summary: str
    answer: Callable[[Person, Mapping[str, str]], Awaitable[Said]]
    options: tuple[Option, ...] = ()
    press: Callable[[Person, str], Awaitable[Said]] | None = None
    secret: bool = False


OwnCommands: TypeAlias = Mapping[str, OwnCommand]


def own_button(command: str, label: str, data: str) -> Button:
    """A button of a command's: `data` comes back to its `press`; letters, digits and _ : . - only, and with the name at
    most 43 characters."""
    return Button(label, "own", command, data)


def usage(command: OwnCommand, slash: str = "/") -> str:
    """ "/similar JOB [meaning|shape]" """
    words = [slash + command.name]
    for option in command.options:
        word = "|".join(option.choices) or option.name.upper()
        words.append(word if option.required else f"[{word}]")
    return " ".join(words)


def typed(command: OwnCommand, text: str) -> dict[str, str]:
    """The arguments of a command that was typed, a word for each but the last. Raises InvalidRequestError."""
    given, left = dict[str, str](), text.strip()
    for option in command.options:
        if not left:
            break
        given[option.name], left = (left, "") if option.rest else (*left.split(maxsplit=1), "")[:2]
    if left:
        raise InvalidRequestError([Problem("", f"That is more than {command.name} takes. Say: {usage(command)}")])
    return checked(command, given)


def checked(command: OwnCommand, given: Mapping[str, str]) -> dict[str, str]:
    """The arguments, without what is empty. Raises InvalidRequestError with a sentence."""
    values = {name: clean(value) for name, value in given.items()}
    for option in command.options:
        if option.required and not values.get(option.name):
            sentence = f"is needed: {option.description}. Say: {usage(command)}"
            raise InvalidRequestError([Problem(option.name, sentence)])
    return {each.name: _value(each, values[each.name]) for each in command.options if values.get(each.name)}


def _value(option: Option, value: str) -> str:
    if len(value) > MAX_GIVEN:
        raise InvalidRequestError([Problem(option.name, f"must have at most {MAX_GIVEN:,} characters.")])
    if not option.choices:
        return value
    for choice in option.choices:
        if choice.lower() == value.lower():
            return choice
    raise InvalidRequestError([Problem(option.name, f"must be one of {', '.join(option.choices)}.")])


def help_on(kinds: Registry, own: OwnCommands, name: str, listed: Reply) -> Reply:
    """One command's help, or the list, where nothing is named or a command that needs no more words. Raises
    UnknownKindError."""
    asked = name.strip().lstrip("/").lower()
    if command := own.get(asked):
        return command_help(command)
    return kind_help_reply(kinds[asked]) if asked and asked not in RESERVED else listed


def command_help(command: OwnCommand) -> Reply:
    """What it does, and what it takes."""
    lines = [line(Code(usage(command)), f" {command.summary}")]
    for option in command.options:
        taken = f" ({', '.join(option.choices)})" if option.choices else ""
        lines.append(line(Code(option.name), f" {option.description}{taken}"))
    return Reply(tuple(lines))
