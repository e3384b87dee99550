"""`frontdesk demo`: a real server, a real worker and a short conversation; each line is what a user would see."""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from frontdesk.bots import children, machine
from frontdesk.bots.main import Premises, premises
from frontdesk.bots.on_console import chat, login, person, progress_shown
from frontdesk.bots.on_console_conversation import Accepted, Answer, Conversation
from frontdesk.bots.on_console_render import Screen
from frontdesk.bots.replies import Line, Moment, Reply, Rows, outcome_reply, ticket_reply
from frontdesk.bots.waiting import Waiter, waiting
from frontdesk.queue.embedded import ensure_server
from frontdesk.queue.errors import ConfigurationError, FrontdeskError
from frontdesk.queue.jobs import Outcome
from frontdesk.queue.settings import Settings, child_environment

PASSAGES = Path(__file__).with_name("passages.json")
ADMIN = "grace"
STEP_LIMIT = 300.0  # seconds of one step: a slow machine's, not a good one's
START_LIMIT = 600.0  # seconds for the worker to load its model, which may have to be fetched and converted
LOOK = 0.05  # seconds between two looks for the worker
STOP_GRACE = 15.0  # seconds for the worker to end: its jobs, which are thrown away with the queue, get none
LOG_KEPT = 20  # lines of the worker's log, shown if it dies
SHOWN = 220  # characters of a passage
MOST_ASKED = 12  # requests after which a limit must have said no
PROMPT = "/write max_tokens=80 seed=7 Explain in a few sentences why the sky is blue."
FLOOD = "/write max_tokens=16 Say hello."


class StepFailedError(FrontdeskError):
    """A step of the demonstration did not go as it must."""


@dataclass(frozen=True)
class Passage:
    text: str
    source: str


def passages(file: Path = PASSAGES) -> dict[str, Passage]:
    """What is scored: one text by a person and one by a model."""
    entries = json.loads(file.read_text("utf-8"))
    return {name: Passage(entries[name]["text"], entries[name]["source"]) for name in ("human", "machine")}


async def demo(settings: Settings, screen: Screen, *, began: float, stay: bool) -> None:
    """Play the demonstration; with `stay`, go on as a chat until the user leaves.

    `began`: time.monotonic() at the start of the command. The queue lies in a folder that is thrown away; the model,
    once converted, stays in the data folder. Raises ConfigurationError, and StepFailedError with the step's name.
    """
    children.need(children.WORKER_NEEDS, "worker")
    with tempfile.TemporaryDirectory(prefix="frontdesk-demo-") as folder, ensure_server(Path(folder)) as url:
        own = settings.model_copy(
            update={
                "redis_url": SecretStr(url),
                "admins": frozenset({person(ADMIN).requester.key, person(login()).requester.key}),
                "limits_file": None,
                "default_kind": "score",
            }
        )
        async with working(url, settings) as alive, premises(own) as front:
            await alive(_play(front, screen, settings, began))
            if stay:
                screen.say("\nNow it is your turn.", "bold")
                await alive(chat(front, screen))


@asynccontextmanager
async def working(
    url: str, settings: Settings
) -> AsyncIterator[Callable[[Coroutine[Any, Any, None]], Awaitable[None]]]:
    """A worker as a process of its own; what is awaited inside fails with its last words if it dies."""
    words: deque[str] = deque(maxlen=LOG_KEPT)
    child = await children.Child.start(
        children.command(children.WORKER),
        child_environment(
            tokens=(),
            redis_url=url,
            lanes="short",
            log_format="json",
            data_dir=str(settings.data_dir),
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
        play = Play(front, waiter, screen, passages(), began)
        for title, step in play.steps():
            try:
                async with asyncio.timeout(STEP_LIMIT):
                    await step()
            except TimeoutError:
                raise StepFailedError(f"the step {title!r} took longer than {STEP_LIMIT:.0f} s.") from None
            except StepFailedError as error:
                raise StepFailedError(f"the step {title!r} failed: {error}") from None
    screen.say(f"All of it worked. The first score was there {play.first_score:.1f} s after the start.", "bold")


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


class Play:
    """The conversation. `first_score`: seconds from `began` to the first score."""

    def __init__(
        self, front: Premises, waiter: Waiter, screen: Screen, texts: dict[str, Passage], began: float
    ) -> None:
        self.first_score = 0.0
        self._front = front
        self._waiter = waiter
        self._screen = screen
        self._texts = texts
        self._began = began

    def steps(self) -> list[tuple[str, Callable[[], Awaitable[None]]]]:
        return [
            ("a person's text is scored", self._human),
            ("a model's text is scored", self._machine),
            ("a prompt is answered", self._prompt),
            ("an invalid request is refused", self._invalid),
            ("a flood is held back", self._flood),
            ("an admin looks at the queue", self._admin),
        ]

    async def _human(self) -> None:
        await self._scored("ada", "A passage that a person wrote", "human", wrong="machine")
        self.first_score = time.monotonic() - self._began

    async def _machine(self) -> None:
        await self._scored("ada", "A passage that a language model wrote", "machine", wrong="human")

    async def _scored(self, name: str, what: str, which: str, *, wrong: str) -> None:
        passage = self._texts[which]
        self._stage(f"{what} ({passage.source}):")
        outcome = await self._answered(name, f"/score {passage.text}")
        if (outcome.result or {}).get("verdict") == wrong:
            raise StepFailedError(f"it was taken for a {wrong}'s.")

    async def _prompt(self) -> None:
        self._stage("A prompt, answered while it is written:")
        outcome = await self._answered("bob", PROMPT)
        if not str((outcome.result or {}).get("text", "")).strip():
            raise StepFailedError("the answer was empty.")

    async def _invalid(self) -> None:
        self._stage("A request that cannot be meant:")
        self._refused(await self._asks("bob", "/score Too short."))

    async def _flood(self) -> None:
        self._stage("Somebody who does not stop asking:")
        pending: list[Accepted] = []
        for _ in range(MOST_ASKED):
            answer = await self._asks("eve", FLOOD)
            if isinstance(answer, Reply):
                self._refused(answer)
                if any(isinstance(s, Moment) for b in answer.blocks if isinstance(b, Line) for s in b.spans):
                    return
                raise StepFailedError("the refusal does not say when to come back.")
            if isinstance(answer, Accepted):
                self._screen.show(ticket_reply(answer.kind, answer.ticket))
                pending.append(answer)
            if len(pending) == 3:  # as many as one person may have waiting at a time
                for accepted in pending:
                    await self._waiter.outcome(accepted.ticket.job_id, lambda progress: None)
                self._screen.say("(three answers later)", "dim")
                pending.clear()
        raise StepFailedError(f"{MOST_ASKED} requests in a row were accepted.")

    async def _admin(self) -> None:
        self._stage("An admin looks at the queue:")
        answer = await self._asks(ADMIN, "/queue")
        if not isinstance(answer, Reply) or not any(isinstance(block, Rows) for block in answer.blocks):
            raise StepFailedError("there was no report.")
        self._screen.show(answer)
        self._screen.say("")

    def _stage(self, sentence: str) -> None:
        self._screen.say(f"# {sentence}", "dim")

    async def _asks(self, name: str, text: str) -> Answer:
        shown = text if len(text) <= SHOWN else f"{text[:SHOWN].rsplit(' ', 1)[0]} ... ({len(text):,} characters)"
        self._screen.say(f"{name}> {' '.join(shown.split())}", "bold")
        return await self._talk(name).take(text)

    async def _answered(self, name: str, text: str) -> Outcome:
        """Ask, show the ticket, the progress and the answer."""
        answer = await self._asks(name, text)
        if not isinstance(answer, Accepted):
            if isinstance(answer, Reply):
                self._screen.show(answer)
            raise StepFailedError("the request was not accepted.")
        kind, job_id = answer.kind, answer.ticket.job_id
        self._screen.show(ticket_reply(kind, answer.ticket))
        with progress_shown(self._screen, kind) as news:
            outcome = await self._waiter.outcome(job_id, news)
        self._screen.show(outcome_reply(kind, job_id, outcome))
        self._screen.say("")
        if outcome.status != "done":
            raise StepFailedError(f"the job ended as {outcome.status}.")
        return outcome

    def _refused(self, answer: Answer) -> None:
        if not isinstance(answer, Reply):
            raise StepFailedError("the request was accepted.")
        self._screen.show(answer)
        self._screen.say("")

    def _talk(self, name: str) -> Conversation:
        settings = self._front.settings
        return Conversation(self._front.desk, person(name), channel="demo", default_kind=settings.default_kind)
