"""`/web`: a link that signs the person who asks in to the web page."""

from __future__ import annotations

from collections.abc import Mapping

from frontdesk.bots.intake import queue_open
from frontdesk.bots.main import Premises
from frontdesk.bots.own_commands import OwnCommand
from frontdesk.bots.people import Person
from frontdesk.bots.replies import Link, Reply, line
from frontdesk.queue.sign_in import LASTS, SignIns


def web_commands(front: Premises) -> list[OwnCommand]:
    """The commands of the web page."""
    sign_ins, base = SignIns(front.redis), front.settings.web_address

    async def web(person: Person, given: Mapping[str, str]) -> Reply:
        async with queue_open():
            secret = await sign_ins.give(person.requester)
        return Reply(
            (
                line(Link("Sign in to the web page", f"{base}/sign-in/{secret}")),
                line(f"The link works once, within {LASTS // 60} minutes, and signs in as you: give it to nobody."),
            )
        )

    return [OwnCommand("web", "A link that signs you in to the web page", web, secret=True)]
