"""Other parts of Frontdesk as processes of their own: started with what they need, and never left behind."""

from __future__ import annotations

import asyncio
import re
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from collections.abc import Callable, Mapping
from contextlib import suppress
from importlib.util import find_spec

from frontdesk.queue.errors import ConfigurationError
from frontdesk.queue.keeper import end_with_parent

WORKER = "frontdesk.worker.main"
RECORDER = "frontdesk.history.main"
CALIBRATION = "frontdesk.worker.calibrate"
FRONT = "frontdesk.bots.cli"
WEB = "frontdesk.gallery.main"
# What the worker imports; looked up and not imported, since this process has no use for them.
WORKER_NEEDS = ("torch", "transformers", "accelerate", "safetensors", "gguf", "psutil")
DISCORD_NEEDS = ("discord",)
TELEGRAM_NEEDS = ("telegram",)
WEB_NEEDS = ("fastapi", "uvicorn", "jinja2", "python_multipart")

LEAVE = 15.0  # seconds a child gets to end, beyond those that a worker gives its running jobs
HURRY = 3.0  # seconds it gets when it was asked twice
CONFIGURATION_STATUS = 2
OWN_NAME = re.compile(r"^frontdesk[a-z ]*: ")  # what each puts before the sentence with which it ends


def command(module: str, *arguments: str) -> list[str]:
    """Runs a module of ours with this Python; -P keeps the current folder's files from being taken for modules."""
    return [sys.executable, "-P", "-m", module, *arguments]


def lacking_of(packages: tuple[str, ...]) -> list[str]:
    """Those that are not installed."""
    return [name for name in packages if find_spec(name) is None]


def need(packages: tuple[str, ...], extra: str) -> None:
    """Raises ConfigurationError with what to install where one is missing."""
    if lacking := lacking_of(packages):
        raise ConfigurationError(f"{', '.join(lacking)} is not installed. Run: pip install 'frontdesk[{extra}]'")


class Child:
    """A running process of ours. What it prints goes to `line`, line by line; the last one stays in `last`."""

    def __init__(self, process: Process, line: Callable[[bytes], None]) -> None:
        self._process = process
        self._line = line
        self.last = ""
        self._reading = asyncio.create_task(self._read())

    @classmethod
    async def start(cls, words: list[str], environment: Mapping[str, str], line: Callable[[bytes], None]) -> Child:
        """Start it in a process group of its own, so that Ctrl-C reaches this process alone, which then ends it."""
        process = await asyncio.create_subprocess_exec(
            *words,
            stdin=DEVNULL,
            stdout=PIPE,
            stderr=STDOUT,
            env=dict(environment),
            process_group=0,
            preexec_fn=end_with_parent(),
        )
        return cls(process, line)

    async def wait(self) -> int:
        """Its exit status, once all it printed was passed on."""
        await asyncio.shield(self._reading)
        return await self._process.wait()

    async def stop(self, grace: float = LEAVE) -> None:
        """Ask it to end, and kill it after `grace` seconds."""
        with suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(grace):
                await self._process.wait()
        except TimeoutError:
            self.kill()
        finally:
            if self._process.returncode is None:
                self.kill()
        await self.wait()

    def hurry(self) -> None:
        """Ask it once more, which a worker understands as at once, and kill it soon."""
        with suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGTERM)
        asyncio.get_running_loop().call_later(HURRY, self.kill)

    def kill(self) -> None:
        with suppress(ProcessLookupError):
            self._process.kill()

    async def _read(self) -> None:
        stream, rest = self._process.stdout, b""
        assert stream is not None  # noqa: S101 - it was asked for at the start
        while chunk := await stream.read(65536):
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                self._pass_on(line)
        if rest:
            self._pass_on(rest)

    def _pass_on(self, line: bytes) -> None:
        if line.strip():
            self.last = line.decode("utf-8", "replace").strip()
        self._line(line)
