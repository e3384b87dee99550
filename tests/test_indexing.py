"""Objects become findable once each, whatever happens in between."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest
import trimesh
from findable import ALICE, PASSER_BY, Senses, given, ids, indexed, indexer
from sqlalchemy import select, text
from structlog.testing import capture_logs

from frontdesk.history import indexing, shapes
from frontdesk.history.database import Database
from frontdesk.history.indexing import Indexer, run_indexing
from frontdesk.history.schema import jobs, vectors
from frontdesk.history.search import Search
from frontdesk.history.vectors import Array
from frontdesk.queue.artifacts import ArtifactStore
from frontdesk.queue.blobs import FolderBlobs
from frontdesk.queue.catalogue import WRITE, WriteResult
from frontdesk.queue.errors import StoreError
from frontdesk.queue.jobs import Artifact
from frontdesk.queue.kinds import Registry


@pytest.fixture
def store(tmp_path: Path) -> ArtifactStore:
    return ArtifactStore(FolderBlobs(tmp_path / "artifacts"))


def kept(store: ArtifactStore, mesh: trimesh.Trimesh, name: str = "object.glb") -> Artifact:
    data = mesh.export(file_type=name.rpartition(".")[2])
    assert isinstance(data, bytes | str)
    return store.put(data if isinstance(data, bytes) else data.encode(), name=name, media_type="model/gltf-binary")


async def sorts(database: Database) -> set[tuple[str, str]]:
    async with database.reading() as connection:
        return {(row.job, row.sort) for row in await connection.execute(select(vectors.c.job, vectors.c.sort))}


async def waiting(database: Database) -> list[str]:
    async with database.reading() as connection:
        return list((await connection.execute(select(jobs.c.id).where(jobs.c.indexed.is_(False)))).scalars())


async def test_like_shapes_are_found_by_shape(database: Database, store: ArtifactStore) -> None:
    """Whatever they are called, and in whichever format; private ones by their owner alone."""
    slim, stout = trimesh.creation.cylinder(0.2, 3), trimesh.creation.cylinder(0.22, 3.2)
    ball, box = trimesh.creation.icosphere(3), trimesh.creation.box((1, 1, 1))
    await given(database, "s1", "a column", file=kept(store, slim))
    await given(database, "s2", "something else", file=kept(store, stout, "o.ply"), public=False, owner="discord:1")
    await given(database, "s3", "a ball", file=kept(store, ball))
    await given(database, "s4", "a cube", file=kept(store, box, "o.obj"))
    await given(database, "s5", "no mesh at all")
    await indexed(database, Senses(), store)
    search = Search(database, Senses())
    assert ids(await search.similar(ALICE, "s1", by="shape"))[0] == "s2"
    assert set(ids(await search.similar(ALICE, "s1", by="shape"))) == {"s2", "s3", "s4"}
    assert set(ids(await search.similar(PASSER_BY, "s1", by="shape"))) == {"s3", "s4"}
    assert ids(await search.similar(PASSER_BY, "s5", by="shape")) == []


async def test_a_text_is_found_by_what_it_says(database: Database) -> None:
    """By its beginning; an object with a file is found by what was asked for."""
    said = WriteResult(
        text="The lighthouse keeper sang.", tokens=5, stopped="end", seed=1, model="m", precision="float32"
    )
    await given(database, "t1", "a story", kind="write", result=said.model_dump())
    made = indexer(database, None, kinds=Registry([WRITE]))
    assert await made.index_some() == 1
    search = Search(database, None)
    assert ids(await search.search(PASSER_BY, "lighthouse")) == ids(await search.search(PASSER_BY, "write")) == ["t1"]


async def test_one_bad_object_does_not_stop_the_others(database: Database, store: ArtifactStore) -> None:
    """Its mesh is damaged, gone or none, or its result is not what its kind says: it is found by the rest."""
    good = kept(store, trimesh.creation.box((1, 2, 3)))
    await given(database, "b1", "chair", file=store.put(b"no mesh", name="a.glb", media_type="model/gltf-binary"))
    await given(database, "b2", "chair", file=Artifact(name="b.glb", sha256="0" * 64, size=9, media_type="model/obj"))
    await given(database, "b3", "chair", file=good.model_copy(update={"size": good.size + 1}))
    await given(database, "b4", "chair", result={"x": 1}, kind="write")
    await given(database, "b5", "chair", file=good)
    await given(database, "b6", " \u200b")
    await indexed(database, Senses(), store)
    assert await waiting(database) == []
    assert set(ids(await Search(database, None).search(PASSER_BY, "chair"))) == {"b1", "b2", "b3", "b4", "b5"}
    assert {job for job, sort in await sorts(database) if sort == "shape"} == {"b5"}


class Refusing(Senses):
    """An encoder that some text breaks."""

    def embed(self, texts: Sequence[str]) -> Array:
        if any("poison" in text for text in texts):
            raise RuntimeError("broken")
        return super().embed(texts)


async def test_a_text_that_breaks_the_encoder_costs_the_others_nothing(database: Database) -> None:
    await given(database, "r1", "poison")
    await given(database, "r2", "chair")
    await indexed(database, Refusing())
    assert await sorts(database) == {("r2", "meaning")}
    assert await waiting(database) == []


class Away(ArtifactStore):
    """A store that cannot be reached for a while."""

    away = True

    def read(self, artifact: Artifact) -> bytes:
        if self.away:
            raise StoreError("the store cannot be reached")
        return super().read(artifact)


async def test_what_a_file_says_is_in_no_log(
    database: Database, store: ArtifactStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error that quotes it is told by where it was raised."""

    def fails(data: bytes, form: str) -> Array:
        raise ValueError("could not read 'zebra'")

    monkeypatch.setattr(shapes, "shape_of", fails)
    await given(database, "w1", "chair", file=kept(store, trimesh.creation.box((1, 2, 3))))
    with capture_logs() as logs:
        await indexed(database, None, store)
    [told] = [line for line in logs if line["event"] == "a mesh has no shape"]
    assert "exc_info" not in told
    assert "zebra" not in str(told)
    assert told["frames"]


async def test_a_mesh_waits_for_the_store(database: Database, tmp_path: Path) -> None:
    """The object is found by words meanwhile, others pass it, and it is asked for again after a while."""
    store, now = Away(FolderBlobs(tmp_path / "artifacts")), [0.0]
    await given(database, "w1", "chair", file=kept(store, trimesh.creation.box((1, 2, 3))))
    made = indexer(database, Senses(), store, clock=lambda: now[0])
    assert await made.index_some() == 1
    await given(database, "w0", "stool")
    assert await made.index_some() == 1
    assert await made.index_some() == 0
    assert await waiting(database) == ["w1"]
    assert set(ids(await Search(database, Senses()).search(PASSER_BY, "seat"))) == {"w0", "w1"}
    store.away = False
    now[0] += indexing.RETRY
    assert await made.index_some() == 1
    assert await waiting(database) == []
    assert ("w1", "shape") in await sorts(database)


async def test_whoever_is_stopped_between_leaves_nothing_half_done(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was not committed is done by the next one, and what was is not done again."""
    for number in range(5):
        await given(database, f"h{number}", "chair")
    monkeypatch.setattr(indexing, "BATCH", 2)
    meaning = Senses()
    made = indexer(database, meaning)
    assert await made.index_some() == 2

    async def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(made._vectors, "write", stopped)
        with pytest.raises(KeyboardInterrupt):
            await made.index_some()
    assert len(await waiting(database)) == 3
    assert len(await sorts(database)) == 2
    await indexed(database, meaning)
    assert len(await sorts(database)) == 5
    assert sum(map(len, meaning.asked)) == 7, "two of them twice"


async def test_indexing_again_changes_nothing(database: Database) -> None:
    """A row that asks for it is written anew in place of what was there."""
    await given(database, "i1", "chair")
    for _ in range(2):
        await indexed(database, Senses())
        async with database.writing() as connection:
            await connection.execute(text("UPDATE jobs SET indexed = false"))
    await indexed(database, Senses())
    async with database.reading() as connection:
        assert (await connection.execute(text("SELECT count(*) FROM texts"))).scalar_one() == 1
    assert await sorts(database) == {("i1", "meaning")}
    assert ids(await Search(database, Senses()).search(PASSER_BY, "seat")) == ["i1"]


async def test_what_is_forgotten_meanwhile_is_not_written(database: Database) -> None:
    class Forgetting(Senses):
        def embed(self, texts: Sequence[str]) -> Array:
            asyncio.run_coroutine_threadsafe(forget(), loop).result(30)
            return super().embed(texts)

    async def forget() -> None:
        async with database.writing() as connection:
            await connection.execute(jobs.delete())

    loop = asyncio.get_running_loop()
    await given(database, "g1", "chair")
    assert await indexer(database, Forgetting()).index_some() == 1
    assert await sorts(database) == set()
    async with database.reading() as connection:
        assert (await connection.execute(text("SELECT count(*) FROM texts"))).scalar_one() == 0


async def test_objects_get_their_meaning_when_an_encoder_comes(database: Database) -> None:
    """Those that were indexed by words alone are taken up at the next start, and only they."""
    await given(database, "v1", "chair")
    await indexed(database, None)
    made = indexer(database, Senses())
    assert await made.revise() == 1
    assert await made.index_some() == 1
    assert await made.revise() == 0
    assert ids(await Search(database, Senses()).search(PASSER_BY, "seat")) == ["v1"]


class Noting(Indexer):
    """Says when it finds nothing more to do."""

    idle: asyncio.Event

    async def index_some(self) -> int:
        found = await super().index_some()
        if not found:
            self.idle.set()
        return found


async def test_the_loop_indexes_what_it_is_told_of(database: Database) -> None:
    """At once, though its next look by itself would be an hour away."""
    news, made = asyncio.Event(), Noting(database, Registry([]), Senses(), None)
    made.idle = asyncio.Event()
    loop = asyncio.create_task(run_indexing(made, news, poll=3600))
    try:
        async with asyncio.timeout(20):
            for job in ("o1", "o2"):
                await made.idle.wait()
                made.idle.clear()
                await given(database, job, "chair")
                news.set()
            await made.idle.wait()
        assert await waiting(database) == []
    finally:
        loop.cancel()
        await asyncio.wait({loop})
