"""What is handed back: a closed coloured surface the right way up, a grid without pickle, a flight around it."""

from __future__ import annotations

import io
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from frontdesk.worker.posed_images import View, orbiting
from frontdesk.worker.radiance_field import EMPTY, Cube, Grid, RadianceField
from frontdesk.worker.radiance_flight import Orbit, fly_around
from frontdesk.worker.radiance_mesh import Surface, grid_file, surface, without_dust
from frontdesk.worker.runner import CancelledRunError, RunError

SIDE = 25
WHITE = 0.5 / 0.28209479177387814  # of the constant harmonic


pytestmark = pytest.mark.usefixtures("one_thread")


def solid(*bodies: tuple[tuple[float, float, float], float, tuple[float, float, float]]) -> RadianceField:
    """Balls of (centre, radius, colour) in a cube of -2 to 2, hollow as a trained field is: nobody saw the inside."""
    line = torch.linspace(-2, 2, SIDE)
    places = torch.stack(torch.meshgrid(line, line, line, indexing="ij"), dim=-1)
    grid = Grid(torch.ones(SIDE, SIDE, SIDE, dtype=torch.bool))
    density, sh = torch.full((SIDE**3 + 1, 1), EMPTY), torch.zeros(SIDE**3 + 1, 9, 3)
    for centre, radius, colour in bodies:
        distance = (places - torch.tensor(centre)).norm(dim=-1).flatten()
        wall = (distance < radius) & (distance > radius - 0.6)
        density[1:, 0][wall] = 6.0
        sh[1:, 0][wall] = (2 * torch.tensor(colour) - 1) * WHITE
    return RadianceField(Cube((0.0, 0.0, 0.0), 2.0), grid, density, sh.flatten(1))


def around(radius: float = 6.0) -> list[View]:
    """Cameras on all sides."""
    blank = np.zeros((40, 40, 3), np.uint8)
    places = [(turn, height) for turn in np.arange(0, 6.2, 0.7) for height in (-1.1, -0.4, 0.4, 1.1)]
    return [View("", orbiting(turn, height, radius), 46.0, blank) for turn, height in places]


def carved(field: RadianceField) -> Surface:
    return surface(field, around())


RED_ABOVE = ((0.0, 0.0, 0.9), 0.8, (1.0, 0.0, 0.0))
GREEN_BELOW = ((0.4, 0.0, -0.9), 0.7, (0.0, 1.0, 0.0))


@pytest.mark.parametrize("cells", [1, 2])
def test_what_is_very_small_still_has_a_surface(cells: int) -> None:
    """Of one cell smoothing would leave nothing; a job does not fail for that after its whole training."""
    field = solid()
    filled = torch.zeros(SIDE, SIDE, SIDE, dtype=torch.bool)
    filled[12 : 13 + cells, 12 : 13 + cells, 12 : 13 + cells] = True
    field.density[1:, 0][filled.flatten()] = 14.0
    body = carved(field)
    assert closed(body)
    assert np.abs(body.vertices).max() < 0.7


def test_packing_a_grid_can_be_ended() -> None:
    """Of a large grid it takes many seconds."""
    asked: list[None] = []
    whole = grid_file(solid(RED_ABOVE), lambda: asked.append(None))
    assert whole == grid_file(solid(RED_ABOVE))
    assert len(asked) > 10

    def check() -> None:
        raise CancelledRunError

    with pytest.raises(CancelledRunError):
        grid_file(solid(RED_ABOVE), check)


def closed(body: Surface) -> bool:
    """Whether every edge has one face on either side."""
    edges = np.concatenate([body.faces[:, [0, 1]], body.faces[:, [1, 2]], body.faces[:, [2, 0]]])
    ahead = {(int(a), int(b)) for a, b in edges}
    return len(ahead) == len(edges) and all((b, a) in ahead for a, b in ahead)


def volume(body: Surface) -> float:
    a, b, c = np.moveaxis(body.vertices[body.faces].astype(np.float64), 1, 0)
    return float(np.einsum("ij,ij->i", a, np.cross(b, c)).sum() / 6)


def test_the_surface_is_closed_and_faces_outward() -> None:
    """It has the volume of the two balls, which is positive only if the faces look outward: no inner wall is left."""
    body = carved(solid(RED_ABOVE, GREEN_BELOW))
    assert closed(body)
    assert volume(body) == pytest.approx(4 / 3 * math.pi * (0.8**3 + 0.7**3), rel=0.45)  # cells are 0.17 wide


def test_the_surface_stands_upright_and_has_the_colours() -> None:
    """z is up in the pictures, y in files: the red ball is above, the green one below and in +x."""
    body = carved(solid(RED_ABOVE, GREEN_BELOW))
    upper = body.vertices[:, 1] > 0.1
    red, green, blue, opaque = body.colours[upper].astype(float).mean(0)
    assert red > 230
    assert max(green, blue) < 25
    assert opaque == 255
    assert body.colours[~upper].astype(float).mean(0)[1] > 230
    assert body.vertices[~upper, 0].mean() == pytest.approx(0.4, abs=0.15)
    assert [array.dtype.name for array in body] == ["float32", "int32", "uint8"]


def test_the_colour_is_what_is_seen_from_outside() -> None:
    """A ball that is bright to those who look down, and dark to those who look up, is bright above."""
    field = solid(((0.0, 0.0, 0.0), 1.0, (0.5, 0.5, 0.5)))
    field.sh.view(-1, 9, 3)[:, 2] = -0.8  # of z of the direction of view
    body = carved(field)
    height, brightness = body.vertices[:, 1], body.colours[:, 0].astype(float)
    assert brightness[height > 0.8].mean() > brightness[height < -0.8].mean() + 60


def test_small_loose_bodies_are_left_out() -> None:
    """Dust that a training leaves in the air is no part of the object."""
    alone = carved(solid(RED_ABOVE))
    with_dust = carved(solid(RED_ABOVE, ((-1.5, -1.5, -1.5), 0.15, (1, 1, 1)), ((1.5, 1.5, -1.5), 0.1, (1, 1, 1))))
    assert len(with_dust.faces) == len(alone.faces)


def test_where_nothing_is_solid_there_is_no_carved() -> None:
    """And whoever asked is told so."""
    with pytest.raises(RunError, match="Nothing solid"):
        carved(solid())


def test_the_grid_is_read_without_pickle() -> None:
    """Each lattice point has its density and its harmonics."""
    field = solid(RED_ABOVE)
    with np.load(io.BytesIO(grid_file(field)), allow_pickle=False) as arrays:
        assert int(arrays["side"]) == SIDE
        assert float(arrays["radius"]) == 2.0
        assert arrays["sh"].shape == (SIDE**3, 9, 3)
        dense = np.full(SIDE**3, EMPTY, np.float32)
        dense[arrays["points"]] = arrays["density"]
    middle = SIDE // 2
    assert dense.reshape(SIDE, SIDE, SIDE)[middle, middle, 22] > 5  # within the upper ball's wall, at z = 1.67


def test_dust_is_left_out_of_the_field_too() -> None:
    """What floats in the air and is small goes, the rest stays as it was: a flight shows no specks."""
    dusty = solid(RED_ABOVE, GREEN_BELOW, ((1.5, 1.5, -1.5), 0.2, (1, 1, 1)))
    clean = without_dust(dusty)
    assert clean.grid.rows < dusty.grid.rows
    dense = clean.density[clean.grid.links.long()].view(SIDE, SIDE, SIDE)
    before = dusty.density[dusty.grid.links.long()].view(SIDE, SIDE, SIDE)
    assert dense[20:, 20:, :6].max() < -5
    assert (dense > 0).sum() == (before > 0).sum() - (before[20:, 20:, :6] > 0).sum()
    alone = volume(carved(solid(RED_ABOVE, GREEN_BELOW)))
    assert volume(carved(clean)) == pytest.approx(alone, rel=0.05)  # dead cells are empty


def shown(frame: NDArray[np.uint8]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The rows and columns of what is not white."""
    rows, columns = np.nonzero(frame.min(axis=2) < 200)
    return rows, columns


def test_a_flight_shows_the_object_from_all_sides() -> None:
    """It fills the pictures from wherever it is seen, red above and green below, on plain white."""
    field = solid(RED_ABOVE, GREEN_BELOW)
    orbit = Orbit.around(carved(field))
    orbit = replace(orbit, distance=1.06 * orbit.distance)  # so coarse a field reaches far beyond its surface
    frames = list(fly_around(field, orbit, frames=4, size=48))
    assert len(frames) == 4
    for frame in frames:
        rows, columns = shown(frame)
        assert min(rows.min(), columns.min()) >= 1
        assert max(rows.max(), columns.max()) <= 46
        assert np.ptp(rows) > 34  # it is taller than wide
        red, green, _ = frame.astype(int).transpose(2, 0, 1)
        assert np.nonzero(red - green > 100)[0].mean() < np.nonzero(green - red > 100)[0].mean()
        assert (frame[[0, 0, -1, -1], [0, -1, 0, -1]] == 255).all()
    others = [np.abs(frame.astype(int) - frames[0]).max() for frame in frames[1:]]
    assert min(others) > 100  # the green ball stands out to one side


def test_of_a_flight_the_first_pictures_can_be_had_alone() -> None:
    """A still is one of them, in another size."""
    field = solid(RED_ABOVE)
    orbit = Orbit.around(carved(field))
    (alone,) = fly_around(field, orbit, frames=1, size=24)
    assert (alone == next(fly_around(field, orbit, frames=9, size=24))).all()
