"""A worker's figures for Prometheus: waits, runs, batches, and what went wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import get_args

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from frontdesk.queue.kinds import Registry
from frontdesk.queue.metrics import OTHER
from frontdesk.worker.observing import BatchObserver, Status, WorkerObserver

# From a free worker's milliseconds to the hours of a full lane, and from one pass to a long training.
WAITS = (0.01, 0.05, 0.1, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 4 * 3600)
RUNS = (0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600, 4 * 3600)
JOBS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 128, 256)
TOKENS = (128, 256, 512, 1024, 2048, 4096, 8192, 16_384, 32_768, 65_536, 131_072)


class WorkerMetrics(WorkerObserver):
    """Counts in a registry. Every series of the kinds that this worker serves is there from the start, at 0: a rate
    sees the first event only so."""

    def __init__(self, registry: CollectorRegistry, kinds: Registry) -> None:
        self._lanes = {kind.name: kind.lane for kind in kinds.values()}
        self._waits = Histogram(
            "frontdesk_job_wait_seconds",
            "From a job's submission to its start.",
            ["kind", "lane"],
            buckets=WAITS,
            registry=registry,
        )
        self._runs = Histogram(
            "frontdesk_job_run_seconds",
            "From a job's start to its end.",
            ["kind", "status"],
            buckets=RUNS,
            registry=registry,
        )
        self._device = Counter(
            "frontdesk_job_device_seconds_total",
            "The device's time that jobs had, each its share of a pass.",
            ["kind", "status"],
            registry=registry,
        )
        self._ended = Counter("frontdesk_jobs_ended_total", "Outcomes.", ["kind", "status"], registry=registry)
        self._models = Gauge(
            "frontdesk_model_load_seconds", "How long a model took to load.", ["model"], registry=registry
        )
        self._leases = Counter(
            "frontdesk_leases_lost_total", "Jobs that were taken from this worker.", registry=registry
        )
        self._redis = Counter(
            "frontdesk_redis_retries_total", "Calls to Redis that failed and were tried again.", registry=registry
        )
        self._batches = _Batches(registry)
        self._begin_at_zero()

    def _begin_at_zero(self) -> None:
        for kind, lane in self._lanes.items():
            self._waits.labels(kind, lane)
            self._batches.of(kind)
            for status in get_args(Status):
                for family in (self._runs, self._device, self._ended):
                    family.labels(kind, status)

    def batches(self, kind: str) -> BatchObserver:
        return self._batches.of(self._known(kind))

    def loaded(self, model: str, seconds: float) -> None:
        self._models.labels(model).set(seconds)

    def started(self, kind: str, lane: str, wait: float) -> None:
        self._waits.labels(self._known(kind), lane if lane in self._lanes.values() else OTHER).observe(max(0.0, wait))

    def ended(self, kind: str, status: Status, seconds: float, device_seconds: float) -> None:
        kind = self._known(kind)
        self._ended.labels(kind, status).inc()
        self._device.labels(kind, status).inc(max(0.0, device_seconds))
        self._runs.labels(kind, status).observe(seconds)

    def lease_lost(self) -> None:
        self._leases.inc()

    def redis_lost(self) -> None:
        self._redis.inc()

    def _known(self, kind: str) -> str:
        """A damaged job may name a kind that does not exist."""
        return kind if kind in self._lanes else OTHER


class _Batches:
    def __init__(self, registry: CollectorRegistry) -> None:
        def histogram(name: str, help_: str, buckets: tuple[int, ...]) -> Histogram:
            return Histogram(name, help_, ["kind"], buckets=buckets, registry=registry)

        self._jobs = histogram("frontdesk_batch_jobs", "Jobs in a pass.", JOBS)
        self._tokens = histogram("frontdesk_batch_tokens", "Tokens in a pass, with the padding.", TOKENS)
        self._stepped = histogram("frontdesk_step_jobs", "Jobs in a step of a running batch.", JOBS)
        self._splits = Counter(
            "frontdesk_out_of_memory_splits_total",
            "Batches that did not fit in memory and were made smaller.",
            ["kind"],
            registry=registry,
        )

    def of(self, kind: str) -> BatchObserver:
        return _KindsBatches(
            self._jobs.labels(kind).observe,
            self._tokens.labels(kind).observe,
            self._stepped.labels(kind).observe,
            self._splits.labels(kind).inc,
        )


class _KindsBatches(BatchObserver):
    """The labels are looked up once: a running batch takes many steps a second."""

    def __init__(
        self,
        jobs: Callable[[float], None],
        tokens: Callable[[float], None],
        stepped: Callable[[float], None],
        split: Callable[[], None],
    ) -> None:
        self._jobs = jobs
        self._tokens = tokens
        self._stepped = stepped
        self._split = split

    def passed(self, jobs: int, tokens: int) -> None:
        self._jobs(jobs)
        self._tokens(tokens)

    def stepped(self, jobs: int) -> None:
        self._stepped(jobs)

    def split(self) -> None:
        self._split()
