"""Brings outcomes and news to one platform: every outcome until it is delivered, news as the chat allows."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial

import structlog
from redis.asyncio import Redis

from frontdesk.bots.deliverer import Deliverer, TryLaterError, UndeliverableError
from frontdesk.bots.links import Links
from frontdesk.bots.observing import UNOBSERVED, BotObserver
from frontdesk.bots.outbox import News, Outbox
from frontdesk.bots.packing import packed
from frontdesk.bots.previews import Previews
from frontdesk.bots.replies import Reply, outcome_reply, progress_reply, ticket_reply
from frontdesk.bots.tickets import Standing, TicketWatch
from frontdesk.queue.artifacts import ArtifactStore
from frontdesk.queue.broker import Broker
from frontdesk.queue.connection import LOST, heed_cancelling, persistently
from frontdesk.queue.errors import CorruptMessageError, StoreError
from frontdesk.queue.events import OutcomeEvent, OutcomeStream, next_progress, progress_channel
from frontdesk.queue.jobs import JobRecord, Outcome, Progress, ReplyAddress, Ticket, is_member
from frontdesk.queue.kinds import AnyKind, Registry
from frontdesk.queue.logs import requester_hash

log = structlog.get_logger()

PLACING_TIMEOUT = 15.0  # seconds an answer waits for its placeholder to be shown
ATTEMPTS = 6  # of a delivery that fails in a way nobody foresaw
FIRST_RETRY = 2.0  # seconds after the first of them; doubled each time
STORE_TRIES = 4  # of an answer whose files cannot be fetched; then it goes out without them
LONGEST_RETRY = 5.0  # seconds between two tries to reach Redis
LATE = 120.0  # seconds after the request from which nobody sits and waits for its answer any more
DELIVERED = "delivered"


class Courier:
    """Delivers to one platform.

    retry: seconds to wait after Redis was lost, the first time; doubled each time, up to LONGEST_RETRY. look_every:
    seconds between two looks at places in the queue. clock: Unix seconds, as jobs are dated. store: where the files of
    answers are. links: gives addresses for those, where the store has none itself.
    """

    def __init__(
        self,
        kinds: Registry,
        broker: Broker,
        redis: Redis,
        deliverer: Deliverer,
        *,
        retry: float = 1.0,
        look_every: float = 3.0,
        clock: Callable[[], float] = time.time,
        observer: BotObserver = UNOBSERVED,
        store: ArtifactStore | None = None,
        links: Links | None = None,
    ) -> None:
        self._kinds = kinds
        self._broker = broker
        self._redis = redis
        self._deliverer = deliverer
        self._retry = retry
        self._look_every = look_every
        self._clock = clock
        self._observer = observer
        self._store = store
        self._links = links
        self._stream = OutcomeStream(redis, deliverer.platform)
        self._tickets = TicketWatch(broker, deliverer.platform)
        self._outboxes: dict[str, Outbox] = {}
        self._ended: dict[str, str] = {}  # by entry: how a delivery ended, until Redis knows of it
        self._failures: Counter[str] = Counter()
        self._unfetched: Counter[str] = Counter()  # by entry: how often its files could not be fetched
        self._known: dict[str, JobRecord] = {}
        self._previews = Previews(store)
        self._placing: Counter[str] = Counter()
        self._updates: dict[str, asyncio.Lock] = {}  # by update: held while its ticket is shown
        self._comers: Counter[str] = Counter()
        self._placed = asyncio.Condition()

    @asynccontextmanager
    async def placing(self, channel: str, update: str) -> AsyncIterator[Callable[[Ticket], None]]:
        """Enter before a submission, leave when its ticket is shown and its address recorded (`Desk.placed`). Gives
        what to call with the ticket that is shown: from then on it is kept up to date.

        An answer that is ready sooner waits, so that it becomes an edit of the ticket and not a second message. An
        update that comes twice waits for itself: a second ticket, shown later, would cover the answer.
        """
        self._placing[channel] += 1
        try:
            async with self._one_at_a_time(update):
                yield lambda ticket: self._tickets.told(ticket.job_id, Standing(ticket))
        finally:
            async with self._placed:
                self._placing[channel] -= 1
                if not self._placing[channel]:
                    del self._placing[channel]
                self._placed.notify_all()

    @asynccontextmanager
    async def _one_at_a_time(self, update: str) -> AsyncIterator[None]:
        lock = self._updates.setdefault(update, asyncio.Lock())
        self._comers[update] += 1
        try:
            async with lock:
                yield
        finally:
            self._comers[update] -= 1
            if not self._comers[update]:
                del self._comers[update], self._updates[update]

    async def run(self) -> None:
        """Deliver until cancelled. Losing Redis is waited out."""
        async with asyncio.TaskGroup() as group:

            def place(record: JobRecord, standing: Standing) -> None:
                self._outbox(record.reply.channel, group).add_news(record.id, standing)

            group.create_task(self._persistently(lambda: self._outcomes(group)))
            group.create_task(self._persistently(lambda: self._progress(group)))
            group.create_task(self._persistently(lambda: self._tickets.run(place, self._look_every)))

    async def _persistently(self, loop: Callable[[], Awaitable[None]]) -> None:
        await persistently(loop, self._lost, first=self._retry, longest=max(self._retry, LONGEST_RETRY))

    def _lost(self, error: Exception, _pause: float) -> None:
        log.warning("courier lost redis", platform=self._deliverer.platform, error=type(error).__name__)

    async def _outcomes(self, group: asyncio.TaskGroup) -> None:
        await self._stream.open()
        while True:
            heed_cancelling()
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
        self._outbox(record.reply.channel, group).add_answer(event)

    async def _progress(self, group: asyncio.TaskGroup) -> None:
        async with progress_channel(self._redis, self._deliverer.platform) as channel:
            while True:
                heed_cancelling()
                if (progress := await next_progress(channel, 2.0)) is None or is_member(progress.job_id):
                    continue
                if (record := await self._running(progress)) is not None:
                    self._outbox(record.reply.channel, group).add_news(record.id, progress)

    async def _running(self, progress: Progress) -> JobRecord | None:
        """The job of some news, if it runs and has a ticket to show them in."""
        if progress.waiting:
            self._known.pop(progress.job_id, None)
        record = self._known.get(progress.job_id) or await self._record(progress.job_id)
        if record is None or record.ended or record.reply.message is None:
            return None
        waits = record.state == "waiting"  # its worker stopped: the ticket will say so, and its place
        self._tickets.follow(record.id, soon=waits)
        if waits or progress.waiting:
            return None
        self._known[record.id] = record
        return record

    def _outbox(self, channel: str, group: asyncio.TaskGroup) -> Outbox:
        """The chat's outbox, with someone at work on it. It outlives its content: it remembers the chat's budget."""
        outbox = self._outboxes.setdefault(channel, Outbox())
        if not outbox.working:
            outbox.working = True
            tell = partial(self._tell, outbox)
            group.create_task(outbox.work_off(lambda event: self._answer(event, outbox), tell, retry=self._retry))
            now = asyncio.get_running_loop().time()
            self._outboxes = {name: each for name, each in self._outboxes.items() if not each.rested(now)}
        return outbox

    async def _answer(self, event: OutcomeEvent, outbox: Outbox) -> None:
        """Deliver once, then acknowledge: where Redis is away, only the second is done again."""
        if event.entry not in self._ended:
            try:
                self._ended[event.entry] = await self._deliver(event)
            except TryLaterError:
                self._observer.retried(self._deliverer.platform)
                raise
        outbox.drop_news(event.job_id)  # what came late would hide the answer
        await self._stream.acknowledge(event, self._ended[event.entry])
        del self._ended[event.entry]
        self._failures.pop(event.entry, None)
        self._unfetched.pop(event.entry, None)

    async def _deliver(self, event: OutcomeEvent) -> str:
        """How it ended: "delivered", or "undeliverable" and why. Raises TryLaterError."""
        record = await self._when_placed(event.job_id)
        self._known.pop(event.job_id, None)
        self._previews.forget(event.job_id)
        if record is None or not record.ended:
            return "undeliverable: the job is no longer known"
        outcome, delivery = record.outcome or Outcome(status="failed"), DELIVERED
        late = self._clock() - record.submitted_at > LATE and outcome.status != "cancelled"
        try:
            reply = outcome_reply(self._kinds.get(record.kind), record.id, outcome, known=record.known)
            await self._hand_over(event, record.reply, reply, late=late)
        except UndeliverableError as error:
            delivery = f"undeliverable: {error}"
        except (TryLaterError, *LOST):
            raise
        except Exception as error:
            delivery = self._failed(event, error)
        log.info(
            "answered",
            job=event.job_id,
            kind=record.kind,
            requester=requester_hash(record.requester),
            status=record.state,
            seconds=round(outcome.seconds, 3),
            delivery=delivery,
        )
        since = self._clock() - record.finished_at if record.finished_at else None
        self._observer.delivered(self._deliverer.platform, delivery, since)
        return delivery

    async def _hand_over(self, event: OutcomeEvent, address: ReplyAddress, reply: Reply, *, late: bool) -> None:
        """Deliver a reply with its files. Raises what `Deliverer.deliver` does."""
        if not reply.attachments:
            await self._deliverer.deliver(address, event.job_id, reply, late=late)
            return
        tries, room = self._unfetched[event.entry] + 1, self._deliverer.room(address)
        try:
            link = partial(self._links.address, event.job_id) if self._links else None
            insist = tries < STORE_TRIES
            async with packed(self._store, reply.attachments, room, insist=insist, link=link) as parcels:
                await self._deliverer.deliver(address, event.job_id, replace(reply, parcels=parcels), late=late)
        except StoreError as error:
            self._unfetched[event.entry] = tries
            log.warning("files of an answer not fetched", job=event.job_id, tries=tries, reason=str(error))
            raise TryLaterError(FIRST_RETRY * 2 ** (tries - 1)) from error

    def _failed(self, event: OutcomeEvent, error: Exception) -> str:
        """A delivery failed in a way nobody foresaw: raises TryLaterError, until it is given up."""
        self._failures[event.entry] += 1
        tries = self._failures[event.entry]
        log.error("delivery failed", job=event.job_id, platform=self._deliverer.platform, tries=tries, exc_info=error)
        if tries < ATTEMPTS:
            raise TryLaterError(min(30.0, FIRST_RETRY * 2 ** (tries - 1))) from error
        return f"undeliverable: {type(error).__name__}"

    async def _tell(self, outbox: Outbox, job_id: str, news: News) -> float:
        """Show one job's newest news in its ticket; returns the pause that its chat wants after it. A picture waits
        until nothing else does in that chat."""
        record = await self._record(job_id)  # it may have started meanwhile, or ended and been answered
        if record is None or record.ended or (kind := self._kinds.get(record.kind)) is None:
            return 0.0
        if isinstance(news, Standing) and record.state == "running" and record.leader is None:
            return 0.0
        try:
            reply = _news_reply(kind, record, news)
            preview = news.preview if isinstance(news, Progress) else None
            async with self._previews.shown(job_id, reply, preview, spare=outbox.empty) as pictured:
                await self._deliverer.update(record.reply, job_id, pictured)
        except TryLaterError:
            raise
        except UndeliverableError as error:
            log.info("ticket not kept up to date", job=job_id, reason=str(error))
            await self._tickets.forget(job_id)
        except Exception as error:  # news is worth no second try
            log.info("news not shown", job=job_id, reason=type(error).__name__)
        else:
            if isinstance(news, Standing):
                self._tickets.told(job_id, news)
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


def _news_reply(kind: AnyKind, record: JobRecord, news: News) -> Reply:
    if isinstance(news, Progress):
        return progress_reply(kind, news)
    if record.state == "running":  # the job whose outcome it waits for has started
        return progress_reply(kind, Progress(job_id=record.id))
    return ticket_reply(kind, news.ticket, kills=news.kills)
