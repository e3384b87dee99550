"""Every error of the HTTP door as problem details (RFC 9457)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from frontdesk.queue import errors
from frontdesk.queue.connection import LOST
from frontdesk.queue.logs import frames

log = structlog.get_logger()

MEDIA_TYPE = "application/problem+json"
DOCS = "/api/v1/docs"
LATER = 5  # seconds after which to try again what is closed just now


class Fault(BaseModel):
    """One thing wrong with a request. `pointer`: where, in its JSON (RFC 6901), where that is known."""

    detail: str
    pointer: str | None = None


class Problem(BaseModel):
    """Why a request was not done (RFC 9457). `type` leads to what is said of it in the documentation; `rule` is the
    limit that refused it, and `retry_after` the seconds until it would pass."""

    model_config = ConfigDict(extra="forbid")

    type: str
    title: str
    status: int = Field(ge=400, le=599)
    detail: str
    instance: str
    errors: list[Fault] | None = None
    rule: str | None = None
    retry_after: float | None = None


RESPONSES: dict[int | str, dict[str, Any]] = {
    "default": {
        "description": "Why it was not done",
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
}
"""For every operation."""

TITLES = {
    "malformed": (400, "The request cannot be read"),
    "unauthenticated": (401, "A key is needed"),
    "scope": (403, "The key may not do that"),
    "banned": (403, "The desk is shut to you"),
    "not-found": (404, "There is no such thing"),
    "method": (405, "That cannot be done here"),
    "conflict": (409, "That cannot be done now"),
    "gone": (410, "It is no longer kept"),
    "too-large": (413, "The request is too large"),
    "media-type": (415, "The request is in a format that is not taken"),
    "range": (416, "There is no such range"),
    "invalid": (422, "The request does not fit"),
    "idempotency": (422, "The key of another request"),
    "limited": (429, "Too much was asked for"),
    "unexpected": (500, "Something went wrong"),
    "closed": (503, "The desk is closed for a moment"),
}
"""What a problem's type is called, its status and title."""


class ApiError(errors.FrontdeskError):
    """A problem by its type's name."""

    def __init__(
        self,
        name: str,
        detail: str,
        *,
        faults: Sequence[Fault] = (),
        headers: Mapping[str, str] | None = None,
        rule: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(detail)
        self.name = name
        self.status, self.title = TITLES[name]
        self.detail = detail
        self.faults = tuple(faults)
        self.rule = rule
        self.retry_after = retry_after
        self.headers = dict(headers or {})
        if retry_after is not None:
            self.headers["Retry-After"] = str(max(1, math.ceil(retry_after)))

    def response(self, path: str) -> Response:
        problem = Problem(
            type=f"{DOCS}#{self.name}",
            title=self.title,
            status=self.status,
            detail=self.detail,
            instance=path,
            errors=list(self.faults) or None,
            rule=self.rule,
            retry_after=self.retry_after,
        )
        content = problem.model_dump(exclude_none=True)
        return JSONResponse(content, self.status, {"Cache-Control": "no-store"} | self.headers, MEDIA_TYPE)


def api_error(error: Exception) -> ApiError:
    """What a caller is told of an error of the desk, the history or the store."""
    said = str(error)
    match error:
        case ApiError():
            return error
        case errors.InvalidRequestError():
            faults = [Fault(detail=p.sentence, pointer=pointer("params", p.parameter)) for p in error.problems]
            return ApiError("invalid", said, faults=faults)
        case errors.UnknownKindError():
            return ApiError("invalid", said, faults=[Fault(detail=said, pointer="/kind")])
        case errors.LimitedError():
            return ApiError("limited", said, rule=error.rule, retry_after=error.retry_after)
        case errors.BannedError():
            return ApiError("banned", said)
        case errors.NotAllowedError():
            return ApiError("scope", said)
        case errors.NoSuchJobError() | errors.NoSuchObjectError():
            return ApiError("not-found", said)
        case errors.FileGoneError() | errors.FileDamagedError():
            return ApiError("gone", said)
        case errors.FileTooLargeError():
            return ApiError("too-large", said)
        case errors.DeskClosedError() | errors.HistoryClosedError():
            return ApiError("closed", said, retry_after=LATER)
        case errors.StoreError():
            return ApiError("closed", str(errors.FilesClosedError()), retry_after=LATER)
        case errors.UserError():
            return ApiError("invalid", said)
    if isinstance(error, LOST):
        return ApiError("closed", str(errors.DeskClosedError()), retry_after=LATER)
    return ApiError("unexpected", "Something went wrong at the desk, and it has been logged.")


def pointer(*parts: str | int) -> str | None:
    """A JSON pointer (RFC 6901); None for the whole, or where the last part is not known."""
    if not parts or parts[-1] == "":
        return None
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)


def problem_of(status: int, detail: str, headers: Mapping[str, str] | None = None) -> ApiError:
    """The problem for a status of HTTP."""
    usual = "malformed" if status < 500 else "unexpected"
    name = next((name for name, (own, _) in TITLES.items() if own == status), usual)
    return ApiError(name, detail, headers=headers)


def install(app: FastAPI) -> None:
    """Every error of this application is a problem, its framework's own as well."""

    async def ours(request: Request, error: Exception) -> Response:
        return api_error(error).response(request.url.path)

    async def unfit(request: Request, error: Exception) -> Response:
        found = error.errors() if isinstance(error, RequestValidationError) else []
        faults = [Fault(detail=f"{each['loc'][-1]}: {each['msg']}.") for each in found]
        return ApiError("invalid", "The request does not fit.", faults=faults).response(request.url.path)

    async def http(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        headers = error.headers if isinstance(error, HTTPException) else None
        said = {404: "There is nothing at this address.", 405: "This address does not take that method."}
        return problem_of(status, said.get(status, HTTPStatus(status).phrase), headers).response(request.url.path)

    for sort in (errors.FrontdeskError, *LOST):
        app.add_exception_handler(sort, ours)
    app.add_exception_handler(RequestValidationError, unfit)
    app.add_exception_handler(HTTPException, http)
    app.add_middleware(Unexpected)


class Unexpected:
    """Nothing that was not foreseen reaches a caller, or a log that would quote them."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = False

        async def noting(message: Message) -> None:
            nonlocal begun
            begun = begun or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, noting)
        except Exception as error:
            # TRY400: an error's own words may quote what somebody wrote.
            log.error("the door failed", error=type(error).__name__, frames=frames(error))  # noqa: TRY400
            if begun:
                raise
            await api_error(error).response(scope["root_path"] + scope["path"])(scope, receive, send)
