"""The backend `modeller`: a grammar reads the prompt, and parametric families of solids make what it names.

No neural network makes the object. One matches words that no family has by their meaning, where its weights are
installed; the reply says which words it took for what.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import cycle, islice

from manifold3d import Manifold

from frontdesk.queue.kind_sculpt import Quality, TakenFor
from frontdesk.worker.composing import Composition, compose
from frontdesk.worker.families import FAMILIES
from frontdesk.worker.joining import from_parts, united
from frontdesk.worker.meshes import Mesh
from frontdesk.worker.prompt_grammar import Grammar
from frontdesk.worker.prompt_meaning import load_meaning
from frontdesk.worker.runner import RunError
from frontdesk.worker.scene import Understood
from frontdesk.worker.sculpting import Sculpture
from frontdesk.worker.solids import Family, Part

VERSION = 1  # raised with whatever changes what a prompt becomes
EXAMPLES = 3
LISTED = 12  # words in a sentence
LONGEST = 40  # letters of a word in a sentence


class Modeller:
    """Makes objects of parametric solids: the same on every machine, within a second or two on one core."""

    name = "modeller"
    made_by = "Made by the modeller, from parametric shapes; not a neural network."
    device = "CPU"

    def __init__(self, families: Mapping[str, Family] = FAMILIES) -> None:
        self._families = families
        self._grammar: Grammar | None = None
        self._by_meaning = False

    @property
    def model(self) -> str:
        how = "words and meaning" if self._by_meaning else "words"
        return f"modeller {VERSION} ({len(self._families)} families, by {how})"

    def load(self) -> None:
        """Raises ConfigurationError where the embeddings are installed and damaged."""
        meaning = load_meaning(self._families)
        self._by_meaning = meaning is not None
        self._grammar = Grammar(self._families, meaning)

    def unload(self) -> None:
        self._grammar = None

    def sculpt(
        self,
        prompt: str,
        *,
        seed: int,
        quality: Quality,
        progress: Callable[[float, str], None],
        check: Callable[[], None],
        show: Callable[[Mesh], None],
    ) -> Sculpture:
        """See `Sculptor`. It is ready too soon to show anything at half way."""
        assert self._grammar is not None, "load() comes first"  # noqa: S101 -- the contract of Sculptor
        progress(0.0, "reading the prompt")
        understood = self._grammar.understand(prompt, seed=seed, detail=quality)
        if not understood.scene.items:
            raise RunError(self._nothing(understood, seed))
        check()
        progress(0.2, "modelling")
        composition = compose(understood.scene, self._families, seed=seed, check=check)
        parts = _placed(composition)
        progress(0.6, "joining the parts")
        looks = from_parts(parts)
        check()
        return Sculpture(
            looks,
            lambda: united(parts),
            understood.scene.unknown,
            tuple(TakenFor(typed=meaning.typed, thing=meaning.family) for meaning in understood.meanings),
            (*_left_out(understood), *composition.notes),
        )

    def _nothing(self, understood: Understood, seed: int) -> str:
        words = [word[:LONGEST] for word in understood.scene.unknown[:LISTED]] or ["nothing that has a shape"]
        examples = _some(list(self._families), EXAMPLES, seed)
        return (
            f"I understood none of it: {', '.join(words)}. I know {len(self._families)} things, "
            f"such as {', '.join(examples[:-1])} or {examples[-1]}."
        )


def _placed(composition: Composition) -> list[Part]:
    return [
        Part(placed.solid(), placed.part.colour, placed.part.finish, placed.part.name) for placed in composition.parts
    ]


def _left_out(understood: Understood) -> list[str]:
    if not understood.left_out:
        return []
    return [f"More than fits into one object, and left out: {', '.join(understood.left_out)}."]


def _some(names: Sequence[str], count: int, start: int) -> list[str]:
    """Names spread over all of them, others for another start."""
    step = max(1, len(names) // count)
    return list(islice(cycle(names), start % len(names), start % len(names) + step * count, step))
