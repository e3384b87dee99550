"""The kind `reconstruct`: posed photographs become a 3D object."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field, field_validator

from frontdesk.queue.artifacts import Artifact
from frontdesk.queue.jobs import Version, Wire
from frontdesk.queue.kinds import JobKind
from frontdesk.queue.parameters import Params
from frontdesk.queue.posed_archive import check_photographs
from frontdesk.queue.reconstruct_config import MAX_CONFIG, SECONDS, Quality, ReconstructConfig, read_config
from frontdesk.queue.results import Attachment, Result
from frontdesk.queue.uploads import Upload

SceneName: TypeAlias = Literal["still_life", "red_ball"]

ZIP_TYPES = ("application/zip", "application/x-zip-compressed")
MAX_ZIP = 200_000_000  # bytes

SECONDS_AROUND = 30.0  # device-seconds: the example's pictures or the upload's, the mesh, the frames of the fly-around
SECONDS_PER_STEP = 0.05  # of training on one CPU core, at the least: a short configuration ends before its time
LONGEST_AROUND = 600.0  # seconds for the same on a slow and busy machine, with the most pictures

# Bytes: what a process takes before it begins, and what each point of the finest grid adds to that, most of which are
# empty. Of the first grid none are: values, derivatives and Adam's two moments of all of them, and as much again while
# they move to another grid or to a checkpoint.
MEMORY_AT_REST = 500_000_000
MEMORY_PER_POINT = 300
MEMORY_PER_FIRST_POINT = 1200
MEMORY_OF_PHOTOGRAPHS = 400_000_000  # of as many and as large ones as are taken


class ReconstructParams(Params):
    scene: Annotated[SceneName, Field(description="An example's photographs, where you send none of your own")] = (
        "still_life"
    )
    photographs: Annotated[
        Artifact | None,
        Field(description="Your own: a zip of pictures with transforms.json"),
        Upload((".zip",), ZIP_TYPES, max_bytes=MAX_ZIP, check=check_photographs),
    ] = None
    quality: Annotated[Quality, Field(description="How long to train: 1, 5 or 15 minutes")] = "good"
    config: Annotated[
        str | None,
        Field(description="JSON with Plenoxels' names (reso, n_iters, lambda_tv, ...)", max_length=MAX_CONFIG),
    ] = None

    @field_validator("config")
    @classmethod
    def _config_is_right(cls, text: str | None) -> str | None:
        read_config(text)
        return text

    def settings(self) -> ReconstructConfig:
        """The preset and the configuration in one."""
        return read_config(self.config, self.quality)


class Look(Wire):
    """How well pictures were matched that were held out: dB and SSIM, after so many seconds and steps of training."""

    seconds: float
    steps: int
    psnr: float
    ssim: float


class ReconstructResult(Result):
    """Figures of a reconstruction; PSNR (dB) and SSIM are means over pictures that were held out of training.

    artifacts: the fly-around, a still, the mesh, the grid. smaller: versions of the mesh. curve: looks at two of the
    pictures on the way.
    """

    object: Annotated[str, Field(description="The example's name, or that of the uploaded file")]
    example: bool
    quality: Quality
    psnr: float
    ssim: float
    views: Annotated[int, Field(description="Pictures trained on")]
    held_out: Annotated[int, Field(description="Pictures held out")]
    steps: int
    seconds: Annotated[float, Field(description="Of training, all workers together")]
    seconds_before: Annotated[float, Field(description="Of these, on a worker that did not end it")]
    reso: int
    points: Annotated[int, Field(description="Lattice points that hold something")]
    faces: int
    watertight: bool
    device: str
    curve: tuple[Look, ...]
    artifacts: tuple[Artifact, ...]
    smaller: tuple[Version, ...] = ()

    def headline(self) -> str:
        pictures = "1 picture that it" if self.held_out == 1 else f"{self.held_out} pictures that it"
        return f"Reconstructed from {self.views} pictures: {self.psnr:.1f} dB on {pictures} had not seen."

    def figures(self) -> list[tuple[str, str]]:
        return [
            ("Photographs", f"{self.object} (example)" if self.example else "your own"),
            ("PSNR", f"{self.psnr:.2f} dB"),
            ("SSIM", f"{self.ssim:.3f}"),
            ("Training", f"{self.steps:,} steps in {self.seconds:.0f} s{self._before()} ({self.quality})"),
            ("Grid", f"{self.reso} x {self.reso} x {self.reso}, {self.points:,} points in use"),
            ("Mesh", f"{self.faces:,} faces, {'watertight' if self.watertight else 'not watertight'}"),
            ("Device", self.device),
        ]

    def _before(self) -> str:
        return f", {self.seconds_before:.0f} s of them on a worker that was lost" if self.seconds_before else ""

    def attachments(self) -> tuple[Attachment, ...]:
        roles: dict[str, Literal["preview", "still"]] = {"image/gif": "preview", "image/png": "still"}
        return tuple(
            Attachment(kept, roles.get(kept.media_type, "file"), self.smaller if kept.name.endswith(".glb") else ())
            for kept in self.artifacts
        )


def cost(params: ReconstructParams) -> float:
    """Device-seconds: the training ends with its time or with its last step, whatever comes first."""
    return min(SECONDS[params.quality], params.settings().n_iters * SECONDS_PER_STEP) + SECONDS_AROUND


def time_limit(params: ReconstructParams) -> float:
    """Seconds that a run may take."""
    return SECONDS[params.quality] + LONGEST_AROUND


def memory(params: ReconstructParams) -> int:
    """Bytes that a worker's process needs at the most."""
    photographs = MEMORY_OF_PHOTOGRAPHS if params.photographs else 0
    reso = params.settings().reso
    grid = max(MEMORY_PER_FIRST_POINT * reso[0] ** 3, MEMORY_PER_POINT * reso[-1] ** 3)
    return MEMORY_AT_REST + photographs + grid


RECONSTRUCT = JobKind(
    name="reconstruct",
    summary="Photographs with their cameras become a 3D object",
    params=ReconstructParams,
    result=ReconstructResult,
    cost=cost,
    lane="long",
    time_limit=time_limit,
    memory=memory,
    gallery=True,
    example={"scene": "still_life", "quality": "draft"},
)
