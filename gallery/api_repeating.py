"""Requests that are sent again under the same `Idempotency-Key`: answered once, and with the same words each time.

The desk gives one job to one update, whatever happens; here is kept what the request was, so that the key of another
request is noticed, and what was answered.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass

from redis.asyncio import Redis

from frontdesk.gallery.api_problems import ApiError
from frontdesk.queue import keys
from frontdesk.queue.scripts import UPDATES_KEPT

KEY = re.compile(r"[!-~]{1,200}")


@dataclass(frozen=True)
class Repeating:
    """A request under a key. `update` is its name for the desk; `before`: what it was answered, if it was."""

    redis: Redis
    update: str
    digest: str = ""
    before: bytes | None = None
    first: bool = True

    async def answered(self, body: bytes) -> None:
        if self.digest:
            await self.redis.set(keys.request(self.update), self.digest.encode() + b"\n" + body, ex=UPDATES_KEPT)

    async def refused(self) -> None:
        """It was not accepted: its key may be used for another one."""
        if self.digest and self.first:
            await self.redis.delete(keys.request(self.update))


async def repeating(redis: Redis, owner: str, key: str | None, digest: str) -> Repeating:
    """Raises ApiError for a key that is none, or that another request had."""
    if key is None:
        return Repeating(redis, f"api:{secrets.token_hex(16)}")
    if not KEY.fullmatch(key):
        raise ApiError("malformed", "An Idempotency-Key is 1 to 200 signs without white space.")
    update = "api:" + hashlib.sha256(f"{owner}\n{key}".encode()).hexdigest()
    first = await redis.set(keys.request(update), digest, ex=UPDATES_KEPT, nx=True)
    if first:
        return Repeating(redis, update, digest)
    known, _, before = (await redis.get(keys.request(update)) or digest.encode()).partition(b"\n")
    if known != digest.encode():
        raise ApiError("idempotency", "This Idempotency-Key was used for another request.")
    return Repeating(redis, update, digest, before or None, first=False)
