"""What a request may say: the base class of a kind's parameters, and each parameter as front ends need it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict
from pydantic.fields import FieldInfo

from frontdesk.queue.errors import DeclarationError
from frontdesk.queue.jobs import Artifact
from frontdesk.queue.uploads import Upload

# The narrowest of all front ends decides: Telegram's command names and Discord's option names, descriptions and counts.
NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")
MAX_DESCRIPTION = 100
MAX_CHOICES = 25
MAX_CHOICE_LENGTH = 40  # a choice is also a Telegram button, whose callback data hold 64 bytes

Value: TypeAlias = str | int | float | bool


class Params(BaseModel):
    """Base of a kind's parameters: frozen, and refusing what it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, hide_input_in_errors=True)


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter as a front end needs it: a flat view of its JSON schema.

    `minimum` and `maximum` belong to the range, `above` and `below` do not; whole numbers only ever have the former.
    `upload`: what a file may be.
    """

    name: str
    type: Literal["text", "integer", "number", "boolean", "choice", "file"]
    description: str
    required: bool
    default: Value | None = None
    minimum: float | None = None
    maximum: float | None = None
    above: float | None = None
    below: float | None = None
    min_length: int | None = None
    max_length: int | None = None
    choices: tuple[Value, ...] = ()
    upload: Upload | None = None


def parameters_of(kind: str, params: type[Params]) -> tuple[Parameter, ...]:
    """The parameters of a kind, required ones first (Discord wants that), otherwise as declared.

    Raises DeclarationError where some platform could not ask for one.
    """
    schema = params.model_json_schema()
    required = set(schema.get("required", ()))
    every = [
        _parameter(kind, name, params.model_fields[name], _resolved(node, schema.get("$defs", {})), name in required)
        for name, node in schema.get("properties", {}).items()
    ]
    return tuple(sorted(every, key=lambda parameter: not parameter.required))


def check_name(what: str, name: str) -> None:
    if not NAME.fullmatch(name):
        raise DeclarationError(f"{what}: a name is 1 to 32 of a-z, 0-9 and _, and begins with a letter")


def check_description(what: str, text: str) -> None:
    if not text.strip() or len(text) > MAX_DESCRIPTION:
        raise DeclarationError(f"{what} has {len(text)} characters; 1 to {MAX_DESCRIPTION} can be shown")


def _resolved(node: Mapping[str, Any], definitions: Mapping[str, Any]) -> dict[str, Any]:
    """A schema node with its reference followed and `X | None` unwrapped."""
    merged = dict(node)
    options = [option for option in merged.pop("anyOf", ()) if option.get("type") != "null"]
    if len(options) == 1:
        merged = options[0] | merged
    if "$ref" in merged:
        merged = definitions[merged.pop("$ref").rpartition("/")[2]] | merged
    return merged


def _upload(where: str, info: FieldInfo) -> Upload | None:
    """What a field says of the file that it is."""
    upload = next((each for each in info.metadata if isinstance(each, Upload)), None)
    if (upload is None) is (info.annotation in (Artifact, Artifact | None)):
        raise DeclarationError(f"{where}: an Artifact has an Upload beside it, and nothing else")
    if upload is not None and not info.is_required() and info.default is not None:
        raise DeclarationError(f"{where}: a file that may be left out is None then")
    return upload


def _parameter(kind: str, name: str, info: FieldInfo, node: Mapping[str, Any], required: bool) -> Parameter:
    where = f"kind {kind!r}, parameter {name!r}"
    check_name(where, name)
    if name == "private":
        raise DeclarationError(f"{where}: every command has an option of that name already")
    description = str(node.get("description", ""))
    check_description(f"{where}: its description", description)
    if (upload := _upload(where, info)) is not None:
        return Parameter(name, "file", description, required, upload=upload)
    choices = _choices(where, node)
    types: dict[str, Literal["text", "integer", "number", "boolean"]] = {
        "string": "text", "integer": "integer", "number": "number", "boolean": "boolean",
    }  # fmt: skip
    if not choices and node.get("type") not in types:
        raise DeclarationError(f"{where}: only text, numbers, yes/no, choices and files can be asked for in a chat")
    return Parameter(
        name=name,
        type="choice" if choices else types[node["type"]],
        description=description,
        required=required,
        default=node.get("default"),
        **_range(node),
        min_length=node.get("minLength"),
        max_length=node.get("maxLength"),
        choices=choices,
        upload=None,
    )


def _choices(where: str, node: Mapping[str, Any]) -> tuple[Value, ...]:
    """What a parameter may be, if only a few things; None, which is to leave it out, is not one of them."""
    listed = (node["const"],) if "const" in node else tuple(node.get("enum", ()))
    choices = tuple(choice for choice in listed if choice is not None)
    if len(choices) > MAX_CHOICES:
        raise DeclarationError(f"{where} has {len(choices)} choices; {MAX_CHOICES} can be shown")
    if any(not 1 <= len(str(choice)) <= MAX_CHOICE_LENGTH for choice in choices):
        raise DeclarationError(f"{where}: a choice has 1 to {MAX_CHOICE_LENGTH} characters")
    if len({str(choice).lower() for choice in choices}) < len(choices):
        raise DeclarationError(f"{where}: two choices read the same")
    return choices


def _range(node: Mapping[str, Any]) -> dict[str, float | None]:
    """The bounds of a number; exclusive ones of a whole number become the next whole number inside."""
    low, high = node.get("minimum"), node.get("maximum")
    above, below = node.get("exclusiveMinimum"), node.get("exclusiveMaximum")
    if node.get("type") != "integer":
        return {"minimum": low, "maximum": high, "above": above, "below": below}
    lows = [bound for bound in (low, above + 1 if above is not None else None) if bound is not None]
    highs = [bound for bound in (high, below - 1 if below is not None else None) if bound is not None]
    return {"minimum": max(lows, default=None), "maximum": min(highs, default=None)}
