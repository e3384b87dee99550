"""The command line: exit statuses, one line for what is wrong, and the processes that it starts."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import select
import subprocess
import sys
import threading
import tty
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from console import Paper, premises
from queueing import DrivenEngine, echoed, leased_worker, until, working
from redis.asyncio import Redis
from structlog.testing import capture_logs
from typer.testing import CliRunner, Result

from frontdesk.bots import children, together
from frontdesk.bots.asking import Exit, arguments, ask
from frontdesk.bots.children import Child
from frontdesk.bots.cli import app
from frontdesk.bots.on_console import login
from frontdesk.bots.together import Part, Together, parts
from frontdesk.queue import keys
from frontdesk.queue.catalogue import WRITE
from frontdesk.queue.errors import ConfigurationError, InvalidRequestError
from frontdesk.queue.jobs import Outcome
from frontdesk.queue.settings import load_settings

COMMANDS = ("demo", "up", "chat", "discord", "telegram", "worker", "calibrate", "ask", "status", "admin", "doctor")
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789AB"
DISCORD, TELEGRAM, HUSH = f"MTA1NTU1NTU1NTU1NTU1NTU1.GabcDE.{LETTERS}", f"123456789:{LETTERS}", "a-webhooks-secret"
NOWHERE = "unix:///nonexistent/valkey.sock"


def invoke(*words: str, stdin: str = "") -> Result:
    return CliRunner().invoke(app, list(words), input=stdin)


def spoken(*words: str, stdin: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    """The command as a process: what it prints, and its exit status."""
    return subprocess.run(
        [sys.executable, "-P", "-m", "frontdesk.bots.cli", *words],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, **environment},
    )


class Staff:
    """A worker in a thread of its own, for commands that run an event loop of theirs."""

    def __init__(self, url: str, engine: DrivenEngine) -> None:
        self._url = url
        self._engine = engine
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._work()))

    def __enter__(self) -> Staff:
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    async def _work(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        async with (
            Redis.from_url(self._url) as redis,
            working(leased_worker(redis, self._engine, kinds={"write": "none"})),
        ):
            await until(lambda: redis.zcard(keys.WORKERS))
            self._ready.set()
            await self._stop.wait()


class Writer(DrivenEngine):
    """Answers `write` with a text, or as it is told to."""

    def __init__(self, outcome: Outcome | None = None) -> None:
        super().__init__()
        self.outcome = outcome or Outcome(
            status="done",
            result={"text": "Blue.", "tokens": 2, "stopped": "end", "seed": 1, "model": "tiny", "precision": "bf16"},
            seconds=1.5,
        )

    async def run(self, made: Any, report: Any) -> Outcome:
        return self.outcome


# --- help and errors


@pytest.mark.parametrize("command", [name for name in COMMANDS if name != "calibrate"])
def test_each_command_has_help_with_an_example(command: str) -> None:
    """`--help` says what the command does and shows one that can be typed."""
    shown = invoke(command, "--help")
    assert shown.exit_code == 0
    assert f"frontdesk {command}" in " ".join(shown.output.split()).partition("Example:")[2]


def test_the_program_alone_lists_its_commands() -> None:
    """A newcomer types `frontdesk` and sees all there is, and where to start."""
    shown = spoken()
    assert [name for name in COMMANDS if name not in shown.stdout] == []
    assert "Start with: frontdesk demo" in shown.stdout
    assert spoken("--version").stdout.startswith("frontdesk 0.")


@pytest.mark.parametrize("words", [("demo",), ("up",), ("ask", "write", "hi")])
def test_a_wrong_setting_is_one_line(words: tuple[str, ...]) -> None:
    """The variable is named, without a traceback, and the status is 2."""
    shown = spoken(*words, FRONTDESK_REDIS_URL="https://user:secret@example.org")
    assert shown.returncode == 2
    schemes = "redis://, rediss://, unix://, sentinel:// or sentinels://"
    assert shown.stderr == f"frontdesk: FRONTDESK_REDIS_URL must begin with {schemes}.\n"


@pytest.mark.parametrize("words", [("status",), ("chat",), ("ask", "write", "hi")])
def test_without_redis_is_one_line_and_status_3(words: tuple[str, ...]) -> None:
    """Scripts can tell a queue that is away from a request that is wrong."""
    shown = spoken(*words, FRONTDESK_REDIS_URL=NOWHERE)
    assert (shown.returncode, shown.stdout) == (3, "")
    assert shown.stderr.startswith("frontdesk: Redis does not answer")
    assert shown.stderr.count("\n") == 1


@pytest.mark.parametrize("platform", ["discord", "telegram"])
def test_a_bot_without_a_token_says_which_setting_is_missing(platform: str, url: str) -> None:
    """One line, status 2."""
    shown = spoken(platform)
    assert shown.returncode == 2
    assert f"FRONTDESK_{platform.upper()}_TOKEN" in shown.stderr
    assert "Traceback" not in shown.stderr


def test_a_missing_extra_says_what_to_install() -> None:
    """The sentence can be pasted into a shell."""
    with pytest.raises(
        ConfigurationError, match=r"no_such_package is not installed. Run: pip install 'frontdesk\[bots\]'"
    ):
        children.need(("json", "no_such_package"), "bots")


@pytest.mark.parametrize(
    ("words", "module"),
    [
        (("worker",), "frontdesk.worker.main"),
        (("calibrate", "--human", "a", "--machine", "b", "--help"), "frontdesk.worker.calibrate"),
        (("web",), "frontdesk.gallery.main"),
    ],
)
def test_some_commands_become_a_process(words: tuple[str, ...], module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """No process stands in between: signals and exit status are its own. Arguments are passed on."""
    became: list[list[str]] = []
    monkeypatch.setattr(os, "execv", lambda program, words: became.append(words))
    assert invoke(*words).exit_code == 0
    assert became == [[sys.executable, "-P", "-m", module, *words[1:]]]


# --- ask


def test_a_word_may_be_an_option_or_the_text(tmp_path: Path) -> None:
    """What a shell passes on becomes raw parameters: options, the text, a file, or a text that begins with @."""
    (tmp_path / "prompt.txt").write_text("\ufeffFrom a file: ärger", "utf-8")
    assert arguments(WRITE, ["max_tokens=60", "Why is 1+1=2?"]) == {"max_tokens": "60", "prompt": "Why is 1+1=2?"}
    assert arguments(WRITE, ["prompt=@prompt.txt", "private=yes"]) == {"prompt": "From a file: ärger", "private": "yes"}
    assert arguments(WRITE, ["@@home"]) == {"prompt": "@home"}


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["tokens=5", "x"], "write has no option 'tokens'"),
        (["one", "two"], "prompt: is given twice"),
        (["@absent.txt"], "prompt: absent.txt cannot be read: No such file or directory."),
        (["@latin.txt"], "is not text in UTF-8"),
    ],
)
def test_what_cannot_be_read_is_said(words: list[str], sentence: str, tmp_path: Path) -> None:
    """Each mistake has its sentence."""
    (tmp_path / "latin.txt").write_bytes(b"\xe4rger")
    with pytest.raises(InvalidRequestError, match=sentence):
        arguments(WRITE, words)


def test_an_answer_is_printed_and_the_status_is_0(url: str) -> None:
    """The text on standard output, nothing else of the program's own."""
    with Staff(url, Writer()):
        shown = invoke("ask", "write", "Why is the sky blue?")
    assert shown.exit_code == 0
    assert shown.stdout.startswith("Blue.\nTokens: 2\n")
    assert shown.stderr == ""


def test_json_is_one_object(url: str) -> None:
    """For scripts; the prompt may come from standard input."""
    with Staff(url, Writer()):
        shown = invoke("ask", "write", "-", "--json", stdin="Why is the sky blue?")
    answer = json.loads(shown.stdout)
    assert (shown.exit_code, answer["status"], answer["result"]["text"], answer["seconds"]) == (0, "done", "Blue.", 1.5)
    assert len(answer["job"]) == 9


def test_a_failure_is_status_1(url: str) -> None:
    """With the reason, in words and as JSON."""
    failure = Outcome(status="failed", reason="The model ran out of memory.")
    with Staff(url, Writer(failure)):
        shown, as_json = invoke("ask", "write", "hi"), invoke("ask", "write", "hi", "--json")
    assert (shown.exit_code, as_json.exit_code) == (1, 1)
    assert "The model ran out of memory." in shown.stdout
    assert json.loads(as_json.stdout)["reason"] == "The model ran out of memory."


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("ask", "paint", "x"), "There is no kind called 'paint'."),
        (("ask", "write", "max_tokens=5", "hi"), "max_tokens: must be 16 to 1,024."),
        (("ask", "write"), "prompt: is needed"),
    ],
)
def test_a_refusal_is_status_2(words: tuple[str, ...], sentence: str, url: str) -> None:
    """On standard error, or as JSON with the reason."""
    shown, as_json = invoke(*words), invoke(*words, "--json")
    assert (shown.exit_code, shown.stdout, as_json.exit_code) == (2, "", 2)
    assert sentence in shown.stderr
    answer = json.loads(as_json.stdout)
    assert (answer["status"], sentence in answer["reason"]) == ("refused", True)


def test_json_tells_of_a_queue_that_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """A script that reads JSON gets JSON in this case, too."""
    monkeypatch.setenv("FRONTDESK_REDIS_URL", NOWHERE)
    shown = invoke("ask", "write", "hi", "--json")
    assert (shown.exit_code, json.loads(shown.stdout)["status"]) == (3, "closed")


async def test_no_answer_in_time_takes_the_job_back(redis: Redis) -> None:
    """Without a worker that is said; after the time the job is cancelled, so that no device works for nobody."""
    front, out, err = premises(redis), Paper(), Paper()
    status = await ask(front, "echo", ["hello"], within=0.1, as_json=True, out=out, err=err)
    answer = json.loads(out.text)
    assert (status, answer["status"]) == (Exit.UNREACHABLE, "timeout")
    assert "No worker is on duty." in err.text
    record = await front.broker.job(answer["job"])
    assert record is not None
    assert record.state == "cancelled"


async def test_ctrl_c_takes_the_job_back(redis: Redis) -> None:
    """Whoever stops waiting does not want the answer any more."""
    front = premises(redis)
    asking = asyncio.create_task(
        ask(front, "echo", ["hello"], within=None, as_json=False, out=Paper(), err=Paper(terminal=True))
    )
    await until(lambda: front.broker.jobs_of(f"console:{login()}"))
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    [record] = await front.broker.jobs_of(f"console:{login()}")
    assert record.state == "cancelled"


async def test_a_terminal_sees_ticket_and_progress_apart_from_the_answer(redis: Redis) -> None:
    """What is shown while waiting goes to standard error, so that the answer can be redirected."""
    front, engine, out, err = premises(redis), DrivenEngine(hold=True), Paper(), Paper(terminal=True)
    async with working(leased_worker(redis, engine)):
        asking = asyncio.create_task(ask(front, "echo", ["x"], within=30, as_json=False, out=out, err=err))
        started = await engine.started.get()
        engine.end(started.id, echoed("answered"))
        assert await asking is Exit.DONE
    assert "answered" in out.text
    assert started.id in err.text
    assert "answered" not in err.text


# --- status


def test_status_is_for_everybody_and_the_queue_for_admins(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """On somebody's Redis one is an admin if listed; the workers show only then."""
    with Staff(url, Writer()):
        public = invoke("status")
        assert json.loads(invoke("status", "--json").stdout)["queue"] is None
        monkeypatch.setenv("FRONTDESK_ADMINS", f"console:{login()}")
        admin, report = invoke("status"), json.loads(invoke("status", "--json").stdout)
    assert "score, write: nobody is waiting; a new job starts at once.\n" in public.stdout
    assert "Worker 1: w1: cpu" in admin.stdout
    assert report["queue"]["workers"][0]["id"] == "w1"
    assert {lane["lane"]: lane["workers"] for lane in report["lanes"]} == {"long": 0, "short": 1}


def test_top_shows_the_leaderboards(url: str) -> None:
    """For people and for programs, all of them or one."""
    assert invoke("top").stdout == "Nobody has trained yet. /train makes the first entry.\n"
    assert "There is no data set moon." in invoke("top", "moon").stdout
    assert json.loads(invoke("top", "digits", "--json").stdout) == {}


def test_on_the_embedded_server_one_is_an_admin() -> None:
    """The queue is a file of one's own."""
    shown = invoke("status")
    assert shown.exit_code == 0
    assert "Queue: 0 waiting, 0 running, no workers on duty." in shown.stdout


def test_chat_reads_a_pipe(url: str) -> None:
    """Lines from a pipe are answered in turn."""
    with Staff(url, Writer()):
        shown = spoken("chat", stdin="/write max_tokens=16 hi\n/status\n")
    assert shown.returncode == 0
    assert shown.stderr == ""
    assert shown.stdout.index("Blue.") < shown.stdout.index("nobody is waiting")


def test_leaving_does_not_wait_for_more_input(url: str) -> None:
    """`/quit` ends the chat while the pipe is still open, and cleanly."""
    command = [sys.executable, "-P", "-m", "frontdesk.bots.cli", "chat"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE) as chat:
        assert chat.stdin
        assert chat.stderr
        chat.stdin.write(b"/quit\n")
        chat.stdin.flush()
        assert chat.wait(30) == 0
        assert chat.stderr.read() == b""


def test_chat_at_a_terminal(url: str) -> None:
    """It greets, answers, takes a pasted paragraph as one message, and Ctrl-D leaves."""
    ours, theirs = pty.openpty()
    tty.setraw(theirs)
    environment = {**os.environ, "TERM": "xterm", "PROMPT_TOOLKIT_NO_CPR": "1"}
    command = [sys.executable, "-P", "-m", "frontdesk.bots.cli", "chat"]
    seen = b""

    def answered(words: bytes) -> None:
        nonlocal seen
        while words not in seen:
            assert select.select([ours], [], [], 30)[0], seen
            seen += os.read(ours, 65536)
        seen = seen.partition(words)[2]

    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment) as chat:
        answered(b"Ctrl-D leaves.")
        answered(b"you>")
        os.write(ours, b"/status\r")
        answered(b"no worker is on duty")
        answered(b"you>")
        os.write(ours, b"\x1b[200~one\n\ntwo\x1b[201~\r")
        answered(b"must have 200 to 20,000 characters; this has 8.")
        answered(b"you>")
        os.write(ours, b"\x04")
        assert chat.wait(30) == 0
    os.close(ours)
    os.close(theirs)


def test_a_closed_pipe_is_no_error(url: str) -> None:
    """`frontdesk chat | head -1` ends quietly."""
    command = [sys.executable, "-P", "-m", "frontdesk.bots.cli", "chat"]
    chat = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert chat.stdin
    assert chat.stdout
    assert chat.stderr
    chat.stdin.write(b"/help\n")
    chat.stdin.flush()
    assert chat.stdout.readline()
    chat.stdout.close()
    chat.stdin.write(b"/help\n" * 50)
    chat.stdin.close()
    assert chat.stderr.read() == b""
    chat.stderr.close()
    assert chat.wait(30) in (0, 1)


# --- up


def python(code: str, name: str = "part") -> Part:
    return Part(name, [sys.executable, "-c", code], os.environ)


class Log:
    """What parts print."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str]] = []

    def __call__(self, name: str, line: bytes) -> None:
        self.lines.append((name, line.decode()))

    def said(self, word: str) -> int:
        return sum(word in line for _, line in self.lines)


async def test_a_part_that_dies_is_started_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a pause; and when all is told to stop, each part is told, and ends."""
    monkeypatch.setattr(together, "FIRST_PAUSE", 0.01)
    log = Log()
    dying = python("print('dying'); raise SystemExit(1)", "dying")
    living = python(
        "import signal as s; s.pthread_sigmask(0, [15]); print('living', flush=True); s.sigwait([15]); print('bye')",
        "living",
    )
    house = Together([dying, living], log)
    running = asyncio.create_task(house.run())
    await until(lambda: log.said("dying") >= 2 and log.said("living"), within=60)
    house.stop()
    await running
    assert ("living", "bye") in log.lines


async def test_a_wrong_setting_stops_everything() -> None:
    """A part that ends with status 2 cannot be helped by another start: its line is shown, the others end."""
    log = Log()
    wrong = python("import sys; print('frontdesk worker: FRONTDESK_MODEL is not there.'); sys.exit(2)", "worker")
    other = python("import time; time.sleep(600)", "other")
    with pytest.raises(ConfigurationError, match=r"^worker cannot start: FRONTDESK_MODEL is not there\.$"):
        await asyncio.wait_for(Together([wrong, other], log).run(), 60)


async def test_what_nobody_asked_for_does_not_stop_the_rest() -> None:
    """The page is there by itself, so another program on its port leaves this desk without a page, and says so."""
    log = Log()
    page = replace(python("import sys; print('frontdesk web: The port is taken.'); sys.exit(2)", "web"), optional=True)
    other = python("import time; print('other', flush=True); time.sleep(600)", "other")
    house = Together([page, other], log)
    with capture_logs() as said:
        running = asyncio.create_task(house.run())
        await until(lambda: bool(said) and log.said("other"), within=60)
        assert not running.done()
        house.stop()
        await running
    (only,) = said
    assert (only["part"], only["reason"]) == ("web", "The port is taken.")
    assert log.said("taken") == 1


async def test_a_second_stop_does_not_wait() -> None:
    """Ctrl-C twice ends what does not want to end."""
    log = Log()
    stubborn = python(
        "import signal, time; signal.signal(15, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)"
    )
    house = Together([stubborn], log)
    running = asyncio.create_task(house.run())
    await until(lambda: log.said("deaf"), within=60)
    house.stop()
    house.stop()
    await asyncio.wait_for(running, 30)


async def test_a_child_that_does_not_end_is_killed() -> None:
    """After its grace; what it printed last is kept, without a line break too."""
    lines: list[bytes] = []
    deaf = "import signal, time; signal.signal(15, signal.SIG_IGN)"
    code = f"{deaf}; print('one\\n\\ntwo', end='', flush=True); time.sleep(600)"
    child = await Child.start([sys.executable, "-c", code], os.environ, lines.append)
    await until(lambda: lines, within=60)
    await child.stop(0.05)
    assert await child.wait() == -9
    assert (lines, child.last) == ([b"one", b"", b"two"], "two")


def test_each_part_gets_its_own_secrets_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """No bot's token is in the worker's environment, nor one bot's in the other's."""
    for name, value in {
        "DISCORD_TOKEN": DISCORD,
        "TELEGRAM_TOKEN": TELEGRAM,
        "TELEGRAM_WEBHOOK_SECRET": HUSH,
        "MODEL": "tiny",
    }.items():
        monkeypatch.setenv(f"FRONTDESK_{name}", value)
    made = {part.name: part for part in parts(load_settings(), readable=True)}
    assert set(made) == {"worker", "recorder", "discord", "telegram", "web"}
    worker, discord, telegram = (made[name] for name in ("worker", "discord", "telegram"))
    for name in ("worker", "recorder", "web"):
        assert not {DISCORD, TELEGRAM, HUSH} & set(made[name].environment.values())
    assert not {TELEGRAM, HUSH} & set(discord.environment.values())
    assert DISCORD not in telegram.environment.values()
    assert discord.environment["FRONTDESK_DISCORD_TOKEN"] == DISCORD
    assert telegram.environment["FRONTDESK_TELEGRAM_WEBHOOK_SECRET"] == HUSH
    assert worker.environment["FRONTDESK_MODEL"] == "tiny"
    assert worker.environment["FRONTDESK_LOG_FORMAT"] == "console"


def test_up_stops_with_the_line_of_the_part_that_cannot_start(url: str) -> None:
    """The whole command, with a worker whose model is not there: it says that no bot has a token, and which setting
    is wrong."""
    shown = spoken("up", FRONTDESK_MODEL="/nonexistent/model", FRONTDESK_WEB_LISTEN="127.0.0.1:0")
    assert shown.returncode == 2
    assert "FRONTDESK_DISCORD_TOKEN or FRONTDESK_TELEGRAM_TOKEN" in shown.stderr
    assert shown.stderr.splitlines()[-1].startswith(
        "frontdesk: worker cannot start: FRONTDESK_MODEL: there is no model"
    )
    assert "Traceback" not in shown.stderr
