"""What every process shows to Prometheus: itself, and the queue as it sees it; and the endpoint it shows it at.

Nothing here is global: a process makes one registry and gives it to those who count.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final, get_args

import structlog
from prometheus_client import (
    CollectorRegistry,
    Metric,
    ProcessCollector,
    disable_created_metrics,
    start_http_server,
)
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from redis.asyncio import Redis

from frontdesk.queue import keys
from frontdesk.queue.connection import LOST
from frontdesk.queue.errors import ConfigurationError
from frontdesk.queue.jobs import Platform
from frontdesk.queue.report import QueueReport, queue_report

log = structlog.get_logger()

READ_EVERY = 5.0  # seconds between two readings of the queue, however often it is scraped
PATIENCE = 10.0  # seconds for one reading
BOTS: Final[tuple[Platform, ...]] = tuple(name for name in get_args(Platform) if name not in ("console", "web"))
"""The platforms with a courier; outcomes for a console or the page are read by whoever looks, and trimmed."""
OTHER = "other"
"""Stands for every name that is not known beforehand: a label takes few values, and none that people write."""


@asynccontextmanager
async def exposed(listen: str | None, registry: CollectorRegistry, redis: Redis) -> AsyncIterator[str | None]:
    """Serve the registry's metrics, those of the process and those of the queue at `listen`, inside the block.

    Yields the address; nothing happens, and it is None, where `listen` is. Raises ConfigurationError.
    """
    if listen is None:
        yield None
        return
    # Else each counter and histogram has a second series, which nobody reads. (The function has no types.)
    disable_created_metrics()  # type: ignore[no-untyped-call]
    ProcessCollector(registry=registry)
    queue = QueueMetrics()
    registry.register(queue)
    async with endpoint(listen, registry) as address:
        reading = asyncio.create_task(queue.watch(redis))
        try:
            yield address
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)


@asynccontextmanager
async def endpoint(listen: str, registry: CollectorRegistry) -> AsyncIterator[str]:
    """Answer scrapes of http://LISTEN/metrics inside the block, in threads beside the event loop.

    Yields the address, with the port that the system chose for port 0. Raises ConfigurationError.
    """
    host, _, port = listen.rpartition(":")
    try:
        server, thread = await asyncio.to_thread(start_http_server, int(port), host.strip("[]"), registry)
    except OSError as error:
        raise ConfigurationError(
            f"FRONTDESK_METRICS_LISTEN is {listen}, where one cannot listen: {error.strerror}."
        ) from None
    address = f"{host}:{server.server_port}"
    log.info("metrics", listen=address)

    def close() -> None:
        server.shutdown()
        server.server_close()
        thread.join()

    try:
        yield address
    finally:
        await asyncio.to_thread(close)


def neighbour(listen: str | None, number: int) -> str | None:
    """Where the process `number` of several on one machine listens: so many ports further; None stays None.

    Port 0 stays 0, since the system finds a free one for each. Raises ConfigurationError where the ports end.
    """
    if listen is None:
        return None
    host, _, first = listen.rpartition(":")
    port = int(first) and int(first) + number
    if port > 65_535:
        raise ConfigurationError(f"FRONTDESK_METRICS_LISTEN is {listen}, which leaves no port for all processes.")
    return f"{host}:{port}"


@dataclass(frozen=True, slots=True)
class _Seen:
    report: QueueReport
    undelivered: Mapping[str, int]
    at: float


class QueueMetrics(Collector):
    """The queue as it was read last. While Redis is away only `frontdesk_redis_up` is left: old figures would pass for
    new ones beside those of another process."""

    def __init__(self) -> None:
        self._seen: _Seen | None = None
        self._lost = False

    async def watch(self, redis: Redis, every: float = READ_EVERY) -> None:
        """Read the queue every so many seconds, until cancelled. Losing Redis is waited out."""
        while True:
            await self.read(redis)
            await asyncio.sleep(every)

    async def read(self, redis: Redis) -> None:
        """Read the queue once. Raises nothing; a failure is logged once, until the next success."""
        try:
            async with asyncio.timeout(PATIENCE):
                seconds, _ = await redis.time()
                undelivered: dict[str, int] = {name: await redis.xlen(keys.outcomes(name)) for name in BOTS}
                self._seen = _Seen(await queue_report(redis), undelivered, seconds)
        except Exception as error:
            if not self._lost:
                reason, unexpected = type(error).__name__, not isinstance(error, LOST)
                log.warning("the queue cannot be read", step="metrics", error=reason, exc_info=unexpected)
            self._seen, self._lost = None, True
        else:
            self._lost = False

    def collect(self) -> Iterator[Metric]:
        """Called in the thread of a scrape; what it reads is replaced as a whole."""
        seen = self._seen
        yield GaugeMetricFamily("frontdesk_redis_up", "1 if this process could read the queue.", int(seen is not None))
        if seen is None:
            return
        yield GaugeMetricFamily("frontdesk_queue_read_timestamp_seconds", "When this was read, Unix time.", seen.at)
        yield from _lanes(seen.report)
        promises = {"held": seen.report.promises.held, "missed": seen.report.promises.missed}
        yield _by("result", "frontdesk_queue_promised_waits", "Promised P90 waits of the last hour.", promises)
        aside = "Jobs that stopped their workers and wait for an admin."
        yield GaugeMetricFamily("frontdesk_queue_aside_jobs", aside, seen.report.aside)
        told = "Ended jobs whose requester has not been told yet."
        yield _by("platform", "frontdesk_queue_undelivered_outcomes", told, seen.undelivered)


def _lanes(report: QueueReport) -> Iterator[Metric]:
    lanes = {lane.name: lane for lane in report.lanes}
    served = [worker.state.lanes for worker in report.workers if worker.alive and not worker.drained]
    workers = {name: sum(name in own for own in served) for name in sorted(lanes.keys() | set().union(*served))}
    for name, help_, values in (
        ("waiting_jobs", "Jobs that wait.", {name: lane.waiting for name, lane in lanes.items()}),
        ("running_jobs", "Jobs that run.", {name: lane.running for name, lane in lanes.items()}),
        (
            "oldest_wait_seconds",
            "How long the oldest waiting job has waited.",
            {name: lane.oldest_wait or 0.0 for name, lane in lanes.items()},
        ),
        ("paused", "1 if an admin paused the lane.", {name: int(lane.paused) for name, lane in lanes.items()}),
        ("workers", "Workers that take jobs of the lane, by their heartbeats.", workers),
    ):
        yield _by("lane", f"frontdesk_queue_{name}", help_, values)


def _by(label: str, name: str, help_: str, values: Mapping[str, float]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, help_, labels=[label])
    for of, value in values.items():
        family.add_metric([of], value)
    return family
