"""The process that keeps the embedded Valkey: `python -m frontdesk.queue.keeper DATA_DIR`, started by `embedded`.

It starts the server, starts it again should it die, and ends it when the last user is gone. A user is a connection:
the one on standard input (whoever started this process) and those to `keeper.sock`. It does not answer SIGTERM, so that
where a whole group of processes is told to end, its users can still write down what they did.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from frontdesk.queue.embedded import (
    BUSY_EXIT,
    GOODBYE,
    KEEPER_SOCKET,
    READY,
    SERVER_SOCKET,
    START_SECONDS,
    STOP_SECONDS,
    Home,
    find_program,
    fits_socket,
)
from frontdesk.queue.errors import FrontdeskError

MAX_LOG_BYTES = 1_000_000
RESTART_PAUSE = 1.0  # seconds between two starts, so that a server that cannot live does not spin
PR_SET_PDEATHSIG = 1  # <linux/prctl.h>


class Keeper:
    """Keeps the server of one folder. `lock` is the folder's lock file, held."""

    def __init__(self, home: Home, lock: IO[bytes]) -> None:
        self._home = home
        self._lock = lock
        self._folder = socket_folder(home)
        self._started_at = -RESTART_PAUSE
        self._selector = selectors.DefaultSelector()
        self._users: set[socket.socket] = set()

    def run(self, first: socket.socket) -> None:
        """Keep the server until the last user is gone. Raises FrontdeskError if it does not start."""
        with self._child_exits(), self._door():
            server = self._start_server()
            self._welcome(first)
            while self._users:
                for key, _ in self._selector.select():
                    react: Callable[[], object] = key.data
                    react()
                if self._users and server.poll() is not None:
                    say(f"the server ended with status {server.returncode}; starting it again")
                    server = self._start_server()
        # The door is closed: who comes from now on starts another server after this one.
        end(server)
        self._remove_sockets()

    @contextmanager
    def _child_exits(self) -> Iterator[None]:
        """Let the end of the server wake `select`."""
        reading, writing = socket.socketpair()
        with reading, writing:
            reading.setblocking(False)
            writing.setblocking(False)
            signal.set_wakeup_fd(writing.fileno(), warn_on_full_buffer=False)
            signal.signal(signal.SIGCHLD, lambda *_: None)
            self._selector.register(reading, selectors.EVENT_READ, lambda: reading.recv(4096))
            yield
            signal.set_wakeup_fd(-1)

    @contextmanager
    def _door(self) -> Iterator[None]:
        """Listen for users."""
        path = self._folder / KEEPER_SOCKET
        path.unlink(missing_ok=True)  # left by a keeper that was killed; the lock says that it is gone
        with socket.socket(socket.AF_UNIX) as door:
            door.bind(str(path))
            door.listen(128)
            self._selector.register(door, selectors.EVENT_READ, lambda: self._welcome(door.accept()[0]))
            yield
            path.unlink(missing_ok=True)

    def _welcome(self, user: socket.socket) -> None:
        self._users.add(user)
        self._selector.register(user, selectors.EVENT_READ, lambda: self._dismiss(user))
        with suppress(OSError):  # gone already: select will tell
            user.sendall(READY)

    def _dismiss(self, user: socket.socket) -> None:
        """A user never sends anything: what can be read is its end."""
        self._selector.unregister(user)
        self._users.remove(user)
        if not self._users:
            user.detach()  # stays open until this process ends, which is what the last user waits for
            return
        with user, suppress(OSError):
            user.sendall(GOODBYE)

    def _start_server(self) -> subprocess.Popen[bytes]:
        """The server, answering. Raises FrontdeskError if it ends before that or takes too long."""
        time.sleep(max(0.0, self._started_at + RESTART_PAUSE - time.monotonic()))
        self._started_at = time.monotonic()
        server = subprocess.Popen(  # noqa: S603 (our own program and options)
            self._command(),
            stdin=subprocess.DEVNULL,
            cwd=self._home.path,
            env={"LC_ALL": "C"},  # none of our secrets, and no locale that this machine lacks
            pass_fds=[self._lock.fileno()],  # the folder stays locked until keeper and server are both gone
            preexec_fn=end_with_parent(),
        )
        while time.monotonic() < self._started_at + START_SECONDS:
            if answers(self._folder / SERVER_SOCKET):
                return server
            with suppress(subprocess.TimeoutExpired):
                raise FrontdeskError(f"the server ended with status {server.wait(0.01)}")
        end(server)
        raise FrontdeskError(f"the server did not answer within {START_SECONDS:.0f} s")

    def _command(self) -> list[str]:
        options = {
            "dir": str(self._home.path),
            "port": "0",
            "unixsocket": str(self._folder / SERVER_SOCKET),
            "unixsocketperm": "700",
            "pidfile": str(self._home.pid),
            "daemonize": "no",
            "appendonly": "yes",
            "appendfsync": "everysec",
            "hash-max-listpack-value": "1024",  # a job's hash stays compact with its reply address in it
            "save": "",  # the append-only file is the whole persistence
            "maxmemory-policy": "noeviction",
        }
        return [str(find_program()), *(part for name, value in options.items() for part in (f"--{name}", value))]

    def _remove_sockets(self) -> None:
        (self._folder / SERVER_SOCKET).unlink(missing_ok=True)
        if self._folder != self._home.path:
            self._home.pointer.unlink(missing_ok=True)
            with suppress(OSError):
                self._folder.rmdir()


def socket_folder(home: Home) -> Path:
    """The folder for the sockets, private to this user; made and pointed to if it has to be a short one elsewhere.

    Raises FrontdeskError where no folder with a short enough path can be had.
    """
    if (folder := home.sockets()) is not None:
        return folder
    for base in (tempfile.gettempdir(), "/tmp"):  # noqa: S108 (mkdtemp makes a private folder of an unguessable name)
        with suppress(OSError):
            made = Path(tempfile.mkdtemp(prefix="frontdesk-", dir=base))
            if fits_socket(made):
                draft = home.pointer.with_suffix(".new")
                draft.write_text(str(made), "utf-8")
                draft.replace(home.pointer)
                return made
            made.rmdir()
    raise FrontdeskError(f"the path {home.path} is too long for a socket, and so is the temporary folder's")


def answers(path: Path) -> bool:
    """Whether a server at this socket takes commands: one that still reads its data says LOADING instead."""
    with socket.socket(socket.AF_UNIX) as connection, suppress(OSError):
        connection.settimeout(1.0)
        connection.connect(str(path))
        connection.sendall(b"PING\r\n")
        return connection.recv(64).startswith(b"+PONG")
    return False


def end(server: subprocess.Popen[bytes]) -> None:
    """End the server: it writes its append-only file to the disk first."""
    server.terminate()
    try:
        server.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        say("the server does not end; killing it")
        server.kill()
        server.wait()


def end_with_parent() -> Callable[[], None] | None:
    """What a child of this process runs first, so that it gets SIGTERM when this process dies. Linux only.

    Elsewhere a killed keeper leaves its server behind, which holds the folder's lock: a later start says so.
    """
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None)  # loaded here, as little as possible being safe between fork and exec
    keeper = os.getpid()

    def prepare() -> None:
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != keeper:
            os._exit(1)

    return prepare


def say(sentence: str) -> None:
    """Write to the log, which standard output is."""
    sys.stdout.write(f"keeper {os.getpid()}: {sentence}\n")
    sys.stdout.flush()


def main(data_dir: str) -> int:
    """Keep the server of a data folder. The status is BUSY_EXIT if another keeper, or its server, holds the folder."""
    home = Home(Path(data_dir))
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with home.lock.open("ab") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return BUSY_EXIT
        if home.log.stat().st_size > MAX_LOG_BYTES:
            os.truncate(home.log, 0)
        try:
            Keeper(home, lock).run(socket.socket(fileno=os.dup(0)))
        except (FrontdeskError, OSError) as error:
            say(str(error))
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
