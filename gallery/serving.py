"""Serves an application with uvicorn, and ends it without waiting for streams that never end."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import structlog
import uvicorn
from starlette.types import ASGIApp

from frontdesk.queue.errors import ConfigurationError

log = structlog.get_logger()

GRACE = 5  # seconds that answers get to come to their end
BACKLOG = 512
AT_ONCE = 1000  # connections; more are told to come again


class _Server(uvicorn.Server):
    """Leaves signals to whoever started it."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def bound(listen: str) -> socket.socket:
    """A socket that listens at "127.0.0.1:8080". Raises ConfigurationError where one cannot."""
    host, _, port = listen.rpartition(":")
    host = host.strip("[]")
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        made = socket.create_server((host, int(port)), family=family, backlog=BACKLOG)
    except OSError as error:
        # The first without an address in it; a name that nobody knows has the second alone.
        why = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror
        raise ConfigurationError(f"FRONTDESK_WEB_LISTEN is {listen}, where one cannot listen: {why}.") from None
    made.setblocking(False)
    return made


@asynccontextmanager
async def served(app: ASGIApp, listening: socket.socket, closing: asyncio.Event) -> AsyncIterator[asyncio.Task[None]]:
    """Answer inside the block; yields the task that does. `closing` is set first at the end, and streams heed it."""
    config = uvicorn.Config(
        app,
        lifespan="off",
        ws="none",
        # Without a log of accesses: an address may hold the secret of a link.
        access_log=False,
        log_config=None,
        server_header=False,
        # The address of whoever asks is not used, so nobody need be believed about it.
        proxy_headers=False,
        timeout_graceful_shutdown=GRACE,
        limit_concurrency=AT_ONCE,
    )
    server = _Server(config)
    task = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        yield task
    finally:
        closing.set()
        server.should_exit = True
        await task
        listening.close()
