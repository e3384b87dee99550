"""How well `score` tells texts apart: figures, tables, a ROC, and the calibration that ships.

    python benchmarks/detection_texts.py FOLDER        # first: the texts
    python benchmarks/detection.py read FOLDER         # with the configured model; again with another precision
    python benchmarks/detection.py ship FOLDER         # worker/calibrations.json: the precisions that were read
    python benchmarks/detection.py report FOLDER --precision float32   # its tables and figure for docs/detection.md

`read` takes a few minutes on two cores and keeps what it found in FOLDER/figures-PRECISION.json.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from frontdesk.queue.settings import load_settings
from frontdesk.worker.calibrate import read_all, write
from frontdesk.worker.calibration import LENGTHS, RATES, Calibration, CalibrationFile, at_lengths, auroc, thresholds
from frontdesk.worker.models import ModelStore, token_budget
from frontdesk.worker.reading import Reader

ROOT = Path(__file__).resolve().parent.parent
DOCUMENT = ROOT / "docs" / "detection.md"
SHIPPED = ROOT / "worker" / "calibrations.json"
MODEL = "SmolLM2-135M-Instruct"

REPORTED = (60, 150, 300, 512)
CALIBRATED = "machine-0.7"  # the origin whose texts calibrate: what the model writes by default
ORIGINS = {"machine-0.7": "0.7", "machine-1.0": "1.0"}
PRECISIONS = ("bfloat16", "float32", "int8", "nf4")
# The model writes without quantisation, in what the processor computes in: those of int8 and nf4 may differ.
WRITTEN_IN = {"bfloat16": "bfloat16", "float32": "float32", "int8": "full precision", "nf4": "full precision"}
HELD_OUT_RATES = ((0.01, 0.05), (0.02, 0.05), (0.05, 0.05))  # of people called machine, of machines called people
RESAMPLES = 1000
SEED = 4

DESCRIPTION = (
    "People: {human} passages of up to 512 tokens, Australian news stories of 2001 and 2002 and English Wikipedia, "
    "from the test data of gensim. Machine: {machine} continuations of such passages' openings by "
    "SmolLM2-135M-Instruct itself in {written} at temperature 0.7. See docs/detection.md."
)

# Of one text: its figure at each length that it has.
Values = Mapping[int, float]
Texts = Mapping[str, Values]


def read(folder: Path, people: int | None) -> None:
    """Figures of all texts, or of so many of people's, into FOLDER/figures-PRECISION.json."""
    settings = load_settings()
    language = ModelStore(settings).get()
    reader, console = Reader(language), Console(stderr=True)
    found: dict[str, dict[str, dict[str, dict[int, float]]]] = {}
    for origin in ("human", *ORIGINS):
        files = sorted((folder / origin).glob("*.txt"))
        if origin == "human" and people is not None:
            files = sorted(random.Random(SEED).sample(files, people))  # noqa: S311 -- a reproducible choice
        texts = [file.read_text("utf-8") for file in files]
        readings = read_all(reader, texts, token_budget(language.device, settings), console, origin)
        found[origin] = {
            file.stem: {
                statistic: {n: getattr(reading.first(n), statistic) for n in LENGTHS if n <= len(reading)}
                for statistic in ("curvature", "perplexity")
            }
            for file, reading in zip(files, readings, strict=True)
        }
    (folder / f"figures-{language.precision}.json").write_text(json.dumps(found))


def loaded(folder: Path, precision: str, statistic: str = "curvature") -> dict[str, dict[str, dict[int, float]]]:
    """Origin -> text -> length -> figure."""
    found = json.loads((folder / f"figures-{precision}.json").read_text())
    return {
        origin: {
            name: {int(length): value for length, value in figures[statistic].items()}
            for name, figures in texts.items()
        }
        for origin, texts in found.items()
    }


def columns(texts: Texts) -> dict[int, list[float]]:
    """Length -> figures of all texts that have it."""
    return {n: [values[n] for values in texts.values() if n in values] for n in LENGTHS}


def calibration(human: Texts, machine: Texts, precision: str) -> Calibration:
    return Calibration(
        model=MODEL,
        precision=precision,
        statistic="curvature",
        made=datetime.now(UTC).date(),
        texts=DESCRIPTION.format(human=len(human), machine=len(machine), written=WRITTEN_IN[precision]),
        lengths=at_lengths(columns(human), columns(machine), "curvature"),
    )


def ship(folder: Path) -> None:
    """What was not read this time stays as it is."""
    read_now = read_precisions(folder)
    shipped = CalibrationFile.model_validate_json(SHIPPED.read_text("utf-8"))
    made = [kept for kept in shipped.calibrations if kept.precision not in read_now]
    for precision in read_precisions(folder):
        texts = loaded(folder, precision)
        made.append(calibration(texts["human"], texts[CALIBRATED], precision))
    write(sorted(made, key=lambda one: PRECISIONS.index(one.precision)), SHIPPED)


def interval(human: Sequence[float], machine: Sequence[float]) -> tuple[float, float]:
    """95 % bootstrap interval of the AUROC: both groups drawn anew, with replacement."""
    source = random.Random(SEED)  # noqa: S311 -- a reproducible choice
    areas = sorted(
        auroc(source.choices(human, k=len(human)), source.choices(machine, k=len(machine))) for _ in range(RESAMPLES)
    )
    return areas[int(0.025 * RESAMPLES)], areas[int(0.975 * RESAMPLES) - 1]


def caught(human: Sequence[float], machine: Sequence[float], rate: float) -> str:
    """The share of machine texts beyond what `rate` of human texts exceed."""
    threshold = thresholds(human, upper=True)[RATES.index(rate)]
    return "-" if threshold is None else f"{sum(value > threshold for value in machine) / len(machine):.2f}"


def separation(folder: Path, precision: str) -> Iterator[str]:
    """The table of AUROC and true-positive rates, by temperature and length."""
    curvatures, perplexities = loaded(folder, precision), loaded(folder, precision, "perplexity")
    yield "| temperature | tokens | people, machine | AUROC (95 %) | TPR at 1 % FPR | at 5 % FPR | AUROC, perplexity |"
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    human, human_perplexity = columns(curvatures["human"]), columns(perplexities["human"])
    for origin, temperature in ORIGINS.items():
        machine, machine_perplexity = columns(curvatures[origin]), columns(perplexities[origin])
        for n in REPORTED:
            if len(machine[n]) < 10:
                yield f"| {temperature} | {n} | {len(human[n])}, {len(machine[n])} | too few texts | | | |"
                continue
            low, high = interval(human[n], machine[n])
            yield (
                f"| {temperature} | {n} | {len(human[n])}, {len(machine[n])} "
                f"| {auroc(human[n], machine[n]):.3f} ({low:.3f} to {high:.3f}) "
                f"| {caught(human[n], machine[n], 0.01)} | {caught(human[n], machine[n], 0.05)} "
                f"| {1 - auroc(human_perplexity[n], machine_perplexity[n]):.3f} |"
            )


def halves(texts: Texts) -> tuple[Texts, Texts]:
    """By the order of their names, source by source: passages of one article stay together."""
    first: dict[str, Values] = {}
    second: dict[str, Values] = {}
    for source in sorted({name.rpartition("-")[0] for name in texts}):
        names = sorted(name for name in texts if name.rpartition("-")[0] == source)
        middle = len(names) // 2
        first |= {name: texts[name] for name in names[:middle]}
        second |= {name: texts[name] for name in names[middle:]}
    return first, second


def held_out(folder: Path, precision: str) -> Iterator[str]:
    """The verdicts on texts that had no part in the calibration: each half judged by the other's."""
    texts = loaded(folder, precision)
    parts = {origin: halves(texts[origin]) for origin in texts}
    yield "| stated rates | texts by | judged | machine | unclear | human |"
    yield "| --- | --- | --- | --- | --- | --- |"
    labels = {"human": "people", "machine-0.7": "the model at 0.7", "machine-1.0": "the model at 1.0"}
    for rate, missed in HELD_OUT_RATES:
        for origin, label in labels.items():
            verdicts = [
                calibration(parts["human"][1 - half], parts[CALIBRATED][1 - half], precision)
                .judge(values[max(values)], max(values), rate, missed)
                .verdict
                for half in (0, 1)
                for values in parts[origin][half].values()
                if values
            ]
            shares = " | ".join(f"{verdicts.count(v) / len(verdicts):.1%}" for v in ("machine", "unclear", "human"))
            yield f"| {rate:.0%}, {missed:.0%} | {label} | {len(verdicts)} | {shares} |"


def precisions() -> Iterator[str]:
    """What the precision of the weights changes, at 150 tokens: from the calibrations that ship."""
    yield "| precision | people, machine | AUROC at 150 tokens | machine above, at 1 % | human below, at 5 % |"
    yield "| --- | --- | --- | --- | --- |"
    for made in CalibrationFile.model_validate_json(SHIPPED.read_text("utf-8")).calibrations:
        at = next(one for one in made.lengths if one.tokens == 150)
        limits = [made.lengths[-1].human[RATES.index(0.01)], made.lengths[-1].machine[RATES.index(0.05)]]
        yield (
            f"| {made.precision} | {at.n_human}, {at.n_machine} | {at.auroc:.3f} "
            f"| {' | '.join('-' if limit is None else f'{limit:.2f}' for limit in limits)} |"
        )


def read_precisions(folder: Path) -> list[str]:
    return [precision for precision in PRECISIONS if (folder / f"figures-{precision}.json").exists()]


def draw(folder: Path, precision: str) -> None:
    """The ROC, one panel a temperature, one line a length; the rate of false alarms is logarithmic."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    texts = loaded(folder, precision)
    human = columns(texts["human"])
    figure, axes = plt.subplots(1, len(ORIGINS), figsize=(10, 4.6), sharey=True, layout="constrained")
    colours = mpl.colormaps["viridis_r"]
    for panel, (origin, temperature) in zip(axes, ORIGINS.items(), strict=True):
        machine = columns(texts[origin])
        for number, n in enumerate(REPORTED):
            if len(machine[n]) < 10:
                continue
            rates, hits = curve(human[n], machine[n])
            colour = colours(0.15 + 0.85 * number / (len(REPORTED) - 1))
            label = f"{n} tokens, AUROC {auroc(human[n], machine[n]):.3f}"
            panel.step(rates, hits, where="post", color=colour, linewidth=1.8, label=label)
        chance = [10 ** (exponent / 20) for exponent in range(-60, 1)]
        panel.plot(chance, chance, color="0.6", linestyle=":", linewidth=1.2, label="chance")
        panel.set(xscale="log", xlim=(1e-3, 1), ylim=(0, 1.02), xlabel="human texts called machine-written")
        panel.set_xticks([1e-3, 1e-2, 5e-2, 1e-1, 1], ["0.1 %", "1 %", "5 %", "10 %", "100 %"])
        panel.set_title(f"written at temperature {temperature}", fontsize=11)
        panel.grid(alpha=0.25)
        panel.legend(loc="lower right" if number_high(texts, origin) else "upper left", fontsize=8.5, framealpha=0.9)
    axes[0].set_ylabel("machine texts found")
    figure.suptitle(f"Curvature of {MODEL} ({precision}) on its own texts and on people's", fontsize=12)
    figure.savefig(DOCUMENT.with_name(f"detection-roc-{precision}.png"), dpi=130)


def number_high(texts: Mapping[str, Texts], origin: str) -> bool:
    """Whether the curves of a panel fill its upper left, where a legend would cover them."""
    return auroc(columns(texts["human"])[60], columns(texts[origin])[60]) > 0.9


def curve(human: Sequence[float], machine: Sequence[float]) -> tuple[list[float], list[float]]:
    """False and true positive rates for every threshold, strictest first."""
    rates, hits = [1e-9], [sum(value > max(human) for value in machine) / len(machine)]
    for threshold in sorted(human, reverse=True):
        rates.append(sum(value >= threshold for value in human) / len(human))
        hits.append(sum(value >= threshold for value in machine) / len(machine))
    return rates, hits


def report(folder: Path, precision: str) -> None:
    draw(folder, precision)
    text = DOCUMENT.read_text("utf-8")
    tables = {
        f"separation, {precision}": separation(folder, precision),
        f"held-out, {precision}": held_out(folder, precision),
        "precisions": precisions(),
    }
    for mark, lines in tables.items():
        before, opened, rest = text.partition(f"<!-- {mark} -->\n")
        _, closed, after = rest.partition(f"<!-- end of {mark} -->")
        text = before + opened + "\n".join(lines) + "\n" + closed + after
    DOCUMENT.write_text(text, encoding="utf-8")
    print(text)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("step", choices=("read", "report", "ship"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--people", type=int, help="read so many of people's passages, chosen at random; default: all")
    parser.add_argument("--precision", default="bfloat16", help="whose figures are reported")
    arguments = parser.parse_args()
    if arguments.step == "read":
        read(arguments.folder, arguments.people)
    elif arguments.step == "report":
        report(arguments.folder, arguments.precision)
    else:
        ship(arguments.folder)


if __name__ == "__main__":
    main()
