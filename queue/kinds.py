"""What a kind of job is: one declaration that every front end, the limits, the queue and the worker read."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib.metadata import entry_points
from typing import Any, Generic, Literal, TypeAlias, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.fields import FieldInfo

from frontdesk.queue.errors import DeclarationError, UnknownKindError
from frontdesk.queue.jobs import Artifact, Ranking, Version
from frontdesk.queue.needs import MAX_NEEDS, NEED
from frontdesk.queue.uploads import Upload

ENTRY_POINTS = "frontdesk.kinds"

# The narrowest of all front ends decides: Telegram's command names and Discord's option names, descriptions and counts.
NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")
MAX_DESCRIPTION = 100
MAX_PARAMETERS = 24  # Discord shows 25 options; `private` takes one
MAX_FILES = 2  # parameters that are files
MAX_CHOICES = 25
MAX_VARIANTS = 8
MAX_CHOICE_LENGTH = 40  # a choice is also a Telegram button, whose callback data hold 64 bytes
RESERVED = frozenset({"help", "start", "jobs", "cancel", "status", "queue", "admin", "again", "private", "top"})

Value: TypeAlias = str | int | float | bool


class Params(BaseModel):
    """Base of a kind's parameters: frozen, and refusing what it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, hide_input_in_errors=True)


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that belongs to an answer. A preview is a picture, moving or not, that is shown beside the words where a
    platform can; a still is a picture; a file is there to be downloaded.

    smaller: versions for where the whole is too large, the largest first.
    """

    artifact: Artifact
    role: Literal["preview", "still", "file"]
    smaller: tuple[Version, ...] = ()


@dataclass(frozen=True, slots=True)
class Variant:
    """Another request that an answer suggests: a button below it, for whoever asked.

    label: the button's, at most 40 characters. params: raw values for a request of `kind`.
    edit: a text among the parameters that is asked for anew; its value in `params` is what it begins with.
    draw: a whole number among the parameters whose value is drawn at random, within its bounds, with every press.
    """

    label: str
    kind: str
    params: Mapping[str, Value]
    edit: str | None = None
    draw: str | None = None


class Result(BaseModel):
    """Base of a kind's result. The methods say how it reads; the defaults list every field that holds no file.

    What they return is plain text and may hold what a user or a model wrote: front ends escape all of it.
    """

    model_config = ConfigDict(frozen=True, allow_inf_nan=False, hide_input_in_errors=True)

    def headline(self) -> str | None:
        """One sentence that answers the question, or None."""
        return None

    def body(self) -> str | None:
        """A longer text that is the answer itself, or None."""
        return None

    def figures(self) -> list[tuple[str, str]]:
        """Labelled values, most important first."""
        return [
            (info.title or name.replace("_", " "), f"{value:.4g}" if isinstance(value, float) else str(value))
            for name, info in type(self).model_fields.items()
            if (value := getattr(self, name)) is not None and not _has_files(value)
        ]

    def attachments(self) -> Sequence[Attachment]:
        """The files that come with it, most important first."""
        return ()

    def variants(self) -> Sequence[Variant]:
        """What may be asked for next, most wanted first; the first `MAX_VARIANTS` can be shown."""
        return ()

    def known(self) -> str | None:
        """The headline for who asked for what was there already, or None for the usual one."""
        return None

    def ranking(self) -> Ranking | None:
        """Where it stands among other results of its kind, for groups and leaderboards, or None."""
        return None


def _has_files(value: object) -> bool:
    """Artifacts, alone or in a sequence: their figures would be hashes."""
    return isinstance(value, Artifact) or (isinstance(value, tuple | list) and any(map(_has_files, value)))


P = TypeVar("P", bound=Params)
R = TypeVar("R", bound=Result)


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


@dataclass(frozen=True)
class Members:
    """What a request of many jobs is made of: jobs of `kind`, one for each of the parameters that `of` gives for the
    request's own, all different. No worker runs the request itself; its result is what groups.py says.
    """

    kind: AnyKind
    of: Callable[[Any], Sequence[Params]]


@dataclass(frozen=True)
class JobKind(Generic[P, R]):
    """A declared sort of job.

    name: the command's name on every platform.
    summary: one line, at most 100 characters.
    cost: estimated device-seconds from the parameters, before anything was measured; the desk scales it by what
        this kind really took on this machine.
    lane: the queue for jobs that need the same sort of worker.
    time_limit: seconds a run may take, for all parameters or by them; read by `limit`.
    needs: what a worker must have for such a job beside the kind's runner, by names such as "train/mnist": a worker
        whose runner says that it lacks one of them leaves the job to others.
    memory: bytes by which such a run makes its process grow at most. A worker that has less leaves the job to others,
        and a plain runner's run that takes more is ended.
    deterministic: the same parameters give the same result.
    lasting: its results answer the same request for as long as they are remembered, and not only while they are fresh.
    members: what a request is made of that is many jobs.
    example: raw parameters for help texts, in the order they would be typed.

    Raises DeclarationError where some platform could not show the kind.
    """

    name: str
    summary: str
    params: type[P]
    result: type[R]
    cost: Callable[[P], float]
    lane: str = "short"
    time_limit: float | Callable[[P], float] = 300.0
    needs: Callable[[P], tuple[str, ...]] | None = None
    memory: Callable[[P], int] | None = None
    deterministic: bool = False
    lasting: bool = False
    members: Members | None = None
    example: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _check_name(f"kind {self.name!r}", self.name)
        if self.name in RESERVED:
            raise DeclarationError(f"kind {self.name!r}: that name is one of Frontdesk's own commands")
        _check_name(f"kind {self.name!r}, lane {self.lane!r}", self.lane)
        if self.members and (self.lane != self.members.kind.lane or self.deterministic or self.members.kind.members):
            raise DeclarationError(f"kind {self.name!r}: its members run in its own lane, and it is never run itself")
        _check_description(f"kind {self.name!r}: its summary", self.summary)
        if len(self.parameters) > MAX_PARAMETERS:
            raise DeclarationError(
                f"kind {self.name!r} has {len(self.parameters)} parameters; {MAX_PARAMETERS} is the most"
            )
        if len(self.files) > MAX_FILES:
            raise DeclarationError(f"kind {self.name!r} takes {len(self.files)} files; {MAX_FILES} is the most")
        if not callable(self.time_limit):
            self._checked_limit(self.time_limit)
        self._try_example()

    def limit(self, params: P) -> float:
        """Seconds that a run may take. Raises DeclarationError where the declaration gives none."""
        return self._checked_limit(self.time_limit(params) if callable(self.time_limit) else self.time_limit)

    def wants(self, params: P) -> tuple[tuple[str, ...], int | None]:
        """The needs of a job, and its bytes of memory where the kind declares them. Raises DeclarationError."""
        needs = self.needs(params) if self.needs else ()
        memory = self.memory(params) if self.memory else None
        if len(needs) > MAX_NEEDS or not all(NEED.fullmatch(name) for name in needs):
            raise DeclarationError(
                f"kind {self.name!r}: its needs are at most {MAX_NEEDS} names such as {self.name}/data"
            )
        if memory is not None and memory < 1:
            raise DeclarationError(f"kind {self.name!r}: the memory of a run is at least 1 byte")
        return needs, memory

    def _checked_limit(self, seconds: float) -> float:
        if not 0 < seconds < math.inf:
            raise DeclarationError(f"kind {self.name!r}: its time limit must be some seconds, not {seconds!r}")
        return seconds

    def _try_example(self) -> None:
        """What depends on the parameters is tried with the example, where that is one."""
        try:
            params = self.params.model_validate(dict(self.example))
        except ValidationError:
            return
        self.limit(params)
        self.wants(params)

    @cached_property
    def parameters(self) -> tuple[Parameter, ...]:
        """The parameters, required ones first (Discord wants that), otherwise as declared."""
        schema = self.params.model_json_schema()
        required = set(schema.get("required", ()))
        fields = self.params.model_fields
        every = [
            _parameter(self.name, name, fields[name], _resolved(node, schema.get("$defs", {})), name in required)
            for name, node in schema.get("properties", {}).items()
        ]
        return tuple(sorted(every, key=lambda parameter: not parameter.required))

    @cached_property
    def files(self) -> tuple[Parameter, ...]:
        """The parameters that are files."""
        return tuple(parameter for parameter in self.parameters if parameter.type == "file")

    @cached_property
    def subject(self) -> Parameter | None:
        """The parameter that free text means: the first required text, if there is one."""
        return next((p for p in self.parameters if p.required and p.type == "text"), None)


AnyKind: TypeAlias = JobKind[Any, Any]


class Registry(Mapping[str, AnyKind]):
    """The kinds of this installation, by name, in the order of their names."""

    def __init__(self, kinds: Iterable[AnyKind]) -> None:
        self._kinds: dict[str, AnyKind] = {}
        for kind in sorted(kinds, key=lambda kind: kind.name):
            if kind.name in self._kinds:
                raise DeclarationError(f"kind {kind.name!r} is declared twice")
            self._kinds[kind.name] = kind

    @classmethod
    def installed(cls) -> Registry:
        """Every kind that an installed package offers, the built-in ones the same way."""
        return cls(point.load() for point in entry_points(group=ENTRY_POINTS))

    def __getitem__(self, name: str) -> AnyKind:
        try:
            return self._kinds[name]
        except KeyError:
            raise UnknownKindError(name, list(self._kinds)) from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._kinds)

    def __len__(self) -> int:
        return len(self._kinds)


def _check_name(what: str, name: str) -> None:
    if not NAME.fullmatch(name):
        raise DeclarationError(f"{what}: a name is 1 to 32 of a-z, 0-9 and _, and begins with a letter")


def _check_description(what: str, text: str) -> None:
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
    _check_name(where, name)
    if name == "private":
        raise DeclarationError(f"{where}: every command has an option of that name already")
    description = str(node.get("description", ""))
    _check_description(f"{where}: its description", description)
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
