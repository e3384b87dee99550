"""A training in a process of its own, for tests that kill it: it writes its state to a file and says so.

python radiance_process.py FOLDER STATE
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from tiny_scenes import CPU, tiny_config

from frontdesk.worker.posed_images import read_posed_images
from frontdesk.worker.radiance_training import Hooks, train


def main(folder: Path, state: Path) -> None:
    torch.set_num_threads(1)

    def save(data: bytes) -> None:
        fresh = state.with_suffix(".new")
        fresh.write_bytes(data)
        fresh.rename(state)
        sys.stdout.write("saved\n")
        sys.stdout.flush()

    train(read_posed_images(folder), tiny_config(), device=CPU, hooks=Hooks(save=save, save_every=0.0))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
