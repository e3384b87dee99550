"""The backend `modeller`: a grammar reads the prompt, and parametric families of solids make what it names.

No neural network makes the object. One matches words that no family has by their meaning, where its weights are
installed; the reply says which words it took for what.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from importlib.metadata import version
from itertools import groupby

import numpy as np

from frontdesk.queue.kind_sculpt import Quality, TakenFor
from frontdesk.worker.composing import Composition, compose
from frontdesk.worker.families import FAMILIES
from frontdesk.worker.joining import Copies, from_copies, united_copies
from frontdesk.worker.meshes import Mesh
from frontdesk.worker.prompt_grammar import Grammar
from frontdesk.worker.prompt_meaning import load_meaning
from frontdesk.worker.runner import RunError
from frontdesk.worker.scene import Understood
from frontdesk.worker.sculpting import Sculpture
from frontdesk.worker.solids import Family, Part

VERSION = 1  # raised with whatever changes what a prompt becomes
MOST_FACES = 100_000  # of a scene: more take seconds to draw and to write, and show nothing more
COARSER: Mapping[Quality, Quality] = {"best": "good", "good": "draft"}
ROUGHEST = 1 / 32  # of a part's size: how far its surface may move at most
EXAMPLES = 3
LISTED, LONGEST = 12, 40  # words in a sentence, and letters of one


class Modeller:
    """Makes objects of parametric solids, within a second or two on one core."""

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

    @property
    def revision(self) -> str:
        return f"frontdesk {version('frontdesk')}"

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
        progress(0.0, "reading the prompt")
        understood, objects, notes = self._modelled(prompt, seed, quality, progress, check)
        progress(0.5, "joining the parts")
        return Sculpture(
            from_copies(objects, check),
            lambda: united_copies(objects, check),
            understood.scene.unknown,
            tuple(TakenFor(typed=meaning.typed, thing=meaning.family) for meaning in understood.meanings),
            notes,
        )

    def _modelled(
        self,
        prompt: str,
        seed: int,
        quality: Quality,
        progress: Callable[[float, str], None],
        check: Callable[[], None],
    ) -> tuple[Understood, list[Copies], tuple[str, ...]]:
        """As fine as was asked, or as the number of faces allows."""
        assert self._grammar is not None, "load() comes first"  # noqa: S101 -- the contract of Sculptor
        detail = quality
        while True:
            understood = self._grammar.understand(prompt, seed=seed, detail=detail)
            if not understood.scene.items:
                raise RunError(self._nothing(understood))
            check()
            progress(0.1, "modelling")
            composition = compose(understood.scene, self._families, seed=seed, check=check)
            faces = sum(placed.part.solid.num_tri() for placed in composition.parts)
            if faces <= MOST_FACES or detail not in COARSER:
                break
            detail = COARSER[detail]
        notes = list(composition.notes)
        if understood.left_out:
            notes.append(f"More than one object holds, and left out: {', '.join(understood.left_out)}.")
        if detail != quality:
            notes.append(f"There is so much of it that each thing was made as for the quality {detail}.")
        return understood, _copies(composition, min(1.0, MOST_FACES / faces)), tuple(notes)

    def _nothing(self, understood: Understood) -> str:
        words = [word[:LONGEST] for word in understood.scene.unknown[:LISTED]]
        examples = _spread(list(self._families), EXAMPLES)
        return (
            f"I understood none of it{': ' + ', '.join(words) if words else ''}. "
            f"I know {len(self._families)} things, such as {', '.join(examples[:-1])} and {examples[-1]}."
        )


def _copies(composition: Composition, share: float) -> list[Copies]:
    """By items: the parts as built, with that share of their faces, and the place of each copy."""
    objects = []
    for _, group in groupby(sorted(composition.parts, key=lambda placed: placed.item), lambda placed: placed.item):
        placed = list(group)
        parts = [_thinned(one.part, share) for one in placed if one.copy == placed[0].copy]
        places = {one.copy: one.place for one in placed}
        objects.append(Copies(parts, list(places.values())))
    return objects


def _thinned(part: Part, share: float) -> Part:
    """With that share of its faces, or as few as can be without a loss that shows much."""
    solid, tolerance = part.solid, 1 / 512
    low, high = np.array(solid.bounding_box()).reshape(2, 3)
    while solid.num_tri() > share * part.solid.num_tri() and tolerance < ROUGHEST:
        solid, tolerance = solid.simplify(tolerance * float((high - low).max())), tolerance * 2
    return part if share == 1 else replace(part, solid=solid)


def _spread(names: Sequence[str], count: int) -> list[str]:
    """Some of the names, from all over them."""
    return list(names[:: max(1, len(names) // count)][:count])
