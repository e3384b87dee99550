"""Commands of a person's own data: what is kept, to take it along, to have it forgotten, to be one on two platforms."""

from __future__ import annotations

import asyncio
import hmac
import secrets
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import structlog

from frontdesk.bots.exporting import Exporting
from frontdesk.bots.intake import queue_open
from frontdesk.bots.main import Premises
from frontdesk.bots.own_commands import Option, OwnCommand
from frontdesk.bots.parcels import Parcel
from frontdesk.bots.people import Person
from frontdesk.bots.privacy import Opened, forget
from frontdesk.bots.privacy_words import (
    CONFIRMED,
    code_reply,
    confirm_reply,
    exported_reply,
    forget_question,
    forgotten_reply,
    linked_reply,
    privacy_reply,
    unlinked_reply,
)
from frontdesk.bots.replies import Reply, duration, say
from frontdesk.queue import keys
from frontdesk.queue.accounts import LENGTH, Accounts
from frontdesk.queue.errors import FilesClosedError
from frontdesk.queue.forgetting import Forgetting
from frontdesk.queue.jobs import Artifact
from frontdesk.queue.results import Attachment

log = structlog.get_logger()

DISCORD_ROOM = 8_000_000  # bytes of a zip; every server and private chat takes as much
TERMINAL_ROOM = 1_000_000_000
BETWEEN = 60  # seconds between two exports of one person
SENT = 600.0  # seconds for which a zip lies on the disk: platforms have fetched it by then


class PrivacyCommands:
    """database: gives the history's."""

    def __init__(self, front: Premises, database: Opened, forgetting: Forgetting | None = None) -> None:
        self._front = front
        self._desk = front.desk
        self._redis = front.redis
        self._database = database
        self._accounts = Accounts(front.redis)
        self._forgetting = forgetting or Forgetting(front.broker, front.store)
        self._exporting = Exporting(front.desk, front.broker, database, front.store, front.links)
        self._one_at_a_time = asyncio.Lock()

    async def privacy(self, person: Person, _given: Mapping[str, str]) -> Reply:
        person = await self._desk.known(person)
        return privacy_reply(self._front.settings, self._desk.kinds, person.identities, person.requester.identity)

    async def link(self, person: Person, given: Mapping[str, str]) -> Reply:
        """A code, or what a code that was entered means, which is asked before it counts."""
        own, code = person.requester.identity, given.get("code", "")
        async with queue_open():
            if not code:
                others = (await self._accounts.of(own)).identities - {own}
                return code_reply(await self._accounts.code(own), others)
            said = await self._accounts.giver(own, code)
        if said.result == "linked" and said.giver:
            return confirm_reply(own, said.giver, "".join(filter(str.isalnum, code.lower()))[:LENGTH])
        return linked_reply(said, own)

    async def link_pressed(self, person: Person, data: str) -> Reply:
        if data == "no":
            return say("Nothing was linked.")
        own = person.requester.identity
        async with queue_open():
            said = await self._accounts.link(own, data)
        log.info("link", result=said.result)
        return linked_reply(said, own)

    async def unlink(self, person: Person, _given: Mapping[str, str]) -> Reply:
        async with queue_open():
            return unlinked_reply(await self._accounts.unlink(person.requester.identity))

    async def forget(self, person: Person, _given: Mapping[str, str]) -> Reply:
        """Ask. The button's secret is known to whoever it was shown to, and good for the one who asked."""
        person, secret = await self._desk.known(person), secrets.token_hex(8)
        async with queue_open():
            await self._redis.set(keys.FORGET + person.requester.identity, secret, ex=int(CONFIRMED))
        return forget_question(person.identities, secret)

    async def forget_pressed(self, person: Person, data: str) -> Reply:
        async with queue_open():
            secret = await self._redis.getdel(keys.FORGET + person.requester.identity)
        if data == "no":
            return say("Nothing was removed.")
        if secret is None or not hmac.compare_digest(secret, data.encode()):
            return say("That question is too old, or was asked of somebody else. Nothing was removed.")
        return forgotten_reply(await forget(self._desk, self._forgetting, self._database, person))

    async def export(self, person: Person, _given: Mapping[str, str]) -> Reply:
        """The zip lies in a folder of its own until it was surely sent."""
        asked = keys.EXPORT + person.requester.identity
        async with queue_open():
            if not await self._redis.set(asked, 1, nx=True, ex=BETWEEN):
                return say(f"You had one just now. Ask again in {duration(await self._redis.ttl(asked))}.")
        try:
            async with self._one_at_a_time:
                folder = tempfile.TemporaryDirectory(prefix="frontdesk-export-", ignore_cleanup_errors=True)
                path = Path(folder.name) / "frontdesk.zip"
                done = await self._exporting.write(person, path, self._room(person))
                parcel = _parcel(path)
        except OSError as error:
            log.warning("nothing exported", error=type(error).__name__)
            raise FilesClosedError from error
        asyncio.get_running_loop().call_later(SENT, folder.cleanup)
        return replace(exported_reply(done), parcels=(parcel,))

    def _room(self, person: Person) -> int:
        match person.requester.platform:
            case "telegram":
                return self._front.settings.telegram_upload_mb * 1_000_000 * 9 // 10
            case "discord":
                return DISCORD_ROOM
            case _:
                return TERMINAL_ROOM


def _parcel(path: Path) -> Parcel:
    """A file that never was in the store: nothing asks for its hash."""
    artifact = Artifact(name=path.name, sha256="0" * 64, size=path.stat().st_size, media_type="application/zip")
    return Parcel(Attachment(artifact, "file"), path.name, path)


def privacy_commands(front: Premises) -> list[OwnCommand]:
    """/privacy, /export, /forget, /link and /unlink; none at a desk without a memory."""
    if front.memory is None:
        return []
    its = PrivacyCommands(front, front.memory.database)
    code = Option("code", "The code that /link gave you on your other platform", rest=True)
    return [
        OwnCommand("privacy", "What is kept of you, and for how long", its.privacy, secret=True),
        OwnCommand("export", "Everything that is kept of you, as a zip", its.export, secret=True),
        OwnCommand(
            "forget", "Remove everything that is kept of you", its.forget, press=its.forget_pressed, secret=True
        ),
        OwnCommand("link", "Be one person on two platforms", its.link, (code,), its.link_pressed, secret=True),
        OwnCommand("unlink", "Be two persons again", its.unlink, secret=True),
    ]
