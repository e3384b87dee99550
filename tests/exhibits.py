"""A real memory on SQLite with objects that people made, for tests of the gallery."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from carving import CARVE, PNG, piece, png
from queueing import ECHO
from sqlalchemy import insert

from frontdesk.bots.memory import Memory
from frontdesk.history.database import FILE
from frontdesk.history.indexing import Indexer
from frontdesk.history.recording import file_rows
from frontdesk.history.schema import files, jobs
from frontdesk.history.search import Search
from frontdesk.queue.artifacts import ArtifactStore
from frontdesk.queue.jobs import Outcome
from frontdesk.queue.settings import Settings

LONG_AGO = 1_700_000_000.0


_tables: list[bytes] = []  # an empty history's file, since making one takes a second


@asynccontextmanager
async def remembering(folder: Path) -> AsyncIterator[Memory]:
    """A memory in a folder, which is empty at first."""
    memory = Memory(Settings(data_dir=folder))
    if not _tables:
        with TemporaryDirectory() as other:
            first = Memory(Settings(data_dir=Path(other)))
            await (await first.database()).prepare()
            await first.close()
            _tables.append(await asyncio.to_thread(Path(other, FILE).read_bytes))
    if not (folder / FILE).exists():
        (folder / FILE).write_bytes(_tables[0])
        memory._search = Search(await memory.database(), None)  # by words alone: loading what they mean takes a second
    try:
        yield memory
    finally:
        await memory.close()


class Exhibits:
    """Puts objects into the history as the recorder does, each a minute younger than the one before."""

    def __init__(self, memory: Memory, store: ArtifactStore | None = None) -> None:
        self._memory = memory
        self._store = store
        self._number = 0

    async def add(
        self, owner: str, title: str, *, public: bool = True, private: bool = False, pictures: int = 0, **fields: Any
    ) -> str:
        """Its id. `pictures`: stills that it has."""
        self._number += 1
        job_id, at = f"1rx6m3{self._number:03d}", LONG_AGO + 60 * self._number
        pieces = self._pieces(job_id, pictures)
        outcome = Outcome(status="done", result={"story": f"On {title}.", "pieces": pieces})
        row = {
            "id": job_id, "kind": "carve", "lane": "short", "status": "done", "owner": owner, "tenant": "lab",
            "private": private, "params": {"what": title}, "result": outcome.result, "reason": None, "title": title,
            "submitted_at": at - 9, "started_at": at - 5, "finished_at": at, "seconds": 5.0, "gpu_seconds": 2.5,
            "model": "chisel", "revision": "9f3c", "device": "an A100", "worker": "w", "seed": 7, "made": True,
            "published_at": at if public else None, "hidden": False, "indexed": False,
        }  # fmt: skip
        async with (await self._memory.database()).writing() as connection:
            await connection.execute(insert(jobs).values(row | fields))
            if rows := file_rows(CARVE, job_id, outcome):
                await connection.execute(insert(files), [dict(each) for each in rows])
        return job_id

    def _pieces(self, job_id: str, pictures: int) -> Sequence[dict[str, Any]]:
        if self._store is None:
            return []
        return [piece(self._store, f"view{n}.png", "still", png(60 + self._number), PNG) for n in range(pictures)]

    async def index(self) -> None:
        """Make them findable by their words."""
        indexer = Indexer(await self._memory.database(), {"carve": CARVE, "echo": ECHO}, None, self._store)
        while await indexer.index_some():
            pass
