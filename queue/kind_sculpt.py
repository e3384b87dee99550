"""The kind `sculpt`: a prompt becomes a 3D object with colours, as a file and as pictures of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal, TypeAlias, get_args

from pydantic import Field, field_validator

from frontdesk.queue.artifacts import Artifact
from frontdesk.queue.jobs import Version, Wire
from frontdesk.queue.kinds import JobKind
from frontdesk.queue.parameters import Params, Value
from frontdesk.queue.results import Attachment, Result, Variant

Quality: TypeAlias = Literal["draft", "good", "best"]
MeshFormat: TypeAlias = Literal["glb", "obj", "ply", "stl"]

# Device-seconds of the modeller on one CPU core with its pictures, which take the most of it (docs/sculpt.md);
# what a machine really takes is measured and scales them.
SECONDS: Mapping[Quality, float] = {"draft": 5.0, "good": 8.0, "best": 10.0}
# Bytes by which a process grows at most. The modeller was measured at a sixth of it (docs/sculpt.md); Shap-E with its
# real weights on a processor was not, and needs room for its activations and its grid.
MEMORY: Mapping[Quality, int] = {"draft": 1_500_000_000, "good": 2_000_000_000, "best": 2_500_000_000}
LONGEST = 900.0  # seconds: a neural backend on a processor
PRINTED = 100.0  # mm, the longest side of an STL


class SculptParams(Params):
    prompt: Annotated[
        str, Field(description='What to make, such as "a red chair beside a round table"', min_length=1, max_length=400)
    ]
    seed: Annotated[int, Field(description="Another seed gives another object", ge=0, le=2**31 - 1)] = 0
    quality: Annotated[Quality, Field(description="How fine it is; finer takes longer")] = "good"
    format: Annotated[MeshFormat, Field(description="The file: glb for viewers, stl for printing")] = "glb"

    @field_validator("prompt")
    @classmethod
    def _prompt_has_letters(cls, prompt: str) -> str:
        if not any(map(str.isalpha, prompt)):
            raise ValueError("needs a word")
        return prompt


class TakenFor(Wire):
    """Words that nothing is called, taken for something by their meaning."""

    typed: str
    thing: str


class SculptResult(Result):
    """What was made. size: x, y, z in metres as in the file, y up; seconds: of modelling, without the pictures."""

    backend: str
    made_by: Annotated[str, Field(description="A sentence that says by what it was made")]
    prompt: str
    seed: int
    quality: Quality
    format: MeshFormat
    faces: int
    vertices: int
    size: tuple[float, float, float]
    watertight: bool
    seconds: float
    device: str
    unknown: Annotated[tuple[str, ...], Field(description="Words that were not understood, as typed")] = ()
    taken_for: tuple[TakenFor, ...] = ()
    notes: Annotated[tuple[str, ...], Field(description="What else was done otherwise than asked")] = ()
    preview: Artifact
    still: Artifact
    file: Artifact
    smaller: Annotated[tuple[Version, ...], Field(description="Of the file")] = ()

    def headline(self) -> str:
        return self.made_by

    def body(self) -> str | None:
        """What came out otherwise than asked; None where nothing did."""
        said = []
        if self.unknown:
            said.append(f"Not understood, and left out: {', '.join(self.unknown)}.")
        said += [f"Took “{taken.typed}” for {_a(taken.thing)}." for taken in self.taken_for]
        return "\n".join([*said, *self.notes]) or None

    def figures(self) -> list[tuple[str, str]]:
        return [
            ("Mesh", f"{self.faces:,} faces, {self.vertices:,} vertices, {'closed' if self.watertight else 'open'}"),
            ("Size", self._measures()),
            ("Time", f"{self.seconds:.1f} s"),
            ("Quality", self.quality),
            ("Seed", str(self.seed)),
            ("Backend", f"{self.backend}, on {self.device}"),
        ]

    def attachments(self) -> Sequence[Attachment]:
        return (
            Attachment(self.preview, "preview"),
            Attachment(self.still, "still"),
            Attachment(self.file, "file", self.smaller),
        )

    def variants(self) -> Sequence[Variant]:
        same: dict[str, Value] = {
            "prompt": self.prompt, "seed": self.seed, "quality": self.quality, "format": self.format
        }  # fmt: skip
        formats = [format for format in get_args(MeshFormat) if format != self.format]
        return [
            Variant("Other seed", "sculpt", same, draw="seed"),
            Variant("Similar prompt", "sculpt", same, edit="prompt"),
            *(Variant(f"As {format.upper()}", "sculpt", {**same, "format": format}) for format in formats),
        ]

    def _measures(self) -> str:
        """Wide, high, deep, in the file's own unit."""
        if self.format != "stl":
            return " x ".join(f"{side:.2f}" for side in self.size) + " m"
        return " x ".join(f"{side / max(self.size) * PRINTED:.0f}" for side in self.size) + " mm"


def _a(thing: str) -> str:
    return f"{'an' if thing[:1] in 'aeiou' else 'a'} {thing}"


SCULPT = JobKind(
    name="sculpt",
    summary="A prompt becomes a 3D object",
    params=SculptParams,
    result=SculptResult,
    cost=lambda params: SECONDS[params.quality],
    lane="long",
    time_limit=LONGEST,
    memory=lambda params: MEMORY[params.quality],
    deterministic=True,
    gallery=True,
    example={"prompt": "two small red chairs beside a round wooden table"},
)
