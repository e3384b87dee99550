"""API keys: made, shown once, checked, noted, revoked; and the command for it."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import cast

import pytest
from queueing import requester
from sqlalchemy import text
from websites import Remembering

from frontdesk.bots.api_key_commands import api_key_commands, read
from frontdesk.bots.main import Premises
from frontdesk.bots.people import Person
from frontdesk.bots.replies import Reply, as_text
from frontdesk.history.api_keys import NOTED, ApiKeys
from frontdesk.history.credentials import KEY, MOST, USUAL, BadKeyError, NoSuchKeyError, TooManyKeysError
from frontdesk.history.database import Database
from frontdesk.queue.errors import InvalidRequestError

ADA = "telegram:ada"


class Clock:
    now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


class Room:
    """What of a desk the command asks."""

    def __init__(self, *admins: str) -> None:
        self.clock = Clock()
        self._admins = admins

    def is_admin(self, person: Person) -> bool:
        return person.requester.key in self._admins

    async def known(self, person: Person) -> Person:
        return person


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def keys(database: Database, clock: Clock) -> ApiKeys:
    return ApiKeys(database, clock)


async def test_a_key_opens_until_it_is_revoked(keys: ApiKeys) -> None:
    """At once, by its owner alone; and it stays revoked."""
    key, shown = await keys.new(ADA, "laptop")
    assert KEY.fullmatch(shown)
    assert (await keys.check(shown)).scopes == set(USUAL)
    with pytest.raises(NoSuchKeyError):
        await keys.revoke({"telegram:eve"}, key.id)
    await keys.revoke({ADA}, key.id)
    await keys.revoke({ADA}, key.id)
    with pytest.raises(BadKeyError):
        await keys.check(shown)


async def test_the_key_itself_is_nowhere(keys: ApiKeys, database: Database) -> None:
    """Who reads the database can use none of them."""
    _, shown = await keys.new(ADA, "laptop")
    async with database.reading() as connection:
        rows = str((await connection.execute(text("SELECT * FROM api_keys"))).all())
    assert shown not in rows
    assert shown.split("_", 2)[2] not in rows


async def test_a_key_ends_with_its_time(keys: ApiKeys, clock: Clock) -> None:
    """To the second."""
    _, shown = await keys.new(ADA, "visit", lifetime=60.0)
    clock.now += 59.9
    await keys.check(shown)
    clock.now += 0.1
    with pytest.raises(BadKeyError):
        await keys.check(shown)


async def test_its_use_is_noted_once_a_minute(keys: ApiKeys, clock: Clock) -> None:
    """So that a busy program does not write with each request."""
    _, shown = await keys.new(ADA, "laptop")
    began = clock.now
    for _ in range(3):
        await keys.check(shown)
        clock.now += NOTED / 3 - 1
    assert [key.used_at for key in await keys.of({ADA})] == [began]
    clock.now = began + NOTED
    await keys.check(shown)
    assert [key.used_at for key in await keys.of({ADA})] == [clock.now]


async def test_a_person_has_ten_keys(keys: ApiKeys) -> None:
    """Also where more are made at the same time; one that is revoked makes room."""
    made = await asyncio.gather(*(keys.new(ADA, f"k{n}") for n in range(MOST + 5)), return_exceptions=True)
    assert sum(isinstance(each, TooManyKeysError) for each in made) == 5
    found = await keys.of({ADA})
    assert len(found) == MOST
    await keys.revoke({ADA}, found[0].id)
    await keys.new(ADA, "another")
    await keys.new("telegram:eve", "hers")


async def said(room: Room, database: Database, action: str, words: str = "") -> str:
    [command] = api_key_commands(cast(Premises, SimpleNamespace(desk=room, memory=Remembering(database))))
    assert command.secret
    return as_text(cast(Reply, await command.answer(Person(requester("ada")), {"action": action, "words": words})))


async def test_the_command_makes_lists_and_revokes(keys: ApiKeys, database: Database) -> None:
    """The key is in the first answer, and in none after it."""
    room = Room()
    made = await said(room, database, "new", "build server read 30d")
    shown = next(line for line in made.splitlines() if line.startswith("fd_"))
    assert "whsec_" in made
    key = await keys.check(shown)
    assert (key.name, key.scopes) == ("build server", frozenset({"read"}))
    listed = await said(room, database, "list")
    assert key.id in listed
    assert "build server" in listed
    assert shown not in listed
    assert "revoked" in await said(room, database, "revoke", shown)
    assert "no keys" in await said(room, database, "")
    assert "/apikey" in await said(room, database, "nonsense")


async def test_only_admins_have_admins_keys(database: Database) -> None:
    """Whoever asks."""
    with pytest.raises(InvalidRequestError):
        await said(Room(), database, "new", "x read,admin")
    assert "fd_" in await said(Room(ADA), database, "new", "x read,admin")


def test_names_scopes_and_lives_are_told_apart() -> None:
    """What is no scope belongs to the name."""
    assert read(["laptop"]) == ("laptop", USUAL, None)
    assert read(["read"]) == ("read", USUAL, None)
    assert read(["my", "box", "read,submit"]) == ("my box", ("read", "submit"), None)
    assert read(["ci", "read", "7d"]) == ("ci", ("read",), 7 * 86_400.0)
    assert read(["read,write"]) == ("read,write", USUAL, None)
    with pytest.raises(InvalidRequestError):
        read(["x", "0d"])
    with pytest.raises(InvalidRequestError):
        read(["x" * 41])
