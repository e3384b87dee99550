"""From a job to its outcome, whatever the runner does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from running import (
    Acting,
    Batching,
    Clock,
    Gate,
    Saying,
    SpellingRunner,
    job,
    kind,
    serving,
    unheard,
)
from structlog.testing import capture_logs

from frontdesk.queue.errors import ConfigurationError
from frontdesk.queue.jobs import Outcome, Progress
from frontdesk.queue.kinds import Registry
from frontdesk.worker.context import JobContext
from frontdesk.worker.engine import AnyRunner, Engine
from frontdesk.worker.runner import CancelledRunError, OutOfMemoryError, RunContext, RunError

WORDS = "what the user wrote"


def failing(error: BaseException) -> Acting:
    def act(context: RunContext) -> None:
        raise error

    return Acting(act)


@pytest.mark.parametrize("make", [Saying, Batching, SpellingRunner])
async def test_every_shape_of_runner_is_served(make: Callable[[], AnyRunner]) -> None:
    """One by one, joined in passes or in a running batch: the outcome is the same, and all jobs get theirs."""
    async with serving(make()) as engine:
        outcomes = await asyncio.gather(*(engine.run(job(text), unheard) for text in ("one", "two", "three", "four")))
    assert [outcome.result for outcome in outcomes] == [{"said": text} for text in ("one", "two", "three", "four")]
    assert {outcome.status for outcome in outcomes} == {"done"}


async def test_blocking_work_stays_off_the_event_loop() -> None:
    """All runs happen in the device's one thread."""
    runner = Saying()
    async with serving(runner) as engine:
        await asyncio.gather(*(engine.run(job(), unheard) for _ in range(5)))
    assert runner.threads == {"device_0"}


async def test_the_outcome_says_how_long_it_took() -> None:
    """Seconds count the wait for the device, GPU-seconds only what the job itself used of it."""
    clock = Clock()

    def take_two_seconds(context: RunContext) -> None:
        clock.now += 2.0

    async with serving(Acting(take_two_seconds), clock=clock) as engine:
        first, second = await asyncio.gather(engine.run(job(), unheard), engine.run(job(), unheard))
    assert (first.seconds, first.gpu_seconds) == (2.0, 2.0)
    assert (second.seconds, second.gpu_seconds) == (4.0, 2.0)


def test_a_kind_without_a_runner_stops_the_worker_at_start() -> None:
    """The message names the kind and says what to do, before any job is taken."""
    with pytest.raises(ConfigurationError, match=r"asked to serve shout, but .* FRONTDESK_LANES"):
        Engine(Registry([kind("say"), kind("shout")]), {"say": Saying()})


@pytest.mark.parametrize("params", [{"text": ""}, {"text": WORDS, "volume": 3}, {"text": 7}])
async def test_parameters_that_no_longer_fit_fail_with_a_sentence(params: dict[str, Any]) -> None:
    """A job queued before the kind changed is refused by name of the parameter; its value is not repeated."""
    runner = Saying()
    async with serving(runner) as engine:
        outcome = await engine.run(job(**params), unheard)
    assert outcome.status == "failed"
    assert outcome.reason is not None
    assert outcome.reason.startswith("This worker's say takes other parameters than this request has (")
    assert WORDS not in outcome.reason
    assert not runner.ran


async def test_a_kind_it_does_not_serve_fails_with_a_sentence() -> None:
    """A job that came to the wrong worker says so."""
    async with serving(Saying()) as engine:
        outcome = await engine.run(job(name="sing"), unheard)
    assert (outcome.status, outcome.reason) == ("failed", "There is no kind called 'sing'. Known: say.")


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (RunError("The text has no words."), Outcome(status="failed", reason="The text has no words.")),
        (OutOfMemoryError("x"), Outcome(status="failed", reason="This needs more memory than this worker has.")),
        (CancelledRunError("x"), Outcome(status="cancelled")),
        (ValueError(WORDS), Outcome(status="failed", reason="Something went wrong inside the worker.")),
        (SystemExit(1), Outcome(status="failed", reason="Something went wrong inside the worker.")),
    ],
)
async def test_what_a_runner_raises_becomes_an_outcome(error: BaseException, outcome: Outcome) -> None:
    """Expected failures arrive in their own words, unexpected ones in ours; none of them leaves the engine."""
    async with serving(failing(error)) as engine:
        ended = await engine.run(job(), unheard)
    assert ended.model_copy(update={"seconds": 0.0, "gpu_seconds": 0.0}) == outcome


async def test_an_unexpected_error_is_logged_without_the_users_text() -> None:
    """The log says which error and where, of its cause as well, but not the error's words."""

    def act(context: RunContext) -> None:
        try:
            int(WORDS)
        except ValueError as error:
            raise KeyError(WORDS) from error

    made = job(WORDS)
    with capture_logs() as logs:
        async with serving(Acting(act)) as engine:
            await engine.run(made, unheard)
    (line,) = logs
    assert (line["log_level"], line["job_id"], line["error"]) == ("error", made.id, "builtins.KeyError")
    assert any("ValueError: " in frame and "test_engine.py" in frame for frame in line["frames"])
    assert WORDS not in repr(logs)


async def test_a_result_of_another_kind_is_refused() -> None:
    """What a requester sees is what the kind declares, not whatever a runner returns."""

    class Odd(Saying):
        def run(self, params, context):  # type: ignore[no-untyped-def]  # it breaks the contract on purpose
            return {"said": params.text}

    with capture_logs() as logs:
        async with serving(Odd()) as engine:
            outcome = await engine.run(job(), unheard)
    assert outcome.status == "failed"
    assert logs[0]["error"] == "builtins.TypeError"


async def test_progress_is_bounded_and_always_the_latest() -> None:
    """Of a thousand pieces of news in a moment two arrive: the first at once or soon, and the last."""
    gate = Gate()
    reports: asyncio.Queue[Progress] = asyncio.Queue()

    def act(context: RunContext) -> None:
        context.progress(0.0, note="begun")
        gate.pass_through("begun")
        for number in range(1, 1001):
            context.progress(number / 1000, text=f"{number}")
        gate.pass_through("told")

    async with serving(Acting(act)) as engine:
        made = job()
        running = asyncio.create_task(engine.run(made, reports.put_nowait))
        await gate.arrival()
        assert await reports.get() == Progress(job_id=made.id, fraction=0.0, note="begun")
        gate.let_go()
        await gate.arrival()
        assert await reports.get() == Progress(job_id=made.id, fraction=1.0, text="1000")
        gate.let_go()
        await running
    assert reports.empty()


async def test_nothing_is_told_after_the_end() -> None:
    """Late progress must not overwrite an outcome that the requester has already seen."""
    told: asyncio.Queue[Progress] = asyncio.Queue()
    ended, following = JobContext("ended", told.put_nowait, interval=0), JobContext("next", told.put_nowait, interval=0)
    ended.progress(0.9)
    ended.close()
    following.progress(0.1)
    assert (await told.get()).job_id == "next"
    assert told.empty()


async def test_news_that_cannot_be_told_do_not_harm_the_run() -> None:
    """A broken receiver is noted without the text, and the job ends as it would have."""

    def broken(progress: Progress) -> None:
        told.set()
        raise ValueError(WORDS)

    gate, told = Gate(), asyncio.Event()

    def act(context: RunContext) -> None:
        context.progress(0.5, text=WORDS)
        gate.pass_through("told")

    with capture_logs() as logs:
        async with serving(Acting(act)) as engine:
            running = asyncio.create_task(engine.run(job(), broken))
            await gate.arrival()
            await told.wait()
            gate.let_go()
            assert (await running).status == "done"
    assert [line["error"] for line in logs] == ["ValueError"]
    assert WORDS not in repr(logs)


async def test_models_are_named_once() -> None:
    """Two kinds that share a model show it once; a runner without a model shows none."""

    class WithModel(Saying):
        @property
        def model(self) -> str:
            return "smol (bfloat16)"

    kinds = Registry([kind("one"), kind("two"), kind("three")])
    engine = Engine(kinds, {"one": WithModel(), "two": WithModel(), "three": Saying()})
    assert engine.models == ["smol (bfloat16)"]
