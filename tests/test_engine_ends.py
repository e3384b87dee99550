"""A job can end before its run does: cancelled, over its time, or because the worker stops."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

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

from frontdesk.queue.kinds import Registry
from frontdesk.worker import driving
from frontdesk.worker.device import Device, Share
from frontdesk.worker.engine import AnyRunner, Engine
from frontdesk.worker.runner import RunContext

WORDS = "what the user wrote"


async def test_a_running_job_is_cancelled_at_its_next_check() -> None:
    """The requester reads that it was cancelled, and the worker goes on with the next job."""
    gate = Gate()
    async with serving(Saying(gate)) as engine:
        made = job("unwanted")
        running = asyncio.create_task(engine.run(made, unheard))
        waiting = asyncio.create_task(engine.run(job("wanted"), unheard))
        await gate.arrival()
        assert engine.cancel(made.id)
        gate.let_go(None, None)
        assert (await running).status == "cancelled"
        assert (await waiting).result == {"said": "wanted"}
        assert not engine.cancel(made.id)


async def test_a_waiting_job_is_cancelled_at_once() -> None:
    """It does not wait for the device, and its runner never sees it."""
    gate = Gate()
    runner = Saying(gate)
    async with serving(runner) as engine:
        first, made = asyncio.create_task(engine.run(job(), unheard)), job("unwanted")
        await gate.arrival()
        waiting = asyncio.create_task(engine.run(made, unheard))
        await asyncio.sleep(0)
        assert engine.cancel(made.id)
        assert (await waiting).status == "cancelled"
        gate.let_go()
        await first
    assert runner.ran == ["hello"]


async def test_a_run_that_does_not_notice_its_cancellation_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a moment the requester is told; a device that is held for ten seconds more is stuck, whatever its kind may
    take."""
    monkeypatch.setattr(driving, "NOTICE", 0.01)
    gate, clock = Gate(), Clock()
    async with serving(Saying(gate), clock=clock) as engine:
        made = job()
        running = asyncio.create_task(engine.run(made, unheard))
        await gate.arrival()
        engine.cancel(made.id)
        assert (await running).status == "cancelled"
        clock.now += driving.LEAVE + driving.PATIENCE
        assert not engine.stuck
        clock.now += 1.0
        assert engine.stuck
        gate.let_go()


async def test_a_short_kind_is_stuck_by_its_own_limit() -> None:
    """Beside a kind that may take hours, and only while a call runs."""
    clock = Clock()
    device = Device(clock)

    def for_seconds(seconds: float) -> float:
        clock.now += seconds
        return device.overrun

    assert await device.call(lambda: for_seconds(100.0), share=Share(), limit=7200.0) == 0.0
    assert await device.call(lambda: for_seconds(100.0), share=Share(), limit=60.0) == 40.0
    assert await device.call(lambda: for_seconds(1e6), share=Share()) == 0.0
    assert device.overrun == 0.0
    device.close()


@pytest.mark.parametrize("make", [Batching, SpellingRunner])
async def test_a_job_in_a_batch_is_cancelled_at_once(make: Callable[[Gate], AnyRunner]) -> None:
    """Who shares its batch is served."""
    gate = Gate()
    async with serving(make(gate)) as engine:
        made = job("unwanted")
        running = [asyncio.create_task(engine.run(one, unheard)) for one in (made, job("x"))]
        await gate.arrival()
        assert engine.cancel(made.id)
        assert (await running[0]).status == "cancelled"
        gate.let_go()
        assert (await running[1]).result == {"said": "x"}


async def test_a_run_over_its_time_limit_fails() -> None:
    """The requester reads the limit, and the run ends at its next check."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()

    def act(context: RunContext) -> None:
        try:
            for _ in range(10_000):
                context.check()
                time.sleep(0.001)
        finally:
            loop.call_soon_threadsafe(stopped.set)

    async with serving(Acting(act), time_limit=0.02) as engine:
        outcome = await engine.run(job(), unheard)
        await stopped.wait()
    assert (outcome.status, outcome.reason) == ("failed", "It took longer than 0.02 s and was stopped.")


async def test_waiting_for_the_device_does_not_count_against_the_time_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """A job behind one that used up its whole limit has all of its own from when the device begins with it."""
    monkeypatch.setattr(driving, "NOTICE", 0.01)
    gate = Gate()
    async with serving(Saying(gate), time_limit=1.0) as engine:
        slow = asyncio.create_task(engine.run(job("slow"), unheard))
        patient = asyncio.create_task(engine.run(job("patient"), unheard))
        assert (await slow).status == "failed"
        gate.let_go(None, None)
        assert (await patient).status == "done"


@pytest.mark.parametrize("make", [Saying, Batching, SpellingRunner])
async def test_a_worker_that_stops_frees_the_place(make: Callable[[Gate], AnyRunner]) -> None:
    """A cancelled call raises CancelledError, so that its job goes back to the queue; the next job is served."""
    gate = Gate()
    async with serving(make(gate)) as engine:
        running = asyncio.create_task(engine.run(job("ab"), unheard))
        await gate.arrival()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        following = asyncio.create_task(engine.run(job("c"), unheard))
        gate.let_go(None, None, None)
        assert (await following).result == {"said": "c"}


async def test_closing_unloads_every_runner() -> None:
    """One bad clean-up is noted and does not keep the others from theirs."""
    unloaded = []

    class Leaving(Saying):
        def unload(self) -> None:
            unloaded.append(self)
            raise ValueError(WORDS)

    engine = Engine(Registry([kind("one"), kind("two")]), {"one": Leaving(), "two": Leaving()})
    await engine.load()
    with capture_logs() as logs:
        await engine.close()
    assert len(unloaded) == 2
    assert [line["kind"] for line in logs] == ["one", "two"]
    assert WORDS not in repr(logs)
