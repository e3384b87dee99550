"""Links that sign a person in to the web page, once: given by a bot, which knows who asks, and taken by the page.

Redis keeps the hash of a link's secret alone: who reads it there cannot sign in.
"""

from __future__ import annotations

import hashlib
import re
import secrets

from redis.asyncio import Redis

from frontdesk.queue import keys
from frontdesk.queue.codec import decode, encode
from frontdesk.queue.errors import CorruptMessageError
from frontdesk.queue.jobs import Requester

LASTS = 600  # seconds
SECRET = re.compile(r"[A-Za-z0-9_-]{43}")  # 256 bits


class SignIns:
    """Gives the secrets of links, and takes them."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def give(self, requester: Requester) -> str:
        """A secret that signs this requester in, once and within LASTS seconds."""
        secret = secrets.token_urlsafe(32)
        await self._redis.set(_key(secret), encode(requester), ex=LASTS)
        return secret

    async def look(self, secret: str) -> Requester | None:
        """Whom a secret signs in, which it still does afterwards; None where it is none, was used or has ended."""
        return _read(await self._redis.get(_key(secret))) if SECRET.fullmatch(secret) else None

    async def take(self, secret: str) -> Requester | None:
        """The same, and the secret is used up: of two who take it at the same time, one gets it."""
        return _read(await self._redis.getdel(_key(secret))) if SECRET.fullmatch(secret) else None


def digest(secret: str) -> str:
    """What is kept of a secret of 256 bits: no salt is needed where nobody can guess."""
    return hashlib.sha256(secret.encode("ascii", "replace")).hexdigest()


def _key(secret: str) -> str:
    return keys.SIGN_IN + digest(secret)


def _read(said: bytes | None) -> Requester | None:
    if said is None:
        return None
    try:
        return decode(Requester, said)
    except CorruptMessageError:
        return None
