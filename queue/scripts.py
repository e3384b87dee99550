"""The steps in a job's life, each one atomic call to Redis: the scripts of `lua`, with types."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard

from redis.asyncio import Redis
from redis.asyncio.client import Pipeline
from redis.commands.core import AsyncScript
from redis.exceptions import NoScriptError, RedisError

from frontdesk.queue import keys
from frontdesk.queue.codec import encode
from frontdesk.queue.errors import CorruptMessageError
from frontdesk.queue.jobs import Outcome
from frontdesk.queue.lua import KILLS, script

UPDATES_KEPT = 3 * 86_400  # seconds: Telegram offers an update again for a day, a bot may be down longer
JOBS_LISTED = 50
WORKER_FRESH = 10.0  # seconds without a heartbeat after which a worker no longer counts


CANCELLED = encode(Outcome(status="cancelled"))
GIVEN_UP = encode(Outcome(status="failed", reason=f"It was started {KILLS} times, and each time its worker stopped."))


@dataclass(frozen=True, slots=True)
class Claimed:
    """A job that a worker holds. `payload`: its call, as the broker wrote it for arq; empty if it is gone."""

    job_id: str
    lane: str
    lease: str
    place: int
    payload: bytes

    @property
    def number(self) -> int:
        """Of its lease: the later, the higher."""
        return int(self.lease.rpartition("#")[2])


def handed(message: bytes) -> Claimed:
    """A job from a worker's own channel. Raises CorruptMessageError."""
    try:
        lane, job_id, lease, place, payload = message.split(b"\n", 4)
        return Claimed(job_id.decode(), lane.decode(), lease.decode(), int(place), payload)
    except ValueError:
        raise CorruptMessageError("A job that was handed over cannot be read.") from None


@dataclass(frozen=True, slots=True)
class Ended:
    """How a job ended under a lease. fresh: seconds for which its result answers the same request."""

    job_id: str
    lease: str
    status: str
    outcome: bytes
    gpu_seconds: float
    model: str = ""
    fresh: float = 0.0


@dataclass(frozen=True, slots=True)
class Turn:
    """What a worker got, and what became of its ends.

    expires: seconds until any worker's lease ends unless it is renewed (None: there is none), or 0 where the lane holds
    more to look at. finished: which ends were written, by job; False: the lease is someone else's by now. refused: ends
    that the server would not take, with the error. floor: where the worker said what it holds, the number of the latest
    lease then. lost: the turn was taken before and its answer was lost, or it was refused; what it claimed, if
    anything, is not known.
    """

    jobs: list[Claimed]
    expires: float | None
    finished: dict[str, bool]
    refused: dict[str, RedisError]
    floor: int | None
    lost: bool


@dataclass(frozen=True, slots=True)
class Place:
    """Where a job stands in its lane: `rank` 0 is next, None is not waiting. `wait` and `wait_high` are the median and
    the 90th percentile of the time until it starts, in seconds; `waiting_cost` in device-seconds. `workers`: those that
    can run it; nobody serves a lane that is `paused`. `lacking`: why none of those that are there can, or ""."""

    rank: int | None
    waiting: int
    workers: int
    wait: float
    wait_high: float
    waiting_cost: float
    paused: bool
    lacking: str = ""


@dataclass(frozen=True, slots=True)
class Submitted:
    """`job_id` stands for the update (None: the id is taken, draw another). `repeated`: it did before; `answered`: by a
    result that was there. `place`: where a new one stands; None for one that a worker has, and for all others."""

    job_id: str | None
    repeated: bool
    answered: bool
    place: Place | None


class Scripts:
    """The scripts, registered with one Redis client (EVALSHA, and loaded again after a restart)."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._submit = redis.register_script(script("waits", "taking", "submit"))
        self._claim = redis.register_script(script("waits", "taking", "claim"))
        self._renew = redis.register_script(script("renew"))
        self._finish = redis.register_script(script("finish"))
        self._release = redis.register_script(script("release"))
        self._reap = redis.register_script(script("reap"))
        self._cancel = redis.register_script(script("cancelling", "cancel"))
        self._place = redis.register_script(script("waits", "place"))

    async def submit(
        self,
        *,
        job_id: str,
        update: str,
        requester: str,
        payload: bytes,
        in_flight: float,
        band: int,
        digest: str,
        reuse: bool,
        keep: float,
        fields: Mapping[str, str | bytes | float],
        listed: str = "",
        pipe: Pipeline | None = None,
    ) -> Any:
        """Queue a job at its fair place, or let it wait for one like it, or answer it from a fresh result. Returns what
        `submitted` reads; with `pipe`, that is among what the pipe gives when it is executed.

        requester: the identity that asks. listed: the key of the jobs that it is listed with, where that is not theirs.
        """
        return await self._submit(
            keys=[
                keys.idempotency(update),
                keys.payload(job_id),
                keys.job(job_id),
                listed or keys.requester_jobs(requester),
            ],
            args=[
                job_id,
                payload,
                UPDATES_KEPT,
                JOBS_LISTED,
                int(in_flight),
                band,
                digest,
                int(reuse),
                int(keep),
                int(WORKER_FRESH * 1000),
                *(part for pair in fields.items() for part in pair),
            ],
            client=pipe,
        )

    async def turn(
        self,
        worker: str,
        lease: float,
        free: Mapping[str, int],
        ended: Sequence[Ended] = (),
        *,
        keep: float,
        patience: float,
        number: int = 0,
        by_hand: int = 0,
        lacks: Collection[str] = (),
        memory: int = 0,
        max_wait: float = 0.0,
        holds: Sequence[str] | None = None,
    ) -> Turn:
        """Finish `ended`, then take up to `free[lane]` jobs of each lane for `lease` seconds, in one round trip.

        Result, removal and outcome event of a job become visible together, for all who asked for it. Before jobs are
        taken, what dead workers held is freed.

        keep: seconds an ended job is remembered. patience: seconds from which the oldest job may overtake those before
        it. number: of this turn, above that of the worker's turn before, so that one that is sent twice is taken once
        (0: not numbered). by_hand: how many jobs came to the worker on its own channel; those that are still on their
        way take slots. lacks: kinds and needs of jobs that the worker cannot run; memory: bytes that a job may take
        there (0: any). max_wait: seconds after which it gets jobs that it cannot run, to end them (0: never). holds:
        the jobs that the worker knows it holds; others of its own go back to their places.
        """
        calls = [(self._finish, _ending(each, keep)) for each in ended]
        claim = [
            worker,
            int(lease * 1000),
            int(keep),
            GIVEN_UP,
            int(patience * 1000),
            number,
            by_hand,
            " ".join([str(memory), *sorted(lacks)]),
            int(max_wait * 1000),
            -1 if holds is None else len(holds),
            *(holds or ()),
            *(part for pair in free.items() for part in pair),
        ]
        *written, taken = await self._together([*calls, (self._claim, claim)])
        return _turn(dict(zip((each.job_id for each in ended), written, strict=True)), taken)

    async def _together(self, calls: Sequence[tuple[AsyncScript, list[Any]]]) -> list[Any]:
        """Several scripts in one round trip: what each answers, or the error that the server gave for it."""
        if len(calls) == 1:
            one, args = calls[0]
            return [await one(args=args)]
        async with self._redis.pipeline(transaction=False) as pipe:
            for one, args in calls:
                pipe.evalsha(one.sha, 0, *args)
            answers = await pipe.execute(raise_on_error=False)
        missing = [number for number, answer in enumerate(answers) if isinstance(answer, NoScriptError)]
        if missing:  # the server is new, or forgot them
            for number in missing:
                await self._redis.script_load(calls[number][0].script)
            for number, answer in zip(missing, await self._together([calls[n] for n in missing]), strict=True):
                answers[number] = answer
        return answers

    async def renew(
        self, worker: str, lease: float, described: bytes, held: Mapping[str, str], models: Mapping[str, str]
    ) -> tuple[list[str], list[str]]:
        """Heartbeat: prolong `held` (id -> lease), and say which model serves each kind (`models`).

        Returns the ids lost to others, and those to cancel.
        """
        lost, cancelled = await self._renew(
            args=[
                worker,
                int(lease * 1000),
                described,
                int(WORKER_FRESH * 1000),
                len(models),
                *(part for pair in models.items() for part in pair),
                *(part for pair in held.items() for part in pair),
            ]
        )
        return [job_id.decode() for job_id in lost], [job_id.decode() for job_id in cancelled]

    async def release(self, job_id: str, lease: str) -> bool:
        """Give a running job back to its place in the lane."""
        return bool(await self._release(args=[job_id, lease]))

    async def reap(self, worker: str, *, keep: float, to_blame: bool = True) -> tuple[list[str], list[str]]:
        """Free what a dead worker held. Returns the ids that went back, and those given up.

        to_blame: whether its jobs may have stopped it; not so where it was told to stop.
        """
        back, ended = await self._reap(args=[worker, int(keep), GIVEN_UP, int(to_blame)])
        return [job_id.decode() for job_id in back], [job_id.decode() for job_id in ended]

    async def cancel(self, job_id: str, requester: str, keep: float) -> str:
        """ "unknown", "cancelled", "stopping" or "ended"; an empty requester may cancel any job."""
        answer: bytes = await self._cancel(args=[job_id, requester, CANCELLED, int(keep)])
        return answer.decode()

    async def place(self, lane: str, job_id: str = "") -> Place:
        return _place(*await self._place(args=[lane, job_id, int(WORKER_FRESH * 1000)]))


def submitted(said: Sequence[Any]) -> Submitted:
    """What the script SUBMIT says."""
    given, repeated, answered, *place = said
    return Submitted(given.decode() or None, bool(repeated), bool(answered), _place(*place[0]) if place else None)


def _place(
    rank: int, waiting: int, workers: int, wait: bytes, high: bytes, cost: bytes, paused: int, lacking: bytes
) -> Place:
    return Place(
        rank=None if rank < 0 else rank,
        waiting=waiting,
        workers=workers,
        wait=float(wait),
        wait_high=float(high),
        waiting_cost=float(cost),
        paused=bool(paused),
        lacking=lacking.decode("utf-8", "replace"),
    )


def _turn(written: Mapping[str, Any], taken: Any) -> Turn:
    """What FINISH said of each job, and CLAIM in the end; errors among them. Raises what refused all of it."""
    refused = {job_id: said for job_id, said in written.items() if _refused(said)}
    finished = {job_id: bool(said) for job_id, said in written.items() if job_id not in refused}
    if _refused(taken) and not finished:
        raise taken
    if _refused(taken) or not taken:  # what ended has ended all the same
        return Turn([], None, finished, refused, None, lost=True)
    first, floor, *flat = taken
    rows = zip(*(flat[part::5] for part in range(5)), strict=True)
    jobs = [Claimed(i.decode(), lane.decode(), held.decode(), int(place), call) for lane, i, held, place, call in rows]
    expires = int(first) / 1000 if first else None
    return Turn(jobs, expires, finished, refused, int(floor) if floor else None, lost=False)


def _ending(ended: Ended, keep: float) -> list[Any]:
    return [
        ended.job_id,
        ended.lease,
        ended.status,
        ended.outcome,
        int(keep),
        ended.gpu_seconds,
        ended.model,
        int(ended.fresh),
    ]


def _refused(answer: object) -> TypeGuard[RedisError]:
    return isinstance(answer, RedisError)
