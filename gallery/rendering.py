"""Templates: every value is escaped, and nothing that is undefined is passed over."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from starlette.requests import Request

from frontdesk.bots.file_replies import size
from frontdesk.bots.replies import duration
from frontdesk.gallery.cookies import Signer
from frontdesk.gallery.static_files import StaticFiles
from frontdesk.gallery.visitors import visitor_of

FOLDER = Path(__file__).parent / "templates"
NAME = "Frontdesk"


class Rendering:
    """Makes pages of templates. Each template has:

    site_name; static_url(name) for a file under static/; visitor (`visitor.person`, `.admin`); viewer; csrf_token for a
    form's hidden field `csrf` or the header X-CSRF-Token; nonce for a script or style in the page; current: the path;
    and the filters `duration` (seconds in words), `moment` (Unix seconds as a <time> element's datetime),
    `clock` (the same for people),     `size` (bytes in words), `sort_of` (the class of a block or span).
    """

    def __init__(self, signer: Signer, static: StaticFiles, folder: Path = FOLDER) -> None:
        self._signer = signer
        self.environment = Environment(
            loader=FileSystemLoader(folder),
            autoescape=select_autoescape(default=True, default_for_string=True),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self.environment.globals.update(site_name=NAME, static_url=static.url, has_static=static.__contains__)
        self.environment.filters.update(duration=duration, moment=moment, clock=clock, size=size, sort_of=sort_of)

    def text(self, request: Request, template: str, context: Mapping[str, Any]) -> str:
        visitor = visitor_of(request)
        own = {
            "visitor": visitor,
            "viewer": visitor.viewer,
            "csrf_token": self._signer.form_token(visitor.secret) if visitor.secret else "",
            "nonce": getattr(request.state, "nonce", ""),
            "current": request.url.path,
        }
        return self.environment.get_template(template).render({**own, **context})


def moment(seconds: float) -> str:
    """Unix seconds as ISO 8601 in UTC: "2026-01-02T03:04:05Z"."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def clock(seconds: float) -> str:
    """Unix seconds as "2026-01-02 03:04 UTC"."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")


def sort_of(part: object) -> str:
    """ "Quote": what a template asks of a block or a span."""
    return type(part).__name__
