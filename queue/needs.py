"""What a job wants of a worker beyond its kind's name, and which worker has it. `apart.lua` applies the same rules."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

NEED = re.compile(r"[a-z][a-z0-9_]{0,31}/[a-z0-9][a-z0-9_.-]{0,31}")
MAX_NEEDS = 4
DIGITS = 2  # of the memory that a job says it takes: jobs that want nearly the same are treated alike


def written(needs: Iterable[str], memory: int | None) -> str:
    """The needs and bytes of a job as its hash holds them: words, the memory last, rounded up. "" for none."""
    return " ".join([*needs, *([str(_rounded_up(memory))] if memory else [])])


def lacking(wanted: Iterable[str], lacks: Mapping[str, str], memory_limit: int) -> str | None:
    """Why a worker cannot run a job, in a sentence; None where it can.

    wanted: the job's kind, and the words of `written`. lacks: what the worker says it lacks, each with its sentence.
    memory_limit: bytes that a job may take there (0: it does not say).
    """
    for word in wanted:
        if word.isdecimal() and 0 < memory_limit < int(word):
            return f"It takes {int(word) / 1e9:.1f} GB of memory, and a job may take {memory_limit / 1e9:.1f} GB here."
        if word in lacks:
            return lacks[word]
    return None


def _rounded_up(memory: int) -> int:
    step: int = 10 ** max(0, len(str(memory)) - DIGITS)
    return -(-memory // step) * step
