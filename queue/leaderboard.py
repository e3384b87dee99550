"""The best trainings of each data set: first who has the most right, then who was faster.

A configuration stands there once, whoever asks for it again: with its first run. So repeating one gains nothing, and an
entry that is written twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field
from redis.asyncio import Redis

from frontdesk.queue.codec import decode, encode
from frontdesk.queue.errors import CorruptMessageError
from frontdesk.queue.jobs import Wire, request_digest
from frontdesk.queue.kind_train import TrainResult
from frontdesk.queue.lua import script

MOST = 50
KEPT = 365 * 86_400  # seconds after its last entry for which a board is kept
MILLIONTHS = 1_000_000
LONGEST_MS = 2**31  # 24 days: for longer nothing is trained


class Entry(Wire):
    """One training. `seconds` are those of training alone, `at` (Unix seconds) is when it ended."""

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
    job_id: str
    requester: str
    at: float

    @classmethod
    def of(cls, result: TrainResult, *, job_id: str, requester: str, at: float) -> Entry:
        """`requester`: the key of who asked for it ("discord:1")."""
        own = cls.model_fields.keys() - {"seconds", "job_id", "requester", "at"}
        shared = {name: getattr(result, name) for name in own}
        return cls(**shared, seconds=result.seconds_training, job_id=job_id, requester=requester, at=at)

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
    """`rank` 1 is the best; `own`: of whoever looks."""

    rank: int
    entry: Entry
    own: bool


def standings(entries: Iterable[Entry], requester: str | None = None, most: int = MOST) -> dict[str, list[Standing]]:
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
        name: [Standing(rank, entry, entry.requester == requester) for rank, entry in enumerate(board, start=1)]
        for name, board in ranked.items()
    }


class Leaderboard:
    """The boards in Redis, one for each data set as it is now: other pictures under its name begin another.

    Every result is public here: a private job's is not to be added.
    """

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._enter = redis.register_script(script("enter"))
        self._top = redis.register_script(script("top"))

    async def add(self, entry: Entry) -> int | None:
        """The rank of its configuration, 1 being the best; None where it is not among the best. Repeat it freely."""
        rank: int = await self._enter(
            args=[
                entry.dataset,
                entry.dataset_sha256,
                entry.configuration,
                entry.place,
                encode(entry),
                MOST,
                KEPT,
            ]
        )
        return rank or None

    async def top(self, requester: str | None = None, *, dataset: str = "") -> dict[str, list[Standing]]:
        """`standings` of one data set, or of all. What cannot be read is left out."""
        entries = []
        for data in await self._top(args=[dataset]):
            try:
                entries.append(decode(Entry, data))
            except CorruptMessageError:  # of another version: its place is free when better ones come
                continue
        return standings(entries, requester)
