"""What each kind of object takes on this machine: seconds, memory, the sizes of its files, and the queue's share.

    python benchmarks/objects.py [--rounds 3] [--folder DIR] [--long]

Every request goes through desk, Redis and a worker with a process for long jobs, as a user's does; the rounds take
turns, each with another seed. *Run* is the worker's time for the job with its files; *queue's share* is what the asker
waited beyond that, over all of it. *Memory* is the peak of the worker's process while the job ran, all kinds loaded.
`--long` adds what takes longer than a minute.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil
from client import Client, running_system
from machine import machine

from frontdesk.queue import logs
from frontdesk.queue.kinds import Registry
from frontdesk.queue.parameters import Value

REQUESTS: list[tuple[str, dict[str, Value]]] = [
    ("sculpt", {"prompt": "a tall blue lamp on a desk", "quality": "draft"}),
    ("sculpt", {"prompt": "two small red chairs beside a round wooden table", "quality": "good"}),
    ("sculpt", {"prompt": "a sailing boat beside a lighthouse", "quality": "best"}),
    ("train", {"dataset": "digits", "epochs": 10}),
]
LONG: list[tuple[str, dict[str, Value]]] = [
    ("reconstruct", {"quality": "draft"}),
]


@dataclass(frozen=True)
class Measured:
    """Seconds of the run and in all, bytes of memory and of each file."""

    run: float
    whole: float
    memory: int
    files: Mapping[str, int]


def long_worker(parent: int) -> psutil.Process:
    """The process that serves the lane of long jobs."""
    for child in psutil.Process(parent).children(recursive=True):
        if child.environ().get("FRONTDESK_LANES") == "long":
            return child
    raise RuntimeError("no process serves the lane of long jobs")


def peak(process: psutil.Process) -> int:
    """Bytes: the most that was resident since `forget`."""
    for line in Path(f"/proc/{process.pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError("this system does not tell of peaks")


def forget(process: psutil.Process) -> None:
    """What was the peak so far counts no more."""
    Path(f"/proc/{process.pid}/clear_refs").write_text("5")


async def measured(client: Client, worker: psutil.Process, kind: str, raw: Mapping[str, Value], seed: int) -> Measured:
    forget(worker)
    began = time.perf_counter()
    outcome = await client.ask(kind, {**raw, "seed": seed} if kind != "reconstruct" else raw)
    whole = time.perf_counter() - began
    assert outcome.status == "done", outcome
    result = Registry.installed()[kind].result.model_validate(outcome.result)
    files = {one.artifact.name: one.artifact.size for one in result.attachments()}
    return Measured(outcome.seconds, whole, peak(worker), files)


def row(kind: str, raw: Mapping[str, Value], every: list[Measured]) -> str:
    asked = " ".join([kind, *(f"{name}={value}" for name, value in raw.items() if name != "prompt")])
    run = statistics.median(one.run for one in every)
    share = statistics.median(1 - one.run / one.whole for one in every)
    sizes = ", ".join(f"{name} {size / 1e3:.0f} kB" for name, size in every[-1].files.items())
    memory = max(one.memory for one in every)
    return f"| `{asked}` | {run:.1f} s | {memory / 1e6:.0f} MB | {100 * share:.2f} % | {sizes} |"


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=None, help="keeps the converted model and the files")
    parser.add_argument("--long", action="store_true")
    arguments = parser.parse_args()
    logs.configure("json", "error")
    requests = REQUESTS + (LONG if arguments.long else [])
    print(machine())
    with tempfile.TemporaryDirectory() as fresh:
        folder = arguments.folder or Path(fresh)
        folder.mkdir(parents=True, exist_ok=True)
        found: list[list[Measured]] = [[] for _ in requests]
        async with running_system(folder, {"FRONTDESK_LANES": "long"}) as (client, parent):
            worker = long_worker(parent)
            for number in range(arguments.rounds):
                for place, (kind, raw) in enumerate(requests):
                    found[place].append(await measured(client, worker, kind, raw, seed=100 + number))
    print("| request | run | memory | queue's share | files |\n| --- | --- | --- | --- | --- |")
    for (kind, raw), every in zip(requests, found, strict=True):
        print(row(kind, raw, every))


if __name__ == "__main__":
    asyncio.run(main())
