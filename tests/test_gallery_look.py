"""How the public pages look and behave in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from browsing import DESK, PHONE, Hosted, Scheme, chromium, hosted, looking, sign_in
from exhibits import Exhibits
from playwright.sync_api import Browser, expect
from redis.asyncio import Redis

from frontdesk.queue.embedded import EmbeddedServer
from frontdesk.queue.kind_train import TrainResult

MARKUP = '<script>document.title="owned"</script><img src=x onerror="document.title=1">'
PROMPTS = ["a red chair", "a blue sofa", "three green bottles", "a castle on a hill", "a yellow submarine"]
BUDGET = 150_000  # bytes


async def exhibit(exhibits: Exhibits, redis: Redis) -> None:
    """Enough for two pages and more, of all shapes."""
    await exhibits.training(redis, 0.05, [0.61, 0.82, 0.91, 0.955], name="best")
    await exhibits.training(redis, 0.2, [0.5, 0.7, 0.88, 0.9], owner="bob")
    for number in range(44):
        size = ((160, 160), (200, 120), (120, 168))[number % 3]
        await exhibits.sculpture(f"{PROMPTS[number % len(PROMPTS)]}, number {number}", owner="bob", size=size)
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


def test_it_loads(site: Hosted, browser: Browser) -> None:
    with looking(browser) as (_, seen):
        seen.page.goto(f"{site.base}/gallery")
        seen.page.screenshot(path="/tmp/p5/look/g.png")
        assert seen.complaints == []
