"""The backend `shap-e`: a neural network turns text into a 3D object (Jun and Nichol 2023), with diffusers.

What it denoises are the weights of a small network that knows a signed distance and a colour at every point. Both are
asked for on a grid, and marching cubes make the surface: the pipeline's own mesh decoder does the same with tables that
come with the published weights alone.
"""

from __future__ import annotations

import gc
import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import diffusers
import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from skimage.measure import marching_cubes

from frontdesk.queue.errors import ConfigurationError, FrontdeskError
from frontdesk.queue.kind_sculpt import Quality
from frontdesk.queue.settings import Settings
from frontdesk.worker.meshes import Mesh
from frontdesk.worker.models import HUB_NAME, chosen_device, memory_errors, quiet_libraries
from frontdesk.worker.revisions import revision_of
from frontdesk.worker.runner import RunError
from frontdesk.worker.sculpting import Sculpture

LOOSE = 0.02  # bodies smaller than this share of the largest are dust
POINTS = 16_384  # asked at once
EARLY_SIDE = 32  # of the grid at half way


class Effort(NamedTuple):
    """steps: of denoising (each but the last asks the network twice). guidance: how closely it keeps to the prompt.
    side: points along a side of the grid."""

    steps: int
    guidance: float
    side: int


EFFORTS: dict[Quality, Effort] = {
    "draft": Effort(16, 12.0, 64),
    "good": Effort(32, 15.0, 96),
    "best": Effort(64, 15.0, 128),
}


class ShapE:
    """Loads a pipeline from a local folder or the hub, as safetensors alone."""

    name = "shap-e"
    made_by = "Made by Shap-E, a neural network that turns text into 3D."

    def __init__(self, model: str, settings: Settings) -> None:
        self._source, self._called = _located(model)
        self._settings = settings
        self._device = torch.device("cpu")
        self._pipeline: Any = None
        self._revision: str | None = None

    @property
    def model(self) -> str:
        return f"{self._called} ({'float16' if self._device.type == 'cuda' else 'float32'})"

    @property
    def revision(self) -> str | None:
        return self._revision

    @property
    def device(self) -> str:
        return torch.cuda.get_device_name(self._device) if self._device.type == "cuda" else "CPU"

    def load(self) -> None:
        """Raises ConfigurationError, OutOfMemoryError."""
        quiet_libraries()
        diffusers.utils.logging.set_verbosity_error()  # it would log what it cuts off a prompt
        diffusers.utils.logging.disable_progress_bar()
        self._device = chosen_device(self._settings)
        pipelines: Any = diffusers.ShapEPipeline  # its methods have no types
        try:
            with memory_errors():
                pipeline = pipelines.from_pretrained(
                    self._source,
                    dtype=torch.float16 if self._device.type == "cuda" else torch.float32,
                    use_safetensors=True,
                    local_files_only=isinstance(self._source, Path),
                ).to(self._device)
        except FrontdeskError:
            raise
        except Exception as error:  # a damaged or unknown pipeline makes the libraries raise whatever comes up
            detail = str(error).strip().partition("\n")[0][:200] or type(error).__name__
            raise ConfigurationError(
                f"FRONTDESK_SHAP_E_MODEL: {self._called} is no Shap-E pipeline with safetensors: {detail}"
            ) from error
        # Half precision does not tell the highest frequencies of a place apart (2^14).
        pipeline.shap_e_renderer.to(torch.float32)
        pipeline.set_progress_bar_config(disable=True)
        self._pipeline = pipeline
        self._revision = revision_of(pipeline.prior.config, self._source)

    def unload(self) -> None:
        self._pipeline = None
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    @torch.inference_mode()
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
        """See `Sculptor`. Shows what the network expects at half way, on a coarse grid."""
        assert self._pipeline is not None, "load() comes first"  # noqa: S101 -- the contract of Sculptor
        effort = EFFORTS[quality]
        calls = 2 * effort.steps - 1  # of Heun's method

        def told(call: int, expected: torch.Tensor) -> None:
            check()
            progress(0.9 * call / calls, f"denoising, step {call // 2 + 1} of {effort.steps}")
            if call == calls // 2 and (early := surface(self._pipeline.shap_e_renderer, expected, EARLY_SIDE, check)):
                show(early)

        with memory_errors():
            self._pipeline.scheduler = _watched(self._pipeline.scheduler, told)
            latents = self._pipeline(
                prompt,
                # On the processor, so that a seed means the same noise on every device.
                generator=torch.Generator("cpu").manual_seed(seed),
                num_inference_steps=effort.steps,
                guidance_scale=effort.guidance,
                output_type="latent",
            ).images
            progress(0.9, "looking for its surface")
            found = surface(self._pipeline.shap_e_renderer, latents, effort.side, check)
        if found is None:
            raise RunError("Nothing solid came of it. Try another seed, or other words.")
        return Sculpture(found, notes=self._cut(prompt))

    def _cut(self, prompt: str) -> tuple[str, ...]:
        limit = self._pipeline.tokenizer.model_max_length
        if len(self._pipeline.tokenizer(prompt).input_ids) <= limit:
            return ()
        return ("The prompt is longer than the network reads: its end was left out.",)


def surface(renderer: Any, latents: torch.Tensor, side: int, check: Callable[[], None]) -> Mesh | None:
    """The surface that latents [1, n, d] stand for: closed, coloured, y up, its front towards +z. None where there is
    none.

    renderer: diffusers' ShapERenderer in float32. side: points along a side of the grid.
    """
    weights = renderer.params_proj(latents.float())
    for name, weight in renderer.mlp.state_dict().items():
        if (new := weights.get(f"nerstf.{name}")) is not None:
            weight.copy_(new.squeeze(0))
    axis = torch.linspace(-1, 1, side)
    distances, _ = _asked(renderer, torch.cartesian_prod(axis, axis, axis), check)
    solid = _without_dust(distances.reshape(side, side, side))
    if not (solid > 0).any():
        return None
    # A border that is outside closes what reaches the end of the grid. Distances are positive inside.
    vertices, faces, _, _ = marching_cubes(np.pad(solid, 1, constant_values=-1), 0.0, gradient_direction="ascent")
    places = np.asarray((vertices - 1) / (side - 1) * 2 - 1, np.float32)
    check()
    _, colours = _asked(renderer, torch.from_numpy(places), check)
    painted = np.full((len(places), 4), 255, np.uint8)
    painted[:, :3] = np.rint(colours * 255)
    upright = np.stack([places[:, 0], places[:, 2], -places[:, 1]], axis=1)  # its own z is up, and it looks along -y
    return Mesh(upright, np.asarray(faces, np.int32), painted)


def _asked(
    renderer: Any, places: torch.Tensor, check: Callable[[], None]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """[n, 3] places -> [n] signed distances and [n, 3] colours in sRGB, 0 to 1."""
    distances, colours = [], []
    for some in torch.split(places, POINTS):
        check()
        said = renderer.mlp(
            position=some.to(renderer.mlp.device)[None],
            direction=None,
            ts=None,
            nerf_level="fine",
            rendering_mode="stf",
        )
        distances.append(said.signed_distance[0, :, 0].cpu().numpy())
        colours.append(said.channels[0].cpu().numpy())
    return np.concatenate(distances), np.concatenate(colours)


def _without_dust(distances: NDArray[np.float32]) -> NDArray[np.float32]:
    """The same with everything outside that belongs to small loose bodies."""
    bodies, count = ndimage.label(distances > 0)
    if count < 2:
        return distances
    sizes = np.bincount(bodies.ravel())
    sizes[0] = 0
    dust = (bodies > 0) & (sizes < LOOSE * sizes.max())[bodies]
    return np.where(dust, np.float32(-1), distances)


def _watched(scheduler: Any, told: Callable[[int, torch.Tensor], None]) -> Any:
    """A new one like it that tells of each step: its number, and what the network expects the end to be.

    The pipeline has no callback of its own. Shap-E's network says the end itself, and not the noise.
    """
    fresh = type(scheduler).from_config(scheduler.config)
    step, calls = fresh.step, itertools.count()

    def watched(model_output: torch.Tensor, *args: Any, **options: Any) -> Any:
        told(next(calls), model_output)
        return step(model_output, *args, **options)

    fresh.step = watched
    return fresh


def _located(model: str) -> tuple[Path | str, str]:
    """A local folder or the hub's name, and what to call it in public."""
    path = Path(model).expanduser()
    if (path / "model_index.json").is_file():
        return path, path.resolve().name
    if path.is_dir():
        raise ConfigurationError(
            f"FRONTDESK_SHAP_E_MODEL: the folder {model} holds no model_index.json. Give the folder that "
            "ShapEPipeline.save_pretrained wrote, or owner/name on the hub."
        )
    if HUB_NAME.fullmatch(model):
        return model, model.rpartition("/")[2]
    raise ConfigurationError(
        f"FRONTDESK_SHAP_E_MODEL: there is no folder {model!r}. Give one with a Shap-E pipeline as safetensors, or "
        "owner/name on the hub such as openai/shap-e."
    )
