"""From figures to a verdict: thresholds measured on texts of known origin, at a stated false-positive rate.

A threshold belongs to one model at one precision (they move with both) and to one length of text. It comes with a
guarantee of a limited kind: for new texts *of the same sort as the calibration's*, the expected share of human texts
that are called machine-written is at most the rate (split conformal prediction; Vovk et al. 2005, Lei et al. 2018). It
needs at least 1 / rate - 1 human texts, so with fewer the rate is refused, not extrapolated.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from frontdesk.queue.errors import ConfigurationError

Statistic = Literal["curvature", "binoculars"]
Verdict = Literal["human", "machine", "unclear"]

SHIPPED = Path(__file__).with_name("calibrations.json")
RATES = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2)
LENGTHS = (40, 60, 100, 150, 200, 300, 400, 512)
FEWEST = 20  # texts of each origin at a length


class _Stored(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Length(_Stored):
    """Thresholds for the first `tokens` tokens of a text, one for each of RATES; None where the texts were too few.

    human: at most that share of human texts lies on the machine's side of it; machine: the other way round.
    """

    tokens: Annotated[int, Field(ge=1)]
    n_human: int
    n_machine: int
    auroc: float
    human: tuple[float | None, ...] = Field(min_length=len(RATES), max_length=len(RATES))
    machine: tuple[float | None, ...] = Field(min_length=len(RATES), max_length=len(RATES))


class Calibration(_Stored):
    """Of one statistic of one model at one precision; `observer` is the second model of Binoculars."""

    model: str
    precision: str
    statistic: Statistic
    observer: str | None = None
    made: date
    texts: Annotated[str, Field(description="What they were and where they came from")]
    lengths: Annotated[tuple[Length, ...], Field(min_length=1)]

    def judge(self, value: float, tokens: int, rate: float, missed: float) -> Judgement:
        """The verdict on a statistic of a text's first `tokens` tokens.

        Machine if the value lies beyond what the false-positive rate allows human texts, human if it lies beyond what
        the rate of `missed` machine texts allows those, unclear if neither holds or both.
        """
        human = [(at.tokens, threshold) for at in self.lengths if (threshold := _at_rate(at.human, rate)) is not None]
        machine = [
            (at.tokens, threshold) for at in self.lengths if (threshold := _at_rate(at.machine, missed)) is not None
        ]
        if not human:
            most = max(at.n_human for at in self.lengths)
            return Judgement("unclear", f"the calibration has {most} human texts, too few for a rate of {rate:.1%}")
        if tokens < human[0][0]:
            return Judgement("unclear", f"the text is too short, {tokens} of at least {human[0][0]} tokens")
        sign = 1 if self.statistic == "curvature" else -1
        machine_like = _beyond(sign * value, sign, _at_length(human, tokens))
        human_like = _beyond(-sign * value, -sign, _at_length(machine, tokens))
        if machine_like == human_like:
            return Judgement("unclear")
        return Judgement("machine" if machine_like else "human")


@dataclass(frozen=True, slots=True)
class Judgement:
    """`reason` says why it is unclear, where it is not for the figures."""

    verdict: Verdict
    reason: str | None = None


class CalibrationFile(_Stored):
    calibrations: tuple[Calibration, ...]


def _beyond(value: float, sign: int, threshold: float | None) -> bool:
    return threshold is not None and value > sign * threshold


def _at_rate(thresholds: Sequence[float | None], rate: float) -> float | None:
    """Between the two nearest rates, linear in the logarithm; None where the stricter of the two has no threshold."""
    after = bisect_left(RATES, rate * (1 - 1e-9))
    if after == len(RATES):
        return thresholds[-1]
    high = thresholds[after]
    if after == 0 or math.isclose(RATES[after], rate):
        return high if math.isclose(RATES[after], rate) else None
    low = thresholds[after - 1]
    if low is None or high is None:
        return None
    share = math.log(rate / RATES[after - 1]) / math.log(RATES[after] / RATES[after - 1])
    return low + share * (high - low)


def _at_length(thresholds: Sequence[tuple[int, float]], tokens: int) -> float | None:
    """Between the two nearest lengths, linear in the logarithm; None for texts shorter than the first.

    Beyond the longest it stays as it is, which is the safe side: people's and machines' texts drift apart with length.
    """
    after = bisect_right(thresholds, tokens, key=lambda threshold: threshold[0])
    if after == 0:
        return None
    low_length, low = thresholds[after - 1]
    if after == len(thresholds):
        return low
    high_length, high = thresholds[after]
    return low + math.log(tokens / low_length) / math.log(high_length / low_length) * (high - low)


def thresholds(values: Sequence[float], *, upper: bool) -> tuple[float | None, ...]:
    """For each of RATES the value that at most that share of new values is expected to lie beyond.

    It is the k-th largest (or smallest) of n values with k = floor(rate * (n + 1)); None where k is 0.
    """
    ordered = sorted(values, reverse=upper)
    ranks = [math.floor(rate * (len(ordered) + 1) + 1e-9) for rate in RATES]
    return tuple(round(ordered[rank - 1], 4) if rank else None for rank in ranks)


def auroc(human: Sequence[float], machine: Sequence[float], statistic: Statistic = "curvature") -> float:
    """The chance that a machine's text looks more like one than a person's; ties count half (Mann-Whitney)."""
    ordered = sorted(human)
    above = sum((bisect_left(ordered, value) + bisect_right(ordered, value)) / 2 for value in machine)
    area = above / (len(human) * len(machine))
    return area if statistic == "curvature" else 1 - area


def at_lengths(
    human: Mapping[int, Sequence[float]], machine: Mapping[int, Sequence[float]], statistic: Statistic
) -> tuple[Length, ...]:
    """Thresholds from values by length in tokens; lengths with fewer than FEWEST texts of an origin are left out."""
    upper = statistic == "curvature"
    return tuple(
        Length(
            tokens=tokens,
            n_human=len(human[tokens]),
            n_machine=len(machine[tokens]),
            auroc=round(auroc(human[tokens], machine[tokens], statistic), 4),
            human=thresholds(human[tokens], upper=upper),
            machine=thresholds(machine[tokens], upper=not upper),
        )
        for tokens in sorted(human)
        if len(human[tokens]) >= FEWEST and len(machine[tokens]) >= FEWEST
    )


class Calibrations:
    """What is known for one model: the desk's own calibration first, then the shipped one."""

    def __init__(self, known: Sequence[Calibration]) -> None:
        self._known = tuple(known)

    @classmethod
    def read(cls, data_dir: Path, model: str, precision: str) -> Calibrations:
        """Raises ConfigurationError for a file that is not a calibration."""
        shipped = _parsed(SHIPPED.read_text("utf-8"), SHIPPED.name)
        own = user_file(data_dir, model, precision)
        try:
            mine = _parsed(own.read_text("utf-8"), str(own)) if own.is_file() else ()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationError(f"The calibration {own} cannot be read: {error}") from error
        return cls([entry for entry in (*mine, *shipped) if (entry.model, entry.precision) == (model, precision)])

    def find(self, statistic: Statistic, observer: str | None = None) -> Calibration | None:
        wanted = (statistic, observer if statistic == "binoculars" else None)
        return next((entry for entry in self._known if (entry.statistic, entry.observer) == wanted), None)


def user_file(data_dir: Path, model: str, precision: str) -> Path:
    """Where the desk's own calibration of a model lies."""
    return data_dir / "calibrations" / f"{re.sub(r'[^A-Za-z0-9._-]', '_', model)}-{precision}.json"


def _parsed(text: str, where: str) -> tuple[Calibration, ...]:
    try:
        return CalibrationFile.model_validate_json(text).calibrations
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"])) or "the file"
        raise ConfigurationError(f"The calibration {where} is not valid: {place}: {first['msg']}") from None
