"""Photographs are judged before their job is queued: what is wrong with an upload is said at once, by name."""

from __future__ import annotations

import io
import json
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from tiny_scenes import tiny_zip

from frontdesk.queue.errors import UserError
from frontdesk.queue.picture_headers import HEAD, picture_size
from frontdesk.queue.posed_archive import check_photographs, checked_layout
from frontdesk.queue.transforms import HELD_OUT, HOLD_OUT_EVERY, TRAIN, Limits

Files = dict[str, bytes]


def picture(width: int = 8, height: int = 6, form: str = "PNG") -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (width, height), "red").save(stream, form)
    return stream.getvalue()


def transforms(count: int, stem: str = "r", **changes: Any) -> bytes:
    """Cameras at some places that all look the same way; nothing here asks where to."""
    camera = [[1, 0, 0, 0.5], [0, 1, 0, 0.25], [0, 0, 1, 4.0], [0, 0, 0, 1]]
    frames = [{"file_path": f"./{stem}_{n}", "transform_matrix": camera} for n in range(count)]
    return json.dumps({"camera_angle_x": 0.7, "frames": frames} | changes).encode()


@pytest.fixture
def upload(tmp_path: Path) -> Callable[[Files], Path]:
    def upload(files: Files) -> Path:
        with zipfile.ZipFile(tmp_path / "upload.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in files.items():
                archive.writestr(name, content)
        return tmp_path / "upload.zip"

    return upload


@pytest.fixture
def refusal(upload: Callable[[Files], Path]) -> Callable[..., str]:
    """What is said of four good pictures, with some files in the place of others; None leaves one out."""

    def refusal(changed: dict[str, bytes | None], limits: Limits | None = None) -> str:
        good: dict[str, bytes | None] = {TRAIN: transforms(4), **{f"r_{n}.png": picture() for n in range(4)}}
        files = {name: content for name, content in (good | changed).items() if content is not None}
        with pytest.raises(UserError) as caught:
            checked_layout(upload(files), limits)
        return str(caught.value)

    return refusal


def test_what_can_be_reconstructed_is_let_through(tmp_path: Path) -> None:
    """In a folder of its own, as archives of a folder are."""
    check_photographs(tiny_zip(tmp_path / "ball.zip"))


def test_the_layout_says_what_is_learnt_from_and_what_is_held_out(upload: Callable[[Files], Path]) -> None:
    """By a file of its own; or every eighth picture, where one file names them all."""
    pictures = {f"{stem}_{n}.jpg": picture(form="JPEG") for stem in ("r", "t") for n in range(9)}
    both = {TRAIN: transforms(9), HELD_OUT[1]: transforms(2, "t"), **pictures}
    layout = checked_layout(upload(both))
    assert (len(layout.train), len(layout.held_out)) == (9, 2)
    assert layout.held_out[1].file.name == "t_1.jpg"
    alone = checked_layout(upload({"transforms.json": transforms(9), **pictures}))
    assert [posed.file.name for posed in alone.held_out] == ["r_0.jpg", f"r_{HOLD_OUT_EVERY}.jpg"]
    assert len(alone.train) == 7
    assert alone.train[0].camera == ((1, 0, 0, 0.5), (0, 1, 0, 0.25), (0, 0, 1, 4), (0, 0, 0, 1))


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({TRAIN: None}, "transforms_train.json is missing: pictures are expected in the layout of the NeRF-synthetic"),
        ({f"a/{TRAIN}": b"", f"b/{TRAIN}": b"", TRAIN: None}, "There are 2 folders with a transforms_train.json;"),
        ({TRAIN: b"{"}, "transforms_train.json: Invalid JSON"),
        ({TRAIN: b"\xff\xfe"}, "transforms_train.json: Invalid JSON"),
        ({TRAIN: b"{}"}, "transforms_train.json: camera_angle_x: Field required."),
        ({TRAIN: transforms(0)}, "transforms_train.json: frames: List should have at least 1 item"),
        ({TRAIN: transforms(4, camera_angle_x=4)}, "transforms_train.json: camera_angle_x: Input should be less than"),
        ({TRAIN: transforms(4).replace(b"0.25", b"NaN")}, "transforms_train.json: frames.0.transform_matrix.1.3: "),
        ({TRAIN: transforms(4).replace(b"0.25", b"1e99")}, "transforms_train.json: frames.0.transform_matrix.1.3: "),
        ({TRAIN: transforms(4).replace(b", 0.25", b"")}, "transforms_train.json: frames.0.transform_matrix.1: List"),
        ({TRAIN: transforms(4).replace(b"[1, 0", b"[-1, 0")}, "r_0.png: its transform_matrix is not a rotation"),
        ({TRAIN: transforms(4).replace(b"[1, 0", b"[0, 0")}, "r_0.png: its transform_matrix does not turn"),
        ({TRAIN: transforms(2)}, "Two pictures to learn from and one to judge by are the least;"),
        ({"r_2.png": None}, "'./r_2': there is no such PNG or JPEG file."),
        ({TRAIN: transforms(4, "../r")}, "'./../r_0': there is no such PNG or JPEG file."),
        ({TRAIN: transforms(4).replace(b"./r_1", b"/r_1")}, "'/r_1': pictures are named relative to transforms_train"),
        ({"r_3.png": b"GIF89a" + bytes(40)}, "r_3.png is not a PNG or JPEG picture."),
        ({"r_3.png": picture(3, 40)}, "r_3.png is 3 x 40; 4 a side is the least."),
        ({"notes.exe": b"MZ"}, "notes.exe in the archive is not of a sort that is taken here"),
        ({"../r.png": picture()}, "../r.png in the archive has a name that is not taken."),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_in_a_sentence(
    refusal: Callable[..., str], changed: dict[str, bytes | None], sentence: str
) -> None:
    """With the file's name, whoever made it."""
    assert refusal(changed).startswith(sentence)


def test_limits_name_what_is_too_much(refusal: Callable[..., str]) -> None:
    """Pictures, pixels, bytes; by the headers alone."""
    limits = Limits()
    assert refusal({}, replace(limits, pictures=2)) == "There are 3 pictures to learn from; 2 is the most."
    assert refusal({}, replace(limits, picture_bytes=9)) == "r_1.png has more than 9 bytes."
    assert refusal({}, replace(limits, picture_pixels=47)) == "r_1.png is 8 x 6; 47 pixels is the most."
    assert refusal({}, replace(limits, json_bytes=99)) == "transforms_train.json: at most 99 bytes are read."
    vast = b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sIIBBBBB", 13, b"IHDR", 60_000, 60_000, 8, 6, 0, 0, 0)
    assert refusal({"r_1.png": vast}).startswith("r_1.png is 60000 x 60000;")


def test_what_is_no_archive_is_said_so(tmp_path: Path) -> None:
    """A picture that somebody renamed, and one whose directory lies."""
    (tmp_path / "picture.zip").write_bytes(picture())
    with pytest.raises(UserError, match="not a zip archive"):
        check_photographs(tmp_path / "picture.zip")
    damaged = bytearray(tiny_zip(tmp_path / "ball.zip").read_bytes())
    place = damaged.index(b"camera_angle_x")
    damaged[place : place + 14] = b"camera_angle_y"
    (tmp_path / "ball.zip").write_bytes(damaged)
    with pytest.raises(UserError, match="damaged"):
        check_photographs(tmp_path / "ball.zip")


@pytest.mark.parametrize("form", ["PNG", "JPEG"])
def test_a_picture_tells_its_size_by_its_first_bytes(form: str) -> None:
    """As the whole picture does; and nothing where it breaks off."""
    whole = picture(321, 123, form)
    assert picture_size(whole[:HEAD]) == (321, 123)
    for end in range(min(len(whole), 200)):
        assert picture_size(whole[:end]) in (None, (321, 123))


def test_a_jpeg_may_have_notes_before_its_size() -> None:
    """As cameras write them."""
    plain = picture(31, 17, "JPEG")
    notes = b"\xff\xe1" + struct.pack(">H", 4000) + bytes(3998)
    assert picture_size(plain[:2] + notes + plain[2:]) == (31, 17)
    assert picture_size(plain[:2] + b"\xff\xff\xff" + plain[2:]) in (None, (31, 17))
    assert picture_size(b"\xff\xd8" + b"\xff\xe1\x00\x00" * 9) is None


def test_judging_needs_neither_numpy_nor_an_imaging_library() -> None:
    """A bot has neither."""
    code = "import sys, frontdesk.queue.posed_archive; print({'numpy', 'PIL'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "set()", done.stderr
