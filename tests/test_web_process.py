"""The web page as a process: it starts, says what is wrong in one line, and ends when it is told to."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import stat
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from queueing import address, job, until
from redis.asyncio import Redis
from websites import somebody

from frontdesk.bots import children, together
from frontdesk.bots.together import parts
from frontdesk.gallery.main import key_of, public_address
from frontdesk.queue.broker import Broker
from frontdesk.queue.embedded import EmbeddedServer
from frontdesk.queue.errors import ConfigurationError
from frontdesk.queue.settings import Settings, load_settings
from frontdesk.queue.sign_in import SignIns


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


@asynccontextmanager
async def process(url: str, listen: str, folder: Path, *words: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """The page's own process, or that of `words`, killed at the end of the block."""
    environment = {**os.environ, "FRONTDESK_REDIS_URL": url, "FRONTDESK_WEB_LISTEN": listen,
                   "FRONTDESK_DATA_DIR": str(folder), "FRONTDESK_LOG_FORMAT": "json"}  # fmt: skip
    started = await asyncio.create_subprocess_exec(
        sys.executable, "-m", *(words or ["frontdesk.gallery.main"]),
        env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        yield started
    finally:
        if started.returncode is None:
            started.kill()
        await started.communicate()


async def answers(base: str) -> bool:
    async with httpx.AsyncClient() as client:
        try:
            return (await client.get(f"{base}/sign-in")).status_code == 200
        except httpx.TransportError:
            return False


async def test_it_ends_while_somebody_watches(redis: Redis, redis_server: EmbeddedServer, tmp_path: Path) -> None:
    """SIGTERM closes open streams, at once and without an error; the port is free for the next process, where one is
    still signed in. Nothing is logged of who came, nor of a link's secret."""
    port = free_port()
    base, cookies = f"http://127.0.0.1:{port}", httpx.Cookies()
    secret = await SignIns(redis).give(somebody())
    asked = job().model_copy(update={"requester": somebody(), "to": "web"})
    await Broker(redis, keep=60.0).submit(asked, address("ada", "web"), update="u1", declared=1.0)
    async with process(redis_server.url, f"127.0.0.1:{port}", tmp_path) as first:
        await until(lambda: answers(base), within=60)
        async with httpx.AsyncClient(base_url=base, timeout=30) as client:
            page = await client.get(f"/sign-in/{secret}")
            token = page.text.partition('name="csrf" value="')[2].partition('"')[0]
            done = await client.post(f"/sign-in/{secret}", data={"csrf": token}, headers={"Origin": base})
            assert done.status_code == 303
            cookies = client.cookies
            async with client.stream("GET", f"/jobs/news?job={asked.id}") as stream:
                lines = stream.aiter_lines()
                while not (await anext(lines)).startswith("data:"):
                    continue
                began = asyncio.get_running_loop().time()
                first.send_signal(signal.SIGTERM)
                assert [line async for line in lines if line.startswith("event")] == []
        assert await first.wait() == 0
        assert asyncio.get_running_loop().time() - began < 10
        assert first.stderr
        assert first.stdout
        log = await first.stdout.read() + await first.stderr.read()
        assert b"the page is served" in log
        assert b'"level": "error"' not in log
        assert secret.encode() not in log
    async with process(redis_server.url, f"127.0.0.1:{port}", tmp_path) as second:
        await until(lambda: answers(base), within=60)
        async with httpx.AsyncClient(base_url=base, cookies=cookies) as client:
            assert (await client.get("/account")).status_code == 200
        second.send_signal(signal.SIGINT)
        assert await second.wait() == 0


async def test_a_port_in_use_is_said_in_one_line(redis_server: EmbeddedServer, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        listen = f"127.0.0.1:{taken.getsockname()[1]}"
        async with process(redis_server.url, listen, tmp_path, "frontdesk.bots.cli", "web") as started:
            said, told = await started.communicate()
            assert started.returncode == 2
    sentence = f"FRONTDESK_WEB_LISTEN is {listen}, where one cannot listen: Address already in use."
    assert (said + told).decode().splitlines() == [f"frontdesk web: {sentence}"]


def test_up_keeps_a_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where its packages are; with its own key and no bot's token. Without them nothing is missing; nor where its port
    is taken, unless a setting asks for the page."""
    monkeypatch.setenv("FRONTDESK_TELEGRAM_TOKEN", "12:ab")
    unasked = {part.name for part in parts(load_settings(), readable=False) if part.optional}
    monkeypatch.setenv("FRONTDESK_WEB_KEY", "k" * 32)
    assert not any(part.optional for part in parts(load_settings(), readable=False))
    assert unasked == {"web"}
    made = {part.name: part for part in parts(load_settings(), readable=False)}
    assert made["web"].words[-1] == "frontdesk.gallery.main"
    assert made["web"].environment["FRONTDESK_WEB_KEY"] == "k" * 32
    assert "FRONTDESK_TELEGRAM_TOKEN" not in made["web"].environment
    assert all("FRONTDESK_WEB_KEY" not in part.environment for name, part in made.items() if name != "web")
    monkeypatch.setattr(together, "lacking_of", lambda _: ["fastapi"])
    assert "web" not in {part.name for part in parts(load_settings(), readable=False)}


def test_what_the_page_needs_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(children, "lacking_of", lambda _: ["fastapi"])
    with pytest.raises(ConfigurationError, match=r"fastapi is not installed. Run: pip install 'frontdesk\[web\]'"):
        children.need(children.WEB_NEEDS, "web")


@pytest.mark.parametrize(
    ("given", "is_"),
    [
        ({}, "http://127.0.0.1:81"),
        ({"web_listen": "localhost:0"}, "http://localhost:81"),
        ({"web_listen": "0.0.0.0:8080", "web_url": "https://Desk.example/"}, "https://desk.example"),
    ],
)
def test_people_find_the_page_at_one_address(given: dict[str, str], is_: str) -> None:
    """The one that a setting names, or that of this machine."""
    assert public_address(Settings.model_validate(given), 81) == is_


def test_a_page_for_others_has_a_name() -> None:
    """Links with the address 0.0.0.0 would lead nowhere."""
    with pytest.raises(ConfigurationError, match="FRONTDESK_WEB_URL"):
        public_address(Settings(web_listen="0.0.0.0:8080"), 8080)


@pytest.mark.parametrize("url", ["https://desk.example/page", "ftp://desk.example", "https://a:b@desk.example", "desk"])
def test_a_page_has_a_host_of_its_own(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """Its cookies and its policy are those of a whole host."""
    monkeypatch.setenv("FRONTDESK_WEB_URL", url)
    with pytest.raises(ConfigurationError, match="FRONTDESK_WEB_URL must be an address"):
        load_settings()


def test_a_key_is_made_once_and_kept(tmp_path: Path) -> None:
    """So that sessions outlive the process; for its owner's eyes alone. A setting goes before it."""
    settings = Settings(data_dir=tmp_path)
    key = key_of(settings)
    assert len(key) == 32
    assert key_of(settings) == key
    file = tmp_path / "web.key"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    file.chmod(0o644)
    with pytest.raises(ConfigurationError, match="chmod 600"):
        key_of(settings)
    assert key_of(Settings.model_validate({"web_key": "s" * 32})) == b"s" * 32
