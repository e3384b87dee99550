"""`frontdesk worker` with light children: `python supervising.py POSTS`, settings in the environment."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from frontdesk.worker import main as worker
from frontdesk.worker.lifeline import SUPERVISED

CHILD = (sys.executable, str(Path(__file__).with_name("supervised.py")), SUPERVISED)


async def gpus() -> int:
    return int(sys.argv[1])


if __name__ == "__main__":
    os.environ["FRONTDESK_LANES"] = "short"  # the only one that such children serve
    vars(worker).update(CHILD=CHILD, gpus=gpus)
    sys.exit(worker.main())
