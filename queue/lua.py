"""The queue's scripts in Lua, one atomic step in a job's life each; `scripts` has their typed callers.

Each begins with the names of the keys (`K.JOB`, from `keys`), KILLS, RANKED, and the files of SHARED.
"""

from __future__ import annotations

from pathlib import Path

from frontdesk.queue import keys

FOLDER = Path(__file__).parent
KILLS = 3  # workers that a job may stop
RANKED = 50  # entries of a leaderboard
SHARED = ("files", "apart", "ranking", "group", "common")


def script(*names: str) -> str:
    """The files of these names, one after the other, as one script."""
    named = ", ".join(f"{name} = '{value}'" for name, value in keys.constants().items())
    parts = [FOLDER.joinpath(f"{name}.lua").read_text("utf-8") for name in (*SHARED, *names)]
    return "\n".join([f"local K = {{ {named} }}", f"local KILLS, RANKED = {KILLS}, {RANKED}", *parts])
