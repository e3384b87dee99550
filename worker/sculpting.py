"""What makes an object of a prompt: one small protocol for all backends. Each has a file of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from frontdesk.queue.kind_sculpt import Quality, TakenFor
from frontdesk.worker.meshes import Mesh


@dataclass(frozen=True)
class Sculpture:
    """An object, y up and its front towards +z, in any size and place.

    looks: with its colours. solid: makes the same as one closed surface, to print; None where `looks` is one already.
    unknown: words that were not understood, as typed. notes: sentences on what was done otherwise than asked.
    """

    looks: Mesh
    solid: Callable[[], Mesh] | None = None
    unknown: tuple[str, ...] = ()
    taken_for: tuple[TakenFor, ...] = ()
    notes: tuple[str, ...] = ()


class Sculptor(Protocol):
    """A backend. Blocking; one run at a time."""

    @property
    def name(self) -> str:
        """What users call it: "modeller"."""

    @property
    def made_by(self) -> str:
        """A sentence for the reply. It says whether a neural network made the object."""

    @property
    def model(self) -> str:
        """With all that decides what a prompt becomes: a result is given again only while this is the same."""

    @property
    def revision(self) -> str | None:
        """As a runner's."""

    @property
    def device(self) -> str: ...

    def load(self) -> None:
        """Raises ConfigurationError, OutOfMemoryError."""

    def unload(self) -> None: ...

    def sculpt(
        self,
        prompt: str,
        *,
        seed: int,
        quality: Quality,
        progress: Callable[[float, str], None],
        check: Callable[[], None],
        show: Callable[[Mesh], None],
    ) -> Sculpture:
        """The same prompt, seed and quality give the same object.

        progress: told the share of 0 to 1 that is done and a note. check: asked at least every second; what it raises
        ends the run. show: handed what there is at half way, by backends that have something then.

        Raises RunError where nothing can be made of the prompt, and OutOfMemoryError.
        """
