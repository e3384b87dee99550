"""The use cases, free of any platform: submit, cancel, look."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace

import structlog

from frontdesk.bots.intake import Intake, Request, queue_open
from frontdesk.bots.memory import Memory
from frontdesk.bots.observing import UNOBSERVED, BotObserver, rule_of
from frontdesk.bots.people import Admins, Person
from frontdesk.bots.showcase import Showcase
from frontdesk.bots.uploads import Uploads
from frontdesk.queue.accounts import Accounts
from frontdesk.queue.broker import Broker, Cancelled
from frontdesk.queue.errors import (
    CorruptMessageError,
    ForgottenAnswerError,
    HistoryClosedError,
    NoSuchJobError,
    NotAllowedError,
    OthersAnswerError,
    UserError,
)
from frontdesk.queue.jobs import JobRecord, ReplyAddress, Ticket
from frontdesk.queue.kinds import Registry
from frontdesk.queue.leaderboard import Leaderboard, Standing
from frontdesk.queue.logs import requester_hash
from frontdesk.queue.report import QueueReport, queue_report
from frontdesk.queue.steering import Steering
from frontdesk.ratelimit.limiter import Limiter
from frontdesk.ratelimit.limits import Limits

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class LaneStatus:
    """How long a new job in a lane would wait: `wait` in seconds, None while no worker serves it or admins have paused
    it."""

    lane: str
    kinds: tuple[str, ...]
    waiting: int
    workers: int
    wait: float | None
    paused: bool = False


class Desk:
    """What every front end calls. Each method raises UserError subclasses only; DeskClosedError when Redis is away.

    longest: seconds that a job can be in flight; one that was lost counts no longer than that.
    uploads: takes in the files of requests.
    memory: what the desk remembers when the queue no longer does.
    reuse: whether a fresh result may answer the same request of a deterministic kind.
    """

    def __init__(
        self,
        kinds: Registry,
        broker: Broker,
        limiter: Limiter,
        limits: Limits,
        admins: Admins,
        *,
        longest: float = 2 * 86_400.0,
        reuse: bool = True,
        uploads: Uploads | None = None,
        memory: Memory | None = None,
        clock: Callable[[], float] = time.time,
        observer: BotObserver = UNOBSERVED,
    ) -> None:
        self.kinds = kinds
        self.clock = clock
        self.steering = Steering(broker.redis, keep=broker.keep, lanes=[kind.lane for kind in kinds.values()])
        self._broker = broker
        self._leaderboard = Leaderboard(broker.redis)
        self._accounts = Accounts(broker.redis)
        self.limits = limits
        self._admins = admins
        self.showcase = Showcase(memory, kinds, self.steering, admins, self.known)
        self._observer = observer
        self._intake = Intake(
            kinds,
            broker,
            limiter,
            limits,
            admins,
            self.steering,
            uploads or Uploads(None),
            longest=longest,
            reuse=reuse,
            clock=clock,
        )

    def is_admin(self, person: Person) -> bool:
        """By the identities that are known of a person: to know them all, ask `known` first."""
        return person in self._admins

    async def known(self, person: Person) -> Person:
        """The same with all of their identities. Every use case begins with it."""
        async with queue_open():
            return person.linked(await self._accounts.of(person.requester.identity))

    async def submit(self, request: Request) -> Ticket:
        """Check, limit, and queue. The same update always gets the same ticket, and is charged once.

        Its files are fetched last, when nothing else speaks against it; if one is refused, nothing was charged.

        Raises UnknownKindError, InvalidRequestError, BannedError, LimitedError, DeskClosedError.
        """
        platform = request.person.requester.platform
        try:
            ticket = await self._intake.take(replace(request, person=await self.known(request.person)))
        except UserError as error:
            self._observer.refused(platform, request.kind, rule_of(error))
            raise
        if not ticket.repeated:
            self._observer.accepted(platform, request.kind)
        return ticket

    async def placed(self, job_id: str, reply: ReplyAddress) -> None:
        """The requester sees the ticket: `reply` now names the message that will become the answer."""
        async with queue_open():
            await self._broker.set_reply(job_id, reply)

    async def cancel(self, person: Person, job_id: str, reason: str = "") -> Cancelled:
        """Cancel one's own job, or anyone's as an admin, for the audit log with a reason. Raises NoSuchJobError."""
        person, job_id = await self.known(person), job_id.strip().lower()
        record = await self._record(job_id)
        result: Cancelled = "unknown"
        async with queue_open():
            if record is not None and record.identity in person.identities:
                result = await self._broker.cancel(job_id, record.requester)
            elif self.is_admin(person):  # also one that cannot be read
                result = await self.steering.cancel(job_id, by=person.requester.identity, reason=reason)
        if result == "unknown":
            raise NoSuchJobError(job_id[:32])
        log.info("cancel", job=job_id, requester=requester_hash(person.requester.key), result=result)
        return result

    async def jobs(self, person: Person, limit: int = 10) -> list[JobRecord]:
        """The person's own latest jobs, newest first."""
        person = await self.known(person)
        async with queue_open():
            return await self._broker.jobs_of(*sorted(person.identities), limit=limit)

    async def job(self, person: Person, job_id: str, *, anyones: bool = False) -> JobRecord:
        """One of the person's own jobs; with `anyones`, for an admin, anybody's. Raises NoSuchJobError."""
        person, job_id = await self.known(person), job_id.strip().lower()
        record = await self._record(job_id)
        allowed = anyones and self.is_admin(person)
        if record is None or not (allowed or record.identity in person.identities):
            raise NoSuchJobError(job_id[:32])
        return record

    async def answered(self, person: Person, job_id: str) -> JobRecord:
        """The ended job below whose answer a person stands, who must be the one that asked. Raises
        ForgottenAnswerError, OthersAnswerError."""
        person, record = await self.known(person), await self._record(job_id)
        if record is None or not record.ended:
            raise ForgottenAnswerError
        if record.identity not in person.identities:
            raise OthersAnswerError
        return record

    async def look(self, person: Person, job_id: str) -> tuple[JobRecord, Ticket]:
        """One of the person's own jobs, and where it stands now. Raises NoSuchJobError."""
        record = await self.job(person, job_id)
        async with queue_open():
            return record, await self._broker.ticket(record.id, record.lane)

    async def top(self, person: Person, dataset: str = "") -> dict[str, list[Standing]]:
        """The best trainings of one data set, or of all; the person's own are marked."""
        person = await self.known(person)
        async with queue_open():
            return await self._leaderboard.top(person.identities, dataset=dataset)

    async def status(self) -> list[LaneStatus]:
        """How busy each lane of a known kind is."""
        lanes: dict[str, list[str]] = {}
        for kind in self.kinds.values():
            lanes.setdefault(kind.lane, []).append(kind.name)
        async with queue_open():
            places = {lane: await self._broker.place(lane) for lane in lanes}
        return [
            LaneStatus(
                lane, tuple(kinds), place.waiting, place.workers, place.wait if place.workers else None, place.paused
            )
            for (lane, kinds), place in zip(lanes.items(), places.values(), strict=True)
        ]

    async def queue(self, person: Person) -> QueueReport:
        """The admins' view. Raises NotAllowedError."""
        person = await self.known(person)
        if not self.is_admin(person):
            raise NotAllowedError
        async with queue_open():
            report = await queue_report(self._broker.redis)
        with suppress(HistoryClosedError):
            reported = {each.entry.id for each in await self.showcase.reports(person)}
            return replace(report, reported=len(reported))
        return report

    async def _record(self, job_id: str) -> JobRecord | None:
        """A job, if it is there and can be read."""
        async with queue_open():
            with suppress(CorruptMessageError):
                return await self._broker.job(job_id)
        return None
