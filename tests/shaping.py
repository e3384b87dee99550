"""A made-up kind whose answers suggest what may be asked for next, for tests of the buttons below them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field

from frontdesk.queue.jobs import Outcome
from frontdesk.queue.kinds import JobKind, Params, Result, Value, Variant

FORMATS: tuple[Literal["glb", "stl"], ...] = ("glb", "stl")


class ShapeParams(Params):
    prompt: Annotated[str, Field(description="What to shape", min_length=2, max_length=100)]
    seed: Annotated[int, Field(description="The same seed gives the same shape", ge=0, le=9)] = 0
    format: Annotated[Literal["glb", "stl"], Field(description="The file's sort")] = "glb"


class ShapeResult(Result):
    prompt: str
    seed: int
    format: Literal["glb", "stl"]

    def headline(self) -> str:
        return f"Shaped: {self.prompt}, seed {self.seed}, {self.format}."

    def variants(self) -> Sequence[Variant]:
        same: dict[str, Value] = {"prompt": self.prompt, "seed": self.seed, "format": self.format}
        others = [each for each in FORMATS if each != self.format]
        return [
            Variant("Other seed", "shape", same, draw="seed"),
            *(Variant(f"As {each.upper()}", "shape", {**same, "format": each}) for each in others),
            Variant("Similar prompt", "shape", same, edit="prompt"),
        ]


SHAPE = JobKind("shape", "Shape a thing", ShapeParams, ShapeResult, cost=lambda _: 1.0)


def shaped(prompt: str = "a red chair", seed: int = 3, format: Literal["glb", "stl"] = "glb") -> Outcome:
    result = ShapeResult(prompt=prompt, seed=seed, format=format)
    return Outcome(status="done", result=result.model_dump(), seconds=1.5)
