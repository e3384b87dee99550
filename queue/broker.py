"""The queue as the front ends see it: submit, cancel, and what became of a job."""

from __future__ import annotations

from typing import Literal, cast

from arq.jobs import serialize_job
from redis.asyncio import Redis

from frontdesk.queue import keys
from frontdesk.queue.codec import decode, dump, encode
from frontdesk.queue.connection import LOST, answer
from frontdesk.queue.errors import CorruptMessageError
from frontdesk.queue.jobs import Job, JobRecord, Outcome, ReplyAddress, State, Ticket
from frontdesk.queue.scripts import Place, Scripts

Cancelled = Literal["unknown", "cancelled", "stopping", "ended"]


class JobIdTakenError(Exception):
    """Another job got this id within the same second: draw a new one and submit again."""


class Broker:
    """Writes jobs in arq's format, so that an arq worker runs them.

    keep: seconds for which an ended job is remembered.
    """

    def __init__(self, redis: Redis, *, keep: float) -> None:
        self.redis = redis
        self.keep = keep
        self._scripts = Scripts(redis)

    async def speed(self, kind: str) -> float:
        """Measured over declared cost of a kind; 1.0 before anything was measured."""
        measured = await answer(self.redis.hget(keys.SPEED, kind))
        return float(measured) if measured else 1.0

    async def given(self, update: str) -> Ticket | None:
        """The ticket that a platform's update already got."""
        job_id = await self.redis.get(keys.idempotency(update))
        return await self._repeated(job_id.decode()) if job_id else None

    async def submit(
        self,
        job: Job,
        reply: ReplyAddress,
        *,
        update: str,
        declared: float,
        releases: tuple[str, ...] = (),
        in_flight: float = 2 * 86_400.0,
    ) -> Ticket:
        """Queue a job, atomically and once for each `update` (the platform's own id of what the user did).

        declared: the kind's cost before it was scaled by what was measured, in device-seconds.
        releases: in-flight sets that the job leaves when it ends, or after `in_flight` seconds.
        Raises JobIdTakenError.
        """
        given, repeated = await self._scripts.submit(
            job_id=job.id,
            update=update,
            requester=job.requester.key,
            payload=_payload(job),
            in_flight=in_flight,
            fields={
                "kind": job.kind,
                "lane": job.lane,
                "cost": job.cost,
                "declared": declared,
                "platform": job.requester.platform,
                "requester": job.requester.key,
                "private": int(job.private),
                "reply": encode(reply),
                "releases": "\n".join(releases),
            },
        )
        if given is None:
            raise JobIdTakenError(job.id)
        if repeated and given != job.id:  # our own id: the connection dropped, and the script was sent again
            return await self._repeated(given)
        try:
            return await self.ticket(job.id, job.lane)
        except LOST:  # the job is accepted all the same
            return Ticket(job.id, 0, 0.0)

    async def ticket(self, job_id: str, lane: str) -> Ticket:
        """Where a job stands now."""
        place = await self._scripts.place(lane, job_id)
        if place.rank is None:
            return Ticket(job_id, 0, 0.0)
        return Ticket(job_id, place.rank + 1, expected_wait(place, place.rank))

    async def place(self, lane: str) -> Place:
        return await self._scripts.place(lane)

    async def set_reply(self, job_id: str, reply: ReplyAddress) -> None:
        """Tell where the placeholder stands, once it does."""
        if await self.redis.exists(keys.job(job_id)):
            await answer(self.redis.hset(keys.job(job_id), mapping={"reply": encode(reply)}))

    async def set_delivery(self, job_id: str, delivery: str) -> None:
        """Record how an answer reached its requester, for front ends that read no outcome stream."""
        if await self.redis.exists(keys.job(job_id)):
            await answer(self.redis.hset(keys.job(job_id), mapping={"delivery": delivery}))

    async def cancel(self, job_id: str, requester: str | None) -> Cancelled:
        """Cancel a job of `requester`, or anyone's where that is None. A running job stops at its next step."""
        outcome = encode(Outcome(status="cancelled"))
        return cast(Cancelled, await self._scripts.cancel(job_id, requester or "", outcome, self.keep))

    async def job(self, job_id: str) -> JobRecord | None:
        """What is known of a job. Raises CorruptMessageError."""
        fields = await answer(self.redis.hgetall(keys.job(job_id)))
        return _record(job_id, {name.decode(): value for name, value in fields.items()}) if fields else None

    async def jobs_of(self, requester: str, limit: int = 10) -> list[JobRecord]:
        """A requester's jobs, newest first; those that cannot be read are left out."""
        records = []
        for job_id in await self.redis.zrevrange(keys.requester_jobs(requester), 0, limit - 1):
            try:
                record = await self.job(job_id.decode())
            except CorruptMessageError:
                continue
            if record is not None:
                records.append(record)
        return records

    async def _repeated(self, job_id: str) -> Ticket:
        record = await self.job(job_id)
        if record is None:
            return Ticket(job_id, 0, 0.0, repeated=True, placed=True)
        ticket = await self.ticket(job_id, record.lane)
        return Ticket(job_id, ticket.position, ticket.wait, repeated=True, placed=record.reply.message is not None)


def _payload(job: Job) -> bytes:
    """The job as arq's Worker reads it: a call of the function named like the kind."""
    return serialize_job(job.kind, (encode(job).decode(),), {}, None, int(job.submitted_at * 1000), serializer=dump)


def expected_wait(place: Place, rank: int) -> float | None:
    """Seconds until the job at `rank` starts: the work ahead of it, shared by the lane's workers.

    Jobs ahead are taken to cost the lane's mean, and running ones to be half done. None without a worker.
    """
    if place.workers == 0:
        return None
    mean = place.waiting_cost / place.waiting if place.waiting else 0.0
    return (rank * mean + place.running_cost / 2) / place.workers


def _record(job_id: str, fields: dict[str, bytes]) -> JobRecord:
    def text(name: str) -> str | None:
        return fields[name].decode() if fields.get(name) else None

    def seconds(name: str) -> float | None:
        return int(fields[name]) / 1000 if fields.get(name) else None

    try:
        return JobRecord(
            id=job_id,
            kind=fields["kind"].decode(),
            lane=fields["lane"].decode(),
            state=cast(State, fields["state"].decode()),
            requester=fields["requester"].decode(),
            private=fields["private"] == b"1",
            submitted_at=int(fields["submitted"]) / 1000,
            reply=decode(ReplyAddress, fields["reply"]),
            started_at=seconds("started"),
            finished_at=seconds("finished"),
            worker=text("worker"),
            outcome=decode(Outcome, fields["outcome"]) if fields.get("outcome") else None,
            delivery=text("delivery"),
        )
    except (KeyError, ValueError):
        raise CorruptMessageError(f"Job {job_id} in Redis cannot be read.") from None
