"""The `reconstruct` runner: from a job's photographs to figures, a fly-around, a mesh and the grid."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import PurePath

import torch

from frontdesk.queue.archives import unpack
from frontdesk.queue.artifacts import Artifact
from frontdesk.queue.jobs import Version
from frontdesk.queue.kind_reconstruct import Look, ReconstructParams, ReconstructResult
from frontdesk.queue.posed_archive import SUFFIXES
from frontdesk.queue.reconstruct_config import SECONDS
from frontdesk.worker.animation import animated
from frontdesk.worker.example_scenes import write_example
from frontdesk.worker.glb import glb
from frontdesk.worker.meshes import Mesh, fitted, watertight
from frontdesk.worker.models import chosen_device, device_name, memory_errors
from frontdesk.worker.posed_images import PosedImages, read_posed_images
from frontdesk.worker.radiance_field import RadianceField
from frontdesk.worker.radiance_flight import Orbit, fly_around
from frontdesk.worker.radiance_mesh import grid_file, surface
from frontdesk.worker.radiance_training import Hooks, Trained, train
from frontdesk.worker.runner import Bench, RunContext, RunError, Runner
from frontdesk.worker.turntable import png
from frontdesk.worker.versions import kept, mesh_versions

TRAINED = 0.9  # share of the progress that is told during the training


@dataclass(frozen=True)
class Flight:
    """How many frames a fly-around has, and the pixels of its sides and of the still's."""

    frames: int = 36
    size: int = 256
    still: int = 512


@dataclass(frozen=True)
class Products:
    """The mesh, the files (fly-around, still, mesh, grid), and smaller versions of the mesh's."""

    mesh: Mesh
    files: tuple[Artifact, ...]
    smaller: tuple[Version, ...]


class ReconstructRunner(Runner[ReconstructParams, ReconstructResult]):
    """clock: of the training, in seconds. save_every, look_every: seconds between checkpoints, and between looks at
    held-out pictures."""

    def __init__(
        self,
        bench: Bench,
        *,
        clock: Callable[[], float] = time.monotonic,
        save_every: float = 60.0,
        look_every: float = 10.0,
        flight: Flight | None = None,
    ) -> None:
        super().__init__(bench)
        self._clock, self._save_every, self._look_every = clock, save_every, look_every
        self._flight = flight or Flight()
        self._device: torch.device | None = None

    def load(self) -> None:
        """Raises ConfigurationError."""
        self._device = chosen_device(self.bench.models.settings)
        torch.optim.Adam([torch.zeros(1, requires_grad=True)])  # the first one takes a second to be imported

    @property
    def model(self) -> str | None:
        return f"radiance field on {device_name(self._device)}" if self._device else None

    @property
    def revision(self) -> str:
        return f"frontdesk {version('frontdesk')}"

    def run(self, params: ReconstructParams, context: RunContext) -> ReconstructResult:
        assert self._device is not None, "load() comes first"  # noqa: S101 -- the contract of Runner
        with memory_errors():
            images = _images(params, context)
            context.progress(0.0, note=f"{len(images.train)} pictures to learn from, {len(images.held_out)} held out")
            trained = train(
                images,
                params.settings(),
                device=self._device,
                time_limit=SECONDS[params.quality],
                saved=context.saved(),
                hooks=self._hooks(images, context),
            )
            products = self._products(trained, images, _named(params), context)
        return _result(params, images, trained, products, device_name(self._device))

    def _hooks(self, images: PosedImages, context: RunContext) -> Hooks:
        def half_way(field: RadianceField) -> None:
            with suppress(RunError):  # nothing is solid yet: there is nothing to show
                orbit = Orbit.around(surface(field, images.train, context.check))
                (picture,) = fly_around(field, orbit, frames=1, size=self._flight.size, check=context.check)
                context.show(png(picture), name="half-way.png", media_type="image/png")

        return Hooks(
            progress=lambda fraction, note: context.progress(TRAINED * fraction, note=note),
            check=context.check,
            half_way=half_way,
            save=context.save,
            clock=self._clock,
            look_every=self._look_every,
            save_every=self._save_every,
        )

    def _products(self, trained: Trained, images: PosedImages, name: str, context: RunContext) -> Products:
        """They are made before the first is kept: a failure leaves none behind."""
        flight, check = self._flight, context.check
        context.progress(TRAINED, note="the mesh")
        check()
        body = surface(trained.field, images.train, check)
        check()
        mesh = fitted(Mesh(*body))
        model = glb(mesh, name=name)
        smaller = mesh_versions(mesh, model, name=name, check=check)
        check()
        grid = grid_file(trained.field, check)
        frames = []
        orbit = Orbit.around(body)
        for frame in fly_around(trained.field, orbit, frames=flight.frames, size=flight.size, check=check):
            frames.append(frame)
            share = TRAINED + (1 - TRAINED) * len(frames) / (flight.frames + 1)
            context.progress(share, note=f"the fly-around, view {len(frames)} of {flight.frames}")
        (still,) = fly_around(trained.field, orbit, frames=1, size=flight.still, check=check)
        flown, seen = animated(frames, check=check), png(still)
        check()
        around = context.keep(flown, name=f"{name}-around.gif", media_type="image/gif")
        picture = context.keep(seen, name=f"{name}.png", media_type="image/png")
        whole, versions = kept(context, model, smaller, name=f"{name}.glb", media_type="model/gltf-binary")
        kept_grid = context.keep(grid, name=f"{name}-grid.npz", media_type="application/octet-stream")
        return Products(mesh, (around, picture, whole, kept_grid), versions)


def _images(params: ReconstructParams, context: RunContext) -> PosedImages:
    """Raises UnusablePhotographsError, ArchiveError, FileGoneError."""
    folder = context.folder / "photographs"
    if params.photographs is None:
        context.progress(0.0, note="photographing the example")
        folder.mkdir()
        write_example(params.scene, folder, check=context.check)
    else:
        context.progress(0.0, note="opening the photographs")
        archive = context.fetch(params.photographs)
        unpack(archive, folder, suffixes=SUFFIXES, check=context.check)
        archive.unlink()
    return read_posed_images(folder, check=context.check)


def _named(params: ReconstructParams) -> str:
    """The object's name: the example's, or the upload's without its ending."""
    return PurePath(params.photographs.name).stem if params.photographs else params.scene


def _result(
    params: ReconstructParams,
    images: PosedImages,
    trained: Trained,
    products: Products,
    device: str,
) -> ReconstructResult:
    return ReconstructResult(
        object=_named(params),
        example=params.photographs is None,
        quality=params.quality,
        psnr=trained.final.psnr,
        ssim=trained.final.ssim,
        views=len(images.train),
        held_out=len(images.held_out),
        steps=trained.final.steps,
        seconds=trained.final.seconds,
        seconds_before=trained.seconds_before,
        reso=trained.field.grid.side,
        points=trained.field.grid.rows,
        faces=len(products.mesh.faces),
        watertight=watertight(products.mesh),
        device=device,
        curve=tuple(Look(**score.model_dump()) for score in trained.scores),
        artifacts=products.files,
        smaller=products.smaller,
    )
