"""Who asks for a page."""

from __future__ import annotations

from dataclasses import dataclass, field

from starlette.requests import Request

from frontdesk.bots.people import Person
from frontdesk.history.entries import Viewer
from frontdesk.queue.errors import DeskClosedError, FrontdeskError, NotAllowedError
from frontdesk.queue.jobs import Requester
from frontdesk.queue.sessions import Session


class NotSignedInError(FrontdeskError):
    """A page is for people who are signed in."""


@dataclass(frozen=True)
class Visitor:
    """Of a passer-by, `session` and `person` are None. `secret`: what the tokens of their forms are bound to, "" where
    the browser has none. `unknown`: whether they are signed in could not be looked up just now."""

    session: Session | None = None
    person: Person | None = None
    admin: bool = False
    secret: str = ""
    unknown: bool = False
    viewer: Viewer = field(default_factory=Viewer)

    def must_be_known(self) -> Person:
        """The person. Raises NotSignedInError; DeskClosedError where that could not be looked up."""
        if self.unknown:
            raise DeskClosedError
        if self.person is None:
            raise NotSignedInError
        return self.person

    def must_be_admin(self) -> Person:
        """The admin. Raises NotAllowedError beside what `must_be_known` raises."""
        person = self.must_be_known()
        if not self.admin:
            raise NotAllowedError
        return person


def alone(requester: Requester) -> Requester:
    """Somebody by themselves, in no group: their tenant as in a private chat with the bot."""
    tenant = requester.key if requester.platform == "console" else requester.user
    return requester.model_copy(update={"tenant": tenant})


def visitor_of(request: Request) -> Visitor:
    """As the site found out when the request came."""
    found = getattr(request.state, "visitor", None)
    return found if isinstance(found, Visitor) else Visitor()


def remember(request: Request, visitor: Visitor) -> None:
    request.state.visitor = visitor


def set_cookie(request: Request, header: str) -> None:
    """Send a Set-Cookie header with whatever answers this request."""
    cookies = getattr(request.state, "cookies", [])
    request.state.cookies = [*cookies, header]
