"""Brings outcomes and progress to one platform: every outcome until delivered, progress as the chat allows."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Protocol

import structlog
from redis.asyncio import Redis

from frontdesk.bots.replies import Reply, outcome_reply, progress_reply
from frontdesk.queue.broker import Broker
from frontdesk.queue.connection import LOST
from frontdesk.queue.errors import CorruptMessageError, FrontdeskError
from frontdesk.queue.events import OutcomeEvent, OutcomeStream, next_progress, progress_channel
from frontdesk.queue.jobs import JobRecord, Outcome, Platform, Progress, ReplyAddress
from frontdesk.queue.kinds import Registry
from frontdesk.queue.logs import requester_hash

log = structlog.get_logger()

PLACING_TIMEOUT = 15.0  # seconds an answer waits for its placeholder to be shown
ATTEMPTS = 6  # of a delivery that fails in a way nobody foresaw
FIRST_RETRY = 2.0  # seconds after the first of them; doubled each time
DELIVERED = "delivered"


class UndeliverableError(FrontdeskError):
    """The requester cannot be reached: a deleted channel, a blocked bot, closed DMs. The text is the reason."""


class TryLaterError(FrontdeskError):
    """The platform wants a pause, or did not answer. `seconds` until the next try; only this chat waits."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"again in {seconds:g} s")
        self.seconds = seconds


class Deliverer(Protocol):
    """One platform's way to show a reply. Both methods raise UndeliverableError and TryLaterError."""

    platform: Platform

    def pace(self, address: ReplyAddress) -> float:
        """Seconds to leave between two progress edits in this chat."""

    async def deliver(self, address: ReplyAddress, job_id: str, reply: Reply) -> None:
        """Turn the placeholder into the answer, or send it anew where that cannot be. Repeating it must do no harm
        where the platform allows that."""

    async def update(self, address: ReplyAddress, job_id: str, reply: Reply) -> None:
        """Edit the placeholder; never sends anything new."""


@dataclass
class _Outbox:
    """What waits for one chat. Answers go first; of each job's progress only the newest is kept."""

    answers: deque[OutcomeEvent] = field(default_factory=deque)
    updates: dict[str, Progress] = field(default_factory=dict)
    not_before: float = 0.0
    next_update: float = 0.0
    working: bool = False
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    failures: Counter[str] = field(default_factory=Counter)
    ended: dict[str, str] = field(default_factory=dict)  # how a delivery ended, until Redis knows of it


class Courier:
    """Delivers to one platform. `retry` is the wait in seconds after Redis was lost."""

    def __init__(
        self, kinds: Registry, broker: Broker, redis: Redis, deliverer: Deliverer, *, retry: float = 1.0
    ) -> None:
        self._kinds = kinds
        self._broker = broker
        self._redis = redis
        self._deliverer = deliverer
        self._retry = retry
        self._stream = OutcomeStream(redis, deliverer.platform)
        self._outboxes: dict[str, _Outbox] = {}
        self._known: dict[str, JobRecord] = {}
        self._placing: Counter[str] = Counter()
        self._placed = asyncio.Condition()

    @asynccontextmanager
    async def placing(self, channel: str) -> AsyncIterator[None]:
        """Enter before a submission, leave when its ticket is shown and its address recorded (`Desk.placed`).

        An answer that is ready sooner waits, so that it becomes an edit of the ticket and not a second message.
        """
        self._placing[channel] += 1
        try:
            yield
        finally:
            async with self._placed:
                self._placing[channel] -= 1
                if not self._placing[channel]:
                    del self._placing[channel]
                self._placed.notify_all()

    async def run(self) -> None:
        """Deliver until cancelled. Losing Redis is waited out."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._persistently(lambda: self._outcomes(group)))
            group.create_task(self._persistently(lambda: self._progress(group)))

    async def _persistently(self, loop: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await loop()
            except LOST as error:
                log.warning("courier lost redis", platform=self._deliverer.platform, error=type(error).__name__)
                await asyncio.sleep(self._retry)

    async def _outcomes(self, group: asyncio.TaskGroup) -> None:
        await self._stream.open()
        while True:
            # Looked at before the reading: what is acknowledged meanwhile may still be among what is read.
            held = {event.entry for outbox in self._outboxes.values() for event in outbox.answers}
            for event in await self._stream.read(block=2.0):
                if event.entry not in held:
                    await self._sort_in(event, group)

    async def _sort_in(self, event: OutcomeEvent, group: asyncio.TaskGroup) -> None:
        record = await self._record(event.job_id)
        if record is None:
            await self._stream.acknowledge(event, "undeliverable: the job is no longer known")
            return
        outbox = self._outbox(record.reply.channel, group)
        outbox.updates.pop(event.job_id, None)
        outbox.answers.append(event)
        outbox.changed.set()

    async def _progress(self, group: asyncio.TaskGroup) -> None:
        async with progress_channel(self._redis, self._deliverer.platform) as channel:
            while True:
                if (progress := await next_progress(channel, 2.0)) is None:
                    continue
                record = self._known.get(progress.job_id) or await self._record(progress.job_id)
                if record is None or record.ended or record.reply.message is None:
                    continue
                self._known[progress.job_id] = record
                outbox = self._outbox(record.reply.channel, group)
                outbox.updates[progress.job_id] = progress
                outbox.changed.set()

    def _outbox(self, channel: str, group: asyncio.TaskGroup) -> _Outbox:
        """The chat's outbox, with someone at work on it. It outlives its content: it remembers the chat's budget."""
        outbox = self._outboxes.setdefault(channel, _Outbox())
        if not outbox.working:
            outbox.working = True
            group.create_task(self._empty(outbox))
            self._forget_rested()
        return outbox

    def _forget_rested(self) -> None:
        now = asyncio.get_running_loop().time()
        for channel, outbox in list(self._outboxes.items()):
            if not outbox.working and max(outbox.not_before, outbox.next_update) < now:
                del self._outboxes[channel]

    async def _empty(self, outbox: _Outbox) -> None:
        """Work off one chat's outbox; ends when nothing is left."""
        now = asyncio.get_running_loop().time
        await asyncio.sleep(0)  # what was the reason to begin is put in first
        while outbox.answers or outbox.updates:
            due = outbox.not_before if outbox.answers else max(outbox.not_before, outbox.next_update)
            if due > now():
                await self._until(outbox, due - now())
                continue
            try:
                if outbox.answers:
                    await self._answer(outbox.answers[0], outbox)
                    outbox.answers.popleft()
                else:
                    outbox.next_update = now() + await self._update(outbox)
            except TryLaterError as later:
                outbox.not_before = now() + later.seconds
            except LOST:
                outbox.not_before = now() + self._retry
        outbox.working = False

    async def _until(self, outbox: _Outbox, seconds: float) -> None:
        """Wait, but look again when an answer arrives while only progress was waiting."""
        outbox.changed.clear()
        try:
            async with asyncio.timeout(seconds):
                await outbox.changed.wait()
        except TimeoutError:
            return

    async def _answer(self, event: OutcomeEvent, outbox: _Outbox) -> None:
        """Deliver once, then acknowledge: where Redis is away, only the second is done again."""
        if event.entry not in outbox.ended:
            outbox.ended[event.entry] = await self._deliver(event, outbox)
        await self._stream.acknowledge(event, outbox.ended[event.entry])
        del outbox.ended[event.entry]

    async def _deliver(self, event: OutcomeEvent, outbox: _Outbox) -> str:
        """How it ended: "delivered", or "undeliverable" and why. Raises TryLaterError."""
        record = await self._when_placed(event.job_id)
        self._known.pop(event.job_id, None)
        if record is None or not record.ended:
            return "undeliverable: the job is no longer known"
        outcome, delivery = record.outcome or Outcome(status="failed"), DELIVERED
        try:
            reply = outcome_reply(self._kinds.get(record.kind), record.id, outcome)
            await self._deliverer.deliver(record.reply, record.id, reply)
        except UndeliverableError as error:
            delivery = f"undeliverable: {error}"
        except (TryLaterError, *LOST):
            raise
        except Exception as error:
            outbox.failures[event.entry] += 1
            tries = outbox.failures[event.entry]
            log.exception("delivery failed", job=event.job_id, platform=self._deliverer.platform, tries=tries)
            if tries < ATTEMPTS:
                raise TryLaterError(min(30.0, FIRST_RETRY * 2 ** (tries - 1))) from error
            delivery = f"undeliverable: {type(error).__name__}"
        outbox.updates.pop(event.job_id, None)  # news that came late would hide the answer
        log.info(
            "answered",
            job=event.job_id,
            kind=record.kind,
            requester=requester_hash(record.requester),
            status=record.state,
            seconds=round(outcome.seconds, 3),
            delivery=delivery,
        )
        return delivery

    async def _update(self, outbox: _Outbox) -> float:
        """Show one job's newest progress; returns the pause that its chat wants after it."""
        job_id = next(iter(outbox.updates))
        progress = outbox.updates.pop(job_id)
        record = self._known.get(job_id)
        if record is None or record.kind not in self._kinds:
            return 0.0
        try:
            reply = progress_reply(self._kinds[record.kind], progress)
            await self._deliverer.update(record.reply, job_id, reply)
        except TryLaterError:
            raise
        except Exception as error:  # progress is worth no second try
            log.info("progress not shown", job=job_id, reason=type(error).__name__)
        return self._deliverer.pace(record.reply)

    async def _record(self, job_id: str) -> JobRecord | None:
        try:
            return await self._broker.job(job_id)
        except CorruptMessageError:
            log.warning("a job cannot be read", job=job_id)
            return None

    async def _when_placed(self, job_id: str) -> JobRecord | None:
        """The job, once no ticket is on its way to its chat."""
        record = await self._record(job_id)
        if record is None or record.reply.message is not None:
            return record
        try:
            async with asyncio.timeout(PLACING_TIMEOUT), self._placed:
                await self._placed.wait_for(lambda: not self._placing[record.reply.channel])
        except TimeoutError:
            log.info("ticket was never placed", job=job_id)
        return await self._record(job_id)
