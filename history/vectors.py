"""Vectors of one sort in memory, and the exact search among them. No database, no events: numpy alone.

float32, since one product of a matrix and a vector is then as fast as memory can be read: 100,000 meanings are 154 MB
and take some 15 ms. (As float16 they would be half, and take many times as long: they are made float32 in any case.)
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[np.float32]
SMALLEST = 256  # rows


class Held(NamedTuple):
    """A vector, and what says who may find it."""

    job: str
    vector: bytes  # float16, little-endian
    kind: str
    owner: str
    public: bool


class Found(NamedTuple):
    """`likeness`: the cosine, for vectors of length 1."""

    job: str
    likeness: float


class Vectors:
    """Rows that are put, put again and dropped in place; not for two threads at a time."""

    def __init__(self, width: int, rows: int = 0) -> None:
        """rows: how many there will be, at least."""
        rows = max(rows, SMALLEST)
        self._width = width
        self._jobs: list[str] = []
        self._row: dict[str, int] = {}
        self._codes: dict[str, int] = {}  # of kinds and owners
        self._matrix: Array = np.zeros((rows, width), np.float32)
        self._kinds = np.zeros(rows, np.int32)
        self._owners = np.zeros(rows, np.int32)
        self._public = np.zeros(rows, np.bool_)

    def __len__(self) -> int:
        return len(self._jobs)

    def put(self, held: Held) -> None:
        """In place of the job's last one. Raises ValueError for a vector of another width."""
        row = self._row.get(held.job, len(self._jobs))
        vector = np.frombuffer(held.vector, "<f2").astype(np.float32)
        if len(vector) != self._width:
            raise ValueError(f"a vector of {len(vector)} numbers among those of {self._width}")
        if row == len(self._kinds):
            self._grow(row + row // 4)
        if row == len(self._jobs):
            self._jobs.append(held.job)
            self._row[held.job] = row
        self._matrix[row] = vector / max(float(np.linalg.norm(vector)), 1e-6)
        self._kinds[row], self._owners[row] = self._code(f"k{held.kind}"), self._code(f"o{held.owner}")
        self._public[row] = held.public

    def drop(self, job: str) -> None:
        """The last row takes its place; nothing happens where there is none."""
        row = self._row.pop(job, None)
        if row is None:
            return
        last = self._jobs.pop()
        if last != job:
            self._jobs[row], self._row[last] = last, row
            for column in (self._matrix, self._kinds, self._owners, self._public):
                column[row] = column[len(self._jobs)]

    def vector(self, job: str) -> Array | None:
        """A copy."""
        row = self._row.get(job)
        return None if row is None else self._matrix[row].copy()

    def nearest(self, vector: Array, *, kind: str, owners: Collection[str], public: bool, limit: int) -> list[Found]:
        """The nearest of a kind ("": of any) that are the owners' or, if so wished, public; the nearest first."""
        count = len(self._jobs)
        known = [code for owner in owners if (code := self._codes.get(f"o{owner}"))]
        seen = np.isin(self._owners[:count], known) if known else np.zeros(count, np.bool_)
        if public:
            seen |= self._public[:count]
        if kind:
            seen &= self._kinds[:count] == self._codes.get(f"k{kind}", -1)
        rows = np.flatnonzero(seen)
        few = 4 * len(rows) < count  # they alone are read, then
        likeness = self._matrix[rows] @ vector if few else (self._matrix[:count] @ vector)[rows]
        if len(rows) > limit:
            best = np.argpartition(-likeness, limit)[:limit]
            rows, likeness = rows[best], likeness[best]
        order = np.lexsort((rows, -likeness))
        return [Found(self._jobs[rows[place]], float(likeness[place])) for place in order]

    def _code(self, name: str) -> int:
        return self._codes.setdefault(name, len(self._codes) + 1)

    def _grow(self, rows: int) -> None:
        self._matrix = np.concatenate([self._matrix, np.zeros((rows - len(self._kinds), self._width), np.float32)])
        self._kinds, self._owners = np.resize(self._kinds, rows), np.resize(self._owners, rows)
        self._public = np.resize(self._public, rows)
