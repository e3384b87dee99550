"""Rows of a decoding batch: who joins, and what is left when some leave."""

from __future__ import annotations

import pytest
import tiny_language
import torch

from frontdesk.worker.decoding import DecodingBatch
from frontdesk.worker.models import LanguageModel


@pytest.fixture
def language() -> LanguageModel:
    return tiny_language.language()


def likeliest(logits: torch.Tensor) -> list[int]:
    return [int(token) for token in logits.argmax(-1)]


def test_who_leaves_takes_the_padding_along(language: LanguageModel) -> None:
    """After a long prompt is gone, the short ones no longer pay for its length, and are none the worse."""
    batch = DecodingBatch(language.model)
    batch.join([10, 11, 12])
    batch.join([20] * 50)
    batch.join([30])
    batch.step([13, 21, 31], likeliest)
    assert batch.width == 51
    batch.keep([0, 2])
    assert batch.width == 4
    together = batch.step([14, 32], likeliest)
    apart = []
    for tokens in ([10, 11, 12, 13], [30, 31]):
        alone = DecodingBatch(language.model)
        alone.join(tokens)
        apart += alone.step([14 if tokens[0] == 10 else 32], likeliest)
    assert together == apart
    batch.keep([])
    assert batch.width == 0


def test_a_prompt_of_one_token_joins_like_any_other(language: LanguageModel) -> None:
    """It has seen nothing yet, alone and beside a longer one."""
    alone, beside = DecodingBatch(language.model), DecodingBatch(language.model)
    alone.join([])
    beside.join([1, 2, 3])
    beside.join([])
    expected = int(language.model(input_ids=torch.tensor([[40]])).logits[0, -1].argmax())
    assert alone.step([40], likeliest) == [expected]
    assert beside.step([4, 40], likeliest)[1] == expected
