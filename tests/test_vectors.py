"""Vectors in memory: put, changed and dropped in place, and the exact nearest among those that one may see."""

from __future__ import annotations

import numpy as np
import pytest

from frontdesk.history.vectors import Array, Held, Vectors

WIDTH = 16


def held(job: str, vector: Array, *, owner: str = "a", public: bool = True, kind: str = "sculpt") -> Held:
    return Held(job, vector.astype("<f2").tobytes(), kind, owner, public)


def jobs(table: Vectors, vector: Array, *owners: str, kind: str = "", public: bool = True, limit: int = 5) -> list[str]:
    return [found.job for found in table.nearest(vector, kind=kind, owners=owners, public=public, limit=limit)]


def test_the_nearest_are_those_of_a_plain_comparison() -> None:
    """After hundreds of rows were put, put again and dropped, in any order."""
    rng = np.random.default_rng(3)
    table, kept = Vectors(WIDTH), dict[str, Array]()
    for _ in range(3000):
        job = f"j{rng.integers(700)}"
        if rng.random() < 0.3:
            table.drop(job)
            kept.pop(job, None)
        else:
            kept[job] = rng.standard_normal(WIDTH).astype(np.float16).astype(np.float32)
            table.put(held(job, kept[job]))
    assert len(table) == len(kept)
    for _ in range(20):
        query = rng.standard_normal(WIDTH).astype(np.float32)
        best = sorted(kept, key=lambda job: -float(kept[job] @ query) / float(np.linalg.norm(kept[job])))
        assert jobs(table, query, limit=7) == best[:7]


def test_what_one_may_not_see_takes_no_place() -> None:
    """However many of them are nearer: one's own and what is public fill the list."""
    near, far = np.eye(WIDTH, dtype=np.float32)[0], np.ones(WIDTH, np.float32)
    table = Vectors(WIDTH)
    for number in range(50):
        table.put(held(f"hidden{number}", near, owner="a", public=False))
    table.put(held("mine", far, owner="b", public=False))
    table.put(held("public", far, owner="c", kind="write"))
    assert set(jobs(table, near, "b")) == {"mine", "public"}
    assert jobs(table, near) == ["public"]
    assert jobs(table, near, "b", public=False) == ["mine"]
    assert jobs(table, near, "b", kind="write") == ["public"]
    assert jobs(table, near, "b", kind="other") == []
    assert jobs(table, near, "nobody", public=False) == []


def test_a_vector_of_another_width_is_refused() -> None:
    with pytest.raises(ValueError, match="among those of 16"):
        Vectors(WIDTH).put(held("x", np.ones(3, np.float32)))
