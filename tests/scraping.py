"""Prometheus for tests: a scrape over HTTP, and what it found."""

from __future__ import annotations

import asyncio
import urllib.request
from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample
from queueing import until

PATIENCE = 10.0


class Figures:
    """The samples of one scrape."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]

    def __iter__(self) -> Iterator[Sample]:
        return iter(self._samples)

    def value(self, name: str, **labels: str) -> float:
        """The one sample of that name with exactly these labels."""
        (found,) = [sample.value for sample in self if sample.name == name and sample.labels == labels]
        return found

    def labels(self, name: str) -> list[dict[str, str]]:
        return [sample.labels for sample in self if sample.name == name]

    @property
    def names(self) -> set[str]:
        return {sample.name for sample in self}


async def scrape(address: str) -> Figures:
    """GET http://ADDRESS/metrics. Raises OSError where nobody answers."""

    def get() -> str:
        with urllib.request.urlopen(f"http://{address}/metrics", timeout=PATIENCE) as response:
            assert response.headers["Content-Type"].startswith("text/plain")
            return str(response.read(), "utf-8")

    return Figures(await asyncio.to_thread(get))


async def scraped_when(address: str, condition: Callable[[Figures], bool]) -> Figures:
    """The first scrape for which the condition holds."""

    async def matching() -> Figures | None:
        figures = await scrape(address)
        return figures if condition(figures) else None

    found: Figures = await until(matching)
    return found


def counted(registry: CollectorRegistry) -> Figures:
    """What a scrape would find, without the way over HTTP."""
    return Figures(generate_latest(registry).decode())
