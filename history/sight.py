"""Who sees which objects, as a condition on `jobs`: the same rule as `Entry.shown_to`, in SQL."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, or_

from frontdesk.history.entries import Viewer
from frontdesk.history.schema import jobs

KIND = re.compile(r"[a-z][a-z0-9_-]{0,63}")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Objects that somebody may see: of one kind ("": of any), one's own alone or what is public as well."""

    owners: frozenset[str]
    kind: str = ""
    public: bool = True

    @classmethod
    def by(cls, viewer: Viewer, kind: str = "", *, mine: bool = False) -> Wanted:
        return cls(viewer.identities, kind, not mine)

    @property
    def possible(self) -> bool:
        """Whether there can be any at all."""
        return (self.public or bool(self.owners)) and (not self.kind or KIND.fullmatch(self.kind) is not None)

    def condition(self) -> ColumnElement[bool]:
        own = jobs.c.owner.in_(sorted(self.owners))
        public = and_(jobs.c.published_at.is_not(None), jobs.c.hidden.is_(False))
        seen = and_(jobs.c.made.is_(True), or_(public, own) if self.public else own)
        return and_(seen, jobs.c.kind == self.kind) if self.kind else seen
