"""Makes objects findable: their words, what they mean and what shape they have, once for each.

An object is done when its row says so, in the transaction that writes what it is found by: whoever is killed before has
written nothing, and the next one begins there anew. Private ones are there as well, for their owner.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog
from sqlalchemy import delete, exists, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from frontdesk.history.database import Database
from frontdesk.history.entries import Entry
from frontdesk.history.history import with_files
from frontdesk.history.schema import jobs, texts, vectors
from frontdesk.history.search import Encoder
from frontdesk.history.words import LONGEST_TEXT, folded, readable
from frontdesk.queue.artifacts import ArtifactStore
from frontdesk.queue.errors import FileDamagedError, FileGoneError, HistoryClosedError, StoreError
from frontdesk.queue.jobs import Artifact
from frontdesk.queue.kinds import AnyKind, result_of
from frontdesk.queue.logs import frames

if TYPE_CHECKING:  # numpy comes with the first object
    from frontdesk.history.sorts import Sort
    from frontdesk.history.vector_store import VectorStore
    from frontdesk.history.vectors import Array

BATCH = 32  # objects of one transaction
POLL = 5.0  # seconds between two looks, where nobody says that there is something new
RETRY = 60.0  # seconds until files are asked for again that the store did not give
MOST_LEFT = 200  # objects that wait for the store; with more of them, all do
MEANT = 600  # characters of an object that its meaning is taken from

log = structlog.get_logger("frontdesk.history")

# The tags as triggers write them later (r0002_search.py): what is changed meanwhile waits for this transaction.
HEX = {"sqlite": "hex({})", "postgresql": "upper(encode(convert_to({}, 'UTF8'), 'hex'))"}
WRITE_TEXT = (
    "INSERT INTO texts (job, text, tags) SELECT id, :text, '=k' || {kind} || ' =o' || {owner}"
    " || CASE WHEN published_at IS NOT NULL AND NOT hidden THEN ' =public' ELSE '' END FROM jobs WHERE id = :job"
)


@dataclass(frozen=True, slots=True)
class Indexed:
    """What an object is found by. `whole`: False where the store must be asked again."""

    job: str
    text: str
    vectors: Mapping[Sort, Array]
    whole: bool = True


class Indexer:
    """meaning: None where no encoder is installed. store: gives the meshes; None leaves shapes out."""

    def __init__(
        self,
        database: Database,
        kinds: Mapping[str, AnyKind],
        meaning: Encoder | None,
        store: ArtifactStore | None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._kinds = kinds
        self._meaning = meaning
        self._store = store
        self._clock = clock
        self._vectors: VectorStore | None = None
        self._left: set[str] = set()  # whose files the store did not give
        self._asked_again = clock()

    async def revise(self) -> int:
        """Take up anew what was indexed while no encoder was installed; how many. Raises HistoryClosedError."""
        if self._meaning is None:
            return 0
        meant = exists().where(vectors.c.job == jobs.c.id, vectors.c.sort == "meaning")
        anew = update(jobs).where(jobs.c.indexed.is_(True), jobs.c.made.is_(True), ~meant).values(indexed=False)
        async with self._database.writing() as connection:
            return (await connection.execute(anew)).rowcount

    async def index_some(self) -> int:
        """Index the newest that are not yet; how many were looked at, 0 when all are. Raises HistoryClosedError."""
        if self._clock() - self._asked_again >= RETRY:
            self._left.clear()
            self._asked_again = self._clock()
        if len(self._left) >= MOST_LEFT:
            return 0
        waiting = (jobs.c.indexed.is_(False), jobs.c.id.not_in(sorted(self._left)))
        query = select(jobs).where(*waiting).order_by(jobs.c.id.desc()).limit(BATCH)
        async with self._database.reading() as connection:
            entries = await with_files(connection, (await connection.execute(query)).mappings().all())
        if entries:
            found = await asyncio.to_thread(self._described, entries)
            await self._write(found)
            self._left.update(each.job for each in found if not each.whole)
        return len(entries)

    def _described(self, entries: Sequence[Entry]) -> list[Indexed]:
        """In a thread: reads files and computes. Never raises for what one object holds."""
        said = [self._words(entry) for entry in entries]
        meanings = self._meanings([meant for _, meant in said])
        found = []
        for entry, (words, _), meaning in zip(entries, said, meanings, strict=True):
            shape, whole = self._shape(entry)
            named: dict[Sort, Array | None] = {"meaning": meaning, "shape": shape}
            made = {sort: vector for sort, vector in named.items() if vector is not None}
            found.append(Indexed(entry.id, words, made if entry.made else {}, whole))
        return found

    def _words(self, entry: Entry) -> tuple[str, str]:
        """What it is found by, folded; and the same without the kind, whose name would make all of one kind alike."""
        text = ""
        if not any(file.role == "file" for file in entry.files):  # it is what it says
            try:
                result = result_of(self._kinds.get(entry.kind), entry.outcome)
                text = (result.body() if result else None) or ""
            except Exception as error:  # a kind of another package may raise anything
                log.warning("an object's words cannot be read", job=entry.id, error=type(error).__name__)
        said = readable(f"{entry.title}\n{text}"[:LONGEST_TEXT]).strip()
        return folded(f"{entry.kind} {said}"), said[:MEANT]

    def _meanings(self, said: Sequence[str]) -> Sequence[Array | None]:
        """All at once; one by one where that fails, so that one of them does not cost the others theirs."""
        if self._meaning is None:
            return [None] * len(said)
        try:
            return list(self._meaning.embed(said))
        except Exception as error:
            log.warning("a batch of texts has no meaning", texts=len(said), error=type(error).__name__)
            return [None] if len(said) == 1 else [self._meanings([one])[0] for one in said]

    def _shape(self, entry: Entry) -> tuple[Array | None, bool]:
        """The shape of its mesh, None where it has none; and whether the store gave what was asked."""
        from frontdesk.history.mesh_bytes import UnreadableMeshError
        from frontdesk.history.shapes import shape_of

        for artifact, format in meshes(entry):
            try:
                if self._store is not None:
                    return shape_of(self._store.read(artifact), format), True
            except StoreError as error:
                log.info("an object's mesh must wait", job=entry.id, reason=str(error))
                return None, False
            except (UnreadableMeshError, FileGoneError, FileDamagedError) as error:
                log.info("a mesh has no shape", job=entry.id, reason=type(error).__name__)
            except Exception as error:
                # Its own words may quote the file.
                log.warning("a mesh has no shape", job=entry.id, error=type(error).__name__, frames=frames(error))
        return None, True

    async def _write(self, found: Sequence[Indexed]) -> None:
        if self._vectors is None:
            from frontdesk.history.vector_store import store_for

            self._vectors = await store_for(self._database)
        async with self._database.writing() as connection:
            for each in found:
                # First of all this: it waits for who changes the row, and makes them wait. No row: it was forgotten.
                done = update(jobs).where(jobs.c.id == each.job).values(indexed=each.whole).returning(jobs.c.made)
                if (await connection.execute(done)).scalar():
                    await self._write_one(connection, self._vectors, each)

    async def _write_one(self, connection: AsyncConnection, store: VectorStore, each: Indexed) -> None:
        await connection.execute(delete(texts).where(texts.c.job == each.job))
        of = HEX[connection.dialect.name]
        statement = WRITE_TEXT.format(kind=of.format("kind"), owner=of.format("owner"))
        await connection.execute(text(statement), {"job": each.job, "text": each.text})
        for sort, vector in each.vectors.items():
            await store.write(connection, each.job, sort, vector)


def meshes(entry: Entry) -> list[tuple[Artifact, str]]:
    """An object's meshes with their formats, the best to read first; smaller versions follow their wholes."""
    from frontdesk.history.mesh_bytes import FORMATS, MAX_BYTES

    found = []
    for file in entry.files:
        format = file.artifact.name.rpartition(".")[2].lower()
        if file.role in ("file", "smaller") and format in FORMATS and file.artifact.size <= MAX_BYTES[format]:
            found.append((file.role == "smaller", FORMATS.index(format), file.artifact, format))
    return [(artifact, format) for _, _, artifact, format in sorted(found, key=lambda each: each[:2])]


async def run_indexing(indexer: Indexer, news: asyncio.Event | None = None, *, poll: float = POLL) -> None:
    """Index until cancelled: at once when `news` is set, and otherwise every `poll` seconds. A database that is away
    is waited for."""
    revised = False
    while True:
        try:
            if not revised:
                anew = await indexer.revise()
                revised = True
                if anew:
                    log.info("indexing objects anew, by meaning", objects=anew)
            while await indexer.index_some():
                pass
        except HistoryClosedError as error:
            log.info("indexing waits", reason=str(error))
        except Exception:
            log.exception("indexing failed, and is tried again")
        await _told(news, poll)


async def _told(news: asyncio.Event | None, poll: float) -> None:
    if news is None:
        await asyncio.sleep(poll)
        return
    try:
        await asyncio.wait_for(news.wait(), poll)
    except TimeoutError:
        return
    news.clear()
