"""Serves the files of a store that lies in a folder, to whoever has a signed address, and nothing else to nobody."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from aiohttp import hdrs, web

from frontdesk.bots.links import BadLinkError, ExpiredLinkError, Links
from frontdesk.queue.artifacts import ArtifactStore
from frontdesk.queue.errors import ConfigurationError, FileGoneError, StoreError

log = structlog.get_logger()

GONE = "This link has ended."
NOTHING = "Nothing is here."


@asynccontextmanager
async def served(listen: str, links: Links, store: ArtifactStore) -> AsyncIterator[str]:
    """Answer at `listen` inside the block, with ranges, so that a download that broke off can go on.

    Yields the address, with the port that the system chose for port 0. Several bots on one machine share the port: they
    have one key and one store. Raises ConfigurationError.
    """

    async def give(request: web.Request) -> web.StreamResponse:
        info = request.match_info
        try:
            artifact = links.read(info["job"], info["sha256"], info["name"], request.query)
            path = await asyncio.to_thread(store.path, artifact)
        except ExpiredLinkError:
            return web.Response(status=410, text=GONE)
        except (BadLinkError, FileGoneError, StoreError):
            return await nothing(request)
        if path is None:
            return await nothing(request)
        name = {hdrs.CONTENT_DISPOSITION: f'attachment; filename="{artifact.name}"'}
        return web.FileResponse(path, headers={hdrs.CONTENT_TYPE: artifact.media_type, **name})

    async def nothing(_: web.Request) -> web.Response:
        return web.Response(status=404, text=NOTHING)

    app = web.Application()
    app.on_response_prepare.append(_guarded)
    app.router.add_get(f"{links.path}/{{job}}/{{sha256}}/{{name}}", give)
    app.router.add_route("*", "/{anything:.*}", nothing)
    # Without a log of accesses: an address is as good as the file.
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    host, _, port = listen.rpartition(":")
    try:
        await web.TCPSite(runner, host.strip("[]"), int(port), reuse_port=hasattr(socket, "SO_REUSEPORT")).start()
    except OSError as error:
        await runner.cleanup()
        raise ConfigurationError(
            f"FRONTDESK_FILES_LISTEN is {listen}, where one cannot listen: {error.strerror}."
        ) from None
    try:
        address = f"http://{host}:{runner.addresses[0][1]}"
        log.info("files are served", listen=listen)
        yield address
    finally:
        await runner.cleanup()


async def _guarded(_: web.Request, response: web.StreamResponse) -> None:
    """What a user made is never shown as a page, nor kept by a cache between."""
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers[hdrs.CACHE_CONTROL] = "private, no-store"
    response.headers[hdrs.SERVER] = "frontdesk"
