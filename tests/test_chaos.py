"""The promises, while everything dies and comes back: a few seconds of what benchmarks/chaos.py does for as long as one
likes."""

from __future__ import annotations

import tempfile
from pathlib import Path

from chaos_plan import TARGETS, planned
from chaos_run import run

SEED = 7


async def test_every_accepted_job_ends_once_and_is_answered(valkey_program: Path) -> None:
    """Bots, worker and server are each killed with -9, updates come twice, the platforms refuse and cut: every job
    that was accepted has one outcome, which its requester sees; nothing that could be told once is told twice."""
    plan = planned(SEED, seconds=4.5, users=12, rate=6.0)
    with tempfile.TemporaryDirectory(prefix="chaos") as folder:
        found = await run(plan, valkey_program, Path(folder), patience=60.0)
    assert found.verdict.broken == []
    assert set(found.kills) == set(TARGETS)
    assert found.verdict.accepted > 0


def test_a_seed_gives_its_plan_again() -> None:
    """A run that found something can be had once more."""
    assert planned(SEED, seconds=60.0, users=5, rate=2.0) == planned(SEED, seconds=60.0, users=5, rate=2.0)
