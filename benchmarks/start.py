"""How long a newcomer waits, and how much disk the bots take.

    python benchmarks/start.py [--runs 3] [--size]

Cold start: from starting `frontdesk demo` (installed, model not yet converted) to the first score on the screen, and
again with the model converted. `--size` installs `frontdesk[bots]` into a new environment and adds up its files.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from machine import machine

FIRST_SCORE = re.compile(r"^\s*score [0-9a-z]{9}, [\d.]+ s")
ROOT = Path(__file__).parents[1]


def first_score(folder: Path) -> float:
    """Seconds from the start of the demonstration's process to its first score."""
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "frontdesk.bots.cli", "demo"],
        env=os.environ | {"FRONTDESK_DATA_DIR": str(folder)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    seconds = 0.0
    for line in process.stdout:
        if not seconds and FIRST_SCORE.search(line):
            seconds = time.perf_counter() - began
    if process.wait() or not seconds:
        raise RuntimeError("the demonstration failed; run frontdesk demo to see why")
    return seconds


def installed_size() -> float:
    """MB (10^6 bytes) that `frontdesk[bots]` and all it needs add to an empty environment."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        before = _bytes(Path(folder))
        source = shutil.copytree(
            ROOT, Path(folder, "source"), ignore=shutil.ignore_patterns(".venv*", ".git", "build", "*.egg-info")
        )
        pip = [f"{folder}/bin/python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "--constraint", str(ROOT / "constraints.txt"), f"{source}[bots]"], check=True)
        shutil.rmtree(source)
        torch = subprocess.run([f"{folder}/bin/python", "-c", "import torch"], stderr=subprocess.DEVNULL, check=False)
        assert torch.returncode, "the bots have torch in them"
        return (_bytes(Path(folder)) - before) / 1e6


def _bytes(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file() and not file.is_symlink())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--size", action="store_true")
    options = parser.parse_args()
    print(machine())
    for _ in range(options.runs):
        with tempfile.TemporaryDirectory() as folder:
            first, second = first_score(Path(folder)), first_score(Path(folder))
        print(f"first score: {first:.1f} s with the conversion, {second:.1f} s with the model converted", flush=True)
    if options.size:
        print(f"frontdesk[bots] installed: {installed_size():.0f} MB")


if __name__ == "__main__":
    main()
