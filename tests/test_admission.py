"""Limits let in exactly what they say, however many ask at once and wherever."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from redis.asyncio import Redis

from frontdesk.queue import keys
from frontdesk.queue.embedded import EmbeddedServer

PROGRAM = Path(__file__).with_name("asking_process.py")
IN_FLIGHT = 3  # of a member, as shipped


async def bot(url: str, name: str, requests: int) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, str(PROGRAM), url, name, str(requests), stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip


async def accepted(bots: list[asyncio.subprocess.Process]) -> int:
    """How many requests all of them got in together, having begun at the same moment."""
    for one in bots:
        assert one.stdout
        while await one.stdout.readline() != b"ready\n":
            assert one.returncode is None
    said = await asyncio.gather(*(one.communicate(b"go\n") for one in bots))
    return sum(int(out.rpartition(b"let in: ")[2]) for out, _ in said)


async def test_two_hundred_requests_at_once_get_in_as_many_as_may(redis: Redis, redis_server: EmbeddedServer) -> None:
    """One person asks 200 times at the same moment, through two bots: three jobs wait, and no more."""
    bots = [await bot(redis_server.url, name, 100) for name in ("one", "two")]
    assert await accepted(bots) == IN_FLIGHT
    assert await redis.zcard(keys.lane("short")) == IN_FLIGHT
