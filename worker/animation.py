"""Pictures in a row as a looping GIF that both chat platforms show inline, never larger than a limit.

All frames share one palette, so that no colour flickers: 255 colours by median cut, then moved to the middle of what
they stand for (Lloyd 1982). Shades between them are dithered in a fixed pattern (Bayer 1973), which stands still while
the object moves; the plain background stays plain.
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy.spatial import cKDTree

from frontdesk.worker.meshes import Bytes, Doubles

LIMIT = 2_000_000  # bytes
FRAME_SECONDS = 0.08
COLOURS = 255  # and one for "as before"
SAMPLED = 9  # frames that the palette is made from
ROUNDS = 5  # of moving the palette
DITHER = 8.0  # of 255
BITS = 6  # of each channel, by which colours are looked up
# When it is too large: without dither; then smaller pictures and fewer of them, by turns.
STEPS = ((1.0, 1, True), (1.0, 1, False), (0.85, 1, False), (0.85, 2, False), (0.7, 2, False), (0.55, 2, False),
         (0.55, 3, False), (0.42, 3, False), (0.33, 4, False))  # fmt: skip

Palette = npt.NDArray[np.uint8]


def animated(
    frames: Sequence[Bytes],
    *,
    seconds: float = FRAME_SECONDS,
    limit: int = LIMIT,
    check: Callable[[], None] = lambda: None,
) -> bytes:
    """A GIF that loops for ever, in fewer than `limit` bytes.

    frames: [height, width, 3] in sRGB each, all of one size. seconds: of each frame, which GIF rounds to hundredths.
    check: called between pictures; what it raises ends it. What is too large loses its dither, then size and frames.
    Raises ValueError for no frames, for frames that differ in size, and where even small ones do not fit.
    """
    if not frames or any(frame.shape != frames[0].shape or frame.dtype != np.uint8 for frame in frames):
        raise ValueError("an animation needs frames, all of one size")
    worth = math.inf  # trying: the share of the pixels that is shown
    for scale, step, dithered in _steps():
        every = min(step, len(frames))
        share = scale * scale / every
        if share > worth:
            continue
        data = _encoded([_resized(frame, scale) for frame in frames[::every]], seconds * every, dithered, check)
        if len(data) < limit:
            return data
        worth = share * limit / len(data) * (2 if dithered else 1.15)
    raise ValueError(f"{len(frames)} frames do not fit into {limit} bytes")


def _steps() -> Iterator[tuple[float, int, bool]]:
    yield from STEPS
    scale, every, _ = STEPS[-1]
    yield from ((scale * 0.75**more, every * 2 ** (more // 2), False) for more in range(1, 16))


def _resized(frame: Bytes, scale: float) -> Bytes:
    if scale == 1:
        return frame
    height, width = (max(1, round(side * scale)) for side in frame.shape[:2])
    return np.asarray(Image.fromarray(frame).resize((width, height), Image.Resampling.BOX, reducing_gap=None))


def _encoded(frames: Sequence[Bytes], seconds: float, dithered: bool, check: Callable[[], None]) -> bytes:
    background = frames[0][0, 0]
    palette = _palette(frames, background)
    nearest = _nearest(palette)
    flat = palette.tobytes() + bytes(3)
    images = []
    for frame in frames:
        check()
        image = Image.fromarray(_indexed(frame, nearest, background, dithered))
        image.putpalette(flat)
        images.append(image)
    stream = io.BytesIO()
    images[0].save(
        stream,
        "GIF",
        save_all=True,
        append_images=images[1:],
        loop=0,
        duration=round(seconds * 100) * 10,
        optimize=False,
    )
    return stream.getvalue()


def _palette(frames: Sequence[Bytes], background: Bytes) -> Palette:
    """[255, 3]; the background's is the first. Rare colours count for more than their share of the pixels."""
    sampled = np.concatenate([frame.reshape(-1, 3) for frame in frames[:: -(-len(frames) // SAMPLED)]])
    counts = np.bincount(_entry(sampled.astype(np.int32)), minlength=1 << 3 * BITS)
    used = np.flatnonzero(counts)
    colours, weights = _colours_of(used), np.sqrt(counts[used])
    repeated = np.repeat(colours.astype(np.uint8), np.ceil(weights).astype(int), axis=0)
    cut = Image.fromarray(repeated[None]).quantize(COLOURS - 1, Image.Quantize.MEDIANCUT).getpalette() or [0, 0, 0]
    centres = np.array(cut, dtype=np.float64).reshape(-1, 3)[: COLOURS - 1]
    for _ in range(ROUNDS):
        owner = cKDTree(centres).query(colours)[1]
        total = np.maximum(np.bincount(owner, weights, len(centres)), 1e-9)
        sums = np.stack([np.bincount(owner, weights * colours[:, c], len(centres)) for c in range(3)], axis=1)
        centres = np.where((total > 1e-6)[:, None], sums / total[:, None], centres)
    palette = np.tile(background, (COLOURS, 1))
    palette[1 : len(centres) + 1] = np.rint(centres)
    return palette


def _nearest(palette: Palette) -> Bytes:
    """[2 ** 18]: for each colour of six bits a channel, its place in the palette."""
    every = _colours_of(np.arange(1 << 3 * BITS))
    places: Bytes = cKDTree(palette.astype(np.float64)).query(every)[1].astype(np.uint8)
    return places


def _indexed(frame: Bytes, nearest: Bytes, background: Bytes, dithered: bool) -> Bytes:
    height, width = frame.shape[:2]
    values = frame.astype(np.float32)
    if dithered:
        rows, columns = -(-height // 8), -(-width // 8)
        values += ((np.tile(_BAYER, (rows, columns))[:height, :width] - 0.5) * DITHER)[..., None]
    places: Bytes = nearest[_entry(np.clip(values, 0, 255).astype(np.int32))]
    places[(frame == background).all(axis=2)] = 0
    return places


def _entry(colours: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    kept = colours >> (8 - BITS)
    return (kept[..., 0] << 2 * BITS) | (kept[..., 1] << BITS) | kept[..., 2]


def _colours_of(entries: npt.NDArray[np.intp]) -> Doubles:
    """The middle of the colours that an entry stands for."""
    channels = [entries >> 2 * BITS, entries >> BITS, entries]
    return np.stack([(channel & ((1 << BITS) - 1)) * 4 + 1.5 for channel in channels], axis=-1)


def _bayer(order: int) -> Doubles:
    if order == 0:
        return np.zeros((1, 1))
    smaller = _bayer(order - 1)
    return np.block([[smaller, smaller + 2 / 4**order], [smaller + 3 / 4**order, smaller + 1 / 4**order]])


_BAYER = _bayer(3) + 1 / 128
