"""News of jobs for whoever waits at the page or the HTTP door: what they are told, and when."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager, suppress
from pathlib import Path

import pytest
from queueing import KEEP, DrivenEngine, echoed, job, leased_worker, requester, submit, until, working
from redis.asyncio import Redis
from servers import Server

from frontdesk.gallery.live import BLOCK, Live, News, with_beats
from frontdesk.queue.broker import Broker
from frontdesk.queue.connection import connected
from frontdesk.queue.errors import NoSuchJobError
from frontdesk.queue.events import OutcomeEvent, tell
from frontdesk.queue.jobs import JobRecord, Platform, Progress, Ticket
from frontdesk.queue.pools import ANSWER_TIMEOUT


@asynccontextmanager
async def listening(redis: Redis, broker: Broker, **options: float) -> AsyncIterator[Live]:
    live = Live(redis, broker, **options)
    running = asyncio.create_task(live.run())
    try:
        yield live
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


async def all_news(live: Live, job_id: str, seen: Callable[[News], None] = lambda news: None) -> list[News]:
    """Everything that a watcher is told; `seen` is called with each."""
    told = list[News]()
    async with asyncio.timeout(20), aclosing(live.watch(job_id)) as news:
        async for each in news:
            told.append(each)
            seen(each)
    return told


@pytest.mark.parametrize("platform", ["console", "telegram"])
async def test_a_watcher_is_told_the_ticket_the_progress_and_the_end(
    redis: Redis, broker: Broker, platform: Platform
) -> None:
    """The end comes from the stream, or, where the courier takes its events away, from the job's record."""
    engine = DrivenEngine(hold=True)
    made = job(requester=requester("ada", platform))
    async with listening(redis, broker, look=0.05) as live:
        arrived: asyncio.Queue[News] = asyncio.Queue()
        watching = asyncio.create_task(_watched_once_submitted(live, broker, made.id, arrived))
        await submit(broker, made)
        waiting = await asyncio.wait_for(arrived.get(), 10)
        assert isinstance(waiting, Ticket)
        assert waiting.position == 1
        async with working(leased_worker(redis, engine)):
            await engine.started.get()
            while await asyncio.wait_for(arrived.get(), 10) != Ticket(made.id, 0, 0.0):
                pass
            half = Progress(job_id=made.id, fraction=0.5)
            await tell(redis, platform, half)
            while await asyncio.wait_for(arrived.get(), 10) != half:
                pass
            engine.end(made.id, echoed("hello"))
            told = await watching
    assert isinstance(told[-1], JobRecord)
    assert told[-1].outcome is not None
    assert told[-1].outcome.result == {"said": "hello"}


async def _watched_once_submitted(live: Live, broker: Broker, job_id: str, arrived: asyncio.Queue[News]) -> list[News]:
    await until(lambda: broker.job(job_id))
    return await all_news(live, job_id, arrived.put_nowait)


async def ended_job(redis: Redis, broker: Broker) -> str:
    made = job(requester=requester("ada", "console"))
    await submit(broker, made)
    async with working(leased_worker(redis, DrivenEngine())):
        await until(lambda: _ended(broker, made.id))
    return made.id


async def _ended(broker: Broker, job_id: str) -> bool:
    record = await broker.job(job_id)
    return record is not None and record.ended


async def test_an_end_before_anybody_watched_is_told(redis: Redis, broker: Broker) -> None:
    """The record alone comes, and the watching ends."""
    job_id = await ended_job(redis, broker)
    async with listening(redis, broker) as live:
        [record] = await all_news(live, job_id)
    assert isinstance(record, JobRecord)
    assert record.state == "done"


async def test_many_watch_one_job(redis: Redis, broker: Broker) -> None:
    """Each is told its end; one who leaves takes nothing from the others; in the end nothing is kept."""
    engine, made = DrivenEngine(hold=True), job(requester=requester("ada", "console"))
    await submit(broker, made)
    async with listening(redis, broker) as live, working(leased_worker(redis, engine)):
        watching = [asyncio.create_task(live.ended(made.id)) for _ in range(50)]
        await engine.started.get()
        watching[0].cancel()
        engine.end(made.id)
        records = await asyncio.wait_for(asyncio.gather(*watching[1:]), 10)
        assert {record.state for record in records} == {"done"}
        assert live._watched == {}
        late = await asyncio.wait_for(live.ended(made.id), 10)
        assert late.state == "done"


async def test_one_look_serves_all_who_watch_a_job(redis: Redis, broker: Broker) -> None:
    """Redis is asked for a job, not for each who waits for it."""
    made = job(requester=requester("ada", "console"))
    await submit(broker, made)
    asked = list[int]()
    records = broker.records

    async def counted(job_ids: list[str]) -> dict[str, JobRecord]:
        asked.append(len(job_ids))
        return await records(job_ids)

    broker.records = counted  # type: ignore[method-assign, assignment]
    async with listening(redis, broker) as live:
        told: asyncio.Queue[News] = asyncio.Queue()
        watching = [asyncio.create_task(all_news(live, made.id, told.put_nowait)) for _ in range(100)]
        for _ in watching:
            assert isinstance(await asyncio.wait_for(told.get(), 10), Ticket)
        assert len(asked) <= 5  # some at the start
        for each in watching:
            each.cancel()
        await asyncio.gather(*watching, return_exceptions=True)


async def test_a_slow_watcher_gets_the_newest_progress_only(redis: Redis, broker: Broker) -> None:
    """What it missed is not kept for it."""
    engine, made = DrivenEngine(hold=True), job(requester=requester("ada", "console"))
    await submit(broker, made)
    async with listening(redis, broker) as live, working(leased_worker(redis, engine)):
        await engine.started.get()
        async with aclosing(live.watch(made.id)) as slow:
            assert isinstance(await asyncio.wait_for(anext(slow), 10), Ticket)
            watcher = live._watched[made.id].watchers[0]
            for number in range(200):
                await tell(redis, "console", Progress(job_id=made.id, fraction=number / 199))
            last = Progress(job_id=made.id, fraction=1.0)
            await until(lambda: last in watcher._pending.values())
            assert len(watcher._pending) <= 2
            engine.end(made.id)
            await until(lambda: JobRecord in watcher._pending)
            rest = [each async for each in slow]
    assert [type(each) for each in rest if not isinstance(each, Ticket)] == [Progress, JobRecord]
    assert last in rest


async def test_who_comes_later_is_told_how_far_it_is(redis: Redis, broker: Broker) -> None:
    """The newest ticket and progress at once, and not only with the next news."""
    made = job(requester=requester("ada", "console"))
    await submit(broker, made)
    async with listening(redis, broker) as live, aclosing(live.watch(made.id)) as first:
        await asyncio.wait_for(anext(first), 10)
        progress = Progress(job_id=made.id, fraction=0.25)
        coming = asyncio.ensure_future(anext(first))
        while not coming.done():
            await tell(redis, "web", progress)
            await asyncio.sleep(0.01)
        async with aclosing(live.watch(made.id)) as second:
            told = [await asyncio.wait_for(anext(second), 10) for _ in range(2)]
    assert isinstance(told[0], Ticket)
    assert told[1] == progress


async def test_an_unknown_job_is_no_wait_without_end(redis: Redis, broker: Broker) -> None:
    """Nor is one that the queue forgets while it is watched."""
    async with listening(redis, broker, look=0.02) as live:
        with pytest.raises(NoSuchJobError):
            await all_news(live, "nosuchjob")
        made = job(requester=requester("ada", "telegram"))
        await submit(broker, made)
        watching = asyncio.create_task(all_news(live, made.id))
        await until(lambda: made.id in live._watched)
        await redis.delete(f"fd:job:{made.id}")
        with pytest.raises(NoSuchJobError):
            await watching


async def test_a_restart_of_redis_is_waited_out(valkey_program: Path, tmp_path: Path) -> None:
    """An end that happened while nobody could listen is told afterwards."""
    with Server(valkey_program, tmp_path, {"unixsocket": f"{tmp_path}/s", "appendonly": "yes"}) as server:
        async with connected(server.url) as redis, connected(server.url) as other:
            broker, engine = Broker(redis, keep=KEEP), DrivenEngine(hold=True)
            made = job(requester=requester("ada", "console"))
            await submit(broker, made)
            async with listening(redis, broker) as live, working(leased_worker(other, engine)):
                ending = asyncio.create_task(live.ended(made.id))
                await engine.started.get()
                await asyncio.to_thread(server.kill)
                engine.end(made.id)
                await asyncio.to_thread(server.start)
                assert (await asyncio.wait_for(ending, 30)).state == "done"


async def test_a_quiet_queue_is_not_taken_for_one_that_is_away(
    redis: Redis, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No read waits nearly as long as a server that is given up."""
    asked = list[float]()

    async def read(redis: Redis, platform: Platform, after: str, *, block: float) -> list[OutcomeEvent]:
        asked.append(block)
        await asyncio.Event().wait()
        return []

    monkeypatch.setattr("frontdesk.gallery.live.tail", read)
    async with listening(redis, broker):
        await until(lambda: len(asked) == 2)
    assert max(asked) <= ANSWER_TIMEOUT / 2


async def test_silence_is_marked() -> None:
    """A beat for each pause; the news are the same, and their end is the end."""
    go = asyncio.Event()

    async def news() -> AsyncIterator[int]:
        yield 1
        await go.wait()
        yield 2

    heard = list[int | None]()
    async with aclosing(with_beats(news(), 0.01)) as told:
        async for each in told:
            heard.append(each)
            if heard.count(None) == 2:
                go.set()
    assert heard[0] == 1
    assert heard[-1] == 2
    assert heard.count(None) >= 2


def test_nobody_takes_a_quiet_queue_for_one_that_is_away() -> None:
    """A question that waits for news is answered well before its connection counts as lost."""
    assert BLOCK <= ANSWER_TIMEOUT / 2
