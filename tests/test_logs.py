"""Logs: JSON when nobody watches, and never a token, a password or a name in them."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, Literal

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st
from structlog.contextvars import bound_contextvars

from frontdesk.queue import logs

TELEGRAM = "123456789:AAF-example_token_of_35_characters00"
DISCORD = "MTIzNDU2Nzg5MDEyMzQ1Njc4.GabcdE.abcdefghijklmnopqrstuvwxyz0123456789ab"
PASSWORD = "hunter2"  # noqa: S105 - made up, to be looked for in the log
ADDRESS = f"redis://desk:{PASSWORD}@host:6379/0"
STYLES: tuple[Literal["json", "console"], ...] = ("json", "console")


class Screen(io.StringIO):
    """A stderr that says whether somebody watches."""

    def __init__(self, terminal: bool) -> None:
        super().__init__()
        self.terminal = terminal

    def isatty(self) -> bool:
        return self.terminal


@pytest.fixture
def stderr(monkeypatch: pytest.MonkeyPatch) -> Iterator[Screen]:
    """A stderr to read; the process's logging is put back afterwards."""
    root, before = logging.getLogger(), structlog.get_config()
    handlers, level = root.handlers[:], root.level
    levels = {name: logging.getLogger(name).level for name in logs.TALKATIVE}
    screen = Screen(terminal=False)
    monkeypatch.setattr("frontdesk.queue.logs.sys", SimpleNamespace(stderr=screen))  # pytest swaps the real one
    yield screen
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, old in levels.items():
        logging.getLogger(name).setLevel(old)
    structlog.configure(**before)


def events(screen: Screen) -> list[dict[str, Any]]:
    return [json.loads(line) for line in screen.getvalue().splitlines()]


def test_one_json_object_a_line_when_nobody_watches(stderr: Screen) -> None:
    """With the time, the level, the logger and everything bound to the job."""
    logs.configure("auto", "info")
    with bound_contextvars(job="abc", kind="score", requester=logs.requester_hash("telegram:1")):
        structlog.get_logger("frontdesk.worker").info("ended", seconds=1.5)
    (event,) = events(stderr)
    assert event.pop("timestamp").endswith("Z")
    assert event == {
        "event": "ended", "level": "info", "logger": "frontdesk.worker", "seconds": 1.5,
        "job": "abc", "kind": "score", "requester": logs.requester_hash("telegram:1"),
    }  # fmt: skip


def test_lines_for_people_at_a_terminal(stderr: Screen) -> None:
    """And by setting, wherever one is."""
    stderr.terminal = True
    logs.configure("auto", "info")
    structlog.get_logger("desk").info("accepted", job="abc")
    assert "accepted" in stderr.getvalue()
    assert not stderr.getvalue().startswith("{")
    logs.configure("json", "info")
    structlog.get_logger("desk").info("refused")
    assert json.loads(stderr.getvalue().splitlines()[-1])["event"] == "refused"


def test_the_level_is_a_setting(stderr: Screen) -> None:
    """Below it, nothing is written."""
    logs.configure("json", "warning")
    log = structlog.get_logger("desk")
    log.info("quiet")
    log.warning("loud")
    assert [event["event"] for event in events(stderr)] == ["loud"]


def test_configuring_again_does_not_double_the_lines(stderr: Screen) -> None:
    """One handler, however often."""
    logs.configure("json", "info")
    logs.configure("json", "info")
    structlog.get_logger("desk").info("once")
    assert len(events(stderr)) == 1


def _fail_with(secret: str) -> None:
    raise ConnectionError(f"cannot open https://api.example.org/bot{secret}/getMe")


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("secret", [TELEGRAM, DISCORD, ADDRESS], ids=["telegram", "discord", "redis"])
def test_no_secret_reaches_the_log(secret: str, style: Literal["json", "console"], stderr: Screen) -> None:
    """Not in an event, a value of any type, a library's message, its arguments, or an exception."""
    logs.configure(style, "debug")
    log, library = structlog.get_logger("desk"), logging.getLogger("library")
    log.info(f"using {secret}", url=f"https://api.example.org/bot{secret}/sendMessage")
    log.info("nested", value={"token": [secret]}, error=ValueError(secret))
    log.info("bound %s", secret)
    library.warning("HTTP Request: POST https://api.example.org/bot%s/getMe", secret)
    library.warning("%(x)s", {"x": secret})
    for failing in (log, library):
        try:
            _fail_with(secret)
        except ConnectionError:
            failing.exception("failed")
    written = stderr.getvalue()
    assert "***" in written
    assert "ConnectionError" in written
    for part in (TELEGRAM, TELEGRAM.partition(":")[2], DISCORD, DISCORD.rpartition(".")[2], PASSWORD):
        assert part not in written


@pytest.mark.parametrize("style", STYLES)
def test_a_traceback_shows_no_values(style: Literal["json", "console"], stderr: Screen) -> None:
    """Local variables hold what users wrote."""
    logs.configure(style, "info")

    def handle(text: str) -> float:
        return len(text) / 0

    try:
        handle(" ".join(("private", "words")))
    except ZeroDivisionError:
        structlog.get_logger("desk").exception("failed")
    assert "ZeroDivisionError" in stderr.getvalue()
    assert "private words" not in stderr.getvalue()


@pytest.mark.parametrize("library", logs.TALKATIVE)
def test_libraries_that_log_what_passes_through_are_kept_to_warnings(library: str, stderr: Screen) -> None:
    """Their info and debug lines hold addresses, payloads and texts, also at our level debug."""
    logs.configure("json", "debug")
    logging.getLogger(f"{library}.part").info("a user's text")
    logging.getLogger(library).warning("a warning")
    assert [event["event"] for event in events(stderr)] == ["a warning"]


@given(st.from_regex(r"[0-9]{6,12}:[A-Za-z0-9_-]{30,40}", fullmatch=True), st.text(max_size=5), st.text(max_size=5))
def test_a_token_is_masked_wherever_it_stands(token: str, before: str, after: str) -> None:
    """Glued to a word, in quotes, after an escape sequence of a terminal."""
    assert token not in logs.masked(before + token + after)
    assert token not in logs.masked(f"https://api.example.org/bot{token}/getMe")
    assert token not in logs.masked(f"token=\x1b[35m{token}\x1b[0m")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (ADDRESS, "redis://***@host:6379/0"),
        ("rediss://:p@ss@host/0 and redis://host/1", "rediss://***@host/0 and redis://host/1"),
        ("https://example.org:8443/path", "https://example.org:8443/path"),
        ("ada@example.org at 12:30, job 0f3k2m9ab", "ada@example.org at 12:30, job 0f3k2m9ab"),
        (f"<{DISCORD}>", "<***>"),
    ],
)
def test_only_secrets_are_masked(text: str, shown: str) -> None:
    """A log must stay readable."""
    assert logs.masked(text) == shown


def test_requesters_are_told_apart_without_being_named() -> None:
    """The same one always alike, another one otherwise, and no id in it."""
    ada, bob = logs.requester_hash("telegram:1234567"), logs.requester_hash("telegram:7654321")
    assert ada == logs.requester_hash("telegram:1234567")
    assert ada != bob
    assert len(ada) == 12
    assert "1234567" not in ada
