"""What a radiance field is handed back as: a coloured surface, and its grid as npz."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from skimage.measure import marching_cubes
from torch import Tensor
from torch.nn import functional

from frontdesk.worker.posed_images import View
from frontdesk.worker.radiance_field import BASES, Grid, RadianceField, corner_weights, sh_basis
from frontdesk.worker.radiance_rendering import CHUNK, Scout, camera_rays, depths_of, march, portions, sample_weights
from frontdesk.worker.runner import RunError

STOPPED = 0.3  # share of the light at a surface: the best of many views of it tells too little rather than too much
CARVING = 500_000  # rays of all cameras together that tell where the light ends
SMOOTHING = 0.7  # lattice steps; a single cell is noise
LOOSE = 0.02  # bodies smaller than this share of the largest are dust
FAINT = 0.02  # the share of the light that a cell stops which shows at all
OUTSIDE, WAY_STEP, WAY_STEPS = 1.5, 0.5, 10  # lattice steps: where the way into a surface begins, and is looked at
NPZ_VERSION = 1


class Surface(NamedTuple):
    """vertices (n, 3) float32, y up, in the pictures' own units; faces (m, 3) int32, counter-clockwise from outside;
    colours (n, 4) uint8, sRGB, opaque."""

    vertices: NDArray[np.float32]
    faces: NDArray[np.int32]
    colours: NDArray[np.uint8]


def surface(field: RadianceField, views: Sequence[View], check: Callable[[], None] = lambda: None) -> Surface:
    """Where the light to every camera is stopped in part, by marching cubes; closed, without loose bodies and inner
    walls. Densities alone do not tell: a wall may stop the light over one cell or over five.

    views: the cameras. `check` may raise to end it. Raises RunError where nothing is solid.
    """
    solidity = np.pad(_outer(_hidden(field, views, check), check), 2)
    check()
    smooth = ndimage.gaussian_filter(solidity, SMOOTHING)
    if smooth.max() <= STOPPED:  # so little is solid that nothing would be left of it
        smooth = solidity
    check()
    vertices, faces, normals, _ = marching_cubes(smooth, STOPPED, gradient_direction="ascent")  # faces look outward
    lattice = np.clip(vertices - 1.5, 0, field.grid.side - 1).astype(np.float32)  # of the cells' middles
    colours = _colours(field, lattice, np.ascontiguousarray(normals, dtype=np.float32), check)
    own = torch.from_numpy(lattice) / (field.grid.side - 1)
    world = field.cube.to_world(own).numpy()
    upright = np.stack([world[:, 0], world[:, 2], -world[:, 1]], axis=1)  # z up as it was photographed, y up in files
    return Surface(np.ascontiguousarray(upright, dtype=np.float32), faces.astype(np.int32), colours)


@torch.no_grad()
def _hidden(field: RadianceField, views: Sequence[View], check: Callable[[], None]) -> NDArray[np.float32]:
    """(side-1, side-1, side-1): the least share of the light on its way to a camera that is stopped before a cell."""
    grid, device = field.grid, field.density.device
    scout, step, cells = Scout(grid), 0.5 / (grid.side - 1), grid.side - 1
    most = torch.zeros(len(grid.cell_rows), device=device)
    for view in views:
        height, width = view.picture.shape[:2]
        scale = min(1.0, math.sqrt(CARVING / len(views) / (width * height)))
        width, height, focal = max(1, int(width * scale)), max(1, int(height * scale)), view.focal * scale
        for pixels in torch.split(torch.arange(width * height, device=device), CHUNK):
            check()
            rays = scout.rays(*camera_rays(view.camera, focal, width, height, pixels, field.cube))
            for part in portions(rays, step):
                check()
                samples = march(grid, rays[part], step)
                light, weights = sample_weights(depths_of(field, samples, step), samples.ray, len(rays[part]))
                most.scatter_reduce_(0, samples.cell.long(), light - weights / 2, "amax")
    most[0] = 1.0  # dead cells are empty, and what they enclose is filled
    seen = most[grid.cell_ids.long()].view(grid.side, grid.side, grid.side)[:cells, :cells, :cells]
    return np.asarray(1 - seen.cpu().numpy(), dtype=np.float32)


def _outer(solidity: NDArray[np.float32], check: Callable[[], None]) -> NDArray[np.float32]:
    """Solid within: what the air outside does not reach. Bodies that are too small, and their surroundings, go."""
    solid = ndimage.binary_fill_holes(solidity > STOPPED)
    check()
    bodies, count = ndimage.label(solid)
    if not count:
        raise RunError("Nothing solid was found in the pictures, so there is no mesh.")
    sizes = np.bincount(bodies.ravel())[1:]
    large = np.flatnonzero(sizes >= LOOSE * sizes.max()) + 1
    kept = np.isin(bodies, large)
    dust = solid & ~kept
    filled = np.where(kept & (solidity <= STOPPED), 1.0, solidity)
    return np.where(ndimage.binary_dilation(dust) & ~kept, 0.0, filled).astype(np.float32)


def _colours(
    field: RadianceField, places: NDArray[np.float32], normals: NDArray[np.float32], check: Callable[[], None]
) -> NDArray[np.uint8]:
    """What is seen of a surface from outside: the colours along the way in, as a ray against the normal collects them.

    places: (n, 3) in lattice steps. normals: (n, 3), outward. Each colour is the mean over the directions of the
    half-sphere: of a harmonic of degree 1 it is half its value along the normal, and of degree 2 it is 0.
    """
    device = field.density.device
    start, out = torch.from_numpy(places).to(device), torch.from_numpy(normals).to(device)
    basis = sh_basis(-out) * torch.tensor([1.0] + 3 * [0.5] + 5 * [0.0], device=device)  # the eye looks against it
    seen, light = torch.zeros_like(start), torch.ones(len(start), 1, device=device)
    for number in range(WAY_STEPS):
        check()
        density, sh = _interpolated(field, start + (OUTSIDE - number * WAY_STEP) * out)
        passing = torch.exp(-field.optical_density(density) * (WAY_STEP / (field.grid.side - 1)))
        colour = ((sh.view(-1, BASES, 3) * basis[:, :, None]).sum(1) + 0.5).clamp(0, 1)
        seen += light * (1 - passing) * colour
        light = light * passing
    colours = (seen / (1 - light).clamp_min(1e-6)).cpu().numpy()
    opaque = np.ones((len(colours), 1), dtype=np.float32)
    return np.asarray(np.round(255 * np.concatenate([colours, opaque], axis=1)), dtype=np.uint8)


def _interpolated(field: RadianceField, places: Tensor) -> tuple[Tensor, Tensor]:
    """Raw densities (n, 1) and harmonics (n, 27) at places (n, 3) in lattice steps."""
    side = field.grid.side
    where = places.clamp(0, side - 1)
    least = where.floor().clamp_max(side - 2).long()
    flat = (least[:, 0] * side + least[:, 1]) * side + least[:, 2]
    corners = [(x * side + y) * side + z for x in (0, 1) for y in (0, 1) for z in (0, 1)]
    rows = field.grid.links[flat[:, None] + torch.tensor(corners, device=flat.device)].long()
    weights = corner_weights(where - least)
    density, sh = (
        functional.embedding_bag(rows, table.detach(), per_sample_weights=weights, mode="sum")
        for table in (field.density, field.sh)
    )
    return density, sh


def without_dust(field: RadianceField) -> RadianceField:
    """The same without what floats in the air and is small: cells that show, and touch nothing large."""
    side = field.grid.side
    depth = field.optical_density(field.density.detach()[:, 0]) / (side - 1)
    stopped = -torch.expm1(-depth)[field.grid.links.long()].view(side, side, side)
    dense = stopped.cpu().numpy()
    bodies, count = ndimage.label(dense > FAINT)
    if count < 2:
        return field
    mass = ndimage.sum_labels(dense, bodies, np.arange(1, count + 1))
    large = np.isin(bodies, np.flatnonzero(mass >= LOOSE * mass.max()) + 1)
    around = ndimage.binary_dilation(large, iterations=2)
    return field.on(Grid(field.grid.live & torch.from_numpy(around).to(field.density.device)))


class _Checked(io.BytesIO):
    """Asks `check` whenever something is written: packing a large grid takes many seconds."""

    def __init__(self, check: Callable[[], None]) -> None:
        super().__init__()
        self._check = check

    def write(self, data: Any) -> int:
        self._check()
        return super().write(data)


def grid_file(field: RadianceField, check: Callable[[], None] = lambda: None) -> bytes:
    """The grid as npz, arrays only. `check` may raise to end it.

    version; side; centre (3,) and radius of the cube in the pictures' units; points (n,) int32, the flat numbers of
    lattice points, z changing fastest; density (n,) float32, raw: softplus of it is the optical depth of a 64th of the
    cube's side; sh (n, 9, 3) float16, which times a direction's nine spherical harmonics, plus 0.5, is its colour.
    """
    buffer = _Checked(check)
    np.savez_compressed(
        buffer,
        version=np.int32(NPZ_VERSION),
        side=np.int32(field.grid.side),
        centre=np.array(field.cube.centre, dtype=np.float64),
        radius=np.float64(field.cube.radius),
        points=field.grid.points.to(torch.int32).cpu().numpy(),
        density=field.density.detach()[1:, 0].cpu().numpy(),
        sh=field.sh.detach()[1:].view(-1, BASES, 3).half().cpu().numpy(),
    )
    return buffer.getvalue()
