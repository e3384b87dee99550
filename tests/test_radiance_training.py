"""A training sees the held-out pictures ever better, stops when it is told, and goes on where it was killed."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_scenes import CPU, tiny_config, tiny_scene

from frontdesk.worker import radiance_fitting, radiance_rendering
from frontdesk.worker.posed_images import PosedImages
from frontdesk.worker.radiance_fitting import Fit
from frontdesk.worker.radiance_rays import cube_of
from frontdesk.worker.radiance_training import Hooks, Trained, psnr_of, train
from frontdesk.worker.runner import RunError

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("scene")


@pytest.fixture(scope="module")
def images(folder: Path) -> PosedImages:
    return tiny_scene(folder)


@pytest.fixture(scope="module")
def states() -> list[bytes]:
    """The states of the undisturbed training, after each step."""
    return []


@pytest.fixture(scope="module")
def undisturbed(images: PosedImages, states: list[bytes]) -> Trained:
    return train(images, tiny_config(), device=CPU, hooks=Hooks(save=states.append, save_every=0.0))


class CancelledError(Exception):
    pass


def test_held_out_pictures_are_matched(undisturbed: Trained) -> None:
    """A floor well above what white or grey pictures reach."""
    assert undisturbed.final.psnr > 22
    assert undisturbed.final.ssim > 0.85
    assert undisturbed.final.steps == 120
    assert undisturbed.field.grid.side == 24


def test_most_of_the_cube_is_found_empty(undisturbed: Trained) -> None:
    """What is dead takes neither memory nor time."""
    assert undisturbed.field.grid.rows < 0.5 * 24**3


@torch.no_grad()
def test_a_training_that_goes_astray_ends_with_a_sentence(images: PosedImages) -> None:
    """Its figures would say 100 dB."""
    fit = Fit(images, tiny_config(), CPU)
    fit.field.sh.fill_(math.nan)
    with pytest.raises(RunError, match="lower lr_sigma and lr_sh"), torch.enable_grad():
        fit.advance()
    white = np.ones((4, 4, 3), np.float32)
    assert math.isnan(psnr_of(white * math.nan, white))
    assert psnr_of(white, white) == 100


def test_a_step_can_be_ended_between_its_portions(images: PosedImages, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a fine grid and many rays a step takes seconds; its portions make the same step as all at once."""
    asked: list[None] = []
    whole, parted = (Fit(images, tiny_config(), CPU, check=lambda: asked.append(None)) for _ in range(2))
    whole.advance()
    few = len(asked)
    monkeypatch.setattr(radiance_rendering, "AT_ONCE", 1500)
    monkeypatch.setattr(radiance_fitting, "ROWS_AT_ONCE", 100)
    parted.advance()
    assert len(asked) - few > few + 5
    for (_, one), (_, other) in zip(whole._tables(), parted._tables(), strict=True):
        assert one.grad is not None
        assert other.grad is not None
        assert torch.allclose(one.grad, other.grad, atol=1e-7)


def test_figures_are_told_while_it_runs(images: PosedImages) -> None:
    """Each look has its seconds, steps, PSNR and SSIM; the fraction rises to 1, and the last look is at all of them."""
    told: list[tuple[float, str]] = []
    hooks = Hooks(progress=lambda fraction, note: told.append((fraction, note)), look_every=0.0)
    trained = train(images, tiny_config(40), device=CPU, hooks=hooks)
    assert len(trained.scores) == 40
    assert trained.scores[-1].psnr > trained.scores[0].psnr + 3
    fractions = [fraction for fraction, _ in told]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    assert "dB" in told[-1][1]


def test_time_ends_it_and_the_schedule_knows(images: PosedImages) -> None:
    """With a limit of ten seconds and a step a second, ten steps go through all levels of the grid."""
    ticks = iter(range(10_000))
    hooks = Hooks(clock=lambda: float(next(ticks)), look_every=1e9, save_every=1e9)
    trained = train(images, tiny_config(), device=CPU, time_limit=10.0, hooks=hooks)
    assert trained.final.steps == 10
    assert trained.field.grid.side == 24


def test_cancelling_ends_it_before_the_next_step(images: PosedImages) -> None:
    """`check` is asked before each."""
    saved: list[bytes] = []

    def check() -> None:
        if len(saved) >= 3:
            raise CancelledError

    with pytest.raises(CancelledError):
        train(images, tiny_config(), device=CPU, hooks=Hooks(check=check, save=saved.append, save_every=0.0))
    assert len(saved) == 3


def test_a_state_goes_on_exactly_where_it_was(images: PosedImages, undisturbed: Trained, states: list[bytes]) -> None:
    """From before and after the grid became finer: the same figures to the last digit."""
    for number in (10, 77):
        resumed = train(images, tiny_config(), device=CPU, saved=states[number], hooks=Hooks(save_every=1e9))
        assert resumed.final.psnr == pytest.approx(undisturbed.final.psnr, abs=1e-3)
        assert torch.allclose(resumed.field.density, undisturbed.field.density, atol=1e-3)


def test_killed_and_taken_up_it_ends_as_if_undisturbed(
    folder: Path, images: PosedImages, undisturbed: Trained, tmp_path: Path
) -> None:
    """A process is killed in the middle; another one ends within 0.1 dB of a training that nobody disturbed."""
    state = tmp_path / "state"
    script = Path(__file__).parent / "radiance_process.py"
    with subprocess.Popen([sys.executable, str(script), str(folder), str(state)], stdout=subprocess.PIPE) as process:
        assert process.stdout
        for _ in range(60):
            assert process.stdout.readline() == b"saved\n"
        process.kill()
    steps: list[bytes] = []
    resumed = train(
        images, tiny_config(), device=CPU, saved=state.read_bytes(), hooks=Hooks(save=steps.append, save_every=0.0)
    )
    assert len(steps) <= 60  # it did not begin anew
    assert abs(resumed.final.psnr - undisturbed.final.psnr) < 0.1


def test_a_state_that_cannot_be_used_is_passed_over(
    images: PosedImages, undisturbed: Trained, states: list[bytes]
) -> None:
    """Damaged, of another configuration, or no state at all: the training begins anew."""
    damaged = bytearray(states[50])
    damaged[8:40] = bytes(32)
    for state in (b"", b"\x80\x04pickle", bytes(damaged), states[50][:-500]):
        steps: list[bytes] = []
        train(images, tiny_config(), device=CPU, time_limit=1e-9, saved=state, hooks=Hooks(save=steps.append))
    other = tiny_config(3)
    steps = []
    train(images, other, device=CPU, saved=states[50], hooks=Hooks(save=steps.append, save_every=0.0))
    assert len(steps) == 3


def test_the_cube_lies_where_the_cameras_look(images: PosedImages) -> None:
    """In proportion to their distance, unless the configuration says otherwise."""
    cube = cube_of(images.train)
    assert cube.centre == pytest.approx((0, 0, 0), abs=1e-6)
    assert cube.radius == pytest.approx(1.5)
    assert cube_of(images.train, 0.9).radius == 0.9
    with pytest.raises(RunError, match="look the same way"):
        cube_of([images.train[0]] * 3)
