"""A radiance field on a sparse grid, without a neural network (Plenoxels, Fridovich-Keil et al. 2022).

A cube is divided into side-1 cells along each axis. Live cells have a row of values at each of their corners: a raw
density, and nine spherical harmonics for each of red, green and blue. Inside a cell all values are interpolated
trilinearly; dead cells are empty. Positions are in the cube's own coordinates, 0 to 1 along each axis.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

BASES = 9  # spherical harmonics of degree 0, 1 and 2
CHANNELS = 3 * BASES
DENSITY_UNIT = 64.0  # softplus of a raw density is the optical depth of one 64th of the cube's side
EMPTY = -12.0  # raw density of what is dead; row 0 holds it
FOG = -4.6  # raw density to begin with: 1 % of the light is lost along a 64th of the cube's side
FRINGE = -6.0  # raw density of cells that come to life around others: it shows just enough to be learnt


@dataclass(frozen=True)
class Cube:
    """Where the field lies in the world: half the side's length, and the middle."""

    centre: tuple[float, float, float]
    radius: float

    def to_own(self, points: Tensor) -> Tensor:
        """World coordinates (..., 3) as the cube's own."""
        return (points - torch.tensor(self.centre, dtype=points.dtype, device=points.device)) / (2 * self.radius) + 0.5

    def to_world(self, points: Tensor) -> Tensor:
        return (points - 0.5) * (2 * self.radius) + torch.tensor(self.centre, dtype=points.dtype, device=points.device)


@dataclass(frozen=True)
class Regridding:
    """How the rows of one grid follow from those of another: eight old rows and their weights (n+1, 8) for each."""

    rows: Tensor
    weights: Tensor

    def apply(self, table: Tensor, fill: float) -> Tensor:
        """The new table (n+1, c) from the old; `fill` where no old row is near, and in row 0."""
        share = self.weights.sum(1, keepdim=True)
        values = functional.embedding_bag(self.rows, table.detach(), per_sample_weights=self.weights, mode="sum")
        values = torch.where(share > 1e-6, values / share.clamp_min(1e-6), torch.full_like(values, fill))
        values[0] = table.detach()[0]
        return values


class Grid:
    """Which cells of a cube are live, and the rows of their corners.

    cell_ids: (side³,) int32, the number of each live cell, 0 for dead ones; a cell is known by its least corner.
    cell_rows: (cells+1, 8) int32, the rows of a live cell's corners, z changing fastest.
    links: (side³,) int32, the row of each lattice point, 0 for those without.
    """

    def __init__(self, live: Tensor) -> None:
        """live: (side, side, side) bool; the last plane of each axis holds no cells."""
        self.side = side = live.shape[0]
        live = live.clone()
        live[-1], live[:, -1], live[:, :, -1] = False, False, False
        self.device = live.device
        self.live = live
        corners = torch.zeros_like(live)
        for x, y, z in _CORNERS:
            corners[x:, y:, z:] |= live[: side - x, : side - y, : side - z]
        self.links = _numbered(corners)
        self.cell_ids = _numbered(live)
        offsets = torch.tensor([(x * side + y) * side + z for x, y, z in _CORNERS], device=self.device)
        cells = live.flatten().nonzero()
        self.cell_rows = torch.cat([offsets.new_zeros(1, 8, dtype=torch.int32), self.links[cells + offsets]])
        self.points = corners.flatten().nonzero()[:, 0]  # the lattice points of rows 1, 2, ...
        self.neighbours = self._neighbours()

    @property
    def rows(self) -> int:
        """Rows in use, without row 0."""
        return len(self.points)

    def _neighbours(self) -> Tensor:
        """(rows+1, 3): the rows one further along x, y and z; one's own where there is none."""
        side = self.side
        own = torch.arange(1, self.rows + 1, device=self.device, dtype=torch.int32)
        places = torch.stack([self.points // side**2, self.points // side % side, self.points % side], dim=1)
        found = []
        for axis, stride in enumerate((side**2, side, 1)):
            inside = places[:, axis] < side - 1
            link = self.links[torch.where(inside, self.points + stride, self.points)]
            found.append(torch.where(link > 0, link, own))
        return torch.cat([own.new_zeros(1, 3), torch.stack(found, dim=1)]).long()

    def regridding(self, target: Grid) -> Regridding:
        """From this grid's rows to those of another of the same cube."""
        side, scale = target.side, (self.side - 1) / (target.side - 1)
        points = target.points
        places = torch.stack([points // side**2, points // side % side, points % side], dim=1).double() * scale
        least = places.floor().clamp_max(self.side - 2).long()
        weights = corner_weights((places - least).float())
        offsets = torch.tensor([(x * self.side + y) * self.side + z for x, y, z in _CORNERS], device=self.device)
        flat = (least[:, 0] * self.side + least[:, 1]) * self.side + least[:, 2]
        rows = self.links[flat[:, None] + offsets]
        weights = weights * (rows > 0)
        return Regridding(torch.cat([rows.new_zeros(1, 8), rows]).long(), torch.cat([weights.new_zeros(1, 8), weights]))

    def finer(self, side: int) -> Grid:
        """A grid of the same cube with more cells; live is what touches a live cell of this one."""
        steps = torch.arange(side, device=self.device, dtype=torch.float64) * ((self.side - 1) / (side - 1))
        least = steps.floor().clamp_max(self.side - 2).long()
        points = self.live[least][:, least][:, :, least]
        return Grid(_cells_touching(points))

    def kept(self, used: Tensor) -> Grid:
        """The same with only those cells live that are used (cells+1,) bool, and their neighbours."""
        kept = used.clone()
        kept[0] = False
        wanted = kept[self.cell_ids].view(self.side, self.side, self.side)
        return Grid(dilated(wanted))


_CORNERS = [(x, y, z) for x in (0, 1) for y in (0, 1) for z in (0, 1)]


def corner_weights(fractions: Tensor) -> Tensor:
    """Trilinear weights (n, 8) of a cell's corners for places (n, 3) of 0 to 1 within the cell."""
    far, near = fractions.T.contiguous(), (1 - fractions).T.contiguous()
    pairs = [first * second for first in (near[0], far[0]) for second in (near[1], far[1])]
    return torch.stack([pair * third for pair in pairs for third in (near[2], far[2])], dim=1)


def dilated(mask: Tensor) -> Tensor:
    """A mask (a, b, c) and all that touches it."""
    return functional.max_pool3d(mask[None, None].float(), 3, stride=1, padding=1)[0, 0] > 0


def _cells_touching(points: Tensor) -> Tensor:
    """Cells any of whose eight corners is in the mask of lattice points (side, side, side)."""
    padded = functional.pad(points[None, None].float(), (0, 1, 0, 1, 0, 1))
    return functional.max_pool3d(padded, 2, stride=1)[0, 0] > 0


def _numbered(mask: Tensor) -> Tensor:
    """1, 2, ... for what is in the mask, in order, and 0 for the rest; flat, int32."""
    flat = mask.flatten()
    return (flat.cumsum(0, dtype=torch.int32) * flat).to(torch.int32)


@dataclass
class RadianceField:
    """A grid with its values. density: (rows+1, 1) raw; sh: (rows+1, 27): red, green and blue of the first
    harmonic, then of the second, ..."""

    cube: Cube
    grid: Grid
    density: Tensor
    sh: Tensor

    @classmethod
    def fog(cls, cube: Cube, side: int, device: torch.device) -> RadianceField:
        """A thin grey fog all over the cube."""
        grid = Grid(torch.ones(side, side, side, dtype=torch.bool, device=device))
        density = torch.full((grid.rows + 1, 1), FOG, device=device)
        density[0] = EMPTY
        return cls(cube, grid, density, torch.zeros(grid.rows + 1, CHANNELS, device=device))

    def on(self, grid: Grid) -> RadianceField:
        """The same field on another grid."""
        regridding = self.grid.regridding(grid)
        return RadianceField(self.cube, grid, regridding.apply(self.density, FRINGE), regridding.apply(self.sh, 0.0))

    def optical_density(self, raw: Tensor) -> Tensor:
        """Optical depth for each side of the cube."""
        return functional.softplus(raw) * DENSITY_UNIT


def sh_basis(directions: Tensor) -> Tensor:
    """Real spherical harmonics (n, 9) of unit directions (n, 3), in the order and with the signs of Plenoxels."""
    x, y, z = directions.unbind(-1)
    return torch.stack(
        [
            torch.full_like(x, 0.28209479177387814),
            -0.4886025119029199 * y,
            0.4886025119029199 * z,
            -0.4886025119029199 * x,
            1.0925484305920792 * x * y,
            -1.0925484305920792 * y * z,
            0.31539156525252005 * (2 * z * z - x * x - y * y),
            -1.0925484305920792 * x * z,
            0.5462742152960396 * (x * x - y * y),
        ],
        dim=-1,
    )
