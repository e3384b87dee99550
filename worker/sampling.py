"""Chooses next tokens: greedily, or by chance that depends on a job's seed and nothing else."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Draw:
    """How to choose one token: temperature 0 takes the likeliest; `position` counts the tokens drawn before."""

    temperature: float
    seed: int
    position: int


class Sampler:
    """Draws with the Gumbel-max trick (Gumbel 1954): the largest of logit / temperature + noise is a softmax sample.

    The noise comes from seed and position alone: the same whatever shares the batch, and after an interruption.
    Rounding that moves logits a little, as another batch may, changes the outcome only where two candidates nearly
    tie; drawing by cumulative probability would have many such edges. CPU and CUDA draw different noise.
    """

    def __init__(self, device: torch.device) -> None:
        self._generator = torch.Generator(device)

    @torch.inference_mode()
    def choose(self, logits: Tensor, draws: Sequence[Draw]) -> list[int]:
        """One token a row of float32 logits of (rows, vocabulary). The logits are changed."""
        for row, draw in zip(logits, draws, strict=True):
            if draw.temperature > 0:
                row.div_(draw.temperature).add_(self._noise(row, draw))
        return [int(token) for token in logits.argmax(-1).tolist()]

    def _noise(self, row: Tensor, draw: Draw) -> Tensor:
        """Standard Gumbel noise of the row's shape."""
        # Hashed: the CPU's generator reads only 32 bits of a seed.
        digest = blake2b(struct.pack("<qq", draw.seed, draw.position), digest_size=4).digest()
        self._generator.manual_seed(int.from_bytes(digest, "little"))
        uniform = torch.rand(row.shape, generator=self._generator, device=row.device)
        return uniform.log_().neg_().log_().neg_()
