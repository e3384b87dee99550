"""The `score` runner: how likely a language model wrote a text."""

from __future__ import annotations

import math
from collections.abc import Sequence

from frontdesk.queue.catalogue import ScoreParams, ScoreResult
from frontdesk.worker.calibration import Calibration, Calibrations, Judgement
from frontdesk.worker.models import token_budget
from frontdesk.worker.reading import Reader, Reading
from frontdesk.worker.runner import BatchRunner, Bench, RunError

# One pass of a lone text and one of several: the first use of each shape is slow.
WARM_UP = ("A sentence to warm up with. " * 8, "And a second one, twice as long as that. " * 16)


class ScoreRunner(BatchRunner[ScoreParams, ScoreResult]):
    """Judges texts by the model's curvature, or by Binoculars where an observer is configured and calibrated."""

    def __init__(self, bench: Bench) -> None:
        super().__init__(bench)
        self.settings = bench.models.settings
        self._reader: Reader | None = None
        self._calibration: Calibration | None = None

    def load(self) -> None:
        """Raises ConfigurationError, OutOfMemoryError."""
        models = self.bench.models
        performer = models.get()
        observer = models.get(self.settings.observer_model) if self.settings.observer_model else None
        self._reader = Reader(performer, observer)
        known = Calibrations.read(self.bench.data_dir, performer.name, performer.precision)
        with_two = known.find("binoculars", observer.name) if observer else None
        self._calibration = with_two or known.find("curvature")
        self.max_tokens = token_budget(performer.device, self.settings)
        if performer.device.type == "cpu":
            self.max_wait = 0.0  # company makes a pass no cheaper there: only what arrives during a pass is joined
        self._longest = min(self.settings.score_max_tokens, self._reader.longest)
        self.run_batch([ScoreParams(text=text) for text in WARM_UP])

    def unload(self) -> None:
        self._reader = None

    @property
    def reader(self) -> Reader:
        assert self._reader is not None, "load() comes first"  # noqa: S101 -- the contract of Runner
        return self._reader

    @property
    def model(self) -> str | None:
        return str(self._reader.performer) if self._reader else None

    @property
    def revision(self) -> str | None:
        return self._reader.performer.revision if self._reader else None

    def tokens(self, params: ScoreParams) -> int:
        return min(len(self.reader.encode(params.text)), self._longest) + 1

    def run_batch(self, batch: Sequence[ScoreParams]) -> Sequence[ScoreResult]:
        """Raises OutOfMemoryError, and RunError where the model itself gives no numbers."""
        encoded = [self.reader.encode(params.text) for params in batch]
        readings = self.reader.read([tokens[: self._longest] for tokens in encoded], self.max_tokens)
        return [self._result(reading, len(tokens)) for reading, tokens in zip(readings, encoded, strict=True)]

    def _result(self, reading: Reading, tokens_in_text: int) -> ScoreResult:
        figures = (reading.curvature, reading.perplexity, reading.binoculars)
        if not all(math.isfinite(figure) for figure in figures if figure is not None):
            raise RunError("The model gave no usable figures for this text.")
        judgement = self._judgement(reading)
        performer = self.reader.performer
        return ScoreResult(
            verdict=judgement.verdict,
            reason=judgement.reason,
            curvature=reading.curvature,
            perplexity=reading.perplexity,
            binoculars=reading.binoculars,
            tokens=len(reading),
            tokens_in_text=tokens_in_text,
            false_positive_rate=self.settings.false_positive_rate if self._calibration else None,
            model=performer.name,
            precision=performer.precision,
        )

    def _judgement(self, reading: Reading) -> Judgement:
        if self._calibration is None:
            return Judgement("unclear", f"there is no calibration for {self.reader.performer}")
        value = reading.curvature if self._calibration.statistic == "curvature" else reading.binoculars
        assert value is not None  # noqa: S101 -- load() takes a Binoculars calibration only where there is an observer
        rates = (self.settings.false_positive_rate, self.settings.false_negative_rate)
        return self._calibration.judge(value, len(reading), *rates)
