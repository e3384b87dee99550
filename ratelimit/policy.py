"""What is allowed, as arithmetic: (ledger, now, rules) -> decision and new ledger. No clock, no Redis.

`Rate` is the Generic Cell Rate Algorithm in its virtual scheduling form (ATM Forum, Traffic Management Specification
4.0, section 4.4.2; ITU-T I.371), with a cost for each request. One number is kept, the theoretical arrival time TAT:

    TAT' = max(TAT, now) + cost / per_second
    allowed if TAT' - now <= burst / per_second; otherwise wait TAT' - burst / per_second - now

so that in any `t` seconds no more than `burst + per_second * t` is let through.

`limiter` computes the same in Redis, operation by operation: what is changed here is changed in its scripts.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

# Twice the rounding error of a Unix time in a double, with room: who waits exactly as long as told must get in.
SLACK = 1e-5  # seconds


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `burst` at once and `per_second` for ever; a request counts as `cost`.

    `burst` and `cost` share one unit (requests, device-seconds). `name` is for the reader, `key` for the ledger.
    """

    name: str
    key: str
    burst: float
    per_second: float
    cost: float = 1.0

    def __post_init__(self) -> None:
        if not (0 < self.burst < math.inf and 0 < self.per_second < math.inf and 0 <= self.cost < math.inf):
            raise ValueError(f"{self.name}: burst and rate must be above 0, a cost 0 or more, and all finite")


@dataclass(frozen=True, slots=True)
class InFlight:
    """At most `limit` members at a time. One that is never released is forgotten after `lifetime` seconds."""

    name: str
    key: str
    limit: int
    lifetime: float

    def __post_init__(self) -> None:
        if self.limit < 1 or not 0 < self.lifetime < math.inf:
            raise ValueError(f"{self.name}: limit and lifetime must be above 0")


Rule = Rate | InFlight


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether a request may pass; if not, the name of the rule that refuses it.

    `retry_after` is in seconds from now: after so long it passes, if nothing else is let through in between. None in a
    refusal means that waiting alone does not help: something must be released, or the cost is larger than the burst.
    """

    allowed: bool
    rule: str | None = None
    retry_after: float | None = None


ALLOWED = Decision(True)


@dataclass(frozen=True, slots=True)
class Ledger:
    """What the rules remember, by key: the TAT of rates, and who is in flight until when (Unix seconds)."""

    tats: Mapping[str, float] = field(default_factory=dict)
    members: Mapping[str, Mapping[str, float]] = field(default_factory=dict)


def acquire(ledger: Ledger, now: float, rules: Sequence[Rule], member: str) -> tuple[Decision, Ledger]:
    """Charge all rules or none. The keys of the rules differ from each other.

    Of several refusals the one that a wait cures last is reported: a cost above a burst, then members in flight, then
    the longest wait. So whatever time is told, the request would pass after it. A member that is in flight already was
    charged before (the call was sent twice): it passes, and is not charged again.
    """
    if any(isinstance(rule, InFlight) and member in _living(ledger, now, rule) for rule in rules):
        return ALLOWED, ledger
    refusals = [refusal for rule in rules if (refusal := refuse(ledger, now, rule)) is not None]
    if refusals:
        return max(refusals, key=_severity)[1], ledger
    tats, members = dict(ledger.tats), dict(ledger.members)
    for rule in rules:
        if isinstance(rule, Rate):
            tats[rule.key] = _charged(ledger.tats.get(rule.key), now, rule)
        else:
            members[rule.key] = _living(ledger, now, rule) | {member: now + rule.lifetime}
    return ALLOWED, Ledger(tats, members)


def refuse(ledger: Ledger, now: float, rule: Rule) -> tuple[Rule, Decision] | None:
    """This one rule's refusal of somebody new, or None."""
    if isinstance(rule, InFlight):
        return None if len(_living(ledger, now, rule)) < rule.limit else (rule, Decision(False, rule.name))
    if rule.cost > rule.burst:
        return rule, Decision(False, rule.name)
    wait = _charged(ledger.tats.get(rule.key), now, rule) - rule.burst / rule.per_second - now
    return None if wait <= SLACK else (rule, Decision(False, rule.name, wait))


def refund(ledger: Ledger, now: float, rules: Sequence[Rule], member: str) -> Ledger:
    """Undo a charge: rates get its cost back, though never more than their burst, and the member is released."""
    tats, members = dict(ledger.tats), dict(ledger.members)
    for rule in rules:
        if isinstance(rule, InFlight):
            members[rule.key] = {who: until for who, until in members.get(rule.key, {}).items() if who != member}
        elif rule.key in tats:
            tats[rule.key] = max(now, tats[rule.key] - rule.cost / rule.per_second)
    return replace(ledger, tats=tats, members=members)


def _severity(refusal: tuple[Rule, Decision]) -> tuple[int, float]:
    rule, decision = refusal
    if decision.retry_after is not None:
        return 0, decision.retry_after
    return (1, 0.0) if isinstance(rule, InFlight) else (2, 0.0)


def _charged(tat: float | None, now: float, rule: Rate) -> float:
    return (now if tat is None else max(tat, now)) + rule.cost / rule.per_second


def _living(ledger: Ledger, now: float, rule: InFlight) -> dict[str, float]:
    return {who: until for who, until in ledger.members.get(rule.key, {}).items() if until > now}
