"""Who is signed in to the web page, and on which browsers.

A browser has a secret; Redis keeps its hash alone. A session lives on for KEEPS seconds after it was last used.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from typing import cast

from redis.asyncio import Redis

from frontdesk.queue import keys
from frontdesk.queue.codec import decode, encode
from frontdesk.queue.connection import answer
from frontdesk.queue.errors import CorruptMessageError
from frontdesk.queue.jobs import Requester, Wire
from frontdesk.queue.sign_in import digest

KEEPS = 30 * 86_400  # seconds without a visit after which a session ends
RENEWED = 86_400  # seconds that a session is used before its end is put off again
SECRET = re.compile(r"[A-Za-z0-9_-]{43}")


class SignedIn(Wire):
    """What Redis keeps of a session. `created` in Unix seconds."""

    requester: Requester
    created: float


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in browser. `renewed`: its end was just put off, and its cookie's must be."""

    secret: str
    requester: Requester
    created: float
    renewed: bool = False


class Sessions:
    """Begins, finds and ends sessions."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def begin(self, requester: Requester, now: float) -> Session:
        """A session with a secret that nobody had before. `now` in Unix seconds."""
        session = Session(secrets.token_urlsafe(32), requester, now)
        hashed, own = digest(session.secret), keys.sessions_of(requester.identity)
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.set(keys.SESSION + hashed, encode(SignedIn(requester=requester, created=now)), ex=KEEPS)
            pipe.sadd(own, hashed)
            pipe.expire(own, KEEPS)
            await pipe.execute()
        return session

    async def of(self, secret: str) -> Session | None:
        """The session of a browser's secret; its end is put off once a day."""
        if not SECRET.fullmatch(secret):
            return None
        key = keys.SESSION + digest(secret)
        async with self._redis.pipeline(transaction=False) as pipe:
            pipe.get(key)
            pipe.ttl(key)
            said, left = await pipe.execute()
        if said is None:
            return None
        try:
            kept = decode(SignedIn, said)
        except CorruptMessageError:
            return None
        renew = left < KEEPS - RENEWED
        if renew:
            await self._redis.expire(key, KEEPS)
            await self._redis.expire(keys.sessions_of(kept.requester.identity), KEEPS)
        return Session(secret, kept.requester, kept.created, renew)

    async def end(self, session: Session) -> None:
        """Sign this browser out."""
        hashed = digest(session.secret)
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.delete(keys.SESSION + hashed)
            pipe.srem(keys.sessions_of(session.requester.identity), hashed)
            await pipe.execute()

    async def end_all(self, requester: str) -> int:
        """Sign somebody ("discord:1") out everywhere; how many browsers that were."""
        own = keys.sessions_of(requester)
        hashes = cast("set[bytes]", await answer(self._redis.smembers(own)))
        ended = 0
        async with self._redis.pipeline(transaction=True) as pipe:
            for hashed in hashes:
                pipe.delete(keys.SESSION + hashed.decode())
                pipe.srem(own, hashed)
            if hashes:
                ended = sum((await pipe.execute())[::2])
        return ended
