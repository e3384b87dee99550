"""A bot's figures for Prometheus, and where each process of one machine shows its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any, cast

import pytest
from prometheus_client import CollectorRegistry
from redis.asyncio import Redis
from scraping import Figures, counted, scrape, scraped_when
from standin_discord_desk import PASSAGE, Front, front
from standin_telegram import TelegramStandIn
from standin_telegram_desk import Room
from standin_telegram_model import Person
from structlog.testing import capture_logs

from frontdesk.bots import on_telegram_delivery
from frontdesk.bots.main import Premises, serve
from frontdesk.bots.metrics import COMMANDS, BotMetrics
from frontdesk.bots.observing import BotObserver, rule_of
from frontdesk.bots.on_discord_commands import Actions, fixed_commands
from frontdesk.bots.together import METRICS_PORTS, parts
from frontdesk.queue.embedded import EmbeddedServer
from frontdesk.queue.errors import (
    BannedError,
    ConfigurationError,
    DeskClosedError,
    InvalidRequestError,
    LimitedError,
    NotAllowedError,
    UnknownKindError,
)
from frontdesk.queue.kinds import Registry
from frontdesk.queue.settings import Settings, load_settings

KINDS = ["score", "write"]


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def metrics(registry: CollectorRegistry) -> BotMetrics:
    return BotMetrics(registry, KINDS)


# What is counted


def test_every_series_begins_at_zero(metrics: BotMetrics, registry: CollectorRegistry) -> None:
    """A rate over a series that appears with its first event misses that event."""
    figures = counted(registry)
    assert figures.value("frontdesk_requests_accepted_total", platform="discord", kind="score") == 0
    assert figures.value("frontdesk_requests_refused_total", platform="telegram", kind="write", rule="rate") == 0
    assert figures.value("frontdesk_deliveries_total", platform="telegram", result="undeliverable") == 0
    assert figures.value("frontdesk_delivery_retries_total", platform="discord") == 0
    assert figures.value("frontdesk_delivery_seconds_count", platform="discord") == 0


def test_requests_are_counted_by_what_became_of_them(metrics: BotMetrics, registry: CollectorRegistry) -> None:
    """Accepted, or refused by a rule."""
    metrics.accepted("telegram", "score")
    metrics.refused("telegram", "score", "daily")
    metrics.refused("telegram", "score", "daily")
    figures = counted(registry)
    assert figures.value("frontdesk_requests_accepted_total", platform="telegram", kind="score") == 1
    assert figures.value("frontdesk_requests_refused_total", platform="telegram", kind="score", rule="daily") == 2


@pytest.mark.parametrize(
    ("error", "rule"),
    [
        (LimitedError("in_flight", "Too many.", None), "in_flight"),
        (InvalidRequestError([]), "invalid"),
        (UnknownKindError("x", ["score"]), "unknown_kind"),
        (BannedError("spam"), "banned"),
        (DeskClosedError(), "closed"),
        (NotAllowedError(), "other"),
    ],
)
def test_a_refusal_has_a_word(metrics: BotMetrics, registry: CollectorRegistry, error: Any, rule: str) -> None:
    """Every word is one that has a series from the start."""
    assert rule_of(error) == rule
    assert counted(registry).value("frontdesk_requests_refused_total", platform="discord", kind="score", rule=rule) == 0


def test_a_delivery_is_counted_and_timed(metrics: BotMetrics, registry: CollectorRegistry) -> None:
    """From the job's end to the answer; what was not delivered took no time, and its reason is no label."""
    metrics.delivered("discord", "delivered", 0.4)
    metrics.delivered("discord", "delivered", -0.1)  # two clocks
    metrics.delivered("discord", "undeliverable: Discord refuses it (error 50007)", 7.0)
    metrics.retried("discord")
    figures = counted(registry)
    assert figures.value("frontdesk_deliveries_total", platform="discord", result="delivered") == 2
    assert figures.value("frontdesk_deliveries_total", platform="discord", result="undeliverable") == 1
    assert figures.value("frontdesk_delivery_seconds_count", platform="discord") == 2
    assert figures.value("frontdesk_delivery_seconds_sum", platform="discord") == pytest.approx(0.4)
    assert figures.value("frontdesk_delivery_retries_total", platform="discord") == 1
    assert "50007" not in figures.text


def test_what_people_type_is_no_label(metrics: BotMetrics, registry: CollectorRegistry) -> None:
    """Kinds and commands that do not exist share one series, whatever they are called."""
    for number in range(3):
        metrics.accepted("telegram", f"secret{number}")
        metrics.refused("telegram", f"secret{number}", f"secret{number}")
        metrics.commanded("telegram", f"secret{number}")
    figures = counted(registry)
    assert figures.value("frontdesk_requests_accepted_total", platform="telegram", kind="other") == 3
    assert figures.value("frontdesk_requests_refused_total", platform="telegram", kind="other", rule="other") == 3
    assert figures.value("frontdesk_commands_total", platform="telegram", command="other") == 3
    assert "secret" not in figures.text


def test_an_observer_does_nothing_by_itself() -> None:
    """Whoever overrides one method need not know the others."""
    observer = BotObserver()
    observer.accepted("discord", "score")
    observer.refused("discord", "score", "rate")
    observer.delivered("discord", "delivered", 1.0)
    observer.retried("discord")
    observer.commanded("discord", "help")


# Commands, as people give them


async def test_commands_at_telegram_are_counted(
    room: Room,
    telegram: TelegramStandIn,
    alice: Person,
    metrics: BotMetrics,
    registry: CollectorRegistry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """By name; plain words have a word of their own, and what is no command of ours is `other`."""
    monkeypatch.setattr(on_telegram_delivery, "PRIVATE_EVERY", 0.01)
    opened = replace(room.premises(), observer=metrics)
    monkeypatch.setattr(room, "premises", lambda: opened)
    async with room.bot():
        for text in ("/status", "/status", "/nonsense", "hello"):
            await telegram.answer(await telegram.say(alice, text))

    def times(command: str) -> float:
        return counted(registry).value("frontdesk_commands_total", platform="telegram", command=command)

    assert (times("status"), times("other"), times("words")) == (2, 1, 1)


@pytest.fixture
async def discord(redis: Redis, monkeypatch: pytest.MonkeyPatch, metrics: BotMetrics) -> AsyncIterator[Front]:
    async with front(redis, monkeypatch) as made:
        made.premises = replace(made.premises, observer=metrics)
        await made.start()
        yield made


async def test_commands_at_discord_are_counted(discord: Front, registry: CollectorRegistry) -> None:
    """By name; entries in a message's menu and buttons have a word of their own."""
    ada = discord.discord.user("ada")
    message = await discord.discord.say(ada, PASSAGE)
    asked = await discord.discord.menu(ada, "Score this", message)
    await discord.accepted(asked)
    await discord.discord.click(ada, asked.shown, "Cancel")
    await discord.discord.slash(ada, "status")

    def counts() -> dict[str, float]:
        return {s.labels["command"]: s.value for s in counted(registry) if s.name == "frontdesk_commands_total"}

    await discord.discord.until(lambda: len(counts()) == 3)
    assert counts() == {"menu": 1, "button": 1, "status": 1}


def test_every_command_of_ours_has_its_name() -> None:
    """Those of Discord's list are all counted by name, and so is each kind."""
    own = fixed_commands(Registry([]), cast(Actions, None))
    assert {command.qualified_name for command in own} <= set(COMMANDS)


# Where it is shown


async def test_a_bot_answers_scrapes_while_it_serves(redis: Redis, redis_server: EmbeddedServer) -> None:
    """Its own figures and the queue's at one address, from its start to its end."""
    settings = Settings.model_validate({"redis_url": redis_server.url, "metrics_listen": "127.0.0.1:0"})
    seen: list[Figures] = []

    async def adapter(opened: Premises, stop: asyncio.Event) -> None:
        opened.observer.commanded("discord", "help")
        seen.append(await scraped_when(logs[0]["listen"], lambda figures: figures.value("frontdesk_redis_up") == 1))

    with capture_logs() as logs:
        await serve(settings, adapter)
    assert seen[0].value("frontdesk_commands_total", platform="discord", command="help") == 1
    with pytest.raises(OSError, match="refused"):
        await scrape(logs[0]["listen"])


async def test_a_bot_whose_port_is_taken_says_so_at_its_start(redis_server: EmbeddedServer) -> None:
    """Before it talks to its platform."""
    settings = Settings.model_validate({"redis_url": redis_server.url, "metrics_listen": "192.0.2.1:9464"})

    async def adapter(opened: Premises, stop: asyncio.Event) -> None:
        pytest.fail("it was started")

    with pytest.raises(ConfigurationError, match="FRONTDESK_METRICS_LISTEN"):
        await serve(settings, adapter)


def test_each_part_of_up_has_a_port_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Always the same, whichever bots have a token; the worker's is the last, since one may become several."""
    monkeypatch.setenv("FRONTDESK_METRICS_LISTEN", "127.0.0.1:9464")
    monkeypatch.setenv("FRONTDESK_TELEGRAM_TOKEN", "123456789:AAexample_token_of_thirty_five_chars")
    made = (part for part in parts(load_settings(), readable=False) if part.name in METRICS_PORTS)
    ports = {part.name: part.environment["FRONTDESK_METRICS_LISTEN"] for part in made}
    assert ports == {"telegram": "127.0.0.1:9465", "web": "127.0.0.1:9466", "worker": "127.0.0.1:9467"}


def test_without_the_setting_no_part_of_up_listens() -> None:
    """It is off unless somebody asks."""
    for part in parts(load_settings(), readable=False):
        assert "FRONTDESK_METRICS_LISTEN" not in part.environment
