"""A training that can be put down and taken up: its whole state as bytes, safetensors with a JSON header. No pickle."""

from __future__ import annotations

import hashlib
from typing import Annotated

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from frontdesk.queue.errors import FrontdeskError
from frontdesk.queue.reconstruct_config import ReconstructConfig
from frontdesk.worker.posed_images import PosedImages
from frontdesk.worker.radiance_field import CHANNELS, Grid, RadianceField
from frontdesk.worker.radiance_fitting import Fit

HEADER = "header"
MOMENTS = ("exp_avg", "exp_avg_sq")
Count = Annotated[int, Field(ge=0)]


class UnusableCheckpointError(FrontdeskError):
    """It is damaged, of another version, or belongs to other pictures or another configuration: begin anew."""


class Score(BaseModel):
    """How well held-out pictures were matched: dB and SSIM, after so many seconds and steps."""

    model_config = ConfigDict(frozen=True)

    seconds: float
    steps: int
    psnr: float
    ssim: float


class _Header(BaseModel):
    version: Annotated[int, Field(ge=1, le=1)] = 1
    digest: str
    side: Annotated[int, Field(ge=2, le=512)]
    level: Count
    steps: Count
    seconds: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    pool: Count
    place: Count
    pruned: Count
    scores: list[Score]


def digest(images: PosedImages, config: ReconstructConfig) -> str:
    """Names what is being trained: the same pictures, cameras and configuration give the same."""
    hashed = hashlib.sha256(config.model_dump_json().encode())
    for view in (*images.train, *images.held_out):
        hashed.update(repr((view.picture.shape, view.focal)).encode())
        hashed.update(np.ascontiguousarray(view.camera).tobytes())
        hashed.update(np.ascontiguousarray(view.picture).tobytes())
        hashed.update(b"" if view.holes is None else np.ascontiguousarray(view.holes).tobytes())
    return hashed.hexdigest()


def frozen(fit: Fit, name: str, scores: list[Score]) -> bytes:
    """The state of a training. name: what `digest` gave."""
    header = _Header(
        digest=name, side=fit.field.grid.side, level=fit.level, steps=fit.steps, seconds=fit.seconds,
        pool=fit.pool, place=fit.place, pruned=fit.pruned, scores=scores,
    )  # fmt: skip
    text = header.model_dump_json().encode()
    tensors = {
        HEADER: torch.frombuffer(bytearray(text), dtype=torch.uint8),
        "cells": fit.field.grid.live.flatten().nonzero()[:, 0].to(torch.int32),
        "density": fit.field.density.detach(),
        "sh": fit.field.sh.detach(),
    }
    return save({key: tensor.cpu().contiguous() for key, tensor in (tensors | fit.moments()).items()})


def thaw(data: bytes, fit: Fit, name: str) -> list[Score]:
    """Put a fresh `Fit` of the same pictures and configuration where the state was. Raises UnusableCheckpointError."""
    try:
        tensors = load(data)
        header = _Header.model_validate_json(tensors.pop(HEADER).numpy().tobytes())
        if header.digest != name:
            raise UnusableCheckpointError("it belongs to something else")
        field = _field(tensors, header.side, fit)
        moments = _moments(tensors, field)
    except (SafetensorError, ValidationError, KeyError, TypeError, RuntimeError, IndexError) as error:
        raise UnusableCheckpointError(f"it cannot be read: {type(error).__name__}") from error
    fit.adopt(field, moments)
    fit.level, fit.steps, fit.seconds = header.level, header.steps, header.seconds
    fit.pool, fit.place, fit.pruned = header.pool, header.place, header.pruned
    return header.scores


def _field(tensors: dict[str, Tensor], side: int, fit: Fit) -> RadianceField:
    live = torch.zeros(side**3, dtype=torch.bool)
    live[tensors.pop("cells").long()] = True
    grid = Grid(live.view(side, side, side).to(fit.device))
    density, sh = (tensors.pop(key).to(fit.device) for key in ("density", "sh"))
    if density.shape != (grid.rows + 1, 1) or sh.shape != (grid.rows + 1, CHANNELS):
        raise UnusableCheckpointError("its tables do not fit its grid")
    return RadianceField(fit.field.cube, grid, density.clone(), sh.clone())


def _moments(tensors: dict[str, Tensor], field: RadianceField) -> dict[str, Tensor]:
    """Adam's state, or nothing where there was no step yet."""
    if not tensors:
        return {}
    for key, table in (("density", field.density), ("sh", field.sh)):
        if any(tensors[f"{key}.{moment}"].shape != table.shape for moment in MOMENTS):
            raise UnusableCheckpointError("its moments do not fit its tables")
    return {key: tensor.clone().to(field.density.device) for key, tensor in tensors.items()}
