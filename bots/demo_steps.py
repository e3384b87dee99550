"""The conversation of `frontdesk demo`, step by step."""

from __future__ import annotations

import json
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from frontdesk.bots.main import Premises
from frontdesk.bots.on_console import person, progress_shown
from frontdesk.bots.on_console_conversation import Accepted, Answer, Conversation
from frontdesk.bots.on_console_files import with_files
from frontdesk.bots.on_console_render import Screen
from frontdesk.bots.replies import Line, Moment, Reply, Rows, outcome_reply, ticket_reply
from frontdesk.bots.waiting import Waiter
from frontdesk.queue.errors import FrontdeskError
from frontdesk.queue.jobs import Outcome

PASSAGES = Path(__file__).with_name("passages.json")
ADMIN = "grace"
SHOWN = 220  # characters of a passage
MOST_ASKED = 12  # requests after which a limit must have said no
PROMPT = "/write max_tokens=80 seed=7 Explain in a few sentences why the sky is blue."
FLOOD = "/write max_tokens=16 Say hello."
SCULPTED = "/sculpt two small red chairs beside a round wooden table"
TRAINED = "/train dataset=digits epochs=10"
RECONSTRUCTED = '/reconstruct quality=draft config={"reso":[32,64],"n_iters":200}'


class StepFailedError(FrontdeskError):
    """A step of the demonstration did not go as it must."""


@dataclass(frozen=True)
class Passage:
    text: str
    source: str


@dataclass(frozen=True)
class Made:
    """What a kind made: seconds from the request to the files, and where these lie."""

    kind: str
    seconds: float
    files: tuple[Path, ...]


def passages(file: Path = PASSAGES) -> dict[str, Passage]:
    """What is scored: one text by a person and one by a model."""
    entries = json.loads(file.read_text("utf-8"))
    return {name: Passage(entries[name]["text"], entries[name]["source"]) for name in ("human", "machine")}


class Play:
    """The conversation. `first_score`: seconds from `began` to the first score; `made`: the objects, whose files go to
    `folder`.
    """

    def __init__(
        self,
        front: Premises,
        waiter: Waiter,
        screen: Screen,
        texts: Mapping[str, Passage],
        began: float,
        folder: Path,
    ) -> None:
        self.first_score = 0.0
        self.made: list[Made] = []
        self._folder = folder
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
            ("an object is sculpted", self._sculpted),
            ("a network is trained", self._trained),
            ("a scene is reconstructed", self._reconstructed),
        ]

    async def _human(self) -> None:
        await self._scored("ada", "A passage that a person wrote", "human", wrong="machine")
        self.first_score = time.monotonic() - self._began

    async def _machine(self) -> None:
        await self._scored("ada", "A passage that a language model wrote", "machine", wrong="human")

    async def _scored(self, name: str, what: str, which: str, *, wrong: str) -> None:
        passage = self._texts[which]
        self._stage(f"{what} ({passage.source}):")
        outcome, _ = await self._answered(name, f"/score {passage.text}")
        if (outcome.result or {}).get("verdict") == wrong:
            raise StepFailedError(f"it was taken for a {wrong}'s.")

    async def _prompt(self) -> None:
        self._stage("A prompt, answered while it is written:")
        outcome, _ = await self._answered("bob", PROMPT)
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

    async def _sculpted(self) -> None:
        self._stage("A prompt becomes a 3D object:")
        await self._object("carol", SCULPTED)

    async def _trained(self) -> None:
        self._stage("A small network learns to read digits:")
        await self._object("dan", TRAINED)

    async def _reconstructed(self) -> None:
        self._stage("Photographs become a 3D object, at a low resolution:")
        await self._object("frank", RECONSTRUCTED)

    async def _object(self, name: str, text: str) -> None:
        """Ask for something with files, and keep them."""
        began = time.monotonic()
        kind = text.split()[0].removeprefix("/")
        _, files = await self._answered(name, text)
        if not files:
            raise StepFailedError("there were no files.")
        self.made.append(Made(kind, time.monotonic() - began, files))

    def _stage(self, sentence: str) -> None:
        self._screen.say(f"# {sentence}", "dim")

    async def _asks(self, name: str, text: str) -> Answer:
        shown = text if len(text) <= SHOWN else f"{text[:SHOWN].rsplit(' ', 1)[0]} ... ({len(text):,} characters)"
        self._screen.say(f"{name}> {' '.join(shown.split())}", "bold")
        return await self._talk(name).take(text)

    async def _answered(self, name: str, text: str) -> tuple[Outcome, tuple[Path, ...]]:
        """Ask, show the ticket, the progress and the answer; how it ended, and the files that came with it."""
        answer = await self._asks(name, text)
        if not isinstance(answer, Accepted):
            if isinstance(answer, Reply):
                self._screen.show(answer)
            raise StepFailedError("the request was not accepted.")
        kind, job_id = answer.kind, answer.ticket.job_id
        self._screen.show(ticket_reply(kind, answer.ticket))
        with progress_shown(self._screen, kind) as news:
            outcome = await self._waiter.outcome(job_id, news)
        reply, files = await with_files(
            outcome_reply(kind, job_id, outcome), job_id, self._front.store, self._folder / job_id
        )
        self._screen.show(reply)
        self._screen.say("")
        if outcome.status != "done":
            raise StepFailedError(f"the job ended as {outcome.status}.")
        return outcome, files

    def _refused(self, answer: Answer) -> None:
        if not isinstance(answer, Reply):
            raise StepFailedError("the request was accepted.")
        self._screen.show(answer)
        self._screen.say("")

    def _talk(self, name: str) -> Conversation:
        settings = self._front.settings
        return Conversation(self._front.desk, person(name), channel="demo", default_kind=settings.default_kind)
