"""What people do with what was made: look, search, publish, report, repeat. For the chats and for the page."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Literal

from frontdesk.bots.incoming import Given
from frontdesk.bots.intake import queue_open
from frontdesk.bots.memory import Memory
from frontdesk.bots.parsing import clean
from frontdesk.bots.people import Admins, Person
from frontdesk.bots.variants import Again
from frontdesk.history.entries import Entry, Page, Viewer
from frontdesk.queue.errors import HistoryClosedError, InvalidRequestError, NotAllowedError, Problem
from frontdesk.queue.jobs import Artifact
from frontdesk.queue.kinds import AnyKind, Registry
from frontdesk.queue.steering import Steering

if TYPE_CHECKING:
    from frontdesk.history.history import Report

By = Literal["meaning", "shape"]

PAGE = 12
SIMILAR = 60  # as many are looked for
LONGEST_REASON = 300  # characters

Known = Callable[[Person], Awaitable[Person]]


async def as_they_came(person: Person) -> Person:
    return person


class Showcase:
    """Each method looks with the eyes of a person, or of a passer-by (None), and raises UserError subclasses only:
    HistoryClosedError while the database is away, NoSuchObjectError for what is not there or not for them.

    memory: None at a desk that remembers nothing. known: finds all identities of a person.
    """

    def __init__(
        self,
        memory: Memory | None,
        kinds: Registry,
        steering: Steering,
        admins: Admins,
        known: Known = as_they_came,
    ) -> None:
        self._memory = memory
        self._kinds = kinds
        self._steering = steering
        self._admins = admins
        self._known = known

    @property
    def open(self) -> bool:
        """Whether this desk remembers anything."""
        return self._memory is not None

    async def viewer(self, person: Person | None) -> Viewer:
        """Raises DeskClosedError."""
        if person is None:
            return Viewer()
        async with queue_open():
            person = await self._known(person)
        return Viewer(person.identities, admin=person in self._admins)

    async def page(
        self, person: Person | None, *, mine: bool = False, kind: str = "", limit: int = PAGE, after: str | None = None
    ) -> Page:
        """Newest first: what is public, or with `mine` one's own."""
        viewer = await self.viewer(person)
        return await (await self._opened().history()).page(viewer, mine=mine, kind=kind, limit=limit, after=after)

    async def search(
        self,
        person: Person | None,
        text: str,
        *,
        kind: str = "",
        mine: bool = False,
        limit: int = PAGE,
        after: str | None = None,
    ) -> Page:
        """By words and meaning, the best first, among what they may see."""
        viewer = await self.viewer(person)
        found = await self._opened().search()
        return await found.search(viewer, clean(text), kind=kind, mine=mine, limit=limit, after=after)

    async def similar(
        self,
        person: Person | None,
        job_id: str,
        by: By = "meaning",
        *,
        public: bool = False,
        limit: int = PAGE,
        after: str | None = None,
    ) -> Page:
        """What is like an object, the most alike first. public: only what anybody sees."""
        viewer = await self.viewer(person)
        found = await (await self._opened().search()).similar(viewer, _id(job_id), by=by, limit=SIMILAR)
        shown = [entry for entry in found.entries if entry.public or not public]
        start = int(after) if after and after.isascii() and after.isdigit() and len(after) < 6 else 0
        end = start + limit
        return Page(tuple(shown[start:end]), str(end) if end < len(shown) else None)

    async def entry(self, person: Person | None, job_id: str) -> Entry:
        return await (await self._opened().history()).get(await self.viewer(person), _id(job_id))

    async def latest(self, person: Person, *, limit: int) -> Sequence[Entry]:
        """One's own jobs that ended, however they did, newest first."""
        return await (await self._opened().history()).latest(await self.viewer(person), limit=limit)

    async def owns(self, person: Person | None, entry: Entry) -> bool:
        return entry.own(await self.viewer(person))

    async def publish(self, person: Person, job_id: str) -> Entry:
        """Show one's own object to everybody; doing so twice is the same."""
        return await (await self._opened().history()).publish(await self.viewer(person), _id(job_id), on=True)

    async def unpublish(self, person: Person, job_id: str) -> Entry:
        return await (await self._opened().history()).publish(await self.viewer(person), _id(job_id), on=False)

    async def report(self, person: Person, job_id: str, reason: str) -> Entry:
        """Tell the admins of somebody else's public object. One's later word replaces the earlier one."""
        reason = clean(reason)[:LONGEST_REASON]
        if not reason:
            raise InvalidRequestError([Problem("reason", "is needed: what is wrong with it?")])
        viewer = await self.viewer(person)
        history = await self._opened().history()
        return await history.report(viewer, person.requester.identity, _id(job_id), reason)

    async def rerun(self, person: Person, job_id: str) -> Again:
        """The request that makes an object again, with the seed that was used: for the ordinary intake. One's own
        stays as private as it was.

        Raises UnknownKindError where its kind is gone, and InvalidRequestError for what was made from another's file.
        """
        entry = await self.entry(person, job_id)
        own, kind = await self.owns(person, entry), self._kinds[entry.kind]
        return Again(kind, raw_of(kind, entry, own=own), own and entry.private)

    async def reports(self, person: Person) -> Sequence[Report]:
        """What people said of public objects, and no admin has settled, oldest first. Raises NotAllowedError."""
        self._check(person)
        return await (await self._opened().history()).reports()

    async def hide(self, person: Person, job_id: str, on: bool, reason: str = "") -> None:
        """Take a public object from everybody's sight but its owner's, or give it back, and settle its reports.
        Written into the audit log. Raises NotAllowedError."""
        self._check(person)
        await (await self._opened().history()).settle(_id(job_id), hide=on)
        await self._noted(person, "hide" if on else "unhide", job_id, reason)

    async def settle(self, person: Person, job_id: str, reason: str = "") -> None:
        """Leave an object as it is, whatever was reported. Raises NotAllowedError."""
        self._check(person)
        await (await self._opened().history()).settle(_id(job_id))
        await self._noted(person, "settle", job_id, reason)

    async def kept(self, person: Person, job_id: str) -> Entry:
        """Anybody's job, for the admin who has the files in their hands anyway. Raises NotAllowedError."""
        self._check(person)
        return await (await self._opened().history()).kept(_id(job_id))

    def _opened(self) -> Memory:
        if self._memory is None:
            raise HistoryClosedError
        return self._memory

    def _check(self, person: Person) -> None:
        if person not in self._admins:
            raise NotAllowedError

    async def _noted(self, person: Person, action: str, job_id: str, reason: str) -> None:
        async with queue_open():
            await self._steering.note(action, _id(job_id), by=person.requester.identity, reason=clean(reason))


def raw_of(kind: AnyKind, entry: Entry, *, own: bool) -> dict[str, Given]:
    """The parameters as a request takes them. Raises InvalidRequestError."""
    files, known = {each.name for each in kind.files}, {each.name for each in kind.parameters}
    raw: dict[str, Given] = {}
    for name, value in entry.params.items():
        if value is None or name not in known:  # an earlier version of the kind took it
            continue
        if name not in files:
            raw[name] = value
        elif own:
            raw[name] = Artifact.model_validate(value)
        else:
            raise InvalidRequestError([Problem(name, "is a file of whoever asked for it. Send one of your own.")])
    if entry.seed is not None and "seed" in known:
        raw["seed"] = entry.seed
    return raw


def _id(job_id: str) -> str:
    return job_id.strip().lower()[:32]
