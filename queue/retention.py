"""How long files are kept, and whose they are.

A job that made files is an object of its requester. A requester's last few objects are kept whole, whatever their age;
an older one loses its files after as many days as its kind is kept. A file that two jobs share, having the same
content, goes with the last of them. The history follows the same rule (`history/retention.py`): a job and its files go
together.

Redis knows who holds what (`files.lua`); the store knows when a file was put. A sweep lets go of what is overdue, and
then deletes the files that nobody holds and that were put more than a day ago. So it needs no notes of its own: one
that was killed is made good by the next, two at a time do the same twice, and a file that was put just now, and that
no ended job names yet, is safe. A store belongs to one queue: files of another would be held by nobody.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import cast

import structlog
from redis.asyncio import Redis

from frontdesk.queue import keys
from frontdesk.queue.artifacts import ArtifactStore
from frontdesk.queue.batches import batched
from frontdesk.queue.blobs import Blob
from frontdesk.queue.connection import answer, end_loops, persistently
from frontdesk.queue.errors import StoreError
from frontdesk.queue.jobs import is_member
from frontdesk.queue.lua import script

DAY = 86_400.0
UNCLAIMED = DAY  # seconds for which a file stays that nobody holds
BATCH = 500  # questions in one round trip
EVERY = 3600.0  # seconds between sweeps, by whichever process comes first

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Kept:
    """An object: a job that holds files. `since` in Unix seconds; `kind` "" where that is not known."""

    job_id: str
    requester: str
    since: float
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep did: jobs that lost their files, and files and checkpoints that were deleted."""

    jobs: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    checkpoints: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Keep:
    """For how long jobs that ended are kept with their files: `days` by kind, "*" for all others. Of a requester's
    objects the last so many stay whatever their age."""

    days: Mapping[str, float]
    objects: int

    def seconds(self, kind: str) -> float:
        return DAY * self.days.get(kind, self.days["*"])

    @property
    def shortest(self) -> float:
        """Seconds for which everything is kept."""
        return DAY * min(self.days.values())


def overdue(objects: Iterable[Kept], *, now: float, keep: Keep) -> list[Kept]:
    """Those that lose their files: older than their kind is kept, and not among their requester's last few."""
    seen: dict[str, int] = {}
    late = []
    for one in sorted(objects, key=lambda one: (one.since, one.job_id), reverse=True):
        newer, member = seen.get(one.requester, 0), is_member(one.job_id)
        seen[one.requester] = newer + (not member)  # a group is one object, and holds the files of its best
        if (member or newer >= keep.objects) and one.since < now - keep.seconds(one.kind):
            late.append(one)
    return late


class Retention:
    """clock: Unix seconds."""

    def __init__(
        self, redis: Redis, store: ArtifactStore, keep: Keep, *, clock: Callable[[], float] = time.time
    ) -> None:
        self._redis = redis
        self._store = store
        self._keep = keep
        self._clock = clock
        self._disown = redis.register_script(script("disown"))

    async def disown(self, job_id: str) -> int:
        """A job holds no files any more. Returns how many of them nobody holds now; the next sweep deletes those."""
        return int(await self._disown(args=[job_id]))

    async def objects_of(self, requester: str) -> list[Kept]:
        """A requester's jobs that hold files, newest first."""
        found = await self._redis.zrevrange(keys.objects_of(requester), 0, -1, withscores=True)
        entries = await self._redis.mget([keys.files(job_id.decode()) for job_id, _ in found]) if found else []
        kinds = [(entry or b"").partition(b"\n")[0].partition(b" ")[2].decode() for entry in entries]
        return [
            Kept(job_id.decode(), requester, score / 1000, kind)
            for (job_id, score), kind in zip(found, kinds, strict=True)
        ]

    async def files_of(self, job_id: str) -> list[str]:
        """The hashes of the files that a job holds."""
        entry = await self._redis.get(keys.files(job_id))
        return entry.decode().split("\n")[1:] if entry else []

    async def let_go(self) -> tuple[str, ...]:
        """Jobs that are overdue lose their files. Returns their ids."""
        late = await self._overdue()
        for one in late:
            await self.disown(one.job_id)
        return tuple(one.job_id for one in late)

    async def sweep(self) -> Swept:
        """Let go of what is overdue, and delete what nobody holds. Raises StoreError, and what Redis being away raises:
        the next sweep goes on."""
        jobs = await self.let_go()
        if not await self._is_ours():
            log.warning("files of another queue are left alone: this store is not ours")
            return Swept(jobs)
        before = self._clock() - UNCLAIMED
        files, checkpoints = await asyncio.to_thread(self._store.contents)
        swept = Swept(jobs, await self._delete_files(files, before), await self._delete_saved(checkpoints, before))
        await asyncio.to_thread(self._store.clear_parts, before)
        return swept

    async def _overdue(self) -> list[Kept]:
        limit = (self._clock() - self._keep.shortest) * 1000
        old = [job_id.decode() for job_id in await self._redis.zrangebyscore(keys.OBJECTS, "-inf", f"({limit}")]
        requesters = set()
        for some in batched(old, BATCH):
            entries = await self._redis.mget([keys.files(job_id) for job_id in some])
            requesters |= {entry.partition(b"\n")[0].partition(b" ")[0].decode() for entry in entries if entry}
        objects = [one for requester in sorted(requesters) for one in await self.objects_of(requester)]
        late = overdue(objects, now=self._clock(), keep=self._keep)
        return await self._ended(late)

    async def _ended(self, objects: Sequence[Kept]) -> list[Kept]:
        """Without those that still need what they were asked with."""
        async with self._redis.pipeline(transaction=False) as pipe:
            for one in objects:
                pipe.hget(keys.job(one.job_id), "state")
            states = await pipe.execute()
        return [one for one, state in zip(objects, states, strict=True) if state not in (b"waiting", b"running")]

    async def _is_ours(self) -> bool:
        """Whether the store was first swept for this queue. An emptied Redis knows of no owners: nothing is deleted
        then until somebody removes the store's file `desk`."""
        await self._redis.set(keys.STORE, secrets.token_hex(16), nx=True)
        token = cast(bytes, await self._redis.get(keys.STORE)).decode()
        return await asyncio.to_thread(self._store.stamp, token) == token

    async def _delete_files(self, files: Sequence[Blob], before: float) -> tuple[str, ...]:
        deleted = []
        for some in batched([blob.key for blob in files if blob.modified < before], BATCH):
            async with self._redis.pipeline(transaction=False) as pipe:
                for sha256 in some:
                    pipe.exists(keys.owners(sha256))
                held = await pipe.execute()
            for sha256, is_held in zip(some, held, strict=True):
                if not is_held and await asyncio.to_thread(self._store.remove_older, sha256, before):
                    deleted.append(sha256)
        return tuple(deleted)

    async def _delete_saved(self, checkpoints: Sequence[Blob], before: float) -> tuple[str, ...]:
        """Those of jobs that ended elsewhere than in a worker: cancelled while they waited, expired, given up."""
        deleted = []
        for some in batched([blob.key for blob in checkpoints if blob.modified < before], BATCH):
            async with self._redis.pipeline(transaction=False) as pipe:
                for job_id in some:
                    pipe.hget(keys.job(job_id), "state")
                    pipe.zscore(keys.RUNNING, job_id)
                said = await pipe.execute()
            for job_id, state, running in zip(some, said[::2], said[1::2], strict=True):
                if state not in (b"waiting", b"running") and running is None:
                    await asyncio.to_thread(self._store.forget, job_id)
                    deleted.append(job_id)
        return tuple(deleted)


@asynccontextmanager
async def swept(redis: Redis, retention: Retention, *, every: float = EVERY) -> AsyncIterator[None]:
    """Sweeps go on inside the block, one in so many seconds by all processes together."""

    async def sweeping() -> None:
        while True:
            if await answer(redis.set(keys.SWEPT, 1, nx=True, px=int(every * 1000))):
                await _sweep(retention)
            await asyncio.sleep(every / 4)

    task = asyncio.create_task(persistently(sweeping, _lost, first=5.0, longest=300.0))
    try:
        yield
    finally:
        await end_loops(task)


async def _sweep(retention: Retention) -> None:
    try:
        done = await retention.sweep()
    except StoreError as error:
        log.warning("files not swept", reason=str(error))
    else:
        if done != Swept():
            log.info("files swept", jobs=len(done.jobs), files=len(done.files), checkpoints=len(done.checkpoints))


def _lost(error: Exception, pause: float) -> None:
    log.warning("redis is away", step="sweep", error=type(error).__name__, again_in=pause)
