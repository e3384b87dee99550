"""The gallery in Telegram: pages that turn in place with a picture, albums, and what groups may not see."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from carving import CARVE
from exhibits import Exhibits, remembering
from redis.asyncio import Redis
from standin_telegram import TelegramStandIn
from standin_telegram_desk import Room
from standin_telegram_model import Message, Person
from storing import folder_store

from frontdesk.bots import on_telegram_delivery
from frontdesk.ratelimit.limits import Limits

pytestmark = pytest.mark.filterwarnings("ignore:.*retry_after:DeprecationWarning")  # the library warns itself


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(on_telegram_delivery, "PRIVATE_EVERY", 0.01)
    monkeypatch.setattr(on_telegram_delivery, "GROUP_EVERY", 0.01)


@dataclass
class Hall:
    room: Room
    exhibits: Exhibits

    @property
    def telegram(self) -> TelegramStandIn:
        return self.room.telegram

    def person(self, name: str) -> Person:
        return self.telegram.person(name)


@pytest.fixture
async def hall(telegram: TelegramStandIn, redis: Redis, tmp_path: Path) -> AsyncIterator[Hall]:
    store = folder_store(tmp_path / "store")
    async with remembering(tmp_path) as memory:
        room = Room(telegram, redis, Limits.load(), store)
        room.kinds, room.memory = (*room.kinds, CARVE), memory
        async with room.bot():
            yield Hall(room, Exhibits(memory, store))


def owner(who: Person) -> str:
    return f"telegram:{who.id}"


def picture(message: Message) -> str | None:
    return message.document and message.document[0]


def rows(message: Message) -> list[list[str]]:
    return [[button["text"] for button in row] for row in (message.keyboard or {}).get("inline_keyboard", ())]


async def test_a_page_turns_in_place(hall: Hall) -> None:
    """With the first object's picture; numbers in one row; no old picture stays above a page that has none."""
    ada, telegram = hall.person("ada"), hall.telegram
    ids = [await hall.exhibits.add("telegram:1", f"horse {n}", pictures=n > 1) for n in range(7)][::-1]
    page = await telegram.answer(await telegram.say(ada, "/gallery"))
    assert [job for job in ids if job in page.text] == ids[:5]
    assert rows(page) == [["1", "2", "3", "4", "5"], ["Next"]]
    assert (page.sort, picture(page)) == ("photo", f"{ids[0]}-view0.png")
    await telegram.press(ada, page, "2")
    await telegram.shows(page, "GPU-seconds")
    assert picture(page) == f"{ids[1]}-view0.png"
    await telegram.press(ada, page, "Back to the list")
    await telegram.shows(page, ids[4])
    await telegram.press(ada, page, "Next")
    second = await telegram.answer(telegram.private(ada), ids[5])
    assert second.document is None
    await telegram.until(lambda: page.id not in telegram.private(ada).messages)
    await telegram.press(ada, second, "Back")
    await telegram.shows(second, ids[0])
    assert second.document


async def test_what_is_ones_own_goes_from_a_group_to_the_private_chat(hall: Hall) -> None:
    """The group reads only that it went there; who never started the bot is asked to."""
    ada, telegram = hall.person("ada"), hall.telegram
    group, home = telegram.group(), telegram.private(ada)
    hers = await hall.exhibits.add(owner(ada), "a shy horse", public=False)
    asked = await telegram.say(ada, "/gallery mine", group)
    assert "press Start" in (await telegram.answer(asked)).text
    await telegram.say(ada, "/start")
    await telegram.answer(home)
    for command in ("/gallery mine", "/mine", f"/jobs {hers}"):
        asked = await telegram.say(ada, command, group)
        assert hers in (await telegram.answer(home)).text
        assert "our private chat" in (await telegram.answer(asked)).text
    assert not [each for each in group.messages.values() if each.sender is None and hers in each.text]


async def test_a_pressed_button_shows_a_group_nothing_private(hall: Hall) -> None:
    """The owner opens what is no longer public: the group's message stays, the object comes to the private chat."""
    ada, bob, telegram = hall.person("ada"), hall.person("bob"), hall.telegram
    group, home = telegram.group(), telegram.private(ada)
    await telegram.say(ada, "/start")
    await telegram.answer(home)
    hers = await hall.exhibits.add(owner(ada), "a shy horse")
    page = await telegram.answer(await telegram.say(ada, "/gallery", group))
    before = page.text
    await telegram.say(ada, f"/unpublish {hers}")
    assert "Only you see it" in (await telegram.answer(home)).text
    click = await telegram.press(bob, page, "1")
    await telegram.until(lambda: click.answered)
    assert (click.alert, "There is no object" in (click.text or "")) == (True, True)
    click = await telegram.press(ada, page, "1")
    assert "Only you see it" in (await telegram.answer(home)).text
    await telegram.until(lambda: click.answered)
    assert (page.text, "private chat" in (click.text or "")) == (before, True)


async def test_the_last_three_come_as_an_album(hall: Hall) -> None:
    """Side by side, and then what they are."""
    ada, telegram = hall.person("ada"), hall.telegram
    ids = [await hall.exhibits.add(owner(ada), f"horse {n}", public=False, pictures=1) for n in range(4)]
    asked = await telegram.say(ada, "/mine")
    words = await telegram.answer(asked, "Yours")
    album = [message for message in telegram.private(ada).messages.values() if message.group]
    assert list(map(picture, album)) == [f"{job}-view0.png" for job in ids[:0:-1]]
    assert rows(words) == [["1", "2", "3"]]
    assert words.document is None


async def test_titles_notify_nobody(hall: Hall) -> None:
    """A name or a command in one stays text."""
    ada, telegram = hall.person("ada"), hall.telegram
    await hall.exhibits.add("telegram:1", "@bob see /start and <b>this</b>")
    page = await telegram.answer(await telegram.say(ada, "/gallery"))
    assert page.pings == []
    assert [page.marked(each) for each in page.entities if each["type"] == "bot_command"] == []
    assert "<b>this</b>" in page.text


async def test_a_rerun_is_queued_once_for_each_update(hall: Hall) -> None:
    """An update that Telegram repeats makes no second job."""
    ada, telegram = hall.person("ada"), hall.telegram
    hers = await hall.exhibits.add(owner(ada), "a horse")
    ticket = await telegram.answer(await telegram.say(ada, f"/rerun {hers}"))
    assert "Cancel" in ticket.buttons
    await telegram.settled()
    await telegram.repeat()
    await telegram.settled()
    assert len(await hall.room.jobs()) == 1
    page = await telegram.answer(await telegram.say(ada, "/gallery"))
    await telegram.press(ada, page, "1")
    await telegram.shows(page, "Published")
    await telegram.press(ada, page, "Rerun")
    assert "Cancel" in (await telegram.answer(page)).buttons
    assert "Published" in page.text


async def test_the_menu_offers_the_commands(hall: Hall) -> None:
    """With what they do."""
    await hall.telegram.until(lambda: "gallery" in hall.telegram.commands.get("all_private_chats", {}))
    assert {"search", "similar", "mine", "publish"} <= hall.telegram.commands["default"].keys()
