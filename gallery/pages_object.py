"""One object: what it looks like, its files, its receipt, what is like it, and what its owner and others can do."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from frontdesk.bots.file_replies import size
from frontdesk.bots.intake import Request as Asked
from frontdesk.gallery.cards import STILLS, Card, Cards, Picture, address
from frontdesk.gallery.kind_forms import update_of
from frontdesk.gallery.visitors import visitor_of
from frontdesk.gallery.website import Site, is_htmx, see_other
from frontdesk.history.entries import Entry
from frontdesk.history.receipts import receipt
from frontdesk.queue.errors import HistoryClosedError, NoSuchJobError, NoSuchObjectError
from frontdesk.queue.jobs import ReplyAddress
from frontdesk.queue.kinds import result_of

SIMILAR = 8
GLB = "model/gltf-binary"
EASY = 12_000_000  # bytes of a model that a phone shows without trouble: of larger ones a smaller version is shown
COPIED = {"Job", "Seed", "Revision", "prompt", "text"}
DONE = {
    "published": "Published: everybody sees it now.",
    "unpublished": "No longer published: it is yours alone again.",
    "reported": "Reported. The admins of this desk will look at it. Thank you.",
}


@dataclass(frozen=True, slots=True)
class Download:
    """One line of the menu. `note`: what was done for a smaller version."""

    name: str
    format: str
    size: str
    address: str
    note: str


@dataclass(frozen=True, slots=True)
class Looks:
    """What is seen of an object: a model to turn, a picture, or words. `others`: its other pictures.

    `sentence` and `figures`: what its kind says of the result.
    """

    model: str
    picture: Picture | None
    others: tuple[tuple[str, Picture], ...]
    text: str
    sentence: str
    figures: Sequence[tuple[str, str]]


class ObjectPages:
    def __init__(self, site: Site, cards: Cards) -> None:
        self._site = site
        self._showcase = site.front.desk.showcase
        self._cards = cards

    async def show(self, request: Request, job: str) -> Response:
        visitor = visitor_of(request)
        try:
            entry = await self._showcase.entry(visitor.person, job)
        except NoSuchObjectError:
            return await self._not_yet(request, job)
        looks = await asyncio.to_thread(self._looks, entry)
        request.state.viewer_3d = bool(looks.model)
        context = {
            "entry": entry,
            "own": entry.own(visitor.viewer),
            "looks": looks,
            "downloads": downloads(entry),
            "receipt": [(label, value, label in COPIED) for label, value in receipt(entry)],
            "similar": await self._similar(request, job, "meaning"),
            "has_shape": bool(looks.model)
            or any(each.artifact.media_type.startswith("model/") for each in entry.files),
            "told": DONE.get(request.query_params.get("done", ""), ""),
            "base": self._site.base,
            "kinds": self._site.front.kinds,
        }
        return self._site.page(request, "object.html", context)

    async def _not_yet(self, request: Request, job: str) -> Response:
        """One's own job that goes on, or is not written down yet, has a page already. Raises NoSuchObjectError."""
        if (person := visitor_of(request).person) is None:
            raise NoSuchObjectError(job)
        try:
            record = await self._site.front.desk.job(person, job)
        except NoSuchJobError:
            raise NoSuchObjectError(job) from None
        return see_other(request, f"/jobs/{record.id}")

    async def similar(self, request: Request, job: str) -> Response:
        """What is like it, by what it is about or by its shape; a part of the object's page for htmx."""
        entry = await self._showcase.entry(visitor_of(request).person, job)
        by = "shape" if request.query_params.get("by") == "shape" else "meaning"
        context = {"entry": entry, "by": by, "similar": await self._similar(request, job, by)}
        response = self._site.page(request, "_similar.html" if is_htmx(request) else "similar.html", context)
        response.headers["Vary"] = "HX-Request"
        return response

    async def publish(self, request: Request, job: str) -> Response:
        entry = await self._showcase.publish(visitor_of(request).must_be_known(), job)
        return see_other(request, f"/objects/{entry.id}?done=published")

    async def unpublish(self, request: Request, job: str) -> Response:
        entry = await self._showcase.unpublish(visitor_of(request).must_be_known(), job)
        return see_other(request, f"/objects/{entry.id}?done=unpublished")

    async def ask_report(self, request: Request, job: str) -> Response:
        """What is wrong with it? As a dialog, or as a page."""
        entry = await self._showcase.entry(visitor_of(request).must_be_known(), job)
        return self._site.page(request, "_report.html" if is_htmx(request) else "report.html", {"entry": entry})

    async def report(self, request: Request, job: str) -> Response:
        person = visitor_of(request).must_be_known()
        reason = (await request.form()).get("reason")
        entry = await self._showcase.report(person, job, reason if isinstance(reason, str) else "")
        return see_other(request, f"/objects/{entry.id}?done=reported")

    async def rerun(self, request: Request, job: str) -> Response:
        """Queue the same request again, and go on to its job. A form counts once, however often it is sent."""
        person = visitor_of(request).must_be_known()
        again = await self._showcase.rerun(person, job)
        once, key = (await request.form()).get("once"), person.requester.key
        update = once if isinstance(once, str) and len(once) <= 64 and once else secrets.token_urlsafe(24)
        reply = ReplyAddress(platform="web", channel=key, user=person.requester.user, private=again.private)
        asked = Asked(
            person, again.kind.name, again.raw, reply, update_of(key, f"rerun:{update}"), private=again.private
        )
        ticket = await self._site.front.desk.submit(asked)
        return see_other(request, f"/jobs/{ticket.job_id}")

    async def _similar(self, request: Request, job: str, by: str) -> list[Card]:
        visitor = visitor_of(request)
        try:
            page = await self._showcase.similar(
                visitor.person, job, "shape" if by == "shape" else "meaning", limit=SIMILAR
            )
        except HistoryClosedError:  # the object itself is here
            return []
        return await asyncio.to_thread(self._cards.of, page.entries, visitor.viewer)

    def _looks(self, entry: Entry) -> Looks:
        came = result_of(self._site.front.kinds.get(entry.kind), entry.outcome)
        body, headline = (came.body(), came.headline()) if came else (None, None)
        pictures = [
            (each.artifact.name, Picture(address(entry, each.artifact), *self._cards.size(each.artifact)))
            for each in entry.files
            if each.role in ("preview", "still") and each.artifact.media_type in STILLS
        ]
        main = self._cards.picture(entry)
        others = tuple((name, picture) for name, picture in pictures if main is None or picture.still != main.still)
        text = "" if pictures or main else body or headline or ""
        sentence = "\n".join(said for said in (headline, body) if said and said != text)
        return Looks(model_of(entry), main, others, text, sentence, came.figures() if came else ())


def model_of(entry: Entry) -> str:
    """The address of the model that the viewer shows; "" where there is none that it can."""
    models = [each.artifact for each in entry.files if each.artifact.media_type == GLB]
    if not models:
        return ""
    easy = [model for model in models if model.size <= EASY]
    return address(entry, max(easy or models, key=lambda model: model.size if easy else -model.size))


def downloads(entry: Entry) -> list[Download]:
    """All files: those to download first, each with its smaller versions, then the pictures."""
    order = {"file": 0, "smaller": 0, "preview": 1, "still": 1}
    return [
        Download(
            each.artifact.name,
            each.artifact.name.rpartition(".")[2].upper(),
            size(each.artifact.size),
            f"{address(entry, each.artifact)}?save=1",
            each.note or "",
        )
        for each in sorted(entry.files, key=lambda each: order[each.role])
    ]


def router(site: Site) -> APIRouter:
    pages, made = ObjectPages(site, Cards(site.front.kinds, site.front.store)), APIRouter()
    made.add_api_route("/objects/{job}", pages.show, methods=["GET"])
    made.add_api_route("/objects/{job}/similar", pages.similar, methods=["GET"])
    made.add_api_route("/objects/{job}/publish", pages.publish, methods=["POST"])
    made.add_api_route("/objects/{job}/unpublish", pages.unpublish, methods=["POST"])
    made.add_api_route("/objects/{job}/report", pages.ask_report, methods=["GET"])
    made.add_api_route("/objects/{job}/report", pages.report, methods=["POST"])
    made.add_api_route("/objects/{job}/rerun", pages.rerun, methods=["POST"])
    return made
