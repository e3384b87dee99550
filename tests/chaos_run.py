"""A run of chaos from its plan to its verdict."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from chaos_crowd import Crowd, crowd
from chaos_house import Building, building
from chaos_plan import Plan
from chaos_verdict import Verdict, ended, verdict
from redis.asyncio import Redis
from redis.exceptions import RedisError

from frontdesk.queue import keys

UNLIMITED = """
[member]
daily_seconds = false
running = false
tenant_running = false
[member.kinds.default]
burst = false
per_hour = false
in_flight = false
"""
OPENING = 60.0  # seconds for the first start of everything
LOOK = 0.1
STILL = 0.6  # seconds for which nothing may be left to do before the verdict


@dataclass(frozen=True)
class Found:
    """A run's verdict, and what it was put through. `recovery`: seconds from the last fault to the last delivery."""

    verdict: Verdict
    kills: Counter[str]
    happened: Counter[str]
    own_ends: Counter[str]
    unanswered: Counter[str]
    recovery: float


async def run(plan: Plan, program: Path, folder: Path, *, patience: float) -> Found:
    """Let the plan happen, wait for the end of all that it left to do, and judge. Folder: for logs and the server's
    files, short enough for a socket. patience: seconds for the queue to drain once everything is healthy again."""
    limits = folder / "limits.toml"
    limits.write_text(UNLIMITED)
    async with crowd(plan.users) as people:
        settings = {
            "FRONTDESK_TELEGRAM_TOKEN": people.telegram.token,
            "FRONTDESK_TELEGRAM_API_URL": people.telegram.url,
            "FRONTDESK_DISCORD_TOKEN": people.discord.token,
            "FRONTDESK_DISCORD_API_URL": people.discord.url,
            "FRONTDESK_LIMITS_FILE": str(limits),
        }
        source = random.Random(plan.seed)  # noqa: S311 - which child is killed
        async with building(program, folder, source, settings) as house, Redis.from_url(house.server.url) as redis:
            await _open(people, redis)
            await _happen(plan, people, house)
            await house.settled()
            began = time.monotonic()
            with suppress(TimeoutError):  # what is missing then is for the verdict to tell
                async with asyncio.timeout(patience):
                    await _quiet(people, redis)
            recovery = time.monotonic() - began
            judged = await verdict(redis, people, house.logged)
            own_ends = Counter({
                f"{name}, status {status}": number
                for name, each in house.services.items()
                for status, number in each.own_ends.items()
            })  # fmt: skip
            return Found(judged, house.kills, people.counts, own_ends, people.unanswered(), recovery)


async def _happen(plan: Plan, people: Crowd, house: Building) -> None:
    """Everything at its time. Returns when the last of it has happened."""
    began = time.monotonic()

    async def at(moment: float, work: Callable[[], Awaitable[None]]) -> None:
        await asyncio.sleep(began + moment - time.monotonic())
        await work()

    async with asyncio.TaskGroup() as group:
        for ask in plan.asks:
            group.create_task(at(ask.at, partial(people.ask, ask)))
        for trouble in plan.troubles:
            group.create_task(at(trouble.at, partial(people.suffer, trouble)))
        for kill in plan.kills:
            group.create_task(at(kill.at, partial(house.strike, kill)))


async def _open(people: Crowd, redis: Redis) -> None:
    """Returns when both bots listen and a worker is on duty."""
    await people.discord.until(lambda: people.discord.gateway.connected and people.discord.commands, OPENING)
    await people.telegram.until(lambda: people.telegram.called("getUpdates"), "the start of the bot")
    while not await redis.zcard(keys.WORKERS):  # noqa: ASYNC110 - the server makes it true
        await asyncio.sleep(LOOK)


async def _quiet(people: Crowd, redis: Redis) -> None:
    """Returns when nothing has been left to do for a while."""
    since = None
    while since is None or time.monotonic() - since < STILL:
        await asyncio.sleep(LOOK)
        try:
            done = not people.telegram.updates and people.discord.gateway.connected and await ended(redis)
        except RedisError:
            done = False
        since = (since or time.monotonic()) if done else None
