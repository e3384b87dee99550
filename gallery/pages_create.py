"""Asking for a job: a form made of a kind's declaration."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence

from fastapi import APIRouter
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from frontdesk.bots.intake import Request as Asked
from frontdesk.bots.people import Person
from frontdesk.gallery.errors import status_of
from frontdesk.gallery.kind_forms import ONCE, fetch_from, fields_of, raw_of, typed, update_of, whole_problems
from frontdesk.gallery.visitors import visitor_of
from frontdesk.gallery.website import Site, see_other
from frontdesk.queue.errors import InvalidRequestError, Problem, UserError
from frontdesk.queue.jobs import ReplyAddress
from frontdesk.queue.kinds import AnyKind

UNPROCESSABLE = 422


class CreatePages:
    def __init__(self, site: Site) -> None:
        self._site = site

    async def choose(self, request: Request) -> Response:
        """All kinds."""
        return self._site.page(request, "create.html", {"kinds": list(self._site.front.kinds.values())})

    async def ask(self, request: Request, kind: str) -> Response:
        """The form; an address may say what stands in it: /create/sculpt?prompt=..."""
        visitor_of(request).must_be_known()
        declared = self._site.front.kinds[kind]
        own = {parameter.name for parameter in declared.parameters}  # and not who is to see it: that is theirs to say
        given = {name: value[:20_000] for name, value in request.query_params.items() if name in own}
        return self._form(request, declared, given, once=secrets.token_urlsafe(24))

    async def submit(self, request: Request, kind: str) -> Response:
        """Queue the job, once for each form that was shown, and go on to its page."""
        person = visitor_of(request).must_be_known()
        declared = self._site.front.kinds[kind]
        async with request.form() as form:
            asked = _asked(person, declared, form)
            try:
                ticket = await self._site.front.desk.submit(asked)
            except UserError as error:
                return self._refused(request, declared, form, error)
        return see_other(request, f"/jobs/{ticket.job_id}")

    def _refused(self, request: Request, kind: AnyKind, form: FormData, error: UserError) -> Response:
        """The form again, as it was filled in, with what is wrong beside each field."""
        invalid = isinstance(error, InvalidRequestError)
        problems = error.problems if isinstance(error, InvalidRequestError) else (Problem("", str(error)),)
        ticked = {name: "yes" for name in ("private", "publish") if form.get(name)}
        return self._form(
            request,
            kind,
            typed(kind, form) | ticked,
            once=_once(form),
            problems=problems,
            status=UNPROCESSABLE if invalid else status_of(error),
        )

    def _form(
        self,
        request: Request,
        kind: AnyKind,
        values: Mapping[str, str],
        *,
        once: str,
        problems: Sequence[Problem] = (),
        status: int = 200,
    ) -> Response:
        context = {
            "kind": kind,
            "fields": fields_of(kind, values, problems),
            "whole": whole_problems(kind, problems),
            "wrong": len(problems),
            "once": once,
            "private": values.get("private") == "yes",
            "publish": values.get("publish") == "yes",
        }
        return self._site.page(request, "create_kind.html", context, status=status)


def _asked(person: Person, kind: AnyKind, form: FormData) -> Asked:
    """The request of a form. It counts once, whichever of this person's browsers sends it how often."""
    key, private = person.requester.key, bool(form.get("private"))
    return Asked(
        person=person,
        kind=kind.name,
        raw=raw_of(kind, form),
        reply=ReplyAddress(platform="web", channel=key, user=person.requester.user, private=private),
        update=update_of(key, _once(form)),
        private=private,
        fetch=fetch_from(form),
        # Nobody listens on the page: others see what comes of it only where this was ticked.
        publish=bool(form.get("publish")) and not private,
    )


def _once(form: FormData) -> str:
    """The number of the form that was shown; one of its own for a form that has none of ours."""
    given = form.get("once")
    return given if isinstance(given, str) and ONCE.fullmatch(given) else secrets.token_urlsafe(24)


def router(site: Site) -> APIRouter:
    pages, made = CreatePages(site), APIRouter()
    made.add_api_route("/create", pages.choose, methods=["GET"])
    made.add_api_route("/create/{kind}", pages.ask, methods=["GET"])
    made.add_api_route("/create/{kind}", pages.submit, methods=["POST"])
    return made
