"""Discord's front end as people see it: the real discord.py, desk, queue and worker over a stand-in of Discord."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from pydantic import Field
from redis.asyncio import Redis
from standin_discord import RefusedError
from standin_discord_desk import PASSAGE, Front, front, scored

from frontdesk.bots.desk import Desk
from frontdesk.queue.connection import client
from frontdesk.queue.kinds import JobKind
from frontdesk.queue.parameters import Params
from frontdesk.queue.results import Result


class PaintParams(Params):
    subject: Annotated[str, Field(description="What to paint", max_length=20_000)]
    size: Annotated[Literal[256, 512], Field(description="Pixels along a side")] = 256
    style: Annotated[Literal["oil", "ink"], Field(description="How it looks")] = "oil"
    steps: Annotated[int, Field(description="More is finer", ge=1, le=50)] = 20
    guidance: Annotated[float, Field(description="How literally", ge=0, le=12.5)] = 7.5
    tile: Annotated[bool, Field(description="Whether the edges meet")] = False


class PaintResult(Result):
    path: str


PAINT = JobKind("paint", "A picture from words", PaintParams, PaintResult, cost=lambda params: 1.0)


class MixParams(Params):
    first: Annotated[str, Field(description="One text")]
    second: Annotated[str, Field(description="Another")]


MIX = JobKind("mix", "One of two", MixParams, PaintResult, cost=lambda params: 1.0)


@pytest.fixture
async def opened(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Front]:
    """A bot with the built-in kinds."""
    async with front(redis, monkeypatch) as made:
        await made.start()
        yield made


@pytest.fixture
async def studio(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Front]:
    """A bot with kinds that nobody has seen."""
    async with front(redis, monkeypatch, kinds=[PAINT, MIX]) as made:
        await made.start()
        yield made


async def test_a_text_gets_its_score_where_it_was_asked_for(opened: Front) -> None:
    """The ticket comes first, with its id and a way out; then it becomes the answer."""
    discord = opened.discord
    asked = await discord.slash(discord.user("ada"), "score", text=PASSAGE)
    job_id = await opened.accepted(asked)
    assert job_id in asked.shown.text
    assert list(asked.shown.buttons) == ["Cancel"]
    opened.engine.end(job_id, scored())
    await discord.says(asked, "Reads like a person wrote it.")
    assert "Perplexity: 21.0" in asked.shown.text
    assert (asked.shown.buttons, asked.shown.ephemeral, discord.said()) == ({}, False, [asked.shown])


async def test_every_parameter_is_a_typed_option_with_its_range_and_choices(studio: Front) -> None:
    """What the declaration says, Discord's client enforces while one types; texts end at Discord's own limit."""
    command = studio.discord.commands_of(studio.discord.user("ada"))["paint"]
    options = {option["name"]: option for option in command["options"]}
    assert [(name, option["type"]) for name, option in options.items()] == [
        ("subject", 3), ("size", 3), ("style", 3), ("steps", 4), ("guidance", 10), ("tile", 5), ("private", 5)
    ]  # fmt: skip
    assert [name for name, option in options.items() if option.get("required")] == ["subject"]
    assert options["subject"]["max_length"] == 6000
    assert (options["steps"]["min_value"], options["steps"]["max_value"]) == (1, 50)
    assert (options["guidance"]["min_value"], options["guidance"]["max_value"]) == (0, 12.5)
    assert [choice["value"] for choice in options["size"]["choices"]] == ["256", "512"]
    assert (command["description"], options["steps"]["description"]) == ("A picture from words", "More is finer")


@pytest.mark.parametrize(
    "wrong", [{}, {"subject": "x" * 6001}, {"subject": "a", "steps": 0}, {"subject": "a", "style": "wax"}]
)
async def test_discords_client_refuses_what_the_declaration_does(studio: Front, wrong: dict[str, Any]) -> None:
    """Missing, too long, out of range, none of the choices: not even sent."""
    with pytest.raises(RefusedError):
        await studio.discord.slash(studio.discord.user("ada"), "paint", **wrong)


async def test_what_was_chosen_reaches_the_worker_as_declared(studio: Front) -> None:
    """Numbers, yes/no and choices arrive with their declared types, and what was left open with its default."""
    asked = await studio.discord.slash(
        studio.discord.user("ada"), "paint", subject="a boat", size="512", guidance=3, tile=True
    )
    await studio.discord.until(lambda: asked.message and asked.message.buttons)
    made = await studio.engine.started.get()
    assert made.params == {
        "subject": "a boat", "size": 512, "style": "oil", "steps": 20, "guidance": 3.0, "tile": True
    }  # fmt: skip


async def test_a_private_request_is_seen_by_its_requester_only(opened: Front) -> None:
    """Ticket and answer are ephemeral."""
    asked = await opened.discord.slash(opened.discord.user("ada"), "score", text=PASSAGE, private=True)
    opened.engine.end(await opened.accepted(asked), scored())
    await opened.discord.says(asked, "person")
    assert asked.shown.ephemeral


async def test_a_message_is_scored_from_its_menu(opened: Front) -> None:
    """`Score this` takes somebody's message as the text."""
    discord = opened.discord
    message = await discord.say(discord.user("bob"), PASSAGE)
    ada = discord.user("ada")
    asked = await discord.menu(ada, "Score this", message)
    await discord.until(lambda: asked.message and asked.message.buttons)
    assert (await opened.engine.started.get()).params == {"text": PASSAGE.strip()}


async def test_a_menu_entry_is_for_kinds_that_need_one_text(studio: Front) -> None:
    """Where more must be given there is none."""
    assert list(studio.discord.commands_of(studio.discord.user("ada"), sort=3)) == ["Paint this"]


async def test_a_bad_request_is_refused_to_its_requester_only(opened: Front) -> None:
    """One sentence, ephemeral; the public "is thinking" goes away and nothing is queued."""
    discord = opened.discord
    message = await discord.say(discord.user("bob"), "too short")
    asked = await discord.menu(discord.user("ada"), "Score this", message)
    await discord.until(lambda: asked.followups)
    assert "text: must have 200 to 20,000 characters; this has 9." in asked.followups[0].text
    assert asked.followups[0].ephemeral
    assert discord.said() == asked.followups
    assert opened.engine.started.empty()


@pytest.mark.parametrize("place", ["a server without the bot", "a group", "direct messages"])
async def test_the_command_works_wherever_the_person_is(opened: Front, place: str) -> None:
    """As an app of one's own it answers in other servers and private chats; as a bot in its direct messages."""
    discord = opened.discord
    ada = discord.user("ada")
    channel = {
        "a server without the bot": discord.elsewhere,
        "a group": discord.group(ada, discord.user("bob")),
        "direct messages": discord.dm(ada),
    }[place]
    asked = await discord.slash(ada, "score", channel, text=PASSAGE)
    opened.engine.end(await opened.accepted(asked), scored())
    await discord.says(asked, "person")
    assert discord.said(channel) == [asked.shown]


async def test_a_repeated_interaction_is_one_job_and_one_message(opened: Front) -> None:
    """Discord delivers again after a lost connection: no second job, and an answer is not turned back to a ticket."""
    discord = opened.discord
    ada = discord.user("ada")
    asked = await discord.slash(ada, "score", text=PASSAGE)
    job_id = await opened.accepted(asked)
    await discord.repeat(asked)
    opened.engine.end(job_id, scored())
    await discord.says(asked, "person")
    await discord.repeat(asked)
    await discord.until(lambda: len(discord.calls_to("POST", f"{asked.token}/callback")) == 3)
    jobs = await discord.slash(ada, "jobs")
    await discord.says(jobs, "score")
    assert jobs.shown.text.count("score") == 1
    assert "person" in asked.shown.text


async def test_who_asks_too_often_is_told_when_to_come_back(
    redis: Redis, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The time is Discord's own countdown, and lies ahead."""
    limits = tmp_path / "limits.toml"
    limits.write_text("[member.kinds.default]\nburst = 1\nper_hour = 30\n")
    async with front(redis, monkeypatch, limits=limits) as opened:
        await opened.start()
        ada = opened.discord.user("ada")
        await opened.accepted(await opened.discord.slash(ada, "score", text=PASSAGE))
        again = await opened.discord.slash(ada, "score", text=PASSAGE + "More.")
        await opened.discord.until(lambda: again.followups)
        countdown = re.search(r"<t:(\d+):R>", again.followups[0].content)
        assert countdown
        assert 100 < int(countdown[1]) - opened.discord.now <= 121
        assert again.followups[0].ephemeral


async def test_a_closed_desk_says_so(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without Redis every command gets a sentence."""
    async with client("redis://127.0.0.1:1") as nowhere, front(redis, monkeypatch, desk_redis=nowhere) as opened:
        await opened.start()
        ada = opened.discord.user("ada")
        asked = await opened.discord.slash(ada, "score", text=PASSAGE, private=True)
        jobs = await opened.discord.slash(ada, "jobs")
        for each in (asked, jobs):
            await opened.discord.says(each, "The desk is closed for a moment")
        assert await opened.discord.autocomplete(ada, "cancel", "job") == []


async def test_a_fault_of_ours_is_a_sentence_and_no_traceback(opened: Front, monkeypatch: pytest.MonkeyPatch) -> None:
    """What nobody foresaw is logged; the chat learns nothing of the inside."""

    async def broken(*_: object) -> None:
        raise RuntimeError("/srv/secret")

    monkeypatch.setattr(Desk, "status", broken)
    asked = await opened.discord.slash(opened.discord.user("ada"), "status")
    await opened.discord.says(asked, "Something went wrong at the desk")
    assert "secret" not in asked.shown.text


async def test_a_lost_answer_harms_nothing_else(opened: Front) -> None:
    """Discord refuses to show one answer, or cuts the acknowledgement; the next command is answered."""
    discord = opened.discord
    ada = discord.user("ada")
    discord.fail("PATCH /webhooks", 400)
    discord.fail("POST /interactions", 0)
    for _ in range(2):
        await discord.slash(ada, "status")
    await discord.until(lambda: not any(fault.times for fault in discord.rest.faults))
    await discord.says(await discord.slash(ada, "status"), "nobody is waiting")


async def test_a_cut_acknowledgement_is_tried_again(opened: Front) -> None:
    """One dropped connection costs nobody their request."""
    discord = opened.discord
    discord.fail("POST /interactions", 0)
    await discord.says(await discord.slash(discord.user("ada"), "status"), "nobody is waiting")


async def test_what_discord_no_longer_acknowledges_is_not_queued(opened: Front) -> None:
    """The person has been told that the application did not respond: a job behind that would be a surprise."""
    discord = opened.discord
    ada = discord.user("ada")
    discord.fail("POST /interactions", 404, code=10062)
    await discord.slash(ada, "score", text=PASSAGE)
    await discord.until(lambda: not discord.rest.faults[0].times)
    jobs = await discord.slash(ada, "jobs")
    await discord.says(jobs, "You have no jobs.")


async def test_a_command_that_is_gone_says_so(opened: Front) -> None:
    """A client that has not heard of a change gets a sentence, not silence."""
    discord = opened.discord
    discord.commands.append({"id": "1", "name": "sing", "type": 1, "options": []})
    asked = await discord.slash(discord.user("ada"), "sing")
    await discord.says(asked, "That command has changed.")
