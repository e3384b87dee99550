"""One way to open Redis, for every process."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import Any, TypeVar, cast

import structlog
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

from frontdesk.queue.errors import ConfigurationError

log = structlog.get_logger()
T = TypeVar("T")

CONNECT_TIMEOUT = 5.0  # seconds
LOST = (RedisError, OSError)
"""What a caller sees when Redis is away or refuses."""


def client(url: str) -> Redis:
    """A client with a pool of its own. A dropped connection is tried again at once and twice more (under 0.5 s):
    every script tolerates being sent twice; at worst a limit is charged twice. (redis-py's own health checks stay
    off: where the server asks for a password, they try again for ever.)"""
    options: dict[str, Any] = {}
    if not url.startswith("unix:"):
        options = {"socket_keepalive": True, "socket_keepalive_options": _keepalive()}
    redis: Redis = Redis.from_url(
        url,
        **options,
        socket_connect_timeout=CONNECT_TIMEOUT,
        retry=Retry(ExponentialBackoff(cap=0.2, base=0.05), 3),
        retry_on_error=[RedisConnectionError, RedisTimeoutError, OSError],  # OSError: refused while it restarts
    )
    return redis


def _keepalive() -> dict[int, int]:
    """A host that vanished without a word is noticed after a minute, where the system lets us say so."""
    wanted = {"TCP_KEEPIDLE": 30, "TCP_KEEPINTVL": 10, "TCP_KEEPCNT": 3}
    return {getattr(socket, name): value for name, value in wanted.items() if hasattr(socket, name)}


def answer(call: Awaitable[T] | T) -> Awaitable[T]:
    """redis-py types one method for its blocking and its asyncio client; ours is always the second."""
    return cast(Awaitable[T], call)


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[Redis]:
    redis = client(url)
    try:
        yield redis
    finally:
        await redis.aclose()


async def check(redis: Redis) -> None:
    """Raises ConfigurationError with one line, free of secrets, if Redis does not answer."""
    try:
        await redis.ping()
    except LOST as error:
        raise ConfigurationError(
            f"Redis does not answer ({type(error).__name__}). Is the server running, and FRONTDESK_REDIS_URL right?"
        ) from None


async def reachable(redis: Redis) -> None:
    """Wait until Redis answers: a service that starts before its server is not at fault. Says so once."""
    delay, told = 0.2, False
    while True:
        try:
            await check(redis)
            return
        except ConfigurationError as error:
            if not told:
                log.warning("waiting for redis", reason=str(error))
                told = True
            await asyncio.sleep(delay)
            delay = min(5.0, delay * 2)
