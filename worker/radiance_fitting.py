"""Fitting a radiance field to pixels: one step, and when the grid gets finer or loses its empty cells."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor

from frontdesk.queue.reconstruct_config import ReconstructConfig
from frontdesk.worker.posed_images import PosedImages
from frontdesk.worker.radiance_field import BASES, Grid, RadianceField
from frontdesk.worker.radiance_rays import Pixels, Pool, cube_of
from frontdesk.worker.radiance_rendering import (
    Rays,
    Rendered,
    Scout,
    depths_of,
    portions,
    render,
    sample_weights,
    visible,
)
from frontdesk.worker.runner import RunError

BETAS, EPSILON = (0.9, 0.99), 1e-12
WATCHED = 50_000  # rays that tell which cells show
ROWS_AT_ONCE = 100_000  # whose total variation is looked at
SMOOTH = 1e-3  # what a difference must exceed to count as an edge in the total variation


class Fit:
    """A field that is being trained. All randomness follows from the configuration's seed and the counters here.

    steps: done so far. seconds: that they took, told by whoever calls. level: of config.reso. pool, place: which random
    pixels come next. pruned: the step of the last look for empty cells. `check` is called during what takes longer than
    a step, and may raise.
    """

    def __init__(
        self,
        images: PosedImages,
        config: ReconstructConfig,
        device: torch.device,
        time_limit: float | None = None,
        check: Callable[[], None] = lambda: None,
    ) -> None:
        self.config = config
        self._check = check
        self.device = device
        self.time_limit = time_limit
        self.steps, self.seconds, self.level, self.pool, self.place, self.pruned = 0, 0.0, 0, 0, 0, 0
        cube = cube_of(images.train, config.scene_radius)
        self.near = config.near_clip / (2 * cube.radius)
        self._pixels = Pixels(images.train, cube, device)
        self.adopt(RadianceField.fog(cube, config.reso[0], device), {})

    def adopt(self, field: RadianceField, moments: dict[str, Tensor]) -> None:
        """Go on with this field. moments: Adam's, as `moments()` gives them; what is missing begins anew."""
        self.field = field
        self.scout = Scout(field.grid, self.near)
        self._pool: Pool | None = None
        field.density.requires_grad_()
        field.sh.requires_grad_()
        groups: list[dict[str, Any]] = [{"params": [field.density]}, {"params": [field.sh]}]
        self._adam = torch.optim.Adam(groups, betas=BETAS, eps=EPSILON, fused=True)
        for name, table in self._tables():
            if f"{name}.exp_avg" in moments:
                self._adam.state[table] = {
                    key: moments[f"{name}.{key}"] for key in ("step", "exp_avg", "exp_avg_sq")
                }  # fmt: skip

    def _tables(self) -> Iterator[tuple[str, Tensor]]:
        yield "density", self.field.density
        yield "sh", self.field.sh

    def moments(self) -> dict[str, Tensor]:
        """Adam's state by the table's name and its own; empty before the first step."""
        return {
            f"{name}.{key}": value for name, table in self._tables() for key, value in self._adam.state[table].items()
        }

    @property
    def step_size(self) -> float:
        """Between two samples of a ray, in sides of the cube."""
        return self.config.step_size / (self.field.grid.side - 1)

    @property
    def _bases(self) -> int:
        """The first of several levels learns shapes: without views' differences it is faster and as good."""
        return 1 if self.level == 0 and len(self.config.reso) > 1 else BASES

    @property
    def reached(self) -> float:
        """How far the schedule is, in steps: as many as were done, or more where the time will not do for all."""
        by_time = self.config.n_iters * self.seconds / self.time_limit if self.time_limit else 0.0
        return max(self.steps, by_time)

    @property
    def done(self) -> bool:
        return self.reached >= self.config.n_iters

    def advance(self) -> None:
        """One step. Raises RunError where nothing is left to learn from."""
        config = self.config
        if self.level + 1 < len(config.reso) and self.reached >= config.upsamp_every * (self.level + 1):
            self.level += 1
            self._prune(self.field.grid)
            self._regrid(self.field.grid.finer(config.reso[self.level]))
        elif self.steps - self.pruned >= config.prune_every:
            self._prune(self.field.grid)
        rays, colours = self._batch()
        self._adam.zero_grad()
        for part in portions(rays, self.step_size):
            self._check()
            loss = self._loss(rays[part], colours[part]) / len(rays)
            if not math.isfinite(loss.item()):
                raise RunError(f"It went astray at step {self.steps + 1:,}: try a lower lr_sigma and lr_sh.")
            torch.autograd.backward(loss)
        self._regularise()
        for group, rate in zip(self._adam.param_groups, self._rates(), strict=True):
            group["lr"] = rate
        self._adam.step()
        self.steps += 1

    def _loss(self, rays: Rays, colours: Tensor) -> Tensor:
        """The sum over these rays."""
        seen = render(self.field, rays, self.step_size, self._bases)
        loss = _mismatch(seen, colours)
        if self.config.lambda_sparsity:
            # The Cauchy loss of Plenoxels (eq. 4) on the densities that show.
            density = seen.depths / (self.step_size * 64)
            loss = loss + self.config.lambda_sparsity * (1 + 2 * density.square()).log().sum()
        return loss

    def _rates(self) -> tuple[float, float]:
        """Learning rates of density and harmonics: each falls exponentially to its final value."""
        config = self.config
        return (
            _falling(config.lr_sigma, config.lr_sigma_final, self.reached / config.lr_sigma_decay_steps),
            _falling(config.lr_sh, config.lr_sh_final, self.reached / config.lr_sh_decay_steps),
        )

    def _batch(self) -> tuple[Rays, Tensor]:
        if self._pool is None:
            self._pool = Pool(self._pixels, self.scout, self.config.seed, self.pool, self._check)
            if not len(self._pool):
                raise RunError("Nothing is to be seen in the pictures: is scene_radius right?")
        if self.place >= len(self._pool):
            self._next_pool()
            return self._batch()
        rays, colours = self._pool.take(self.place, self.config.batch_size)
        self.place += self.config.batch_size
        return rays, colours

    def _next_pool(self) -> None:
        self._pool, self.pool, self.place = None, self.pool + 1, 0

    @torch.no_grad()
    def _prune(self, grid: Grid) -> None:
        """Let cells die that weigh next to nothing in every pixel that was watched."""
        self._batch()
        assert self._pool is not None  # noqa: S101 -- _batch made it
        most = torch.zeros(len(grid.cell_rows), device=self.device)
        watched, _ = self._pool.take(0, WATCHED)
        for part in portions(watched, self.step_size):
            self._check()
            rays = watched[part]
            samples = visible(self.field, rays, self.step_size)
            _, weights = sample_weights(depths_of(self.field, samples, self.step_size), samples.ray, len(rays))
            most.scatter_reduce_(0, samples.cell.long(), weights, "amax")
        self.pruned = self.steps
        kept = grid.kept(most > self.config.weight_thresh)
        if not kept.rows:
            raise RunError("Nothing solid was found: the pictures and their cameras do not fit together.")
        self._regrid(kept)

    @torch.no_grad()
    def _regrid(self, grid: Grid) -> None:
        """Move to another grid, Adam's moments with it."""
        regridding = self.field.grid.regridding(grid)
        moments = {
            name: regridding.apply(value, 0.0) if value.ndim else value for name, value in self.moments().items()
        }
        self._next_pool()
        self.adopt(self.field.on(grid), moments)

    @torch.no_grad()
    def _regularise(self) -> None:
        """Add the derivatives of the total variation, on a random run of rows, and of the harmonics' squares."""
        config, rows = self.config, self.field.grid.rows
        count = max(1, round(config.tv_sparsity * rows))
        generator = torch.Generator().manual_seed(config.seed * 1_000_003 + self.steps)
        start = 1 + int(torch.randint(rows - count + 1, (1,), generator=generator))
        fading = _falling(1.0, config.tv_decay, self.reached / config.n_iters)
        for first in range(start, start + count, ROWS_AT_ONCE):
            part = slice(first, min(first + ROWS_AT_ONCE, start + count))
            neighbours = self.field.grid.neighbours[part]
            for (_, table), weight in zip(self._tables(), (config.lambda_tv, config.lambda_tv_sh), strict=True):
                if weight:
                    _add_variation(table, part, neighbours, fading * weight / count)
            if config.lambda_l2_sh and self.field.sh.grad is not None:
                self.field.sh.grad[part, 3:].add_(self.field.sh[part, 3:], alpha=config.lambda_l2_sh / count)
        for _, table in self._tables():
            if table.grad is not None:
                table.grad[0] = 0  # row 0 is what is empty, and stays so


def _mismatch(seen: Rendered, colours: Tensor) -> Tensor:
    """The squared error of a pixel's three colours, its sum over some pixels.

    colours: (n, 3) over white; or (n, 4) with the share of the white that shows. Then it is the error's mean over all
    backgrounds b of 0 to 1 (e - t (1 - b) each, t being the error of the share): over white alone, what is bright could
    as well be a hole.
    """
    error = seen.pixels - colours[:, :3]
    if colours.shape[1] == 3:
        return error.square().sum()
    through = (seen.left - colours[:, 3])[:, None]
    return (error.square() - error * through + through.square() / 3).sum()


def _falling(first: float, last: float, progress: float) -> float:
    """Exponentially from the first value to the last while progress goes from 0 to 1."""
    return float(first * (last / first) ** min(1.0, progress))


def _add_variation(table: Tensor, part: slice, neighbours: Tensor, weight: float) -> None:
    """Add to a table's gradient that of weight * sum sqrt(dx² + dy² + dz² + SMOOTH²) over the part's rows (n).

    neighbours: (n, 3). Plenoxels, eq. 3: each value (density, or one coefficient) by itself.
    """
    if table.grad is None:
        return
    here = table[part]
    differences = [table[neighbours[:, axis]] - here for axis in range(3)]
    size = sum((difference.square() for difference in differences), torch.full_like(here, SMOOTH**2)).sqrt_()
    for axis, difference in enumerate(differences):
        slope = difference.div_(size).mul_(weight)
        table.grad[part] -= slope
        table.grad.index_add_(0, neighbours[:, axis], slope)
