"""Versioned JSON: the only thing Frontdesk writes to Redis or reads from it. Nothing is ever unpickled."""

from __future__ import annotations

import json
from typing import Any, TypeVar

from pydantic import ValidationError

from frontdesk.queue.errors import CorruptMessageError
from frontdesk.queue.jobs import Wire

VERSION = 1
W = TypeVar("W", bound=Wire)


def encode(message: Wire) -> bytes:
    """What is as it is by default is left out: thousands of these wait in memory."""
    return dump({"v": VERSION, "d": message.model_dump(mode="json", exclude_defaults=True)})


def decode(model: type[W], data: bytes | str) -> W:
    """Raises CorruptMessageError, whose text names the model but quotes nothing of the data."""
    try:
        envelope = load(data)
        if envelope["v"] != VERSION:
            raise CorruptMessageError(f"A {model.__name__} was written by another version than {VERSION}.")
        return model.model_validate(envelope["d"])
    except (KeyError, TypeError, ValidationError):
        raise CorruptMessageError(f"A {model.__name__} in Redis cannot be read.") from None


def dump(value: Any) -> bytes:
    """JSON for arq as well: an exception, which arq puts where a result would be, becomes its type's name."""
    return json.dumps(value, default=_named, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode(
        "utf-8", "surrogatepass"
    )


def load(data: bytes | str) -> Any:
    try:
        return json.loads(data.decode("utf-8", "surrogatepass") if isinstance(data, bytes) else data)
    except (ValueError, RecursionError):
        raise CorruptMessageError("A message in Redis is not JSON.") from None


def _named(value: object) -> object:
    if isinstance(value, BaseException):
        return {"error": type(value).__name__}
    raise TypeError(f"{type(value).__name__} does not go over the wire")
