"""A desk with all of its stores and a worker, and three people: she, on two platforms, and he."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from everywhere import all_of_database, all_of_folder, all_of_redis
from pydantic import Field
from queueing import KEEP, DrivenEngine, address, has_ended, until
from redis.asyncio import Redis
from storing import folder_store

from frontdesk.bots.desk import Desk
from frontdesk.bots.intake import Request
from frontdesk.bots.people import Admins, Person
from frontdesk.bots.privacy import Forgotten, forget
from frontdesk.history.database import Database
from frontdesk.history.recorder import Recorder
from frontdesk.queue.artifacts import Artifact
from frontdesk.queue.broker import Broker
from frontdesk.queue.forgetting import Forgetting
from frontdesk.queue.jobs import Outcome, Platform, Ranking, Requester
from frontdesk.queue.kinds import JobKind, Registry
from frontdesk.queue.parameters import Params
from frontdesk.queue.record import RecordStream
from frontdesk.queue.results import Attachment, Result
from frontdesk.queue.retention import Keep
from frontdesk.ratelimit.limiter import Limiter
from frontdesk.ratelimit.limits import Limits

TEXT = "zanzibar-quicksilver-4711"
KEEPING = Keep({"*": 90.0}, 3)
ADA, ADA_TOO, BOB = "717171717", "818181818", "929292929"
HERS = ("zanzibar", "quicksilver", ADA, ADA_TOO, f"discord:{ADA}".encode().hex(), f"telegram:{ADA_TOO}".encode().hex())


class CarveParams(Params):
    text: Annotated[str, Field(description="What to carve", min_length=1, max_length=200)]


class CarveResult(Result):
    said: str
    model: Artifact

    def attachments(self) -> Sequence[Attachment]:
        return [Attachment(self.model, "file")]


CARVE = JobKind("carve", "Carves it", CarveParams, CarveResult, cost=lambda _: 2.0, deterministic=True)


def person(platform: Platform, user: str) -> Person:
    return Person(Requester(platform=platform, user=user, tenant=user))


HER, HER_TOO, HIM = person("discord", ADA), person("telegram", ADA_TOO), person("telegram", BOB)


@dataclass
class House:
    """A desk with all of its stores, and a worker that a test drives."""

    redis: Redis
    database: Database
    folder: Path
    engine: DrivenEngine = field(default_factory=lambda: DrivenEngine(hold=True))
    updates: Iterator[int] = field(default_factory=itertools.count)

    def __post_init__(self) -> None:
        self.broker = Broker(self.redis, keep=KEEP)
        self.store = folder_store(self.folder / "store")
        self.kinds = Registry([CARVE])
        admins = Admins(frozenset({f"telegram:{BOB}", f"telegram:{ADA_TOO}"}))  # whom no limit stops
        self.desk = Desk(self.kinds, self.broker, Limiter(self.redis), Limits.load(), admins)
        self.forgetting = Forgetting(self.broker, self.store, patience=0.0)

    async def ask(self, who: Person, text: str, *, private: bool = False) -> str:
        reply = address(who.requester.user, who.requester.platform, message=f"ticket-{who.requester.user}")
        request = Request(who, "carve", {"text": text}, reply, f"update-{next(self.updates)}", private=private)
        return (await self.desk.submit(request)).job_id

    def made(self, job_id: str, content: str, said: str) -> Artifact:
        """The job's run ends with a file."""
        artifact = self.store.put(content.encode(), name="chair.glb", media_type="model/gltf-binary")
        result = {"said": said, "model": artifact.model_dump()}
        rank = Ranking(place=1, said=said, board="digits", edition="e", configuration=job_id, entry=said)
        outcome = Outcome(
            status="done", result=result, seconds=1.0, gpu_seconds=1.0, files=(artifact.sha256,), ranking=rank
        )
        self.engine.end(job_id, outcome)
        return artifact

    async def ended(self, *job_ids: str) -> None:
        for job_id in job_ids:
            await until(lambda: has_ended(self.broker, job_id))  # noqa: B023 - awaited within the turn

    async def started(self, *job_ids: str) -> None:
        seen = set[str]()
        async with asyncio.timeout(20):
            while not seen.issuperset(job_ids):
                seen.add((await self.engine.started.get()).id)

    async def recorded(self) -> None:
        """All that ended is written down."""
        recorder = Recorder(self.redis, self.database, self.kinds, keep=KEEP)
        task = asyncio.create_task(recorder.run())
        stream = RecordStream(self.redis, keep=KEEP)

        async def written() -> bool:
            return not await stream.backlog()

        await until(written)
        task.cancel()
        await asyncio.wait([task])

    async def opened(self) -> Database:
        return self.database

    async def forget(self, who: Person = HER) -> Forgotten:
        return await forget(self.desk, self.forgetting, self.opened, who)

    async def holding(self, *words: str) -> list[str]:
        """Where any of these words is."""
        everywhere = {
            **await all_of_redis(self.redis),
            **await all_of_database(self.database),
            **all_of_folder(self.folder),
        }
        found = {name: f"{name} {content}".lower() for name, content in everywhere.items()}
        return [name for name, content in found.items() if any(word in content for word in words)]
