"""RQ: a process forked for each job, a pool of workers for more than one at a time.

A dead worker's job is noticed 60 s and one monitoring interval after its last heartbeat (the 60 s are written in its
source), at the next maintenance.
"""

from __future__ import annotations

from typing import Any

import wire
from redis import Redis
from rq import Queue, Retry, Worker
from rq.worker_pool import WorkerPool

MONITORING = 2  # seconds between heartbeats (RQ's default: 30)
MAINTENANCE = 5  # seconds between looks for dead jobs (RQ's default: 600)


class AttentiveWorker(Worker):  # type: ignore[misc, unused-ignore]  # RQ is not installed where this is checked
    """A worker with these intervals, in a pool as well."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(
            *arguments, **options | {"job_monitoring_interval": MONITORING, "maintenance_interval": MAINTENANCE}
        )


def _work() -> None:
    redis = Redis(unix_socket_path=wire.server())
    if wire.slots() == 1:
        AttentiveWorker([wire.NAME], connection=redis).work(logging_level="WARNING")
    else:
        pool = WorkerPool([wire.NAME], connection=redis, num_workers=wire.slots(), worker_class=AttentiveWorker)
        pool.start(logging_level="WARNING")


def _produce() -> None:
    queue = Queue(wire.NAME, connection=Redis(unix_socket_path=wire.server()))
    wire.produce(
        lambda number, seconds: queue.enqueue(
            wire.run, number, seconds, job_timeout=wire.TIME_LIMIT, retry=Retry(max=3), result_ttl=0
        )
    )


if __name__ == "__main__":
    wire.main(_work, _produce)
