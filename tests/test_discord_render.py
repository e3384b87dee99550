"""What Discord shows of a neutral reply: within its limits, and nothing foreign takes effect."""

from __future__ import annotations

import time

import pytest
import standin_discord_rules as rules
from hypothesis import given
from hypothesis import strategies as st
from standin_discord_markdown import shown

from frontdesk.bots.on_discord_render import Drawn, attachments, cut, draw, escaped
from frontdesk.bots.parsing import clean
from frontdesk.bots.replies import Block, Code, Foreign, Line, Moment, Quote, Reply, Rows, Strong, line, say

# Dense in what Discord reads as more than text.
LOADED = st.text(st.sampled_from("*_~|`<>[]():#-+. \n\t12t@!&/\\ahttps\u200b\u202e🙂"), max_size=60)
ANY_TEXT = st.text(max_size=60) | LOADED


@given(ANY_TEXT)
def test_foreign_text_is_shown_as_it_is_and_does_nothing(text: str) -> None:
    """No markup, link, mention, emoji or time comes of what a user or a model wrote."""
    assert shown(escaped(text)) == (clean(text), set())


@pytest.mark.parametrize(
    "text",
    [
        "**bold** __under__ ~~gone~~ ||hidden|| `code` ```\nblock\n```",
        "[a bank](https://example.org) and https://example.org/a_b_c",
        "<@1> <@!1> <@&2> <#3> </score:4> <id:guide> <:smile:5> <a:wave:6> :smile: <t:1700000000:R>",
        "# big\n## less\n-# small\n> said\n>>> all of it\n- one\n* two\n1. three",
        "`\u200b`\u200b`\nout of the fence *free*",
        "\\\\*a backslash of its own*",
    ],
)
def test_what_discord_would_act_on_is_only_text(text: str) -> None:
    """Each of Discord's own constructs, by name."""
    assert shown(text)[1]
    assert shown(escaped(text)) == (text, set())


def test_a_text_of_empty_lines_is_no_more_work_than_another() -> None:
    """The bot answers nobody else while it escapes a text."""
    began = time.perf_counter()
    escaped("first" + "\n" * 100_000 + "last")
    assert time.perf_counter() - began < 2.0


@given(LOADED, st.integers(2, 40))
def test_a_cut_never_frees_what_was_escaped(text: str, most: int) -> None:
    """The last escape is kept whole or left out."""
    short = cut(escaped(text), most)
    assert len(short) <= most
    assert shown(short)[1] == set()
    assert clean(text).startswith(shown(short)[0].removesuffix("…"))


def check(drawn: Drawn) -> None:
    payload = {"content": drawn.content, "embeds": [embed.to_dict() for embed in drawn.embeds]}
    rules.check_message(payload, dict(drawn.files))


LONG = st.builds(lambda text, times: text * times, st.text(min_size=1, max_size=50) | LOADED, st.integers(0, 400))
BLOCKS: st.SearchStrategy[Block] = (
    st.builds(Quote, LONG)
    | st.builds(lambda text: line(Foreign(text)), LONG)
    | st.builds(lambda rows: Rows(tuple(rows)), st.lists(st.tuples(ANY_TEXT, ANY_TEXT), max_size=30))
)


@given(st.lists(BLOCKS, max_size=5), st.booleans())
def test_every_reply_fits_into_one_message(blocks: list[Block], final: bool) -> None:
    """Whatever a result holds, Discord takes the message."""
    check(draw(Reply(tuple(blocks)), final=final))


def test_a_long_answer_is_a_file_with_a_preview() -> None:
    """The file has all of it, as it was written; the preview says that there is more."""
    text = "A *long* story.\n" * 500
    drawn = draw(Reply((Quote(text, "story.txt"),)))
    assert drawn.files == (("story.txt", text.encode()),)
    preview = drawn.embeds[0].description or ""
    assert preview.startswith(r"A \*long\* story.")
    assert preview.endswith("…")


def test_a_text_that_fits_is_no_file() -> None:
    """A reader does not open files for what a message can hold."""
    drawn = draw(Reply((Quote("Short."),)))
    assert (drawn.files, drawn.embeds[0].description) == ((), "Short.")


def test_a_growing_text_shows_its_end() -> None:
    """While a text is written, its newest words are what one wants to see, and no file is sent."""
    drawn = draw(Reply((Quote("word " * 2000 + "the newest"),)), final=False)
    assert drawn.files == ()
    assert (drawn.embeds[0].description or "").endswith("the newest")


def test_figures_stand_side_by_side_and_too_many_become_a_file() -> None:
    """Rows are an embed's fields; nothing of them is dropped in silence."""
    few = draw(Reply((Rows((("Tokens", "90"), ("Model", "a*b"))),)))
    assert [(field.name, field.value) for field in few.embeds[0].fields] == [("Tokens", "90"), ("Model", r"a\*b")]
    many = draw(Reply((line("Here."), Rows(tuple((f"label {n}", "value") for n in range(40))))))
    assert [name for name, _ in many.files] == ["figures.txt"]
    assert b"label 39: value" in many.files[0][1]


def test_a_moment_counts_down_in_the_readers_own_time() -> None:
    """Discord's relative timestamp, never too early."""
    assert draw(say("again ", Moment(1_700_000_000.2, "in 40 s"))).content == "again <t:1700000001:R>"


def test_our_own_spans_keep_their_form_around_foreign_text() -> None:
    """Bold stays bold and code stays code; a backtick cannot end the code."""
    reply = Reply((Line((Strong("a*b\nc"), Foreign(" is "), Code("/score"), Code("a`b"), Strong(" "))),))
    assert draw(reply).content == r"**a\*b c** is `/score`a\`b"


def test_too_many_lines_are_a_file_too() -> None:
    """A help text of a hundred kinds can still be read."""
    drawn = draw(Reply(tuple(line(Code(f"/kind{n}"), " does something that takes a line") for n in range(100))))
    check(drawn)
    assert b"/kind99 does something" in dict(drawn.files)["reply.txt"]


def test_an_attempt_to_send_gets_files_of_its_own() -> None:
    """discord.py closes what it sent: a second try must not send an empty file."""
    drawn = Drawn("", files=(("answer.txt", b"all"),))
    assert [attachments(drawn)[0].fp.read() for _ in range(2)] == [b"all", b"all"]
