"""Keys of the HTTP door: shown once, kept as a hash, each with what it may do.

A key is `fd_ID_SECRET`: the id finds its row, and the secret, 32 random bytes, proves it. For one so random
SHA-256 is enough: there is nothing to guess that a slow hash would guard.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable, Collection
from typing import Any

from sqlalchemy import RowMapping, and_, delete, func, or_, select, text, update

from frontdesk.history.credentials import (
    ID_LENGTH,
    KEY,
    LONGEST_NAME,
    MOST,
    USUAL,
    ApiKey,
    BadKeyError,
    NoSuchKeyError,
    Scope,
    TooManyKeysError,
)
from frontdesk.history.database import Database
from frontdesk.history.schema import api_keys
from frontdesk.queue.jobs import ALPHABET

NOTED = 60.0  # seconds between two notes of a key's use
KEPT = 30 * 86_400.0  # seconds for which a key that cannot be used any more is still listed


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


def _hash(shown: str) -> str:
    return hashlib.sha256(shown.encode("utf-8", "replace")).hexdigest()


def _usable(now: float) -> Any:
    return and_(api_keys.c.revoked_at.is_(None), or_(api_keys.c.expires_at.is_(None), api_keys.c.expires_at > now))


NAMES = tuple(name for name in ApiKey.__dataclass_fields__ if name != "scopes")


def _key(row: RowMapping) -> ApiKey:
    return ApiKey(**{name: row[name] for name in NAMES}, scopes=frozenset(row["scopes"]))
