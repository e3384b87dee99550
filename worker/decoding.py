"""The tokens, keys and values of a running batch: rows that join, advance together and leave.

Transformers has continuous batching of its own, which draws from one random state for the whole process and samples all
of a batch or none of it: a seed or a temperature for each request is not to be had there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import pad
from transformers import DynamicCache, PreTrainedModel

Choose = Callable[[Tensor], list[int]]


class DecodingBatch:
    """Rows in the order in which they joined, padded on the left to the longest of them.

    Serves models with attention only. The cache keeps every position, also for models that look back over a window.
    """

    def __init__(self, model: PreTrainedModel) -> None:
        self._model = model
        self._cache = DynamicCache()
        self._lengths: list[int] = []  # tokens of each row whose keys and values are in the cache

    @property
    def width(self) -> int:
        """Positions in the cache: the tokens that the longest row has seen."""
        return max(self._lengths, default=0)

    @torch.inference_mode()
    def join(self, tokens: Sequence[int]) -> None:
        """Add a row that has seen these tokens. Where that fails, the batch is as it was before."""
        cache = DynamicCache()
        # One row alone: it needs no padding, and computes what it would compute without a batch.
        self._model(
            input_ids=torch.tensor([list(tokens) or [0]], device=self._model.device),
            past_key_values=cache,
            use_cache=True,
            logits_to_keep=1,
        )
        if not tokens:
            cache.crop(-1)  # only the shapes were wanted
        if self._lengths:
            self._append(cache, max(self.width, len(tokens)))
        else:
            self._cache = cache
        self._lengths.append(len(tokens))

    @torch.inference_mode()
    def step(self, tokens: Sequence[int], choose: Choose) -> list[int]:
        """Advance each row by its token and return the next ones, chosen from float32 logits of (rows, vocabulary).

        Where that fails, the batch is as it was before.
        """
        width, device = self.width, self._model.device
        lengths = torch.tensor(self._lengths, device=device)[:, None]
        try:
            logits = self._model(
                input_ids=torch.tensor(tokens, device=device)[:, None],
                attention_mask=(torch.arange(width + 1, device=device) >= width - lengths).long(),
                position_ids=lengths,
                past_key_values=self._cache,
                use_cache=True,
            ).logits[:, -1]
            chosen = choose(logits.float())
        except BaseException:
            self._each(lambda kept: kept[:, :, :width])
            raise
        self._lengths = [length + 1 for length in self._lengths]
        return chosen

    @torch.inference_mode()
    def keep(self, rows: Sequence[int]) -> None:
        """Let all other rows leave, and give back the padding that only they needed."""
        if len(rows) == len(self._lengths):
            return
        if not rows:
            self._cache, self._lengths = DynamicCache(), []
            return
        lengths = [self._lengths[row] for row in rows]
        chosen = torch.tensor(rows, device=self._model.device)
        surplus = self.width - max(lengths)
        # Copied: a view would keep the memory of those that left. Layer by layer, so that little more is needed.
        self._each(lambda kept: kept[:, :, surplus:].index_select(0, chosen))
        self._lengths = lengths

    def _append(self, cache: DynamicCache, width: int) -> None:
        rows, before = len(self._lengths), self.width
        try:
            for layer, new in zip(_layers(self._cache), _layers(cache), strict=True):
                layer.keys = torch.cat([_widened(layer.keys, width), _widened(new.keys, width)])
                layer.values = torch.cat([_widened(layer.values, width), _widened(new.values, width)])
        except BaseException:
            self._each(lambda kept: kept[:rows, :, kept.shape[2] - before :])
            raise

    def _each(self, change: Callable[[Tensor], Tensor]) -> None:
        """Change all keys and values, each of shape (rows, heads, width, size)."""
        for layer in _layers(self._cache):
            layer.keys, layer.values = change(layer.keys), change(layer.values)


def _layers(cache: DynamicCache) -> list[Any]:
    """Its layers; transformers types their tensors as absent until the first use."""
    return cache.layers


def _widened(kept: Tensor, width: int) -> Tensor:
    return pad(kept, (0, 0, width - kept.shape[2], 0))
