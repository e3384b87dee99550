"""Objects found by their words: FTS5 in SQLite, tsvector under a GIN index in PostgreSQL.

Where a word is in many texts, only the newest NEWEST that match are ranked: ranking all would take most of the time
that a search has, and the last thousands of a word's texts do not differ much. Meaning finds what that misses.
"""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from frontdesk.history.sight import Wanted
from frontdesk.history.words import Terms, fts5_query, tag_query, tags_wanted, tsquery

NEWEST = 2000

FTS5 = text(
    "SELECT texts.job FROM (SELECT rowid, bm25(words, 1.0, 0.0) AS rank FROM words WHERE words MATCH :query"
    " ORDER BY rowid DESC LIMIT :newest) AS found JOIN texts ON texts.n = found.rowid"
    " ORDER BY found.rank, found.rowid DESC LIMIT :limit"
)
TSQUERY = text(
    "SELECT job FROM (SELECT n, job, words FROM texts"
    " WHERE words @@ (to_tsquery('english', CAST(:query AS text)) && CAST(CAST(:tags AS text) AS tsquery))"
    " ORDER BY n DESC LIMIT :newest) AS found"
    " ORDER BY ts_rank(words, to_tsquery('english', CAST(:query AS text)), 1) DESC, n DESC LIMIT :limit"
)


async def found_by_words(connection: AsyncConnection, terms: Terms, wanted: Wanted, limit: int) -> list[str]:
    """Ids, the best first by BM25 (SQLite) or ts_rank (PostgreSQL): those with all words, then those with some."""
    if not terms.words:
        return []
    found = await _found(connection, terms, wanted, limit, every=True)
    if len(found) < limit and len(terms.words) > 1:
        found += await _found(connection, terms, wanted, limit, every=False)
    return list(dict.fromkeys(found))[:limit]


async def _found(connection: AsyncConnection, terms: Terms, wanted: Wanted, limit: int, *, every: bool) -> list[str]:
    kind, any_of = tags_wanted(wanted.kind, sorted(wanted.owners), public=wanted.public)
    values: dict[str, object] = {"newest": NEWEST, "limit": limit}
    if connection.dialect.name == "sqlite":
        rows = await connection.execute(FTS5, {**values, "query": fts5_query(terms, kind, any_of, every=every)})
    else:
        query, tags = tsquery(terms, every=every), tag_query(kind, any_of)
        rows = await connection.execute(TSQUERY, {**values, "query": query, "tags": tags})
    return list(rows.scalars())
