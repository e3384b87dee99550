"""The web page for tests: an application on a real queue, and browsers of it that keep cookies."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from html import unescape

import httpx
from fastapi import FastAPI
from queueing import ECHO
from redis.asyncio import Redis

from frontdesk.bots.desk import Desk
from frontdesk.bots.main import Premises
from frontdesk.bots.memory import Memory
from frontdesk.bots.people import Admins
from frontdesk.bots.uploads import Uploads
from frontdesk.gallery.app import create_app
from frontdesk.gallery.live import Live
from frontdesk.history.database import Database
from frontdesk.queue.artifacts import ArtifactStore
from frontdesk.queue.broker import Broker
from frontdesk.queue.jobs import Platform, Requester
from frontdesk.queue.kinds import AnyKind, Registry
from frontdesk.queue.settings import Settings
from frontdesk.queue.sign_in import SignIns
from frontdesk.ratelimit.limiter import Limiter
from frontdesk.ratelimit.limits import Limits

BASE = "http://127.0.0.1:8080"
KEY = b"k" * 32
TOKEN = re.compile(r'name="csrf" value="([^"]+)"')


class Remembering(Memory):
    """A memory over a database that a test has opened."""

    def __init__(self, database: Database) -> None:
        super().__init__(Settings())
        self._database = database


def front_of(
    redis: Redis,
    *,
    kinds: Iterable[AnyKind] = (ECHO,),
    limits: Limits | None = None,
    store: ArtifactStore | None = None,
    database: Database | None = None,
) -> Premises:
    """A desk of the kind `echo`, whose admin is console:root."""
    registry, broker = Registry(kinds), Broker(redis, keep=3600.0)
    memory = Remembering(database) if database else None
    admins = Admins(frozenset({"console:root"}))
    desk = Desk(
        registry,
        broker,
        Limiter(redis),
        limits or Limits.load(),
        admins,
        uploads=Uploads(store),
        memory=memory,
    )
    return Premises(Settings(default_kind="echo"), registry, redis, broker, desk, store=store, memory=memory)


def somebody(user: str = "ada", platform: Platform = "console") -> Requester:
    tenant = f"console:{user}" if platform == "console" else user
    return Requester(platform=platform, user=user, tenant=tenant)


@dataclass
class Browser:
    """One browser: its cookies, and what it last saw. Pages of ours are asked for as a browser does it."""

    app: FastAPI
    base: str = BASE
    headers: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.client = httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url=self.base)
        self.page = ""

    async def get(self, path: str, headers: Mapping[str, str] | None = None) -> httpx.Response:
        said = await self.client.get(path, headers={"Accept": "text/html", **self.headers, **(headers or {})})
        if "text/html" in said.headers.get("content-type", "") and TOKEN.search(said.text):
            self.page = said.text
        return said

    @property
    def token(self) -> str:
        """The form token of the last page that had one."""
        found = TOKEN.search(self.page)
        assert found, "no page with a form was seen"
        return unescape(found[1])

    async def post(
        self,
        path: str,
        data: Mapping[str, str] | None = None,
        *,
        files: Mapping[str, tuple[str, bytes, str]] | None = None,
        token: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """Send a form, as the page seen last would; `token` in place of its own."""
        own = {"csrf": self.token if token is None else token}
        return await self.client.post(
            path,
            data={**own, **(data or {})},
            files=files,
            headers={"Origin": self.base, **self.headers, **(headers or {})},
        )

    async def sign_in(self, who: Requester | None = None) -> Browser:
        """With a link, as a bot gives it. Returns itself."""
        secret = await SignIns(self.app.state.site.front.redis).give(who or somebody())
        await self.get(f"/sign-in/{secret}")
        done = await self.post(f"/sign-in/{secret}")
        assert done.status_code == 303, done.text
        await self.get("/account")
        return self

    def cookie(self, name: str) -> str:
        return self.client.cookies[f"frontdesk-{name}"]


def application(front: Premises, base: str = BASE) -> FastAPI:
    return create_app(front, base=base, key=KEY, live=Live(front.redis, front.broker, look=0.05))
