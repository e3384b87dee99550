"""A reconstruction outlives its worker: killed with kill -9, it goes on with another one from its last checkpoint."""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
from queueing import KEEP, has_ended, job, submit, until
from redis.asyncio import Redis
from tiny_scenes import CPU, tiny_text, tiny_zip

from frontdesk.queue.archives import unpack
from frontdesk.queue.artifacts import ArtifactStore
from frontdesk.queue.broker import Broker
from frontdesk.queue.embedded import EmbeddedServer
from frontdesk.queue.kind_reconstruct import ReconstructParams, ReconstructResult
from frontdesk.queue.posed_archive import SUFFIXES
from frontdesk.queue.scripts import Scripts
from frontdesk.queue.settings import Settings
from frontdesk.worker.posed_images import read_posed_images
from frontdesk.worker.radiance_training import Hooks, train

SCRIPT = Path(__file__).with_name("reconstruct_worker.py")
STEPS = 150

pytestmark = pytest.mark.usefixtures("one_thread")


@asynccontextmanager
async def worker(environment: dict[str, str]) -> AsyncIterator[tuple[str, Process]]:
    """A process that takes jobs, with its name in the queue."""
    process = await asyncio.create_subprocess_exec(sys.executable, str(SCRIPT), env=environment, stdout=PIPE)
    try:
        assert process.stdout
        yield (await asyncio.wait_for(process.stdout.readline(), 60)).decode().strip(), process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def undisturbed(archive: Path, params: ReconstructParams, folder: Path) -> float:
    """dB of the same reconstruction in one go."""
    unpack(archive, folder, suffixes=SUFFIXES)
    trained = train(read_posed_images(folder), params.settings(), device=CPU, hooks=Hooks(look_every=1e9))
    return trained.final.psnr


async def test_killed_it_is_taken_up_by_another_worker(
    redis_server: EmbeddedServer, redis: Redis, broker: Broker, tmp_path: Path
) -> None:
    """It ends within 0.1 dB of a reconstruction that nobody disturbed, says what it took before, and leaves nothing."""
    environment = {**os.environ, "FRONTDESK_REDIS_URL": redis_server.url, "FRONTDESK_DATA_DIR": str(tmp_path),
                   "FRONTDESK_DEVICE": "cpu"}  # fmt: skip
    store = ArtifactStore.of(Settings(data_dir=tmp_path))
    archive = tiny_zip(tmp_path / "ball.zip")
    photographs = store.put(archive, name="ball.zip", media_type="application/zip")
    params = ReconstructParams(photographs=photographs, quality="draft", config=tiny_text(STEPS))
    made = job(kind="reconstruct", lane="long", params=params.model_dump(mode="json"))
    async with AsyncExitStack() as stack:
        pair = await asyncio.gather(*(stack.enter_async_context(worker(environment)) for _ in range(2)))
        await submit(broker, made)
        assert await until(lambda: asyncio.to_thread(store.saved, made.id), 60)
        record = await broker.job(made.id)
        assert record
        assert record.worker
        dict(pair)[record.worker].kill()
        await Scripts(redis).reap(record.worker, keep=KEEP)  # as a supervisor does; else the lease runs out by itself
        expected = await asyncio.to_thread(undisturbed, archive, params, tmp_path / "undisturbed")
        await until(lambda: has_ended(broker, made.id), 60)
    record = await broker.job(made.id)
    assert record
    assert record.outcome
    assert record.outcome.status == "done", record.outcome.reason
    result = ReconstructResult.model_validate(record.outcome.result)
    assert result.seconds_before > 0
    assert result.steps == STEPS
    assert result.psnr == pytest.approx(expected, abs=0.1)
    assert store.saved(made.id) is None
    assert {file.key for file in store.contents().files} == {photographs.sha256, *record.outcome.files}
