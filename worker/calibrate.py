"""`frontdesk calibrate`: thresholds for the configured model from texts of known origin.

    python -m frontdesk.worker.calibrate --human DIR --machine DIR [--out FILE] [--texts "what they are"]

Each folder holds one text a file, *.txt in UTF-8. The result takes effect when the worker starts again.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.progress import track
from rich.table import Table

from frontdesk.queue.errors import ConfigurationError, FrontdeskError
from frontdesk.queue.settings import Settings, load_settings
from frontdesk.worker.calibration import (
    FEWEST,
    LENGTHS,
    RATES,
    Calibration,
    CalibrationFile,
    Statistic,
    at_lengths,
    user_file,
)
from frontdesk.worker.models import ModelStore, token_budget
from frontdesk.worker.reading import Reader, Reading

SHOWN_RATE = 0.01
ValuesByLength = dict[int, list[float]]


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0, or 2 with one line on standard error."""
    options = _parser().parse_args(arguments)
    console = Console(stderr=True)
    try:
        settings = load_settings()
        human, machine = texts_in(options.human), texts_in(options.machine)
        described = options.texts or f"{len(human)} human and {len(machine)} machine texts"
        entries = calibrate(settings, human, machine, described, console)
        performer = entries[0]
        target = options.out or user_file(settings.data_dir, performer.model, performer.precision)
        write(entries, target)
    except FrontdeskError as error:
        console.print(str(error), style="red", markup=False, highlight=False)
        return 2
    except OSError as error:
        console.print(f"{error.filename}: {error.strerror}", style="red", markup=False, highlight=False)
        return 2
    out = Console()
    for entry in entries:
        out.print(table(entry))
    out.print(f"Written to {target}", markup=False, highlight=False)
    return 0


def texts_in(folder: Path) -> list[str]:
    """The folder's texts in the order of their names. Raises ConfigurationError for a folder without enough of them."""
    if not folder.is_dir():
        raise ConfigurationError(f"{folder} is not a folder.")
    texts = []
    for file in sorted(folder.glob("*.txt")):
        try:
            texts.append(file.read_text("utf-8"))
        except UnicodeDecodeError:
            raise ConfigurationError(f"{file} is not UTF-8 text.") from None
    if len(texts) < FEWEST:
        raise ConfigurationError(f"{folder} holds {len(texts)} files called *.txt; at least {FEWEST} are needed.")
    return texts


def calibrate(
    settings: Settings, human: Sequence[str], machine: Sequence[str], described: str, console: Console
) -> list[Calibration]:
    """One entry for the curvature, and one for Binoculars where an observer is configured.

    Raises ConfigurationError where too few texts are long enough.
    """
    models = ModelStore(settings)
    performer = models.get()
    reader = Reader(performer, models.get(settings.observer_model) if settings.observer_model else None)
    budget = token_budget(performer.device, settings)
    people = read_all(reader, human, budget, console, "human")
    machines = read_all(reader, machine, budget, console, "machine")
    statistics: list[Statistic] = ["curvature", "binoculars"] if reader.observer else ["curvature"]
    entries = []
    for statistic in statistics:
        lengths = at_lengths(by_length(people, statistic), by_length(machines, statistic), statistic)
        if not lengths:
            raise ConfigurationError(
                f"Too few texts are long enough: at least {FEWEST} human and {FEWEST} machine texts "
                f"of {LENGTHS[0]} tokens are needed."
            )
        entries.append(
            Calibration(
                model=performer.name,
                precision=performer.precision,
                statistic=statistic,
                observer=reader.observer.name if reader.observer and statistic == "binoculars" else None,
                made=datetime.now(UTC).date(),
                texts=described,
                lengths=lengths,
            )
        )
    return entries


def read_all(reader: Reader, texts: Sequence[str], budget: int, console: Console, label: str) -> list[Reading]:
    """Readings of the texts' first tokens, as many as the longest calibrated length."""
    longest = min(LENGTHS[-1], reader.longest)
    encoded = [reader.encode(text)[:longest] for text in texts]
    parts = [encoded[start : start + 8] for start in range(0, len(encoded), 8)]
    shown = track(parts, f"Reading {label} texts", console=console, transient=True)
    return [reading for part in shown for reading in reader.read(part, budget)]


def by_length(readings: Sequence[Reading], statistic: Statistic) -> ValuesByLength:
    """The statistic of each text's beginning, for each length that the text has: one pass serves them all."""
    return {
        length: [
            value
            for reading in readings
            if len(reading) >= length and (value := getattr(reading.first(length), statistic)) is not None
        ]
        for length in LENGTHS
    }


def write(entries: Sequence[Calibration], target: Path) -> None:
    """All of the file or none of it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_name(f"{target.name}.{os.getpid()}.part")
    unfinished.write_text(CalibrationFile(calibrations=tuple(entries)).model_dump_json(indent=1) + "\n", "utf-8")
    unfinished.replace(target)


def table(entry: Calibration) -> Table:
    """The thresholds at 1 %, by length."""
    shown = Table(title=f"{entry.statistic} of {entry.model} ({entry.precision})")
    for heading in (
        "tokens",
        "human",
        "machine",
        "AUROC",
        f"machine at {SHOWN_RATE:.0%}",
        f"human at {SHOWN_RATE:.0%}",
    ):
        shown.add_column(heading, justify="right")
    column = RATES.index(SHOWN_RATE)
    towards_machine, towards_human = (">", "<") if entry.statistic == "curvature" else ("<", ">")
    for at in entry.lengths:
        limits = ((towards_machine, at.human[column]), (towards_human, at.machine[column]))
        shown.add_row(
            str(at.tokens),
            str(at.n_human),
            str(at.n_machine),
            f"{at.auroc:.3f}",
            *("too few texts" if limit is None else f"{side} {limit:.2f}" for side, limit in limits),
        )
    return shown


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="frontdesk calibrate",
        description="Measure thresholds for the configured model on texts of known origin.",
        epilog="example: frontdesk calibrate --human texts/people --machine texts/models",
    )
    parser.add_argument("--human", type=Path, required=True, help="folder of *.txt that people wrote")
    parser.add_argument("--machine", type=Path, required=True, help="folder of *.txt that language models wrote")
    parser.add_argument("--out", type=Path, help="the file to write; default: in the data folder, by model")
    parser.add_argument("--texts", help="what the texts are, for whoever reads the file")
    return parser


if __name__ == "__main__":
    sys.exit(main())
