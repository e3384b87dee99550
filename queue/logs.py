"""Logs: one line an event, JSON when nobody watches; never a user's text, a model's text or a secret."""

from __future__ import annotations

import hashlib
import logging
import re
import sys
import traceback
from collections.abc import Iterator
from typing import Any, Literal

import structlog
from structlog.typing import WrappedLogger

# Libraries that log whole addresses (Telegram's hold the token), payloads or arguments at info.
TALKATIVE = (
    "httpx", "httpcore", "telegram", "discord", "arq", "aiohttp", "transformers", "bitsandbytes", "asyncio", "uvicorn",
)  # fmt: skip
SECRETS = re.compile(
    r"\d{6,12}:[A-Za-z0-9_-]{30,}"  # a Telegram token; in an address it follows "bot" without a break
    r"|[A-Za-z0-9_-]{23,28}\.[A-Za-z0-9_-]{6,7}\.[A-Za-z0-9_-]{27,}"  # a Discord token
    r"|(?<=://)[^/\s\"]*:[^/\s\"]*(?=@)"  # user and password of an address
)


def requester_hash(key: str) -> str:
    """Tells requesters apart in logs without naming them."""
    return hashlib.sha256(key.encode()).hexdigest()[:12]


def masked(text: str) -> str:
    """The text with everything that looks like a token or a password replaced."""
    return SECRETS.sub("***", text)


def frames(error: BaseException) -> list[str]:
    """Where an error and its causes were raised: file, line and function, without their words."""
    return [
        f"{type(one).__name__}: {frame.filename}:{frame.lineno} in {frame.name}"
        for one in _chain(error)
        for frame in traceback.extract_tb(one.__traceback__)
    ]


def configure(style: Literal["auto", "console", "json"], level: str) -> None:
    """Send structlog and the standard library's logging to stderr, in one form."""
    console = style == "console" or (style == "auto" and sys.stderr.isatty())
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    # `locals` of a traceback hold users' texts, so frames are printed without them.
    tail: list[structlog.typing.Processor] = (
        [structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]
        if console
        else [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    )
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *tail, _mask],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in TALKATIVE:
        library = logging.getLogger(name)
        library.setLevel(max(logging.WARNING, root.level))
        library.handlers[:], library.propagate = [], True  # transformers writes past everybody once it is imported


def _mask(_logger: WrappedLogger, _method: str, rendered: Any) -> str:
    """The last step, on the finished line: values of every type and tracebacks are in it."""
    return masked(rendered)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
