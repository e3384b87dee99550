"""A worker process from its first sign of life to its last: load, take jobs until told to stop, hand back what runs."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import socket
import time
from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from typing import Any, Protocol

import structlog
from redis.asyncio import Redis

from frontdesk.queue.connection import connected, reachable
from frontdesk.worker.arq_worker import LeasedWorker
from frontdesk.worker.lifeline import LEAVE, Lifeline, Pulse, beating

log = structlog.get_logger()


class Engine(Protocol):
    """What is loaded, and what a supervisor hears of: see `frontdesk.worker.engine.Engine`."""

    @property
    def models(self) -> list[str]: ...

    @property
    def jobs(self) -> tuple[str, ...]: ...

    @property
    def held_for(self) -> float: ...

    @property
    def stuck(self) -> bool: ...

    async def load(self) -> None: ...

    async def close(self) -> None: ...


async def serve(
    engine: Engine,
    url: str,
    employed: Callable[[Redis, str], AbstractAsyncContextManager[LeasedWorker]],
    lifeline: Lifeline,
    *,
    grace: float,
) -> bool:
    """Serve until SIGTERM or SIGINT, or until the parent is gone. True if the device still runs a call by then.

    url: of the queue. employed: makes the worker, with its id, once the engine is loaded. grace: seconds that running
    jobs get in the end. Raises what loading raises.
    """
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    lifeline.when_lost(lambda: loop.call_soon_threadsafe(stop.set), within=grace + LEAVE)
    worker_id, ready = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(2)}", False

    def pulse() -> Pulse:
        held = engine.held_for
        return Pulse(worker=worker_id, ready=ready, stuck=engine.stuck, held_for=held, jobs=engine.jobs)

    async with beating(lifeline, pulse) as say, connected(url) as redis, AsyncExitStack() as stack:
        if not await _unless(stop, _load(engine)):
            return engine.held_for > 0
        stack.push_async_callback(engine.close)
        if await _unless(stop, reachable(redis)):
            worker = await stack.enter_async_context(employed(redis, worker_id))
            ready = True
            say()
            await _work(worker, stop, grace)
    log.info("stopped")
    return engine.held_for > 0


async def _load(engine: Engine) -> None:
    log.info("loading")
    began = time.monotonic()
    await engine.load()
    log.info("ready", seconds=round(time.monotonic() - began, 1), models=engine.models)


async def _work(worker: LeasedWorker, stop: asyncio.Event, grace: float) -> None:
    working, stopping = asyncio.create_task(worker.main()), asyncio.create_task(stop.wait())
    await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
    if stop.is_set():
        log.info("draining", grace=grace)
        await worker.drain(grace)
    stopping.cancel()
    await working


async def _unless(stop: asyncio.Event, work: Coroutine[Any, Any, object]) -> bool:
    """Do the work, or leave it when told to stop; False if it was left."""
    doing, stopping = asyncio.create_task(work), asyncio.create_task(stop.wait())
    await asyncio.wait({doing, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if not doing.done():
        doing.cancel()
        return False
    await doing
    return True
