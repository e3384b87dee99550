"""Tells a program that its job has ended: an outcome is posted to the address that it named.

At least once, under one id for each job: a process that ends between sending and noting it sends again. Who receives it
takes an id for done that it has seen.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, TypeAlias

import structlog
from sqlalchemy import delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from frontdesk.gallery.api_views import outcome_view
from frontdesk.gallery.webhook_addresses import parsed, refuse_literal
from frontdesk.gallery.webhook_sending import Sender
from frontdesk.history.database import Database
from frontdesk.history.entries import Entry, Viewer
from frontdesk.history.history import History
from frontdesk.history.schema import webhooks
from frontdesk.queue.broker import Broker
from frontdesk.queue.connection import LOST
from frontdesk.queue.errors import HistoryClosedError, NoSuchObjectError
from frontdesk.queue.jobs import JobRecord

log = structlog.get_logger()

LOOK = 2.0  # seconds between two looks
AT_ONCE = 16  # that are sent at a time
MANY = 500  # jobs looked at in one look
HELD = 60.0  # seconds for which one that is being sent is nobody else's; longer than a sending takes
FIRST, LONGEST = 5.0, 3600.0  # seconds between two tries
GIVEN_UP = 86_400.0  # seconds after the first try
LOST_AFTER = 86_400.0 * 2  # seconds after which a job that nobody knows any more is given up
SETTLED_KEPT = 7 * 86_400.0  # seconds

Row: TypeAlias = Mapping[Any, Any]


class Webhooks:
    """clock: Unix seconds. draw: a number of 0 to 1, for jitter."""

    def __init__(
        self,
        database: Database,
        broker: Broker,
        sender: Sender,
        *,
        clock: Callable[[], float] = time.time,
        draw: Callable[[], float] = random.random,
    ) -> None:
        self._database = database
        self._history = History(database, clock)
        self._broker = broker
        self._sender = sender
        self._clock = clock
        self._draw = draw

    async def refuse(self, url: str) -> None:
        """Raises BadWebhookError for an address that is not taken, HistoryClosedError where none can be noted."""
        await refuse_literal(parsed(url, private=self._sender.private), private=self._sender.private)
        async with self._database.reading() as connection:
            await connection.execute(select(webhooks.c.job).limit(1))

    async def add(self, job_id: str, owner: str, url: str, secret: str) -> None:
        """Note where a job's outcome is to be posted; the first word counts. Raises HistoryClosedError."""
        insert = (postgresql.insert if self._database.postgres else sqlite.insert)(webhooks)
        values = {"job": job_id, "owner": owner, "url": url, "secret": secret, "tries": 0, "state": "waiting"}
        values["due_at"] = self._clock()  # of a waiting one: when it was noted
        async with self._database.writing() as connection:
            await connection.execute(insert.values(values).on_conflict_do_nothing(index_elements=["job"]))

    async def run(self) -> None:
        """Look and send until cancelled. What is away is waited out."""
        while True:
            with suppress(HistoryClosedError, *LOST):
                await self.look()
            await asyncio.sleep(LOOK)

    async def look(self) -> None:
        """Send what is due, once each."""
        async with self._database.reading() as connection:
            query = select(webhooks).where(webhooks.c.state == "waiting").order_by(webhooks.c.due_at).limit(MANY)
            waiting = (await connection.execute(query)).mappings().all()
        records = await self._broker.records([row["job"] for row in waiting]) if waiting else {}
        for row in waiting:
            await self._end_of(row, records.get(row["job"]))
        async with self._database.reading() as connection:
            due = select(webhooks).where(webhooks.c.state == "due", webhooks.c.due_at <= self._clock()).limit(MANY)
            rows = (await connection.execute(due)).mappings().all()
        turns = asyncio.Semaphore(AT_ONCE)

        async def one(row: Row) -> None:
            async with turns:
                await self._send(row)

        await asyncio.gather(*(one(row) for row in rows))

    async def _end_of(self, row: Row, record: JobRecord | None) -> None:
        """A job that has ended is due; so is one that the queue forgot and the history knows."""
        if record is not None and not record.ended:
            return
        now = self._clock()
        if record is None and await self._entry(row) is None:
            if now - row["due_at"] > LOST_AFTER:
                await self._note(row, state="given up", due_at=now, secret="")
            return
        await self._note(row, state="due", due_at=now, first_at=now)

    async def _entry(self, row: Row) -> Entry | None:
        with suppress(NoSuchObjectError):
            return await self._history.get(Viewer(frozenset({row["owner"]})), row["job"])
        return None

    async def _send(self, row: Row) -> None:
        now = self._clock()
        if not await self._note(row, due_at=now + HELD):  # another process has it
            return
        row = {**row, "due_at": now + HELD}
        found = (await self._broker.records([row["job"]])).get(row["job"]) or await self._entry(row)
        if found is None:
            await self._note(row, state="given up", due_at=now, secret="")
            return
        body, message = message_of(found), f"msg_{row['job']}"
        status = await self._sender.send(row["url"], body, message=message, at=now, secret=row["secret"])
        await self._settle(row, status)

    async def _settle(self, row: Row, status: int | None) -> None:
        tries, now = row["tries"] + 1, self._clock()
        if status is not None and 200 <= status < 300:
            state = "delivered"
        elif status == 410 or now - (row["first_at"] or now) >= GIVEN_UP:  # Gone: it wants no more of them
            state = "given up"
        else:
            await self._note(row, due_at=now + pause(tries, self._draw()), tries=tries)
            return
        await self._note(row, state=state, due_at=now, tries=tries, secret="")
        log.info("webhook", job=row["job"], state=state, tries=tries, status=status)
        settled = (webhooks.c.state.in_(["delivered", "given up"]), webhooks.c.due_at < now - SETTLED_KEPT)
        async with self._database.writing() as connection:
            await connection.execute(delete(webhooks).where(*settled))

    async def _note(self, row: Row, **values: Any) -> bool:
        """Change a row, unless another process has changed it meanwhile; whether it did."""
        as_read = (webhooks.c[name] == row[name] for name in ("job", "state", "due_at"))
        async with self._database.writing() as connection:
            done = await connection.execute(update(webhooks).where(*as_read).values(**values))
        return bool(done.rowcount)


def pause(tries: int, drawn: float) -> float:
    """Seconds until the next try: twice as many each time, an hour at most, and up to a quarter less or more, so that
    many do not come back together. `drawn` of 0 to 1."""
    return float(min(LONGEST, FIRST * 2.0 ** min(tries - 1, 20)) * (0.75 + drawn / 2))


def message_of(found: JobRecord | Entry) -> bytes:
    """What is posted, the same at each try."""
    outcome = found if isinstance(found, Entry) else found.outcome
    data: Mapping[str, Any] = {
        "id": found.id,
        "kind": found.kind,
        "submitted_at": found.submitted_at,
        "started_at": found.started_at,
        "finished_at": found.finished_at,
        "outcome": outcome_view(outcome).model_dump() if outcome else None,
    }
    state = found.status if isinstance(found, Entry) else found.state
    at = datetime.fromtimestamp(found.finished_at or 0.0, UTC).isoformat().replace("+00:00", "Z")
    return json.dumps({"type": f"job.{state}", "timestamp": at, "data": data}).encode()
