"""The queue against its peers: see `queue_rounds`.

    python benchmarks/queue.py

This `queue.py` is a folder, which Python runs like a file. A file of that name would be imported in place of the
standard module `queue` by every script beside it (Python puts a script's folder first on its path), and by mypy; a
folder is not.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).parents[1])  # the folder of the scripts, as for each of them

from queue_rounds import main  # noqa: E402 - found only now

if __name__ == "__main__":
    main()
