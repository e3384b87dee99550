"""What comes of a job: the base class of a kind's result, its files, and what may be asked for next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict

from frontdesk.queue.jobs import Artifact, Ranking, Version
from frontdesk.queue.parameters import Value

MAX_VARIANTS = 8


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
