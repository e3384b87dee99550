"""What somebody leafs through in a chat, kept for a day: a button has no room for it."""

from __future__ import annotations

import secrets
from typing import Literal

from redis.asyncio import Redis

from frontdesk.bots.people import Person
from frontdesk.queue import keys
from frontdesk.queue.codec import decode, encode
from frontdesk.queue.connection import answer
from frontdesk.queue.errors import UserError
from frontdesk.queue.jobs import Wire

KEPT = 86_400  # seconds after the latest
MOST = 30  # of one person
PAGES = 200  # of one list


class ForgottenListError(UserError):
    """Its buttons are pressed by somebody else, or too late: both read the same."""

    def __init__(self) -> None:
        super().__init__("These buttons work for whoever asked, for a day. Ask for a list of your own: /gallery.")


class Listing(Wire):
    """A list and how far it was read: the page of number n begins behind `cursors[n]`."""

    of: Literal["gallery", "mine", "search", "meaning", "shape"]
    kind: str = ""
    text: str = ""
    job: str = ""
    cursors: tuple[str | None, ...] = (None,)


class Listings:
    """Under the person who asked: what they looked for is theirs, and goes when they have everything forgotten."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def keep(self, person: Person, listing: Listing, token: str = "") -> str:
        """By which token it is found again."""
        key, token = keys.looking(person.requester.key), token or secrets.token_hex(4)
        if await answer(self._redis.hlen(key)) >= MOST:
            await self._redis.delete(key)
        async with self._redis.pipeline() as pipe:
            pipe.hset(key, token, encode(listing).decode())
            pipe.expire(key, KEPT)
            await pipe.execute()
        return token

    async def read(self, person: Person, token: str) -> Listing:
        """Raises ForgottenListError."""
        kept = await answer(self._redis.hget(keys.looking(person.requester.key), token))
        if kept is None:
            raise ForgottenListError
        return decode(Listing, kept)
