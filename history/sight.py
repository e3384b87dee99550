"""Which objects somebody may find, as plain data and as a condition on `jobs`."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, true

from frontdesk.history.entries import Viewer
from frontdesk.history.history import own, shown_to
from frontdesk.history.schema import jobs

KIND = re.compile(r"[a-z][a-z0-9_-]{0,63}")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Objects that a viewer may see: of one kind ("": of any), the viewer's own alone or all of them."""

    viewer: Viewer
    kind: str = ""
    mine: bool = False

    @property
    def owners(self) -> frozenset[str]:
        return self.viewer.identities

    @property
    def public(self) -> bool:
        """Whether those of others count."""
        return not self.mine

    @property
    def possible(self) -> bool:
        """Whether there can be any at all."""
        return (self.public or bool(self.owners)) and (not self.kind or KIND.fullmatch(self.kind) is not None)

    def condition(self) -> ColumnElement[bool]:
        seen = own(self.viewer) if self.mine else shown_to(self.viewer)
        return and_(jobs.c.made.is_(True), seen, jobs.c.kind == self.kind if self.kind else true())
