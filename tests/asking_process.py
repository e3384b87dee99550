"""A bot's side of the desk in a process of its own: asks so many times at once when told to, and counts what it got.

    python tests/asking_process.py REDIS_URL NAME REQUESTS

Writes "ready", waits for a line, asks, and writes how many requests were accepted.
"""

from __future__ import annotations

import asyncio
import sys

from queueing import ECHO, KEEP, address, requester

from frontdesk.bots.desk import Desk
from frontdesk.bots.intake import Request
from frontdesk.bots.people import Admins, Person
from frontdesk.queue.broker import Broker
from frontdesk.queue.connection import connected
from frontdesk.queue.errors import LimitedError
from frontdesk.queue.kinds import Registry
from frontdesk.ratelimit.limiter import Limiter
from frontdesk.ratelimit.limits import Limits


async def asked(desk: Desk, name: str, number: int) -> bool:
    text = {"text": f"{name} {number}"}
    try:
        await desk.submit(Request(Person(requester("eve")), "echo", text, address("eve"), f"{name}-{number}"))
    except LimitedError:
        return False
    return True


async def main(url: str, name: str, count: int) -> None:
    async with connected(url) as redis:
        desk = Desk(Registry([ECHO]), Broker(redis, keep=KEEP), Limiter(redis), Limits.load(), Admins())
        await redis.ping()
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.readline)
        accepted = await asyncio.gather(*(asked(desk, name, number) for number in range(count)))
        sys.stdout.write(f"\nlet in: {sum(accepted)}\n")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
