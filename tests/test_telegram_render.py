"""Neutral replies as Telegram messages: lengths in UTF-16 units, entities in their places, nothing foreign alive."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standin_telegram_model import COMMAND, MENTION, utf16

from frontdesk.bots.on_telegram_render import (
    MAX_CAPTION,
    MAX_NOTICE,
    MAX_TEXT,
    Rendered,
    cut,
    defused,
    for_you,
    notice,
    render,
    render_progress,
)
from frontdesk.bots.parsing import clean
from frontdesk.bots.replies import Code, Foreign, Line, Moment, Plain, Quote, Reply, Rows, Strong, line

WORDS = st.text(alphabet=st.sampled_from("ab @/\n_.<🙂é\u202e\x00א"), max_size=200) | st.text(max_size=80)
SPANS = st.one_of(
    st.builds(Foreign, WORDS), st.builds(Strong, WORDS), st.builds(Code, WORDS.map(lambda text: "x" + text)),
    st.builds(Moment, st.floats(0, 2**31), st.just("in 40 s")), st.just(Plain("our words ")),
)  # fmt: skip
BLOCKS = st.one_of(
    st.builds(Line, st.lists(SPANS, min_size=1, max_size=4).map(tuple)),
    st.builds(Quote, WORDS.map(lambda text: text * 30)),
    st.builds(Rows, st.lists(st.tuples(st.just("Label"), WORDS), max_size=4).map(tuple)),
)
REPLIES = st.builds(Reply, st.lists(BLOCKS, min_size=1, max_size=5).map(tuple))


def check(drawn: Rendered) -> None:
    """What Telegram insists on, and what keeps foreign text lifeless."""
    assert utf16(drawn.text) <= (MAX_CAPTION if drawn.document else MAX_TEXT)
    assert drawn.text == drawn.text.rstrip()
    units = drawn.text.encode("utf-16-le")
    for entity in drawn.entities:
        assert entity.offset >= 0
        assert entity.length > 0
        assert entity.offset + entity.length <= utf16(drawn.text)
        units[2 * entity.offset : 2 * (entity.offset + entity.length)].decode("utf-16-le")  # no half characters
    for lively in (MENTION, COMMAND):
        for match in lively.finditer(drawn.text):
            if match[0][0] == "/" and drawn.text[: match.start()].endswith((".", "~")):
                continue  # a path: to be copied as it is
            at = utf16(drawn.text[: match.start()])
            assert any(e.type == "code" and e.offset <= at < e.offset + e.length for e in drawn.entities), match[0]


@given(REPLIES)
def test_every_reply_is_one_that_telegram_takes(reply: Reply) -> None:
    """Whatever foreign text is in it, a reply fits, its entities lie inside it, and no name or command is alive."""
    drawn = render(reply)
    check(drawn)
    check(for_you(drawn, 5))
    check(render_progress(reply))
    assert utf16(notice(reply)) <= MAX_NOTICE


@given(st.text(alphabet="a🙂é ", max_size=100), st.integers(1, 60))
def test_a_cut_keeps_whole_characters(text: str, units: int) -> None:
    """A text is cut to its limit in UTF-16 units, and never inside an emoji."""
    short = cut(text, units)
    assert utf16(short) <= units
    assert text.startswith(short.removesuffix("…"))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("mail me@example.org", "mail me@example.org"),
        ("@alice", "@\u2060alice"),
        ("é@alice", "é@\u2060alice"),
        ("@@alice", "@@\u2060alice"),
        ("/start now", "/\u2060start now"),
        (
            "https://example.org/start and ~/start ./start a/b </b>",
            "https://example.org/start and ~/start ./start a/b </b>",
        ),
        ("nul\x00 and bell\x07", "nul and bell"),
        ("half \ud83d a smiley", "half ? a smiley"),
    ],
)
def test_names_and_commands_are_taken_apart_and_paths_are_not(text: str, shown: str) -> None:
    """An invisible joiner stands where Telegram would find a name or a command, and nowhere else."""
    assert defused(text) == shown


def test_entities_count_in_utf16_units() -> None:
    """An emoji in front moves what comes after by two."""
    drawn = render(Reply((line(Foreign("🙂🙂"), Strong("bold"), " ", Code("code")),)))
    assert [(e.type, e.offset, e.length) for e in drawn.entities] == [("bold", 4, 4), ("code", 9, 4)]


def test_our_own_commands_can_be_tapped() -> None:
    """A command alone is a link in Telegram; an example with arguments is to be copied."""
    drawn = render(Reply((line(Code("/score"), Code("/score some text")),)))
    assert [(e.type, e.offset) for e in drawn.entities] == [("code", 6)]


def test_a_long_reply_without_a_quote_becomes_a_file_too() -> None:
    """A list that is too long for one message is cut in the message and whole in the file."""
    reply = Reply(tuple(line(f"number {n} of a long list of things") for n in range(400)))
    drawn = render(reply)
    assert drawn.document is not None
    assert isinstance(drawn.document.data, bytes)
    assert drawn.document.data.decode().splitlines()[-1] == "number 399 of a long list of things"
    assert drawn.text.startswith("number 0")


@given(st.text(min_size=1, max_size=60).map(lambda text: text * 4000))
def test_a_file_holds_the_whole_text(text: str) -> None:
    """Nothing but control characters is lost from what became a file."""
    drawn = render(Reply((Quote(text, "poem.txt"),)))
    if drawn.document is not None:
        assert drawn.document.name == "poem.txt"
        assert isinstance(drawn.document.data, bytes)
        assert drawn.document.data.decode() == clean(text)


def test_progress_shows_the_end_of_a_long_text() -> None:
    """While a text is written, what is new is at its end."""
    drawn = render_progress(Reply((line("running"), Quote("x" * 5000 + " the end"))))
    assert drawn.text.endswith("the end")
    assert drawn.document is None
