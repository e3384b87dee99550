"""The worker process that `frontdesk.worker.main` starts for each device: models, runners, and the queue.

Started by hand (`python -m frontdesk.worker.serving`) it works as well, with nobody to start it again.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

from prometheus_client import CollectorRegistry
from redis.asyncio import Redis

from frontdesk.queue import logs
from frontdesk.queue.artifacts import ArtifactStore
from frontdesk.queue.connection import connected
from frontdesk.queue.embedded import ensure_server
from frontdesk.queue.errors import ConfigurationError, FrontdeskError
from frontdesk.queue.kinds import Registry
from frontdesk.queue.metrics import exposed
from frontdesk.queue.report import WorkerState
from frontdesk.queue.retention import Retention, swept
from frontdesk.queue.settings import Settings, load_settings
from frontdesk.worker import duty
from frontdesk.worker.arq_worker import LeasedWorker
from frontdesk.worker.engine import Engine, installed_runners
from frontdesk.worker.lifeline import CONFIGURATION_STATUS, SUPERVISED, Lifeline
from frontdesk.worker.memory import limit as job_memory
from frontdesk.worker.metrics import WorkerMetrics
from frontdesk.worker.models import ModelStore, chosen_device, device_name, gpu_uuid, memory_used
from frontdesk.worker.nvml import gpu_shown
from frontdesk.worker.run_files import Workroom
from frontdesk.worker.runner import Bench


def main() -> int:
    """Exit status: 0 after a drain, 2 for a setting that is wrong."""
    lifeline = Lifeline.inherited(supervised=SUPERVISED in sys.argv[1:])
    try:
        settings = load_settings()
        logs.configure(settings.log_format, settings.log_level)
        held = asyncio.run(serve(settings, lifeline))
    except (FrontdeskError, PermissionError) as error:  # the second: of the data folder
        lifeline.fail(error)
        return CONFIGURATION_STATUS
    if held:
        sys.stderr.flush()
        os._exit(0)  # the interpreter would wait for the device's thread, however long its call takes
    return 0


async def serve(settings: Settings, lifeline: Lifeline) -> bool:
    """Run one worker until it is told to stop, or its parent is gone. Raises ConfigurationError.

    True if the device still runs a call, for which nobody waits.
    """
    every = Registry.installed()
    kinds = Registry([kind for kind in every.values() if kind.lane in settings.lanes and kind.members is None])
    if not kinds:
        raise ConfigurationError(f"FRONTDESK_LANES names {', '.join(settings.lanes)}, but no kind runs in such a lane.")
    memory = job_memory(None if settings.memory_limit_mb is None else settings.memory_limit_mb * 1_000_000)
    figures = CollectorRegistry()
    metrics = WorkerMetrics(figures, kinds)
    bench = Bench(ModelStore(settings, metrics), settings.data_dir)
    store = ArtifactStore.of(settings)
    runners, unfit = installed_runners(list(kinds), bench)
    engine = Engine(
        kinds,
        runners,
        unfit=unfit,
        observer=metrics,
        device=device_name(chosen_device(settings)),
        store=store,
        room=Workroom(settings.data_dir / "runs"),
    )

    keep, reuse = settings.keep_results_days * 86_400, settings.reuse_hours * 3600

    @asynccontextmanager
    async def employed(redis: Redis, worker_id: str) -> AsyncIterator[LeasedWorker]:
        worker = LeasedWorker(
            redis,
            engine,
            worker_id=worker_id,
            kinds={name: engine.model_of(name) for name in engine.kinds},
            lanes={lane: engine.slots(lane, settings.slots) for lane in settings.lanes},
            lacks=tuple(engine.lacks),
            memory=memory,
            describe=_describer(settings, engine, memory),
            keep=keep,
            max_wait=settings.max_wait_hours * 3600,
            patience=settings.patience_minutes * 60,
            fresh={k.name: keep if k.lasting else reuse for k in kinds.values() if k.deterministic and reuse},
            observer=metrics,
        )
        with gpu_shown(figures, gpu_uuid(chosen_device(settings))):
            yield worker

    async with AsyncExitStack() as stack:
        url = settings.redis or stack.enter_context(ensure_server(settings.data_dir))
        watching = await stack.enter_async_context(connected(url))
        await stack.enter_async_context(exposed(settings.metrics_listen, figures, watching))
        keep_files = settings.keep_files_days * 86_400
        retention = Retention(watching, store, keep_objects=settings.keep_objects, keep_files=keep_files)
        await stack.enter_async_context(swept(watching, retention))
        return await duty.serve(engine, url, employed, lifeline, grace=settings.stop_grace)


def _describer(settings: Settings, engine: Engine, most: int) -> Callable[[str, tuple[str, ...]], WorkerState]:
    device, started = chosen_device(settings), time.time()

    def describe(worker_id: str, jobs: tuple[str, ...]) -> WorkerState:
        return WorkerState(
            id=worker_id,
            lanes=settings.lanes,
            kinds=engine.kinds,
            lacks=dict(engine.lacks),
            faults=dict(engine.faults),
            memory_limit=most,
            device=device_name(device),
            models=tuple(engine.models),
            memory=memory_used(device),
            started_at=started,
            slots=max(engine.slots(lane, settings.slots) for lane in settings.lanes),
            speed=engine.speed,
            jobs=jobs,
        )

    return describe


if __name__ == "__main__":
    sys.exit(main())
