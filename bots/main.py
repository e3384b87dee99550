"""Puts a front end together: settings, Redis, the desk, and a platform's adapter, until told to stop."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, replace

from prometheus_client import CollectorRegistry
from redis.asyncio import Redis

from frontdesk.bots.courier import Courier
from frontdesk.bots.deliverer import Deliverer
from frontdesk.bots.desk import Desk
from frontdesk.bots.errands import until
from frontdesk.bots.links import Links, links_of
from frontdesk.bots.memory import Memory
from frontdesk.bots.metrics import BotMetrics
from frontdesk.bots.observing import UNOBSERVED, BotObserver
from frontdesk.bots.people import Admins
from frontdesk.bots.uploads import Uploads
from frontdesk.queue.artifacts import ArtifactStore
from frontdesk.queue.broker import Broker
from frontdesk.queue.connection import connected, reachable
from frontdesk.queue.embedded import ensure_server
from frontdesk.queue.errors import ConfigurationError
from frontdesk.queue.kinds import Registry
from frontdesk.queue.metrics import exposed
from frontdesk.queue.settings import Settings
from frontdesk.ratelimit.limiter import Limiter
from frontdesk.ratelimit.limits import Limits


@dataclass(frozen=True)
class Premises:
    """What a front end works with."""

    settings: Settings
    kinds: Registry
    redis: Redis
    broker: Broker
    desk: Desk
    observer: BotObserver = UNOBSERVED
    store: ArtifactStore | None = None
    links: Links | None = None
    memory: Memory | None = None

    def courier(self, deliverer: Deliverer) -> Courier:
        return Courier(
            self.kinds,
            self.broker,
            self.redis,
            deliverer,
            clock=self.desk.clock,
            observer=self.observer,
            store=self.store,
            links=self.links,
        )


Adapter = Callable[[Premises, asyncio.Event], Awaitable[None]]
"""A platform's `serve`: runs until the event is set. Raises ConfigurationError."""


@asynccontextmanager
async def premises(settings: Settings, figures: CollectorRegistry | None = None) -> AsyncIterator[Premises]:
    """Open the desk on the configured Redis, or on the embedded server. Raises ConfigurationError.

    figures: where to count what happens, if anywhere.
    """
    kinds = Registry.installed()
    if settings.default_kind not in kinds:
        raise ConfigurationError(f"FRONTDESK_DEFAULT_KIND is {settings.default_kind}; known: {', '.join(kinds)}.")
    try:
        limits = Limits.load(settings.limits_file)
    except ValueError as error:
        raise ConfigurationError(str(error)) from None
    observer = UNOBSERVED if figures is None else BotMetrics(figures, kinds)
    with ExitStack() as stack:
        url = settings.redis or stack.enter_context(ensure_server(settings.data_dir))
        async with connected(url) as redis, closing_memory(settings) as memory:
            broker = Broker(redis, keep=settings.keep_results_days * 86_400)
            admins = Admins(settings.admins, settings.admin_roles)
            longest = settings.max_wait_hours * 3600 + 86_400  # waiting, and then running
            reuse = settings.reuse_hours > 0
            store = ArtifactStore.of(settings)
            desk = Desk(
                kinds,
                broker,
                Limiter(redis),
                limits,
                admins,
                longest=longest,
                reuse=reuse,
                uploads=Uploads(store),
                memory=memory,
                observer=observer,
            )
            yield Premises(settings, kinds, redis, broker, desk, observer, store, memory=memory)


@asynccontextmanager
async def closing_memory(settings: Settings) -> AsyncIterator[Memory]:
    """The desk's memory, closed after the block."""
    memory = Memory(settings)
    try:
        yield memory
    finally:
        await memory.close()


@asynccontextmanager
async def files_served(front: Premises) -> AsyncIterator[Links | None]:
    """Serve the store's files to whoever has a link, inside the block; yields what makes the links. None without a
    public address, and for a store that makes its own. Raises ConfigurationError."""
    links = links_of(front.settings)
    if links is None or front.store is None or not front.store.in_folder:
        yield None
        return
    # Here, since only the bots' libraries bring aiohttp, and a terminal has no use for it.
    from frontdesk.bots.file_server import served

    async with served(front.settings.files_listen, links, front.store):
        yield links


async def serve(settings: Settings, adapter: Adapter) -> None:
    """Run one platform's bot until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    figures = CollectorRegistry()
    async with (
        premises(settings, figures) as front,
        exposed(settings.metrics_listen, figures, front.redis),
        files_served(front) as links,
    ):
        front = replace(front, links=links)
        await until(stop, reachable(front.redis))
        if not stop.is_set():
            await adapter(front, stop)
