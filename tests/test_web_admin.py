"""The queue on the page: for admins alone, and what they do is in the audit log."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from console import staffed
from queueing import job, until
from redis.asyncio import Redis
from remembering import remembered
from websites import Browser, application, front_of, somebody

from frontdesk.bots.memory import Memory
from frontdesk.gallery.charts import charts_of
from frontdesk.history.database import Database
from frontdesk.history.figures import HOUR, Hour, last_day, quantile
from frontdesk.history.history import History
from frontdesk.queue.jobs import Outcome
from frontdesk.queue.settings import Settings
from frontdesk.queue.steering import Steering

NOW = 1_800_000_000.0 + 1800  # half past an hour


async def root(redis: Redis, **options: object) -> Browser:
    browser = await Browser(application(front_of(redis, **options))).sign_in(somebody("root"))  # type: ignore[arg-type]
    await browser.get("/account")
    return browser


async def audited(redis: Redis) -> list[tuple[str, str, str]]:
    return [(entry.action, entry.target, entry.reason) for entry in await Steering(redis, keep=60.0).seen.audit(10)]


async def test_the_queue_is_for_admins(redis: Redis) -> None:
    """Whatever address of it others try."""
    ada = await Browser(application(front_of(redis))).sign_in(somebody("ada"))
    for path in ("/admin", "/admin/pause?target=short", "/admin/reports/hide?target=x"):
        assert (await ada.get(path)).status_code == 403
    await ada.get("/account")
    for path in ("/admin/pause", "/admin/drain", "/admin/reports/hide"):
        assert (await ada.post(path, {"target": "short"})).status_code == 403
    assert await audited(redis) == []
    assert 'href="/admin"' not in ada.page
    assert 'href="/admin"' in (await root(redis)).page


async def test_admins_of_another_platform_are_others(redis: Redis) -> None:
    """console:root is the admin, and telegram:root is anybody."""
    browser = await Browser(application(front_of(redis))).sign_in(somebody("root", "telegram"))
    assert (await browser.get("/admin")).status_code == 403


async def test_a_lane_is_paused_after_a_question(redis: Redis) -> None:
    """The page says what came of it; the audit log who did it and why."""
    browser = await root(redis)
    await Browser(browser.app).sign_in()
    asked = await browser.get("/admin/pause?target=short", headers={"HX-Request": "true"})
    assert "Pause the lane short?" in asked.text
    done = await browser.post("/admin/pause", {"target": "short", "reason": "new driver"})
    assert done.headers["location"] == "/admin"
    page = (await browser.get("/admin")).text
    assert re.search(r"<th scope=\"row\">short</th>\s*<td>paused</td>", page)
    assert "Lane short is paused: nobody waits." in page
    assert 'href="/admin/resume?target=short"' in page
    await browser.post("/admin/resume", {"target": "short"})
    assert await audited(redis) == [("resume", "short", ""), ("pause", "short", "new driver")]


async def test_a_worker_is_drained(redis: Redis) -> None:
    browser = await root(redis)
    async with staffed(browser.app.state.site.front):
        await until(lambda: _on_duty(browser))
        assert 'href="/admin/drain?target=w1"' in browser.page
        await browser.post("/admin/drain", {"target": "w1"})
        assert "drained" in (await browser.get("/admin")).text
    assert await audited(redis) == [("drain", "w1", "")]


async def _on_duty(browser: Browser) -> bool:
    said = await browser.get("/admin")
    browser.page = said.text + browser.page
    return "<h3>w1</h3>" in said.text


async def test_what_is_not_there_cannot_be_paused(redis: Redis) -> None:
    """In words, and escaped."""
    browser = await root(redis)
    said = await browser.post("/admin/pause", {"target": "<b>nowhere"})
    assert said.status_code == 400
    assert "<b>nowhere" not in said.text
    for path in ("/admin/ban", "/admin/cancel", "/admin/drop"):
        assert (await browser.post(path, {"target": "short"})).status_code in (400, 404)
    assert await audited(redis) == []


async def test_the_last_hour_is_counted(redis: Redis) -> None:
    """By kind and status, and how often the promised P90 held."""
    browser = await root(redis)
    async with staffed(browser.app.state.site.front):
        await browser.get("/create/echo")
        await browser.post("/create/echo", {"text": "hello"})
        await until(lambda: _counted(browser))


async def _counted(browser: Browser) -> bool:
    page = (await browser.get("/admin")).text
    return re.search(r'<tr><th scope="row">echo</th><td>1</td><td>0</td><td>0</td><td>0</td></tr>', page) is not None


async def test_reports_are_settled(redis: Redis, database: Database) -> None:
    """Hidden or dismissed; both are in the audit log, and the report is gone from the page."""
    browser = await root(redis, database=database)
    first = await remembered(database, job("ada", "a <cat>"), published_at=1.0)
    second = await remembered(database, job("ada", "a dog"), published_at=1.0)
    history = History(database)
    viewer = await browser.app.state.site.front.desk.showcase.viewer(None)
    for made in (first, second):
        await history.report(viewer, "console:bob", made.id, "<i>rude</i>")
    page = (await browser.get("/admin")).text
    assert page.count("&lt;i&gt;rude&lt;/i&gt;") == 2
    assert f"Hide the object {first.id}?" in (await browser.get(f"/admin/reports/hide?target={first.id}")).text
    await browser.post("/admin/reports/hide", {"target": first.id, "reason": "it is"})
    await browser.post("/admin/reports/dismiss", {"target": second.id})
    assert "Nothing is reported." in (await browser.get("/admin")).text
    assert await audited(redis) == [("settle", second.id, ""), ("hide", first.id, "it is")]
    assert [entry.id for entry in (await history.page(viewer)).entries] == [second.id]


async def test_a_day_is_counted_by_the_hour(database: Database) -> None:
    """Statuses, GPU-seconds, and the P50 and P90 of the waits of what was started; older jobs are not in it."""
    began = NOW - 1800
    for number in range(10):
        await remembered(
            database, job(), started_at=began + number, submitted_at=began, finished_at=began + 60, gpu_seconds=2.0
        )
    failed = Outcome(status="failed")
    await remembered(database, job(), failed, started_at=None, submitted_at=0.0, finished_at=began - 1, gpu_seconds=0.0)
    await remembered(database, job(), failed, submitted_at=0.0, finished_at=began - 24 * HOUR, gpu_seconds=1.0)
    hours = await last_day(database, NOW)
    assert len(hours) == 24
    assert hours[-1] == Hour(began, {"done": 10}, 20.0, 4.0, 8.0)
    assert hours[-2] == Hour(began - HOUR, {"failed": 1}, 0.0)
    assert [hour.ended for hour in hours[:-2]] == [{}] * 22


@pytest.mark.parametrize(
    ("values", "share", "is_"), [([], 0.5, None), ([3.0], 0.9, 3.0), ([4, 1, 3, 2], 0.5, 2), (list(range(10)), 0.9, 8)]
)
def test_a_quantile_is_a_value_that_was_there(values: list[float], share: float, is_: float | None) -> None:
    assert quantile(values, share) == is_


@pytest.mark.parametrize("top", [1, 2, 3, 7, 12, 50, 400])
def test_marks_at_a_charts_side_are_whole_and_each_is_there_once(top: int) -> None:
    """Half a job is none, and of two marks that read the same one is wrong."""
    ended = charts_of([Hour(NOW - 3600, {"done": top}, 0.0, float(top), float(top))])[0]
    marks = [tick.text for tick in ended.heights]
    assert len(set(marks)) == len(marks)
    steps = [int(after.replace(",", "")) - int(before.replace(",", "")) for before, after in pairwise(marks)]
    places = [before.at - after.at for before, after in pairwise(ended.heights)]
    assert len(set(steps)) == 1
    assert max(places) - min(places) < 0.1


def test_charts_say_the_same_as_their_tables() -> None:
    """Bars stand on each other up to the hour's total, lines have gaps where nothing was started, axes hold all."""
    hours = [Hour(NOW - 1800 - (23 - number) * HOUR) for number in range(24)]
    hours[22] = Hour(hours[22].begins, {"done": 30, "failed": 10}, 100.0, 1.0, 90.0)
    hours[20] = Hour(hours[20].begins, {"done": 5}, 0.0, 2.0, 3.0)
    ended, waits, device = charts_of(hours)
    assert ended.summary == "35 done, 10 failed, 0 cancelled, 0 expired in the last 24 hours."
    assert [tick.text for tick in ended.heights] == ["0", "10", "20", "30", "40", "50"]
    small, done, failed = ended.bars
    assert done.x == failed.x > small.x
    assert done.y == pytest.approx(failed.y + failed.height, abs=0.02)
    assert done.height == pytest.approx(3 * failed.height, abs=0.05)
    assert len(ended.rows) == 24
    assert ended.rows[1][1:] == ("30", "10", "0", "0")
    assert len(waits.traces) == 4  # two stretches each of P50 and P90
    assert waits.summary == "In the slowest hour nine of ten jobs started within 2 min."
    assert waits.rows[1][1:] == ("1.0 s", "90.0 s")
    assert waits.rows[0][1:] == ("none", "none")
    assert len(device.bars) == 1


async def test_charts_are_read_as_tables_too(redis: Redis, database: Database) -> None:
    """Each is an image with a name, and a table below it."""
    browser = await root(redis, database=database)
    page = (await browser.get("/admin")).text
    assert page.count('<svg viewBox="0 0 720 200" width="100%" role="img" aria-label=') == 3
    assert page.count(", as a table</summary>") == 3


async def test_the_queue_is_shown_while_the_memory_is_away(redis: Redis, tmp_path: Path) -> None:
    """Charts and reports wait; pausing does not."""
    (tmp_path / "history.db").mkdir()  # where the file should be
    front = replace(front_of(redis), memory=Memory(Settings(data_dir=tmp_path)))
    browser = await Browser(application(front)).sign_in(somebody("root"))
    page = await browser.get("/admin")
    assert page.status_code == 200
    assert "memory cannot be reached" in page.text
