"""What NVIDIA's management library says of this worker's GPU; nothing where there is no such library, driver or GPU."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import structlog
from prometheus_client import CollectorRegistry, Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

log = structlog.get_logger()

LABELS = ("device", "uuid")


@contextmanager
def gpu_shown(
    registry: CollectorRegistry, uuid: str | None, load: Callable[[], Any] = lambda: importlib.import_module("pynvml")
) -> Iterator[None]:
    """Show one GPU's memory and utilisation inside the block. uuid: as NVML writes it, or None for no GPU.

    load: gives the module `pynvml`. Where it cannot be used, that is logged, and nothing is shown.
    """
    if uuid is None:
        yield
        return
    try:
        nvml = load()
        nvml.nvmlInit()
    except Exception as error:  # the library is missing, or its driver; the worker works without these figures
        log.info("no GPU metrics", reason=type(error).__name__)
        yield
        return
    gpu = Gpu(nvml, uuid)
    registry.register(gpu)
    try:
        yield
    finally:
        registry.unregister(gpu)
        with suppress(nvml.NVMLError):
            nvml.nvmlShutdown()


class Gpu(Collector):
    """Reads one GPU whenever it is scraped, in the scrape's thread. `nvml` is the module `pynvml`, initialised.

    Only this worker's GPU, though NVML knows all of the machine's. What one cannot read is left out: utilisation
    is not known for a part of a GPU (MIG), and nothing is of one that fell off the bus.
    """

    def __init__(self, nvml: Any, uuid: str) -> None:
        self._nvml = nvml
        self._uuid = uuid

    def collect(self) -> Iterator[Metric]:
        nvml = self._nvml
        with suppress(nvml.NVMLError):
            handle = nvml.nvmlDeviceGetHandleByUUID(self._uuid)
            labels = [str(nvml.nvmlDeviceGetIndex(handle)), self._uuid]
            memory = nvml.nvmlDeviceGetMemoryInfo(handle)
            yield _gauge("memory_used_bytes", "Memory in use, by whomever.", labels, memory.used)
            yield _gauge("memory_total_bytes", "Memory that is there.", labels, memory.total)
            busy = nvml.nvmlDeviceGetUtilizationRates(handle).gpu / 100
            yield _gauge("utilisation_ratio", "Share of the last moments in which a kernel ran.", labels, busy)


def _gauge(name: str, help_: str, labels: list[str], value: float) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"frontdesk_gpu_{name}", help_, labels=LABELS)
    family.add_metric(labels, value)
    return family
