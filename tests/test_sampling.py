"""Tokens are drawn by the model's probabilities and a job's own seed."""

from __future__ import annotations

import math
from collections import Counter

import pytest
import torch

from frontdesk.worker.sampling import Draw, Sampler


def test_drawing_follows_the_models_probabilities() -> None:
    """Over many seeds, each token comes as often as softmax at that temperature says."""
    sampler = Sampler(torch.device("cpu"))
    logits = torch.tensor([0.0, 1.0, 2.0, -1.0])
    draws = 4000
    counts = Counter(
        token
        for seed in range(draws)
        for token in sampler.choose(logits[None].clone(), [Draw(temperature=0.7, seed=seed, position=0)])
    )
    for token, probability in enumerate((logits / 0.7).softmax(0).tolist()):
        error = math.sqrt(probability * (1 - probability) / draws)
        assert counts[token] / draws == pytest.approx(probability, abs=4 * error)


def test_rows_are_drawn_each_by_its_own_temperature_and_seed() -> None:
    """Greedy and free rows share a batch; the same seed at another position draws anew."""
    sampler = Sampler(torch.device("cpu"))
    logits = torch.linspace(0, 1, 1000)
    greedy_row, free = Draw(0, 1, 0), Draw(1, 1, 0)
    rows = sampler.choose(logits.repeat(4, 1), [greedy_row, free, free, Draw(1, 1, 1)])
    assert rows[0] == 999
    assert rows[1] == rows[2] != rows[3]
