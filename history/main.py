"""`frontdesk recorder`: writes down what the desk does, and makes it findable, until told to stop.

Exit status: 0 told to stop; 2 a setting is wrong.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from contextlib import AsyncExitStack, suppress

import structlog

from frontdesk.history.database import address_of, reached
from frontdesk.history.indexing import Indexer, run_indexing
from frontdesk.history.meaning import Meaning
from frontdesk.history.recorder import Recorder
from frontdesk.history.retention import HistoryRetention
from frontdesk.queue import logs
from frontdesk.queue.artifacts import ArtifactStore
from frontdesk.queue.connection import connected, end_loops, reachable
from frontdesk.queue.embedded import ensure_server
from frontdesk.queue.errors import FrontdeskError
from frontdesk.queue.kinds import Registry
from frontdesk.queue.retention import Keep, Retention
from frontdesk.queue.settings import Settings, load_settings

CONFIGURATION_STATUS = 2

log = structlog.get_logger()


def main() -> int:
    try:
        settings = load_settings()
        logs.configure(settings.log_format, settings.log_level)
        with suppress(asyncio.CancelledError):
            asyncio.run(record(settings))
    except (FrontdeskError, PermissionError) as error:  # the second: of the data folder
        sys.stderr.write(f"frontdesk recorder: {error}\n")
        return CONFIGURATION_STATUS
    return 0


async def record(settings: Settings) -> None:
    """Record until cancelled, which SIGTERM and SIGINT do. Raises ConfigurationError."""
    task, loop = asyncio.current_task(), asyncio.get_running_loop()
    assert task is not None  # noqa: S101 - this is one
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, task.cancel)
    async with AsyncExitStack() as stack:
        url = settings.redis or stack.enter_context(ensure_server(settings.data_dir))
        redis = await stack.enter_async_context(connected(url))
        await reachable(redis)
        database = await stack.enter_async_context(reached(address_of(settings)))
        kinds, store, news = Registry.installed(), ArtifactStore.of(settings), asyncio.Event()
        recorder = Recorder(redis, database, kinds, keep=settings.keep_results_days * 86_400, wrote=news.set)
        indexer = Indexer(database, kinds, Meaning.installed(), store)
        keep = Keep(settings.keep_days, settings.keep_objects)
        retention = HistoryRetention(redis, database, Retention(redis, store, keep), keep)
        log.info("recording", database=database.engine.dialect.name)
        tasks = [asyncio.create_task(work) for work in (recorder.run(), run_indexing(indexer, news), retention.run())]
        try:
            await asyncio.gather(*tasks)  # raises what the first of them raises, and as it is
        finally:
            await end_loops(*tasks)


if __name__ == "__main__":
    sys.exit(main())
