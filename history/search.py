"""Search over what the desk remembers: by words and meaning, and for what is like an object.

Words and meaning each give a ranked list. They are joined by reciprocal rank fusion (Cormack, Clarke and Büttcher
2009, with their k of 60): an object's score is the sum of 1 / (60 + its place) over the lists that it is in. So neither
list's own measure needs a scale, and what both find comes first.

Who may see what is asked of the database with the final rows, whatever an index held in memory said.
"""

from __future__ import annotations

import asyncio
import re
from collections import OrderedDict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from frontdesk.history.database import Database
from frontdesk.history.entries import Entry, Page, Viewer
from frontdesk.history.history import MOST, with_files
from frontdesk.history.schema import jobs
from frontdesk.history.sight import Wanted
from frontdesk.history.sorts import Sort
from frontdesk.history.word_search import found_by_words
from frontdesk.history.words import LONGEST_QUERY, Terms, readable, terms_of
from frontdesk.queue.errors import NoSuchObjectError

if TYPE_CHECKING:  # numpy comes with the first search
    from frontdesk.history.vector_store import VectorStore
    from frontdesk.history.vectors import Array

DEPTH = 120  # of each list: what is asked for further down is not there
RANK_CONSTANT = 60
LEAST_LIKENESS = 0.3  # by which a text's meaning has anything to do with a query's
NAME = re.compile(r"[0-9a-z]{1,16}")
PLACE = re.compile(r"[0-9]{1,5}", re.ASCII)
REMEMBERED = 128  # queries whose vectors are kept, for the next page


class Encoder(Protocol):
    """Texts to vectors of length 1, (n, 384), in a thread: `meaning.Meaning`."""

    def embed(self, texts: Sequence[str]) -> Array: ...


class Search:
    """For one event loop. meaning: None searches by words alone."""

    def __init__(self, database: Database, meaning: Encoder | None) -> None:
        self._database = database
        self._meaning = meaning
        self._store: VectorStore | None = None
        self._queries: OrderedDict[str, Array] = OrderedDict()

    async def search(
        self,
        viewer: Viewer,
        text: str,
        *,
        kind: str = "",
        mine: bool = False,
        limit: int = 12,
        after: str | None = None,
    ) -> Page:
        """Objects that the viewer may see, the best first; none for an empty text.

        mine: the viewer's own alone. after: of the page before. Raises HistoryClosedError.
        """
        text, wanted = readable(text[:LONGEST_QUERY]), Wanted(viewer, kind, mine)
        if not text.strip() or not wanted.possible:
            return Page(())
        by_words, by_meaning = await asyncio.gather(
            self._by_words(terms_of(text), wanted, DEPTH), self._by_meaning(text.strip(), wanted)
        )
        return await self._page(fused([by_words, by_meaning]), wanted, limit, after)

    async def similar(self, viewer: Viewer, job_id: str, *, by: Sort = "meaning", limit: int = 12) -> Page:
        """Other objects that the viewer may see, the most alike first; none where the object has no such vector.

        Raises NoSuchObjectError for an object that the viewer may not see, HistoryClosedError.
        """
        wanted = Wanted(viewer)
        asked = await self._asked(job_id, wanted)
        store = await self._vectors()
        vector = await store.vector(asked.id, by)
        if vector is not None:
            found = [near.job for near in await store.nearest(by, vector, wanted, DEPTH)]
        elif by == "meaning":
            found = await self._by_words(Terms(terms_of(asked.title).words), wanted, DEPTH)
        else:
            found = []
        return Page((await self._page([job for job in found if job != asked.id], wanted, limit, None)).entries)

    async def _asked(self, job_id: str, wanted: Wanted) -> Entry:
        name = job_id.strip().lower()
        async with self._database.reading() as connection:
            found = await _entries(connection, [name] if NAME.fullmatch(name) else [], wanted)
        if not found:
            raise NoSuchObjectError(job_id)
        return found[0]

    async def _by_words(self, terms: Terms, wanted: Wanted, limit: int) -> list[str]:
        async with self._database.reading() as connection:
            return await found_by_words(connection, terms, wanted, limit)

    async def _by_meaning(self, text: str, wanted: Wanted) -> list[str]:
        vector = await self._vector(text)
        if vector is None:
            return []
        found = await (await self._vectors()).nearest("meaning", vector, wanted, DEPTH)
        return [near.job for near in found if near.likeness >= LEAST_LIKENESS]

    async def _vector(self, text: str) -> Array | None:
        if self._meaning is None:
            return None
        vector = self._queries.get(text)
        if vector is None:
            vector = (await asyncio.to_thread(self._meaning.embed, [text]))[0]
            self._queries[text] = vector
            if len(self._queries) > REMEMBERED:
                self._queries.popitem(last=False)
        return vector

    async def _vectors(self) -> VectorStore:
        if self._store is None:
            from frontdesk.history.vector_store import store_for

            store = await store_for(self._database)
            self._store = self._store or store
        return self._store

    async def _page(self, ids: Sequence[str], wanted: Wanted, limit: int, after: str | None) -> Page:
        """`limit` of them from a place on; `after` names the place where the next page begins."""
        place = int(after) if after and PLACE.fullmatch(after) else 0
        limit, found = min(limit, MOST), list[Entry]()
        async with self._database.reading() as connection:
            while len(found) < limit and place < len(ids):
                some = ids[place : place + limit - len(found)]
                found += await _entries(connection, some, wanted)
                place += len(some)
        return Page(tuple(found), str(place) if place < len(ids) else None)


async def _entries(connection: AsyncConnection, ids: Sequence[str], wanted: Wanted) -> list[Entry]:
    """Those that are there to be seen now, in the order of the ids."""
    query = select(jobs).where(jobs.c.id.in_(ids), wanted.condition())
    found = await with_files(connection, (await connection.execute(query)).mappings().all())
    entries = {entry.id: entry for entry in found}
    return [entries[job] for job in ids if job in entries]


def fused(lists: Sequence[Sequence[str]]) -> list[str]:
    """Ids of several ranked lists in one order (Cormack et al. 2009, section 2); of equals the first list's first."""
    scores: dict[str, float] = {}
    for ranked in lists:
        for place, job in enumerate(ranked, start=1):
            scores[job] = scores.get(job, 0.0) + 1 / (RANK_CONSTANT + place)
    return sorted(scores, key=lambda job: -scores[job])
