"""A sweep and the leaderboard as people see them: on Discord, on Telegram and at a terminal."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator

import pytest
from queueing import KEEP, DrivenEngine, leased_worker, requester, until, working
from redis.asyncio import Redis
from rich.console import Console
from standin_discord_desk import Front, front
from standin_telegram import TelegramStandIn
from standin_telegram_desk import Room
from standin_telegram_model import Person as TelegramPerson

from frontdesk.bots import on_telegram_delivery
from frontdesk.bots.desk import Desk
from frontdesk.bots.on_console_conversation import Conversation
from frontdesk.bots.on_console_render import drawn
from frontdesk.bots.on_discord_render import draw
from frontdesk.bots.on_telegram_render import MAX_TEXT, render, utf16
from frontdesk.bots.people import Admins, Person
from frontdesk.bots.replies import Reply, Table, as_text
from frontdesk.bots.top_replies import SHOWN, top_reply
from frontdesk.queue import keys
from frontdesk.queue.broker import Broker
from frontdesk.queue.jobs import Outcome
from frontdesk.queue.kind_sweep import SWEEP
from frontdesk.queue.kind_train import TRAIN, Epoch, TrainResult
from frontdesk.queue.kinds import Registry
from frontdesk.queue.leaderboard import Entry, standings
from frontdesk.ratelimit.limiter import Limiter
from frontdesk.ratelimit.limits import Limits

SHA = "a" * 64


def trained(accuracy: float, seconds: float = 14.0, *, epochs: int = 10, width: int = 16, seed: int = 0) -> TrainResult:
    epoch = Epoch(loss=0.1, accuracy=accuracy, test_loss=0.1, test_accuracy=accuracy)
    return TrainResult(
        dataset="digits", dataset_sha256=SHA, accuracy=accuracy, loss=0.1, right=round(360 * accuracy), tested=360,
        trained=1437, classes=10, seconds_training=seconds, seconds_evaluation=0.2, epochs=epochs, learning_rate=0.05,
        batch_size=32, width=width, seed=seed, parameters=3000, device="cpu", curve=(epoch,), artifacts=(),
    )  # fmt: skip


def outcome(result: TrainResult) -> Outcome:
    fields = result.model_dump(mode="json")
    return Outcome(status="done", result=fields, seconds=15.0, gpu_seconds=15.0, ranking=result.ranking())


def fifty(requester_key: str = "telegram:1") -> list[Entry]:
    """Of which every tenth is somebody's own; as wide as they come."""
    return [
        Entry.of(trained(0.9 + seed / 1000, 12345.6, width=64, epochs=50, seed=2**31 - 1 - seed)).model_copy(
            update={"requester": requester_key if seed % 10 == 0 else "discord:99", "job_id": f"job{seed}"}
        )
        for seed in range(50)
    ]


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PRIVATE_EVERY", "GROUP_EVERY"):
        monkeypatch.setattr(on_telegram_delivery, name, 0.01)


@pytest.fixture
async def opened(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Front]:
    async with front(redis, monkeypatch, kinds=[TRAIN, SWEEP]) as made:
        await made.start()
        yield made


@pytest.fixture
async def engine(redis: Redis) -> AsyncIterator[DrivenEngine]:
    """A worker that keeps trainings running until the test ends them."""
    engine = DrivenEngine(hold=True)
    options = {"kinds": {"train": "net"}, "lanes": {"long": 2}, "fresh": {"train": 60.0}}
    async with working(leased_worker(redis, engine, worker_id="trainer", **options)):
        await until(lambda: redis.hexists(keys.MODELS, "train"))
        yield engine


async def test_a_sweep_on_discord(opened: Front, engine: DrivenEngine) -> None:
    """One message: ticket, progress of all together, the best in the end; and `/top` marks what is one's own."""
    discord = opened.discord
    ada = discord.user("ada")
    asked = await discord.slash(ada, "sweep", learning_rate="0.05", width="8, 16", epochs="5, 10")
    ran = [await engine.started.get() for _ in range(2)]
    await discord.until(lambda: asked.message and asked.message.buttons)
    engine.end(ran[0].id, outcome(trained(0.972, width=8, epochs=5)))
    await discord.says(asked, "1 of 4 ended; the best so far: 97.2 % with learning rate 0.05, width 8, 5 epochs")
    assert asked.shown.buttons
    engine.end(ran[1].id, outcome(trained(0.981, width=8)))
    for accuracy in (0.5, 0.6):
        last = await engine.started.get()
        engine.end(last.id, outcome(trained(accuracy, epochs=9)))
    await discord.says(asked, "The best: 98.1 % on digits with learning rate 0.05, width 8, 10 epochs")
    assert "4 of 4" in asked.text
    assert len(discord.said()) == 1
    for person, marked in ((ada, True), (discord.user("bob"), False)):
        top = await discord.slash(person, "top", dataset="digits")
        await discord.says(top, "98.1 %")
        assert ("< you" in top.text) is marked
        assert top.shown.ephemeral
        assert str(ada.id) not in top.text


async def test_a_sweep_is_cancelled_by_its_button(opened: Front, engine: DrivenEngine) -> None:
    """All of it, and the message says so."""
    discord = opened.discord
    ada = discord.user("ada")
    asked = await discord.slash(ada, "sweep", width="8, 16, 32")
    ran = [await engine.started.get() for _ in range(2)]
    await discord.until(lambda: asked.message and asked.message.buttons)
    listed = await discord.slash(ada, "jobs")
    await discord.until(lambda: listed.message and "sweep" in listed.text)
    assert "train" not in listed.text
    await discord.click(ada, asked.shown, "Cancel")
    await discord.says(asked, "cancelled.")
    await discord.until(lambda: set(engine.cancelled) == {job.id for job in ran})
    assert engine.started.empty()


async def test_a_sweep_on_telegram(
    room: Room, telegram: TelegramStandIn, alice: TelegramPerson, engine: DrivenEngine
) -> None:
    """The same; an update that comes twice makes one sweep; and `/top` in letters of one width."""
    room.kinds = (*room.kinds, TRAIN, SWEEP)
    async with room.bot():
        ticket = await room.ticket(await telegram.say(alice, '/sweep learning_rate=0.05 width="8, 16" epochs=10'))
        ran = [await engine.started.get() for _ in range(2)]
        engine.end(ran[0].id, outcome(trained(0.972, width=8)))
        await telegram.until(lambda: "1 of 2 ended; the best so far: 97.2 %" in ticket.text, "progress")
        engine.end(ran[1].id, outcome(trained(0.95)))
        await telegram.until(lambda: ticket.text.startswith("The best: 97.2 % on digits"), "the answer")
        known = await telegram.say(alice, "/train learning_rate=0.05 width=8 epochs=10")
        shown = await telegram.answer(await telegram.say(alice, "/top"))
        assert "97.2 %" in shown.text
        assert shown.text.count("< you") == 2
        again = await telegram.answer(known)
        await telegram.until(lambda: again.text.startswith("Already trained: 97.2 % in 14 s."), "what is known")
    assert [entity.type for entity in render(top_reply(standings(fifty()), "digits")).entities] == ["bold", "pre"]


async def test_a_sweep_that_is_too_large_is_refused_in_words(room: Room, alice: TelegramPerson) -> None:
    """With the number, and what to do instead; nothing is queued."""
    room.kinds = (*room.kinds, TRAIN, SWEEP)
    async with room.bot():
        said = await room.telegram.answer(await room.telegram.say(alice, "/sweep epochs=1,2,3,4,5,6,7,8"))
    assert "this grid is 48 trainings, and 24 is the most; try search=random jobs=24" in said.text
    assert await room.jobs() == []


async def test_the_terminal_shows_the_top_as_well(redis: Redis) -> None:
    """In the chat, and as a command."""
    desk = Desk(Registry([TRAIN]), Broker(redis, keep=KEEP), Limiter(redis), Limits.load(), Admins())
    talk = Conversation(desk, Person(requester("ada", "console")), channel="chat", default_kind="train")
    empty = await talk.take("/top")
    assert isinstance(empty, Reply)
    assert as_text(empty) == "Nobody has trained yet. /train makes the first entry."
    unknown = await talk.take("/top moon")
    assert isinstance(unknown, Reply)
    assert "There is no data set moon. The data sets are digits, mnist, folder." in as_text(unknown)


def test_a_board_fits_on_each_platform() -> None:
    """All 50, however wide; each of one's own is marked, and nothing is said of whose the others are."""
    reply = top_reply(standings(fifty(), {"telegram:1"}), "digits")
    told = as_text(reply)
    assert told.count("< you") == 5
    assert "discord:99" not in told
    assert "job" not in told
    on_telegram = render(reply)
    assert utf16(on_telegram.text) <= MAX_TEXT
    assert on_telegram.document is None
    on_discord = draw(reply)
    [embed] = on_discord.embeds
    assert embed.description is not None
    assert embed.description.startswith("```\n")
    assert len(embed.description) <= 4096
    assert embed.description.splitlines()[-2].split()[0] in ("50", "and")
    console = Console(width=100, file=io.StringIO())
    with console.capture() as captured:
        console.print(drawn(reply))
    assert captured.get().count("< you") == 5


def test_of_all_boards_the_best_are_shown() -> None:
    """And how many more there are, and where."""
    mnist = [entry.model_copy(update={"dataset": "mnist"}) for entry in fifty()]
    reply = top_reply(standings([*fifty(), *mnist]))
    tables = [block for block in reply.blocks if isinstance(block, Table)]
    assert [(table.title, len(table.rows), table.more) for table in tables] == [
        ("digits", SHOWN, 40), ("mnist", SHOWN, 40),
    ]  # fmt: skip
    assert as_text(reply).count("and 40 more") == 2
    assert "/top digits" in as_text(reply)
    assert len(draw(reply).embeds) == 2
