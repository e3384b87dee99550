"""`/admin ACTION ARGUMENT ...` as it is typed at a terminal or in Telegram."""

from __future__ import annotations

import re

from frontdesk.bots.admin_actions import ACTIONS, Action
from frontdesk.bots.administration import Administration, action_named
from frontdesk.bots.people import Person
from frontdesk.bots.replies import Code, Reply, line
from frontdesk.queue.errors import InvalidRequestError, Problem

NAMED = re.compile(r"(?:discord|telegram|console):\S+", re.IGNORECASE)


async def told(admin: Administration, person: Person, text: str, author: str | None = None) -> Reply:
    """Answer what stands behind `/admin`; nothing there lists the actions.

    author: requester key of whoever wrote the message that this one replies to. Raises UserError.
    """
    await admin.check(person)
    if not text.strip():
        return actions_reply()
    name, rest = (*text.split(maxsplit=1), "")[:2]
    action = action_named(name)
    return (await admin.perform(person, action.name, arguments(action, rest, author))).reply


def arguments(action: Action, text: str, author: str | None = None) -> dict[str, str]:
    """Each argument is a word, and a text all that is left. Raises InvalidRequestError for words that nobody wants.

    A person need not be named in a reply to a message of theirs; there only a whole key ("telegram:456") names another.
    """
    given: dict[str, str] = {}
    rest = text.strip()
    for argument in action.arguments:
        if argument.sort == "person" and author and not NAMED.match(rest):
            given[argument.name] = author
        elif argument.sort == "text":
            given[argument.name], rest = rest, ""
        else:
            given[argument.name], rest = (*rest.split(maxsplit=1), "", "")[:2]
    if rest:
        raise InvalidRequestError([Problem("", f"That is too much. Say: {action.usage}")])
    return given


def actions_reply() -> Reply:
    """All that admins can do."""
    return Reply(tuple(line(Code(f"/admin {action.usage}"), f" {action.summary}") for action in ACTIONS.values()))
