"""What waits for one chat, and when it may go out: answers first, then progress, then places in the queue."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from frontdesk.bots.deliverer import TryLaterError
from frontdesk.bots.tickets import Standing
from frontdesk.queue.connection import LOST
from frontdesk.queue.events import OutcomeEvent
from frontdesk.queue.jobs import Progress

News: TypeAlias = Progress | Standing
Answer: TypeAlias = Callable[[OutcomeEvent], Awaitable[None]]
Tell: TypeAlias = Callable[[str, News], Awaitable[float]]


class Outbox:
    """One chat's. Every answer is kept until it is delivered; of each job's news only the newest.

    `working` says whether a task works it off.
    """

    def __init__(self) -> None:
        self.answers: deque[OutcomeEvent] = deque()
        self.working = False
        self._news: dict[str, News] = {}
        self._not_before = 0.0
        self._next_news = 0.0
        self._changed = asyncio.Event()

    def add_answer(self, event: OutcomeEvent) -> None:
        self.drop_news(event.job_id)
        self.answers.append(event)
        self._changed.set()

    def add_news(self, job_id: str, news: News) -> None:
        self._news[job_id] = news
        self._changed.set()

    def drop_news(self, job_id: str) -> None:
        self._news.pop(job_id, None)

    @property
    def empty(self) -> bool:
        """Whether nothing waits to go out, beside what is on its way."""
        return not self.answers and not self._news

    def rested(self, now: float) -> bool:
        """Whether nothing waits, and no pause that the platform wanted is left to remember."""
        return not self.working and max(self._not_before, self._next_news) < now

    async def work_off(self, answer: Answer, tell: Tell, *, retry: float) -> None:
        """Ends when nothing is left. `answer` delivers one, `tell` shows one job's news and returns the pause in
        seconds that the chat wants after it; where they raise TryLaterError or lose Redis, they are called again."""
        now = asyncio.get_running_loop().time
        await asyncio.sleep(0)  # what was the reason to begin is put in first
        while self.answers or self._news:
            due = self._not_before if self.answers else max(self._not_before, self._next_news)
            if due > now():
                await self._until(due - now())
                continue
            try:
                if self.answers:
                    await answer(self.answers[0])
                    self.answers.popleft()
                else:
                    self._next_news = now() + await self._tell_one(tell)
            except TryLaterError as later:
                self._not_before = now() + later.seconds
            except LOST:
                self._not_before = now() + retry
        self.working = False

    async def _tell_one(self, tell: Tell) -> float:
        running = (job_id for job_id, news in self._news.items() if isinstance(news, Progress))
        job_id = next(running, None) or next(iter(self._news))
        news = self._news.pop(job_id)
        try:
            return await tell(job_id, news)
        except (TryLaterError, *LOST):
            self._news.setdefault(job_id, news)  # newer news may have come
            raise

    async def _until(self, seconds: float) -> None:
        """Wait, but look again when an answer arrives while only news was waiting."""
        self._changed.clear()
        try:
            async with asyncio.timeout(seconds):
                await self._changed.wait()
        except TimeoutError:
            return
