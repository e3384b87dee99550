"""News of several jobs as one stream of server-sent events (WHATWG HTML, section 9.2)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing, suppress
from typing import TypeVar

import structlog

from frontdesk.bots.errands import end
from frontdesk.gallery.live import Live, News
from frontdesk.queue.errors import NoSuchJobError, UserError
from frontdesk.queue.jobs import JobRecord

log = structlog.get_logger()

BEAT = 15.0  # seconds without news after which a line is sent that says nothing
BREATH = b": still here\n\n"
AGAIN = 1000  # milliseconds after which a browser comes again that lost its connection

STREAMED = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}  # headers; the second: for nginx in front

T = TypeVar("T")

Told = Callable[[JobRecord, News], Awaitable[Mapping[str, object]]]
"""What the page is told of a job's news."""


async def events(
    live: Live, records: Sequence[JobRecord], told: Told, closing: asyncio.Event, beat: float = BEAT
) -> AsyncGenerator[bytes, None]:
    """ "news" for each piece of it; "end" when all have ended. Ends early, without that, once `closing` is set: the
    browser comes again, and finds the next process."""
    coming: asyncio.Queue[bytes | None] = asyncio.Queue(maxsize=2 * len(records))

    async def follow(record: JobRecord) -> None:
        with suppress(NoSuchJobError):  # it was forgotten meanwhile
            async with aclosing(live.watch(record.id)) as news:
                async for each in news:
                    await coming.put(_event("news", await told(record, each)))

    async def follow_all() -> None:
        try:
            await asyncio.gather(*map(follow, records))
            await coming.put(_event("end", {}))
        except UserError as error:  # Redis went away while the news was put into words
            log.info("a stream of news ends", reason=type(error).__name__)
        finally:
            await coming.put(None)

    following, stopping = asyncio.create_task(follow_all()), asyncio.create_task(closing.wait())
    yield f"retry: {AGAIN}\n\n".encode()
    try:
        while not closing.is_set():
            taking = asyncio.create_task(coming.get())
            try:
                await asyncio.wait({taking, stopping}, timeout=beat, return_when=asyncio.FIRST_COMPLETED)
                event = taking.result() if taking.done() else BREATH
            finally:
                taking.cancel()
            if event is None:
                return
            yield event
    finally:
        await end(following, stopping)


async def as_long_as(
    allowed: Callable[[], Awaitable[bool]], told: AsyncGenerator[T, None], every: float
) -> AsyncGenerator[T, None]:
    """What is told, up to the first that comes when it may not be told any more, which is asked every so many seconds.
    Closes it at the end. Raises what `allowed` does."""
    now = asyncio.get_running_loop().time
    looked = now()
    async with aclosing(told):
        async for each in told:
            if now() - looked >= every:
                if not await allowed():
                    return
                looked = now()
            yield each


def _event(name: str, said: Mapping[str, object]) -> bytes:
    """JSON has no line break in it, and so is one line of data."""
    return f"event: {name}\ndata: {json.dumps(said, separators=(',', ':'))}\n\n".encode()
