"""What admins do to the queue: each action is one atomic script, which also writes it into the audit log."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, cast

from redis.asyncio import Redis

from frontdesk.queue import keys
from frontdesk.queue.broker import Cancelled
from frontdesk.queue.codec import decode, dump, encode, load
from frontdesk.queue.errors import CorruptMessageError, UnknownTargetError
from frontdesk.queue.jobs import Job
from frontdesk.queue.lua import script
from frontdesk.queue.oversight import Ban, Oversight, read_ban
from frontdesk.queue.scripts import CANCELLED

AUDITED = 10_000  # entries of the audit log, about; as in audit.lua

BumpResult = Literal["bumped", "first", "running", "done", "failed", "cancelled", "expired"]


@dataclass(frozen=True, slots=True)
class Switched:
    """A lane was paused or resumed, a worker drained or let back. `changed` is False where it was so before; `jobs`
    wait in that lane, or run on that worker."""

    name: str
    changed: bool
    jobs: int


@dataclass(frozen=True, slots=True)
class Bumped:
    """`moved` is the job itself, or the one whose outcome it waits for."""

    job_id: str
    moved: str
    result: BumpResult


@dataclass(frozen=True, slots=True)
class Standing:
    """What admins said of a person: a ban of any of their identities, and the tier of each that they put in one."""

    ban: Ban | None
    tiers: Mapping[str, str]


class Steering:
    """`by` is the admin's requester key ("discord:1"), or `console:LOGIN` for who has a shell. What changes nothing is
    not written down. Each method raises UnknownTargetError where what is named is not there.

    keep: seconds for which an ended job is remembered. lanes: those that may be paused before they ever held a job.
    """

    def __init__(self, redis: Redis, *, keep: float, lanes: Iterable[str] = ()) -> None:
        self.seen = Oversight(redis, lanes)
        self._redis = redis
        self._keep = keep
        self._pause = redis.register_script(script("audit", "pause"))
        self._drain = redis.register_script(script("audit", "drain"))
        self._bump = redis.register_script(script("audit", "bump"))
        self._ban = redis.register_script(script("audit", "ban"))
        self._tier = redis.register_script(script("audit", "tier"))
        self._requeue = redis.register_script(script("audit", "requeue"))
        self._drop = redis.register_script(script("audit", "drop"))
        self._cancel = redis.register_script(script("cancelling", "audit", "cancel_noted"))

    async def pause(self, lane: str, *, by: str, reason: str = "") -> Switched:
        """No job of the lane is taken until it is resumed; those that run go on."""
        return await self._switch_lane(lane, by, reason, pausing=True)

    async def resume(self, lane: str, *, by: str, reason: str = "") -> Switched:
        return await self._switch_lane(lane, by, reason, pausing=False)

    async def drain(self, worker: str, *, by: str, reason: str = "") -> Switched:
        """The worker finishes what it runs and takes nothing more. `worker`: its id, or enough of its beginning."""
        return await self._switch_worker(worker, by, reason, draining=True)

    async def undrain(self, worker: str, *, by: str, reason: str = "") -> Switched:
        return await self._switch_worker(worker, by, reason, draining=False)

    async def bump(self, job_id: str, *, by: str, reason: str = "") -> Bumped:
        """To the front of its lane; a job that waits for another's outcome takes that one along."""
        job_id = _id(job_id)
        result, moved = await self._bump(args=[by, reason, job_id])
        if result == b"unknown":
            raise UnknownTargetError(f"There is no job {job_id}.", await self._waiting(), "Waiting")
        return Bumped(job_id, moved.decode(), cast(BumpResult, result.decode()))

    async def cancel(self, job_id: str, *, by: str, reason: str = "") -> Cancelled:
        """Anybody's job; written down where it is somebody else's."""
        result: bytes = await self._cancel(args=[_id(job_id), CANCELLED, int(self._keep), by, reason])
        return cast(Cancelled, result.decode())

    async def note(self, action: str, target: str, *, by: str, reason: str = "") -> None:
        """Write down what an admin did elsewhere: nothing of it is in Redis."""
        entry = {"who": by, "action": action, "target": target, "reason": reason, "detail": ""}
        await self._redis.xadd(keys.AUDIT, entry, maxlen=AUDITED, approximate=True)  # type: ignore[arg-type]

    async def ban(self, requester: str, *, by: str, reason: str) -> None:
        """They are refused from now on; jobs that they have asked for already go on."""
        await self._ban(args=[by, reason, requester, 1])

    async def unban(self, requester: str, *, by: str, reason: str = "") -> None:
        if not await self._ban(args=[by, reason, requester, 0]):
            banned = await self.seen.bans()
            raise UnknownTargetError(f"{requester} is not banned.", list(banned), "Banned")

    async def set_tier(self, requester: str, tier: str | None, *, by: str, reason: str = "") -> bool:
        """Put somebody in a tier, over what the limits file says; None goes back to that. False: it was so before."""
        return bool(await self._tier(args=[by, reason, requester, tier or ""]))

    async def standing(self, *identities: str) -> Standing:
        """In one round trip."""
        async with self._redis.pipeline(transaction=False) as pipe:
            pipe.hmget(keys.BANNED, list(identities))
            pipe.hmget(keys.TIERS, list(identities))
            bans, tiers = await pipe.execute()
        ban = next((read_ban(ban) for ban in bans if ban), None)
        return Standing(ban, {who: tier.decode() for who, tier in zip(identities, tiers, strict=True) if tier})

    async def requeue(self, job_id: str, *, by: str, reason: str = "") -> None:
        """A job that was kept aside runs again, as one that was asked for now; its requester gets a second outcome."""
        job_id = _id(job_id)
        payload = await self._redis.get(keys.ASIDE_PAYLOAD + job_id)
        seconds, _ = await self._redis.time()
        done = await self._requeue(args=[by, reason, job_id, _asked_now(payload, seconds)]) if payload else 0
        if done < 0:
            raise UnknownTargetError(f"{job_id} is one of many jobs of a request, which has ended.", [])
        if not done:
            raise await self._not_aside(job_id)

    async def drop(self, job_id: str, *, by: str, reason: str = "") -> None:
        """Forget what a job that was kept aside asked for."""
        job_id = _id(job_id)
        if not await self._drop(args=[by, reason, job_id]):
            raise await self._not_aside(job_id)

    async def _switch_lane(self, lane: str, by: str, reason: str, *, pausing: bool) -> Switched:
        known = await self.seen.lanes()
        if (lane := lane.strip().lower()) not in known:
            raise UnknownTargetError(f"There is no lane {lane[:32]!r}.", known)
        changed, waiting = await self._pause(args=[by, reason, lane, int(pausing)])
        return Switched(lane, bool(changed), waiting)

    async def _switch_worker(self, name: str, by: str, reason: str, *, draining: bool) -> Switched:
        known = await self.seen.workers()
        worker = _named(name.strip(), known)
        changed, running = await self._drain(args=[by, reason, worker, int(draining)])
        if changed < 0:  # it left between the two
            raise UnknownTargetError(f"The worker {worker} has left.", await self.seen.workers())
        return Switched(worker, bool(changed), running)

    async def _waiting(self) -> list[str]:
        return [job.id for job in await self.seen.waiting()]

    async def _not_aside(self, job_id: str) -> UnknownTargetError:
        aside = [job.id for job in await self.seen.aside()]
        return UnknownTargetError(f"No job {job_id} is kept aside.", aside, "Aside")


def _id(text: str) -> str:
    return text.strip().lower()[:32]


def _named(name: str, workers: list[str]) -> str:
    """The worker of this id, or the only one whose id begins so."""
    if name in workers:
        return name
    found = [worker for worker in workers if name and worker.lower().startswith(name.lower())]
    if len(found) > 1:
        raise UnknownTargetError(f"More than one worker begins with {name[:64]!r}.", found, "They are")
    if not found:
        raise UnknownTargetError(f"There is no worker {name[:64]!r}.", workers)
    return found[0]


def _asked_now(payload: bytes, seconds: int) -> bytes:
    """arq's payload with the job's submission at `seconds` (Unix): it has waited aside, which is no fault of its own.

    One that cannot be read is left as it is, for the worker to say so.
    """
    try:
        call = load(payload)
        job = decode(Job, call["a"][0]).model_copy(update={"submitted_at": float(seconds)})
    except (CorruptMessageError, LookupError, TypeError):
        return payload
    return dump({**call, "a": [encode(job).decode()], "et": seconds * 1000})
