"""Requests that arrive together share a pass of the device."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from running import Batching, Clock, Gate, TextParams, TextResult, context, said

from frontdesk.worker import batching
from frontdesk.worker.batching import Joiner, passes
from frontdesk.worker.device import Device, Share
from frontdesk.worker.runner import OutOfMemoryError


@pytest.fixture
async def device() -> AsyncIterator[Device]:
    device = Device()
    yield device
    device.close()


async def ask(joiner: Joiner[TextParams, TextResult], *texts: str) -> list[TextResult | BaseException]:
    return await asyncio.gather(*(joiner.run(said(text), context(text)) for text in texts), return_exceptions=True)


async def let_through(gate: Gate) -> None:
    await gate.arrival()
    gate.let_go()


async def entered(*tasks: asyncio.Task[TextResult]) -> None:
    """Let what is ready on the event loop run to where it waits."""
    await asyncio.sleep(0)


async def test_concurrent_requests_share_one_pass(device: Device) -> None:
    """Each asker gets the result of their own text, though one pass served all, sorted by length."""
    runner = Batching()
    results = await ask(Joiner(runner, device), "three", "two", "a")
    assert results == [TextResult(said="three"), TextResult(said="two"), TextResult(said="a")]
    assert runner.batches == [["a", "two", "three"]]


async def test_arrivals_during_a_pass_are_joined_without_another_wait(device: Device) -> None:
    """Who comes while the device is busy waits for that pass only, however long the collecting may take."""
    gate = Gate()
    runner = Batching(gate)
    joiner = Joiner(runner, device)
    first = asyncio.create_task(joiner.run(said("first"), context()))
    assert await gate.arrival() == ["first"]
    runner.max_wait = 3600.0
    later = [asyncio.create_task(joiner.run(said(text), context())) for text in ("second", "third")]
    await entered(*later)
    gate.let_go(None, None)
    assert await gate.arrival() == ["third", "second"]
    await asyncio.gather(first, *later)


async def test_a_later_collection_overtakes_nobody(device: Device) -> None:
    """A long text that was there before is served before a short one that came after."""
    gate = Gate()
    runner = Batching(gate)
    joiner = Joiner(runner, device)
    early = [asyncio.create_task(joiner.run(said(text), context())) for text in ("x", "y" * 90)]
    assert await gate.arrival() == ["x"]
    late = asyncio.create_task(joiner.run(said("z"), context()))
    await entered(late)
    gate.let_go(None, None, None)
    await asyncio.gather(*early, late)
    assert runner.batches == [["x"], ["y" * 90], ["z"]]


@given(st.lists(st.integers(1, 300), max_size=40), st.integers(1, 500))
def test_passes_hold_every_item_within_the_budget(lengths: list[int], budget: int) -> None:
    """Longest times count stays within the budget, unless one item alone is longer; nothing is lost or doubled."""
    cut = passes(lengths, budget, length=lambda length: length)
    assert [length for batch in cut for length in batch] == sorted(lengths)
    assert all(max(batch) * len(batch) <= budget or len(batch) == 1 for batch in cut)


async def test_short_and_long_texts_are_not_padded_together_beyond_the_budget(device: Device) -> None:
    """A pass of padded tokens has a bound: three short texts together, the long one alone."""
    runner = Batching()
    await ask(Joiner(runner, device), "a" * 80, "bb", "cc", "dd")
    assert runner.batches == [["bb", "cc", "dd"], ["a" * 80]]


async def test_a_batch_too_large_for_memory_is_halved_until_it_fits(device: Device) -> None:
    """Nobody notices that memory was short."""
    runner = Batching(fits=8)
    texts = ["aaa", "bbb", "ccc", "ddd"]
    assert await ask(Joiner(runner, device), *texts) == [TextResult(said=text) for text in texts]
    assert [len(batch) for batch in runner.batches] == [4, 2, 2]


async def test_only_the_text_that_fits_nowhere_fails(device: Device) -> None:
    """Out of memory is final for a text that does not fit alone; its neighbours get their results."""
    results = await ask(Joiner(Batching(fits=8), device), "aa", "b" * 20, "cc")
    assert [type(result) for result in results] == [TextResult, OutOfMemoryError, TextResult]


async def test_one_bad_text_fails_alone(device: Device) -> None:
    """A text that breaks the whole pass is found by running each alone."""
    results = await ask(Joiner(Batching(poison="bad"), device), "good", "bad", "fine")
    assert [type(result) for result in results] == [TextResult, ValueError, TextResult]


async def test_a_text_that_cannot_be_measured_fails_alone(device: Device) -> None:
    """A fault before the pass is as private as one in it."""
    results = await ask(Joiner(Batching(), device), "good", "unmeasurable")
    assert [type(result) for result in results] == [TextResult, ValueError]


async def test_a_runner_that_loses_results_mixes_nobody_up(device: Device) -> None:
    """Two texts and one result: nobody gets another one's answer; each is run alone instead."""

    class Losing(Batching):
        def run_batch(self, batch):  # type: ignore[no-untyped-def]  # as the base class declares it
            return super().run_batch(batch)[:1]

    results = await ask(Joiner(Losing(), device), "a", "b")
    assert results == [TextResult(said="a"), TextResult(said="b")]


async def test_a_request_cancelled_before_its_pass_is_dropped(device: Device) -> None:
    """Its text never reaches the runner."""
    gate = Gate()
    runner = Batching(gate)
    joiner = Joiner(runner, device)
    first = asyncio.create_task(joiner.run(said("first"), context()))
    await gate.arrival()
    unwanted, wanted = (asyncio.create_task(joiner.run(said(text), context())) for text in ("unwanted", "wanted"))
    await entered(unwanted, wanted)
    unwanted.cancel()
    gate.let_go(None, None)
    await asyncio.gather(first, wanted)
    assert runner.batches == [["first"], ["wanted"]]


async def test_a_pass_that_nobody_waits_for_is_left_out(device: Device) -> None:
    """A long text whose requester went away during the pass before costs no time."""
    gate = Gate()
    runner = Batching(gate)
    joiner = Joiner(runner, device)
    short, long = (asyncio.create_task(joiner.run(said(text), context())) for text in ("a", "b" * 90))
    await gate.arrival()
    long.cancel()
    gate.let_go()
    await short
    await asyncio.wait([long])
    assert (await asyncio.gather(joiner.run(said("c"), context()), let_through(gate)))[0].said == "c"
    assert runner.batches == [["a"], ["c"]]


async def test_a_fault_of_the_driver_itself_leaves_nobody_waiting(
    device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Should joining go wrong in a way that nobody thought of, all who sit are told; the next are served."""
    joiner = Joiner(Batching(), device)
    with monkeypatch.context() as patch:
        patch.setattr(batching, "passes", None)
        assert [type(result) for result in await ask(joiner, "a", "b")] == [TypeError, TypeError]
    assert await ask(joiner, "c") == [TextResult(said="c")]


async def test_a_pass_is_paid_for_by_tokens() -> None:
    """The device's seconds are shared among the jobs of a pass in proportion to their lengths."""
    clock = Clock()
    device = Device(clock)
    joiner = Joiner(Batching(clock=clock), device)
    short, long = context(), context()
    await asyncio.gather(joiner.run(said("a"), short), joiner.run(said("bbb"), long))
    device.close()
    assert (short.device_seconds, long.device_seconds) == (0.25, 0.75)


async def test_closing_cancels_who_waits(device: Device) -> None:
    """A stopping worker leaves nobody hanging, neither in a pass nor before it."""
    gate = Gate()
    joiner = Joiner(Batching(gate), device)
    first = asyncio.create_task(joiner.run(said("first"), context()))
    await gate.arrival()
    second = asyncio.create_task(joiner.run(said("second"), context()))
    await entered(second)
    await joiner.close()
    results = await asyncio.gather(first, second, return_exceptions=True)
    gate.let_go()
    assert [type(result) for result in results] == [asyncio.CancelledError, asyncio.CancelledError]


async def test_long_passes_and_short_steps_get_equal_time() -> None:
    """While a kind with 3-second passes and one with 0.1-second steps are both busy, each has half of the device."""
    clock = Clock()
    device = Device(clock)
    order: list[str] = []

    async def use(name: str, seconds: float, calls: int) -> None:
        share = Share()

        def work() -> None:
            clock.now += seconds
            order.append(name)

        for _ in range(calls):
            await device.call(work, share=share)

    await asyncio.gather(use("pass", 3.0, 4), use("step", 0.1, 100))
    device.close()
    runs = [(name, len(list(group))) for name, group in itertools.groupby(order)]
    assert [name for name, _ in runs] == ["pass", "step"] * 4
    assert all(abs(count - 30) <= 1 for name, count in runs[:-1] if name == "step")


async def test_whatever_a_runner_raises_comes_back(device: Device) -> None:
    """Not even what futures cannot carry leaves its caller waiting or stops the thread."""

    def stopping() -> None:
        raise StopIteration

    def leaving() -> None:
        raise SystemExit(3)

    for function in (stopping, leaving):
        with pytest.raises(RuntimeError, match="a runner raised"):
            await device.call(function, share=Share())
    assert await device.call(lambda: "still here", share=Share()) == "still here"


async def test_a_call_that_is_cancelled_before_its_turn_never_runs(device: Device) -> None:
    """Neither while another runs nor in the moment in which its own turn has come; the device stays usable."""
    gate, ran = Gate(), []
    first = asyncio.create_task(device.call(lambda: gate.pass_through("first"), share=Share()))
    await gate.arrival()
    waiting = asyncio.create_task(device.call(lambda: ran.append("waiting"), share=Share()))
    await entered()
    waiting.cancel()
    gate.let_go()
    await first
    chosen = asyncio.create_task(device.call(lambda: ran.append("chosen"), share=Share()))
    await entered()  # it asks for its turn
    await entered()  # it gets it
    chosen.cancel()
    assert await device.call(lambda: "still here", share=Share()) == "still here"
    assert not ran
