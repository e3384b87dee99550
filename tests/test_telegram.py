"""The Telegram bot as people in its chats see it: the real library over a stand-in Bot API, the real desk on Valkey."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from redis.asyncio import Redis
from standin_telegram import TelegramStandIn
from standin_telegram_desk import PASSAGE, SCORED, Room
from standin_telegram_model import BOT_NAME, Chat, Message, Person

from frontdesk.bots import on_telegram_delivery
from frontdesk.bots.desk import Desk
from frontdesk.ratelimit.limits import Limits


@pytest.fixture(autouse=True)
def _swift_people(monkeypatch: pytest.MonkeyPatch) -> None:
    """The people here write faster than people do."""
    monkeypatch.setattr(on_telegram_delivery, "PRIVATE_EVERY", 0.01)


def mark(message: Message, kind: str) -> list[str]:
    return [message.marked(entity) for entity in message.entities if entity["type"] == kind]


# Asking


async def test_a_passage_is_scored(room: Room, telegram: TelegramStandIn, alice: Person) -> None:
    """`/score TEXT` is answered by a ticket that replies to it, and the ticket becomes the answer."""
    await room.worker.announce()
    async with room.bot():
        asked = await telegram.say(alice, f"/score {PASSAGE}")
        ticket = await room.ticket(asked)
        assert "next in the queue" in ticket.text
        job = await room.worker.claim()
        assert (job.kind, job.requester) == ("score", f"telegram:{alice.id}")
        await room.worker.finish(job, SCORED)
        await telegram.shows(ticket, "Reads like a person wrote it.")
        assert "Perplexity: 20.0" in ticket.text
        assert ticket.buttons == []
        assert await room.delivery(job.id) == "delivered"


async def test_a_plain_message_is_the_text_for_the_default_kind(
    room: Room, telegram: TelegramStandIn, alice: Person
) -> None:
    """In a private chat a plain message means the kind that the setting names."""
    async with room.bot(default_kind="write"):
        await room.ticket(await telegram.say(alice, "Why is the sky blue?"))
        assert (await room.job()).kind == "write"


async def test_a_plain_message_that_is_too_short_is_explained(
    room: Room, telegram: TelegramStandIn, alice: Person
) -> None:
    """Who says hello learns what was made of it, and where help is."""
    async with room.bot():
        refusal = await telegram.answer(await telegram.say(alice, "hello"))
        assert "this has 5" in refusal.text
        assert "/help" in mark(refusal, "bot_command")


async def test_plain_messages_in_a_group_are_left_alone(
    room: Room, telegram: TelegramStandIn, alice: Person, lab: Chat
) -> None:
    """In a group only commands and answers to the bot count, even where the bot sees everything."""
    async with room.bot():
        message = await telegram.say(alice, PASSAGE, lab)
        await telegram.push({"message": message.json()})
        await telegram.settled()
        assert await room.jobs() == []
        assert len(lab.messages) == 1


@pytest.mark.parametrize("document", [None, ("notes.txt", b"notes")], ids=["text", "caption"])
async def test_a_reply_scores_the_message_replied_to(
    room: Room, telegram: TelegramStandIn, alice: Person, lab: Chat, document: tuple[str, bytes] | None
) -> None:
    """`/score` as a reply takes that message's text, or its caption."""
    bob = telegram.person("bob")
    async with room.bot():
        passage = await telegram.say(bob, PASSAGE, lab, document=document)
        await room.ticket(await telegram.say(alice, "/score", lab, reply_to=passage))
        assert (await room.job()).requester == f"telegram:{alice.id}"


async def test_commands_for_other_bots_are_left_alone(
    room: Room, telegram: TelegramStandIn, alice: Person, lab: Chat
) -> None:
    """`/score@thisbot` is taken, `/score@otherbot` and unknown commands in a group are not."""
    async with room.bot():
        await telegram.say(alice, f"/score@another_bot {PASSAGE}", lab)
        await telegram.say(alice, "/weather", lab)
        await telegram.settled()
        assert await room.jobs() == []
        await room.ticket(await telegram.say(alice, f"/SCORE@{BOT_NAME.upper()} {PASSAGE}", lab))
        assert [m for m in lab.messages.values() if m.sender is None] == [*lab.messages.values()][-1:]


async def test_edited_messages_are_ignored(room: Room, telegram: TelegramStandIn, alice: Person) -> None:
    """Correcting a command does not ask a second time."""
    async with room.bot():
        asked = await telegram.say(alice, f"/score {PASSAGE}")
        await room.ticket(asked)
        await telegram.edit(asked, f"/score {PASSAGE} and more")
        await telegram.settled()
        assert len(await room.jobs()) == 1


async def test_topics_get_their_answers(room: Room, telegram: TelegramStandIn, alice: Person, lab: Chat) -> None:
    """What is asked in a topic of a forum is answered there."""
    async with room.bot():
        ticket = await room.ticket(await telegram.say(alice, f"/score {PASSAGE}", lab, thread=77))
        assert ticket.thread == 77


async def test_an_update_that_comes_twice_is_one_job(room: Room, telegram: TelegramStandIn, alice: Person) -> None:
    """Telegram repeats what it believes unconfirmed: the desk neither asks nor answers again."""
    async with room.bot():
        await room.ticket(await telegram.say(alice, f"/score {PASSAGE}"))
        await telegram.settled()
        await telegram.repeat()
        await telegram.settled()
        await telegram.answer(await telegram.say(alice, "/jobs"))
    assert len(await room.jobs()) == 1
    assert len(telegram.called("sendMessage")) == 2


# Refusals


LONG = "word " * 20_000


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("/score a", "text: must have 200 to 20,000 characters; this has 1."),
        (f"/score {LONG}", "this has 99,999"),
        (f"/score {'🙂' * 30}", "this has 30"),
        ("/score \u202eمرحبا بالعالم", "must have 200"),  # noqa: RUF001 (Arabic, on purpose)
        ("/score \x00\x00", "The text to judge"),
        ("/score \x00b\x07", "this has 1"),
        ("/write max_tokens=9999 hello", "max_tokens: must be 16 to 1,024."),
        ("/write temperature=hot hello", "temperature: must be 0 to 2."),
        ("/write colour=red hello", "write has no option 'colour'. It takes: prompt, max_tokens"),
        ("/weather", "There is no command /\u2060weather."),
        ("/help weather", "There is no kind called 'weather'"),
        ("/cancel zzzzzzzzz", "There is no job zzzzzzzzz of yours."),
    ],
)
async def test_bad_input_gets_one_clear_sentence(
    room: Room, telegram: TelegramStandIn, alice: Person, text: str, says: str
) -> None:
    """What cannot be done is said in one message, and nothing is queued."""
    async with room.bot():
        asked = await telegram.say(alice, text)
        assert says in (await telegram.answer(asked)).text
        assert await room.jobs() == []
        assert len(telegram.called("sendMessage")) == 1


@pytest.mark.parametrize("text", ["/score", "/score   ", "/score\n\n"])
async def test_a_command_without_its_text_asks_for_it(
    room: Room, telegram: TelegramStandIn, alice: Person, text: str
) -> None:
    """An empty `/score` is a question, not a mistake."""
    async with room.bot():
        asked = await telegram.answer(await telegram.say(alice, text))
        assert "The text to judge" in asked.text
        assert asked.buttons == ["Cancel"]


async def test_what_is_not_text_is_told_so(room: Room, telegram: TelegramStandIn, alice: Person) -> None:
    """A picture without words gets a sentence, a service message gets nothing."""
    async with room.bot():
        picture = await telegram.say(alice, "", document=("cat.png", b"cat"))
        assert "I can only read text" in (await telegram.answer(picture)).text
        service = picture.json() | {"message_id": 1, "pinned_message": picture.json()}
        del service["document"], service["caption"]
        await telegram.push({"message": service})
        await telegram.settled()
        assert len(telegram.called("sendMessage")) == 1


async def test_a_flood_is_told_when_to_come_back(
    telegram: TelegramStandIn, redis: Redis, alice: Person, tmp_path: Path
) -> None:
    """A refusal by a limit says when, in words that Telegram also shows as a running countdown."""
    narrow = tmp_path / "limits.toml"
    narrow.write_text("[member.kinds.default]\nburst = 1\nper_hour = 60\n")
    room = Room(telegram, redis, Limits.load(narrow))
    async with room.bot():
        await room.ticket(await telegram.say(alice, f"/score {PASSAGE}"))
        refusal = await telegram.answer(await telegram.say(alice, f"/score {PASSAGE}"))
        assert re.search(r"again in \d+ (s|min)\.", refusal.text)
        (entity,) = [entity for entity in refusal.entities if entity["type"] == "date_time"]
        assert refusal.marked(entity).startswith("in ")
        assert entity["date_time_format"] == "r"


async def test_an_old_server_that_knows_no_countdown_gets_the_words(
    room: Room, telegram: TelegramStandIn, alice: Person
) -> None:
    """A self-hosted Bot API server that refuses an entity still shows the sentence."""
    async with room.bot():
        refused = "Bad Request: can't parse MessageEntity: Unsupported type specified"
        telegram.fail("sendMessage", status=400, description=refused)
        answer = await telegram.answer(await telegram.say(alice, "/help score"))
        assert "The text to judge" in answer.text
        assert mark(answer, "code") == []


async def test_the_desk_says_so_when_redis_is_away(
    telegram: TelegramStandIn, redis: Redis, alice: Person, tmp_path: Path
) -> None:
    """Without Redis a request gets a sentence, and what needs no queue still works."""
    async with Redis(unix_socket_path=str(tmp_path / "nobody.sock")) as away:
        room = Room(telegram, away, Limits.load())
        async with room.bot():
            for text in (f"/score {PASSAGE}", PASSAGE, "/score", "/jobs", "/cancel", "/status"):
                assert (
                    "The desk is closed for a moment" in (await telegram.answer(await telegram.say(alice, text))).text
                )
            assert "/score" in (await telegram.answer(await telegram.say(alice, "/help"))).text


async def test_the_unexpected_is_one_sentence_and_its_text_stays_out_of_the_log(
    room: Room,
    telegram: TelegramStandIn,
    alice: Person,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """A bug shows no traceback in the chat; the log says where, but not what somebody wrote."""

    async def broken(self: Desk) -> None:
        raise RuntimeError("the user wrote: my diary")

    monkeypatch.setattr(Desk, "status", broken)
    async with room.bot():
        answer = await telegram.answer(await telegram.say(alice, "/status"))
    assert answer.text.startswith("Something went wrong at the desk")
    logged = "".join(capfd.readouterr())
    assert "RuntimeError" in logged
    assert "diary" not in logged


# Other commands


async def test_start_and_help_list_what_can_be_asked(room: Room, telegram: TelegramStandIn, alice: Person) -> None:
    """`/start` greets; both list every kind and command, which can be tapped; `/help KIND` explains one."""
    async with room.bot():
        hello = await telegram.answer(await telegram.say(alice, "/start"))
        assert hello.text.startswith("Hello!")
        expected = ["/paint", "/score", "/write", "/help", "/jobs", "/cancel", "/top", "/status", "/web", "/score"]
        assert mark(hello, "bot_command") == expected
        assert mark(await telegram.answer(await telegram.say(alice, "/help")), "bot_command") == expected
        one = await telegram.answer(await telegram.say(alice, "/help /write"))
        assert "max_tokens" in mark(one, "code")
        assert "Example: /write max_tokens=80 Why is the sky blue?" in one.text


async def test_jobs_and_cancel(room: Room, telegram: TelegramStandIn, alice: Person) -> None:
    """`/jobs` lists one's own jobs, `/cancel` ends the only one or offers a choice."""
    async with room.bot():
        assert (await telegram.answer(await telegram.say(alice, "/jobs"))).text == "You have no jobs."
        assert "no job that could" in (await telegram.answer(await telegram.say(alice, "/cancel"))).text
        ticket = await room.ticket(await telegram.say(alice, f"/score {PASSAGE}"))
        second = await room.ticket(await telegram.say(alice, "/write hello"))
        offered = await telegram.answer(await telegram.say(alice, "/cancel"))
        assert len(offered.buttons) == 2
        click = await telegram.press(alice, offered, offered.buttons[0])
        await telegram.until(lambda: click.answered)
        assert click.text is not None
        assert "cancelled" in click.text
        await telegram.shows(second, "cancelled.")
        assert "cancelled." in (await telegram.answer(await telegram.say(alice, "/cancel"))).text
        await telegram.shows(ticket, "cancelled.")


async def test_only_the_owner_or_an_admin_cancels(
    room: Room, telegram: TelegramStandIn, alice: Person, lab: Chat
) -> None:
    """In a group everybody sees the Cancel button; for others it says that the job is not theirs."""
    bob, admin = telegram.person("bob"), telegram.person("admin")
    async with room.bot(admins=frozenset({f"telegram:{admin.id}"})):
        ticket = await room.ticket(await telegram.say(alice, f"/score {PASSAGE}", lab))
        click = await telegram.press(bob, ticket, "Cancel")
        await telegram.until(lambda: click.answered)
        assert click.alert
        assert "no job" in str(click.text)
        assert (await room.job()).state == "waiting"
        await telegram.press(admin, ticket, "Cancel")
        await telegram.shows(ticket, "cancelled.")
        assert ticket.buttons == []


async def test_status_is_for_everybody_and_queue_for_admins(
    room: Room, telegram: TelegramStandIn, alice: Person
) -> None:
    """`/queue` shows the workers to an admin; others are refused, and do not see it in their help."""
    admin = telegram.person("admin")
    await room.worker.announce()
    async with room.bot(admins=frozenset({f"telegram:{admin.id}"})):
        assert "nobody is waiting" in (await telegram.answer(await telegram.say(alice, "/status"))).text
        assert "Only admins" in (await telegram.answer(await telegram.say(alice, "/queue"))).text
        assert "/queue" not in (await telegram.answer(await telegram.say(alice, "/help"))).text
        assert "1 worker on duty" in (await telegram.answer(await telegram.say(admin, "/queue"))).text
        assert "/queue" in (await telegram.answer(await telegram.say(admin, "/help"))).text


async def test_menus_are_set_for_each_scope(room: Room, telegram: TelegramStandIn, alice: Person) -> None:
    """Everybody's menu has the kinds; an admin's has `/queue` as well, once they have pressed Start."""
    async with room.bot(admins=frozenset({f"telegram:{alice.id}", "discord:5"})):
        await telegram.until(lambda: len(telegram.commands) == 3)
        for scope in ("default", "all_private_chats", "all_group_chats"):
            everyone = ["paint", "score", "write", "help", "jobs", "cancel", "top", "status", "web"]
            assert list(telegram.commands[scope]) == everyone
        assert telegram.commands["default"]["score"] == "How likely a language model wrote a text"
        await telegram.say(alice, "/start")
        await telegram.until(lambda: "queue" in telegram.commands.get(f"chat:{alice.id}", {}))


# Answers for one person only


async def test_private_answers_leave_the_group(room: Room, telegram: TelegramStandIn, alice: Person, lab: Chat) -> None:
    """`private=yes` in a group: ticket and answer come to the private chat."""
    async with room.bot():
        await telegram.answer(await telegram.say(alice, "/start"))
        asked = await telegram.say(alice, f"/score private=yes {PASSAGE}", lab)
        assert "private chat" in (await telegram.answer(asked)).text
        ticket = await telegram.answer(telegram.private(alice))
        job = await room.worker.claim()
        assert job.private
        await room.worker.finish(job, SCORED)
        await telegram.shows(ticket, "Reads like")
        assert "Reads like" not in "".join(message.text for message in lab.messages.values())


async def test_private_answers_need_a_started_bot(
    room: Room, telegram: TelegramStandIn, alice: Person, lab: Chat
) -> None:
    """Who never pressed Start is told to, with a button that leads there, and nothing is queued."""
    async with room.bot():
        told = await telegram.answer(await telegram.say(alice, f"/score private=yes {PASSAGE}", lab))
        assert "press Start" in told.text
        assert told.keyboard is not None
        assert told.keyboard["inline_keyboard"][0][0]["url"] == f"https://t.me/{BOT_NAME}?start=private"
        assert await room.jobs() == []
        welcome = await telegram.answer(await telegram.say(alice, "/start private"))
        assert "ask in the group once more" in welcome.text
