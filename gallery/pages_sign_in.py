"""Signing in with a link from a bot, and signing out."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from frontdesk.bots.intake import queue_open
from frontdesk.gallery.arriving import SIGN_IN, begin_visit
from frontdesk.gallery.cookies import SESSION, VISIT
from frontdesk.gallery.visitors import set_cookie, visitor_of
from frontdesk.gallery.website import Site, see_other
from frontdesk.queue.sessions import KEEPS

FIRST_PAGE = "/create"


class SignInPages:
    def __init__(self, site: Site) -> None:
        self._site = site

    async def explain(self, request: Request) -> Response:
        """How one signs in; who already is, goes on."""
        if visitor_of(request).person:
            return see_other(request, FIRST_PAGE)
        return self._site.page(request, "sign_in.html")

    async def ask(self, request: Request, secret: str) -> Response:
        """Opening a link changes nothing, since programs that show previews of links open it as well."""
        async with queue_open():
            requester = await self._site.sign_ins.look(secret)
        if requester is None:
            return self._site.page(request, "sign_in_ended.html", status=410)
        begin_visit(self._site, request)
        return self._site.page(request, "sign_in_confirm.html", {"requester": requester, "secret": secret})

    async def sign_in(self, request: Request, secret: str) -> Response:
        """Take the link, and give this browser a session that was never anybody's."""
        async with queue_open():
            requester = await self._site.sign_ins.take(secret)
            if requester is None:
                return self._site.page(request, "sign_in_ended.html", status=410)
            if (before := visitor_of(request).session) is not None:
                await self._site.sessions.end(before)
            session = await self._site.sessions.begin(requester, self._site.front.desk.clock())
        set_cookie(request, self._site.jar.header(SESSION, session.secret, KEEPS))
        set_cookie(request, self._site.jar.header(VISIT, "", 0))
        return see_other(request, FIRST_PAGE)

    async def account(self, request: Request) -> Response:
        visitor_of(request).must_be_known()
        return self._site.page(request, "account.html")

    async def sign_out(self, request: Request) -> Response:
        if (session := visitor_of(request).session) is not None:
            async with queue_open():
                await self._site.sessions.end(session)
        return self._left(request)

    async def sign_out_everywhere(self, request: Request) -> Response:
        """End the sessions of this person on all browsers."""
        if (person := visitor_of(request).person) is not None:
            async with queue_open():
                for identity in sorted(person.identities):  # a browser is signed in as the one that asked for its link
                    await self._site.sessions.end_all(identity)
        return self._left(request)

    def _left(self, request: Request) -> Response:
        set_cookie(request, self._site.jar.header(SESSION, "", 0))
        return see_other(request, SIGN_IN)


def router(site: Site) -> APIRouter:
    pages, made = SignInPages(site), APIRouter()
    made.add_api_route(SIGN_IN, pages.explain, methods=["GET"])
    made.add_api_route(f"{SIGN_IN}/{{secret}}", pages.ask, methods=["GET"])
    made.add_api_route(f"{SIGN_IN}/{{secret}}", pages.sign_in, methods=["POST"])
    made.add_api_route("/account", pages.account, methods=["GET"])
    made.add_api_route("/sign-out", pages.sign_out, methods=["POST"])
    made.add_api_route("/sign-out/everywhere", pages.sign_out_everywhere, methods=["POST"])
    return made
