"""`reconstruct` as a worker runs it: from photographs to figures and files, and what is left where it ends early."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, get_args

import numpy as np
import pytest
import trimesh
from gltf import Validator
from PIL import Image
from running import job, unheard
from tiny_scenes import SMALL, tiny_config, tiny_text, tiny_zip

from frontdesk.queue.artifacts import Artifact, ArtifactStore
from frontdesk.queue.jobs import Outcome, Progress
from frontdesk.queue.kind_reconstruct import (
    LONGEST_AROUND,
    RECONSTRUCT,
    ReconstructParams,
    ReconstructResult,
    SceneName,
    cost,
    memory,
    time_limit,
)
from frontdesk.queue.kinds import Registry
from frontdesk.queue.reconstruct_config import SECONDS
from frontdesk.queue.settings import Settings
from frontdesk.worker import reconstruct_runner
from frontdesk.worker.context import JobContext
from frontdesk.worker.engine import Engine
from frontdesk.worker.example_scenes import EXAMPLES, write_example
from frontdesk.worker.reconstruct_runner import ReconstructRunner
from frontdesk.worker.run_files import RunFiles, Workroom
from frontdesk.worker.runner import Bench, CancelledRunError

ZIP = "application/zip"


pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return tiny_zip(tmp_path_factory.mktemp("zip") / "ball.zip").read_bytes()


class Desk:
    """A worker with a store and a folder for its runs."""

    def __init__(self, folder: Path, **options: Any) -> None:
        self.store, self.runs = ArtifactStore.of(Settings(data_dir=folder)), folder / "runs"
        bench = Bench(SimpleNamespace(settings=Settings(data_dir=folder, device="cpu")), folder)  # type: ignore[arg-type]
        self.runner = ReconstructRunner(bench, flight=SMALL, **options)
        self.runner.load()
        self.told: list[Progress] = []

    def upload(self, data: bytes) -> Artifact:
        return self.store.put(data, name="ball.zip", media_type=ZIP)

    async def outcome(self, **params: Any) -> Outcome:
        room = Workroom(self.runs)
        engine = Engine(Registry([RECONSTRUCT]), {"reconstruct": self.runner}, store=self.store, room=room)
        asked = job().model_copy(update={"kind": "reconstruct", "params": params})
        outcome = await engine.run(asked, self.told.append)
        self.left = [path.name for path in self.runs.rglob("*") if path.is_file() and path.name != ".lock"]
        await engine.close()
        return outcome

    async def reconstructed(self, photographs: Artifact, **params: Any) -> ReconstructResult:
        outcome = await self.outcome(photographs=photographs.model_dump(), **params)
        assert outcome.status == "done", outcome.reason
        return ReconstructResult.model_validate(outcome.result)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path, look_every=0.0)


async def test_photographs_become_figures_and_files(
    desk: Desk, photographs: bytes, gltf_validator: Validator, tmp_path: Path
) -> None:
    """A fly-around and a still for the chat, a mesh as glTF wants it, and the grid; nothing else is left."""
    result = await desk.reconstructed(desk.upload(photographs), config=tiny_text(80))
    assert result.psnr > 18
    assert (result.views, result.held_out, result.steps, result.reso) == (8, 2, 80, 24)
    assert (
        result.headline() == f"Reconstructed from 8 pictures: {result.psnr:.1f} dB on 2 pictures that it had not seen."
    )
    assert dict(result.figures())["Photographs"] == "your own"
    assert [(one.role, one.artifact.name) for one in result.attachments()] == [
        ("preview", "ball-around.gif"), ("still", "ball.png"), ("file", "ball.glb"), ("file", "ball-grid.npz"),
    ]  # fmt: skip
    around, still, mesh, grid = (desk.store.read(one.artifact) for one in result.attachments())
    assert desk.left == []
    _is_a_flight(around)
    assert Image.open(io.BytesIO(still)).size == (64, 64)
    assert gltf_validator.report(mesh, tmp_path / "ball.glb")["issues"]["numErrors"] == 0
    _is_a_red_ball(mesh, result.faces)
    with np.load(io.BytesIO(grid), allow_pickle=False) as arrays:
        assert len(arrays["points"]) == result.points


def _is_a_flight(data: bytes) -> None:
    """Frames that loop, on plain white."""
    assert len(data) < 2_000_000
    with Image.open(io.BytesIO(data)) as flight:
        assert (getattr(flight, "n_frames", 1), flight.size, flight.info["loop"]) == (4, (40, 40), 0)
        pixels = np.asarray(flight.convert("RGB")).astype(int)
    assert (pixels[0, 0] == 255).all()
    red, green, _ = pixels[20, 20]
    assert red > green + 60


def _is_a_red_ball(data: bytes, faces: int) -> None:
    """As high as wide, in a box of a metre, standing on the ground."""
    scene = trimesh.load(io.BytesIO(data), file_type="glb")
    assert isinstance(scene, trimesh.Scene)
    low, high = scene.bounds
    assert low[1] == pytest.approx(0, abs=1e-3)
    assert (low + high)[[0, 2]] == pytest.approx([0, 0], abs=1e-3)
    assert max(high - low) == pytest.approx(1, abs=1e-3)
    assert min(high - low) > 0.8
    assert sum(len(geometry.faces) for geometry in scene.geometry.values()) == faces


async def test_it_tells_how_well_it_does_while_it_runs(desk: Desk, photographs: bytes) -> None:
    """The fraction rises to the end; dB on pictures that were held out; and a picture at half way, once."""
    shown: list[bytes] = []
    told: list[tuple[float, str]] = []
    context = counted(desk, lambda: None)
    context.show = lambda data, name, media_type: shown.append(data)  # type: ignore[method-assign,misc]
    context.progress = lambda fraction, note: told.append((fraction, note))  # type: ignore[assignment,misc]
    desk.runner.run(ReconstructParams(photographs=desk.upload(photographs), config=tiny_text(60)), context)
    fractions = [fraction for fraction, _ in told]
    assert fractions == sorted(fractions)
    assert fractions[0] == 0
    assert 0.95 < fractions[-1] <= 1
    assert any("24x24x24 grid" in note and " dB, SSIM 0." in note for _, note in told)
    [preview] = shown
    with Image.open(io.BytesIO(preview)) as opened:
        assert opened.size == (40, 40)
        assert (np.asarray(opened.convert("L")) < 200).any()


async def test_an_example_needs_no_photographs(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is photographed by the worker itself."""
    smaller = partial(write_example, train=8, held_out=2, size=24)
    monkeypatch.setattr(reconstruct_runner, "write_example", smaller)
    desk.runner._look_every = 1e9
    outcome = await desk.outcome(scene="red_ball", config=tiny_text(40))
    assert outcome.status == "done", outcome.reason
    result = ReconstructResult.model_validate(outcome.result)
    assert (result.views, result.held_out) == (8, 2)
    assert dict(result.figures())["Photographs"] == "red_ball (example)"


def test_every_example_can_be_asked_for() -> None:
    """The names that are offered are those that there are."""
    assert set(get_args(SceneName)) == set(EXAMPLES)


def counted(desk: Desk, check: Callable[[], None]) -> JobContext:
    """A context outside of an engine, whose `check` is the test's own."""
    files = RunFiles("job", desk.store, Workroom(desk.runs))

    class Context(JobContext):
        def check(self) -> None:
            check()

    return Context("job", unheard, files=files)


async def test_it_can_be_cancelled_at_every_stage(desk: Desk, photographs: bytes) -> None:
    """Whatever it does just then, the next question whether to go on ends it, and it has kept nothing."""
    upload, params = desk.upload(photographs), {"config": tiny_text(40)}
    desk.runner._look_every = 1e9
    asked = 0

    def count() -> None:
        nonlocal asked
        asked += 1

    desk.runner.run(ReconstructParams(photographs=upload, **params), counted(desk, count))
    every = asked
    for number in [1, 8, 15, *range(22, every, every // 4), every]:
        left = number

        def end() -> None:
            nonlocal left
            left -= 1
            if left <= 0:
                raise CancelledRunError

        context = counted(desk, end)
        with pytest.raises(CancelledRunError):
            desk.runner.run(ReconstructParams(photographs=upload, **params), context)
        assert context._files._kept == []
    assert [file.key for file in desk.store.contents().files] == [upload.sha256]


async def test_cancelling_ends_a_training_at_its_next_step(desk: Desk, photographs: bytes) -> None:
    """Nothing more is told of it."""
    cancelled: list[bytes] = []

    def check() -> None:
        if cancelled:
            raise CancelledRunError

    told: list[str] = []
    context = counted(desk, check)
    context.show = lambda data, name, media_type: cancelled.append(data)  # type: ignore[method-assign,misc]
    context.progress = lambda fraction, note: told.append(note) if cancelled else None  # type: ignore[assignment,misc]
    with pytest.raises(CancelledRunError):
        desk.runner.run(ReconstructParams(photographs=desk.upload(photographs), config=tiny_text(40)), context)
    assert told == []


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"PK\x05\x06" + bytes(18), "The archive has no files in it."),
        (b"no archive", "That is not a zip archive."),
    ],
)
async def test_what_cannot_be_read_fails_with_a_sentence(desk: Desk, data: bytes, reason: str) -> None:
    """And leaves no files behind."""
    upload = desk.upload(data)
    outcome = await desk.outcome(photographs=upload.model_dump())
    assert (outcome.status, outcome.reason, outcome.files) == ("failed", reason, ())
    assert desk.left == []
    assert [file.key for file in desk.store.contents().files] == [upload.sha256]


async def test_photographs_that_are_gone_are_named(desk: Desk, photographs: bytes) -> None:
    """Nobody is told that something went wrong inside the worker."""
    upload = desk.upload(photographs)
    desk.store.remove(upload.sha256)
    outcome = await desk.outcome(photographs=upload.model_dump())
    assert (outcome.status, outcome.reason) == ("failed", "ball.zip is no longer kept.")


async def test_pictures_of_nothing_leave_nothing(desk: Desk, tmp_path: Path) -> None:
    """White pictures hold nothing solid: a sentence, no files, no checkpoint."""
    camera = [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 4.0], [0, 0, 0, 1]]
    turned = [[0, 0, 1, 4.0], [1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 1]]
    frames = [{"file_path": f"r_{n}", "transform_matrix": turned if n % 2 else camera} for n in range(6)]
    white = io.BytesIO()
    Image.new("RGB", (16, 16), "white").save(white, "PNG")
    with zipfile.ZipFile(tmp_path / "white.zip", "w") as archive:
        archive.writestr("transforms.json", json.dumps({"camera_angle_x": 0.7, "frames": frames}))
        for number in range(6):
            archive.writestr(f"r_{number}.png", white.getvalue())
    desk.runner._save_every = 0.0
    upload = desk.upload((tmp_path / "white.zip").read_bytes())
    outcome = await desk.outcome(photographs=upload.model_dump(), config=tiny_text(60))
    assert outcome.status == "failed"
    assert "Nothing solid was found" in (outcome.reason or "")
    contents = desk.store.contents()
    assert ([file.key for file in contents.files], contents.checkpoints, desk.left) == ([upload.sha256], [], [])


async def test_a_checkpoint_is_saved_each_minute_of_its_time(tmp_path: Path, photographs: bytes) -> None:
    """By the runner's clock; and a run that finds one goes on there, and says how long it took before."""
    seconds = iter(range(10_000))
    desk = Desk(tmp_path, clock=lambda: float(next(seconds)), look_every=1e9)
    states: list[bytes] = []
    params = ReconstructParams(
        photographs=desk.upload(photographs), config=tiny_text(140, reso=[16], batch_size=128), quality="good"
    )

    class Context(JobContext):
        def save(self, state: bytes) -> None:
            states.append(state)

        def saved(self) -> bytes | None:
            return states[0] if states else None

    def context() -> Context:
        return Context("job", unheard, files=RunFiles("job", desk.store, Workroom(desk.runs)))

    first = desk.runner.run(params, context())
    assert len(states) == 2
    assert first.seconds_before == 0
    again = desk.runner.run(params, context())
    assert again.seconds_before == pytest.approx(60, abs=2)
    assert again.steps == first.steps
    assert again.psnr == pytest.approx(first.psnr, abs=0.1)
    assert "60 s of them on a worker that was lost" in dict(again.figures())["Training"]


def test_time_cost_and_memory_follow_from_the_request() -> None:
    """A short configuration costs little, a fine grid takes more memory."""
    draft, best = ReconstructParams(quality="draft"), ReconstructParams(quality="best")
    assert cost(draft) < cost(ReconstructParams()) < cost(best)
    assert cost(ReconstructParams(config='{"n_iters": 20}')) < cost(draft)
    assert time_limit(draft) == SECONDS["draft"] + LONGEST_AROUND < time_limit(best) == RECONSTRUCT.limit(best)
    coarse, full = ({"config": f'{{"reso": {reso}}}'} for reso in ([32, 160], [160]))  # what is not yet sparse
    assert memory(ReconstructParams(**coarse)) < 2e9 < 4e9 < memory(ReconstructParams(**full))
    assert memory(draft) < memory(best) < memory(ReconstructParams(config='{"reso": [160]}')) < 6_000_000_000
    assert tiny_config().n_iters == 120
