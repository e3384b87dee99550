"""What the page keeps in a browser, and the tokens of its forms: signed, so that none can be made up or changed.

HMAC-SHA256 (RFC 2104) under one key, with a purpose in front of what is signed, so that no signature is good for
anything else.
"""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Mapping

SESSION, VISIT, SAID = "session", "visit", "said"
MAX_COOKIES = 4096  # bytes of a Cookie header that are read; ours take 300
FORM = "frontdesk form 1"


class Signer:
    """Signs and checks with one key; made once."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def signed(self, purpose: str, value: str) -> str:
        """ "VALUE.SIGNATURE"; the value holds no dot."""
        return f"{value}.{self._signature(purpose, value)}"

    def read(self, purpose: str, text: str) -> str | None:
        """The value that `signed` was given for that purpose; None for anything else."""
        value, _, signature = text.partition(".")
        right = self._signature(purpose, value)
        return value if hmac.compare_digest(right.encode(), signature.encode("utf-8", "replace")) else None

    def form_token(self, secret: str) -> str:
        """For the forms of one browser. Different each time, so that a compressed page does not give it away."""
        salt = secrets.token_hex(8)
        return f"{salt}.{self._signature(FORM, f'{salt}.{secret}')}"

    def is_form_token(self, secret: str, token: str) -> bool:
        """Whether a token is one of this browser."""
        salt, _, signature = token.partition(".")
        if not re.fullmatch(r"[0-9a-f]{16}", salt):
            return False
        right = self._signature(FORM, f"{salt}.{secret}")
        return hmac.compare_digest(right.encode(), signature.encode("utf-8", "replace"))

    def _signature(self, purpose: str, value: str) -> str:
        return hmac.digest(self._key, f"{purpose}\n{value}".encode("utf-8", "replace"), "sha256").hex()


class Jar:
    """The cookies of one site. secure: its address begins with https."""

    def __init__(self, signer: Signer, *, secure: bool) -> None:
        self._signer = signer
        self._secure = secure
        # "__Host-": a browser takes it from this very host alone, over https.
        self._prefix = "__Host-frontdesk-" if secure else "frontdesk-"

    def value(self, name: str, cookies: Mapping[str, str]) -> str | None:
        """What a cookie of ours says; None where it is not there, or not as we set it."""
        text = cookies.get(self._prefix + name, "")
        return self._signer.read(f"frontdesk cookie {name} 1", text) if text and len(text) < MAX_COOKIES else None

    def header(self, name: str, value: str, lasts: int) -> str:
        """A Set-Cookie header's value. lasts: seconds; 0 removes the cookie."""
        text = self._signer.signed(f"frontdesk cookie {name} 1", value) if lasts else ""
        secure = "; Secure" if self._secure else ""
        return f"{self._prefix}{name}={text}; Path=/; Max-Age={lasts}; HttpOnly; SameSite=Lax{secure}"
