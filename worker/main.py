"""A worker process: load and warm the models, then take jobs until told to stop."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import socket
import sys
import time
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack, ExitStack
from typing import Any

import structlog

from frontdesk.queue import logs
from frontdesk.queue.connection import connected, reachable
from frontdesk.queue.embedded import ensure_server
from frontdesk.queue.errors import ConfigurationError, FrontdeskError
from frontdesk.queue.kinds import Registry
from frontdesk.queue.report import WorkerState
from frontdesk.queue.settings import Settings, load_settings
from frontdesk.worker.arq_worker import LeasedWorker
from frontdesk.worker.engine import Engine, installed_runners
from frontdesk.worker.models import ModelStore, chosen_device, device_name, memory_used
from frontdesk.worker.runner import Bench

log = structlog.get_logger()


def main() -> int:
    """Exit status: 0 after a drain, 2 for a setting that is wrong."""
    try:
        settings = load_settings()
        logs.configure(settings.log_format, settings.log_level)
        asyncio.run(serve(settings))
    except FrontdeskError as error:
        print(f"frontdesk worker: {error}", file=sys.stderr)  # noqa: T201 - for whoever started the process
        return 2
    except PermissionError as error:  # of the data folder
        print(f"frontdesk worker: {error.strerror}: {error.filename}", file=sys.stderr)  # noqa: T201 - likewise
        return 2
    return 0


async def serve(settings: Settings) -> None:
    """Run one worker until SIGTERM or SIGINT. Raises ConfigurationError."""
    every = Registry.installed()
    kinds = Registry([kind for kind in every.values() if kind.lane in settings.lanes])
    if not kinds:
        raise ConfigurationError(f"FRONTDESK_LANES names {', '.join(settings.lanes)}, but no kind runs in such a lane.")
    bench = Bench(ModelStore(settings), settings.data_dir)
    engine = Engine(kinds, installed_runners(list(kinds), bench))
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    with ExitStack() as stack:
        url = settings.redis or stack.enter_context(ensure_server(settings.data_dir))
        log.info("loading", kinds=list(kinds))
        began = time.monotonic()
        if not await _unless(stop, engine.load()):
            return
        log.info("ready", seconds=round(time.monotonic() - began, 1), models=list(engine.models))
        async with connected(url) as redis, AsyncExitStack() as closing:
            closing.push_async_callback(engine.close)
            if not await _unless(stop, reachable(redis)):
                return
            worker = LeasedWorker(
                redis,
                engine,
                worker_id=f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(2)}",
                kinds=kinds,
                lanes=dict.fromkeys(settings.lanes, settings.slots),
                describe=_describer(settings, engine, tuple(kinds)),
                keep=settings.keep_results_days * 86_400,
                max_wait=settings.max_wait_hours * 3600,
            )
            working = asyncio.create_task(worker.main())
            stopping = asyncio.create_task(stop.wait())
            await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if stop.is_set():
                log.info("draining", grace=settings.stop_grace)
                await worker.drain(settings.stop_grace)
            stopping.cancel()
            await working
            log.info("stopped")


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


def _describer(
    settings: Settings, engine: Engine, kinds: tuple[str, ...]
) -> Callable[[str, tuple[str, ...]], WorkerState]:
    device, started = chosen_device(settings), time.time()

    def describe(worker_id: str, jobs: tuple[str, ...]) -> WorkerState:
        return WorkerState(
            id=worker_id,
            lanes=settings.lanes,
            kinds=kinds,
            device=device_name(device),
            models=tuple(engine.models),
            memory=memory_used(device),
            started_at=started,
            jobs=jobs,
        )

    return describe


if __name__ == "__main__":
    sys.exit(main())
