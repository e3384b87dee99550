"""Pictures with cameras come from strangers: they are read within limits, and what is wrong is named by its file."""

from __future__ import annotations

import json
import math
import struct
import time
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from frontdesk.queue.transforms import TRAIN, Limits, UnusablePhotographsError
from frontdesk.worker.example_scenes import write_example
from frontdesk.worker.posed_images import orbiting, read_posed_images


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_example("red_ball", tmp_path, train=4, held_out=2, size=16, samples=1)
    return tmp_path


def change(folder: Path, **changes: Any) -> None:
    """Change the first frame of the training pictures."""
    transforms = json.loads((folder / TRAIN).read_text("utf-8"))
    transforms["frames"][0] |= changes
    (folder / TRAIN).write_text(json.dumps(transforms), "utf-8")


def refusal(folder: Path, limits: Limits | None = None) -> str:
    with pytest.raises(UnusablePhotographsError) as error:
        read_posed_images(folder, limits)
    return str(error.value)


def test_views_have_their_picture_over_white_and_their_camera(folder: Path) -> None:
    """The focal length follows from the angle of view; transparent pixels are white, the ball is red."""
    images = read_posed_images(folder)
    assert (len(images.train), len(images.held_out)) == (4, 2)
    view = images.train[0]
    assert view.focal == pytest.approx(8 / math.tan(0.6911112070083618 / 2))
    assert view.picture.shape == (16, 16, 3)
    assert (view.picture[0, 0] == 255).all()
    red, green, blue = view.picture[8, 8]
    assert red > 2 * max(green, blue)
    assert np.allclose(view.camera[:3, 3] - 4 * view.camera[:3, 2], 0, atol=1e-6)  # it looks at the origin


def test_an_archive_may_hold_one_folder_that_holds_the_rest(folder: Path, tmp_path: Path) -> None:
    """As archives of a folder do."""
    outer = tmp_path / "outer"
    outer.mkdir()
    inner = outer / "lego"
    inner.mkdir()
    write_example("red_ball", inner, train=3, held_out=1, size=8, samples=1)
    assert len(read_posed_images(outer).train) == 3


def test_where_nothing_is_held_out_some_pictures_are(folder: Path) -> None:
    """A reconstruction is always judged by pictures that it has not seen."""
    (folder / "transforms_test.json").unlink()
    images = read_posed_images(folder)
    assert (len(images.train), len(images.held_out)) == (3, 1)


def test_large_pictures_are_made_smaller(folder: Path) -> None:
    """The focal length with them."""
    small, full = (read_posed_images(folder, Limits(longest_side=side)).train[0] for side in (8, 16))
    assert small.picture.shape == (8, 8, 3)
    assert small.focal == pytest.approx(full.focal / 2)


def test_many_large_pictures_are_made_smaller_together(folder: Path) -> None:
    """As much as it takes for all of them to fit, and no more."""
    images = read_posed_images(folder, Limits(pixels=1000))
    pixels = [view.picture.shape[0] * view.picture.shape[1] for view in (*images.train, *images.held_out)]
    assert 700 < sum(pixels) < 1050  # sides are whole numbers


def test_of_many_held_out_pictures_some_are_judged(folder: Path) -> None:
    """Evenly spread: more of them take time, and say the same."""
    assert [view.name for view in read_posed_images(folder, Limits(judged=1)).held_out] == ["r_0.png"]


def test_one_file_may_name_all_pictures(folder: Path) -> None:
    """As programs write it that find the cameras of real photographs."""
    (folder / "transforms_test.json").unlink()
    (folder / TRAIN).rename(folder / "transforms.json")
    assert len(read_posed_images(folder).train) == 3


@pytest.mark.parametrize("named", ["../secret", "/etc/hostname", "a\\b", "train/r_0\0", "train/../../outside"])
def test_nothing_outside_of_the_folder_is_read(tmp_path: Path, named: str) -> None:
    """Neither by a path nor through a link."""
    inner = tmp_path / "inner"
    inner.mkdir()
    write_example("red_ball", inner, train=3, held_out=1, size=8, samples=1)
    Image.new("RGB", (8, 8)).save(tmp_path / "secret.png")
    Image.new("RGB", (8, 8)).save(tmp_path / "outside.png")
    change(inner, file_path=named)
    assert refusal(inner).startswith(repr(named))
    (inner / "link.png").symlink_to(tmp_path / "secret.png")
    change(inner, file_path="link")
    assert refusal(inner) == "'link': there is no such PNG or JPEG file."


def test_limits_name_what_is_too_large(folder: Path) -> None:
    """Files and pictures."""
    base = Limits()
    assert refusal(folder, replace(base, pictures=3)) == "There are 4 pictures to learn from; 3 is the most."
    assert refusal(folder, replace(base, picture_bytes=50)) == "r_0.png has more than 50 bytes."
    assert refusal(folder, replace(base, picture_pixels=100)) == "r_0.png is 16 x 16; 100 pixels is the most."
    assert refusal(folder, replace(base, json_bytes=99)) == "transforms_train.json: at most 99 bytes are read."


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def test_a_picture_that_unpacks_to_gigabytes_is_refused_by_its_header(folder: Path) -> None:
    """Nothing of it is unpacked."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 60_000, 60_000, 8, 6, 0, 0, 0))
    bomb = b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    (folder / "train/r_0.png").write_bytes(bomb)
    assert "r_0.png" in refusal(folder)


@pytest.mark.parametrize("content", [b"", b"GIF89a" + bytes(40), b"\x89PNG\r\n\x1a\n" + bytes(40), b"<svg/>"])
def test_what_is_not_a_picture_is_named(folder: Path, content: bytes) -> None:
    """Whatever its ending says."""
    (folder / "train/r_0.png").write_bytes(content)
    assert refusal(folder) == "r_0.png is not a PNG or JPEG picture that can be read."


def test_a_picture_that_breaks_off_is_named(folder: Path) -> None:
    """As downloads do."""
    path = folder / "train/r_0.png"
    path.write_bytes(path.read_bytes()[:-40])
    assert "r_0.png" in refusal(folder)


def test_cameras_that_are_none_are_named(folder: Path) -> None:
    """A matrix that shears, mirrors or flattens; one that is not 4x4; numbers that are none."""
    camera = orbiting(0.1, 0.2, 4.0)
    sheared = camera.copy()
    sheared[0, 1] += 0.5
    mirrored = camera.copy()
    mirrored[:3, 0] *= -1
    for wrong in (sheared, mirrored, np.zeros((4, 4))):
        change(folder, transform_matrix=wrong.tolist())
        assert refusal(folder).startswith("r_0.png: its transform_matrix")
    for unreadable in ([[1.0]], [[1e9] * 4] * 4, "matrix"):
        change(folder, transform_matrix=unreadable)
        assert refusal(folder).startswith("transforms_train.json: frames.0.transform_matrix")
    (folder / TRAIN).write_text("{", "utf-8")
    assert refusal(folder).startswith("transforms_train.json: Invalid JSON")
    (folder / TRAIN).unlink()
    assert "transforms_train.json is missing" in refusal(folder)


def test_the_example_scene_is_rendered_in_seconds_and_always_the_same(tmp_path: Path) -> None:
    """So that no pictures need to be shipped."""
    began = time.process_time()
    write_example("still_life", tmp_path, train=4, held_out=1)
    assert time.process_time() - began < 3.0  # 48 pictures take about ten times as long as these
    first = (tmp_path / "train/r_3.png").read_bytes()
    write_example("still_life", tmp_path, train=4, held_out=1)
    assert (tmp_path / "train/r_3.png").read_bytes() == first
    picture = read_posed_images(tmp_path).train[2].picture
    assert picture.shape == (100, 100, 3)
    assert 0.05 < (picture.min(2) < 250).mean() < 0.6  # something is there, and white around it
