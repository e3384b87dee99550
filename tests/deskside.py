"""A desk, a courier and a worker on servers that a test stops, kills and starts again: the whole way of a job."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from queueing import ECHO, KEEP, DrivenEngine, address, leased_worker, requester, until, working
from redis.asyncio import Redis

from frontdesk.bots.courier import Courier
from frontdesk.bots.desk import Desk
from frontdesk.bots.intake import Request
from frontdesk.bots.parcels import Room
from frontdesk.bots.people import Admins, Person
from frontdesk.bots.replies import Reply
from frontdesk.queue.broker import Broker
from frontdesk.queue.connection import connected
from frontdesk.queue.errors import DeskClosedError
from frontdesk.queue.jobs import Platform, ReplyAddress
from frontdesk.queue.kinds import Registry
from frontdesk.queue.report import queue_report
from frontdesk.ratelimit.limiter import Limiter
from frontdesk.ratelimit.limits import Limits

ADA = Person(requester("ada"))  # an admin, whom no limit stops


class Pigeon:
    """Notes what it is given."""

    platform: Platform = "telegram"

    def __init__(self) -> None:
        self.delivered: dict[str, Reply] = {}
        self.progress: dict[str, Reply] = {}

    def room(self, address: ReplyAddress) -> Room:
        return Room(100, 150, 3)

    def pace(self, address: ReplyAddress) -> float:
        return 0.0

    async def deliver(self, address: ReplyAddress, job_id: str, reply: Reply, *, late: bool) -> None:
        self.delivered[job_id] = reply

    async def update(self, address: ReplyAddress, job_id: str, reply: Reply) -> None:
        self.progress[job_id] = reply


@dataclass
class Deskside:
    """`bot` is the desk's connection, `worker` the worker's."""

    bot: Redis
    worker: Redis
    desk: Desk
    engine: DrivenEngine = field(default_factory=lambda: DrivenEngine(hold=True))
    pigeon: Pigeon = field(default_factory=Pigeon)
    updates: itertools.count[int] = field(default_factory=itertools.count)

    async def ask(self, text: str = "hello") -> str:
        """Ask for an echo, and show the ticket; the job's id. Raises what the desk raises."""
        request = Request(ADA, "echo", {"text": text}, address("ada"), f"u{next(self.updates)}", private=False)
        ticket = await self.desk.submit(request)
        await self.desk.placed(ticket.job_id, address("ada", message=f"ticket-{ticket.job_id}"))
        return ticket.job_id

    async def started(self) -> str:
        """Wait until the worker starts a job; its id."""
        async with asyncio.timeout(20):
            return (await self.engine.started.get()).id

    async def delivered(self, job_id: str) -> Reply:
        """Wait until a job's answer reached its asker."""
        reply = await until(lambda: self.pigeon.delivered.get(job_id), within=20)
        assert isinstance(reply, Reply)
        return reply

    async def closed(self) -> bool:
        """Whether the desk says that it is closed."""
        try:
            await self.desk.status()
        except DeskClosedError:
            return True
        return False

    async def open_again(self) -> None:
        """Wait until the desk no longer says that it is closed."""

        async def opened() -> bool:
            return not await self.closed()

        await until(opened, within=20)


@asynccontextmanager
async def deskside(bot_url: str, worker_url: str | None = None) -> AsyncIterator[Deskside]:
    """Bot and worker have a connection each, as processes of their own would. The worker keeps a job running until
    the test ends it."""
    kinds, limits = Registry([ECHO]), Limits.load()
    async with connected(bot_url) as bot, connected(worker_url or bot_url) as worker:
        broker = Broker(bot, keep=KEEP)
        desk = Desk(kinds, broker, Limiter(bot), limits, Admins(frozenset({"telegram:ada"})))
        side = Deskside(bot, worker, desk)

        async def on_duty() -> bool:
            return bool((await queue_report(bot)).workers)

        async with working(leased_worker(worker, side.engine)):
            courier = asyncio.create_task(Courier(kinds, broker, bot, side.pigeon, retry=0.05).run())
            try:
                await until(on_duty)
                yield side
            finally:
                courier.cancel()
                await asyncio.gather(courier, return_exceptions=True)
