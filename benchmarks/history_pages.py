"""The web page over a filled history, for `history.py`: what a browser waits for, without its network."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
from redis.asyncio import Redis
from sqlalchemy import insert

from frontdesk.bots.desk import Desk
from frontdesk.bots.main import Premises
from frontdesk.bots.memory import Memory
from frontdesk.bots.people import Admins
from frontdesk.gallery.app import create_app
from frontdesk.gallery.live import Live
from frontdesk.history.database import Database
from frontdesk.history.schema import files
from frontdesk.history.search import Search
from frontdesk.queue.artifacts import ArtifactStore
from frontdesk.queue.blobs import FolderBlobs
from frontdesk.queue.broker import Broker
from frontdesk.queue.embedded import EmbeddedServer
from frontdesk.queue.kinds import Registry
from frontdesk.queue.settings import Settings
from frontdesk.ratelimit.limiter import Limiter
from frontdesk.ratelimit.limits import Limits

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))  # what is shown is put there as the tests do it
from showpieces import Exhibits, picture

BASE = "http://127.0.0.1:8080"
TRAININGS = 50
ROWS = 2000  # of one statement


class Opened(Memory):
    """A memory over what the benchmark has opened."""

    def __init__(self, database: Database, search: Search) -> None:
        super().__init__(Settings())
        self._database, self._search = database, search


@asynccontextmanager
async def browsing(
    database: Database, search: Search, folder: Path, pictured: Sequence[str]
) -> AsyncIterator[httpx.AsyncClient]:
    """A browser of a page that shows that history: objects with a picture and two files each, and a leaderboard."""
    kinds, store = Registry.installed(), ArtifactStore(FolderBlobs(folder / "files"))
    exhibits = Exhibits(database, store, kinds)
    await _with_files(database, exhibits, pictured)
    with EmbeddedServer(folder / "redis") as server:
        async with Redis.from_url(server.url) as redis:
            for number in range(TRAININGS):
                share = 0.5 + number / (3 * TRAININGS)
                await exhibits.training(redis, 0.01 * (number + 1), [0.4, share, share + 0.1] * 5)
            broker, memory = Broker(redis, keep=3600.0), Opened(database, search)
            desk = Desk(kinds, broker, Limiter(redis), Limits.load(), Admins(), memory=memory)
            front = Premises(Settings(), kinds, redis, broker, desk, store=store, memory=memory)
            app = create_app(front, base=BASE, key=b"k" * 32, live=Live(redis, broker))
            transport = httpx.ASGITransport(app)
            async with httpx.AsyncClient(transport=transport, base_url=BASE) as client:
                yield client


async def _with_files(database: Database, exhibits: Exhibits, pictured: Sequence[str]) -> None:
    still = exhibits.keep(picture("teal", (320, 320)), "thing.png", "image/png")
    made = [(0, "still", still), (1, "preview", still), (2, "file", still)]
    for start in range(0, len(pictured), ROWS):
        rows = [
            {"job": job, "position": position, "role": role, "note": None, **artifact.model_dump()}
            for job in pictured[start : start + ROWS]
            for position, role, artifact in made
        ]
        async with database.writing() as connection:
            await connection.execute(insert(files), rows)


async def seen(client: httpx.AsyncClient, path: str) -> None:
    """Raises where it is no page."""
    answered = await client.get(path, headers={"Accept": "text/html"})
    answered.raise_for_status()
