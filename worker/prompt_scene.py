"""Phrases and links as a scene: what is a thing of its own, what adds to one, and what each stands by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from frontdesk.worker.prompt_company import is_smaller, kind_of_company
from frontdesk.worker.prompt_looks import Dress, dressed
from frontdesk.worker.prompt_phrases import Break, Described, Element, Phrase
from frontdesk.worker.prompt_words import Link
from frontdesk.worker.scene import MAX_ITEMS, MAX_OBJECTS, Item, Relation, RelationKind, Scene
from frontdesk.worker.solids import Family, Look
from frontdesk.worker.vocabulary import Noun, Vocabulary

PLURAL = 2  # "chairs", when nobody says how many
FILLING = 5  # "a bowl of apples"


@dataclass(slots=True)
class Draft:
    """An item in the making."""

    family: Family
    count: int
    typed: str
    adjectives: list[Described]
    accents: list[Described] = field(default_factory=list)
    relation: Relation | None = None
    vague: bool = False  # "chairs": nobody said how many
    filling: bool = False  # "of apples": what is said next is of the bowl
    soft: bool = False  # the relation was guessed from "with", and gives way to one that is said


class SceneBuilder:
    """Takes phrases and links in their order; `scene` is what they come to."""

    def __init__(self, vocabulary: Vocabulary, *, seed: int, detail: Literal["draft", "good", "best"]) -> None:
        self._vocabulary = vocabulary
        self._families: Mapping[str, Family] = vocabulary.families
        self._seed, self._detail = seed, detail
        self._drafts: list[Draft] = []
        self._unknown: list[Described] = []
        self.left_out: list[str] = []
        self._group: list[int] = []  # the things that a relation now would be of
        self._lost = False  # the thing that it would be of was not understood
        self._link: Link | None = None
        self._joined = False
        self._each = False
        self._waiting: tuple[Link, int] | None = None  # "under the table": of what comes next
        self._repeated: tuple[Link, int] | None = None  # "with a lamp and a book": of the book, too
        self._elliptic: list[Phrase] = []

    def add(self, element: Element) -> None:
        match element:
            case Phrase():
                self._phrase(element)
            case Link():
                self._note(element)
            case Break():
                self._end()

    def scene(self) -> Scene:
        self._end()
        items = tuple(self._item(number, draft) for number, draft in enumerate(self._drafts))
        words: dict[str, str] = {}
        for word in sorted(self._unknown, key=lambda word: word.position):
            words.setdefault(word.typed.casefold(), word.typed)
        return Scene(items, tuple(words.values()))

    def _item(self, number: int, draft: Draft) -> Item:
        dress = self._dress(draft.adjectives, draft.family)
        accent = self._dress(draft.accents, draft.family).colour or dress.accent
        look = Look(dress.colour, accent, dress.finish, dress.proportions, self._detail, self._seed + number)
        return Item(draft.family.name, draft.count, look, round(dress.scale, 4), draft.relation)

    def _dress(self, adjectives: list[Described], family: Family) -> Dress:
        dress = dressed(adjectives, family.size)
        self._unknown += dress.not_understood
        self.left_out += [word.typed for word in dress.surplus]
        return dress

    # Links

    def _note(self, link: Link) -> None:
        if self._link is not None and self._link.kind != "of":
            self._dangling(self._link)
        if link.kind == "and":
            self._joined = True
        elif link.kind == "each":
            self._each = True
        else:
            self._link, self._joined = link, False

    def _dangling(self, link: Link) -> None:
        """A relation to nothing: "a table with a lamp on top"."""
        self._link = None
        subject = self._spoken_of()
        if subject is None or link.kind in ("with", "of") or link.reverse:
            return
        draft = self._drafts[subject]
        if draft.soft and draft.relation:
            self._relate(subject, link, draft.relation.other)

    def _spoken_of(self) -> int | None:
        """The last thing; of "a bowl of apples", the bowl."""
        last = self._group[-1] if self._group else None
        while last is not None and self._drafts[last].filling and (relation := self._drafts[last].relation):
            last = relation.other
        return last

    def _end(self) -> None:
        if self._link is not None:
            self._dangling(self._link)
        for phrase in self._elliptic:
            self._unknown += phrase.adjectives
        self._group, self._elliptic = [], []
        self._link = self._waiting = self._repeated = None
        self._joined = self._each = self._lost = False

    # Phrases

    def _phrase(self, phrase: Phrase) -> None:
        if phrase.count == 0 or (self._link and self._link.kind == "without"):
            self._link = None
        elif phrase.pronoun == "it":
            self._it()
        elif phrase.elliptic:
            self._elliptic.append(phrase)
        elif phrase.pronoun == "one" and self._drafts:
            self._things(phrase, self._drafts[-1].family.name, frozenset())
        elif phrase.noun:
            adjectives = {key for word in phrase.adjectives for key in _names(word)}
            if phrase.count is not None and phrase.count > 1 and phrase.noun.several:
                phrase.noun = Noun(phrase.noun.several, phrase.noun.head, plural=True)
            self._things(phrase, *self._vocabulary.refined(phrase.noun, adjectives))
        else:
            self._addition(phrase)
        self._unknown += phrase.after

    def _it(self) -> None:
        """A relation to what was spoken of: the host of the guest, or the first thing."""
        link, self._link = self._link, None
        if link is None or not self._drafts:
            return
        guest = self._spoken_of()
        if guest is None:
            roots = [number for number, draft in enumerate(self._drafts) if draft.relation is None]
            self._waiting = (link, roots[-1] if roots else 0)
            return
        relation = self._drafts[guest].relation
        if relation and self._drafts[guest].soft:
            self._relate(guest, link, relation.other)
        elif relation is None and guest > 0:
            self._relate(guest, link, self._root(guest - 1))

    def _root(self, index: int) -> int:
        """What it stands on or by, by whatever many others: the table of "a table with a vase of flowers"."""
        seen: set[int] = set()
        while (relation := self._drafts[index].relation) and index not in seen:
            seen.add(index)
            index = relation.other
        return index

    def _addition(self, phrase: Phrase) -> None:
        """Adjectives behind a thing, a part of it with a look of its own, or what was not understood."""
        known = [word for word in phrase.adjectives if word.sense]
        target = self._drafts[self._group[-1]] if self._group else None
        if phrase.part and known and target and self._link and self._link.kind in ("with", "of"):
            target.accents += known
            self._unknown += [word for word in phrase.adjectives if not word.sense]
            self._link = None
        elif not phrase.part and target and known and len(known) == len(phrase.adjectives):
            # "a chair in red", "a chair, red and blue"; "a red chair with white" says the accent
            known[0].joined = self._joined or bool(self._link and self._link.kind == "with")
            target.adjectives += known
            self._link = None
        else:
            self._not_understood(phrase)

    def _not_understood(self, phrase: Phrase) -> None:
        words = [word for word in phrase.adjectives if word.sense is None] or list(phrase.adjectives)
        if phrase.part:
            words.append(Described(phrase.named_at, phrase.typed, (phrase.typed,), None))
        if not words:
            return
        self._unknown += words
        if self._link is None and not self._joined:
            self._group, self._lost = [], True
        self._link, self._waiting = None, None

    def _things(self, phrase: Phrase, family: str, named: frozenset[str]) -> None:
        phrase.adjectives = [word for word in phrase.adjectives if not named & _names(word)]
        known = self._named_before(phrase, family)
        if known is not None:
            self._connect(known)
            return
        siblings, self._elliptic = self._elliptic, []
        for one in (*siblings, phrase):
            index = self._new(one, family, phrase.typed)
            if index is not None:
                self._connect(index)
                self._joined = True
        self._joined = False
        if self._link:  # what it would relate to was left out
            self._link = None

    def _named_before(self, phrase: Phrase, family: str) -> int | None:
        """ "the table" is the table of before, unless it is said to look otherwise."""
        if not phrase.definite or phrase.count is not None:
            return None
        wanted = dressed(phrase.adjectives, (1, 1, 1)).colour
        for number in reversed(range(len(self._drafts))):
            draft = self._drafts[number]
            if draft.family.name == family and wanted in (None, dressed(draft.adjectives, (1, 1, 1)).colour):
                return number
        return None

    def _new(self, phrase: Phrase, family: str, typed: str) -> int | None:
        count = phrase.count
        if count is None:
            count = PLURAL if phrase.noun and phrase.noun.plural else 1
        if self._each and self._group:
            count *= self._drafts[self._group[-1]].count
        self._each = False
        room = MAX_OBJECTS - sum(draft.count for draft in self._drafts) if len(self._drafts) < MAX_ITEMS else 0
        if count > room:
            self.left_out.append(f"{count - room} {typed}" if count > 1 else typed)
        if room <= 0:
            return None
        draft = Draft(self._families[family], min(count, room), typed, phrase.adjectives)
        draft.vague = phrase.count is None and count == PLURAL
        self._drafts.append(draft)
        return len(self._drafts) - 1

    # Relations

    def _connect(self, index: int) -> None:
        """Relate a thing, new or of before, to what the words so far have said."""
        link, group, joined = self._link, self._group, self._joined
        self._link, self._joined = None, False
        if link is not None:
            self._connect_by(link, index)
        elif self._waiting is not None:
            self._connect_waiting(*self._waiting, index, joined)
        elif joined and self._repeated is not None and self._goes_on(self._repeated[0], index):
            self._relate(index, *self._repeated)
            self._group = [index]
        elif joined:
            group.append(index)
        else:
            self._group, self._repeated = [index], None
        self._lost = False

    def _goes_on(self, link: Link, index: int) -> bool:
        """ "a bowl of apples and pears" holds both, "a bowl of apples and a candle" does not."""
        return link.kind != "of" or self._drafts[index].vague

    def _connect_by(self, link: Link, index: int) -> None:
        self._repeated = None
        subjects, lost = self._subjects(link, index), self._lost
        if lost:
            self._group = [index]
        elif link.kind in ("with", "of") or link.reverse:
            if subjects:
                self._repeated = (link, subjects[-1])
                self._relate(index, link, subjects[-1])
            self._group = [index]
        elif subjects:
            for subject in subjects:
                self._relate(subject, link, index)
            self._group = [index]
        else:
            self._waiting, self._group = (link, index), []

    def _connect_waiting(self, link: Link, other: int, index: int, joined: bool) -> None:
        if joined and link.kind == "between" and other == index - 1 and self._drafts[other].count == 1:
            return  # "between a tree and a house | a bench"
        self._relate(index, link, other)
        self._waiting, self._repeated, self._group = None, (link, other), [index]

    def _subjects(self, link: Link, other: int) -> list[int]:
        """Those of the group that the relation is of: "a cat and a dog on a sofa" are both."""
        group = [number for number in self._group if number != other]
        if not group or link.kind in ("with", "of") or link.reverse:
            return group[-1:]
        *earlier, last = group
        relation = self._drafts[last].relation
        if relation and self._drafts[last].soft and relation.other != other:
            last = relation.other  # "a table with a lamp beside a chair": the table is
        host = self._drafts[other].family
        fitting = [
            number
            for number in earlier
            if self._drafts[number].relation is None
            and (link.kind not in ("on", "inside", "under") or is_smaller(self._drafts[number].family, host))
        ]
        return [*fitting, last]

    def _relate(self, subject: int, link: Link, other: int) -> None:
        draft = self._drafts[subject]
        if subject == other or (draft.relation and not draft.soft) or self._leads_to(other, subject):
            return
        kind, draft.soft = self._kind(link, subject, other), link.kind in ("with", "of")
        draft.relation, draft.filling = Relation(kind, other), link.kind == "of"
        if kind == "inside" and draft.vague:
            free = MAX_OBJECTS - sum(other.count for other in self._drafts if other is not draft)
            draft.count = max(1, min(FILLING, free))

    def _leads_to(self, start: int, end: int) -> bool:
        """Whether `start` stands, by whatever many relations, where `end` is."""
        seen: set[int] = set()
        while start not in seen:
            seen.add(start)
            relation = self._drafts[start].relation
            if start == end or relation is None:
                return start == end
            start = relation.other
        return False

    def _kind(self, link: Link, guest: int, host: int) -> RelationKind:
        if link.kind == "of":
            return "inside"
        if link.kind == "with":
            return kind_of_company(self._drafts[guest].family, self._drafts[guest].count, self._drafts[host].family)
        assert link.kind != "and"  # noqa: S101 -- the builder asks for relations alone
        assert link.kind != "without"  # noqa: S101
        assert link.kind != "each"  # noqa: S101
        return link.kind


def _names(word: Described) -> set[str]:
    """The words of an adjective as a family's name may have them."""
    sense = word.sense
    return {*word.keys, sense.name} if sense is not None and hasattr(sense, "name") else set(word.keys)
