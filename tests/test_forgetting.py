"""`/forget`: nothing of a person is left anywhere, and nothing of anybody else is lost."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from everywhere import all_of_database
from housed import ADA, ADA_TOO, BOB, HER, HER_TOO, HERS, HIM, KEEPING, TEXT, House, person
from queueing import KEEP, DrivenEngine, address, job, leased_worker, submit, until, working
from redis.asyncio import Redis
from sqlalchemy import insert
from structlog.testing import capture_logs

from frontdesk.bots.forms import Form, FormStore
from frontdesk.history import schema
from frontdesk.history.database import Database
from frontdesk.history.indexing import Indexer
from frontdesk.history.recorder import Recorder
from frontdesk.history.recording import Row
from frontdesk.queue import keys
from frontdesk.queue.accounts import Accounts
from frontdesk.queue.codec import dump
from frontdesk.queue.connection import answer
from frontdesk.queue.groups import Group, Member, submit_group
from frontdesk.queue.jobs import Outcome, member_id
from frontdesk.queue.record import RecordStream
from frontdesk.queue.retention import Retention

# What names a job and says nothing of anybody: which were forgotten, which update became one, who came when, who runs
# it.
NAMELESS = ("fd:forgotten", "fd:update:", "fd:ages:", "fd:worker:")


@pytest.fixture
async def house(redis: Redis, database: Database, tmp_path: Path) -> House:
    await RecordStream(redis, keep=KEEP).open()
    return House(redis, database, tmp_path)


async def test_nothing_is_left_of_a_person_and_all_of_the_others(house: House) -> None:
    """Text, ids and files of hers are in no key, table, file or log line; what is his is there, whole."""
    with capture_logs() as logs:
        accounts = Accounts(house.redis)
        await accounts.link(HER_TOO.requester.identity, await accounts.code(HER.requester.identity))
        worker: dict[str, Any] = {"kinds": {"carve": "m"}, "lanes": {"short": 16}, "fresh": {"carve": 60.0}}
        async with working(leased_worker(house.redis, house.engine, **worker)):
            await until(lambda: answer(house.redis.hget(keys.MODELS, "carve")))
            one, two, failed = [
                await house.ask(HER, f"{TEXT} one"),
                await house.ask(HER_TOO, f"{TEXT} two"),
                await house.ask(HER_TOO, f"{TEXT} three", private=True),
            ]
            his = await house.ask(HIM, "a plain chair")
            await house.started(one, two, failed, his)
            own = house.made(one, f"{TEXT} a file of hers alone", TEXT)
            shared = house.made(two, "a file that both have", TEXT)
            house.made(his, "a file that both have", "a chair")
            house.engine.end(failed, Outcome(status="failed", reason=f"no {TEXT}"))
            await house.ended(one, two, failed, his)
            again = await house.ask(HER, f"{TEXT} one")  # answered by her first one
            await house.ended(again)
            running, led = await house.ask(HER_TOO, f"{TEXT} four"), await house.ask(HER_TOO, "a table for both")
            await house.started(running, led)
            following = await house.ask(HIM, "a table for both")
            await house.recorded()
            assert await Indexer(house.database, house.kinds, None, house.store).index_some()
            await _scatter(house, one, his)
            places = {name.split(":")[1] if name.startswith("fd:") else name for name in await house.holding(*HERS)}
            assert places >= {"job", "files", "entries", "form", "unfetched", "jobs", "texts", "api_keys", "reports"}
            unrecorded = await house.ask(HER_TOO, f"{TEXT} five")
            await house.started(unrecorded)
            house.made(unrecorded, f"{TEXT} five", TEXT)
            await house.ended(unrecorded)
            assert house.store.read(own)
            done = await house.forget()
            assert (done.jobs, done.files, done.reports) == (7, 2, 1)
            await house.recorded()
            left = [name for name in await house.holding(*HERS) if not name.startswith(("fd:audit", "fd:banned"))]
            assert left == []
            named = await house.holding(one, two, failed, again, running, unrecorded)
            assert [name for name in named if not name.startswith(NAMELESS)] == []
            # His: the file that both had, his job, the run that he waited for, what he has at the history.
            assert house.store.read(shared)
            house.made(led, "a table", "a table")
            await house.ended(following)
            await house.recorded()
            assert await house.holding(*HERS) == []
        assert [job.state for job in await house.desk.jobs(HIM)] == ["done", "done"]
        rows = await all_of_database(house.database)
        assert his in rows["jobs"]
        assert following in rows["jobs"]
        assert "his report" in rows["reports"]
        assert BOB in rows["api_keys"]
        assert BOB in rows["webhooks"]
        assert await house.redis.exists("fd:session:his", "fd:request:his", keys.form("telegram:5", BOB)) == 3
        assert await house.desk.jobs(HER) == []
    assert not any(word in json.dumps(logs, default=str) for word in HERS)


async def test_what_was_asked_meanwhile_leaves_no_word(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """A job that nobody had cancelled yet is, in the step that removes it; of that nobody is told either."""

    async def late(*_: object) -> None:
        """It was not there yet."""

    job_id = await house.ask(HER, TEXT)
    monkeypatch.setattr(house.forgetting, "_stop", late)
    assert (await house.forget()).jobs == 1
    assert await house.redis.xlen(keys.outcomes("discord")) == 0
    assert await RecordStream(house.redis, keep=KEEP).backlog() == 0
    assert await house.redis.exists(keys.job(job_id), keys.payload(job_id), keys.lane("short")) == 0


async def test_what_ends_after_it_does_not_come_back(house: House) -> None:
    """A recorder that had read a job before she was forgotten, and writes it afterwards, removes it again."""
    async with working(leased_worker(house.redis, house.engine, kinds={"carve": "m"})):
        job_id = await house.ask(HER, TEXT)
        await house.started(job_id)
        house.made(job_id, TEXT, TEXT)
        await house.ended(job_id)
    stream = RecordStream(house.redis, keep=KEEP)
    await stream.open()
    events = await stream.read(1.0, 10)
    recorder = Recorder(house.redis, house.database, house.kinds, keep=KEEP)
    write, reached, forgotten = recorder._write, asyncio.Event(), asyncio.Event()

    async def late(jobs: Sequence[Row], files: Sequence[Row]) -> bool:
        reached.set()
        await forgotten.wait()
        return await write(jobs, files)

    recorder._write = late  # type: ignore[method-assign]  # a fault that must be forced
    recording = asyncio.create_task(recorder._record(events))
    await reached.wait()
    assert (await house.forget()).jobs == 1
    forgotten.set()
    await recording
    assert await house.holding(*HERS) == []


async def test_a_run_that_does_not_stop_is_taken_from_its_worker(house: House) -> None:
    """She does not wait for it: the worker finds that it has no lease any more, and what comes of it is nobody's."""
    engine = Deaf(hold=True)
    house.engine = engine
    async with working(leased_worker(house.redis, engine, kinds={"carve": "m"}, lease=1.0)):
        job_id = await house.ask(HER, TEXT)
        await house.started(job_id)
        assert (await house.forget()).jobs == 1
        assert await house.holding(*HERS) == []
        house.made(job_id, "a file of a run that went on", TEXT)
        other = await house.ask(HIM, "after it")
        await house.started(other)
        house.made(other, "a", "b")
        await house.ended(other)
        assert await house.redis.zcard(keys.RUNNING) == 0
        assert await answer(house.redis.hlen(keys.BUSY)) == 0
    await house.recorded()
    assert await house.holding("zanzibar", ADA, ADA_TOO) == []


class Deaf(DrivenEngine):
    """Runs that do not heed that they were cancelled."""

    def cancel(self, job_id: str) -> bool:
        return True


async def test_whoever_was_the_same_person_once_keeps_what_they_asked(house: House) -> None:
    """After `/unlink` one of two is forgotten: the other's jobs, waiting ones too, count under them from then on."""
    accounts = Accounts(house.redis)
    await accounts.link(HIM.requester.identity, await accounts.code(HER.requester.identity))
    waiting = await house.ask(HIM, "a plain chair")
    await accounts.unlink(HIM.requester.identity)
    assert (await house.forget()).jobs == 0
    assert await house.holding(ADA) == []
    async with working(leased_worker(house.redis, house.engine, kinds={"carve": "m"})):
        await house.started(waiting)
        artifact = house.made(waiting, "his chair", "a chair")
        await house.ended(waiting)
    [record] = await house.desk.jobs(HIM)
    assert (record.state, record.requester) == ("done", HIM.requester.identity)
    assert [one.job_id for one in await Retention(house.redis, house.store, KEEPING).objects_of(record.requester)] == [
        waiting
    ]
    assert house.store.read(artifact)
    assert await answer(house.redis.hlen(keys.BUSY)) == 0


async def test_it_can_be_done_again(house: House) -> None:
    """Nothing is there to be removed the second time, and nobody minds."""
    await house.ask(HER, TEXT)
    assert (await house.forget()).jobs == 1
    assert (await house.forget()).jobs == 0


async def test_limits_do_not_begin_anew(house: House) -> None:
    """Whoever has used up what they may ask for gains nothing by it; and it says of nobody whose it is."""
    eve = person("telegram", "555000555")
    for _ in range(3):
        await house.ask(eve, "x")
    counted = {name: await house.redis.get(name) for name in await house.redis.keys("fd:limit:rate:*")}
    assert counted
    await house.forget(eve)
    kept = [name for name in counted if await house.redis.exists(name)]
    assert kept == list(counted)
    assert await house.holding("555000555") == []
    assert all([0 < await house.redis.ttl(name) <= 2 * 86_400 for name in kept])


async def _scatter(house: House, hers: str, his: str) -> None:
    """What other parts of the desk keep of people."""
    forms = FormStore(house.redis, "telegram")
    for user, text in ((ADA_TOO, TEXT), (BOB, "a chair")):
        form = Form(id="1", kind="carve", values={"text": text}, private=False, update=1, origin="1")
        await forms.save("5", user, form)
        update = {"update_id": int(user), "message": {"from": {"id": int(user)}, "text": text}}
        await answer(house.redis.hset(keys.UNFETCHED, user, json.dumps(update)))
    for name, who in (("hers", f"discord:{ADA}"), ("his", f"telegram:{BOB}")):
        platform, user = who.split(":")
        signed_in = {"v": 1, "d": {"requester": {"platform": platform, "user": user, "tenant": "t"}, "created": 1.0}}
        await house.redis.set(f"fd:session:{name}", dump(signed_in))
        await house.redis.set(f"fd:request:{name}", dump({"id": hers if name == "hers" else his, "asked": user}))
        await house.redis.set(f"fd:sign_in:{name}", who)
        await answer(house.redis.sadd(f"fd:sessions:{who}", name))
        await Accounts(house.redis).code(who)
        await Accounts(house.redis).link(who, "nothing")
    async with house.database.writing() as connection:
        key = {"name": "curl", "scopes": ["read"], "created_at": 1.0}
        hook = {"url": "https://example.org", "secret": "s", "state": "due", "tries": 0}
        for who, job_id in ((f"discord:{ADA}", hers), (f"telegram:{BOB}", his)):
            await connection.execute(insert(schema.api_keys).values(id=who[:12], owner=who, sha256=who, **key))
            await connection.execute(insert(schema.webhooks).values(job=job_id, owner=who, **hook))
        said: dict[str, Any] = {"job": his, "reporter": f"telegram:{ADA_TOO}", "reason": TEXT, "at": 1.0}
        await connection.execute(insert(schema.reports).values(said))
        his_own = {"job": his, "reporter": "telegram:1", "reason": "his report", "at": 1.0}
        await connection.execute(insert(schema.reports).values(his_own))


async def test_what_an_unfinished_job_was_asked_with_goes_at_once(house: House) -> None:
    """A file that came with a request which was cancelled for it; but not one that another put since."""
    given = [house.store.put(text, name="a.zip", media_type="application/zip") for text in (b"hers", b"put anew")]
    asked = job(requester=HER.requester)
    await submit(house.broker, asked, files=[artifact.sha256 for artifact in given])
    later = time.time() + 60
    os.utime(house.folder / "store" / given[1].sha256[:2] / given[1].sha256, (later, later))
    assert (await house.forget()).files == 1
    assert [blob.key for blob in house.store.contents().files] == [given[1].sha256]


async def test_all_jobs_of_a_group_go_with_it(house: House) -> None:
    """Those that wait, those that run and those that ended, and the notes of how they did."""
    whole = job(requester=HER.requester, kind="many", params={"text": TEXT})
    members = [
        Member(whole.model_copy(update={"id": member_id(whole.id, n), "kind": "carve"}), 2.0, f"digest{n:016d}")
        for n in range(3)
    ]
    async with working(leased_worker(house.redis, house.engine, kinds={"carve": "m"}, lanes={"short": 2})):
        reply = address(ADA, "discord")
        await submit_group(house.broker, Group(whole, members), reply, update="u")
        await house.started(members[0].job.id)
        house.made(members[0].job.id, f"{TEXT} a member's", TEXT)
        await house.ended(members[0].job.id)
        assert (await house.forget()).files == 1
    await house.recorded()
    assert await house.holding(*HERS) == []
    assert await house.redis.keys("fd:members:*") + await house.redis.keys("fd:group:*") == []


async def test_a_thousand_jobs_take_seconds(house: House) -> None:
    """It is done within a minute, however much there is of them and of others."""
    async with house.redis.pipeline(transaction=False) as pipe:
        for number in range(5_000):
            who = f"discord:{ADA if number < 1000 else BOB}"
            pipe.hset(keys.job(f"{number:09d}"), mapping={"requester": who, "state": "done", "kind": "carve"})
        await pipe.execute()
    began = time.monotonic()
    assert (await house.forget()).jobs == 1000
    assert time.monotonic() - began < 30
    assert len(await house.redis.keys("fd:job:*")) == 4_000
