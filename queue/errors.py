"""Everything Frontdesk raises on purpose: one small tree.

What derives from `UserError` may be shown to whoever asked, word for word; all else is for the log.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

LISTED = 12  # names in a sentence that says what there is


class FrontdeskError(Exception):
    """The root: catch this to catch all of ours."""


class DeclarationError(FrontdeskError):
    """A kind was declared in a way that some platform could not show, or twice."""


class ConfigurationError(FrontdeskError):
    """A setting is wrong. The text is one line that says which and what would be right."""


class CorruptMessageError(FrontdeskError):
    """Something read from Redis is not what this version writes."""


class UserError(FrontdeskError):
    """Expected, and phrased for the person who asked."""


class UnknownKindError(UserError, KeyError):
    """Also a KeyError, so that the registry is an ordinary mapping."""

    def __init__(self, name: str, known: Sequence[str]) -> None:
        self.sentence = f"There is no kind called {name[:32]!r}. Known: {', '.join(sorted(known))}."
        super().__init__(self.sentence)

    def __str__(self) -> str:
        return self.sentence  # KeyError would show its repr


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a request: the parameter's name ("" for the whole) and a sentence without it."""

    parameter: str
    sentence: str

    def __str__(self) -> str:
        return f"{self.parameter}: {self.sentence}" if self.parameter else self.sentence


class InvalidRequestError(UserError):
    """The parameters do not fit the declaration."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(" ".join(str(problem) for problem in problems))
        self.problems = tuple(problems)


class LimitedError(UserError):
    """A limit refuses the request for now.

    `retry_after` is in seconds from now; None means that waiting alone does not help
    (a job of one's own must finish, or the request is larger than the limit).
    """

    def __init__(self, rule: str, sentence: str, retry_after: float | None) -> None:
        super().__init__(sentence)
        self.rule = rule
        self.retry_after = retry_after


class NoSuchJobError(UserError):
    """The job does not exist, or is not the asker's: both read the same, so that ids reveal nothing."""

    def __init__(self, job_id: str) -> None:
        super().__init__(f"There is no job {job_id} of yours.")


class ForgottenAnswerError(UserError):
    """Somebody goes on from an answer that the queue no longer has."""

    def __init__(self) -> None:
        super().__init__("That answer is no longer remembered here. Please ask anew with a command.")


class OthersAnswerError(UserError):
    def __init__(self) -> None:
        super().__init__("These buttons are for whoever asked. You can ask for one of your own.")


class NoSuchObjectError(UserError):
    """There is no such object, or it is another's and not published: both read the same, so that ids reveal nothing."""

    def __init__(self, job_id: str) -> None:
        super().__init__(f"There is no object {job_id[:32]} that you can see.")


class NotAllowedError(UserError):
    def __init__(self) -> None:
        super().__init__("Only admins of this desk can do that.")


class BannedError(UserError):
    """An admin has shut the desk to this person."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"You may not ask here: {reason}" if reason else "You may not ask here.")


class UnknownTargetError(UserError):
    """What an admin named is not there; the sentence says what is."""

    def __init__(self, sentence: str, known: Sequence[str], name: str = "Known") -> None:
        listed = ", ".join(known[:LISTED]) + (", ..." if len(known) > LISTED else "")
        super().__init__(f"{sentence} {name}: {listed}." if known else sentence)


class StoreError(FrontdeskError):
    """The store of files cannot be reached, or refuses. The text says no more than that."""


class FileGoneError(UserError):
    """A file is not in the store any more."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} is no longer kept.")


class FileDamagedError(UserError):
    """What the store has under a file's hash is not that file."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} was damaged where it was kept.")


class FileTooLargeError(UserError):
    """`size` and `limit` in bytes."""

    def __init__(self, name: str, size: int, limit: int) -> None:
        super().__init__(f"{name} has {size / 1e6:,.1f} MB; at most {limit / 1e6:,.1f} MB can be kept.")
        self.size = size
        self.limit = limit


class ArchiveError(UserError):
    """An uploaded archive is not opened; nothing of it was kept."""


class DeskClosedError(UserError):
    """Redis cannot be reached just now."""

    def __init__(self) -> None:
        super().__init__("The desk is closed for a moment: its queue cannot be reached. Please try again in a minute.")


class HistoryClosedError(UserError):
    """The database cannot be reached just now. The queue goes on without it."""

    def __init__(self) -> None:
        super().__init__("The desk's memory cannot be reached just now. Please try again in a minute.")


class FilesClosedError(DeskClosedError):
    """The store of files cannot be reached, or this machine has no room for them: what comes with a file is refused."""

    def __init__(self) -> None:
        UserError.__init__(self, "The desk cannot take files just now. Please try again in a minute.")
