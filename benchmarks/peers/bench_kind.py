"""The job as a kind with a runner, for Frontdesk's real worker."""

from __future__ import annotations

from typing import Annotated

import wire
from pydantic import Field

from frontdesk.queue.kinds import JobKind
from frontdesk.queue.parameters import Params
from frontdesk.queue.results import Result
from frontdesk.worker.runner import RunContext, Runner


class BenchParams(Params):
    number: Annotated[int, Field(description="Its number in the ledger", ge=0)]
    seconds: Annotated[float, Field(description="How long it takes", ge=0, le=wire.TIME_LIMIT)] = 0.0


class BenchResult(Result):
    number: int

    def body(self) -> str:
        return str(self.number)


BENCH = JobKind(
    wire.NAME,
    "Says in the ledger that it ran",
    BenchParams,
    BenchResult,
    cost=lambda params: params.seconds,
    lane=wire.NAME,
    time_limit=wire.TIME_LIMIT,
)


class BenchRunner(Runner[BenchParams, BenchResult]):
    def run(self, params: BenchParams, context: RunContext) -> BenchResult:
        wire.run(params.number, params.seconds)
        return BenchResult(number=params.number)
