"""The `sculpt` runner: from a job's parameters to an object, its pictures and its file."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence

from frontdesk.queue.errors import ConfigurationError
from frontdesk.queue.kind_sculpt import SculptParams, SculptResult
from frontdesk.queue.settings import Settings
from frontdesk.worker.mesh_files import MEDIA_TYPES, written
from frontdesk.worker.meshes import Mesh, fitted, statistics
from frontdesk.worker.models import memory_errors
from frontdesk.worker.runner import Bench, RunContext, Runner
from frontdesk.worker.sculpt_modeller import Modeller
from frontdesk.worker.sculpting import Sculptor, Sculpture
from frontdesk.worker.turntable import Preview, preview, still
from frontdesk.worker.versions import Made, kept, mesh_versions

SCULPTED = 0.3  # of the progress; the pictures take the rest
LONGEST_NAME = 40


def chosen(settings: Settings) -> Sculptor:
    """The backend that is set, or Shap-E where it has a model, or the modeller. Raises ConfigurationError."""
    if settings.sculpt_backend == "modeller" or (settings.sculpt_backend == "auto" and settings.shap_e_model is None):
        return Modeller()
    if settings.shap_e_model is None:
        raise ConfigurationError(
            "FRONTDESK_SCULPT_BACKEND is shap-e: FRONTDESK_SHAP_E_MODEL must say where it is, such as openai/shap-e."
        )
    try:
        from frontdesk.worker.sculpt_shap_e import ShapE
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] != "diffusers":
            raise
        raise ConfigurationError(
            "The backend shap-e needs the package diffusers: pip install 'frontdesk[diffusion]'. "
            "Or set FRONTDESK_SCULPT_BACKEND to modeller."
        ) from error
    return ShapE(settings.shap_e_model, settings)


class SculptRunner(Runner[SculptParams, SculptResult]):
    """Sculpts with the backend that the settings choose."""

    def __init__(self, bench: Bench) -> None:
        super().__init__(bench)
        self._sculptor = chosen(bench.models.settings)

    def load(self) -> None:
        """Raises ConfigurationError, OutOfMemoryError."""
        self._sculptor.load()

    def unload(self) -> None:
        self._sculptor.unload()

    @property
    def model(self) -> str | None:
        return self._sculptor.model

    @property
    def revision(self) -> str | None:
        return self._sculptor.revision

    def run(self, params: SculptParams, context: RunContext) -> SculptResult:
        began = time.monotonic()
        with memory_errors():
            sculpture = self._sculptor.sculpt(
                params.prompt,
                seed=params.seed,
                quality=params.quality,
                progress=lambda share, note: context.progress(SCULPTED * share, note=note),
                check=context.check,
                show=lambda mesh: context.show(still(mesh), name="half-way.png", media_type="image/png"),
            )
            context.check()
            printed = sculpture.solid() if params.format == "stl" and sculpture.solid else sculpture.looks
            mesh = fitted(printed)
            seconds = time.monotonic() - began
            context.check()
            name = named(params.prompt)
            file = written(mesh, params.format, name=name)
            context.check()
            smaller = mesh_versions(mesh, file, params.format, name=name, check=context.check)
            pictures = preview(
                sculpture.looks,
                progress=lambda share, note: context.progress(SCULPTED + (1 - SCULPTED) * share, note=note),
                check=context.check,
            )
            context.check()
        return self._result(params, sculpture, mesh, seconds, pictures, (file, smaller), context)

    def _result(
        self,
        params: SculptParams,
        sculpture: Sculpture,
        mesh: Mesh,
        seconds: float,
        pictures: Preview,
        file: tuple[bytes, Sequence[Made]],
        context: RunContext,
    ) -> SculptResult:
        """Everything is made before the first file is kept: a failure leaves none behind."""
        figures, name = statistics(mesh), named(params.prompt)
        whole, versions = kept(context, *file, name=f"{name}.{params.format}", media_type=MEDIA_TYPES[params.format])
        return SculptResult(
            **params.model_dump(),
            backend=self._sculptor.name,
            made_by=self._sculptor.made_by,
            faces=figures.faces,
            vertices=figures.vertices,
            size=figures.size,
            watertight=figures.watertight,
            seconds=seconds,
            device=self._sculptor.device,
            unknown=sculpture.unknown,
            taken_for=sculpture.taken_for,
            notes=sculpture.notes,
            preview=context.keep(pictures.animation, name=f"{name}-turning.gif", media_type="image/gif"),
            still=context.keep(pictures.still, name=f"{name}.png", media_type="image/png"),
            file=whole,
            smaller=versions,
        )


def named(prompt: str) -> str:
    """What to call an object's files: the prompt's first words, as far as they are plain letters."""
    words = re.findall(r"[a-z0-9]+", prompt.casefold())
    name = ""
    for word in words:
        longer = f"{name}-{word}" if name else word[:LONGEST_NAME]
        if len(longer) > LONGEST_NAME:
            break
        name = longer
    return name or "object"
