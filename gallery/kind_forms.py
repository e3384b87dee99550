"""A kind's declaration as a form of the page, and what a browser sends of it as a request's raw values."""

from __future__ import annotations

import hashlib
import re
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from starlette.datastructures import FormData, UploadFile

from frontdesk.bots.incoming import CHUNK, Fetch, IncomingFile, LostUploadError, Sent
from frontdesk.bots.parsing import bounds
from frontdesk.queue.errors import Problem
from frontdesk.queue.kinds import AnyKind
from frontdesk.queue.parameters import Parameter

LONG = 120  # characters from which on a text is written in several lines
ONCE = re.compile(r"[A-Za-z0-9_-]{22,64}")

Control = Literal["line", "lines", "number", "choice", "check", "file"]


@dataclass(frozen=True, slots=True)
class Field:
    """One field as a template draws it. `value` as it stands in the form, "" for an empty one; `problem`: what is wrong
    with it, a sentence or "". `step` is for numbers: "1" or "any"; `accept` for files."""

    name: str
    label: str
    hint: str
    control: Control
    required: bool
    value: str = ""
    problem: str = ""
    minimum: str = ""
    maximum: str = ""
    step: str = ""
    min_length: int | None = None
    max_length: int | None = None
    choices: tuple[str, ...] = ()
    accept: str = ""

    @property
    def described_by(self) -> str:
        """The ids of what explains it."""
        return f"{self.name}-hint" + (f" {self.name}-problem" if self.problem else "")


def fields_of(kind: AnyKind, values: Mapping[str, str], problems: Sequence[Problem] = ()) -> list[Field]:
    """The fields of a kind's form, required ones first; what is not in `values` stands as it is by default."""
    wrong: dict[str, list[str]] = {}
    for problem in problems:
        wrong.setdefault(problem.parameter, []).append(problem.sentence)
    return [
        _field(parameter, values.get(parameter.name, _default(parameter)), " ".join(wrong.get(parameter.name, ())))
        for parameter in kind.parameters
    ]


def whole_problems(kind: AnyKind, problems: Sequence[Problem]) -> list[str]:
    """What is wrong with no field in particular."""
    names = {parameter.name for parameter in kind.parameters}
    return [problem.sentence for problem in problems if problem.parameter not in names]


def typed(kind: AnyKind, form: FormData) -> dict[str, str]:
    """What was written and chosen, as the form shows it again. Files are not among it: a browser asks anew."""
    found = {}
    for parameter in kind.parameters:
        given = form.get(parameter.name)
        if parameter.type == "boolean":
            found[parameter.name] = "yes" if given else "no"
        elif isinstance(given, str):
            found[parameter.name] = given
    return found


def raw_of(kind: AnyKind, form: FormData) -> dict[str, Sent]:
    """The request's values: what was typed, and files as the browser tells of them."""
    raw: dict[str, Sent] = dict(typed(kind, form))
    for parameter in kind.files:
        raw.pop(parameter.name, None)
        if (file := _file(form, parameter.name)) is not None:
            raw[parameter.name] = IncomingFile.of(
                parameter.name, file.filename, size=file.size, media_type=file.content_type
            )
    return raw


def fetch_from(form: FormData) -> Fetch:
    """Brings the bytes of the form's files."""

    async def fetch(incoming: IncomingFile) -> AsyncGenerator[bytes, None]:
        file = _file(form, incoming.source)
        if file is None:
            raise LostUploadError
        await file.seek(0)
        while chunk := await file.read(CHUNK):
            yield chunk

    return fetch


def update_of(requester: str, once: str) -> str:
    """What makes a form count once. It outlives what a person wants forgotten, and so does not say who they are."""
    return "web:" + hashlib.sha256(f"{requester}\n{once}".encode("utf-8", "replace")).hexdigest()


def _file(form: FormData, name: str) -> UploadFile | None:
    given = form.get(name)
    return given if isinstance(given, UploadFile) and given.filename else None


def _default(parameter: Parameter) -> str:
    if isinstance(parameter.default, bool):
        return "yes" if parameter.default else "no"
    return "" if parameter.default is None else str(parameter.default)


def _field(parameter: Parameter, value: str, problem: str) -> Field:
    return Field(
        name=parameter.name,
        label=parameter.name.replace("_", " ").capitalize(),
        hint=f"{parameter.description}. {bounds(parameter).capitalize()}.",
        control=_control(parameter),
        required=parameter.required,
        value=value,
        problem=problem,
        minimum=_bound(parameter.minimum),
        maximum=_bound(parameter.maximum),
        step={"integer": "1", "number": "any"}.get(parameter.type, ""),
        min_length=parameter.min_length,
        max_length=parameter.max_length,
        choices=tuple(str(choice) for choice in parameter.choices),
        accept=",".join(parameter.upload.suffixes) if parameter.upload else "",
    )


def _control(parameter: Parameter) -> Control:
    controls: dict[str, Control] = {
        "integer": "number", "number": "number", "choice": "choice", "boolean": "check", "file": "file",
    }  # fmt: skip
    if parameter.type != "text":
        return controls[parameter.type]
    return "line" if parameter.max_length is not None and parameter.max_length <= LONG else "lines"


def _bound(value: float | None) -> str:
    return "" if value is None else f"{value:g}" if value != int(value) else str(int(value))
