"""The rules of `policy`, kept in Redis: several at once, in one atomic call, on the server's clock."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import cast

from redis.asyncio import Redis

from frontdesk.ratelimit.policy import ALLOWED, SLACK, Decision, Rate, Rule

SPARE_LIFE = 60_000  # milliseconds that a key outlives its meaning


class Limiter:
    """Charges rules. `clock` (Unix seconds) is for tests; without it the server's own clock counts, which all share."""

    def __init__(self, redis: Redis, clock: Callable[[], float] | None = None) -> None:
        self._redis = redis
        self._clock = clock
        self._acquire = redis.register_script(_script("acquire.lua"))
        self._refund = redis.register_script(_script("refund.lua"))

    async def acquire(self, rules: Sequence[Rule], member: str) -> Decision:
        """Charge all rules, or none if one refuses.

        `member` is then in flight, which means an entry of the sorted set at the rule's key, until somebody removes it
        (the queue does, in the same script that ends a job) or its lifetime is over.
        The keys of the rules differ from each other. Raises redis.exceptions.RedisError.
        """
        if not rules:
            return ALLOWED
        reply = await self._acquire(keys=[rule.key for rule in rules], args=self._arguments(rules, member))
        refusing, wait = cast(tuple[int, bytes | str], reply)
        if not refusing:
            return ALLOWED
        return Decision(False, rules[refusing - 1].name, float(wait) if wait else None)

    async def refund(self, rules: Sequence[Rule], member: str) -> None:
        """Undo one `acquire` with the same rules and member: costs are given back, the member is released."""
        if rules:
            await self._refund(keys=[rule.key for rule in rules], args=self._arguments(rules, member))

    def _arguments(self, rules: Sequence[Rule], member: str) -> list[str]:
        now = repr(self._clock()) if self._clock else ""
        return [now, repr(SLACK), str(SPARE_LIFE), member, *(part for rule in rules for part in _encoded(rule))]


def _encoded(rule: Rule) -> tuple[str, str, str, str]:
    """A rule as four arguments of the scripts. `repr` of a float loses nothing."""
    if isinstance(rule, Rate):
        return "rate", repr(float(rule.burst)), repr(float(rule.per_second)), repr(float(rule.cost))
    return "flight", str(rule.limit), repr(float(rule.lifetime)), ""


def _script(name: str) -> str:
    return Path(__file__).with_name(name).read_text("utf-8")
