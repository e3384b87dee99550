"""Forgets a person: takes out of Redis, and of the store, all that is theirs.

What admins said of them (a ban, a tier) and the log of what admins did stay; they hold no text of theirs. So does what
the rates count, which names nobody and ends by itself.

Each job leaves with all that is named by it in one step of the server. A run that others wait for goes on, and is
nobody's. Ids of what was forgotten are kept for a day, so that whoever still has one of those jobs in hand drops it.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, get_args

import structlog
from redis.asyncio import Redis

from frontdesk.queue import keys
from frontdesk.queue.artifacts import ArtifactStore
from frontdesk.queue.batches import batched
from frontdesk.queue.broker import Broker
from frontdesk.queue.codec import dump, encode, load
from frontdesk.queue.connection import answer
from frontdesk.queue.errors import CorruptMessageError, StoreError
from frontdesk.queue.jobs import Platform
from frontdesk.queue.lua import script
from frontdesk.queue.record import asked
from frontdesk.queue.scripts import CANCELLED

log = structlog.get_logger()

PLATFORMS: tuple[str, ...] = get_args(Platform)
FORGOTTEN_LIFE = 86_400  # seconds
BATCH = 200  # jobs, or keys, in one round trip
PATIENCE = 10.0  # seconds for runs to stop, and for their askers to be told
LOOK = 0.2  # seconds between two looks at them
SKEW = 5.0  # seconds by which the clocks of queue and store may differ
FAMILIES = ("fresh", "form", "tags", "entries", "sign_in", "session", "request")  # fd:NAME:..., looked at one by one
WORD = re.compile(r"[\w.:-]+")
UNFINISHED = (b"waiting", b"running")


@dataclass(frozen=True, slots=True)
class Gone:
    """What was removed: ids of jobs, and hashes of files."""

    jobs: frozenset[str] = frozenset()
    files: tuple[str, ...] = ()


@dataclass
class _Found:
    """What a look through all keys found."""

    jobs: set[str] = field(default_factory=set)
    unfinished: set[str] = field(default_factory=set)
    stopped: set[str] = field(default_factory=set)  # ended without a result: they may have left a checkpoint
    counted: dict[str, str] = field(default_factory=dict)  # jobs that count under this person, and who asked for them
    names: dict[str, list[str]] = field(default_factory=dict)  # keys by their family


class Forgetting:
    """store: None where there is none. patience: seconds for which unfinished jobs are awaited after they were
    cancelled. pause: sleeps."""

    def __init__(
        self,
        broker: Broker,
        store: ArtifactStore | None,
        *,
        patience: float = PATIENCE,
        pause: Callable[[float], Any] = asyncio.sleep,
    ) -> None:
        self._redis: Redis = broker.redis
        self._broker = broker
        self._store = store
        self._patience = patience
        self._pause = pause
        self._forget = self._redis.register_script(script("cancelling", "renaming", "forget"))
        self._hand_back = self._redis.register_script(script("renaming", "hand_back"))

    async def forget(self, identities: Collection[str], jobs: Iterable[str] = ()) -> Gone:
        """Remove all of a person. `jobs`: ids of theirs that others know of, such as the history.

        Doing it again after it was cut short ends what it began. Raises what redis-py raises.
        """
        found = await self._look(identities)
        found.jobs.update(jobs)
        held = await self._asked_with(found.unfinished)
        await self._stop(found.unfinished)
        found.jobs |= await self._leave_streams(identities, found.jobs)  # also what was asked for long ago
        await self._remember(found.jobs)
        await self._give_back(found.counted)
        held |= await self._remove_jobs(found.jobs)
        await self._leave_streams(identities, found.jobs)  # what the cancelling put there
        await self._remove_fresh(found)
        await self._remove_named(identities, found)
        files = await self._delete_files(held, found.stopped | found.unfinished)
        return Gone(frozenset(found.jobs), files)

    async def clear(self, jobs: Collection[str]) -> None:
        """The last step: what somebody wrote down of a job while it was removed goes, too."""
        for some in batched(sorted(jobs), BATCH):
            names = [keys.job(job_id) for job_id in some]
            async with self._redis.pipeline(transaction=False) as pipe:
                for name in names:
                    pipe.hexists(name, "lease")
                running = await pipe.execute()
            if idle := [name for name, leased in zip(names, running, strict=True) if not leased]:
                await self._redis.delete(*idle)

    async def _look(self, identities: Collection[str]) -> _Found:
        """All that may be theirs, in one walk over the keys. Jobs of groups are found with their group as well."""
        found = _Found()
        async for names in self._walk():
            own = [name for name in names if name.startswith(keys.JOB)]
            async with self._redis.pipeline(transaction=False) as pipe:
                for name in own:
                    pipe.hmget(name, ["requester", "asker", "state"])
                said = await pipe.execute(raise_on_error=False)
            for name, fields in zip(own, said, strict=True):
                if isinstance(fields, list):
                    _sort_in(found, name.removeprefix(keys.JOB), fields, identities)
            for family in FAMILIES:
                found.names.setdefault(family, []).extend(n for n in names if n.startswith(f"fd:{family}:"))
        return found

    async def _walk(self) -> AsyncIterator[list[str]]:
        cursor = 0
        while True:
            cursor, names = await self._redis.scan(cursor, match="fd:*", count=1000)
            for some in batched([name.decode("utf-8", "replace") for name in names], BATCH):
                yield list(some)
            if not cursor:
                return

    async def _stop(self, jobs: Collection[str]) -> None:
        """Cancel them, and wait a while until their runs stopped and their askers were told: tickets say it then."""
        for job_id in sorted(jobs):
            await self._broker.cancel(job_id, None)
        waited = 0.0
        while jobs and waited < self._patience:
            async with self._redis.pipeline(transaction=False) as pipe:
                for job_id in jobs:
                    pipe.hmget(keys.job(job_id), ["state", "delivery", "group"])
                said = await pipe.execute(raise_on_error=False)
            if all(isinstance(f, list) and f[0] not in UNFINISHED and (f[1] or f[2] or not f[0]) for f in said):
                return
            await self._pause(LOOK)
            waited += LOOK

    async def _remember(self, jobs: Collection[str]) -> None:
        seconds, _ = await self._redis.time()
        await self._redis.zremrangebyscore(keys.FORGOTTEN, "-inf", seconds - FORGOTTEN_LIFE)
        for some in batched(sorted(jobs), BATCH):
            await self._redis.zadd(keys.FORGOTTEN, dict.fromkeys(some, seconds))
        await self._redis.expire(keys.FORGOTTEN, FORGOTTEN_LIFE)

    async def _give_back(self, counted: Mapping[str, str]) -> None:
        """Jobs of those with whom they were one person once, which count under them."""
        for some in batched(sorted(counted), BATCH):
            await self._hand_back(args=[part for job_id in some for part in (job_id, counted[job_id])])
            for job_id in some:
                if payload := await self._redis.get(keys.payload(job_id)):
                    await self._redis.set(keys.payload(job_id), _without_account(payload), xx=True, keepttl=True)

    async def _remove_jobs(self, jobs: Collection[str]) -> dict[str, float]:
        """Since when they held which files (Unix seconds)."""
        since = dict[str, float]()
        for some in batched(sorted(jobs), BATCH):
            fixed: list[Any] = [CANCELLED, int(self._broker.keep), len(PLATFORMS), *PLATFORMS]
            said = await self._forget(args=[*fixed, *some])
            for sha256, when in zip(said[::2], said[1::2], strict=True):
                since[sha256.decode()] = max(since.get(sha256.decode(), 0.0), float(when) / 1000)
        return since

    async def _asked_with(self, jobs: Collection[str]) -> dict[str, float]:
        """Since when they hold what they were asked with: they let go of it when they are cancelled."""
        since = dict[str, float]()
        for some in batched(sorted(jobs), BATCH):
            async with self._redis.pipeline(transaction=False) as pipe:
                pipe.mget([keys.files(job_id) for job_id in some])
                pipe.zmscore(keys.OBJECTS, list(some))
                entries, scores = await pipe.execute()
            for entry, score in zip(entries, scores, strict=True):
                for sha256 in entry.decode().split("\n")[1:] if entry and score else ():
                    since[sha256] = max(since.get(sha256, 0.0), score / 1000)
        return since

    async def _leave_streams(self, identities: Collection[str], jobs: Collection[str]) -> set[str]:
        """Undelivered outcomes, and what is yet to be written down. Returns jobs of theirs that were found there."""
        gone = set[str]()
        for name in (*(keys.outcomes(platform) for platform in PLATFORMS), keys.RECORD):
            after = "-"
            while entries := await self._redis.xrange(name, after, count=500):
                dropped = []
                for entry, fields in entries:
                    job_id = fields.get(b"job", b"").decode("ascii", "replace")
                    if job_id in jobs or _asked_by(fields.get(b"payload"), identities):
                        dropped.append(entry)
                        gone.add(job_id)
                if dropped:
                    await self._redis.xdel(name, *dropped)
                after = f"({entries[-1][0].decode()}"
        return gone

    async def _remove_fresh(self, found: _Found) -> None:
        """No result of theirs answers anybody any more."""
        for some in batched(found.names.get("fresh", []), BATCH):
            values = await self._redis.mget(some)
            theirs = [n for n, value in zip(some, values, strict=True) if value and value.decode() in found.jobs]
            if theirs:
                await self._redis.delete(*theirs)

    async def _remove_named(self, identities: Collection[str], found: _Found) -> None:
        """What is kept by the name of an identity, and entries of theirs among others'."""
        pairs = [identity.split(":", 1) for identity in identities]
        forms = [n for n in found.names.get("form", []) if any(_is_form(n, platform, user) for platform, user in pairs)]
        codes = [code for each in identities if (code := await self._redis.get(keys.LINKING + each))]
        named = [
            *forms,
            *(keys.LINK + code.decode() for code in codes),
            *(family + each for each in identities for family in NAMED_BY_IDENTITY),
            *(keys.requester_jobs(each) for each in identities),
            *(keys.objects_of(each) for each in identities),
        ]
        async with self._redis.pipeline(transaction=False) as pipe:
            pipe.delete(*named)
            pipe.hdel(keys.LINKED, *identities)
            pipe.hdel(keys.BUSY, *(f"user {each}" for each in identities))
            for name in found.names.get("tags", []):
                pipe.zrem(name, *identities)
            await pipe.execute()
        await self._remove_saying(identities, found)
        await self._remove_ranked(identities, found)
        await self._remove_unfetched(pairs)

    async def _remove_saying(self, identities: Collection[str], found: _Found) -> None:
        """Links to the web page, and sessions there, which say whose they are; what the HTTP door answered of a job."""
        names = (name for family in ("sign_in", "session", "request") for name in found.names.get(family, []))
        for some in batched(list(names), BATCH):
            async with self._redis.pipeline(transaction=False) as pipe:
                for name in some:
                    pipe.get(name)
                values = await pipe.execute(raise_on_error=False)
            for name, value in zip(some, values, strict=True):
                if isinstance(value, bytes) and _says(value.decode("utf-8", "replace"), identities, found.jobs):
                    await self._redis.delete(name)

    async def _remove_ranked(self, identities: Collection[str], found: _Found) -> None:
        """Their places on the leaderboards."""
        for name in found.names.get("entries", []):
            board = keys.BOARD + name.removeprefix(keys.ENTRIES)
            for configuration, entry in (await answer(self._redis.hgetall(name))).items():
                requester, _, rest = entry.partition(b"\n")
                if requester.decode() in identities or rest.partition(b"\n")[0].decode() in found.jobs:
                    await answer(self._redis.hdel(name, configuration))
                    await self._redis.zrem(board, configuration)

    async def _remove_unfetched(self, pairs: Sequence[Sequence[str]]) -> None:
        users = {user for platform, user in pairs if platform == "telegram"}
        for number, update in (await answer(self._redis.hgetall(keys.UNFETCHED)) if users else {}).items():
            with suppress(CorruptMessageError, KeyError, TypeError):
                if str(load(update)["message"]["from"]["id"]) in users:
                    await answer(self._redis.hdel(keys.UNFETCHED, number))

    async def _delete_files(self, held: Mapping[str, float], stopped: Collection[str]) -> tuple[str, ...]:
        """Files that nobody holds any more. One that was put anew since they held it is somebody else's, who is about
        to ask with it or to end a run: a sweep finds out."""
        if self._store is None:
            return ()
        deleted = []
        try:
            for job_id in sorted(stopped):
                await asyncio.to_thread(self._store.forget, job_id)
            for sha256, since in sorted(held.items()):
                if not await self._redis.exists(keys.owners(sha256)) and await asyncio.to_thread(
                    self._store.remove_older, sha256, since + SKEW
                ):
                    deleted.append(sha256)
        except StoreError as error:  # they are nobody's by now: the next sweep deletes them
            log.warning("files of somebody forgotten are left to the sweep", reason=str(error))
        return tuple(deleted)


NAMED_BY_IDENTITY = (keys.LINKING, keys.LINK_TRIES, keys.FORGET, keys.EXPORT, keys.LOOKING, "fd:sessions:")


async def forgotten(redis: Redis, jobs: Sequence[str]) -> set[str]:
    """Those among these jobs that were forgotten: whoever wrote one down after it had been, must remove it again."""
    if not jobs:
        return set()
    scores = await redis.zmscore(keys.FORGOTTEN, list(jobs))
    return {job_id for job_id, score in zip(jobs, scores, strict=True) if score is not None}


def _sort_in(found: _Found, job_id: str, fields: Sequence[bytes | None], identities: Collection[str]) -> None:
    requester, asker, state = ((value or b"").decode("utf-8", "replace") for value in fields)
    if (asker or requester) in identities:
        found.jobs.add(job_id)
        if state in ("waiting", "running"):
            found.unfinished.add(job_id)
        elif state != "done":
            found.stopped.add(job_id)
    elif requester in identities:
        found.counted[job_id] = asker


def _is_form(name: str, platform: str, user: str) -> bool:
    return name.startswith(keys.form(f"{platform}:", "")[:-1]) and name.endswith(f":{user}")


def _says(value: str, identities: Collection[str], jobs: Collection[str]) -> bool:
    """Whether a value names one of the identities, in one word or as a requester is written, or one of the jobs."""
    words = set(WORD.findall(value))
    if not words.isdisjoint(jobs):
        return True
    for identity in identities:
        platform, _, user = identity.partition(":")
        if identity in words or (f'"platform":"{platform}"' in value and f'"user":"{user}"' in value):
            return True
    return False


def _asked_by(payload: bytes | None, identities: Collection[str]) -> bool:
    job = asked(payload) if payload else None
    return job is not None and job.requester.identity in identities


def _without_account(payload: bytes) -> bytes:
    if (job := asked(payload)) is None:
        return payload
    alone = job.model_copy(update={"requester": job.requester.model_copy(update={"account": ""})})
    return dump({**load(payload), "a": [encode(alone).decode()]})
