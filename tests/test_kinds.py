"""Declarations: what no platform can show fails where it is declared, and what can is read the same everywhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from enum import Enum
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal

import pytest
from pydantic import Field, create_model

from frontdesk.queue.errors import DeclarationError, UnknownKindError
from frontdesk.queue.jobs import Outcome
from frontdesk.queue.kinds import RESERVED, AnyKind, JobKind, Parameter, Params, Registry, Result


class Nothing(Result):
    pass


def declared(fields: Mapping[str, Any] = MappingProxyType({}), name: str = "paint", summary: str = "Paint") -> AnyKind:
    """A kind whose parameters are `{name: (annotation, default)}`."""
    return JobKind(name, summary, create_model("Given", __base__=Params, **fields), Nothing, cost=lambda _: 1.0)


def shown(annotation: Any, default: Any = ...) -> Parameter:
    """What a front end sees of one parameter."""
    (parameter,) = declared({"value": (Annotated[annotation, Field(description="A value")], default)}).parameters
    return parameter


TEXT = Annotated[str, Field(description="A text")]
LONG = "x" * 101


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


@pytest.mark.parametrize("name", ["", "A", "Score", "2d", "with-hyphen", "with space", "x" * 33, "x" * 40, "né", "a\n"])
def test_a_name_that_some_platform_refuses_is_refused_at_declaration(name: str) -> None:
    """Telegram's commands and Discord's options: 1 to 32 of a-z, 0-9 and _, a letter first."""
    with pytest.raises(DeclarationError, match="1 to 32 of a-z"):
        declared(name=name)
    if name:
        with pytest.raises(DeclarationError, match="1 to 32 of a-z"):
            declared({name: (TEXT, ...)})


@pytest.mark.parametrize("name", sorted(RESERVED))
def test_frontdesks_own_commands_are_taken(name: str) -> None:
    """A kind called `help` would hide the desk's own."""
    with pytest.raises(DeclarationError, match="own commands"):
        declared(name=name)


def test_every_command_has_an_option_private_already() -> None:
    """So no kind may have a parameter of that name."""
    with pytest.raises(DeclarationError, match="private"):
        declared({"private": (TEXT, ...)})


@pytest.mark.parametrize(
    ("declare", "words"),
    [
        (lambda: declared(summary=LONG), "its summary has 101 characters; 1 to 100"),
        (lambda: declared(summary=""), "its summary has 0 characters"),
        (lambda: declared(summary="  "), "its summary"),
        (lambda: declared({"text": (Annotated[str, Field(description=LONG)], ...)}), "'text': its description has 101"),
        (lambda: declared({"text": (str, ...)}), "'text': its description has 0"),
        (lambda: declared({f"p{n}": (TEXT, "") for n in range(25)}), "25 parameters; 24 is the most"),
        (lambda: declared({f"p{n}": (TEXT, "") for n in range(30)}), "30 parameters"),
        (lambda: shown(Literal[tuple(f"c{n}" for n in range(26))]), "26 choices; 25"),
        (lambda: shown(Literal["x" * 41]), "a choice has 1 to 40"),
        (lambda: shown(Literal[""]), "a choice has 1 to 40"),
        (lambda: shown(Literal["Red", "red"]), "two choices read the same"),
        (lambda: shown(Literal["1", 1]), "two choices read the same"),
    ],
)
def test_what_does_not_fit_on_a_platform_says_what_and_by_how_much(declare: Callable[[], Any], words: str) -> None:
    """The author reads the parameter and the limit, when the module is imported and not when a user asks."""
    with pytest.raises(DeclarationError, match=words):
        declare()


def test_the_largest_declaration_that_fits_is_accepted() -> None:
    """24 parameters, a description of 100 characters, 25 choices of 40, a name of 32."""
    described = Annotated[str, Field(description="d" * 100)]
    fields: dict[str, Any] = {f"p{n}": (described, "") for n in range(23)}
    fields["choice"] = (Annotated[Literal[tuple(f"{n:040}" for n in range(25))], Field(description="c")], ...)
    kind = declared(fields, name="n" * 32, summary="s" * 100)
    assert len(kind.parameters) == 24


@pytest.mark.parametrize(
    "annotation", [list[str], dict[str, int], tuple[int, int], set[str], int | str, Any, Params, list[int] | None]
)
def test_a_type_that_nobody_can_type_into_a_chat_is_refused(annotation: Any) -> None:
    """Text, numbers, yes/no and choices are what all front ends have."""
    with pytest.raises(DeclarationError, match="only text, numbers, yes/no, choices and files"):
        shown(annotation)


@pytest.mark.parametrize(
    ("annotation", "default", "expected"),
    [
        (str, ..., Parameter("value", "text", "A value", required=True)),
        (bool, True, Parameter("value", "boolean", "A value", required=False, default=True)),
        (float, 0.5, Parameter("value", "number", "A value", required=False, default=0.5)),
        (
            Annotated[str, Field(min_length=2, max_length=9)],
            ...,
            Parameter("value", "text", "A value", required=True, min_length=2, max_length=9),
        ),
        (
            Annotated[int | None, Field(ge=0, le=7)],
            None,
            Parameter("value", "integer", "A value", required=False, minimum=0, maximum=7),
        ),
        (Literal["a", "b"], "b", Parameter("value", "choice", "A value", False, default="b", choices=("a", "b"))),
        (Literal["only"], ..., Parameter("value", "choice", "A value", required=True, choices=("only",))),
        (Literal["a", None], None, Parameter("value", "choice", "A value", required=False, choices=("a",))),
        (Literal[1, 2], 1, Parameter("value", "choice", "A value", required=False, default=1, choices=(1, 2))),
        (Colour, Colour.RED, Parameter("value", "choice", "A value", False, default="red", choices=("red", "blue"))),
        (Colour | None, None, Parameter("value", "choice", "A value", required=False, choices=("red", "blue"))),
    ],
)
def test_a_parameter_is_shown_as_it_was_declared(annotation: Any, default: Any, expected: Parameter) -> None:
    """Type, default, bounds and choices, also behind `| None` and in an Enum of its own."""
    assert shown(annotation, default) == expected


def test_an_exclusive_bound_is_never_shown_as_one_that_may_be_reached() -> None:
    """A front end that offered 0 where `gt=0` is declared would invite a refusal."""
    number = shown(Annotated[float, Field(gt=0, lt=2)])
    assert (number.minimum, number.maximum, number.above, number.below) == (None, None, 0, 2)
    mixed = shown(Annotated[float, Field(gt=0, le=2)])
    assert (mixed.minimum, mixed.maximum, mixed.above, mixed.below) == (None, 2, 0, None)


@pytest.mark.parametrize(
    ("limits", "minimum", "maximum"),
    [
        ({"gt": 0, "lt": 10}, 1, 9),
        ({"ge": 0, "le": 9}, 0, 9),
        ({"ge": 5, "gt": 0}, 5, None),
        ({"le": 5, "lt": 100}, None, 5),
    ],
)
def test_exclusive_bounds_of_whole_numbers_become_the_next_whole_number(
    limits: dict[str, Any], minimum: int | None, maximum: int | None
) -> None:
    """Then every front end can show and check them."""
    parameter = shown(Annotated[int, Field(**limits)])
    assert (parameter.minimum, parameter.maximum, parameter.above, parameter.below) == (minimum, maximum, None, None)


def test_required_parameters_come_first_and_keep_their_order() -> None:
    """Discord refuses a command whose required options do not lead."""
    kind = declared({"a": (TEXT, ""), "b": (TEXT, ...), "c": (TEXT, ""), "d": (TEXT, ...)})
    assert [parameter.name for parameter in kind.parameters] == ["b", "d", "a", "c"]


def test_free_text_means_the_first_required_text() -> None:
    """An optional text, or a kind of numbers only, has no such meaning."""
    number = Annotated[int, Field(description="n")]
    with_text = declared({"n": (number, ...), "optional": (TEXT, ""), "b": (TEXT, ...), "c": (TEXT, ...)})
    assert with_text.subject is not None
    assert with_text.subject.name == "b"
    assert declared({"n": (number, ...), "optional": (TEXT, "")}).subject is None


def test_a_result_lists_its_fields_unless_it_says_otherwise() -> None:
    """A plug-in's plain result is readable without a line of code: titles, short floats, nothing for None."""

    class Figures(Result):
        mean_error: float = 1 / 3
        rounds: Annotated[int, Field(title="Rounds played")] = 4
        comment: str | None = None

    assert Figures().figures() == [("mean error", "0.3333"), ("Rounds played", "4")]
    assert Figures().headline() is None
    assert Figures().body() is None


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_parameters_are_frozen_closed_and_finite(value: float) -> None:
    """What was validated stays so; a name nobody declared and a number JSON has not are refused."""
    params = declared({"x": (Annotated[float, Field(description="x")], ...)}).params
    with pytest.raises(ValueError, match="finite"):
        params(x=value)
    with pytest.raises(ValueError, match="not permitted"):
        params(x=1, y=2)
    with pytest.raises(ValueError, match="frozen"):
        params(x=1).x = 2


def test_what_is_refused_is_not_quoted() -> None:
    """A library's error may end in a log, where no user's text belongs."""
    text = "private words"
    for model in (declared({"x": (Annotated[int, Field(description="x")], ...)}).params, Outcome, Nothing):
        with pytest.raises(ValueError, match="validation error") as caught:
            model.model_validate(text if model is Nothing else {"x": text, "status": text})
        assert "private" not in str(caught.value)


def test_the_registry_is_a_mapping_in_the_order_of_names() -> None:
    """`get` and `in` work; a missing name says what there is."""
    registry = Registry([declared(name="b"), declared(name="a")])
    assert list(registry) == ["a", "b"]
    assert len(registry) == 2
    assert registry.get("c") is None
    assert "a" in registry
    with pytest.raises(UnknownKindError, match=r"^There is no kind called 'c'\. Known: a, b\.$"):
        registry["c"]


def test_a_kind_declared_twice_is_an_error() -> None:
    """Two packages that offer one name: neither silently wins."""
    with pytest.raises(DeclarationError, match="'a' is declared twice"):
        Registry([declared(name="a"), declared(name="a")])


def test_kinds_of_other_packages_register_like_the_built_in_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An installed distribution with an entry point is all it takes."""
    (tmp_path / "frontdesk_blink.py").write_text(
        "from frontdesk.queue.kinds import JobKind, Params, Result\n"
        "BLINK = JobKind('blink', 'Blinks', Params, Result, cost=lambda params: 1.0)\n"
    )
    info = tmp_path / "frontdesk_blink-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: frontdesk-blink\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[frontdesk.kinds]\nblink = frontdesk_blink:BLINK\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "frontdesk_blink", raising=False)
    assert set(Registry.installed()) >= {"blink", "score", "write"}


def test_built_in_kinds_cost_more_for_more_work() -> None:
    """Fairness counts device-seconds: a longer text and more tokens cost more, and never nothing."""
    kinds = Registry.installed()
    for name, small, large in (
        ("score", {"text": "a" * 200}, {"text": "a" * 20_000}),
        ("write", {"prompt": "a", "max_tokens": 16}, {"prompt": "a", "max_tokens": 1024}),
    ):
        kind = kinds[name]
        assert 0 < kind.cost(kind.params(**small)) < kind.cost(kind.params(**large))
