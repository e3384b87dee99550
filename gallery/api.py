"""The HTTP door, `/api/v1`: the desk for programs.

An application of its own, mounted into the page's: its errors are problem details and never pages, and no cookie opens
it.
"""

from __future__ import annotations

import html
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.responses import HTMLResponse

from frontdesk.bots.main import Premises
from frontdesk.gallery import api_files, api_jobs, api_kinds
from frontdesk.gallery.api_door import ROOT, Door
from frontdesk.gallery.api_problems import RESPONSES, TITLES, Problem, install
from frontdesk.gallery.live import Live
from frontdesk.gallery.webhook_sending import Sender
from frontdesk.gallery.webhooks import Webhooks
from frontdesk.history.api_keys import ApiKeys
from frontdesk.history.database import Database
from frontdesk.history.history import History

SAID = """Jobs for the desk, from programs: the same queue and limits as in the chats. A key comes from `/apikey` there,
and goes into `Authorization: Bearer`. Errors are problem details (RFC 9457)."""


def door_of(front: Premises, database: Database, live: Live) -> Door:
    """The door of a desk, with its history; `Webhooks.run` is to run beside it."""
    sender = Sender(private=front.settings.webhook_private)
    hooks = Webhooks(database, front.broker, sender, clock=front.desk.clock)
    history = History(database, front.desk.clock)
    return Door(front, live, ApiKeys(database, front.desk.clock), hooks, history)


def api(door: Door) -> FastAPI:
    """To be mounted at ROOT; `Live.run` and `Webhooks.run` run beside it."""
    made = FastAPI(
        title="Frontdesk", version="1", description=SAID, docs_url=None, redoc_url=None, openapi_url=None,
        redirect_slashes=False,
    )  # fmt: skip
    for part in (api_jobs, api_files, api_kinds):
        made.include_router(part.router(door), responses=RESPONSES)
    install(made)
    schema = described(made)

    @made.get("/openapi.json", include_in_schema=False)
    async def openapi() -> dict[str, Any]:
        return schema

    @made.get("/docs", include_in_schema=False)
    async def docs() -> HTMLResponse:
        return HTMLResponse(page(schema), headers={"Content-Security-Policy": "default-src 'none'; style-src 'self'"})

    return made


def described(made: FastAPI) -> dict[str, Any]:
    """The OpenAPI description (3.1)."""
    schema = get_openapi(
        title=made.title, version=made.version, description=made.description, routes=made.routes,
        servers=[{"url": ROOT}],
    )  # fmt: skip
    components = schema.setdefault("components", {}).setdefault("schemas", {})
    problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    components |= problem.pop("$defs", {}) | {"Problem": problem}
    return schema


def page(schema: dict[str, Any]) -> str:
    """The same for people, as plain HTML."""
    rows = []
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            said = html.escape(operation.get("description", ""))
            rows.append(f"<dt><code>{method.upper()} {ROOT}{html.escape(path)}</code></dt><dd>{said}</dd>")
    problems = [
        f'<dt id="{name}"><code>{status}</code></dt><dd>{title}</dd>' for name, (status, title) in TITLES.items()
    ]
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>Frontdesk: the HTTP door</title><main><h1>The HTTP door</h1><p>{html.escape(SAID)}</p>"
        f'<p>The whole of it as OpenAPI: <a href="{ROOT}/openapi.json">openapi.json</a>.</p>'
        f"<h2>What can be done</h2><dl>{''.join(rows)}</dl><h2>Problems</h2><dl>{''.join(problems)}</dl></main></html>"
    )
