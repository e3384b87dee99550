"""Fixtures for all tests: a real Valkey server, and an environment without a developer's settings."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from redis.asyncio import Redis

from frontdesk.queue.embedded import EmbeddedServer, find_program
from frontdesk.queue.errors import ConfigurationError


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No FRONTDESK_* variable, no frontdesk.toml in the current folder, and a data folder that is thrown away."""
    for name in [name for name in os.environ if name.startswith("FRONTDESK_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))
    monkeypatch.chdir(tmp_path)


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
