"""Search over objects: what is found, in which order, and by whom, on SQLite and PostgreSQL alike."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from databases import emptied, opened_empty, sqlite_in
from findable import ALICE, BOB, PASSER_BY, Senses, given, ids, indexed
from hypothesis import given as drawn
from hypothesis import strategies
from sqlalchemy import URL, delete, insert, text, update

from frontdesk.history.database import Database, opened
from frontdesk.history.exact_vectors import ExactVectors
from frontdesk.history.pg_vectors import PgVectors
from frontdesk.history.schema import jobs
from frontdesk.history.search import Search, fused
from frontdesk.history.vector_store import store_for
from frontdesk.history.words import Terms, fts5_query, terms_of, tsquery
from frontdesk.queue.errors import NoSuchObjectError


@pytest.fixture
async def plain_postgres(postgres: URL) -> AsyncIterator[Database]:
    """A PostgreSQL whose owner of the tables may not add extensions."""
    await emptied(postgres)
    async with opened(postgres) as database, database.writing() as connection:
        for statement in (
            "DROP SCHEMA public CASCADE",
            "CREATE SCHEMA public",
            "DO $$ BEGIN CREATE ROLE plain LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$",
            "GRANT USAGE, CREATE ON SCHEMA public TO plain",
        ):
            await connection.execute(text(statement))
    async with opened(postgres.set(username="plain")) as database:
        yield database


async def change(database: Database, job: str, **values: Any) -> None:
    async with database.writing() as connection:
        await connection.execute(update(jobs).where(jobs.c.id == job).values(**values))


async def forget(database: Database, job: str) -> None:
    async with database.writing() as connection:
        await connection.execute(delete(jobs).where(jobs.c.id == job))


async def counted(database: Database, table: str) -> int:
    async with database.reading() as connection:
        return int((await connection.execute(text(f"SELECT count(*) FROM {table}"))).scalar_one())  # noqa: S608


async def test_pgvector_is_used_where_it_is(postgres: URL, tmp_path: Path) -> None:
    """SQLite's vectors are compared in memory."""
    async with opened_empty(postgres) as database:
        assert isinstance(await store_for(database), PgVectors)
    async with opened_empty(sqlite_in(tmp_path)) as database:
        assert isinstance(await store_for(database), ExactVectors)


async def test_words_are_found_by_their_stem_and_their_beginning(database: Database) -> None:
    """In any order, in capitals or with accents; all words before some of them."""
    await given(database, "a1", "a red chair beside a table")
    await given(database, "a2", "two Chairs of oak")
    await given(database, "a3", "un café rouge")
    await indexed(database)
    search = Search(database, None)
    assert set(ids(await search.search(PASSER_BY, "CHAIR "))) == {"a1", "a2"}
    assert ids(await search.search(PASSER_BY, "the table, red")) == ["a1"]
    assert ids(await search.search(PASSER_BY, "chairs oak"))[0] == "a2"
    assert set(ids(await search.search(PASSER_BY, "chairs oak"))) == {"a1", "a2"}
    assert ids(await search.search(PASSER_BY, "cafe ")) == ["a3"]
    assert set(ids(await search.search(PASSER_BY, "cha"))) == {"a1", "a2"}, "typed so far"
    assert ids(await search.search(PASSER_BY, "cha ")) == [], "a word that has ended"
    assert ids(await search.search(PASSER_BY, "bicycle")) == []
    assert ids(await search.search(PASSER_BY, "  ")) == []


async def test_what_means_the_same_is_found_without_the_word(database: Database) -> None:
    """And what both words and meaning find comes first."""
    await given(database, "m1", "stool")
    await given(database, "m2", "chair")
    await given(database, "m3", "automobile")
    await indexed(database, Senses())
    found = ids(await Search(database, Senses()).search(PASSER_BY, "chair"))
    assert found == ["m2", "m1"], "the car has nothing to do with it"


async def test_nobody_finds_what_is_private(database: Database) -> None:
    """It is its owner's alone, on whichever platform they look from; hidden by an admin, likewise."""
    await given(database, "p1", "chair", public=False, owner="telegram:1")
    await given(database, "p2", "chair", hidden=True, owner="telegram:1")
    await given(database, "p3", "chair")
    await given(database, "p4", "chair", made=False)
    await indexed(database, Senses())
    search = Search(database, Senses())
    assert set(ids(await search.search(ALICE, "seat"))) == {"p1", "p2", "p3"}
    assert set(ids(await search.search(ALICE, "chair"))) == {"p1", "p2", "p3"}
    assert set(ids(await search.search(ALICE, "chair", mine=True))) == {"p1", "p2"}
    for other in (BOB, PASSER_BY):
        assert ids(await search.search(other, "seat")) == ids(await search.search(other, "chair")) == ["p3"]
        assert ids(await search.search(other, "chair", mine=True)) == []
        assert ids(await search.similar(other, "p3")) == []
    assert set(ids(await search.similar(ALICE, "p3"))) == {"p1", "p2"}


async def test_an_object_that_one_may_not_see_is_not_there(database: Database) -> None:
    """Asked for what is like it, the answer is the same as for an id that nobody has."""
    await given(database, "q1", "chair", public=False, owner="telegram:1")
    await given(database, "q2", "chair")
    await indexed(database, Senses())
    search = Search(database, Senses())
    assert ids(await search.similar(ALICE, " Q1 ")) == ["q2"]
    for asked in ("q1", "zz", "", "q2' OR 1=1", "q2\0", "\ud800", "x" * 100):
        with pytest.raises(NoSuchObjectError, match="that you can see"):
            await search.similar(BOB, asked)


async def test_a_kind_alone_can_be_searched(database: Database) -> None:
    await given(database, "k1", "chair")
    await given(database, "k2", "chair", kind="write")
    await indexed(database, Senses())
    search = Search(database, Senses())
    assert ids(await search.search(PASSER_BY, "seat", kind="write")) == ["k2"]
    assert ids(await search.search(PASSER_BY, "chair", kind="write")) == ["k2"]
    assert ids(await search.search(PASSER_BY, "chair", kind="nothing' OR 1")) == []


async def test_pages_follow_each_other(database: Database) -> None:
    """Each object once, the same as in one long page; an address that nobody was given begins anew."""
    for number in range(30):
        await given(database, f"n{number:02d}", f"chair number{number}")
    await indexed(database, Senses())
    search = Search(database, Senses())
    whole = await search.search(PASSER_BY, "chair", limit=100)
    assert len(whole.entries) == 30
    assert whole.after is None
    after, seen = None, list[str]()
    while True:
        page = await search.search(PASSER_BY, "chair", limit=12, after=after)
        seen += ids(page)
        if (after := page.after) is None:
            break
    assert seen == ids(whole)
    first = await search.search(PASSER_BY, "chair", limit=12)
    for made_up in ("-5", "x", "٣", "9" * 30):
        assert ids(await search.search(PASSER_BY, "chair", limit=12, after=made_up)) == ids(first)


async def test_what_another_process_does_counts_at_once(database: Database, database_url: URL) -> None:
    """Published, hidden, written anew or removed elsewhere: the next search of a process that held it knows."""
    await given(database, "c1", "chair")
    await given(database, "c2", "chair", public=False)
    await indexed(database, Senses())
    search = Search(database, Senses())
    assert ids(await search.search(PASSER_BY, "seat")) == ["c1"]
    async with opened(database_url) as other:
        await change(other, "c2", published_at=5.0)
        assert set(ids(await search.search(PASSER_BY, "seat"))) == {"c1", "c2"}
        assert set(ids(await search.search(PASSER_BY, "chair"))) == {"c1", "c2"}
        await change(other, "c1", hidden=True)
        assert ids(await search.search(PASSER_BY, "seat")) == ids(await search.search(PASSER_BY, "chair")) == ["c2"]
        await given(other, "c3", "stool")
        await indexed(other, Senses())
        assert set(ids(await search.search(PASSER_BY, "seat"))) == {"c2", "c3"}
        await forget(other, "c2")
        assert ids(await search.search(PASSER_BY, "seat")) == ["c3"]
        assert ids(await search.search(PASSER_BY, "chair", limit=100)) == ["c3"]


async def test_nothing_is_left_of_what_was_forgotten(database: Database) -> None:
    """With a job go its words and its vectors."""
    await given(database, "f1", "unheardof chair")
    await indexed(database, Senses())
    assert (await counted(database, "texts"), await counted(database, "vectors")) == (1, 1)
    await forget(database, "f1")
    assert (await counted(database, "texts"), await counted(database, "vectors")) == (0, 0)
    if not database.postgres:
        async with database.reading() as connection:
            query = text("SELECT count(*) FROM words WHERE words MATCH 'unheardof'")
            assert (await connection.execute(query)).scalar_one() == 0


async def test_without_pgvector_postgresql_answers_the_same(plain_postgres: Database) -> None:
    """Also of what changed since vectors were read into memory."""
    assert isinstance(await store_for(plain_postgres), ExactVectors)
    await given(plain_postgres, "e1", "chair")
    await given(plain_postgres, "e2", "chair", public=False, owner="discord:1")
    await indexed(plain_postgres, Senses())
    search = Search(plain_postgres, Senses())
    assert ids(await search.search(PASSER_BY, "seat")) == ["e1"]
    assert set(ids(await search.search(ALICE, "seat"))) == {"e1", "e2"}
    await change(plain_postgres, "e2", published_at=9.0)
    await forget(plain_postgres, "e1")
    assert ids(await search.search(PASSER_BY, "seat")) == ["e2"]


async def test_a_change_that_is_committed_late_is_not_passed_over(plain_postgres: Database) -> None:
    """Two write at a time: whoever reads in between takes in the one that is committed first, and the other later."""
    await given(plain_postgres, "l1", "chair", public=False)
    await given(plain_postgres, "l2", "chair", public=False)
    await indexed(plain_postgres, Senses())
    search = Search(plain_postgres, Senses())
    assert ids(await search.search(PASSER_BY, "seat")) == []
    async with plain_postgres.writing() as slow:
        await slow.execute(update(jobs).where(jobs.c.id == "l1").values(published_at=5.0))
        quick = asyncio.create_task(change(plain_postgres, "l2", published_at=5.0))
        await asyncio.wait({quick}, timeout=0.3)  # time enough to be committed first, if it could
        assert "l1" not in ids(await search.search(PASSER_BY, "seat"))
    await quick
    assert set(ids(await search.search(PASSER_BY, "seat"))) == {"l1", "l2"}


async def test_the_few_of_a_kind_are_found_among_many(database: Database) -> None:
    """Where thousands of another kind are nearer: an index that gives up too soon would show none."""
    rng = np.random.default_rng(5)
    store = await store_for(database)
    async with database.writing() as connection:
        rows: list[dict[str, Any]] = []
        for number in range(1500):
            rare = number < 3
            rows.append({
                "id": f"z{number:04d}", "kind": "write" if rare else "sculpt", "lane": "long", "status": "done",
                "owner": "discord:9", "tenant": "t", "private": False, "params": {}, "title": "x", "submitted_at": 1.0,
                "finished_at": 1.0, "seconds": 1.0, "gpu_seconds": 1.0, "model": "", "revision": "", "device": "",
                "made": True, "published_at": 1.0, "hidden": False, "indexed": True,
            })  # fmt: skip
        await connection.execute(insert(jobs), rows)
        towards = np.zeros(384, np.float32)
        towards[0] = 1
        for number in range(1500):
            vector = (0.5 if number < 3 else 1.0) * towards + 0.05 * rng.standard_normal(384).astype(np.float32)
            await store.write(connection, f"z{number:04d}", "meaning", vector / np.linalg.norm(vector))
    found = await Search(database, Senses()).search(PASSER_BY, "chair", kind="write")
    assert set(ids(found)) == {"z0000", "z0001", "z0002"}


async def test_without_an_encoder_likeness_goes_by_words(database: Database) -> None:
    """And by shape there is nothing where no object has one."""
    await given(database, "w1", "red chair")
    await given(database, "w2", "blue chair")
    await given(database, "w3", "dog")
    await indexed(database)
    search = Search(database, None)
    assert ids(await search.similar(PASSER_BY, "w1")) == ["w2"]
    assert ids(await search.similar(PASSER_BY, "w1", by="shape")) == []


async def test_the_next_page_does_not_read_the_query_again(database: Database) -> None:
    meaning = Senses()
    search = Search(database, meaning)
    await search.search(PASSER_BY, "chair")
    await search.search(PASSER_BY, "chair", after="12")
    assert meaning.asked == [["chair"]]


ODD = (
    *('"', "chair*", "chair AND", "NEAR(", "-chair", "tags:public", "a:b & !c | (", "'", "\\", "\0chair", "\ud800"),
    *("the", "😀", "%", "public", "椅子", "x" * 5000, "a " * 3000),
)


async def test_any_query_has_an_answer(database: Database) -> None:
    """What somebody typed is never read as the index's language."""
    await given(database, "x1", "chair")
    await indexed(database)
    search = Search(database, None)
    for odd in ODD:
        await search.search(BOB, odd)
    assert ids(await search.search(BOB, "\0chair\ud800")) == ["x1"]


def test_lists_are_joined_by_their_ranks() -> None:
    """Second in both is better than first in one (Cormack et al. 2009)."""
    assert fused([["a", "b"], ["c", "b"]]) == ["b", "a", "c"]
    assert fused([[], ["c"]]) == ["c"]
    assert fused([]) == []


def test_words_that_say_nothing_do_not_count_unless_they_are_all() -> None:
    assert terms_of("a chair for the dog") == Terms(("chair", "dog"), open_end=True)
    assert terms_of("to be or not to be ") == Terms(("to", "be", "or", "not"))


@drawn(strategies.text(max_size=60))
def test_terms_are_letters_and_digits(query: str) -> None:
    """So that a query that is put together of them has no other operators than its own."""
    terms = terms_of(query)
    assert all(word.isalnum() for word in terms.words)
    if terms.words:
        assert fts5_query(terms, "", ["public"], every=True).count('"') == 2 * len(terms.words) + 2
        assert tsquery(terms, every=False).count("'") == 2 * len(terms.words)
