"""The whole system against the model alone, interleaved in one run.

    python benchmarks/system.py [--rounds 3] [--kinds score write] [--folder DIR] [--json FILE]

`score` through desk, Redis and worker at 1, 4 and 16 concurrent requests, against the bare forward pass in the same
precision and against a plain float32 loop; `write` with 8 concurrent prompts against one by one; the worker's peak
memory. All processes stay loaded and take turns every few texts, in an order that reverses each time: what the
machine does meanwhile hits all of them alike.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
from client import Client, running_system
from machine import machine

from frontdesk.queue import logs
from frontdesk.queue.settings import load_settings
from frontdesk.worker.models import chosen_device, chosen_dtype

CONCURRENT = (1, 4, 16)
TEXTS = 16
PORTION = 4  # texts after which another takes its turn, where not more are asked for at a time
WORDS = 300  # of each text: about 400 tokens
PROMPTS = [
    "Why is the sky blue?",
    "Tell a short story about a lighthouse.",
    "How does a bicycle stay upright?",
    "Describe a walk through a market.",
    "What is photosynthesis?",
    "Write about the first snow of the year.",
    "Explain how a clock works.",
    "Give advice to somebody who learns to cook.",
]
WRITTEN = 64  # tokens of each text
LIMIT = 1024  # tokens of a text that are judged, as in the settings


class Bare:
    """The model alone in a process of its own, in one precision."""

    def __init__(self, folder: Path, dtype: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("bare.py"))],
            env=os.environ | {"FRONTDESK_DATA_DIR": str(folder), "FRONTDESK_DTYPE": dtype},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self._answer()

    def rate(self, do: str, **request: Any) -> float:
        """Tokens per second."""
        assert self._process.stdin
        self._process.stdin.write(json.dumps({"do": do} | request) + "\n")
        self._process.stdin.flush()
        answer = self._answer()
        return float(answer["tokens"] / answer["seconds"])

    def stop(self) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait(30)

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the bare model did not start; run benchmarks/bare.py to see why")
        answer: dict[str, Any] = json.loads(line)
        return answer


def passages() -> list[str]:
    """Texts of equal length and different content, cut from the project's own prose."""
    root = Path(__file__).parents[1]
    files = [*sorted((root / "docs").glob("*.md")), *sorted((root / "queue").glob("*.py"))]
    words = " ".join(file.read_text() for file in files).split()
    step = max(1, (len(words) - WORDS) // TEXTS)
    return [" ".join(words[start : start + WORDS]) for start in range(0, step * TEXTS, step)]


async def score_rate(client: Client, texts: list[str], concurrent: int) -> float:
    """Tokens per second through the whole system, with so many requests under way at a time."""
    gate = asyncio.Semaphore(concurrent)

    async def one(text: str) -> int:
        async with gate:
            outcome = await client.ask("score", {"text": text})
        assert outcome.result is not None, outcome
        return int(outcome.result["tokens"]) + 1  # the start token goes through the model, too

    began = time.perf_counter()
    tokens = await asyncio.gather(*(one(text) for text in texts))
    return sum(tokens) / (time.perf_counter() - began)


async def score_turns(client: Client, bare: Bare, plain: Bare, concurrent: int) -> dict[str, float]:
    """Tokens per second of the whole system and of what it is compared with, which took turns every few texts."""
    texts, size = passages(), max(PORTION, concurrent)
    portions = [texts[start : start + size] for start in range(0, len(texts), size)]
    rates: dict[str, list[float]] = {}
    for number, portion in enumerate(portions):

        async def ours(portion: list[str] = portion) -> float:
            return await score_rate(client, portion, concurrent)

        async def forward(portion: list[str] = portion) -> float:
            return bare.rate("forward", texts=portion, limit=LIMIT)

        async def loop(portion: list[str] = portion) -> float:
            return plain.rate("score", texts=portion, limit=LIMIT)

        turns = [
            (f"bare forward beside {concurrent}", forward),
            (f"score, {concurrent} at a time", ours),
            (f"plain float32 loop beside {concurrent}", loop),
        ]
        for name, take in turns if number % 2 == 0 else reversed(turns):
            rates.setdefault(name, []).append(await take())
    return {name: statistics.harmonic_mean(each) for name, each in rates.items()}  # portions of about equal length


async def write_rate(client: Client, concurrent: int) -> float:
    gate = asyncio.Semaphore(concurrent)

    async def one(prompt: str) -> int:
        async with gate:
            outcome = await client.ask("write", {"prompt": prompt, "max_tokens": WRITTEN, "seed": 7})
        assert outcome.result is not None, outcome
        return int(outcome.result["tokens"])

    began = time.perf_counter()
    tokens = await asyncio.gather(*(one(prompt) for prompt in PROMPTS))
    return sum(tokens) / (time.perf_counter() - began)


def peak_memory(pid: int) -> float:
    """Peak resident memory of a process and its children in GB (10^9 bytes)."""
    pids = [pid, *(child.pid for child in psutil.Process(pid).children(recursive=True))]
    lines = [line for one in pids for line in Path(f"/proc/{one}/status").read_text().splitlines()]
    return sum(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) * 1024 / 1e9


async def measure(folder: Path, rounds: int, kinds: list[str]) -> dict[str, Any]:
    found = dict[str, list[float]]()
    async with running_system(folder, {}) as (client, pid):
        settings = load_settings()
        precision = str(chosen_dtype(settings, chosen_device(settings))).removeprefix("torch.")
        bare, plain = Bare(folder, precision), Bare(folder, "float32")
        for number in range(rounds + 1):
            turn = {}
            if "write" in kinds:
                turn["generate, one by one"] = bare.rate("generate", prompts=PROMPTS, tokens=WRITTEN)
                turn["write, 1 at a time"] = await write_rate(client, 1)
                turn["write, 8 at a time"] = await write_rate(client, 8)
            for concurrent in CONCURRENT if "score" in kinds else ():
                turn |= await score_turns(client, bare, plain, concurrent)
            if number:  # the first round warms up
                for name, rate in turn.items():
                    found.setdefault(name, []).append(rate)
            print(f"round {number}: " + ", ".join(f"{name} {rate:.0f}" for name, rate in turn.items()), flush=True)
        peak = peak_memory(pid)
        bare.stop()
        plain.stop()
    return {
        "machine": machine(), "precision": precision, "rounds": rounds, "tokens_per_second": found,
        "worker_peak_gb": peak,
    }  # fmt: skip


def report(figures: dict[str, Any]) -> str:
    """A table of medians, and the ratios round by round."""
    rates = figures["tokens_per_second"]

    def ratio(one: str, other: str) -> str:
        each = [a / b for a, b in zip(rates[one], rates[other], strict=True)]
        return f"{statistics.median(each):.2f} ({min(each):.2f} to {max(each):.2f})"

    lines = [f"{figures['machine']}; {figures['precision']}", "", "| what | tokens/s, median |", "| --- | --- |"]
    lines += [f"| {name} | {statistics.median(each):.0f} |" for name, each in rates.items()]
    lines += ["", "| ratio | median (least to most) |", "| --- | --- |"]
    for concurrent in CONCURRENT if f"score, {CONCURRENT[0]} at a time" in rates else ():
        name = f"score, {concurrent} at a time"
        lines.append(f"| {name} / bare forward | {ratio(name, f'bare forward beside {concurrent}')} |")
        lines.append(f"| {name} / plain float32 loop | {ratio(name, f'plain float32 loop beside {concurrent}')} |")
    for other in ("write, 1 at a time", "generate, one by one") if "write, 8 at a time" in rates else ():
        lines.append(f"| write, 8 at a time / {other} | {ratio('write, 8 at a time', other)} |")
    return "\n".join([*lines, "", f"Worker's peak memory: {figures['worker_peak_gb']:.2f} GB"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--kinds", nargs="+", choices=("score", "write"), default=["score", "write"])
    parser.add_argument("--folder", type=Path, default=Path("build/benchmarks"))
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    logs.configure("json", "warning")
    options.folder.mkdir(parents=True, exist_ok=True)
    figures = asyncio.run(measure(options.folder.resolve(), options.rounds, options.kinds))
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1))
    print("\n" + report(figures))


if __name__ == "__main__":
    main()
