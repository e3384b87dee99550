"""`sculpt` by Shap-E: a pipeline of the real classes, tiny and of random weights, saved and read by the real code."""

from __future__ import annotations

import io
import json
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_shap_e
import torch
from PIL import Image
from sculpted import Noting, read_back, runner, sculpted, small_pictures

from frontdesk.queue.errors import ConfigurationError
from frontdesk.queue.settings import Settings
from frontdesk.worker import sculpt_shap_e
from frontdesk.worker.runner import CancelledRunError, OutOfMemoryError, RunError
from frontdesk.worker.sculpt_runner import SculptRunner, chosen
from frontdesk.worker.sculpt_shap_e import Effort, ShapE, surface

STEPS = 4


pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_shap_e.save(tmp_path_factory.mktemp("shap-e") / "tiny")


@pytest.fixture(autouse=True)
def in_few_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    small_pictures(monkeypatch)
    monkeypatch.setattr(sculpt_shap_e, "EFFORTS", {"draft": Effort(STEPS, 12.0, 20), "good": Effort(STEPS, 12.0, 24)})
    monkeypatch.setattr(sculpt_shap_e, "EARLY_SIDE", 12)


@pytest.fixture(scope="module")
def shap_e(saved: Path) -> SculptRunner:
    made = runner(shap_e_model=str(saved))
    made.load()
    return made


def test_a_prompt_becomes_a_closed_coloured_object(shap_e: SculptRunner) -> None:
    """Within a metre; the reply says that a neural network made it, and where it ran."""
    result, file = sculpted(shap_e, "a red chair", quality="draft", format="ply")
    mesh = read_back(file, "ply")
    assert result.watertight
    assert mesh.is_watertight
    assert mesh.volume > 0
    assert max(mesh.extents) == pytest.approx(1, abs=1e-3)
    assert len(np.unique(np.asarray(mesh.visual.vertex_colors)[:, :3], axis=0)) > 10  # type: ignore[union-attr]
    assert result.headline() == "Made by Shap-E, a neural network that turns text into 3D."
    assert (result.backend, result.device, shap_e.model) == ("shap-e", "CPU", "tiny (float32)")
    assert result.notes == ()


def test_its_own_z_becomes_up() -> None:
    """Of a field that is solid where z is low, the lower half is solid; its front, -y, looks along +z."""

    class Asked:
        """Answers in a renderer's place: solid below z = 0, red where y is low."""

        device = torch.device("cpu")

        def __call__(self, position: torch.Tensor, **options: Any) -> Any:
            said = type("Said", (), {})()
            said.channels = (position[..., 1:2] < 0).float() * torch.tensor([1.0, 0.0, 0.0])
            said.signed_distance = -position[..., 2:] - 0.05
            return said

        def state_dict(self) -> dict[str, torch.Tensor]:
            return {}

    renderer = type("Renderer", (), {"mlp": Asked(), "params_proj": staticmethod(lambda latents: {})})
    mesh = surface(renderer, torch.zeros(1, 1, 1), 21, lambda: None)
    assert mesh is not None
    assert mesh.vertices[:, 1].max() < 0 < -mesh.vertices[:, 1].min()
    assert mesh.colours is not None
    red = mesh.colours[:, 0] == 255
    assert (mesh.vertices[red][:, 2] > 0).all()
    assert (mesh.vertices[~red][:, 2] < 1e-6).all()


def test_progress_is_told_with_each_step(shap_e: SculptRunner) -> None:
    """By number; and the share that is done rises to the end of the pictures."""
    context = Noting()
    sculpted(shap_e, "a red chair", context, quality="draft")
    steps = [note for _, note in context.told if note.startswith("denoising")]
    assert list(dict.fromkeys(steps)) == [f"denoising, step {step} of {STEPS}" for step in range(1, STEPS + 1)]
    fractions = [fraction for fraction, _ in context.told]
    assert fractions == sorted(fractions)
    assert (fractions[0], fractions[-1] > 0.8) == (0, True)


def test_a_picture_is_shown_at_half_way(shap_e: SculptRunner) -> None:
    """Once, while there are steps to come; something is to be seen on it."""
    context = Noting()
    seen: list[str] = []

    def show(data: bytes, *, name: str, media_type: str) -> None:
        context.shown.append(data)
        seen.append(context.told[-1][1])

    context.show = show  # type: ignore[method-assign]
    sculpted(shap_e, "a red chair", context, quality="draft")
    [picture] = context.shown
    assert seen == [f"denoising, step {STEPS // 2} of {STEPS}"]
    with Image.open(io.BytesIO(picture)) as opened:
        assert opened.format == "PNG"
        assert np.asarray(opened.convert("L")).std() > 5


def test_cancelling_ends_it_between_two_steps(shap_e: SculptRunner) -> None:
    """Nothing more is told, and nothing is kept."""
    for last in (1, 2, 2 * STEPS - 1):
        context = Noting(last)
        with pytest.raises(CancelledRunError):
            sculpted(shap_e, "a red chair", context, quality="draft")
        assert context.checks == last
        assert context.kept == {}
    result, _ = sculpted(shap_e, "a red chair", quality="draft")
    assert result.watertight  # what was cancelled does no harm to the next


def test_the_same_seed_gives_the_same_object(shap_e: SculptRunner) -> None:
    """And another seed, and another prompt, another one."""
    files = [
        sculpted(shap_e, prompt, quality="draft", seed=seed)[1]
        for prompt, seed in [("a red chair", 1), ("a red chair", 1), ("a red chair", 2), ("a blue boat", 1)]
    ]
    assert files[0] == files[1]
    assert len(set(files)) == 3


def test_a_finer_quality_has_more_faces(shap_e: SculptRunner) -> None:
    draft, good = (sculpted(shap_e, "a chair", quality=quality)[0].faces for quality in ("draft", "good"))
    assert good > 1.2 * draft


def test_a_prompt_that_is_too_long_is_cut_and_said_so(shap_e: SculptRunner) -> None:
    result, _ = sculpted(shap_e, "chairs " * 50, quality="draft")
    assert result.body() == "The prompt is longer than the network reads: its end was left out."


def test_nothing_solid_is_a_sentence(shap_e: SculptRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sculpt_shap_e, "surface", lambda *arguments: None)
    with pytest.raises(RunError, match="Try another seed, or other words"):
        sculpted(shap_e, "a chair", quality="draft")


@pytest.mark.parametrize(
    "error", [torch.OutOfMemoryError("CUDA out of memory"), MemoryError(), RuntimeError("DefaultCPUAllocator: no")]
)
def test_too_little_memory_is_said_so(shap_e: SculptRunner, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    """In place of the libraries' own errors: the engine knows what to do then."""

    def full(*arguments: Any) -> None:
        raise error

    monkeypatch.setattr(sculpt_shap_e, "_asked", full)
    with pytest.raises(OutOfMemoryError):
        sculpted(shap_e, "a chair", quality="draft")


# -- What cannot be loaded


def refusal(model: str | Path) -> str:
    """Why it is not loaded, in one line."""
    with pytest.raises(ConfigurationError) as refused:
        ShapE(str(model), Settings(device="cpu")).load()
    sentence = str(refused.value)
    assert sentence.startswith("FRONTDESK_SHAP_E_MODEL: ")
    assert "\n" not in sentence
    return sentence


def test_pickled_weights_are_refused(saved: Path, tmp_path: Path) -> None:
    """Reading them could run code. One part of the pipeline is enough."""
    folder = shutil.copytree(saved, tmp_path / "pickled")
    [weights] = (folder / "prior").glob("*.safetensors")
    torch.save({}, weights.with_suffix(".bin"))
    weights.unlink()
    assert "pickled is no Shap-E pipeline with safetensors" in refusal(folder)


def test_code_that_lies_with_the_weights_is_not_run(saved: Path, tmp_path: Path) -> None:
    """Whatever the folder's index says of it."""
    folder = shutil.copytree(saved, tmp_path / "coded")
    (folder / "prior" / "evil.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\nclass Evil: pass\n", "utf-8")
    index = json.loads((folder / "model_index.json").read_text("utf-8"))
    (folder / "model_index.json").write_text(json.dumps({**index, "prior": ["evil", "Evil"]}), "utf-8")
    assert "is no Shap-E pipeline" in refusal(folder)
    assert not (tmp_path / "ran").exists()


def test_a_damaged_pipeline_is_named(saved: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(saved, tmp_path / "torn")
    [weights] = (folder / "prior").glob("*.safetensors")
    weights.write_bytes(weights.read_bytes()[:200])
    assert "torn is no Shap-E pipeline" in refusal(folder)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert f"there is no folder '{tmp_path}/gone'. Give one with a Shap-E pipeline" in refusal(tmp_path / "gone")


def test_a_folder_of_something_else_is_named(tmp_path: Path) -> None:
    assert "holds no model_index.json. Give the folder that" in refusal(tmp_path)


def test_without_diffusers_it_says_what_to_install(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Or which setting does without."""
    monkeypatch.delitem(sys.modules, "frontdesk.worker.sculpt_shap_e")
    monkeypatch.setitem(sys.modules, "diffusers", None)
    with pytest.raises(ConfigurationError, match=r"pip install 'frontdesk\[diffusion\]'.*SCULPT_BACKEND to modeller"):
        runner(shap_e_model=str(saved))


def test_shap_e_without_a_model_says_which_setting_is_missing() -> None:
    with pytest.raises(ConfigurationError, match="FRONTDESK_SHAP_E_MODEL must say where it is"):
        runner(sculpt_backend="shap-e")


def test_the_settings_choose_the_backend(saved: Path) -> None:
    """With a model it is Shap-E, unless the modeller is asked for; without one, the modeller."""
    model = str(saved)
    assert chosen(Settings(shap_e_model=model)).name == "shap-e"
    assert chosen(Settings(sculpt_backend="modeller", shap_e_model=model)).name == "modeller"
    assert chosen(Settings()).name == "modeller"


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_on_a_gpu_it_computes_in_half_precision(saved: Path) -> None:
    """All but the network that is asked for places; the object is closed there, too."""
    made = runner(shap_e_model=str(saved), device="cuda")
    made.load()
    pipeline = made._sculptor._pipeline  # type: ignore[attr-defined]
    assert (pipeline.prior.dtype, pipeline.shap_e_renderer.dtype) == (torch.float16, torch.float32)
    result, _ = sculpted(made, "a red chair", quality="draft")
    assert result.watertight
    assert made.model == "tiny (float16)"
    assert result.device == torch.cuda.get_device_name()
