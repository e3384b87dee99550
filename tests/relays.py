"""A way to a server that a test can lead elsewhere, or through TLS."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress


class Relay:
    """Forwards each new connection to the `target` port of this machine; those that are open stay where they are."""

    def __init__(self, target: int) -> None:
        self.target = target
        self.port = 0

    async def forward(self, reading: asyncio.StreamReader, writing: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.CancelledError):  # the test is over
            back, forth = await asyncio.open_connection("127.0.0.1", self.target)
            await asyncio.gather(_pour(reading, forth), _pour(back, writing))
        writing.close()


async def _pour(reading: asyncio.StreamReader, writing: asyncio.StreamWriter) -> None:
    try:
        while data := await reading.read(65536):
            writing.write(data)
            await writing.drain()
    finally:
        writing.close()


@asynccontextmanager
async def relay(target: int, tls: ssl.SSLContext | None = None) -> AsyncIterator[Relay]:
    """A relay on a free port, which speaks TLS if it is given a certificate."""
    made = Relay(target)
    async with await asyncio.start_server(made.forward, "127.0.0.1", 0, ssl=tls) as listening:
        made.port = listening.sockets[0].getsockname()[1]
        yield made
