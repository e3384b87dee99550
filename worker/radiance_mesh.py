"""What a radiance field is handed back as: a coloured surface, and its grid as npz."""

from __future__ import annotations

import io
import math
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from skimage.measure import marching_cubes

from frontdesk.worker.radiance_field import BASES, RadianceField, corner_weights, sh_basis
from frontdesk.worker.runner import RunError

SOLID = math.log(2)  # optical depth across a cell from which on it counts as solid: half of the light is stopped
SMOOTHING = 0.7  # lattice steps; the density of a single point is noise
LOOSE = 0.02  # bodies smaller than this share of the largest are dust
NPZ_VERSION = 1


class Surface(NamedTuple):
    """vertices (n, 3) float32, y up, in the pictures' own units; faces (m, 3) int32, counter-clockwise from outside;
    colours (n, 4) uint8, sRGB, opaque."""

    vertices: NDArray[np.float32]
    faces: NDArray[np.int32]
    colours: NDArray[np.uint8]


def surface(field: RadianceField) -> Surface:
    """The outside of what is solid, by marching cubes, without loose bodies and inner walls; closed.

    Raises RunError where nothing is solid.
    """
    solidity = _outer(_solidity(field))
    smooth = ndimage.gaussian_filter(np.pad(solidity, 2), SMOOTHING)
    vertices, faces, normals, _ = marching_cubes(smooth, 0.5, gradient_direction="ascent")  # faces look outward
    lattice = np.clip(vertices - 2, 0, field.grid.side - 1).astype(np.float32)
    colours = _colours(field, lattice, np.asarray(normals, dtype=np.float32))
    own = torch.from_numpy(lattice) / (field.grid.side - 1)
    world = field.cube.to_world(own).numpy()
    upright = np.stack([world[:, 0], world[:, 2], -world[:, 1]], axis=1)  # z up as it was photographed, y up in files
    return Surface(np.ascontiguousarray(upright, dtype=np.float32), faces.astype(np.int32), colours)


def _solidity(field: RadianceField) -> NDArray[np.float32]:
    """(side, side, side) of 0 to 1: 0.5 where an opaque surface is crossed."""
    side = field.grid.side
    depth = field.optical_density(field.density.detach()[:, 0]) / (side - 1)
    dense = depth[field.grid.links.long()].view(side, side, side).cpu().numpy()
    return np.asarray(dense / (dense + SOLID), dtype=np.float32)


def _outer(solidity: NDArray[np.float32]) -> NDArray[np.float32]:
    """Solid within: what the air outside does not reach. Bodies that are too small, and their surroundings, go."""
    solid = ndimage.binary_fill_holes(solidity > 0.5)
    bodies, count = ndimage.label(solid)
    if not count:
        raise RunError("Nothing solid was found in the pictures, so there is no mesh.")
    sizes = np.bincount(bodies.ravel())[1:]
    large = np.flatnonzero(sizes >= LOOSE * sizes.max()) + 1
    kept = np.isin(bodies, large)
    dust = solid & ~kept
    filled = np.where(kept & (solidity <= 0.5), 1.0, solidity)
    return np.where(ndimage.binary_dilation(dust) & ~kept, 0.0, filled).astype(np.float32)


def _colours(field: RadianceField, places: NDArray[np.float32], normals: NDArray[np.float32]) -> NDArray[np.uint8]:
    """The mean colour over the directions that look at a surface from outside.

    places: (n, 3) in lattice steps. normals: (n, 3), outward. The mean of a harmonic of degree 1 over the half-sphere
    around a direction is half its value there, and that of degree 2 is 0.
    """
    side, device = field.grid.side, field.density.device
    inward = np.clip(places - 0.5 * normals, 0, side - 1)
    where = torch.from_numpy(np.ascontiguousarray(inward)).to(device)
    least = where.floor().clamp_max(side - 2).long()
    offsets = torch.tensor([(x * side + y) * side + z for x in (0, 1) for y in (0, 1) for z in (0, 1)], device=device)
    flat = (least[:, 0] * side + least[:, 1]) * side + least[:, 2]
    rows = field.grid.links[flat[:, None] + offsets].long()
    weights = corner_weights(where - least) * field.optical_density(field.density.detach()[:, 0])[rows] + 1e-9
    sh = (field.sh.detach()[rows] * (weights / weights.sum(1, keepdim=True))[..., None]).sum(1)
    # The eye looks against the normal.
    basis = sh_basis(torch.from_numpy(-normals).to(device)) * torch.tensor([1.0] + 3 * [0.5] + 5 * [0.0], device=device)
    seen = ((sh.view(-1, BASES, 3) * basis[:, :, None]).sum(1) + 0.5).clamp(0, 1).cpu().numpy()
    opaque = np.ones((len(seen), 1), dtype=np.float32)
    return np.asarray(np.round(255 * np.concatenate([seen, opaque], axis=1)), dtype=np.uint8)


def grid_file(field: RadianceField) -> bytes:
    """The grid as npz, arrays only.

    version; side; centre (3,) and radius of the cube in the pictures' units; points (n,) int32, the flat numbers of
    lattice points, z changing fastest; density (n,) float32, raw: softplus of it is the optical depth of a 64th of the
    cube's side; sh (n, 9, 3) float16, which times a direction's nine spherical harmonics, plus 0.5, is its colour.
    """
    buffer = io.BytesIO()
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
