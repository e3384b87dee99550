"""From what somebody typed to parameters; and what is wrong with it, in sentences."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import Field, field_validator, model_validator

from frontdesk.bots.parsing import (
    PRIVATE,
    bounds,
    clean,
    missing,
    parse_arguments,
    split_private,
    usage,
    validate,
)
from frontdesk.queue.catalogue import SCORE, WRITE
from frontdesk.queue.errors import InvalidRequestError
from frontdesk.queue.kinds import AnyKind, JobKind
from frontdesk.queue.parameters import Parameter, Params
from frontdesk.queue.results import Result


class DrawParams(Params):
    """One parameter of each sort that a chat can ask for."""

    subject: Annotated[str, Field(description="What to draw", min_length=3, max_length=50)]
    style: Annotated[Literal["Oil", "ink"], Field(description="How")] = "ink"
    size: Annotated[int, Field(description="Side in pixels", ge=16, le=1024)] = 64
    noise: Annotated[float, Field(description="Grain", gt=0, lt=1)] = 0.5
    frame: Annotated[bool, Field(description="With a frame")] = False
    title: Annotated[str, Field(description="Written below", max_length=10)] = ""

    @field_validator("size")
    @classmethod
    def _even(cls, size: int) -> int:
        if size % 2:
            raise ValueError("must be even")
        return size

    @model_validator(mode="after")
    def _sensible(self) -> Self:
        if self.frame and self.title == "none":
            raise ValueError("A frame needs a title.")
        return self


class RollParams(Params):
    sides: Annotated[int, Field(description="Sides of the die", ge=2)]


DRAW = JobKind(
    "draw",
    "Draws",
    DrawParams,
    Result,
    cost=lambda _: 1.0,
    example={"style": "ink", "title": "it's", "subject": "a cat"},
)
ROLL = JobKind("roll", "Rolls a die", RollParams, Result, cost=lambda _: 1.0, example={"sides": "6"})
KINDS = (SCORE, WRITE, DRAW, ROLL)
# Texts that look like options as often as not.
TYPED = st.lists(
    st.sampled_from(["size", "subject", "x", "=", '"', "'", "\\", " ", "\n", "é", "\0", "7", "private"])
    | st.text(max_size=5)
).map("".join)


def refusal(kind: AnyKind, raw: dict[str, Any]) -> list[str]:
    with pytest.raises(InvalidRequestError) as caught:
        validate(kind, raw)
    return [str(problem) for problem in caught.value.problems]


@given(st.sampled_from(KINDS), TYPED | st.text())
@example(DRAW, "size=\n")
@example(DRAW, 'title="\\')
def test_whatever_is_typed_is_parsed_or_refused(kind: AnyKind, text: str) -> None:
    """No input has another effect, and what comes out are known names only."""
    try:
        raw = parse_arguments(kind, text)
    except InvalidRequestError:
        return
    assert raw.keys() <= {parameter.name for parameter in (*kind.parameters, PRIVATE)}


@given(st.sampled_from(KINDS), st.dictionaries(st.sampled_from(["size", "subject", "text", "x", "frame"]), TYPED))
def test_whatever_was_parsed_is_valid_or_refused(kind: AnyKind, raw: dict[str, Any]) -> None:
    """The second half of the way: parameters, or an error for the requester."""
    sentences = ["It is valid."]
    try:
        assert isinstance(validate(kind, raw), kind.params)
    except InvalidRequestError as error:
        sentences = [str(problem) for problem in error.problems]
    assert sentences
    assert all(sentence.endswith(".") for sentence in sentences)


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("", {}),
        ("   \n ", {}),
        ("a cat", {"subject": "a cat"}),
        ("size=32 a cat", {"size": "32", "subject": "a cat"}),
        ("a cat size=32", {"size": "32", "subject": "a cat"}),
        ("size=32 a cat style=oil frame=yes", {"size": "32", "style": "oil", "frame": "yes", "subject": "a cat"}),
        ("SIZE=32 a cat", {"size": "32", "subject": "a cat"}),
        ('title="my cat" a cat', {"title": "my cat", "subject": "a cat"}),
        ("a cat title='my cat'", {"title": "my cat", "subject": "a cat"}),
        (r'title="a \"cat\" \\" a cat', {"title": r'a "cat" \ '.strip(), "subject": "a cat"}),
        ("title= a cat", {"title": "", "subject": "a cat"}),
        ('subject="a cat" size=32', {"subject": "a cat", "size": "32"}),
        ("subject=a cat size=32", {"subject": "a cat size=32"}),
        ("size=32\nsubject=two\nlines", {"size": "32", "subject": "two\nlines"}),
        ("private=yes a cat", {"private": "yes", "subject": "a cat"}),
    ],
)
def test_options_stand_before_or_after_the_free_text(typed: str, expected: dict[str, str]) -> None:
    """Free text is the subject; values with spaces are quoted; `subject=` takes all that follows."""
    assert parse_arguments(DRAW, typed) == expected


@pytest.mark.parametrize(
    "text",
    [
        "if a=b then c",
        "two  spaces,\ttabs\n\nand lines",
        "<b>*markup*</b> @everyone `x`",
        "it ends with an option that nobody declared=3",
        "quotes \"inside\" and 'here'",
        "mentions subject=of in the end",
    ],
)
def test_free_text_is_kept_as_it_is(text: str) -> None:
    """What only looks like an option, or names the subject itself, stays a part of it."""
    assert parse_arguments(DRAW, text) == {"subject": text}
    assert parse_arguments(DRAW, f"size=32 {text}") == {"size": "32", "subject": text}


def test_nothing_that_was_typed_is_dropped() -> None:
    """A subject given twice is refused: either one would be lost."""
    with pytest.raises(InvalidRequestError, match="subject: is given twice"):
        parse_arguments(DRAW, 'subject="a cat" a dog')


def test_an_unknown_option_in_front_is_named() -> None:
    """With what there is instead."""
    with pytest.raises(InvalidRequestError) as caught:
        parse_arguments(DRAW, "colour=red a cat")
    assert str(caught.value) == (
        "draw has no option 'colour'. It takes: subject, style, size, noise, frame, title, private."
    )
    assert refusal(DRAW, {"subject": "a cat", "colour": "red"}) == [str(caught.value)]
    with pytest.raises(InvalidRequestError) as caught:
        parse_arguments(DRAW, "x" * 1000 + "=1")
    assert "x" * 33 not in str(caught.value)


def test_a_kind_without_a_subject_takes_options_only() -> None:
    """Its free text means nothing."""
    assert parse_arguments(ROLL, "sides=6") == {"sides": "6"}
    with pytest.raises(InvalidRequestError, match=r"^roll takes only options: sides, private\.$"):
        parse_arguments(ROLL, "six please")


def test_a_long_text_is_parsed_at_once() -> None:
    """100,000 characters that look like options from end to end take no time worth telling."""
    for text in ("a=" * 50_000, 'title="' * 14_000, "title='\\\" " * 10_000, " " * 100_000 + "a", "size=1 " * 14_000):
        parse_arguments(DRAW, f"a cat {text}")


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ({"text": ""}, "text: is needed: The text to judge."),
        ({}, "text: is needed: The text to judge."),
        ({"text": " \n\t "}, "text: is needed: The text to judge."),
        ({"text": "\0\0"}, "text: is needed: The text to judge."),
        ({"text": "x"}, "text: must have 200 to 20,000 characters; this has 1."),
        ({"text": "x" * 100_000}, "text: must have 200 to 20,000 characters; this has 100,000."),
        ({"text": "👍" * 199}, "text: must have 200 to 20,000 characters; this has 199."),
    ],
)
def test_a_text_that_does_not_fit_says_how_long_it_may_be(raw: dict[str, Any], expected: str) -> None:
    """Empty, white space, one character, a hundred thousand."""
    assert refusal(SCORE, raw) == [expected]


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("size", "15", "size: must be 16 to 1,024."),
        ("size", 2000, "size: must be 16 to 1,024."),
        ("size", "20.5", "size: must be a whole number, 16 to 1,024."),
        ("size", "big", "size: must be a whole number, 16 to 1,024."),
        ("size", "9" * 5000, "size: must be a whole number, 16 to 1,024."),
        ("size", "17", "size: must be even."),
        ("noise", "0", "noise: must be more than 0 and less than 1."),
        ("noise", "nan", "noise: must be more than 0 and less than 1."),
        ("noise", "a lot", "noise: must be more than 0 and less than 1."),
        ("frame", "maybe", "frame: must be yes or no."),
        ("frame", "", "frame: must be yes or no."),
        ("style", "chalk", "style: must be one of Oil, ink."),
        ("title", "x" * 11, "title: must have at most 10 characters; this has 11."),
        ("subject", "ab", "subject: must have 3 to 50 characters; this has 2."),
    ],
)
def test_every_wrong_value_is_named_with_what_would_be_right(name: str, value: Any, expected: str) -> None:
    """In the user's words, and not in those of a library."""
    assert refusal(DRAW, {"subject": "a cat"} | {name: value}) == [expected]


def test_all_that_is_wrong_is_said_at_once() -> None:
    """Nobody corrects one thing after the other."""
    assert refusal(DRAW, {"subject": "ab", "size": "1", "style": "chalk"}) == [
        "subject: must have 3 to 50 characters; this has 2.",
        "style: must be one of Oil, ink.",
        "size: must be 16 to 1,024.",
    ]
    assert refusal(DRAW, {"subject": "a cat", "frame": "yes", "title": "none"}) == ["A frame needs a title."]


@pytest.mark.parametrize("word", ["yes", "Y", "TRUE", "on", "1", True])
def test_yes_has_many_words(word: Any) -> None:
    """And so has no."""
    assert validate(DRAW, {"subject": "a cat", "frame": word}).model_dump()["frame"] is True
    assert split_private({"private": word, "size": "1"}) == ({"size": "1"}, True)


@pytest.mark.parametrize("word", ["no", "N", "False", "off", "0", False])
def test_no_has_as_many(word: Any) -> None:
    """Also for `private`, which every kind has."""
    assert validate(DRAW, {"subject": "a cat", "frame": word}).model_dump()["frame"] is False
    assert split_private({"private": word}) == ({}, False)


def test_private_is_no_parameter_of_the_kind() -> None:
    """It is taken out before validation; left out, it is no; a wrong word is refused."""
    assert split_private({"subject": "a cat"}) == ({"subject": "a cat"}, False)
    with pytest.raises(InvalidRequestError, match=r"^private: must be yes or no\.$"):
        split_private({"private": "perhaps"})


def test_values_are_taken_as_people_type_them() -> None:
    """Choices in any case, spaces around, an empty option as if it were left out."""
    raw = {"subject": "  a cat\0 ", "style": " OIL", "size": " 32 ", "title": ""}
    assert validate(DRAW, raw) == DrawParams(subject="a cat", style="Oil", size=32)


def test_what_is_missing_is_asked_for_in_order() -> None:
    """A blank answer is none."""
    assert [p.name for p in missing(DRAW, {})] == ["subject"]
    assert [p.name for p in missing(DRAW, {"subject": "  "})] == ["subject"]
    assert missing(DRAW, {"subject": "a cat"}) == []


@given(st.text(st.characters(exclude_categories=())))
def test_cleaned_text_can_be_shown_and_stored(text: str) -> None:
    """Valid UTF-8 without control characters; cleaning again changes nothing."""
    cleaned = clean(text)
    cleaned.encode()
    assert not set(cleaned) & {"\0", "\x1b", "\r", "\x7f"}
    assert clean(cleaned) == cleaned


def test_cleaning_keeps_lines_emoji_and_right_to_left_text() -> None:
    """Only what has no meaning goes."""
    assert clean("a\r\nb\tc\rd\x00 שלום 👩‍👩‍👧 \n") == "a\nb\tc\nd שלום 👩‍👩‍👧"


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_the_example_that_help_shows_can_be_typed(kind: AnyKind) -> None:
    """It parses to what the declaration says, quotes and all."""
    shown = usage(kind)
    assert shown.startswith(f"/{kind.name} ")
    assert parse_arguments(kind, shown.removeprefix(f"/{kind.name}")) == kind.example


@given(
    st.text(st.characters(exclude_categories=("C", "Z"))) | st.sampled_from(["a b", "", "'", '"', "\\", 'a "b\\" c'])
)
def test_any_option_of_an_example_is_quoted_so_that_it_is_read_back(value: str) -> None:
    """Spaces, quotes and backslashes."""
    kind = JobKind("draw", "Draws", DrawParams, Result, lambda _: 1.0, example={"title": value, "subject": "a cat"})
    assert parse_arguments(kind, usage(kind, "").removeprefix("draw")) == {"title": value, "subject": "a cat"}


def test_usage_without_an_example_names_the_free_text() -> None:
    """A plug-in need not give one."""
    kind = JobKind("draw", "Draws", DrawParams, Result, cost=lambda _: 1.0)
    assert usage(kind) == "/draw <subject>"
    assert usage(kind, "!") == "!draw <subject>"
    assert usage(JobKind("roll", "Rolls", RollParams, Result, cost=lambda _: 1.0)) == "/roll"


@pytest.mark.parametrize(
    ("parameter", "words"),
    [
        (Parameter("p", "choice", "d", True, choices=("a", "b")), "one of a, b"),
        (Parameter("p", "boolean", "d", True), "yes or no"),
        (Parameter("p", "text", "d", True), "text"),
        (Parameter("p", "text", "d", True, min_length=1), "text"),
        (Parameter("p", "text", "d", True, min_length=200), "at least 200 characters"),
        (Parameter("p", "text", "d", True, max_length=4000), "at most 4,000 characters"),
        (Parameter("p", "text", "d", True, min_length=0, max_length=9), "at most 9 characters"),
        (Parameter("p", "text", "d", True, min_length=1, max_length=4000), "at most 4,000 characters"),
        (Parameter("p", "text", "d", True, min_length=2, max_length=9), "2 to 9 characters"),
        (Parameter("p", "integer", "d", True), "a whole number"),
        (Parameter("p", "number", "d", True), "a number"),
        (Parameter("p", "integer", "d", True, minimum=0, maximum=1024), "0 to 1,024"),
        (Parameter("p", "integer", "d", True, minimum=2), "at least 2"),
        (Parameter("p", "number", "d", True, maximum=1.5), "at most 1.5"),
        (Parameter("p", "number", "d", True, above=0), "more than 0"),
        (Parameter("p", "number", "d", True, above=0, maximum=2), "more than 0 and at most 2"),
        (Parameter("p", "number", "d", True, minimum=0, below=1), "at least 0 and less than 1"),
    ],
)
def test_bounds_in_words(parameter: Parameter, words: str) -> None:
    """They stand in help texts, forms and refusals; an exclusive bound never reads like one that may be reached."""
    assert bounds(parameter) == words
