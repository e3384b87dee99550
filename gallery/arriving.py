"""Who a request is from, and whether a form is one of ours: looked at before any page's own work."""

from __future__ import annotations

import secrets

from starlette.exceptions import HTTPException
from starlette.requests import Request

from frontdesk.bots.people import Person
from frontdesk.gallery.cookies import SESSION, VISIT
from frontdesk.gallery.guarding import SAFE
from frontdesk.gallery.visitors import NotSignedInError, Visitor, alone, remember, set_cookie, visitor_of
from frontdesk.gallery.website import Site
from frontdesk.history.entries import Viewer
from frontdesk.queue.connection import LOST
from frontdesk.queue.errors import DeskClosedError
from frontdesk.queue.kinds import MAX_FILES, MAX_PARAMETERS
from frontdesk.queue.sessions import KEEPS, Session

SIGN_IN = "/sign-in"
FIELDS = MAX_PARAMETERS + 12
FIELD = 256 * 1024  # bytes of one field that is no file
VISIT_LASTS = 3600  # seconds


class Reception:
    """Two dependencies of every page: `arrive`, and `check_form` behind it."""

    def __init__(self, site: Site) -> None:
        self._site = site

    async def arrive(self, request: Request) -> None:
        """Find out who it is. Where Redis is away they are nobody for now, and public pages stay readable."""
        jar = self._site.jar
        visitor, unknown = None, False
        if secret := jar.value(SESSION, request.cookies):
            try:
                if session := await self._site.sessions.of(secret):
                    visitor = await self.visitor(session)
            except (*LOST, DeskClosedError):
                unknown = True
        if visitor is None:
            remember(request, Visitor(secret=jar.value(VISIT, request.cookies) or "", unknown=unknown))
            return
        remember(request, visitor)
        if visitor.session and visitor.session.renewed:
            set_cookie(request, jar.header(SESSION, visitor.secret, KEEPS))

    async def visitor(self, session: Session) -> Visitor:
        """Raises DeskClosedError."""
        desk = self._site.front.desk
        person = await desk.known(Person(alone(session.requester)))
        admin = desk.is_admin(person)
        return Visitor(session, person, admin, session.secret, viewer=Viewer(person.identities, admin))

    async def check_form(self, request: Request) -> None:
        """Let what changes something through only with a token of this very browser. Raises HTTPException (403)."""
        if request.method in SAFE:
            return
        visitor = visitor_of(request)
        if visitor.session is None and not request.url.path.startswith(f"{SIGN_IN}/"):
            visitor.must_be_known()  # before its body is read
            raise NotSignedInError
        token = request.headers.get("X-CSRF-Token")
        if token is None:
            form = await request.form(max_files=MAX_FILES, max_fields=FIELDS, max_part_size=FIELD)
            given = form.get("csrf")
            token = given if isinstance(given, str) else ""
        if not visitor.secret or not self._site.signer.is_form_token(visitor.secret, token):
            raise HTTPException(403)


def begin_visit(site: Site, request: Request) -> None:
    """Give a passer-by a secret for a form, where they have none."""
    if not visitor_of(request).secret:
        secret = secrets.token_urlsafe(32)
        remember(request, Visitor(secret=secret))
        set_cookie(request, site.jar.header(VISIT, secret, VISIT_LASTS))
