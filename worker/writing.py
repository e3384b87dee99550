"""`write`: text from a prompt, many at a time in one running batch.

The same seed and parameters give the same text again, up to rounding: kernels add up in another order for another size
of batch. Measured with the default model on a CPU, 8 texts of 32 tokens at temperature 0.7, each alone and then in a
changing batch: in float32 all 8 were the same, in bfloat16 4 were.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

from torch import Tensor

from frontdesk.queue.catalogue import WriteParams, WriteResult
from frontdesk.worker.decoding import DecodingBatch
from frontdesk.worker.models import LanguageModel, memory_errors
from frontdesk.worker.runner import Bench, RunError, Stepped, SteppingRunner
from frontdesk.worker.sampling import Draw, Sampler
from frontdesk.worker.texts import GrowingText, chat_tokens


@dataclass
class Draft:
    """A text that is being written. `prompt` and `written` are tokens."""

    params: WriteParams
    seed: int
    prompt: list[int]
    text: GrowingText
    written: list[int] = field(default_factory=list)

    @property
    def seen(self) -> list[int]:
        """All tokens but the last, which a step takes in."""
        return [*self.prompt, *self.written][:-1]

    @property
    def last(self) -> int:
        return (self.written or self.prompt)[-1]

    def draw(self) -> Draw:
        return Draw(self.params.temperature, self.seed, len(self.written))


class Writing:
    """The running batch of `write`. Its drafts are in the order of the decoding batch's rows."""

    def __init__(self, language: LanguageModel) -> None:
        self._language = language
        self._batch = DecodingBatch(language.model)
        self._sampler = Sampler(language.device)
        self._ends = _end_tokens(language)
        self._drafts: dict[str, Draft] = {}
        self._parked: dict[str, Draft] = {}

    @property
    def jobs(self) -> list[str]:
        """The keys of those that are in the batch, parked ones left out."""
        return list(self._drafts)

    def add(self, key: str, params: WriteParams) -> None:
        draft = self._parked.get(key) or self._draft(params)
        with memory_errors():
            self._batch.join(draft.seen)
        self._drafts[key] = draft
        self._parked.pop(key, None)

    def step(self) -> dict[str, Stepped[WriteResult]]:
        drafts = list(self._drafts.values())

        def choose(logits: Tensor) -> list[int]:
            return self._sampler.choose(logits, [draft.draw() for draft in drafts])

        with memory_errors():
            chosen = self._batch.step([draft.last for draft in drafts], choose)
        stepped = {
            key: self._advanced(draft, token) for (key, draft), token in zip(self._drafts.items(), chosen, strict=True)
        }
        self._keep([key for key, news in stepped.items() if news.result is None])
        return stepped

    def park(self, key: str) -> None:
        draft = self._drafts[key]
        self.remove(key)
        self._parked[key] = draft

    def remove(self, key: str) -> None:
        self._parked.pop(key, None)
        self._keep([other for other in self._drafts if other != key])

    def _keep(self, keys: list[str]) -> None:
        places = {key: row for row, key in enumerate(self._drafts)}
        with memory_errors():
            self._batch.keep([places[key] for key in keys])
        self._drafts = {key: self._drafts[key] for key in keys}

    def _draft(self, params: WriteParams) -> Draft:
        tokenizer = self._language.tokenizer
        prompt = chat_tokens(tokenizer, params.prompt)
        longest = _context_length(self._language) - params.max_tokens
        if len(prompt) > longest:
            raise RunError(
                f"The prompt is too long: it has {len(prompt)} tokens, and the model reads at most {max(longest, 0)} "
                f"when it is to write {params.max_tokens}."
            )
        seed = secrets.randbelow(2**31) if params.seed is None else params.seed
        return Draft(params, seed, prompt, GrowingText(tokenizer))

    def _advanced(self, draft: Draft, token: int) -> Stepped[WriteResult]:
        ended = token in self._ends
        if not ended:
            draft.written.append(token)
            draft.text.add(token)
        fraction = len(draft.written) / draft.params.max_tokens
        if not ended and fraction < 1:
            return Stepped(draft.text.text, fraction)
        text = draft.text.end().strip()
        result = WriteResult(
            text=text,
            tokens=len(draft.written),
            stopped="end" if ended else "length",
            seed=draft.seed,
            model=self._language.name,
            precision=self._language.precision,
        )
        return Stepped(text, 1.0, result)


class WriteRunner(SteppingRunner[WriteParams, WriteResult]):
    """Writes with the configured model."""

    def __init__(self, bench: Bench) -> None:
        super().__init__(bench)
        self._language: LanguageModel | None = None

    def load(self) -> None:
        settings = self.bench.models.settings
        self.max_jobs = settings.write_jobs
        self._language = self.bench.models.get()
        # Two rows, so that the kernels for a batch are warm as well.
        warming = self.stepper()
        for key in ("first", "second"):
            warming.add(key, WriteParams(prompt="Hello", max_tokens=16, temperature=1, seed=0))
        warming.step()

    def unload(self) -> None:
        self._language = None

    @property
    def model(self) -> str | None:
        return str(self._language) if self._language else None

    @property
    def revision(self) -> str | None:
        return self._language.revision if self._language else None

    def stepper(self) -> Writing:
        if self._language is None:
            raise RuntimeError("the runner is not loaded")
        return Writing(self._language)


def _end_tokens(language: LanguageModel) -> frozenset[int]:
    """All tokens that end an answer: chat models often have one for the turn and one for the text."""
    configured = getattr(language.model.generation_config, "eos_token_id", None)
    listed = configured if isinstance(configured, list) else [configured]
    return frozenset(int(token) for token in [*listed, language.tokenizer.eos_token_id] if token is not None)


def _context_length(language: LanguageModel) -> int:
    """Tokens that the model can hold, prompt and text together."""
    return int(language.model.config.get_text_config(decoder=True).max_position_embeddings)
