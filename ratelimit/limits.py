"""How much each tier of people may ask for: read from TOML, turned into rules for one request."""

from __future__ import annotations

import hashlib
import math
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, StringConstraints, ValidationError, model_validator

from frontdesk.ratelimit.policy import Decision, InFlight, Rate, Rule

DEFAULTS = Path(__file__).with_name("defaults.toml")
KEY_PREFIX = "fd:limit:"
HOUR = 3600.0
DAY = 24 * HOUR
DEFAULT = "default"  # the kind that stands for those without a table
DAILY = "daily"  # the rule of the daily budget
BASE_TIER = "member"  # the tier from which added ones take what they leave out


def _amount(value: object) -> float | None:
    if value is False:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < math.inf:
        raise ValueError("must be a number above 0, or false for no limit")
    return value


def _count(value: object) -> int | None:
    if value is False:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError("must be a whole number above 0, or false for no limit")
    return value


def _weight(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0.01 <= value <= 100:
        raise ValueError("must be a number from 0.01 to 100")
    return value


Weight = Annotated[float, BeforeValidator(_weight)]
Amount = Annotated[float | None, BeforeValidator(_amount)]
Count = Annotated[int | None, BeforeValidator(_count)]


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Allowance(_Table):
    """For one kind and person; None is no limit. `burst` and `in_flight` in jobs, `per_hour` in jobs an hour."""

    burst: Count
    per_hour: Amount
    in_flight: Count

    @model_validator(mode="after")
    def _rate_is_whole(self) -> Self:
        if (self.burst is None) != (self.per_hour is None):
            raise ValueError("burst and per_hour go together: set both, or both to false")
        return self


class Tier(_Table):
    """For one tier of people. `daily_seconds` in device-seconds a day, over all kinds; None is no limit.

    `weight` is their share of a busy lane, beside that of others; `running` and `tenant_running` are the jobs of one
    person, and of all in their server or group, that run at a time. `people` are its members, as `platform:id`; those
    of no tier are members of the base tier.
    """

    daily_seconds: Amount
    weight: Weight
    priority: Literal["high", "normal", "low"]
    running: Count
    tenant_running: Count
    people: frozenset[Annotated[str, StringConstraints(pattern=r"^[a-z]+:[A-Za-z0-9_.-]{1,64}$")]] = frozenset()
    kinds: Mapping[str, Allowance]

    def allowance(self, kind: str) -> Allowance:
        return self.kinds.get(kind) or self.kinds[DEFAULT]


class Limits(_Table):
    tiers: Mapping[str, Tier]

    @classmethod
    def load(cls, path: Path | None = None) -> Limits:
        """The shipped defaults with a file over them.

        Raises ValueError with one line that names file, table and key.
        """
        shipped = _read(DEFAULTS)
        own = _read(path) if path else {}
        member = _merged(shipped[BASE_TIER], own.get(BASE_TIER, {}))
        bases = shipped | {name: member for name in own if name not in shipped}
        tiers = {name: _filled(_merged(base, own.get(name, {}))) for name, base in bases.items()}
        try:
            return cls.model_validate({"tiers": tiers})
        except ValidationError as error:
            raise ValueError(f"{path}, {_place_and_problem(error)}") from None

    def tier_of(self, *identities: str, said: Mapping[str, str] | None = None) -> str:
        """The tier of a person with these identities ("discord:1"): the best of those in which somebody put one of
        them, or the base tier. `said`: by identity, tiers that count in place of the file's; unknown ones do not.
        """
        said = {who: name for who, name in (said or {}).items() if name in self.tiers}
        named = [said.get(who) or self._naming(who) for who in identities]
        return max((name for name in named if name), key=self._rank, default=BASE_TIER)

    def _naming(self, identity: str) -> str | None:
        return next((name for name, tier in self.tiers.items() if identity in tier.people), None)

    def _rank(self, name: str) -> tuple[float, ...]:
        """The higher, the more a tier gives."""
        tier = self.tiers[name]
        bands = {"low": 0, "normal": 1, "high": 2}
        return bands[tier.priority], tier.weight, math.inf if tier.daily_seconds is None else tier.daily_seconds

    def tier(self, name: str) -> Tier:
        """Raises ValueError for an unknown tier."""
        if name not in self.tiers:
            raise ValueError(f"There is no tier called {name!r}. Known: {', '.join(sorted(self.tiers))}.")
        return self.tiers[name]

    def rules(self, *, tier: str, kind: str, user: str, cost: float, lifetime: float = 2 * DAY) -> list[Rule]:
        """What one request of `user` (unique over all platforms) must pass; `cost` in device-seconds.

        `lifetime`: seconds that the request counts as in flight, unless somebody ends or prolongs that. Raises
        ValueError for an unknown tier.
        """
        found = self.tier(tier)
        allowed, daily = found.allowance(kind), found.daily_seconds
        rules: list[Rule] = []
        if allowed.burst is not None and allowed.per_hour is not None:
            rules.append(
                Rate("rate", f"{KEY_PREFIX}rate:{kind}:{nameless(user)}", allowed.burst, allowed.per_hour / HOUR)
            )
        if allowed.in_flight is not None:
            rules.append(InFlight("in_flight", f"{KEY_PREFIX}in_flight:{kind}:{user}", allowed.in_flight, lifetime))
        if daily is not None:
            rules.append(Rate(DAILY, f"{KEY_PREFIX}daily:{nameless(user)}", daily, daily / DAY, cost))
        return rules


def nameless(user: str) -> str:
    """Under which a rate is counted: it outlives what a person wants forgotten, and so does not say who they are."""
    return hashlib.sha256(user.encode()).hexdigest()[:24]


def sentence(decision: Decision, kind: str, rules: Sequence[Rule]) -> str:
    """A refusal in words, without the time: front ends add that in their platform's format."""
    rule = next(rule for rule in rules if rule.name == decision.rule)
    if isinstance(rule, InFlight):
        jobs = f"{rule.limit} {kind!r} job{'' if rule.limit == 1 else 's'}"
        return f"You already have {jobs} waiting or running."
    if rule.name == DAILY:
        if decision.retry_after is None:
            return "This job is larger than your whole daily share of computing time."
        return "Your daily share of computing time is used up."
    return f"You have asked for {kind!r} too often."


def _read(path: Path) -> dict[str, Any]:
    try:
        tables = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is not valid TOML: {error}") from None
    for name, table in tables.items():
        if not isinstance(table, dict):
            raise ValueError(f"{path}, {name}: must be a table, [{name}]: a tier of people")  # noqa: TRY004 (documented)
        kinds = table.get("kinds", {})
        if not isinstance(kinds, dict) or not all(isinstance(kind, dict) for kind in kinds.values()):
            raise ValueError(f"{path}, [{name}] kinds: must hold a table for each kind, [{name}.kinds.{DEFAULT}]")
    return tables


def _merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Table over table, key by key."""
    merged = dict(base)
    for name, value in over.items():
        below = merged.get(name)
        merged[name] = _merged(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return merged


def _filled(tier: Mapping[str, Any]) -> dict[str, Any]:
    """A tier whose every kind has what it left out from the default one."""
    kinds = tier["kinds"]
    return {**tier, "kinds": {name: _merged(kinds[DEFAULT], table) for name, table in kinds.items()}}


def _place_and_problem(error: ValidationError) -> str:
    """The first problem, as `[table] key: sentence`."""
    first = error.errors(include_url=False)[0]
    place = [str(part) for part in first["loc"][1:]]
    if first["type"] == "extra_forbidden":
        table, key = place[:-1], place[-1]
        return f"[{'.'.join(table)}] {key}: there is no such limit; look for a typing error"
    problem = first["msg"].removeprefix("Value error, ")
    if place[-2:-1] == ["kinds"]:  # the table as a whole
        return f"[{'.'.join(place)}]: {problem}"
    return f"[{'.'.join(place[:-1])}] {place[-1]}: {problem}"
