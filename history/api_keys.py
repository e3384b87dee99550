"""Keys of the HTTP door: shown once, kept as a hash, each with what it may do.

A key is `fd_ID_SECRET`: the id finds its row, and the secret, 32 random bytes, proves it. For one so random
SHA-256 is enough: there is nothing to guess that a slow hash would guard.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args

from sqlalchemy import RowMapping, and_, delete, func, or_, select, text, update

from frontdesk.history.database import Database
from frontdesk.history.schema import api_keys
from frontdesk.queue.errors import FrontdeskError, UserError
from frontdesk.queue.jobs import ALPHABET

Scope: TypeAlias = Literal["submit", "read", "cancel", "admin"]
SCOPES: tuple[Scope, ...] = get_args(Scope)
USUAL: tuple[Scope, ...] = ("submit", "read", "cancel")

MOST = 10  # keys of a person that can be used
LONGEST_NAME = 40
ID_LENGTH = 10
KEY = re.compile(rf"fd_([{ALPHABET}]{{{ID_LENGTH}}})_([A-Za-z0-9_-]{{43}})")
NOTED = 60.0  # seconds between two notes of a key's use
KEPT = 30 * 86_400.0  # seconds for which a key that cannot be used any more is still listed
SIGNING = b"frontdesk webhook 1"  # so that what is derived from a key is good for this alone


class BadKeyError(FrontdeskError):
    """No key of this desk, or one that has been revoked or has expired. Which of it, nobody is told."""


class TooManyKeysError(UserError):
    def __init__(self) -> None:
        super().__init__(f"You have {MOST} keys, which is the most. Revoke one first.")


class NoSuchKeyError(UserError):
    """Also for another's: both read the same."""

    def __init__(self, key_id: str) -> None:
        super().__init__(f"There is no key {key_id[:32]} of yours.")


@dataclass(frozen=True, slots=True)
class ApiKey:
    """What is known of a key. `owner` is an identity such as "discord:1"; times in Unix seconds."""

    id: str
    owner: str
    name: str
    scopes: frozenset[str]
    created_at: float
    expires_at: float | None = None
    used_at: float | None = None
    revoked_at: float | None = None

    def usable(self, now: float) -> bool:
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


class ApiKeys:
    """All methods raise HistoryClosedError. `clock` gives Unix seconds."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock

    async def new(
        self, owner: str, name: str, scopes: Collection[Scope] = USUAL, *, lifetime: float | None = None
    ) -> tuple[ApiKey, str]:
        """A new key, and what nobody can be shown again. `lifetime` in seconds. Raises TooManyKeysError."""
        now, key_id = self._clock(), "".join(secrets.choice(ALPHABET) for _ in range(ID_LENGTH))
        shown = f"fd_{key_id}_{secrets.token_urlsafe(32)}"
        values: dict[str, Any] = {
            "id": key_id,
            "owner": owner,
            "name": name[:LONGEST_NAME],
            "sha256": _hash(shown),
            "scopes": sorted(scopes),
            "created_at": now,
            "expires_at": None if lifetime is None else now + lifetime,
        }
        async with self._database.writing() as connection:
            if self._database.postgres:  # two that are made at the same time are counted one after the other
                await connection.execute(
                    text("SELECT pg_advisory_xact_lock(hashtext(:owner))"), {"owner": f"api keys of {owner}"}
                )
            ended = or_(api_keys.c.revoked_at < now - KEPT, api_keys.c.expires_at < now - KEPT)
            await connection.execute(delete(api_keys).where(api_keys.c.owner == owner, ended))
            await connection.execute(api_keys.insert().values(values))
            count = select(func.count()).select_from(api_keys).where(api_keys.c.owner == owner, _usable(now))
            if (await connection.execute(count)).scalar_one() > MOST:
                raise TooManyKeysError
        return ApiKey(key_id, owner, values["name"], frozenset(scopes), now, values["expires_at"]), shown

    async def of(self, owners: Collection[str]) -> list[ApiKey]:
        """The keys of a person's identities, newest first, with those that ended lately."""
        query = select(api_keys).where(api_keys.c.owner.in_(sorted(owners))).order_by(api_keys.c.created_at.desc())
        async with self._database.reading() as connection:
            return [_key(row) for row in (await connection.execute(query)).mappings()]

    async def revoke(self, owners: Collection[str], key_id: str) -> None:
        """It is refused from now on, by every process. Raises NoSuchKeyError."""
        theirs = and_(api_keys.c.id == key_id, api_keys.c.owner.in_(sorted(owners)))
        async with self._database.writing() as connection:
            done = await connection.execute(
                update(api_keys).where(theirs).values(revoked_at=func.coalesce(api_keys.c.revoked_at, self._clock()))
            )
        if not done.rowcount:
            raise NoSuchKeyError(key_id)

    async def check(self, shown: str) -> ApiKey:
        """The key that somebody shows. Asked of the database each time: one that was revoked is refused at once. Raises
        BadKeyError."""
        if (match := KEY.fullmatch(shown)) is None:
            raise BadKeyError
        async with self._database.reading() as connection:
            query = select(api_keys).where(api_keys.c.id == match[1])
            row = (await connection.execute(query)).mappings().one_or_none()
        proved = hmac.compare_digest(_hash(shown), row["sha256"] if row else _hash(""))
        now = self._clock()
        if row is None or not proved or not (key := _key(row)).usable(now):
            raise BadKeyError
        if key.used_at is None or now - key.used_at >= NOTED:
            await self._note_use(key.id, now)
        return key

    async def _note_use(self, key_id: str, now: float) -> None:
        stale = or_(api_keys.c.used_at.is_(None), api_keys.c.used_at <= now - NOTED)
        async with self._database.writing() as connection:
            await connection.execute(update(api_keys).where(api_keys.c.id == key_id, stale).values(used_at=now))


def signing_secret(shown: str) -> str:
    """What signs the webhooks of jobs that a key asked for, in the form of Standard Webhooks: "whsec_" and base64.

    HMAC-SHA256 of the key over a fixed text, so that it tells nothing of the key, and the desk keeps neither.
    """
    return "whsec_" + base64.b64encode(hmac.digest(shown.encode(), SIGNING, "sha256")).decode()


def _hash(shown: str) -> str:
    return hashlib.sha256(shown.encode("utf-8", "replace")).hexdigest()


def _usable(now: float) -> Any:
    return and_(api_keys.c.revoked_at.is_(None), or_(api_keys.c.expires_at.is_(None), api_keys.c.expires_at > now))


NAMES = tuple(name for name in ApiKey.__dataclass_fields__ if name != "scopes")


def _key(row: RowMapping) -> ApiKey:
    return ApiKey(**{name: row[name] for name in NAMES}, scopes=frozenset(row["scopes"]))
