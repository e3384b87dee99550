"""How much memory a job may take here, and whether a run keeps to what its kind declares."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil

from frontdesk.worker.runner import MemoryLimitError

LOOK = 0.2  # seconds between two looks at a run
CGROUP = Path("/sys/fs/cgroup")
CGROUP_FILES = ("memory.max", "memory/memory.limit_in_bytes")  # of version 2, and of version 1


def limit(configured: int | None, cgroup: Path = CGROUP) -> int:
    """Bytes that a job may take: as configured, or the machine's memory, or what the container may have of it."""
    if configured is not None:
        return configured
    found = [psutil.virtual_memory().total]
    for name in CGROUP_FILES:
        with suppress(OSError, ValueError):  # not there, or "max"
            found.append(int((cgroup / name).read_text()))
    return min(found)


def resident() -> int:
    """Bytes of memory that this process holds."""
    return int(psutil.Process().memory_info().rss)


class MemoryWatch:
    """Looks after one run that has the process to itself: `most` bytes by which the process may grow."""

    def __init__(self, most: int, measure: Callable[[], int] = resident, *, every: float = LOOK) -> None:
        self._most = most
        self._measure = measure
        self._every = every
        self._ceiling: int | None = None

    def begin(self) -> None:
        """The run begins: what the process holds now is not its own. From any thread."""
        self._ceiling = self._measure() + self._most

    async def exceeded(self) -> MemoryLimitError:
        """Once it took more; until then this waits, on the event loop."""
        while self._ceiling is None or self._measure() <= self._ceiling:  # noqa: ASYNC110 -- the system makes it true
            await asyncio.sleep(self._every)
        return MemoryLimitError(self._most)
