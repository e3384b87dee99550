"""What the next page says in a toast: kept in the browser between an act and the page that follows it."""

from __future__ import annotations

import base64
import binascii

from starlette.requests import Request

from frontdesk.gallery.cookies import SAID, Jar
from frontdesk.gallery.visitors import set_cookie

LASTS = 60  # seconds
LONGEST = 600  # characters


def say_next(jar: Jar, request: Request, text: str) -> None:
    """Have the next page say this."""
    set_cookie(request, jar.header(SAID, base64.urlsafe_b64encode(text[:LONGEST].encode()).decode(), LASTS))


def said_before(jar: Jar, request: Request) -> str:
    """What this page is to say, which no later one says again; "" for nothing."""
    value = jar.value(SAID, request.cookies)
    if value is None:
        return ""
    set_cookie(request, jar.header(SAID, "", 0))
    try:
        return base64.urlsafe_b64decode(value).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""
