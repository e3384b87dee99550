"""The processes of a run of chaos: a server, two bots and a worker, which are killed and started again."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import psutil
from chaos_plan import Kill
from servers import Server

AGAIN = 0.5  # seconds after which a process that ended by itself is started again, as a service would be
THERE = 60.0  # seconds to wait for what is to be killed; a longer absence is let be
SERVICES: Mapping[str, tuple[str, ...]] = {
    "telegram": (sys.executable, "-m", "frontdesk.bots.cli", "telegram"),
    "discord": (sys.executable, "-m", "frontdesk.bots.cli", "discord"),
    "worker": (sys.executable, str(Path(__file__).with_name("chaos_worker.py"))),
}


class Service:
    """One process that is kept running, but for the seconds after its kill. Its log is one file for all its lives."""

    def __init__(self, words: tuple[str, ...], environment: Mapping[str, str], log: Path) -> None:
        self.log = log
        self.own_ends: Counter[int] = Counter()  # exits that nobody asked for, by status
        self._words = words
        self._environment = environment
        self._process: asyncio.subprocess.Process | None = None
        self._away = 0.0
        self._seen: set[psutil.Process] = set()

    async def keep(self) -> None:
        """Start it, and start it again, until cancelled."""
        with self.log.open("ab") as output:
            while True:
                process = self._process = await asyncio.create_subprocess_exec(
                    *self._words, env=self._environment, cwd=self.log.parent, stdout=output, stderr=output
                )
                status = await process.wait()
                if status != -signal.SIGKILL:
                    self.own_ends[status] += 1
                away, self._away = self._away or AGAIN, 0.0
                await asyncio.sleep(away)

    def kill(self, away: float) -> bool:
        """kill -9; False where there is nothing to kill just now."""
        if self._process is None or self._process.returncode is not None:
            return False
        self.children()
        self._away = away
        self._process.kill()
        return True

    def children(self) -> list[psutil.Process]:
        """Its children, also remembered for the end."""
        if self._process is None or self._process.returncode is not None:
            return []
        with suppress(psutil.Error):
            found: list[psutil.Process] = psutil.Process(self._process.pid).children(recursive=True)
            self._seen |= set(found)
            return sorted(found, key=lambda child: child.pid)
        return []

    async def end(self) -> None:
        """End it, and what is left of its children. Call it when it is no longer kept."""
        self.children()
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()
        for child in self._seen:
            with suppress(psutil.Error):  # psutil compares the times of creation: never another process of that id
                child.kill()
        await asyncio.to_thread(psutil.wait_procs, list(self._seen), 5)


class Building:
    """All processes. `kills` counts those that hit something."""

    def __init__(self, server: Server, services: Mapping[str, Service], source: random.Random) -> None:
        self.server = server
        self.services = services
        self.kills: Counter[str] = Counter()
        self._source = source
        self._restarts: set[asyncio.Task[None]] = set()

    async def strike(self, kill: Kill) -> None:
        """Kill what is meant, as soon as it is there, and count it; of a worker's children, one by chance."""
        if kill.target == "server":
            restart = asyncio.create_task(self._restart(kill.away))
            self._restarts.add(restart)
            await asyncio.shield(restart)
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(THERE):
                while not self._killed(kill):  # noqa: ASYNC110 - the other process makes it true
                    await asyncio.sleep(0.05)
                self.kills[kill.target] += 1

    def _killed(self, kill: Kill) -> bool:
        if kill.target != "child":
            return self.services[kill.target].kill(kill.away)
        if children := self.services["worker"].children():
            with suppress(psutil.Error):
                self._source.choice(children).kill()
                return True
        return False

    async def _restart(self, away: float) -> None:
        await asyncio.to_thread(self.server.kill)
        self.kills["server"] += 1
        await asyncio.sleep(away)
        await asyncio.to_thread(self.server.start)

    async def settled(self) -> None:
        """Returns when no restart of the server is under way."""
        await asyncio.gather(*self._restarts, return_exceptions=True)

    @property
    def logged(self) -> list[str]:
        return [line for each in self.services.values() for line in each.log.read_text("utf-8", "replace").splitlines()]


@asynccontextmanager
async def building(
    program: Path, folder: Path, source: random.Random, settings: Mapping[str, str]
) -> AsyncIterator[Building]:
    """Everything started; ended whatever happens. `settings`: more variables for bots and worker."""
    server = Server(program, folder / "server", {"port": "0", "unixsocket": f"{folder}/s", "appendfsync": "everysec"})
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("FRONTDESK_")},
        "FRONTDESK_REDIS_URL": server.url,
        "FRONTDESK_DATA_DIR": str(folder),
        "FRONTDESK_LOG_FORMAT": "json",
        "FRONTDESK_STOP_GRACE": "1",
        **settings,
    }
    services = {name: Service(words, environment, folder / f"{name}.log") for name, words in SERVICES.items()}
    await asyncio.to_thread(server.start)
    keeping = [asyncio.create_task(service.keep()) for service in services.values()]
    opened = Building(server, services, source)
    try:
        yield opened
    finally:
        await opened.settled()
        for task in keeping:
            task.cancel()
        await asyncio.gather(*keeping, return_exceptions=True)
        await asyncio.gather(*(service.end() for service in services.values()))
        server.kill()
