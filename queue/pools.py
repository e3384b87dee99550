"""What an address of Redis means: a server, or sentinels that know which server it is; and the connections to it.

    redis://user:password@host:6379/0       rediss://... with TLS       unix:///run/valkey/valkey.sock?db=0
    sentinel://user:password@host:26379,host2:26379/mymaster?db=0       sentinels://... with TLS

User and password are those of the server; those of the sentinels are `sentinel_username` and `sentinel_password`
behind the question mark, where every option of redis-py's connections may stand.
"""

from __future__ import annotations

import asyncio
import re
import socket
from typing import Any
from urllib.parse import urlsplit

from redis.asyncio.connection import (
    AbstractConnection,
    Connection,
    ConnectionPool,
    SSLConnection,
    UnixDomainSocketConnection,
    parse_url,
)
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import (
    Sentinel,
    SentinelConnectionPool,
    SentinelManagedConnection,
    SentinelManagedSSLConnection,
)
from redis.backoff import ExponentialBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ReadOnlyError, RedisError, ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError

CONNECT_TIMEOUT = 5.0  # seconds
ANSWER_TIMEOUT = 10.0  # seconds: the longest that we let a server wait with an answer is 5 s
SENTINEL_TIMEOUT = 2.0  # seconds for a sentinel to be reached, and again to answer: then the next one is asked
SILENCE = 86_400.0  # seconds that a channel may stay silent
RETRIED = [RedisConnectionError, ConnectionError, FileNotFoundError, socket.gaierror]  # what a restart looks like

NOT_AN_ADDRESS = "is not an address; in a password, write other signs than letters and digits as %XX"

_SENTINELS = re.compile(
    r"sentinel(?P<tls>s?)://(?:(?P<user>[^@/?#]*)@)?(?P<hosts>[^@/?#]+)/(?P<service>[\w.-]+)/?(?:\?(?P<query>[^#]*))?",
    re.ASCII,
)
_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[\w.-]+)(?::(\d{1,5}))?", re.ASCII)


class _Loyal(AbstractConnection):
    """Leaves a server that became a replica, and one that does not answer; channels may be silent for long."""

    async def read_response(
        self,
        disable_decoding: bool = False,
        timeout: float | None = None,  # noqa: ASYNC109 - as redis-py declares it
        *,
        disconnect_on_error: bool = True,
        push_request: bool | None = False,
    ) -> Any:
        if push_request and timeout is None:
            timeout = SILENCE
        # redis-py's own `socket_timeout` makes a task of every command that it sends.
        patience = ANSWER_TIMEOUT if timeout is None and self.socket_timeout is None else None
        try:
            async with asyncio.timeout(patience):
                return await super().read_response(
                    disable_decoding=disable_decoding,
                    timeout=timeout,
                    disconnect_on_error=disconnect_on_error,
                    push_request=push_request,
                )
        except TimeoutError:
            raise RedisTimeoutError(f"no answer within {patience} s") from None
        except ResponseError as error:
            if isinstance(error, ReadOnlyError) or "-READONLY " in str(error):  # so before Redis 7, from a script
                await self.disconnect()
                raise RedisConnectionError("the server became a replica") from None
            raise


class _Tcp(_Loyal, Connection): ...


class _Tls(_Loyal, SSLConnection): ...


class _Unix(_Loyal, UnixDomainSocketConnection): ...


class _Led(_Loyal, SentinelManagedConnection): ...  # type: ignore[misc]  # redis-py types one flag in two ways


class _LedTls(_Loyal, SentinelManagedSSLConnection): ...  # type: ignore[misc]  # likewise


DIRECT = {"redis": _Tcp, "rediss": _Tls, "unix": _Unix}


class _Pool(ConnectionPool):
    """Opens connections side by side: redis-py's own does so one after the other, each waiting for the time-outs of
    those before it.

    Nor does it read from a connection before each command, in a task of events that costs more than the command: what
    was closed while it lay here shows when it is used, and is then opened and used again.
    """

    async def ensure_connection(self, connection: AbstractConnection) -> None:
        await connection.connect()  # type: ignore[no-untyped-call]  # redis-py

    async def get_connection(self, command_name: Any = None, *keys: Any, **options: Any) -> AbstractConnection:
        connection: AbstractConnection = self.get_available_connection()  # type: ignore[no-untyped-call]  # redis-py
        try:
            await self.ensure_connection(connection)
        except BaseException:
            await self.release(connection)
            raise
        return connection


class _LedPool(_Pool, SentinelConnectionPool):
    """Asks the sentinels for the primary whenever it opens a connection."""

    async def disconnect(self, inuse_connections: bool = True) -> None:
        await super().disconnect(inuse_connections)
        if inuse_connections:  # the pool is closed
            for sentinel in self.sentinel_manager.sentinels:
                await sentinel.aclose()


def pool(url: str) -> ConnectionPool:
    """The pool of connections that an address means; nothing is opened yet.

    Raises ValueError with a sentence to stand behind the setting's name, which quotes nothing of the address.
    """
    made = _led(url) if url.startswith(("sentinel:", "sentinels:")) else _direct(url)
    try:
        connection = made.make_connection()  # type: ignore[no-untyped-call]  # only made, for its checks
    except (ValueError, TypeError, AttributeError, RedisError):
        raise ValueError("ends in an option that the Redis library does not know or take") from None
    if isinstance(connection, SSLConnection):
        try:
            connection.ssl_context.get()
        except (ValueError, TypeError, OSError):
            raise ValueError("ends in ssl_ options whose files cannot be read, or whose values are not known") from None
    return made


def _direct(url: str) -> ConnectionPool:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:  # the library's own words would quote it, and with it a password
        raise ValueError(NOT_AN_ADDRESS) from None
    if parts.scheme not in DIRECT:
        raise ValueError("must begin with redis://, rediss://, unix://, sentinel:// or sentinels://")
    if parts.scheme == "unix" and not parts.path:
        raise ValueError("must name a socket, such as unix:///run/valkey/valkey.sock")
    options = _options(url)
    options = _defaults(parts.scheme, options) | options | {"connection_class": DIRECT[parts.scheme]}
    return _Pool(**options)


def _led(url: str) -> ConnectionPool:
    match = _SENTINELS.fullmatch(url)
    hosts = [_HOST.fullmatch(host) for host in match["hosts"].split(",")] if match else []
    if not match or not all(host and int(host[2] or 0) <= 65_535 for host in hosts):
        raise ValueError(
            "must be like sentinel://user:password@host:26379,host2:26379/mymaster; in a password, write other signs"
            " than letters and digits as %XX"
        )
    scheme, user = "rediss" if match["tls"] else "redis", f"{match['user']}@" if match["user"] else ""
    options = _options(f"{scheme}://{user}localhost/?{match['query'] or ''}")
    del options["host"]
    own = {name: options.pop(f"sentinel_{name}", None) for name in ("username", "password")}
    options = _defaults(scheme, options) | options
    encryption = {name: value for name, value in options.items() if name.startswith("ssl_")}
    try:
        leading = Sentinel(  # type: ignore[no-untyped-call]
            [(host[1].strip("[]"), int(host[2] or 26379)) for host in hosts if host],
            sentinel_kwargs={
                **own, **encryption, "ssl": bool(match["tls"]),
                "socket_connect_timeout": SENTINEL_TIMEOUT, "socket_timeout": SENTINEL_TIMEOUT,
            },
        )  # fmt: skip
    except TypeError:
        raise ValueError("ends in an ssl_ option that the Redis library does not know") from None
    options |= {"connection_class": _LedTls if match["tls"] else _Led}
    return _LedPool(match["service"], leading, **options)  # type: ignore[no-untyped-call]


def _options(url: str) -> dict[str, Any]:
    """What redis-py reads from an address."""
    try:
        return dict(parse_url(url))
    except ValueError as error:
        known = str(error).startswith("Invalid value for")
        sentence = "ends in an option that the Redis library does not know or take" if known else NOT_AN_ADDRESS
        raise ValueError(sentence) from None


def _defaults(scheme: str, given: dict[str, Any]) -> dict[str, Any]:
    """Ours, in place of redis-py's; what the address says stays.

    A dropped connection is tried again at once and twice more (under 0.5 s): every script tolerates being sent twice;
    at worst a limit is charged twice, or a claimed job waits for the end of its lease. What took too long is not tried
    again. (redis-py's own health checks stay off: where the server asks for a password, they try again for ever.)
    """
    ours: dict[str, Any] = {
        "socket_connect_timeout": CONNECT_TIMEOUT,
        "retry": Retry(ExponentialBackoff(cap=0.2, base=0.05), 3, supported_errors=(RedisConnectionError,)),
        "retry_on_error": RETRIED,
    }
    if scheme != "unix":
        ours |= {"socket_keepalive": True, "socket_keepalive_options": _keepalive()}
    if scheme == "rediss":  # redis-py 5 takes any host's certificate
        ours["ssl_check_hostname"] = given.get("ssl_cert_reqs") != "none"
    return {name: value for name, value in ours.items() if name not in given}


def _keepalive() -> dict[int, int]:
    """A host that vanished without a word is noticed after a minute, where the system lets us say so."""
    wanted = {"TCP_KEEPIDLE": 30, "TCP_KEEPINTVL": 10, "TCP_KEEPCNT": 3}
    return {getattr(socket, name): value for name, value in wanted.items() if hasattr(socket, name)}
