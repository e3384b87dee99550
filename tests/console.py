"""A desk at a console for tests: a real queue, a worker that the test drives, and a scripted person."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from queueing import ECHO, DrivenEngine, leased_worker, working
from redis.asyncio import Redis
from rich.console import Console

from frontdesk.bots.desk import Desk
from frontdesk.bots.main import Premises
from frontdesk.bots.memory import Memory
from frontdesk.bots.on_console_render import Screen
from frontdesk.bots.people import Admins
from frontdesk.queue.artifacts import ArtifactStore
from frontdesk.queue.broker import Broker
from frontdesk.queue.kinds import AnyKind, Registry
from frontdesk.queue.settings import Settings
from frontdesk.ratelimit.limiter import Limiter
from frontdesk.ratelimit.limits import Limits


def premises(
    redis: Redis,
    *,
    kinds: Iterable[AnyKind] = (ECHO,),
    default: str = "echo",
    admin: str = "",
    memory: Memory | None = None,
    store: ArtifactStore | None = None,
) -> Premises:
    registry, broker = Registry(kinds), Broker(redis, keep=3600.0)
    admins = Admins(frozenset({f"console:{admin}"}) if admin else frozenset())
    desk = Desk(registry, broker, Limiter(redis), Limits.load(), admins, memory=memory)
    return Premises(Settings(default_kind=default), registry, redis, broker, desk, store=store)


@asynccontextmanager
async def staffed(front: Premises, engine: Any = None) -> AsyncIterator[DrivenEngine]:
    """A worker at work; without an engine given, every job is echoed."""
    driven = engine or DrivenEngine()
    async with working(leased_worker(front.redis, driven, kinds=dict.fromkeys(front.kinds, "none"))):
        yield driven


class Paper(Screen):
    """A screen whose text can be read: a terminal of 80 columns, or a pipe."""

    def __init__(self, *, terminal: bool = False) -> None:
        self._paper = io.StringIO()
        options: dict[str, Any] = {"force_terminal": terminal, "width": 80, "highlight": False}
        super().__init__(Console(file=self._paper, markup=False, emoji=False, **options))

    @property
    def text(self) -> str:
        return self._paper.getvalue()


@dataclass(frozen=True)
class CtrlC:
    """Typed in place of a line."""


class Script:
    """What a person types. Lines may wait for an event first, and each prompt is kept."""

    def __init__(self, *lines: str | CtrlC | asyncio.Event) -> None:
        self._lines = list(lines)
        self.prompts: list[str] = []

    async def read(self, prompt: str) -> str | None:
        self.prompts.append(prompt)
        while self._lines:
            line = self._lines.pop(0)
            if isinstance(line, asyncio.Event):
                await line.wait()
            elif isinstance(line, CtrlC):
                raise KeyboardInterrupt
            else:
                return line
        return None
