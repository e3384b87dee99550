"""Celery as its documents advise for long jobs: acknowledged late, one message at a time.

The message of a killed child is given back. A worker that dies as a whole leaves it to the visibility time-out, which
has to be longer than the longest job.
"""

from __future__ import annotations

from typing import Any

import wire
from celery import Celery


def application() -> Any:
    app = Celery("bench", broker=f"redis+socket://{wire.server()}")
    app.conf.update(
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        worker_prefetch_multiplier=1,
        task_ignore_result=True,
        task_time_limit=wire.TIME_LIMIT,
        broker_transport_options={"visibility_timeout": wire.TIME_LIMIT + 10},
        broker_connection_retry_on_startup=True,
    )
    app.task(wire.run, name="bench")
    return app


def _work() -> None:
    application().worker_main(["worker", "--concurrency", str(wire.slots()), "--loglevel", "WARNING"])


def _produce() -> None:
    app = application()
    task = app.tasks["bench"]
    wire.produce(lambda number, seconds: task.apply_async((number, seconds)))


if __name__ == "__main__":
    wire.main(_work, _produce)
