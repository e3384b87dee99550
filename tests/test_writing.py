"""Texts from a language model, many at a time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import tiny_language
import torch
from tiny_language import CONTEXT, END, STOP

from frontdesk.queue.catalogue import WRITE, WriteParams, WriteResult
from frontdesk.queue.jobs import Job, Outcome, Progress, Requester, new_job_id
from frontdesk.queue.kinds import Registry
from frontdesk.queue.settings import Settings
from frontdesk.worker.engine import Engine
from frontdesk.worker.models import LanguageModel, ModelStore
from frontdesk.worker.runner import Bench, OutOfMemoryError, RunError
from frontdesk.worker.sampling import Draw, Sampler
from frontdesk.worker.texts import chat_tokens
from frontdesk.worker.writing import WriteRunner, Writing

PROMPTS = ("Hi", "Why is the sky blue?", "x", "List three colours, each with a reason to like it.", "Grüße, 你好 😀")


@pytest.fixture
def language() -> LanguageModel:
    return tiny_language.language()


pytestmark = pytest.mark.usefixtures("one_thread")


def greedy(prompt: str, max_tokens: int = 24) -> WriteParams:
    return WriteParams(prompt=prompt, max_tokens=max_tokens, temperature=0)


def drawn(prompt: str, seed: int | None = 1, max_tokens: int = 24) -> WriteParams:
    return WriteParams(prompt=prompt, max_tokens=max_tokens, temperature=0.9, seed=seed)


def finish(writing: Writing, *, each_step: Callable[[int], object] = lambda step: None) -> dict[str, WriteResult]:
    """Step until all have ended. `each_step` is called before each step with its number."""
    results: dict[str, WriteResult] = {}
    for step in range(2 * CONTEXT):
        each_step(step)
        if not writing.jobs:
            return results
        for key, news in writing.step().items():
            if news.result is not None:
                results[key] = news.result
    raise AssertionError("it never ended")


def alone(language: LanguageModel, params: WriteParams) -> WriteResult:
    writing = Writing(language)
    writing.add("only", params)
    return finish(writing)["only"]


def reference(language: LanguageModel, params: WriteParams) -> str:
    """What transformers' own `generate` writes."""
    prompt = torch.tensor([chat_tokens(language.tokenizer, params.prompt)])
    written = language.model.generate(  # type: ignore[operator]  # its mixin is not typed
        prompt,
        attention_mask=torch.ones_like(prompt),
        max_new_tokens=params.max_tokens,
        do_sample=False,
        pad_token_id=STOP,
    )
    text = language.tokenizer.decode(written[0, prompt.shape[1] :], skip_special_tokens=True)
    return str(text).rstrip("\N{REPLACEMENT CHARACTER}").strip()


def joined_and_left(language: LanguageModel, params: Sequence[WriteParams]) -> dict[str, WriteResult]:
    """One joins every third step; in between others come, and go before they have ended."""
    writing = Writing(language)
    others = {4: "a passer-by " * 20, 9: "another", 14: "and a third, who is a good deal more talkative " * 3}

    def traffic(step: int) -> None:
        if step % 3 == 0 and step // 3 < len(params):
            writing.add(f"job {step // 3}", params[step // 3])
        if step in others:
            writing.add(f"other {step}", drawn(others[step], seed=step, max_tokens=200))
        writing.remove(f"other {step - 4}")

    return finish(writing, each_step=traffic)


def test_a_text_is_what_generate_writes_whatever_joins_and_leaves(language: LanguageModel) -> None:
    """Padding, positions and the cache are right: in float32 every greedy text equals that of `generate` alone."""
    params = [greedy(prompt, max_tokens=16 + 9 * number) for number, prompt in enumerate(PROMPTS)]
    results = joined_and_left(language, params)
    assert [results[f"job {number}"].text for number in range(len(params))] == [
        reference(language, one) for one in params
    ]


def test_a_seed_gives_the_same_text_in_any_company(language: LanguageModel) -> None:
    """Chance belongs to the job: who else is in the batch changes nothing; another seed does."""
    params = [drawn(prompt, seed=7) for prompt in PROMPTS]
    results = joined_and_left(language, params)
    assert [results[f"job {number}"] for number in range(len(params))] == [alone(language, one) for one in params]
    assert alone(language, drawn("Hi", seed=7)).text != alone(language, drawn("Hi", seed=8)).text


def test_without_a_seed_one_is_drawn_and_told(language: LanguageModel) -> None:
    """A text that somebody likes can be had again."""
    first, second = alone(language, drawn("Hi", seed=None)), alone(language, drawn("Hi", seed=None))
    assert first.seed != second.seed
    assert alone(language, drawn("Hi", seed=first.seed)) == first


def test_a_parked_text_goes_on_where_it_was(language: LanguageModel) -> None:
    """Making room for others costs time and changes nothing."""
    params = {name: drawn(name, seed=3) for name in ("first", "second", "third")}
    writing = Writing(language)
    for name, one in params.items():
        writing.add(name, one)

    def traffic(step: int) -> None:
        if step == 5:
            writing.park("second")
        if step == 9:
            writing.add("second", params["second"])

    assert finish(writing, each_step=traffic) == {name: alone(language, one) for name, one in params.items()}


def test_each_token_is_drawn_anew(language: LanguageModel, monkeypatch: pytest.MonkeyPatch) -> None:
    """The draws of a seed are numbered through, so that none comes twice, not even after a break."""
    draws: list[Draw] = []
    choose = Sampler.choose

    def noting(sampler: Sampler, logits: torch.Tensor, these: Sequence[Draw]) -> list[int]:
        draws.extend(these)
        return choose(sampler, logits, these)

    monkeypatch.setattr(Sampler, "choose", noting)
    writing = Writing(language)
    for _ in range(2):
        writing.add("job", drawn("Hi", seed=5))
        writing.step()
        writing.step()
        writing.park("job")
    assert draws == [Draw(0.9, 5, position) for position in range(4)]


def test_a_text_that_is_parked_can_be_forgotten(language: LanguageModel) -> None:
    """Removed while parked, it begins anew when it comes again."""
    writing = Writing(language)
    writing.add("job", drawn("Hi"))
    writing.step()
    writing.park("job")
    writing.remove("job")
    writing.add("job", drawn("Ho"))
    assert finish(writing)["job"] == alone(language, drawn("Ho"))


@pytest.fixture
def short_of_memory(language: LanguageModel) -> Iterator[Callable[[int], None]]:
    """Lets a layer of the model run out of memory, once."""
    handles = []

    def fail_in(layer: int) -> None:
        def hook(*_: Any) -> None:
            handle.remove()
            raise torch.OutOfMemoryError("CUDA out of memory")

        handle = cast(Any, language.model).model.layers[layer].mlp.register_forward_pre_hook(hook)
        handles.append(handle)

    yield fail_in
    for handle in handles:
        handle.remove()


@pytest.mark.parametrize("layer", [0, 1, 2])
def test_a_step_without_memory_leaves_the_batch_as_it_was(
    language: LanguageModel, short_of_memory: Callable[[int], None], layer: int
) -> None:
    """In whichever layer memory ran out, the step can be tried again, and the texts are the same."""
    writing = Writing(language)
    params = {prompt: drawn(prompt) for prompt in PROMPTS[:3]}
    for name, one in params.items():
        writing.add(name, one)

    def traffic(step: int) -> None:
        if step in (0, 5):
            short_of_memory(layer)
            with pytest.raises(OutOfMemoryError):
                writing.step()

    assert finish(writing, each_step=traffic) == {name: alone(language, one) for name, one in params.items()}


def test_a_newcomer_without_memory_leaves_the_batch_as_it_was(
    language: LanguageModel, short_of_memory: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether its prompt or its place in the cache does not fit, the others go on, and it may come again."""
    writing = Writing(language)
    writing.add("first", drawn("first"))
    writing.step()
    short_of_memory(1)
    with pytest.raises(OutOfMemoryError):
        writing.add("second", drawn("a longer second one"))
    joins = torch.cat
    calls = iter(range(100))

    def cat(tensors: Any, *args: Any, **options: Any) -> torch.Tensor:
        if len(tensors) == 2 and tensors[0].dim() == 4 and not (args or options) and next(calls) == 3:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return joins(tensors, *args, **options)

    with monkeypatch.context() as patch:
        patch.setattr(torch, "cat", cat)
        with pytest.raises(OutOfMemoryError):
            writing.add("second", drawn("a longer second one"))
    assert next(calls) == 4, "the second failure was to be in the middle of joining"
    writing.add("second", drawn("a longer second one"))
    assert finish(writing) == {
        "first": alone(language, drawn("first")),
        "second": alone(language, drawn("a longer second one")),
    }


def test_a_prompt_beyond_the_context_is_refused_with_numbers(language: LanguageModel) -> None:
    """The requester reads how long it is and how long it may be; one token less is taken."""
    frame = len(chat_tokens(language.tokenizer, ""))
    writing = Writing(language)
    with pytest.raises(
        RunError, match=r"it has 1177 tokens, and the model reads at most 1176 when it is to write 24\."
    ):
        writing.add("job", greedy("x" * (CONTEXT - 24 - frame + 1)))
    writing.add("job", greedy("x" * (CONTEXT - 24 - frame)))
    assert finish(writing)["job"].tokens <= 24


@pytest.mark.parametrize("ends", [END, [END], [STOP, END]])
def test_a_text_stops_at_any_end_token(
    language: LanguageModel, monkeypatch: pytest.MonkeyPatch, ends: int | list[int]
) -> None:
    """The end token itself is no part of the text; without one the most tokens are the end."""
    first_words = [10, 11, 12]
    monkeypatch.setattr(language.model.generation_config, "eos_token_id", ends)
    chosen = iter([*first_words, ends[0] if isinstance(ends, list) else ends])
    monkeypatch.setattr(Sampler, "choose", lambda self, logits, draws: [next(chosen)])
    result = alone(language, greedy("Hi"))
    assert (result.stopped, result.tokens, result.text) == ("end", 3, language.tokenizer.decode(first_words))
    monkeypatch.setattr(Sampler, "choose", lambda self, logits, draws: [10])
    result = alone(language, greedy("Hi", max_tokens=17))
    assert (result.stopped, result.tokens) == ("length", 17)


def test_progress_shows_the_text_and_how_far_it_is(language: LanguageModel) -> None:
    """Each step tells the text so far and the share of the most tokens."""
    writing = Writing(language)
    writing.add("job", greedy("Hi", max_tokens=20))
    news = [writing.step()["job"] for _ in range(3)]
    assert [one.fraction for one in news] == pytest.approx([0.05, 0.1, 0.15])
    assert news[-1].text.startswith(news[0].text)


def bench(language: LanguageModel, data_dir: Path) -> Bench:
    store = SimpleNamespace(settings=Settings(data_dir=data_dir, write_jobs=5), get=lambda name=None: language)
    return Bench(cast(ModelStore, store), data_dir)


def test_a_runner_can_be_used_without_any_queue(language: LanguageModel, tmp_path: Path) -> None:
    """Load, run, unload; it says which model it has and takes its number of jobs from the settings."""
    runner = WriteRunner(bench(language, tmp_path))
    assert not runner.model
    with pytest.raises(RuntimeError, match="not loaded"):
        runner.stepper()
    runner.load()
    assert (runner.model, runner.max_jobs) == ("tiny (float32)", 5)
    context = SimpleNamespace(job_id="job", check=lambda: None, progress=lambda fraction, text: None)
    result = runner.run(drawn("Hi"), cast(Any, context))
    assert result == alone(language, drawn("Hi"))
    assert (result.model, result.precision) == ("tiny", "float32")
    runner.unload()
    assert not runner.model


@pytest.mark.model
async def test_the_real_model_writes_the_same_in_a_batch(model_folder: Path) -> None:
    """Through the engine, in float32: each of several questions is answered as `generate` answers it alone."""
    settings = Settings(data_dir=model_folder, dtype="float32")
    store = ModelStore(settings)
    engine = Engine(Registry([WRITE]), {"write": WriteRunner(Bench(store, model_folder))})
    await engine.load()
    ada = Requester(platform="console", user="ada", tenant="ada")
    news: list[Progress] = []

    async def ask(params: WriteParams) -> Outcome:
        now, fields = time.time(), params.model_dump()
        job = Job(
            id=new_job_id(now), kind="write", lane="short", params=fields, requester=ada, cost=1, submitted_at=now
        )
        return await engine.run(job, news.append)

    questions = [greedy(prompt, max_tokens=16) for prompt in ("What is the capital of France?", *PROMPTS[:3])]
    outcomes = await asyncio.gather(*(ask(question) for question in questions))
    await engine.close()
    results = [WriteResult.model_validate(outcome.result) for outcome in outcomes]
    assert [result.text for result in results] == [reference(store.get(), question) for question in questions]
    assert "Paris" in results[0].text
    assert {result.precision for result in results} == {"float32"}
    assert any(one.text and results[0].text.startswith(one.text) for one in news)
