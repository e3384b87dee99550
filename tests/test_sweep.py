"""`sweep`: many trainings as one request; what is asked again is known; and the best enter the leaderboard."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
from processes import House
from queueing import KEEP, address, has_ended, leased_worker, requester, until, working
from redis.asyncio import Redis
from storing import folder_store

from frontdesk.bots.desk import Desk
from frontdesk.bots.intake import Request
from frontdesk.bots.parsing import parse_arguments, usage, validate
from frontdesk.bots.people import Admins, Person
from frontdesk.bots.replies import as_text, outcome_reply
from frontdesk.bots.top_replies import top_of
from frontdesk.queue import keys
from frontdesk.queue.artifacts import ArtifactStore
from frontdesk.queue.broker import Broker
from frontdesk.queue.embedded import EmbeddedServer
from frontdesk.queue.errors import InvalidRequestError
from frontdesk.queue.jobs import JobRecord, is_member
from frontdesk.queue.kind_sweep import MOST, SWEEP, USUAL, SweepParams, SweepResult, configurations
from frontdesk.queue.kind_train import TRAIN
from frontdesk.queue.kinds import Registry
from frontdesk.queue.retention import DAY, Keep, Kept, Retention, overdue
from frontdesk.queue.settings import Settings
from frontdesk.ratelimit.limiter import Limiter
from frontdesk.ratelimit.limits import Limits
from frontdesk.worker.engine import Engine
from frontdesk.worker.run_files import Workroom
from frontdesk.worker.runner import Bench
from frontdesk.worker.train_runner import TrainRunner

pytestmark = [pytest.mark.timeout(300), pytest.mark.usefixtures("one_thread")]

ADA = Person(requester("ada"))
SMALL = {"learning_rate": "0.01, 0.05, 0.1", "width": "2", "epochs": "1", "batch_size": "256"}


@pytest.fixture
def desk(redis: Redis) -> Desk:
    return Desk(Registry([TRAIN, SWEEP]), Broker(redis, keep=KEEP), Limiter(redis), Limits.load(), Admins())


@pytest.fixture
def store(tmp_path: Path) -> ArtifactStore:
    return folder_store(tmp_path)


@asynccontextmanager
async def training(redis: Redis, folder: Path, store: ArtifactStore) -> AsyncIterator[Engine]:
    """A worker that trains."""
    settings = Settings(data_dir=folder, device="cpu")
    runner = TrainRunner(Bench(SimpleNamespace(settings=settings), folder))  # type: ignore[arg-type]
    engine = Engine(Registry([TRAIN]), {"train": runner}, store=store, room=Workroom(folder / "runs"))
    await engine.load()
    kinds = {"train": engine.model_of("train")}
    async with working(leased_worker(redis, engine, kinds=kinds, lanes={"long": 1}, fresh={"train": KEEP})):
        await until(lambda: redis.hexists(keys.MODELS, "train"))
        yield engine
    await engine.close()


async def answered(
    redis: Redis, desk: Desk, kind: str, update: str, raw: Mapping[str, str], who: Person = ADA
) -> JobRecord:
    """Ask, and wait for the end."""
    ticket = await desk.submit(Request(who, kind, raw, address(who.requester.user), update))
    broker = Broker(redis, keep=KEEP)
    await until(lambda: has_ended(broker, ticket.job_id), within=60)
    record = await broker.job(ticket.job_id)
    assert record is not None
    assert record.outcome is not None
    return record


def refusal(**raw: str) -> str:
    with pytest.raises(InvalidRequestError) as caught:
        validate(SWEEP, raw)
    return str(caught.value)


def test_a_grid_is_every_combination() -> None:
    """Each once, in whichever way the values are listed."""
    params = validate(SWEEP, parse_arguments(SWEEP, 'learning_rate="0.1,0.01 0.1" width="4; 8" epochs=3'))
    made = configurations(params)  # type: ignore[arg-type]  # of this kind
    assert [(each.learning_rate, each.width, each.epochs) for each in made] == [
        (0.1, 4, 3), (0.1, 8, 3), (0.01, 4, 3), (0.01, 8, 3),
    ]  # fmt: skip


def test_a_random_search_draws_from_lists_and_ranges() -> None:
    """As many as were asked for, all different, within the range, over its magnitudes; the same for the same `draw`."""
    params = SweepParams(search="random", learning_rate="0.001 .. 0.1", width="4..32", epochs="5, 10", jobs=20)
    made = configurations(params)
    assert len(set(made)) == len(made) == 20
    assert all(0.001 <= each.learning_rate <= 0.1 and 4 <= each.width <= 32 and each.epochs in (5, 10) for each in made)
    assert 4 < sum(each.learning_rate < 0.01 for each in made) < 16  # half of them, log-uniformly; 2 uniformly
    assert configurations(params) == made
    assert configurations(params.model_copy(update={"draw": 1})) != made
    assert len(configurations(SweepParams(search="random", learning_rate="0.001..0.1"))) == USUAL
    assert len(configurations(SweepParams(search="random", jobs=24))) == 6  # there are no more


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ({"epochs": "1, 2, 3, 4, 5"}, f"30 trainings, and {MOST} is the most; try search=random jobs={MOST}"),
        ({"epochs": "1, 2", "jobs": "8"}, "12 trainings, and 8 is the most; try search=random jobs=8"),
        ({"jobs": "25"}, "jobs: must be 2 to 24"),
        ({"learning_rate": "0.1, 2"}, "learning_rate: each value must be a number from 0.0001 to 1."),
        ({"learning_rate": "nan"}, "learning_rate: each value must be"),
        ({"learning_rate": "0.1..0.01", "search": "random"}, "from the smaller to the larger"),
        ({"learning_rate": "0.01..0.1"}, "search=random"),
        ({"width": "8, many"}, "width: each value must be a whole number from 2 to 64."),
        ({"width": "2.5"}, "width: each value"),
        ({"seed": "9999999999"}, "seed: each value"),
        ({"epochs": " , "}, "epochs: needs at least one value"),
        ({"learning_rate": "0.1", "width": "8"}, "at least 2 trainings"),
        ({"width": "8 " * 160}, "at most 300"),
        ({"dataset": "/etc"}, "digits, mnist, folder"),
    ],
)
def test_what_cannot_be_swept_is_named_before_it_is_queued(raw: dict[str, str], words: str) -> None:
    """With what would be right."""
    assert words in refusal(**raw)


def test_its_example_can_be_typed() -> None:
    """As help shows it."""
    assert validate(SWEEP, parse_arguments(SWEEP, usage(SWEEP).removeprefix("/sweep")))


async def test_a_sweep_trains_and_names_the_best(
    redis: Redis, desk: Desk, tmp_path: Path, store: ArtifactStore
) -> None:
    """The best first, with its files; all of them enter the leaderboard; and then all of them are known."""
    async with training(redis, tmp_path, store):
        record = await answered(redis, desk, "sweep", "u1", SMALL)
        assert record.outcome is not None
        result = SweepResult.model_validate(record.outcome.result)
        boards = await desk.top(ADA)
        again = await answered(redis, desk, "sweep", "u2", SMALL)
        best = result.best[0].result
        asked = {name: str(getattr(best, name)) for name in ("learning_rate", "width", "epochs", "batch_size")}
        bob = Person(requester("bob"))
        known = await answered(redis, desk, "train", "u3", asked, bob)
    accuracies = [one.result.accuracy for one in result.best]
    assert (result.members, result.done, len(accuracies)) == (3, 3, 3)
    assert accuracies == sorted(accuracies, reverse=True)
    standings = boards["digits"]
    assert [each.entry.job_id for each in standings] == [one.job_id for one in result.best]
    assert all(each.own for each in standings)

    reply = outcome_reply(SWEEP, record.id, record.outcome)
    assert as_text(reply).startswith(f"The best: {best.headline().partition(' of ')[0]} on digits with learning rate ")
    assert [each.artifact.name for each in reply.attachments] == [
        "digits-curves.png", "digits-confusion.png", "digits-weights.safetensors",
    ]  # fmt: skip
    retention = Retention(redis, store, Keep({"*": 0.0}, 1))
    assert set(await retention.files_of(record.id)) == {each.artifact.sha256 for each in reply.attachments}

    assert again.known
    assert again.outcome is not None
    told_again = SweepResult.model_validate(again.outcome.result).best
    assert [one.result for one in told_again] == [one.result for one in result.best]
    assert known.known
    assert known.outcome is not None
    said = as_text(outcome_reply(TRAIN, known.id, known.outcome, known=known.known))
    assert said.startswith(f"Already trained: {best.headline().partition(' of ')[0]} in {best.seconds_training:.3g} s.")
    assert said.endswith("known already")
    assert "< you" not in as_text(await top_of(desk, bob))


def test_a_sweep_is_one_of_ones_last_objects() -> None:
    """Its trainings push nothing out; what they made beside the best goes when it is old."""
    kept = [
        Kept("0a1b2c3d4", "a", 50.0),
        *(Kept(f"0a1b2c3d4u0{n}", "a", 40.0) for n in range(3)),
        Kept("old", "a", 1.0),
    ]
    late = overdue(kept, now=100.0, keep=Keep({"*": 30.0 / DAY}, 2))
    assert {one.job_id for one in late} == {"0a1b2c3d4u00", "0a1b2c3d4u01", "0a1b2c3d4u02"}


async def test_a_killed_worker_costs_a_sweep_nothing_but_time(
    redis_server: EmbeddedServer, redis: Redis, tmp_path: Path
) -> None:
    """kill -9 of the process in the middle, on the whole way from the command line: one answer, with all trainings."""
    house = House(
        tmp_path, redis_server.url, {"FRONTDESK_LANES": "long", "FRONTDESK_DEVICE": "cpu", "FRONTDESK_SLOTS": "1"}
    )
    arguments = ("sweep", "learning_rate=0.02,0.05", "width=4", "epochs=3", "--json")
    async with house.service("worker"):
        asking = asyncio.create_task(house.run("ask", *arguments, within=120))

        async def second_runs() -> str | None:
            async for key in redis.scan_iter(f"{keys.JOB}*u01"):
                state, worker = await redis.hmget(key, ["state", "worker"])  # type: ignore[misc]
                return worker.decode() if state == b"running" else None
            return None

        worker = await until(second_runs, within=60)
        os.kill(int(worker.split("-")[-2]), signal.SIGKILL)  # HOST-PROCESS-RANDOM
        ran = await asking
    assert ran.status == 0, ran.err + house.logged
    answer = json.loads(ran.out)
    assert answer["status"] == "done"
    assert (answer["result"]["members"], answer["result"]["done"]) == (2, 2)
    assert len(answer["files"]) == 3
    assert await redis.xlen(keys.outcomes("console")) == 1
    kills = [await redis.hget(key, "kills") async for key in redis.scan_iter(f"{keys.JOB}*u*")]  # type: ignore[misc]
    assert kills.count(b"1") == 1
    assert all(is_member(key.decode().removeprefix(keys.JOB)) for key in await redis.keys(f"{keys.JOB}*u*"))
