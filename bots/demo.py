"""`frontdesk demo`: a real server, a real worker and a short conversation; each line is what a user would see."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from frontdesk.bots import children, machine
from frontdesk.bots.demo_steps import ADMIN, Play, StepFailedError, passages
from frontdesk.bots.main import Premises, premises
from frontdesk.bots.on_console import chat, login, person
from frontdesk.bots.on_console_render import Screen
from frontdesk.bots.waiting import waiting
from frontdesk.queue.embedded import ensure_server
from frontdesk.queue.errors import ConfigurationError, FrontdeskError
from frontdesk.queue.settings import Settings, child_environment

STEP_LIMIT = 300.0  # seconds of one step: a slow machine's, not a good one's
START_LIMIT = 600.0  # seconds for the worker to load its model, which may have to be fetched and converted
LOOK = 0.05  # seconds between two looks for the worker
STOP_GRACE = 15.0  # seconds for the worker to end: its jobs, which are thrown away with the queue, get none
LOG_KEPT = 20  # lines of the worker's log, shown if it dies


async def demo(settings: Settings, screen: Screen, *, began: float, stay: bool) -> None:
    """Play the demonstration; with `stay`, go on as a chat until the user leaves.

    `began`: time.monotonic() at the start of the command. The queue and its store lie in a folder that is thrown away;
    the model, once converted, and copies of the files that were made stay in the data folder. Raises
    ConfigurationError, and StepFailedError with the step's name.
    """
    children.need(children.WORKER_NEEDS, "worker")
    with tempfile.TemporaryDirectory(prefix="frontdesk-demo-") as folder, ensure_server(Path(folder)) as url:
        own = settings.model_copy(
            update={
                "redis_url": SecretStr(url),
                "admins": frozenset({person(ADMIN).requester.key, person(login()).requester.key}),
                "limits_file": None,
                "default_kind": "score",
                "artifacts_url": str(Path(folder) / "artifacts"),  # a store belongs to one queue
            }
        )
        async with working(own) as alive, premises(own) as front:
            await alive(_play(front, screen, settings, began))
            if stay:
                screen.say("\nNow it is your turn.", "bold")
                await alive(chat(front, screen))


@asynccontextmanager
async def working(settings: Settings) -> AsyncIterator[Callable[[Coroutine[Any, Any, None]], Awaitable[None]]]:
    """A worker as a process of its own; what is awaited inside fails with its last words if it dies."""
    words: deque[str] = deque(maxlen=LOG_KEPT)
    child = await children.Child.start(
        children.command(children.WORKER),
        child_environment(
            tokens=(),
            redis_url=settings.redis or "",
            lanes="short,long",
            log_format="json",
            data_dir=str(settings.data_dir),
            artifacts_url=settings.artifacts_url or "",
            stop_grace="0",
        ),
        lambda line: words.append(line.decode("utf-8", "replace")),
    )
    death = asyncio.create_task(child.wait())

    async def alive(work: Coroutine[Any, Any, None]) -> None:
        doing = asyncio.create_task(work)
        try:
            await asyncio.wait({doing, death}, return_when=asyncio.FIRST_COMPLETED)
            if not doing.done():
                raise _dead(death.result(), words)
            await doing
        finally:
            doing.cancel()
            with suppress(asyncio.CancelledError, FrontdeskError):
                await doing

    try:
        yield alive
    finally:
        await child.stop(STOP_GRACE)
        await death


def _dead(status: int, words: Sequence[str]) -> FrontdeskError:
    if status == children.CONFIGURATION_STATUS and words:
        return ConfigurationError(children.OWN_NAME.sub("", words[-1]))
    return StepFailedError(f"the worker ended with status {status}:\n" + "\n".join(words))


async def _play(front: Premises, screen: Screen, settings: Settings, began: float) -> None:
    screen.say("Frontdesk: a server, a worker with a real language model, and the desk, all on this machine.\n", "bold")
    await _loaded(front, screen, settings)
    async with waiting(front) as waiter:
        play = Play(front, waiter, screen, passages(), began, settings.data_dir / "demo")
        for title, step in play.steps():
            try:
                async with asyncio.timeout(STEP_LIMIT):
                    await step()
            except TimeoutError:
                raise StepFailedError(f"the step {title!r} took longer than {STEP_LIMIT:.0f} s.") from None
            except StepFailedError as error:
                raise StepFailedError(f"the step {title!r} failed: {error}") from None
    for made in play.made:
        screen.say(f"{made.kind}: {made.seconds:.0f} s")
        for path in made.files:
            screen.say(f"  {path}")
    screen.say(
        f"All of it worked, in {time.monotonic() - began:.0f} s."
        f" The first score was there {play.first_score:.1f} s after the start.",
        "bold",
    )


async def _loaded(front: Premises, screen: Screen, settings: Settings) -> None:
    """Wait until the worker is on duty."""
    doing = "Loading the model ..."
    if settings.model == machine.PACKAGED_MODEL and not machine.converted(settings.model, settings.data_dir):
        doing = "Converting the model; this is done once and takes about half a minute ..."
    if not screen.live:
        screen.say(doing)
    try:
        with screen.console.status(doing) if screen.live else nullcontext():
            async with asyncio.timeout(START_LIMIT):
                while not (await front.broker.place("short")).workers:  # noqa: ASYNC110 - no event tells of it
                    await asyncio.sleep(LOOK)
    except TimeoutError:
        raise StepFailedError(f"the worker was not ready within {START_LIMIT:.0f} s.") from None
