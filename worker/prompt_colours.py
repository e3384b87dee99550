"""Names of colours and materials. Colours are sRGB, each channel from 0 to 1."""

from __future__ import annotations

import colorsys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from PIL import ImageColor

from frontdesk.worker.solids import Finish

RGB: TypeAlias = tuple[float, float, float]

# In place of CSS's pure ones, which look like no paint: a surface of #ff0000 shows no shades.
PAINTS = {
    "red": "#c9241f", "blue": "#1f55b5", "green": "#2f8a3c", "yellow": "#f4c51c", "orange": "#ec7a1e",
    "purple": "#6f3d9f", "violet": "#7d55c0", "magenta": "#c42a8a", "fuchsia": "#c42a8a", "cyan": "#22b3c6",
    "aqua": "#22b3c6", "lime": "#8fc427", "pink": "#f19ab4", "brown": "#6e4528", "black": "#1d1d1f", "white": "#f5f4f0",
    "gray": "#85878b", "grey": "#85878b", "maroon": "#6d1b1e", "navy": "#1c2b5a", "turquoise": "#35b8ac",
}  # fmt: skip

# Beside the 148 names of CSS (Color Module Level 4), which Pillow has.
MORE_COLOURS = PAINTS | {
    "amber": "#ffbf00", "apricot": "#fbceb1", "auburn": "#a52a2a", "blond": "#faf0be", "blonde": "#faf0be",
    "bluish": "#6a8caf", "burgundy": "#800020", "caramel": "#c68e50", "charcoal": "#36454f", "cream": "#fffdd0",
    "emerald": "#50a878", "ginger": "#b06500", "greenish": "#7a9f79", "greyish": "#8f8f8f", "grayish": "#8f8f8f",
    "jade": "#00a86b", "lilac": "#c8a2c8", "mauve": "#b784a7", "mint": "#98e8c0", "mustard": "#d9a520",
    "ochre": "#cc7722", "peach": "#ffcba4", "pinkish": "#e0a0b0", "purplish": "#8a6a9a", "reddish": "#b05a4a",
    "rose": "#e8768f", "ruby": "#9b111e", "rust": "#b7410e", "sapphire": "#0f52ba", "scarlet": "#ff2400",
    "sepia": "#704214", "navy blue": "#000080", "wine red": "#722f37",
    "blood red": "#8a0303", "jet black": "#0a0a0a", "snow white": "#fffafa", "olive green": "#6b7a2f",
    "chocolate brown": "#5a3420", "lemon yellow": "#fff44f", "rose pink": "#f28ca5", "baby blue": "#89cff0",
    "grass green": "#5c9a3c", "off white": "#f8f5ec", "taupe": "#8b7d72", "ultramarine": "#3f00ff",
    "vermilion": "#e34234", "yellowish": "#d8c860",
}  # fmt: skip

# The first words of CSS names that people write in two: "sky blue", "forest green".
FIRST_WORDS = (
    "alice", "antique", "blue", "cadet", "cornflower", "dark", "deep", "dim", "dodger", "fire", "floral", "forest",
    "ghost", "green", "hot", "indian", "lawn", "lemon", "light", "lime", "medium", "midnight", "mint", "misty",
    "olive", "orange", "pale", "papaya", "peach", "powder", "rosy", "royal", "saddle", "sandy", "sea", "sky",
    "slate", "spring", "steel", "white", "yellow",
)  # fmt: skip

SHADES = {
    "light": "light", "lighter": "light", "soft": "light", "pastel": "pale", "pale": "pale", "faded": "pale",
    "dark": "dark", "darker": "dark", "deep": "dark", "bright": "bright", "vivid": "bright", "brilliant": "bright",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Material:
    """The colour it lends where none is named, and the finish of its surface."""

    colour: RGB | None
    finish: Finish


def rgb(name: str) -> RGB:
    """A CSS name or #rrggbb. Raises ValueError."""
    red, green, blue = ImageColor.getrgb(name)[:3]
    return (round(red / 255, 4), round(green / 255, 4), round(blue / 255, 4))


def _materials() -> Iterator[tuple[str, Material]]:
    for finish, names in _MATERIALS.items():
        for words, colour in names.items():
            for word in words.split():
                yield word, Material(rgb(colour) if colour else None, finish)


_MATERIALS: Mapping[Finish, Mapping[str, str]] = {
    "matte": {
        "wooden wood timber": "#8b5a2b", "oak oaken": "#a9773f", "walnut": "#5c4033", "mahogany": "#6b2f23",
        "pine pinewood": "#d0a66b", "birch": "#e2cfa4", "maple": "#c9975b", "teak": "#99653a", "ebony": "#2b2622",
        "bamboo": "#d2b75c", "wicker rattan": "#b98d4f", "straw thatched": "#d8bd68", "cork": "#b88b5a",
        "marble": "#eceae6", "stone": "#8d8a84", "granite": "#77757a", "concrete cement": "#9a9a96",
        "brick": "#a1472f", "slate": "#5b6670", "sandstone": "#cfae7b", "clay": "#b5714a", "terracotta": "#c9653f",
        "ceramic porcelain china": "#f2f0ea", "plaster": "#e8e4da", "ivory": "#fffff0", "bone": "#e9dfc7",
        "rubber": "#2e2e30", "leather": "#6b4226", "suede": "#a27b5c", "velvet velour": "#7b1e3b", "denim": "#3f5f8a",
        "wool woollen woolen": "#e6dcc6", "linen": "#e9dfcb", "cotton fabric cloth canvas": "#ddd6c8",
        "paper": "#f5f2e8", "cardboard": "#b5905f", "wax": "#efe6c8", "snow snowy": "#f7faff",
        "grass grassy": "#5c9a3c",
        "plastic matte matt painted silk lacquered upholstered": "",
    },
    "metal": {
        "gold golden": "#d4af37", "silver": "#c0c0c4", "brass": "#b5a642", "copper": "#b87333", "bronze": "#8c6239",
        "steel stainless": "#a8adb2", "iron": "#5a5b5e", "rusty": "#8a4b2a", "chrome chromed": "#d5d8dc",
        "aluminium aluminum": "#c4c7ca", "tin pewter lead titanium": "#9a9da1", "platinum": "#d9d8d4",
        "metal metallic": "#a3a6aa", "shiny polished glossy": "",
    },
    "glass": {
        "glass glassy": "#cfe6ea", "crystal": "#e3f0f7", "ice icy": "#d3ecf7", "diamond": "#eaf6fb",
        "transparent translucent see-through": "",
    },
    "glow": {"glowing luminous lit illuminated": "", "neon": ""},
}  # fmt: skip
MATERIALS = dict(_materials())


def colours() -> dict[tuple[str, ...], RGB]:
    """Every name of a colour as the words it is written in. What is a material too is left to the materials."""
    found: dict[tuple[str, ...], RGB] = {(name,): rgb(name) for name in ImageColor.colormap}
    for name in ImageColor.colormap:
        for first in FIRST_WORDS:
            if name.startswith(first) and name != first:
                found[first, name.removeprefix(first)] = rgb(name)
    found |= {tuple(name.split()): rgb(value) for name, value in MORE_COLOURS.items()}
    # CSS took "darkgray" from X11, where it is lighter than "gray": people mean it the other way round.
    for grey in ("gray", "grey"):
        found["dark", grey] = found[f"dark{grey}",] = rgb("#4d4d4d")
    return {words: colour for words, colour in found.items() if " ".join(words) not in MATERIALS}


def shaded(colour: RGB, shade: str) -> RGB:
    """A colour made `light`, `pale`, `dark` or `bright`; the hue stays."""
    hue, lightness, saturation = colorsys.rgb_to_hls(*colour)
    if shade == "light":
        lightness += (1 - lightness) * 0.4
    elif shade == "pale":
        lightness, saturation = lightness + (1 - lightness) * 0.35, saturation * 0.8
    elif shade == "dark":
        lightness *= 0.5
    elif saturation > 0:  # a bright grey has no hue to strengthen
        lightness, saturation = lightness + (0.55 - lightness) * 0.5, max(saturation, 0.95)
    red, green, blue = colorsys.hls_to_rgb(hue, lightness, saturation)
    return (round(red, 4), round(green, 4), round(blue, 4))
