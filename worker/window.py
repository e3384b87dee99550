"""What the pixels of a picture look at, which is the same for all pictures of one size: the camera stands still."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from frontdesk.worker.camera import Camera
from frontdesk.worker.meshes import Doubles, Floats
from frontdesk.worker.raster import Index

FINER = 2  # the picture is drawn at twice its size
GROUND = 1.5  # metres from the axis: farther out the ground is plain
UNTOUCHED, FADING = 0.04, 0.30  # of half the picture, from its border: without any shadow, and until it is full


@dataclass(frozen=True)
class Window:
    """size, fine: of the picture and of its drawing, in pixels a side. rays, views: [fine * fine, 3], see
    `Camera.rays`, and towards the eye, of length 1. ground [k]: the picture's pixels that may show a shadow on the
    ground; places [k, 3] there; fading [k]: how much of the shadow is drawn, none at the border."""

    size: int
    fine: int
    rays: Floats
    views: Floats
    ground: Index
    places: Doubles
    fading: Doubles

    @classmethod
    def of(cls, camera: Camera, size: int) -> Window:
        rays = camera.rays(size * FINER)
        views = rays / -np.linalg.norm(rays, axis=1, keepdims=True)
        return cls(size, size * FINER, rays, views.astype(np.float32), *_ground(camera, size))

    def averaged(self, values: Floats) -> Floats:
        """[fine * fine, c] -> [size * size, c]: the mean of each block."""
        blocks = values.reshape(self.size, FINER, self.size, FINER, -1)
        mean = (blocks[:, 0, :, 0] + blocks[:, 0, :, 1] + blocks[:, 1, :, 0] + blocks[:, 1, :, 1]) * np.float32(0.25)
        return mean.reshape(self.size * self.size, -1)

    def one_a_block(self, pixels: Index) -> tuple[Index, Index]:
        """Of [k] fine pixels: [b] the places of one in each block, and [k] the number of each pixel's block."""
        block = pixels // self.fine // FINER * self.size + pixels % self.fine // FINER
        chosen = np.full(self.size * self.size, -1)
        chosen[block] = np.arange(len(block))
        number = np.cumsum(chosen >= 0) - 1
        return chosen[chosen >= 0], number[block]


def _ground(camera: Camera, size: int) -> tuple[Index, Doubles, Doubles]:
    rays = camera.rays(size).astype(np.float64)
    down = np.flatnonzero(rays[:, 1] < -1e-6)
    places = camera.eye - rays[down] * (camera.eye[1] / rays[down, 1])[:, None]
    inwards = 1 - np.abs((np.arange(size) + 0.5) / size * 2 - 1)
    share = np.clip((np.minimum(inwards[:, None], inwards).ravel()[down] - UNTOUCHED) / FADING, 0, 1)
    near = (np.abs(places[:, (0, 2)]).max(axis=1) < GROUND) & (share > 0)
    return down[near], places[near], (share * share * (3 - 2 * share))[near]
