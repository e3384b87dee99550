"""Jobs at the HTTP door: submit, look, cancel, wait."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, suppress
from typing import Annotated, Any

import structlog
from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

from frontdesk.bots.intake import Request as Asking
from frontdesk.bots.intake import queue_open
from frontdesk.gallery.api_asking import Asked, asked
from frontdesk.gallery.api_door import ROOT, Caller, Door
from frontdesk.gallery.api_listing import CURSOR, listed
from frontdesk.gallery.api_repeating import Repeating, repeating
from frontdesk.gallery.api_schemas import request_body
from frontdesk.gallery.api_views import (
    CancelView,
    JobPage,
    JobView,
    TicketView,
    address,
    entry_view,
    job_view,
    progress_view,
    ticket_view,
)
from frontdesk.gallery.live import News, with_beats
from frontdesk.gallery.streaming import STREAMED, as_long_as
from frontdesk.history.credentials import BadKeyError, signing_secret
from frontdesk.history.entries import Entry
from frontdesk.queue.connection import LOST
from frontdesk.queue.errors import HistoryClosedError, NoSuchJobError, UserError
from frontdesk.queue.jobs import JobRecord, Progress, ReplyAddress, Ticket

log = structlog.get_logger()

LONGEST_WAIT = 60.0  # seconds of one long poll
BEAT = 15.0  # seconds without news after which a stream shows that it lives

IdempotencyKey = Annotated[str | None, Header(description="The same key gives the same job, however often it is sent")]
Timeout = Annotated[float, Query(ge=0, le=LONGEST_WAIT, description="Seconds")]
Limit = Annotated[int, Query(ge=1, le=50)]
After = Annotated[str | None, Query(max_length=300, pattern=CURSOR, description="What the last page gave")]


def router(door: Door) -> APIRouter:
    made = APIRouter(tags=["jobs"])
    submitting, reading, cancelling = (Depends(door.allowed(scope)) for scope in ("submit", "read", "cancel"))

    @made.post("/jobs", status_code=202, response_model=TicketView, openapi_extra=request_body(door.front.kinds))
    async def submit(request: Request, caller: Caller = submitting, idempotency_key: IdempotencyKey = None) -> Response:
        """Ask for a job. It is queued as its owner's in the chats would be, under the same limits."""
        async with asked(request, door.front.kinds) as given:
            if given.job.webhook is not None:
                await door.webhooks.refuse(given.job.webhook)
            async with queue_open():
                once = await repeating(door.front.redis, caller.key.owner, idempotency_key, await given.digest())
            return await _submitted(door, caller, given, once)

    @made.get("/jobs")
    async def jobs(caller: Caller = reading, limit: Limit = 20, after: After = None) -> JobPage:
        """One's own jobs, newest first."""
        return await listed(door, caller, limit, after)

    @made.get("/jobs/{job_id}")
    async def job(job_id: str, caller: Caller = reading) -> JobView:
        """One of one's own jobs."""
        return await seen(door, caller, await door.job(caller, job_id))

    async def cancel(job_id: str, caller: Caller = cancelling) -> CancelView:
        """Take a job back. One that runs ends at its next step."""
        found = await door.job(caller, job_id, unread=True)
        if isinstance(found, Entry):
            return CancelView(id=found.id, result="ended")
        result = await door.front.desk.cancel(caller.person, found.id)
        return CancelView.model_validate({"id": found.id, "result": result})

    made.add_api_route("/jobs/{job_id}", cancel, methods=["DELETE"], operation_id="cancel")
    made.add_api_route("/jobs/{job_id}/cancel", cancel, methods=["POST"], operation_id="cancel_by_post")

    @made.get("/jobs/{job_id}/wait")
    async def wait(job_id: str, caller: Caller = reading, timeout: Timeout = 30.0) -> JobView:  # noqa: ASYNC109
        """The job once it has ended, or as it is when the time is over."""
        found = await door.job(caller, job_id)
        if isinstance(found, JobRecord) and not found.ended:
            with door.seat(caller), suppress(TimeoutError, NoSuchJobError):
                async with asyncio.timeout(timeout):
                    found = await door.live.ended(found.id)
        return await seen(door, caller, await door.job(caller, found.id))

    @made.get("/jobs/{job_id}/events", response_class=EventStream, responses={200: EVENTS})
    async def events(
        job_id: str, caller: Caller = reading, last_event_id: Annotated[str | None, Header()] = None
    ) -> Response:
        """Server-sent events: `ticket`, `progress`, and at last `end` with the job. A comment shows every 15 s that the
        stream lives. Who comes again is told where things stand."""
        found = await door.job(caller, job_id)
        number = int(last_event_id) if last_event_id and last_event_id.isdecimal() and len(last_event_id) < 9 else 0
        seat = door.seat(caller)
        seat.__enter__()

        async def allowed() -> bool:
            await door.keys.check(caller.shown)
            return True

        async def told() -> AsyncIterator[bytes]:
            nonlocal number
            try:
                async for name, view in as_long_as(allowed, _news(door, caller, found), door.asked_again):
                    if view is None:
                        yield b": still here\n\n"
                        continue
                    number += 1
                    yield f"id: {number}\nevent: {name}\ndata: {view.model_dump_json()}\n\n".encode()
            except (BadKeyError, HistoryClosedError) as error:  # the key was revoked; whoever has another comes again
                log.info("a stream ends", job=found.id, reason=type(error).__name__)
            finally:
                seat.__exit__(None, None, None)

        return EventStream(told(), headers=STREAMED)

    return made


EVENTS: dict[str, Any] = {
    "description": "Until the job has ended. `data` is JSON: a TicketView, a ProgressView, or at last a JobView",
    "content": {
        "text/event-stream": {
            "schema": {
                "type": "object",
                "properties": {
                    "id": {"type": "string"},
                    "event": {"enum": ["ticket", "progress", "end"]},
                    "data": {"type": "string", "contentMediaType": "application/json"},
                },
                "required": ["event", "data"],
            }
        }
    },
}


class EventStream(StreamingResponse):
    media_type = "text/event-stream"


async def _submitted(door: Door, caller: Caller, given: Asked, once: Repeating) -> Response:
    body = once.before
    if body is None:
        asking = Asking(
            person=caller.person,
            kind=given.job.kind,
            raw=given.raw(),
            reply=ReplyAddress(
                platform="web", channel="api", user=caller.person.requester.user, private=given.job.private
            ),
            update=once.update,
            private=given.job.private,
            fetch=given.fetch,
            publish=given.job.publish,
        )
        try:
            ticket = await door.front.desk.submit(asking)
        except UserError:
            with suppress(*LOST):
                await once.refused()
            raise
        if given.job.webhook is not None:
            await door.webhooks.add(ticket.job_id, caller.key.owner, given.job.webhook, signing_secret(caller.shown))
        view = ticket_view(ROOT, given.job.kind, ticket)
        body = view.model_dump_json().encode()
        async with queue_open():
            await once.answered(body)
    job_id = TicketView.model_validate_json(body).id
    headers = {"Location": address(ROOT, job_id)} | ({"Idempotent-Replayed": "true"} if once.before else {})
    return Response(body, 202, headers, "application/json")


async def seen(door: Door, caller: Caller, found: JobRecord | Entry) -> JobView:
    """A job with where it stands now."""
    if isinstance(found, Entry):
        return entry_view(ROOT, found)
    ticket, entry = None, None
    if found.state == "waiting":
        async with queue_open():
            ticket = await door.front.broker.ticket(found.id, found.lane)
    elif found.ended:
        with suppress(HistoryClosedError):
            entry = await door.entry(caller, found.id)
    return job_view(ROOT, found, ticket=ticket, progress=door.live.latest(found.id), entry=entry)


async def _news(
    door: Door, caller: Caller, found: JobRecord | Entry
) -> AsyncGenerator[tuple[str, BaseModel | None], None]:
    """Names and views of what happens; None where nothing does."""
    if isinstance(found, Entry) or found.ended:
        yield "end", await seen(door, caller, found)
        return
    with suppress(NoSuchJobError):
        async with aclosing(door.live.watch(found.id)) as watching, aclosing(with_beats(watching, BEAT)) as all_news:
            async for news in all_news:
                yield await _told(door, caller, found.kind, news)


async def _told(door: Door, caller: Caller, kind: str, news: News | None) -> tuple[str, BaseModel | None]:
    match news:
        case Ticket():
            return "ticket", ticket_view(ROOT, kind, news)
        case Progress():
            return "progress", progress_view(news)
        case JobRecord():
            return "end", await seen(door, caller, news)
    return "", None
