"""`frontdesk up`: everything on this machine, as processes of their own that are started again when they die."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass

import structlog

from frontdesk.bots.children import (
    CONFIGURATION_STATUS,
    DISCORD_NEEDS,
    FRONT,
    LEAVE,
    OWN_NAME,
    RECORDER,
    TELEGRAM_NEEDS,
    WEB,
    WEB_NEEDS,
    WORKER,
    WORKER_NEEDS,
    Child,
    command,
    lacking_of,
    need,
)
from frontdesk.queue.embedded import ensure_server
from frontdesk.queue.errors import ConfigurationError
from frontdesk.queue.metrics import neighbour
from frontdesk.queue.settings import Settings, child_environment

log = structlog.get_logger()

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0  # seconds before a child that died is started again; doubles each time
STEADY = 60.0  # seconds of life after which a child's next death counts as its first
NAME_WIDTH = 8
PAGE_SETTINGS = {"web_listen", "web_url", "web_key"}  # whoever sets one wants the page
# How far from FRONTDESK_METRICS_LISTEN each part answers Prometheus. Workers are last: there is one for each GPU.
METRICS_PORTS = {"discord": 0, "telegram": 1, "web": 2, "worker": 3}
NO_BOT = (
    "No bot has a token, so only `frontdesk chat` and `frontdesk ask` reach this desk, and its web page."
    " Set FRONTDESK_DISCORD_TOKEN or FRONTDESK_TELEGRAM_TOKEN."
)


@dataclass(frozen=True)
class Part:
    """A process to keep running."""

    name: str
    words: list[str]
    environment: Mapping[str, str]
    grace: float = LEAVE  # seconds that it gets to end
    optional: bool = False  # nobody asked for it: the others go on without it where it cannot start


def parts(settings: Settings, *, readable: bool) -> list[Part]:
    """The worker, the recorder, the web page if its packages are there, and each bot that has a token; each gets only
    its own secrets. `readable`: logs for people.

    Raises ConfigurationError where packages are missing.
    """
    style = {"log_format": "console"} if readable and settings.log_format == "auto" else {}

    def environment(name: str, *tokens: str) -> Mapping[str, str]:
        listen = neighbour(settings.metrics_listen, METRICS_PORTS[name]) if name in METRICS_PORTS else None
        return child_environment(tokens=tokens, **style, **({"metrics_listen": listen} if listen else {}))

    need(WORKER_NEEDS, "worker")
    made = [
        Part("worker", command(WORKER), environment("worker"), settings.stop_grace + LEAVE),
        Part("recorder", command(RECORDER), environment("recorder", "database_url")),
    ]
    if settings.discord_token:
        need(DISCORD_NEEDS, "bots")
        made.append(
            Part(
                "discord",
                command(FRONT, "discord"),
                environment("discord", "discord_token", "files_key", "database_url"),
            )
        )
    if settings.telegram_token:
        need(TELEGRAM_NEEDS, "bots")
        secrets = ("telegram_token", "telegram_webhook_secret", "files_key", "database_url")
        made.append(Part("telegram", command(FRONT, "telegram"), environment("telegram", *secrets)))
    if not lacking_of(WEB_NEEDS):
        keys = ("web_key", "files_key", "database_url")
        unasked = not PAGE_SETTINGS & settings.model_fields_set
        made.append(Part("web", command(WEB), environment("web", *keys), optional=unasked))
    return made


class Together:
    """Keeps parts running until told to stop. `say` takes a part's name and a line of its log."""

    def __init__(self, every: list[Part], say: Callable[[str, bytes], None]) -> None:
        self._parts = every
        self._say = say
        self._stop = asyncio.Event()
        self._children: set[Child] = set()
        self._failure: ConfigurationError | None = None

    def stop(self) -> None:
        """End all children; asked a second time, at once."""
        if self._stop.is_set():
            for child in self._children:
                child.hurry()
        self._stop.set()

    async def run(self) -> None:
        """Returns when all have ended. Raises ConfigurationError when one that is not optional says that a setting is
        wrong."""
        async with asyncio.TaskGroup() as group:
            for part in self._parts:
                group.create_task(self._keep(part))
        if self._failure:
            raise self._failure

    async def _keep(self, part: Part) -> None:
        now, pause = asyncio.get_running_loop().time, FIRST_PAUSE
        while not self._stop.is_set():
            started = now()
            status, last = await self._live(part)
            if self._stop.is_set():
                return
            if status == CONFIGURATION_STATUS:
                reason = OWN_NAME.sub("", last)
                if part.optional:
                    log.warning("a part cannot start; going on without it", part=part.name, reason=reason)
                    return
                self._failure = ConfigurationError(f"{part.name} cannot start: {reason}")
                self._stop.set()
                return
            pause = FIRST_PAUSE if now() - started > STEADY else pause
            log.warning("a part ended; starting it again", part=part.name, status=status, pause=pause)
            await self._stopped_within(pause)
            pause = min(LONGEST_PAUSE, 2 * pause)

    async def _live(self, part: Part) -> tuple[int, str]:
        """One life of a child: its exit status and its last line."""
        child = await Child.start(part.words, part.environment, lambda line: self._say(part.name, line))
        self._children.add(child)
        ending, stopping = asyncio.create_task(child.wait()), asyncio.create_task(self._stop.wait())
        try:
            await asyncio.wait({ending, stopping}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopping.cancel()
            if not ending.done():
                await child.stop(part.grace)
            self._children.discard(child)
        return await ending, child.last

    async def _stopped_within(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._stop.wait()
        except TimeoutError:
            return


async def up(settings: Settings) -> None:
    """Run everything until SIGTERM or SIGINT. Raises ConfigurationError."""
    readable = sys.stderr.isatty()
    say = _prefixed if readable else _bare
    every = parts(settings, readable=readable)
    if not (settings.discord_token or settings.telegram_token):
        tell = log.warning if not readable else lambda sentence: say("note", sentence.encode())
        tell(NO_BOT)
    together = Together(every, say)
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, together.stop)
    with ExitStack() as stack:
        if settings.redis is None:  # held here as well, so that it outlives a restart of the children
            stack.enter_context(ensure_server(settings.data_dir))
        await together.run()


def _prefixed(name: str, line: bytes) -> None:
    sys.stderr.buffer.write(f"{name:<{NAME_WIDTH}} | ".encode() + line + b"\n")
    sys.stderr.buffer.flush()


def _bare(name: str, line: bytes) -> None:
    """As it came: a line of JSON stays one."""
    sys.stderr.buffer.write(line + b"\n")
    sys.stderr.buffer.flush()
