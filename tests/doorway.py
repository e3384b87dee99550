"""The HTTP door on a real server of the loopback, with a desk, a history in SQLite, and a worker that a test drives."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import httpx
import uvicorn
from fastapi import FastAPI
from pydantic import Field
from queueing import ECHO, KEEP, DrivenEngine, leased_worker, until, working
from redis.asyncio import Redis
from sqlalchemy import URL

from frontdesk.bots.desk import Desk
from frontdesk.bots.main import Premises
from frontdesk.bots.people import Admins
from frontdesk.bots.uploads import Uploads
from frontdesk.gallery.api import api
from frontdesk.gallery.api_door import ROOT, Door
from frontdesk.gallery.live import Live
from frontdesk.gallery.webhook_sending import Sender
from frontdesk.gallery.webhooks import Webhooks
from frontdesk.history.api_keys import ApiKeys
from frontdesk.history.credentials import USUAL, Scope
from frontdesk.history.database import Database, opened
from frontdesk.history.history import History
from frontdesk.queue.artifacts import Artifact, ArtifactStore
from frontdesk.queue.blobs import FolderBlobs
from frontdesk.queue.broker import Broker
from frontdesk.queue.jobs import Outcome
from frontdesk.queue.kinds import AnyKind, JobKind, Registry
from frontdesk.queue.parameters import Params
from frontdesk.queue.report import queue_report
from frontdesk.queue.results import Attachment, Result
from frontdesk.queue.settings import Settings
from frontdesk.queue.uploads import Upload
from frontdesk.ratelimit.limiter import Limiter
from frontdesk.ratelimit.limits import Limits

ADA, EVE, BOSS = "telegram:1", "discord:2", "telegram:9"


class FrameParams(Params):
    text: Annotated[str, Field(description="What to call it", max_length=100)] = "frame"
    pictures: Annotated[
        Artifact | None, Field(description="A zip of pictures"), Upload((".zip",), ("application/zip",), 200_000)
    ] = None


class FrameResult(Result):
    file: Artifact

    def attachments(self) -> list[Attachment]:
        return [Attachment(self.file, "file")]


FRAME = JobKind("frame", "Frames pictures", FrameParams, FrameResult, cost=lambda params: 1.0)


@dataclass
class Doorway:
    url: str
    front: Premises
    door: Door
    database: Database
    engine: DrivenEngine
    app: FastAPI

    async def key(self, owner: str = BOSS, *scopes: Scope, lifetime: float | None = None) -> str:
        _, shown = await self.door.keys.new(owner, "test", scopes or USUAL, lifetime=lifetime)
        return shown

    @asynccontextmanager
    async def client(self, owner: str = BOSS, *scopes: Scope) -> AsyncIterator[httpx.AsyncClient]:
        headers = {"Authorization": f"Bearer {await self.key(owner, *scopes)}"}
        async with httpx.AsyncClient(base_url=self.url + ROOT, headers=headers, timeout=30) as client:
            yield client

    async def framed(self, data: bytes = b"glTF" * 1000) -> Outcome:
        """A done outcome with a file that the store has."""
        assert self.front.store is not None
        made = await asyncio.to_thread(self.front.store.put, data, name="frame.glb", media_type="model/gltf-binary")
        return Outcome(status="done", result={"file": made.model_dump()}, files=(made.sha256,), seconds=0.5)


@asynccontextmanager
async def served(app: object) -> AsyncIterator[str]:
    """An ASGI application on a port of the loopback; its address."""
    config = uvicorn.Config(app, lifespan="off", log_level="critical", timeout_graceful_shutdown=1)  # type: ignore[arg-type]
    server = uvicorn.Server(config)
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
    with socket.create_server(("127.0.0.1", 0)) as listening:
        serving = asyncio.create_task(server._serve([listening]))
        try:
            await until(lambda: server.started)
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            await serving


@asynccontextmanager
async def doorway(
    redis: Redis,
    folder: Path,
    *,
    hold: bool = False,
    limits: Limits | None = None,
    kinds: Sequence[AnyKind] = (ECHO, FRAME),
    **more: Any,
) -> AsyncIterator[Doorway]:
    """hold: jobs run until the test ends them; otherwise they are echoed at once. more: of the Door."""
    registry, engine = Registry(kinds), DrivenEngine(hold=hold)
    broker, store = Broker(redis, keep=KEEP), ArtifactStore(FolderBlobs(folder / "store"))
    desk = Desk(
        registry,
        broker,
        Limiter(redis),
        limits or Limits.load(),
        Admins(frozenset({BOSS})),
        uploads=Uploads(store),
    )
    front = Premises(Settings(), registry, redis, broker, desk, store=store)
    async with opened(URL.create("sqlite+aiosqlite", database=str(folder / "history.db"))) as database:
        live = Live(redis, broker)
        hooks = Webhooks(database, broker, Sender(private=True))
        door = Door(front, live, ApiKeys(database), hooks, History(database), **more)
        app = FastAPI()
        app.mount(ROOT, api(door))
        running = asyncio.create_task(live.run())
        worker = leased_worker(redis, engine, kinds=dict.fromkeys(registry, "none"))
        try:
            async with working(worker), served(app) as url:
                await until(lambda: _on_duty(redis))
                yield Doorway(url, front, door, database, engine, app)
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running


async def _on_duty(redis: Redis) -> bool:
    return bool((await queue_report(redis)).workers)
