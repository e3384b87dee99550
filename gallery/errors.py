"""What a visitor reads when something does not go as they wished: one page, in plain words."""

from __future__ import annotations

from typing import cast

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from frontdesk.gallery.api_problems import problem_of
from frontdesk.gallery.visitors import NotSignedInError
from frontdesk.gallery.website import Site, is_htmx, see_other
from frontdesk.queue.errors import (
    BannedError,
    DeskClosedError,
    FileGoneError,
    HistoryClosedError,
    LimitedError,
    NoSuchJobError,
    NoSuchObjectError,
    NotAllowedError,
    StoreError,
    UnknownKindError,
    UserError,
)

API = "/api/"  # is asked with keys and not with cookies, from anywhere
TITLES = {
    400: "That cannot be done",
    403: "Not allowed",
    404: "Nothing is here",
    405: "Nothing is here",
    408: "That took too long",
    410: "No longer here",
    413: "Too large",
    421: "Another address",
    429: "Not just now",
    500: "Something went wrong",
    503: "Closed for a moment",
}
SENTENCES = {
    403: "This page is not for you, or it was open for too long: go back, load it again, and try once more.",
    404: "There is no such page, or it is not yours to see.",
    405: "There is no such page, or it is not yours to see.",
    408: "Your browser stopped sending. Please try again.",
    413: "That is more than this page takes.",
    500: "Something went wrong at the desk, and it has been logged. Please try again in a moment.",
    503: "The desk cannot answer just now. Please try again in a minute.",
}
# The first that fits. What a user may not see is not there for them.
STATUS: tuple[tuple[type[Exception], int], ...] = (
    (NotAllowedError, 403), (BannedError, 403), (NoSuchJobError, 404), (FileGoneError, 410), (LimitedError, 429),
    (DeskClosedError, 503), (StoreError, 503), (HistoryClosedError, 503), (NoSuchObjectError, 404),
    (UnknownKindError, 404),
)  # fmt: skip


def error_page(site: Site, request: Request, status: int, sentence: str = "") -> Response:
    """`sentence`: for the visitor, in place of what is usually said of that status. To a script of ours it is a toast,
    to one that asks for no page a line of JSON, and to a program at the HTTP door a problem."""
    said = sentence or SENTENCES.get(status, SENTENCES[500])
    if request.url.path.startswith(API):
        return problem_of(status, said).response(request.url.path)
    title = TITLES.get(status, TITLES[400] if status < 500 else TITLES[500])
    if is_htmx(request):
        toast = site.rendering.text(request, "_toast.html", {"text": said, "tone": "error"})
        return HTMLResponse(toast, status, {"HX-Retarget": "#toasts", "HX-Reswap": "beforeend"})
    if "text/html" not in request.headers.get("accept", "text/html") and "*/*" not in request.headers.get("accept", ""):
        return JSONResponse({"title": title, "status": status, "detail": said}, status)
    return site.page(request, "error.html", {"title": title, "sentence": said, "status": status}, status=status)


def status_of(error: Exception) -> int:
    return next((status for sort, status in STATUS if isinstance(error, sort)), 400)


def install(app: FastAPI, site: Site) -> None:
    """Have the application answer errors with pages. The unforeseen is the guard's, which is outside of it."""

    def user_error(request: Request, error: Exception) -> Response:
        response = error_page(site, request, status_of(error), "" if isinstance(error, StoreError) else str(error))
        if isinstance(error, LimitedError) and error.retry_after is not None:
            response.headers["Retry-After"] = str(max(1, round(error.retry_after)))
        return response

    def http_error(request: Request, error: Exception) -> Response:
        failed = cast(HTTPException, error)
        return error_page(site, request, failed.status_code)

    def misread(request: Request, error: Exception) -> Response:
        return error_page(site, request, 400, "That address, or that form, is not one of this page.")

    def not_signed_in(request: Request, error: Exception) -> Response:
        return see_other(request, "/sign-in")

    app.add_exception_handler(UserError, user_error)
    app.add_exception_handler(StoreError, user_error)
    app.add_exception_handler(HTTPException, http_error)
    app.add_exception_handler(RequestValidationError, misread)
    app.add_exception_handler(NotSignedInError, not_signed_in)
