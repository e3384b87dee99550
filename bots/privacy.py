"""The use cases of a person's own data: to see it, to take it along, to have it forgotten."""

from __future__ import annotations

from dataclasses import dataclass

import structlog

from frontdesk.bots.desk import Desk
from frontdesk.bots.intake import queue_open
from frontdesk.bots.people import Person
from frontdesk.history.database import Database
from frontdesk.history.privacy import PersonalHistory, Removed
from frontdesk.queue.forgetting import Forgetting
from frontdesk.queue.logs import requester_hash

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What was removed: jobs in the queue or the history, files of the store, rows of the history; and whether admins
    have banned them, which stays."""

    jobs: int
    files: int
    removed: Removed
    banned: bool


async def forget(desk: Desk, forgetting: Forgetting, database: Database | None, person: Person) -> Forgotten:
    """Remove all of a person: from the queue, the history and the store. Unfinished jobs are cancelled first.

    Nothing is removed where the history cannot be reached. What was cut short is made good by doing it again.
    database: None where nothing is recorded. Raises HistoryClosedError, DeskClosedError.
    """
    person = await desk.known(person)
    history = PersonalHistory(database) if database is not None else None
    recorded = await history.job_ids(person.identities) if history else []
    async with queue_open():
        said = await desk.steering.standing(*sorted(person.identities))
        gone = await forgetting.forget(person.identities, recorded)
    removed = await history.remove(person.identities, gone.jobs) if history else Removed()
    async with queue_open():
        await forgetting.clear(gone.jobs)
    who = requester_hash(person.requester.key)
    log.info("forgotten", requester=who, jobs=len(gone.jobs), files=len(gone.files), rows=removed.jobs)
    return Forgotten(len(gone.jobs), len(gone.files), removed, said.ban is not None)
