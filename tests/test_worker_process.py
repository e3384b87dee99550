"""`frontdesk worker` as a process: signals, exit status, what its children get, and what it is not."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from pydantic import SecretStr
from queueing import KEEP, job, submit, until
from redis.asyncio import Redis
from supervised import FAULTS, LIVES, RUNS
from test_supervisor import WITHIN, alive

from frontdesk.queue import keys
from frontdesk.queue.broker import Broker
from frontdesk.queue.connection import answer
from frontdesk.queue.embedded import EmbeddedServer
from frontdesk.queue.errors import ConfigurationError
from frontdesk.queue.settings import Settings
from frontdesk.worker.gpus import environments, gpus
from frontdesk.worker.life import LOOK, Silence
from frontdesk.worker.post import Pauses

SCRIPT = Path(__file__).with_name("supervising.py")
MEMORY = 100  # MB: the parent is to stay small beside models of many GB


@pytest.fixture
def environment(redis_server: EmbeddedServer, redis: Redis, tmp_path: Path) -> dict[str, str]:
    return {
        **os.environ,
        "FRONTDESK_REDIS_URL": redis_server.url,
        "FRONTDESK_DATA_DIR": str(tmp_path),
        "FRONTDESK_STOP_GRACE": "0",
        "FRONTDESK_LOG_FORMAT": "json",
    }


@asynccontextmanager
async def worker(environment: dict[str, str], posts: int = 1) -> AsyncIterator[Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(SCRIPT), str(posts), env=environment, stdin=subprocess.DEVNULL, stderr=PIPE
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def lives(redis: Redis, count: int) -> list[int]:
    async def enough() -> list[int] | None:
        pids = [int(pid) for pid in await answer(redis.lrange(LIVES, 0, -1))]
        return pids if len(pids) >= count else None

    found: list[int] = await until(enough, WITHIN)
    return found


async def on_duty(redis: Redis, count: int) -> None:
    async def enough() -> bool:
        return bool(await redis.zcard(keys.WORKERS) == count)

    await until(enough, WITHIN)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_it_drains_and_leaves_nothing_behind(
    environment: dict[str, str], redis: Redis, number: signal.Signals
) -> None:
    """Status 0; the running job is back in the queue, as one that nobody tried; no process lives on."""
    broker, made = Broker(redis, keep=KEEP), job(text="hold")
    await submit(broker, made)
    async with worker(environment, 2) as process:
        await on_duty(redis, 2)
        await until(lambda: redis.llen(RUNS), WITHIN)
        process.send_signal(number)
        _, said = await asyncio.wait_for(process.communicate(), WITHIN)
        assert process.returncode == 0, said
    record = await broker.job(made.id)
    assert record is not None
    assert (record.state, record.kills) == ("waiting", 0)
    assert not any(map(alive, await lives(redis, 2)))


async def test_its_death_ends_its_children(environment: dict[str, str], redis: Redis) -> None:
    """kill -9: a child at rest ends by itself, and so does one whose event loop stands still."""
    async with worker(environment, 2) as process:
        await on_duty(redis, 2)
        await submit(Broker(redis, keep=KEEP), job(text="block"))
        await until(lambda: redis.llen(RUNS), WITHIN)
        pids = await lives(redis, 2)
        process.kill()
        await process.wait()
        await until(lambda: not any(map(alive, pids)), WITHIN)


async def test_sighup_replaces_its_children(environment: dict[str, str], redis: Redis) -> None:
    """One after the other, while it lives on."""
    async with worker(environment, 2) as process:
        await on_duty(redis, 2)
        process.send_signal(signal.SIGHUP)
        first = (await lives(redis, 4))[:2]
        await until(lambda: not any(map(alive, first)), WITHIN)
        await on_duty(redis, 2)
        assert process.returncode is None
        process.terminate()
        await asyncio.wait_for(process.communicate(), WITHIN)
        assert process.returncode == 0


async def test_a_wrong_setting_is_one_line_and_status_2(environment: dict[str, str], redis: Redis) -> None:
    """However many children found it wrong."""
    await answer(redis.rpush(FAULTS, "configuration", "configuration"))
    async with worker(environment, 2) as process:
        _, said = await asyncio.wait_for(process.communicate(), WITHIN)
    assert process.returncode == 2
    lines = [line for line in said.decode().splitlines() if not line.startswith("{")]
    assert lines == ["frontdesk worker: FRONTDESK_MODEL is not there."]


def test_the_parent_stays_small() -> None:
    """It looks after processes with models, and holds none: no model library, not even arq."""
    code = (
        "import json, sys; import frontdesk.worker.main;"
        "modules = sorted({name.split('.')[0] for name in sys.modules});"
        "import psutil; print(json.dumps([psutil.Process().memory_info().rss, modules]))"
    )
    memory, modules = json.loads(subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout)
    assert not set(modules) & {"torch", "transformers", "numpy", "arq", "discord", "telegram"}
    assert memory / 1e6 < MEMORY


def test_each_gpu_has_a_process_for_each_lane(monkeypatch: pytest.MonkeyPatch) -> None:
    """A long run holds up no short one. Each sees no other GPU and must find its own; each has its port, and no bot's
    token."""
    monkeypatch.setenv("FRONTDESK_DISCORD_TOKEN", "secret")
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    settings = Settings(metrics_listen="127.0.0.1:9100")
    every = environments(settings, "unix:///queue", 2)
    assert [(own["CUDA_VISIBLE_DEVICES"], own["FRONTDESK_LANES"]) for own in every] == [
        ("0", "short"), ("0", "long"), ("1", "short"), ("1", "long"),
    ]  # fmt: skip
    assert {own["OMP_WAIT_POLICY"] for own in every} == {"PASSIVE"}  # they share the processor's cores
    settings = settings.model_copy(update={"lanes": ("short",)})
    first, second = environments(settings, "unix:///queue", 2)
    assert [own["CUDA_VISIBLE_DEVICES"] for own in (first, second)] == ["0", "1"]
    assert [own["FRONTDESK_METRICS_LISTEN"] for own in (first, second)] == ["127.0.0.1:9100", "127.0.0.1:9101"]
    assert {own["FRONTDESK_DEVICE"] for own in (first, second)} == {"cuda"}
    assert {own["FRONTDESK_REDIS_URL"] for own in (first, second)} == {"unix:///queue"}
    assert "secret" not in {*first.values(), *second.values()}
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3, GPU-8d2c")
    assert [own["CUDA_VISIBLE_DEVICES"] for own in environments(settings, "", 2)] == ["3", "GPU-8d2c"]


@pytest.mark.parametrize("count", [0, 1])
def test_one_process_is_left_to_the_settings(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a processor, on the only GPU, or on the one that FRONTDESK_DEVICE names."""
    for name in ("CUDA_VISIBLE_DEVICES", "OMP_WAIT_POLICY"):
        monkeypatch.delenv(name, raising=False)
    settings = Settings(redis_url=SecretStr("redis://localhost"), lanes=("long",))
    (own,) = environments(settings, "redis://localhost", count)
    assert "OMP_WAIT_POLICY" not in own
    assert not {"CUDA_VISIBLE_DEVICES", "FRONTDESK_DEVICE", "FRONTDESK_REDIS_URL", "FRONTDESK_METRICS_LISTEN"} & set(
        own
    )


def test_ports_for_metrics_may_end() -> None:
    """Which is said at the start."""
    with pytest.raises(ConfigurationError, match="leaves no port"):
        environments(Settings(metrics_listen="127.0.0.1:65535"), "", 2)


async def test_gpus_are_counted_by_a_process_of_its_own() -> None:
    """What torch says there is; where it cannot be asked, one worker will say why."""
    assert await gpus((sys.executable, "-c", "print('a warning'); print(3)")) == 3
    assert await gpus((sys.executable, "-c", "print('a warning')")) == 0
    assert await gpus((sys.executable, "-c", "raise SystemExit(1)")) == 0
    assert await gpus() >= 0


def test_silence_while_nobody_listened_does_not_count() -> None:
    """After a suspension, or where the machine had no time for the parent, a child gets its time again."""
    now = 0.0
    silence = Silence(lambda: now)
    for _ in range(4):
        now += LOOK
        silence.look()
    assert silence.seconds == 4 * LOOK
    now += 3600.0
    assert silence.look() <= 6 * LOOK
    silence.heard()
    assert silence.seconds == 0.0


def test_pauses_grow_until_a_child_served_for_a_while() -> None:
    """A worker that cannot live does not spin; one that served well is back at once."""
    pauses = Pauses(first=1.0, longest=5.0, steady=60.0)
    assert [pauses.after(0.0) for _ in range(4)] == [1.0, 2.0, 4.0, 5.0]
    assert pauses.after(61.0) == 1.0
    assert pauses.after(59.0) == 2.0
