"""sRGB and linear light: the curve of IEC 61966-2-1, both ways.

Colours that people choose, pictures and vertex colours are sRGB; light adds up in linear, as glTF's factors are.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

# Fine enough that the darkest step of a picture is still one entry wide.
ENTRIES = 2**14


def linear(srgb: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """sRGB values of 0 to 1 as linear light, of the same shape."""
    values = np.asarray(srgb, dtype=np.float64)
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def encoded(light: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Linear light of 0 to 1 as sRGB values of 0 to 1, of the same shape."""
    values = np.asarray(light, dtype=np.float64)
    return np.where(values <= 0.0031308, values * 12.92, 1.055 * np.maximum(values, 0.0) ** (1 / 2.4) - 0.055)


LINEAR_OF_BYTE = linear(np.arange(256) / 255).astype(np.float32)
_BYTE_OF_LINEAR = np.rint(encoded(np.arange(ENTRIES) / (ENTRIES - 1)) * 255).astype(np.uint8)


def picture(light: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    """Linear light of any shape as bytes of sRGB; what is brighter than 1 becomes white."""
    entries: npt.NDArray[np.int32] = (np.clip(light, 0, 1) * (ENTRIES - 1) + 0.5).astype(np.int32)
    return _BYTE_OF_LINEAR[entries]
