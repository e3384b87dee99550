"""Telegram's `/admin`: who may, how a person is named, and what people then see."""

from __future__ import annotations

import pytest
from standin_telegram import TelegramStandIn
from standin_telegram_desk import PASSAGE, Room
from standin_telegram_model import Chat, Message, Person, utf16

from frontdesk.bots import on_telegram_delivery
from frontdesk.bots.admin_actions import ACTIONS
from frontdesk.queue import keys

REFUSED = "Only admins of this desk can do that."


@pytest.fixture(autouse=True)
def _swift_people(monkeypatch: pytest.MonkeyPatch) -> None:
    """The people here write faster than people do."""
    monkeypatch.setattr(on_telegram_delivery, "PRIVATE_EVERY", 0.01)
    monkeypatch.setattr(on_telegram_delivery, "GROUP_EVERY", 0.01)


@pytest.fixture
def root(telegram: TelegramStandIn) -> Person:
    return telegram.person("root")


def admins(root: Person) -> frozenset[str]:
    return frozenset({f"telegram:{root.id}"})


async def answered(
    telegram: TelegramStandIn, who: Person, text: str, chat: Chat | None = None, reply_to: Message | None = None
) -> str:
    return (await telegram.answer(await telegram.say(who, text, chat, reply_to=reply_to))).text


async def test_it_is_for_admins_only(room: Room, telegram: TelegramStandIn, alice: Person, root: Person) -> None:
    """Others are refused as at `/queue`, whatever they type, and read of it nowhere."""
    async with room.bot(admins=admins(root)):
        for text in ("/admin", "/admin pause short", "/admin dance", "/admin audit"):
            assert await answered(telegram, alice, text) == REFUSED
        assert "/admin" not in await answered(telegram, alice, "/help")
        assert "/admin" in await answered(telegram, root, "/help")
        assert not await room.redis.exists(keys.PAUSED, keys.AUDIT)
        assert "admin" not in telegram.commands["default"]
        await telegram.say(root, "/start")
        await telegram.until(lambda: "admin" in telegram.commands.get(f"chat:{root.id}", {}))


async def test_alone_it_lists_what_admins_can_do(room: Room, telegram: TelegramStandIn, root: Person) -> None:
    """Each action with its arguments."""
    async with room.bot(admins=admins(root)):
        listed = await answered(telegram, root, "/admin")
        assert [name for name in ACTIONS if f"/admin {name}" not in listed] == []
        assert "/admin ban PERSON REASON Take no more jobs from a person" in listed


async def test_a_lane_is_paused_and_resumed(room: Room, telegram: TelegramStandIn, alice: Person, root: Person) -> None:
    """`/queue` shows it, and the log who did it."""
    async with room.bot(admins=admins(root)):
        await room.ticket(await telegram.say(alice, f"/score {PASSAGE}"))
        assert await answered(telegram, root, "/admin pause short new driver") == "Lane short is paused: 1 job waits."
        assert "Lane short: paused; 1 waiting" in await answered(telegram, root, "/queue")
        assert await answered(telegram, root, "/admin resume short") == "Lane short goes on: 1 job waits."
        assert (await room.worker.claim()).kind == "score"
        log = await answered(telegram, root, "/admin audit")
        assert f"telegram:{root.id} pause short: new driver" in log


async def test_a_person_is_named_by_id(room: Room, telegram: TelegramStandIn, alice: Person, root: Person) -> None:
    """Banned, they read why; nothing is queued."""
    async with room.bot(admins=admins(root)):
        assert f"telegram:{alice.id} may no longer" in await answered(telegram, root, f"/admin ban {alice.id} No spam.")
        assert await answered(telegram, alice, f"/score {PASSAGE}") == "You may not ask here: No spam."
        assert await room.jobs() == []
        assert "may ask here again" in await answered(telegram, root, f"/admin unban telegram:{alice.id}")
        await room.ticket(await telegram.say(alice, f"/score {PASSAGE}"))


async def test_a_person_is_named_by_a_reply(
    room: Room, telegram: TelegramStandIn, alice: Person, root: Person, lab: Chat
) -> None:
    """Whoever wrote the message replied to; a reply to the bot names nobody."""
    async with room.bot(admins=admins(root)):
        spam = await telegram.say(alice, "buy now", lab)
        banned = await answered(telegram, root, "/admin ban 3 times the same", lab, spam)
        assert f"telegram:{alice.id} may no longer ask here: 3 times the same" in banned
        told = await telegram.answer(await telegram.say(root, "/admin people", lab))
        assert f"telegram:{alice.id} is banned since" in told.text
        assert "person: must be an id" in await answered(telegram, root, "/admin ban spam spam", lab, told)


async def test_a_person_without_a_name_is_named_by_a_mention(
    room: Room, telegram: TelegramStandIn, alice: Person, root: Person
) -> None:
    """Telegram says who that is; of a @name it does not, and the sentence tells what to do."""
    async with room.bot(admins=admins(root)):
        text = "/admin tier 🙂 Alice trusted"
        asked = telegram._add(telegram.private(root), root, text, [
            {"type": "bot_command", "offset": 0, "length": 6},
            {"type": "text_mention", "offset": 12, "length": utf16("🙂 Alice"), "user": alice.json()},
        ])  # fmt: skip
        await telegram.say(root, "/start")
        await telegram.push({"message": asked.json()})
        assert (await telegram.answer(asked)).text == f"telegram:{alice.id} is now of the tier trusted."
        told = await answered(telegram, root, "/admin ban @alice spam")
        assert "reply to a message of theirs" in told


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("/admin dance", "Admins cannot 'dance'. They can: pause"),
        ("/admin pause moon", "There is no lane 'moon'. Known: short."),
        ("/admin drain", "worker: is needed"),
        ("/admin requeue 0000", "No job 0000 is kept aside."),
        ("/admin tier 5 vip", "There is no tier 'vip'."),
    ],
)
async def test_bad_input_gets_one_sentence(
    room: Room, telegram: TelegramStandIn, root: Person, text: str, sentence: str
) -> None:
    """It says what there is."""
    async with room.bot(admins=admins(root)):
        assert sentence in await answered(telegram, root, text)


async def test_what_a_requeued_job_answers_takes_the_place_of_its_failure(
    room: Room, telegram: TelegramStandIn, alice: Person, root: Person
) -> None:
    """The message that said that it failed becomes the answer."""
    await room.worker.announce()
    async with room.bot(admins=admins(root)):
        ticket = await room.ticket(await telegram.say(alice, "/write A haiku on rain"))
        for _ in range(3):
            job = await room.worker.claim()
            await room.worker.die()
        await telegram.shows(ticket, "It was started 3 times")
        assert await room.delivery(job.id) == "delivered"
        assert f"{job.id} write of telegram:{alice.id}" in await answered(telegram, root, "/admin aside")
        assert "waits in its lane again" in await answered(telegram, root, f"/admin requeue {job.id}")
        await room.worker.finish(await room.worker.claim(), {
            "text": "Drops.", "tokens": 2, "stopped": "end", "seed": 1, "model": "tiny", "precision": "bf16",
        })  # fmt: skip
        await telegram.shows(ticket, "Drops.")
