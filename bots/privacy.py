"""The use case of a person who wants to be forgotten."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import structlog

from frontdesk.bots.desk import Desk
from frontdesk.bots.intake import queue_open
from frontdesk.bots.people import Person
from frontdesk.queue.forgetting import Forgetting
from frontdesk.queue.logs import requester_hash

if TYPE_CHECKING:  # the database's library comes with the first question
    from frontdesk.history.database import Database

log = structlog.get_logger()

Opened: TypeAlias = "Callable[[], Awaitable[Database]]"
"""Gives the database of the history. Raises HistoryClosedError."""


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What was removed: jobs, files of the store, reports, keys for programs; and whether admins have banned them,
    which stays."""

    jobs: int
    files: int
    reports: int
    api_keys: int
    banned: bool


async def forget(desk: Desk, forgetting: Forgetting, database: Opened, person: Person) -> Forgotten:
    """Remove all of a person: from the queue, the history and the store. Unfinished jobs are cancelled first.

    Nothing is removed where the history cannot be reached. What was cut short is made good by doing it again. Raises
    HistoryClosedError, DeskClosedError.
    """
    from frontdesk.history.privacy import PersonalHistory

    person, history = await desk.known(person), PersonalHistory(await database())
    recorded = await history.job_ids(person.identities)
    async with queue_open():
        said = await desk.steering.standing(*sorted(person.identities))
        gone = await forgetting.forget(person.identities, recorded)
    removed = await history.remove(person.identities, gone.jobs)
    async with queue_open():
        await forgetting.clear(gone.jobs)
    who = requester_hash(person.requester.key)
    log.info("forgotten", requester=who, jobs=len(gone.jobs), files=len(gone.files), rows=removed.jobs)
    return Forgotten(len(gone.jobs), len(gone.files), removed.reports, removed.api_keys, said.ban is not None)
