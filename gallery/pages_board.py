"""The leaderboards of `train`, with the learning curves of the best."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from frontdesk.bots.intake import queue_open
from frontdesk.gallery.curves import Curve, Drawing, drawing
from frontdesk.gallery.visitors import visitor_of
from frontdesk.gallery.website import Site
from frontdesk.history.entries import Entry
from frontdesk.queue.errors import HistoryClosedError, NoSuchObjectError
from frontdesk.queue.kind_train import SIZES, percent
from frontdesk.queue.leaderboard import Entry as Training
from frontdesk.queue.leaderboard import Leaderboard, Standing

CURVES = 6
ROWS = 50


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a board. `address` of its object, where the visitor may see that."""

    rank: int
    training: Training
    accuracy: str
    own: bool
    address: str


@dataclass(frozen=True, slots=True)
class Board:
    """`epochs`: the curves as a table, by epoch."""

    name: str
    pictures: int
    rows: tuple[Row, ...]
    drawing: Drawing | None
    curves: tuple[Curve, ...]
    epochs: tuple[tuple[int, tuple[str, ...]], ...]


class BoardPages:
    def __init__(self, site: Site) -> None:
        self._site = site
        self._leaderboard = Leaderboard(site.front.redis)

    async def show(self, request: Request) -> Response:
        """All boards, or with `?dataset=` one."""
        dataset = request.query_params.get("dataset", "")
        dataset = dataset if dataset in SIZES else ""
        async with queue_open():
            boards = await self._leaderboard.top(dataset=dataset)
        context = {
            "boards": [await self._board(request, name, standings) for name, standings in boards.items()],
            "datasets": list(SIZES),
            "dataset": dataset,
        }
        return self._site.page(request, "leaderboard.html", context)

    async def _board(self, request: Request, name: str, standings: Sequence[Standing]) -> Board:
        found = [await self._entry(request, each) for each in standings[:CURVES]]
        curves = tuple(
            Curve(each.rank, f"{each.entry.learning_rate:g}, width {each.entry.width}", curve_of(entry))
            for each, entry in zip(standings, found, strict=False)
            if entry is not None and curve_of(entry)
        )
        seen = {entry.id for entry in found if entry is not None}
        rows = tuple(
            Row(
                each.rank,
                each.entry,
                percent(each.entry.accuracy),
                each.entry.requester in visitor_of(request).viewer.identities,
                f"/objects/{each.entry.job_id}" if each.entry.job_id in seen else "",
            )
            for each in standings[:ROWS]
        )
        pictures = next((count for known, (count, _) in SIZES.items() if known == name), 0)
        return Board(name, pictures, rows, drawing(curves), curves, by_epoch(curves))

    async def _entry(self, request: Request, standing: Standing) -> Entry | None:
        with suppress(NoSuchObjectError, HistoryClosedError):
            return await self._site.front.desk.showcase.entry(visitor_of(request).person, standing.entry.job_id)
        return None


def curve_of(entry: Entry) -> tuple[float, ...]:
    """Of a training in the history: the share of the test pictures that it had right after each epoch."""
    curve = (entry.result or {}).get("curve")
    values = (
        [epoch.get("test_accuracy") for epoch in curve if isinstance(epoch, dict)] if isinstance(curve, list) else []
    )
    return tuple(float(value) for value in values if isinstance(value, int | float) and 0 <= value <= 1)


def by_epoch(curves: Sequence[Curve]) -> tuple[tuple[int, tuple[str, ...]], ...]:
    """The curves side by side; "" behind the end of a shorter one."""
    last = max((len(curve.values) for curve in curves), default=0)
    return tuple(
        (epoch + 1, tuple(percent(curve.values[epoch]) if epoch < len(curve.values) else "" for curve in curves))
        for epoch in range(last)
    )


def router(site: Site) -> APIRouter:
    pages, made = BoardPages(site), APIRouter()
    made.add_api_route("/leaderboard", pages.show, methods=["GET"])
    return made
