"""Training rays: the cube that cameras look at, and batches of random pixels that may see something in it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from frontdesk.worker.posed_images import View
from frontdesk.worker.radiance_field import Cube
from frontdesk.worker.radiance_rendering import Rays, Scout, camera_rays
from frontdesk.worker.runner import RunError

POOL = 500_000  # random pixels whose rays are prepared at once
REACH = 0.375  # half the cube's side over the cameras' mean distance: 1.5 and 4 in the NeRF-synthetic data set


def cube_of(views: Sequence[View], radius: float | None = None) -> Cube:
    """The cube around the point that is nearest to all optical axes (least squares). Raises RunError without one."""
    places = np.stack([view.camera[:3, 3] for view in views])
    axes = np.stack([-view.camera[:3, 2] for view in views])
    across = np.eye(3) - axes[:, :, None] * axes[:, None, :]
    system = across.sum(0)
    if np.linalg.cond(system) > 1e6:
        raise RunError("All cameras look the same way: pictures from around the object are needed.")
    centre = np.linalg.solve(system, np.einsum("nij,nj->i", across, places))
    distance = float(np.linalg.norm(places - centre, axis=1).mean())
    if radius is None and distance < 1e-6:
        raise RunError("All cameras are at one place: pictures from around the object are needed.")
    return Cube((float(centre[0]), float(centre[1]), float(centre[2])), radius or REACH * distance)


class Pixels:
    """All pixels of some views, numbered through."""

    def __init__(self, views: Sequence[View], cube: Cube, device: torch.device) -> None:
        self._views = views
        self._cube = cube
        colours = [_with_holes(view) for view in views]
        least = min(one.shape[1] for one in colours)
        self._colours = torch.as_tensor(np.concatenate([one[:, :least] for one in colours]), device=device)
        self._ends = np.cumsum([view.picture.shape[0] * view.picture.shape[1] for view in views])

    def __len__(self) -> int:
        return len(self._colours)

    def rays(self, numbers: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Origins and directions (n, 3) of pixels (n,) in ascending order, and their colours over white, 0 to 1.

        The colours are (n, 3), or (n, 4) with the share of the white that shows, where all pictures tell it.
        """
        bounds = torch.searchsorted(numbers, torch.as_tensor(np.concatenate([[0], self._ends]), device=numbers.device))
        starts = np.concatenate([[0], self._ends[:-1]])
        parts = []
        for view, start, first, last in zip(self._views, starts, bounds[:-1], bounds[1:], strict=True):
            height, width = view.picture.shape[:2]
            own = numbers[int(first) : int(last)] - int(start)
            parts.append(camera_rays(view.camera, view.focal, width, height, own, self._cube))
        origins, directions = (torch.cat(both) for both in zip(*parts, strict=True))
        return origins, directions, self._colours[numbers].float() / 255


def _with_holes(view: View) -> NDArray[np.uint8]:
    """Its pixels (n, 3), or (n, 4) where it is known what is transparent in it."""
    colours = view.picture.reshape(-1, 3)
    return colours if view.holes is None else np.concatenate([colours, view.holes.reshape(-1, 1)], axis=1)


class Pool:
    """Random pixels, in random order, whose rays may meet live cells: others can teach nothing.

    The same seed, number and grid give the same pool: where a run stopped is told by a number and a place in it.
    """

    def __init__(self, pixels: Pixels, scout: Scout, seed: int, number: int, check: Callable[[], None]) -> None:
        device = pixels._colours.device
        generator = torch.Generator().manual_seed(seed * 1_000_003 + number)
        if len(pixels) <= 4 * POOL:
            chosen = torch.randperm(len(pixels), generator=generator)[:POOL].sort().values
        else:  # a permutation of all would take more memory than the pictures
            chosen = torch.randint(len(pixels), (POOL,), generator=generator).sort().values
        origins, directions, colours = pixels.rays(chosen.to(device))
        rays = scout.rays(origins, directions, check)
        hits = (rays.spans[:, 1] > rays.spans[:, 0]).nonzero()[:, 0]
        order = hits[torch.randperm(len(hits), generator=generator).to(device)]
        self._rays, self._colours = rays[order], colours[order]

    def __len__(self) -> int:
        return len(self._rays)

    def take(self, start: int, count: int) -> tuple[Rays, Tensor]:
        """Rays and colours, as `Pixels.rays` gives them, from a place on."""
        return self._rays[start : start + count], self._colours[start : start + count]
