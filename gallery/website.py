"""What the page's parts work with: one object, made once, that each router is given."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from frontdesk.bots.main import Premises
from frontdesk.gallery.cookies import Jar, Signer
from frontdesk.gallery.live import Live
from frontdesk.gallery.rendering import Rendering
from frontdesk.gallery.saying import said_before
from frontdesk.gallery.visitors import Visitor, visitor_of
from frontdesk.queue.sessions import Sessions
from frontdesk.queue.sign_in import SignIns


@dataclass(frozen=True)
class Site:
    """base: the public address, "https://desk.example.org". hosts: what may stand in a request's Host header.

    live: news of jobs. What was made is looked at through `front.desk.showcase`.
    closing: set when the process is told to stop: open streams end then.
    """

    front: Premises
    base: str
    hosts: frozenset[str]
    rendering: Rendering
    signer: Signer
    jar: Jar
    sessions: Sessions
    sign_ins: SignIns
    live: Live
    closing: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def secure(self) -> bool:
        return self.base.startswith("https://")

    def visitor(self, request: Request) -> Visitor:
        """Who asks; a passer-by is nobody in particular."""
        return visitor_of(request)

    def page(
        self, request: Request, template: str, context: Mapping[str, Any] | None = None, *, status: int = 200
    ) -> HTMLResponse:
        """A whole page, or a part of one for htmx. Beside `context` a template has what `Rendering` says, and `said`:
        what it is to tell of the act before it, if anything."""
        said = "" if template.startswith("_") else said_before(self.jar, request)
        return HTMLResponse(self.rendering.text(request, template, {"said": said, **(context or {})}), status)


def is_htmx(request: Request) -> bool:
    """Whether a page's script asks for a part of a page, and not a browser for a whole one."""
    return request.headers.get("HX-Request") == "true"


def see_other(request: Request, path: str) -> Response:
    """Go on there with a GET."""
    if is_htmx(request):
        return Response(status_code=204, headers={"HX-Redirect": path})
    return Response(status_code=303, headers={"Location": path})
