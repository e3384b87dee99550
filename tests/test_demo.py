"""The demonstration: each step shows what a user would see, and one that goes wrong is named."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from console import Paper, premises, staffed
from queueing import DrivenEngine
from redis.asyncio import Redis

from frontdesk.bots import children
from frontdesk.bots.demo import PASSAGES, Passage, Play, StepFailedError, demo, passages, working
from frontdesk.bots.waiting import waiting
from frontdesk.queue.catalogue import SCORE, WRITE
from frontdesk.queue.errors import ConfigurationError
from frontdesk.queue.jobs import Job, Outcome, Progress
from frontdesk.queue.settings import Settings

TEXTS = {
    "human": Passage("The harbour was quiet, and nobody had thought to bring a rope. " * 4, "a diary"),
    "machine": Passage("It is important to note that education is a powerful tool. " * 5, "a model"),
}


class Model(DrivenEngine):
    """Answers at once: whatever it takes for a machine's text is one, and every prompt gets the same text."""

    def __init__(self, text: str = "Blue.", taken_for_machine: str = "important to note") -> None:
        super().__init__()
        self.text = text
        self.taken_for_machine = taken_for_machine

    async def run(self, made: Job, report: Callable[[Progress], None]) -> Outcome:
        common = {"model": "tiny", "precision": "bf16"}
        result: dict[str, Any] = {"text": self.text, "tokens": 2, "stopped": "end", "seed": 7}
        if made.kind == "score":
            verdict = "machine" if self.taken_for_machine in str(made.params["text"]) else "human"
            figures = {"curvature": 1.0, "perplexity": 20.0, "tokens": 60, "tokens_in_text": 60}
            result = {"verdict": verdict, "false_positive_rate": 0.01, **figures}
        return Outcome(status="done", result={**result, **common}, seconds=0.2, gpu_seconds=0.2)


async def played(redis: Redis, engine: Model, only: str = "") -> str:
    """What the steps with that word in their name print."""
    front, paper = premises(redis, kinds=[SCORE, WRITE], default="score", admin="grace"), Paper()
    async with staffed(front, engine), waiting(front) as waiter:
        for title, step in Play(front, waiter, paper, TEXTS, time.monotonic()).steps():
            if only in title:
                await step()
    return paper.text


async def test_the_conversation_shows_what_users_would_see(redis: Redis) -> None:
    """Two scores, a text, a polite refusal, a limit that says when to come back, and the admins' view."""
    text = await played(redis, Model())
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
    ],
)
async def test_a_step_that_goes_wrong_fails(redis: Redis, engine: Model, step: str, reason: str) -> None:
    """A demonstration that only looks as if it worked is worse than none."""
    with pytest.raises(StepFailedError, match=reason):
        await played(redis, engine, only=step)


async def test_a_worker_that_dies_ends_the_demonstration(monkeypatch: pytest.MonkeyPatch) -> None:
    """At once, with the last lines of its log."""
    monkeypatch.setattr(children, "WORKER", "frontdesk.worker.absent")
    with pytest.raises(StepFailedError, match=r"(?s)the worker ended with status 1:.*No module named"):
        async with working("unix:///nonexistent", Settings()) as alive:
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
    assert "All of it worked. The first score was there" in out.decode()
