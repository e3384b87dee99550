"""Files as parameters: what may be declared, what is said of them, and what is refused before anything is fetched."""

from __future__ import annotations

from typing import Annotated, Any

import pytest
from mounting import HANG, MOUNT, TAKES, ZIP, MountResult
from pydantic import Field, create_model

from frontdesk.bots.incoming import IncomingFile, parameter_for, takers
from frontdesk.bots.parsing import bounds, missing, parse_arguments, usage, validate
from frontdesk.bots.replies import as_text, kind_help_reply
from frontdesk.queue.artifacts import Artifact
from frontdesk.queue.errors import DeclarationError, InvalidRequestError
from frontdesk.queue.kinds import JobKind, Params, Registry
from frontdesk.queue.uploads import UnfitFileError, Upload, megabytes

PICTURE = Upload((".png", ".jpg"), ("image/png", "image/jpeg"), 2_500_000)


def declared(**fields: Any) -> JobKind[Params, MountResult]:
    params = create_model("Made", __base__=Params, **fields)
    return JobKind("made", "Made up", params, MountResult, cost=lambda _: 1.0)


def sent(name: str = "holiday.zip", size: int | None = 5000, media_type: str | None = ZIP) -> IncomingFile:
    return IncomingFile.of("somewhere", name, size=size, media_type=media_type)


def a_file(upload: Upload, kind: object = Artifact | None, default: object = None) -> tuple[object, object]:
    return (Annotated[kind, Field(description="A picture"), upload], default)


def test_a_file_is_declared_like_any_parameter() -> None:
    """With what it takes; free text never means it."""
    assert [(p.name, p.type, p.required) for p in MOUNT.parameters] == [
        ("pictures", "file", True), ("colour", "text", False),
    ]  # fmt: skip
    assert MOUNT.subject is None
    assert MOUNT.files[0].upload is TAKES
    assert [(p.name, p.type, p.required, p.default) for p in HANG.files] == [("pictures", "file", False, None)]


def test_help_says_what_a_file_may_be() -> None:
    """Its suffixes and its size; an example that cannot be typed is left out."""
    text = as_text(kind_help_reply(MOUNT))
    assert "pictures A zip of pictures (a .zip of at most 100 kB; needed)" in text
    assert "normally left open" in as_text(kind_help_reply(HANG))
    kind = declared(picture=a_file(PICTURE))
    assert bounds(kind.parameters[0]) == "a .png or .jpg of at most 2.5 MB"
    told = JobKind("told", "x", kind.params, MountResult, cost=lambda _: 1.0, example={"picture": "me.png"})
    assert usage(told) == "/told"


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"file": (Annotated[Artifact, Field(description="A")], ...)}, "an Artifact has an Upload beside it"),
        ({"file": a_file(PICTURE, str, "")}, "an Artifact has an Upload beside it"),
        ({"file": a_file(PICTURE, list[Artifact], [])}, "an Artifact has an Upload beside it"),
        (
            {"file": a_file(PICTURE, default=Artifact(name="a", sha256="0" * 64, size=1, media_type=ZIP))},
            "is None then",
        ),
        ({name: a_file(PICTURE) for name in ("one", "two", "three")}, "takes 3 files; 2 is the most"),
    ],
    ids=["bare", "text", "list", "default", "three"],
)
def test_what_no_platform_could_ask_for_is_refused(fields: dict[str, object], why: str) -> None:
    """When the kind is declared."""
    with pytest.raises(DeclarationError, match=why):
        declared(**fields)


@pytest.mark.parametrize(
    ("suffixes", "media_types", "most", "why"),
    [
        ((), (ZIP,), 10, "names its suffixes"),
        ((".ZIP",), (ZIP,), 10, "names its suffixes"),
        (("zip",), (ZIP,), 10, "names its suffixes"),
        ((".zip",), (), 10, "names its media types"),
        ((".zip",), ("zip",), 10, "names its media types"),
        ((".zip",), (ZIP,), 0, "has 1 to 2,000,000,000 bytes"),
        ((".zip",), (ZIP,), 2_000_000_001, "has 1 to 2,000,000,000 bytes"),
    ],
)
def test_an_upload_says_what_it_takes(
    suffixes: tuple[str, ...], media_types: tuple[str, ...], most: int, why: str
) -> None:
    """In a way that can be compared with what platforms say."""
    with pytest.raises(DeclarationError, match=why):
        Upload(suffixes, media_types, most)


@pytest.mark.parametrize(
    ("file", "why"),
    [
        (sent(size=100_001), r"holiday\.zip has 101 kB; send a \.zip of at most 100 kB"),
        (sent("holiday.rar"), r"holiday\.rar is not of a sort that is taken; send a \.zip"),
        (sent("holiday.zip.exe"), "not of a sort"),
        (sent("zip"), "not of a sort"),
        (sent(""), "The file is not of a sort"),
        (sent(media_type="video/mp4"), "not of a sort"),
        (sent().model_copy(update={"most": 4000}), "has 5 kB; what is sent here can be fetched up to 4 kB"),
        ("/etc/passwd", r"is a file that is sent along: a \.zip of at most 100 kB"),
        (True, "is a file that is sent along"),
    ],
)
def test_what_cannot_be_right_is_refused_by_what_is_said_of_it(file: IncomingFile | str | bool, why: str) -> None:
    """Nothing is fetched for it, and words name no file: whoever wrote them could name somebody else's."""
    with pytest.raises(InvalidRequestError, match=why) as error:
        validate(MOUNT, {"pictures": file})
    assert [problem.parameter for problem in error.value.problems] == ["pictures"]


@pytest.mark.parametrize(
    "file",
    [
        sent(), sent("HOLIDAY.ZIP "), sent(size=None), sent(media_type=None), sent(media_type=""),
        sent(media_type="application/octet-stream"), sent(media_type="Application/X-Zip-Compressed; charset=binary"),
    ],
)  # fmt: skip
def test_what_may_be_right_goes_on(file: IncomingFile) -> None:
    """Programs write names and types in many ways, and platforms know little of either."""
    assert validate(MOUNT, {"pictures": file, "colour": "red"}).model_dump()["colour"] == "red"


def test_what_else_is_wrong_is_said_first() -> None:
    """A file is never fetched for a request that is refused anyway; a file where none goes is refused, too."""
    with pytest.raises(InvalidRequestError, match="colour: must have at most 20"):
        validate(MOUNT, {"pictures": sent(), "colour": "x" * 21})
    with pytest.raises(InvalidRequestError, match="colour: is no file"):
        validate(MOUNT, {"pictures": sent(), "colour": sent()})
    with pytest.raises(InvalidRequestError, match="pictures: is needed"):
        validate(MOUNT, {})
    assert validate(HANG, {"pictures": ""}).model_dump()["pictures"] is None
    assert [parameter.name for parameter in missing(MOUNT, {"colour": "red"})] == ["pictures"]
    assert parse_arguments(HANG, "height=3 pictures=") == {"height": "3", "pictures": ""}


def test_a_file_without_a_name_goes_where_its_sort_is_taken() -> None:
    """Where a command has two files, or several commands take one."""
    kind = declared(first=a_file(PICTURE), second=a_file(TAKES))
    assert [each and each.name for each in (
        parameter_for(kind, (), sent()), parameter_for(kind, (), sent("a.png")), parameter_for(kind, (), sent("a.exe")),
        parameter_for(kind, ("second",), sent()), parameter_for(kind, ("first", "second"), sent()),
    )] == ["second", "first", "first", "first", None]  # fmt: skip
    kinds = Registry([kind, MOUNT, declared_without_files()])
    assert [each.name for each in takers(kinds, sent())] == ["made", "mount"]
    assert [each.name for each in takers(kinds, sent("a.png"))] == ["made"]


def declared_without_files() -> JobKind[Params, MountResult]:
    return JobKind("plain", "Plain", Params, MountResult, cost=lambda _: 1.0)


def test_programs_are_told_by_their_first_bytes() -> None:
    """Also where nothing is known of the sort that is taken."""
    odd = Upload((".dat",), ("application/x-dat",), 100)
    for head in (b"MZ\x90", b"\x7fELF", b"#!/bin/sh"):
        with pytest.raises(UnfitFileError, match="is a program"):
            odd.refuse_content("a.dat", head)
    odd.refuse_content("a.dat", b"anything")
    PICTURE.refuse_content("a.jpg", b"\xff\xd8\xff\xe0")
    with pytest.raises(UnfitFileError, match=r"is called \.jpg, but is none"):
        PICTURE.refuse_content("a.jpg", b"\x89PNG\r\n\x1a\n")


def test_sizes_are_never_told_too_small() -> None:
    """One byte too many shows."""
    assert [megabytes(size) for size in (1, 1000, 999_001, 1_000_000, 20_000_000, 20_000_001, 2_000_000_000)] == [
        "1 kB", "1 kB", "1,000 kB", "1 MB", "20 MB", "20.1 MB", "2,000 MB",
    ]  # fmt: skip
