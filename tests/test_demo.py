"""The demonstration: each step shows what a user would see, and one that goes wrong is named."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from carving import CarveParams, CarveResult, carving, usual
from console import Paper, premises, staffed
from pydantic import SecretStr
from queueing import DrivenEngine
from redis.asyncio import Redis
from storing import folder_store

from frontdesk.bots import children
from frontdesk.bots.demo import demo, working
from frontdesk.bots.demo_steps import PASSAGES, Passage, Play, StepFailedError, passages
from frontdesk.bots.waiting import waiting
from frontdesk.queue.artifacts import ArtifactStore
from frontdesk.queue.catalogue import SCORE, WRITE
from frontdesk.queue.errors import ConfigurationError
from frontdesk.queue.jobs import Job, Outcome, Progress
from frontdesk.queue.kinds import JobKind
from frontdesk.queue.settings import Settings

TEXTS = {
    "human": Passage("The harbour was quiet, and nobody had thought to bring a rope. " * 4, "a diary"),
    "machine": Passage("It is important to note that education is a powerful tool. " * 5, "a model"),
}


# A sculptor that is quick: it takes any words, and hands back files.
SCULPT = JobKind("sculpt", "A prompt becomes a 3D object", CarveParams, CarveResult, cost=lambda _: 1.0)


class Model(DrivenEngine):
    """Answers at once: whatever it takes for a machine's text is one, and every prompt gets the same text. What it
    sculpts are the usual files in `store`; without one, nothing."""

    def __init__(
        self, text: str = "Blue.", taken_for_machine: str = "important to note", store: ArtifactStore | None = None
    ) -> None:
        super().__init__()
        self.text = text
        self.taken_for_machine = taken_for_machine
        self.store = store

    async def run(self, made: Job, report: Callable[[Progress], None]) -> Outcome:
        if made.kind == "sculpt":
            return carving(usual(self.store) if self.store else [])
        common = {"model": "tiny", "precision": "bf16"}
        result: dict[str, Any] = {"text": self.text, "tokens": 2, "stopped": "end", "seed": 7}
        if made.kind == "score":
            verdict = "machine" if self.taken_for_machine in str(made.params["text"]) else "human"
            figures = {"curvature": 1.0, "perplexity": 20.0, "tokens": 60, "tokens_in_text": 60}
            result = {"verdict": verdict, "false_positive_rate": 0.01, **figures}
        return Outcome(status="done", result={**result, **common}, seconds=0.2, gpu_seconds=0.2)


TALK = ("text", "prompt", "request", "flood", "admin")


async def played(redis: Redis, engine: Model, *only: str, folder: Path = Path("absent")) -> tuple[Play, str]:
    """The steps with one of these words in their name, and what they print."""
    front, paper = premises(redis, kinds=[SCORE, WRITE, SCULPT], default="score", admin="grace"), Paper()
    front = replace(front, store=engine.store)
    async with staffed(front, engine), waiting(front) as waiter:
        play = Play(front, waiter, paper, TEXTS, time.monotonic(), folder)
        for title, step in play.steps():
            if any(word in title for word in only):
                await step()
    return play, paper.text


async def test_the_conversation_shows_what_users_would_see(redis: Redis) -> None:
    """Two scores, a text, a polite refusal, a limit that says when to come back, and the admins' view."""
    _, text = await played(redis, Model(), *TALK)
    in_order = [
        "ada> /score The harbour",
        "Reads like a person wrote it.",
        "ada> /score It is important",
        "Reads like a language model wrote it.",
        "bob> /write ",
        "Blue.",
        "bob> /score Too short.",
        "text: must have 200 to 20,000 characters; this has 10.",
        "eve> /write ",
        "You have asked for 'write' too often. You can ask again in ",
        "grace> /queue",
        "1 worker on duty",
    ]
    places = [text.find(words) for words in in_order]
    assert -1 not in places
    assert places == sorted(places)


@pytest.mark.parametrize(
    ("engine", "step", "reason"),
    [
        (Model(taken_for_machine="harbour"), "a person's", "taken for a machine's"),
        (Model(taken_for_machine="nothing"), "a model's", "taken for a human's"),
        (Model(text="  "), "a prompt", "the answer was empty"),
        (Model(), "an object", "there were no files"),
    ],
)
async def test_a_step_that_goes_wrong_fails(redis: Redis, engine: Model, step: str, reason: str) -> None:
    """A demonstration that only looks as if it worked is worse than none."""
    with pytest.raises(StepFailedError, match=reason):
        await played(redis, engine, step)


async def test_the_files_of_an_object_are_kept(redis: Redis, tmp_path: Path) -> None:
    """Where they lie is said, and how long it took is known."""
    folder = tmp_path / "demo"
    play, text = await played(redis, Model(store=folder_store(tmp_path / "store")), "an object", folder=folder)
    [made] = play.made
    assert made.kind == "sculpt"
    assert 0 < made.seconds < 60
    assert {path.name for path in made.files} == {"turn.gif", "view.png", "horse.glb", "horse.stl"}
    for path in made.files:
        assert path.is_file()
        assert path.is_relative_to(folder)
        assert path.name in text


async def test_a_worker_that_dies_ends_the_demonstration(monkeypatch: pytest.MonkeyPatch) -> None:
    """At once, with the last lines of its log."""
    monkeypatch.setattr(children, "WORKER", "frontdesk.worker.absent")
    with pytest.raises(StepFailedError, match=r"(?s)the worker ended with status 1:.*No module named"):
        async with working(Settings(redis_url=SecretStr("unix:///nonexistent"))) as alive:
            await alive(asyncio.sleep(100))


async def test_a_wrong_model_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker's own sentence says which setting is wrong."""
    monkeypatch.setenv("FRONTDESK_MODEL", "/nonexistent")
    with pytest.raises(ConfigurationError, match=r"^FRONTDESK_MODEL: there is no model '/nonexistent'"):
        await demo(Settings(), Paper(), began=time.monotonic(), stay=False)


def test_the_shipped_passages_can_be_scored() -> None:
    """Both are there, say where they come from, and are long enough."""
    shipped = passages()
    assert shipped.keys() >= {"human", "machine"}
    for passage in shipped.values():
        assert passage.source.strip()
        SCORE.params.model_validate({"text": passage.text})
    assert json.loads(PASSAGES.read_text("utf-8"))


@pytest.mark.model
@pytest.mark.timeout(600)
async def test_the_real_demonstration_works_without_a_terminal(model_folder: Path) -> None:
    """What `make demo` runs: a real server, a real worker, a real model; status 0, and no process stays behind."""
    demonstration = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "frontdesk.bots.cli", "demo"),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "FRONTDESK_DATA_DIR": str(model_folder)},
    )
    try:
        # Whoever still holds the pipes keeps this waiting: a process left behind fails the test.
        out, err = await demonstration.communicate()
    finally:
        if demonstration.returncode is None:
            demonstration.terminate()
            await demonstration.wait()
    assert (demonstration.returncode, err.decode()) == (0, "")
    said = out.decode()
    assert "All of it worked, in " in said
    files = [Path(line.strip()) for line in said.rpartition("sculpt: ")[2].splitlines() if line.startswith("  ")]
    assert {".glb", ".gif", ".png", ".safetensors", ".npz"} <= {file.suffix for file in files}
    for file in files:
        assert file.stat().st_size > 100
