"""Frontdesk as its users run it: real processes, on the embedded server, in a folder that is thrown away."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Ran:
    status: int
    out: str
    err: str


class House:
    """Processes with one environment. `folder` is their data folder."""

    def __init__(self, folder: Path, url: str, environment: Mapping[str, str]) -> None:
        self.folder = folder
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("FRONTDESK_")},
            "FRONTDESK_REDIS_URL": url,
            "FRONTDESK_DATA_DIR": str(folder),
            "FRONTDESK_LOG_FORMAT": "json",
            **environment,
        }
        self.logs: list[Path] = []

    async def run(self, *arguments: str, within: float = 60.0, stdin: bytes = b"") -> Ran:
        """A command to its end."""
        process = await asyncio.create_subprocess_exec(
            *_command(arguments),
            env=self.environment,
            cwd=self.folder,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            async with asyncio.timeout(within):
                out, err = await process.communicate(stdin)
        except BaseException:
            process.kill()
            await process.wait()
            raise
        return Ran(process.returncode or 0, out.decode(), err.decode())

    @asynccontextmanager
    async def service(self, *arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
        """A command that runs as long as the block, and is then told to stop."""
        log = self.folder / f"{arguments[0]}-{len(self.logs)}.log"
        self.logs.append(log)
        with log.open("wb") as output:
            process = await asyncio.create_subprocess_exec(
                *_command(arguments), env=self.environment, cwd=self.folder, stdout=output, stderr=output
            )
        try:
            yield process
        finally:
            if process.returncode is None:
                process.send_signal(signal.SIGTERM)
                try:
                    async with asyncio.timeout(30):
                        await process.wait()
                except TimeoutError:
                    process.kill()
                    await process.wait()
                    raise

    @property
    def logged(self) -> str:
        return "\n".join(log.read_text() for log in self.logs)


def _command(arguments: tuple[str, ...]) -> list[str]:
    return [sys.executable, "-m", "frontdesk.bots.cli", *arguments]
