"""What the courier asks of a platform, and how a platform says no."""

from __future__ import annotations

from typing import Protocol

from frontdesk.bots.parcels import Room
from frontdesk.bots.replies import Reply
from frontdesk.queue.errors import FrontdeskError
from frontdesk.queue.jobs import Platform, ReplyAddress


class UndeliverableError(FrontdeskError):
    """The requester cannot be reached: a deleted channel, a blocked bot, closed DMs. The text is the reason."""


class TryLaterError(FrontdeskError):
    """The platform wants a pause, or did not answer. `seconds` until the next try; only this chat waits."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"again in {seconds:g} s")
        self.seconds = seconds


class Deliverer(Protocol):
    """One platform's way to show a reply. Both methods that do raise UndeliverableError and TryLaterError."""

    platform: Platform

    def pace(self, address: ReplyAddress) -> float:
        """Seconds to leave between two edits of tickets in this chat."""

    def room(self, address: ReplyAddress) -> Room:
        """What it takes in that chat, as far as it is known."""

    async def deliver(self, address: ReplyAddress, job_id: str, reply: Reply, *, late: bool) -> None:
        """Turn the placeholder into the answer, or send it anew where that cannot be. Repeating it must do no harm
        where the platform allows that. The reply's parcels go with it; those that do not fit after all, or are missing,
        are told of.

        late: the requester has turned to something else by now, and should be rung.
        """

    async def update(self, address: ReplyAddress, job_id: str, reply: Reply) -> None:
        """Edit the placeholder; never sends anything new. The reply may bring a picture, or say that the one stays."""
