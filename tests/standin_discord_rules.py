"""What Discord refuses, as far as the tests need it: command sets, messages, and options a client would not send."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from standin_discord_cast import Attached, User

SUBCOMMAND, TEXT, INTEGER, BOOLEAN, PERSON, NUMBER, ATTACHMENT = 1, 3, 4, 5, 6, 10, 11
SLASH, MESSAGE_MENU = 1, 3
COMMAND_NAME = re.compile(r"[-_\w]{1,32}")
CONTENT, EMBEDS, EMBED_TOTAL, FIELDS, CUSTOM_ID, LABEL, NONCE = 2000, 10, 6000, 25, 100, 80, 25
EMBED_PARTS = {"title": 256, "description": 4096}
FILES, FILE_BYTES, REQUEST_BYTES = 10, 10 * 1024 * 1024, 25 * 1024 * 1024
COMMAND_TOTAL = 8000  # characters of a command's names, descriptions and choices


class RefusedError(Exception):
    """The person's own Discord client would not let them send this."""


class ApiError(Exception):
    def __init__(self, status: int, code: int, message: str, retry_after: float = 0.0) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.retry_after = status, code, message, retry_after


def _invalid(path: str, message: str) -> ApiError:
    return ApiError(400, 50035, f"Invalid Form Body: {path}: {message}")


def _length(path: str, value: object, low: int, high: int) -> None:
    if not isinstance(value, str) or not low <= len(value) <= high:
        raise _invalid(path, f"Must be between {low} and {high} in length.")


def check_commands(commands: Sequence[Mapping[str, Any]]) -> None:
    """A bulk overwrite: raises ApiError for what Discord rejects."""
    if len({(command["type"], command["name"]) for command in commands}) != len(commands):
        raise _invalid("commands", "Application command names must be unique")
    for kind, most in ((SLASH, 100), (MESSAGE_MENU, 5)):
        if sum(command["type"] == kind for command in commands) > most:
            raise ApiError(400, 30032, f"Maximum number of application commands reached ({most})")
    for command in commands:
        _check_command(command)


def _check_command(command: Mapping[str, Any]) -> None:
    name = command["name"]
    if set(command.get("contexts") or ()) - {0, 1, 2} or set(command.get("integration_types") or ()) - {0, 1}:
        raise _invalid(name, "Unknown context or integration type")
    if command["type"] == MESSAGE_MENU:
        _length("name", name, 1, 32)
        if command.get("description") or command.get("options"):
            raise _invalid(name, "Context menu commands cannot have a description or options")
        return
    if not COMMAND_NAME.fullmatch(name) or name != name.lower():
        raise _invalid("name", f"Command name is invalid: {name!r}")
    if _size(command) > COMMAND_TOTAL:
        raise _invalid(name, f"Command exceeds maximum size ({COMMAND_TOTAL})")
    _check_described(name, command)


def _check_described(name: str, command: Mapping[str, Any]) -> None:
    """A command, or one command of a group."""
    _length(f"{name}.description", command.get("description"), 1, 100)
    options = command.get("options") or []
    if len(options) > 25 or len({option["name"] for option in options}) != len(options):
        raise _invalid(f"{name}.options", "Must be 25 or fewer in length, with unique names")
    if len({option["type"] == SUBCOMMAND for option in options}) > 1:
        raise _invalid(f"{name}.options", "Sub-command and sub-command group option types are mutually exclusive")
    required = [bool(option.get("required")) for option in options]
    if required != sorted(required, reverse=True):
        raise _invalid(f"{name}.options", "Required options must be placed before non-required options")
    for option in options:
        _check_declared_option(f"{name}.{option['name']}", option)


def _check_declared_option(path: str, option: Mapping[str, Any]) -> None:
    if not COMMAND_NAME.fullmatch(option["name"]) or option["name"] != option["name"].lower():
        raise _invalid(path, "Option name is invalid")
    if option["type"] == SUBCOMMAND:
        _check_described(path, option)
        return
    _length(f"{path}.description", option.get("description"), 1, 100)
    if option["type"] not in (TEXT, INTEGER, BOOLEAN, PERSON, NUMBER, ATTACHMENT):
        raise _invalid(path, "Option type is not known to this stand-in")
    choices = option.get("choices") or []
    if len(choices) > 25 or (choices and option.get("autocomplete")):
        raise _invalid(f"{path}.choices", "Must be 25 or fewer in length, without autocomplete")
    for choice in choices:
        _length(f"{path}.choices.name", choice["name"], 1, 100)
    for limit, low in (("min_length", 0), ("max_length", 1)):
        if limit in option and (option["type"] != TEXT or not low <= option[limit] <= 6000):
            raise _invalid(f"{path}.{limit}", f"Must be between {low} and 6000, on a text")
    for limit in ("min_value", "max_value"):
        if limit in option and option["type"] not in (INTEGER, NUMBER):
            raise _invalid(path, f"{limit} is for numbers")


def _size(node: Mapping[str, Any]) -> int:
    choices = sum(len(choice["name"]) + len(str(choice["value"])) for choice in node.get("choices") or ())
    inside = sum(map(_size, node.get("options") or ()))
    return len(node["name"]) + len(node.get("description") or "") + choices + inside


def command_of(offered: Mapping[str, Mapping[str, Any]], words: str) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """`admin pause`: the command `admin`, and of its commands `pause`. Raises RefusedError."""
    name, _, sub = words.partition(" ")
    if name not in offered:
        raise RefusedError(f"there is no command /{name} here")
    command = offered[name]
    inner = {option["name"]: option for option in command.get("options") or () if option["type"] == SUBCOMMAND}
    if bool(inner) is not bool(sub) or (sub and sub not in inner):
        raise RefusedError(f"there is no command /{words}; of /{name} there are {list(inner)}")
    return command, inner.get(sub, command)


def nested(command: Mapping[str, Any], part: Mapping[str, Any], options: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The options as the client sends them: those of a group's command stand inside it."""
    return options if part is command else [{"name": part["name"], "type": SUBCOMMAND, "options": options}]


def check_options(command: Mapping[str, Any], given: Mapping[str, object]) -> list[dict[str, Any]]:
    """What a person filled in, as the client sends it. Raises RefusedError for what it would not send."""
    declared = {option["name"]: option for option in command.get("options") or ()}
    if unknown := set(given) - set(declared):
        raise RefusedError(f"no option called {', '.join(sorted(unknown))}")
    if missing := [name for name, option in declared.items() if option.get("required") and name not in given]:
        raise RefusedError(f"{', '.join(missing)} must be given")
    return [
        {"name": name, "type": declared[name]["type"], "value": _checked(declared[name], value)}
        for name, value in given.items()
    ]


def _checked(option: Mapping[str, Any], value: object) -> object:
    name, kind = option["name"], option["type"]
    types: dict[int, tuple[type, ...]] = {TEXT: (str,), INTEGER: (int,), BOOLEAN: (bool,), NUMBER: (int, float)}
    if kind == PERSON:
        if not isinstance(value, User):
            raise RefusedError(f"{name} is nobody")
        return value.id
    if kind == ATTACHMENT:
        if not isinstance(value, Attached):
            raise RefusedError(f"{name} is no file")
        return value.id
    if not isinstance(value, types[kind]) or (isinstance(value, bool) and kind != BOOLEAN):
        raise RefusedError(f"{name} cannot be {value!r}")
    if (choices := option.get("choices")) and value not in [choice["value"] for choice in choices]:
        raise RefusedError(f"{name} is none of the choices")
    size = len(value) if isinstance(value, str) else value
    low, high = ("min_length", "max_length") if kind == TEXT else ("min_value", "max_value")
    if kind != BOOLEAN and isinstance(size, (int, float)):
        if size < option.get(low, size):
            raise RefusedError(f"{name} is below {option[low]}")
        if size > option.get(high, 6000 if kind == TEXT else size):
            raise RefusedError(f"{name} is above {option.get(high, 6000)}")
    return value


def check_choices(choices: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """What the bot offers while a person types. Raises ApiError."""
    if len(choices) > 25:
        raise _invalid("choices", "Must be 25 or fewer in length.")
    for choice in choices:
        _length("choices.name", choice["name"], 1, 100)
        _length("choices.value", choice["value"], 0, 100)
    return list(choices)


def check_message(payload: Mapping[str, Any], files: Mapping[str, bytes], limit: int = FILE_BYTES) -> None:
    """The limits of one message, in a place that takes files of `limit` bytes. Raises ApiError."""
    if payload.get("content"):
        _length("content", payload["content"], 0, CONTENT)
    sizes = [len(data) for data in files.values()]
    if len(sizes) > FILES:
        raise _invalid("attachments", f"Must be {FILES} or fewer in length.")
    if any(size > limit for size in sizes) or sum(sizes) > max(REQUEST_BYTES, limit):
        raise ApiError(413, 40005, "Request entity too large")
    if payload.get("nonce") is not None:
        _length("nonce", str(payload["nonce"]), 0, NONCE)
    embeds = payload.get("embeds") or []
    if len(embeds) > EMBEDS or sum(_embed_size(embed) for embed in embeds) > EMBED_TOTAL:
        raise _invalid("embeds", f"At most {EMBEDS}, of {EMBED_TOTAL} characters in all")
    _check_components(payload.get("components") or [])


def _embed_size(embed: Mapping[str, Any]) -> int:
    for part, most in EMBED_PARTS.items():
        if embed.get(part):
            _length(f"embeds.{part}", embed[part], 0, most)
    if footer := embed.get("footer"):
        _length("embeds.footer.text", footer["text"], 1, 2048)
    fields = embed.get("fields") or []
    if len(fields) > FIELDS:
        raise _invalid("embeds.fields", f"Must be {FIELDS} or fewer in length")
    for each in fields:
        _length("embeds.fields.name", each["name"], 1, 256)
        _length("embeds.fields.value", each["value"], 1, 1024)
    texts = [embed.get("title"), embed.get("description"), (embed.get("footer") or {}).get("text")]
    texts += [part for each in fields for part in (each["name"], each["value"])]
    return sum(len(text) for text in texts if text)


def _check_components(rows: Sequence[Mapping[str, Any]]) -> None:
    if len(rows) > 5:
        raise _invalid("components", "Must be 5 or fewer in length")
    buttons = [button for row in rows for button in row["components"]]
    if any(not 1 <= len(row["components"]) <= 5 for row in rows):
        raise _invalid("components", "A row holds 1 to 5 buttons")
    for button in buttons:
        _length("components.label", button.get("label"), 1, LABEL)
        _length("components.custom_id", button.get("custom_id"), 1, CUSTOM_ID)
    if len({button["custom_id"] for button in buttons}) != len(buttons):
        raise _invalid("components.custom_id", "Component custom id cannot be duplicated")


def check_window(window: dict[str, Any]) -> dict[str, Any]:
    """A window (modal) with fields for text. Raises ApiError."""
    _length("title", window.get("title"), 1, 45)
    _length("custom_id", window.get("custom_id"), 1, CUSTOM_ID)
    for field in window_fields(window):
        _length("components.label", field.get("label"), 1, 45)
        _length("components.custom_id", field.get("custom_id"), 1, CUSTOM_ID)
        most = field.get("max_length", 4000)
        if not 1 <= most <= 4000 or not 0 <= field.get("min_length", 0) <= most:
            raise _invalid("components.max_length", "Must be between 1 and 4000.")
        if field.get("value"):
            _length("components.value", field["value"], 0, most)
    return window


def window_fields(window: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [field for row in window["components"] for field in row["components"]]


def keeps(attached: Sequence[Attached], payload: Mapping[str, Any], fields: Iterable[str]) -> list[Attached]:
    """The files that stay when a message is edited: all, or those that `attachments` names. Raises ApiError for one
    that neither the message nor the request has."""
    if "attachments" not in payload:
        return list(attached)
    named = {str(each["id"]) for each in payload["attachments"] or ()}
    new = {field.removeprefix("files[").removesuffix("]") for field in fields}
    if unknown := named - new - {each.id for each in attached}:
        raise _invalid("attachments", f"Unknown attachment {', '.join(sorted(unknown))}")
    return [each for each in attached if each.id in named]


PINGS = {
    "everyone": re.compile(r"@(everyone|here)"),
    "users": re.compile(r"<@!?(\d+)>"),
    "roles": re.compile(r"<@&(\d+)>"),
}


def pings(content: str, allowed: Mapping[str, Any] | None) -> set[str]:
    """Who a message rings: ids of users and roles, `everyone`, `here`. Without `allowed`, all that it names."""
    rung: set[str] = set()
    for sort, pattern in PINGS.items():
        named = set(pattern.findall(content))
        if allowed is None or sort in (allowed.get("parse") or ()):
            rung |= named
        else:
            rung |= named & {str(each) for each in allowed.get(sort) or ()} if sort != "everyone" else set()
    return rung
