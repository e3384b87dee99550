"""A running batch that jobs join and leave between steps."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from running import Clock, Gate, SpellingRunner, TextParams, TextResult, context, said

from frontdesk.queue.jobs import Progress
from frontdesk.worker.context import JobContext
from frontdesk.worker.device import Device, Share
from frontdesk.worker.runner import OutOfMemoryError, RunError
from frontdesk.worker.stepping import RunningBatch


@pytest.fixture
async def device() -> AsyncIterator[Device]:
    device = Device()
    yield device
    device.close()


async def started(batch: RunningBatch[TextParams, TextResult], *texts: str) -> list[asyncio.Task[TextResult]]:
    """The jobs sit when this returns."""
    tasks = [asyncio.create_task(batch.run(said(text), context(text))) for text in texts]
    await asyncio.sleep(0)
    return tasks


async def held_steps(gate: Gate, tasks: list[asyncio.Task[TextResult]]) -> list[list[str]]:
    """Let every step go until all tasks are done; what each step worked on."""
    together = asyncio.gather(*tasks, return_exceptions=True)
    steps = []
    while not together.done():
        arrival = asyncio.create_task(gate.arrival())
        await asyncio.wait([arrival, together], return_when=asyncio.FIRST_COMPLETED)
        if arrival.done():
            steps.append(arrival.result())
            gate.let_go()
        arrival.cancel()
    return steps


async def test_a_newcomer_joins_at_the_next_step(device: Device) -> None:
    """Nobody waits for a whole batch to end."""
    gate = Gate()
    batch = RunningBatch(SpellingRunner(gate), device)
    tasks = await started(batch, "abcd")
    assert await gate.arrival() == ["abcd"]
    tasks += await started(batch, "xy")
    gate.let_go()
    assert await held_steps(gate, tasks) == [["abcd", "xy"], ["abcd", "xy"], ["abcd"]]
    assert [task.result().said for task in tasks] == ["abcd", "xy"]


async def test_beyond_the_most_jobs_the_rest_waits_in_order(device: Device) -> None:
    """A place that becomes free goes to whoever has waited longest."""
    gate = Gate()
    tasks = await started(RunningBatch(SpellingRunner(gate), device), "aaa", "b", "cc", "dd", "e")
    steps = await held_steps(gate, tasks)
    assert steps == [["aaa", "b", "cc"], ["aaa", "cc", "dd"], ["aaa", "dd", "e"]]


async def test_a_cancelled_job_is_out_before_the_next_step(device: Device) -> None:
    """Its place is free at once, and the others go on as if nothing had happened."""
    gate = Gate()
    runner = SpellingRunner(gate)
    tasks = await started(RunningBatch(runner, device), "aaa", "bbb", "ccc", "ddd")
    await gate.arrival()
    tasks[1].cancel()
    await asyncio.sleep(0)
    gate.let_go()
    assert await held_steps(gate, tasks) == [["aaa", "ccc", "ddd"], ["aaa", "ccc", "ddd"], ["ddd"]]
    assert [task.cancelled() for task in tasks] == [False, True, False, False]
    assert not runner.batches[0].jobs


async def test_short_memory_parks_the_newest_half_and_loses_nothing(device: Device) -> None:
    """Jobs that had to make room go on where they were: no letter is said twice, and everybody gets all of theirs."""
    runner = SpellingRunner(fits=9)
    tasks = await started(RunningBatch(runner, device), "aaaaa", "bbbbb", "ccccc")
    assert [result.said for result in await asyncio.gather(*tasks)] == ["aaaaa", "bbbbb", "ccccc"]
    steps = ["".join(text[0] for text in step) for step in runner.steps]
    # Twelve letters do not fit, then ten do not; both go on with their fourth and fifth when there is room.
    assert steps == ["abc", "abc", "abc", "abc", "ab", "ab", "a", "bc", "c"]


async def test_a_parked_job_that_is_cancelled_is_forgotten(device: Device) -> None:
    """It takes no place and no memory any more."""
    gate = Gate()
    runner = SpellingRunner(gate, fits=3)
    tasks = await started(RunningBatch(runner, device), "aaa", "bbb")
    for _ in range(2):  # the second step does not fit
        await gate.arrival()
        gate.let_go()
    assert await gate.arrival() == ["aaa"]
    assert len(runner.batches[0].parked) == 1
    tasks[1].cancel()
    gate.let_go()
    assert await held_steps(gate, tasks) == [["aaa"]]
    assert not runner.batches[0].parked


async def test_a_job_that_does_not_fit_alone_fails(device: Device) -> None:
    """Out of memory is final for the one job, and the next is served."""
    batch = RunningBatch(SpellingRunner(fits=3), device)
    (large,) = await started(batch, "abcdef")
    with pytest.raises(OutOfMemoryError):
        await large
    (small,) = await started(batch, "abc")
    assert (await small).said == "abc"


async def test_a_newcomer_that_does_not_fit_waits_for_room(device: Device) -> None:
    """It joins when another has left, and does not fail for having come at a bad time."""
    gate = Gate()
    runner = SpellingRunner(gate)
    batch = RunningBatch(runner, device)
    tasks = await started(batch, "aaa")
    await gate.arrival()
    runner.refused["bb"] = OutOfMemoryError("full")
    tasks += await started(batch, "bb")
    gate.let_go()
    assert await held_steps(gate, tasks) == [["aaa"], ["aaa"], ["bb"], ["bb"]]
    assert [task.result().said for task in tasks] == ["aaa", "bb"]


async def test_a_newcomer_that_does_not_even_fit_alone_fails(device: Device) -> None:
    """Nobody will leave whose room it could take."""
    runner = SpellingRunner()
    runner.refused["large"] = OutOfMemoryError("full")
    with pytest.raises(OutOfMemoryError):
        await RunningBatch(runner, device).run(said("large"), context())


async def test_a_refused_newcomer_fails_alone(device: Device) -> None:
    """Its requester reads why; the batch does not notice."""
    runner = SpellingRunner()
    runner.refused["bad"] = RunError("The prompt is too long.")
    good, bad = await started(RunningBatch(runner, device), "good", "bad")
    with pytest.raises(RunError, match="too long"):
        await bad
    assert (await good).said == "good"


async def test_a_broken_step_fails_its_batch_and_serves_the_rest(device: Device) -> None:
    """After an unexpected fault a new batch is made for those who were not in the broken one."""
    gate = Gate()
    runner = SpellingRunner(gate)
    tasks = await started(RunningBatch(runner, device), "a", "b", "c", "later")
    await gate.arrival()
    gate.let_go(ValueError("broken"))
    steps = await held_steps(gate, tasks)
    assert [type(task.exception()) for task in tasks[:3]] == [ValueError] * 3
    assert tasks[3].result().said == "later"
    assert steps == [["later"]] * 5
    assert len(runner.batches) == 2


async def test_a_step_is_paid_evenly_and_joining_by_the_newcomer() -> None:
    """The device's seconds add up: 10 to join for each, and half of every second that two shared."""
    clock = Clock()
    device = Device(clock)
    batch = RunningBatch(SpellingRunner(clock=clock), device)
    short, long = context(), context()
    await asyncio.gather(batch.run(said("ab"), short), batch.run(said("abcd"), long))
    device.close()
    assert (short.device_seconds, long.device_seconds) == (11.0, 13.0)


async def test_other_work_gets_its_turn_between_two_steps(device: Device) -> None:
    """A score does not wait until a text is written."""
    gate = Gate()
    tasks = await started(RunningBatch(SpellingRunner(gate), device), "abc")
    await gate.arrival()
    order: list[str] = []
    score = asyncio.create_task(device.call(lambda: order.append("score"), share=Share()))
    await asyncio.sleep(0)
    gate.let_go()
    await score
    assert not tasks[0].done()
    await held_steps(gate, tasks)


async def test_the_text_so_far_is_told(device: Device) -> None:
    """A requester watches the text grow."""
    gate = Gate()
    news: asyncio.Queue[Progress] = asyncio.Queue()
    batch = RunningBatch(SpellingRunner(gate), device)
    task = asyncio.create_task(batch.run(said("abcd"), JobContext("job", news.put_nowait)))
    await gate.arrival()
    gate.let_go()
    assert await news.get() == Progress(job_id="job", fraction=0.25, text="a")
    await held_steps(gate, [task])


async def test_a_runner_that_cannot_begin_a_batch_fails_who_waits(device: Device) -> None:
    """A fault outside every job still ends every job."""

    class Broken(SpellingRunner):
        def stepper(self):  # type: ignore[no-untyped-def]  # it never returns
            raise ValueError("no batch")

    tasks = await started(RunningBatch(Broken(), device), "a", "b")
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(result) for result in results] == [ValueError, ValueError]
