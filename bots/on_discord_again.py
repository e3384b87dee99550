"""The window in which somebody writes a text anew, on Discord. Like a button it says all in its id, and nothing is kept
of it: one that was opened before a restart of the bot is read all the same."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import discord

from frontdesk.bots.on_discord_render import AnyInteraction
from frontdesk.bots.variants import Again

WINDOW_ID = re.compile(r"frontdesk:again:(?P<job>[0-9a-z]{1,32}):(?P<number>\d{1,2})")
FIELD = "text"
TITLE, LABEL, TEXT = 45, 45, 4000  # characters that Discord takes


class Written(NamedTuple):
    """What was written in a window, and of which answer's which button it was the window."""

    job_id: str
    number: int
    text: str


def window(again: Again, job_id: str, number: int) -> discord.ui.Modal:
    """Asks for the text anew, filled in with what it was. Needs a running loop."""
    parameter = again.edit
    if parameter is None:
        raise ValueError("nothing is to be written")
    shown = discord.ui.Modal(title=again.kind.name[:TITLE], custom_id=f"frontdesk:again:{job_id}:{number}")
    most = min(parameter.max_length or TEXT, TEXT)
    field: discord.ui.TextInput[discord.ui.Modal] = discord.ui.TextInput(
        label=parameter.description[:LABEL],
        style=discord.TextStyle.paragraph,
        custom_id=FIELD,
        default=again.text[:most] or None,
        required=parameter.required,
        min_length=min(parameter.min_length or 0, most) or None,
        max_length=most,
    )
    shown.add_item(field)
    shown.stop()  # else discord.py keeps it until it is answered, which may be never
    return shown


def written(interaction: AnyInteraction) -> Written | None:
    """What a person sent from such a window; None where the interaction is another one."""
    if interaction.type is not discord.InteractionType.modal_submit:
        return None
    data: Mapping[str, Any] = dict(interaction.data or {})
    match = WINDOW_ID.fullmatch(str(data.get("custom_id", "")))
    if match is None:
        return None
    texts = [each.get("value") for each in _fields(data) if each.get("custom_id") == FIELD]
    return Written(match["job"], int(match["number"]), str(texts[0] or "") if texts else "")


def _fields(node: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The fields of a window, which stand in rows or behind labels."""
    for inner in (*(node.get("components") or ()), *([node["component"]] if node.get("component") else ())):
        yield inner
        yield from _fields(inner)
