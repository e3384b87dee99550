"""A kind nobody has seen: declared in a package of somebody else's, used everywhere, without a change to Frontdesk."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from processes import House
from queueing import until
from redis.asyncio import Redis
from standin_discord import Discord
from standin_telegram import TelegramStandIn

from frontdesk.queue.embedded import EmbeddedServer
from frontdesk.queue.report import queue_report

MODULE = """
from typing import Annotated, Literal
from pydantic import Field
from frontdesk.queue.kinds import JobKind
from frontdesk.queue.parameters import Params
from frontdesk.queue.results import Result
from frontdesk.worker.runner import Runner


class ShoutParams(Params):
    text: Annotated[str, Field(description="What to shout", min_length=2, max_length=200)]
    times: Annotated[int, Field(description="How often", ge=1, le=5)] = 1
    mood: Annotated[Literal["happy", "angry"], Field(description="How it sounds")] = "happy"


class ShoutResult(Result):
    shouted: str

    def body(self):
        return self.shouted


SHOUT = JobKind("shout", "Say it louder", ShoutParams, ShoutResult, cost=lambda params: 0.1, lane="loud")


class ShoutRunner(Runner[ShoutParams, ShoutResult]):
    def run(self, params, context):
        mark = {"happy": "!", "angry": "!!!"}[params.mood]
        return ShoutResult(shouted=" ".join([params.text.upper() + mark] * params.times))
"""


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """What pip would leave behind: a module, and metadata with its entry points."""
    site = tmp_path / "site"
    metadata = site / "frontdesk_shout-1.0.dist-info"
    metadata.mkdir(parents=True)
    (site / "frontdesk_shout.py").write_text(MODULE)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: frontdesk-shout\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(
        "[frontdesk.kinds]\nshout = frontdesk_shout:SHOUT\n[frontdesk.runners]\nshout = frontdesk_shout:ShoutRunner\n"
    )
    return site


async def test_a_foreign_kind_works_on_every_front_end(
    package: Path, tmp_path: Path, redis: Redis, redis_server: EmbeddedServer
) -> None:
    """One declaration and one runner: a slash command, a Telegram command, a command line, help and checks for all."""
    async with Discord() as discord, TelegramStandIn.open() as telegram:
        house = House(
            tmp_path,
            redis_server.url,
            {
                "PYTHONPATH": os.pathsep.join([str(package), os.environ.get("PYTHONPATH", "")]),
                "FRONTDESK_LANES": "loud",
                "FRONTDESK_DISCORD_TOKEN": discord.token,
                "FRONTDESK_DISCORD_API_URL": discord.url,
                "FRONTDESK_TELEGRAM_TOKEN": telegram.token,
                "FRONTDESK_TELEGRAM_API_URL": telegram.url,
            },
        )
        async with house.service("worker"), house.service("discord"), house.service("telegram"):
            await until(lambda: _on_duty(redis), within=60)
            await _on_the_console(house)
            await _on_discord(discord)
            await _on_telegram(telegram)


async def _on_duty(redis: Redis) -> bool:
    return any(worker.state.kinds == ("shout",) for worker in (await queue_report(redis)).workers)


async def _on_the_console(house: House) -> None:
    ran = await house.run("ask", "shout", "times=2", "mood=angry", "good morning", "--json")
    assert ran.status == 0, ran.err
    assert json.loads(ran.out)["result"] == {"shouted": "GOOD MORNING!!! GOOD MORNING!!!"}
    refused = await house.run("ask", "shout", "times=9", "hello")
    assert refused.status == 2
    assert "times: must be 1 to 5." in refused.err


async def _on_discord(discord: Discord) -> None:
    await discord.until(lambda: discord.gateway.connected)
    asked = await discord.slash(discord.user("ada"), "shout", text="good evening", mood="happy")
    await discord.until(lambda: asked.message and "GOOD EVENING!" in asked.message.text)


async def _on_telegram(telegram: TelegramStandIn) -> None:
    await telegram.until(lambda: telegram.called("getUpdates"))
    shown = await telegram.answer(await telegram.say(telegram.person("bob"), "/shout times=2 good night"))
    await telegram.shows(shown, "GOOD NIGHT! GOOD NIGHT!")
    helped = await telegram.answer(await telegram.say(telegram.person("bob"), "/help shout"))
    assert "one of happy, angry" in helped.text
