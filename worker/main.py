"""`frontdesk worker`: a process for each GPU and lane, looked after until told to stop. Knows no model library.

SIGTERM or SIGINT: running jobs get their grace, then go back to the queue; a second one ends everything at once.
SIGHUP: the processes are replaced one by one.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from contextlib import AsyncExitStack

from frontdesk.queue import logs
from frontdesk.queue.connection import connected
from frontdesk.queue.embedded import ensure_server
from frontdesk.queue.errors import FrontdeskError
from frontdesk.queue.settings import Settings, load_settings
from frontdesk.worker.gpus import environments, gpus
from frontdesk.worker.lifeline import CONFIGURATION_STATUS, SUPERVISED, Lifeline
from frontdesk.worker.supervisor import Supervisor

# -P keeps the current folder's files from being taken for modules.
CHILD = (sys.executable, "-P", "-m", "frontdesk.worker.serving", SUPERVISED)


def main() -> int:
    """Exit status: 0 after a drain, 2 for a setting that is wrong."""
    try:
        settings = load_settings()
        logs.configure(settings.log_format, settings.log_level)
        asyncio.run(supervise(settings))
    except asyncio.CancelledError:
        return 0
    except (FrontdeskError, PermissionError) as error:  # the second: of the data folder
        Lifeline(None).fail(error)
        return CONFIGURATION_STATUS
    return 0


async def supervise(settings: Settings) -> None:
    """Run until SIGTERM or SIGINT. Raises ConfigurationError, also a child's; CancelledError if told to stop early."""
    task, loop = asyncio.current_task(), asyncio.get_running_loop()
    assert task is not None  # noqa: S101 - this is one
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, task.cancel)  # as long as there is nothing to drain
    async with AsyncExitStack() as stack:
        # Held here, so that it outlives a restart of the children, and ends with the last of them.
        url = settings.redis or stack.enter_context(ensure_server(settings.data_dir))
        redis = await stack.enter_async_context(connected(url))
        supervisor = Supervisor(
            CHILD,
            environments(settings, url, await gpus() if settings.device == "auto" else 1),
            redis,
            grace=settings.stop_grace,
            keep=settings.keep_results_days * 86_400,
        )
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, supervisor.stop)
        # A terminal that is closed says SIGHUP too, and means the end.
        loop.add_signal_handler(signal.SIGHUP, supervisor.stop if os.isatty(0) else supervisor.roll)
        await supervisor.run()


if __name__ == "__main__":
    sys.exit(main())
