"""A desk on a real queue with the real Discord bot, on the stand-in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import discord
import pytest
from discord.gateway import DiscordWebSocket
from queueing import DrivenEngine, leased_worker, working
from redis.asyncio import Redis
from standin_discord import Discord, Interaction

from frontdesk.bots.desk import Desk
from frontdesk.bots.main import Premises
from frontdesk.bots.memory import Memory
from frontdesk.bots.on_discord import serve
from frontdesk.bots.people import Admins
from frontdesk.bots.uploads import Uploads
from frontdesk.queue.artifacts import ArtifactStore
from frontdesk.queue.broker import Broker
from frontdesk.queue.catalogue import SCORE, WRITE, ScoreResult, WriteResult
from frontdesk.queue.jobs import Outcome
from frontdesk.queue.kinds import AnyKind, Registry
from frontdesk.queue.settings import Settings
from frontdesk.ratelimit.limiter import Limiter
from frontdesk.ratelimit.limits import Limits

PASSAGE = "The harbour was quiet that morning, and nobody had thought to bring a rope. " * 4


@dataclass
class Front:
    """`start` and `stop` the bot's process; the queue and Discord outlive it."""

    discord: Discord
    premises: Premises
    engine: DrivenEngine
    memory: Memory | None = None
    _stop: asyncio.Event = field(default_factory=asyncio.Event)
    _bot: asyncio.Task[None] | None = None

    def appoint(self, admins: Admins) -> None:
        """Make these the admins. Call it before `start`."""
        self.premises = replace(
            self.premises,
            desk=_desk(self.discord, self.premises.redis, self.premises.kinds, admins, memory=self.memory),
        )

    async def start(self) -> None:
        """Raises what `serve` raises before it is connected."""
        self._stop = asyncio.Event()
        self._bot = asyncio.create_task(serve(self.premises, self._stop))
        connected = asyncio.create_task(self.discord.until(lambda: self.discord.gateway.connected))
        await asyncio.wait({self._bot, connected}, return_when=asyncio.FIRST_COMPLETED)
        if self._bot.done():
            connected.cancel()
            failed, self._bot = self._bot, None
            failed.result()
        await connected

    async def accepted(self, asked: Interaction) -> str:
        """Wait until a submission shows its ticket and runs; the job's id."""
        await self.discord.until(lambda: asked.message and asked.message.buttons)
        return (await self.engine.started.get()).id

    async def ended(self) -> None:
        """Wait for the bot to end by itself. Raises what it raises."""
        running, self._bot = self._bot, None
        if running is not None:
            await running

    async def stop(self) -> None:
        if self._bot is not None:
            self._stop.set()
            await self._bot
            self._bot = None


@asynccontextmanager
async def front(
    redis: Redis,
    monkeypatch: pytest.MonkeyPatch,
    *,
    kinds: Iterable[AnyKind] = (SCORE, WRITE),
    limits: Path | None = None,
    desk_redis: Redis | None = None,
    store: ArtifactStore | None = None,
    memory: Memory | None = None,
) -> AsyncIterator[Front]:
    """The bot not yet started, and a worker that leaves every job running until the test ends it.

    desk_redis: what the desk asks in place of `redis`.
    """
    keep_addresses(monkeypatch)
    registry, broker, engine = Registry(kinds), Broker(redis, keep=3600.0), DrivenEngine(hold=True)
    async with Discord() as standin:
        settings = Settings.model_validate({"discord_token": standin.token, "discord_api_url": standin.url})
        desk = _desk(standin, desk_redis or redis, registry, Admins(), limits, store, memory)
        worker = leased_worker(redis, engine, kinds=dict.fromkeys(registry, "small"))
        opened = Front(standin, Premises(settings, registry, redis, broker, desk, store=store), engine, memory)
        async with working(worker):
            try:
                yield opened
            finally:
                await opened.stop()
        assert standin.rest.unhandled == []


def keep_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    """The addresses that the bot moves lie in discord.py's classes: put them back after the test."""
    for owner, name in ((discord.http.Route, "BASE"), (DiscordWebSocket, "DEFAULT_GATEWAY"), (discord.Asset, "BASE")):
        monkeypatch.setattr(owner, name, getattr(owner, name))


def _desk(
    standin: Discord,
    redis: Redis,
    kinds: Registry,
    admins: Admins,
    limits: Path | None = None,
    store: ArtifactStore | None = None,
    memory: Memory | None = None,
) -> Desk:
    """A desk that goes by the stand-in's clock."""
    broker, rules = Broker(redis, keep=3600.0), Limits.load(limits)
    uploads = Uploads(store)
    limiter = Limiter(redis)
    return Desk(kinds, broker, limiter, rules, admins, uploads=uploads, memory=memory, clock=lambda: standin.now)


def written(text: str) -> Outcome:
    result = WriteResult(text=text, tokens=7, stopped="end", seed=1, model="small", precision="bf16")
    return Outcome(status="done", result=result.model_dump(), seconds=1.5)


def scored() -> Outcome:
    result = ScoreResult(
        verdict="human",
        curvature=0.25,
        perplexity=21.0,
        tokens=90,
        tokens_in_text=90,
        false_positive_rate=0.01,
        model="small",
        precision="bf16",
    )
    return Outcome(status="done", result=result.model_dump(), seconds=0.4)
