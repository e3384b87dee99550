"""The queue as the front ends see it: submit, cancel, and what became of a job."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Literal, cast

from arq.jobs import serialize_job
from redis.asyncio import Redis

from frontdesk.queue import keys
from frontdesk.queue.codec import decode, dump, encode
from frontdesk.queue.connection import LOST, answer
from frontdesk.queue.errors import CorruptMessageError
from frontdesk.queue.estimates import Estimate, estimated
from frontdesk.queue.jobs import Job, JobRecord, Outcome, Platform, ReplyAddress, Share, State, Ticket
from frontdesk.queue.record import asked
from frontdesk.queue.scripts import Place, Scripts, submitted

EQUAL_SHARE = Share()

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
        self.scripts = Scripts(redis)

    async def estimate(self, kind: str, declared: float) -> Estimate:
        """What a job of this declared cost is likely to take, by what was measured of the kind."""
        [estimate] = await self.estimates(kind, [declared])
        return estimate

    async def estimates(self, kind: str, declared: Sequence[float]) -> list[Estimate]:
        """The same for several jobs of a kind."""
        async with self.redis.pipeline(transaction=False) as pipe:
            pipe.hget(keys.MODELS, kind)
            pipe.hgetall(keys.speed(kind))
            model, measured = await pipe.execute()
        return [estimated(each, model.decode() if model else "", measured) for each in declared]

    async def given(self, update: str) -> Ticket | None:
        """The ticket that a platform's update already got."""
        job_id = await self.redis.get(keys.idempotency(update))
        return await self.repeated(job_id.decode()) if job_id else None

    async def submit(
        self,
        job: Job,
        reply: ReplyAddress,
        *,
        update: str,
        declared: float,
        share: Share = EQUAL_SHARE,
        digest: str = "",
        reuse: bool = False,
        files: Sequence[str] = (),
        releases: tuple[str, ...] = (),
        needs: str = "",
        in_flight: float = 2 * 86_400.0,
    ) -> Ticket:
        """Queue a job, atomically and once for each `update` (the platform's own id of what the user did).

        declared: the kind's cost before it was scaled by what was measured, in device-seconds.
        digest: the same for jobs that may share one run (`request_digest`); empty for one that is its own.
        reuse: whether a fresh result of a finished one will do.
        files: hashes of the stored files that it is asked with; in the same step they are the job's.
        releases: in-flight sets that the job leaves when it ends, or after `in_flight` seconds.
        needs: what it wants of a worker beyond its kind, as `needs.written` gives it.
        Raises JobIdTakenError.
        """
        said = await self.scripts.submit(
            job_id=job.id,
            update=update,
            requester=job.requester.identity,
            payload=payload(job),
            in_flight=in_flight,
            band=share.band,
            digest=digest,
            reuse=reuse,
            keep=self.keep,
            fields=job_fields(job, reply, declared, share, releases, needs, files),
        )
        given = submitted(said)
        if given.job_id is None:
            raise JobIdTakenError(job.id)
        if given.repeated and given.job_id != job.id:  # our own id: the connection dropped, and it was sent again
            return await self.repeated(given.job_id)
        if given.answered:
            return Ticket(job.id, 0, 0.0, answered=True)
        if given.place is not None:
            return ticket_of(job.id, given.place)
        try:
            return await self.ticket(job.id, job.lane) if given.repeated else Ticket(job.id, 0, 0.0)  # a worker has it
        except LOST:  # the job is accepted all the same
            return Ticket(job.id, 0, 0.0)

    async def ticket(self, job_id: str, lane: str) -> Ticket:
        """Where a job stands now."""
        return ticket_of(job_id, await self.scripts.place(lane, job_id))

    async def place(self, lane: str) -> Place:
        return await self.scripts.place(lane)

    async def set_reply(self, job_id: str, reply: ReplyAddress) -> None:
        """Tell where the placeholder stands, once it does. From then on the ticket is kept up to date."""
        state = cast("bytes | None", await answer(self.redis.hget(keys.job(job_id), "state")))
        if state is None:
            return
        await answer(self.redis.hset(keys.job(job_id), mapping={"reply": encode(reply)}))
        if state == b"waiting" and reply.message is not None:
            await answer(self.redis.sadd(keys.tickets(reply.platform), job_id))

    async def tickets(self, platform: Platform, limit: int = 500) -> list[str]:
        """Waiting jobs whose tickets are shown on a platform; some that just started may still be among them."""
        found = await answer(self.redis.srandmember(keys.tickets(platform), limit))
        return sorted(job_id.decode() for job_id in cast("list[bytes]", found))

    async def forget_ticket(self, platform: Platform, job_id: str) -> None:
        """A ticket that needs no keeping up to date any more."""
        await answer(self.redis.srem(keys.tickets(platform), job_id))

    async def set_delivery(self, job_id: str, delivery: str) -> None:
        """Record how an answer reached its requester, for front ends that read no outcome stream."""
        if await self.redis.exists(keys.job(job_id)):
            await answer(self.redis.hset(keys.job(job_id), mapping={"delivery": delivery}))

    async def sent(self, job_id: str) -> str | None:
        """What `set_sent` noted of a delivery."""
        note = cast("bytes | None", await answer(self.redis.hget(keys.job(job_id), "sent")))
        return note.decode("ascii", "replace") if note else None

    async def set_sent(self, job_id: str, note: str) -> None:
        """Note how far the delivery of an answer has come that takes several messages."""
        if await self.redis.exists(keys.job(job_id)):
            await answer(self.redis.hset(keys.job(job_id), mapping={"sent": note}))

    async def cancel(self, job_id: str, requester: str | None) -> Cancelled:
        """Cancel a job of `requester`, or anyone's where that is None. A running job stops at its next step."""
        return cast(Cancelled, await self.scripts.cancel(job_id, requester or "", self.keep))

    async def job(self, job_id: str) -> JobRecord | None:
        """What is known of a job. Raises CorruptMessageError."""
        fields = await answer(self.redis.hgetall(keys.job(job_id)))
        if not fields:
            return None
        record = _record(job_id, fields)
        if record.leader and record.state == "waiting":  # it runs when the job runs that it waits for
            leading = await answer(self.redis.hmget(keys.job(record.leader), ["lease", "started", "worker"]))
            if leading[0]:
                started = int(leading[1]) / 1000 if leading[1] else None
                return replace(record, state="running", started_at=started, worker=(leading[2] or b"").decode() or None)
        return record

    async def asked(self, job_id: str) -> Job | None:
        """What a job that has not ended asks for; None where there is none such."""
        return asked(await self.redis.get(keys.PAYLOAD + job_id) or b"")

    async def jobs_of(self, *identities: str, limit: int = 10) -> list[JobRecord]:
        """The jobs that these identities asked for, newest first; those that cannot be read are left out."""
        async with self.redis.pipeline(transaction=False) as pipe:
            for identity in identities:
                pipe.zrevrange(keys.requester_jobs(identity), 0, limit - 1, withscores=True)
            listed = [entry for entries in await pipe.execute() for entry in entries]
        records = []
        for job_id, _ in sorted(listed, key=lambda entry: entry[1], reverse=True)[:limit]:
            try:
                record = await self.job(job_id.decode())
            except CorruptMessageError:
                continue
            if record is not None:
                records.append(record)
        return records

    async def repeated(self, job_id: str) -> Ticket:
        """The ticket of an update that comes again."""
        record = await self.job(job_id)
        if record is None:
            return Ticket(job_id, 0, 0.0, repeated=True, placed=True)
        ticket = await self.ticket(job_id, record.lane)
        return replace(ticket, repeated=True, placed=record.reply.message is not None or record.ended)

    async def records(self, job_ids: Sequence[str]) -> dict[str, JobRecord]:
        """Several jobs as they are remembered, in one round trip; without those unknown or damaged. A job that waits
        for another one's outcome counts as waiting, whatever that one does."""
        async with self.redis.pipeline(transaction=False) as pipe:
            for job_id in job_ids:
                pipe.hgetall(keys.job(job_id))
            found = await pipe.execute(raise_on_error=False)
        records = {}
        for job_id, fields in zip(job_ids, found, strict=True):
            with suppress(CorruptMessageError, AttributeError):  # the second: no hash
                records[job_id] = _record(job_id, fields)
        return records


def ticket_of(job_id: str, standing: Place) -> Ticket:
    if standing.rank is None:
        return Ticket(job_id, 0, 0.0)
    if standing.workers == 0:  # also of a paused lane
        return Ticket(job_id, standing.rank + 1, None, paused=standing.paused, lacking=standing.lacking or None)
    return Ticket(job_id, standing.rank + 1, standing.wait, standing.wait_high)


def payload(job: Job) -> bytes:
    """The job as arq's Worker reads it: a call of the function named like the kind."""
    return serialize_job(job.kind, (encode(job).decode(),), {}, None, int(job.submitted_at * 1000), serializer=dump)


def job_fields(
    job: Job,
    reply: ReplyAddress,
    declared: float,
    share: Share,
    releases: tuple[str, ...],
    needs: str = "",
    files: Sequence[str] = (),
) -> dict[str, str | bytes | float]:
    """The job's hash. Short values, and none that says nothing: tens of thousands of them may wait."""
    caps = ["" if limit is None else str(limit) for limit in (share.running, share.tenant_running)]
    fields: dict[str, str | bytes | float] = {
        "kind": job.kind,
        "lane": job.lane,
        "cost": float(f"{job.cost:.4g}"),
        "declared": float(f"{declared:.4g}"),
        "requester": job.requester.key,
        "tenant": job.requester.tenant,
        "reply": encode(reply),
    }
    if job.requester.identity != job.requester.key:
        fields["asker"] = job.requester.identity
    if share.weight != 1:
        fields["weight"] = share.weight
    if any(caps):
        fields["caps"] = "|".join(caps)
    if not job.requester.key.startswith(f"{reply.platform}:"):
        fields["to"] = reply.platform
    if job.private:
        fields["private"] = 1
    if needs:
        fields["needs"] = needs
    if releases:
        own = f"{job.kind}:{job.requester.key}"  # named by a sign that common.lua knows
        fields["releases"] = "\n".join(name.replace(own, "*") for name in releases)
    if files:
        fields["asked"] = "\n".join(files)
    return fields


def _record(job_id: str, hash_: Mapping[bytes, bytes]) -> JobRecord:
    """Raises CorruptMessageError."""
    fields = {name.decode(): value for name, value in hash_.items()}

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
            private=fields.get("private") == b"1",
            submitted_at=int(fields["submitted"]) / 1000,
            reply=decode(ReplyAddress, fields["reply"]),
            started_at=seconds("started"),
            finished_at=seconds("finished"),
            worker=text("worker"),
            outcome=decode(Outcome, fields["outcome"]) if fields.get("outcome") else None,
            delivery=text("delivery"),
            leader=text("leader"),
            kills=int(fields.get("kills", b"0")),
            asker=text("asker"),
        )
    except (KeyError, ValueError):
        raise CorruptMessageError(f"Job {job_id} in Redis cannot be read.") from None
