"""The queue for admins: lanes, workers, waits, the last hour, charts of the last day, reports of the gallery.

What they do goes through the same desk as in the chats, and so into its audit log.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal, TypeAlias

from fastapi import APIRouter, Form, Query
from starlette.requests import Request
from starlette.responses import Response

from frontdesk.bots.admin_actions import LONGEST_REASON
from frontdesk.bots.administration import Administration
from frontdesk.bots.intake import queue_open
from frontdesk.bots.replies import as_text
from frontdesk.bots.status_replies import aside_words, promises_words, stranded_rows, worker_words
from frontdesk.gallery.charts import Chart, charts_of
from frontdesk.gallery.saying import say_next
from frontdesk.gallery.visitors import visitor_of
from frontdesk.gallery.website import Site, is_htmx, see_other
from frontdesk.history.figures import last_day
from frontdesk.queue.errors import HistoryClosedError
from frontdesk.queue.report import LaneReport, QueueReport

PAGE = "/admin"
FRESH = 30.0  # seconds for which the charts stand

Turn: TypeAlias = Literal["pause", "resume", "drain", "undrain"]
Settling: TypeAlias = Literal["hide", "dismiss"]
TURNS = {
    "pause": ("Pause the lane", "No job of it is taken until it is resumed; those that run go on."),
    "resume": ("Resume the lane", "Its jobs are taken again."),
    "drain": ("Drain the worker", "It finishes what it runs, and takes nothing more."),
    "undrain": ("Give the worker jobs again", "It takes jobs again."),
}
SETTLINGS = {
    "hide": ("Hide the object", "Nobody sees it any more but its owner."),
    "dismiss": ("Dismiss the reports", "The object stays as it is."),
}


@dataclass(frozen=True, slots=True)
class LaneView:
    """p50, p90: seconds that a new job would wait; None while nobody serves the lane."""

    report: LaneReport
    workers: int
    p50: float | None
    p90: float | None


class AdminPages:
    def __init__(self, site: Site) -> None:
        self._site = site
        self._administration = Administration(site.front.desk)
        self._charts: tuple[float, list[Chart]] | None = None
        self._drawing = asyncio.Lock()

    async def queue(self, request: Request) -> Response:
        person = visitor_of(request).must_be_admin()
        desk = self._site.front.desk
        report = await desk.queue(person)
        try:
            charts, reports = await self._drawn(), await desk.showcase.reports(person) if desk.showcase.open else ()
        except HistoryClosedError:
            charts, reports = None, ()
        context = {
            "report": report,
            "lanes": await self._lanes(report),
            "workers": [(each, worker_words(each, desk.clock())) for each in report.workers],
            "promises": promises_words(report.promises),
            "aside": aside_words(report.aside) if report.aside else "",
            "stranded": stranded_rows(report),
            "ended": _ended(report),
            "charts": charts,
            "reports": reports,
        }
        return self._site.page(request, "admin.html", context)

    async def ask(self, request: Request, turn: Turn, target: Annotated[str, Query(max_length=100)]) -> Response:
        """Are you sure? As a page, or as a dialog for a script."""
        visitor_of(request).must_be_admin()
        title, sentence = TURNS[turn]
        return self._confirmation(request, f"{title} {target}?", sentence, f"{PAGE}/{turn}", title, target)

    async def turn(
        self, request: Request, turn: Turn, target: Annotated[str, Form()], reason: Annotated[str, Form()] = ""
    ) -> Response:
        person = visitor_of(request).must_be_admin()
        argument = "lane" if turn in ("pause", "resume") else "worker"
        shown = await self._administration.perform(person, turn, {argument: target, "reason": reason})
        say_next(self._site.jar, request, as_text(shown.reply))
        return see_other(request, PAGE)

    async def ask_about(
        self, request: Request, settling: Settling, target: Annotated[str, Query(max_length=32)]
    ) -> Response:
        visitor_of(request).must_be_admin()
        title, sentence = SETTLINGS[settling]
        return self._confirmation(request, f"{title} {target}?", sentence, f"{PAGE}/reports/{settling}", title, target)

    async def settle(
        self, request: Request, settling: Settling, target: Annotated[str, Form()], reason: Annotated[str, Form()] = ""
    ) -> Response:
        """Hide a reported object, or leave it as it is."""
        person, showcase = visitor_of(request).must_be_admin(), self._site.front.desk.showcase
        if settling == "hide":
            await showcase.hide(person, target, on=True, reason=reason[:LONGEST_REASON])
        else:
            await showcase.settle(person, target, reason[:LONGEST_REASON])
        say_next(self._site.jar, request, "Hidden." if settling == "hide" else "Dismissed.")
        return see_other(request, PAGE)

    def _confirmation(
        self, request: Request, title: str, sentence: str, action: str, label: str, target: str
    ) -> Response:
        context = {
            "title": title,
            "sentence": sentence,
            "action": action,
            "label": label,
            "back": PAGE,
            "target": target,
            "longest": LONGEST_REASON,
        }
        return self._site.page(request, "_confirm.html" if is_htmx(request) else "confirm.html", context)

    async def _lanes(self, report: QueueReport) -> Sequence[LaneView]:
        views = []
        async with queue_open():
            for lane in report.lanes:
                place = await self._site.front.broker.place(lane.name)
                served = place.workers > 0
                p50, p90 = (place.wait, place.wait_high) if served else (None, None)
                views.append(LaneView(lane, place.workers, p50, p90))
        return views

    async def _drawn(self) -> list[Chart] | None:
        """The charts, made anew at most every FRESH seconds; None at a desk that remembers nothing."""
        if (memory := self._site.front.memory) is None:
            return None
        async with self._drawing:
            now = self._site.front.desk.clock()
            if self._charts is None or not 0 <= now - self._charts[0] < FRESH:
                self._charts = (now, charts_of(await last_day(await memory.database(), now)))
            return self._charts[1]


def _ended(report: QueueReport) -> list[tuple[str, dict[str, int]]]:
    """The last hour's outcomes, by kind and status."""
    kinds = sorted({kind for kind, _ in report.ended})
    return [(kind, {status: number for (of, status), number in report.ended.items() if of == kind}) for kind in kinds]


def router(site: Site) -> APIRouter:
    pages, made = AdminPages(site), APIRouter()
    made.add_api_route(PAGE, pages.queue, methods=["GET"])
    made.add_api_route(f"{PAGE}/reports/{{settling}}", pages.ask_about, methods=["GET"])
    made.add_api_route(f"{PAGE}/reports/{{settling}}", pages.settle, methods=["POST"])
    made.add_api_route(f"{PAGE}/{{turn}}", pages.ask, methods=["GET"])
    made.add_api_route(f"{PAGE}/{{turn}}", pages.turn, methods=["POST"])
    return made
