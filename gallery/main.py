"""The web page and the HTTP door as a process: `frontdesk web`.

SIGTERM, Ctrl-C: answers come to their end, open streams are closed. Exit status: 0 told to stop; 2 a setting is wrong.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from contextlib import suppress

import structlog
from prometheus_client import CollectorRegistry

from frontdesk.bots.errands import first
from frontdesk.bots.links import kept_key
from frontdesk.bots.main import premises
from frontdesk.gallery.api import door_of
from frontdesk.gallery.app import LOOPBACK, create_app
from frontdesk.gallery.live import Live
from frontdesk.gallery.serving import bound, served
from frontdesk.queue import logs
from frontdesk.queue.connection import reachable
from frontdesk.queue.errors import ConfigurationError, FrontdeskError
from frontdesk.queue.metrics import exposed
from frontdesk.queue.settings import Settings, load_settings

log = structlog.get_logger()

CONFIGURATION_STATUS = 2
KEY_FILE = "web.key"


def main() -> int:
    try:
        settings = load_settings()
        logs.configure(settings.log_format, settings.log_level)
        with suppress(asyncio.CancelledError):  # told to stop before there was anything to end
            asyncio.run(serve(settings))
    except (FrontdeskError, PermissionError) as error:  # the second: of the data folder
        sys.stderr.write(f"frontdesk web: {error}\n")
        return CONFIGURATION_STATUS
    return 0


async def serve(settings: Settings) -> None:
    """Serve the page until SIGTERM or SIGINT. Raises ConfigurationError, CancelledError if told to stop early."""
    stop, task, loop = asyncio.Event(), asyncio.current_task(), asyncio.get_running_loop()
    assert task is not None  # noqa: S101 - this is one
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, task.cancel)
    key = key_of(settings)
    listening = bound(settings.web_listen)
    base = public_address(settings, listening.getsockname()[1])
    figures = CollectorRegistry()
    with listening:
        async with (
            premises(settings, figures) as front,
            exposed(settings.metrics_listen, figures, front.redis),
        ):
            await reachable(front.redis)
            live = Live(front.redis, front.broker)
            assert front.memory is not None  # noqa: S101 -- every desk that settings make has one
            door = door_of(front, await front.memory.database(), live)
            assert door.webhooks is not None  # noqa: S101 -- a door of ours has them
            app = create_app(front, base=base, key=key, live=live, door=door)
            async with served(app, listening, app.state.site.closing) as serving:
                for number in (signal.SIGTERM, signal.SIGINT):
                    loop.add_signal_handler(number, stop.set)
                log.info("the page is served", listen=settings.web_listen, address=base)
                await first(stop.wait(), asyncio.shield(serving), live.run(), door.webhooks.run())


def key_of(settings: Settings) -> bytes:
    """What cookies and forms are signed with. Raises ConfigurationError."""
    if settings.web_key is not None:
        return settings.web_key.get_secret_value().encode()
    return kept_key(settings.data_dir / KEY_FILE, "FRONTDESK_WEB_KEY")


def public_address(settings: Settings, port: int) -> str:
    """Where people find the page, `port` being the one it listens on. Raises ConfigurationError."""
    host = settings.web_listen.rpartition(":")[0].lower()
    if settings.web_url is not None:
        return settings.web_url
    if host not in LOOPBACK:
        raise ConfigurationError(
            f"FRONTDESK_WEB_LISTEN is {settings.web_listen}, which other machines reach; name the address that people"
            " open in FRONTDESK_WEB_URL."
        )
    return f"http://{host}:{port}"


if __name__ == "__main__":
    sys.exit(main())
