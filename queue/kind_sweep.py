"""The kind `sweep`: many trainings as one request, to find good hyper-parameters on a grid or at random."""

from __future__ import annotations

import itertools
import math
import random
import re
from collections.abc import Sequence
from typing import Annotated, Literal, Self, TypeAlias

from pydantic import AfterValidator, BaseModel, Field, model_validator

from frontdesk.queue.kind_train import TRAIN, DataSetName, TrainParams, TrainResult, percent
from frontdesk.queue.kinds import Attachment, JobKind, Members, Params, Result

MOST = 24  # trainings of one sweep
USUAL = 12  # of a random one, where nobody says how many
LISTED = 50  # values of one parameter
TRIES = 50  # drawings for each training, until all are different

NAMES = ("epochs", "learning_rate", "batch_size", "width", "seed")
SPLIT = re.compile(r"[\s,;]+")
RANGE = re.compile(r"(.+?)\.\.(.+)")

Number: TypeAlias = int | float
PARAMETERS = {parameter.name: parameter for parameter in TRAIN.parameters}


def _checked(name: str) -> AfterValidator:
    def check(text: str) -> str:
        read(name, text)
        return text

    return AfterValidator(check)


class SweepParams(Params):
    dataset: Annotated[DataSetName, Field(description="What to learn, as for train")] = "digits"
    learning_rate: Annotated[
        str,
        Field(description="Values such as 0.01, 0.05; or a range 0.001..0.1", max_length=300),
        _checked("learning_rate"),
    ] = "0.02, 0.05, 0.1"
    width: Annotated[str, Field(description="Values or a range", max_length=300), _checked("width")] = "8, 16"
    epochs: Annotated[str, Field(description="Values or a range", max_length=300), _checked("epochs")] = "10"
    batch_size: Annotated[str, Field(description="Values or a range", max_length=300), _checked("batch_size")] = "32"
    seed: Annotated[str, Field(description="Values or a range", max_length=300), _checked("seed")] = "0"
    search: Annotated[
        Literal["grid", "random"], Field(description="Every combination of the values, or some drawn at random")
    ] = "grid"
    jobs: Annotated[
        int | None, Field(description="At most so many trainings; a random search makes as many", ge=2, le=MOST)
    ] = None
    draw: Annotated[int, Field(description="Another number draws other combinations", ge=0, le=2**31 - 1)] = 0

    @model_validator(mode="after")
    def _few_enough(self) -> Self:
        values = {name: read(name, getattr(self, name)) for name in NAMES}
        if self.search == "grid":
            if ranges := [name for name, (_, ranged) in values.items() if ranged]:
                raise ValueError(f"{ranges[0]}: a range is for search=random; a grid needs the values one by one")
            made, most = math.prod(len(found) for found, _ in values.values()), self.jobs or MOST
            if made > most:
                raise ValueError(
                    f"this grid is {made} trainings, and {most} is the most; try search=random jobs={most}"
                )
        if len(configurations(self)) < 2:
            raise ValueError("a sweep compares at least 2 trainings; give one of the parameters more values")
        return self


def read(name: str, text: str) -> tuple[list[Number], bool]:
    """The values of a parameter of train's, each once, as they were listed; or the two ends of a range, and True.

    Raises ValueError with a sentence for what is no number, or outside of what train takes.
    """
    spaced = re.sub(r"\s*\.\.\s*", "..", text.strip())
    words = [word for word in SPLIT.split(spaced) if word]
    if not words:
        raise ValueError("needs at least one value")
    if len(words) == 1 and (ends := RANGE.fullmatch(words[0])):
        low, high = _number(name, ends[1]), _number(name, ends[2])
        if low >= high:
            raise ValueError("a range goes from the smaller to the larger end, such as 0.001..0.1")
        return [low, high], True
    if len(words) > LISTED:
        raise ValueError(f"takes at most {LISTED} values")
    return list(dict.fromkeys(_number(name, word) for word in words)), False


def _number(name: str, word: str) -> Number:
    known = PARAMETERS[name]
    whole = known.type == "integer"
    assert known.minimum is not None and known.maximum is not None  # noqa: S101, PT018 -- train's are strict
    try:
        value: Number = int(word) if whole else float(word)
    except ValueError:
        value = math.nan
    if not known.minimum <= value <= known.maximum:
        number = "a whole number" if whole else "a number"
        raise ValueError(f"each value must be {number} from {known.minimum:g} to {known.maximum:.10g}")
    return value


def configurations(params: SweepParams) -> list[TrainParams]:
    """The trainings of a sweep, all different: the same ones for the same parameters."""
    values = {name: read(name, getattr(params, name)) for name in NAMES}
    if params.search == "grid":
        combined = itertools.product(*(found for found, _ in values.values()))
        return [_training(params, combination) for combination in combined]
    random_ = random.Random(params.draw)  # noqa: S311 -- it is to be repeatable
    drawn: dict[tuple[Number, ...], None] = {}
    wanted = params.jobs or USUAL
    for _ in range(TRIES * wanted):
        if len(drawn) == wanted:
            break
        drawn[tuple(_drawn(name, *values[name], random_) for name in NAMES)] = None
    return [_training(params, combination) for combination in drawn]


def _drawn(name: str, values: Sequence[Number], ranged: bool, random_: random.Random) -> Number:
    """One of the values; from a range of learning rates log-uniformly, with three digits that one can type again."""
    if not ranged:
        return random_.choice(values)
    low, high = values
    if PARAMETERS[name].type == "integer":
        return random_.randint(int(low), int(high))
    value = float(f"{math.exp(random_.uniform(math.log(low), math.log(high))):.3g}")
    return min(max(value, low), high)


def _training(params: SweepParams, combination: Sequence[Number]) -> TrainParams:
    return TrainParams.model_validate({"dataset": params.dataset} | dict(zip(NAMES, combination, strict=True)))


class _Ended(BaseModel):
    result: TrainResult


class _Written(BaseModel):
    d: _Ended


class Trained(BaseModel):
    """One of the best trainings, as its own outcome was written."""

    job_id: str
    outcome: _Written

    @property
    def result(self) -> TrainResult:
        return self.outcome.d.result


class SweepResult(Result):
    """What its trainings came to: a group's result (`groups.py`)."""

    members: int
    done: int
    best: tuple[Trained, ...]

    def headline(self) -> str:
        if not self.best:
            return f"{self.done} of {self.members} trainings came to a result, which is no longer kept."
        first = self.best[0].result
        return f"The best: {percent(first.accuracy)} on {first.dataset} with {first.asked}."

    def figures(self) -> list[tuple[str, str]]:
        rows = [
            (f"{rank}.", f"{percent(each.accuracy)} in {each.seconds_training:.3g} s: {each.asked}")
            for rank, each in enumerate((one.result for one in self.best), start=1)
        ]
        failed = self.members - self.done
        return [
            *rows,
            ("Trainings", f"{self.done} of {self.members}" + (f"; {failed} came to no result" * bool(failed))),
        ]

    def attachments(self) -> Sequence[Attachment]:
        """Those of the best."""
        return self.best[0].result.attachments() if self.best else ()


SWEEP = JobKind(
    name="sweep",
    summary="Many trainings as one request: which settings do best",
    params=SweepParams,
    result=SweepResult,
    cost=lambda params: sum(TRAIN.cost(each) for each in configurations(params)),
    lane=TRAIN.lane,
    members=Members(TRAIN, configurations),
    example={"learning_rate": "0.02, 0.05, 0.1", "width": "8, 16", "epochs": "10"},
)
