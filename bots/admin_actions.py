"""What admins can do: one table, from which every front end makes its commands."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, TypeVar

from frontdesk.bots import admin_replies as replies
from frontdesk.bots.desk import Desk
from frontdesk.bots.people import Person
from frontdesk.bots.replies import Reply, cancel_reply
from frontdesk.queue.errors import UnknownTargetError
from frontdesk.queue.oversight import Inspected
from frontdesk.queue.steering import Steering

Sort: TypeAlias = Literal[
    "lane", "worker", "waiting", "unfinished", "aside", "job", "reported", "tier", "person", "text", "count"
]

LONGEST_REASON = 300  # characters
MOST = 100  # entries of a list
BY_FILE = "default"  # in place of a tier: what the limits file says


@dataclass(frozen=True, slots=True)
class Argument:
    """What an action is told. `sort` says what it names, and so what a front end offers while one types it."""

    name: str
    description: str
    sort: Sort
    required: bool = True


@dataclass(frozen=True, slots=True)
class Order:
    """An action as it was asked for, by an admin; `given` is checked, by the names of the arguments."""

    desk: Desk
    person: Person
    given: Mapping[str, str]

    @property
    def by(self) -> str:
        return self.person.requester.key

    @property
    def reason(self) -> str:
        return self.given.get("reason", "")

    @property
    def steering(self) -> Steering:
        return self.desk.steering

    @property
    def now(self) -> float:
        return self.desk.clock()

    @property
    def limit(self) -> int:
        return int(self.given.get("limit") or 20)


@dataclass(frozen=True, slots=True)
class Shown:
    """What came of it: a reply, and for programs the list behind it."""

    reply: Reply
    data: Sequence[Any] = ()


@dataclass(frozen=True, slots=True)
class Action:
    """`lists`: it changes nothing, and its result can be had as data. `example`: arguments that one could type."""

    name: str
    summary: str
    arguments: tuple[Argument, ...]
    example: str
    perform: Callable[[Order], Awaitable[Shown]]
    lists: bool = False

    @property
    def usage(self) -> str:
        """ "ban PERSON REASON", "pause LANE [REASON]" """
        words = [
            argument.name.upper() if argument.required else f"[{argument.name.upper()}]" for argument in self.arguments
        ]
        return " ".join([self.name, *words])


T = TypeVar("T")


def _turning(
    argument: str, turn: Callable[..., Awaitable[T]], reply: Callable[[T], Reply]
) -> Callable[[Order], Awaitable[Shown]]:
    """An action that is one call of `Steering` with what `argument` names, and a reply to what that gives."""

    async def perform(order: Order) -> Shown:
        return Shown(reply(await turn(order.steering, order.given[argument], by=order.by, reason=order.reason)))

    return perform


async def _named(order: Order) -> Inspected:
    """The job that an order names. Raises UnknownTargetError."""
    job_id = order.given["job"].lower()
    if (job := await order.steering.seen.job(job_id)) is None:
        raise UnknownTargetError(f"There is no job {job_id[:32]}.", [])
    return job


async def _cancel(order: Order) -> Shown:
    job_id = (await _named(order)).id
    return Shown(cancel_reply(job_id, await order.desk.cancel(order.person, job_id, order.reason)))


async def _ban(order: Order) -> Shown:
    await order.steering.ban(order.given["person"], by=order.by, reason=order.reason)
    return Shown(replies.banned_reply(order.given["person"], order.reason))


async def _unban(order: Order) -> Shown:
    await order.steering.unban(order.given["person"], by=order.by, reason=order.reason)
    return Shown(replies.unbanned_reply(order.given["person"]))


async def _tier(order: Order) -> Shown:
    tiers, who, tier = order.desk.limits.tiers, order.given["person"], order.given["tier"].lower()
    if tier not in (*tiers, BY_FILE):
        raise UnknownTargetError(f"There is no tier {tier[:32]!r}.", [*tiers, BY_FILE])
    by_file = tier not in tiers
    changed = await order.steering.set_tier(who, None if by_file else tier, by=order.by, reason=order.reason)
    of = order.desk.limits.tier_of(who) if by_file else tier
    return Shown(replies.tier_reply(who, of, changed=changed, by_file=by_file))


async def _people(order: Order) -> Shown:
    bans, tiers = await order.steering.seen.bans(), await order.steering.seen.tiers()
    data = [
        {
            "requester": who,
            "ban": bans[who].model_dump(mode="json") if who in bans else None,
            "tier": tiers.get(who),
        }
        for who in sorted(bans.keys() | tiers.keys())
    ]
    return Shown(replies.people_reply(bans, tiers), data)


async def _inspect(order: Order) -> Shown:
    job = await _named(order)
    return Shown(replies.inspected_reply(job, order.now), [job])


async def _aside(order: Order) -> Shown:
    jobs = await order.steering.seen.aside(order.limit)
    return Shown(replies.aside_reply(jobs, order.now), jobs)


async def _requeue(order: Order) -> Shown:
    await order.steering.requeue(order.given["job"], by=order.by, reason=order.reason)
    return Shown(replies.requeued_reply(order.given["job"].lower()))


async def _drop(order: Order) -> Shown:
    await order.steering.drop(order.given["job"], by=order.by, reason=order.reason)
    return Shown(replies.dropped_reply(order.given["job"].lower()))


async def _reports(order: Order) -> Shown:
    reports = await order.desk.showcase.reports(order.person)
    data = [{"job": each.entry.id, "reason": each.reason, "at": each.at} for each in reports]
    return Shown(replies.reports_reply(reports, order.now), data)


async def _hide(order: Order) -> Shown:
    await order.desk.showcase.hide(order.person, order.given["job"], on=True, reason=order.reason)
    return Shown(replies.hidden_reply(order.given["job"].lower(), hidden=True))


async def _unhide(order: Order) -> Shown:
    await order.desk.showcase.hide(order.person, order.given["job"], on=False, reason=order.reason)
    return Shown(replies.hidden_reply(order.given["job"].lower(), hidden=False))


async def _settle(order: Order) -> Shown:
    await order.desk.showcase.settle(order.person, order.given["job"], order.reason)
    return Shown(replies.settled_reply(order.given["job"].lower()))


async def _audit(order: Order) -> Shown:
    entries = await order.steering.seen.audit(order.limit)
    return Shown(replies.audit_reply(entries), entries)


LANE = Argument("lane", "The lane", "lane")
WORKER = Argument("worker", "The worker's id, or enough of its beginning", "worker")
PERSON = Argument("person", "Who", "person")
WHY = Argument("reason", "Why, for the audit log", "text", required=False)
OBJECT = Argument("job", "The object's id", "reported")
LIMIT = Argument("limit", "How many to list", "count", required=False)

ACTIONS: Mapping[str, Action] = {
    action.name: action
    for action in (
        Action("pause", "Take no more jobs from a lane", (LANE, WHY), "short new driver",
               _turning("lane", Steering.pause, replies.paused_reply)),
        Action("resume", "Take jobs from a lane again", (LANE, WHY), "short",
               _turning("lane", Steering.resume, replies.resumed_reply)),
        Action("drain", "Give a worker no more jobs", (WORKER, WHY), "gpubox-4711-a1b2 new driver",
               _turning("worker", Steering.drain, replies.drained_reply)),
        Action("undrain", "Give a worker jobs again", (WORKER, WHY), "gpubox-4711-a1b2",
               _turning("worker", Steering.undrain, replies.undrained_reply)),
        Action("bump", "Put a job at the front of its lane",
               (Argument("job", "The job's id", "waiting"), WHY), "1rx6m3mee for the talk at noon",
               _turning("job", Steering.bump, replies.bumped_reply)),
        Action("cancel", "Cancel anybody's job",
               (Argument("job", "The job's id", "unfinished"), WHY), "1rx6m3mee asked for by mistake", _cancel),
        Action("ban", "Take no more jobs from a person",
               (PERSON, Argument("reason", "Why: they read it when they ask", "text")),
               "telegram:456 floods the lab", _ban),
        Action("unban", "Take jobs from a person again", (PERSON, WHY), "telegram:456", _unban),
        Action("tier", "Put a person in a tier, over what the limits file says",
               (PERSON, Argument("tier", f"The tier; {BY_FILE} is what the limits file says", "tier"), WHY),
               "telegram:456 trusted", _tier),
        Action("people", "Who is banned, and who was put in a tier", (), "", _people, lists=True),
        Action("inspect", "One job, but for what it asked and was answered",
               (Argument("job", "The job's id", "job"),), "1rx6m3mee", _inspect, lists=True),
        Action("aside", "Jobs that stopped three workers", (LIMIT,), "", _aside, lists=True),
        Action("requeue", "Run a job again that is kept aside",
               (Argument("job", "The job's id", "aside"), WHY), "1rx6m3mee the driver is mended", _requeue),
        Action("drop", "Forget a job that is kept aside",
               (Argument("job", "The job's id", "aside"), WHY), "1rx6m3mee", _drop),
        Action("reports", "What people said of objects in the gallery", (), "", _reports, lists=True),
        Action("hide", "Take an object out of the gallery", (OBJECT, WHY), "1rx6m3mee somebody's photograph", _hide),
        Action("unhide", "Put an object back into the gallery", (OBJECT, WHY), "1rx6m3mee", _unhide),
        Action("settle", "Leave an object in the gallery, whatever was reported", (OBJECT, WHY), "1rx6m3mee", _settle),
        Action("audit", "What admins did, newest first", (LIMIT,), "", _audit, lists=True),
    )
}  # fmt: skip
