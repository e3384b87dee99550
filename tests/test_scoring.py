"""The `score` runner on the real default model, and on a tiny one where only its behaviour matters."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
import tiny_models
import torch
from rich.console import Console

from frontdesk.queue.catalogue import ScoreParams, ScoreResult
from frontdesk.queue.errors import ConfigurationError
from frontdesk.queue.settings import Settings
from frontdesk.worker import calibrate, reading
from frontdesk.worker.calibration import FEWEST, user_file
from frontdesk.worker.detection import TokenFigures
from frontdesk.worker.models import ModelStore, chosen_dtype
from frontdesk.worker.runner import Bench, OutOfMemoryError, RunError
from frontdesk.worker.scoring import ScoreRunner

PASSAGES = json.loads(Path(__file__).parent.parent.joinpath("bots", "passages.json").read_text("utf-8"))
HUMAN, MACHINE = PASSAGES["human"]["text"], PASSAGES["machine"]["text"]

ODD = {
    "emoji": "😀🏳️‍🌈👩‍👩‍👧‍👦" * 40,
    "right to left": "שלום עולם، مرحبا بالعالم " * 15,
    "NUL bytes": "\0" * 200,
    "a word repeated": "buffalo " * 2500,
    "white space": " \t\n" * 100,
    "one letter": "a" * 20_000,
    "line breaks": "\n" * 200,
    "no letters": "!?.,;:-" * 30,
    "control tokens": "<|im_start|>system\n<|im_end|><|endoftext|>" * 10,
    "invisible": "\u200b\u200d\ufeff\u202e" * 60,
    "combining marks": "e" + "\u0301" * 300,
    "beyond the basic plane": "\U0010fffd\U00020000" * 120,
}


def bench(settings: Settings) -> Bench:
    return Bench(ModelStore(settings), settings.data_dir)


@pytest.fixture(scope="module")
def real(model_folder: Path) -> ScoreRunner:
    """As configured by default."""
    runner = ScoreRunner(bench(Settings(data_dir=model_folder, device="cpu")))
    runner.load()
    return runner


@pytest.fixture
def tiny(tmp_path: Path) -> Settings:
    """Settings of a model that is not calibrated, with a context of 512 single bytes."""
    return Settings(model=str(tiny_models.save(tmp_path / "tiny")), device="cpu", dtype="float32", data_dir=tmp_path)


def loaded(settings: Settings) -> ScoreRunner:
    runner = ScoreRunner(bench(settings))
    runner.load()
    return runner


def score(runner: ScoreRunner, *texts: str) -> list[ScoreResult]:
    return list(runner.run_batch([ScoreParams(text=text) for text in texts]))


@pytest.mark.model
def test_a_persons_and_a_models_passage_are_told_apart(real: ScoreRunner) -> None:
    """The two passages of the demo get the verdicts that the demo shows, with all their figures."""
    human, machine = score(real, HUMAN, MACHINE)
    assert (human.verdict, machine.verdict) == ("human", "machine")
    assert human.curvature < 0 < machine.curvature
    assert human.perplexity > machine.perplexity > 1
    assert human.tokens == human.tokens_in_text > 100
    precision = str(chosen_dtype(Settings(), torch.device("cpu"))).removeprefix("torch.")
    assert (human.model, human.precision, human.binoculars) == ("SmolLM2-135M-Instruct", precision, None)
    assert human.false_positive_rate == Settings().false_positive_rate
    assert (human.reason, machine.reason) == (None, None)


@pytest.mark.model
def test_padding_moves_figures_by_no_more_than_rounding(real: ScoreRunner) -> None:
    """In bfloat16, at the worst, a text among others differs from the text alone by hundredths."""
    texts = [HUMAN, MACHINE, HUMAN[:300], MACHINE[:500]]
    for together, text in zip(score(real, *texts), texts, strict=True):
        (alone,) = score(real, text)
        assert together.verdict == alone.verdict
        assert together.curvature == pytest.approx(alone.curvature, abs=0.1)
        assert together.perplexity == pytest.approx(alone.perplexity, rel=0.03)


@pytest.mark.model
def test_any_text_gets_figures(real: ScoreRunner) -> None:
    """Whatever is in it: finite numbers, and the tokens it has."""
    for name, result in zip(ODD, score(real, *ODD.values()), strict=True):
        assert math.isfinite(result.curvature), name
        assert math.isfinite(result.perplexity), name
        assert 0 < result.tokens <= min(result.tokens_in_text, 1024), name


@pytest.mark.model
def test_too_short_a_text_is_not_judged(real: ScoreRunner) -> None:
    """200 characters can be three tokens: figures yes, a verdict no."""
    (result,) = score(real, " " * 200)
    assert result.verdict == "unclear"
    assert result.reason is not None
    assert "too short" in result.reason
    assert result.headline() == f"Cannot tell: {result.reason}."


def test_the_longest_text_that_is_judged_is_a_setting(tiny: Settings) -> None:
    """The rest of the text is not read, and the result says how much was."""
    runner = loaded(tiny.model_copy(update={"score_max_tokens": 100}))
    (result,) = score(runner, "y" * 250)
    assert (result.tokens, result.tokens_in_text) == (100, 250)
    assert runner.tokens(ScoreParams(text="y" * 250)) == 101


def test_no_text_is_longer_than_the_models_context(tiny: Settings) -> None:
    """A setting beyond what the model can hold does not break it."""
    (result,) = score(loaded(tiny), "y" * 2000)
    assert (result.tokens, result.tokens_in_text) == (511, 2000)


def test_without_a_calibration_there_is_no_verdict(tiny: Settings) -> None:
    """The figures come with the reason, and no false-positive rate is claimed."""
    (result,) = score(loaded(tiny), HUMAN)
    assert (result.verdict, result.false_positive_rate) == ("unclear", None)
    assert result.reason == "there is no calibration for tiny (float32)"


def texts() -> tuple[list[str], list[str]]:
    return [f"{number} {HUMAN[number:]}" for number in range(FEWEST)], [
        "z" * (300 + number) for number in range(FEWEST)
    ]


def test_a_calibration_of_ones_own_judges(tiny: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """After `frontdesk calibrate` and a restart the verdicts follow it."""
    settings = tiny.model_copy(update={"false_positive_rate": 0.05})
    entries = calibrate.calibrate(settings, *texts(), "made up", Console(stderr=True))
    calibrate.write(entries, user_file(tmp_path, "tiny", "float32"))
    human, machine = score(loaded(settings), HUMAN, "z" * 310)
    assert human.false_positive_rate == 0.05
    assert {human.verdict, machine.verdict} <= {"human", "machine", "unclear"}
    assert human.reason is None


def test_two_models_give_binoculars(tiny: Settings, tmp_path: Path) -> None:
    """With an observer the figure is there; while only the curvature is calibrated, that one judges."""
    observer = tiny_models.save(tmp_path / "base", seed=1)
    runner = loaded(tiny.model_copy(update={"observer_model": str(observer)}))
    (result,) = score(runner, HUMAN)
    assert result.binoculars is not None
    assert result.binoculars > 0


def test_a_calibrated_binoculars_is_what_judges(tiny: Settings, tmp_path: Path) -> None:
    """Its figures decide: a text beyond all human ones on its scale is a machine's."""
    observer = tiny_models.save(tmp_path / "base", seed=1)
    settings = tiny.model_copy(update={"observer_model": str(observer), "false_positive_rate": 0.05})
    entries = calibrate.calibrate(settings, *texts(), "made up", Console(stderr=True))
    swapped = [
        entry.model_copy(
            update={
                "lengths": tuple(
                    at.model_copy(update={"human": (99.0,) * 8, "machine": (98.0,) * 8}) for at in entry.lengths
                )
            }
        )
        for entry in entries
        if entry.statistic == "binoculars"
    ]
    calibrate.write(swapped, user_file(tmp_path, "tiny", "float32"))
    assert [result.verdict for result in score(loaded(settings), HUMAN)] == ["machine"]


def test_models_that_do_not_belong_together_stop_the_worker(tiny: Settings, tmp_path: Path) -> None:
    """Different vocabularies are found when loading, not at the first job."""
    observer = tiny_models.save(tmp_path / "base", letters="語")
    with pytest.raises(ConfigurationError, match="one tokenizer"):
        loaded(tiny.model_copy(update={"observer_model": str(observer)}))


def test_full_memory_is_the_runners_own_error(tiny: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that whoever joins batches can split them."""
    runner = loaded(tiny)

    def full(*_: object, **__: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(runner.reader.performer.model.base_model, "forward", full)
    with pytest.raises(OutOfMemoryError):
        score(runner, HUMAN)


def test_a_broken_model_is_said_to_be_broken(tiny: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """NaN never reaches a user as a figure."""
    runner = loaded(tiny)
    broken = reading.Reading(TokenFigures(*torch.full((3, 50), math.nan)))
    monkeypatch.setattr(runner.reader, "read", lambda *_: [broken])
    with pytest.raises(RunError, match="no usable figures"):
        score(runner, HUMAN)


def test_what_admins_see_of_it(tiny: Settings) -> None:
    """The model and its precision while it is loaded; the size of a pass follows the setting."""
    runner = loaded(tiny.model_copy(update={"batch_tokens": 777}))
    assert runner.model == "tiny (float32)"
    assert runner.max_tokens == 777
    runner.unload()
    assert runner.model is None
