"""Who stands at the desk, and who of them is an admin."""

from __future__ import annotations

from dataclasses import dataclass, field

from frontdesk.queue.jobs import Requester


@dataclass(frozen=True, slots=True)
class Person:
    """Who stands at the desk: the requester, and the platform's roles they hold (Discord role ids)."""

    requester: Requester
    roles: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Admins:
    """Requester keys ("discord:1") and Discord role ids whose holders are admins."""

    users: frozenset[str] = frozenset()
    roles: frozenset[str] = field(default_factory=frozenset)

    def __contains__(self, person: object) -> bool:
        if not isinstance(person, Person):
            return False
        by_role = person.requester.platform == "discord" and bool(person.roles & self.roles)
        return by_role or person.requester.key in self.users
