"""A room for the Telegram tests: the real bot on a stand-in Telegram, the real desk on Valkey, and a worker by hand."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Annotated, Any, Literal, TypeVar

from pydantic import Field
from queueing import end_job
from redis.asyncio import Redis
from standin_telegram import TelegramStandIn
from standin_telegram_model import Message

from frontdesk.bots.desk import Desk
from frontdesk.bots.main import Premises
from frontdesk.bots.memory import Memory
from frontdesk.bots.on_telegram import serve
from frontdesk.bots.people import Admins
from frontdesk.bots.uploads import Uploads
from frontdesk.queue import keys
from frontdesk.queue.artifacts import ArtifactStore
from frontdesk.queue.broker import Broker
from frontdesk.queue.catalogue import SCORE, WRITE
from frontdesk.queue.codec import decode, encode
from frontdesk.queue.events import tell
from frontdesk.queue.jobs import Job, JobRecord, Outcome, Progress
from frontdesk.queue.kinds import AnyKind, JobKind, Registry
from frontdesk.queue.parameters import Params
from frontdesk.queue.report import WorkerState
from frontdesk.queue.results import Result
from frontdesk.queue.scripts import Claimed, Scripts
from frontdesk.queue.settings import Settings
from frontdesk.ratelimit.limiter import Limiter
from frontdesk.ratelimit.limits import Limits

T = TypeVar("T")
PASSAGE = "The harbour was quiet that morning, and nobody could say why the boats had not gone out. " * 4


class PaintParams(Params):
    """A kind with one of everything that a form can ask for."""

    colour: Annotated[Literal["red", "green"], Field(description="The colour")]
    coats: Annotated[int, Field(description="How many coats", ge=1, le=9)]
    glossy: Annotated[bool, Field(description="Whether it shines")]
    drying: Annotated[float, Field(description="Hours to dry", ge=0, le=24)] = 2.0


class PaintResult(Result):
    painted: str


PAINT = JobKind(
    name="paint", summary="Paint a wall", params=PaintParams, result=PaintResult, cost=lambda _: 1.0, lane="short"
)
SCORED = {
    "verdict": "human", "curvature": 0.5, "perplexity": 20.0, "tokens": 80, "tokens_in_text": 80,
    "false_positive_rate": 0.01, "model": "tiny", "precision": "bf16",
}  # fmt: skip


def written(text: str) -> dict[str, Any]:
    """A result of the kind `write`."""
    return {"text": text, "tokens": 9, "stopped": "end", "seed": 1, "model": "tiny", "precision": "bf16"}


class HandWorker:
    """Claims and ends jobs exactly as a worker does, when the test says so."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._scripts = Scripts(redis)
        self._broker = Broker(redis, keep=3600)
        self._leases: dict[str, str] = {}

    async def announce(self) -> None:
        state = WorkerState(
            id="hand", lanes=("short",), kinds=("score",), device="cpu", models=("tiny (bf16)",), memory=10**9,
            started_at=0.0,
        )  # fmt: skip
        await self._scripts.renew("hand", 60.0, encode(state), {}, {})

    async def claim(self) -> JobRecord:
        """Take the next waiting job, as soon as there is one."""
        (claimed,) = await eventually(self._claimed)
        self._leases[claimed.job_id] = claimed.lease
        record = await self._broker.job(claimed.job_id)
        assert record is not None
        return record

    async def _claimed(self) -> list[Claimed]:
        return (await self._scripts.turn("hand", 60.0, {"short": 1}, keep=3600.0, patience=3600.0)).jobs

    async def die(self) -> None:
        """As after a kill -9, with whatever it held."""
        await self._scripts.reap("hand", keep=3600.0)

    async def finish(self, job: JobRecord, result: dict[str, Any] | None = None, **outcome: Any) -> None:
        ended = Outcome(**({"status": "done", "result": result, "seconds": 1.5} | outcome))
        lease = self._leases[job.id]
        assert await end_job(
            self._scripts, job.id, lease, status=ended.status, outcome=encode(ended), keep=3600, gpu_seconds=1.0
        )

    async def progress(self, job: JobRecord, text: str, fraction: float) -> None:
        await tell(self._redis, "telegram", Progress(job_id=job.id, fraction=fraction, text=text))


class Room:
    """The stand-in, the desk's Redis, and bots that come and go."""

    def __init__(
        self, telegram: TelegramStandIn, redis: Redis, limits: Limits, store: ArtifactStore | None = None
    ) -> None:
        self.telegram = telegram
        self.redis = redis
        self.worker = HandWorker(redis)
        self.broker = Broker(redis, keep=3600)
        self.store = store
        self.memory: Memory | None = None
        self.kinds: Sequence[AnyKind] = (SCORE, WRITE, PAINT)
        self._limits = limits

    def premises(self, **settings: Any) -> Premises:
        chosen = Settings(**({"telegram_token": self.telegram.token, "telegram_api_url": self.telegram.url} | settings))
        kinds = Registry(self.kinds)
        admins, uploads = Admins(chosen.admins), Uploads(self.store)
        limiter = Limiter(self.redis)
        desk = Desk(kinds, self.broker, limiter, self._limits, admins, uploads=uploads, memory=self.memory)
        return Premises(chosen, kinds, self.redis, self.broker, desk, store=self.store)

    @asynccontextmanager
    async def bot(self, **settings: Any) -> AsyncIterator[None]:
        """A running bot, which is stopped in an orderly way at the end."""
        stop, before = asyncio.Event(), len(self.telegram.called("getUpdates"))

        def listening() -> bool:
            return len(self.telegram.called("getUpdates")) > before or bool(self.telegram.webhook["url"])

        running = asyncio.create_task(serve(self.premises(**settings), stop))
        ready = asyncio.create_task(self.telegram.until(listening, "the bot's start"))
        try:
            await asyncio.wait({running, ready}, return_when=asyncio.FIRST_COMPLETED)
            if running.done():
                await running
            yield
        finally:
            ready.cancel()
            stop.set()
            await asyncio.wait_for(running, 15)

    async def jobs(self) -> list[str]:
        return [key.decode().removeprefix(keys.JOB) async for key in self.redis.scan_iter(keys.JOB + "*")]

    async def job(self, job_id: str | None = None) -> JobRecord:
        """A job, or the only one there is."""
        if job_id is None:
            (job_id,) = await self.jobs()
        record = await self.broker.job(job_id)
        assert record is not None
        return record

    async def params(self, job_id: str) -> dict[str, Any]:
        """What a waiting job asks for, as its worker will read it."""
        payload = json.loads(await self.redis.get(keys.payload(job_id)))
        return dict(decode(Job, payload["a"][0]).params)

    async def delivery(self, job_id: str) -> str:
        """How the delivery of a job's outcome ended, once it did."""

        async def recorded() -> str | None:
            return (await self.job(job_id)).delivery

        return await eventually(recorded)

    async def ticket(self, asked: Message) -> Message:
        """The ticket that answers a message, once the desk knows where it stands."""
        shown = await self.telegram.answer(asked)
        assert "Cancel" in shown.buttons, shown.text
        await self.placed(shown)
        return shown

    async def placed(self, shown: Message) -> None:
        """The desk knows that this message is a job's ticket."""

        async def known() -> bool:
            return any([(await self.job(job)).reply.message == str(shown.id) for job in await self.jobs()])

        await eventually(known)


async def eventually(look: Callable[[], Awaitable[T | None]]) -> T:
    """What `look` sees, once it sees something. Redis tells nobody of its changes, so this asks again and again."""
    for _ in range(1000):
        if seen := await look():
            return seen
        await asyncio.sleep(0.02)
    raise AssertionError("what was waited for did not happen")
