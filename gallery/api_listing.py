"""One's own jobs at the HTTP door, in pages: first those that the queue remembers, then older ones from the history."""

from __future__ import annotations

from frontdesk.gallery.api_door import ROOT, Caller, Door
from frontdesk.gallery.api_views import JobPage, JobView, entry_view, job_view
from frontdesk.queue.jobs import is_member
from frontdesk.queue.scripts import JOBS_LISTED

CURSOR = r"^[qh]\.[0-9a-z]{0,16}(\.[A-Za-z0-9_-]*)?$"


async def listed(door: Door, caller: Caller, limit: int, after: str | None) -> JobPage:
    """A cursor is `q.ID`, behind a job of the queue's, or `h.ID.CURSOR`: the history's, without what came from the
    queue, of which ID was the oldest. Ids sort by time."""
    where, _, rest = (after or "q.").partition(".")
    oldest, _, cursor = rest.partition(".")
    if where == "h":
        return await _older(door, caller, limit, oldest, cursor or None)
    records = sorted(await door.front.desk.jobs(caller.person, JOBS_LISTED), key=lambda record: record.id, reverse=True)
    rest_of_them = [record for record in records if not oldest or record.id < oldest]
    views = [job_view(ROOT, record, progress=door.live.latest(record.id)) for record in rest_of_them[:limit]]
    if len(rest_of_them) > limit:
        return JobPage(jobs=views, after=f"q.{rest_of_them[limit - 1].id}")
    last = records[-1].id if records else ""
    if len(views) == limit:
        return JobPage(jobs=views, after=f"h.{last}.")
    older = await _older(door, caller, limit - len(views), last, None)
    return JobPage(jobs=[*views, *older.jobs], after=older.after)


async def _older(door: Door, caller: Caller, limit: int, oldest: str, cursor: str | None) -> JobPage:
    views, more = list[JobView](), True
    while more and len(views) < limit:
        page = await door.history.page(caller.viewer, mine=True, limit=limit - len(views), after=cursor)
        views += [
            entry_view(ROOT, entry)
            for entry in page.entries
            if (not oldest or entry.id < oldest) and not is_member(entry.id)
        ]
        cursor, more = page.after, page.after is not None
    return JobPage(jobs=views, after=f"h.{oldest}.{cursor}" if cursor else None)
