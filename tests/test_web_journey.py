"""What a person does on the page, in a real Chromium: sign in, ask, watch, cancel; and an admin pauses a lane."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Literal

import pytest
from browsing import chromium, judged
from carving import carving, piece
from journeys import House, house
from playwright.sync_api import Browser, Page, expect
from showpieces import picture

from frontdesk.queue.embedded import EmbeddedServer


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def desk(redis_server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with house(redis_server.url, tmp_path_factory.mktemp("desk")) as opened:
        yield opened


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A browser without cookies; whatever it complains of fails the test."""
    context = browser.new_context()
    made = context.new_page()
    made.set_default_timeout(15_000)
    complaints: list[str] = []
    made.on("pageerror", lambda error: complaints.append(str(error)))
    made.on(
        "console",
        lambda said: complaints.append(said.text) if "Content Security Policy" in said.text else None,
    )
    yield made
    context.close()
    assert complaints == []


def ask(desk: House, page: Page, text: str) -> str:
    """Fill in the form; the id of the job that was started."""
    page.goto(f"{desk.base}/create")
    page.get_by_role("link", name="Echo").click()
    page.get_by_label("Text").fill(text)
    page.get_by_role("button", name="Echo").click()
    job_id = desk.started()
    expect(page).to_have_url(f"{desk.base}/jobs/{job_id}")
    return job_id


def goes_on(desk: House, page: Page, job_id: str, fraction: float, text: str) -> None:
    """The job says how far it is, again and again as jobs do, until the page says so: who looks a moment later than it
    was said is told with the next one."""
    for _ in range(20):
        desk.progress(job_id, fraction, text)
        with suppress(AssertionError):
            expect(page.get_by_text(f"running, {fraction:.0%}")).to_be_visible(timeout=500)
            break
    expect(page.locator(f"#job-{job_id}-detail").get_by_text(text)).to_be_visible()


def test_from_signing_in_to_the_answer(desk: House, page: Page) -> None:
    """The link, the form, its messages, the job's page as it runs, a reload, a restart of the page's process, the
    answer, and the list."""
    desk.sign_in(page, "ada")
    expect(page.get_by_role("heading", name="Create")).to_be_visible()
    page.goto(f"{desk.base}/create/echo")
    page.get_by_role("button", name="Echo").click()
    expect(page.get_by_label("Text")).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_role("alert")).to_contain_text("Please look at")
    job_id = ask(desk, page, "a cat <img src=x onerror=alert(1)>")
    expect(page.get_by_role("status").filter(has_text="running")).to_be_visible()
    goes_on(desk, page, job_id, 0.25, "a cat <img src=x")
    expect(page.get_by_role("progressbar")).to_have_attribute("value", "25")
    page.reload()
    expect(page.get_by_text("running, 25%")).to_be_visible()
    desk.start_again()
    goes_on(desk, page, job_id, 0.75, "a cat <img src=x onerr")
    desk.end(job_id)
    expect(page.locator(f"#job-{job_id}-state")).to_have_text("done")
    expect(page.get_by_role("link", name=re.compile("Cancel"))).to_have_count(0)
    page.get_by_role("link", name="All my jobs").click()
    expect(page.get_by_role("link", name=f"Echo {job_id}")).to_be_visible()


def carve(desk: House, page: Page, what: str) -> str:
    """Ask for a figure, and see it come to its end with a picture and a file; the object's page is open then."""
    page.goto(f"{desk.base}/create/carve")
    page.get_by_label("What").first.fill(what)
    page.get_by_label("Show it in the gallery").check()
    page.get_by_role("button", name="Carve").click()
    job_id = desk.started()
    expect(page.locator(".asked")).to_have_text(what)
    goes_on(desk, page, job_id, 0.5, "chips fly")
    made = [
        piece(desk.store, "view.png", "still", picture("crimson"), "image/png"),
        piece(desk.store, "figure.stl", "file", f"solid {what}".encode(), "model/stl"),
    ]
    desk.end(job_id, carving(made, f"{what} stands."))
    expect(page.locator(f"#job-{job_id}-state")).to_have_text("done")
    shown = page.get_by_role("img", name="What came of it")
    assert shown.evaluate("async each => { await each.decode(); return each.naturalWidth; }") == 160
    for _ in range(50):  # the recorder writes it down a moment later
        page.goto(f"{desk.base}/objects/{job_id}")
        if "/objects/" in page.url:
            break
        page.wait_for_timeout(100)
    return job_id


def test_from_the_answer_to_what_is_like_it(desk: House, page: Page) -> None:
    """What was made is looked at, downloaded, found by words and by meaning, and leads to what is like it."""
    desk.sign_in(page, "ada")
    horse, pony = (carve(desk, page, what) for what in ("a wooden horse", "a wooden pony"))
    expect(page.get_by_role("heading", name="a wooden pony")).to_be_visible()
    page.locator("summary", has_text="Download").click()
    with page.expect_download() as downloading:
        page.get_by_role("link", name="figure.stl").click()
    assert downloading.value.suggested_filename == "figure.stl"
    assert downloading.value.path().read_bytes() == b"solid a wooden pony"
    found = page.locator(".fall > li")
    for words, first in (("pony", pony), ("equine animal", None)):
        for _ in range(50):  # it is indexed a moment after it was written down
            page.goto(f"{desk.base}/gallery")
            page.get_by_role("searchbox").press_sequentially(words, delay=5)
            with suppress(AssertionError):
                expect(page.get_by_role("link", name="a wooden pony")).to_be_visible(timeout=1000)
                expect(page).to_have_url(re.compile(r"\?q="), timeout=1000)
                break
        if first:
            expect(found.first.get_by_role("link")).to_have_attribute("href", f"/objects/{first}")
    page.get_by_role("link", name="a wooden pony").click()
    alike = page.get_by_role("region", name="Similar")
    alike.get_by_role("link", name="a wooden horse").click()
    expect(page).to_have_url(f"{desk.base}/objects/{horse}")


def test_a_job_is_cancelled_in_a_dialog(desk: House, page: Page) -> None:
    """Which first may be left with the keyboard, and then the job goes on."""
    desk.sign_in(page, "ada")
    job_id = ask(desk, page, "something long")
    page.get_by_role("link", name="Cancel").click()
    dialog = page.get_by_role("dialog", name=f"Cancel echo {job_id}?")
    expect(dialog).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(page.get_by_role("link", name="Cancel")).to_be_focused()
    page.get_by_role("link", name="Cancel").click()
    dialog.get_by_role("button", name="Cancel the job").click()
    expect(page.locator(f"#job-{job_id}-state")).to_have_text("cancelled")


def test_nothing_is_lost_without_scripts(desk: House, browser: Browser) -> None:
    """Each page says at a reload what it would have been told."""
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    desk.sign_in(page, "ada")
    job_id = ask(desk, page, "quietly")
    page.get_by_role("link", name="Cancel").click()
    expect(page.get_by_role("heading", name=f"Cancel echo {job_id}?")).to_be_visible()
    page.get_by_role("button", name="Cancel the job").click()
    expect(page.get_by_text(f"{job_id}: stopping")).to_be_visible()
    context.close()


def test_an_admin_pauses_a_lane_and_opens_it_again(desk: House, page: Page) -> None:
    """With a reason, and with what came of it said on the page."""
    desk.sign_in(page, "root")
    page.goto(f"{desk.base}/admin")
    page.get_by_role("link", name="Pause short").click()
    dialog = page.get_by_role("dialog", name="Pause the lane short?")
    dialog.get_by_label("Why, for the audit log").fill("new driver")
    dialog.get_by_role("button", name="Pause the lane").click()
    row = page.get_by_role("row", name="short")
    expect(row.get_by_role("cell", name="paused")).to_be_visible()
    page.get_by_role("link", name="Resume short").click()
    page.get_by_role("button", name="Resume the lane").click()
    expect(row.get_by_role("cell", name="open", exact=True)).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pages_are_for_everybody(desk: House, browser: Browser, scheme: Literal["light", "dark"]) -> None:
    """WCAG 2.2 AA, as far as axe-core can judge it: forms with and without mistakes, jobs, a dialog, the
    queue, an answer with its object, lists that are full or empty, and what is not there."""
    context = browser.new_context(color_scheme=scheme, viewport={"width": 390, "height": 844}, reduced_motion="reduce")
    page = context.new_page()
    page.goto(desk.link("root"))
    found = {"link": judged(page)}
    page.get_by_role("button", name="Sign in as").click()
    for path in ("/create", "/create/echo", "/account", "/admin", "/nothing", "/admin/pause?target=short"):
        page.goto(f"{desk.base}{path}")
        found[path] = judged(page)
    page.goto(f"{desk.base}/create/echo")
    page.get_by_role("button", name="Echo").click()
    found["mistakes"] = judged(page)
    job_id = ask(desk, page, f"looks {scheme}")
    goes_on(desk, page, job_id, 0.5, "looks")
    found["running"] = judged(page)
    page.get_by_role("link", name="Cancel").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    found["dialog"] = judged(page)
    desk.end(job_id)
    page.goto(f"{desk.base}/jobs")
    found["/jobs"] = judged(page)
    made = carve(desk, page, f"a {scheme} figure")
    own = (f"/jobs/{made}", f"/objects/{made}", f"/objects/{made}/similar", "/gallery?mine=1")
    for path in (*own, "/gallery?q=nothing", "/leaderboard", "/sign-in/gone", "/create/nothing"):
        page.goto(f"{desk.base}{path}")
        found[path] = judged(page)
    context.close()
    assert {where: what for where, what in found.items() if what} == {}
