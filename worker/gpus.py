"""How many worker processes a machine gets, and which device is whose."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import DEVNULL, PIPE
from itertools import product

import structlog

from frontdesk.queue.keeper import end_with_parent
from frontdesk.queue.metrics import neighbour
from frontdesk.queue.settings import Settings, child_environment

log = structlog.get_logger()

COUNTING = (sys.executable, "-P", "-m", "frontdesk.worker.gpu_count")
LIMIT = 300.0  # seconds to count: torch may have to be read from a slow disk
VISIBLE = "CUDA_VISIBLE_DEVICES"
# Threads of OpenMP that wait for work keep their core busy for a while. Two processes that compute at a time take it
# from each other: a forward pass of 400 tokens took 11 s in each of two processes on two cores, and 2.1 s with threads
# that sleep. Alone it took 1.2 and 1.4 s.
WAITING = "OMP_WAIT_POLICY"


async def gpus(words: tuple[str, ...] = COUNTING) -> int:
    """How many GPUs torch can use here, asked of a process of its own. 0 where that cannot be found out: a worker
    will say why."""
    process = await asyncio.create_subprocess_exec(
        *words, stdin=DEVNULL, stdout=PIPE, env=child_environment(tokens=()), preexec_fn=end_with_parent()
    )
    try:
        async with asyncio.timeout(LIMIT):
            said, _ = await process.communicate()
        return int(said.split()[-1])
    except (TimeoutError, ValueError, IndexError):
        log.warning("GPUs cannot be counted; starting one worker", status=process.returncode)
        return 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def environments(settings: Settings, url: str, count: int) -> list[dict[str, str]]:
    """The environment of each worker process: the queue's address, a device, a lane, a port for metrics, and no bot's
    token. A device has a process for each lane, so that a long run holds up no short one.

    Of several GPUs each process sees its own only: a library that takes the first one would put them all on that. And
    it must find a GPU: a broken one stops its process, which on the processor would hold up everybody.

    url: of the queue, where settings name none. count: GPUs to use; for 0 or 1 the settings decide. Raises
    ConfigurationError where the ports for metrics end.
    """
    made = []
    for number, (device, lane) in enumerate(product(range(max(1, count)), settings.lanes)):
        own = {"lanes": lane} | ({} if settings.redis else {"redis_url": url})
        if count > 1:
            own["device"] = "cuda"
        if listen := neighbour(settings.metrics_listen, number):
            own["metrics_listen"] = listen
        environment = child_environment(tokens=(), **own)
        if count > 1:
            environment[VISIBLE] = _visible(environment.get(VISIBLE), device)
        if len(settings.lanes) > 1:
            environment.setdefault(WAITING, "PASSIVE")
        made.append(environment)
    return made


def _visible(among: str | None, number: int) -> str:
    """The name of one GPU of those that were visible, as the driver reads it: its place, or what stood there."""
    return str(number) if among is None else among.split(",")[number].strip()
