"""Everything about a person as one zip, written as it is read: little of it is in memory at a time."""

from __future__ import annotations

import asyncio
import json
import tempfile
import zipfile
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from pydantic import ValidationError

from frontdesk.bots.desk import Desk
from frontdesk.bots.intake import queue_open
from frontdesk.bots.links import Links
from frontdesk.bots.packing import LINK_LIFE
from frontdesk.bots.people import Person
from frontdesk.bots.privacy import Opened
from frontdesk.queue import keys
from frontdesk.queue.artifacts import ArtifactStore
from frontdesk.queue.broker import Broker
from frontdesk.queue.errors import FileDamagedError, FileGoneError, StoreError
from frontdesk.queue.jobs import Artifact, Job, JobRecord
from frontdesk.queue.record import asked
from frontdesk.ratelimit.limits import DAILY
from frontdesk.ratelimit.policy import InFlight

if TYPE_CHECKING:  # the database's library comes with the first question
    from frontdesk.history.entries import Entry
    from frontdesk.history.privacy import PersonalHistory

LISTED = 200  # of the queue's own jobs
WORDS = 262_144  # bytes that are left for what describes the files that do not come along


@dataclass(frozen=True, slots=True)
class Exported:
    """`jobs` in it, `files` that came along, and those that are only named."""

    jobs: int
    files: int
    left: int


@dataclass(frozen=True, slots=True)
class Named:
    """A file of a job: what they gave or what came of it."""

    job_id: str
    artifact: Artifact


class Exporting:
    """store, links: where files are, and how others than the store give addresses for them."""

    def __init__(
        self, desk: Desk, broker: Broker, database: Opened, store: ArtifactStore | None, links: Links | None = None
    ) -> None:
        self._desk = desk
        self._redis = broker.redis
        self._database = database
        self._store = store
        self._links = links

    async def write(self, person: Person, path: Path, room: int) -> Exported:
        """Write the zip to a path, of at most about `room` bytes: files that do not fit are named, with a link where
        there are links. Raises HistoryClosedError, DeskClosedError, OSError."""
        from frontdesk.history.privacy import PersonalHistory

        person, history = await self._desk.known(person), PersonalHistory(await self._database())
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("about.json", _json(await self._about(person)))
            jobs = await self._write_jobs(archive, history, person)
            archive.writestr("queue.json", _json(await self._queued(person)))
            for name, rows in (await history.others(person.identities)).items():
                archive.writestr(f"{name}.json", _json(rows))
            files, left = await self._write_files(archive, history, person, room)
        return Exported(jobs, files, left)

    async def _about(self, person: Person) -> dict[str, Any]:
        async with queue_open():
            said = await self._desk.steering.standing(*sorted(person.identities))
            limits = await self._counted(person, said.tiers)
        return {
            "identities": sorted(person.identities),
            "counted as": person.requester.key,
            "banned": said.ban.reason if said.ban else None,
            "tiers": dict(said.tiers),
            "limits": limits,
        }

    async def _counted(self, person: Person, tiers: Mapping[str, str]) -> list[dict[str, Any]]:
        """What the limits count of them: jobs in flight, and until when (Unix seconds) what was used is remembered."""
        tier = self._desk.limits.tier_of(*sorted(person.identities), said=tiers)
        of = partial(self._desk.limits.rules, tier=tier, user=person.requester.key, cost=0.0)
        rules = {rule.key: (kind, rule) for kind in self._desk.kinds for rule in of(kind=kind)}
        counted = list[dict[str, Any]]()
        for key, (kind, rule) in rules.items():
            named = {"limit": rule.name} | ({} if rule.name == DAILY else {"kind": kind})
            if isinstance(rule, InFlight):
                counted.append({**named, "in flight": await self._redis.zcard(key), "at most": rule.limit})
            elif (until := await self._redis.get(key)) is not None:
                counted.append({**named, "used until": float(until), "burst": rule.burst})
        return counted

    async def _write_jobs(self, archive: zipfile.ZipFile, history: PersonalHistory, person: Person) -> int:
        count = 0
        with archive.open("jobs.json", "w", force_zip64=True) as file:
            file.write(b"[")
            async for entry in history.entries(person.identities):
                await asyncio.to_thread(_append, file, _entry(entry), first=count == 0)
                count += 1
            file.write(b"]\n")
        return count

    async def _queued(self, person: Person) -> list[dict[str, Any]]:
        """What the queue knows of their latest jobs, with what those that have not ended asked for."""
        records = await self._desk.jobs(person, LISTED)
        async with queue_open():
            payloads = await self._redis.mget([keys.payload(record.id) for record in records]) if records else []
        return [_record(record, asked(payload or b"")) for record, payload in zip(records, payloads, strict=True)]

    async def _write_files(
        self, archive: zipfile.ZipFile, history: PersonalHistory, person: Person, room: int
    ) -> tuple[int, int]:
        left, seen, count = [], set[str](), 0
        with tempfile.TemporaryDirectory(prefix="frontdesk-export-") as folder:
            async for named in _files(history, person):
                if named.artifact.sha256 in seen:
                    continue
                seen.add(named.artifact.sha256)
                used = (archive.fp.tell() if archive.fp else 0) + WORDS
                why = (
                    "too large" if used + named.artifact.size > room else await self._add(archive, named, Path(folder))
                )
                if why is None:
                    count += 1
                else:
                    left.append({**_described(named), "why": why, "link": await self._link(named)})
        archive.writestr("files not included.json", _json(left))
        return count, len(left)

    async def _add(self, archive: zipfile.ZipFile, named: Named, folder: Path) -> str | None:
        """Copy a file from the store, whole and verified; or why not."""
        if self._store is None:
            return "the store is not here"
        try:
            path = await asyncio.to_thread(self._store.fetch, named.artifact, folder)
        except FileGoneError:
            return "no longer kept"
        except FileDamagedError:
            return "damaged where it was kept"
        except StoreError:
            return "the store could not be reached"
        name = f"files/{named.job_id}/{named.artifact.sha256[:8]}-{named.artifact.name}"
        await asyncio.to_thread(archive.write, path, name, zipfile.ZIP_STORED)
        path.unlink()
        return None

    async def _link(self, named: Named) -> str | None:
        try:
            address = await asyncio.to_thread(self._store.signed, named.artifact, LINK_LIFE) if self._store else None
        except StoreError:
            return None
        return address or (self._links.address(named.job_id, named.artifact, LINK_LIFE) if self._links else None)


async def _files(history: PersonalHistory, person: Person) -> AsyncIterator[Named]:
    """Files that their jobs were asked with and made, newest jobs first."""
    async for entry in history.entries(person.identities):
        for artifact in given_artifacts(entry.params):
            yield Named(entry.id, artifact)
        for kept in entry.files:
            if kept.role != "smaller":
                yield Named(entry.id, kept.artifact)


def given_artifacts(params: Mapping[str, Any]) -> Iterator[Artifact]:
    """The files among a request's parameters."""
    for value in params.values():
        if isinstance(value, Mapping) and "sha256" in value:
            try:
                yield Artifact.model_validate(value)
            except ValidationError:
                continue


def _entry(entry: Entry) -> dict[str, Any]:
    from frontdesk.history.receipts import receipt

    files = [
        _described(Named(entry.id, kept.artifact)) | {"role": kept.role, "note": kept.note} for kept in entry.files
    ]
    return {**asdict(entry), "files": files, "receipt": dict(receipt(entry))}


def _record(record: JobRecord, request: Job | None) -> dict[str, Any]:
    shown = asdict(record) | {"reply": record.reply.model_dump(exclude={"token"}, exclude_none=True)}
    outcome = record.outcome.model_dump(mode="json") if record.outcome else None
    return shown | {"outcome": outcome, "params": dict(request.params) if request else None}


def _described(named: Named) -> dict[str, Any]:
    return {"job": named.job_id, **named.artifact.model_dump(include={"name", "size", "media_type", "sha256"})}


def _append(file: IO[bytes], value: object, *, first: bool) -> None:
    file.write((b"" if first else b",\n") + _json(value))


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=1, default=str).encode("utf-8", "replace")
