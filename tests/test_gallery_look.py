"""How the public pages look and behave in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import pytest
from browsing import DESK, PHONE, Hosted, Scheme, chromium, hosted, looking, sign_in
from playwright.sync_api import Browser, expect
from redis.asyncio import Redis
from showpieces import Exhibits

from frontdesk.gallery import pages_gallery
from frontdesk.queue.embedded import EmbeddedServer

MARKUP = '<script>document.title="owned"</script><img src=x onerror="document.title=1">'
PROMPTS = ("a red chair", "a blue sofa", "three green bottles", "a castle on a hill", "a yellow submarine")
SHAPES = ((160, 160), (200, 120), (120, 168))
BUDGET = 150_000  # bytes of the first page, without pictures and without the viewer, as they are served
STILL_WITHOUT_3D = "HTMLCanvasElement.prototype.getContext = () => null;"


async def exhibit(exhibits: Exhibits, redis: Redis) -> None:
    """Two pages of cards, of all shapes."""
    await exhibits.training(redis, 0.05, [0.61, 0.82, 0.91, 0.955], name="best")
    await exhibits.training(redis, 0.2, [0.5, 0.7, 0.88, 0.9], owner="bob")
    for number in range(24):
        prompt, size = PROMPTS[number % len(PROMPTS)], SHAPES[number % len(SHAPES)]
        await exhibits.sculpture(f"{prompt}, number {number}", owner="bob", size=size)
    await exhibits.text("Why is the sky blue?", "Because of Rayleigh scattering. " * 12, name="text")
    await exhibits.text(MARKUP, f"{MARKUP} and more", owner="bob", name="markup")
    await exhibits.sculpture("a lighthouse by the sea", owner="bob", name="lighthouse")
    await exhibits.sculpture("my own secret cup", public=False, name="secret")
    await exhibits.sculpture("my own published cup", name="cup")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def site(redis_server: EmbeddedServer, browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hosted]:
    with hosted(redis_server.url, tmp_path_factory.mktemp("desk"), exhibit) as served:
        yield served


def paths(site: Hosted) -> list[str]:
    """One page of each sort, for somebody who is signed in."""
    made = site.ids
    return [
        "/gallery?kind=write",
        "/gallery?q=lighthouse",
        "/gallery?mine=1&kind=sweep",
        f"/objects/{made['cup']}",
        f"/objects/{made['text']}",
        f"/objects/{made['best']}",
        f"/objects/{made['lighthouse']}/report",
        f"/objects/{made['lighthouse']}/similar",
        "/leaderboard",
    ]


@pytest.mark.parametrize("part", range(3))
def test_every_page_is_accessible(site: Hosted, browser: Browser, part: int) -> None:
    """axe-core finds nothing against WCAG 2.2 AA: dark and light, on a phone and at a desk."""
    with looking(browser, still=True) as (_, seen):
        sign_in(seen.page, site, "ada")
        for path in paths(site)[part::3]:
            seen.page.goto(f"{site.base}{path}", wait_until="domcontentloaded")
            for size, scheme in ((DESK, "light"), (DESK, "dark"), (PHONE, "dark"), (PHONE, "light")):
                seen.page.set_viewport_size({"width": size[0], "height": size[1]})
                seen.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
                assert seen.judged() == [], (path, size, scheme)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_gallery_itself_is_accessible_to_a_passer_by(site: Hosted, browser: Browser, scheme: Scheme) -> None:
    """With all its cards."""
    for size in (DESK, PHONE):
        with looking(browser, scheme=scheme, size=size, still=True) as (_, seen):
            seen.page.goto(f"{site.base}/gallery")
            assert seen.judged() == []
            assert seen.complaints == []


def test_nothing_scrolls_sideways_on_the_smallest_phone(site: Hosted, browser: Browser) -> None:
    """320 pixels, which is also 1280 at four times the size (WCAG 1.4.10)."""
    with looking(browser, size=(320, 640), still=True) as (_, seen):
        sign_in(seen.page, site, "ada")
        for path in ["/gallery", *paths(site)]:
            seen.page.goto(f"{site.base}{path}", wait_until="domcontentloaded")
            wide = seen.page.evaluate("document.documentElement.scrollWidth")
            assert wide <= 320, path


def test_the_first_page_is_small_and_asks_nobody_else(site: Hosted, browser: Browser) -> None:
    """HTML, style sheet and scripts, as they are served, which is without compression; pictures below the fold wait."""
    with looking(browser) as (_, seen):
        seen.page.goto(f"{site.base}/gallery", wait_until="networkidle")
        html = len(seen.page.request.get(f"{site.base}/gallery").body())
        others = sum(size for address, size in seen.sizes.items() if "/static/" in address)
        assert others > 50_000
        assert html + others < BUDGET
        assert not [address for address in seen.sizes if "model-viewer" in address]
        assert seen.elsewhere(site.base) == []
        assert seen.complaints == []


def test_pictures_move_nothing_when_they_arrive(site: Hosted, browser: Browser) -> None:
    """The layout is there before them: no shift is counted (CLS of 0)."""
    counting = """window.shifted = 0; new PerformanceObserver((list) => {
        for (const each of list.getEntries()) window.shifted += each.value;
    }).observe({type: "layout-shift", buffered: true});"""
    with looking(browser) as (context, seen):
        context.add_init_script(counting)
        seen.page.goto(f"{site.base}/gallery", wait_until="networkidle")
        assert seen.page.locator(".piece img").count() > 10
        assert seen.page.evaluate("window.shifted") < 0.001


def test_cards_follow_each_other_row_by_row(site: Hosted, browser: Browser) -> None:
    """No card begins above one that comes before it, so that reading and the tab key go the same way."""
    with looking(browser) as (_, seen):
        seen.page.goto(f"{site.base}/gallery")
        tops = seen.page.locator(".fall > li").evaluate_all("all => all.map(each => each.getBoundingClientRect().top)")
        assert len(set(tops[:4])) == 1
        assert all(before <= after + 1 for before, after in pairwise(tops))


def test_search_as_one_types(site: Hosted, browser: Browser) -> None:
    """The results follow, the address is one to send to a friend, and an empty answer says so in words."""
    with looking(browser) as (_, seen):
        page = seen.page
        page.goto(f"{site.base}/gallery")
        page.get_by_role("searchbox").press_sequentially("lighthouse", delay=5)
        expect(page.locator(".fall > li").first).to_contain_text("a lighthouse by the sea")
        seen.until("location.search === '?q=lighthouse'")
        page.reload()
        expect(page.get_by_role("searchbox")).to_have_value("lighthouse")
        page.get_by_role("radio", name="Write").check()
        seen.until("location.search === '?q=lighthouse&kind=write'")
        page.goto(f"{site.base}/gallery?kind=sweep")
        expect(page.get_by_role("heading", name="No sweep to look at yet")).to_be_visible()
        assert seen.complaints == []


def test_search_and_more_work_without_scripts(site: Hosted, browser: Browser) -> None:
    """A form with a button, and a link to the next page."""
    with looking(browser, java_script_enabled=False) as (_, seen):
        page = seen.page
        page.goto(f"{site.base}/gallery")
        first = page.locator(".piece-title").first.inner_text()
        page.get_by_role("link", name="More").click()
        assert "after=" in page.url
        assert page.locator(".piece-title").first.inner_text() != first
        page.get_by_role("searchbox").fill("lighthouse")
        page.get_by_role("button", name="Search").click()
        expect(page.locator(".piece-title").first).to_have_text("a lighthouse by the sea")


def test_more_comes_as_one_scrolls(site: Hosted, browser: Browser) -> None:
    """To the end, each card once."""
    with looking(browser) as (_, seen):
        page = seen.page
        page.goto(f"{site.base}/gallery")
        assert page.locator(".fall > li").count() == 24
        page.locator("#more a").scroll_into_view_if_needed()
        expect(page.locator(".fall > li")).to_have_count(30)
        expect(page.locator("#more a")).to_have_count(0)
        names = page.locator(".piece-title a").evaluate_all("all => all.map(each => each.href)")
        assert len(set(names)) == 30


def test_the_end_of_the_page_can_be_reached(site: Hosted, browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a few pages that came by themselves the next is asked for with a button, which then brings one."""
    monkeypatch.setattr(pages_gallery, "PAGE", 5)
    with looking(browser) as (_, seen):
        page, cards = seen.page, seen.page.locator(".fall > li")
        page.goto(f"{site.base}/gallery")
        for _ in range(3):
            before = cards.count()
            page.mouse.wheel(0, 20_000)
            expect(cards).not_to_have_count(before)
        expect(cards).to_have_count(20)
        page.mouse.wheel(0, 20_000)
        page.wait_for_timeout(500)
        expect(cards).to_have_count(20)
        expect(page.locator("footer")).to_be_in_viewport()
        page.get_by_role("link", name="More").click()
        expect(cards).to_have_count(25)
        assert seen.complaints == []


def test_the_keyboard_alone_opens_an_object_and_its_downloads(site: Hosted, browser: Browser) -> None:
    """Skip link, a card, the Download menu; Escape closes it."""
    with looking(browser, still=True) as (_, seen):
        page = seen.page
        page.goto(f"{site.base}/gallery?q=lighthouse")
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="To the content")).to_be_focused()
        page.get_by_role("searchbox").focus()
        card = page.get_by_role("link", name="a lighthouse by the sea")
        for _ in range(2):  # the kinds are one stop
            page.keyboard.press("Tab")
        expect(card).to_be_focused()
        page.keyboard.press("Enter")
        page.wait_for_url("**/objects/*")
        summary = page.locator("summary", has_text="Download")
        summary.focus()
        page.keyboard.press("Enter")
        first = page.locator(".menu-list a").first
        expect(first).to_be_visible()
        page.keyboard.press("Tab")
        expect(first).to_be_focused()
        with page.expect_download() as downloading:
            page.keyboard.press("Enter")
        assert downloading.value.suggested_filename == "thing.glb"
        page.keyboard.press("Escape")
        expect(first).to_be_hidden()


def test_a_model_is_drawn_and_turns(site: Hosted, browser: Browser) -> None:
    """The viewer loads a real GLB; nothing is asked of another host, and the page's policy is kept."""
    with looking(browser, size=(400, 400), still=True, viewer=True) as (_, seen):
        seen.page.goto(f"{site.base}/objects/{site.ids['lighthouse']}")
        seen.until("document.querySelector('model-viewer').loaded === true")
        inside = "document.querySelector('model-viewer').shadowRoot.querySelector"
        assert seen.page.evaluate(f"{inside}('canvas').width") > 100
        seen.until(f"{inside}('#default-progress-bar .bar').getBoundingClientRect().height === 0")
        assert seen.page.evaluate(f"getComputedStyle({inside}('.container')).position") == "relative"
        assert seen.elsewhere(site.base) == []
        assert seen.complaints == []


def test_without_webgl_there_is_the_picture(site: Hosted, browser: Browser) -> None:
    with looking(browser, size=(400, 400), viewer=True) as (context, seen):
        context.add_init_script(STILL_WITHOUT_3D)
        seen.page.goto(f"{site.base}/objects/{site.ids['lighthouse']}")
        picture = seen.page.locator("model-viewer img")
        expect(picture).to_be_visible()
        assert picture.evaluate("each => each.complete && each.naturalWidth") == 160


def test_a_preview_plays_while_it_is_pointed_at(site: Hosted, browser: Browser) -> None:
    """And not for those who want nothing to move."""
    for still in (False, True):
        with looking(browser, still=still) as (_, seen):
            seen.page.goto(f"{site.base}/gallery?q=lighthouse")
            picture = seen.page.locator(".piece img").first
            assert (picture.get_attribute("src") or "").endswith(".png")
            seen.page.locator(".piece").first.hover()
            if still:
                assert (picture.get_attribute("src") or "").endswith(".png")
                assert seen.page.locator(".piece").first.evaluate("each => getComputedStyle(each).transform") == "none"
            else:
                seen.until("document.querySelector('.piece img').src.endsWith('.gif')")
                seen.page.mouse.move(2, 2)
                seen.until("document.querySelector('.piece img').src.endsWith('.png')")


def test_what_people_wrote_stays_text(site: Hosted, browser: Browser) -> None:
    """In titles, texts, searches and everything that is copied."""
    with looking(browser) as (_, seen):
        sign_in(seen.page, site, "ada")
        markup = site.ids["markup"]
        for path in ("/gallery?kind=write", f"/objects/{markup}", f"/objects/{markup}/report", f"/gallery?q={MARKUP}"):
            seen.page.goto(f"{site.base}{path}", wait_until="domcontentloaded")
            assert "owned" in seen.page.locator("main").inner_text()
            assert seen.page.title() not in ("owned", "1")
            assert seen.page.locator("main script, main img[src=x]").count() == 0
        assert seen.complaints == []


def test_an_owner_publishes_and_is_told(site: Hosted, browser: Browser) -> None:
    with looking(browser, still=True, size=(500, 600)) as (context, seen):
        sign_in(seen.page, site, "ada")
        passer_by = context.browser.new_page()  # type: ignore[union-attr]
        address = f"{site.base}/objects/{site.ids['secret']}"
        seen.page.goto(address)
        assert passer_by.request.get(address).status == 404
        seen.page.get_by_role("button", name="Publish").click()
        expect(seen.page.locator(".toast")).to_have_text("Published: everybody sees it now.")
        seen.until("!location.search")
        assert passer_by.request.get(address).status == 200
        seen.page.get_by_role("button", name="Unpublish").click()
        expect(seen.page.locator(".toast")).to_contain_text("No longer published")
        assert passer_by.request.get(address).status == 404
        passer_by.close()


def test_anothers_object_is_reported_in_a_dialog(site: Hosted, browser: Browser) -> None:
    with looking(browser, still=True, size=(700, 600)) as (_, seen):
        sign_in(seen.page, site, "ada")
        seen.page.goto(f"{site.base}/objects/{site.ids['lighthouse']}")
        seen.page.get_by_role("link", name="Report").click()
        dialog = seen.page.get_by_role("dialog")
        expect(dialog).to_be_visible()
        assert seen.judged() == []
        dialog.get_by_label("What is wrong with it?").fill("It is mine.")
        dialog.get_by_role("button", name="Report").click()
        expect(seen.page.locator(".toast")).to_contain_text("Reported.")


def test_the_learning_curves_are_a_drawing_and_a_table(site: Hosted, browser: Browser) -> None:
    with looking(browser) as (_, seen):
        sign_in(seen.page, site, "ada")
        seen.page.goto(f"{site.base}/leaderboard")
        assert seen.page.locator("svg .curve").count() == 2
        expect(seen.page.locator(".own-row")).to_contain_text("95.5 %")
        seen.page.get_by_text("The curves as a table").click()
        expect(seen.page.locator("figure table tbody tr")).to_have_count(4)
        assert seen.complaints == []
