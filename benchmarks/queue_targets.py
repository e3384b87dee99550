"""What this project's queue is to reach against its peers, with yes or no as far as the figures are there."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from typing import Any

from queue_figures import failures, median, ratios, total, values
from queue_peers import OURS, PEERS, RAW, SUPERVISED

RESTART = 6.0  # seconds until a killed worker's job runs again
NEAR_RAW = 3.0  # times the raw loop


def targets(figures: dict[str, Any]) -> list[str]:
    """One line each."""
    if OURS not in figures["found"]:
        return []
    met = [*_ahead(figures), *_near_raw(figures), *_restarts(figures), _nothing_lost(figures)]
    return [f"- {what}: {'yes' if reached else 'NO'} ({why})" for what, reached, why in met]


Target = tuple[str, bool, str]


def _ahead(figures: dict[str, Any]) -> Iterator[Target]:
    """Against those whose job ran again in time when their worker was killed, and all that keep it at all."""
    for what, measure, figure, sign in (("p50", "latency", "p50", 1), ("no-op jobs/s", "no-op", "rate", -1)):
        ours = median(figures, OURS, measure, figure)
        keep = {
            peer.name: value
            for peer in PEERS
            if peer.keeps and peer.name != OURS
            if (value := median(figures, peer.name, measure, figure)) is not None
        }
        quick = [name for name in keep if median(figures, name, "recovery", "whole") is not None]
        for others, who in ((quick, "whose killed worker's job ran again in time"), (list(keep), "that keeps the job")):
            if ours is not None and others:
                better = [name for name in others if sign * keep[name] <= sign * ours]
                why = f"behind {', '.join(better)}" if better else f"of {', '.join(others)}"
                yield f"{what} ahead of every queue {who}", not better, why


def _near_raw(figures: dict[str, Any]) -> Iterator[Target]:
    for what, one, other, measure, figure in (
        ("p50", OURS, RAW, "latency", "p50"),
        ("no-op jobs/s", RAW, OURS, "no-op", "rate"),
    ):
        if each := ratios(figures, one, other, measure, figure):
            times = statistics.median(each)
            yield f"{what} within {NEAR_RAW:.0f} times the raw loop", times <= NEAR_RAW, f"{times:.2f}"


def _restarts(figures: dict[str, Any]) -> Iterator[Target]:
    for name in (OURS, SUPERVISED):
        for figure in ("whole", "child", "spare"):
            if each := values(figures, name, "recovery", figure):
                most = max(float("inf") if value is None else value for value in each)
                yield f"{name}, killed ({figure}): again in {RESTART:.0f} s", most < RESTART, f"at most {most:.2f} s"


def _nothing_lost(figures: dict[str, Any]) -> Target:
    lost, failed = total(figures, OURS, "lost"), len(failures(figures, OURS))
    return "nothing lost", lost == failed == 0, f"{lost} jobs; {failed} measures failed"
