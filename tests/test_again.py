"""The buttons below an answer: other seed, other format, similar prompt; on each platform, and for whom."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from console import Paper, Script, premises, staffed
from queueing import DrivenEngine
from redis.asyncio import Redis
from shaping import SHAPE, shaped
from standin_discord import Interaction
from standin_discord_desk import Front, front
from standin_telegram import TelegramStandIn
from standin_telegram_desk import Room
from standin_telegram_model import Chat, Message, Person

from frontdesk.bots import on_telegram_delivery
from frontdesk.bots.on_console import Chat as ConsoleChat
from frontdesk.bots.on_console import person
from frontdesk.bots.variants import drawn
from frontdesk.bots.waiting import waiting
from frontdesk.queue import keys
from frontdesk.queue.kinds import Parameter
from frontdesk.ratelimit.limits import Limits

LABELS = ["Other seed", "As STL", "Similar prompt"]


# -- Discord


@pytest.fixture
async def discord(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Front]:
    async with front(redis, monkeypatch, kinds=[SHAPE]) as made:
        await made.start()
        yield made


async def answered(at: Front, *, private: bool = False) -> Interaction:
    """A red chair, asked for by ada and shaped."""
    options = {"private": True} if private else {}
    asked = await at.discord.slash(at.discord.user("ada"), "shape", prompt="a red chair", **options)
    at.engine.end(await at.accepted(asked), shaped())
    await at.discord.says(asked, "Shaped: a red chair")
    return asked


async def pressed(at: Front, asked: Interaction, label: str) -> dict[str, object]:
    """The parameters of the job that a press makes."""
    click = await at.discord.click(asked.user, asked.shown, label)
    await at.discord.until(lambda: click.message and click.message.buttons)
    return dict((await at.engine.started.get()).params)


async def test_discord_shows_what_may_come_next_below_the_answer_alone(discord: Front) -> None:
    """A ticket can be cancelled, and no more."""
    asked = await discord.discord.slash(discord.discord.user("ada"), "shape", prompt="a red chair")
    job_id = await discord.accepted(asked)
    assert list(asked.shown.buttons) == ["Cancel"]
    discord.engine.end(job_id, shaped())
    await discord.discord.says(asked, "Shaped: a red chair")
    assert list(asked.shown.buttons) == LABELS


async def test_a_press_asks_for_the_same_in_another_way(discord: Front) -> None:
    """The ticket is a message of its own, and the answer stays as it was."""
    asked = await answered(discord)
    assert await pressed(discord, asked, "As STL") == {"prompt": "a red chair", "seed": 3, "format": "stl"}
    another = await pressed(discord, asked, "Other seed")
    assert (another["prompt"], another["format"], another["seed"] == 3) == ("a red chair", "glb", False)
    assert list(asked.shown.buttons) == LABELS
    assert "Shaped: a red chair" in asked.text


async def test_a_press_that_comes_twice_asks_once(discord: Front) -> None:
    """By the interaction's own id, also where chance draws the seed."""
    asked = await answered(discord)
    click = await discord.discord.click(asked.user, asked.shown, "Other seed")
    await discord.discord.until(lambda: click.message and click.message.buttons)
    await discord.discord.repeat(click)
    await discord.discord.until(lambda: len(discord.discord.calls_to("POST", "/callback")) == 3)
    assert len(await discord.premises.broker.jobs_of(f"discord:{asked.user.id}")) == 2


async def test_a_similar_prompt_is_written_in_a_window_with_the_old_one_in_it(discord: Front) -> None:
    """Also when the bot was started anew while it was open."""
    asked = await answered(discord)
    click = await discord.discord.click(asked.user, asked.shown, "Similar prompt")
    window = await discord.discord.until(lambda: click.window)
    assert window is not None
    [field] = window["components"][0]["components"]
    assert (field["value"], field["label"], field["max_length"]) == ("a red chair", "What to shape", 100)
    await discord.stop()
    await discord.start()
    sent = await discord.discord.fill_in(click, "a blue chair")
    await discord.discord.until(lambda: sent.message and sent.message.buttons)
    job = await discord.engine.started.get()
    assert job.params == {"prompt": "a blue chair", "seed": 3, "format": "glb"}


async def test_a_private_answer_leads_to_private_ones(discord: Front) -> None:
    """Nobody else sees the ticket."""
    asked = await answered(discord, private=True)
    click = await discord.discord.click(asked.user, asked.shown, "As STL")
    await discord.discord.until(lambda: click.message and click.message.buttons)
    assert click.shown.ephemeral
    assert (await discord.engine.started.get()).private


async def test_others_and_late_comers_read_a_sentence(discord: Front, redis: Redis) -> None:
    """Who did not ask, and who comes when the answer is forgotten; only they read it."""
    asked = await answered(discord)
    click = await discord.discord.click(discord.discord.user("bob"), asked.shown, "Other seed")
    await discord.discord.says(click, "These buttons are for whoever asked.")
    assert click.shown.ephemeral
    [record] = await discord.premises.broker.jobs_of(f"discord:{asked.user.id}")
    await redis.delete(keys.job(record.id))
    late = await discord.discord.click(asked.user, asked.shown, "Similar prompt")
    await discord.discord.says(late, "no longer remembered")
    assert discord.engine.started.empty()


async def test_a_press_is_limited_like_any_request(
    redis: Redis, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """By the person's limits."""
    limits = tmp_path / "limits.toml"
    limits.write_text("[member.kinds.default]\nin_flight = 1\n")
    async with front(redis, monkeypatch, kinds=[SHAPE], limits=limits) as made:
        await made.start()
        asked = await answered(made)
        await pressed(made, asked, "As STL")
        second = await made.discord.click(asked.user, asked.shown, "Other seed")
        await made.discord.until(lambda: second.text)
        assert len(await made.premises.broker.jobs_of(f"discord:{asked.user.id}")) == 2


# -- Telegram


@pytest.fixture
async def room(telegram: TelegramStandIn, redis: Redis, monkeypatch: pytest.MonkeyPatch) -> Room:
    monkeypatch.setattr(on_telegram_delivery, "PRIVATE_EVERY", 0.01)
    monkeypatch.setattr(on_telegram_delivery, "GROUP_EVERY", 0.01)
    made = Room(telegram, redis, Limits.load())
    made.kinds = (*made.kinds, SHAPE)
    return made


async def shape(room: Room, who: Person, chat: Chat | None = None) -> Message:
    ticket = await room.ticket(await room.telegram.say(who, "/shape seed=3 a red chair", chat))
    job = await room.worker.claim()
    await room.worker.finish(job, dict(shaped().result or {}))
    assert await room.delivery(job.id) == "delivered"
    return ticket


async def test_telegram_asks_for_the_same_in_another_way(room: Room, alice: Person) -> None:
    """The ticket replies to the answer, which stays as it was."""
    async with room.bot():
        answer = await shape(room, alice)
        assert answer.buttons == LABELS
        click = await room.telegram.press(alice, answer, "As STL")
        ticket = await room.telegram.answer(answer, "shape")
        assert (ticket.buttons, click.answered) == (["Cancel"], True)
        job = await room.worker.claim()
        assert await room.params(job.id) == {"prompt": "a red chair", "seed": 3, "format": "stl"}
        assert answer.buttons == LABELS


@pytest.mark.parametrize("where", ["private", "group"])
async def test_telegram_asks_for_the_new_prompt(room: Room, alice: Person, lab: Chat, where: str) -> None:
    """With the old one before one's eyes, and after a restart of the bot as well; in a group by a forced reply."""
    chat = lab if where == "group" else None
    async with room.bot():
        answer = await shape(room, alice, chat)
    async with room.bot():
        await room.telegram.press(alice, answer, "Similar prompt")
        question = await room.telegram.answer(answer, "It was: a red chair")
    async with room.bot():
        await room.telegram.say(alice, "a blue chair", chat, reply_to=question)
        page = await room.telegram.answer(answer, "ready to start")
        await room.telegram.press(alice, page, "Start")
        await room.telegram.shows(page, "shape")
        job = await room.worker.claim()
        assert await room.params(job.id) == {"prompt": "a blue chair", "seed": 3, "format": "glb"}
    assert "Shaped: a red chair" in answer.text


async def test_on_telegram_a_press_counts_once_and_for_the_one_who_asked(
    room: Room, alice: Person, lab: Chat, telegram: TelegramStandIn
) -> None:
    """Others read a notice."""
    bob = telegram.person("bob")
    async with room.bot():
        answer = await shape(room, alice, lab)
        foreign = await telegram.press(bob, answer, "Other seed")
        await telegram.until(lambda: foreign.answered)
        assert (foreign.text or "").startswith("These buttons are for whoever asked.")
        await telegram.press(alice, answer, "Other seed")
        await telegram.answer(answer, "shape")
        await telegram.settled()
        await telegram.repeat()
        await telegram.settled()
        assert len(await room.jobs()) == 2


# -- The terminal


class Shaper(DrivenEngine):
    """Shapes whatever is asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[dict[str, object]] = []

    async def run(self, made: object, report: object) -> object:  # type: ignore[override]
        params = dict(made.params)  # type: ignore[attr-defined]
        self.asked.append(params)
        return shaped(**params)


async def test_at_a_terminal_one_reads_what_to_type(redis: Redis) -> None:
    """And types it, with a new prompt or without."""
    at, engine, paper = premises(redis, kinds=[SHAPE], default="shape"), Shaper(), Paper()
    async with staffed(at, engine), waiting(at) as waiter:
        await ConsoleChat(at, waiter, Script("a red chair"), paper, person("ada")).run()
        [typed, _, similar] = [line for line in paper.text.splitlines() if line.startswith("/again")]
        assert typed.endswith(" 1 Other seed")
        command = similar.removesuffix(" Similar prompt")
        lines = Script(command, "a blue chair", f"{command} a green chair", typed.removesuffix(" Other seed"))
        await ConsoleChat(at, waiter, lines, paper, person("ada")).run()
        await ConsoleChat(at, waiter, Script(command, "/again", "/again x 1"), paper, person("bob")).run()
    assert [each["prompt"] for each in engine.asked] == ["a red chair", "a blue chair", "a green chair", "a red chair"]
    assert engine.asked[3]["seed"] != engine.asked[0]["seed"]
    assert "It was: a red chair" in paper.text
    assert "These buttons are for whoever asked." in paper.text
    assert "no longer remembered" in paper.text


def test_chance_stays_within_bounds_and_never_draws_the_same_again() -> None:
    """And is the same for the same update."""
    parameter = Parameter("seed", "integer", "A seed", required=False, minimum=2, maximum=5)
    every = {drawn(parameter, 3, f"update {n}") for n in range(200)}
    assert every == {2, 4, 5}
    assert drawn(parameter, None, "one") == drawn(parameter, None, "one")
    assert 0 <= drawn(Parameter("seed", "integer", "A seed", required=False), None, "one") < 2**31
