"""Who is told what happens at a front end: nobody, unless somebody wants to count it."""

from __future__ import annotations

from frontdesk.queue.errors import (
    BannedError,
    DeskClosedError,
    InvalidRequestError,
    LimitedError,
    UnknownKindError,
    UserError,
)

WORDS = "words"  # a plain message
BUTTON = "button"
MENU = "menu"  # an entry in a message's menu


class BotObserver:
    """Hears of requests and deliveries. Does nothing by itself; whoever overrides a method must not raise."""

    def accepted(self, platform: str, kind: str) -> None:
        """A request became a job, for the first time."""

    def refused(self, platform: str, kind: str, rule: str) -> None:
        """A request became no job. `rule`: see `rule_of`."""

    def delivered(self, platform: str, result: str, seconds: float | None) -> None:
        """An outcome's delivery is over: `result` as it is recorded, `seconds` after the job's end where known."""

    def retried(self, platform: str) -> None:
        """A delivery is put off: the platform wants a pause, or did not answer."""

    def commanded(self, platform: str, command: str) -> None:
        """A command was handled: its name without the slash, or one of WORDS, BUTTON and MENU."""


UNOBSERVED = BotObserver()


def rule_of(error: UserError) -> str:
    """What refused a request: the name of a limit, or `invalid`, `unknown_kind`, `banned`, `closed`, `other`."""
    match error:
        case LimitedError():
            return error.rule
        case InvalidRequestError():
            return "invalid"
        case UnknownKindError():
            return "unknown_kind"
        case BannedError():
            return "banned"
        case DeskClosedError():
            return "closed"
    return "other"
