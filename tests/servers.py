"""Real servers that a test starts, stops, kills and starts again."""

from __future__ import annotations

import signal
import socket
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Self

# What a server says last before it takes commands, and what a sentinel says.
READY = ("Ready to accept connections", "+monitor master")


class Server:
    """One server, or one sentinel, on a free port of this machine and, where `options` say so, on a socket.

    `options` are lines of its configuration, where {port} is its port; a list gives one name several times. Its files
    lie in `folder`.
    """

    def __init__(
        self,
        program: Path,
        folder: Path,
        options: Mapping[str, str | list[str]] | None = None,
        *,
        sentinel: bool = False,
    ) -> None:
        self.port = free_port()
        self.folder = folder
        self._command = [str(program), str(folder / "server.conf"), *(["--sentinel"] if sentinel else [])]
        self._socket = (options or {}).get("unixsocket")
        self._process: subprocess.Popen[str] | None = None
        folder.mkdir(parents=True, exist_ok=True)
        given = {"port": str(self.port), "bind": "127.0.0.1", "dir": str(folder), "appendonly": "yes", "save": '""'}
        if sentinel:
            given = {name: given[name] for name in ("port", "bind", "dir")}
        lines = [
            f"{name} {value}\n".replace("{port}", str(self.port))
            for name, values in {**given, **(options or {})}.items()
            for value in ([values] if isinstance(values, str) else values)
        ]
        (folder / "server.conf").write_text("".join(lines), "utf-8")

    @property
    def url(self) -> str:
        return f"unix://{self._socket}" if self._socket else f"redis://127.0.0.1:{self.port}"

    def start(self, *more: str, until: tuple[str, ...] = READY) -> Self:
        """Start it, or start it again with what it kept; returns when it takes commands, or has said one of `until`."""
        self._process = subprocess.Popen(
            [*self._command, *more], cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        assert self._process.stdout is not None
        said = []
        for line in self._process.stdout:
            said.append(line)
            if any(words in line for words in until):
                return self
        raise AssertionError("".join(said))

    def signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def kill(self) -> None:
        """End it without a word, wherever it stands; nothing happens to one that has ended."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.kill()


def free_port() -> int:
    """A port that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
