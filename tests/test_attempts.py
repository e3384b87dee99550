"""Attempts to reach what is somebody else's: a private object, a job, a file, a session, a key.

One table over the whole application, page and HTTP door, with a real queue, real rows and real files. Ada made what is
there; whoever tries gets nothing of it, and nothing of it is changed. That Ada herself gets it is tried as well, so
that no row passes for being mistyped.
"""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Annotated, Any

import httpx
import pytest
import pytest_asyncio
from databases import sqlite_in
from doorway import FrameResult
from fastapi import FastAPI
from pydantic import Field
from queueing import ECHO, address, echoed, job, submit
from redis.asyncio import Redis
from remembering import ends, remembered
from sqlalchemy import select
from websites import BASE, KEY, Browser, front_of, somebody

from frontdesk.bots.file_server import served
from frontdesk.bots.links import Links
from frontdesk.bots.main import Premises
from frontdesk.gallery.api import door_of
from frontdesk.gallery.app import create_app
from frontdesk.gallery.cookies import SESSION, VISIT, Jar, Signer
from frontdesk.gallery.live import Live
from frontdesk.gallery.website import Site
from frontdesk.history.api_keys import ApiKeys
from frontdesk.history.credentials import USUAL, Scope
from frontdesk.history.database import Database, opened
from frontdesk.history.indexing import Indexer
from frontdesk.history.schema import api_keys, jobs, reports
from frontdesk.history.search import Search
from frontdesk.queue import keys
from frontdesk.queue.artifacts import Artifact, ArtifactStore
from frontdesk.queue.blobs import FolderBlobs
from frontdesk.queue.connection import answer
from frontdesk.queue.jobs import Job, Outcome, Requester
from frontdesk.queue.kinds import JobKind
from frontdesk.queue.parameters import Params
from frontdesk.queue.sessions import KEEPS, Session
from frontdesk.queue.sign_in import SignIns
from frontdesk.queue.uploads import Upload

pytestmark = pytest.mark.asyncio(loop_scope="module")

WORD = "zebra"  # in all that is Ada's alone: words, results, bytes of files
ADA, EVE, BOSS = somebody("1", "discord"), somebody("2", "telegram"), somebody("root")
GLB = "model/gltf-binary"


class PressParams(Params):
    text: Annotated[str, Field(description="What to call it", max_length=100)] = "press"
    pictures: Annotated[
        Artifact, Field(description="A zip of pictures"), Upload((".zip",), ("application/zip",), 200_000)
    ]


PRESS = JobKind("press", "Presses pictures", PressParams, FrameResult, cost=lambda params: 1.0)


@dataclass
class House:
    """The application, and what is in it by the names that addresses of the table have in braces."""

    app: FastAPI
    front: Premises
    database: Database
    store: ArtifactStore
    names: dict[str, str] = field(default_factory=dict)

    @property
    def site(self) -> Site:
        found: Site = self.app.state.site
        return found

    def cookie(self, session: Session, jar: Jar | None = None) -> dict[str, str]:
        """What a browser sends that is signed in."""
        header = (jar or self.site.jar).header(SESSION, session.secret, KEEPS)
        return {"Cookie": header.partition(";")[0], "X-CSRF-Token": self.site.signer.form_token(session.secret)}

    async def session(self, who: Requester) -> Session:
        return await self.site.sessions.begin(who, time.time())

    async def key(self, owner: Requester, *scopes: Scope, **more: Any) -> str:
        _, shown = await ApiKeys(self.database).new(owner.identity, "test", scopes or USUAL, **more)
        return shown

    async def all_there_is(self) -> object:
        """Whatever an attempt might change."""
        async with self.database.reading() as connection:
            rows = [
                [tuple(row) for row in await connection.execute(select(*columns))]
                for columns in (
                    (jobs.c.id, jobs.c.owner, jobs.c.published_at, jobs.c.hidden),
                    (reports.c.job, reports.c.reporter),
                    (api_keys.c.id, api_keys.c.revoked_at),
                )
            ]
        redis = self.front.redis
        queued = sorted([name async for name in redis.scan_iter(f"{keys.JOB}*")])
        states = [await answer(redis.hmget(name, ["state", "cancel"])) for name in queued]
        held = [await answer(redis.smembers(keys.owners(self.names[name]))) for name in ("sha", "upload")]
        ordered = [await answer(redis.smembers(name)) for name in (keys.PAUSED, keys.DRAINED)]
        return rows, queued, states, held, ordered, await redis.xlen(keys.AUDIT)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def house(redis_server: Any, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    folder = tmp_path_factory.mktemp("attempts")
    store = ArtifactStore(FolderBlobs(folder / "store"))
    async with Redis.from_url(redis_server.url) as redis, opened(sqlite_in(folder)) as database:
        await redis.flushdb()
        front = front_of(redis, kinds=(ECHO, PRESS), store=store, database=database)
        assert front.memory is not None
        front.memory._search = Search(database, None)  # by words alone: loading what they mean takes a second
        live = Live(redis, front.broker)
        app = create_app(front, base=BASE, key=KEY, live=live, door=door_of(front, database, live))
        made = House(app, front, database, store)
        await furnished(made)
        yield made


async def furnished(house: House) -> None:
    """What Ada asked for, and one object of Eve's."""
    store, redis, broker = house.store, house.front.redis, house.front.broker

    async def pressed(text: str, who: Requester, **columns: Any) -> tuple[Job, Artifact]:
        file = await asyncio.to_thread(store.put, f"glTF {text}".encode(), name="made.glb", media_type=GLB)
        made = job(kind="press", requester=who, params={"text": text, "pictures": upload.model_dump()}, **columns)
        outcome = Outcome(status="done", result={"file": file.model_dump()}, files=(file.sha256,))
        await remembered(house.database, made, outcome, kind=PRESS, title=text, published_at=shown.get(text))
        return made, file

    upload = await asyncio.to_thread(
        store.put, b"PK\x03\x04 zebra pictures", name="pictures.zip", media_type="application/zip"
    )
    shown = {"an open quagga": 1_790_000_000.0, "eves quagga": 1_790_000_100.0}
    kept, file = await pressed("zebra quagga", ADA, private=True)
    once, once_file = await pressed("zebra quagga, once shown", ADA)
    shut, _ = await pressed("zebra quagga, hidden", ADA)
    public, open_file = await pressed("an open quagga", ADA)
    eves, eves_file = await pressed("eves quagga", EVE)
    async with house.database.writing() as connection:
        await connection.execute(jobs.update().where(jobs.c.id == shut.id).values(published_at=1.0, hidden=True))
    indexer = Indexer(house.database, house.front.kinds, None, None)
    while await indexer.index_some():
        pass
    running = job(requester=ADA, text="zebra runs", private=True)
    ended = job(requester=ADA, text="zebra ended")
    await ends(redis, ended, echoed("zebra said"))
    await submit(broker, running)
    held = job(requester=ADA, kind="press", params={"text": "zebra", "pictures": upload.model_dump()})
    await broker.submit(held, address("1", "discord"), update="held", declared=1.0, files=[upload.sha256, file.sha256])
    house.names.update(
        kept=kept.id, once=once.id, shut=shut.id, public=public.id, eves=eves.id, running=running.id, ended=ended.id,
        sha=file.sha256, once_sha=once_file.sha256, open_sha=open_file.sha256, eves_sha=eves_file.sha256,
        upload=upload.sha256, before=cursor(1_790_000_000.5, public.id), within=cursor(9e9, "zzzzzzzzz"),
        surrogate=cursor(1.0, "\ud800"), upper=kept.id.upper(), first=kept.id[:-1], more=f"{kept.id}0",
    )  # fmt: skip


def cursor(when: float, job_id: str) -> str:
    return base64.urlsafe_b64encode(json.dumps([when, job_id]).encode()).decode().rstrip("=")


# Who tries: what their requests carry.

Who = Callable[[House], Awaitable[Mapping[str, str]]]


async def passer_by(house: House) -> Mapping[str, str]:
    return {"X-CSRF-Token": house.site.signer.form_token("x")}


async def ada(house: House) -> Mapping[str, str]:
    return house.cookie(await house.session(ADA))


async def eve(house: House) -> Mapping[str, str]:
    return house.cookie(await house.session(EVE))


async def boss(house: House) -> Mapping[str, str]:
    """An admin."""
    return house.cookie(await house.session(BOSS))


async def forger(house: House) -> Mapping[str, str]:
    """Eve, with the form token of Ada's browser."""
    return {**await eve(house), "X-CSRF-Token": (await ada(house))["X-CSRF-Token"]}


async def other_site(house: House) -> Mapping[str, str]:
    """Ada's own browser, made to send a form by a page of somebody else's."""
    return {**await ada(house), "Origin": "https://evil.example"}


async def no_token(house: House) -> Mapping[str, str]:
    """Ada's own browser, without a form of ours."""
    return {**await ada(house), "X-CSRF-Token": ""}


async def ended_cookie(house: House) -> Mapping[str, str]:
    """Ada's cookie, after she signed out."""
    session = await house.session(ADA)
    await house.site.sessions.end(session)
    return house.cookie(session)


async def ended_everywhere(house: House) -> Mapping[str, str]:
    session = await house.session(ADA)
    await house.site.sessions.end_all(ADA.identity)
    return house.cookie(session)


async def altered_cookie(house: House) -> Mapping[str, str]:
    """Ada's secret, with a signature that is not the page's."""
    return house.cookie(await house.session(ADA), Jar(Signer(b"e" * 32), secure=False))


async def unsigned_cookie(house: House) -> Mapping[str, str]:
    return {"Cookie": f"frontdesk-session={(await house.session(ADA)).secret}"}


async def visit_as_session(house: House) -> Mapping[str, str]:
    """A secret of Ada's session that the page signed for another purpose."""
    header = house.site.jar.header(VISIT, (await house.session(ADA)).secret, KEEPS)
    return {"Cookie": header.partition(";")[0].replace(VISIT, SESSION)}


async def hash_as_cookie(house: House) -> Mapping[str, str]:
    """What Redis keeps of a session, by who read it there."""
    await house.session(ADA)
    [kept, *_] = [name async for name in house.front.redis.scan_iter(f"{keys.SESSION}*")]
    return {"Cookie": f"frontdesk-session={kept.decode().rpartition(':')[2]}"}


def bearer(shown: str) -> Mapping[str, str]:
    return {"Authorization": f"Bearer {shown}", "Accept": "application/json"}


def with_key(who: Requester, *scopes: Scope) -> Who:
    async def made(house: House) -> Mapping[str, str]:
        return bearer(await cached(house, who, *scopes))

    made.__name__ = f"key of {who.identity} {' '.join(scopes)}".strip()
    return made


async def cached(house: House, who: Requester, *scopes: Scope) -> str:
    """A person has few keys: each is made once."""
    name = f"key {who.identity} {scopes}"
    if name not in house.names:
        house.names[name] = await house.key(who, *scopes)
    return house.names[name]


async def revoked_key(house: House) -> Mapping[str, str]:
    shown = await house.key(ADA)
    await ApiKeys(house.database).revoke({ADA.identity}, shown.split("_")[1])
    return bearer(shown)


async def expired_key(house: House) -> Mapping[str, str]:
    return bearer(await house.key(ADA, lifetime=-1.0))


async def altered_key(house: House) -> Mapping[str, str]:
    """Ada's key's id, with the secret of Eve's."""
    hers, own = await cached(house, ADA), await cached(house, EVE)
    return bearer(f"{hers[:14]}{own[14:]}")


async def hash_as_key(house: House) -> Mapping[str, str]:
    """What the database keeps of a key, by who read it there."""
    await cached(house, ADA)
    async with house.database.reading() as connection:
        row = (await connection.execute(select(api_keys).where(api_keys.c.owner == ADA.identity))).mappings().first()
    assert row
    return bearer(f"fd_{row['id']}_{row['sha256'][:43]}")


async def cookie_at_the_door(house: House) -> Mapping[str, str]:
    """The page's cookie opens no door for programs."""
    return await ada(house)


EVES_KEY, EVES_ADMIN, EVES_READ = with_key(EVE), with_key(EVE, "read", "cancel", "admin"), with_key(EVE, "read")
BOSS_KEY, BOSS_ADMIN = with_key(BOSS), with_key(BOSS, "read", "cancel", "admin")
ADAS_KEY = with_key(ADA)
SUBMIT_ONLY, CANCEL_ONLY = with_key(ADA, "submit"), with_key(ADA, "cancel")


@dataclass(frozen=True)
class Attempt:
    """`who` tries it by this `way`, and gets this status. `sends`: a form, or JSON at the door. `says`: is in the
    answer; `not_there`: names whose values are not."""

    what: str
    who: Who
    way: str
    gets: int
    sends: Mapping[str, Any] = field(default_factory=dict)
    says: str = ""
    not_there: tuple[str, ...] = ()


def each(what: str, whos: tuple[Who, ...], way: str, gets: int, **more: Any) -> list[Attempt]:
    return [Attempt(what, who, way, gets, **more) for who in whos]


FILE = "/files/{kept}/{sha}/made.glb"
ALL, SIGNED_IN = (passer_by, eve, boss), (eve, boss)
LISTS = ("kept", "once", "shut", "running", "ended", "sha", "upload")
KEYS = (EVES_KEY, EVES_ADMIN, BOSS_KEY)
REFUSED = (revoked_key, expired_key, altered_key, hash_as_key, cookie_at_the_door)
COOKIES = (ended_cookie, ended_everywhere, altered_cookie, unsigned_cookie, visit_as_session, hash_as_cookie)

ATTEMPTS = [
    # Objects
    *each("a private object", ALL, "GET /objects/{kept}", 404),
    *each("one that was published once", ALL, "GET /objects/{once}", 404),
    *each("one that an admin has hidden", ALL, "GET /objects/{shut}", 404),
    Attempt("in capitals", eve, "GET /objects/{upper}", 404),
    Attempt("with blanks", eve, "GET /objects/%20{kept}%20", 404),
    Attempt("part of an id", eve, "GET /objects/{first}", 404),
    Attempt("more than an id", eve, "GET /objects/{more}", 404),
    Attempt("any id", eve, "GET /objects/%25", 404),
    Attempt("words of SQL", eve, "GET /objects/x'%20OR%20'1'='1", 404),
    Attempt("a NUL", eve, "GET /objects/{kept}%00", 404),
    *each("what is like it", ALL, "GET /objects/{kept}/similar", 404),
    Attempt("what has its shape", eve, "GET /objects/{kept}/similar?by=shape", 404),
    *each("it among what is like another", ALL, "GET /objects/{eves}/similar", 200, says="an open", not_there=LISTS),
    Attempt("to publish it", eve, "POST /objects/{kept}/publish", 404),
    Attempt("to publish it, as an admin", boss, "POST /objects/{kept}/publish", 404),
    Attempt("to take back what is public", eve, "POST /objects/{public}/unpublish", 404),
    Attempt("the form that reports it", eve, "GET /objects/{kept}/report", 404),
    Attempt("to report it", eve, "POST /objects/{kept}/report", 404, {"reason": "is it there?"}),
    Attempt("to report what was public", eve, "POST /objects/{once}/report", 404, {"reason": "is it there?"}),
    Attempt("to report what is hidden", boss, "POST /objects/{shut}/report", 404, {"reason": "is it there?"}),
    *each("to make it again", SIGNED_IN, "POST /objects/{kept}/rerun", 404),
    Attempt("to make it again", passer_by, "POST /objects/{kept}/rerun", 303),
    Attempt("to make again what was made of her upload", eve, "POST /objects/{public}/rerun", 400),
    # Lists
    *each("the gallery", ALL, "GET /gallery", 200, says="an open", not_there=LISTS),
    *each("of one kind", ALL, "GET /gallery?kind=press", 200, says="an open", not_there=LISTS),
    Attempt("another's own", eve, "GET /gallery?mine=1", 200, says="eves quagga", not_there=(*LISTS, "public")),
    Attempt("another's own, named", eve, "GET /gallery?mine=1&owner=discord:1&user=1", 200, not_there=LISTS),
    Attempt("a passer-by's own", passer_by, "GET /gallery?mine=1", 303),
    Attempt("behind a made-up place", eve, "GET /gallery?after={before}", 200, not_there=LISTS),
    Attempt("one's own behind a made-up place", eve, "GET /gallery?mine=1&after={within}", 200, not_there=LISTS),
    Attempt("behind what is no place", passer_by, "GET /gallery?after={surrogate}", 200, not_there=LISTS),
    *each("by its words", ALL, "GET /gallery?q=quagga", 200, says="an open", not_there=LISTS),
    Attempt("by words and a place", eve, "GET /gallery?q=quagga&after=0", 200, not_there=LISTS),
    Attempt("by operators", eve, "GET /gallery?q=quagga%22%20OR%20tags%20:%20%22=o", 200, not_there=LISTS),
    Attempt("by her identity", eve, "GET /gallery?q=discord:1", 200, not_there=LISTS),
    Attempt("another's jobs", eve, "GET /jobs", 200, not_there=LISTS),
    Attempt("a passer-by's jobs", passer_by, "GET /jobs", 303),
    # Files
    *each("a private file", ALL, f"GET {FILE}", 404),
    *each("to save it", ALL, f"GET {FILE}?save=1", 404),
    Attempt("whether it is there", eve, f"HEAD {FILE}", 404),
    Attempt("through an object that is public", eve, "GET /files/{public}/{sha}/made.glb", 404),
    Attempt("through one's own object", eve, "GET /files/{eves}/{sha}/made.glb", 404),
    Attempt("a file that was public once", eve, "GET /files/{once}/{once_sha}/made.glb", 404),
    Attempt("an upload of a public object", eve, "GET /files/{public}/{upload}/pictures.zip", 404),
    Attempt("under another name", eve, "GET /files/{public}/{open_sha}/pictures.zip", 404),
    Attempt("a path", eve, "GET /files/{public}/{open_sha}/..%2F..%2F{sha}", 404),
    Attempt("the store itself", eve, "GET /static/..%2F..%2Fhistory.db", 404),
    # Jobs
    *each("a job that waits", SIGNED_IN, "GET /jobs/{running}", 404),
    Attempt("a job that waits", passer_by, "GET /jobs/{running}", 303),
    *each("a job that ended", SIGNED_IN, "GET /jobs/{ended}", 404),
    *each("an old job", SIGNED_IN, "GET /jobs/{kept}", 404),
    Attempt("a public object's job", eve, "GET /jobs/{public}", 404),
    *each("news of it", SIGNED_IN, "GET /jobs/news?job={running}", 404),
    Attempt("news of it beside one's own", eve, "GET /jobs/news?job={eves}&job={running}", 404),
    Attempt("news of it", passer_by, "GET /jobs/news?job={running}", 303),
    Attempt("its picture", eve, "GET /jobs/{running}/picture/{sha}?size=17&type=image/png", 404),
    Attempt("the form that cancels it", eve, "GET /jobs/{running}/cancel", 404),
    *each("to cancel it", SIGNED_IN, "POST /jobs/{running}/cancel", 404),
    Attempt("to cancel it", passer_by, "POST /jobs/{running}/cancel", 303),
    # An upload by its hash
    Attempt("an upload by its hash", eve, "POST /create/press", 422, {"text": "mine", "pictures": "{upload}"}),
    Attempt("by its hash, at the door", EVES_KEY, "POST /api/v1/jobs", 422,
            {"kind": "press", "params": {"pictures": "{upload}"}}),
    Attempt("as the store names it", EVES_KEY, "POST /api/v1/jobs", 422,
            {"kind": "press", "params": {"pictures": {"name": "pictures.zip", "sha256": "{upload}", "size": 20,
                                                      "media_type": "application/zip"}}}),
    # Admins
    *each("the queue", (eve,), "GET /admin", 403),
    Attempt("the queue", passer_by, "GET /admin", 303),
    Attempt("to pause a lane", eve, "POST /admin/pause", 403, {"target": "short"}),
    Attempt("to drain a worker", eve, "POST /admin/drain", 403, {"target": "w1"}),
    Attempt("to hide an object", eve, "POST /admin/reports/hide", 403, {"target": "{public}"}),
    Attempt("to hide an object", passer_by, "POST /admin/reports/hide", 303, {"target": "{public}"}),
    Attempt("the admins' page, as an admin", boss, "GET /admin", 200, not_there=LISTS),
    # Cookies and forms
    *[Attempt("with a cookie that is none", who, "GET /objects/{kept}", 404) for who in COOKIES],
    *[Attempt("with a cookie that is none", who, "GET /account", 303) for who in COOKIES],
    Attempt("with another's form token", forger, "POST /objects/{eves}/unpublish", 403),
    *[Attempt("a form from elsewhere", who, "POST /objects/{kept}/publish", 403) for who in (other_site, no_token)],
    *[Attempt("to cancel from elsewhere", who, "POST /jobs/{running}/cancel", 403) for who in (other_site, no_token)],
    Attempt("to sign her out from elsewhere", other_site, "POST /sign-out/everywhere", 403),
    # The door
    *[Attempt("a job that waits", who, f"GET /api/v1/jobs/{{running}}{path}", 404)
      for who in (*KEYS, BOSS_ADMIN) for path in ("", "/wait?timeout=0", "/events", "/artifacts")],
    *[Attempt("a job that ended", who, "GET /api/v1/jobs/{ended}", 404) for who in KEYS],
    *[Attempt("an old job", who, f"GET /api/v1/jobs/{{kept}}{path}", 404)
      for who in (*KEYS, BOSS_ADMIN) for path in ("", "/wait", "/events", "/artifacts", "/artifacts/made.glb")],
    *[Attempt("to cancel it", who, "DELETE /api/v1/jobs/{running}", 404) for who in (EVES_KEY, EVES_ADMIN, BOSS_KEY)],
    Attempt("to cancel it", EVES_KEY, "POST /api/v1/jobs/{running}/cancel", 404),
    Attempt("another's list", EVES_KEY, "GET /api/v1/jobs", 200, says="press", not_there=(*LISTS, "public")),
    Attempt("another's list, further on", EVES_KEY, "GET /api/v1/jobs?after=h.zzzz.{within}", 200, not_there=LISTS),
    Attempt("another's list, as an admin", BOSS_ADMIN, "GET /api/v1/jobs", 200, not_there=LISTS),
    Attempt("workers", EVES_ADMIN, "GET /api/v1/queue", 200, says='"queue":null'),
    *[Attempt("with a key that is none", who, "GET /api/v1/jobs/{running}", 401) for who in REFUSED],
    Attempt("without any", passer_by, "GET /api/v1/jobs/{running}", 401),
    Attempt("without any", passer_by, "POST /api/v1/jobs", 401, {"kind": "echo", "params": {"text": "a"}}),
    Attempt("to read with a key that only asks", SUBMIT_ONLY, "GET /api/v1/jobs/{running}", 403),
    Attempt("to cancel with a key that only reads", EVES_READ, "DELETE /api/v1/jobs/{running}", 403),
    Attempt("to read files with a key that only cancels", CANCEL_ONLY,
            "GET /api/v1/jobs/{kept}/artifacts/made.glb", 403),
    Attempt("to ask with a key that only reads", EVES_READ, "POST /api/v1/jobs", 403, {"kind": "echo"}),
]  # fmt: skip


async def tried(house: House, attempt: Attempt, carried: Mapping[str, str]) -> httpx.Response:
    method, _, way = attempt.way.partition(" ")
    headers = {"Accept": "text/html", "Origin": BASE, **carried}
    sends = json.loads(_filled(json.dumps(dict(attempt.sends)), house))
    body: dict[str, Any] = {} if not sends else {"json" if "/api/" in way else "data": sends}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(house.app), base_url=BASE) as client:
        return await client.request(method, _filled(way, house), headers=headers, **body)


def _filled(text: str, house: House) -> str:
    for name, value in house.names.items():
        text = text.replace(f"{{{name}}}", value)
    return text


@pytest.mark.parametrize("attempt", ATTEMPTS, ids=lambda each: f"{each.what}, {each.who.__name__}: {each.way}")
async def test_nothing_of_anothers_is_reached(house: House, attempt: Attempt) -> None:
    """No word, no byte, no id that they did not bring; and all stays as it was."""
    carried = await attempt.who(house)
    before = await house.all_there_is()
    said = await tried(house, attempt, carried)
    assert said.status_code == attempt.gets, said.text
    assert await house.all_there_is() == before
    assert WORD.encode() not in said.content
    assert WORD not in str(said.headers)
    assert attempt.says in said.text
    if said.status_code == 303:
        assert said.headers["location"] == "/sign-in"
    for name in attempt.not_there:
        assert house.names[name] not in said.text, name


WAYS = [
    ("GET /objects/{kept}", "zebra quagga"), ("GET /objects/{once}", "zebra"), ("GET /objects/{shut}", "zebra"),
    ("GET /objects/{upper}", "zebra quagga"), ("GET /objects/%20{kept}%20", "zebra quagga"),
    ("GET /objects/{kept}/similar", ""), ("GET /objects/{eves}/similar", "zebra"),
    ("GET /gallery?mine=1", "zebra"), ("GET /gallery?q=quagga", "zebra"), ("GET /jobs", "{running}"),
    (f"GET {FILE}", "glTF zebra quagga"), ("GET /files/{once}/{once_sha}/made.glb", "zebra"),
    ("GET /jobs/{running}", "{running}"), ("GET /jobs/{ended}", "zebra said"), ("GET /jobs/{kept}", "made.glb"),
    ("GET /jobs/{running}/cancel", "{running}"), ("GET /account", "discord"),
]  # fmt: skip
AT_THE_DOOR = [
    ("GET /api/v1/jobs", "{ended}"), ("GET /api/v1/jobs/{running}", "waiting"),
    ("GET /api/v1/jobs/{ended}", "zebra said"), ("GET /api/v1/jobs/{kept}/wait", "made.glb"),
    ("GET /api/v1/jobs/{kept}/events", "event: end"), ("GET /api/v1/jobs/{kept}/artifacts", "made.glb"),
    ("GET /api/v1/jobs/{kept}/artifacts/made.glb", "glTF zebra"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("who", "way", "says"), [(ada, *each) for each in WAYS] + [(ADAS_KEY, *each) for each in AT_THE_DOOR]
)
async def test_whose_it_is_gets_it_by_the_same_ways(house: House, who: Who, way: str, says: str) -> None:
    """So no row of the table fails for another reason than whose it is."""
    said = await tried(house, Attempt("one's own", who, way, 200), await who(house))
    assert said.status_code == 200, said.text
    assert _filled(says, house) in said.text


async def test_a_file_of_the_door_is_never_a_page_of_ours(house: House) -> None:
    """The policy of pages does not take the place of the narrower one."""
    way = "GET /api/v1/jobs/{kept}/artifacts/made.glb"
    said = await tried(house, Attempt("one's own", ADAS_KEY, way, 200), await ADAS_KEY(house))
    assert said.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert said.headers["referrer-policy"] == "no-referrer"
    assert said.headers["content-disposition"].startswith("attachment")


async def test_an_address_does_not_say_who_is_to_see_it(house: House) -> None:
    """A link may fill in what is asked for, and never tick that it is published."""
    way = "GET /create/echo?text=hello&publish=yes&private=yes"
    page = (await tried(house, Attempt("one's own", ada, way, 200), await ada(house))).text
    assert "hello</textarea>" in page
    assert "checked" not in page


# Links: each is made for its attempt.

Change = Callable[[House, str], Awaitable[str]]


async def used(house: House, secret: str) -> str:
    assert await house.site.sign_ins.take(secret)
    return secret


async def expired(house: House, secret: str) -> str:
    [name] = [name async for name in house.front.redis.scan_iter(f"{keys.SIGN_IN}*")]
    await house.front.redis.delete(name)
    return secret


async def altered(house: House, secret: str) -> str:
    return secret[:-1] + ("A" if secret[-1] != "A" else "B")


async def cut(house: House, secret: str) -> str:
    return secret[:-1]


async def hashed(house: House, secret: str) -> str:
    """As Redis keeps it."""
    [name] = [name async for name in house.front.redis.scan_iter(f"{keys.SIGN_IN}*")]
    return str(name.decode().rpartition(":")[2])


@pytest.mark.parametrize("change", [used, expired, altered, cut, hashed])
async def test_a_sign_in_link_that_is_none_signs_nobody_in(house: House, change: Change) -> None:
    """Opened or sent as a form, by a browser with a form of its own: 410, and no session."""
    browser = Browser(house.app)
    good = await SignIns(house.front.redis).give(EVE)
    await browser.get(f"/sign-in/{good}")
    await house.site.sign_ins.take(good)
    secret = await change(house, await SignIns(house.front.redis).give(ADA))
    assert (await browser.get(f"/sign-in/{secret}")).status_code == 410
    assert (await browser.post(f"/sign-in/{secret}")).status_code == 410
    assert (await browser.get("/account")).headers["location"] == "/sign-in"
    async for name in house.front.redis.scan_iter(f"{keys.SIGN_IN}*"):
        await house.front.redis.delete(name)


async def test_a_sign_in_link_is_not_taken_by_another_sites_form(house: House) -> None:
    """Nobody is signed in as Eve by a page of hers, to ask for what she then reads."""
    secret = await SignIns(house.front.redis).give(EVE)
    browser = Browser(house.app)
    await browser.get(f"/sign-in/{secret}")
    token = browser.token
    assert (await browser.post(f"/sign-in/{secret}", headers={"Origin": "https://evil.example"})).status_code == 403
    assert (await Browser(house.app).post(f"/sign-in/{secret}", token=token)).status_code == 403
    assert await house.site.sign_ins.take(secret)


LINKS: list[tuple[str, Callable[[str, Mapping[str, str]], str], int]] = [
    ("as it was given", lambda link, names: link, 200),
    ("of another file", lambda link, names: link.replace(names["sha"], names["once_sha"]), 404),
    ("of an upload", lambda link, names: link.replace(names["sha"], names["upload"]), 404),
    ("of another job", lambda link, names: link.replace(names["kept"], names["public"]), 404),
    ("under another name", lambda link, names: link.replace("made.glb", "page.html"), 404),
    ("as a page", lambda link, names: link.replace("model%2Fgltf-binary", "text%2Fhtml"), 404),
    ("for longer", lambda link, names: link.replace("until=18", "until=19"), 404),
    ("without a signature", lambda link, names: link.partition("&signature")[0], 404),
    ("with another signature", lambda link, names: link[:-1] + ("0" if link[-1] != "0" else "1"), 404),
    ("without anything", lambda link, names: link.partition("?")[0], 404),
]


@asynccontextmanager
async def file_server(house: House, now: list[float]) -> AsyncIterator[tuple[str, Links, Artifact]]:
    links = Links("https://files.example", KEY, lambda: now[0])
    path = house.store.put(b"glTF zebra quagga", name="made.glb", media_type=GLB)
    async with served("127.0.0.1:0", links, house.store) as at:
        yield at, links, path


@pytest.mark.parametrize(("what", "change", "gets"), LINKS, ids=[what for what, _, _ in LINKS])
async def test_a_file_link_is_good_for_what_it_says(
    house: House, what: str, change: Callable[[str, Mapping[str, str]], str], gets: int
) -> None:
    """And for nothing else; whatever is changed in it."""
    async with file_server(house, [1_800_000_000.0]) as (at, links, file), httpx.AsyncClient() as client:
        link = links.address(house.names["kept"], file, 60).replace("https://files.example", at)
        changed = change(link, house.names)
        assert (changed == link) is (gets == 200)
        said = await client.get(changed)
    assert said.status_code == gets
    assert (WORD in said.text) is (gets == 200)


async def test_a_file_link_that_has_ended_gives_nothing(house: House) -> None:
    now = [1_800_000_000.0]
    async with file_server(house, now) as (at, links, file), httpx.AsyncClient() as client:
        link = links.address(house.names["kept"], file, 60).replace("https://files.example", at)
        now[0] += 61
        said = await client.get(link)
    assert said.status_code == 410
    assert WORD not in said.text


async def test_a_link_of_another_desks_key_gives_nothing(house: House) -> None:
    async with file_server(house, [1_800_000_000.0]) as (at, _, file), httpx.AsyncClient() as client:
        forged = Links("https://files.example", b"e" * 32, lambda: 1_800_000_000.0)
        said = await client.get(forged.address(house.names["kept"], file, 60).replace("https://files.example", at))
    assert said.status_code == 404
