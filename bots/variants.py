"""The buttons below an answer: another seed, another format, a similar prompt.

A button holds nothing but the job's id and a number. What it asks for is read, at each press, from the job's own
record: so it works after a restart of the bot, and for as long as the answer is remembered.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from frontdesk.bots.incoming import Given
from frontdesk.bots.people import Person
from frontdesk.queue.errors import ForgottenAnswerError
from frontdesk.queue.jobs import JobRecord
from frontdesk.queue.kinds import AnyKind, result_of
from frontdesk.queue.parameters import Parameter
from frontdesk.queue.results import MAX_VARIANTS, Variant

if TYPE_CHECKING:  # the desk's showcase makes such requests, too
    from frontdesk.bots.desk import Desk

SEEDS = 2**31  # whole numbers to draw from where a parameter has no bounds


@dataclass(frozen=True)
class Again:
    """A request that a button stands for. `edit`: what is to be written anew; `raw` has what it was."""

    kind: AnyKind
    raw: Mapping[str, Given]
    private: bool
    edit: Parameter | None = None

    @property
    def text(self) -> str:
        """What the text to edit begins with."""
        return str(self.raw.get(self.edit.name, "")) if self.edit else ""

    def written(self, text: str) -> Mapping[str, Given]:
        """The parameters with a new text."""
        return {**self.raw, self.edit.name: text} if self.edit else self.raw


async def again(desk: Desk, person: Person, job_id: str, number: int, update: str) -> Again:
    """What the button of that number below a job's answer asks for. The same `update` always draws the same.

    Raises ForgottenAnswerError, OthersAnswerError, UnknownKindError, DeskClosedError.
    """
    record = await desk.answered(person, job_id)
    offered = variants(desk.kinds.get(record.kind), record)
    if not 0 <= number < len(offered):
        raise ForgottenAnswerError
    variant = offered[number]
    kind, raw = desk.kinds[variant.kind], dict[str, Given](variant.params)
    known = {parameter.name: parameter for parameter in kind.parameters}
    if variant.draw in known:
        raw[variant.draw] = drawn(known[variant.draw], raw.get(variant.draw), update)
    edit = known.get(variant.edit or "")
    return Again(kind, raw, record.private, edit if edit and edit.type == "text" else None)


def variants(kind: AnyKind | None, record: JobRecord) -> list[Variant]:
    """What may be asked for after a job; nothing where it has no result, or none that this desk can read."""
    result = result_of(kind, record.outcome)
    return list(result.variants())[:MAX_VARIANTS] if result else []


def drawn(parameter: Parameter, before: Given | None, update: str) -> int:
    """A whole number within the parameter's bounds, by chance but the same for the same update, and not `before`."""
    low = int(parameter.minimum or 0)
    count = int(parameter.maximum) - low + 1 if parameter.maximum is not None else SEEDS
    place = int.from_bytes(hashlib.sha256(update.encode()).digest()[:8]) % count
    return low + (place + 1) % count if low + place == before else low + place
