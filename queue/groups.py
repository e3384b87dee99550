"""Groups: one request that is many jobs, its members, which share one ticket, one progress and one outcome.

Members wait, share runs and are charged like all jobs. The scripts (`group.lua`) note how each of them ended, and the
step that ends the last one ends the group. A group that has a result has this one, in JSON:

    {"members": 12, "done": 11, "best": [{"job_id": "...", "outcome": {"v": 1, "d": {an outcome}}}, ...]}

with at most five of the best, by the `place` of their rankings. It holds the files of the first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from redis.asyncio.client import Pipeline
from redis.exceptions import WatchError

from frontdesk.queue import keys
from frontdesk.queue.broker import EQUAL_SHARE, Broker, JobIdTakenError, job_fields, payload, ticket_of
from frontdesk.queue.jobs import Job, ReplyAddress, Share, Ticket
from frontdesk.queue.lua import script
from frontdesk.queue.scripts import JOBS_LISTED, UPDATES_KEPT, Submitted, submitted


@dataclass(frozen=True, slots=True)
class Member:
    """declared: its cost before it was scaled by what was measured, in device-seconds. digest: as `Broker.submit` takes
    it; reuse, needs: likewise."""

    job: Job
    declared: float
    digest: str
    reuse: bool = False
    needs: str = ""


@dataclass(frozen=True)
class Group:
    """A request of many jobs. `job` is the request itself: no worker gets it, and its id is that of all of them
    together."""

    job: Job
    members: Sequence[Member]
    share: Share = EQUAL_SHARE
    releases: tuple[str, ...] = ()
    in_flight: float = 2 * 86_400.0


async def submit_group(broker: Broker, group: Group, reply: ReplyAddress, *, update: str) -> Ticket:
    """Queue all of a group or nothing, atomically and once for each `update`. The ticket stands where the first of its
    members does. Raises JobIdTakenError.
    """
    while True:
        try:
            return await _try_once(broker, group, reply, update)
        except WatchError:  # the update came twice, or the connection dropped: what was written is found now
            continue


async def _try_once(broker: Broker, group: Group, reply: ReplyAddress, update: str) -> Ticket:
    job, update_key = group.job, keys.idempotency(update)
    async with broker.redis.pipeline(transaction=True) as pipe:
        await pipe.watch(update_key, keys.job(job.id))
        if given := await pipe.get(update_key):
            own = given.decode() == job.id
            return await (broker.ticket(job.id, job.lane) if own else broker.repeated(given.decode()))
        if await pipe.exists(keys.job(job.id)):
            raise JobIdTakenError(job.id)
        pipe.multi()  # type: ignore[no-untyped-call]  # redis-py's own lack
        await _open(broker, group, reply, update, pipe)
        for member in group.members:
            await _add(broker, group, member, reply, update, pipe)
        _, *answers = await pipe.execute()
    return _ticket(group, [submitted(answer) for answer in answers])


async def _open(broker: Broker, group: Group, reply: ReplyAddress, update: str, pipe: Pipeline) -> None:
    fields = job_fields(group.job, reply, 0.0, group.share, group.releases)
    await broker.redis.register_script(script("open_group"))(
        keys=[
            keys.idempotency(update),
            keys.job(group.job.id),
            keys.requester_jobs(group.job.requester.key),
            keys.payload(group.job.id),
        ],
        args=[
            group.job.id,
            UPDATES_KEPT,
            JOBS_LISTED,
            int(group.in_flight),
            payload(group.job),
            *(part for pair in (fields | {"members": len(group.members)}).items() for part in pair),
        ],
        client=pipe,
    )


async def _add(broker: Broker, group: Group, member: Member, reply: ReplyAddress, update: str, pipe: Pipeline) -> None:
    """Nobody is told of a member: its reply address names no message, and it takes no place in flight."""
    job = member.job
    address = ReplyAddress(platform=reply.platform, channel=reply.channel, user=reply.user, private=reply.private)
    await broker.scripts.submit(
        job_id=job.id,
        update=f"{update}:{job.id}",
        requester=job.requester.key,
        payload=payload(job),
        in_flight=group.in_flight,
        band=group.share.band,
        digest=member.digest,
        reuse=member.reuse,
        keep=broker.keep,
        fields=job_fields(job, address, member.declared, group.share, (), member.needs) | {"group": group.job.id},
        listed=keys.members(group.job.id),
        pipe=pipe,
    )


def _ticket(group: Group, answers: Sequence[Submitted]) -> Ticket:
    """Where the first of the members stands that nothing answered yet."""
    job_id = group.job.id
    each = list(zip(group.members, answers, strict=True))
    spared = sum(member.job.cost for member, answer in each if answer.answered)
    waiting = [answer.place for answer in answers if not answer.answered]
    places = [place for place in waiting if place is not None]
    if len(places) < len(waiting) or not places:  # a worker has one, or none had to be run
        return Ticket(job_id, 0, 0.0, answered=not waiting, spared=spared)
    first = min(places, key=lambda place: -1 if place.rank is None else place.rank)
    return replace(ticket_of(job_id, first), spared=spared)
