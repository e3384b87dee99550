"""The command line: `frontdesk COMMAND`."""

from __future__ import annotations

import asyncio
import importlib
import io
import os
import signal
import sys
import time
from collections.abc import Coroutine, Mapping
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from redis.exceptions import RedisError

from frontdesk.bots import children, doctor, findings
from frontdesk.bots.asking import Answer, Exit, ask, reads_stdin
from frontdesk.bots.demo import demo
from frontdesk.bots.fetching import fetch
from frontdesk.bots.main import Adapter, serve
from frontdesk.bots.on_console import UnreachableError, chat, console, login, person
from frontdesk.bots.on_console_admin import admin_commands, administer
from frontdesk.bots.on_console_render import screen
from frontdesk.bots.on_console_status import as_object, show_queue, show_status
from frontdesk.bots.together import up
from frontdesk.bots.top_replies import boards_as_object, top_of
from frontdesk.queue import logs
from frontdesk.queue.errors import ConfigurationError, DeskClosedError, FrontdeskError
from frontdesk.queue.settings import Settings, load_settings

T = TypeVar("T")

MISUSED = 2
INTERRUPTED, TERMINATED = 128 + signal.SIGINT, 128 + signal.SIGTERM

app = typer.Typer(
    name="frontdesk",
    help="The front desk of a GPU room: jobs asked for in Discord, in Telegram or here, answered by workers.",
    epilog="Start with: frontdesk demo",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # they would print local variables, and with them secrets and users' texts
    context_settings={"help_option_names": ["-h", "--help"]},
)

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Output = Annotated[
    Path | None,
    typer.Option("--output", metavar="FOLDER", file_okay=False, help="Where the files of answers go. Default: here."),
]


@app.callback(invoke_without_command=True)
def _root(
    context: typer.Context, show_version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False
) -> None:
    if show_version:
        typer.echo(f"frontdesk {version('frontdesk')}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        raise typer.Exit(MISUSED)


@app.command("demo", epilog="Example: frontdesk demo")
def _demo() -> None:
    """Play a short conversation with a real model; at a terminal, stay open as a chat."""
    began = time.monotonic()
    settings = _settings(quiet=True)
    out = screen()
    _run(demo(settings, out, began=began, stay=sys.stdin.isatty() and out.live))


@app.command("up", epilog="Example: FRONTDESK_TELEGRAM_TOKEN=... frontdesk up")
def _up() -> None:
    """Run everything here: a worker, the web page, each bot with a token, and a server unless FRONTDESK_REDIS_URL is
    set."""
    _run(up(_settings()), own_signals=True)


@app.command("chat", epilog="Example: frontdesk chat    or: echo '/write A haiku on rain' | frontdesk chat")
def _chat(output: Output = None) -> None:
    """Talk to the desk here: /help lists the commands, a plain text is a job of the default kind."""

    async def talk(settings: Settings) -> None:
        async with console(settings) as front:
            await chat(front, screen(), output)

    _run(talk(_settings(quiet=True)))


@app.command("discord", epilog="Example: FRONTDESK_DISCORD_TOKEN=... frontdesk discord")
def _discord() -> None:
    """Run the Discord bot."""
    _serve("discord", children.DISCORD_NEEDS)


@app.command("telegram", epilog="Example: FRONTDESK_TELEGRAM_TOKEN=... frontdesk telegram")
def _telegram() -> None:
    """Run the Telegram bot."""
    _serve("telegram", children.TELEGRAM_NEEDS)


@app.command("worker", epilog="Example: FRONTDESK_QUANTISATION=nf4 FRONTDESK_MODEL=models/my-8b frontdesk worker")
def _worker() -> None:
    """Run a worker: a process for each GPU, or one on the processor, which loads the models and takes jobs.

    One that dies, hangs or overruns a job's limit is replaced, its jobs at once free.

    SIGTERM, Ctrl-C: running jobs get FRONTDESK_STOP_GRACE seconds, then go back.
    Twice: ends at once. SIGHUP: replaces the processes one by one.

    Exit status: 0 told to stop; 2 a setting is wrong.
    """
    _become(children.WORKER, needs=children.WORKER_NEEDS, extra="worker")


@app.command("web", epilog="Example: FRONTDESK_WEB_URL=https://desk.example.org frontdesk web")
def _web() -> None:
    """Serve the web page, at http://127.0.0.1:8080 unless settings say otherwise.

    One signs in there with a link that the bots give: /web.

    Exit status: 0 told to stop; 2 a setting is wrong.
    """
    _become(children.WEB, needs=children.WEB_NEEDS, extra="web")


@app.command("recorder", epilog="Example: FRONTDESK_DATABASE_URL=postgresql://desk@db/history frontdesk recorder")
def _recorder() -> None:
    """Write down every job that ended, in the database: what the gallery, the page and receipts read.

    One that was away makes up for it, for as long as results are kept. Several share the work.

    Exit status: 0 told to stop; 2 a setting is wrong.
    """
    _become(children.RECORDER)


@app.command(
    "calibrate",
    epilog="Example: frontdesk calibrate --human texts/human --machine texts/machine",
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []},
)
def _calibrate(context: typer.Context) -> None:
    """Measure the thresholds of `score` for the configured model, from folders of texts whose origin is known."""
    _become(children.CALIBRATION, *context.args, needs=children.WORKER_NEEDS, extra="worker")


@app.command("ask", epilog="Example: frontdesk ask write max_tokens=60 'Why is the sky blue?' --json")
def _ask(
    kind: Annotated[str, typer.Argument(metavar="KIND", help="The kind of job, such as score or write.")],
    parameters: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="NAME=VALUE",
            help="Its parameters. A word without a name is the text itself; @FILE and - read a file and the input.",
        ),
    ] = None,
    as_json: AsJson = False,
    timeout: Annotated[float | None, typer.Option(min=0.1, help="Seconds to wait; then the job is cancelled.")] = None,
    output: Output = None,
    remote: Annotated[str | None, typer.Option(metavar="URL", help="Ask a desk elsewhere; its web address.")] = None,
    key_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Holds the key for it. Default: FRONTDESK_API_KEY.")
    ] = None,
) -> None:
    """Submit one job, wait, print the answer.

    Exit status: 0 done; 1 failed, cancelled or expired; 2 refused; 3 no queue, or no answer in time.
    """

    words, out, err = parameters or [], screen(), screen(stderr=True)
    piped = sys.stdin.buffer.read() if reads_stdin(words) else b""

    async def submit(settings: Settings) -> Exit:
        shown: dict[str, Any] = {"piped": piped, "within": timeout, "as_json": as_json, "out": out, "err": err}
        if remote is not None:
            # Here, since nothing else of the command line needs an HTTP client.
            from frontdesk.bots.asking_remote import ask_remote, key_of
            from frontdesk.bots.remote import Client

            async with Client(remote, key_of(settings, key_file)) as client:
                return await ask_remote(client, kind, words, folder=output, **shown)
        try:
            async with console(settings) as front:
                return await ask(front, kind, words, folder=output, **shown)
        except UnreachableError as error:
            if not as_json:
                raise
            out.console.out(Answer(kind, "closed", reason=str(error)).json(), highlight=False)
            return Exit.UNREACHABLE

    raise typer.Exit(_run(submit(_settings(quiet=True))))


@app.command("fetch", epilog="Example: frontdesk fetch 1s2k9x4qd --output models")
def _fetch(job: Annotated[str, typer.Argument(metavar="JOB", help="The job's id.")], output: Output = None) -> None:
    """Copy the files of a job, whoever asked for it, to a folder.

    Exit status: 0 all of them; 1 some are missing, or there are none; 2 there is no such job.
    """

    async def copy(settings: Settings) -> Exit:
        async with console(settings, admin=True) as front:
            return await fetch(front, person(login()), job, output or Path(), out=screen(), err=screen(stderr=True))

    raise typer.Exit(_run(copy(_settings(quiet=True))))


@app.command("status", epilog="Example: frontdesk status --json")
def _status(as_json: AsJson = False) -> None:
    """How busy the desk is; for admins also its lanes, workers and last hour."""

    async def look(settings: Settings) -> None:
        async with console(settings) as front:
            me = person(login())
            lanes = await front.desk.status()
            report = await front.desk.queue(me) if front.desk.is_admin(me) else None
            out = screen()
            if as_json:
                out.console.out(as_object(lanes, report), highlight=False)
                return
            show_status(lanes, out)
            if report:
                show_queue(report, front.desk.clock(), out)

    _run(look(_settings(quiet=True)))


@app.command("top", epilog="Example: frontdesk top digits")
def _top(
    dataset: Annotated[str, typer.Argument(metavar="[DATASET]", help="All of one data set's board.")] = "",
    as_json: AsJson = False,
) -> None:
    """The best trainings of each data set; your own are marked."""

    async def look(settings: Settings) -> None:
        async with console(settings) as front:
            out, me = screen(), person(login())
            if as_json:
                out.console.out(boards_as_object(await front.desk.top(me, dataset)), highlight=False)
            else:
                out.show(await top_of(front.desk, me, dataset))

    _run(look(_settings(quiet=True)))


def _administer(action: str, given: Mapping[str, str], as_json: bool) -> None:
    async def act(settings: Settings) -> Exit:
        async with console(settings, admin=True) as front:
            out, err = screen(), screen(stderr=True)
            return await administer(front.desk, person(login()), action, given, as_json=as_json, out=out, err=err)

    raise typer.Exit(_run(act(_settings(quiet=True))))


app.add_typer(admin_commands(_administer), name="admin")


@app.command("doctor", epilog="Example: frontdesk doctor")
def _doctor() -> None:
    """Check settings, Redis, tokens, models and the device, and say what to do about each finding."""
    out = screen()
    try:
        settings = _settings(quiet=True)
        found = _run(doctor.examine(settings))
    except ConfigurationError as error:
        found = [findings.broken("settings", str(error), "Mend that setting, then look again.")]
    findings.show(found, out)
    raise typer.Exit(any(finding.level is findings.Level.BROKEN for finding in found))


def main() -> None:
    """The program's entry: no traceback for anything that was foreseen."""
    for stream in (sys.stdout, sys.stderr, sys.stdin):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that lacks a letter shows another, instead of failing
    try:
        app()
    except (UnreachableError, DeskClosedError) as error:
        _leave(error, Exit.UNREACHABLE)
    except RedisError as error:
        _leave(f"Redis was lost ({type(error).__name__}).", Exit.UNREACHABLE)
    except OSError as error:  # a full disk, a folder that may not be written
        _leave(error, 1)
    except ConfigurationError as error:
        _leave(error, MISUSED)
    except FrontdeskError as error:
        _leave(error, 1)


def _leave(reason: object, status: int) -> None:
    typer.echo(f"frontdesk: {reason}", err=True)
    sys.exit(status)


def _settings(*, quiet: bool = False) -> Settings:
    """Settings and logs. `quiet`: only errors are logged, since a person reads what the command prints."""
    settings = load_settings()
    level = "error" if quiet and settings.log_level != "debug" else settings.log_level
    logs.configure(settings.log_format, level)
    return settings


def _run(work: Coroutine[Any, Any, T], *, own_signals: bool = False) -> T:
    """Run to the end. Ctrl-C and SIGTERM cancel the work, which tidies up, and then end the process.

    `own_signals`: the work handles them itself.
    """

    async def supervised() -> T:
        if not own_signals:
            task = asyncio.current_task()
            assert task is not None  # noqa: S101 - this is one
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        return await work

    try:
        return asyncio.run(supervised())
    except KeyboardInterrupt:
        raise SystemExit(INTERRUPTED) from None
    except asyncio.CancelledError:
        raise SystemExit(TERMINATED) from None


def _serve(platform: str, needs: tuple[str, ...]) -> None:
    """Run a platform's bot; its library is imported only now."""
    settings = _settings()
    children.need(needs, "bots")
    adapter: Adapter = importlib.import_module(f"frontdesk.bots.on_{platform}").serve
    _run(serve(settings, adapter), own_signals=True)


def _become(module: str, *arguments: str, needs: tuple[str, ...] = (), extra: str = "") -> None:
    """Go on as another program, which answers to our process id and keeps its own exit status."""
    children.need(needs, extra)
    words = children.command(module, *arguments)
    with suppress(OSError):
        sys.stdout.flush()
    os.execv(words[0], words)  # noqa: S606 - our own module, and no shell


if __name__ == "__main__":
    main()
