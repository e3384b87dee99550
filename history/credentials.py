"""What a key of the HTTP door is: its form, what it may do, and what is derived from it."""

from __future__ import annotations

import base64
import hmac
import re
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from frontdesk.queue.errors import FrontdeskError, UserError
from frontdesk.queue.jobs import ALPHABET

Scope: TypeAlias = Literal["submit", "read", "cancel", "admin"]
SCOPES: tuple[Scope, ...] = get_args(Scope)
USUAL: tuple[Scope, ...] = ("submit", "read", "cancel")

MOST = 10  # keys of a person that can be used
LONGEST_NAME = 40
ID_LENGTH = 10
KEY = re.compile(rf"fd_([{ALPHABET}]{{{ID_LENGTH}}})_([A-Za-z0-9_-]{{43}})")
SIGNING = b"frontdesk webhook 1"  # so that what is derived from a key is good for this alone


class BadKeyError(FrontdeskError):
    """No key of this desk, or one that has been revoked or has expired. Which of it, nobody is told."""


class TooManyKeysError(UserError):
    def __init__(self) -> None:
        super().__init__(f"You have {MOST} keys, which is the most. Revoke one first.")


class NoSuchKeyError(UserError):
    """Also for another's: both read the same."""

    def __init__(self, key_id: str) -> None:
        super().__init__(f"There is no key {key_id[:32]} of yours.")


@dataclass(frozen=True, slots=True)
class ApiKey:
    """What is known of a key. `owner` is an identity such as "discord:1"; times in Unix seconds."""

    id: str
    owner: str
    name: str
    scopes: frozenset[str]
    created_at: float
    expires_at: float | None = None
    used_at: float | None = None
    revoked_at: float | None = None

    def usable(self, now: float) -> bool:
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


def signing_secret(shown: str) -> str:
    """What signs the webhooks of jobs that a key asked for, in the form of Standard Webhooks: "whsec_" and base64.

    HMAC-SHA256 of the key over a fixed text, so that it tells nothing of the key, and the desk keeps neither.
    """
    return "whsec_" + base64.b64encode(hmac.digest(shown.encode(), SIGNING, "sha256")).decode()
