"""How much light comes from a point of a surface towards the eye. The lights stand still beside the camera.

A key light from the upper left, a weaker one from the right, and light from all around, more from above than from
below. Diffuse light is Lambert's, highlights are Blinn and Phong's (1977) with the exponent 2 / roughness^4 - 2, which
gives them the width of a microfacet lobe of that roughness; reflections see a plain studio, more at grazing angles
(Schlick 1994). All in linear light, in float32.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from frontdesk.worker.colours import ENTRIES, encoded, linear
from frontdesk.worker.meshes import Bytes, Doubles, Floats, Material, Whole

KEY = np.array([-0.45, 0.78, 0.50]) / np.linalg.norm([-0.45, 0.78, 0.50])
FILL = np.array([0.80, 0.30, 0.55]) / np.linalg.norm([0.80, 0.30, 0.55])
LIGHTS = np.stack([KEY, FILL], axis=1).astype(np.float32)  # [3, 2]
KEY_COLOUR = np.array([0.66, 0.64, 0.60], np.float32)
FILL_COLOUR = np.array([0.14, 0.145, 0.16], np.float32)
SKY = np.array([0.50, 0.515, 0.54], np.float32)
FLOOR = np.array([0.27, 0.265, 0.26], np.float32)
BACKGROUND = linear(np.array([242, 243, 245]) / 255).astype(np.float32)
KNEE = 0.75  # from here on brightness is pressed together, so that white keeps its shades
BRIGHTEST = 3.0
THICKEST = 4.0  # times a pane's thickness, looked through along it
PLAIN_REFLECTION = 0.04  # of anything that is no metal, looked at straight on


@dataclass(frozen=True)
class Finish:
    """The materials of a mesh as tables [materials] and [materials, 3]."""

    colour: Floats
    metallic: Floats
    roughness: Floats
    emissive: Floats
    opacity: Floats

    @classmethod
    def of(cls, materials: tuple[Material, ...]) -> Finish:
        return cls(
            linear([material.colour for material in materials]).astype(np.float32),
            np.array([material.metallic for material in materials], np.float32),
            np.array([material.roughness for material in materials], np.float32),
            np.array([material.emissive for material in materials], np.float32),
            np.array([material.opacity for material in materials], np.float32),
        )


@dataclass(frozen=True)
class Points:
    """What is known of points on surfaces, [k] or [k, 3]. normals and views (towards the eye) have the length 1;
    lit is the share of the key light that arrives, open the share of the light from around."""

    normals: Floats
    views: Floats
    colour: Floats
    material: Whole
    lit: Floats
    open: Floats


def diffuse(points: Points) -> Floats:
    """[k, 3]: light that a white matt surface would send."""
    towards = np.maximum(points.normals @ LIGHTS, 0)
    above = (points.normals[:, 1:2] + 1) / 2
    around = FLOOR + above * (SKY - FLOOR)
    around *= points.open[:, None]
    around += (towards[:, :1] * points.lit[:, None]) * KEY_COLOUR
    around += (towards[:, 1:] * (0.4 + 0.6 * points.open[:, None])) * FILL_COLOUR
    return around


def shaded(points: Points, finish: Finish) -> Floats:
    """[k, 3]: the light from opaque surfaces."""
    metallic, glow = finish.metallic[points.material], finish.emissive[points.material]
    light = diffuse(points) * points.colour
    light *= (1 - metallic)[:, None]
    light += _highlight(points, finish)[:, None] * KEY_COLOUR
    shiny = np.flatnonzero((metallic > 0) | (finish.roughness[points.material] < 0.5))
    if len(shiny):
        light[shiny] += _reflection(_chosen(points, shiny), finish)
    if glow.any():
        light += glow[:, None] * (points.colour * 0.9 + 0.1 - light)
    return light


def glass(points: Points, finish: Finish) -> tuple[Floats, Floats]:
    """[k, 3] the light from a surface that one sees through, and [k, 1] how much of what is behind it is hidden."""
    # At its edges one looks through more of it (Beer and Lambert): that is where glass before a light ground is seen.
    through = 1 / np.clip(np.einsum("ij,ij->i", points.views, points.normals), 1 / THICKEST, 1)
    opacity = 1 - (1 - finish.opacity[points.material]) ** through
    mirrored = _schlick(points, np.full(len(opacity), PLAIN_REFLECTION, np.float32))
    light = diffuse(points) * points.colour ** through[:, None] * opacity[:, None]
    light += mirrored[:, None] * _studio(points, finish)
    light += (_highlight(points, finish))[:, None] * KEY_COLOUR
    hidden: Floats = np.minimum(opacity + mirrored * (1 - opacity), 1)[:, None]
    return light, hidden


def developed(light: Floats) -> Bytes:
    """Linear light of any shape as bytes of sRGB."""
    entries = (np.clip(light, 0, BRIGHTEST) * ((ENTRIES - 1) / BRIGHTEST) + 0.5).astype(np.int32)
    return _DEVELOPED[entries]


def undeveloped(light: Doubles) -> Doubles:
    """The light of 0 to 1 that develops into the given one."""
    over = np.minimum((light - KNEE) / (1 - KNEE), 0.999)
    return np.where(light <= KNEE, light, KNEE - (1 - KNEE) * np.log1p(-np.maximum(over, 0)))


def _curve() -> Bytes:
    light = np.linspace(0, BRIGHTEST, ENTRIES)
    pressed = np.where(light <= KNEE, light, 1 - (1 - KNEE) * np.exp(-(light - KNEE) / (1 - KNEE)))
    return np.rint(encoded(pressed) * 255).astype(np.uint8)


_DEVELOPED = _curve()


def _highlight(points: Points, finish: Finish) -> Floats:
    """[k]: the key light's own reflection."""
    exponents = np.clip(2 / np.maximum(finish.roughness, 0.05) ** 4 - 2, 1, 600)
    strengths = (exponents + 8) / 8 * (PLAIN_REFLECTION + finish.metallic * 0.35)
    half = points.views + KEY.astype(np.float32)
    half /= np.sqrt(np.einsum("ij,ij->i", half, half))[:, None]
    towards = np.maximum(np.einsum("ij,ij->i", half, points.normals), 1e-6)
    lobe: Floats = np.exp(exponents.astype(np.float32)[points.material] * np.log(towards))
    lobe *= strengths.astype(np.float32)[points.material] * points.lit
    lobe *= np.clip(points.normals @ LIGHTS[:, 0] * 4, 0, 1)  # none on the side that is turned away
    return lobe


def _reflection(points: Points, finish: Finish) -> Floats:
    metallic, rough = finish.metallic[points.material], finish.roughness[points.material]
    least = PLAIN_REFLECTION + (points.colour - PLAIN_REFLECTION) * metallic[:, None]
    grazing = _schlick(points, np.zeros(len(rough), np.float32)) * (1 - rough) ** 2
    mirrored = least + (1 - least) * grazing[:, None]
    mirrored *= (metallic + (1 - metallic) * (1 - rough) ** 2)[:, None]
    reflected: Floats = mirrored * _studio(points, finish) * (0.35 + 0.65 * points.open)[:, None]
    return reflected


def _schlick(points: Points, least: Floats) -> Floats:
    facing = np.clip(np.einsum("ij,ij->i", points.views, points.normals), 0, 1)
    mirrored: Floats = least + (1 - least) * (1 - facing) ** 5
    return mirrored


def _studio(points: Points, finish: Finish) -> Floats:
    """[k, 1]: how bright the room is where a mirror shows it: a light floor, a dimmer wall, a bright ceiling."""
    rough = finish.roughness[points.material]
    facing = np.einsum("ij,ij->i", points.views, points.normals)
    height = 2 * facing * points.normals[:, 1] - points.views[:, 1]
    side = 2 * facing * points.normals[:, 0] - points.views[:, 0]
    soft = 0.12 + rough * 0.9
    ceiling = _step((height - 0.25) / soft)
    floor = _step((-height - 0.05) / soft)
    window = _step((-side - 0.35) / soft) * (1 - floor)
    light: Floats = (0.30 + 0.85 * ceiling + 0.38 * floor + 0.25 * window)[:, None]
    return light


def _step(values: Floats) -> Floats:
    """From 0 to 1 over -1 to 1, smoothly."""
    share = np.clip(values * 0.5 + 0.5, 0, 1)
    smooth: Floats = share * share * (3 - 2 * share)
    return smooth


def _chosen(points: Points, which: npt.NDArray[np.intp]) -> Points:
    return Points(
        points.normals[which], points.views[which], points.colour[which], points.material[which], points.lit[which],
        points.open[which],
    )  # fmt: skip
