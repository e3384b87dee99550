"""An uploaded zip is opened as a whole or not at all, whatever it says of itself."""

from __future__ import annotations

import io
import random
import stat
import struct
import unicodedata
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from frontdesk.queue.archives import ArchiveLimits, unpack
from frontdesk.queue.errors import ArchiveError, UserError

NOISE = random.Random(1).randbytes(2_000_001)  # noqa: S311 - it only must not become smaller
IMAGES = {".png", ".json"}
SMALL = ArchiveLimits(archive=20_000_000, entries=20, total=3_000_000, single=2_000_000, ratio=10.0, path=60, depth=3)


def zipped(*entries: tuple[str | zipfile.ZipInfo, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", method) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return data.getvalue()


def entry(name: str, **attributes: int) -> zipfile.ZipInfo:
    made = zipfile.ZipInfo(name)
    for attribute, value in attributes.items():
        setattr(made, attribute, value)
    return made


@pytest.fixture
def opened(tmp_path: Path) -> Callable[..., list[str]]:
    """Opens an archive; where it is refused, nothing may be left."""

    def opened(data: bytes, limits: ArchiveLimits = SMALL) -> list[str]:
        (tmp_path / "upload.zip").write_bytes(data)
        try:
            names = unpack(tmp_path / "upload.zip", tmp_path / "in" / "here", suffixes=IMAGES, limits=limits)
        except BaseException:
            assert not (tmp_path / "in").exists() or list((tmp_path / "in").iterdir()) == []
            raise
        return [str(name) for name in names]

    return opened


def found(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_files_land_in_the_folder_in_their_order(opened: Callable[..., list[str]], tmp_path: Path) -> None:
    """Folders of the archive, names in any script, and what file managers add left out."""
    data = zipped(
        ("scene/", b""),
        ("scene/transforms_train.json", b"{}"),
        ("scene/train/r_0.png", b"picture" * 99),
        ("scene/Stühle 椅子.PNG", b"two"),
        ("__MACOSX/scene/._r_0.png", b"junk"),
        ("scene/.DS_Store", b"junk"),
        ("scene\\train\\r_1.png", b"by Windows"),
    )
    assert opened(data) == [
        "scene/transforms_train.json", "scene/train/r_0.png", "scene/Stühle 椅子.PNG", "scene/train/r_1.png",
    ]  # fmt: skip
    assert found(tmp_path / "in" / "here") == {
        "scene/transforms_train.json": b"{}",
        "scene/train/r_0.png": b"picture" * 99,
        "scene/Stühle 椅子.PNG": b"two",
        "scene/train/r_1.png": b"by Windows",
    }


@pytest.mark.parametrize(
    "name",
    [
        "/etc/a.png", "../a.png", "a/../../b.png", "a/./b.png", "a//b.png", "\\\\host\\a.png", "..\\a.png", "C:\\a.png",
        "c:a.png", "a.png:stream.png", "a\x1b[2J.png", "a\n.png", "con.png", "a/NUL.png", "a /b.png", "a./b.png",
        "a.png ", " a.png", "a\u202egnp.png", "a*.png", "~/../a.png", "x" * 300 + ".png", "a/b/c/d.png", "\ufeffa.png",
    ],
)  # fmt: skip
def test_no_name_leads_out_or_astray(name: str, opened: Callable[..., list[str]]) -> None:
    """Absolute, upwards, a drive, a device, signs that nobody sees, too long, too deep."""
    with pytest.raises(ArchiveError) as caught:
        opened(zipped(("fine.png", b"x"), (name, b"x")))
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 200


def test_a_name_with_a_zero_in_it_is_refused(opened: Callable[..., list[str]]) -> None:
    """Python cuts it there, others do not."""
    data = zipped(("a.png#.exe.png", b"x")).replace(b"a.png#", b"a.png\0")
    with pytest.raises(ArchiveError):
        opened(data)


@pytest.mark.parametrize("pair", [
    ("a.png", "A.png"), ("a/x.png", "A/y.png"), ("a.png", "a.png"), ("a.png/x.png", "a.png"),
    ("\u00e9.png", "e\u0301.png"), ("stra\u00dfe.png", "STRASSE.png"), ("a.png", "a.png/"), ("\ufb01.png", "fi.png"),
])  # fmt: skip
def test_names_that_are_one_somewhere_are_refused(pair: tuple[str, str], opened: Callable[..., list[str]]) -> None:
    """Where case or the way an accent is written make no difference, the second would overwrite the first."""
    with warnings.catch_warnings(action="ignore"), pytest.raises(ArchiveError):
        opened(zipped(*((name, b"x") for name in pair)))


@pytest.mark.parametrize("mode", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFSOCK])
def test_only_files_and_folders(mode: int, opened: Callable[..., list[str]]) -> None:
    """A link would lead the next file out of the folder; and the rights that an entry asks for are not given."""
    with pytest.raises(ArchiveError, match=r"a\.png in the archive is a link or a device"):
        opened(zipped((entry("a.png", external_attr=(mode | 0o777) << 16), b"/etc/passwd")))


def test_rights_are_ours(opened: Callable[..., list[str]], tmp_path: Path) -> None:
    """Not those of the archive."""
    opened(zipped((entry("a.png", external_attr=(stat.S_IFREG | 0o4777) << 16), b"x")))
    assert (tmp_path / "in" / "here" / "a.png").stat().st_mode & 0o7111 == 0


def test_encrypted_entries_are_refused(opened: Callable[..., list[str]]) -> None:
    """Nobody is asked for a password."""
    data = bytearray(zipped(("a.png", b"x")))
    data[data.index(b"PK\x01\x02") + 8] |= 1
    with pytest.raises(ArchiveError, match="is encrypted"):
        opened(bytes(data))


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_ways_of_packing_are_refused(method: int, opened: Callable[..., list[str]]) -> None:
    """They unpack further, and take more memory."""
    with pytest.raises(ArchiveError, match="use plain zip"):
        opened(zipped(("a.png", b"x" * 100), method=method))


@pytest.mark.parametrize(
    ("entries", "sentence"),
    [
        ([("a.exe", b"x")], r"a\.exe in the archive is not of a sort that is taken here \(\.json, \.png\)\."),
        ([("png", b"x")], "not of a sort"),
        ([(f"{n}.png", b"") for n in range(21)], "has 21 entries; at most 20 are taken"),
        ([("folder/", b"")], "has no files in it"),
        ([], "has no files in it"),
        ([("a.png", NOISE)], "a.png in the archive has more than 2 MB"),
        ([("a.png", NOISE[:1_900_000]), ("b.png", NOISE[1:1_900_000])], "Too much comes out"),
        ([("a.png", b"\0" * 1_200_000)], "10 times its own size"),
    ],
)
def test_limits_have_a_sentence_each(
    entries: list[tuple[str, bytes]], sentence: str, opened: Callable[..., list[str]]
) -> None:
    """Whoever sent it reads what is wrong and what would be right."""
    with pytest.raises(ArchiveError, match=sentence) as caught:
        opened(zipped(*entries))
    assert isinstance(caught.value, UserError)


def test_a_lying_header_does_not_help(opened: Callable[..., list[str]]) -> None:
    """Bytes are counted as they come: promised are ten, two megabytes lie there."""
    data = bytearray(zipped(("a.png", b"\0" * 2_900_000)))
    central = data.index(b"PK\x01\x02")
    for offset in (22, central + 24):
        data[offset : offset + 4] = struct.pack("<L", 10)
    with pytest.raises(ArchiveError):
        opened(bytes(data))


def test_an_archive_that_gives_less_than_it_says_is_damaged(opened: Callable[..., list[str]]) -> None:
    """A part of a picture is none."""
    data = bytearray(zipped(("a.png", b"picture" * 99), method=zipfile.ZIP_STORED))
    central = data.index(b"PK\x01\x02")
    data[central + 24 : central + 28] = struct.pack("<L", 694)
    with pytest.raises(ArchiveError, match="damaged"):
        opened(bytes(data))


def test_one_piece_that_stands_for_many_is_counted_each_time(opened: Callable[..., list[str]]) -> None:
    """Entries that share their bytes: small to send, large to open."""
    data = zipped(("a.png", b"\0" * 1_000_000))
    central = data[data.index(b"PK\x01\x02") : data.index(b"PK\x05\x06")]
    body = data[: data.index(b"PK\x01\x02")]
    copies = [central.replace(b"a.png", b"%c.png" % (97 + n)) for n in range(20)]
    made = body + b"".join(copies) + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 20, 20, 20 * len(central), len(body), 0)
    with pytest.raises(ArchiveError):
        opened(made)


def test_a_huge_directory_is_not_even_read(opened: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    """A hundred thousand empty entries, by the record at the end, with a comment behind it or in the large layout."""
    monkeypatch.setattr(zipfile, "ZipFile", None)
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 9, 9, 4_600_000, 0, 0)
    with pytest.raises(ArchiveError, match="too many entries"):
        opened(bytes(4_600_000) + end)
    with pytest.raises(ArchiveError, match="too many entries"):
        opened(bytes(4_600_000) + end[:-2] + struct.pack("<H", 4) + b"note")
    small = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 1, 1, 46, 0, 0)
    with pytest.raises(ArchiveError, match="more than 4 GB"):
        opened(bytes(100) + b"PK\6\7" + bytes(16) + small)


@pytest.mark.parametrize("data", [b"", b"PK", b"no archive at all" * 99, b"PK\5\6" + bytes(17)])
def test_what_is_no_archive_says_so(data: bytes, opened: Callable[..., list[str]]) -> None:
    """A renamed picture, an empty file."""
    with pytest.raises(ArchiveError, match="not a zip archive"):
        opened(data)


def test_an_archive_that_is_too_large_is_not_opened(opened: Callable[..., list[str]]) -> None:
    """Its size is looked at first."""
    with pytest.raises(ArchiveError, match=r"has 3 kB|has 0\.003 MB; at most 0\.001 MB"):
        opened(bytes(3000), ArchiveLimits(archive=1000))


def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path) -> None:
    """Nothing of it is overwritten or removed."""
    (tmp_path / "upload.zip").write_bytes(zipped(("a.png", b"new")))
    (tmp_path / "here").mkdir()
    assert unpack(tmp_path / "upload.zip", tmp_path / "here", suffixes=IMAGES) == [PurePosixPath("a.png")]
    with pytest.raises(OSError, match="not empty"):
        unpack(tmp_path / "upload.zip", tmp_path / "here", suffixes=IMAGES)
    assert found(tmp_path) == {"upload.zip": zipped(("a.png", b"new")), "here/a.png": b"new"} | found(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["here", "upload.zip"]


NAMES = st.text(st.sampled_from("aA./\\ :é\u0301ß~-_png椅\u202e"), min_size=1, max_size=12).map(lambda n: n + ".png")


@given(st.lists(st.tuples(NAMES, st.binary(max_size=40)), max_size=4))
@example([("../a.png", b"x")])
@example([("a\\..\\..\\b.png", b"x")])
def test_whatever_the_names_everything_stays_inside(
    tmp_path_factory: pytest.TempPathFactory, entries: list[tuple[str, bytes]]
) -> None:
    """Either a sentence and no trace, or all files, below the folder, with their content."""
    folder = tmp_path_factory.mktemp("any")
    with warnings.catch_warnings(action="ignore"):  # of names that are there twice
        (folder / "upload.zip").write_bytes(zipped(*entries))
    try:
        names = unpack(folder / "upload.zip", folder / "here", suffixes=IMAGES, limits=SMALL)
    except ArchiveError:
        assert [path.name for path in folder.iterdir()] == ["upload.zip"]
        return
    assert found(folder / "here") == {str(name): data for name, (_, data) in zip(names, entries, strict=True)}
    assert len({unicodedata.normalize("NFKC", str(name)).casefold() for name in names}) == len(names)


@given(st.data())
def test_whatever_the_damage_only_a_sentence_comes_out(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """Any bytes changed, cut or added anywhere: never another error, never a file that is not as it was sent."""
    content = b"picture" * 30
    made = bytearray(zipped(("a/b.png", content), ("c.json", b"{}")))
    for _ in range(data.draw(st.integers(1, 6))):
        made[data.draw(st.integers(0, len(made) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, 30))
    folder = tmp_path_factory.mktemp("damaged")
    (folder / "upload.zip").write_bytes(made[: len(made) - cut] + data.draw(st.binary(max_size=10)))
    try:
        unpack(folder / "upload.zip", folder / "here", suffixes=IMAGES, limits=SMALL)
    except ArchiveError:
        assert [path.name for path in folder.iterdir()] == ["upload.zip"]
    else:
        assert set(found(folder / "here").values()) <= {content, b"{}"}
