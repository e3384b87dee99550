"""Prints how many GPUs this machine's torch can use: `python -m frontdesk.worker.gpu_count`.

A process of its own, so that whoever asks need not hold torch. Torch is asked, and no driver, because the workers will
use what torch sees: CUDA_VISIBLE_DEVICES, a build without CUDA, and a broken driver are accounted for. Where no driver
is installed the answer is there without torch, in milliseconds.
"""

from __future__ import annotations

import ctypes
from pathlib import Path

ROCM = Path("/dev/kfd")  # AMD's compute driver, which torch calls cuda too


def driver() -> bool:
    """Whether there is anything that could drive a GPU."""
    try:
        ctypes.CDLL("libcuda.so.1")
    except OSError:
        return ROCM.exists()
    return True


def count() -> int:
    if not driver():
        return 0
    import torch

    return torch.cuda.device_count()


if __name__ == "__main__":
    print(count())  # noqa: T201 - this is what it is for
