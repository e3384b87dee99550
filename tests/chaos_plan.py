"""What goes wrong in a run of chaos and who asks for what, decided from a seed before anything starts."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Target = Literal["telegram", "discord", "worker", "child", "server"]
PLATFORMS: tuple[Literal["telegram", "discord"], ...] = ("telegram", "discord")
TARGETS: tuple[Target, ...] = ("telegram", "discord", "worker", "child", "server")
SORTS = ("429", "500", "cut before", "cut after", "gateway")
ROUND = 45.0  # seconds within which everything is killed once
AWAY = 3.0  # seconds after which at most a killed process is started again
ABSENCE = 130.0  # seconds without a worker, once in a long run: answers become late ones
ABSENCE_FROM = 420.0  # seconds that a run must have for that


@dataclass(frozen=True)
class Kill:
    """A kill -9; `away` seconds later the process is started again."""

    at: float
    target: Target
    away: float


@dataclass(frozen=True)
class Trouble:
    """The platform's next `times` answers within `lasts` seconds are of a sort: an error, or a connection cut before or
    after the effect. On Discord also the end of the gateway's connection."""

    at: float
    platform: Literal["telegram", "discord"]
    sort: str
    times: int
    lasts: float
    pause: float


@dataclass(frozen=True)
class Ask:
    """A person asks for a job. `alone`: in a private chat. `runs`: seconds. `again`: seconds after which the same
    update arrives once more. `then`: they cancel at the sight of the ticket, or block the bot right after asking."""

    at: float
    number: int
    platform: Literal["telegram", "discord"]
    person: int
    alone: bool
    runs: float
    fails: bool
    again: float | None
    then: Literal["wait", "cancel", "block"]

    @property
    def prompt(self) -> str:
        """What the light engine reads: see `chaos_worker`."""
        return f"{self.number} {self.runs:.3f} {'fails' if self.fails else 'works'}"


@dataclass(frozen=True)
class Plan:
    seed: int
    seconds: float
    users: int
    kills: tuple[Kill, ...]
    troubles: tuple[Trouble, ...]
    asks: tuple[Ask, ...]

    def lines(self) -> Iterator[str]:
        """The faults in their order, one a line."""
        faults: list[Kill | Trouble] = [*self.kills, *self.troubles]
        for each in sorted(faults, key=lambda fault: fault.at):
            if isinstance(each, Kill):
                yield f"{each.at:7.2f} s  kill -9 {each.target}, away for {each.away:.2f} s"
            else:
                yield f"{each.at:7.2f} s  {each.platform}: {each.sort}, {each.times} times within {each.lasts:.2f} s"


def planned(seed: int, *, seconds: float, users: int, rate: float) -> Plan:
    """rate: jobs asked for a second, on both platforms together."""
    source = random.Random(seed)  # noqa: S311 - a plan that can be run again
    kills, troubles = tuple(_kills(source, seconds)), tuple(_troubles(source, seconds))
    return Plan(seed, seconds, users, kills, troubles, tuple(_asks(source, seconds, users, rate)))


def _kills(source: random.Random, seconds: float) -> Iterator[Kill]:
    rounds = max(1, int(seconds / ROUND))
    length = seconds / rounds
    for number in range(rounds):
        order = source.sample(TARGETS, len(TARGETS))
        for place, target in enumerate(order):
            at = length * (number + (place + source.uniform(0.2, 0.9)) / len(order))
            yield Kill(at, target, source.uniform(0.1, min(AWAY, length / 20)))
    if seconds >= ABSENCE_FROM:
        yield Kill(seconds / 3, "worker", ABSENCE)


def _troubles(source: random.Random, seconds: float) -> Iterator[Trouble]:
    at = source.expovariate(1.0)
    while at < seconds:
        platform = source.choice(PLATFORMS)
        sort = source.choice(SORTS if platform == "discord" else SORTS[:-1])
        yield Trouble(
            at, platform, sort, source.randint(1, 3), source.uniform(0.2, 1.5), source.choice((0.05, 0.3, 1.0))
        )
        at += source.expovariate(1.0)


def _asks(source: random.Random, seconds: float, users: int, rate: float) -> Iterator[Ask]:
    at, number = source.expovariate(rate), 0
    while at < seconds:
        platform = source.choice(PLATFORMS)
        yield Ask(
            at,
            number,
            platform,
            source.randrange(users),
            # A group on Telegram takes 20 messages a minute.
            alone=source.random() < (0.97 if platform == "telegram" else 0.5),
            runs=source.uniform(0.01, 0.3),
            fails=source.random() < 0.05,
            again=source.uniform(0.0, 2.0) if source.random() < 0.3 else None,
            then=source.choices(("wait", "cancel", "block"), (90, 8, 2 if platform == "telegram" else 0))[0],
        )
        at, number = at + source.expovariate(rate), number + 1
