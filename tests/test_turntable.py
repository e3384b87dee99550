"""The preview as one looks at it: what stands where, what is light and what is dark, and that it loops and fits."""

from __future__ import annotations

import io
import math
from collections.abc import Callable
from functools import cache

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image, ImageSequence
from things import BLUE, GREEN, PALE, RED, Part, ball, block, chair, from_parts, lone, painted_ball, rod, tumbler

from frontdesk.worker.animation import animated
from frontdesk.worker.meshes import Mesh
from frontdesk.worker.studio import Studio
from frontdesk.worker.turntable import preview, still, turntable

Picture = npt.NDArray[np.int64]
PLAIN = np.array([242, 243, 245])
WHITE = (0.9, 0.9, 0.9)


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


def pixels(image: Image.Image) -> Picture:
    return np.asarray(image.convert("RGB"), dtype=np.int64)


def drawn(mesh: Mesh, size: int = 160, degrees: float = 0) -> Picture:
    return Studio(mesh).picture(size, math.radians(degrees)).astype(np.int64)


def frames(data: bytes) -> list[Picture]:
    return [pixels(frame) for frame in ImageSequence.Iterator(opened(data))]


def coloured(picture: Picture, channel: int) -> npt.NDArray[np.bool_]:
    """Where one of red, green and blue is far above the others."""
    others = np.delete(picture, channel, axis=2).max(axis=2)
    far: npt.NDArray[np.bool_] = picture[:, :, channel] > others + 40
    return far


def middle(mask: npt.NDArray[np.bool_]) -> tuple[float, float]:
    """Row and column."""
    rows, columns = np.nonzero(mask)
    return float(rows.mean()), float(columns.mean())


@cache
def chair_turntable() -> bytes:
    return turntable(from_parts(chair()), frames=12, size=120)


@pytest.mark.parametrize("make", [lambda: from_parts(chair()), lambda: from_parts(tumbler()), painted_ball])
def test_an_object_stands_on_a_plain_light_ground(make: Callable[[], Mesh]) -> None:
    """The corners are the background to the last bit, the object takes a sane share of the middle, nothing is cut."""
    picture = drawn(make())
    for row, column in ((0, 0), (0, -1), (-1, 0), (-1, -1)):
        assert (picture[row, column] == PLAIN).all()
    differs = (np.abs(picture - PLAIN) > 30).any(axis=2)
    assert 0.08 < differs.mean() < 0.7
    assert not differs[[0, -1]].any()
    assert not differs[:, [0, -1]].any()


def test_a_still_is_a_png_of_the_size_asked_for() -> None:
    image = opened(still(from_parts(chair()), size=96))
    assert (image.format, image.size) == ("PNG", (96, 96))


def test_y_is_up() -> None:
    """A red ball on a blue post: red above blue."""
    mesh = from_parts([Part(rod(0.1, 1), BLUE), Part(ball(0.25, y=1), RED)])
    picture = drawn(mesh)
    assert middle(coloured(picture, 0))[0] < middle(coloured(picture, 2))[0] - 30


def test_right_is_right_and_front_is_near() -> None:
    """From the front, +x is to the right; +z is nearer, so lower in the picture and before what stands behind it."""
    mesh = from_parts([
        Part(block(0.3, 0.3, 0.3, x=0.5), RED), Part(block(0.3, 0.3, 0.3, x=-0.5), BLUE),
        Part(block(0.3, 0.3, 0.3, z=0.5), GREEN),
    ])  # fmt: skip
    picture = drawn(mesh)
    red, green, blue = (middle(coloured(picture, channel)) for channel in range(3))
    assert red[1] > 100 > 60 > blue[1]
    assert green[0] > red[0] + 15
    assert green[0] > blue[0] + 15


def test_a_turn_is_counter_clockwise_from_above() -> None:
    """After a quarter of it what was in front is to the right."""
    mesh = from_parts([Part(block(0.3, 0.3, 0.3, z=0.5), RED), Part(block(0.3, 0.3, 0.3, z=-0.5), BLUE)])
    picture = drawn(mesh, degrees=90)
    assert middle(coloured(picture, 0))[1] > 100
    assert middle(coloured(picture, 2))[1] < 60


def test_what_is_behind_is_hidden() -> None:
    """A red wall before a blue one of the same size: from the front there is no blue, from behind no red."""
    walls = [Part(block(1, 1, 0.05, z=0.3), RED), Part(block(0.9, 0.8, 0.05, z=-0.3), BLUE)]
    mesh = from_parts(walls)
    assert not coloured(drawn(mesh), 2).any()
    assert coloured(drawn(mesh), 0).sum() > 3000
    assert not (coloured(drawn(mesh, degrees=180), 0).sum() > coloured(drawn(mesh, degrees=180), 2).sum())


def test_light_comes_from_above() -> None:
    """A white ball is brighter above than below, on the left than on the right, and nowhere black."""
    picture = drawn(from_parts(lone(ball(0.5), WHITE)), 200)
    brightness = picture.mean(axis=2)
    rows, columns = np.nonzero((np.abs(picture - PLAIN) > 6).any(axis=2))
    centre = 96
    upper, lower = brightness[30:70, 70:130].mean(), brightness[130:165, 70:130].mean()
    assert upper > lower + 25
    assert brightness[70:120, 45:75].mean() > brightness[70:120, 125:155].mean() + 5
    assert brightness[rows, columns].min() > 50
    assert abs(columns.mean() - centre) < 12


def test_the_underside_is_darker_than_the_top() -> None:
    """A table seen from above and a disc on a post: the top is bright, what is under it lies in its shadow."""
    mesh = from_parts([*lone(rod(0.5, 0.04, y=0.6, segments=64), WHITE), *lone(rod(0.08, 0.6), WHITE)])
    picture = drawn(mesh, 200).mean(axis=2)
    column = picture[:, 100]
    top = column[(column < 240)][:20].mean()
    post = column[120:140].mean()
    assert top > post + 20


def test_the_ground_is_darker_where_the_object_stands() -> None:
    """A soft shadow: it hangs together with the object, and ends before the border."""
    picture = drawn(from_parts(lone(block(0.5, 0.5, 0.5), PALE)), 200).mean(axis=2)
    assert picture[-1].min() > 242
    below = picture[160:199, 100]
    assert below.min() < 235
    assert (np.abs(np.diff(below[below > 200])) < 20).all()


def test_a_surface_has_no_cracks() -> None:
    """No pixel of the background shines through a ball of thousands of triangles, nor any black one."""
    picture = drawn(from_parts(lone(ball(0.5, segments=200), RED)), 240)
    rows, columns = np.nonzero(coloured(picture, 0))
    row, column = round(rows.mean()), round(columns.mean())
    radius = (np.ptp(columns) + 1) / 2 - 3
    y, x = np.mgrid[:240, :240]
    inside = picture[np.hypot(y - row, x - column) < radius]
    assert (inside[:, 0] > inside[:, 1] + 25).all()
    assert inside[:, 0].min() > 60


def test_one_sees_through_glass() -> None:
    """The drink's red shows through the tumbler, and the glass itself can be seen against the ground."""
    picture = drawn(from_parts(tumbler()), 200)
    assert coloured(picture, 0).sum() > 500
    empty = drawn(from_parts(tumbler()[:1]), 200)
    glass = (np.abs(empty - PLAIN) > 8).any(axis=2)
    assert glass.mean() > 0.15
    assert np.median(empty[glass].mean(axis=1)) > 150


def test_what_glows_is_not_shaded() -> None:
    """A glowing ball is as bright below as above."""
    picture = drawn(from_parts(lone(ball(0.5), (1.0, 0.8, 0.3), "glow")), 200)
    shades = picture[picture[:, :, 0] > picture[:, :, 2] + 60]
    assert shades[:, 0].min() > 210


def test_vertex_colours_are_where_they_belong() -> None:
    """The painted ball: green above, red to the right, blue to the front."""
    picture = drawn(painted_ball(), 200)
    assert picture[45, 90].argmax() == 1
    assert picture[115, 177].argmax() == 0
    assert picture[135, 90].argmax() == 2


def test_an_open_surface_is_drawn_from_both_sides() -> None:
    """Half a ball: one looks into it, and it is not black there."""
    whole = painted_ball()
    below = whole.vertices[whole.faces].mean(axis=1)[:, 1] < 0
    picture = drawn(Mesh(whole.vertices, whole.faces[below], whole.colours), 160)
    inside = picture[68:95, 60:110].reshape(-1, 3)
    assert (np.abs(inside - PLAIN) > 30).any(axis=1).all()
    assert inside.max(axis=1).min() > 40


def test_a_turntable_loops_for_ever() -> None:
    """All its frames are of one size and shown equally long."""
    image = opened(chair_turntable())
    assert image.format == "GIF"
    assert image.info["loop"] == 0
    assert getattr(image, "n_frames", 0) == 12
    assert {frame.info["duration"] for frame in ImageSequence.Iterator(image)} == {80}


def test_the_last_frame_leads_to_the_first() -> None:
    """The step from the last to the first is like any other: neither a jump nor a repetition."""
    shown = frames(chair_turntable())
    steps = [np.abs(a - b).mean() for a, b in zip(shown, [*shown[1:], shown[0]], strict=True)]
    assert steps[-1] < 1.5 * max(steps[:-1])
    assert steps[-1] > 0.5 * min(steps[:-1])
    assert steps[-1] < 0.8 * np.abs(shown[0] - shown[3]).mean()


def test_a_turntable_begins_with_the_view_of_the_still() -> None:
    first = frames(chair_turntable())[0]
    assert np.abs(first - pixels(opened(still(from_parts(chair()), size=120)))).mean() < 3


def test_the_background_of_an_animation_stands_still() -> None:
    """Its corners have one colour in all frames: dither and palette do not touch it."""
    for frame in frames(chair_turntable()):
        assert (frame[:4, :4] == PLAIN).all()
        assert (frame[-4:, -4:] == PLAIN).all()


def test_progress_is_told_and_cancelling_heard_between_frames() -> None:
    told: list[float] = []
    turntable(painted_ball(16), frames=4, size=48, progress=lambda fraction, note: told.append(fraction))
    assert told == sorted(told)
    assert len(told) == 4
    assert 0 < told[0] < told[-1] <= 1

    class StoppedError(Exception):
        pass

    def stop() -> None:
        if len(told) > 5:
            raise StoppedError

    with pytest.raises(StoppedError):
        turntable(painted_ball(16), frames=9, size=48, progress=lambda f, n: told.append(f), check=stop)
    assert len(told) == 6


def test_a_preview_is_both_pictures() -> None:
    """A still to look at closely, and a turn of 36 steps."""
    both = preview(from_parts(chair()))
    assert opened(both.still).size == (768, 768)
    assert opened(both.animation).size == (360, 360)
    assert getattr(opened(both.animation), "n_frames", 0) == 36
    assert len(both.animation) < 2_000_000


def test_the_same_mesh_gives_the_same_pictures() -> None:
    assert chair_turntable() == turntable(from_parts(chair()), frames=12, size=120)


def noise(count: int, side: int) -> list[npt.NDArray[np.uint8]]:
    random = np.random.default_rng(4)
    return [random.integers(0, 256, (side, side, 3), dtype=np.uint8) for _ in range(count)]


def test_an_animation_always_fits() -> None:
    """Noise does not compress: it becomes smaller and has fewer frames, and takes as long as before."""
    data = animated(noise(24, 96), limit=40_000)
    assert len(data) < 40_000
    image = opened(data)
    assert image.size[0] < 96
    total = sum(frame.info["duration"] for frame in ImageSequence.Iterator(image))
    assert total == pytest.approx(24 * 80, abs=320)
    with pytest.raises(ValueError, match="do not fit"):
        animated(noise(2, 32), limit=100)


def test_an_animation_that_fits_keeps_its_pictures() -> None:
    """Three colours come out as they went in, whatever their order."""
    flat = [np.full((40, 60, 3), colour, np.uint8) for colour in ((200, 30, 30), (30, 200, 30), (30, 30, 200))]
    for frame in flat:
        frame[0, 0] = 255
    shown = frames(animated(flat))
    for was, came in zip(flat, shown, strict=True):
        assert np.abs(was.astype(np.int64) - came)[1:].max() <= 12


def test_a_smooth_shade_stays_smooth() -> None:
    """No bands: over eight pixels a grey ramp is as it was, within two steps of 255."""
    ramp = np.repeat(np.repeat(np.linspace(60, 200, 256), 1)[None, :, None], 64, axis=0)
    frame = np.rint(np.repeat(ramp, 3, axis=2)).astype(np.uint8)
    (shown,) = frames(animated([frame]))
    means = shown.reshape(8, 8, 32, 8, 3).mean(axis=(1, 3))
    assert np.abs(means - frame.reshape(8, 8, 32, 8, 3).mean(axis=(1, 3))).max() < 2.5


def test_frames_of_several_sizes_are_no_animation() -> None:
    with pytest.raises(ValueError, match="one size"):
        animated([*noise(1, 8), *noise(1, 9)])
    with pytest.raises(ValueError, match="needs frames"):
        animated([])


def test_nothing_cannot_be_drawn() -> None:
    with pytest.raises(ValueError, match="without faces"):
        still(Mesh(np.eye(3, dtype=np.float32), np.zeros((0, 3), np.int32)))
