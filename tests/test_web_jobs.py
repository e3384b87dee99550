"""A person's jobs on the page: news as they come, and nothing of anybody else's."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from carving import CARVE, carving, piece
from console import staffed
from queueing import ECHO, DrivenEngine, has_ended, job, until
from redis.asyncio import Redis
from remembering import remembered
from storing import folder_store
from websites import Browser, application, front_of, somebody

from frontdesk.bots.main import Premises
from frontdesk.gallery.app import create_app
from frontdesk.gallery.arriving import Reception
from frontdesk.gallery.pages_jobs import JobPages
from frontdesk.gallery.streaming import events
from frontdesk.history.database import Database
from frontdesk.queue.jobs import Outcome, Progress
from frontdesk.queue.kinds import JobKind
from frontdesk.queue.sessions import Sessions


@dataclass
class House:
    """A desk with its page, whose news are followed, and a worker that the test drives."""

    front: Premises
    browser: Browser
    engine: DrivenEngine

    async def ask(self, text: str = "hello") -> str:
        """The id of a job that was asked for on the page."""
        await self.browser.get("/create/echo")
        done = await self.browser.post("/create/echo", {"text": text})
        return str(done.headers["location"].rpartition("/")[2])

    async def started(self) -> str:
        async with asyncio.timeout(10):
            return (await self.engine.started.get()).id

    @asynccontextmanager
    async def news(self, *ids: str) -> AsyncIterator[AsyncGenerator[tuple[str, dict[str, Any]], None]]:
        """The events of some jobs, by their names, as the page's own address would give them."""
        site = self.browser.app.state.site
        records = [record for each in ids if (record := await self.front.broker.job(each))]

        async def parsed() -> AsyncGenerator[tuple[str, dict[str, Any]], None]:
            async with aclosing(events(site.live, records, JobPages(site).changes, site.closing)) as told:
                async for event in told:
                    lines = event.decode().strip().split("\n")
                    if lines[0].startswith("event: "):
                        yield lines[0].removeprefix("event: "), json.loads(lines[1].removeprefix("data: "))

        async with asyncio.timeout(20), aclosing(parsed()) as told:
            yield told


async def test_a_stream_ends_with_the_session_that_opened_it(redis: Redis) -> None:
    """Who signs out everywhere ends what another browser hears."""
    async with house(redis) as home:
        site, sessions = home.browser.app.state.site, Sessions(redis)
        made = await home.ask("secret words")
        await home.started()
        session = await sessions.begin(somebody(), 0.0)
        visitor = await Reception(site).visitor(session)
        pages, record = JobPages(site, asked_again=0.0), await home.front.broker.job(made)
        assert record
        async with (
            asyncio.timeout(20),
            aclosing(pages._counted(visitor, events(site.live, [record], pages.changes, site.closing))) as told,
        ):
            assert b"event: news" in (await anext(told)) + (await anext(told))
            await sessions.end_all("console:ada")
            home.engine.end(made)
            assert [event async for event in told] == []


@asynccontextmanager
async def house(redis: Redis, **options: Any) -> AsyncIterator[House]:
    front = front_of(redis, **options)
    app = application(front)
    listening = asyncio.create_task(app.state.site.live.run())
    try:
        async with staffed(front, DrivenEngine(hold=True)) as engine:
            yield House(front, await Browser(app).sign_in(), engine)
    finally:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)


async def test_news_come_up_to_the_answer(redis: Redis) -> None:
    """Where it stands, how far it is, what is written so far, and how it ended; then the stream ends."""
    async with house(redis) as desk:
        job_id = await desk.ask("a <b>bold</b> text")
        assert await desk.started() == job_id
        async with desk.news(job_id) as news:
            name, said = await anext(news)
            assert (name, said["job"], said["state"], said["keeps"]) == ("news", job_id, "running", True)
            desk.engine.reports[job_id](Progress(job_id=job_id, fraction=0.5, text="a <b>", note="half way"))
            name, said = await anext(news)
            assert said["state"] == "running, 50%"
            assert 'max="100" value="50"' in said["detail"]
            assert "a &lt;b&gt;" in said["detail"]
            assert "half way" in said["detail"]
            desk.engine.end(job_id, Outcome(status="done", result={"said": "a <b>bold</b> text"}))
            name, said = await anext(news)
            assert (said["state"], said["ended"]) == ("done", True)
            assert "a &lt;b&gt;bold&lt;/b&gt; text" in said["detail"]
            assert [name async for name, _ in news] == ["end"]
        assert "a &lt;b&gt;bold&lt;/b&gt; text" in (await desk.browser.get(f"/jobs/{job_id}")).text


async def test_one_stream_tells_of_several_jobs(redis: Redis) -> None:
    """And ends with the last of them."""
    async with house(redis) as desk:
        ids = {await desk.ask("one"), await desk.ask("two")}
        page = (await desk.browser.get("/jobs")).text
        assert all(f"job={each}" in page for each in ids)
        async with desk.news(*ids) as news:
            for each in ids:
                desk.engine.end(each)
            ended = {said["job"] async for name, said in news if name == "news" and said["ended"]}
        assert ended == ids


async def test_streams_end_when_the_process_does(redis: Redis) -> None:
    """Without saying that the jobs ended: the browser comes again, and finds the next process, which tells the rest."""
    async with house(redis) as desk:
        job_id = await desk.ask()
        await desk.started()
        async with desk.news(job_id) as news:
            await anext(news)
            asyncio.get_running_loop().call_later(0.05, desk.browser.app.state.site.closing.set)  # while it waits
            async with asyncio.timeout(5):
                assert [event async for event in news] == []
        desk.browser.app = create_app(
            desk.front, base=desk.browser.base, key=b"k" * 32, live=desk.browser.app.state.site.live
        )
        async with desk.news(job_id) as news:
            assert (await anext(news))[1]["state"] == "running"
            desk.engine.end(job_id)
            assert [said["ended"] async for name, said in news if name == "news"] == [True]


async def test_the_page_shows_where_a_job_stands_without_any_script(redis: Redis) -> None:
    """Its place and expected wait, and after its end the answer."""
    browser = await Browser(application(front_of(redis))).sign_in()
    await browser.get("/create/echo")
    done = await browser.post("/create/echo", {"text": "hello"})
    page = (await browser.get(done.headers["location"])).text
    assert "number 1 in the queue. No worker is on duty just now; it waits for one" in page
    assert "data-news=" in page


async def test_cancelling_is_confirmed(redis: Redis) -> None:
    """As a page, or as a dialog for a script; then the page says what came of it, once."""
    async with house(redis) as desk:
        job_id = await desk.ask()
        await desk.started()
        page = await desk.browser.get(f"/jobs/{job_id}/cancel")
        assert f"Cancel echo {job_id}?" in page.text
        dialog = await desk.browser.get(f"/jobs/{job_id}/cancel", headers={"HX-Request": "true"})
        assert dialog.text.startswith('<dialog class="dialog"')
        done = await desk.browser.post(f"/jobs/{job_id}/cancel")
        assert done.headers["location"] == f"/jobs/{job_id}"
        assert "stopping; it ends at its next step" in (await desk.browser.get(f"/jobs/{job_id}")).text
        assert "stopping; it ends" not in (await desk.browser.get(f"/jobs/{job_id}")).text
        async with desk.news(job_id) as news:
            assert [said["state"] async for name, said in news if name == "news"][-1] == "cancelled"
        assert "data-news" not in (await desk.browser.get(f"/jobs/{job_id}")).text


async def test_somebody_elses_job_is_not_there(redis: Redis) -> None:
    """Not for others, not for admins, not for passers-by: every address of it answers as for one that never was."""
    async with house(redis) as desk:
        job_id = await desk.ask()
        await desk.started()
        paths = [
            f"/jobs/{job_id}", f"/jobs/{job_id.upper()}", f"/jobs/{job_id}/cancel", f"/jobs/news?job={job_id}",
            f"/jobs/{job_id}/picture/{'a' * 64}?size=1&type=image/png",
        ]  # fmt: skip
        for who in ("bob", "root"):
            other = await Browser(desk.browser.app).sign_in(somebody(who))
            for path in paths:
                theirs, made_up = [await other.get(each) for each in (path, path.replace(job_id, "1s2k9x4qd"))]
                assert theirs.status_code == made_up.status_code == 404, path
            assert (await other.post(f"/jobs/{job_id}/cancel")).status_code == 404
            assert job_id not in (await other.get("/jobs")).text
        for path in paths:
            assert (await Browser(desk.browser.app).get(path)).headers["location"] == "/sign-in"
        mine = await desk.ask()
        other = await Browser(desk.browser.app).sign_in(somebody("bob"))
        assert (await other.get(f"/jobs/news?job={mine}&job={job_id}")).status_code == 404
        record = await desk.front.broker.job(job_id)
        assert record is not None
        assert record.state == "running"


@pytest.mark.parametrize("query", ["", "?" + "&".join(["job=1s2k9x4qd"] * 13)])
async def test_a_stream_follows_a_few_jobs(redis: Redis, query: str) -> None:
    browser = await Browser(application(front_of(redis))).sign_in()
    assert (await browser.get(f"/jobs/news{query}")).status_code == 400


async def test_a_picture_of_a_run_is_its_requesters(redis: Redis, tmp_path: Path) -> None:
    """And is a picture, whatever else somebody asks for."""
    store = folder_store(tmp_path / "store")
    async with house(redis, store=store) as desk:
        job_id = await desk.ask()
        await desk.started()
        shown = store.show(job_id, b"\x89PNG picture", name="view.png", media_type="image/png")
        async with desk.news(job_id) as news:
            await anext(news)
            desk.engine.reports[job_id](Progress(job_id=job_id, fraction=0.5, preview=shown))
            detail = (await anext(news))[1]["detail"]
        path = detail.partition('src="')[2].partition('"')[0].replace("&amp;", "&")
        given = await desk.browser.get(path)
        assert (given.content, given.headers["content-type"]) == (b"\x89PNG picture", "image/png")
        for wrong in (
            path.replace("image%2Fpng", "text%2Fhtml"),
            path.replace(shown.sha256, "a" * 64),
            path.replace(shown.sha256, "..%2f..%2fx"),
        ):
            assert (await desk.browser.get(wrong)).status_code == 404


async def test_what_was_just_made_is_there_for_its_owner(redis: Redis, tmp_path: Path, database: Database) -> None:
    """Before the recorder has written it down: the files, and a page in place of the object's. For nobody else."""
    store = folder_store(tmp_path / "store")
    async with house(redis, kinds=(CARVE,), store=store, database=database) as desk:
        await desk.browser.get("/create/carve")
        done = await desk.browser.post("/create/carve", {"what": "a horse"})
        job_id = await desk.started()
        assert "a horse" in (await desk.browser.get(f"/jobs/{job_id}")).text
        assert "a horse" in (await desk.browser.get("/jobs")).text
        desk.engine.end(job_id, carving([piece(store, "horse.png", "still", b"PNG", "image/png")]))
        await until(lambda: has_ended(desk.front.broker, job_id))
        path = re.search(r'/files/[^"]+horse\.png', (await desk.browser.get(done.headers["location"])).text)
        assert path
        given = await desk.browser.get(path[0])
        assert (given.content, given.headers["cache-control"]) == (b"PNG", "private, no-store")
        shown = await desk.browser.get(f"/objects/{job_id}")
        assert (shown.status_code, shown.headers["location"]) == (303, f"/jobs/{job_id}")
        others = (await Browser(desk.browser.app).sign_in(somebody("root")), Browser(desk.browser.app))
        for other in others:
            for address in (path[0], f"/objects/{job_id}"):
                assert (await other.get(address)).status_code == 404
        assert (await desk.browser.get(path[0].replace("horse.png", "cow.png"))).status_code == 404


async def test_what_the_queue_forgot_is_remembered(redis: Redis, database: Database) -> None:
    """One's own: in the list and with its answer. Others' stay where they are."""
    app = application(front_of(redis, database=database))
    browser = await Browser(app).sign_in(somebody("ada", "telegram"))
    own = await remembered(
        database, job("ada", "an old question"), Outcome(status="done", result={"said": "so <it> is"})
    )
    other = await remembered(database, job("bob", "another"), published_at=1.0)
    listed = (await browser.get("/jobs")).text
    assert own.id in listed
    assert "an old question" in listed
    assert other.id not in listed
    assert "so &lt;it&gt; is" in (await browser.get(f"/jobs/{own.id}")).text
    assert (await browser.get(f"/jobs/{other.id}")).status_code == 404


async def test_a_kind_that_is_gone_still_has_a_page(redis: Redis) -> None:
    """What was asked for before an upgrade is shown as far as it can be."""
    gone = JobKind("gone", "Not there any more", ECHO.params, ECHO.result, cost=lambda _: 1.0)
    asking = await Browser(application(front_of(redis, kinds=(ECHO, gone)))).sign_in()
    await asking.get("/create/gone")
    done = await asking.post("/create/gone", {"text": "hello"})
    browser = await Browser(application(front_of(redis))).sign_in()
    assert (await browser.get(done.headers["location"])).status_code == 200
    assert (await browser.get("/jobs")).status_code == 200
