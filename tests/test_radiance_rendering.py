"""Rendering a sparse field gives what a plain loop over all samples gives, and so do its derivatives."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from tiny_scenes import CPU
from torch import Tensor
from torch.autograd import gradcheck
from torch.nn import functional

from frontdesk.worker import radiance_rendering
from frontdesk.worker.posed_images import orbiting
from frontdesk.worker.radiance_field import DENSITY_UNIT, FRINGE, Cube, Grid, RadianceField, sh_basis
from frontdesk.worker.radiance_fitting import _mismatch
from frontdesk.worker.radiance_rendering import (
    Composite,
    Rays,
    Rendered,
    Scout,
    camera_rays,
    march,
    photograph,
    portions,
    render,
)

UNIT = Cube((0.0, 0.0, 0.0), 1.0)


pytestmark = pytest.mark.usefixtures("one_thread")


def random_field(side: int = 9, share: float = 0.3, seed: int = 1) -> RadianceField:
    """Live cells here and there, with random values."""
    generator = torch.Generator().manual_seed(seed)
    grid = Grid(torch.rand(side, side, side, generator=generator) < share)
    density = torch.randn(grid.rows + 1, 1, generator=generator) - 2.5
    sh = 0.3 * torch.randn(grid.rows + 1, 27, generator=generator)
    return RadianceField(UNIT, grid, density.requires_grad_(), sh.requires_grad_())


def some_rays(field: RadianceField, count: int = 40) -> Rays:
    camera = orbiting(0.7, 0.4, 4.0)
    pixels = torch.randperm(400, generator=torch.Generator().manual_seed(0))[:count]
    return Scout(field.grid).rays(*camera_rays(camera, 24.0, 20, 20, pixels, field.cube))


def plain(field: RadianceField, rays: Rays, step: float) -> Tensor:
    """Pixels by a loop over the same places, one sample after the other, all of them coloured."""
    grid, pixels = field.grid, []
    for origin, direction, (begin, end) in zip(rays.origins, rays.directions, rays.spans.tolist(), strict=True):
        light, pixel = torch.ones(()), torch.zeros(3)
        for number in range(max(0, round((end - begin) / step))):
            place = (origin + (begin + (number + 0.5) * step) * direction) * (grid.side - 1)
            least = place.floor().long().clamp(0, grid.side - 2)
            if not grid.live[tuple(least.tolist())]:
                continue
            raw, sh = torch.zeros(()), torch.zeros(27)
            for corner in range(8):
                offset = torch.tensor([corner >> 2, corner >> 1 & 1, corner & 1])
                share = (1 - (place - least - offset).abs()).prod()
                x, y, z = (least + offset).tolist()
                row = int(grid.links[(x * grid.side + y) * grid.side + z])
                raw = raw + share * field.density[row, 0]
                sh = sh + share * field.sh[row]
            alpha = 1 - torch.exp(-functional.softplus(raw) * DENSITY_UNIT * step)
            colour = (sh_basis(direction[None])[0] @ sh.view(9, 3) + 0.5).clamp_min(0)
            pixel = pixel + light * alpha * colour
            light = light * (1 - alpha)
        pixels.append(pixel + light)
    return torch.stack(pixels)


def test_pixels_and_derivatives_are_those_of_a_plain_loop() -> None:
    """Skipping empty space, and what hardly shows, changes nothing that can be seen."""
    field = random_field()
    rays, step = some_rays(field), 0.5 / 8
    weights = torch.rand(len(rays), 3, generator=torch.Generator().manual_seed(2))
    results = []
    for pixels in (render(field, rays, step)[0], plain(field, rays, step)):
        gradients = torch.autograd.grad((pixels * weights).sum(), [field.density, field.sh])
        results.append((pixels, *gradients))
    ours, theirs = results
    assert theirs[0].detach().std() > 0.05  # there is something to see
    for mine, reference in zip(ours, theirs, strict=True):
        assert torch.allclose(mine, reference, atol=2e-3 * float(reference.detach().abs().max()))


def test_the_derivatives_of_compositing_are_exact() -> None:
    """Against finite differences, in double precision; one ray of the three has no samples."""
    generator = torch.Generator().manual_seed(0)
    ray = torch.tensor([0, 0, 0, 0, 2, 2, 2])
    depths = torch.rand(7, generator=generator, dtype=torch.float64).requires_grad_()
    colours = torch.rand(7, 3, generator=generator, dtype=torch.float64).requires_grad_()
    composite: Any = Composite.apply  # torch leaves it untyped
    assert gradcheck(lambda d, c: composite(d, c, ray, 3), (depths, colours))
    assert (composite(depths, colours, ray, 3)[1] == 1).all()  # white


def test_no_live_cell_on_a_ray_is_missed() -> None:
    """The rough look for blocks that are not empty is never too narrow."""
    for seed in range(5):
        field = random_field(side=21, share=0.01, seed=seed)
        rays = some_rays(field, 400)
        everywhere = Rays(rays.origins, rays.directions, torch.tensor([[0.0, 4.0]]).repeat(400, 1))
        step = 0.02
        found = march(field.grid, rays, step)
        wanted = torch.zeros(400, dtype=torch.bool)
        t = torch.arange(0, 4, 0.01)
        for number in range(400):
            places = everywhere.origins[number] + t[:, None] * everywhere.directions[number]
            inside = ((places >= 0) & (places < 1)).all(1)
            least = (places[inside] * 20).long()
            live = field.grid.live[least[:, 0], least[:, 1], least[:, 2]]
            wanted[number] = live.sum() > 8  # more than touched
        assert wanted.any()
        assert set(wanted.nonzero()[:, 0].tolist()) <= set(found.ray.tolist())


def test_a_finer_grid_shows_the_same() -> None:
    """Going from coarse to fine does not change the picture, nor does letting unused cells die."""
    live = torch.zeros(9, 9, 9, dtype=torch.bool)
    live[2:6, 2:6, 2:6] = True
    grid = Grid(live)
    generator = torch.Generator().manual_seed(3)
    density = torch.randn(grid.rows + 1, 1, generator=generator)
    places = torch.stack([grid.points // 81, grid.points // 9 % 9, grid.points % 9], dim=1)
    density[1:][((places == 2) | (places == 6)).any(1)] = FRINGE  # nothing solid ends at the last live cell
    field = RadianceField(UNIT, grid, density, torch.randn(grid.rows + 1, 27, generator=generator))
    rays, step = some_rays(field, 200), 0.01
    before = render(field, rays, step)[0]
    assert before.std() > 0.1
    finer = field.on(grid.finer(17))
    after = render(finer, Scout(finer.grid).rays(rays.origins, rays.directions), step)[0]
    assert (before - after).abs().mean() < 0.02
    same = field.on(grid.kept(torch.ones(len(grid.cell_rows), dtype=torch.bool)))
    wider = render(same, Scout(same.grid).rays(rays.origins, rays.directions), step)[0]
    assert (before - wider).abs().mean() < 0.02


def test_a_camera_sees_right_and_up_as_opengl_does() -> None:
    """A red cell on the x axis appears to the right of a camera that looks along +y; a green one above, above."""
    live = torch.zeros(17, 17, 17, dtype=torch.bool)
    live[14, 8, 8] = live[8, 8, 14] = True
    grid = Grid(live)
    field = RadianceField(UNIT, grid, torch.full((grid.rows + 1, 1), 8.0), torch.zeros(grid.rows + 1, 27))
    places = torch.stack([grid.points // 17**2, grid.points // 17 % 17, grid.points % 17], dim=1)
    dark = -0.5 / 0.28209479177387814
    field.sh[1:, :3] = dark
    field.sh[1:, 0][places[:, 0] >= 14] = -dark
    field.sh[1:, 1][places[:, 2] >= 14] = -dark
    seen = photograph(field, Scout(grid), orbiting(-math.pi / 2, 0.0, 4.0), 30.0, (30, 30), 0.02)
    assert seen.shape == (30, 30, 3)
    rows, columns = np.nonzero(seen[..., 0] - seen[..., 1] > 0.8)
    assert rows.mean() == pytest.approx(14.5, abs=1)
    assert columns.mean() > 18
    rows, columns = np.nonzero(seen[..., 1] - seen[..., 0] > 0.8)
    assert rows.mean() < 12
    assert columns.mean() == pytest.approx(14.5, abs=1)
    assert field.density.device == CPU


def test_a_photograph_can_be_cancelled() -> None:
    """Between two chunks of rays."""

    class CancelledError(Exception):
        pass

    def check() -> None:
        raise CancelledError

    field = random_field()
    with pytest.raises(CancelledError):
        photograph(field, Scout(field.grid), orbiting(0, 0, 4.0), 30.0, (30, 30), 0.05, check)


def test_a_step_takes_bounded_memory_however_full_the_grid_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its rays are looked at in portions: together they are all rays, once and in their order."""
    field = random_field()
    rays = Scout(field.grid).rays(*camera_rays(orbiting(0, 0, 4.0), 30.0, 30, 30, torch.arange(900), field.cube))
    places = len(march(field.grid, rays, 0.01).ray)
    monkeypatch.setattr(radiance_rendering, "AT_ONCE", places // 5)
    parts = portions(rays, 0.01)
    assert torch.cat([torch.arange(900)[part] for part in parts]).tolist() == list(range(900))
    assert len(parts) >= 5
    assert max(len(march(field.grid, rays[part], 0.01).ray) for part in parts) < places / 2
    whole = render(field, rays, 0.01).pixels
    assert torch.allclose(torch.cat([render(field, rays[part], 0.01).pixels for part in parts]), whole, atol=1e-5)
    assert portions(rays[:0], 0.01) == []


def test_where_pictures_are_transparent_every_background_is_learnt_from() -> None:
    """The mismatch sums, over pixels, the mean of the squared errors over backgrounds from black to white; over white
    alone a hole and something white are the same."""
    torch.manual_seed(0)
    seen = Rendered(torch.rand(50, 3), torch.rand(50), torch.zeros(0))
    white, left = torch.rand(50, 3), torch.rand(50)
    over = [
        ((seen.pixels - (1 - b) * seen.left[:, None]) - (white - (1 - b) * left[:, None])).square().sum()
        for b in torch.linspace(0, 1, 1001)
    ]
    told = _mismatch(seen, torch.cat([white, left[:, None]], dim=1))
    assert float(told) == pytest.approx(float(torch.stack(over).mean()), rel=1e-3)
    opaque = _mismatch(seen, white)
    assert float(opaque) == pytest.approx(float((seen.pixels - white).square().sum()))
