"""The figures follow what happens: a real worker, desk and courier over Valkey, each with its metrics."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from queueing import ECHO, DrivenEngine, address, job, leased_worker, requester, submit, until, working
from redis.asyncio import Redis
from scraping import counted

from frontdesk.bots.courier import Courier
from frontdesk.bots.deliverer import TryLaterError, UndeliverableError
from frontdesk.bots.desk import Desk
from frontdesk.bots.intake import Request
from frontdesk.bots.metrics import BotMetrics
from frontdesk.bots.parcels import Room
from frontdesk.bots.people import Admins, Person
from frontdesk.bots.replies import Reply
from frontdesk.queue import keys
from frontdesk.queue.broker import Broker
from frontdesk.queue.errors import InvalidRequestError, LimitedError, UnknownKindError
from frontdesk.queue.jobs import Outcome, Platform, ReplyAddress
from frontdesk.queue.kinds import Registry
from frontdesk.ratelimit.limiter import Limiter
from frontdesk.ratelimit.limits import Limits
from frontdesk.worker.arq_worker import LeasedWorker
from frontdesk.worker.metrics import WorkerMetrics

KINDS = Registry([ECHO])


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


def value(registry: CollectorRegistry, name: str, **labels: str) -> float:
    return counted(registry).value(f"frontdesk_{name}", **labels)


async def told(registry: CollectorRegistry, name: str, **labels: str) -> None:
    """Until one is counted."""
    await until(lambda: value(registry, name, **labels) == 1)


# Workers


def observed(redis: Redis, registry: CollectorRegistry, engine: DrivenEngine, **options: Any) -> LeasedWorker:
    return leased_worker(redis, engine, observer=WorkerMetrics(registry, KINDS), **options)


async def test_a_job_is_counted_from_its_start_to_its_outcome(
    redis: Redis, broker: Broker, registry: CollectorRegistry
) -> None:
    """Its wait, its run and its device-seconds as the engine told them."""
    async with working(observed(redis, registry, DrivenEngine())):
        await submit(broker, job())
        await told(registry, "jobs_ended_total", kind="echo", status="done")
    assert value(registry, "job_wait_seconds_count", kind="echo", lane="short") == 1
    assert value(registry, "job_wait_seconds_sum", kind="echo", lane="short") < 10
    assert value(registry, "job_run_seconds_sum", kind="echo", status="done") == 0.5
    assert value(registry, "job_device_seconds_total", kind="echo", status="done") == 0.5
    assert value(registry, "leases_lost_total") == 0


async def test_every_end_has_its_status(redis: Redis, broker: Broker, registry: CollectorRegistry) -> None:
    """A failure is one that the engine reports; a job that expires never started."""
    engine = DrivenEngine(hold=True)
    async with working(observed(redis, registry, engine, max_wait=60.0)):
        await submit(broker, job("ada"))
        engine.end((await engine.started.get()).id, Outcome(status="failed", reason="No."))
        await told(registry, "jobs_ended_total", kind="echo", status="failed")
        made = job("bob")
        await submit(broker, made.model_copy(update={"submitted_at": made.submitted_at - 61}))
        await told(registry, "jobs_ended_total", kind="echo", status="expired")
    assert value(registry, "job_wait_seconds_count", kind="echo", lane="short") == 1


async def test_an_end_that_is_refused_is_a_lost_lease(
    redis: Redis, broker: Broker, registry: CollectorRegistry
) -> None:
    """Somebody else runs the job by now: its outcome is theirs to count."""
    engine = DrivenEngine(hold=True)
    async with working(observed(redis, registry, engine)):
        await submit(broker, job())
        running = await engine.started.get()
        await redis.hset(keys.job(running.id), "lease", "another's")  # type: ignore[misc]  # typed for both clients
        engine.end(running.id)
        await told(registry, "leases_lost_total")
    assert value(registry, "jobs_ended_total", kind="echo", status="done") == 0


async def test_calls_to_redis_that_are_made_again_are_counted(redis: Redis, registry: CollectorRegistry) -> None:
    """Here the server cuts the channel of the doorbell."""
    async with working(observed(redis, registry, DrivenEngine())):
        await until(lambda: redis.pubsub_numsub(keys.DOORBELL))
        await until(lambda: redis.client_kill_filter(_type="pubsub"))
        await until(lambda: value(registry, "redis_retries_total") >= 1)


# Desks


def desk(redis: Redis, broker: Broker, registry: CollectorRegistry) -> Desk:
    return Desk(KINDS, broker, Limiter(redis), Limits.load(), Admins(), observer=BotMetrics(registry, KINDS))


def asked(update: str, kind: str = "echo", text: str = "hello") -> Request:
    return Request(Person(requester("ada")), kind, {"text": text}, address("ada"), update)


async def test_a_request_counts_once_however_often_it_comes(
    redis: Redis, broker: Broker, registry: CollectorRegistry
) -> None:
    """An update that the platform sends again is no second request."""
    counter = desk(redis, broker, registry)
    for _ in range(3):
        await counter.submit(asked("u1"))
    assert value(registry, "requests_accepted_total", platform="telegram", kind="echo") == 1


async def test_a_refusal_counts_by_its_rule(redis: Redis, broker: Broker, registry: CollectorRegistry) -> None:
    """What is wrong with it, or which limit it met."""
    counter = desk(redis, broker, registry)
    with pytest.raises(InvalidRequestError):
        await counter.submit(asked("u0", text=""))
    with pytest.raises(UnknownKindError):
        await counter.submit(asked("u0", kind="sing"))
    for number in range(3):
        await counter.submit(asked(f"u{number}", text=f"number {number}"))
    with pytest.raises(LimitedError):
        await counter.submit(asked("u4", text="one too many"))
    assert value(registry, "requests_refused_total", platform="telegram", kind="echo", rule="invalid") == 1
    assert value(registry, "requests_refused_total", platform="telegram", kind="other", rule="unknown_kind") == 1
    assert value(registry, "requests_refused_total", platform="telegram", kind="echo", rule="in_flight") == 1
    assert value(registry, "requests_accepted_total", platform="telegram", kind="echo") == 3


# Couriers


class Post:
    """A platform that fails as it is told, and then takes everything."""

    platform: Platform = "telegram"

    def __init__(self, *faults: Exception) -> None:
        self.faults = list(faults)

    def room(self, address: ReplyAddress) -> Room:
        return Room(100, 150, 3)

    def pace(self, address: ReplyAddress) -> float:
        return 0.0

    async def deliver(self, address: ReplyAddress, job_id: str, reply: Reply, *, late: bool = False) -> None:
        if self.faults:
            raise self.faults.pop(0)

    async def update(self, address: ReplyAddress, job_id: str, reply: Reply) -> None:
        raise AssertionError("nothing runs here")


@asynccontextmanager
async def courier(redis: Redis, broker: Broker, registry: CollectorRegistry, post: Post) -> AsyncIterator[None]:
    at_work = Courier(KINDS, broker, redis, post, observer=BotMetrics(registry, KINDS)).run()
    task = asyncio.create_task(at_work)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def ended(broker: Broker) -> None:
    made = job()
    await submit(broker, made)
    await broker.cancel(made.id, None)


async def test_a_delivery_is_counted_and_timed(redis: Redis, broker: Broker, registry: CollectorRegistry) -> None:
    """From the job's end, after the platform had wanted one pause."""
    await ended(broker)
    async with courier(redis, broker, registry, Post(TryLaterError(0.01))):
        await told(registry, "deliveries_total", platform="telegram", result="delivered")
    assert value(registry, "delivery_retries_total", platform="telegram") == 1
    assert value(registry, "delivery_seconds_count", platform="telegram") == 1
    assert 0 <= value(registry, "delivery_seconds_sum", platform="telegram") < 10


async def test_an_answer_that_cannot_be_delivered_is_counted(
    redis: Redis, broker: Broker, registry: CollectorRegistry
) -> None:
    """Without its reason, and without a time."""
    await ended(broker)
    async with courier(redis, broker, registry, Post(UndeliverableError("blocked"))):
        await told(registry, "deliveries_total", platform="telegram", result="undeliverable")
    assert value(registry, "delivery_seconds_count", platform="telegram") == 0
