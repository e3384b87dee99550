"""Something that lives in an event loop of its own, for tests that drive a browser and have none."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from typing import TypeVar

T = TypeVar("T")

PATIENCE = 60.0  # seconds


@contextmanager
def in_a_thread(opened: Callable[[], AbstractAsyncContextManager[T]]) -> Iterator[T]:
    """What `opened` gives, open in another thread inside the block. What fails there is raised here."""
    ready, ended = threading.Event(), asyncio.Event()
    found: list[tuple[T, asyncio.AbstractEventLoop]] = []
    failed: list[BaseException] = []

    async def live() -> None:
        async with opened() as given:
            found.append((given, asyncio.get_running_loop()))
            ready.set()
            await ended.wait()

    def run() -> None:
        try:
            asyncio.run(live())
        except BaseException as error:  # told in the test's own thread
            failed.append(error)
        finally:
            ready.set()

    thread = threading.Thread(target=run)
    thread.start()
    ready.wait(PATIENCE)
    try:
        if failed:
            raise failed[0]
        yield found[0][0]
    finally:
        if found:
            found[0][1].call_soon_threadsafe(ended.set)
        thread.join(PATIENCE)
    if failed:
        raise failed[0]
