"""The line between a worker process and the supervisor that started it: a socket pair, no port.

The child says about every second, from its event loop, that it lives and how its device does. The parent says nothing:
what the child reads is the end of the line, when the parent is gone.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Final, Self

from frontdesk.queue.codec import encode
from frontdesk.queue.errors import FrontdeskError
from frontdesk.queue.jobs import Wire

SUPERVISED: Final = "--supervised"  # the argument that tells a child that its standard input is the line
CONFIGURATION_STATUS: Final = 2  # of a child that says which setting is wrong
BEAT = 1.0  # seconds between two pulses
LEAVE = 12.0  # seconds beyond the grace of running jobs in which a child gives them back, unloads and ends
WORDS_TIMEOUT = 1.0  # seconds for a child's last words


class Pulse(Wire):
    """What a child says. `worker`: its id in the queue; `held_for`: seconds for which the device has run one call;
    `stuck`: that call outlasted its job; `jobs`: those that run; `failure`: last words, a wrong setting.
    """

    worker: str = ""
    ready: bool = False
    stuck: bool = False
    held_for: float = 0.0
    jobs: tuple[str, ...] = ()
    failure: str | None = None


class Lifeline:
    """The child's end. Without a connection (a child started by hand) nothing is said, and nothing ends."""

    def __init__(self, connection: socket.socket | None) -> None:
        self._connection = connection
        self._rest = b""

    @classmethod
    def inherited(cls, *, supervised: bool) -> Self:
        """Take the line from standard input, where nothing is read from then on."""
        if not supervised:
            return cls(None)
        connection = socket.socket(fileno=os.dup(0))
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)
        return cls(connection)

    def when_lost(self, tell: Callable[[], object], *, within: float) -> None:
        """Call `tell`, from a thread, when the parent is gone; the process is killed if it lives `within` s later."""
        if self._connection is not None:
            threading.Thread(target=self._wait, args=(tell, within), name="lifeline", daemon=True).start()

    def say(self, pulse: Pulse) -> None:
        """Never waits: where the parent does not read, it is left out."""
        if self._connection is None:
            return
        self._rest = self._rest or encode(pulse) + b"\n"
        with suppress(OSError):  # full, or the parent is gone, which the waiting thread notices
            sent = self._connection.send(self._rest, socket.MSG_DONTWAIT)
            self._rest = self._rest[sent:]

    def fail(self, error: FrontdeskError | PermissionError) -> None:
        """The last words, for whoever started the process: the parent's to print, if there is one."""
        sentence = f"{error.strerror}: {error.filename}" if isinstance(error, PermissionError) else str(error)
        if self._connection is None:
            print(f"frontdesk worker: {sentence}", file=sys.stderr)  # noqa: T201 - nobody else will
            return
        with suppress(OSError):
            self._connection.settimeout(WORDS_TIMEOUT)
            self._connection.sendall(self._rest + encode(Pulse(failure=sentence)) + b"\n")

    def _wait(self, tell: Callable[[], object], within: float) -> None:
        assert self._connection is not None  # noqa: S101 - the thread is started only then
        with suppress(OSError):
            while self._connection.recv(64):
                pass
        with suppress(RuntimeError):  # the event loop has ended already
            tell()
        time.sleep(within)
        os.kill(os.getpid(), signal.SIGKILL)  # its event loop is blocked, and nobody is left to see that


@asynccontextmanager
async def beating(lifeline: Lifeline, pulse: Callable[[], Pulse]) -> AsyncIterator[Callable[[], None]]:
    """Say how things are about every second inside the block; what it yields says it at once."""

    def say() -> None:
        lifeline.say(pulse())

    async def beat() -> None:
        while True:
            say()
            await asyncio.sleep(BEAT)

    task = asyncio.create_task(beat())
    try:
        yield say
    finally:
        task.cancel()
