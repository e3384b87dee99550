"""One way to open Redis, for every process."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar, cast

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from frontdesk.queue.errors import ConfigurationError
from frontdesk.queue.pools import pool

log = structlog.get_logger()
T = TypeVar("T")

STEADY = 10.0  # seconds after which a connection counts as one that holds
LOST = (RedisError, OSError)
"""What a caller sees when Redis is away or refuses."""


def client(url: str) -> Redis:
    """A client with a pool of its own. Raises ValueError where settings would not take the address."""
    return Redis.from_pool(pool(url))


def answer(call: Awaitable[T] | T) -> Awaitable[T]:
    """redis-py types one method for its blocking and its asyncio client; ours is always the second."""
    return cast(Awaitable[T], call)


def heed_cancelling() -> None:
    """Raise CancelledError where this task was told to end and did not notice.

    redis-py can lose a cancellation that comes while it gives up a connection or a read; a loop that only ends by being
    cancelled would then go on for ever, and so would whoever waits for its end. Call it at every turn of such a loop.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


async def end_loops(*tasks: asyncio.Task[Any]) -> None:
    """Cancel them until they have ended: redis-py was seen to swallow a cancellation that met a read. For loops without
    a clean-up that takes its time, which a second cancellation would cut short."""
    while unended := [task for task in tasks if not task.done()]:
        for task in unended:
            task.cancel()
        await asyncio.wait(unended, timeout=0.1)


async def persistently(
    loop: Callable[[], Awaitable[None]], lost: Callable[[Exception, float], None], *, first: float, longest: float
) -> None:
    """Run a loop until it returns or is cancelled; losing Redis is waited out.

    `lost` is told the error and the seconds until the next try: `first`, and twice as many after each loss, `longest`
    at most. A loop that ran for STEADY seconds begins with `first` again.
    """
    now, pause = asyncio.get_running_loop().time, first
    while True:
        began = now()
        try:
            await loop()
            return
        except LOST as error:
            heed_cancelling()
            if now() - began > STEADY:
                pause = first
            lost(error, pause)
            await asyncio.sleep(pause)
            pause = min(longest, 2 * pause)


async def until_answered(
    call: Callable[[], Awaitable[T]], lost: Callable[[Exception, float], None], *, first: float, longest: float
) -> T:
    """What a call gives, which is made again until Redis answers it. The rest as of `persistently`."""
    pause = first
    while True:
        try:
            return await call()
        except LOST as error:
            lost(error, pause)
            await asyncio.sleep(pause)
            pause = min(longest, 2 * pause)


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
        if isinstance(refused := error.__context__, ssl.SSLCertVerificationError):
            raise ConfigurationError(
                f"Redis shows a certificate that is not taken: {refused.verify_message}."
            ) from None
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
