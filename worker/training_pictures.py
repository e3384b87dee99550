"""What a training looks like: its curves and its confusion matrix, as PNG files that can be read on a phone.

Drawn with matplotlib's objects and never with pyplot, whose figures belong to the whole process.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray
from PIL import Image

from frontdesk.queue.kind_train import Epoch, percent

SIZE = (1080, 1080)  # pixels
DOTS = 150  # an inch
COLOURS = 128
INK, FAINT = "#1a1a1a", "#d9d9d9"
LEARNT, TESTED = "#8a8a8a", "#0b5cad"
RIGHT, WRONG = np.array([0.58, 0.78, 0.95]), np.array([0.93, 0.47, 0.25])
NUMBERED = 12  # classes, up to which the matrix has a number in each cell
NAMED = 20  # classes, at most, whose names stand beside it
LONGEST_NAME = 12  # characters of a class


def curves(epochs: Sequence[Epoch], title: str) -> bytes:
    """Loss and accuracy by epoch, below each other: a PNG of SIZE."""
    figure = _figure(title)
    loss, accuracy = figure.subplots(2, 1, sharex=True)
    _panel(loss, "loss (nats)", [epoch.loss for epoch in epochs], [epoch.test_loss for epoch in epochs])
    top = max(max(epoch.loss, epoch.test_loss) for epoch in epochs)
    loss.set_ylim(-0.03 * top, 1.05 * top or 1)  # a loss of 0 is a whole point, and not half of one
    loss.legend(fontsize=14, frameon=False, labelcolor=INK)
    tested = [100 * epoch.test_accuracy for epoch in epochs]
    _panel(accuracy, "right (%)", [100 * epoch.accuracy for epoch in epochs], tested)
    accuracy.set_xlabel("epoch", fontsize=15, color=INK)
    accuracy.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    accuracy.annotate(
        percent(epochs[-1].test_accuracy),
        (len(epochs), tested[-1]),
        xytext=(-4, -26),
        textcoords="offset points",
        ha="right",
        fontsize=16,
        fontweight="bold",
        color=TESTED,
    )
    figure.align_ylabels()
    return _png(figure)


def _panel(axes: Axes, what: str, learnt: Sequence[float], tested: Sequence[float]) -> None:
    numbers = range(1, len(learnt) + 1)
    axes.plot(numbers, learnt, color=LEARNT, linewidth=2.5, marker="o", markersize=5, label="while learning")
    axes.plot(numbers, tested, color=TESTED, linewidth=3, marker="o", markersize=6, label="on the test")
    axes.set_ylabel(what, fontsize=15, color=INK)
    axes.grid(color=FAINT, linewidth=1)
    axes.set_axisbelow(True)
    _plain(axes)


def confusion_matrix(confusion: NDArray[np.int64], classes: Sequence[str], title: str) -> bytes:
    """What each class was taken for: a PNG of SIZE. Right ones blue, by their share of the class; wrong ones orange, by
    their share of the most frequent mistake.

    confusion: (classes, classes), counts by true class (rows) and by what was said (columns).
    """
    figure = _figure(title)
    axes = figure.subplots()
    axes.imshow(_colours(confusion), interpolation="nearest")
    if len(classes) <= NUMBERED:
        _write_counts(axes, confusion)
    shown = range(0, len(classes), -(-len(classes) // NAMED))
    names = [_shortened(classes[number]) for number in shown]
    axes.set_xticks(list(shown), names, rotation=90 if max(map(len, names)) > 3 else 0)
    axes.set_yticks(list(shown), names)
    _plain(axes)
    axes.set_xlabel("what it was taken for", fontsize=15, color=INK)
    axes.set_ylabel("what it is", fontsize=15, color=INK)
    return _png(figure)


def _write_counts(axes: Axes, confusion: NDArray[np.int64]) -> None:
    """A number in each cell, 0 left out, and lines between the cells."""
    size = 15 if confusion.max() < 1000 else 12
    for row, column in zip(*np.nonzero(confusion), strict=True):
        weight = "bold" if row == column else "normal"
        centred: dict[str, Any] = {"ha": "center", "va": "center", "color": INK, "fontsize": size, "fontweight": weight}
        axes.text(column, row, f"{confusion[row, column]}", **centred)
    between = np.arange(len(confusion) + 1) - 0.5
    axes.set_xticks(between, minor=True)
    axes.set_yticks(between, minor=True)
    axes.grid(which="minor", color=FAINT, linewidth=1)
    axes.tick_params(which="minor", length=0)


def _colours(confusion: NDArray[np.int64]) -> NDArray[np.float64]:
    """(classes, classes, 3), shades of 0 to 1."""
    right = np.eye(len(confusion), dtype=bool)
    of_class = np.maximum(confusion.sum(axis=1, keepdims=True), 1)
    worst = max(int(confusion[~right].max(initial=0)), 1)
    strength = np.where(right, confusion / of_class, np.where(confusion > 0, 0.25 + 0.75 * confusion / worst, 0))
    ends = np.where(right[..., None], RIGHT, WRONG)
    coloured: NDArray[np.float64] = 1 - strength[..., None] * (1 - ends)
    return coloured


def _figure(title: str) -> Figure:
    width, height = SIZE
    spaced = ConstrainedLayoutEngine(w_pad=0.12, h_pad=0.12)
    figure = Figure((width / DOTS, height / DOTS), DOTS, facecolor="white", layout=spaced)
    figure.suptitle(title, fontsize=16, color=INK, fontweight="bold")
    return figure


def _plain(axes: Axes) -> None:
    axes.set_facecolor("white")
    axes.tick_params(labelsize=14, colors=INK)
    for side in axes.spines.values():
        side.set_color(FAINT)


def _shortened(name: str) -> str:
    """Plain text: a dollar sign would begin a formula. Of a long name its ends: many differ in their last letters."""
    half = LONGEST_NAME // 2
    short = name if len(name) <= LONGEST_NAME else f"{name[: half - 1]}…{name[-half:]}"
    return short.replace("$", r"\$")


def _png(figure: Figure) -> bytes:
    """With a palette: a third of the bytes, and no difference to be seen."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()  # type: ignore[no-untyped-call]
    dots = np.asarray(canvas.buffer_rgba())  # type: ignore[no-untyped-call]
    drawn = Image.fromarray(dots).convert("RGB")
    file = io.BytesIO()
    drawn.quantize(COLOURS, dither=Image.Dither.NONE).save(file, "PNG", optimize=True)
    return file.getvalue()
