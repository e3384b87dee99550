"""Which identities are one person: "discord:1" and "telegram:2", joined by a code that one gave and the other entered.

The truth is in Redis, so that a request needs nothing else. Each identity of a person who has several names them all.
The account, under which all of them count, is the one that gave the code first, or another when that one leaves.

A code has 40 bits, is good for ten minutes and for one use, and only its hash is kept. Who enters five that are wrong
must wait: an hour after the first of them.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from typing import Literal, cast

from redis.asyncio import Redis

from frontdesk.queue import keys
from frontdesk.queue.connection import answer
from frontdesk.queue.jobs import ALPHABET
from frontdesk.queue.lua import script

CODE_LIFE = 600  # seconds
TRIES = 5  # wrong codes of one identity
TRIES_LIFE = 3600  # seconds after the first wrong one until it may try again
MOST = 8  # identities of one person
LENGTH = 8  # of a code
ALIKE = str.maketrans("ilo", "110")  # what is easily misread

LinkResult = Literal["linked", "wrong", "tired", "self", "together", "elsewhere", "full"]


@dataclass(frozen=True, slots=True)
class Linked:
    """One person: `account` is one of the identities."""

    account: str
    identities: frozenset[str]


@dataclass(frozen=True, slots=True)
class Linking:
    """What came of a code. `giver`: the identity that gave it, where it was right.

    wrong: no such code, or it has expired, or was used. tired: too many wrong ones; `retry_after` seconds. self: it is
    one's own. together: they are one person already. elsewhere: whoever entered it is linked with somebody else.
    full: whoever gave it has as many identities as one may.
    """

    result: LinkResult
    giver: str | None = None
    retry_after: float = 0.0


class Accounts:
    """Raises what redis-py raises."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._link = redis.register_script(script("persons", "link"))
        self._unlink = redis.register_script(script("persons", "unlink"))

    async def of(self, identity: str) -> Linked:
        """The person of an identity, in one call."""
        said = cast("bytes | None", await answer(self._redis.hget(keys.LINKED, identity)))
        account, *others = said.decode().split("\n") if said else [identity]
        return Linked(account, frozenset({*others, identity}))

    async def code(self, identity: str) -> str:
        """A new code of theirs, in place of the last one: two groups of four signs."""
        drawn = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.set(keys.LINK + _hashed(drawn), identity, ex=CODE_LIFE)
            pipe.set(keys.LINKING + identity, _hashed(drawn), ex=CODE_LIFE, get=True)
            _, before = await pipe.execute()
        if before:
            await self._redis.delete(keys.LINK + before.decode())
        return f"{drawn[:4]}-{drawn[4:]}"

    async def giver(self, identity: str, code: str) -> Linking:
        """What `link` would say, which a wrong code counts for as well; the code stays good, for this one alone: it may
        have been typed where others read along."""
        return await self._enter(identity, code, keep=True)

    async def link(self, identity: str, code: str) -> Linking:
        """Join the person who gave the code; of several who enter it at the same time, one does."""
        return await self._enter(identity, code, keep=False)

    async def unlink(self, identity: str) -> frozenset[str]:
        """Leave the others: from now on it counts by itself. Returns them; none where it had none."""
        return frozenset(each.decode() for each in await self._unlink(args=[identity]))

    async def _enter(self, identity: str, code: str, *, keep: bool) -> Linking:
        said, giver, wait = await self._link(args=[identity, _hashed(code), TRIES, TRIES_LIFE, MOST, int(keep)])
        return Linking(cast(LinkResult, said.decode()), giver.decode() or None, float(wait))


def _hashed(code: str) -> str:
    """However it is typed: in capitals, with or without the hyphen. What is longer is no code."""
    signs = "".join(sign for sign in code[:64].lower() if sign.isalnum())
    return hashlib.sha256(signs.translate(ALIKE).encode()).hexdigest()
