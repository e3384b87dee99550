"""The admins' desk: one gate, which lets admins through and checks what they name."""

from __future__ import annotations

import re
from collections.abc import Mapping

import structlog

from frontdesk.bots.admin_actions import ACTIONS, BY_FILE, LONGEST_REASON, MOST, Action, Argument, Order, Shown, Sort
from frontdesk.bots.desk import Desk
from frontdesk.bots.intake import queue_open
from frontdesk.bots.parsing import clean
from frontdesk.bots.people import Person
from frontdesk.queue.errors import InvalidRequestError, NotAllowedError, Problem, UnknownTargetError
from frontdesk.queue.logs import requester_hash
from frontdesk.queue.oversight import Oversight

log = structlog.get_logger()

KEY = re.compile(r"discord:\d{1,20}|telegram:-?\d{1,20}|console:[A-Za-z0-9_.-]{1,64}", re.ASCII)
NO_NAMES = "Telegram tells bots nobody's id by their @name: reply to a message of theirs, or give their id."


class Administration:
    """Raises UserError subclasses only; NotAllowedError before anything else is looked at."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def check(self, person: Person) -> None:
        """Raises NotAllowedError for who is no admin."""
        if not self._desk.is_admin(person):
            raise NotAllowedError

    async def perform(self, person: Person, name: str, given: Mapping[str, str]) -> Shown:
        """Do an action with arguments as they were typed or chosen."""
        self.check(person)
        action = action_named(name)
        checked = _checked(action, given, person.requester.platform)
        async with queue_open():
            shown = await action.perform(Order(self._desk, person, checked))
        if not action.lists:
            log.info("admin", action=action.name, requester=requester_hash(person.requester.key))
        return shown

    async def offers(self, person: Person, sort: Sort) -> list[tuple[str, str]]:
        """What an argument may be just now: each value with a few words. Nothing for who is no admin."""
        if not self._desk.is_admin(person):
            return []
        seen = self._desk.steering.seen
        async with queue_open():
            match sort:
                case "lane":
                    return _marked(await seen.lanes(), await seen.paused(), "paused")
                case "worker":
                    return _marked(await seen.workers(), await seen.drained(), "drained")
                case "reported":
                    reports = await self._desk.showcase.reports(person)
                    return [(each.entry.id, f"{each.entry.id} {each.entry.kind}: {each.reason}") for each in reports]
                case "tier":
                    return [(name, name) for name in (*self._desk.limits.tiers, BY_FILE)]
                case "waiting" | "unfinished" | "aside" | "job":
                    return await _jobs(seen, sort)
        return []


def action_named(name: str) -> Action:
    """Raises UnknownTargetError."""
    if (action := ACTIONS.get(name.strip().lower())) is None:
        raise UnknownTargetError(f"Admins cannot {name.strip()[:32]!r}.", list(ACTIONS), "They can")
    return action


def _checked(action: Action, given: Mapping[str, str], platform: str) -> dict[str, str]:
    """The arguments without what is empty. Raises InvalidRequestError with a sentence."""
    values = {name: clean(value) for name, value in given.items()}
    if lacking := [each for each in action.arguments if each.required and not values.get(each.name)]:
        sentence = f"is needed: {lacking[0].description}. Say: {action.usage}"
        raise InvalidRequestError([Problem(lacking[0].name, sentence)])
    return {
        argument.name: _value(argument, values[argument.name], platform)
        for argument in action.arguments
        if values.get(argument.name)
    }


def _value(argument: Argument, value: str, platform: str) -> str:
    if argument.sort == "person":
        return _requester(argument, value, platform)
    if argument.sort == "count" and not (value.isascii() and value.isdigit() and 1 <= int(value[:9]) <= MOST):
        raise InvalidRequestError([Problem(argument.name, f"must be 1 to {MOST}.")])
    if argument.sort == "text" and len(value) > LONGEST_REASON:
        problem = f"must have at most {LONGEST_REASON} characters; this has {len(value):,}."
        raise InvalidRequestError([Problem(argument.name, problem)])
    return value


def _requester(argument: Argument, value: str, platform: str) -> str:
    """ "telegram:456"; a bare number is somebody of the admin's own platform."""
    key = f"{platform}:{value}" if value.isdigit() and platform != "console" else value.lower()
    if value.startswith("console:"):
        key = value  # names of the system may have capitals
    if KEY.fullmatch(key):
        return key
    if platform == "telegram" and value.startswith("@"):
        raise InvalidRequestError([Problem("", NO_NAMES)])
    problem = "must be an id such as discord:123, telegram:456 or console:ada."
    raise InvalidRequestError([Problem(argument.name, problem)])


def _marked(names: list[str], marked: frozenset[str], mark: str) -> list[tuple[str, str]]:
    return [(name, f"{name} ({mark})" if name in marked else name) for name in names]


async def _jobs(seen: Oversight, sort: Sort) -> list[tuple[str, str]]:
    found = []
    if sort != "aside":
        listed = await (seen.waiting() if sort == "waiting" else seen.unfinished())
        found += [(job.id, f"{job.id} {job.kind}, {job.state}, of {job.requester}") for job in listed]
    if sort in ("aside", "job"):
        found += [(job.id, f"{job.id} {job.kind}, aside, of {job.requester}") for job in await seen.aside()]
    return found
