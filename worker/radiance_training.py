"""The training of a radiance field from the first fog to the last figure: looks at held-out views, checkpoints."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from skimage.metrics import structural_similarity

from frontdesk.queue.reconstruct_config import ReconstructConfig
from frontdesk.worker.posed_images import PosedImages, View
from frontdesk.worker.radiance_checkpoint import Score, UnusableCheckpointError, digest, frozen, thaw
from frontdesk.worker.radiance_field import RadianceField
from frontdesk.worker.radiance_fitting import Fit
from frontdesk.worker.radiance_mesh import without_dust
from frontdesk.worker.radiance_rendering import photograph

LOOKED_AT = 2  # held-out views that are judged while it runs


@dataclass(frozen=True)
class Hooks:
    """What a training tells and asks. `check` may raise to end it, and is called before every step.

    progress: the fraction that is done, and a short note. half_way: the field as it is then. save: takes the state, to
    be handed to `train` again. clock: seconds.
    """

    progress: Callable[[float, str], None] = lambda fraction, note: None
    check: Callable[[], None] = lambda: None
    half_way: Callable[[RadianceField], None] = lambda field: None
    save: Callable[[bytes], None] = lambda state: None
    clock: Callable[[], float] = time.monotonic
    look_every: float = 10.0  # seconds
    save_every: float = 60.0


@dataclass(frozen=True)
class Trained:
    """A field, how it does on all held-out views, and how it did on the first few of them while it was trained.

    seconds_before: that the training had taken when it was put down, 0 where it was not.
    """

    field: RadianceField
    step_size: float
    near: float
    final: Score
    scores: tuple[Score, ...]
    seconds_before: float


def train(
    images: PosedImages,
    config: ReconstructConfig,
    *,
    device: torch.device,
    time_limit: float | None = None,
    saved: bytes | None = None,
    hooks: Hooks | None = None,
) -> Trained:
    """Train until n_iters steps are done or `time_limit` seconds have passed, those before a checkpoint included.

    saved: what `hooks.save` was given last; what cannot be used is ignored. Raises RunError, and what `check` raises.
    """
    hooks = hooks or Hooks()
    fit = Fit(images, config, device, time_limit, hooks.check)
    name = digest(images, config)
    scores = _taken_up(saved, fit, name)
    taken_up = fit.seconds
    before = hooks.clock() - taken_up
    half = config.n_iters / 2
    next_look, next_save = fit.seconds + hooks.look_every, fit.seconds + hooks.save_every
    while not fit.done:
        hooks.check()
        reached = fit.reached
        fit.advance()
        fit.seconds = hooks.clock() - before
        if reached < half <= fit.reached:
            hooks.half_way(fit.field)
        if fit.seconds >= next_look:
            scores.append(_score(fit, images.held_out[:LOOKED_AT], hooks))
            hooks.progress(min(1.0, fit.reached / config.n_iters), _note(fit, scores[-1]))
            fit.seconds = hooks.clock() - before
            next_look = fit.seconds + hooks.look_every
        if fit.seconds >= next_save:
            hooks.save(frozen(fit, name, scores))
            fit.seconds = hooks.clock() - before
            next_save = fit.seconds + hooks.save_every
    fit.adopt(without_dust(fit.field), {})  # before it is judged: the figures are those of what is handed back
    final = _score(fit, images.held_out, hooks)
    hooks.progress(1.0, _note(fit, final))
    return Trained(fit.field, fit.step_size, fit.near, final, tuple(scores), taken_up)


def _taken_up(saved: bytes | None, fit: Fit, name: str) -> list[Score]:
    if saved is None:
        return []
    try:
        return thaw(saved, fit, name)
    except UnusableCheckpointError:
        return []


def _score(fit: Fit, views: Sequence[View], hooks: Hooks) -> Score:
    figures = [_figures(fit, view, hooks) for view in views]
    psnr, ssim = (float(np.mean(each)) for each in zip(*figures, strict=True))
    return Score(seconds=fit.seconds, steps=fit.steps, psnr=psnr, ssim=ssim)


def _figures(fit: Fit, view: View, hooks: Hooks) -> tuple[float, float]:
    height, width = view.picture.shape[:2]
    size = (width, height)
    seen = photograph(fit.field, fit.scout, view.camera, view.focal, size, fit.step_size, hooks.check)
    truth = np.asarray(view.picture / 255, dtype=np.float32)
    return psnr_of(seen, truth), ssim_of(seen, truth)


def psnr_of(seen: NDArray[np.float32], truth: NDArray[np.float32]) -> float:
    """Peak signal-to-noise ratio in dB of pictures of 0 to 1."""
    return float(-10 * np.log10(np.maximum(1e-10, np.square(seen - truth, dtype=np.float64).mean())))


def ssim_of(seen: NDArray[np.float32], truth: NDArray[np.float32]) -> float:
    """Structural similarity of pictures (h, w, 3) of 0 to 1 (Wang et al. 2004: Gaussian window, sigma 1.5)."""
    window = min(11, (min(seen.shape[:2]) - 1) // 2 * 2 + 1)
    similarity = structural_similarity(
        seen, truth, channel_axis=2, data_range=1.0, gaussian_weights=window == 11, win_size=window,
        use_sample_covariance=False,
    )  # fmt: skip
    return float(similarity)


def _note(fit: Fit, score: Score) -> str:
    side = fit.field.grid.side
    return (
        f"step {score.steps:,}, {side}x{side}x{side} grid, {score.psnr:.1f} dB, SSIM {score.ssim:.3f} on held-out views"
    )
