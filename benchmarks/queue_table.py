"""Figures of the queues as text: a line while it runs, and the tables and targets at the end."""

from __future__ import annotations

import statistics
from typing import Any

from queue_figures import failures, ratios, total, values
from queue_peers import PEERS, RAW, Peer
from queue_targets import targets

COLUMNS = (  # heading, measure, figure, format
    ("p50 ms", "latency", "p50", ".1f"),
    ("p95 ms", "latency", "p95", ".1f"),
    ("p99 ms", "latency", "p99", ".1f"),
    ("no-op jobs/s", "no-op", "rate", ".0f"),
    ("enqueued/s", "no-op", "enqueue rate", ".0f"),
    ("10 ms jobs/s", "10 ms", "rate", ".0f"),
    ("gap ms", "gaps", "median", ".1f"),
    ("idle commands/s", "idle", "commands", ".1f"),
    ("idle requests/s", "idle", "requests", ".1f"),
    ("worker killed: s", "recovery", "whole", ".1f"),
    ("child killed: s", "recovery", "child", ".1f"),
    ("beside a spare: s", "recovery", "spare", ".2f"),
)


def line(turn: Any) -> str:
    """One measure of one queue, as it goes."""
    if isinstance(turn, str):
        return turn
    return ", ".join(f"{name} {'not in time' if value is None else f'{value:.4g}'}" for name, value in turn.items())


def report(figures: dict[str, Any]) -> str:
    """Medians with the least and the most of the rounds, ratios to the raw loop, what was lost, and the targets."""
    peers = [peer for peer in PEERS if peer.name in figures["found"]]
    lines = [f"{figures['machine']}; {figures['rounds']} rounds, {figures['sizes']['slots']} no-op jobs at a time", ""]
    lines += ["| queue | " + " | ".join(column[0] for column in COLUMNS) + " |", "| --- |" + " --- |" * len(COLUMNS)]
    for peer in peers:
        cells = (_cell(figures, peer.name, *column[1:]) for column in COLUMNS)
        lines.append(f"| {peer.name} | " + " | ".join(cells) + " |")
    lines += ["", "| queue | p50 / raw | raw jobs/s / its own | lost | run twice | packages | after a kill |"]
    lines += ["| --- |" + " --- |" * 6]
    for peer in peers:
        lines.append(f"| {peer.name} | " + " | ".join(_second(figures, peer)) + " |")
    failed = [f"- failed: {sentence}" for peer in peers for sentence in failures(figures, peer.name)]
    return "\n".join([*lines, "", *failed, *targets(figures)])


def _second(figures: dict[str, Any], peer: Peer) -> list[str]:
    """A queue's row of the second table."""
    return [
        _span(ratios(figures, peer.name, RAW, "latency", "p50"), ".2f"),
        _span(ratios(figures, RAW, peer.name, "no-op", "rate"), ".2f"),
        str(total(figures, peer.name, "lost")),
        str(total(figures, peer.name, "twice")),
        ", ".join(package.replace("==", " ") for package in peer.packages) or "this project",
        peer.after_kill,
    ]


def _cell(figures: dict[str, Any], peer: str, measure: str, figure: str, form: str) -> str:
    each = values(figures, peer, measure, figure)
    numbers = [value for value in each if value is not None]
    if len(numbers) == len(each):
        return _span(numbers, form)
    late = f"> {figures['sizes']['patience']:.0f}"
    return f"{format(min(numbers), form)} to {late}" if numbers else late


def _span(numbers: list[float], form: str) -> str:
    """The median, and the least and the most where there are several."""
    if len(numbers) < 2:
        return "".join(format(number, form) for number in numbers)
    return f"{format(statistics.median(numbers), form)} ({format(min(numbers), form)}-{format(max(numbers), form)})"
