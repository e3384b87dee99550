"""What holds for every request and every answer, whatever page it is: where it came from, how large it may be, and what
a browser may do with what it gets.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from urllib.parse import urlsplit

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from frontdesk.gallery.errors import API, error_page
from frontdesk.gallery.static_files import PATH as STATIC
from frontdesk.gallery.visitors import visitor_of
from frontdesk.gallery.website import Site
from frontdesk.queue.logs import frames

log = structlog.get_logger()

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
BODY = 1_000_000  # bytes of a request, where no page takes more
PATIENCE = 30.0  # seconds for the next piece of a request's body
YEAR = 31_536_000

Room = Callable[[str], int]
"""Bytes that a request may have, by its path."""


class Guard:
    """The outermost part of the application. room: see `Room`."""

    def __init__(self, app: ASGIApp, site: Site, room: Room = lambda path: BODY) -> None:
        self._app = app
        self._site = site
        self._room = room

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        # One of its own: a server hands the same one to all.
        scope["state"] = dict(scope.get("state") or {}) | {"nonce": secrets.token_urlsafe(16)}
        answering = _Answering(self._site, scope, send)
        try:
            if refused := self._refused(scope):
                await error_page(self._site, Request(scope), *refused)(scope, receive, answering.send)
            else:
                await self._app(scope, _limited(receive, self._room(scope["path"])), answering.send)
        except Exception as error:
            # TRY400: an error's own words may quote what somebody wrote.
            log.error(  # noqa: TRY400
                "a page failed", path=_route(scope), error=type(error).__name__, frames=frames(error)
            )
            if answering.begun:
                raise
            await error_page(self._site, Request(scope), 500)(scope, receive, answering.send)

    def _refused(self, scope: Scope) -> tuple[int, str] | None:
        """Status and sentence for what is not let in."""
        headers, method, path = Headers(scope=scope), scope["method"], scope["path"]
        if headers.get("host", "").lower() not in self._site.hosts:
            return 421, f"This desk is at {self._site.base}."
        length = headers.get("content-length", "0")
        if not (length.isascii() and length.isdigit()) or int(length[:18]) > self._room(path):
            return 413, "That is more than this page takes."
        if method not in SAFE and not path.startswith(API) and not self._from_here(headers):
            return 403, "That request came from another site, and nothing was done."
        return None

    def _from_here(self, headers: Headers) -> bool:
        """Whether the page that asks is one of ours. Browsers say it with every request that changes something."""
        if (origin := headers.get("origin")) is not None:
            parts = urlsplit(origin)
            secure = parts.scheme == ("https" if self._site.secure else "http")
            return secure and parts.netloc.lower() in self._site.hosts
        return headers.get("sec-fetch-site", "same-origin") == "same-origin"


class _Answering:
    """Passes an answer on, with the headers that all have."""

    def __init__(self, site: Site, scope: Scope, send: Send) -> None:
        self._site = site
        self._scope = scope
        self._send = send
        self.begun = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.begun = True
            self._complete(MutableHeaders(scope=message))
        await self._send(message)

    def _complete(self, headers: MutableHeaders) -> None:
        state, secure = self._scope["state"], self._site.secure
        if "content-security-policy" not in headers:  # the HTTP door's own are narrower
            headers["Content-Security-Policy"] = (
                SANDBOX
                if state.get("sandboxed")
                else policy(state["nonce"], secure=secure, viewer_3d=bool(state.get("viewer_3d")))
            )
        headers["X-Content-Type-Options"] = "nosniff"
        headers["X-Frame-Options"] = "DENY"
        headers.setdefault("Referrer-Policy", "same-origin")
        headers["Cross-Origin-Opener-Policy"] = "same-origin"
        headers["Cross-Origin-Resource-Policy"] = "same-origin"
        headers["Permissions-Policy"] = PERMISSIONS
        if secure:
            headers["Strict-Transport-Security"] = f"max-age={YEAR}"
        if "cache-control" not in headers:
            known = visitor_of(Request(self._scope)).session is not None
            headers["Cache-Control"] = "private, no-store" if known else "no-cache"
        if not self._scope["path"].startswith(STATIC):
            headers.add_vary_header("Cookie")
        for cookie in state.get("cookies", ()):
            headers.append("Set-Cookie", cookie)


PERMISSIONS = ", ".join(
    f"{feature}=()"
    for feature in ("camera", "display-capture", "geolocation", "gyroscope", "magnetometer", "microphone", "payment",
                    "usb", "xr-spatial-tracking")
)  # fmt: skip


SANDBOX = "default-src 'none'; sandbox"  # of what a user made, which is never a page of ours
VIEWER_STYLE = "'sha256-PXtZZkJMMyc18o/DN1ZEFOJ2qEGq95IQbVaJFMOXOb0='"  # of the style sheet in model-viewer 4.4.0


def policy(nonce: str, *, secure: bool, viewer_3d: bool = False) -> str:
    """The content security policy (W3C, CSP 3) of one answer.

    Scripts and styles are files of ours, or carry the nonce. `viewer_3d`: for a page with the 3D viewer, which decodes
    in WebAssembly and in a worker of its own.
    """
    rules = {
        "default-src": "'self'",
        "script-src": f"'self' 'nonce-{nonce}'" + (" 'wasm-unsafe-eval'" if viewer_3d else ""),
        "style-src": f"'self' 'nonce-{nonce}'" + (f" {VIEWER_STYLE}" if viewer_3d else ""),
        "img-src": "'self' blob: data:",
        "connect-src": "'self'" + (" blob: data:" if viewer_3d else ""),
        "worker-src": "'self'" + (" blob:" if viewer_3d else ""),
        "object-src": "'none'",
        "base-uri": "'none'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
    }
    every = [f"{name} {value}" for name, value in rules.items()]
    return "; ".join([*every, "upgrade-insecure-requests"] if secure else every)


def _limited(receive: Receive, room: int) -> Receive:
    """The request's pieces, up to so many bytes. Raises HTTPException, which becomes a page."""
    taken, ended = 0, False

    async def limited() -> Message:
        nonlocal taken, ended
        if ended:  # what comes now is that the browser went away
            return await receive()
        try:
            async with asyncio.timeout(PATIENCE):
                message = await receive()
        except TimeoutError:
            raise HTTPException(408) from None
        taken += len(message.get("body", b""))
        ended = not message.get("more_body", False)
        if taken > room:
            raise HTTPException(413)
        return message

    return limited


def _route(scope: Scope) -> str:
    """The page's pattern, and not its address, which may hold a secret."""
    return str(getattr(scope.get("route"), "path", "?"))
