"""Charts of a day as shapes that a template draws, each with the same figures as a table."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from frontdesk.bots.replies import duration
from frontdesk.history.figures import Hour

WIDTH, HEIGHT = 720.0, 200.0  # of the drawing, in its own units
LEFT, RIGHT, TOP, BOTTOM = 56.0, 8.0, 12.0, 24.0
STATUSES = ("done", "failed", "cancelled", "expired")
# Each at least 3:1 against white and against the dark theme (WCAG 1.4.11).
COLOURS = {"done": "#2f8f4e", "failed": "#d1483f", "cancelled": "#7f858f", "expired": "#b7791f",
           "half of them": "#2f7fc1", "nine of ten": "#b7791f", "GPU-seconds": "#8062c9"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Bar:
    x: float
    y: float
    width: float
    height: float
    colour: str


@dataclass(frozen=True, slots=True)
class Trace:
    """A line through points, as SVG writes them; one for each stretch without a gap."""

    points: str
    colour: str


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark at an axis: where it is, and what it says."""

    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Chart:
    """columns, rows: the same as a table, the newest hour first."""

    name: str
    title: str
    summary: str
    bars: tuple[Bar, ...]
    traces: tuple[Trace, ...]
    legend: tuple[tuple[str, str], ...]
    heights: tuple[Tick, ...]
    hours: tuple[Tick, ...]
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    width: float = WIDTH
    height: float = HEIGHT
    left: float = LEFT
    right: float = WIDTH - RIGHT


def charts_of(hours: Sequence[Hour]) -> list[Chart]:
    """What ended, how long it had waited, and what the devices did."""
    return [ended_chart(hours), waits_chart(hours), device_chart(hours)]


def ended_chart(hours: Sequence[Hour]) -> Chart:
    total = {status: sum(hour.ended.get(status, 0) for hour in hours) for status in STATUSES}
    top = _ceiling(max((sum(hour.ended.values()) for hour in hours), default=0))
    bars = []
    for number, hour in enumerate(hours):
        below = 0.0
        for status in STATUSES:
            count = hour.ended.get(status, 0)
            bars += _bar(number, len(hours), below, count, top, COLOURS[status])
            below += count
    return Chart(
        "ended",
        "Jobs that ended",
        ", ".join(f"{count:,} {status}" for status, count in total.items()) + " in the last 24 hours.",
        tuple(bars),
        (),
        tuple((status, COLOURS[status]) for status in STATUSES),
        _heights(top, lambda value: f"{value:,.0f}"),
        _times(hours),
        ("Hour (UTC)", *(status.capitalize() for status in STATUSES)),
        _rows(hours, lambda hour: tuple(f"{hour.ended.get(status, 0):,}" for status in STATUSES)),
    )


def waits_chart(hours: Sequence[Hour]) -> Chart:
    top = _ceiling(max((hour.p90 or 0.0 for hour in hours), default=0))
    series = {"half of them": [hour.p50 for hour in hours], "nine of ten": [hour.p90 for hour in hours]}
    longest = max((hour.p90 for hour in hours if hour.p90 is not None), default=None)
    worst = "Nothing was started in the last 24 hours." if longest is None else (
        f"In the slowest hour nine of ten jobs started within {duration(longest)}."
    )  # fmt: skip
    return Chart(
        "waits",
        "How long jobs waited",
        worst,
        (),
        tuple(trace for name, values in series.items() for trace in _traces(values, top, COLOURS[name])),
        tuple((name, COLOURS[name]) for name in series),
        _heights(top, lambda value: duration(value) if value else "0"),
        _times(hours),
        ("Hour (UTC)", "P50", "P90"),
        _rows(hours, lambda hour: (_seconds(hour.p50), _seconds(hour.p90))),
    )


def device_chart(hours: Sequence[Hour]) -> Chart:
    top = _ceiling(max((hour.gpu_seconds for hour in hours), default=0))
    colour = COLOURS["GPU-seconds"]
    bars = [
        bar for number, hour in enumerate(hours) for bar in _bar(number, len(hours), 0.0, hour.gpu_seconds, top, colour)
    ]
    return Chart(
        "device",
        "What the devices did",
        f"{sum(hour.gpu_seconds for hour in hours):,.0f} GPU-seconds in the last 24 hours.",
        tuple(bars),
        (),
        (("GPU-seconds", colour),),
        _heights(top, lambda value: f"{value:,.0f}"),
        _times(hours),
        ("Hour (UTC)", "GPU-seconds"),
        _rows(hours, lambda hour: (f"{hour.gpu_seconds:,.1f}",)),
    )


def _ceiling(value: float) -> float:
    """The end of an axis that holds `value`: 1, 2 or 5 times a power of ten, 1 at least."""
    if value <= 1:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (1.0, 2.0, 5.0, 10.0) if step * power >= value)


def _y(value: float, top: float) -> float:
    return round(HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * value / top, 2)


def _bar(number: int, count: int, below: float, value: float, top: float, colour: str) -> list[Bar]:
    if value <= 0:
        return []
    room = (WIDTH - LEFT - RIGHT) / count
    high = _y(below + value, top)
    return [Bar(round(LEFT + number * room + 2, 2), high, round(room - 4, 2), round(_y(below, top) - high, 2), colour)]


def _traces(values: Sequence[float | None], top: float, colour: str) -> list[Trace]:
    """A single point becomes a short stroke, so that it is seen."""
    room, stretches = (WIDTH - LEFT - RIGHT) / len(values), list[list[str]]()
    before = None
    for number, value in enumerate(values):
        if value is not None:
            x, y = LEFT + (number + 0.5) * room, _y(value, top)
            if before is None:
                stretches.append([f"{x - 3:.2f},{y}"])
            stretches[-1].append(f"{x:.2f},{y}")
        before = value
    return [Trace(" ".join(points), colour) for points in stretches]


def _heights(top: float, words: Callable[[float], str]) -> tuple[Tick, ...]:
    """Marks at whole numbers alone: half a job is none."""
    steps = 1 if top == 1 else 5 if f"{top:g}"[0] == "5" else 2
    return tuple(Tick(_y(step * top / steps, top), words(step * top / steps)) for step in range(steps + 1))


def _times(hours: Sequence[Hour]) -> tuple[Tick, ...]:
    room = (WIDTH - LEFT - RIGHT) / max(1, len(hours))
    return tuple(
        Tick(round(LEFT + (number + 0.5) * room, 2), _clock(hour))
        for number, hour in enumerate(hours)
        if number % 4 == 3
    )


def _rows(hours: Sequence[Hour], cells: Callable[[Hour], tuple[str, ...]]) -> tuple[tuple[str, ...], ...]:
    return tuple((_clock(hour), *cells(hour)) for hour in reversed(hours))


def _clock(hour: Hour) -> str:
    return datetime.fromtimestamp(hour.begins, UTC).strftime("%H:%M")


def _seconds(value: float | None) -> str:
    return "none" if value is None else f"{value:.1f} s"
