"""The wire format: everything that is written can be read, and nothing else is; ids that sort by time."""

from __future__ import annotations

import json
import pickle
from typing import Any

import pytest
from arq.jobs import SerializationError, deserialize_job, serialize_job, serialize_result
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from frontdesk.queue import codec
from frontdesk.queue.errors import CorruptMessageError
from frontdesk.queue.jobs import ALPHABET, ID_EPOCH, Job, Outcome, Progress, ReplyAddress, Requester, Wire, new_job_id

# Every text that Python can hold, lone surrogates too.
ANY_TEXT = st.text(st.characters(exclude_categories=()))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)
ADA = Requester(platform="telegram", user="1", tenant="1")
TIMES = st.floats(min_value=ID_EPOCH, max_value=ID_EPOCH + 32**6 - 1)


def job(**params: Any) -> Job:
    return Job(id="a" * 9, kind="k", lane="short", params=params, requester=ADA, cost=1.0, submitted_at=1.0)


@given(ANY_TEXT)
def test_any_text_comes_back_as_it_was(text: str) -> None:
    """NUL bytes, lone surrogates, emoji and broken markup are data like any other."""
    progress = Progress(job_id="a" * 9, text=text, note=text)
    assert codec.decode(Progress, codec.encode(progress)) == progress
    address = ReplyAddress(platform="telegram", channel=text, user=text, token=text)
    assert codec.decode(ReplyAddress, codec.encode(address)) == address


@given(st.dictionaries(st.text(), JSON, max_size=5))
def test_any_json_in_parameters_and_results_comes_back(value: dict[str, Any]) -> None:
    """Kinds of other packages may hold nested data."""
    assert codec.decode(Outcome, codec.encode(Outcome(status="done", result=value))).result == value
    assert codec.decode(Job, codec.encode(job(value=value))).params == {"value": value}


@pytest.mark.parametrize("text", ["a\x00b", "\ud800", "👩‍👩‍👧", "שלום", "<b>&\"'", "\u2028"])
def test_texts_that_break_other_formats(text: str) -> None:
    """The same by name, so that a regression says which."""
    assert codec.decode(Job, codec.encode(job(text=text))).params["text"] == text


@given(st.binary(max_size=60) | ANY_TEXT)
def test_garbage_is_refused_in_one_way_only(data: bytes | str) -> None:
    """Whatever lies in Redis, the reader sees a CorruptMessageError and no other."""
    with pytest.raises(CorruptMessageError):
        codec.decode(Job, data)


@given(JSON)
def test_other_json_is_refused_in_the_same_way(value: Any) -> None:
    """A list, a number, an envelope without its parts."""
    for message in (value, {"v": codec.VERSION}, {"d": value}, {"v": codec.VERSION, "d": value}):
        with pytest.raises(CorruptMessageError):
            codec.decode(Job, codec.dump(message))


@pytest.mark.parametrize(
    "data",
    [
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"v":1,"d":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b"9" * 5_000,
        b"\xff\xfe",
        pickle.dumps({"v": 1}),
    ],
    ids=["lists", "objects", "closed", "digits", "bytes", "pickle"],
)
def test_hostile_data_is_refused(data: bytes) -> None:
    """Deep nesting must not end the process, nor may a huge number stall it."""
    with pytest.raises(CorruptMessageError):
        codec.decode(Job, data)


def test_nothing_is_ever_unpickled() -> None:
    """Who can write to Redis must not run code here."""

    class Trap:
        def __reduce__(self) -> tuple[Any, ...]:
            return (pytest.fail, ("a pickle was loaded",))

    for read in (codec.load, lambda data: codec.decode(Wire, data)):
        with pytest.raises(CorruptMessageError):
            read(pickle.dumps(Trap()))
    with pytest.raises(SerializationError):
        deserialize_job(pickle.dumps(Trap()), deserializer=codec.load)


@pytest.mark.parametrize("version", [0, 2, "1", None])
def test_another_version_is_refused(version: object) -> None:
    """A newer Frontdesk's message is not half understood."""
    data = codec.dump({"v": version, "d": {"job_id": "a"}})
    with pytest.raises(CorruptMessageError, match="another version"):
        codec.decode(Progress, data)


def test_fields_of_another_version_are_refused() -> None:
    """An unknown field may change what the rest means."""
    with pytest.raises(CorruptMessageError):
        codec.decode(Progress, codec.dump({"v": 1, "d": {"job_id": "a", "colour": "red"}}))


@pytest.mark.parametrize(
    "data",
    [{"v": "my secret text", "d": {}}, {"v": 1, "d": {"job_id": {"my secret text": 1}}}, ["my secret text"]],
)
def test_what_is_refused_is_not_quoted(data: object) -> None:
    """The error goes to the log, where no user's text belongs."""
    with pytest.raises(CorruptMessageError) as caught:
        codec.decode(Progress, codec.dump(data))
    assert "secret" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_arqs_exceptions_become_data() -> None:
    """arq puts an exception where a result would be; on the wire it is its type's name, without its text."""
    assert json.loads(codec.dump({"r": ValueError("my secret text")})) == {"r": {"error": "ValueError"}}
    data = serialize_result(
        "kind", (), {}, 1, 0, False, TimeoutError("secret"), 0, 0, "ref", "queue", "id", serializer=codec.dump
    )
    assert data is not None
    assert json.loads(data)["r"] == {"error": "TimeoutError"}


def test_arq_reads_back_what_it_wrote() -> None:
    """Its own envelope around ours."""
    wire = codec.encode(job(text="a\x00b👍")).decode()
    data = serialize_job("kind", (wire,), {}, None, 1, serializer=codec.dump)
    read = deserialize_job(data or b"", deserializer=codec.load)
    assert read.function == "kind"
    assert codec.decode(Job, read.args[0]) == job(text="a\x00b👍")


@pytest.mark.parametrize("value", [object(), {1, 2}, b"bytes"])
def test_what_is_not_json_does_not_leave(value: object) -> None:
    """Found where it is written, not by a worker much later."""
    with pytest.raises(TypeError, match="does not go over the wire"):
        codec.dump(value)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_numbers_that_json_has_not_do_not_leave(value: float) -> None:
    """Other readers of the same data would choke on them."""
    with pytest.raises(ValueError, match="not JSON compliant"):
        codec.dump({"x": value})
    with pytest.raises(ValidationError):
        Progress(job_id="a", fraction=value)


@given(TIMES, TIMES)
def test_job_ids_sort_by_time(first: float, second: float) -> None:
    """Of two jobs of different seconds, the later has the larger id."""
    earlier, later = sorted((first, second))
    if int(earlier) < int(later):
        assert new_job_id(earlier) < new_job_id(later)


@given(st.floats(min_value=0, max_value=1e11))
def test_job_ids_can_be_read_aloud_and_typed(now: float) -> None:
    """Nine characters without i, l, o and u, at any time."""
    job_id = new_job_id(now)
    assert len(job_id) == 9
    assert set(job_id) <= set(ALPHABET)
    assert not set(ALPHABET) & set("ilou")


def test_job_ids_of_one_second_differ() -> None:
    """32,768 of them; the queue refuses the rare clash."""
    assert len({new_job_id(ID_EPOCH + 1.0) for _ in range(100)}) > 90


@pytest.mark.parametrize("user", ["", "a b", "a\n", "x:y", "a" * 65, "é"])
def test_a_requester_is_a_plain_id(user: str) -> None:
    """It becomes a part of keys: nothing with a separator, a line break or without end."""
    with pytest.raises(ValidationError):
        Requester(platform="console", user=user, tenant="t")
