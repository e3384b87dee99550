"""Frontdesk's queue with its real worker: the command line `frontdesk worker`, as an installation runs it.

The kind and its runner come to the worker like those of any package: through entry points (see `bench_kind`).
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import wire
from ours import main

COMMAND = ("frontdesk.bots.cli", "worker")  # the module and its arguments: the supervisor, with a child for the device
ENTRY_POINTS = "[frontdesk.kinds]\nbench = bench_kind:BENCH\n[frontdesk.runners]\nbench = bench_kind:BenchRunner\n"


def _package() -> str:
    """A folder with the description of an installed package that declares the kind."""
    folder = Path(tempfile.mkdtemp(dir=Path(wire.server()).parent))
    info = folder / "frontdesk_bench-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: frontdesk-bench\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(ENTRY_POINTS)
    return str(folder)


def _work() -> None:
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [_package(), os.environ.get("PYTHONPATH")]))
    os.environ |= {
        "FRONTDESK_REDIS_URL": f"unix://{wire.server()}",
        "FRONTDESK_LANES": wire.NAME,
        "FRONTDESK_SLOTS": str(wire.slots()),
        "FRONTDESK_LOG_LEVEL": "warning",
    }
    wire.become(*COMMAND)


if __name__ == "__main__":
    main(_work)
