"""Fixtures for all tests: a real Valkey server, and an environment without a developer's settings."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import cast

import hypothesis
import pytest
import structlog
from databases import SORTS, Sort, opened_empty, postgres_server, sqlite_in
from gltf import NoValidatorError, Validator
from queueing import KEEP
from redis.asyncio import Redis
from servers import Server
from sqlalchemy import URL
from standin_telegram import TelegramStandIn
from standin_telegram_desk import Room
from standin_telegram_model import Chat, Person

from frontdesk.history.database import Database
from frontdesk.queue.broker import Broker
from frontdesk.queue.embedded import EmbeddedServer, find_program
from frontdesk.queue.errors import ConfigurationError
from frontdesk.queue.logs import TALKATIVE
from frontdesk.queue.scripts import Scripts
from frontdesk.ratelimit.limits import Limits

ANOTHER_SERVER = os.environ.get("FRONTDESK_TEST_SERVER")

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


@pytest.fixture(scope="module")
def one_thread() -> Iterator[None]:
    """torch computes on one core: what is as small as in tests spends its time on handing work between threads."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def valkey_program() -> Path:
    """The server's program. Without one a desk skips, and CI fails: there it would hide what is not tested.

    FRONTDESK_TEST_SERVER names another one (of Redis or Valkey) to try the queue with.
    """
    if ANOTHER_SERVER:
        return Path(ANOTHER_SERVER)
    try:
        return find_program()
    except ConfigurationError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def redis_server(valkey_program: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedServer | Server]:
    """An embedded server for the whole run; `.url` is its address."""
    folder = tmp_path_factory.mktemp("redis")
    another = Server(valkey_program, folder, {"unixsocket": f"{folder}/s"}) if ANOTHER_SERVER else None
    with another or EmbeddedServer(folder) as server:
        yield server


@pytest.fixture
async def redis(redis_server: EmbeddedServer | Server) -> AsyncIterator[Redis]:
    """A client of the embedded server, which is emptied first."""
    async with Redis.from_url(redis_server.url) as client:
        await client.flushdb()
        yield client


@pytest.fixture
def broker(redis: Redis) -> Broker:
    return Broker(redis, keep=KEEP)


@pytest.fixture
def scripts(redis: Redis) -> Scripts:
    return Scripts(redis)


@pytest.fixture
def url(redis_server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch) -> str:
    """An empty queue, and the setting that names it, for tests that run commands in an event loop of their own."""

    async def empty() -> None:
        async with Redis.from_url(redis_server.url) as redis:
            await redis.flushdb()

    asyncio.run(empty())
    monkeypatch.setenv("FRONTDESK_REDIS_URL", redis_server.url)
    return redis_server.url


@pytest.fixture(scope="session")
def postgres() -> Iterator[URL]:
    """A PostgreSQL server for the whole run."""
    with postgres_server() as server:
        yield server.url


@pytest.fixture(params=SORTS)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> URL:
    """The address of each sort of database in turn; not necessarily empty."""
    sort: Sort = request.param
    return sqlite_in(tmp_path) if sort == "sqlite" else cast(URL, request.getfixturevalue("postgres"))


@pytest.fixture
async def database(database_url: URL) -> AsyncIterator[Database]:
    """An empty history in each sort of database in turn."""
    async with opened_empty(database_url) as database:
        yield database


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder for whatever loads the real model: it is converted once for all tests."""
    return tmp_path_factory.mktemp("model")


@pytest.fixture(scope="session")
def gltf_validator() -> Validator:
    """Khronos' glTF validator, fetched from npm once. Without it a desk skips, and CI fails."""
    try:
        return Validator.installed()
    except NoValidatorError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(error))


@pytest.fixture
async def telegram() -> AsyncIterator[TelegramStandIn]:
    async with TelegramStandIn.open() as telegram:
        yield telegram


@pytest.fixture
async def room(telegram: TelegramStandIn, redis: Redis) -> Room:
    return Room(telegram, redis, Limits.load())


@pytest.fixture
def alice(telegram: TelegramStandIn) -> Person:
    return telegram.person("alice")


@pytest.fixture
def lab(telegram: TelegramStandIn) -> Chat:
    return telegram.group("The lab")
