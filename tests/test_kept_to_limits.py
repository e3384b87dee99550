"""What a run may take: time, memory, and how long it may go on when nobody wants it any more."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import capable
import pytest
from queueing import KEEP, submit, until
from queueing import job as queued
from redis.asyncio import Redis
from running import Acting, Saying, SpellingRunner, TextParams, TextResult, job, kind, unheard

from frontdesk.queue import keys
from frontdesk.queue.broker import Broker
from frontdesk.queue.connection import answer
from frontdesk.queue.embedded import EmbeddedServer
from frontdesk.queue.errors import ConfigurationError, DeclarationError
from frontdesk.queue.kinds import JobKind, Registry
from frontdesk.worker import memory
from frontdesk.worker.engine import AnyRunner, Engine
from frontdesk.worker.lifeline import SUPERVISED
from frontdesk.worker.runner import CancelledRunError, OutOfMemoryError, RunContext
from frontdesk.worker.supervisor import Supervisor

MEGABYTE = 10**6
WITHIN = 30.0
CHILD = (sys.executable, str(Path(capable.__file__)), SUPERVISED)


def limited(**limits: object) -> JobKind[TextParams, TextResult]:
    return JobKind("say", "Says it back", TextParams, TextResult, cost=lambda params: 1.0, **limits)  # type: ignore[arg-type]


async def outcome_of(
    runner: AnyRunner, declared: JobKind[TextParams, TextResult], text: str = "hello"
) -> tuple[str, str | None]:
    engine = Engine(Registry([declared]), {"say": runner})
    await engine.load()
    try:
        outcome = await engine.run(job(text), unheard)
    finally:
        await engine.close()
    return outcome.status, outcome.reason


class Growing(Acting):
    """Takes so many bytes, and asks for half a second whether to go on."""

    def __init__(self, size: int) -> None:
        super().__init__(self._grow)
        self.size = size
        self.held: list[bytearray] = []
        self.raised: Exception | None = None

    def _grow(self, context: RunContext) -> None:
        try:
            self.held.append(bytearray(os.urandom(1024) * (self.size // 1024)))  # really written to
            for _ in range(25):
                context.check()
                time.sleep(0.02)
        except Exception as error:
            self.raised = error
            raise
        finally:
            self.held.clear()


async def test_a_run_that_takes_more_memory_than_declared_is_ended() -> None:
    """At its next check, with a sentence that says how much it may take."""
    runner = Growing(400 * MEGABYTE)
    said = await outcome_of(runner, limited(memory=lambda params: 100 * MEGABYTE))
    assert said == ("failed", "This needs more memory than the 100 MB that such a job may take.")
    assert isinstance(runner.raised, OutOfMemoryError)


async def test_a_run_within_its_memory_is_not_disturbed() -> None:
    """What the process held before does not count."""
    before = bytearray(os.urandom(1024) * 200_000)
    assert (await outcome_of(Growing(50 * MEGABYTE), limited(memory=lambda params: 100 * MEGABYTE)))[0] == "done"
    assert before


async def test_memory_goes_by_the_parameters() -> None:
    declared = limited(memory=lambda params: 400 * MEGABYTE if params.text == "much" else 60 * MEGABYTE)
    assert (await outcome_of(Growing(150 * MEGABYTE), declared, "much"))[0] == "done"
    assert (await outcome_of(Growing(150 * MEGABYTE), declared, "little"))[0] == "failed"


async def test_time_goes_by_the_parameters() -> None:
    """Each job has the limit of its own parameters, also in a batch that others share."""

    def act(context: RunContext) -> None:
        for _ in range(40):
            context.check()
            time.sleep(0.005)

    declared = limited(time_limit=lambda params: 60.0 if params.text == "patient" else 0.05)
    assert (await outcome_of(Acting(act), declared, "patient"))[0] == "done"
    assert await outcome_of(Acting(act), declared, "brief") == ("failed", "It took longer than 0.05 s and was stopped.")
    assert (await outcome_of(SpellingRunner(), declared, "patient"))[0] == "done"


async def test_why_a_run_is_to_end_is_what_its_check_raises() -> None:
    """Cancelled is not out of memory."""
    raised: list[Exception] = []

    def act(context: RunContext) -> None:
        loop.call_soon_threadsafe(begun.set)
        try:
            while True:
                context.check()
                time.sleep(0.005)
        except Exception as error:
            raised.append(error)
            raise

    begun, loop = asyncio.Event(), asyncio.get_running_loop()
    engine, made = Engine(Registry([kind()]), {"say": Acting(act)}), job()
    running = asyncio.create_task(engine.run(made, unheard))
    await begun.wait()
    engine.cancel(made.id)
    assert (await running).status == "cancelled"
    assert isinstance(raised[0], CancelledRunError)
    await engine.close()


@pytest.mark.parametrize(
    "limits",
    [
        {"time_limit": 0},
        {"time_limit": float("inf")},
        {"time_limit": lambda params: -1.0},
        {"memory": lambda params: 0},
        {"needs": lambda params: ("digits",)},
        {"needs": lambda params: ("say/two words",)},
        {"needs": lambda params: tuple(f"say/{number}" for number in range(5))},
    ],
)
def test_limits_that_cannot_be_meant_fail_at_declaration(limits: Mapping[str, object]) -> None:
    with pytest.raises(DeclarationError, match="kind 'say'"):
        limited(example={"text": "hello"}, **limits)


class Unloadable(Saying):
    def load(self) -> None:
        raise ConfigurationError("FRONTDESK_MODEL: /srv/models/there is not there.")


class Poor(Saying):
    def lacks(self) -> Mapping[str, str]:
        return {"one/digits": "The digits are not installed here."}


async def test_a_kind_that_cannot_be_loaded_does_not_stop_the_others() -> None:
    """It is lacking, with a sentence for who asks that shows no path, and the whole reason for admins."""
    kinds = Registry([kind("one"), kind("two"), kind("three")])
    engine = Engine(kinds, {"one": Poor(), "two": Unloadable()}, unfit={"three": "No module named 'gone'."})
    await engine.load()
    assert engine.kinds == ("one",)
    assert engine.faults == {
        "two": "FRONTDESK_MODEL: /srv/models/there is not there.",
        "three": "No module named 'gone'.",
    }
    lacks = dict(engine.lacks)
    assert lacks.pop("one/digits") == "The digits are not installed here."
    sentence = "can be run here: this worker lacks a library, a model or a setting for it."
    assert lacks == {"two": f"No two {sentence}", "three": f"No three {sentence}"}
    assert (await engine.run(job(name="one"), unheard)).status == "done"
    outcome = await engine.run(job(name="two"), unheard)  # claimed by an older rule, or to be ended
    assert (outcome.status, outcome.reason) == ("failed", f"No two {sentence}")
    await engine.close()


@pytest.mark.parametrize("runners", [{"one": Unloadable()}, {}])
async def test_a_worker_that_can_serve_nothing_stops_with_the_reason(runners: Mapping[str, AnyRunner]) -> None:
    engine = Engine(Registry([kind("one")]), runners, unfit={} if runners else {"one": "FRONTDESK_MODEL: no module."})
    with pytest.raises(ConfigurationError, match="FRONTDESK_MODEL"):
        await engine.load()


def test_a_job_may_take_what_the_container_may_have(tmp_path: Path) -> None:
    """As configured; else the machine's memory, or less where a control group has less, of version 1 or 2."""
    machine = memory.limit(None, tmp_path)
    assert machine > 100 * MEGABYTE
    (tmp_path / "memory.max").write_text("max\n")
    assert memory.limit(None, tmp_path) == machine
    (tmp_path / "memory").mkdir()
    (tmp_path / "memory" / "memory.limit_in_bytes").write_text("90000000\n")
    assert memory.limit(None, tmp_path) == 90 * MEGABYTE
    (tmp_path / "memory.max").write_text("80000000\n")
    assert memory.limit(None, tmp_path) == 80 * MEGABYTE
    assert memory.limit(5 * MEGABYTE, tmp_path) == 5 * MEGABYTE


@pytest.fixture
async def house(redis_server: EmbeddedServer, redis: Redis) -> AsyncIterator[Broker]:
    """The queue with one real worker process, under a supervisor."""
    own = {**os.environ, "FRONTDESK_REDIS_URL": redis_server.url, "FRONTDESK_STOP_GRACE": "0"}
    supervisor = Supervisor(CHILD, [own], redis, grace=0.0, keep=KEEP, first_pause=0.05)
    running = asyncio.create_task(supervisor.run())
    try:
        await until(lambda: redis.zcard(keys.WORKERS), WITHIN)
        yield Broker(redis, keep=KEEP)
    finally:
        supervisor.stop()
        supervisor.stop()
        await asyncio.gather(running, return_exceptions=True)


async def started(redis: Redis, text: str) -> int:
    """The process in which a job of this text runs, once it does."""

    async def found() -> int | None:
        for run in await answer(redis.lrange(capable.RUNS, 0, -1)):
            said, pid = run.decode().split()
            if said == text:
                return int(pid)
        return None

    pid: int = await until(found, WITHIN)
    return pid


async def cancelled_after(broker: Broker, text: str) -> float:
    """Seconds from the requester's cancelling to the outcome in their platform's stream."""
    made = queued(text=text)
    await submit(broker, made)
    await started(broker.redis, text)
    began = time.monotonic()
    assert await broker.cancel(made.id, made.requester.key) == "stopping"

    async def told() -> bool:
        return bool(await broker.redis.xlen(keys.outcomes("telegram")))

    await until(told, WITHIN)
    took = time.monotonic() - began
    record = await broker.job(made.id)
    assert record is not None
    assert record.state == "cancelled"
    return took


async def test_cancelling_takes_effect_within_two_seconds(house: Broker) -> None:
    """From the cancelling to the outcome, through a real worker process whose run checks often."""
    assert await cancelled_after(house, "checks") < 1.0


async def test_a_run_that_ignores_its_cancelling_ends_for_its_requester_and_its_process_is_replaced(
    house: Broker, redis: Redis
) -> None:
    """The outcome is there within two seconds; the next job, which came to the same process, runs in another one, and
    nobody blames it."""
    assert 1.0 < await cancelled_after(house, "deaf") < 2.0
    first, after = await started(redis, "deaf"), queued("bob", text="after")
    await submit(house, after)
    assert await started(redis, "after") != first

    async def ended() -> bool:
        record = await house.job(after.id)
        return record is not None and record.state == "done" and record.kills == 0

    await until(ended, WITHIN)
