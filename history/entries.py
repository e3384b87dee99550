"""What the desk remembers of a job, as plain frozen data, and who may see it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from frontdesk.queue.jobs import Artifact, Outcome

Role = Literal["preview", "still", "file", "smaller"]
Status = Literal["done", "failed", "cancelled", "expired"]


@dataclass(frozen=True, slots=True)
class KeptFile:
    """One file of an object. A "smaller" one is a version of the last "file" before it; `note` says how."""

    artifact: Artifact
    role: Role
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks: the identities of one person ("discord:1", "telegram:2"), none for a passer-by."""

    identities: frozenset[str] = frozenset()
    admin: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """A job that ended. Times in Unix seconds; `seconds` that it ran, `gpu_seconds` of its device.

    owner: the identity that asked, shown to nobody else. title: what it was asked, in one line, foreign text.
    made: something came of it to look at or to read: an object. published_at: since when others see it, or None.
    """

    id: str
    kind: str
    lane: str
    status: Status
    owner: str
    tenant: str
    private: bool
    params: Mapping[str, Any]
    result: Mapping[str, Any] | None
    reason: str | None
    title: str
    submitted_at: float
    started_at: float | None
    finished_at: float
    seconds: float
    gpu_seconds: float
    model: str
    revision: str
    device: str
    worker: str | None
    seed: int | None
    made: bool
    published_at: float | None
    hidden: bool
    files: tuple[KeptFile, ...] = ()

    @property
    def waited(self) -> float:
        """Seconds between the request and its start, or its end where it never started."""
        return max(0.0, (self.started_at or self.finished_at) - self.submitted_at)

    @property
    def public(self) -> bool:
        """Whether anybody sees it."""
        return self.published_at is not None and not self.hidden

    @property
    def outcome(self) -> Outcome:
        """How it ended, as the queue had it."""
        return Outcome(
            status=self.status,
            result=self.result,
            reason=self.reason,
            seconds=self.seconds,
            gpu_seconds=self.gpu_seconds,
            model=self.model,
            revision=self.revision,
            device=self.device,
        )

    def own(self, viewer: Viewer) -> bool:
        return self.owner in viewer.identities

    def shown_to(self, viewer: Viewer) -> bool:
        """Admins see no more than others: what is private is its owner's alone."""
        return self.public or self.own(viewer)

    def file(self, role: Role) -> KeptFile | None:
        """The first file of a role."""
        return next((file for file in self.files if file.role == role), None)


@dataclass(frozen=True, slots=True)
class Page:
    """Some entries, in order. `after` continues behind the last one (opaque); None: that was all."""

    entries: tuple[Entry, ...]
    after: str | None = None
