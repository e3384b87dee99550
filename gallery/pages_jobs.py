"""A person's jobs: the list, one of them, the news of them as they come, and cancelling."""

from __future__ import annotations

import asyncio
import tempfile
from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing, suppress
from dataclasses import replace
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from frontdesk.bots.intake import queue_open
from frontdesk.bots.people import Person
from frontdesk.bots.replies import as_text, cancel_reply
from frontdesk.gallery import job_views
from frontdesk.gallery.cards import PICTURES
from frontdesk.gallery.job_views import JobView
from frontdesk.gallery.saying import say_next
from frontdesk.gallery.streaming import BEAT, STREAMED, as_long_as, events
from frontdesk.gallery.visitors import Visitor, visitor_of
from frontdesk.gallery.website import Site, is_htmx, see_other
from frontdesk.queue.connection import LOST
from frontdesk.queue.errors import FileDamagedError, HistoryClosedError, NoSuchJobError, NoSuchObjectError
from frontdesk.queue.jobs import Artifact, JobRecord, Progress, Ticket

LISTED = 20  # jobs on the page
FOLLOWED = 12  # jobs that one stream tells of
STREAMS = 12  # of one person at a time


class JobPages:
    def __init__(self, site: Site, *, asked_again: float = BEAT) -> None:
        """asked_again: seconds after which a stream asks whether its visitor is signed in still."""
        self._site = site
        self._asked_again = asked_again
        self._streams = Counter[str]()

    async def mine(self, request: Request) -> Response:
        """What is under way, and what was answered; the queue forgets, the history does not."""
        visitor = visitor_of(request)
        person = visitor.must_be_known()
        remembered = await self._remembered(visitor)
        titles = {view.id: view.title for view in remembered}
        views, unfinished = [], []
        for record in await self._site.front.desk.jobs(person, LISTED):
            views.append(
                replace(await self._view(record), title=titles.get(record.id) or await self._title(person, record))
            )
            if not record.ended:
                unfinished.append(record.id)
        views += remembered
        context = {"jobs": job_views.newest_first(views, LISTED), "followed": unfinished[:FOLLOWED]}
        return self._site.page(request, "jobs.html", context)

    async def one(self, request: Request, job_id: str) -> Response:
        """One job: its answer, or where it stands."""
        return self._site.page(request, "job.html", {"job": await self._own(visitor_of(request), job_id)})

    async def news(self, request: Request, job: Annotated[list[str], Query(max_length=FOLLOWED)]) -> Response:
        """News of one's own jobs as server-sent events, until all of them have ended, or the visitor has signed out."""
        visitor = visitor_of(request)
        person = visitor.must_be_known()
        records = [await self._site.front.desk.job(person, each) for each in dict.fromkeys(job)]
        if self._streams[person.requester.key] >= STREAMS:
            raise HTTPException(429)
        told = self._counted(visitor, events(self._site.live, records, self.changes, self._site.closing))
        return StreamingResponse(told, media_type="text/event-stream", headers=STREAMED)

    async def _counted(self, visitor: Visitor, told: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
        """Each person has a few streams at a time, which end with the session that opened them."""
        key = visitor.must_be_known().requester.key
        self._streams[key] += 1
        try:
            async with aclosing(as_long_as(lambda: self._signed_in(visitor), told, self._asked_again)) as allowed:
                async for event in allowed:
                    yield event
        finally:
            self._streams[key] -= 1
            self._streams += Counter()  # forgets who has none

    async def _signed_in(self, visitor: Visitor) -> bool:
        """Still, as far as is known: while Redis is away, no news come either."""
        try:
            return await self._site.sessions.of(visitor.secret) is not None
        except LOST:
            return True

    async def picture(
        self, request: Request, job_id: str, sha256: str, size: int, media_type: Annotated[str, Query(alias="type")]
    ) -> Response:
        """What a job shows of itself while it runs, to its requester."""
        record = await self._site.front.desk.job(visitor_of(request).must_be_known(), job_id)
        store = self._site.front.store
        if store is None or media_type not in PICTURES:
            raise NoSuchJobError(job_id)
        try:
            wanted = Artifact(name="picture", sha256=sha256, size=size, media_type=media_type)
        except ValidationError:
            raise NoSuchJobError(job_id) from None

        def read() -> bytes:
            with tempfile.TemporaryDirectory(prefix="frontdesk-picture-") as folder:
                return store.fetch_shown(record.id, wanted, Path(folder)).read_bytes()

        try:
            data = await asyncio.to_thread(read)
        except FileDamagedError:  # there is a newer one by now
            return Response(status_code=404)
        return Response(data, media_type=media_type, headers={"Cache-Control": "private, max-age=3600"})

    async def ask_to_cancel(self, request: Request, job_id: str) -> Response:
        """Are you sure? As a page, or as a dialog for a script."""
        record = await self._site.front.desk.job(visitor_of(request).must_be_known(), job_id)
        if record.ended:
            return see_other(request, f"/jobs/{record.id}")
        context = {
            "title": f"Cancel {record.kind} {record.id}?",
            "sentence": "What there is of it so far is lost." if record.state == "running" else "It loses its place.",
            "action": f"/jobs/{record.id}/cancel",
            "label": "Cancel the job",
            "back": f"/jobs/{record.id}",
        }
        return self._site.page(request, "_confirm.html" if is_htmx(request) else "confirm.html", context)

    async def cancel(self, request: Request, job_id: str) -> Response:
        person = visitor_of(request).must_be_known()
        record = await self._site.front.desk.job(person, job_id)  # an admin's own too: others' are cancelled elsewhere
        result = await self._site.front.desk.cancel(person, record.id)
        say_next(self._site.jar, request, as_text(cancel_reply(record.id, result)))
        return see_other(request, f"/jobs/{record.id}")

    async def _own(self, visitor: Visitor, job_id: str) -> JobView:
        """A job of the visitor's, from the queue or else from the history. Raises NoSuchJobError."""
        person = visitor.must_be_known()
        try:
            record = await self._site.front.desk.job(person, job_id)
            return replace(await self._view(record), title=await self._title(person, record))
        except NoSuchJobError:
            if self._site.front.memory is None:
                raise
        try:
            entry = await self._site.front.desk.showcase.entry(person, job_id)
        except NoSuchObjectError:
            raise NoSuchJobError(job_id[:32]) from None
        if not await self._site.front.desk.showcase.owns(person, entry):  # it is public, and has a page of its own
            raise NoSuchJobError(job_id[:32])
        return job_views.of_entry(self._site.front.kinds, entry)

    async def _view(self, record: JobRecord) -> JobView:
        if record.state == "running" and (told := self._site.live.latest(record.id)) and not told.waiting:
            return replace(job_views.of_progress(record, told), submitted_at=record.submitted_at)
        async with queue_open():
            waiting = record.state == "waiting"
            ticket = (
                await self._site.front.broker.ticket(record.id, record.lane) if waiting else Ticket(record.id, 0, 0.0)
            )
        return job_views.of_record(self._site.front.kinds, record, ticket)

    async def _title(self, person: Person, record: JobRecord) -> str:
        """What it is about: of a job that ended the history knows it, once it is written down."""
        if not record.ended:
            async with queue_open():
                asked = await self._site.front.broker.asked(record.id)
            return job_views.title_of(self._site.front.kinds, asked) if asked else ""
        with suppress(NoSuchObjectError, HistoryClosedError):
            return (await self._site.front.desk.showcase.entry(person, record.id)).title
        return ""

    async def _remembered(self, visitor: Visitor) -> Sequence[JobView]:
        """From the history; nothing where it is away: the queue's own jobs are shown all the same."""
        try:
            entries = await self._site.front.desk.showcase.latest(visitor.must_be_known(), limit=LISTED)
        except HistoryClosedError:
            return []
        return [job_views.of_entry(self._site.front.kinds, entry) for entry in entries]

    async def changes(self, record: JobRecord, news: Ticket | Progress | JobRecord) -> dict[str, str | bool]:
        """What a piece of news changes on the page."""
        if isinstance(news, JobRecord):
            view = await self._view(news)
        elif isinstance(news, Progress):
            view = job_views.of_progress(record, news)
        elif (told := self._site.live.latest(record.id)) and news.position == 0 and not told.waiting:
            view = job_views.of_progress(record, told)
        else:
            view = job_views.of_ticket(record, news)
        template = self._site.rendering.environment.get_template("_job_detail.html")
        keeps = isinstance(news, Ticket)  # the text so far stays where only the place changed
        detail = "" if keeps else template.render(job=view)
        return {"job": view.id, "state": view.state, "detail": detail, "keeps": keeps, "ended": view.ended}


def router(site: Site) -> APIRouter:
    pages, made = JobPages(site), APIRouter()
    made.add_api_route("/jobs", pages.mine, methods=["GET"])
    made.add_api_route("/jobs/news", pages.news, methods=["GET"], response_model=None)
    made.add_api_route("/jobs/{job_id}", pages.one, methods=["GET"])
    made.add_api_route("/jobs/{job_id}/picture/{sha256}", pages.picture, methods=["GET"])
    made.add_api_route("/jobs/{job_id}/cancel", pages.ask_to_cancel, methods=["GET"])
    made.add_api_route("/jobs/{job_id}/cancel", pages.cancel, methods=["POST"])
    return made
