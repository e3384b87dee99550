"""Who stands at the desk, and who of them is an admin."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from frontdesk.queue.accounts import Linked
from frontdesk.queue.jobs import Requester


@dataclass(frozen=True, slots=True)
class Person:
    """Who stands at the desk: the requester, the platform's roles they hold (Discord role ids), and all of their
    identities ("discord:1", "telegram:2"): at first the one with which they came; the desk finds the others."""

    requester: Requester
    roles: frozenset[str] = frozenset()
    identities: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        object.__setattr__(self, "identities", self.identities | {self.requester.identity})

    def linked(self, all_of_them: Linked) -> Person:
        """The same, with all of their identities."""
        account = "" if all_of_them.account == self.requester.identity else all_of_them.account
        requester = self.requester.model_copy(update={"account": account})
        return replace(self, requester=requester, identities=all_of_them.identities)


@dataclass(frozen=True)
class Admins:
    """Identities ("discord:1") and Discord role ids whose holders are admins: any identity of a person will do."""

    users: frozenset[str] = frozenset()
    roles: frozenset[str] = field(default_factory=frozenset)

    def __contains__(self, person: object) -> bool:
        if not isinstance(person, Person):
            return False
        by_role = person.requester.platform == "discord" and bool(person.roles & self.roles)
        return by_role or bool(person.identities & self.users)
