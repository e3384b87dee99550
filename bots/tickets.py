"""Keeps shown tickets true: tells a waiting job's place anew when it changed enough to matter, and not more often."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeAlias

from frontdesk.bots.replies import NOTICED
from frontdesk.queue.broker import Broker
from frontdesk.queue.jobs import JobRecord, Platform, Ticket

MOST = 64  # tickets looked at in one look
LEAST_PAUSE, LONGEST_PAUSE = 5.0, 60.0  # seconds between two edits of one ticket
PAUSE_SHARE = 0.1  # of the expected wait, for those between
NO_WORKER_PAUSE = 30.0
MUCH = 1 / 3  # of the wait that was told, by which another one differs


@dataclass(frozen=True, slots=True)
class Standing:
    """What a ticket says: where its job stands, and how many workers stopped while they ran it."""

    ticket: Ticket
    kills: int = 0


Tell: TypeAlias = Callable[[JobRecord, Standing], None]


def matters(told: Standing, true: Standing) -> bool:
    """Whether a ticket that says the one misleads where the other holds."""
    before, now = told.ticket, true.ticket
    if true.kills > told.kills or now.paused != before.paused:  # the first: it ran, and waits again
        return True
    if (now.lacking is None) != (before.lacking is None):  # somebody can run it now, or nobody can any more
        return True
    if now.position != before.position:
        fewer, more = sorted((now.position, before.position))
        if fewer <= 1 or more >= 2 * fewer:  # it is next, or was, or is far nearer or farther
            return True
    if now.wait is None or before.wait is None:
        return now.wait is not before.wait  # a worker came or went
    return abs(now.wait - before.wait) > max(NOTICED, MUCH * before.wait)


def pause(wait: float | None) -> float:
    """Seconds to leave between two edits of a ticket: who waits long need not be told of every step."""
    return NO_WORKER_PAUSE if wait is None else min(LONGEST_PAUSE, max(LEAST_PAUSE, PAUSE_SHARE * wait))


@dataclass(slots=True)
class _Followed:
    """`told` is None while it is not known what the ticket says; `due`: when to look again, by the clock."""

    told: Standing | None
    due: float


class TicketWatch:
    """Follows the tickets that one platform shows, until their jobs end.

    One look costs two round trips, and one for each of at most `most` tickets. `clock` is monotonic, in seconds.
    """

    def __init__(
        self, broker: Broker, platform: Platform, *, most: int = MOST, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._broker = broker
        self._platform = platform
        self._most = most
        self._clock = clock
        self._followed: dict[str, _Followed] = {}

    async def run(self, tell: Tell, interval: float) -> None:
        """Look every `interval` seconds until cancelled; `tell` gets what a ticket should say now. Raises what losing
        Redis raises."""
        while True:
            await self.look(tell)
            await asyncio.sleep(interval)

    def follow(self, job_id: str, *, soon: bool = False) -> None:
        """A job with a ticket runs; its worker may stop. `soon`: it has."""
        due = self._clock() + (0.0 if soon else LEAST_PAUSE)
        followed = self._followed.setdefault(job_id, _Followed(None, due))
        if soon:
            followed.due = min(followed.due, due)

    def told(self, job_id: str, standing: Standing) -> None:
        """The ticket says this now."""
        self._followed[job_id] = _Followed(standing, self._clock() + pause(standing.ticket.wait))

    async def forget(self, job_id: str) -> None:
        """A ticket that cannot be edited, or need not be."""
        self._followed.pop(job_id, None)
        await self._broker.forget_ticket(self._platform, job_id)

    async def look(self, tell: Tell) -> None:
        """Look once at the tickets that are due, those that wait longest for it first."""
        now = self._clock()
        for job_id in await self._broker.tickets(self._platform):
            self._followed.setdefault(job_id, _Followed(None, now))
        due = [job_id for job_id, followed in self._followed.items() if followed.due <= now]
        due = sorted(due, key=lambda job_id: self._followed[job_id].due)[: self._most]
        records = await self._broker.records(due)
        for job_id in due:
            record = records.get(job_id)
            if record is None or record.ended:
                await self.forget(job_id)
            elif job_id in self._followed:
                await self._look_at(record, self._followed[job_id], tell)

    async def _look_at(self, record: JobRecord, followed: _Followed, tell: Tell) -> None:
        if record.state != "waiting" or record.reply.message is None:
            followed.due = self._clock() + LEAST_PAUSE
            return
        standing = Standing(await self._broker.ticket(record.id, record.lane), record.kills)
        # What an earlier process told is taken for true, or else a restart would edit every ticket; a stop is told.
        told = followed.told or replace(standing, kills=0)
        followed.told = told
        followed.due = self._clock() + pause(standing.ticket.wait)
        if standing.ticket.position == 0 and record.leader is None:
            return  # it has just started
        if matters(told, standing):
            tell(record, standing)
