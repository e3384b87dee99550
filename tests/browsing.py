"""A real Chromium on a real page: the web page on a port of the loopback, and a browser that looks at it.

`chromium()` skips at a desk without one, and fails in CI.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from redis.asyncio import Redis
from showpieces import Exhibits
from threads import in_a_thread

from frontdesk.bots.desk import Desk
from frontdesk.bots.main import Premises
from frontdesk.bots.memory import Memory
from frontdesk.bots.people import Admins
from frontdesk.bots.uploads import Uploads
from frontdesk.gallery.app import create_app
from frontdesk.gallery.live import Live
from frontdesk.gallery.serving import bound, served
from frontdesk.history.indexing import Indexer
from frontdesk.history.meaning import Meaning
from frontdesk.queue.artifacts import ArtifactStore
from frontdesk.queue.broker import Broker
from frontdesk.queue.jobs import Requester
from frontdesk.queue.kinds import Registry
from frontdesk.queue.settings import Settings
from frontdesk.queue.sign_in import SignIns
from frontdesk.ratelimit.limiter import Limiter
from frontdesk.ratelimit.limits import Limits

expect.set_options(timeout=20_000)  # ms: a machine that is busy with other tests takes its time over a page

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS = (
    "--no-sandbox", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist",
)  # fmt: skip
PHONE, DESK = (390, 844), (1280, 900)
# What a software renderer and the 3D viewer say of a busy machine, which is no fault of the page.
OF_SLOWNESS = ("GPU stall", "rAF timed out")

# What WCAG 2.2 AA asks for, as far as axe-core can judge it.
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
Scheme = Literal["light", "dark"]


@contextmanager
def chromium() -> Iterator[Browser]:
    """One browser for a module, which draws 3D in software."""
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        if os.environ.get("CI"):
            pytest.fail("no Chromium is installed")
        pytest.skip("no Chromium is installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(ARGUMENTS))
        yield browser
        browser.close()


@dataclass
class Hosted:
    """The page as it is served. `ids`: of what was exhibited, by name."""

    base: str
    ids: dict[str, str]
    _loop: asyncio.AbstractEventLoop
    _redis: Redis

    def link(self, user: str) -> str:
        """An address that signs console:USER in, once."""
        requester = Requester(platform="console", user=user, tenant=f"console:{user}")
        given = asyncio.run_coroutine_threadsafe(SignIns(self._redis).give(requester), self._loop)
        return f"{self.base}/sign-in/{given.result(10)}"


SHUT = "customElements.define('model-viewer', class extends HTMLElement {});"

Exhibiting = Callable[[Exhibits, Redis], Awaitable[None]]


@contextmanager
def hosted(redis_url: str, folder: Path, exhibit: Exhibiting) -> Iterator[Hosted]:
    """The whole page in a thread of its own, on a port that the system chooses, with what `exhibit` puts there."""
    with in_a_thread(lambda: _page(redis_url, folder, exhibit)) as page:
        yield page


@asynccontextmanager
async def _page(redis_url: str, folder: Path, exhibit: Exhibiting) -> AsyncIterator[Hosted]:
    settings = Settings(data_dir=folder, default_kind="sculpt")
    kinds, store = Registry.installed(), ArtifactStore.of(settings)
    async with AsyncExitStack() as stack:
        redis = await stack.enter_async_context(Redis.from_url(redis_url))
        await redis.flushdb()
        broker, memory = Broker(redis, keep=3600.0), Memory(settings)
        stack.push_async_callback(memory.close)
        admins = Admins(frozenset({"console:root"}))
        desk = Desk(kinds, broker, Limiter(redis), Limits.load(), admins, uploads=Uploads(store), memory=memory)
        database = await memory.database()
        exhibits = Exhibits(database, store, kinds)
        await exhibit(exhibits, redis)
        indexer = Indexer(database, kinds, Meaning.installed(), store)
        while await indexer.index_some():
            pass
        listening = bound("127.0.0.1:0")
        base = f"http://127.0.0.1:{listening.getsockname()[1]}"
        live, front = Live(redis, broker), Premises(settings, kinds, redis, broker, desk, store=store)
        app = create_app(front, base=base, key=b"k" * 32, live=live)
        async with served(app, listening, app.state.site.closing):
            yield Hosted(base, exhibits.ids, asyncio.get_running_loop(), redis)


def judged(page: Page) -> list[str]:
    """What axe-core finds against WCAG 2.2 AA: the rule, and where."""
    found = Axe().run(page, options={"runOnly": {"type": "tag", "values": RULES}}).response
    assert found["passes"], "nothing was judged"
    return [f"{each['id']}: {node['html'][:160]}" for each in found["violations"] for node in each["nodes"]]


@dataclass
class Seen:
    """A page in the browser, and what went over the wire: bodies as they were sent, in bytes by address."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    addresses: list[str] = field(default_factory=list)
    sizes: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.addresses.append(request.url))
        self.page.on("response", self._answered)

    def _console(self, message: Any) -> None:
        if message.type in ("error", "warning") and not any(each in message.text for each in OF_SLOWNESS):
            self.complaints.append(message.text)

    def _answered(self, response: Any) -> None:
        self.sizes[response.url] = int(response.headers.get("content-length", 0))

    def until(self, expression: str, seconds: float = 20) -> None:
        """Wait for something to be true in the page, whose policy lets playwright's own way of it not run."""
        ends = time.monotonic() + seconds
        while not self.page.evaluate(expression):
            assert time.monotonic() < ends, f"never came true: {expression}"
            self.page.wait_for_timeout(50)

    def judged(self) -> list[str]:
        return judged(self.page)

    def elsewhere(self, base: str) -> list[str]:
        """Requests that left the host."""
        return [each for each in self.addresses if not each.startswith((f"{base}/", "data:", "blob:"))]


@contextmanager
def looking(
    browser: Browser,
    *,
    size: tuple[int, int] = DESK,
    scheme: Scheme = "light",
    still: bool = False,
    viewer: bool = False,
    **options: Any,
) -> Iterator[tuple[BrowserContext, Seen]]:
    """A window of that size without cookies. still: its user wants nothing to move. viewer: the 3D viewer runs, which
    takes seconds where a processor draws; without it its picture is there."""
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme=scheme,
        reduced_motion="reduce" if still else "no-preference",
        **options,
    )
    context.set_default_timeout(20_000)
    if not viewer:
        context.route("**/model-viewer.min.js*", lambda route: route.fulfill(body=SHUT, content_type="text/javascript"))
    try:
        yield context, Seen(context.new_page())
    finally:
        context.close()


def sign_in(page: Page, hosted: Hosted, user: str) -> None:
    """With a link, as the bot gives it."""
    page.goto(hosted.link(user))
    page.get_by_role("button", name="Sign in as").click()
    page.wait_for_url(lambda url: "/sign-in" not in url)
