"""What tests of the history share: jobs that ended, as the queue and the database have them."""

from __future__ import annotations

from typing import Any

from queueing import ECHO, KEEP, address, echoed, submit
from redis.asyncio import Redis
from sqlalchemy import insert

from frontdesk.history import schema
from frontdesk.history.database import Database
from frontdesk.history.recorder import Recorder
from frontdesk.history.recording import file_rows, job_row
from frontdesk.queue.broker import Broker
from frontdesk.queue.codec import encode
from frontdesk.queue.jobs import Job, JobRecord, Outcome
from frontdesk.queue.kinds import AnyKind, Registry
from frontdesk.queue.record import RecordStream
from frontdesk.queue.scripts import Ended, Scripts

KINDS = Registry([ECHO])


def ended_record(made: Job, outcome: Outcome, **changes: Any) -> JobRecord:
    """A job as the queue remembers it after a run of half a second."""
    fields: dict[str, Any] = {
        "id": made.id,
        "kind": made.kind,
        "lane": made.lane,
        "state": outcome.status,
        "requester": made.requester.key,
        "private": made.private,
        "submitted_at": made.submitted_at,
        "reply": address(made.requester.user, made.requester.platform),
        "started_at": made.submitted_at + 1.0,
        "finished_at": made.submitted_at + 1.5,
        "worker": "w1",
        "outcome": outcome,
    }
    return JobRecord(**(fields | changes))


async def remembered(
    database: Database, made: Job, outcome: Outcome | None = None, *, kind: AnyKind = ECHO, **changes: Any
) -> Job:
    """The job in the database, as the recorder would write it; `changes` are columns."""
    told = outcome or echoed(str(made.params.get("text", "")))
    async with database.writing() as connection:
        row = {**job_row(kind, made, ended_record(made, told)), **changes}
        await connection.execute(insert(schema.jobs), row)
        if files := file_rows(kind, made.id, told):
            await connection.execute(insert(schema.files), files)
    return made


async def ends(redis: Redis, made: Job, outcome: Outcome | None = None) -> Job:
    """The job goes through the real queue and ends so."""
    broker, scripts = Broker(redis, keep=KEEP), Scripts(redis)
    await submit(broker, made)
    turn = await scripts.turn("w1", 60.0, {made.lane: 1}, [], keep=KEEP, patience=3600.0)
    [claimed] = turn.jobs
    told = outcome or echoed(str(made.params["text"]))
    ended = Ended(claimed.job_id, claimed.lease, status=told.status, outcome=encode(told), gpu_seconds=told.gpu_seconds)
    await scripts.turn("w1", 60.0, {}, [ended], keep=KEEP, patience=3600.0)
    return made


async def recording_begins(redis: Redis) -> None:
    """From now on the queue notes what ends."""
    await RecordStream(redis, keep=KEEP).open()


def recorder(redis: Redis, database: Database, **options: Any) -> Recorder:
    return Recorder(redis, database, options.pop("kinds", KINDS), keep=KEEP, **options)
