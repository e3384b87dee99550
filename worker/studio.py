"""Pictures of a mesh on a plain light ground, drawn in numpy on one core.

The picture is drawn at twice its size and averaged in linear light. What is seen is found at every pixel of the large
picture; of the four that become one, those that show the same piece of surface share the light computed for one of
them. Glass is drawn over what is behind it: its two nearest layers that face the eye.
"""

from __future__ import annotations

import numpy as np

from frontdesk.worker.camera import Camera, turned
from frontdesk.worker.colours import LINEAR_OF_BYTE
from frontdesk.worker.lighting import BACKGROUND, Finish, Points, developed, glass, shaded, undeveloped
from frontdesk.worker.meshes import Bytes, Floats, Mesh, corner_normals, face_normals, fitted, watertight
from frontdesk.worker.raster import Index, Seen, seen
from frontdesk.worker.shadows import PUSHED, KeyShadow, Surroundings
from frontdesk.worker.window import Window

GLASS_LAYERS = 2
ALIKE, LEVEL = (
    0.9,
    0.005,
)  # pieces of surface that share their light: the cosine between them, and how far apart in depth
SHADOW_DARKENS = 0.30  # of the ground, where the key light does not reach it

# The background by how much light reaches it, in steps from none to all.
_GROUND_LIGHT = undeveloped(BACKGROUND * np.linspace(0, 1, 4096)[:, None]).astype(np.float32)


class Studio:
    """A mesh prepared for any number of pictures. Raises ValueError for one without faces."""

    def __init__(self, mesh: Mesh) -> None:
        self.mesh = mesh = fitted(mesh)
        self.normals, self.flat = corner_normals(mesh), face_normals(mesh).astype(np.float32)
        self.finish = Finish.of(mesh.materials)
        self.colours = None if mesh.colours is None else LINEAR_OF_BYTE[mesh.colours[:, :3]]
        self.closed = watertight(mesh)
        clear = self.finish.opacity[mesh.material_of_face] < 1
        self.opaque, self.clear = np.flatnonzero(~clear), np.flatnonzero(clear)
        self.camera = Camera.before(mesh.vertices)
        self.surroundings = Surroundings(mesh)
        self._windows: dict[int, Window] = {}

    def picture(self, size: int, turn: float) -> Bytes:
        """[size, size, 3] in sRGB, the object turned by `turn` radians."""
        if size not in self._windows:
            self._windows[size] = Window.of(self.camera, size)
        return _Shot(self, self.camera, self._windows[size], turn).picture()

    def portrait(self, size: int, turn: float) -> Bytes:
        """The same from as near as this one view of it allows."""
        camera = Camera.for_view(self.mesh.vertices, turn)
        return _Shot(self, camera, Window.of(camera, size), turn).picture()


class _Shot:
    """One picture of it."""

    def __init__(self, studio: Studio, camera: Camera, window: Window, turn: float) -> None:
        self.studio, self.camera, self.window, self.turn = studio, camera, window, turned(turn)
        points = studio.mesh.vertices.astype(np.float64) @ self.turn
        self.screen = camera.project(points, window.fine)[studio.mesh.faces]
        self.coarse = self.screen.astype(np.float32)  # enough for colours
        edge = self.screen[:, 1:, :2] - self.screen[:, :1, :2]
        self.doubled = (
            edge[:, 0, 0] * edge[:, 1, 1] - edge[:, 0, 1] * edge[:, 1, 0]
        )  # y is down: negative faces the eye
        self.shadow = KeyShadow(points, studio.mesh.faces[studio.opaque], window.size // 3 + 160)

    def picture(self) -> Bytes:
        window, finish = self.window, self.studio.finish
        light = np.zeros((window.fine * window.fine, 3), np.float32)
        cover = np.zeros((window.fine * window.fine, 1), np.float32)
        drawn = self._seen(self.studio.opaque)
        if len(drawn.pixels):
            shared, some = self._shared(drawn)
            light[drawn.pixels] = shaded(self._points(some), finish)[shared]
            cover[drawn.pixels] = 1
        for layer in reversed(self._glass(drawn)):
            shared, some = self._shared(layer)
            shine, hidden = (values[shared] for values in glass(self._points(some), finish))
            light[layer.pixels] = shine + light[layer.pixels] * (1 - hidden)
            cover[layer.pixels] = hidden + cover[layer.pixels] * (1 - hidden)
        picture = window.averaged(light)
        picture += (1 - window.averaged(cover)) * self._ground()
        return developed(picture).reshape(window.size, window.size, 3)

    def _glass(self, opaque: Seen) -> list[Seen]:
        layers: list[Seen] = []
        while len(self.studio.clear) and len(layers) < GLASS_LAYERS:
            under = layers[-1].nearness if layers else None
            layer = self._seen(self.studio.clear, opaque.nearness, under)
            if not len(layer.pixels):
                break
            layers.append(layer)
        return layers

    def _seen(self, faces: Index, over: Index | None = None, under: Index | None = None) -> Seen:
        """The nearest of some faces; those of a closed surface only if they look at the eye."""
        doubled = self.doubled[faces]
        faces = faces[doubled < 0 if self.studio.closed else doubled != 0]
        drawn = seen(self.screen[faces], self.window.fine, over=over, under=under)
        return drawn._replace(faces=faces[drawn.faces])

    def _shared(self, drawn: Seen) -> tuple[Index, Seen]:
        """[k] for each pixel, where among some of them its light is computed, and these."""
        chosen, number = self.window.one_a_block(drawn.pixels)
        first, faces = chosen[number], drawn.faces
        near = drawn.nearness[drawn.pixels]
        alike = np.abs(near - near[first]) < LEVEL * near
        alike &= self.studio.mesh.material_of_face[faces] == self.studio.mesh.material_of_face[faces[first]]
        alike &= np.einsum("ij,ij->i", self.studio.flat[faces], self.studio.flat[faces[first]]) > ALIKE
        alone = np.flatnonzero(~alike)
        number[alone] = np.arange(len(alone)) + len(chosen)
        some = np.concatenate([chosen, alone])
        return number, drawn._replace(pixels=drawn.pixels[some], faces=faces[some])

    def _points(self, drawn: Seen) -> Points:
        studio, mesh = self.studio, self.studio.mesh
        weights = self._weights(drawn)
        normals = np.einsum("kc,kcx->kx", weights, studio.normals[drawn.faces]) @ self.turn.astype(np.float32)
        normals /= np.maximum(np.sqrt(np.einsum("ij,ij->i", normals, normals)), 1e-6)[:, None]
        if not studio.closed:
            normals[self.doubled[drawn.faces] > 0] *= -1
        material = mesh.material_of_face[drawn.faces]
        colour = studio.finish.colour[material]
        if studio.colours is not None:
            colour = colour * np.einsum("kc,kcx->kx", weights, studio.colours[mesh.faces[drawn.faces]])
        lit, open_ = self._shadows(drawn, normals)
        return Points(normals, self.window.views[drawn.pixels], colour, material, lit, open_)

    def _weights(self, drawn: Seen) -> Floats:
        """[k, 3]: the share of each corner at the pixels' centres, in perspective."""
        corners = self.coarse[drawn.faces]
        y, x = np.divmod(drawn.pixels, self.window.fine)
        at_x, at_y = (x + 0.5).astype(np.float32) - corners[:, 2, 0], (y + 0.5).astype(np.float32) - corners[:, 2, 1]
        (ax, ay), (bx, by) = (corners[:, :2, :2] - corners[:, 2:, :2]).transpose(1, 2, 0)
        doubled = ax * by - ay * bx
        doubled[doubled == 0] = 1
        first = (by * at_x - bx * at_y) / doubled
        second = (ax * at_y - ay * at_x) / doubled
        weights: Floats = np.clip(np.stack([first, second, 1 - first - second], axis=1), 0, 1)
        weights *= corners[:, :, 2]
        weights /= np.maximum(weights.sum(axis=1, keepdims=True), 1e-12)
        return weights

    def _shadows(self, drawn: Seen, normals: Floats) -> tuple[Floats, Floats]:
        """[k] lit and [k] open."""
        near, camera = drawn.nearness[drawn.pixels], self.camera
        places = camera.eye + self.window.rays[drawn.pixels] * camera.depth(near)[:, None]
        lit = self.shadow.lit(places + normals * PUSHED)
        back = self.turn.T
        return lit, self.studio.surroundings.openness(places @ back, normals @ back.astype(np.float32))

    def _ground(self) -> Floats:
        """[size * size, 3]: the plain background, darker where the object stands and where it throws its shadow."""
        window = self.window
        standing = window.places @ self.turn.T
        reaching = 1 - self.studio.surroundings.contact(standing[:, 0], standing[:, 2])
        reaching *= 1 - SHADOW_DARKENS * (1 - self.shadow.lit(window.places))
        reaching = 1 - (1 - reaching) * window.fading
        light = np.full((window.size * window.size, 3), _GROUND_LIGHT[-1])
        light[window.ground] = _GROUND_LIGHT[(reaching * (len(_GROUND_LIGHT) - 1) + 0.5).astype(int)]
        return light
