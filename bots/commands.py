"""All commands of our own, from the parts that declare them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from frontdesk.bots.gallery_commands import gallery_commands
from frontdesk.bots.main import Premises
from frontdesk.bots.own_commands import OwnCommand, OwnCommands
from frontdesk.bots.web_commands import web_commands
from frontdesk.queue.errors import DeclarationError
from frontdesk.queue.kinds import RESERVED

DECLARED: Final[list[Callable[[Premises], list[OwnCommand]]]] = [gallery_commands, web_commands]
"""Each part's commands, in the order in which they are listed."""


def own_commands(front: Premises) -> OwnCommands:
    """By their names. Raises DeclarationError for a name that a kind could have as well, or that is there twice."""
    found: dict[str, OwnCommand] = {}
    for declared in DECLARED:
        for command in declared(front):
            if command.name not in RESERVED or command.name in found:
                raise DeclarationError(f"command {command.name!r}: its name must be reserved, and its own")
            found[command.name] = command
    return found
