"""What tests of search share: objects in the database, and an encoder whose meanings are known."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from sqlalchemy import insert

from frontdesk.history.database import Database
from frontdesk.history.entries import Page, Viewer
from frontdesk.history.indexing import Indexer
from frontdesk.history.schema import files, jobs
from frontdesk.history.vectors import Array
from frontdesk.queue.artifacts import ArtifactStore
from frontdesk.queue.jobs import Artifact
from frontdesk.queue.kinds import Registry

ALICE = Viewer(frozenset({"discord:1", "telegram:1"}))
BOB = Viewer(frozenset({"discord:2"}))
PASSER_BY = Viewer()

# Words that mean the same stand for the same number.
SENSES = ({"chair", "seat", "stool"}, {"car", "automobile"}, {"dog", "puppy"}, {"red", "crimson"}, {"sea", "ocean"})


class Senses:
    """An encoder that knows a few words; what it does not know means something of its own."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []

    def embed(self, texts: Sequence[str]) -> Array:
        self.asked.append(list(texts))
        return np.stack([self._one(text) for text in texts])

    def _one(self, text: str) -> Array:
        vector = np.zeros(384, np.float32)
        for word in text.casefold().split():
            known = [number for number, words in enumerate(SENSES) if word in words]
            place = known[0] if known else 10 + int.from_bytes(hashlib.sha256(word.encode()).digest()[:4], "big") % 370
            vector[place] += 1
        return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-9), np.float32)


async def given(
    database: Database, job_id: str, title: str, *, file: Artifact | None = None, public: bool = True, **changes: Any
) -> str:
    """An object that is not indexed yet, of the owner discord:9 unless that is changed."""
    row: dict[str, Any] = {
        "id": job_id, "kind": "sculpt", "lane": "long", "status": "done", "owner": "discord:9", "tenant": "guild",
        "private": False, "params": {"prompt": title}, "result": None, "reason": None, "title": title,
        "submitted_at": 1.0, "started_at": 2.0, "finished_at": 3.0, "seconds": 1.0, "gpu_seconds": 1.0, "model": "m",
        "revision": "", "device": "CPU", "worker": "w", "seed": 1, "made": True,
        "published_at": 3.0 if public else None, "hidden": False, "indexed": False,
    }  # fmt: skip
    async with database.writing() as connection:
        await connection.execute(insert(jobs), {**row, **changes})
        if file is not None:
            described = {"name": file.name, "sha256": file.sha256, "size": file.size, "media_type": file.media_type}
            await connection.execute(
                insert(files), {"job": job_id, "position": 0, "role": "file", "note": None, **described}
            )
    return job_id


def indexer(
    database: Database,
    meaning: Any = None,
    store: ArtifactStore | None = None,
    kinds: Registry | None = None,
    **how: Any,
) -> Indexer:
    return Indexer(database, kinds or Registry([]), meaning, store, **how)


async def indexed(database: Database, meaning: Any = None, store: ArtifactStore | None = None) -> None:
    made = indexer(database, meaning, store)
    while await made.index_some():
        pass


def ids(page: Page) -> list[str]:
    return [entry.id for entry in page.entries]
