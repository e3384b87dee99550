"""The use cases, free of any platform: submit, cancel, look."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Literal
from weakref import WeakValueDictionary

import structlog

from frontdesk.bots.incoming import Fetch, Given
from frontdesk.bots.observing import UNOBSERVED, BotObserver, rule_of
from frontdesk.bots.parsing import validate
from frontdesk.bots.uploads import Uploads
from frontdesk.queue.broker import Broker, Cancelled, JobIdTakenError
from frontdesk.queue.connection import LOST
from frontdesk.queue.errors import (
    BannedError,
    CorruptMessageError,
    DeskClosedError,
    ForgottenAnswerError,
    LimitedError,
    NoSuchJobError,
    NotAllowedError,
    OthersAnswerError,
    UserError,
)
from frontdesk.queue.groups import Group, Member, submit_group
from frontdesk.queue.jobs import (
    Job,
    JobRecord,
    ReplyAddress,
    Requester,
    Share,
    Ticket,
    member_id,
    new_job_id,
    request_digest,
)
from frontdesk.queue.kinds import AnyKind, Params, Registry
from frontdesk.queue.leaderboard import Leaderboard, Standing
from frontdesk.queue.logs import requester_hash
from frontdesk.queue.needs import written
from frontdesk.queue.report import QueueReport, queue_report
from frontdesk.queue.steering import Steering
from frontdesk.ratelimit.limiter import Limiter
from frontdesk.ratelimit.limits import DAILY, Limits, Tier, sentence
from frontdesk.ratelimit.policy import InFlight

log = structlog.get_logger()

ENTRY = 60.0  # seconds that a request counts as in flight before it is in the queue: one that never gets there is lost


@dataclass(frozen=True, slots=True)
class Person:
    """Who stands at the desk: the requester, and the platform's roles they hold (Discord role ids)."""

    requester: Requester
    roles: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Request:
    """What somebody asks for. `raw` as typed and sent; `update` the platform's own id of this act, so that it counts
    once; `fetch` brings the files among `raw`."""

    person: Person
    kind: str
    raw: Mapping[str, Given]
    reply: ReplyAddress
    update: str
    private: bool = False
    fetch: Fetch | None = None


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


@dataclass(frozen=True)
class Admins:
    """Requester keys ("discord:1") and Discord role ids whose holders are admins."""

    users: frozenset[str] = frozenset()
    roles: frozenset[str] = field(default_factory=frozenset)

    def __contains__(self, person: object) -> bool:
        if not isinstance(person, Person):
            return False
        by_role = person.requester.platform == "discord" and bool(person.roles & self.roles)
        return by_role or person.requester.key in self.users


class Desk:
    """What every front end calls. Each method raises UserError subclasses only; DeskClosedError when Redis is away.

    longest: seconds that a job can be in flight; one that was lost counts no longer than that.
    uploads: takes in the files of requests.
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
        clock: Callable[[], float] = time.time,
        observer: BotObserver = UNOBSERVED,
    ) -> None:
        self.kinds = kinds
        self.clock = clock
        self.steering = Steering(broker.redis, keep=broker.keep, lanes=[kind.lane for kind in kinds.values()])
        self._broker = broker
        self._leaderboard = Leaderboard(broker.redis)
        self._limiter = limiter
        self.limits = limits
        self._admins = admins
        self._longest = longest
        self._reuse = reuse
        self._uploads = uploads or Uploads(None)
        self._observer = observer
        # Copies of one update that arrive together go one by one, so that only the first is charged.
        self._updates: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def is_admin(self, person: Person) -> bool:
        return person in self._admins

    async def submit(self, request: Request) -> Ticket:
        """Check, limit, and queue. The same update always gets the same ticket, and is charged once.

        Its files are fetched last, when nothing else speaks against it; if one is refused, nothing was charged.

        Raises UnknownKindError, InvalidRequestError, BannedError, LimitedError, DeskClosedError.
        """
        platform = request.person.requester.platform
        try:
            ticket = await self._submit(request)
        except UserError as error:
            self._observer.refused(platform, request.kind, rule_of(error))
            raise
        if not ticket.repeated:
            self._observer.accepted(platform, request.kind)
        return ticket

    async def _submit(self, request: Request) -> Ticket:
        kind = self.kinds[request.kind]
        params = validate(kind, request.raw)  # of files, what is said of them: nothing is fetched yet
        async with self._updates.setdefault(request.update, asyncio.Lock()), queue_open():
            while True:
                if given := await self._broker.given(request.update):
                    return given
                with suppress(JobIdTakenError):  # two ids were drawn alike within one second: draw again
                    return await self._submit_once(kind, params, request)

    async def _submit_once(self, kind: AnyKind, params: Params, request: Request) -> Ticket:
        requester, declared = request.person.requester, kind.cost(params)
        estimate = await self._broker.estimate(kind.name, declared)
        job = Job(
            id=new_job_id(self.clock()),
            kind=kind.name,
            lane=kind.lane,
            params=params.model_dump(mode="json"),
            requester=requester,
            private=request.private,
            cost=estimate.cost,
            submitted_at=self.clock(),
        )
        members = await self._members(kind, params, job)
        if members:
            job = job.model_copy(update={"cost": sum(member.job.cost for member in members)})
        tier = await self._admitted(request.person)
        rules = self.limits.rules(tier=tier, kind=job.kind, user=requester.key, cost=job.cost, lifetime=ENTRY)
        who = requester_hash(requester.key)
        decision = await self._limiter.acquire(rules, job.id)
        if not decision.allowed:
            log.info("refused", kind=job.kind, requester=who, rule=decision.rule)
            raise LimitedError(decision.rule or "", sentence(decision, job.kind, rules), decision.retry_after)
        ticket = None
        try:
            job, files = await self._with_files(kind, job, request)
            releases = tuple(rule.key for rule in rules if isinstance(rule, InFlight))
            share = share_of(self.limits.tier(tier))
            if members:
                group = Group(job, members, share, releases, self._longest)
                ticket = await submit_group(self._broker, group, request.reply, update=request.update)
            else:
                ticket = await self._broker.submit(
                    job,
                    request.reply,
                    update=request.update,
                    declared=declared,
                    share=share,
                    digest=_digest(job, estimate.model),
                    reuse=self._reuse and kind.deterministic,
                    files=files,
                    releases=releases,
                    needs=written(*kind.wants(params)),
                    in_flight=self._longest,
                )
        finally:
            if ticket is None or ticket.repeated:
                await self._limiter.refund(rules, job.id)
        # What needs not be run: the device's time is given back, the request counts.
        if spared := job.cost if ticket.answered else ticket.spared:
            rules = self.limits.rules(tier=tier, kind=job.kind, user=requester.key, cost=spared)
            await self._limiter.refund([rule for rule in rules if rule.name == DAILY], job.id)
        if not ticket.repeated:
            log.info("accepted", job=job.id, kind=job.kind, requester=who, position=ticket.position)
        return ticket

    async def _with_files(self, kind: AnyKind, job: Job, request: Request) -> tuple[Job, list[str]]:
        """The job with its files in the store, and their hashes. Raises InvalidRequestError, FilesClosedError."""
        if not kind.files:
            return job, []
        taken = await self._uploads.take(kind, request.raw, request.fetch)
        params = validate(kind, {**request.raw, **taken})
        given = (getattr(params, parameter.name) for parameter in kind.files)
        hashes = sorted({artifact.sha256 for artifact in given if artifact is not None})
        return job.model_copy(update={"params": params.model_dump(mode="json")}), hashes

    async def _members(self, kind: AnyKind, params: Params, whole: Job) -> list[Member]:
        """The jobs that a request is made of; none for one that is a job itself."""
        if kind.members is None:
            return []
        one = kind.members.kind
        each = kind.members.of(params)
        declared = [one.cost(own) for own in each]
        estimates = await self._broker.estimates(one.name, declared)
        members = []
        for number, (own, estimate) in enumerate(zip(each, estimates, strict=True)):
            changes = {"id": member_id(whole.id, number), "kind": one.name, "params": own.model_dump(mode="json")}
            job = whole.model_copy(update=changes | {"cost": estimate.cost})
            digest, reuse = _digest(job, estimate.model), self._reuse and one.deterministic
            members.append(Member(job, declared[number], digest, reuse=reuse, needs=written(*one.wants(own))))
        return members

    async def _admitted(self, person: Person) -> str:
        """The person's tier: an admin's, or what an admin said, or what the limits file says. Raises BannedError."""
        said = await self.steering.standing(person.requester.key)
        if said.ban is not None:
            log.info("refused", requester=requester_hash(person.requester.key), rule="banned")
            raise BannedError(said.ban.reason)
        if self.is_admin(person):
            return "admin"
        return said.tier if said.tier and said.tier in self.limits.tiers else self.limits.tier_of(person.requester.key)

    async def placed(self, job_id: str, reply: ReplyAddress) -> None:
        """The requester sees the ticket: `reply` now names the message that will become the answer."""
        async with queue_open():
            await self._broker.set_reply(job_id, reply)

    async def cancel(self, person: Person, job_id: str, reason: str = "") -> Cancelled:
        """Cancel one's own job, or anyone's as an admin, for the audit log with a reason. Raises NoSuchJobError."""
        async with queue_open():
            job_id = job_id.strip().lower()
            if self.is_admin(person):
                result = await self.steering.cancel(job_id, by=person.requester.key, reason=reason)
            else:
                result = await self._broker.cancel(job_id, person.requester.key)
        if result == "unknown":
            raise NoSuchJobError(job_id[:32])
        log.info("cancel", job=job_id, requester=requester_hash(person.requester.key), result=result)
        return result

    async def jobs(self, person: Person, limit: int = 10) -> list[JobRecord]:
        """The person's own latest jobs, newest first."""
        async with queue_open():
            return await self._broker.jobs_of(person.requester.key, limit)

    async def job(self, person: Person, job_id: str, *, anyones: bool = False) -> JobRecord:
        """One of the person's own jobs; with `anyones`, for an admin, anybody's. Raises NoSuchJobError."""
        job_id, record = job_id.strip().lower(), None
        async with queue_open():
            with suppress(CorruptMessageError):
                record = await self._broker.job(job_id)
        allowed = anyones and self.is_admin(person)
        if record is None or not (allowed or record.requester == person.requester.key):
            raise NoSuchJobError(job_id[:32])
        return record

    async def answered(self, person: Person, job_id: str) -> JobRecord:
        """The ended job below whose answer a person stands, who must be the one that asked. Raises
        ForgottenAnswerError, OthersAnswerError."""
        record = None
        async with queue_open():
            with suppress(CorruptMessageError):
                record = await self._broker.job(job_id)
        if record is None or not record.ended:
            raise ForgottenAnswerError
        if record.requester != person.requester.key:
            raise OthersAnswerError
        return record

    async def look(self, person: Person, job_id: str) -> tuple[JobRecord, Ticket]:
        """One of the person's own jobs, and where it stands now. Raises NoSuchJobError."""
        record = await self.job(person, job_id)
        async with queue_open():
            return record, await self._broker.ticket(record.id, record.lane)

    async def top(self, person: Person, dataset: str = "") -> dict[str, list[Standing]]:
        """The best trainings of one data set, or of all; the person's own are marked."""
        async with queue_open():
            return await self._leaderboard.top(person.requester.key, dataset=dataset)

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
        if not self.is_admin(person):
            raise NotAllowedError
        async with queue_open():
            return await queue_report(self._broker.redis)


def _digest(job: Job, model: str) -> str:
    """A private answer is its asker's alone."""
    return "" if job.private else request_digest(job.kind, job.params, model)


def share_of(tier: Tier) -> Share:
    """What a tier's people get of a lane."""
    bands: dict[str, Literal[0, 1, 2]] = {"high": 0, "normal": 1, "low": 2}
    return Share(tier.weight, bands[tier.priority], tier.running, tier.tenant_running)


@asynccontextmanager
async def queue_open() -> AsyncIterator[None]:
    """Raises DeskClosedError where Redis is lost inside the block."""
    try:
        yield
    except LOST as error:
        log.warning("redis is away", error=type(error).__name__)
        raise DeskClosedError from None
