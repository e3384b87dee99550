"""The leaderboard: who stands where, and that the queue keeps it as the rule has it."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest
from queueing import KEEP, end_job, job, submit
from redis.asyncio import Redis

from frontdesk.queue import keys
from frontdesk.queue.broker import Broker
from frontdesk.queue.codec import encode
from frontdesk.queue.jobs import Outcome
from frontdesk.queue.leaderboard import MOST, Entry, Leaderboard, standings
from frontdesk.queue.lua import script
from frontdesk.queue.scripts import Scripts

SHA = "a" * 64


def entry(accuracy: float = 0.9, seconds: float = 10.0, seed: int = 0, **changes: Any) -> Entry:
    fields = {
        "dataset": "digits", "dataset_sha256": SHA, "accuracy": accuracy, "seconds": seconds, "epochs": 15,
        "learning_rate": 0.05, "batch_size": 32, "width": 16, "seed": seed, "device": "cpu", "job_id": f"job{seed}",
        "requester": "discord:1", "at": 1_800_000_000.0,
    }  # fmt: skip
    return Entry.model_validate(fields | changes)


def seeds(entries: list[Entry]) -> list[int]:
    return [standing.entry.seed for standing in standings(entries).get("digits", [])]


class Board(Leaderboard):
    """With a way to enter a training that no job made: the step of the queue that a job's end takes."""

    def __init__(self, redis: Redis) -> None:
        super().__init__(redis)
        step = "return enter_ranking(ARGV[2], ARGV[1], cjson.decode(ARGV[3]), tonumber(ARGV[4]))"
        self._enter = redis.register_script(f"{script()}\n{step}")

    async def add(self, one: Entry) -> int | None:
        """Its rank, 1 being the best; None where it is not among the best."""
        ranking = one.ranking("").model_dump_json()
        rank: int = await self._enter(args=[one.requester, one.job_id, ranking, int(one.at * 1000)])
        return rank or None


@pytest.fixture
def board(redis: Redis) -> Board:
    return Board(redis)


def test_accuracy_first_then_time() -> None:
    """However fast a worse one was."""
    assert seeds([entry(0.9, 1.0, 1), entry(0.95, 30.0, 2), entry(0.95, 20.0, 3), entry(1.0, 999.0, 4)]) == [4, 3, 2, 1]


def test_a_difference_of_one_test_picture_or_a_millisecond_counts() -> None:
    """Of 20,000 test pictures, and of an hour."""
    assert seeds([entry(19_000 / 20_000, 1.0, 1), entry(19_001 / 20_000, 3600.0, 2)]) == [2, 1]
    assert seeds([entry(0.5, 3600.001, 1), entry(0.5, 3600.0, 2)]) == [2, 1]


def test_at_most_fifty_of_each_data_set() -> None:
    """Ranked from 1, data sets in the order of their names."""
    many = [entry(seed / 100, seed=seed) for seed in range(80)]
    found = standings([*many, entry(dataset="mnist", seed=1)])
    assert list(found) == ["digits", "mnist"]
    assert [standing.rank for standing in found["digits"]] == list(range(1, MOST + 1))
    assert [standing.rank for standing in found["mnist"]] == [1]
    assert found["digits"][0].entry.seed == 79


def test_ones_own_are_marked() -> None:
    """For whoever looks; for nobody, none is."""
    entries = [entry(0.9, seed=1), entry(0.8, seed=2, requester="telegram:7")]
    assert [standing.own for standing in standings(entries, {"telegram:7"})["digits"]] == [False, True]
    assert not any(standing.own for standing in standings(entries)["digits"])


def test_a_configuration_counts_once() -> None:
    """With its first run: asking again, for oneself or on a faster machine, gains nothing."""
    again = entry(0.9, 5.0, requester="telegram:7", job_id="later")
    (standing,) = standings([entry(0.9, 10.0), again])["digits"]
    assert standing.entry.requester == "discord:1"
    other = [
        entry(learning_rate=0.1),
        entry(epochs=9),
        entry(batch_size=64),
        entry(width=8),
        entry(dataset_sha256="b" * 64),
    ]
    assert len({each.configuration for each in [entry(), again, *other]}) == 6


def test_equal_ones_keep_their_order() -> None:
    """Whatever order they come in."""
    entries = [entry(0.9, 10.0, seed) for seed in range(9)]
    assert seeds(entries) == seeds(entries[::-1])


async def test_the_queue_keeps_the_same_order(board: Board) -> None:
    """Ranks that adding tells, and what is read, are those of the rule, for any order of coming."""
    draw = random.Random(4)  # noqa: S311 -- a seed for a test
    entries = [entry(draw.randrange(10) / 10, draw.choice([1.0, 2.0, 2.0004]), seed) for seed in range(70)]
    for number, each in enumerate(entries, start=1):
        rank = await board.add(each)
        ranked = seeds(entries[:number])
        assert rank == (ranked.index(each.seed) + 1 if each.seed in ranked else None)
    found = (await board.top({"discord:1"}))["digits"]
    assert [standing.entry.seed for standing in found] == seeds(entries)
    assert all(standing.own for standing in found)


async def test_an_entry_that_is_written_again_changes_nothing(board: Board) -> None:
    """An outcome can be delivered twice: one entry, the same rank, whose it was first."""
    await board.add(entry(0.95, seed=9))
    assert await board.add(entry()) == 2
    assert await board.add(entry()) == 2
    assert await board.add(entry(0.99, 1.0, requester="telegram:7")) == 2
    assert [standing.entry.requester for standing in (await board.top())["digits"]] == ["discord:1", "discord:1"]


async def test_no_more_is_kept_than_is_shown(redis: Redis, board: Board) -> None:
    """Places and entries alike, however many come at once."""
    await asyncio.gather(*(board.add(entry(seed / 100, seed=seed)) for seed in range(80)))
    assert await board.add(entry(0.01, seed=99)) is None
    assert await redis.zcard(f"{keys.BOARD}digits:{SHA}") == MOST
    assert await redis.hlen(f"{keys.ENTRIES}digits:{SHA}") == MOST  # type: ignore[misc]
    assert len((await board.top())["digits"]) == MOST


async def test_other_pictures_begin_another_board(board: Board) -> None:
    """Under the same name: their figures cannot be compared."""
    await board.add(entry(0.99, seed=1))
    assert await board.add(entry(0.5, seed=2, dataset_sha256="b" * 64)) == 1
    assert [standing.entry.seed for standing in (await board.top())["digits"]] == [2]


async def test_one_data_set_or_all(board: Board) -> None:
    """An unknown one has no board."""
    await board.add(entry())
    await board.add(entry(dataset="mnist"))
    assert list(await board.top()) == ["digits", "mnist"]
    assert list(await board.top(dataset="mnist")) == ["mnist"]
    assert await board.top(dataset="folder") == {}


async def test_what_cannot_be_read_is_left_out(redis: Redis, board: Board) -> None:
    """The others are shown all the same."""
    await board.add(entry())
    await redis.hset(f"{keys.ENTRIES}digits:{SHA}", "other", "{}")  # type: ignore[misc]
    assert len((await board.top())["digits"]) == 1


async def test_a_board_is_forgotten_after_a_year_without_entries(redis: Redis, board: Board) -> None:
    await board.add(entry())
    for key in (keys.BOARD, keys.ENTRIES):
        assert 0 < await redis.ttl(f"{key}digits:{SHA}") <= 365 * 86_400


@pytest.mark.parametrize("private", [False, True])
async def test_a_job_enters_with_its_end(redis: Redis, board: Board, private: bool) -> None:
    """In the same step, once; and a private one never."""
    broker, scripts = Broker(redis, keep=KEEP), Scripts(redis)
    made = job("ada", private=private)
    await submit(broker, made)
    [claimed] = (await scripts.turn("w1", 60.0, {"short": 1}, keep=KEEP, patience=3600.0)).jobs
    outcome = encode(Outcome(status="done", result={"said": "x"}, ranking=entry(0.97).ranking("97.0 %")))
    for _ in range(2):  # the answer to the first was lost
        await end_job(scripts, made.id, claimed.lease, status="done", outcome=outcome, gpu_seconds=1.0)
    found = await board.top({"telegram:ada"})
    assert found == {} if private else [each.own for each in found["digits"]] == [True]
    if not private:
        (standing,) = found["digits"]
        assert standing.entry == entry(0.97, job_id=made.id, requester="telegram:ada", at=standing.entry.at)


async def test_who_lost_the_lease_enters_nothing(redis: Redis, board: Board) -> None:
    """Another worker has the job by now."""
    broker, scripts = Broker(redis, keep=KEEP), Scripts(redis)
    made = job("ada")
    await submit(broker, made)
    [claimed] = (await scripts.turn("w1", 60.0, {"short": 1}, keep=KEEP, patience=3600.0)).jobs
    await scripts.reap("w1", keep=KEEP)
    outcome = encode(Outcome(status="done", result={"said": "x"}, ranking=entry().ranking("")))
    assert not await end_job(scripts, made.id, claimed.lease, status="done", outcome=outcome, gpu_seconds=1.0)
    assert await board.top() == {}


async def test_a_damaged_board_holds_up_nobody(redis: Redis, board: Board) -> None:
    """It begins anew."""
    for key in (f"{keys.BOARD}digits:{SHA}", f"{keys.ENTRIES}digits:{SHA}", keys.BOARDS):
        await redis.set(key, "damage")
    assert await board.add(entry()) == 1
    assert len((await board.top())["digits"]) == 1
