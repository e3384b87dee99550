"""How long files are kept: a person's last objects are whole, older ones lose theirs, shared ones go with the last."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from queueing import until
from redis.asyncio import Redis
from storing import folder_store, own, put
from structlog.testing import capture_logs

from frontdesk.queue import keys
from frontdesk.queue.artifacts import Artifact, ArtifactStore
from frontdesk.queue.codec import encode
from frontdesk.queue.connection import answer
from frontdesk.queue.errors import FileGoneError, StoreError
from frontdesk.queue.jobs import Outcome
from frontdesk.queue.lua import script
from frontdesk.queue.retention import Keep, Kept, Retention, Swept, overdue, swept

DAY = 86_400.0
ADA, BOB = "telegram:ada", "discord:bob"


class Shelf:
    """A store and its retention, with a clock that a test moves."""

    def __init__(self, redis: Redis, folder: Path) -> None:
        self.folder = folder
        self.store = folder_store(folder)
        self.now = time.time()
        self.retention = Retention(redis, self.store, Keep({"*": 30.0, "train": 90.0}, 3), clock=lambda: self.now)
        self._redis = redis

    async def made(
        self, job_id: str, requester: str = ADA, *contents: bytes, days_ago: float = 0.0, kind: str = ""
    ) -> list[Artifact]:
        """A job that ended so long ago, and its files (one of its own, unless told)."""
        files = [put(self.store, data) for data in contents or (job_id.encode(),)]
        for file in files:
            self.age(file.sha256, days_ago)
        await own(self._redis, job_id, requester, [file.sha256 for file in files], kind)
        ended = (time.time() - days_ago * DAY) * 1000
        await self._redis.zadd(keys.OBJECTS, {job_id: ended})
        await self._redis.zadd(keys.objects_of(requester), {job_id: ended})
        return files

    def age(self, sha256: str, days: float) -> None:
        when = time.time() - days * DAY
        os.utime(self.folder / sha256[:2] / sha256, (when, when))

    def there(self, *files: Artifact) -> list[bool]:
        kept = {blob.key for blob in self.store.contents().files}
        return [file.sha256 in kept for file in files]


@pytest.fixture
def shelf(redis: Redis, tmp_path: Path) -> Shelf:
    return Shelf(redis, tmp_path / "store")


async def test_each_kind_is_kept_for_its_own_time(shelf: Shelf) -> None:
    """Files of a training, which is kept for 90 days, stay when those of others of the same age go."""
    for number in range(3):
        await shelf.made(f"new{number}", ADA)
    long = await shelf.made("long", ADA, days_ago=60, kind="train")
    short = await shelf.made("short", ADA, days_ago=60, kind="carve")
    assert (await shelf.retention.sweep()).jobs == ("short",)
    assert (shelf.there(*long), shelf.there(*short)) == ([True], [False])


async def test_the_last_three_objects_are_kept_whole(shelf: Shelf) -> None:
    """Whatever their age; a fourth loses its files after 30 days, and not before."""
    old = [await shelf.made(f"job{n}", ADA, f"a{n}".encode(), f"b{n}".encode(), days_ago=100 - n) for n in range(5)]
    others = await shelf.made("jobx", BOB, days_ago=300)
    done = await shelf.retention.sweep()
    assert sorted(done.jobs) == ["job0", "job1"]
    assert sorted(done.files) == sorted(file.sha256 for files in old[:2] for file in files)
    assert [shelf.there(*files) for files in old] == [[False, False]] * 2 + [[True, True]] * 3
    assert shelf.there(*others) == [True]
    assert [kept.job_id for kept in await shelf.retention.objects_of(ADA)] == ["job4", "job3", "job2"]
    with pytest.raises(FileGoneError):
        shelf.store.read(old[0][0])


async def test_a_fourth_object_stays_for_thirty_days(shelf: Shelf) -> None:
    """By the clock of whoever sweeps."""
    files = [(await shelf.made(f"job{n}", days_ago=29.9 - n))[0] for n in range(4)]
    assert (await shelf.retention.sweep()) == Swept()
    shelf.now += 0.2 * DAY
    assert (await shelf.retention.sweep()).jobs == ("job0",)
    assert shelf.there(*files) == [False, True, True, True]


async def test_a_shared_file_goes_with_the_last_that_holds_it(shelf: Shelf) -> None:
    """The same content made twice, for one person or for two."""
    for number in range(3):
        await shelf.made(f"new{number}", ADA)
        await shelf.made(f"own{number}", BOB)
    (shared,) = await shelf.made("first", ADA, b"same", days_ago=60)
    await shelf.made("second", BOB, b"same", days_ago=40)
    shelf.now -= 15 * DAY
    assert await shelf.retention.sweep() == Swept(jobs=("first",))
    assert shelf.there(shared) == [True]
    shelf.now += 15 * DAY
    assert await shelf.retention.sweep() == Swept(jobs=("second",), files=(shared.sha256,))
    assert shelf.there(shared) == [False]


async def test_a_job_that_still_waits_keeps_what_it_was_asked_with(shelf: Shelf, redis: Redis) -> None:
    """However long ago that was: it goes only after the job's end."""
    for number in range(3):
        await shelf.made(f"new{number}")
    (asked,) = await shelf.made("patient", days_ago=40)
    for state in ("waiting", "running"):
        await answer(redis.hset(keys.job("patient"), "state", state))
        assert await shelf.retention.sweep() == Swept()
    await answer(redis.hset(keys.job("patient"), "state", "done"))
    assert await shelf.retention.sweep() == Swept(jobs=("patient",), files=(asked.sha256,))


async def test_nobodys_file_goes_after_a_day(shelf: Shelf) -> None:
    """It was put for a job that never ended well; one that was put just now may still be named by a job."""
    old, young = put(shelf.store, b"old"), put(shelf.store, b"young")
    shelf.age(old.sha256, 1.01)
    assert await shelf.retention.sweep() == Swept(files=(old.sha256,))
    assert shelf.there(old, young) == [False, True]


async def test_a_file_that_is_put_again_is_young_again(shelf: Shelf, redis: Redis) -> None:
    """The job that put it is about to end: its overdue twin does not take it along."""
    for number in range(3):
        await shelf.made(f"new{number}")
    (file,) = await shelf.made("old", ADA, b"same", days_ago=40)
    put(shelf.store, b"same")
    assert await shelf.retention.sweep() == Swept(jobs=("old",))
    await own(redis, "again", ADA, [file.sha256])
    shelf.age(file.sha256, 2)
    assert await shelf.retention.sweep() == Swept()
    assert shelf.store.read(file) == b"same"


async def test_two_sweeps_at_a_time_do_what_one_does(shelf: Shelf, redis: Redis) -> None:
    """And a third finds nothing to do."""
    for number in range(12):
        await shelf.made(f"job{number:02}", ADA, b"%d" % number, b"%d" % (number // 2 + 100), days_ago=90 - number)
    other = Retention(redis, shelf.store, Keep({"*": 30.0}, 3), clock=lambda: shelf.now)
    await asyncio.gather(shelf.retention.sweep(), other.sweep())
    assert [kept.job_id for kept in await shelf.retention.objects_of(ADA)] == ["job11", "job10", "job09"]
    assert len(shelf.store.contents().files) == 5
    assert await shelf.retention.sweep() == Swept()


async def test_a_sweep_that_died_is_made_good_by_the_next(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever it stopped: after letting go, and between two files."""
    for number in range(5):
        await shelf.made(f"job{number}", ADA, b"%d" % number, b"more%d" % number, days_ago=90 - number)
    steps: list[Callable[[], Any]] = []
    remove = ArtifactStore.remove_older

    def dying(store: ArtifactStore, sha256: str, before: float) -> bool:
        if len(steps) > 1:
            raise StoreError("killed")
        steps.append(lambda: None)
        return remove(store, sha256, before)

    with monkeypatch.context() as patch:
        patch.setattr(ArtifactStore, "contents", lambda store: (_ for _ in ()).throw(StoreError("killed")))
        with pytest.raises(StoreError):
            await shelf.retention.sweep()
    assert len(shelf.store.contents().files) == 10
    with monkeypatch.context() as patch:
        patch.setattr(ArtifactStore, "remove_older", dying)
        with pytest.raises(StoreError):
            await shelf.retention.sweep()
    assert len(shelf.store.contents().files) == 8
    await shelf.retention.sweep()
    assert len(shelf.store.contents().files) == 6
    assert await shelf.retention.sweep() == Swept()


async def test_nothing_is_deleted_for_a_redis_that_was_emptied(shelf: Shelf, redis: Redis) -> None:
    """Nor in a store of another queue: whoever holds its files is not known here."""
    (file,) = await shelf.made("job", days_ago=90)
    await shelf.retention.sweep()
    await redis.flushdb()
    with capture_logs() as logs:
        assert await shelf.retention.sweep() == Swept()
    assert [line["log_level"] for line in logs] == ["warning"]
    assert shelf.there(file) == [True]
    (shelf.folder / "desk").unlink()
    assert (await shelf.retention.sweep()).files == (file.sha256,)


async def test_checkpoints_of_ended_jobs_go(shelf: Shelf, redis: Redis) -> None:
    """Of those that ended while no worker had them; those of waiting and running jobs stay, however old."""
    for job_id, state in (("waits", "waiting"), ("runs", "running"), ("ended", "cancelled"), ("left", "cancelled")):
        await answer(redis.hset(keys.job(job_id), mapping={"state": state}))
        shelf.store.save(job_id, b"state")
    await redis.zadd(keys.RUNNING, {"left": 1})  # its asker cancelled it, and it goes on for another
    for job_id in ("gone", "young"):
        shelf.store.save(job_id, b"state")
    for path in (shelf.folder / "saved").iterdir():
        if path.name != "young":
            os.utime(path, (shelf.now - 2 * DAY, shelf.now - 2 * DAY))
    done = await shelf.retention.sweep()
    assert sorted(done.checkpoints) == ["ended", "gone"]
    assert sorted(blob.key for blob in shelf.store.contents().checkpoints) == ["left", "runs", "waits", "young"]


async def test_sweeps_go_on_by_themselves(shelf: Shelf, redis: Redis) -> None:
    """One process of several does it, and storage that fails does not end it."""
    old = put(shelf.store, b"old")
    shelf.age(old.sha256, 2)
    broken = Retention(redis, folder_store(Path(__file__)), Keep({"*": 1.0}, 3))
    async with swept(redis, broken, every=3600):
        await until(lambda: redis.exists(keys.SWEPT))
        async with swept(redis, shelf.retention, every=3600):
            assert shelf.there(old) == [True]
    await redis.delete(keys.SWEPT)
    async with swept(redis, shelf.retention, every=3600):
        await until(lambda: shelf.there(old) == [False])


def settle(redis: Redis) -> Callable[..., Any]:
    """What the end of a job calls (`settle_files`), by itself."""
    end = redis.register_script(
        script() + "\nsettle_files(ARGV[1], ARGV[2], 'carve', ARGV[3], ARGV[4], (clock()))\n"
        "return files_are_kept(ARGV[4]) and 1 or 0"
    )

    async def settled(job_id: str, status: Any, *hashes: str, requester: str = ADA) -> bool:
        outcome = Outcome(status=status, result={"text": 'a "files":[ in it'}, files=hashes)
        return bool(await end(args=[job_id, requester, status, encode(outcome)]))

    return settled


async def test_the_end_of_a_job_says_what_it_holds(shelf: Shelf, redis: Redis) -> None:
    """What its outcome names, beside what it was asked with, and nothing where it made nothing."""
    made, asked = put(shelf.store, b"made").sha256, put(shelf.store, b"asked").sha256
    settled = settle(redis)
    for job_id in ("good", "bad", "gone"):
        await own(redis, job_id, ADA, [asked])
    assert await settled("good", "done", made)
    assert await settled("bad", "failed")
    assert await settled("gone", "cancelled")
    assert await settled("plain", "done")
    assert await shelf.retention.files_of("good") == [asked, made]
    assert [(kept.job_id, kept.kind) for kept in await shelf.retention.objects_of(ADA)] == [("good", "carve")]
    assert await answer(redis.smembers(keys.owners(asked))) == {b"good"}
    assert await shelf.retention.disown("good") == 2
    assert await redis.keys("fd:*") == []


async def test_the_same_end_told_twice_counts_once(shelf: Shelf, redis: Redis) -> None:
    """An answer of the server that was lost is asked for again; followers hold the file by themselves."""
    made = put(shelf.store, b"made").sha256
    settled = settle(redis)
    for requester, job_id in ((ADA, "one"), (ADA, "one"), (BOB, "two")):
        await settled(job_id, "done", made, requester=requester)
    assert await shelf.retention.disown("one") == 0
    assert await shelf.retention.disown("one") == 0
    assert not await redis.exists(keys.OBJECTS_OF + ADA)
    assert await shelf.retention.disown("two") == 1


async def test_an_outcome_whose_files_went_answers_nobody(shelf: Shelf, redis: Redis) -> None:
    """A fresh result may only be given again while all that it names is held."""
    made = put(shelf.store, b"made").sha256
    settled = settle(redis)
    assert await settled("one", "done", made)
    assert not await settled("two", "failed", made, "0" * 64)


@pytest.mark.parametrize("outcome", [b'{"files":[', b'["files":[]]', b'{"d":{"files":["x",7,{}]}}', b'{"files":[1]}'])
async def test_a_damaged_outcome_ends_its_job_all_the_same(redis: Redis, outcome: bytes) -> None:
    """An error there would hold up all jobs of the lane."""
    settling = "\nsettle_files('job', 'console:ada', 'carve', 'done', ARGV[1], 1) return 'ended'"
    end = redis.register_script(script() + settling)
    assert await end(args=[outcome]) == b"ended"
    assert await redis.keys("fd:*") == []


@given(
    st.lists(st.tuples(st.sampled_from([ADA, BOB]), st.integers(0, 60), st.sampled_from(["train", ""])), max_size=30),
    st.integers(0, 5),
    st.integers(1, 60),
)
def test_who_is_overdue(objects: list[tuple[str, int, str]], keep_objects: int, keep_days: int) -> None:
    """Older than its kind is kept, and as many newer ones of the same person as are kept; the order plays no part."""
    made = [Kept(f"job{n}", who, 100 * DAY - days * DAY, kind) for n, (who, days, kind) in enumerate(objects)]
    rule: dict[str, Any] = {"now": 100 * DAY, "keep": Keep({"*": keep_days, "train": 2.0 * keep_days}, keep_objects)}
    late = overdue(made, **rule)
    assert set(overdue(made[::-1], **rule)) == set(late)
    for one in made:
        newer = sum(o.requester == one.requester and (o.since, o.job_id) > (one.since, one.job_id) for o in made)
        days = 2 * keep_days if one.kind == "train" else keep_days
        assert (one in late) == (newer >= keep_objects and one.since < (100 - days) * DAY)
    assert overdue([one for one in made if one not in late], **rule) == []
