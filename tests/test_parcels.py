"""Which files of an answer come along, what each is called, and that a store in trouble costs no answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from carving import CARVE, GIF, carving, gif, piece, usual
from hypothesis import given
from hypothesis import strategies as st
from queueing import KEEP, DrivenEngine, address, job, leased_worker, submit, until, working
from redis.asyncio import Redis
from storing import bucket_store, folder_store, new_bucket, object_server

from frontdesk.bots import courier as courier_module
from frontdesk.bots.courier import Courier
from frontdesk.bots.file_replies import left_out
from frontdesk.bots.job_replies import job_reply
from frontdesk.bots.packing import packed
from frontdesk.bots.parcels import Parcel, Room, distinct, fitted
from frontdesk.bots.replies import Reply, as_text
from frontdesk.queue.artifacts import Artifact, ArtifactStore
from frontdesk.queue.broker import Broker
from frontdesk.queue.errors import StoreError
from frontdesk.queue.jobs import Outcome, Platform, ReplyAddress, Ticket
from frontdesk.queue.kinds import Attachment, Registry

WIDE = Room(10**9, 10**9, 10)
ROLES = st.sampled_from(["preview", "still", "file"])


def parcel(name: str, role: Any, size: int) -> Parcel:
    return Parcel(Attachment(Artifact(name=name, sha256="0" * 64, size=size, media_type=GIF), role), name)


def aboard(made: tuple[Parcel, ...]) -> list[str]:
    return [each.name for each in made if each.without is None]


def test_the_largest_files_stay_behind_first_and_the_preview_last() -> None:
    """Files to download before stills, stills before the preview, and of each the largest first."""
    load = [parcel("a", "preview", 90), parcel("b", "file", 30), parcel("c", "file", 40), parcel("d", "still", 80)]
    kept = {room: "".join(aboard(fitted(load, Room(100, room, 9)))) for room in (240, 200, 170, 100, 80)}
    assert kept == {240: "abcd", 200: "abd", 170: "ad", 100: "a", 80: ""}
    assert aboard(fitted(load, Room(85, 240, 9))) == ["b", "c", "d"]
    assert aboard(fitted(load, Room(100, 240, 2))) == ["a", "d"]


@given(st.lists(st.tuples(ROLES, st.integers(0, 50)), max_size=12), st.integers(0, 50), st.integers(0, 200))
def test_what_comes_along_fits(sizes: list[tuple[Any, int]], most: int, together: int) -> None:
    """Whatever an answer holds; and every file is either aboard or told of."""
    load = [parcel(f"f{number}", role, size) for number, (role, size) in enumerate(sizes)]
    made = fitted(load, Room(most, together, 5))
    there = [each.size for each in made if each.without is None]
    assert (len(there) <= 5, sum(there) <= together, all(size <= most for size in there)) == (True, True, True)
    assert [each.name for each in made] == [each.name for each in load]
    assert len(left_out("job1", made)) == len(load) - len(there)


def test_files_that_are_called_alike_get_numbers() -> None:
    """Also where only capitals differ, which some systems take for the same."""
    assert distinct(["a.glb", "A.glb", "a-2.glb", "a.glb", "b"]) == ["a.glb", "A-2.glb", "a-2-2.glb", "a-3.glb", "b"]


async def test_files_lie_on_the_disk_for_as_long_as_they_are_delivered(tmp_path: Path) -> None:
    """Two of one name do not cover each other; one that is gone, or is another than it was, is told of."""
    store = folder_store(tmp_path)
    pieces = [piece(store, "x.glb", "file", data) for data in (b"one", b"two", b"gone", b"torn", b"x" * 50)]
    load = CARVE.result.model_validate({"story": "s", "pieces": pieces}).attachments()
    store.remove(load[2].artifact.sha256)
    sha256 = load[3].artifact.sha256
    (tmp_path / sha256[:2] / sha256).write_bytes(b"tore")
    async with packed(store, load, Room(40, 100, 9), insist=True) as made:
        assert [each.path.read_bytes() for each in made if each.path] == [b"one", b"two"]
        assert [each.without for each in made] == [None, None, "gone", "damaged", "too large"]
        paths = [each.path for each in made if each.path]
    assert not any(path.exists() for path in paths)
    assert [as_text(Reply((told,))) for told in left_out("job1", made)] == [
        "x-3.glb (4 B) is no longer kept.",
        "x-4.glb (4 B) was damaged where it was kept, and cannot be sent.",
        "x-5.glb (50 B) is too large for this chat. It is kept by this desk, whose admins get it with "
        "frontdesk fetch job1.",
    ]


async def test_what_is_too_large_is_offered_as_a_link_where_the_store_has_links(tmp_path: Path) -> None:
    """A bucket signs addresses, for a day."""
    with object_server() as endpoint:
        store = bucket_store(endpoint, new_bucket(endpoint))
        load = CARVE.result.model_validate({"story": "s", "pieces": usual(store)}).attachments()
        async with packed(store, load, Room(20, 100, 9), insist=True) as made:
            assert aboard(made) == ["horse.glb"]
            told = as_text(Reply(tuple(left_out("job1", made))))
    assert f"horse.stl (26 B) is too large for this chat: download it: {endpoint}" in told
    assert "(for 24 h)." in told


@dataclass
class Table:
    """A platform that notes which files it was given, and what of them."""

    platform: Platform = "telegram"
    given: list[tuple[str, list[str]]] = field(default_factory=list)

    def pace(self, address: ReplyAddress) -> float:
        return 0.0

    def room(self, address: ReplyAddress) -> Room:
        return WIDE

    async def deliver(self, address: ReplyAddress, job_id: str, reply: Reply, *, late: bool) -> None:
        read = [each.path.read_text("latin-1") if each.path else str(each.without) for each in reply.parcels]
        self.given.append((as_text(reply), read))

    async def update(self, address: ReplyAddress, job_id: str, reply: Reply) -> None:
        return


@asynccontextmanager
async def delivering(redis: Redis, table: Table, store: ArtifactStore | None) -> AsyncIterator[None]:
    courier = Courier(Registry([CARVE]), Broker(redis, keep=KEEP), redis, table, retry=0.05, store=store)
    task = asyncio.create_task(courier.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def carved_by(redis: Redis, table: Table, store: ArtifactStore | None, outcome: Outcome) -> str | None:
    """Run a job that ends so; how its delivery ended."""
    broker, engine = Broker(redis, keep=KEEP), DrivenEngine(hold=True)
    made = job(kind="carve", params={"what": "a horse"})
    await submit(broker, made)
    await broker.set_reply(made.id, address("ada", message="ticket"))
    engine.end(made.id, outcome)

    async def delivery() -> str | None:
        record = await broker.job(made.id)
        return record.delivery if record else None

    async with working(leased_worker(redis, engine, kinds={"carve": "none"})), delivering(redis, table, store):
        return str(await until(delivery))


async def test_an_answer_comes_with_its_files(redis: Redis, tmp_path: Path) -> None:
    """In the order in which the result names them."""
    table, store = Table(), folder_store(tmp_path)
    assert await carved_by(redis, table, store, carving(usual(store))) == "delivered"
    [(_, files)] = table.given
    assert [content.rstrip("gp") for content in files] == ["GIF89a", "\x89PNG", "a horse", "a horse in plain triangles"]


@pytest.mark.parametrize("troubles", [2, 9])
async def test_a_store_that_is_away_is_waited_for_but_not_for_ever(
    redis: Redis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, troubles: int
) -> None:
    """A few tries; then the words go out without the files, which are told of."""
    monkeypatch.setattr(courier_module, "FIRST_RETRY", 0.01)
    table, store, fetch, left = Table(), folder_store(tmp_path), ArtifactStore.fetch, [troubles]

    def failing(self: ArtifactStore, artifact: Artifact, folder: Path) -> Path:
        left[0] -= 1
        if left[0] >= 0:
            raise StoreError("away")
        return fetch(self, artifact, folder)

    monkeypatch.setattr(ArtifactStore, "fetch", failing)
    pieces = [piece(store, "turn.gif", "preview", gif(), GIF), piece(store, "horse.glb", "file", b"a horse")]
    assert await carved_by(redis, table, store, carving(pieces)) == "delivered"
    [(_, files)] = table.given
    assert files == ([gif().decode(), "a horse"] if troubles == 2 else ["away", "away"])


async def test_a_desk_without_a_store_answers_in_words(redis: Redis, tmp_path: Path) -> None:
    """And says which files are missing."""
    table = Table()
    assert await carved_by(redis, table, None, carving(usual(folder_store(tmp_path)))) == "delivered"
    assert table.given[0][1] == ["away"] * 4


async def test_a_job_in_full_names_its_files(redis: Redis, tmp_path: Path) -> None:
    """The files themselves came with its answer."""
    store, broker = folder_store(tmp_path), Broker(redis, keep=KEEP)
    await carved_by(redis, Table(), store, carving(usual(store)))
    [record] = await broker.jobs_of("telegram:ada")
    reply = job_reply(CARVE, record, Ticket(record.id, 0, None), 0.0)
    assert as_text(reply).endswith("Files: turn.gif (60 B), view.png (50 B), horse.glb (7 B), horse.stl (26 B)")
    assert reply.attachments == ()
