"""The statistics that tell machine-written text from people's: formulas on tensors, no models.

All of them ask how a language model's own distribution sees a text. Logits at position i predict token i + 1, so
`targets` are always the tokens one place further on than the logits.

- Perplexity: exp of the mean negative log-likelihood.
- Fast-DetectGPT: Bao et al., ICLR 2024 (arXiv:2310.05130): conditional probability curvature, computed analytically,
  with one model in both roles.
- Binoculars: Hans et al., ICML 2024 (arXiv:2401.12070): log-perplexity over cross-perplexity.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

# Elements of one block in float32. On a CPU the two blocks of scratch (8 MB) stay in the shared cache while nine passes
# go over them: four times faster than passes over everything. A GPU wants fewer and larger launches.
CPU_BLOCK = 2**20
CUDA_BLOCK = 2**26

LARGEST_EXPONENT = 700.0  # e^709 is the largest float
LEAST_VARIANCE = 1e-3  # of a whole text: below it the quotient would be rounding noise


class TokenFigures(NamedTuple):
    """Of n tokens each, [n] in float32: the token's log-likelihood, and the mean and the variance of the log-likelihood
    of a token drawn from the model's distribution at that place."""

    log_likelihood: Tensor
    mean: Tensor
    variance: Tensor


class VocabularyPass:
    """Sums over the vocabulary in float32, block by block, in scratch memory that is allocated once.

    vocabulary: the width of the logits it will see.
    """

    def __init__(self, vocabulary: int, device: torch.device) -> None:
        elements = CUDA_BLOCK if device.type == "cuda" else CPU_BLOCK
        self.rows = max(1, elements // vocabulary)
        self._scratch = torch.empty(2, self.rows, vocabulary, dtype=torch.float32, device=device)

    def token_figures(self, logits: Tensor, targets: Tensor) -> TokenFigures:
        """logits [n, vocabulary] of any precision, targets [n] -> three tensors [n]; n of 1 or more."""
        blocks = zip(torch.split(logits, self.rows), torch.split(targets, self.rows), strict=True)
        columns = zip(*(self._figures_of_block(*block) for block in blocks), strict=True)
        return TokenFigures(*(torch.cat(column) for column in columns))

    def cross_entropy(self, observer: Tensor, performer: Tensor) -> Tensor:
        """-sum_v p_observer(v) log p_performer(v): logits [n, vocabulary] of each -> [n]; n of 1 or more."""
        blocks = zip(torch.split(observer, self.rows), torch.split(performer, self.rows), strict=True)
        return torch.cat([self._cross_entropy_of_block(*block) for block in blocks])

    def _figures_of_block(self, logits: Tensor, targets: Tensor) -> TokenFigures:
        # With z the logits less their largest and S = sum_v e^z: log p = z - log S. The variance is that of z.
        z, e = self._scratch[:, : len(logits)]
        z.copy_(logits).sub_(z.amax(-1, keepdim=True))
        total = torch.exp(z, out=e).sum(-1)
        mean = e.mul_(z).sum(-1) / total
        mean_square = e.mul_(z).sum(-1) / total
        log_total = total.log()
        target = z.gather(-1, targets[:, None])[:, 0]
        return TokenFigures(target - log_total, mean - log_total, (mean_square - mean.square()).clamp_min_(0))

    def _cross_entropy_of_block(self, observer: Tensor, performer: Tensor) -> Tensor:
        z, e = self._scratch[:, : len(performer)]
        z.copy_(performer).sub_(z.amax(-1, keepdim=True))
        log_total = torch.exp(z, out=e).sum(-1).log()
        e.copy_(observer)
        e.sub_(e.amax(-1, keepdim=True)).exp_()
        total = e.sum(-1)
        expected: Tensor = e.mul_(z).sum(-1) / total
        return log_total - expected


def perplexity(figures: TokenFigures) -> float:
    """exp(-mean log p): the number of tokens that the model found equally likely, as it were."""
    mean = -figures.log_likelihood.double().mean().item()
    return math.exp(min(mean, LARGEST_EXPONENT))


def curvature(figures: TokenFigures) -> float:
    """Fast-DetectGPT's d(x) = (log p(x) - mu) / sigma, mu and sigma^2 being sums over the tokens.

    Near 0 or above for what a model wrote, clearly below for most of what people write; it grows with the square root
    of the length. 0 where the model had no choice at any place (sigma near 0).
    """
    log_likelihood, mean, variance = (column.double().sum().item() for column in figures)
    return (log_likelihood - mean) / math.sqrt(variance) if variance > LEAST_VARIANCE else 0.0


def binoculars(figures: TokenFigures, cross_entropies: Tensor) -> float:
    """log PPL / log X-PPL; small for what a model wrote.

    figures: the performer's, of tokens 2..L. cross_entropies [L]: observer against performer at positions 1..L, so
    the last position counts although it predicts nothing in the text, as in the authors' code.
    """
    log_perplexity = -figures.log_likelihood.double().mean().item()
    cross = cross_entropies.double().mean().item()
    return log_perplexity / cross if cross > 0 else 0.0
