"""The best trainings of each data set: first who has the most right, then who was faster.

A configuration stands there once, whoever asks for it again: with its first run. So repeating one gains nothing, and an
entry that is written twice changes nothing. The queue enters a training in the step in which it ends (`ranking.lua`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from pydantic import Field
from redis.asyncio import Redis

from frontdesk.queue.codec import decode, encode
from frontdesk.queue.errors import CorruptMessageError
from frontdesk.queue.jobs import Ranking, Wire, request_digest
from frontdesk.queue.lua import RANKED, script

if TYPE_CHECKING:
    from frontdesk.queue.kind_train import TrainResult

MOST = RANKED
MILLIONTHS = 1_000_000
LONGEST_MS = 2**31  # 24 days: for longer nothing is trained


class Entry(Wire):
    """One training. `seconds` are those of training alone. What the queue adds: the job, the key of who asked for it
    ("discord:1"), which is shown to nobody, and `at` (Unix seconds), when it ended.
    """

    dataset: str
    dataset_sha256: str
    accuracy: Annotated[float, Field(ge=0, le=1)]
    seconds: Annotated[float, Field(ge=0)]
    epochs: int
    learning_rate: float
    batch_size: int
    width: int
    seed: int
    device: str
    job_id: str = ""
    requester: str = ""
    at: float = 0.0

    @classmethod
    def of(cls, result: TrainResult) -> Entry:
        own = cls.model_fields.keys() - {"seconds", "job_id", "requester", "at"}
        return cls(**{name: getattr(result, name) for name in own}, seconds=result.seconds_training)

    def ranking(self, said: str) -> Ranking:
        """As an outcome carries it to its board. `said`: what it came to, in a few words."""
        kept = self.model_copy(update={"job_id": "", "requester": "", "at": 0.0})
        return Ranking(
            place=self.place,
            said=said,
            board=self.dataset,
            edition=self.dataset_sha256,
            configuration=self.configuration,
            entry=encode(kept).decode(),
        )

    @property
    def configuration(self) -> str:
        """The same for trainings that ask for the same, and for no others."""
        asked = ("epochs", "learning_rate", "batch_size", "width", "seed")
        return request_digest("train", {name: getattr(self, name) for name in asked}, self.dataset_sha256)

    @property
    def place(self) -> int:
        """Smaller is better: what is wrong in millionths, then milliseconds. Below 2^53: exact as a score."""
        wrong = MILLIONTHS - round(self.accuracy * MILLIONTHS)
        return wrong * LONGEST_MS + min(round(self.seconds * 1000), LONGEST_MS - 1)


@dataclass(frozen=True, slots=True)
class Standing:
    """`rank` 1 is the best; `own`: of an identity of whoever looks."""

    rank: int
    entry: Entry
    own: bool


def standings(
    entries: Iterable[Entry], identities: Collection[str] = (), most: int = MOST
) -> dict[str, list[Standing]]:
    """The best of each data set, at most `most`, data sets in the order of their names.

    Equal ones follow each other in an order of no meaning that stays the same. A configuration counts once.
    """
    boards: dict[str, dict[str, Entry]] = {}
    for entry in entries:
        boards.setdefault(entry.dataset, {}).setdefault(entry.configuration, entry)
    ranked = {
        name: sorted(board.values(), key=lambda entry: (entry.place, entry.configuration))[:most]
        for name, board in sorted(boards.items())
    }
    return {
        name: [Standing(rank, entry, entry.requester in identities) for rank, entry in enumerate(board, start=1)]
        for name, board in ranked.items()
    }


class Leaderboard:
    """The boards in Redis, one for each data set as it is now: other pictures under its name begin another. Every
    result is public here, so private jobs are not entered.
    """

    def __init__(self, redis: Redis) -> None:
        self._top = redis.register_script(script("top"))

    async def top(self, identities: Collection[str] = (), *, dataset: str = "") -> dict[str, list[Standing]]:
        """`standings` of one data set, or of all. What cannot be read is left out."""
        entries = []
        for data in await self._top(args=[dataset]):
            try:
                entries.append(_entry(data))
            except (CorruptMessageError, ValueError):  # of another version: its place is free when better ones come
                continue
        return standings(entries, identities)


def _entry(data: bytes) -> Entry:
    """Raises CorruptMessageError, ValueError."""
    requester, job_id, ended, entry = data.split(b"\n", 3)
    own = {"requester": requester.decode(), "job_id": job_id.decode(), "at": int(ended) / 1000}
    return decode(Entry, entry).model_copy(update=own)
