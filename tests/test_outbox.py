"""One chat's outbox: what goes first, what is shed, and what waits."""

from __future__ import annotations

import asyncio

import pytest
from queueing import until

from frontdesk.bots.deliverer import TryLaterError
from frontdesk.bots.outbox import News, Outbox
from frontdesk.bots.tickets import Standing
from frontdesk.queue.events import OutcomeEvent
from frontdesk.queue.jobs import Progress, Ticket


class Hand:
    """Writes down what goes out, and fails as the test says."""

    def __init__(self, *faults: Exception, pause: float = 0.0) -> None:
        self.out: list[str] = []
        self.faults = list(faults)
        self.pause = pause
        self.news: dict[str, News] = {}

    async def answer(self, event: OutcomeEvent) -> None:
        self._fail()
        self.out.append(f"answer {event.job_id}")

    async def tell(self, job_id: str, news: News) -> float:
        self._fail()
        self.out.append(f"{type(news).__name__} {job_id}")
        self.news[job_id] = news
        return self.pause

    def _fail(self) -> None:
        if self.faults:
            raise self.faults.pop(0)


def place(job_id: str, position: int = 3) -> Standing:
    return Standing(Ticket(job_id, position, 10.0))


async def worked_off(outbox: Outbox, hand: Hand) -> list[str]:
    await asyncio.wait_for(outbox.work_off(hand.answer, hand.tell, retry=0.01), 10)
    return hand.out


async def test_answers_go_first_then_progress_then_places() -> None:
    """Whatever came first."""
    outbox = Outbox()
    outbox.add_news("waits", place("waits"))
    outbox.add_news("runs", Progress(job_id="runs"))
    outbox.add_answer(OutcomeEvent("1-0", "done"))
    assert await worked_off(outbox, Hand()) == ["answer done", "Progress runs", "Standing waits"]


async def test_of_one_jobs_news_only_the_newest_waits() -> None:
    """A place gives way to the start, the start to the place of a job that went back, and all of it to the answer."""
    outbox, hand = Outbox(), Hand()
    outbox.add_news("started", place("started"))
    outbox.add_news("started", Progress(job_id="started", text="so far"))
    outbox.add_news("back", Progress(job_id="back"))
    outbox.add_news("back", place("back", 2))
    outbox.add_news("ended", Progress(job_id="ended"))
    outbox.add_answer(OutcomeEvent("1-0", "ended"))
    assert await worked_off(outbox, hand) == ["answer ended", "Progress started", "Standing back"]
    assert hand.news["back"] == place("back", 2)


async def test_news_wait_for_the_pause_that_the_platform_wants() -> None:
    """They are not lost by it."""
    outbox = Outbox()
    outbox.add_news("runs", Progress(job_id="runs"))
    assert await worked_off(outbox, Hand(TryLaterError(0.01), ConnectionError())) == ["Progress runs"]


async def test_news_that_came_while_others_were_refused_replace_them() -> None:
    """The platform wanted a pause: after it, the newest is shown."""
    outbox = Outbox()

    class Refusing(Hand):
        async def tell(self, job_id: str, news: News) -> float:
            if self.faults:
                outbox.add_news(job_id, place(job_id, 1))
            return await super().tell(job_id, news)

    hand = Refusing(TryLaterError(0.01))
    outbox.add_news("waits", place("waits", 3))
    assert await worked_off(outbox, hand) == ["Standing waits"]
    assert hand.news["waits"] == place("waits", 1)


async def test_an_answer_does_not_wait_for_the_budget_of_news() -> None:
    """An hour's pause between edits, and an answer that comes in it."""
    outbox, hand = Outbox(), Hand(pause=3600.0)
    outbox.add_news("runs", Progress(job_id="runs"))
    outbox.add_news("waits", place("waits"))
    working = asyncio.create_task(outbox.work_off(hand.answer, hand.tell, retry=0.01))
    await until(lambda: hand.out)
    outbox.add_answer(OutcomeEvent("1-0", "runs"))
    await until(lambda: len(hand.out) == 2)
    working.cancel()
    assert hand.out == ["Progress runs", "answer runs"]


@pytest.mark.parametrize("fault", [TryLaterError(0.01), ConnectionError()])
async def test_an_answer_is_tried_until_it_is_delivered(fault: Exception) -> None:
    """In its turn: the second does not overtake it."""
    outbox = Outbox()
    for number in (1, 2):
        outbox.add_answer(OutcomeEvent(f"{number}-0", str(number)))
    assert await worked_off(outbox, Hand(fault)) == ["answer 1", "answer 2"]
