"""`frontdesk ask --remote URL`: the same question, put to a desk elsewhere through its HTTP door."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

from frontdesk.bots.asking import Answer, Exit, arguments, told
from frontdesk.bots.on_console_files import written
from frontdesk.bots.on_console_render import Screen
from frontdesk.bots.on_console_uploads import local_file
from frontdesk.bots.parsing import split_private
from frontdesk.bots.remote import Client, Job, Kind, Progress, RemoteError, Ticket, UnreachableDeskError
from frontdesk.bots.replies import Block, Reply, Rows, duration, line, outcome_reply, say
from frontdesk.queue.errors import ConfigurationError, UserError
from frontdesk.queue.jobs import Outcome
from frontdesk.queue.kinds import Registry
from frontdesk.queue.parameters import Parameter, Value
from frontdesk.queue.settings import Settings

SNAPSHOT = 1.0  # seconds between two lines of progress


@dataclass(frozen=True)
class Takes:
    """A kind's parameters as the desk there declares them."""

    name: str
    parameters: tuple[Parameter, ...]
    subject: Parameter | None


def key_of(settings: Settings, path: Path | None) -> str:
    """From a file, or from the settings; never from the command line, which others can see. Raises
    ConfigurationError."""
    if path is not None:
        try:
            return path.read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError):
            raise ConfigurationError(f"{path} cannot be read.") from None
    if settings.api_key is None:
        raise ConfigurationError("Set FRONTDESK_API_KEY, or give --key-file; /apikey in a chat makes a key.")
    return settings.api_key.get_secret_value()


async def ask_remote(
    client: Client,
    name: str,
    words: Iterable[str],
    *,
    piped: bytes = b"",
    within: float | None,
    as_json: bool,
    out: Screen,
    err: Screen,
    folder: Path | None = None,
) -> Exit:
    """As `asking.ask`, with the same answers and exit statuses."""
    try:
        answer, reply = await _answered(client, name, words, piped, within, err, folder or Path())
    except RemoteError as error:
        status = "closed" if error.problem.status >= 500 else "refused"
        answer = Answer(name, status, reason=str(error), retry_after=error.problem.retry_after)
        wait = "" if answer.retry_after is None else f" You can ask again in {duration(answer.retry_after)}."
        reply = say(f"{error}{wait}")
    except (UserError, UnreachableDeskError) as error:
        answer = Answer(name, "refused" if isinstance(error, UserError) else "closed", reason=str(error))
        reply = say(str(error))
    return told(answer, reply, as_json=as_json, out=out, err=err)


async def _answered(
    client: Client, name: str, words: Iterable[str], piped: bytes, within: float | None, err: Screen, folder: Path
) -> tuple[Answer, Reply]:
    kind = await client.kind(name)
    raw, private = split_private(arguments(takes(kind), words, piped))
    files = {file.name: local_file(file.name, str(raw.pop(file.name))) for file in kind.files if raw.get(file.name)}
    given: dict[str, Value | None] = {key: value for key, value in raw.items() if isinstance(value, str | int | float)}
    ticket = await client.submit(name, given, files=files, private=private)
    try:
        async with asyncio.timeout(within):
            job = await _followed(client, ticket, err)
    except (TimeoutError, asyncio.CancelledError) as error:
        with suppress(RemoteError, UnreachableDeskError):
            await client.cancel(ticket.id)
        if isinstance(error, asyncio.CancelledError):
            raise
        reason = f"There was no answer within {within:g} s; {ticket.id} was cancelled."
        return Answer(name, "timeout", ticket.id, reason=reason), say(reason)
    return await _told(client, job, folder)


async def _followed(client: Client, ticket: Ticket, err: Screen) -> Job:
    following = 0.0
    if err.live or ticket.wait is None:
        err.say(_standing(ticket))
    async for news in client.news(ticket.id):
        if isinstance(news, Job):
            return news
        if isinstance(news, Progress) and time.monotonic() >= following and news.fraction is not None:
            err.say(f"{ticket.kind} {ticket.id}: {news.fraction:.0%} {news.note or ''}".rstrip())
            following = time.monotonic() + SNAPSHOT
    return await client.wait(ticket.id)


def _standing(ticket: Ticket) -> str:
    where = "starting now" if ticket.position == 0 else f"number {ticket.position} in the queue"
    wait = f", starts in about {duration(ticket.wait.p50)}" if ticket.position and ticket.wait else ""
    return f"{ticket.kind} {ticket.id}: {where}{wait}. {ticket.lacking or ''}".rstrip()


async def _told(client: Client, job: Job, folder: Path) -> tuple[Answer, Reply]:
    ended = job.outcome
    if ended is None:
        raise UnreachableDeskError("The desk did not say how the job ended.")
    paths = list[Path]()
    for artifact in await client.artifacts(job.id):
        if artifact.role != "smaller":
            data = await client.download(job.id, artifact)
            name = Path(artifact.name).name or "file"
            paths.append(await asyncio.to_thread(written, folder, name, BytesIO(data)))
    reply = _drawn(job, Outcome.model_validate(ended.model_dump()))
    lines = tuple(line(f"Saved: {path}") for path in paths)
    answer = Answer(
        kind=job.kind,
        status=ended.status,
        job=job.id,
        result=ended.result,
        reason=ended.reason,
        seconds=round(ended.seconds, 3),
        files=tuple(map(str, paths)),
    )
    return answer, Reply((*reply.blocks, *lines))


def _drawn(job: Job, outcome: Outcome) -> Reply:
    """As here, where the kind is installed here, or else its fields."""
    if (kind := Registry.installed().get(job.kind)) is not None or outcome.result is None:
        return outcome_reply(kind, job.id, outcome)
    rows: list[Block] = [Rows(tuple((name, str(value)) for name, value in outcome.result.items()))]
    return Reply((*rows, line(f"{job.kind} {job.id}, {outcome.seconds:.1f} s")))


def takes(kind: Kind) -> Takes:
    """What can be typed, from the kind's schema; the desk there checks what it means."""
    needed = set(kind.params.get("required", ()))
    found = [
        Parameter(name, "text" if _is_text(node) else "choice", str(node.get("description", "")), name in needed)
        for name, node in kind.params.get("properties", {}).items()
    ]
    files = [Parameter(file.name, "file", file.description, file.required) for file in kind.files]
    subject = next((each for each in found if each.required and each.type == "text"), None)
    return Takes(kind.name, (*found, *files), subject)


def _is_text(node: Mapping[str, Any]) -> bool:
    return node.get("type") == "string" and "enum" not in node and "const" not in node
