"""Puts the web page together: what it needs goes in, an ASGI application comes out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

from fastapi import APIRouter, Depends, FastAPI
from starlette.responses import HTMLResponse

from frontdesk.bots.main import Premises
from frontdesk.gallery import (
    errors,
    pages_admin,
    pages_board,
    pages_create,
    pages_files,
    pages_gallery,
    pages_jobs,
    pages_object,
    pages_sign_in,
)
from frontdesk.gallery.api import api
from frontdesk.gallery.api_asking import most_bytes
from frontdesk.gallery.api_door import ROOT, Door
from frontdesk.gallery.arriving import Reception
from frontdesk.gallery.cookies import Jar, Signer
from frontdesk.gallery.guarding import BODY, Guard, Room
from frontdesk.gallery.live import Live
from frontdesk.gallery.rendering import Rendering
from frontdesk.gallery.static_files import StaticFiles
from frontdesk.gallery.website import Site
from frontdesk.queue.sessions import Sessions
from frontdesk.queue.sign_in import SignIns

Router = Callable[[Site], APIRouter]

PAGES: Sequence[Router] = (
    pages_sign_in.router,
    pages_create.router,
    pages_jobs.router,
    pages_gallery.router,
    pages_object.router,
    pages_files.router,
    pages_board.router,
    pages_admin.router,
)
"""Each is served with a visitor looked up, and with its forms checked."""

LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]"})


def create_app(front: Premises, *, base: str, key: bytes, live: Live, door: Door | None = None) -> FastAPI:
    """The page of a desk. base: its public address, without a slash at the end; key: signs cookies and forms.
    live: runs beside it. door: where programs come in, if they may.

    `app.state.site` is the Site; its `closing` ends open streams.
    """
    static, signer = StaticFiles(), Signer(key)
    site = Site(
        front=front,
        base=base,
        hosts=hosts_of(base),
        rendering=Rendering(signer, static),
        signer=signer,
        jar=Jar(signer, secure=base.startswith("https://")),
        sessions=Sessions(front.redis),
        sign_ins=SignIns(front.redis),
        live=live,
    )
    app = FastAPI(title="Frontdesk", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.site = site
    errors.install(app, site)
    reception = Reception(site)
    for made in PAGES:
        app.include_router(
            made(site),
            dependencies=[Depends(reception.arrive), Depends(reception.check_form)],
            default_response_class=HTMLResponse,
            include_in_schema=False,
        )
    app.router.routes.append(static.route())
    if door is not None:
        app.mount(ROOT, api(door))
    app.add_middleware(Guard, site=site, room=room_of(front))
    return app


def hosts_of(base: str) -> frozenset[str]:
    """What a Host header may say, in small letters: the public address; of this very machine, by each of its names."""
    parts = urlsplit(base)
    host = parts.netloc.lower().rpartition("@")[2]
    name, colon, port = host.rpartition(":") if not host.endswith("]") and ":" in host else (host, "", "")
    return frozenset(f"{each}{colon}{port}" for each in (LOOPBACK if name in LOOPBACK else {name}))


def room_of(front: Premises) -> Room:
    """Bytes that a request may have: a kind's form brings its files along."""
    rooms = {f"/create/{kind.name}": BODY + kind.upload_bytes for kind in front.kinds.values()}
    at_the_door = most_bytes(front.kinds)
    return lambda path: at_the_door if path.startswith(ROOT) else rooms.get(path, BODY)
