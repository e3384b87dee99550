"""dramatiq on Redis. Each fetch is a heartbeat, and by these settings also gives back what silent workers held."""

from __future__ import annotations

from typing import Any

import dramatiq
import wire
from dramatiq.brokers.redis import RedisBroker

CHANCE = 1_000_000  # of a million commands look for silent workers (dramatiq's default: 1,000)


def actor() -> Any:
    """Set the broker and declare the actor, for both sides."""
    broker = RedisBroker(url=f"unix://{wire.server()}", heartbeat_timeout=wire.LEASE * 1000, maintenance_chance=CHANCE)
    dramatiq.set_broker(broker)
    return dramatiq.actor(wire.run, actor_name="bench", queue_name=wire.NAME, time_limit=wire.TIME_LIMIT * 1000)


def _work() -> None:
    wire.become("dramatiq", "on_dramatiq:actor", "--processes", "1", "--threads", str(wire.slots()))


def _produce() -> None:
    task = actor()
    wire.produce(lambda number, seconds: task.send(number, seconds))


if __name__ == "__main__":
    wire.main(_work, _produce)
