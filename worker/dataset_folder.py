"""A data set from a local folder: one npz file, or a folder of pictures for each class. No pickles, all bounded."""

from __future__ import annotations

import math
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from frontdesk.worker.datasets import DataSet, DataSetError, data_set

SIDES = (4, 64)  # the shortest and the longest side of a picture in an npz file
SIDE = 32  # what pictures in files are made to
SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".webp"})
FORMATS = ("PNG", "JPEG", "BMP", "WEBP")
CLASSES = (2, 100)
MOST_PICTURES = 100_000
MOST_BYTES = 256 * 2**20  # of all pictures, as read
FILE_BYTES = 20 * 2**20
FILE_PIXELS = 25_000_000


def read_folder(folder: Path) -> DataSet:
    """The one `*.npz` in a folder, or its folders of pictures, each named like a class. Raises DataSetError.

    Symbolic links are not followed, and what begins with a dot is left out.
    """
    try:
        packed = [path for path in _entries(folder) if path.suffix == ".npz" and path.is_file()]
        if len(packed) > 1:
            raise DataSetError(f"{folder} holds {len(packed)} npz files; one is the most.")
        images, labels, classes = _packed(packed[0]) if packed else _pictures(folder)
    except OSError as error:
        raise DataSetError(f"{folder} cannot be read: {error.strerror or 'not a file of its sort'}.") from None
    if not CLASSES[0] <= len(classes) <= CLASSES[1]:
        raise DataSetError(f"{folder} has {len(classes)} classes; {CLASSES[0]} to {CLASSES[1]} can be learnt.")
    return data_set("folder", images, labels, classes)


def _entries(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if not path.is_symlink() and not path.name.startswith("."))


def _pictures(folder: Path) -> tuple[NDArray[np.uint8], NDArray[np.int64], list[str]]:
    """Pictures in colour where any of them is."""
    read: list[NDArray[np.uint8]] = []
    labels: list[int] = []
    classes: list[str] = []
    for number, of_class in enumerate(path for path in _entries(folder) if path.is_dir()):
        classes.append(of_class.name)
        for path in _files(of_class):
            if len(read) == MOST_PICTURES:
                raise DataSetError(f"{folder} holds more than {MOST_PICTURES:,} pictures.")
            read.append(_picture(path))
            labels.append(number)
    if not read:
        raise DataSetError(
            f"{folder} holds neither an npz file nor folders of pictures ({', '.join(sorted(SUFFIXES))})."
        )
    images = np.stack(read).transpose(0, 3, 1, 2)
    grey = bool((images == images[:, :1]).all())
    return images[:, :1] if grey else images, np.array(labels, dtype=np.int64), classes


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in _entries(folder) if path.suffix.lower() in SUFFIXES and path.is_file())


def _picture(path: Path) -> NDArray[np.uint8]:
    """(32, 32, 3). What is transparent becomes white."""
    where = f"{path.parent.name}/{path.name}"
    if path.stat().st_size > FILE_BYTES:
        raise DataSetError(f"{where} is larger than {FILE_BYTES // 2**20} MB.")
    try:
        with Image.open(path, formats=FORMATS) as image:  # reads its size, and nothing more yet
            if math.prod(image.size) > FILE_PIXELS:
                raise DataSetError(f"{where} has more than {FILE_PIXELS // 1_000_000} million pixels.")
            small = _on_white(image).resize((SIDE, SIDE), Image.Resampling.BOX)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        raise DataSetError(f"{where} is not a picture that can be read.") from None
    return np.asarray(small, dtype=np.uint8)


def _on_white(image: Image.Image) -> Image.Image:
    if image.has_transparency_data:
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image.convert("RGBA"))
    return image.convert("RGB")


def _packed(path: Path) -> tuple[NDArray[np.uint8], NDArray[np.int64], list[str]]:
    """`images` (n, height, width) or (n, height, width, 1 or 3), uint8 or floats of 0 to 1; `labels` (n,), whole
    numbers or texts."""
    try:
        with zipfile.ZipFile(path) as archive:
            for name in ("images", "labels"):
                with archive.open(f"{name}.npy") as member:
                    _check_size(f"{path.name}: {name}", member, archive.getinfo(f"{name}.npy").file_size)
        with np.load(path, allow_pickle=False) as arrays:
            images, labels = arrays["images"], arrays["labels"]
    except KeyError:
        raise DataSetError(f"{path.name} needs two arrays, images and labels.") from None
    except (zipfile.BadZipFile, ValueError, EOFError, NotImplementedError):
        raise DataSetError(f"{path.name} is not an npz file of plain numbers.") from None
    return _channels_first(path.name, images), *_numbered(path.name, labels, len(images))


def _check_size(what: str, member: IO[bytes], size: int) -> None:
    """Refuse an array by its header, before memory is taken for it. Raises DataSetError, ValueError."""
    version = np.lib.format.read_magic(member)
    read = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}.get(version)
    if read is None:
        raise ValueError("another version of the format")
    shape, _, dtype = read(member)
    if dtype.hasobject:
        raise ValueError("Python objects")
    if math.prod(shape) * dtype.itemsize > min(size, 8 * MOST_BYTES) or size > 8 * MOST_BYTES:
        raise DataSetError(f"{what} is larger than it may be.")
    if shape and shape[0] > MOST_PICTURES:
        raise DataSetError(f"{what} has {shape[0]:,} entries; {MOST_PICTURES:,} are the most.")


def _channels_first(name: str, images: NDArray[Any]) -> NDArray[np.uint8]:
    if images.ndim == 3:
        images = images[..., None]
    if (
        images.ndim != 4
        or images.shape[3] not in (1, 3)
        or not all(SIDES[0] <= side <= SIDES[1] for side in images.shape[1:3])
    ):
        raise DataSetError(
            f"{name}: images must be (n, height, width) or (n, height, width, 3), with sides of {SIDES[0]} to "
            f"{SIDES[1]} pixels."
        )
    if images.size > MOST_BYTES:
        raise DataSetError(f"{name}: images are larger than {MOST_BYTES // 2**20} MB.")
    if images.dtype.kind == "f":
        if not (np.isfinite(images).all() and images.min(initial=0) >= 0 and images.max(initial=0) <= 1):
            raise DataSetError(f"{name}: images of floats must lie between 0 and 1.")
        images = np.rint(images * 255).astype(np.uint8)
    if images.dtype != np.uint8:
        raise DataSetError(f"{name}: images must be uint8, or floats between 0 and 1.")
    return images.transpose(0, 3, 1, 2)


def _numbered(name: str, labels: NDArray[Any], count: int) -> tuple[NDArray[np.int64], list[str]]:
    if labels.shape != (count,) or labels.dtype.kind not in "iuU":
        raise DataSetError(f"{name}: labels must be a whole number or a text for each image.")
    classes, numbers = np.unique(labels, return_inverse=True)
    return numbers.astype(np.int64), [str(each)[:64] for each in classes]
