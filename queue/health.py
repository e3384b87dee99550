"""A health check for containers and supervisors: `python -m frontdesk.queue.health [worker]`.

Redis must answer; with `worker`, a worker of this host must have sent a heartbeat just now. One line, and exit status
0 or 1.
"""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import Sequence

from redis.asyncio import Redis

from frontdesk.queue import keys
from frontdesk.queue.connection import LOST, check, connected
from frontdesk.queue.errors import ConfigurationError
from frontdesk.queue.scripts import WORKER_FRESH
from frontdesk.queue.settings import load_settings

PATIENCE = 8.0  # seconds for the whole check


class UnhealthyError(Exception):
    """The text says what is missing."""


def main(arguments: Sequence[str]) -> int:
    if list(arguments) not in ([], ["worker"]):
        return _say("usage: python -m frontdesk.queue.health [worker]", 2)
    try:
        found = asyncio.run(_look(worker="worker" in arguments))
    except (ConfigurationError, UnhealthyError) as error:
        return _say(f"unhealthy: {error}", 1)
    except TimeoutError:
        return _say(f"unhealthy: Redis did not answer within {PATIENCE:g} s.", 1)
    except LOST as error:
        return _say(f"unhealthy: Redis refuses ({type(error).__name__}).", 1)
    return _say(f"healthy: {found}", 0)


async def _look(*, worker: bool) -> str:
    settings = load_settings()
    if settings.redis is None:
        raise UnhealthyError("FRONTDESK_REDIS_URL is not set; the embedded server is looked after by its users.")
    async with asyncio.timeout(PATIENCE), connected(settings.redis) as redis:
        await check(redis)
        return await heartbeat(redis, socket.gethostname()) if worker else "Redis answers."


async def heartbeat(redis: Redis, host: str) -> str:
    """How old the newest heartbeat of a worker on `host` is. Raises UnhealthyError if it is too old."""
    seconds, microseconds = await redis.time()
    now = seconds + microseconds / 1e6
    beats = await redis.zrange(keys.WORKERS, 0, -1, withscores=True)
    # A worker's id is host-process-random, and a host's name may hold hyphens too.
    ours = [beat / 1000 for worker_id, beat in beats if worker_id.decode().rsplit("-", 2)[0] == host]
    if not ours:
        raise UnhealthyError("no worker of this host is on duty.")
    age = max(0.0, now - max(ours))
    if age >= WORKER_FRESH:
        raise UnhealthyError(f"the worker's last heartbeat is {age:.0f} s old.")
    return f"the worker's last heartbeat is {age:.0f} s old."


def _say(sentence: str, status: int) -> int:
    print(sentence, file=sys.stderr if status else sys.stdout)
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
