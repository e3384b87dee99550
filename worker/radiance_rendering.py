"""Volume rendering of a sparse radiance field: where a ray meets live cells, what it sees there, and the derivatives.

Rays are given in the cube's own coordinates (see radiance_field), their directions of unit length. Samples of all rays
lie one behind the other in one packed list, each ray's from near to far, so that nothing is spent on empty space.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.autograd import Function
from torch.nn import functional

from frontdesk.worker.posed_images import Matrix
from frontdesk.worker.radiance_field import BASES, Cube, Grid, RadianceField, corner_weights, dilated, sh_basis

COARSE = 4  # cells along a side of a block that is skipped as one
LOOK = 3.0  # cells between two looks for a block that is not empty
LEAST_WEIGHT = 5e-4  # what adds less to its pixel is not coloured: empty, or behind what is opaque
FEW = 4  # columns that are interpolated one by one
CHUNK = 8192  # rays rendered at once where nothing is learnt
AT_ONCE = 500_000  # places looked at on all of them, about: each takes some 400 bytes, with derivatives more


@dataclass(frozen=True)
class Rays:
    """origins, directions: (n, 3) float32, the latter of unit length. spans: (n, 2), the distances between which live
    cells may be met; the second is less than the first where there are none. Lengths in sides of the cube."""

    origins: Tensor
    directions: Tensor
    spans: Tensor

    def __len__(self) -> int:
        return len(self.origins)

    def __getitem__(self, which: slice | Tensor) -> Rays:
        return Rays(self.origins[which], self.directions[which], self.spans[which])


@dataclass(frozen=True)
class Samples:
    """Packed samples: the ray of each (s,), ascending; its cell; its corners' rows and weights (s, 8)."""

    ray: Tensor
    cell: Tensor
    rows: Tensor
    weights: Tensor

    def __getitem__(self, which: Tensor) -> Samples:
        ray, cell, rows, weights = (
            part.index_select(0, which) for part in (self.ray, self.cell, self.rows, self.weights)
        )
        return Samples(ray, cell, rows, weights)


def camera_rays(
    camera: Matrix, focal: float, width: int, height: int, pixels: Tensor, cube: Cube
) -> tuple[Tensor, Tensor]:
    """Origins and directions, in the cube's coordinates, through the middles of pixels (n,), counted row by row."""
    device = pixels.device
    turn = torch.as_tensor(camera[:3, :3], dtype=torch.float32, device=device)
    place = torch.as_tensor(camera[:3, 3], dtype=torch.float32, device=device)
    x = (pixels % width + 0.5 - 0.5 * width) / focal
    y = (pixels // width + 0.5 - 0.5 * height) / focal
    directions = functional.normalize(torch.stack([x, -y, -torch.ones_like(x)], dim=-1) @ turn.T, dim=-1)
    return cube.to_own(place).expand_as(directions), directions


class Scout:
    """Finds, roughly but never too narrowly, where rays may meet a grid's live cells."""

    def __init__(self, grid: Grid, near: float = 0.0) -> None:
        """near: nothing nearer to a ray's origin is met, in sides of the cube."""
        self._near = near
        self._cells = grid.side - 1
        pooled = functional.max_pool3d(grid.live[None, None].float(), COARSE, stride=COARSE, ceil_mode=True)[0, 0]
        self._blocks = dilated(pooled > 0)

    def rays(self, origins: Tensor, directions: Tensor, check: Callable[[], None] = lambda: None) -> Rays:
        """`check` may raise between chunks."""
        spans = []
        for part in zip(torch.split(origins, CHUNK), torch.split(directions, CHUNK), strict=True):
            check()
            spans.append(self._spans(*part))
        return Rays(origins, directions, torch.cat(spans) if spans else origins.new_zeros(0, 2))

    def _spans(self, origins: Tensor, directions: Tensor) -> Tensor:
        safe = torch.where(directions.abs() < 1e-9, torch.full_like(directions, 1e-9), directions)
        first, second = -origins / safe, (1 - origins) / safe
        enter = torch.minimum(first, second).amax(1).clamp_min(self._near)
        leave = torch.maximum(first, second).amin(1)
        step = LOOK / self._cells
        looks = math.ceil(math.sqrt(3) / step)
        t = enter[:, None] + (torch.arange(looks, device=origins.device) + 0.5) * step
        side = self._blocks.shape[0]
        flat = torch.zeros(t.shape, dtype=torch.int32, device=t.device)
        for axis in range(3):
            place = origins[:, axis, None] + t * directions[:, axis, None]
            flat = flat * side + (place * (self._cells / COARSE)).to(torch.int32).clamp_(0, side - 1)
        met = self._blocks.flatten()[flat] & (t - step < leave[:, None])
        nearest, farthest = met.int().argmax(1), looks - 1 - met.flip(1).int().argmax(1)
        begin = enter + nearest * step
        end = torch.minimum(enter + (farthest + 1) * step, leave)
        return torch.stack([begin, torch.where(met.any(1), end, begin - 1)], dim=1)


def march(grid: Grid, rays: Rays, step: float) -> Samples:
    """A sample every `step` sides of the cube, wherever a ray is in a live cell."""
    begin, end = rays.spans.unbind(1)
    counts = ((end - begin) / step).round().clamp_min(0).long()
    ray = torch.repeat_interleave(counts)
    number = torch.arange(len(ray), device=ray.device) - (counts.cumsum(0) - counts).index_select(0, ray)
    cells = grid.side - 1
    # The place of a ray's first sample, and the way to the next: one row of six to look up for each sample.
    first = torch.addcmul(rays.origins, begin[:, None] + 0.5 * step, rays.directions)
    lines = (torch.cat([first, step * rays.directions], dim=1) * cells).index_select(0, ray)
    places = torch.addcmul(lines[:, :3], number[:, None].to(lines.dtype), lines[:, 3:])
    least = places.to(torch.int32).clamp_(0, cells - 1)
    flat = (least[:, 0] * grid.side + least[:, 1]) * grid.side + least[:, 2]
    cell = grid.cell_ids.index_select(0, flat)
    met = cell.nonzero()[:, 0]
    cell = cell.index_select(0, met)
    fractions = (places.index_select(0, met) - least.index_select(0, met)).clamp_(0, 1)
    return Samples(ray.index_select(0, met), cell, grid.cell_rows.index_select(0, cell), corner_weights(fractions))


def portions(rays: Rays, step: float) -> list[slice]:
    """Equal parts of the rays, of CHUNK and about AT_ONCE samples at the most: memory is bounded, and so is the time
    from one to the next, however fine the grid is and however full."""
    begin, end = rays.spans.unbind(1)
    places = float(((end - begin) / step).clamp_min(0).sum())
    parts = max(1, math.ceil(len(rays) / CHUNK), math.ceil(places / AT_ONCE))
    size = max(1, math.ceil(len(rays) / parts))
    return [slice(start, start + size) for start in range(0, len(rays), size)]


def within_rays(values: Tensor, ray: Tensor, rays: int) -> tuple[Tensor, Tensor]:
    """Running sums (s,) of packed values within each ray, each included, and the sums of all rays (rays,).

    The running sum over the whole list is taken in double precision: its differences would lose too much in single.
    """
    ends = torch.bincount(ray, minlength=rays).cumsum(0)
    running = functional.pad(values.double().cumsum(0), (1, 0))
    at_end = running[ends]
    before = functional.pad(at_end[:-1], (1, 0))
    return (running[1:] - before.index_select(0, ray)).to(values.dtype), (at_end - before).to(values.dtype)


def sample_weights(depths: Tensor, ray: Tensor, rays: int) -> tuple[Tensor, Tensor]:
    """The light (s,) that gets as far as each sample of optical depth `depths`, and what each adds to its pixel."""
    reached, _ = within_rays(depths, ray, rays)
    light = torch.exp(depths - reached)
    return light, light * -torch.expm1(-depths)


class Composite(Function):
    """Pixels over white from packed samples: C = sum_i T_i (1 - exp(-d_i)) c_i + T_end (Max 1995; Plenoxels, eq. 1).

    The derivative by a depth is dC/dd_i = T_(i+1) c_i - sum_(j>i) w_j c_j - T_end: what it adds, less what it hides.
    """

    @staticmethod
    def forward(ctx: Any, depths: Tensor, colours: Tensor, ray: Tensor, rays: int) -> Tensor:
        """depths (s,), colours (s, c), ray (s,) ascending -> (rays, c)."""
        light, weights = sample_weights(depths, ray, rays)
        left = torch.exp(-depths.new_zeros(rays).index_add_(0, ray, depths))
        ctx.save_for_backward(depths, colours, ray, light, weights, left)
        return left[:, None].expand(rays, colours.shape[1]).clone().index_add_(0, ray, weights[:, None] * colours)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, None, None]:
        (gradient,) = gradients
        depths, colours, ray, light, weights, left = ctx.saved_tensors
        of_ray = gradient.index_select(0, ray)
        shown = (of_ray * colours).sum(1)
        running, total = within_rays(weights * shown, ray, len(left))
        behind = (total + left * gradient.sum(1)).index_select(0, ray) - running
        return light * torch.exp(-depths) * shown - behind, weights[:, None] * of_ray, None, None


class Column(Function):
    """Interpolation of one value. Its derivative is a weighted count, many times faster than embedding_bag's own."""

    @staticmethod
    def forward(ctx: Any, column: Tensor, rows: Tensor, weights: Tensor) -> Tensor:
        """column (rows+1,), rows (s, 8), weights (s, 8) -> (s,)."""
        ctx.save_for_backward(rows, weights)
        ctx.length = len(column)
        return (column.index_select(0, rows.flatten()).view_as(weights) * weights).sum(1)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        rows, weights = ctx.saved_tensors
        spread = (gradients[0][:, None] * weights).flatten()
        return torch.bincount(rows.flatten(), spread, ctx.length).to(spread.dtype), None, None


def interpolated(table: Tensor, samples: Samples) -> Tensor:
    """Values (s, c) of a table (rows+1, c) at the samples; differentiable by the table."""
    if table.shape[1] <= FEW:
        apply: Any = Column.apply  # torch leaves it untyped
        columns = [apply(column, samples.rows, samples.weights) for column in table.unbind(1)]
        return torch.stack(columns, dim=1)
    return functional.embedding_bag(samples.rows, table, per_sample_weights=samples.weights, mode="sum")


@torch.no_grad()
def depths_of(field: RadianceField, samples: Samples, step: float) -> Tensor:
    """Optical depths (s,) without derivatives."""
    return field.optical_density(interpolated(field.density, samples)[:, 0]) * step


def visible(field: RadianceField, rays: Rays, step: float) -> Samples:
    """The samples that show in their pixels."""
    samples = march(field.grid, rays, step)
    _, weights = sample_weights(depths_of(field, samples, step), samples.ray, len(rays))
    return samples[(weights > LEAST_WEIGHT).nonzero()[:, 0]]


def colours_of(field: RadianceField, samples: Samples, directions: Tensor, bases: int = BASES) -> Tensor:
    """Colours (s, 3), at least 0, as the rays of these directions (rays, 3) see them by the first `bases` harmonics."""
    basis = sh_basis(directions)[:, :bases].index_select(0, samples.ray)
    sh = interpolated(field.sh[:, : 3 * bases].contiguous(), samples).view(-1, bases, 3)
    return ((sh * basis[:, :, None]).sum(1) + 0.5).clamp_min(0)


class Rendered(NamedTuple):
    """pixels: (rays, 3), sRGB of 0 to about 1, over white. left: (rays,), the share of the white that shows in them.
    depths: of the samples that show. All are differentiable."""

    pixels: Tensor
    left: Tensor
    depths: Tensor


def render(field: RadianceField, rays: Rays, step: float, bases: int = BASES) -> Rendered:
    """What rays see."""
    samples = visible(field, rays, step)
    depths = field.optical_density(interpolated(field.density, samples)[:, 0]) * step
    colours = colours_of(field, samples, rays.directions, bases)
    composite: Any = Composite.apply  # torch leaves it untyped
    with_black = functional.pad(colours, (0, 1))  # a fourth colour that nothing has but what is behind
    pixels = composite(depths, with_black, samples.ray, len(rays))
    return Rendered(pixels[:, :3], pixels[:, 3], depths)


@torch.no_grad()
def photograph(
    field: RadianceField,
    scout: Scout,
    camera: Matrix,
    focal: float,
    size: tuple[int, int],
    step: float,
    check: Callable[[], None] = lambda: None,
) -> NDArray[np.float32]:
    """What a pinhole camera sees: (height, width, 3), 0 to 1. size: width, height. `check` may raise between chunks."""
    width, height = size
    parts = []
    for pixels in torch.split(torch.arange(width * height, device=field.density.device), CHUNK):
        check()
        rays = scout.rays(*camera_rays(camera, focal, width, height, pixels, field.cube))
        seen = torch.ones(len(rays), 3, device=pixels.device)
        hit = (rays.spans[:, 1] > rays.spans[:, 0]).nonzero()[:, 0]
        met = rays[hit]
        for part in portions(met, step):
            check()
            seen[hit[part]] = render(field, met[part], step).pixels
        parts.append(seen)
    return np.asarray(torch.cat(parts).clamp(0, 1).view(height, width, 3).cpu().numpy(), dtype=np.float32)
