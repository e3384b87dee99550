"""What the public pages ask of the desk: `bots.showcase` answers it, for a person or for a passer-by (None)."""

from __future__ import annotations

from typing import Literal, Protocol

from frontdesk.bots.people import Person
from frontdesk.bots.variants import Again
from frontdesk.history.entries import Entry, Page, Viewer

By = Literal["meaning", "shape"]


class Shows(Protocol):
    """Raises UserErrors alone: NoSuchObjectError for what is not there or not theirs to see, HistoryClosedError."""

    async def viewer(self, person: Person | None) -> Viewer: ...

    async def page(
        self, person: Person | None, *, mine: bool = False, kind: str = "", limit: int = 12, after: str | None = None
    ) -> Page: ...

    async def search(
        self,
        person: Person | None,
        text: str,
        *,
        kind: str = "",
        mine: bool = False,
        limit: int = 12,
        after: str | None = None,
    ) -> Page: ...

    async def similar(self, person: Person | None, job_id: str, by: By = "meaning", *, limit: int = 12) -> Page: ...

    async def entry(self, person: Person | None, job_id: str) -> Entry: ...

    async def publish(self, person: Person, job_id: str) -> Entry: ...

    async def unpublish(self, person: Person, job_id: str) -> Entry: ...

    async def report(self, person: Person, job_id: str, reason: str) -> Entry: ...

    async def rerun(self, person: Person, job_id: str) -> Again: ...
