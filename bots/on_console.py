"""The desk at a terminal: who sits there, and the chat."""

from __future__ import annotations

import asyncio
import os
import pwd
import re
import signal
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Protocol

from prompt_toolkit import PromptSession
from prompt_toolkit.patch_stdout import patch_stdout
from rich.live import Live

from frontdesk.bots.commands import own_commands
from frontdesk.bots.courier import DELIVERED
from frontdesk.bots.main import Premises, premises
from frontdesk.bots.on_console_conversation import Accepted, Answer, Conversation, Wanting, with_commands
from frontdesk.bots.on_console_files import with_files, with_pictures
from frontdesk.bots.on_console_render import Growing, Screen
from frontdesk.bots.people import Person
from frontdesk.bots.replies import outcome_reply, progress_reply, ticket_reply
from frontdesk.bots.waiting import Waiter, waiting
from frontdesk.queue.connection import LOST, check
from frontdesk.queue.errors import ConfigurationError, FrontdeskError, UserError
from frontdesk.queue.jobs import Outcome, Progress, Requester
from frontdesk.queue.kinds import AnyKind
from frontdesk.queue.settings import Settings

STDIN = 0  # its file descriptor
CHANNEL = "chat"
LEAVING = frozenset({"/quit", "/exit"})
STREAMED = 12  # lines of a text that is still being written
LIVE_RATE = 8  # drawings a second
SNAPSHOT = 1.0  # seconds between two lines of progress where nothing can be redrawn; each pause is twice the last
SNAPSHOT_TEXT = 60  # characters of the text so far in such a line
NO_WORKER = "No worker is on duty. `frontdesk up` or `frontdesk worker`, in another terminal, starts one."

LOST_SENTENCE = "The queue cannot be reached; waiting for it."
BACK_SENTENCE = "The queue is back."


class UnreachableError(FrontdeskError):
    """Redis does not answer."""


def login() -> str:
    """The user's name as the system knows it: the environment could say anything."""
    try:
        name = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        name = f"uid-{os.getuid()}"
    return re.sub(r"[^A-Za-z0-9_.-]", "_", name)[:64]


def person(name: str) -> Person:
    return Person(Requester(platform="console", user=name, tenant=f"console:{name}"))


@asynccontextmanager
async def console(settings: Settings, *, admin: bool = False) -> AsyncIterator[Premises]:
    """The desk for whoever sits at this terminal.

    With the embedded server they are an admin: the queue is a file of their own. `admin` makes them one anywhere: who
    can write to Redis needs nobody's leave. Raises ConfigurationError, and UnreachableError where Redis does not
    answer.
    """
    if admin or settings.redis is None:
        settings = settings.model_copy(update={"admins": settings.admins | {person(login()).requester.key}})
    async with premises(settings) as front:
        try:
            await check(front.redis)
        except ConfigurationError as error:
            raise UnreachableError(str(error)) from None
        yield front


class Lines(Protocol):
    """Where a person's lines come from."""

    async def read(self, prompt: str) -> str | None:
        """The next line; None at the end. Raises KeyboardInterrupt for Ctrl-C."""


class TypedLines:
    """Lines from a terminal: edited, with a history, and with pasted paragraphs as one line."""

    def __init__(self) -> None:
        self._session: PromptSession[str] = PromptSession()

    async def read(self, prompt: str) -> str | None:
        try:
            with patch_stdout(raw=True):  # what is printed meanwhile appears above the prompt
                return await self._session.prompt_async(prompt)
        except EOFError:
            return None


class PipedLines:
    """Lines from a file or a pipe, read by a thread so that the event loop goes on.

    The thread reads the descriptor itself: one that waits inside `sys.stdin` holds its lock, and Python aborts when it
    ends before its input does.
    """

    def __init__(self) -> None:
        self._lines: asyncio.Queue[str | None] = asyncio.Queue()
        self._loop = asyncio.get_running_loop()
        self._ended = False
        threading.Thread(target=self._pump, name="stdin", daemon=True).start()

    async def read(self, prompt: str) -> str | None:
        line = None if self._ended else await self._lines.get()
        self._ended = line is None
        return line

    def _pump(self) -> None:
        rest = b""
        with suppress(RuntimeError):  # the loop has ended, and nobody waits for lines any more
            while chunk := os.read(STDIN, 65536):
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    self._put(line)
            if rest:
                self._put(rest)
            self._put(None)

    def _put(self, line: bytes | None) -> None:
        text = None if line is None else line.decode("utf-8", "replace")
        self._loop.call_soon_threadsafe(self._lines.put_nowait, text)


class Chat:
    """A person's chat: one job is watched at a time, and others may go on behind it. Files of answers go to `folder`,
    or to the current one."""

    def __init__(
        self, front: Premises, waiter: Waiter, lines: Lines, screen: Screen, who: Person, folder: Path | None = None
    ) -> None:
        self._front = front
        self._waiter = waiter
        self._lines = lines
        self._screen = screen
        self._who = who
        self._folder = folder or Path()
        default, own = front.settings.default_kind, own_commands(front)
        self._talk = Conversation(front.desk, who, channel=CHANNEL, default_kind=default, own=own)
        self._behind: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Talk until the person leaves. Jobs that go on then are answered when they come back."""
        await self._catch_up()
        while (text := await self._read("you> ")) is not None and text.strip() not in LEAVING:
            if text.strip():
                await self._answer(await self._talk.take(text))
        if self._behind:
            self._screen.say(f"{len(self._behind)} of your jobs go on; the next chat shows their answers.")
        for task in self._behind:
            task.cancel()
        await asyncio.gather(*self._behind, return_exceptions=True)

    async def _catch_up(self) -> None:
        """Show what an earlier chat left open."""
        with suppress(UserError):
            for record in reversed(await self._front.desk.jobs(self._who)):
                if record.kind in self._front.kinds and record.reply.channel == CHANNEL and not record.delivery:
                    self._follow_behind(self._front.kinds[record.kind], record.id)

    async def _read(self, prompt: str) -> str | None:
        while True:
            try:
                return await self._lines.read(prompt)
            except KeyboardInterrupt:
                self._screen.say("Ctrl-D leaves.", "dim")

    async def _answer(self, answer: Answer) -> None:
        while isinstance(answer, Wanting):
            self._screen.show(answer.question)
            try:
                text = await self._lines.read(f"{answer.parameter.name}> ")
            except KeyboardInterrupt:
                text = None
            if text is None or not text.strip():
                self._screen.say("Left. Nothing was asked for.")
                return
            answer = await self._talk.fill(answer, text)
        if isinstance(answer, Accepted):
            await self._watch(answer)
        else:
            self._screen.show(await with_pictures(answer, self._front.store, self._folder))

    async def _watch(self, accepted: Accepted) -> None:
        """Show a job's progress until it ends, or until Ctrl-C sends it behind."""
        kind, job_id = accepted.kind, accepted.ticket.job_id
        self._screen.show(ticket_reply(kind, accepted.ticket))
        if accepted.ticket.unserved:
            self._screen.say(NO_WORKER, "dim")
        interrupted = asyncio.Event()
        with progress_shown(self._screen, kind) as news, on_interrupt(interrupted.set):
            answering = asyncio.create_task(self._waiter.outcome(job_id, news))
            leaving = asyncio.create_task(interrupted.wait())
            await asyncio.wait({answering, leaving}, return_when=asyncio.FIRST_COMPLETED)
            leaving.cancel()
        if answering.done():
            await self._show(kind, job_id, answering.result(), known=accepted.ticket.answered)
            return
        answering.cancel()
        self._screen.say(f"{job_id} goes on, and its answer will appear here. /cancel {job_id} stops it.", "dim")
        self._follow_behind(kind, job_id)

    def _follow_behind(self, kind: AnyKind, job_id: str) -> None:
        async def follow() -> None:
            await self._show(kind, job_id, await self._waiter.outcome(job_id, lambda progress: None))

        task = asyncio.create_task(follow())
        self._behind.add(task)
        task.add_done_callback(self._behind.discard)

    async def _show(self, kind: AnyKind, job_id: str, outcome: Outcome, *, known: bool = False) -> None:
        answer = outcome_reply(kind, job_id, outcome, known=known)
        reply, _ = await with_files(answer, job_id, self._front.store, self._folder)
        self._screen.show(with_commands(reply))
        with suppress(*LOST):  # then the next chat shows it again
            await self._front.broker.set_delivery(job_id, DELIVERED)


async def chat(front: Premises, screen: Screen, folder: Path | None = None) -> None:
    """Talk with whoever sits here, at a terminal or through a pipe, until they leave. Files of answers go to `folder`,
    or to the current one."""
    typed = sys.stdin.isatty() and screen.live
    if typed:
        screen.say("Type a text or a command; /help lists them. Ctrl-C goes on without waiting, Ctrl-D leaves.", "dim")

    def trouble(lost: bool) -> None:
        screen.say(LOST_SENTENCE if lost else BACK_SENTENCE, "yellow")

    async with waiting(front, trouble) as waiter:
        lines: Lines = TypedLines() if typed else PipedLines()
        await Chat(front, waiter, lines, screen, person(login()), folder).run()


@contextmanager
def progress_shown(screen: Screen, kind: AnyKind) -> Iterator[Callable[[Progress], None]]:
    """Shows a job's news inside the block: redrawn in place on a terminal, else a line now and then."""
    if not screen.live:
        yield Snapshots(screen, kind)
        return
    with Live(console=screen.console, transient=True, refresh_per_second=LIVE_RATE, redirect_stderr=False) as drawing:
        yield lambda progress: drawing.update(Growing(progress_reply(kind, progress), STREAMED))


@contextmanager
def on_interrupt(call: Callable[[], None]) -> Iterator[None]:
    """Ctrl-C calls this inside the block, and does afterwards what it did before."""
    before, loop = signal.getsignal(signal.SIGINT), asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGINT, call)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGINT)
        signal.signal(signal.SIGINT, before)


class Snapshots:
    """Progress as a few lines, where nothing can be redrawn."""

    def __init__(self, screen: Screen, kind: AnyKind) -> None:
        self._screen = screen
        self._kind = kind
        self._pause = SNAPSHOT
        self._next = 0.0

    def __call__(self, progress: Progress) -> None:
        if (now := time.monotonic()) < self._next or not (progress.text or progress.fraction or progress.note):
            return
        self._next, self._pause = now + self._pause, 2 * self._pause
        text = progress.text and "... " + " ".join(progress.text.split())[-SNAPSHOT_TEXT:]
        self._screen.show(progress_reply(self._kind, progress.model_copy(update={"text": text})))
