"""How a radiance field is trained: the configuration, with the names of Plenoxels' JSON files, and its presets."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal, NoReturn, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

Quality: TypeAlias = Literal["draft", "good", "best"]

MAX_CONFIG = 4000  # characters of JSON
LEAST_SIDE, MOST_SIDE = 16, 160  # lattice points along a side of the grid
MOST_LEVELS = 4

# Seconds of training by quality on any machine: a faster one does more steps in them, up to n_iters.
SECONDS: dict[Quality, float] = {"draft": 60.0, "good": 300.0, "best": 900.0}


def _sides(value: Any) -> Any:
    """A list of sides from what Plenoxels takes: "[[64, 64, 64], [96, 96, 96]]", the same as a list, or [64, 96]."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            raise ValueError("must be a list such as [[64, 64, 64], [96, 96, 96]]") from None
    if not isinstance(value, list | tuple):
        return value
    return tuple(_side(level) for level in value)


def _side(level: Any) -> Any:
    if isinstance(level, list | tuple):
        if len(level) != 3 or any(side != level[0] for side in level):
            raise ValueError("must have three equal sides at each level, such as [64, 64, 64]")
        return level[0]
    return level


Side = Annotated[int, Field(strict=True, ge=LEAST_SIDE, le=MOST_SIDE)]
Sides = Annotated[
    tuple[Side, ...],
    BeforeValidator(_sides),
    Field(min_length=1, max_length=MOST_LEVELS, description="Lattice points along a side, level by level"),
]
Rate = Annotated[float, Field(ge=1e-5, le=10.0)]
Weight = Annotated[float, Field(ge=0.0, le=10.0)]


class ReconstructConfig(BaseModel):
    """How a radiance field is trained. The names are those of Plenoxels' JSON files (svox2, opt/configs).

    The optimiser is Adam, so that learning rates are in units of the raw values a step; lengths are in units of the
    pictures' own world. `lambda_*` weigh what is added to the mean squared error of a batch.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, hide_input_in_errors=True)

    reso: Sides = (32, 64, 96)
    upsamp_every: Annotated[int, Field(ge=1, le=100_000, description="Steps at one level before the next")] = 250
    n_iters: Annotated[int, Field(ge=1, le=200_000, description="Steps in all")] = 5000
    batch_size: Annotated[int, Field(ge=64, le=20_000, description="Rays in a step")] = 4096
    lr_sigma: Rate = 0.3
    lr_sigma_final: Rate = 0.03
    lr_sigma_decay_steps: Annotated[int, Field(ge=1, le=1_000_000)] = 5000
    lr_sh: Rate = 0.03
    lr_sh_final: Rate = 0.003
    lr_sh_decay_steps: Annotated[int, Field(ge=1, le=1_000_000)] = 5000
    lambda_tv: Weight = 1e-4
    lambda_tv_sh: Weight = 1e-3
    lambda_l2_sh: Weight = 1e-4
    lambda_sparsity: Weight = 1e-5
    tv_sparsity: Annotated[float, Field(gt=0.0, le=1.0, description="Share of the voxels that a TV step looks at")] = (
        0.1
    )
    tv_decay: Annotated[float, Field(gt=0.0, le=1.0, description="TV's weights at the end, as a share")] = 0.3
    prune_every: Annotated[int, Field(ge=10, le=100_000, description="Steps between two looks for empty space")] = 250
    weight_thresh: Annotated[float, Field(ge=0.0, le=0.5, description="A voxel that never weighs more is empty")] = (
        0.005
    )
    step_size: Annotated[float, Field(ge=0.25, le=1.0, description="Between samples of a ray, in voxels")] = 0.5
    near_clip: Annotated[float, Field(ge=0.0, le=1000.0, description="Nothing is nearer to a camera")] = 0.0
    scene_radius: Annotated[
        float | None, Field(gt=0.0, le=1e4, description="Half the cube's side; None: from the cameras' distances")
    ] = None
    background_nlayers: Annotated[int, Field(ge=0, le=0, description="0 only: what is far away is white")] = 0
    seed: Annotated[int, Field(ge=0, le=2**31 - 1)] = 0

    @model_validator(mode="after")
    def _levels_rise(self) -> ReconstructConfig:
        if list(self.reso) != sorted(set(self.reso)):
            raise ValueError("reso: must rise from level to level")
        return self


PRESETS: dict[Quality, Mapping[str, Any]] = {
    "draft": {"reso": (32, 64, 96), "n_iters": 1000, "upsamp_every": 150, "prune_every": 75},
    "good": {"reso": (32, 64, 96), "n_iters": 5000, "upsamp_every": 250, "prune_every": 100},
    "best": {"reso": (32, 64, 128), "n_iters": 15000, "upsamp_every": 500},
}


def read_config(text: str | None, quality: Quality = "good") -> ReconstructConfig:
    """The preset of that quality, with what the JSON text says in its place.

    Raises ValueError with a sentence for everything wrong, each by its key and with what it may be.
    """
    preset = PRESETS[quality]
    given = _object(text) if text and text.strip() else {}
    try:
        return ReconstructConfig.model_validate(_decays({**preset, **given}["n_iters"]) | dict(preset) | given)
    except ValidationError as error:
        raise ValueError(" ".join(dict.fromkeys(_sentence(detail) for detail in error.errors()))) from None


def _decays(steps: Any) -> dict[str, Any]:
    """Learning rates reach their final values with the last step, unless the configuration says otherwise."""
    if not isinstance(steps, int) or steps < 1:
        return {}  # it is refused by its own name
    return {"lr_sigma_decay_steps": steps, "lr_sh_decay_steps": steps}


def _object(text: str) -> dict[str, Any]:
    if len(text) > MAX_CONFIG:
        raise ValueError(f"has {len(text):,} characters; {MAX_CONFIG:,} is the most.")
    try:
        value = json.loads(text, object_pairs_hook=_unrepeated, parse_constant=_no_number)
    except json.JSONDecodeError as error:
        raise ValueError(f"is not JSON: {error.msg} at character {error.pos + 1}.") from None
    except RecursionError:
        raise ValueError("is nested too deeply.") from None
    if not isinstance(value, dict):
        raise ValueError('must be a JSON object such as {"n_iters": 2000}.')  # noqa: TRY004 -- pydantic takes ValueError
    return value


def _unrepeated(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        raise ValueError("names a key twice.")
    return value


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is not a number.")


def _sentence(detail: Any) -> str:
    """One thing wrong, by the name of the key."""
    message = str(detail["msg"]).removeprefix("Value error, ")
    if not detail["loc"]:
        return f"{message}."
    name = str(detail["loc"][0])[:40]
    if detail["type"] == "extra_forbidden":
        return f"{name!r} is not known; known are {', '.join(ReconstructConfig.model_fields)}."
    if detail["type"] == "value_error":
        return f"{name} {message}."
    return f"{name} must be {_allowed(name)}."


def _allowed(name: str) -> str:
    """What a key takes, in words: "1 to 200000", "a list of 1 to 4 sides of 16 to 160"."""
    if name == "reso":
        return f"a list of 1 to {MOST_LEVELS} levels, each of {LEAST_SIDE} to {MOST_SIDE}"
    info = ReconstructConfig.model_fields[name]
    ends: dict[str, Any] = {}
    for bound in info.metadata:
        ends |= {end: getattr(bound, end) for end in ("ge", "gt", "le") if hasattr(bound, end)}
    whole = "a whole number of " if info.annotation is int else ""
    if ends.get("ge") == ends["le"]:
        return f"{ends['le']}"
    least = f"{ends['ge']:.7g} to" if "ge" in ends else f"more than {ends['gt']:.7g}, at most"
    return f"{whole}{least} {ends['le']:.7g}"
