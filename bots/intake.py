"""How a request becomes a job: checked, limited, its files fetched, queued; each update once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Literal
from weakref import WeakValueDictionary

import structlog

from frontdesk.bots.incoming import Fetch, Given
from frontdesk.bots.parsing import validate
from frontdesk.bots.people import Admins, Person
from frontdesk.bots.uploads import Uploads
from frontdesk.queue.broker import Broker, JobIdTakenError
from frontdesk.queue.connection import LOST
from frontdesk.queue.errors import BannedError, DeskClosedError, LimitedError
from frontdesk.queue.groups import Group, Member, submit_group
from frontdesk.queue.jobs import Job, ReplyAddress, Share, Ticket, member_id, new_job_id, request_digest
from frontdesk.queue.kinds import AnyKind, Registry
from frontdesk.queue.logs import requester_hash
from frontdesk.queue.needs import written
from frontdesk.queue.parameters import Params
from frontdesk.queue.steering import Steering
from frontdesk.ratelimit.limiter import Limiter
from frontdesk.ratelimit.limits import DAILY, Limits, Tier, sentence
from frontdesk.ratelimit.policy import InFlight

log = structlog.get_logger()

ENTRY = 60.0  # seconds that a request counts as in flight before it is in the queue: one that never gets there is lost


@dataclass(frozen=True)
class Request:
    """What somebody asks for. `raw` as typed and sent; `update` the platform's own id of this act, so that it counts
    once; `fetch` brings the files among `raw`; `publish`: whether others are to see what comes of it, if they said."""

    person: Person
    kind: str
    raw: Mapping[str, Given]
    reply: ReplyAddress
    update: str
    private: bool = False
    fetch: Fetch | None = None
    publish: bool | None = None


class Intake:
    """Takes requests in for the desk. Parameters as the desk has them."""

    def __init__(
        self,
        kinds: Registry,
        broker: Broker,
        limiter: Limiter,
        limits: Limits,
        admins: Admins,
        steering: Steering,
        uploads: Uploads,
        *,
        longest: float,
        reuse: bool,
        clock: Callable[[], float],
    ) -> None:
        self._kinds = kinds
        self._broker = broker
        self._limiter = limiter
        self._limits = limits
        self._admins = admins
        self._steering = steering
        self._uploads = uploads
        self._longest = longest
        self._reuse = reuse
        self._clock = clock
        # Copies of one update that arrive together go one by one, so that only the first is charged.
        self._updates: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def take(self, request: Request) -> Ticket:
        """The ticket of a request; the same one for the same update. Raises what `Desk.submit` raises."""
        kind = self._kinds[request.kind]
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
            id=new_job_id(self._clock()),
            kind=kind.name,
            lane=kind.lane,
            params=params.model_dump(mode="json"),
            requester=requester,
            private=request.private,
            cost=estimate.cost,
            submitted_at=self._clock(),
            to=None if request.reply.platform == requester.platform else request.reply.platform,
            publish=request.publish,
        )
        members = await self._members(kind, params, job)
        if members:
            job = job.model_copy(update={"cost": sum(member.job.cost for member in members)})
        tier = await self._admitted(request.person)
        rules = self._limits.rules(tier=tier, kind=job.kind, user=requester.key, cost=job.cost, lifetime=ENTRY)
        who = requester_hash(requester.key)
        decision = await self._limiter.acquire(rules, job.id)
        if not decision.allowed:
            log.info("refused", kind=job.kind, requester=who, rule=decision.rule)
            raise LimitedError(decision.rule or "", sentence(decision, job.kind, rules), decision.retry_after)
        ticket = None
        try:
            job, files = await self._with_files(kind, job, request)
            releases = tuple(rule.key for rule in rules if isinstance(rule, InFlight))
            share = share_of(self._limits.tier(tier))
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
            rules = self._limits.rules(tier=tier, kind=job.kind, user=requester.key, cost=spared)
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
        each = kind.members.each(params)
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
        """The person's tier: an admin's, or what admins said, or what the limits file says. Raises BannedError."""
        said = await self._steering.standing(*sorted(person.identities))
        if said.ban is not None:
            log.info("refused", requester=requester_hash(person.requester.key), rule="banned")
            raise BannedError(said.ban.reason)
        if person in self._admins:
            return "admin"
        return self._limits.tier_of(*sorted(person.identities), said=said.tiers)


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
