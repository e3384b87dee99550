"""Fixtures for all tests: a real Valkey server, and an environment without a developer's settings."""

from __future__ import annotations

import logging
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import hypothesis
import pytest
import structlog
from redis.asyncio import Redis

from frontdesk.queue.embedded import EmbeddedServer, find_program
from frontdesk.queue.errors import ConfigurationError
from frontdesk.queue.logs import TALKATIVE

# A busy machine may take its time over one example: how long is no property of what is tested.
hypothesis.settings.register_profile("unhurried", deadline=None)
hypothesis.settings.load_profile("unhurried")


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No FRONTDESK_* variable, no frontdesk.toml in the current folder, and a data folder that is thrown away."""
    for name in [name for name in os.environ if name.startswith("FRONTDESK_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))
    monkeypatch.chdir(tmp_path)


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    """A command that a test runs in this process sets up logging; the next test finds it as before."""
    root = logging.getLogger()
    handlers, level, config = root.handlers[:], root.level, structlog.get_config()
    levels = {name: logging.getLogger(name).level for name in TALKATIVE}
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, before in levels.items():
        logging.getLogger(name).setLevel(before)
    structlog.configure(**config)


@pytest.fixture(scope="session")
def valkey_program() -> Path:
    """The server's program. Without one a desk skips, and CI fails: there it would hide what is not tested."""
    try:
        return find_program()
    except ConfigurationError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def redis_server(valkey_program: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedServer]:
    """An embedded server for the whole run; `.url` is its address."""
    with EmbeddedServer(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
async def redis(redis_server: EmbeddedServer) -> AsyncIterator[Redis]:
    """A client of the embedded server, which is emptied first."""
    async with Redis.from_url(redis_server.url) as client:
        await client.flushdb()
        yield client


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder for whatever loads the real model: it is converted once for all tests."""
    return tmp_path_factory.mktemp("model")
