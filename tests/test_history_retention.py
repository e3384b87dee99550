"""How long the history keeps: each kind for its own time, a person's last objects whatever their age."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from queueing import job, requester
from redis.asyncio import Redis
from remembering import ended_record
from sqlalchemy import insert, select, update
from storing import folder_store, own, put

from frontdesk.history import schema
from frontdesk.history.database import Database
from frontdesk.history.recording import job_row
from frontdesk.history.retention import BATCH, EVERY, HistoryRetention
from frontdesk.queue import keys
from frontdesk.queue.artifacts import Artifact, ArtifactStore
from frontdesk.queue.jobs import Outcome
from frontdesk.queue.retention import DAY, Keep, Retention

ADA = requester("ada").key
KEEP = Keep({"score": 30.0, "write": 90.0, "*": 365.0}, 2)


class Shelves:
    """A history, a queue and a store, and jobs that ended long ago."""

    def __init__(self, redis: Redis, database: Database, store: ArtifactStore) -> None:
        self.redis = redis
        self.database = database
        self.store = store
        self.now = time.time()
        self.retention = Retention(redis, store, KEEP, clock=lambda: self.now)

    def sweeper(self, pause: Callable[[float], Awaitable[None]] | None = None) -> HistoryRetention:
        pausing = {"pause": pause} if pause else {}
        return HistoryRetention(self.redis, self.database, self.retention, KEEP, clock=lambda: self.now, **pausing)

    async def ended(self, days_ago: float, kind: str = "score", *, file: bytes = b"") -> str:
        """A job that ended so many days ago, with a file or without."""
        made = job(kind=kind, submitted_at=self.now - days_ago * DAY)
        row = job_row(None, made, ended_record(made, Outcome(status="done")))
        async with self.database.writing() as connection:
            await connection.execute(insert(schema.jobs).values(row))
        if file:
            await self.holds(made.id, kind, days_ago, put(self.store, file))
        return made.id

    async def holds(self, job_id: str, kind: str, days_ago: float, file: Artifact) -> None:
        await own(self.redis, job_id, ADA, [file.sha256], kind)
        since = (self.now - days_ago * DAY) * 1000
        await self.redis.zadd(keys.OBJECTS, {job_id: since})
        await self.redis.zadd(keys.objects_of(ADA), {job_id: since})

    async def there(self) -> set[str]:
        async with self.database.reading() as connection:
            return {row.id for row in await connection.execute(select(schema.jobs.c.id))}


@pytest.fixture
def shelves(redis: Redis, database: Database, tmp_path: Path) -> Shelves:
    return Shelves(redis, database, folder_store(tmp_path / "store"))


async def test_each_kind_has_its_time(shelves: Shelves) -> None:
    """A score goes after 30 days, a text after 90, what is not named after a year; and not a day before."""
    gone = [await shelves.ended(31), await shelves.ended(91, "write"), await shelves.ended(366, "sing")]
    kept = [await shelves.ended(29), await shelves.ended(89, "write"), await shelves.ended(364, "sing")]
    assert sorted(await shelves.sweeper().sweep()) == sorted(gone)
    assert await shelves.there() == set(kept)


async def test_a_job_goes_with_its_files(shelves: Shelves) -> None:
    """Both or neither: of four overdue ones with files the person's last two stay, in the queue's eyes as well."""
    jobs = [await shelves.ended(100 - n, file=b"%d" % n) for n in range(4)]
    assert set(await shelves.sweeper().sweep()) == set(jobs[:2])
    assert await shelves.there() == set(jobs[2:])
    assert [one.job_id for one in await shelves.retention.objects_of(ADA)] == jobs[:1:-1]


async def test_a_published_one_follows_the_same_rule(shelves: Shelves) -> None:
    """Whoever publishes does not ask for it to be kept for ever."""
    job_id = await shelves.ended(31)
    async with shelves.database.writing() as connection:
        await connection.execute(update(schema.jobs).values(published_at=1.0))
    assert await shelves.sweeper().sweep() == [job_id]


async def test_what_is_kept_does_not_hide_what_goes(shelves: Shelves) -> None:
    """There are more that stay, since they hold files, than are looked at in one step."""
    async with shelves.database.writing() as connection:
        for number in range(BATCH + 2):
            made = job(kind="score", id=f"{number:09d}", submitted_at=1.0)
            await connection.execute(
                insert(schema.jobs).values(job_row(None, made, ended_record(made, Outcome(status="done"))))
            )
    held = {keys.files(f"{number:09d}"): "x score" for number in range(BATCH)}
    await shelves.redis.mset(held)
    assert await shelves.sweeper().sweep() == [f"{BATCH:09d}", f"{BATCH + 1:09d}"]


async def test_it_looks_once_an_hour_and_sooner_after_a_failure(
    shelves: Shelves, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database being away for a while is no reason to end."""
    pauses: list[float] = []

    class SeenEnoughError(Exception):
        """The test has seen enough."""

    async def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 2:
            raise SeenEnoughError

    async def gone() -> list[str]:
        raise OSError

    sweeper = shelves.sweeper(pause)
    sweep = sweeper.sweep
    turns = iter([gone, sweep])
    monkeypatch.setattr(sweeper, "sweep", lambda: next(turns)())
    with pytest.raises(SeenEnoughError):
        await sweeper.run()
    assert pauses[0] < EVERY
    assert pauses[1] == EVERY
