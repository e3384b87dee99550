"""A hundred thousand waiting jobs: what each costs in Redis's memory, and what position and claim cost beside them.

    python benchmarks/crowd.py [--jobs 100000] [--people 2000] [--private] [--json FILE]

Jobs of many people on both platforms, with the addresses that bots give them, go through the broker into an embedded
server with the settings that ship. Memory is `used_memory` less that of an idle server, divided by the jobs; the
payload is what was asked for and where the answer goes (the job's JSON and the reply address). Position and claim are
timed at each size, one call after the other.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from machine import machine
from redis.asyncio import Redis

from frontdesk.queue import keys
from frontdesk.queue.broker import Broker
from frontdesk.queue.connection import answer, connected
from frontdesk.queue.embedded import EmbeddedServer
from frontdesk.queue.jobs import ID_EPOCH, Job, Platform, ReplyAddress, Requester, new_job_id, request_digest
from frontdesk.queue.scripts import Scripts

SIZES = (1_000, 10_000, 100_000)
CALLS = 300
TOGETHER = 64
TEXT = "Why is the sky blue? " * 20


def made(number: int, people: int) -> tuple[Job, ReplyAddress]:
    """The job of this number; ids are those of one job every hundredth of a second."""
    platform: Platform = "discord" if number % 2 else "telegram"
    user = str(10**17 + number % people) if platform == "discord" else str(10**9 + number % people)
    requester = Requester(platform=platform, user=user, tenant=f"guild-{number % 50}")
    job = Job(
        id=new_job_id(ID_EPOCH + number),
        kind="score",
        lane="short",
        params={"text": TEXT},
        requester=requester,
        cost=0.6123,
        submitted_at=time.time(),
    )
    token = "t" * 180 if platform == "discord" else None
    channel = str(10**17 + number % 500)
    return job, ReplyAddress(platform=platform, channel=channel, user=user, message=str(number), token=token)


async def fill(broker: Broker, first: int, last: int, people: int, shared: bool) -> None:
    gate = asyncio.Semaphore(TOGETHER)

    async def one(number: int) -> None:
        job, reply = made(number, people)
        async with gate:
            releases = (f"fd:limit:in_flight:score:{job.requester.key}",)
            await broker.submit(
                job,
                reply,
                update=f"{reply.platform}:{10**17 + number}",
                declared=0.6,
                digest=request_digest(job.kind, {"number": number}, "model") if shared else "",
                releases=releases,
            )

    for start in range(first, last, 5000):
        await asyncio.gather(*(one(number) for number in range(start, min(last, start + 5000))))


async def timed(call: Callable[[], Awaitable[object]]) -> float:
    """Median milliseconds of a call."""
    took = []
    for _ in range(CALLS):
        began = time.perf_counter()
        await call()
        took.append(1000 * (time.perf_counter() - began))
    return statistics.median(took)


async def payload_bytes(redis: Redis, ids: list[str]) -> float:
    found = []
    for job_id in ids:
        address = await answer(redis.hget(keys.job(job_id), "reply"))
        found.append(await redis.strlen(keys.payload(job_id)) + len(address or ""))
    return float(statistics.mean(found))


async def measure(url: str, sizes: list[int], people: int, shared: bool) -> dict[str, Any]:
    found: dict[str, Any] = {"machine": machine(), "people": people, "sizes": {}}
    async with connected(url) as redis:
        broker, scripts = Broker(redis, keep=7 * 86_400.0), Scripts(redis)
        await fill(broker, 0, TOGETHER * 4, people, shared)  # connections and scripts are there in an idle server, too
        await answer(redis.execute_command("FLUSHALL", "SYNC"))  # type: ignore[no-untyped-call]  # redis-py leaves it untyped
        before, done = (await redis.info("memory"))["used_memory"], 0
        for size in sizes:
            await fill(broker, done, size, people, shared)
            done = size
            used = ((await redis.info("memory"))["used_memory"] - before) / size
            sampled = [entry.decode() for entry in (await redis.zrange(keys.lane("short"), 0, -1))[:: size // 100]]
            payload = await payload_bytes(redis, sampled)
            middle = (await redis.zrange(keys.lane("short"), size // 2, size // 2))[0].decode()

            async def claim_and_release() -> None:
                [held] = (await scripts.turn("w1", 60.0, {"short": 1}, keep=3600.0, patience=3600.0)).jobs
                await scripts.release(held.job_id, held.lease)

            found["sizes"][size] = {
                "bytes_each": used,
                "payload_bytes": payload,
                "position_ms": await timed(lambda: broker.ticket(middle, "short")),  # noqa: B023 - called in this turn
                "claim_and_release_ms": await timed(claim_and_release),
                "ping_ms": await timed(redis.ping),
            }
            print(size, json.dumps(found["sizes"][size]), flush=True)
    return found


def report(found: dict[str, Any]) -> str:
    lines = [
        found["machine"],
        "",
        "| waiting jobs | bytes each beyond the payload | position, ms | claim and release, ms | a bare PING, ms |",
        "| --- | --- | --- | --- | --- |",
    ]
    for size, figures in found["sizes"].items():
        # Of few jobs it would be the server's own ups and downs that are measured.
        last = size == max(found["sizes"])
        beyond = f"{figures['bytes_each'] - figures['payload_bytes']:.0f}" if last else ""
        lines.append(
            f"| {size:,} | {beyond} | {figures['position_ms']:.2f} "
            f"| {figures['claim_and_release_ms']:.2f} | {figures['ping_ms']:.2f} |"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=SIZES[-1])
    parser.add_argument("--people", type=int, default=2000)
    parser.add_argument("--private", action="store_true", help="jobs that share no run with others")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    sizes = [size for size in SIZES if size < options.jobs] + [options.jobs]
    with tempfile.TemporaryDirectory() as folder, EmbeddedServer(Path(folder)) as server:
        found = asyncio.run(measure(server.url, sizes, options.people, not options.private))
    if options.json:
        options.json.write_text(json.dumps(found, indent=1))
    print("\n" + report(found))


if __name__ == "__main__":
    main()
