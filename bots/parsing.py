"""From what a user typed to a kind's parameters, and from what is wrong with it to sentences."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import ValidationError

from frontdesk.bots.incoming import Given, IncomingFile
from frontdesk.queue.artifacts import Artifact, safe_name
from frontdesk.queue.errors import InvalidRequestError, Problem
from frontdesk.queue.kinds import AnyKind
from frontdesk.queue.parameters import Parameter, Params, Value
from frontdesk.queue.uploads import UnfitFileError, Upload

OPTION = re.compile(r"""([A-Za-z_][A-Za-z0-9_]*)=("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|\S*)(?:\s+|$)""")
LAST_OPTION = re.compile(r"""(?:^|\s)([A-Za-z_][A-Za-z0-9_]*)=("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|\S*)\s*$""")
PRIVATE = Parameter("private", "boolean", "Answer so that only you see it", required=False, default=False)
# Control characters carry no meaning here and break displays and stores; line breaks and tabs stay.
CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
YES, NO = frozenset({"yes", "y", "true", "on", "1"}), frozenset({"no", "n", "false", "off", "0"})


G = TypeVar("G", bound=Given)


def parse_arguments(kind: AnyKind, text: str) -> dict[str, Value]:
    """Read `name=value ... free text name=value`: free text is the kind's subject.

    Options stand before or after the free text; values with spaces are quoted; `subject=` takes all that follows.
    Raises InvalidRequestError for an unknown option in front and for free text where the kind has no subject.
    """
    known = {parameter.name: parameter for parameter in (*kind.parameters, PRIVATE)}
    raw: dict[str, Value] = {}
    rest = text.strip()
    while match := OPTION.match(rest):
        name = match[1].lower()
        if name not in known:
            raise InvalidRequestError([Problem("", _unknown_option(kind, match[1]))])
        if kind.subject and name == kind.subject.name and not match[2].startswith(('"', "'")):
            raw[name] = rest.partition("=")[2].strip()
            return raw
        raw[name] = _unquoted(match[2])
        rest = rest[match.end() :].strip()
    subject = kind.subject.name if kind.subject else None
    while (match := LAST_OPTION.search(rest)) and (name := match[1].lower()) in known.keys() - {subject, *raw}:
        raw[name] = _unquoted(match[2])
        rest = rest[: match.start()].strip()
    if rest and kind.subject is None:
        raise InvalidRequestError([Problem("", f"{kind.name} takes only options: {_options(kind)}.")])
    if rest and subject in raw:
        raise InvalidRequestError([Problem(subject, "is given twice: quoted, and as free text.")])
    if rest and subject:
        raw[subject] = rest
    return raw


def split_private(raw: Mapping[str, G]) -> tuple[dict[str, G], bool]:
    """The kind's own parameters, and whether the answer is for the requester's eyes only."""
    own = {name: value for name, value in raw.items() if name != PRIVATE.name}
    return own, _boolean(PRIVATE, raw.get(PRIVATE.name, False))


def missing(kind: AnyKind, raw: Mapping[str, object]) -> list[Parameter]:
    """The required parameters that are not given, in the order to ask for them."""
    return [p for p in kind.parameters if p.required and (p.name not in raw or not str(raw[p.name]).strip())]


def validate(kind: AnyKind, raw: Mapping[str, Given]) -> Params:
    """The kind's parameters. Raises InvalidRequestError with a sentence for each thing wrong, in the user's words.

    A file that was not fetched yet is judged by what its platform says of it, and stands there without a hash.
    """
    known = {parameter.name: parameter for parameter in kind.parameters}
    if unknown := [name for name in raw if name not in known]:
        raise InvalidRequestError([Problem("", _unknown_option(kind, name)) for name in unknown])
    values = {name: converted(known[name], value) for name, value in raw.items()}
    if problems := [Problem(p.name, f"is needed: {p.description}.") for p in missing(kind, values)]:
        raise InvalidRequestError(problems)
    values = {name: value for name, value in values.items() if value != "" or known[name].required}
    try:
        params: Params = kind.params.model_validate(values)
    except ValidationError as error:
        raise InvalidRequestError([_problem(known, values, detail) for detail in error.errors()]) from None
    return params


def clean(text: str) -> str:
    """Free of control characters, lone surrogates and surrounding white space."""
    return CONTROLS.sub("", text.replace("\r\n", "\n").replace("\r", "\n")).encode("utf-8", "replace").decode().strip()


def usage(kind: AnyKind, slash: str = "/") -> str:
    """An example one can type, from the declaration."""
    subject = kind.subject.name if kind.subject else None
    untyped = {subject, *(file.name for file in kind.files)}
    options = [f"{name}={_quoted(value)}" for name, value in kind.example.items() if name not in untyped]
    free = [kind.example.get(subject, f"<{subject}>")] if subject else []
    return " ".join([slash + kind.name, *options, *free])


def bounds(parameter: Parameter) -> str:
    """What a parameter takes, in words: "16 to 1,024", "one of a, b", "at least 200 characters"."""
    if parameter.upload is not None:
        return parameter.upload.words
    if parameter.type == "choice":
        return "one of " + ", ".join(str(choice) for choice in parameter.choices)
    if parameter.type == "boolean":
        return "yes or no"
    if parameter.type == "text":
        return _lengths(parameter.min_length or 0, parameter.max_length)
    if parameter.minimum is not None and parameter.maximum is not None:
        return f"{parameter.minimum:,} to {parameter.maximum:,}"
    ends = {
        "at least": parameter.minimum, "more than": parameter.above,
        "at most": parameter.maximum, "less than": parameter.below,
    }  # fmt: skip
    words = " and ".join(f"{word} {end:,}" for word, end in ends.items() if end is not None)
    return words or ("a whole number" if parameter.type == "integer" else "a number")


def _lengths(least: int, most: int | None) -> str:
    if least <= 1:
        return "text" if most is None else f"at most {most:,} characters"
    return f"at least {least:,} characters" if most is None else f"{least:,} to {most:,} characters"


def _quoted(value: str) -> str:
    """As `_unquoted` reads it."""
    if value and not re.search(r"[\s\"'\\]", value):
        return value
    return '"' + re.sub(r'(["\\])', r"\\\1", value) + '"'


def _unquoted(value: str) -> str:
    if len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'":
        return re.sub(r"\\(.)", r"\1", value[1:-1])
    return value


def converted(parameter: Parameter, value: Given) -> Value | Artifact:
    """As the declaration wants it; what cannot be converted is left for the validation to name, but for files. Raises
    InvalidRequestError."""
    if parameter.upload is not None:
        return _file(parameter, parameter.upload, value)
    if isinstance(value, IncomingFile | Artifact):
        raise InvalidRequestError([Problem(parameter.name, f"is no file: {bounds(parameter)}.")])
    if parameter.type == "boolean":
        return _boolean(parameter, value)
    if parameter.type == "choice":
        return next(
            (choice for choice in parameter.choices if str(choice).lower() == str(value).strip().lower()), value
        )
    return clean(value) if isinstance(value, str) else value


def _file(parameter: Parameter, upload: Upload, value: Given) -> Value | Artifact:
    """A file that was sent, or that is in the store by now. Words name no file: whoever could write them here could
    name somebody else's."""
    if isinstance(value, Artifact):
        return value
    if not isinstance(value, IncomingFile):
        if value == "":  # left open
            return value
        raise InvalidRequestError([Problem(parameter.name, f"is a file that is sent along: {upload.words}.")])
    try:
        upload.refuse_announced(value.name, value.size, value.media_type, most=value.most)
    except UnfitFileError as error:
        raise InvalidRequestError([Problem(parameter.name, str(error))]) from None
    size = upload.max_bytes if value.size is None else value.size
    return Artifact(name=safe_name(value.name), sha256="0" * 64, size=size, media_type=upload.media_type)


def _boolean(parameter: Parameter, value: Given) -> bool:
    word = str(value).strip().lower()
    if word not in YES | NO:
        raise InvalidRequestError([Problem(parameter.name, "must be yes or no.")])
    return word in YES


def _problem(known: Mapping[str, Parameter], values: Mapping[str, object], detail: Any) -> Problem:
    name = str(detail["loc"][0]) if detail["loc"] else ""
    parameter, kind_of_error = known.get(name), detail["type"]
    given = f"{detail['msg'].removeprefix('Value error, ').rstrip('.')}."
    if parameter is None or name not in values:
        return Problem("", given)
    if kind_of_error in ("string_too_short", "string_too_long"):
        return Problem(name, f"must have {bounds(parameter)}; this has {len(str(values[name])):,}.")
    if kind_of_error == "value_error" or parameter.type == "text":  # the declaration's own words
        return Problem(name, given)
    words = bounds(parameter)
    if kind_of_error.startswith("int_") and "whole" not in words:
        words = f"a whole number, {words}"
    return Problem(name, f"must be {words}.")


def _unknown_option(kind: AnyKind, name: str) -> str:
    return f"{kind.name} has no option {name[:32]!r}. It takes: {_options(kind)}."


def _options(kind: AnyKind) -> str:
    return ", ".join(parameter.name for parameter in (*kind.parameters, PRIVATE))
