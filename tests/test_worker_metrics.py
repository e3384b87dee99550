"""A worker's figures for Prometheus: its jobs, its batches, its GPU."""

from __future__ import annotations

import asyncio
import importlib
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from prometheus_client import CollectorRegistry
from running import Batching, Gate, Saying, SpellingRunner, job, kind, serving, unheard
from scraping import counted
from structlog.testing import capture_logs

from frontdesk.queue.kinds import Registry
from frontdesk.worker.engine import Engine
from frontdesk.worker.metrics import WorkerMetrics
from frontdesk.worker.models import gpu_uuid
from frontdesk.worker.nvml import gpu_shown
from frontdesk.worker.observing import BatchObserver, WorkerObserver

UUID = "GPU-01234567-89ab-cdef-0123-456789abcdef"


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def metrics(registry: CollectorRegistry) -> WorkerMetrics:
    return WorkerMetrics(registry, Registry([kind()]))


# Jobs


def test_every_series_begins_at_zero(metrics: WorkerMetrics, registry: CollectorRegistry) -> None:
    """A rate over a series that appears with its first event misses that event."""
    figures = counted(registry)
    for status in ("done", "failed", "cancelled", "expired"):
        assert figures.value("frontdesk_jobs_ended_total", kind="say", status=status) == 0
        assert figures.value("frontdesk_job_device_seconds_total", kind="say", status=status) == 0
    assert figures.value("frontdesk_job_wait_seconds_count", kind="say", lane="short") == 0
    assert figures.value("frontdesk_leases_lost_total") == 0


def test_a_job_is_counted_by_its_kind_and_its_end(metrics: WorkerMetrics, registry: CollectorRegistry) -> None:
    """Its wait when it starts; its run, its share of the device and its outcome when it ends."""
    metrics.started("say", "short", 0.3)
    metrics.ended("say", "done", 4.0, 1.5)
    metrics.ended("say", "failed", 0.25, 0.0)
    figures = counted(registry)
    assert figures.value("frontdesk_job_wait_seconds_sum", kind="say", lane="short") == pytest.approx(0.3)
    assert figures.value("frontdesk_job_wait_seconds_bucket", kind="say", lane="short", le="0.1") == 0
    assert figures.value("frontdesk_job_wait_seconds_bucket", kind="say", lane="short", le="0.5") == 1
    assert figures.value("frontdesk_job_run_seconds_sum", kind="say", status="done") == 4.0
    assert figures.value("frontdesk_job_device_seconds_total", kind="say", status="done") == 1.5
    assert figures.value("frontdesk_jobs_ended_total", kind="say", status="failed") == 1


def test_what_went_wrong_is_counted(metrics: WorkerMetrics, registry: CollectorRegistry) -> None:
    """Leases that were lost, and calls to Redis that had to be made again."""
    metrics.lease_lost()
    metrics.redis_lost()
    metrics.redis_lost()
    assert counted(registry).value("frontdesk_leases_lost_total") == 1
    assert counted(registry).value("frontdesk_redis_retries_total") == 2


def test_names_that_are_not_known_share_one_label(metrics: WorkerMetrics, registry: CollectorRegistry) -> None:
    """A damaged job can name any kind and lane; Prometheus would keep a series for each."""
    for number in range(3):
        metrics.started(f"made-up-{number}", f"lane-{number}", 1.0)
        metrics.ended(f"made-up-{number}", "failed", 1.0, 0.0)
    figures = counted(registry)
    assert figures.value("frontdesk_job_wait_seconds_count", kind="other", lane="other") == 3
    assert figures.value("frontdesk_jobs_ended_total", kind="other", status="failed") == 3
    assert "made-up" not in figures.text


def test_a_clock_that_went_back_counts_as_no_wait(metrics: WorkerMetrics, registry: CollectorRegistry) -> None:
    """The bot's clock may be ahead of the worker's."""
    metrics.started("say", "short", -5.0)
    assert counted(registry).value("frontdesk_job_wait_seconds_sum", kind="say", lane="short") == 0


def test_a_models_loading_is_timed(metrics: WorkerMetrics, registry: CollectorRegistry) -> None:
    """By its public name."""
    metrics.loaded("tiny (float32)", 2.5)
    assert counted(registry).value("frontdesk_model_load_seconds", model="tiny (float32)") == 2.5


def test_an_observer_does_nothing_by_itself() -> None:
    """Whoever overrides one method need not know the others."""
    observer = WorkerObserver()
    observer.started("say", "short", 1.0)
    observer.ended("say", "done", 1.0, 1.0)
    observer.loaded("tiny", 1.0)
    observer.lease_lost()
    observer.redis_lost()
    batches = observer.batches("say")
    assert type(batches) is BatchObserver
    batches.passed(1, 1)
    batches.stepped(1)
    batches.split()


# Batches


async def run(engine: Engine, *texts: str) -> None:
    await asyncio.gather(*(engine.run(job(text), unheard) for text in texts))


async def test_a_pass_is_counted_with_its_jobs_and_padded_tokens(
    metrics: WorkerMetrics, registry: CollectorRegistry
) -> None:
    """Three texts in one pass: the longest has five letters."""
    async with serving(Batching(), observer=metrics) as engine:
        await run(engine, "a", "bb", "three")
    figures = counted(registry)
    assert figures.value("frontdesk_batch_jobs_count", kind="say") == 1
    assert figures.value("frontdesk_batch_jobs_sum", kind="say") == 3
    assert figures.value("frontdesk_batch_tokens_sum", kind="say") == 15
    assert figures.value("frontdesk_out_of_memory_splits_total", kind="say") == 0


async def test_a_pass_that_does_not_fit_is_counted_as_split(
    metrics: WorkerMetrics, registry: CollectorRegistry
) -> None:
    """Once for each time it was halved; the halves that went through are the passes."""
    async with serving(Batching(fits=4), observer=metrics) as engine:
        await run(engine, "aa", "bb", "cc", "dd")
    figures = counted(registry)
    assert figures.value("frontdesk_out_of_memory_splits_total", kind="say") == 1
    assert figures.value("frontdesk_batch_jobs_count", kind="say") == 2
    assert figures.value("frontdesk_batch_jobs_sum", kind="say") == 4


async def test_a_job_that_does_not_fit_alone_is_no_split(metrics: WorkerMetrics, registry: CollectorRegistry) -> None:
    """It fails; nothing was made smaller, and no pass went through."""
    async with serving(Batching(fits=4), observer=metrics) as engine:
        await run(engine, "too long")
    figures = counted(registry)
    assert figures.value("frontdesk_out_of_memory_splits_total", kind="say") == 0
    assert figures.value("frontdesk_batch_jobs_count", kind="say") == 0


async def test_steps_are_counted_with_the_jobs_in_them(metrics: WorkerMetrics, registry: CollectorRegistry) -> None:
    """One job of two letters, alone: two steps with one job each."""
    async with serving(SpellingRunner(), observer=metrics) as engine:
        await run(engine, "ab")
    figures = counted(registry)
    assert figures.value("frontdesk_step_jobs_count", kind="say") == 2
    assert figures.value("frontdesk_step_jobs_sum", kind="say") == 2


async def test_a_step_that_does_not_fit_is_counted_as_split(
    metrics: WorkerMetrics, registry: CollectorRegistry
) -> None:
    """Half of the running batch is parked."""
    async with serving(SpellingRunner(fits=3), observer=metrics) as engine:
        await run(engine, "ab", "cd")
    assert counted(registry).value("frontdesk_out_of_memory_splits_total", kind="say") >= 1


async def test_plain_runners_have_no_batches(metrics: WorkerMetrics, registry: CollectorRegistry) -> None:
    """One job after the other is no pass of one."""
    async with serving(Saying(), observer=metrics) as engine:
        await run(engine, "a", "b")
    assert counted(registry).value("frontdesk_batch_jobs_count", kind="say") == 0


async def test_a_running_batch_is_seen_from_outside(metrics: WorkerMetrics, registry: CollectorRegistry) -> None:
    """While a step is under way, those before it are counted already."""
    gate = Gate()
    async with serving(SpellingRunner(gate), observer=metrics) as engine:
        spelling = asyncio.create_task(engine.run(job("ab"), unheard))
        await gate.arrival()
        assert counted(registry).value("frontdesk_step_jobs_count", kind="say") == 0
        gate.let_go()
        await gate.arrival()
        assert counted(registry).value("frontdesk_step_jobs_count", kind="say") == 1
        gate.let_go()
        await spelling


# The GPU


class NvmlError(Exception):
    """As pynvml's."""


def nvml(*, broken: tuple[str, ...] = (), calls: list[str] | None = None) -> Any:
    """The module pynvml with one GPU, which is the second of its machine. `broken`: functions that fail."""
    said = calls if calls is not None else []

    def function(name: str, value: Any) -> Any:
        def call(*arguments: Any) -> Any:
            said.append(name)
            if name in broken or arguments not in ((), (UUID,), ("handle",)):
                raise NvmlError
            return value

        return call

    answers: dict[str, Any] = {
        "nvmlInit": None,
        "nvmlShutdown": None,
        "nvmlDeviceGetHandleByUUID": "handle",
        "nvmlDeviceGetIndex": 1,
        "nvmlDeviceGetMemoryInfo": SimpleNamespace(used=6 * 2**30, total=8 * 2**30),
        "nvmlDeviceGetUtilizationRates": SimpleNamespace(gpu=75, memory=10),
    }
    return SimpleNamespace(NVMLError=NvmlError, **{name: function(name, value) for name, value in answers.items()})


def test_the_workers_gpu_is_shown(registry: CollectorRegistry) -> None:
    """Its memory in bytes and its utilisation as a share, by NVML's number and the GPU's own name."""
    calls: list[str] = []
    with gpu_shown(registry, UUID, lambda: nvml(calls=calls)):
        figures = counted(registry)
    assert figures.value("frontdesk_gpu_memory_used_bytes", device="1", uuid=UUID) == 6 * 2**30
    assert figures.value("frontdesk_gpu_memory_total_bytes", device="1", uuid=UUID) == 8 * 2**30
    assert figures.value("frontdesk_gpu_utilisation_ratio", device="1", uuid=UUID) == 0.75
    assert (calls[0], calls[-1]) == ("nvmlInit", "nvmlShutdown")
    assert counted(registry).names == set()


def test_what_a_gpu_does_not_tell_is_left_out(registry: CollectorRegistry) -> None:
    """A part of a GPU has memory, but no utilisation of its own."""
    with gpu_shown(registry, UUID, lambda: nvml(broken=("nvmlDeviceGetUtilizationRates",))):
        assert counted(registry).names == {"frontdesk_gpu_memory_used_bytes", "frontdesk_gpu_memory_total_bytes"}


def test_a_gpu_that_is_gone_does_not_break_the_scrape(registry: CollectorRegistry) -> None:
    """The other figures are shown still."""
    WorkerMetrics(registry, Registry([kind()]))
    with gpu_shown(registry, UUID, lambda: nvml(broken=("nvmlDeviceGetHandleByUUID", "nvmlShutdown"))):
        names = counted(registry).names
    assert "frontdesk_jobs_ended_total" in names
    assert not [name for name in names if "gpu" in name]


def test_without_a_driver_nothing_is_shown(registry: CollectorRegistry) -> None:
    """It is logged, and the worker works."""
    with capture_logs() as logs, gpu_shown(registry, UUID, lambda: nvml(broken=("nvmlInit",))):
        assert counted(registry).names == set()
    assert [(line["event"], line["reason"]) for line in logs] == [("no GPU metrics", "NvmlError")]


def test_without_the_library_nothing_is_shown(registry: CollectorRegistry) -> None:
    """It is a library of NVIDIA's, which other machines do not need."""
    with capture_logs() as logs, gpu_shown(registry, UUID, lambda: importlib.import_module("no_such_library")):
        assert counted(registry).names == set()
    assert logs[0]["reason"] == "ModuleNotFoundError"


def test_a_processor_has_no_gpu(registry: CollectorRegistry) -> None:
    """NVML is not even asked."""
    assert gpu_uuid(torch.device("cpu")) is None
    with gpu_shown(registry, None, lambda: pytest.fail("was asked")):
        assert counted(registry).names == set()


def test_the_real_library_has_what_is_asked_of_it() -> None:
    """The stand-in above has the names of pynvml."""
    real = importlib.import_module("pynvml")
    assert [name for name in vars(nvml()) if not hasattr(real, name)] == []
    assert issubclass(real.NVMLError, Exception)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_a_real_gpu_is_found_by_its_name(registry: CollectorRegistry) -> None:
    """torch and NVML mean the same GPU by it, whatever number either gives it."""
    uuid = gpu_uuid(torch.device("cuda"))
    _, total = torch.cuda.mem_get_info()
    with gpu_shown(registry, uuid):
        figures = counted(registry)
    (labels,) = figures.labels("frontdesk_gpu_memory_total_bytes")
    assert labels["uuid"] == uuid
    assert figures.value("frontdesk_gpu_memory_total_bytes", **labels) == pytest.approx(total, rel=0.05)
    assert 0 <= figures.value("frontdesk_gpu_utilisation_ratio", **labels) <= 1
