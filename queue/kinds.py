"""What a kind of job is: one declaration that every front end, the limits, the queue and the worker read."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib.metadata import entry_points
from typing import Any, Generic, TypeAlias, TypeVar

from pydantic import ValidationError

from frontdesk.queue.errors import DeclarationError, UnknownKindError
from frontdesk.queue.jobs import Outcome
from frontdesk.queue.needs import MAX_NEEDS, NEED
from frontdesk.queue.parameters import Parameter, Params, check_description, check_name, parameters_of
from frontdesk.queue.results import Result

ENTRY_POINTS = "frontdesk.kinds"
MAX_PARAMETERS = 24  # Discord shows 25 options; `private` takes one
MAX_FILES = 2  # parameters that are files
MAX_MEMBERS = 50  # jobs of one request: a group lists no more
RESERVED = frozenset({
    "help", "start", "jobs", "cancel", "status", "queue", "admin", "again", "private", "top",
    "gallery", "search", "similar", "mine", "publish", "unpublish", "report", "rerun",
    "privacy", "export", "forget", "link", "unlink", "web", "apikey",
})  # fmt: skip

P = TypeVar("P", bound=Params)
R = TypeVar("R", bound=Result)


@dataclass(frozen=True)
class Members:
    """What a request of many jobs is made of: jobs of `kind`, one for each of the parameters that `of` gives for the
    request's own, all different. No worker runs the request itself; its result is what groups.py says.
    """

    kind: AnyKind
    of: Callable[[Any], Sequence[Params]]

    def each(self, params: Params) -> Sequence[Params]:
        """The parameters of each member. Raises DeclarationError for none, or more than MAX_MEMBERS."""
        found = self.of(params)
        if not 1 <= len(found) <= MAX_MEMBERS:
            raise DeclarationError(f"a request is made of 1 to {MAX_MEMBERS} jobs, not of {len(found)}")
        return found


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
    gallery: what comes of it is worth a look by others: asked for where others listen and not marked private, it is
        published at once.
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
    gallery: bool = False
    example: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_name(f"kind {self.name!r}", self.name)
        if self.name in RESERVED:
            raise DeclarationError(f"kind {self.name!r}: that name is one of Frontdesk's own commands")
        check_name(f"kind {self.name!r}, lane {self.lane!r}", self.lane)
        if self.members and (self.lane != self.members.kind.lane or self.deterministic or self.members.kind.members):
            raise DeclarationError(f"kind {self.name!r}: its members run in its own lane, and it is never run itself")
        if self.members and self.files:
            raise DeclarationError(f"kind {self.name!r}: a request of many jobs takes no files")
        check_description(f"kind {self.name!r}: its summary", self.summary)
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
        """The parameters, required ones first."""
        return parameters_of(self.name, self.params)

    @cached_property
    def files(self) -> tuple[Parameter, ...]:
        """The parameters that are files."""
        return tuple(parameter for parameter in self.parameters if parameter.type == "file")

    @cached_property
    def upload_bytes(self) -> int:
        """What the files of one request have together, at the most."""
        return sum(parameter.upload.max_bytes for parameter in self.files if parameter.upload)

    @cached_property
    def subject(self) -> Parameter | None:
        """The parameter that free text means: the first required text, if there is one."""
        return next((p for p in self.parameters if p.required and p.type == "text"), None)


AnyKind: TypeAlias = JobKind[Any, Any]


def result_of(kind: AnyKind | None, outcome: Outcome | None) -> Result | None:
    """An outcome's result as its kind declares it; None without one, for a kind that is not installed, and where it no
    longer fits."""
    if kind is None or outcome is None or outcome.result is None:
        return None
    try:
        declared: type[Result] = kind.result
        return declared.model_validate(outcome.result)
    except ValidationError:
        return None


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
