"""A client of the HTTP door, for programs: `async with Client(url, key) as desk: job = await desk.run("write", ...)`.

It needs neither Redis nor a bot's libraries. What a request comes to is data; what is refused raises RemoteError with
the problem. Every request is sent again where the connection or the desk fails for a moment; a submission under an
`Idempotency-Key` of its own, so that it counts once.
"""

from __future__ import annotations

import asyncio
import json
import random
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx
from pydantic import BaseModel, ConfigDict, ValidationError

from frontdesk.queue.errors import FrontdeskError
from frontdesk.queue.parameters import Value

TRIES = 5
FIRST, LONGEST = 0.5, 15.0  # seconds between two tries
POLL = 30.0  # seconds of one long poll
SLACK = 15.0  # seconds that an answer may take beyond that
AGAIN = frozenset({429, 502, 503, 504})


class Data(BaseModel):
    """What a later desk says beyond this is passed over."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Wait(Data):
    p50: float
    p90: float | None = None


class Ticket(Data):
    """A job that was accepted. `position` 1 is next; `wait` in seconds, None while nobody can run it."""

    id: str
    kind: str
    position: int
    wait: Wait | None = None
    paused: bool = False
    lacking: str | None = None
    answered: bool = False


class Progress(Data):
    fraction: float | None = None
    text: str | None = None
    note: str | None = None
    waiting: bool = False


class Outcome(Data):
    """`status`: done, failed, cancelled or expired. `seconds` that it ran, `gpu_seconds` of its device."""

    status: str
    result: Mapping[str, Any] | None = None
    reason: str | None = None
    seconds: float = 0.0
    gpu_seconds: float = 0.0


class Job(Data):
    """A job; `outcome` once it has ended. Times in Unix seconds."""

    id: str
    kind: str
    state: str
    submitted_at: float
    started_at: float | None = None
    finished_at: float | None = None
    position: int | None = None
    wait: Wait | None = None
    progress: Progress | None = None
    outcome: Outcome | None = None

    @property
    def ended(self) -> bool:
        return self.state not in ("waiting", "running")


class Artifact(Data):
    """A file of a job. `size` in bytes; `role`: preview, still, file, smaller."""

    name: str
    role: str
    size: int
    media_type: str
    sha256: str


class File(Data):
    """A parameter that is a file."""

    name: str
    description: str
    required: bool
    max_bytes: int


class Kind(Data):
    """`params` and `result` are JSON schemas."""

    name: str
    summary: str
    params: Mapping[str, Any]
    files: tuple[File, ...] = ()
    result: Mapping[str, Any] = {}


class Problem(Data):
    """Problem details (RFC 9457)."""

    type: str = "about:blank"
    title: str = ""
    status: int
    detail: str = ""
    rule: str | None = None
    retry_after: float | None = None


class RemoteError(FrontdeskError):
    """The desk refused a request; `problem` says why."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.detail or problem.title)
        self.problem = problem


class UnreachableDeskError(FrontdeskError):
    """There is no desk at that address, or its answer is none."""


D = TypeVar("D", bound=Data)


class Client:
    """url: the desk's, such as https://desk.example.org. key: as `/apikey new` showed it.

    All methods raise RemoteError, and UnreachableDeskError.
    """

    def __init__(
        self,
        url: str,
        key: str,
        *,
        tries: int = TRIES,
        transport: httpx.AsyncBaseTransport | None = None,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._http = httpx.AsyncClient(
            base_url=f"{url.rstrip('/').removesuffix('/api/v1')}/api/v1",
            headers={"Authorization": f"Bearer {key}", "User-Agent": "frontdesk"},
            timeout=httpx.Timeout(SLACK, read=POLL + SLACK),
            transport=transport,
        )
        self._tries = tries
        self._pause = pause

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        await self._http.aclose()

    async def kind(self, name: str) -> Kind:
        """What a kind takes and gives."""
        return await self._get(Kind, f"/kinds/{name}")

    async def submit(
        self,
        kind: str,
        params: Mapping[str, Value | None] | None = None,
        *,
        files: Mapping[str, Path] | None = None,
        private: bool = False,
        publish: bool | None = None,
        webhook: str | None = None,
        idempotency_key: str | None = None,
    ) -> Ticket:
        """Ask for a job; `files` by the names of their parameters. Raises OSError for a file that cannot be read."""
        asked = {"kind": kind, "params": dict(params or {}), "private": private, "publish": publish, "webhook": webhook}
        headers = {"Idempotency-Key": idempotency_key or secrets.token_urlsafe(16)}

        async def send() -> httpx.Response:
            if not files:
                return await self._http.post("/jobs", json=asked, headers=headers)
            async with AsyncExitStack() as stack:  # opened for each try: the last one may have read a part
                parts = {name: stack.enter_context(path.open("rb")) for name, path in files.items()}
                return await self._http.post("/jobs", data={"job": json.dumps(asked)}, files=parts, headers=headers)

        return _read(Ticket, await self._insistently(send))

    async def job(self, job_id: str) -> Job:
        return await self._get(Job, f"/jobs/{job_id}")

    async def cancel(self, job_id: str) -> None:
        """Take a job back; nothing happens to one that has ended."""
        await self._insistently(lambda: self._http.delete(f"/jobs/{job_id}"))

    async def wait(self, job_id: str) -> Job:
        """The job once it has ended, however long that takes."""
        while not (job := await self._get(Job, f"/jobs/{job_id}/wait?timeout={POLL:g}")).ended:
            continue
        return job

    async def news(self, job_id: str) -> AsyncIterator[Ticket | Progress | Job]:
        """What happens to a job, and at last the job once it has ended. Goes on where the connection broke off."""
        sorts: dict[str, type[Ticket | Progress | Job]] = {"ticket": Ticket, "progress": Progress, "end": Job}
        failed = 0
        while True:
            try:
                async with self._http.stream("GET", f"/jobs/{job_id}/events") as stream:
                    if stream.status_code != 200:
                        await stream.aread()
                        _refuse(stream)
                    name = ""
                    async for line in stream.aiter_lines():
                        if line.startswith("event: "):
                            name = line.removeprefix("event: ")
                        elif line.startswith("data: ") and (sort := sorts.get(name)):
                            failed, news = 0, sort.model_validate_json(line.removeprefix("data: "))
                            yield news
                            if isinstance(news, Job):
                                return
            except (httpx.TransportError, RemoteError) as error:
                if isinstance(error, RemoteError) and error.problem.status not in AGAIN:
                    raise
            failed += 1
            if failed >= self._tries:
                yield await self.wait(job_id)
                return
            await self._pause(_pause(failed, None))

    async def run(self, kind: str, params: Mapping[str, Value | None] | None = None, **more: Any) -> Job:
        """Submit and wait. `more` as for `submit`."""
        return await self.wait((await self.submit(kind, params, **more)).id)

    async def artifacts(self, job_id: str) -> list[Artifact]:
        """The files of a job that has ended."""
        return list((await self._get(_Artifacts, f"/jobs/{job_id}/artifacts")).artifacts)

    async def download(self, job_id: str, artifact: Artifact) -> bytes:
        """All of a file."""
        answer = await self._insistently(
            lambda: self._http.get(f"/jobs/{job_id}/artifacts/{artifact.name}", follow_redirects=True)
        )
        return answer.content

    async def _get(self, sort: type[D], path: str) -> D:
        return _read(sort, await self._insistently(lambda: self._http.get(path)))

    async def _insistently(self, send: Callable[[], Awaitable[httpx.Response]]) -> httpx.Response:
        for number in range(1, self._tries + 1):
            try:
                answer = await send()
            except httpx.TransportError as error:
                if number == self._tries:
                    raise UnreachableDeskError(f"The desk cannot be reached ({type(error).__name__}).") from None
                await self._pause(_pause(number, None))
                continue
            after = _seconds(answer.headers.get("retry-after"))
            too_long = after is not None and after > LONGEST
            if answer.status_code not in AGAIN or number == self._tries or too_long:
                break
            if answer.status_code == 429 and after is None:  # waiting alone does not help
                break
            await self._pause(_pause(number, after))
        if answer.status_code >= 300:
            _refuse(answer)
        return answer


class _Artifacts(Data):
    artifacts: tuple[Artifact, ...]


def run(url: str, key: str, kind: str, params: Mapping[str, Value | None] | None = None, **more: Any) -> Job:
    """`Client.run` for programs without asyncio."""

    async def asked() -> Job:
        async with Client(url, key) as client:
            return await client.run(kind, params, **more)

    return asyncio.run(asked())


def _read(sort: type[D], answer: httpx.Response) -> D:
    try:
        return sort.model_validate_json(answer.content)
    except ValidationError:
        raise UnreachableDeskError("What answered there is no desk, or another version of one.") from None


def _refuse(answer: httpx.Response) -> None:
    try:
        problem = Problem.model_validate_json(answer.content)
    except ValidationError:
        raise UnreachableDeskError(f"What answered there is no desk (HTTP status {answer.status_code}).") from None
    raise RemoteError(problem)


def _pause(number: int, after: float | None) -> float:
    """Seconds before the next try: as the desk says, or twice as many each time, with jitter."""
    return after if after is not None else min(LONGEST, FIRST * 2 ** (number - 1)) * (0.5 + random.random() / 2)  # noqa: S311


def _seconds(said: str | None) -> float | None:
    return float(said) if said and said.isdecimal() and len(said) < 7 else None
