"""Sends one webhook: signed, to the address that was checked, and without trusting what answers."""

from __future__ import annotations

import asyncio
import base64
import hmac
import ssl
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlunsplit

import httpcore
import structlog

from frontdesk.gallery.webhook_addresses import ForbiddenAddressError, Resolve, checked, parsed, port_of, resolve
from frontdesk.queue.errors import UserError

log = structlog.get_logger()

CONNECT, ANSWER = 5.0, 10.0  # seconds
ALL = 30.0  # seconds of one sending, however slowly its answer drips


class Pinned(httpcore.AsyncNetworkBackend):
    """Connects to an address that was resolved and checked here; TLS and Host go on with the name. Nobody resolves the
    name a second time, so that it cannot lead elsewhere by then."""

    def __init__(self, resolved: Resolve, *, private: bool) -> None:
        self._resolve = resolved
        self._private = private
        self._network = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the library's own signature
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        try:
            addresses = checked(await self._resolve(host, port), private=self._private)
        except (OSError, ValueError, UnicodeError) as error:
            raise httpcore.ConnectError(type(error).__name__) from error
        for address in addresses[:-1]:
            try:
                return await self._network.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        return await self._network.connect_tcp(addresses[-1], port, timeout, local_address, socket_options)

    async def connect_unix_socket(self, *_: Any, **__: Any) -> httpcore.AsyncNetworkStream:
        raise httpcore.ConnectError("not a socket of this machine")


class Sender:
    """private: whether addresses of private networks, and plain http, are taken: for tests and labs."""

    def __init__(
        self, *, private: bool = False, resolved: Resolve = resolve, trust: ssl.SSLContext | None = None
    ) -> None:
        self.private = private
        self._resolve = resolved
        self._trust = trust

    async def send(self, url: str, body: bytes, *, message: str, at: float, secret: str) -> int | None:
        """Post it once; the answer's status, or None where there was no answer. `at` in Unix seconds.

        Redirects are not followed: where they lead was not checked. Nothing of the surroundings (a proxy) is used.
        """
        try:
            parts = parsed(url, private=self.private)
        except UserError:
            return None
        headers = [
            ("Host", parts.netloc),
            ("Content-Type", "application/json"),
            ("User-Agent", "Frontdesk"),
            ("webhook-id", message),
            ("webhook-timestamp", str(int(at))),
            ("webhook-signature", signature(secret, message, int(at), body)),
        ]
        target = urlunsplit(parts._replace(netloc=f"{_bracketed(parts.hostname or '')}:{port_of(parts)}"))
        pool = httpcore.AsyncConnectionPool(
            ssl_context=self._trust,
            http2=False,
            max_keepalive_connections=0,
            network_backend=Pinned(self._resolve, private=self.private),
        )
        limits = {"connect": CONNECT, "read": ANSWER, "write": ANSWER, "pool": CONNECT}
        try:
            async with (
                asyncio.timeout(ALL),
                pool,
                pool.stream("POST", target, headers=headers, content=body, extensions={"timeout": limits}) as answer,
            ):
                return int(answer.status)  # its body is left where it is: the connection is closed
        except (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError, OSError, ValueError) as error:
            reason = error.__cause__ if isinstance(error.__cause__, ForbiddenAddressError) else error
            log.info("a webhook could not be sent", error=type(reason).__name__)
            return None


def signature(secret: str, message: str, at: int, body: bytes) -> str:
    """As Standard Webhooks has it: "v1," and base64 of HMAC-SHA256 over "ID.TIMESTAMP.BODY"; the secret is "whsec_" and
    base64."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = hmac.digest(key, f"{message}.{at}.".encode() + body, "sha256")
    return "v1," + base64.b64encode(signed).decode()


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
