"""`/privacy`, `/export`, `/forget`, `/link` and `/unlink`, as a person meets them."""

from __future__ import annotations

import json
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from databases import opened_empty, sqlite_in
from housed import ADA, BOB, HER, HER_TOO, HIM, TEXT, House
from queueing import KEEP
from redis.asyncio import Redis
from sqlalchemy import insert

from frontdesk.bots.main import Premises
from frontdesk.bots.memory import Memory
from frontdesk.bots.own_commands import OwnCommand
from frontdesk.bots.people import Person
from frontdesk.bots.privacy_commands import PrivacyCommands, privacy_commands
from frontdesk.bots.replies import Reply, as_text
from frontdesk.history import schema
from frontdesk.queue import keys
from frontdesk.queue.accounts import Accounts
from frontdesk.queue.errors import HistoryClosedError
from frontdesk.queue.jobs import Artifact
from frontdesk.queue.kinds import RESERVED
from frontdesk.queue.record import RecordStream
from frontdesk.queue.settings import Settings


class Counter:
    """The commands over a desk with all of its stores; a person types and presses."""

    def __init__(self, house: House, folder: Path) -> None:
        self.house = house
        self.settings = Settings(data_dir=folder, keep_days={"carve": 30.0, "*": 365.0})
        self.memory = Memory(self.settings)
        self.front = Premises(
            self.settings, house.kinds, house.redis, house.broker, house.desk, store=house.store, memory=self.memory
        )
        self.its = PrivacyCommands(self.front, self.memory.database, house.forgetting)

    async def link(self, giver: Person, other: Person) -> Reply:
        """Both halves, and the button."""
        code = _code(await self.its.link(giver, {}))
        return await self.its.link_pressed(other, _data(await self.its.link(other, {"code": code})))

    async def exported(self, person: Person = HER) -> tuple[Reply, zipfile.ZipFile]:
        reply = await self.its.export(person, {})
        [parcel] = reply.parcels
        assert parcel.path is not None
        return reply, zipfile.ZipFile(parcel.path)


@pytest.fixture
async def counter(redis: Redis, tmp_path: Path) -> AsyncIterator[Counter]:
    async with opened_empty(sqlite_in(tmp_path)) as database:
        await RecordStream(redis, keep=KEEP).open()
        made = Counter(House(redis, database, tmp_path), tmp_path)
        yield made
        await made.memory.close()


def _code(reply: Reply) -> str:
    return as_text(reply).partition("/link ")[2][:9]


def _data(reply: Reply, button: int = 0) -> str:
    assert reply.buttons[button].action == "own"
    return str(reply.buttons[button].detail)


# Linking


async def test_linking_is_asked_for_on_one_side_and_confirmed_on_the_other(counter: Counter) -> None:
    """The question and the answer name both platforms; nothing counts before the button."""
    given = await counter.its.link(HER, {})
    asked = await counter.its.link(HER_TOO, {"code": _code(given).upper()})
    assert "given on Discord (...1717); you are on Telegram (...1818)" in as_text(asked)
    assert len((await counter.house.desk.known(HER)).identities) == 1
    said = await counter.its.link_pressed(HER_TOO, _data(asked))
    assert as_text(said) == "Discord (...1717) and Telegram (...1818) are one person here now."
    assert "one person already with Telegram (...1818)" in as_text(await counter.its.link(HER, {}))
    assert "one person here with Discord (...1717)" in as_text(await counter.its.privacy(HER_TOO, {}))


async def test_whoever_thinks_again_is_not_linked(counter: Counter) -> None:
    """The other button; the code is still good, for whoever entered it first."""
    code = _code(await counter.its.link(HER, {}))
    asked = await counter.its.link(HER_TOO, {"code": code})
    assert as_text(await counter.its.link_pressed(HER_TOO, _data(asked, 1))) == "Nothing was linked."
    assert len((await counter.house.desk.known(HER)).identities) == 1
    assert "given on Discord" in as_text(await counter.its.link(HER_TOO, {"code": code}))


async def test_each_refusal_says_why(counter: Counter) -> None:
    """Wrong, used, one's own, somebody else's, together already, too often."""
    its = counter.its
    own = _code(await its.link(HER, {}))
    assert "no code that is good" in as_text(await its.link(HIM, {"code": "not a code"}))
    assert "You gave that code here yourself" in as_text(await its.link(HER, {"code": own}))
    pressed = _data(await its.link(HER_TOO, {"code": own}))
    await its.link_pressed(HER_TOO, pressed)
    assert "no code that is good" in as_text(await its.link_pressed(HIM, pressed))
    assert "one person already" in as_text(await its.link(HER_TOO, {"code": _code(await its.link(HER, {}))}))
    assert "/unlink first" in as_text(await its.link(HER_TOO, {"code": _code(await its.link(HIM, {}))}))
    for _ in range(3):
        await its.link(HIM, {"code": "0000-0000"})
    assert "Too many wrong codes. Try again in 1 h" in as_text(await its.link(HIM, {"code": own}))


async def test_unlinking_says_from_whom(counter: Counter) -> None:
    """And that there is nobody, where there is nobody."""
    await counter.link(HER, HER_TOO)
    assert as_text(await counter.its.unlink(HER, {})).startswith("You are parted from Telegram (...1818).")
    assert as_text(await counter.its.unlink(HER, {})) == "You are not linked with anybody."


# What is kept


async def test_what_is_kept_is_read_from_the_settings(counter: Counter) -> None:
    """Days by kind, days in the queue, and how many objects stay."""
    said = as_text(await counter.its.privacy(HER, {}))
    assert "365 days (carve 30 days); your last 3 with files stay longer" in said
    assert "its answer for 7 days" in said


# To take along


async def _history(counter: Counter) -> tuple[str, str, Artifact]:
    """A job of hers with a file, one that has not ended, and rows of all sorts."""
    house = counter.house
    from queueing import leased_worker, working

    async with working(leased_worker(house.redis, house.engine, kinds={"carve": "m"})):
        ended, his = await house.ask(HER_TOO, f"{TEXT} one"), await house.ask(HIM, "his secret chair")
        await house.started(ended, his)
        artifact = house.made(ended, "her chair", "said")
        house.made(his, "his chair", "said")
        await house.ended(ended, his)
    await house.recorded()
    waiting = await house.ask(HER, f"{TEXT} waits")
    async with house.database.writing() as connection:
        key: dict[str, Any] = {"name": "curl", "scopes": ["read"], "created_at": 1.0}
        for number, who in enumerate((f"discord:{ADA}", f"telegram:{BOB}")):
            row = {"id": str(number), "owner": who, "sha256": f"hash-{who}", **key}
            await connection.execute(insert(schema.api_keys).values(row))
            said: dict[str, Any] = {"job": ended, "reporter": who, "reason": f"by {who}", "at": 1.0}
            await connection.execute(insert(schema.reports).values(said))
    return ended, waiting, artifact


async def test_everything_about_a_person_comes_as_a_zip(counter: Counter) -> None:
    """Jobs with parameters, results and receipts, files, keys without hashes, reports, limits; of all identities, and
    nothing of anybody else."""
    await counter.link(HER, HER_TOO)
    ended, waiting, artifact = await _history(counter)
    reply, archive = await counter.exported()
    assert as_text(reply) == "Everything that is kept of you: 1 job, 1 file."
    assert archive.testzip() is None
    [entry] = json.loads(archive.read("jobs.json"))
    assert (entry["id"], entry["params"], entry["result"]["said"]) == (ended, {"text": f"{TEXT} one"}, "said")
    assert entry["receipt"]["Kind"] == "carve"
    queued = {each["id"]: each for each in json.loads(archive.read("queue.json"))}
    assert queued[waiting]["params"] == {"text": f"{TEXT} waits"}
    assert queued[ended]["outcome"]["status"] == "done"
    assert archive.read(f"files/{ended}/{artifact.sha256[:8]}-chair.glb") == b"her chair"
    assert json.loads(archive.read("files not included.json")) == []
    about = json.loads(archive.read("about.json"))
    assert about["identities"] == [HER.requester.identity, HER_TOO.requester.identity]
    assert {each["limit"] for each in about["limits"]} >= {"in_flight", "daily"} or about["limits"]
    assert [key["name"] for key in json.loads(archive.read("api_keys.json"))] == ["curl"]
    assert [report["reason"] for report in json.loads(archive.read("reports.json"))] == [f"by discord:{ADA}"]
    whole = b"".join(archive.read(name) for name in archive.namelist()).decode()
    assert BOB not in whole
    assert "secret" not in whole
    assert "hash-" not in whole


async def test_what_does_not_fit_is_named(counter: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    """So is what the store no longer has."""
    _, _, artifact = await _history(counter)
    monkeypatch.setattr(counter.its, "_room", lambda _: 0)
    reply, archive = await counter.exported(HER_TOO)
    assert "1 file more only named in it" in as_text(reply)
    [left] = json.loads(archive.read("files not included.json"))
    assert (left["name"], left["sha256"], left["why"]) == ("chair.glb", artifact.sha256, "too large")
    monkeypatch.undo()
    await counter.house.redis.delete(keys.EXPORT + HER_TOO.requester.identity)
    counter.house.store.remove_older(artifact.sha256, 2e9)
    _, archive = await counter.exported(HER_TOO)
    [left] = json.loads(archive.read("files not included.json"))
    assert left["why"] == "no longer kept"


async def test_a_zip_can_be_had_once_a_minute(counter: Counter) -> None:
    """It is the dearest thing that one word can ask for."""
    await counter.exported()
    assert as_text(await counter.its.export(HER, {})).startswith("You had one just now. Ask again in ")
    await counter.exported(HIM)


# To be forgotten


async def test_forgetting_is_asked_and_then_done(counter: Counter) -> None:
    """The question names whom it is about, and the answer what was removed and what stays."""
    await counter.link(HER, HER_TOO)
    await _history(counter)
    await counter.house.desk.steering.ban(HER.requester.identity, by="console:root", reason="no")
    asked = await counter.its.forget(HER_TOO, {})
    assert "of Discord (...1717) and Telegram (...1818)" in as_text(asked)
    assert len(await counter.house.desk.jobs(HER)) == 2
    said = as_text(await counter.its.forget_pressed(HER_TOO, _data(asked)))
    assert said.startswith("Forgotten: 2 jobs, 1 file, 1 report, 1 key, and all else")
    assert "What stays: the ban, what admins wrote down" in said
    assert await counter.house.desk.jobs(HER) == []
    assert len(await counter.house.desk.jobs(HIM)) == 1


async def test_only_whoever_asked_can_press_and_only_once(counter: Counter) -> None:
    """Not somebody else who sees the button, not an old one, not after they thought again."""
    await counter.house.ask(HER, TEXT)
    await counter.house.ask(HIM, TEXT)
    old = _data(await counter.its.forget(HER, {}))
    secret = _data(await counter.its.forget(HER, {}))
    for who, data in ((HIM, secret), (HER, old), (HER, secret)):
        assert as_text(await counter.its.forget_pressed(who, data)).endswith("Nothing was removed.")
    asked = await counter.its.forget(HER, {})
    assert 0 < await counter.house.redis.ttl(keys.FORGET + HER.requester.identity) <= 300
    assert as_text(await counter.its.forget_pressed(HER, _data(asked, 1))) == "Nothing was removed."
    assert as_text(await counter.its.forget_pressed(HER, _data(asked))).endswith("Nothing was removed.")
    assert len(await counter.house.desk.jobs(HER)) == len(await counter.house.desk.jobs(HIM)) == 1


async def test_nothing_is_removed_while_the_history_is_away(counter: Counter) -> None:
    """Half of it would be worse than none: the person is told to come again."""

    async def away() -> Any:
        raise HistoryClosedError

    await counter.house.ask(HER, TEXT)
    its = PrivacyCommands(counter.front, away, counter.house.forgetting)
    with pytest.raises(HistoryClosedError):
        await its.forget_pressed(HER, _data(await its.forget(HER, {})))
    assert len(await counter.house.desk.jobs(HER)) == 1


async def test_a_ban_outlives_it(counter: Counter) -> None:
    """Nobody gets rid of one, or of what admins wrote down, by being forgotten."""
    await counter.house.desk.steering.ban(HER.requester.identity, by="console:root", reason="no")
    await counter.its.forget_pressed(HER, _data(await counter.its.forget(HER, {})))
    assert (await counter.house.desk.steering.standing(HER.requester.identity)).ban is not None
    assert [entry.action for entry in await counter.house.desk.steering.seen.audit()] == ["ban"]


def test_every_command_is_its_askers_alone(counter: Counter) -> None:
    """In a group nobody else reads a code, an export or what is kept of somebody."""
    commands: list[OwnCommand] = privacy_commands(counter.front)
    assert [command.name for command in commands] == ["privacy", "export", "forget", "link", "unlink"]
    assert all(command.secret and command.name in RESERVED for command in commands)


async def test_a_link_is_not_a_way_to_a_session(counter: Counter) -> None:
    """What `/forget` removes of two that are linked, it removes of both: the link as well."""
    await counter.link(HER, HER_TOO)
    await counter.its.forget_pressed(HER, _data(await counter.its.forget(HER, {})))
    assert len((await Accounts(counter.house.redis).of(HER_TOO.requester.identity)).identities) == 1
