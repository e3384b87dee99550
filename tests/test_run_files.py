"""The files of a run: private while it runs, stored when it succeeds, gone however it ends."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from running import Acting, Batching, Gate, Saying, context, job, kind, serving, unheard
from storing import folder_store
from structlog.testing import capture_logs

from frontdesk.queue.artifacts import Artifact, ArtifactStore
from frontdesk.queue.errors import FileTooLargeError, FrontdeskError, StoreError
from frontdesk.queue.kinds import Registry
from frontdesk.worker import driving, run_files
from frontdesk.worker.engine import Engine
from frontdesk.worker.run_files import Workroom
from frontdesk.worker.runner import CancelledRunError, RunContext, RunError

TYPE = "application/octet-stream"


class Place:
    """A store and a room for runs, and what lies in them."""

    def __init__(self, folder: Path) -> None:
        self.store = folder_store(folder / "store")
        self.room = Workroom(folder / "runs")
        self._runs = folder / "runs"

    def stored(self) -> list[str]:
        return [blob.key for blob in self.store.contents().files]

    def checkpoints(self) -> list[str]:
        return [blob.key for blob in self.store.contents().checkpoints]

    def left(self) -> list[str]:
        """What runs left in their folders."""
        return [path.name for path in self._runs.glob("*/*") if path.name != ".lock"]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


async def ran(place: Place, act: Callable[[RunContext], object], made: object = None) -> object:
    async with serving(Acting(act), store=place.store, room=place.room) as engine:
        return await engine.run(job(), unheard)


async def test_what_a_run_keeps_is_stored_when_it_succeeds(place: Place) -> None:
    """As it was when it was kept, whatever becomes of the file; the outcome lists the hashes."""
    kept: list[Artifact] = []

    def act(context: RunContext) -> None:
        path = context.folder / "chair.glb"
        path.write_bytes(b"first")
        kept.append(context.keep(path, name="chair.glb", media_type=TYPE))
        path.write_bytes(b"second")
        kept.append(context.keep(b"preview", name="../view.png", media_type="image/png"))
        kept.append(context.keep(b"preview", name="again.png", media_type="image/png"))
        assert place.stored() == []

    async with serving(Acting(act), store=place.store, room=place.room) as engine:
        outcome = await engine.run(job(), unheard)
    assert outcome.status == "done"
    assert outcome.files == (kept[0].sha256, kept[1].sha256)
    assert [artifact.name for artifact in kept] == ["chair.glb", "view.png", "again.png"]
    assert [place.store.read(artifact) for artifact in kept] == [b"first", b"preview", b"preview"]


@pytest.mark.parametrize("error", [RunError("No."), ValueError("x"), CancelledRunError("x"), MemoryError()])
async def test_a_run_that_fails_leaves_no_files(place: Place, error: Exception) -> None:
    """Neither in the store nor on the worker's disk."""
    folders: list[Path] = []

    def act(context: RunContext) -> None:
        folders.append(context.folder)
        (context.folder / "deep").mkdir()
        context.keep(b"half a chair", name="chair.glb", media_type=TYPE)
        context.save(b"state")
        raise error

    async with serving(Acting(act), store=place.store, room=place.room) as engine:
        outcome = await engine.run(job(), unheard)
        assert outcome.status in ("failed", "cancelled")
        assert outcome.files == ()
        assert not folders[0].exists()
        assert (place.stored(), place.checkpoints(), place.left()) == ([], [], [])


async def test_each_run_has_a_folder_of_its_own(place: Place) -> None:
    """Empty, for nobody else to read, and gone with the run; who needs none gets none."""
    seen: list[Path] = []

    def act(context: RunContext) -> None:
        assert context.folder == context.folder
        assert list(context.folder.iterdir()) == []
        assert context.folder.stat().st_mode & 0o077 == 0
        (context.folder / "x").touch()
        seen.append(context.folder)

    async with serving(Acting(act), store=place.store, room=place.room) as engine:
        await asyncio.gather(engine.run(job(), unheard), engine.run(job(), unheard))
        assert len(set(seen)) == 2
        assert place.left() == []
    assert not seen[0].parent.exists()
    async with serving(Saying(), store=place.store, room=Workroom(seen[0].parent.parent / "never")) as engine:
        await engine.run(job(), unheard)
    assert not (seen[0].parent.parent / "never").exists()


async def test_a_checkpoint_outlives_a_worker_and_not_the_job(place: Place) -> None:
    """A job that goes back finds it on another worker; an outcome removes it."""
    gate, made = Gate(), job()
    found: list[bytes | None] = []

    def act(context: RunContext) -> None:
        found.append(context.saved())
        context.save(b"epoch %d" % len(found))
        gate.pass_through("saved")

    for _ in range(2):  # two workers that are stopped
        async with serving(Acting(act), store=place.store, room=place.room) as engine:
            running = asyncio.create_task(engine.run(made, unheard))
            await gate.arrival()
            running.cancel()
            with pytest.raises(asyncio.CancelledError):
                await running
            gate.let_go()
            assert place.checkpoints() == [made.id]
    async with serving(Acting(act), store=place.store, room=place.room) as engine:
        running = asyncio.create_task(engine.run(made, unheard))
        await gate.arrival()
        gate.let_go()
        assert (await running).status == "done"
    assert found == [None, b"epoch 1", b"epoch 2"]
    assert place.checkpoints() == []
    assert place.left() == []


async def test_a_run_that_nobody_waits_for_is_told_so(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its folder is gone while it still holds the device; what it would leave is refused."""
    monkeypatch.setattr(driving, "NOTICE", 0.01)
    gate = Gate()
    refused: list[str] = []

    def act(context: RunContext) -> None:
        gate.pass_through(context.folder)
        for use in (
            lambda: context.save(b"late"),
            lambda: context.saved(),
            lambda: context.folder,
            lambda: context.keep(b"late", name="x", media_type=TYPE),
        ):
            try:
                use()
            except CancelledRunError as error:
                refused.append(str(error))
        gate.pass_through("tried")

    async with serving(Acting(act), store=place.store, room=place.room) as engine:
        made = job()
        running = asyncio.create_task(engine.run(made, unheard))
        await gate.arrival()
        assert len(place.left()) == 1
        engine.cancel(made.id)
        assert (await running).status == "cancelled"
        assert place.left() == []
        gate.let_go()
        await gate.arrival()
        gate.let_go()
    assert len(refused) == 4
    assert (place.checkpoints(), place.stored()) == ([], [])


@pytest.mark.parametrize("method", ["fetch", "save"])
async def test_a_slow_store_does_not_hold_up_a_cancelling(
    place: Place, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    """The job has ended while its file is still on the way; what arrives afterwards is removed."""
    monkeypatch.setattr(driving, "NOTICE", 0.01)
    monkeypatch.setattr(run_files, "CLOSING", 0.01)
    gate, made, store_s = Gate(), job(), getattr(ArtifactStore, method)
    artifact = place.store.put(b"photographs", name="photographs.zip", media_type=TYPE)
    ended: list[BaseException] = []

    def slow(*args: Any) -> Any:
        gate.pass_through(method)
        return store_s(*args)

    def act(context: RunContext) -> None:
        try:
            if method == "fetch":
                context.fetch(artifact)
            else:
                context.save(b"state")
            context.check()
        except CancelledRunError as error:
            ended.append(error)
            raise

    monkeypatch.setattr(ArtifactStore, method, slow)
    async with serving(Acting(act), store=place.store, room=place.room) as engine:
        running = asyncio.create_task(engine.run(made, unheard))
        await gate.arrival()
        engine.cancel(made.id)
        try:
            outcome = await asyncio.wait_for(asyncio.shield(running), 2.0)
        finally:
            gate.let_go()
        assert outcome.status == "cancelled"
        await engine.close()
    for thread in threading.enumerate():
        if thread.name in (f"closing-{made.id}", "device_0"):
            await asyncio.to_thread(thread.join, 10)
    assert len(ended) == 1
    assert (place.checkpoints(), place.left()) == ([], [])


async def test_a_store_that_fails_fails_the_job_but_no_checkpoint_does(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run is worth more than its checkpoint; a result without its files is none."""

    def broken(*_: object, **__: object) -> None:
        raise StoreError("The artifact store cannot be used (ConnectionError).")

    for method in ("save", "saved", "put"):
        monkeypatch.setattr(ArtifactStore, method, broken)
    found: list[bytes | None] = []

    def saves(context: RunContext) -> None:
        found.append(context.saved())
        context.save(b"state")

    async with serving(Acting(saves), store=place.store, room=place.room) as engine:
        with capture_logs() as logs:
            assert (await engine.run(job(), unheard)).status == "done"
    assert found == [None]
    assert [line["event"] for line in logs] == ["no checkpoint", "no checkpoint"]

    def keeps(context: RunContext) -> None:
        context.keep(b"chair", name="chair.glb", media_type=TYPE)

    async with serving(Acting(keeps), store=place.store, room=place.room) as engine:
        outcome = await engine.run(job(), unheard)
    assert (outcome.status, outcome.reason) == ("failed", "Its files could not be stored. Please ask again later.")
    assert place.left() == []


async def test_what_is_too_large_is_a_sentence_for_the_requester(place: Place) -> None:
    """It is refused before it is copied."""

    def act(context: RunContext) -> None:
        big = context.folder / "big"
        big.write_bytes(bytes(1_000_001))
        context.keep(big, name="big.bin", media_type=TYPE)

    async with serving(Acting(act), store=place.store, room=place.room) as engine:
        outcome = await engine.run(job(), unheard)
    assert outcome.reason == str(FileTooLargeError("big.bin", 1_000_001, 1_000_000))


async def test_a_run_keeps_a_bounded_number_of_files(place: Place) -> None:
    """A runner that keeps every step of a long run is stopped by its own mistake, and not by a full disk."""

    def act(context: RunContext) -> None:
        for number in range(65):
            context.keep(b"%d" % number, name="x", media_type=TYPE)

    async with serving(Acting(act), store=place.store, room=place.room) as engine:
        with capture_logs() as logs:
            assert (await engine.run(job(), unheard)).status == "failed"
    assert logs[0]["error"] == "builtins.ValueError"
    assert place.stored() == []


def test_what_a_killed_worker_left_is_removed_by_the_next(place: Place, tmp_path: Path) -> None:
    """And nothing of one that still runs."""
    code = (
        "import sys, time; from pathlib import Path; from frontdesk.worker.run_files import Workroom\n"
        "room = Workroom(Path(sys.argv[1])); print(room.new_folder(), flush=True); time.sleep(600)"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "runs")]
    killed, alive = (subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2))
    assert killed.stdout is not None
    assert alive.stdout is not None
    folders = [Path(process.stdout.readline().strip()) for process in (killed, alive) if process.stdout]
    killed.kill()
    killed.communicate()
    mine = place.room.new_folder()
    assert [folder.exists() for folder in folders] == [False, True]
    assert not folders[0].parent.exists()
    assert mine.exists()
    place.room.close()
    assert not mine.parent.exists()
    assert folders[1].exists()
    alive.kill()
    alive.communicate()


async def test_a_runner_is_tried_without_an_engine(tmp_path: Path) -> None:
    """A context with a folder has files as a worker's has."""
    alone = context("1abc", tmp_path)
    assert alone.keep(b"chair", name="chair.glb", media_type=TYPE).size == 5
    alone.save(b"state")
    assert context("1abc", tmp_path).saved() == b"state"
    assert alone.folder.is_dir()


async def test_without_a_store_a_run_that_needs_one_fails() -> None:
    """A worker's fault, not its requester's: the log names it."""
    alone = context()
    for use in (lambda: alone.folder, alone.saved, lambda: alone.keep(b"", name="x", media_type=TYPE)):
        with pytest.raises(FrontdeskError, match="this worker has no"):
            use()
    engine = Engine(Registry([kind()]), {"say": Batching()})
    await engine.load()
    assert (await engine.run(job(), unheard)).status == "done"
    await engine.close()
