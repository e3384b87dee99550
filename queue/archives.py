"""Opening a zip that somebody uploaded: every file of it that is wanted lands in one folder, or none does.

Nothing that the archive says of itself is trusted. Its directory is measured before it is read, names are judged
before anything is written, and bytes are counted as they are unpacked, whatever the headers promised.
"""

from __future__ import annotations

import shutil
import stat
import struct
import tempfile
import unicodedata
import zipfile
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from frontdesk.queue.artifacts import DEVICES
from frontdesk.queue.errors import ArchiveError

CHUNK = 256 * 1024
DAMAGED = "The archive is damaged, or of a sort that is not taken."
SLACK = 1024 * 1024  # bytes that may come out of any archive, however small it is
MAX_DIRECTORY = 4 * 1024 * 1024  # bytes: Python makes an object of every 46
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # others take memory, or unpack much further
ENCRYPTED = 0x1 | 0x40 | 0x2000  # flags: encrypted, strongly, and with its names
JUNK = ("__MACOSX", ".DS_Store", "Thumbs.db", "desktop.ini")  # what file managers add without being asked

END = struct.Struct("<4s4H2LH")  # the record that ends an archive: its directory's size is the 6th field
END_MARK = b"PK\x05\x06"
BIG_MARK, BIG_SIZE = b"PK\x06\x07", 20  # what stands before it in an archive of another layout (zip64)
MAX_COMMENT = 65_535


@dataclass(frozen=True, slots=True)
class ArchiveLimits:
    """What an archive may hold. `archive`, `total` and `single` in bytes: of the upload, of all that is unpacked, and
    of one file; `ratio`: unpacked bytes for each of the upload; `path`: signs of a name with its folders; `depth`:
    folders in one another."""

    archive: int = 200_000_000
    entries: int = 2_000
    total: int = 500_000_000
    single: int = 50_000_000
    ratio: float = 100.0
    path: int = 160
    depth: int = 8


DEFAULT_LIMITS = ArchiveLimits()


def unpack(
    archive: Path,
    folder: Path,
    *,
    suffixes: Collection[str],
    limits: ArchiveLimits = DEFAULT_LIMITS,
    check: Callable[[], None] = lambda: None,
) -> list[PurePosixPath]:
    """Unpack into `folder`, which must be empty or not there; what was unpacked, in the archive's order.

    suffixes: those that are taken, in small letters (".png"); what file managers add (`__MACOSX`) is passed over.
    check: called after each 256 KB; what it raises ends the unpacking.
    Raises ArchiveError with a sentence for whoever sent it; the folder is then as it was before.
    """
    if not archive.is_file():
        raise ArchiveError("That is no file.")
    _measure(archive, limits)
    folder.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(dir=folder.parent, prefix=".unpacking-"))
    try:
        names = _unpack(archive, aside, suffixes, limits, check)
        aside.replace(folder)
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
        raise
    return names


@dataclass(frozen=True, slots=True)
class OpenArchive:
    """An archive that is looked into without unpacking it. sizes: bytes of each file, as the archive says."""

    sizes: Mapping[PurePosixPath, int]
    _zip: zipfile.ZipFile
    _entries: Mapping[PurePosixPath, zipfile.ZipInfo]

    def head(self, name: PurePosixPath, size: int) -> bytes:
        """The first bytes of a file, or all where it has fewer. Raises ArchiveError."""
        with _reading(), self._zip.open(self._entries[name]) as source:
            return source.read(size)


@contextmanager
def opened(
    archive: Path, *, suffixes: Collection[str], limits: ArchiveLimits = DEFAULT_LIMITS
) -> Iterator[OpenArchive]:
    """Look into an archive (see `unpack`). Raises ArchiveError where what it says of itself would not be unpacked."""
    if not archive.is_file():
        raise ArchiveError("That is no file.")
    _measure(archive, limits)
    with ExitStack() as stack:
        with _reading():
            zipped = stack.enter_context(zipfile.ZipFile(archive))
        entries = dict(_chosen(zipped.infolist(), suffixes, limits))
        sizes = {name: entry.file_size for name, entry in entries.items()}
        _check_promised(sizes, _allowed(archive, limits), limits)
        yield OpenArchive(sizes, zipped, entries)


def _check_promised(sizes: Mapping[PurePosixPath, int], allowed: int, limits: ArchiveLimits) -> None:
    for name, size in sizes.items():
        if size > limits.single:
            raise ArchiveError(f"{_shown(str(name))} in the archive has more than {_megabytes(limits.single)}.")
    if sum(sizes.values()) > allowed:
        raise _too_much(limits)


def _allowed(archive: Path, limits: ArchiveLimits) -> int:
    return min(limits.total, int(limits.ratio * archive.stat().st_size) + SLACK)


def _too_much(limits: ArchiveLimits) -> ArchiveError:
    return ArchiveError(
        f"Too much comes out of the archive: at most {_megabytes(limits.total)}, and {limits.ratio:g} times its own"
        " size."
    )


def _unpack(
    archive: Path, folder: Path, suffixes: Collection[str], limits: ArchiveLimits, check: Callable[[], None]
) -> list[PurePosixPath]:
    allowed = _allowed(archive, limits)
    with ExitStack() as stack:
        with _reading():
            zipped = stack.enter_context(zipfile.ZipFile(archive))
        wanted = _chosen(zipped.infolist(), suffixes, limits)
        for name, entry in wanted:
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("xb") as file:
                for chunk in _chunks(zipped, entry, allowed, limits):
                    allowed -= len(chunk)
                    file.write(chunk)
                    check()
    return [name for name, _ in wanted]


def _chunks(zipped: zipfile.ZipFile, entry: zipfile.ZipInfo, allowed: int, limits: ArchiveLimits) -> Iterator[bytes]:
    """What comes out of an entry. Raises ArchiveError at the first byte too many."""
    size = 0
    with ExitStack() as stack:
        with _reading():
            source = stack.enter_context(zipped.open(entry))
        while True:
            with _reading():
                chunk = source.read(CHUNK)
            size += len(chunk)
            if size > limits.single:
                raise ArchiveError(
                    f"{_shown(entry.filename)} in the archive has more than {_megabytes(limits.single)}."
                )
            if size > allowed:
                raise _too_much(limits)
            if not chunk:
                break
            yield chunk
    if size != entry.file_size:
        raise ArchiveError(DAMAGED)


@contextmanager
def _reading() -> Iterator[None]:
    """Python's reader raises whatever comes up in a damaged archive: a dozen types were seen. Writing is not in here: a
    full disk is another thing."""
    try:
        yield
    except (ArchiveError, MemoryError):
        raise
    except Exception as error:
        raise ArchiveError(DAMAGED) from error


def _chosen(
    entries: Collection[zipfile.ZipInfo], suffixes: Collection[str], limits: ArchiveLimits
) -> list[tuple[PurePosixPath, zipfile.ZipInfo]]:
    """The files to unpack, with safe names. Raises ArchiveError where one entry is not as it should be."""
    if len(entries) > limits.entries:
        raise ArchiveError(f"The archive has {len(entries):,} entries; at most {limits.entries:,} are taken.")
    files, taken, folders = [], set[str](), set[str]()
    for entry in entries:
        name = _name(entry, limits)
        _check_sort(entry)
        if any(part in JUNK for part in name.parts):
            continue
        folders.update(_folded(parent) for parent in name.parents)
        if entry.is_dir() or entry.filename.endswith("\\"):
            folders.add(_folded(name))
            continue
        if name.suffix.lower() not in suffixes:
            raise ArchiveError(
                f"{_shown(entry.filename)} in the archive is not of a sort that is taken here"
                f" ({', '.join(sorted(suffixes))})."
            )
        if _folded(name) in taken:
            raise ArchiveError(f"Two files in the archive are called {_shown(entry.filename)}.")
        taken.add(_folded(name))
        files.append((name, entry))
    if clash := taken & folders:
        raise ArchiveError(f"In the archive {_shown(min(clash))} is a file and a folder.")
    _check_spelling(files)
    if not files:
        raise ArchiveError("The archive has no files in it.")
    return files


def _check_sort(entry: zipfile.ZipInfo) -> None:
    shown = _shown(entry.filename)
    sort = stat.S_IFMT(entry.external_attr >> 16)
    if sort not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise ArchiveError(f"{shown} in the archive is a link or a device; only files and folders are taken.")
    if entry.flag_bits & ENCRYPTED:
        raise ArchiveError(f"{shown} in the archive is encrypted.")
    if entry.compress_type not in METHODS:
        raise ArchiveError(f"{shown} in the archive is packed in a way that is not taken; use plain zip (deflate).")


def _check_spelling(files: Collection[tuple[PurePosixPath, zipfile.ZipInfo]]) -> None:
    """One folder has one spelling: `A/x` beside `a/y` would be one folder on some systems and two on others."""
    spelt: dict[str, PurePosixPath] = {}
    for name, entry in files:
        for folder in name.parents:
            if spelt.setdefault(_folded(folder), folder) != folder:
                raise ArchiveError(f"The folder of {_shown(entry.filename)} is spelt in two ways in the archive.")


def _name(entry: zipfile.ZipInfo, limits: ArchiveLimits) -> PurePosixPath:
    """The name as a path below the folder; a backslash parts folders, as some Windows programs write it."""
    written = entry.orig_filename.replace("\\", "/")
    parts = written.removesuffix("/").split("/")
    shown = _shown(entry.orig_filename)
    if len(written) > limits.path or len(written.encode("utf-8", "replace")) > 3 * limits.path:
        raise ArchiveError(f"A name in the archive is longer than {limits.path} signs: {shown}.")
    if len(parts) > limits.depth:
        raise ArchiveError(f"{shown} in the archive lies deeper than {limits.depth} folders.")
    if not all(_is_plain(part) for part in parts):
        raise ArchiveError(f"{shown} in the archive has a name that is not taken.")
    return PurePosixPath(*parts)


def _is_plain(part: str) -> bool:
    """Whether it is a name on every system: not empty, no way up, no drive, no device, nothing that cannot be seen."""
    if part in ("", ".", "..") or part[-1] in ". " or part[0] == " " or len(part.encode("utf-8", "replace")) > 255:
        return False
    return not any(sign in '<>:"|?*' or unicodedata.category(sign)[0] == "C" for sign in part) and not (
        DEVICES.fullmatch(part)
    )


def _folded(name: PurePosixPath) -> str:
    """The same for names that some file system takes for one."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", str(name)).casefold())


def _measure(archive: Path, limits: ArchiveLimits) -> None:
    """Before Python reads its directory, which it does as a whole. Raises ArchiveError."""
    size = archive.stat().st_size
    if size > limits.archive:
        raise ArchiveError(f"The archive has {_megabytes(size)}; at most {_megabytes(limits.archive)} are taken.")
    with archive.open("rb") as file:
        file.seek(max(0, size - END.size - MAX_COMMENT - BIG_SIZE))
        tail = file.read()
    begin = len(tail) - END.size
    if begin < 0 or tail[begin : begin + 4] != END_MARK or tail[-2:] != b"\0\0":  # else a comment follows it
        begin = tail.rfind(END_MARK)
    if begin < 0 or len(tail) - begin < END.size:
        raise ArchiveError("That is not a zip archive.")
    if tail[max(0, begin - BIG_SIZE) : begin].startswith(BIG_MARK):
        raise ArchiveError("The archive is of a sort for more than 4 GB, which is not taken.")
    directory = END.unpack_from(tail, begin)[5]
    if directory > MAX_DIRECTORY:
        raise ArchiveError(f"The archive has too many entries; at most {limits.entries:,} are taken.")


def _shown(name: str) -> str:
    """A name for a sentence: short, and without what cannot be seen."""
    plain = "".join(sign if sign.isprintable() else "?" for sign in name)
    return plain if len(plain) <= 60 else f"{plain[:28]}...{plain[-28:]}"


def _megabytes(size: float) -> str:
    return f"{size / 1e6:,.3g} MB" if size < 1e9 else f"{size / 1e9:.3g} GB"
