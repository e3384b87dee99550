"""What the parts of the HTTP door work with, and who comes in."""

from __future__ import annotations

import hashlib
import ipaddress
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fastapi import Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from frontdesk.bots.main import Premises
from frontdesk.bots.people import Person
from frontdesk.gallery.api_problems import ApiError
from frontdesk.gallery.live import Live
from frontdesk.gallery.visitors import alone
from frontdesk.history.api_keys import ApiKeys
from frontdesk.history.credentials import ApiKey, BadKeyError, Scope
from frontdesk.history.entries import Entry, Viewer
from frontdesk.history.history import History
from frontdesk.queue.connection import LOST
from frontdesk.queue.errors import NoSuchJobError, NoSuchObjectError
from frontdesk.queue.jobs import ALPHABET, JobRecord, Requester
from frontdesk.ratelimit.limiter import Limiter
from frontdesk.ratelimit.policy import Rate

if TYPE_CHECKING:
    from frontdesk.gallery.webhooks import Webhooks

ROOT = "/api/v1"
JOB_ID = re.compile(rf"[{ALPHABET}u]{{9,16}}")
TRIES, TRIES_AN_HOUR = 20, 120  # without a good key, from one address
ASKED_AGAIN = 15.0  # seconds
SEATS = 16  # requests of one person that wait for news at a time
CHALLENGE = 'Bearer realm="frontdesk"'


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, with which key. `admin`: the key has the scope, and its owner is an admin still."""

    key: ApiKey
    shown: str
    person: Person
    viewer: Viewer
    admin: bool


@dataclass(frozen=True)
class Door:
    """tries: without a good key, at once, from one address. asked_again: seconds after which a stream asks whether its
    key is good still."""

    front: Premises
    live: Live
    keys: ApiKeys
    webhooks: Webhooks
    history: History
    tries: int = TRIES
    asked_again: float = ASKED_AGAIN
    seats: Counter[str] = field(default_factory=Counter)

    def allowed(self, scope: Scope) -> Callable[..., Awaitable[Caller]]:
        """What lets in who shows a good key with a scope. Raises ApiError, HistoryClosedError."""

        async def enter(
            request: Request,
            given: HTTPAuthorizationCredentials | None = Security(HTTPBearer(auto_error=False)),  # noqa: B008
        ) -> Caller:
            if given is None:
                raise await self._stranger(request, "Send a key: Authorization: Bearer fd_...", CHALLENGE)
            try:
                key = await self.keys.check(given.credentials)
            except BadKeyError:
                bad = f'{CHALLENGE}, error="invalid_token"'
                raise await self._stranger(request, "This key is not, or no longer, one of this desk.", bad) from None
            if scope not in key.scopes:
                lacking = {"WWW-Authenticate": f'{CHALLENGE}, error="insufficient_scope", scope="{scope}"'}
                raise ApiError("scope", f"This key does not have the scope {scope}.", headers=lacking)
            return await self._caller(key, given.credentials)

        return enter

    async def _caller(self, key: ApiKey, shown: str) -> Caller:
        platform, _, user = key.owner.partition(":")
        requester = alone(Requester.model_validate({"platform": platform, "user": user, "tenant": ""}))
        person = await self.front.desk.known(Person(requester))
        admin = "admin" in key.scopes and self.front.desk.is_admin(person)
        return Caller(key, shown, person, Viewer(person.identities), admin)

    async def _stranger(self, request: Request, sentence: str, challenge: str) -> ApiError:
        """Whoever tries keys is slowed down, and nobody else: a good key is taken from any address."""
        address = hashlib.sha256(_network(request.client.host if request.client else "").encode()).hexdigest()[:32]
        rule = Rate("tries", f"fd:limit:door:{address}", self.tries, TRIES_AN_HOUR / 3600)
        with suppress(*LOST):
            decision = await Limiter(self.front.redis).acquire([rule], "")
            if not decision.allowed:
                said = "Too many requests without a good key came from this address."
                return ApiError("limited", said, rule="tries", retry_after=decision.retry_after)
        return ApiError("unauthenticated", sentence, headers={"WWW-Authenticate": challenge})

    async def job(self, caller: Caller, job_id: str, *, unread: bool = False) -> JobRecord | Entry:
        """One of the caller's jobs, or for an admin's key anybody's that is not private, as the queue knows it, or else
        the history. unread: an admin may take a private one back, of which nothing is told. Raises NoSuchJobError."""
        job_id = job_id.strip().lower()
        if not JOB_ID.fullmatch(job_id):
            raise NoSuchJobError(job_id[:32])
        try:
            record = await self.front.desk.job(caller.person, job_id, anyones=caller.admin)
        except NoSuchJobError:
            if entry := await self.entry(caller, job_id):
                return entry
            raise
        if record.private and not unread and record.identity not in caller.person.identities:
            raise NoSuchJobError(job_id)
        return record

    async def entry(self, caller: Caller, job_id: str) -> Entry | None:
        """What the history has of a job of the caller's own."""
        try:
            entry = await self.history.get(caller.viewer, job_id)
        except NoSuchObjectError:
            return None
        return entry if entry.own(caller.viewer) else None

    @contextmanager
    def seat(self, caller: Caller) -> Iterator[None]:
        """Room to wait in. Raises ApiError."""
        who = caller.person.requester.key
        if self.seats[who] >= SEATS:
            raise ApiError(
                "limited", f"{SEATS} requests of yours wait for news already.", rule="waiting", retry_after=5
            )
        self.seats[who] += 1
        try:
            yield
        finally:
            self.seats[who] -= 1
            if self.seats[who] <= 0:
                del self.seats[who]


def _network(host: str) -> str:
    """An address, or the network that one household has in IPv6."""
    with suppress(ValueError):
        if (address := ipaddress.ip_address(host)).version == 6:
            return str(ipaddress.ip_network((address, 64), strict=False))
    return host
