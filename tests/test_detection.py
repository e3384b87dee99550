"""The statistics, against the formulas of their papers written out naively, and how texts share a pass."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import pytest
import tiny_models
import torch
from hypothesis import given
from hypothesis import strategies as st

from frontdesk.queue.errors import ConfigurationError
from frontdesk.worker import detection, reading
from frontdesk.worker.detection import VocabularyPass
from frontdesk.worker.models import LanguageModel
from frontdesk.worker.reading import Reader, groups

CPU = torch.device("cpu")
TEXTS = (
    "The quick brown fox jumps.",
    "Ein kurzer Satz.",
    "x",
    "",
    "Pack my box with five dozen liquor jugs, and go." * 3,
)


def logits_of(model: LanguageModel, ids: Sequence[int]) -> torch.Tensor:
    """[len(ids) + 1, vocabulary] in float64: after the start token and after each of the text's."""
    with torch.no_grad():
        logits = cast("torch.Tensor", model.model(torch.tensor([[0, *ids]])).logits)
    return logits[0].double()


def close(value: float, expected: float) -> bool:
    return math.isclose(value, expected, rel_tol=1e-4, abs_tol=1e-4)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> LanguageModel:
    folder = tmp_path_factory.mktemp("performer")
    return tiny_models.load(tiny_models.save(folder), folder)


@pytest.fixture(scope="module")
def observer(tmp_path_factory: pytest.TempPathFactory) -> LanguageModel:
    folder = tmp_path_factory.mktemp("observer")
    return tiny_models.load(tiny_models.save(folder, seed=1), folder)


@pytest.mark.parametrize("rows", [1, 3, 7, 50])
def test_blocks_do_not_change_the_sums(rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the size of the blocks, each token's figures are those of the definition."""
    torch.manual_seed(0)
    logits, targets = torch.randn(20, 90) * 5 + 40, torch.randint(0, 90, (20,))
    monkeypatch.setattr(detection, "CPU_BLOCK", rows * 90)
    figures = VocabularyPass(90, CPU).token_figures(logits, targets)
    log_p = logits.double().log_softmax(-1)
    mean = (log_p.exp() * log_p).sum(-1)
    torch.testing.assert_close(figures.log_likelihood.double(), log_p[torch.arange(20), targets], atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(figures.mean.double(), mean, atol=1e-4, rtol=1e-4)
    variance = (log_p.exp() * log_p**2).sum(-1) - mean**2
    torch.testing.assert_close(figures.variance.double(), variance, atol=1e-3, rtol=1e-3)


def test_cross_entropy_is_the_observers_expectation() -> None:
    """-sum p_observer log p_performer, in this order of the two."""
    torch.manual_seed(0)
    observer, performer = torch.randn(30, 70) * 4, torch.randn(30, 70) * 4
    found = VocabularyPass(70, CPU).cross_entropy(observer=observer, performer=performer)
    expected = -(observer.double().softmax(-1) * performer.double().log_softmax(-1)).sum(-1)
    torch.testing.assert_close(found.double(), expected, atol=1e-4, rtol=1e-4)


def test_the_start_token_makes_the_first_token_count(model: LanguageModel) -> None:
    """Perplexity and curvature are over all tokens of the text, each predicted by the place before it."""
    reader = Reader(model)
    ids = reader.encode(TEXTS[0])
    found = reader.read([ids], 2048)[0]
    log_p = logits_of(model, ids).log_softmax(-1)[:-1]
    of_text = log_p[torch.arange(len(ids)), torch.tensor(ids)]
    mean = (log_p.exp() * log_p).sum(-1)
    variance = (log_p.exp() * log_p**2).sum(-1) - mean**2
    assert len(found) == len(ids) == len(TEXTS[0])
    assert close(found.perplexity, math.exp(-of_text.mean().item()))
    assert close(found.curvature, ((of_text.sum() - mean.sum()) / variance.sum().sqrt()).item())
    assert found.binoculars is None


def test_binoculars_counts_the_last_position_of_the_cross_perplexity_only(
    model: LanguageModel, observer: LanguageModel
) -> None:
    """log PPL is shifted, log X-PPL is over every position: as in the authors' code."""
    reader = Reader(model, observer)
    ids = reader.encode(TEXTS[0])
    performer = logits_of(model, ids).log_softmax(-1)
    log_perplexity = -performer[torch.arange(len(ids)), torch.tensor(ids)].mean()
    cross = -(logits_of(observer, ids).softmax(-1) * performer).sum(-1).mean()
    found = reader.read([ids], 2048)[0].binoculars
    assert found is not None
    assert close(found, (log_perplexity / cross).item())


def test_a_text_reads_the_same_alone_and_among_others(model: LanguageModel, observer: LanguageModel) -> None:
    """Padding and order change nothing."""
    reader = Reader(model, observer)
    texts = [reader.encode(text) for text in TEXTS]
    together = reader.read(texts, 2048)
    for text, found in zip(texts, together, strict=True):
        alone = reader.read([text], 2048)[0]
        assert len(found) == len(text)
        assert close(found.curvature, alone.curvature)
        assert close(found.perplexity, alone.perplexity)
        assert close(found.binoculars or 0, alone.binoculars or 0)


def test_the_first_tokens_read_like_a_text_of_their_own(model: LanguageModel, observer: LanguageModel) -> None:
    """Calibration takes all lengths from one pass: what follows has no influence."""
    reader = Reader(model, observer)
    ids = reader.encode(TEXTS[4])
    part, alone = reader.read([ids], 2048)[0].first(30), reader.read([ids[:30]], 2048)[0]
    assert len(part) == 30
    assert close(part.curvature, alone.curvature)
    assert close(part.binoculars or 0, alone.binoculars or 0)


def test_an_empty_text_has_figures(model: LanguageModel, observer: LanguageModel) -> None:
    """Nothing to judge is no error."""
    (found,) = Reader(model, observer).read([[]], 2048)
    assert (len(found), found.curvature, found.perplexity, found.binoculars) == (0, 0.0, 1.0, 0.0)


@pytest.mark.parametrize(
    ("architecture", "options"),
    [("Granite", {"logits_scaling": 7.0}), ("Gemma2", {"final_logit_softcapping": 5.0})],
)
def test_models_that_change_their_logits_at_the_end_are_read_right(
    architecture: str, options: dict[str, Any], tmp_path: Path
) -> None:
    """The shortcut past the last layer is taken only where it gives the model's own logits."""
    model = tiny_models.load(tiny_models.save(tmp_path / "m", architecture=architecture, **options), tmp_path)
    reader = Reader(model)
    texts = [reader.encode(text) for text in TEXTS[:2]]
    log_p = logits_of(model, texts[0]).log_softmax(-1)
    expected = -log_p[torch.arange(len(texts[0])), torch.tensor(texts[0])].mean().item()
    assert close(reader.read(texts, 2048)[0].perplexity, math.exp(expected))


def test_two_models_with_different_vocabularies_are_refused(model: LanguageModel, tmp_path: Path) -> None:
    """Binoculars compares distributions over the same words."""
    other = tiny_models.load(tiny_models.save(tmp_path / "m", letters="語"), tmp_path)
    with pytest.raises(ConfigurationError, match="different vocabularies"):
        Reader(model, other)


def test_control_tokens_in_a_text_are_read_as_letters(model: LanguageModel) -> None:
    """A user cannot end the text early by writing the model's own marks."""
    reader = Reader(model)
    assert 0 not in reader.encode("before <|endoftext|> after")


def test_a_model_without_any_doubt_gives_finite_figures() -> None:
    """Where one token has all the probability, variance is nothing and the quotient is 0, not NaN."""
    logits = torch.full((4, 50), -1e4)
    logits[:, 3] = 1e4
    figures = VocabularyPass(50, CPU).token_figures(logits, torch.full((4,), 3))
    assert detection.curvature(figures) == 0.0
    assert detection.perplexity(figures) == 1.0
    wrong = VocabularyPass(50, CPU).token_figures(logits, torch.full((4,), 7))
    assert math.isfinite(detection.perplexity(wrong))
    assert math.isfinite(detection.curvature(wrong))
    assert detection.binoculars(figures, torch.zeros(5)) == 0.0


@given(st.lists(st.integers(1, 1000), max_size=40), st.integers(256, 4096), st.integers(1, 500))
def test_every_text_is_in_exactly_one_pass_within_the_budget(lengths: list[int], budget: int, busy: int) -> None:
    """A pass is over the budget only for one text that is so alone, and padding is a small part of a busy one."""
    found = groups(lengths, budget, busy)
    assert sorted(number for group in found for number in group) == list(range(len(lengths)))
    for group in found:
        longest = max(lengths[number] for number in group)
        assert len(group) == 1 or longest * len(group) <= budget
        before_last = sum(lengths[number] for number in group[:-1])
        if before_last >= busy:
            assert sum(lengths[number] for number in group) >= (1 - reading.PADDING_SHARE) * longest * len(group)
