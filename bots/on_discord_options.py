"""A command's options, told to discord.py."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from discord import app_commands

from frontdesk.bots.on_discord_render import AnyInteraction

C = TypeVar("C", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Told:
    """One option; `read` is the transformer that types it and reads what comes through it."""

    name: str
    description: str
    read: app_commands.Transformer[Any]
    required: bool


def with_options(callback: C, options: Iterable[Told]) -> C:
    """The callback of a command that takes these options by their names; those left out come as None."""
    options = list(options)
    first = inspect.Parameter("_interaction", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=AnyInteraction)
    taken = [
        inspect.Parameter(
            option.name,
            inspect.Parameter.KEYWORD_ONLY,
            annotation=option.read,
            default=inspect.Parameter.empty if option.required else None,
        )
        for option in options
    ]
    # discord.py reads the options from the signature.
    setattr(callback, "__signature__", inspect.Signature([first, *taken]))  # noqa: B010 (a function's type has no such attribute)
    app_commands.describe(**{option.name: option.description for option in options})(callback)
    return callback
