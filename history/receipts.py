"""The receipt of a job: what was run, with what, on what, and what it took."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from frontdesk.history.entries import Entry

SHOWN = 200  # characters of a parameter


def receipt(entry: Entry) -> list[tuple[str, str]]:
    """Labels (ours) and values (foreign), in the order in which they read best. What is not known is left out."""
    rows = [
        ("Job", entry.id),
        ("Kind", entry.kind),
        *((name, value) for name, value in parameters(entry).items()),
        ("Seed", "" if entry.seed is None or "seed" in entry.params else str(entry.seed)),
        ("Model", entry.model),
        ("Revision", entry.revision),
        ("Device", entry.device),
        ("GPU-seconds", f"{entry.gpu_seconds:.2f}" if entry.started_at is not None else "0, answered by another run"),
        ("Waited", f"{entry.waited:.1f} s"),
        ("Ran", f"{entry.seconds:.1f} s" if entry.started_at is not None else ""),
        ("Ended", datetime.fromtimestamp(entry.finished_at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")),
    ]
    return [(label, value) for label, value in rows if value]


def parameters(entry: Entry) -> Mapping[str, str]:
    """As they would be typed, long ones cut; a file by its name. Those that were left out are not there."""
    return {name: _shown(value) for name, value in entry.params.items() if value is not None}


def _shown(value: Any) -> str:
    if isinstance(value, Mapping):
        value = value.get("name", "")
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"
