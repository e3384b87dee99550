"""`frontdesk admin ACTION`: what admins can do, from a shell, without a bot running."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, is_dataclass
from typing import Annotated, Any

import typer

from frontdesk.bots.admin_actions import ACTIONS, Action, Argument
from frontdesk.bots.administration import Administration
from frontdesk.bots.asking import Exit
from frontdesk.bots.desk import Desk
from frontdesk.bots.on_console_render import Screen
from frontdesk.bots.people import Person
from frontdesk.bots.replies import refusal_reply
from frontdesk.queue.errors import DeskClosedError, UserError

Perform = Callable[[str, Mapping[str, str], bool], None]
"""Takes an action's name, its arguments, and whether to print JSON."""

AS_JSON = inspect.Parameter(
    "as_json",
    inspect.Parameter.KEYWORD_ONLY,
    annotation=Annotated[bool, typer.Option("--json", help="Print a JSON array.")],
    default=False,
)


async def administer(
    desk: Desk, person: Person, name: str, given: Mapping[str, str], *, as_json: bool, out: Screen, err: Screen
) -> Exit:
    """Do it and show what came of it. Raises DeskClosedError."""
    try:
        shown = await Administration(desk).perform(person, name, given)
    except DeskClosedError:
        raise
    except UserError as error:
        err.show(refusal_reply(error, desk.clock()))
        return Exit.REFUSED
    if as_json:
        rows = [asdict(row) if is_dataclass(row) and not isinstance(row, type) else row for row in shown.data]
        out.console.out(json.dumps(rows), highlight=False)
    else:
        out.show(shown.reply)
    return Exit.DONE


def admin_commands(perform: Perform) -> typer.Typer:
    """A command for each action of the table."""
    commands = typer.Typer(
        help="What admins do: lanes, workers, jobs, people. Whoever can reach the queue from a shell is one.",
        epilog="Example: frontdesk admin pause short",
        no_args_is_help=True,
    )
    for action in ACTIONS.values():
        commands.command(action.name, help=f"{action.summary}.", epilog=f"Example: {_example(action)}")(
            _command(action, perform)
        )
    return commands


def _command(action: Action, perform: Perform) -> Callable[..., None]:
    def command(*, as_json: bool = False, **words: Any) -> None:
        given = {
            name: " ".join(value) if isinstance(value, list) else str(value) for name, value in words.items() if value
        }
        perform(action.name, given, as_json)

    options = [_parameter(argument) for argument in action.arguments]
    # typer reads the arguments from the signature.
    setattr(command, "__signature__", inspect.Signature([*options, AS_JSON] if action.lists else options))  # noqa: B010 (a function's type has no such attribute)
    command.__annotations__ = {}
    return command


def _parameter(argument: Argument) -> inspect.Parameter:
    """A text may be several words without quotes; a count is an option."""
    told: Any = f"{argument.description}."
    if argument.sort == "person":
        told = f"{argument.description}: discord:123, telegram:456 or console:ada."
    if argument.sort == "count":
        annotation: Any = Annotated[int | None, typer.Option(f"--{argument.name}", help=told, min=1)]
    elif argument.sort == "text":
        several = list[str] if argument.required else list[str] | None
        annotation = Annotated[several, typer.Argument(metavar=argument.name.upper(), help=told)]
    else:
        annotation = Annotated[str, typer.Argument(metavar=argument.name.upper(), help=told)]
    default = inspect.Parameter.empty if argument.required else None
    return inspect.Parameter(argument.name, inspect.Parameter.KEYWORD_ONLY, annotation=annotation, default=default)


def _example(action: Action) -> str:
    return f"frontdesk admin {action.name} {action.example}{' --json' if action.lists else ''}".replace("  ", " ")
