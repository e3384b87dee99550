"""One forward pass over several texts, and what it says about each token of each of them.

The vocabulary is the expensive side: 2048 tokens times 49,152 entries in float32 are 400 MB. So the pass stops before
the model's last layer, and that layer runs over a few rows at a time, only for tokens that are no padding.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import Tensor

from frontdesk.queue.errors import ConfigurationError
from frontdesk.worker.detection import TokenFigures, VocabularyPass, binoculars, curvature, perplexity
from frontdesk.worker.models import LanguageModel, memory_errors

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

# Rows of hidden states that the last layer takes at a time: on a CPU 12 MB of logits, which stay in the cache.
CPU_ROWS = 128
CUDA_ROWS = 4096

# Texts share a pass as long as padding wastes little, or while the pass is too small to keep the device busy.
PADDING_SHARE = 0.1
CPU_BUSY_TOKENS = 256
CUDA_BUSY_TOKENS = 4096

START_TOKEN = "<|endoftext|>"  # noqa: S105 -- a word of the vocabulary, no secret
PROBE = (11, 29, 47, 71, 101, 137, 173, 211)  # any tokens will do


@dataclass(frozen=True)
class Reading:
    """What the pass says about one text. `cross` [n + 1] with an observer only; all tensors on the CPU."""

    tokens: TokenFigures
    cross: Tensor | None = None

    def __len__(self) -> int:
        return len(self.tokens.log_likelihood)

    def first(self, count: int) -> Reading:
        """The same for the text's first `count` tokens: what follows a token has no influence on it."""
        return Reading(
            TokenFigures(*(column[:count] for column in self.tokens)),
            None if self.cross is None else self.cross[: count + 1],
        )

    @property
    def perplexity(self) -> float:
        return perplexity(self.tokens) if len(self) else 1.0

    @property
    def curvature(self) -> float:
        return curvature(self.tokens) if len(self) else 0.0

    @property
    def binoculars(self) -> float | None:
        if self.cross is None:
            return None
        return binoculars(self.tokens, self.cross) if len(self) else 0.0


class Reader:
    """Reads texts with one model, or with a performer and an observer that share a tokenizer.

    Raises ConfigurationError where the two do not.
    """

    def __init__(self, performer: LanguageModel, observer: LanguageModel | None = None) -> None:
        self.performer = performer
        self.observer = observer
        if observer is not None:
            _check_tokenizers(performer, observer)
        self._stages = [_Stages(language.model) for language in (performer, observer) if language is not None]
        self._width = min(stages.width for stages in self._stages)
        self._start = _start_token(performer.tokenizer)
        self._vocabulary = VocabularyPass(self._width, performer.device)
        on_gpu = performer.device.type == "cuda"
        self._rows = CUDA_ROWS if on_gpu else CPU_ROWS
        self._busy = CUDA_BUSY_TOKENS if on_gpu else CPU_BUSY_TOKENS

    @property
    def longest(self) -> int:
        """Tokens that fit the models' context beside the start token."""
        both = (self.performer, self.observer)
        configs = [language.model.config for language in both if language is not None]
        return min(int(getattr(config, "max_position_embeddings", 2**31)) for config in configs) - 1

    def encode(self, text: str) -> list[int]:
        """The text's tokens. What looks like a control token is text too, and is read as such."""
        encoded = self.performer.tokenizer(text, add_special_tokens=False, split_special_tokens=True)
        return cast("list[int]", encoded["input_ids"])

    def read(self, texts: Sequence[Sequence[int]], budget: int) -> list[Reading]:
        """Readings in the texts' order, in passes of at most `budget` padded tokens where that is possible.

        texts: token ids without a start token; may be empty ones. Raises OutOfMemoryError.
        """
        nothing = Reading(TokenFigures(*torch.zeros(3, 0)), torch.zeros(1) if self.observer else None)
        readings = [nothing] * len(texts)
        for group in groups([len(text) + 1 for text in texts], budget, self._busy):
            full = [number for number in group if texts[number]]
            for number, reading in zip(full, self._read_together([texts[n] for n in full]), strict=True):
                readings[number] = reading
        return readings

    def _read_together(self, texts: Sequence[Sequence[int]]) -> Iterator[Reading]:
        if not texts:
            return
        with memory_errors(), torch.inference_mode():
            ids, mask = self._padded(texts)
            hidden = [stages.hidden(ids, mask)[mask] for stages in self._stages]
            # Row r holds the distribution after token r; the next row's token is its target, except at a text's end.
            targets = ids[mask].roll(-1)
            figures, cross = self._figures(hidden, targets)
        start = 0
        for text in texts:
            end = start + len(text)
            yield Reading(
                TokenFigures(*(column[start:end] for column in figures)),
                None if cross is None else cross[start : end + 1],
            )
            start = end + 1

    def _padded(self, texts: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
        """Ids and mask [texts, longest + 1]: the start token first, padding to the right."""
        longest = max(map(len, texts))
        rows = [[self._start, *text, *[self._start] * (longest - len(text))] for text in texts]
        lengths = torch.tensor([len(text) + 1 for text in texts])
        mask = torch.arange(longest + 1)[None, :] < lengths[:, None]
        return torch.tensor(rows).to(self.performer.device), mask.to(self.performer.device)

    def _figures(self, hidden: Sequence[Tensor], targets: Tensor) -> tuple[TokenFigures, Tensor | None]:
        parts: list[TokenFigures] = []
        cross: list[Tensor] = []
        chunks = [torch.split(states, self._rows) for states in hidden]
        for following, *states in zip(torch.split(targets, self._rows), *chunks, strict=True):
            pairs = zip(self._stages, states, strict=True)
            logits = [stages.logits(rows)[:, : self._width] for stages, rows in pairs]
            parts.append(self._vocabulary.token_figures(logits[0], following))
            if self.observer is not None:
                cross.append(self._vocabulary.cross_entropy(observer=logits[1], performer=logits[0]))
        figures = TokenFigures(*(torch.cat(columns).cpu() for columns in zip(*parts, strict=True)))
        return figures, torch.cat(cross).cpu() if cross else None


class _Stages:
    """A causal model in two stages: up to the last hidden states, and from those to logits.

    Most models are no more than that. Some scale or cap the logits in between; a probe finds them, and they run whole.
    """

    def __init__(self, model: Any) -> None:
        self._model = model
        self._head = model.get_output_embeddings()
        ids = torch.tensor([PROBE], device=model.device)
        with torch.inference_mode():
            whole = model(input_ids=ids, use_cache=False).logits
            self._split = self._head is not None and _same(self._head(self._body(ids, None)), whole)
        self.width = int(whole.shape[-1])

    def hidden(self, ids: Tensor, mask: Tensor) -> Tensor:
        """ids and mask [b, l] -> [b, l, h]."""
        # Without padding the model may take a faster attention that needs no mask.
        padding = None if bool(mask.all()) else mask.long()
        if self._split:
            return self._body(ids, padding)
        return cast("Tensor", self._model(input_ids=ids, attention_mask=padding, use_cache=False).logits)

    def logits(self, hidden: Tensor) -> Tensor:
        """[n, h] -> [n, vocabulary]."""
        return cast("Tensor", self._head(hidden)) if self._split else hidden

    def _body(self, ids: Tensor, mask: Tensor | None) -> Tensor:
        output = self._model.base_model(input_ids=ids, attention_mask=mask, use_cache=False)
        return cast("Tensor", output.last_hidden_state)


def groups(lengths: Sequence[int], budget: int, busy: int) -> list[list[int]]:
    """Which texts share a pass: their numbers, sorted by length so that little of a pass is padding.

    A pass holds at most `budget` padded tokens, unless one text alone has more. Once it has `busy` tokens, it is not
    joined by a text that would make more than a tenth of it padding.
    """
    result: list[list[int]] = []
    tokens = 0
    for number in sorted(range(len(lengths)), key=lambda number: lengths[number], reverse=True):
        # Longest first: the group's first text sets the padded length of all.
        padded = (len(result[-1]) + 1) * lengths[result[-1][0]] if result else 0
        wasted = padded - tokens - lengths[number]
        if not result or padded > budget or (tokens >= busy and wasted > PADDING_SHARE * padded):
            result.append([])
            tokens = 0
        result[-1].append(number)
        tokens += lengths[number]
    return result


def _same(ours: Tensor, theirs: Tensor) -> bool:
    """Equal but for rounding, which differs with the shape of a matrix product."""
    if ours.shape != theirs.shape:
        return False
    return bool((ours.float() - theirs.float()).abs().max() <= 0.05 * theirs.float().std())


def _start_token(tokenizer: PreTrainedTokenizerBase) -> int:
    """What the model saw at the beginning of a text: without it the first token would go unjudged."""
    automatic = cast("list[int]", tokenizer("a")["input_ids"])
    if automatic and automatic[0] == tokenizer.bos_token_id:
        return automatic[0]
    known = tokenizer.get_vocab()
    candidates = (known.get(START_TOKEN), tokenizer.bos_token_id, tokenizer.eos_token_id)
    return next((int(cast("int", token)) for token in candidates if token is not None), 0)


def _check_tokenizers(performer: LanguageModel, observer: LanguageModel) -> None:
    if performer.tokenizer.get_vocab() != observer.tokenizer.get_vocab():
        raise ConfigurationError(
            f"FRONTDESK_OBSERVER_MODEL: {observer.name} and {performer.name} have different vocabularies; "
            "Binoculars needs two models with one tokenizer."
        )
