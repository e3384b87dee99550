"""A bot's figures for Prometheus: requests, commands and deliveries."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Histogram

from frontdesk.bots.observing import BUTTON, MENU, WORDS, BotObserver
from frontdesk.queue.kinds import RESERVED
from frontdesk.queue.metrics import BOTS, OTHER

RULES = ("rate", "in_flight", "daily", "invalid", "unknown_kind", "banned", "closed", OTHER)
COMMANDS = RESERVED | {WORDS, BUTTON, MENU}
RESULTS = ("delivered", "undeliverable")
# From an edit at once to an answer that waited for a bot's return.
DELIVERIES = (0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 300, 1800, 3600, 4 * 3600)


class BotMetrics(BotObserver):
    """Counts in a registry. kinds: the names of those that this desk offers; every other is counted as `other`.

    Every series is there from the start, at 0: a rate sees the first event only so.
    """

    def __init__(self, registry: CollectorRegistry, kinds: Iterable[str]) -> None:
        self._kinds = frozenset(kinds)
        self._commands = self._kinds.union(COMMANDS)

        def counter(name: str, help_: str, *labels: str) -> Counter:
            return Counter(name, help_, labels, registry=registry)

        self._accepted = counter("frontdesk_requests_accepted_total", "Requests that became jobs.", "platform", "kind")
        self._refused = counter(
            "frontdesk_requests_refused_total", "Requests that did not, by reason.", "platform", "kind", "rule"
        )
        self._commanded = counter("frontdesk_commands_total", "Commands handled.", "platform", "command")
        self._deliveries = counter("frontdesk_deliveries_total", "Deliveries of outcomes.", "platform", "result")
        self._retries = counter("frontdesk_delivery_retries_total", "Deliveries that were put off.", "platform")
        self._seconds = Histogram(
            "frontdesk_delivery_seconds",
            "From a job's end to its answer's delivery.",
            ["platform"],
            buckets=DELIVERIES,
            registry=registry,
        )
        for platform in BOTS:
            self._retries.labels(platform)
            self._seconds.labels(platform)
            for result in RESULTS:
                self._deliveries.labels(platform, result)
            for kind in self._kinds:
                self._accepted.labels(platform, kind)
                for rule in RULES:
                    self._refused.labels(platform, kind, rule)

    def accepted(self, platform: str, kind: str) -> None:
        self._accepted.labels(platform, self._known(kind)).inc()

    def refused(self, platform: str, kind: str, rule: str) -> None:
        self._refused.labels(platform, self._known(kind), rule if rule in RULES else OTHER).inc()

    def delivered(self, platform: str, result: str, seconds: float | None) -> None:
        """`result` may go on after its first word, with a reason that has no place in a label."""
        word = result.partition(":")[0]
        self._deliveries.labels(platform, word if word in RESULTS else OTHER).inc()
        if seconds is not None and word == "delivered":
            self._seconds.labels(platform).observe(max(0.0, seconds))

    def retried(self, platform: str) -> None:
        self._retries.labels(platform).inc()

    def commanded(self, platform: str, command: str) -> None:
        self._commanded.labels(platform, command if command in self._commands else OTHER).inc()

    def _known(self, kind: str) -> str:
        """People may ask for kinds that do not exist."""
        return kind if kind in self._kinds else OTHER
