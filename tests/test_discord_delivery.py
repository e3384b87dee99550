"""Every answer reaches who asked, whatever happened to its placeholder, its token, the bot or Discord."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from discord import HTTPException
from redis.asyncio import Redis
from standin_discord import Channel, Discord, Interaction, Message, User
from standin_discord_desk import Front, front, keep_addresses, scored, written

from frontdesk.bots import on_discord, on_discord_delivery
from frontdesk.bots.deliverer import TryLaterError, UndeliverableError
from frontdesk.bots.on_discord import DiscordClient
from frontdesk.bots.on_discord_delivery import PATIENCE, DiscordDeliverer
from frontdesk.bots.replies import say
from frontdesk.queue.jobs import Outcome, Progress, ReplyAddress

QUARTER_HOUR = 15 * 60 + 1
HOSTILE = "@everyone <@1> **look** [here](https://example.org) <t:1700000000:R>\n# shout\n```"


@pytest.fixture
async def opened(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Front]:
    """A bot that tries again soon."""
    monkeypatch.setattr(on_discord_delivery, "PATIENCE", 0.02)
    async with front(redis, monkeypatch) as made:
        await made.start()
        yield made


async def asked_by(
    opened: Front, person: User, channel: Channel | None = None, **options: Any
) -> tuple[Interaction, str]:
    """A running `write` job and its id."""
    asked = await opened.discord.slash(person, "write", channel, **{"prompt": "Why?"} | options)
    return asked, await opened.accepted(asked)


async def direct(opened: Front, person: User) -> Message:
    """The first message the person gets from the bot in private."""
    return (await opened.discord.until(lambda: opened.discord.said(opened.discord.dm(person))))[0]


async def test_where_the_token_dies_early_the_bot_edits_as_itself(opened: Front) -> None:
    """Its requester still looks at the ticket, which becomes the answer."""
    discord = opened.discord
    asked, job_id = await asked_by(opened, discord.user("ada"))
    discord.expire(asked)
    opened.engine.end(job_id, written("Because."))
    await discord.says(asked, "Because.")
    assert discord.said() == [asked.shown]
    assert bool(discord.calls_to("PATCH", f"/channels/{discord.general.id}"))


@pytest.mark.parametrize("minutes", [3, 16])
async def test_a_late_answer_is_a_message_that_mentions_its_requester(opened: Front, minutes: int) -> None:
    """An edit rings nobody: it comes as a new message below the ticket, which says so, once."""
    discord = opened.discord
    ada = discord.user("ada")
    asked, job_id = await asked_by(opened, ada)
    discord.now += 60 * minutes
    opened.engine.end(job_id, written("Because."))
    await discord.until(lambda: "answered below" in asked.shown.text)
    ticket, answer = discord.said()
    assert ticket is asked.shown
    assert (ticket.buttons, ticket.pings) == ({}, set())
    assert answer.pings == {ada.id}
    assert str(answer.reply_to) == ticket.id
    assert answer.content.startswith(f"<@{ada.id}>")
    assert "Because." in answer.text


async def test_a_late_answer_where_the_bot_is_not_becomes_of_its_ticket(opened: Front) -> None:
    """An app of one's own can still edit while the interaction lives."""
    discord = opened.discord
    asked, job_id = await asked_by(opened, discord.user("ada"), channel=discord.elsewhere)
    discord.now += 180
    opened.engine.end(job_id, written("Because."))
    await discord.says(asked, "Because.")
    assert discord.said(discord.elsewhere) == [asked.shown]


async def test_who_cancels_late_is_not_rung(opened: Front) -> None:
    """They know."""
    discord = opened.discord
    ada = discord.user("ada")
    asked, job_id = await asked_by(opened, ada)
    discord.now += 180
    await discord.slash(ada, "cancel", job=job_id)
    await discord.says(asked, "cancelled.")
    assert discord.said()[0] is asked.shown
    assert {frozenset(message.pings) for message in discord.said()} == {frozenset()}


async def test_a_deleted_ticket_becomes_a_new_message_that_rings_its_requester_only(opened: Front) -> None:
    """Even when the text names everybody; and it cannot be sent twice."""
    discord = opened.discord
    ada = discord.user("ada")
    asked, job_id = await asked_by(opened, ada)
    asked.shown.deleted = True
    opened.engine.end(job_id, Outcome(status="failed", reason=HOSTILE))
    sent = (await discord.until(discord.said))[0]
    assert sent.pings == {ada.id}
    assert sent.content.startswith(f"<@{ada.id}>")
    assert str(sent.nonce).startswith(job_id)


async def test_a_private_answer_without_its_message_goes_to_direct_messages(opened: Front) -> None:
    """What was private is not posted where others read."""
    discord = opened.discord
    ada = discord.user("ada")
    asked, job_id = await asked_by(opened, ada, private=True)
    discord.now += QUARTER_HOUR
    opened.engine.end(job_id, written("Because."))
    assert "Because." in (await direct(opened, ada)).text
    assert discord.said() == [asked.shown]
    assert not discord.calls_to("PATCH", f"/channels/{discord.general.id}")


async def test_where_the_bot_is_not_a_late_answer_goes_to_direct_messages(opened: Front) -> None:
    """An app of one's own has no way back into another server once its token ended."""
    discord = opened.discord
    ada = discord.user("ada")
    _, job_id = await asked_by(opened, ada, channel=discord.elsewhere)
    discord.now += QUARTER_HOUR
    opened.engine.end(job_id, written("Because."))
    assert "Because." in (await direct(opened, ada)).text


async def test_an_answer_that_nobody_can_get_is_told_of_in_jobs(opened: Front) -> None:
    """Direct messages closed and the token gone: recorded, not tried forever."""
    discord = opened.discord
    ada = discord.user("ada")
    ada.dms_open = False
    _, job_id = await asked_by(opened, ada, private=True)
    discord.now += QUARTER_HOUR
    opened.engine.end(job_id, written("Because."))
    await discord.until(lambda: discord.calls_to("POST", f"/channels/{discord.dm(ada).id}/messages"))
    await _told_in_jobs(opened, ada, job_id)


async def test_an_answer_for_a_deleted_channel_is_told_of_in_jobs(opened: Front) -> None:
    """With direct messages closed as well there is no way left; what came of it can still be read."""
    discord = opened.discord
    ada = discord.user("ada")
    ada.dms_open = False
    asked, job_id = await asked_by(opened, ada)
    discord.expire(asked)
    del discord.channels[discord.general.id]
    discord.general = discord.add(Channel("77", guild=discord.guild))
    opened.engine.end(job_id, written("Because."))
    await _told_in_jobs(opened, ada, job_id)
    shown = await discord.slash(ada, "jobs", job=job_id)
    await discord.says(shown, "Because.")
    assert "It could not be delivered: Discord refuses it (error 50007)" in shown.text


async def _told_in_jobs(opened: Front, person: User, job_id: str) -> None:
    """Wait until `/jobs` says that an answer was lost: nobody is told of that, so this asks again and again."""
    for _ in range(50):
        jobs = await opened.discord.slash(person, "jobs")
        await opened.discord.says(jobs, job_id)
        if "could not be delivered" in jobs.text:
            return
    pytest.fail("the lost answer is not told of")


async def test_a_rate_limit_halts_one_chat_only(opened: Front) -> None:
    """Discord wants a minute's pause in one channel: others are answered meanwhile."""
    discord = opened.discord
    ada, bob = discord.user("ada"), discord.user("bob")
    hers, first = await asked_by(opened, ada)
    his, second = await asked_by(opened, bob, channel=discord.dm(bob), prompt="And why not?")
    discord.fail(f"PATCH /webhooks/.*{hers.token}", 429, retry_after=60.0)
    opened.engine.end(first, written("For her."))
    await discord.until(lambda: not discord.rest.faults[0].times)
    opened.engine.end(second, written("For him."))
    await discord.says(his, "For him.")
    assert "For her." not in hers.text


async def test_a_ticket_is_kept_up_to_date(opened: Front) -> None:
    """Who waits behind others sees their place change."""
    discord = opened.discord
    people = [discord.user(f"person{number}") for number in range(8)]
    running = [(await asked_by(opened, person, prompt=person.name))[1] for person in people[:4]]
    waiting = []
    for number, person in enumerate(people[4:], 1):
        waiting.append(await discord.slash(person, "write", prompt=person.name))
        await discord.says(waiting[-1], f"number {number} in the queue")
    for job_id in running[:3]:
        opened.engine.end(job_id, written("Because."))
    await discord.says(waiting[3], "next in the queue")
    assert list(waiting[3].shown.buttons) == ["Cancel"]


async def test_a_bot_that_was_away_delivers_on_its_return(opened: Front) -> None:
    """The answer waits in the queue's memory, not in the bot's."""
    discord = opened.discord
    asked, job_id = await asked_by(opened, discord.user("ada"))
    await opened.stop()
    opened.engine.end(job_id, written("Because."))
    await opened.start()
    await discord.says(asked, "Because.")
    assert discord.said() == [asked.shown]


@pytest.mark.parametrize("status", [0, 429, 503])
async def test_trouble_at_discord_is_waited_out(opened: Front, status: int) -> None:
    """A cut connection, a rate limit, a server error: the answer comes all the same, once."""
    discord = opened.discord
    asked, job_id = await asked_by(opened, discord.user("ada"))
    discord.fail("PATCH /webhooks", status)
    opened.engine.end(job_id, written("Because."))
    await discord.says(asked, "Because.")
    assert discord.said() == [asked.shown]


async def test_a_ticket_that_could_not_be_shown_still_becomes_an_answer(opened: Front) -> None:
    """The job was accepted; losing the ticket's message loses nothing else."""
    discord = opened.discord
    discord.fail("PATCH /webhooks", 400)
    asked = await discord.slash(discord.user("ada"), "write", prompt="Why?")
    opened.engine.end((await opened.engine.started.get()).id, written("Because."))
    await discord.says(asked, "Because.")


async def test_what_a_model_wrote_is_only_text(opened: Front) -> None:
    """Nobody is rung and nothing is formatted; the words are all there."""
    discord = opened.discord
    asked, job_id = await asked_by(opened, discord.user("ada"))
    opened.engine.end(job_id, written(HOSTILE))
    await discord.says(asked, "everyone")
    assert asked.shown.pings == set()
    assert r"\*\*look\*\* \[here\](https\://example.org) \<t\:1700000000\:R>" in asked.shown.text
    allowed = discord.calls_to("PATCH", asked.token)[-1]["allowed_mentions"]
    assert allowed == {"parse": []}


async def test_a_long_answer_comes_as_a_file(opened: Front) -> None:
    """With its beginning to read at once."""
    discord = opened.discord
    text = "It is a long story. " * 400
    asked, job_id = await asked_by(opened, discord.user("ada"))
    opened.engine.end(job_id, written(text))
    await discord.until(lambda: asked.shown.files)
    assert asked.shown.files == {"answer.txt": text.encode()}
    assert asked.shown.embeds[0]["description"].startswith("It is a long story.")


async def test_a_growing_text_is_edited_at_a_bounded_rate(opened: Front) -> None:
    """Two hundred pieces of news are a few edits, and the answer does not wait behind them."""
    discord = opened.discord
    asked, job_id = await asked_by(opened, discord.user("ada"))
    loop = asyncio.get_running_loop()
    began, before = loop.time(), len(asked.shown.history)
    for number in range(200):
        report = Progress(job_id=job_id, fraction=number / 200, text=f"word {number}")
        opened.engine.reports[job_id](report)
        await asyncio.sleep(0)
    await discord.says(asked, "word")
    assert "Cancel" in asked.shown.buttons
    opened.engine.end(job_id, written("All of it."))
    await discord.says(asked, "All of it.")
    edits = len(asked.shown.history) - before - 1
    assert 1 <= edits <= 1 + (loop.time() - began) / on_discord_delivery.EDIT_PAUSE


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        (Outcome(status="failed", reason="@everyone: out of *memory*."), r"out of \*memory\*."),
        (Outcome(status="expired"), "waited too long"),
        (scored(), "not one that this desk can show"),
    ],
)
async def test_every_other_end_is_a_sentence(opened: Front, outcome: Outcome, words: str) -> None:
    """A failure, a job that waited too long, a result that this desk cannot read."""
    asked, job_id = await asked_by(opened, opened.discord.user("ada"))
    opened.engine.end(job_id, outcome)
    await opened.discord.says(asked, words)
    assert job_id in asked.text
    assert (asked.shown.buttons, asked.shown.pings) == ({}, set())


@dataclass(frozen=True)
class Carrier:
    """A deliverer by itself, with a ticket in the guild whose interaction ended."""

    discord: Discord
    deliverer: DiscordDeliverer
    address: ReplyAddress


@pytest.fixture
async def carrier(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Carrier]:
    keep_addresses(monkeypatch)
    async with Discord() as standin, DiscordClient() as bot:
        on_discord.point_at(standin.url)
        await bot.login(standin.token)
        ticket = standin.new_message(standin.general, standin.bot)
        address = ReplyAddress(
            platform="discord", channel=standin.general.id, user=standin.user("ada").id, message=ticket.id
        )
        yield Carrier(standin, DiscordDeliverer(bot, lambda: standin.now), address)


@pytest.mark.parametrize(("status", "seconds"), [(429, 60.0), (503, PATIENCE), (0, PATIENCE), (401, PATIENCE)])
async def test_what_passes_is_tried_later(carrier: Carrier, status: int, seconds: float) -> None:
    """A long rate limit for as long as Discord says; and a bot whose token is refused loses no answer."""
    carrier.discord.fail("POST /channels", status, retry_after=60.0)
    with pytest.raises(TryLaterError) as later:
        await carrier.deliverer.deliver(carrier.address, "job1", say("Because."), late=False)
    assert later.value.seconds == seconds
    await carrier.deliverer.deliver(carrier.address, "job1", say("Because."), late=False)
    assert [message.text for message in carrier.discord.said() if "Because." in message.text] == [
        f"<@{carrier.address.user}> Because."
    ]


async def test_what_discord_calls_wrong_is_no_lost_way(carrier: Carrier) -> None:
    """An error of ours is raised for the courier to log, not taken for a deleted message."""
    carrier.discord.fail("POST /channels", 400, code=50035)
    with pytest.raises(HTTPException):
        await carrier.deliverer.deliver(carrier.address, "job1", say("Because."), late=False)
    assert len(carrier.discord.calls_to("POST", "/messages")) == 1


async def test_an_old_message_that_may_not_be_edited_again_is_followed_by_a_new_one(carrier: Carrier) -> None:
    """Discord limits edits of messages older than an hour; the answer comes as a message of its own."""
    carrier.discord.fail("PATCH /channels", 400, code=30046)
    await carrier.deliverer.deliver(carrier.address, "job1", say("Because."), late=False)
    assert carrier.discord.said()[-1].content.endswith("Because.")


async def test_a_new_message_sent_twice_is_there_once(carrier: Carrier) -> None:
    """A delivery that was repeated because its end was never heard of."""
    gone = carrier.address.model_copy(update={"message": None})
    for _ in range(2):
        await carrier.deliverer.deliver(gone, "job1", say("Because."), late=False)
    assert len([message for message in carrier.discord.said() if message.content]) == 1


async def test_progress_is_never_a_message_of_its_own(carrier: Carrier) -> None:
    """Where the ticket cannot be edited, news are dropped."""
    gone = carrier.address.model_copy(update={"message": "1"})
    with pytest.raises(UndeliverableError):
        await carrier.deliverer.update(gone, "job1", say("half done"))
    assert not carrier.discord.calls_to("POST", "/messages")
