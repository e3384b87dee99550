"""The gallery: what was made, newest first, by kind, one's own, and found by what it is about."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from functools import partial
from urllib.parse import urlencode

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from frontdesk.gallery.cards import Cards
from frontdesk.gallery.visitors import visitor_of
from frontdesk.gallery.website import Site, is_htmx

PAGE = 24
LONGEST = 300  # characters of a search
BY_ITSELF = 3  # pages that follow as one scrolls; the rest is asked for, so that the end of the page can be reached
GALLERY = "/gallery"
NAMES = {"cards": "gallery_cards.html", "results": "gallery_results.html"}


@dataclass(frozen=True, slots=True)
class Looked:
    """What is looked for. `address` names it, and `more` the page after one that ended at `after`.

    `turn`: how many pages came before it.
    """

    q: str = ""
    kind: str = ""
    mine: bool = False
    after: str = ""
    turn: int = 0

    @property
    def address(self) -> str:
        pairs = {"q": self.q, "kind": self.kind, "mine": "1" if self.mine else "", "after": self.after,
                 "turn": str(self.turn or "")}  # fmt: skip
        given = {name: value for name, value in pairs.items() if value}
        return f"{GALLERY}?{urlencode(given)}" if given else GALLERY

    def more(self, after: str) -> str:
        return replace(self, after=after, turn=self.turn + 1).address

    @property
    def goes_on(self) -> bool:
        """Whether the next page comes by itself as one scrolls."""
        return self.turn < BY_ITSELF

    @property
    def narrowed(self) -> bool:
        return bool(self.q or self.kind)


def looked_for(request: Request, kinds: frozenset[str]) -> Looked:
    """What an address asks for; what it cannot mean is left out."""
    given = request.query_params
    kind, turn = given.get("kind", ""), given.get("turn", "")
    return Looked(
        " ".join(given.get("q", "")[:LONGEST].split()),
        kind if kind in kinds else "",
        given.get("mine", "") == "1",
        given.get("after", "")[:LONGEST],
        int(turn) if turn.isascii() and turn.isdigit() and len(turn) < 5 else 0,
    )


class GalleryPages:
    def __init__(self, site: Site, cards: Cards) -> None:
        self._site = site
        self._cards = cards
        self._kinds = frozenset(site.front.kinds)

    async def home(self, request: Request) -> Response:
        return RedirectResponse(GALLERY, 307)

    async def look(self, request: Request) -> Response:
        """A page of cards. To htmx: the results alone, or, with `after`, the cards that follow."""
        looked, visitor = looked_for(request, self._kinds), visitor_of(request)
        if looked.mine:
            visitor.must_be_known()
        showcase, after = self._site.front.desk.showcase, looked.after or None
        wanted = (
            partial(showcase.search, visitor.person, looked.q) if looked.q else partial(showcase.page, visitor.person)
        )
        page = await wanted(kind=looked.kind, mine=looked.mine, limit=PAGE, after=after)
        viewer = await showcase.viewer(visitor.person)
        context = {
            "looked": looked,
            "kinds": sorted(self._kinds),
            "cards": await asyncio.to_thread(self._cards.of, page.entries, viewer),
            "more": looked.more(page.after) if page.after else "",
        }
        part = NAMES.get(request.headers.get("HX-Target", "")) if is_htmx(request) else None
        response = self._site.page(request, part or "gallery.html", context)
        response.headers["Vary"] = "HX-Request, HX-Target"
        if part == NAMES["results"]:
            response.headers["HX-Replace-Url"] = looked.address
        return response


def router(site: Site) -> APIRouter:
    pages, made = GalleryPages(site, Cards(site.front.kinds, site.front.store)), APIRouter()
    made.add_api_route("/", pages.home, methods=["GET"])
    made.add_api_route(GALLERY, pages.look, methods=["GET"])
    return made
