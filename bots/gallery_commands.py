"""`/gallery`, `/search`, `/similar`, `/mine` and what is done with an object, for every front end.

A button's data is a letter for what to do and what it is done to: `o:JOB` opens an object, `p:TOKEN:PAGE` turns a list
to a page, `y`, `n`, `r`, `s`, `h`, `t`, `u` publish, unpublish, rerun, list similar ones by meaning and by shape, ask
what is wrong, report. Where an object was opened from a list, the way back stands behind.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Final

from frontdesk.bots.gallery_replies import REASONS, object_reply, page_reply, report_reply
from frontdesk.bots.listings import PAGES, ForgottenListError, Listing, Listings
from frontdesk.bots.main import Premises
from frontdesk.bots.own_commands import Option, OwnCommand, Said
from frontdesk.bots.packing import LINK_LIFE
from frontdesk.bots.people import Person
from frontdesk.bots.replies import Code, Reply, say
from frontdesk.history.entries import Entry, Page
from frontdesk.queue.connection import LOST
from frontdesk.queue.errors import DeskClosedError, ForgottenAnswerError, StoreError

ON_A_PAGE: Final = 5
LATEST: Final = 3  # of one's own, side by side
JOB: Final = Option("job", "The object's id", required=True)


def gallery_commands(front: Premises) -> list[OwnCommand]:
    """None at a desk that remembers nothing."""
    if not front.desk.showcase.open:
        return []
    gallery = Gallery(front)
    kinds = tuple(kind.name for kind in front.kinds.values() if kind.gallery)[:20]
    what = Option("what", "What to list", choices=("newest", "mine", *kinds))
    by = Option("by", "Alike in what", choices=("meaning", "shape"))
    why = Option("reason", "What is wrong with it", required=True, rest=True)
    text = Option("text", "Words, or what it is about", required=True, rest=True)
    return [
        OwnCommand("gallery", "What was made here", gallery.gallery, (what,), press=gallery.press),
        OwnCommand("search", "Find what was made, by words and meaning", gallery.search, (text,)),
        OwnCommand("similar", "What is like an object", gallery.similar, (JOB, by)),
        OwnCommand("mine", "Your last three objects side by side", gallery.mine, secret=True),
        OwnCommand("publish", "Show one of your objects to everybody", gallery.publish, (JOB,)),
        OwnCommand("unpublish", "Keep one of your objects to yourself again", gallery.unpublish, (JOB,)),
        OwnCommand("report", "Tell the admins what is wrong with an object", gallery.report, (JOB, why), secret=True),
        OwnCommand("rerun", "Make an object again, from its receipt", gallery.rerun, (JOB,)),
    ]


class Gallery:
    """What the commands answer. Raises UserError subclasses only."""

    def __init__(self, front: Premises) -> None:
        self._front = front
        self._desk = front.desk
        self._show = front.desk.showcase
        self._listings = Listings(front.redis)

    async def gallery(self, person: Person, given: Mapping[str, str]) -> Reply:
        what = given.get("what", "newest")
        if what == "mine":
            return await self._list(person, Listing(of="mine"))
        return await self._list(person, Listing(of="gallery", kind="" if what == "newest" else what))

    async def search(self, person: Person, given: Mapping[str, str]) -> Reply:
        return await self._list(person, Listing(of="search", text=given["text"]))

    async def similar(self, person: Person, given: Mapping[str, str]) -> Reply:
        return await self._similar(person, given["job"], shape=given.get("by") == "shape")

    async def _similar(self, person: Person, job_id: str, *, shape: bool) -> Reply:
        entry = await self._show.entry(person, job_id)
        return await self._list(person, Listing(of="shape" if shape else "meaning", job=entry.id))

    async def mine(self, person: Person, given: Mapping[str, str]) -> Reply:
        """Without ways to turn the page: it is the last three."""
        page = await self._show.page(person, mine=True, limit=LATEST)
        listing = Listing(of="mine")
        shown = page_reply(listing, await self._keep(person, listing), 0, Page(page.entries), self._desk.clock())
        return replace(shown, album=True)

    async def publish(self, person: Person, given: Mapping[str, str]) -> Reply:
        return await self._object(person, await self._show.publish(person, given["job"]))

    async def unpublish(self, person: Person, given: Mapping[str, str]) -> Reply:
        return await self._object(person, await self._show.unpublish(person, given["job"]))

    async def report(self, person: Person, given: Mapping[str, str]) -> Reply:
        entry = await self._show.report(person, given["job"], given["reason"])
        return say("Thank you. The admins of this desk will look at ", Code(entry.id), ".")

    async def rerun(self, person: Person, given: Mapping[str, str]) -> Said:
        return await self._show.rerun(person, given["job"])

    async def press(self, person: Person, data: str) -> Said:
        """Any of the buttons. Raises ForgottenAnswerError for what none of them says."""
        act, _, rest = data.partition(":")
        if act == "p":
            token, _, number = rest.partition(":")
            return await self._turned(person, token, number)
        if act == "u":
            number, _, rest = rest.partition(":")
            return await self._reported(person, rest.partition(":")[0], number)
        job_id, _, way_back = rest.partition(":")
        acts: dict[str, Callable[[], Awaitable[Said]]] = {
            "o": lambda: self._opened(person, job_id, way_back),
            "y": lambda: self._published(person, job_id, way_back, on=True),
            "n": lambda: self._published(person, job_id, way_back, on=False),
            "r": lambda: self._show.rerun(person, job_id),
            "s": lambda: self._similar(person, job_id, shape=False),
            "h": lambda: self._similar(person, job_id, shape=True),
            "t": lambda: self._asked_why(person, job_id, way_back),
        }
        if act not in acts or not job_id:
            raise ForgottenAnswerError
        return await acts[act]()

    async def _opened(self, person: Person, job_id: str, way_back: str = "") -> Reply:
        return await self._object(person, await self._show.entry(person, job_id), way_back)

    async def _published(self, person: Person, job_id: str, way_back: str, *, on: bool) -> Reply:
        change = self._show.publish if on else self._show.unpublish
        return await self._object(person, await change(person, job_id), way_back)

    async def _asked_why(self, person: Person, job_id: str, way_back: str) -> Reply:
        return report_reply(await self._show.entry(person, job_id), way_back)

    async def _reported(self, person: Person, job_id: str, number: str) -> Reply:
        if not (number.isascii() and number.isdigit() and int(number) < len(REASONS)):
            raise ForgottenAnswerError
        return await self.report(person, {"job": job_id, "reason": REASONS[int(number)]})

    async def _object(self, person: Person, entry: Entry, way_back: str = "") -> Reply:
        own = await self._show.owns(person, entry)
        links = await self._links(entry)
        return object_reply(self._front.kinds.get(entry.kind), entry, own=own, way_back=way_back, links=links)

    async def _links(self, entry: Entry) -> dict[str, str]:
        """Where the files can be fetched for a day, at a desk that serves them."""
        found, store, links = dict[str, str](), self._front.store, self._front.links
        for artifact in [file.artifact for file in entry.files if file.role == "file"]:
            try:
                address = await asyncio.to_thread(store.signed, artifact, LINK_LIFE) if store else None
            except StoreError:
                return found
            if address := address or (links.address(entry.id, artifact, LINK_LIFE) if links else None):
                found[artifact.name] = address
        return found

    # Lists

    async def _list(self, person: Person, listing: Listing) -> Reply:
        return await self._paged(person, listing, await self._keep(person, listing), 0)

    async def _turned(self, person: Person, token: str, number: str) -> Reply:
        """A page of a list; of one that was not reached yet, as after a restart of an older bot, nothing is known."""
        try:
            listing = await self._listings.read(person, token[:16])
        except LOST:
            raise DeskClosedError from None
        place = int(number) if number.isascii() and number.isdigit() and len(number) < 4 else -1
        if not 0 <= place < len(listing.cursors):
            raise ForgottenListError
        return await self._paged(person, listing, token, place)

    async def _paged(self, person: Person, listing: Listing, token: str, number: int) -> Reply:
        page = await self._page(person, listing, listing.cursors[number])
        if number + 1 >= PAGES:
            page = Page(page.entries)
        if page.after and number + 1 == len(listing.cursors):
            longer = listing.model_copy(update={"cursors": (*listing.cursors, page.after)})
            await self._keep(person, longer, token)
        return page_reply(listing, token, number, page, self._desk.clock())

    async def _page(self, person: Person, listing: Listing, after: str | None) -> Page:
        """Where others listen, only what anybody sees is found or listed, but for a list of one's own."""
        shared = in_company(person)
        match listing.of:
            case "search":
                who = None if shared else person
                return await self._show.search(who, listing.text, limit=ON_A_PAGE, after=after)
            case "meaning" | "shape":
                return await self._show.similar(
                    person, listing.job, listing.of, public=shared, limit=ON_A_PAGE, after=after
                )
        mine = listing.of == "mine"
        return await self._show.page(person, mine=mine, kind=listing.kind, limit=ON_A_PAGE, after=after)

    async def _keep(self, person: Person, listing: Listing, token: str = "") -> str:
        try:
            return await self._listings.keep(person, listing, token)
        except LOST:
            raise DeskClosedError from None


def in_company(person: Person) -> bool:
    """Whether the place where they ask is not theirs alone."""
    requester = person.requester
    return requester.tenant not in (requester.user, requester.key)
