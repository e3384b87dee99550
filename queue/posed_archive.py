"""Whether an uploaded zip holds photographs that can be reconstructed: judged before its job is queued.

Its directory, its `transforms*.json` and the first bytes of each picture are read; nothing is unpacked to the disk, and
no picture is decoded. The worker, which does both, has the last word.
"""

from __future__ import annotations

from pathlib import Path

from frontdesk.queue.archives import DEFAULT_LIMITS, ArchiveLimits, OpenArchive, opened
from frontdesk.queue.picture_headers import HEAD, is_picture, picture_size
from frontdesk.queue.transforms import ENDINGS, Layout, Limits, Posed, UnusablePhotographsError, read_layout

SUFFIXES = (*ENDINGS, ".json", ".txt", ".md")  # the last two come with data sets, and are left alone


def check_photographs(path: Path) -> None:
    """Raises ArchiveError or UnusablePhotographsError with a sentence that says what is wrong with the zip."""
    checked_layout(path)


def checked_layout(path: Path, limits: Limits | None = None, archive_limits: ArchiveLimits = DEFAULT_LIMITS) -> Layout:
    """What lies in a zip. Raises as `check_photographs` does."""
    limits = limits or Limits()
    with opened(path, suffixes=SUFFIXES, limits=archive_limits) as archive:
        layout = read_layout(archive.sizes, lambda name: archive.head(name, limits.json_bytes + 1), limits)
        for posed in (*layout.train, *layout.held_out):
            _check_picture(archive, posed, limits)
    return layout


def _check_picture(archive: OpenArchive, posed: Posed, limits: Limits) -> None:
    name = posed.file.name
    if archive.sizes[posed.file] > limits.picture_bytes:
        raise UnusablePhotographsError(f"{name} has more than {limits.picture_bytes:,} bytes.")
    head = archive.head(posed.file, HEAD)
    if not is_picture(head):
        raise UnusablePhotographsError(f"{name} is not a PNG or JPEG picture.")
    if size := picture_size(head):
        check_size(name, *size, limits)


def check_size(name: str, width: int, height: int, limits: Limits) -> None:
    """Raises UnusablePhotographsError for a picture that is too large or too small."""
    if width * height > limits.picture_pixels:
        raise UnusablePhotographsError(f"{name} is {width} x {height}; {limits.picture_pixels:,} pixels is the most.")
    if min(width, height) < limits.least_side:
        raise UnusablePhotographsError(f"{name} is {width} x {height}; {limits.least_side} a side is the least.")
