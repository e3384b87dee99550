"""The whole page as a person uses it, in a real Chromium: on the loopback, with a worker that the test drives, a
recorder, a memory and a store."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from carving import CARVE
from console import staffed
from databases import sqlite_in
from playwright.sync_api import Page
from queueing import ECHO, DrivenEngine
from redis.asyncio import Redis
from storing import folder_store
from threads import in_a_thread
from websites import KEY, front_of, somebody

from frontdesk.bots.main import Premises
from frontdesk.gallery.app import create_app
from frontdesk.gallery.live import Live
from frontdesk.gallery.serving import bound, served
from frontdesk.history.database import Database, opened
from frontdesk.history.indexing import Indexer, run_indexing
from frontdesk.history.meaning import Meaning
from frontdesk.history.recorder import Recorder
from frontdesk.queue.artifacts import ArtifactStore
from frontdesk.queue.jobs import Outcome, Progress
from frontdesk.queue.sign_in import SignIns

PATIENCE = 20.0  # seconds
T = TypeVar("T")


@dataclass
class House:
    """A page in a thread of its own; everything here is called from the test's."""

    loop: asyncio.AbstractEventLoop
    front: Premises
    engine: DrivenEngine
    store: ArtifactStore
    base: str
    restart: Callable[[], Coroutine[Any, Any, None]]

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(PATIENCE)

    def link(self, user: str) -> str:
        """What the bot answers to `/web`."""
        return f"{self.base}/sign-in/{self.do(SignIns(self.front.redis).give(somebody(user)))}"

    def sign_in(self, page: Page, user: str) -> None:
        page.goto(self.link(user))
        page.get_by_role("button", name=f"Sign in as console user {user} on this browser").click()

    def started(self) -> str:
        """Wait until the worker starts a job; its id."""

        async def next_job() -> str:
            return (await self.engine.started.get()).id

        return self.do(next_job())

    def progress(self, job_id: str, fraction: float, text: str) -> None:
        told = Progress(job_id=job_id, fraction=fraction, text=text)
        self.loop.call_soon_threadsafe(self.engine.reports[job_id], told)

    def end(self, job_id: str, outcome: Outcome | None = None) -> None:
        self.loop.call_soon_threadsafe(self.engine.end, job_id, outcome)

    def start_again(self) -> None:
        """The page's process ends, and another one takes its place; queue and worker stay."""
        self.do(self.restart())


@contextmanager
def house(redis_url: str, folder: Path) -> Iterator[House]:
    """Open inside the block."""
    with in_a_thread(lambda: _open(redis_url, folder)) as opened_house:
        yield opened_house


@asynccontextmanager
async def _open(redis_url: str, folder: Path) -> AsyncIterator[House]:
    async with Redis.from_url(redis_url) as redis:
        await redis.flushdb()
        async with opened(sqlite_in(folder)) as database:
            front = front_of(redis, kinds=(ECHO, CARVE), store=folder_store(folder), database=database)
            async with _recorded(front, database), staffed(front, DrivenEngine(hold=True)) as engine:
                found: asyncio.Queue[House] = asyncio.Queue()
                ended = asyncio.Event()
                async with asyncio.TaskGroup() as group:
                    group.create_task(_serve(front, engine, found, ended))
                    yield await found.get()
                    ended.set()


@asynccontextmanager
async def _recorded(front: Premises, database: Database) -> AsyncIterator[None]:
    """What ends is written down, and can be found a moment later."""
    news = asyncio.Event()
    recorder = Recorder(front.redis, database, front.kinds, keep=3600.0, wrote=news.set)
    indexer = Indexer(database, front.kinds, Meaning.installed(), front.store)
    tasks = [asyncio.create_task(work) for work in (recorder.run(), run_indexing(indexer, news))]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


async def _serve(front: Premises, engine: DrivenEngine, found: asyncio.Queue[House], ended: asyncio.Event) -> None:
    """One life of the page after another, on the same port."""
    told = False
    listen, again, up = "127.0.0.1:0", asyncio.Event(), asyncio.Event()

    async def restart() -> None:
        up.clear()
        again.set()
        await up.wait()

    while not ended.is_set():
        listening = bound(listen)
        listen = f"127.0.0.1:{listening.getsockname()[1]}"
        live = Live(front.redis, front.broker, look=0.05)
        app = create_app(front, base=f"http://{listen}", key=KEY, live=live)
        following = asyncio.create_task(live.run())
        async with served(app, listening, app.state.site.closing):
            if not told:
                assert front.store is not None
                loop, base = asyncio.get_running_loop(), f"http://{listen}"
                found.put_nowait(House(loop, front, engine, front.store, base, restart))
                told = True
            again.clear()
            up.set()
            waiting = [asyncio.create_task(event.wait()) for event in (ended, again)]
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            for task in waiting:
                task.cancel()
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
