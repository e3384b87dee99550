"""The last day in figures, hour by hour, for those who look after the desk: how much ended and how, and how long it
had waited.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import Integer, cast, func, select

from frontdesk.history.database import Database
from frontdesk.history.schema import jobs

HOURS = 24
HOUR = 3600.0
SAMPLE = 20_000  # waits that quantiles are taken from; of more, every so-manieth


@dataclass(frozen=True, slots=True)
class Hour:
    """begins: Unix seconds. ended: how many jobs ended in it, by status. waits: P50 and P90 of the seconds that those
    of them waited that were started, None where there were none."""

    begins: float
    ended: dict[str, int] = field(default_factory=dict)
    gpu_seconds: float = 0.0
    p50: float | None = None
    p90: float | None = None


async def last_day(database: Database, now: float) -> list[Hour]:
    """The last 24 hours up to the one that goes on, the oldest first. Raises HistoryClosedError."""
    first = (math.floor(now / HOUR) - HOURS + 1) * HOUR
    number = cast(func.floor((jobs.c.finished_at - first) / HOUR), Integer)
    recent = (jobs.c.finished_at >= first, jobs.c.finished_at < first + HOURS * HOUR)
    counted = (
        select(number.label("hour"), jobs.c.status, func.count().label("count"), func.sum(jobs.c.gpu_seconds))
        .where(*recent)
        .group_by("hour", jobs.c.status)
    )
    async with database.reading() as connection:
        rows = (await connection.execute(counted)).all()
        step = max(1, -(-sum(row[2] for row in rows) // SAMPLE))
        waited = (
            select(
                number.label("hour"),
                (jobs.c.started_at - jobs.c.submitted_at).label("waited"),
                func.row_number().over(order_by=jobs.c.id).label("row"),
            )
            .where(*recent, jobs.c.started_at.is_not(None))
            .subquery()
        )
        sampled = select(waited.c.hour, waited.c.waited).where(waited.c.row % step == 0)
        waits: list[list[float]] = [[] for _ in range(HOURS)]
        for hour, seconds in await connection.execute(sampled):
            waits[hour].append(max(0.0, seconds))
    hours = [Hour(first + i * HOUR, p50=quantile(waits[i], 0.5), p90=quantile(waits[i], 0.9)) for i in range(HOURS)]
    ended: list[dict[str, int]] = [{} for _ in range(HOURS)]
    spent = [0.0] * HOURS
    for hour, status, count, gpu_seconds in rows:
        ended[hour][status] = count
        spent[hour] += gpu_seconds
    return [Hour(each.begins, ended[number_], spent[number_], each.p50, each.p90) for number_, each in enumerate(hours)]


def quantile(values: Sequence[float], share: float) -> float | None:
    """The smallest value that at least this share of them do not exceed (the nearest rank); None of none."""
    if not values:
        return None
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]
