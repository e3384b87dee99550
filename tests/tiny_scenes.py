"""Example scenes and configurations so small that a training takes a second."""

from __future__ import annotations

import json
import tempfile
import zipfile
from pathlib import Path

import torch

from frontdesk.queue.reconstruct_config import ReconstructConfig
from frontdesk.worker.example_scenes import write_example
from frontdesk.worker.posed_images import PosedImages, read_posed_images
from frontdesk.worker.reconstruct_runner import Flight

CPU = torch.device("cpu")
SMALL = Flight(frames=4, size=40, still=64)


def tiny_scene(folder: Path, name: str = "red_ball") -> PosedImages:
    """Eight pictures of 24x24, and two held out."""
    write_example(name, folder, train=8, held_out=2, size=24)
    return read_posed_images(folder)


def tiny_config(steps: int = 120, **others: object) -> ReconstructConfig:
    small = {
        "reso": [16, 24], "upsamp_every": 50, "prune_every": 25, "n_iters": steps, "batch_size": 512,
        "lr_sigma_decay_steps": steps, "lr_sh_decay_steps": steps,
    }  # fmt: skip
    return ReconstructConfig.model_validate(small | others)


def tiny_text(steps: int = 120, **others: object) -> str:
    """The same as JSON, as somebody writes it who asks for a reconstruction."""
    small = {"reso": [16, 24], "upsamp_every": 50, "prune_every": 25, "n_iters": steps, "batch_size": 512}
    return json.dumps(small | others)


def tiny_zip(path: Path, name: str = "red_ball") -> Path:
    """The tiny scene as somebody would upload it, in a folder of its own."""
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(path, "w") as archive:
        tiny_scene(Path(folder), name)
        for file in sorted(Path(folder).rglob("*.*")):
            archive.write(file, Path("ball") / file.relative_to(folder))
    return path
