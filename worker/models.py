"""Language models by configuration: found, converted once, loaded once, shared by all runners of a worker.

A name is the packaged default (`smollm2`), a local folder with safetensors, a `.gguf` file, or `owner/name` on the hub.
Code from a model's repository never runs, and pickled checkpoints are refused: both could do anything on this machine.
"""

from __future__ import annotations

import gc
import logging
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import psutil
import torch
import transformers
from huggingface_hub.utils.tqdm import disable_progress_bars

from frontdesk.queue.errors import ConfigurationError, FrontdeskError
from frontdesk.queue.settings import Settings
from frontdesk.worker.observing import UNOBSERVED, WorkerObserver
from frontdesk.worker.packaged import converted, packaged_gguf
from frontdesk.worker.revisions import revision_of
from frontdesk.worker.runner import OutOfMemoryError

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

PACKAGED = "smollm2"
HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
PICKLED = (".bin", ".pt", ".pth", ".ckpt", ".pkl")

CPU_BATCH_TOKENS = 512  # short texts share a pass; longer ones are a tenth faster alone, while they fit the caches
# An 8B model's activations take about 150 kB a token; half of the free memory is left to other runners.
CUDA_BYTES_PER_TOKEN = 256 * 1024
CUDA_BATCH_TOKENS = (4096, 131_072)


@dataclass(frozen=True)
class LanguageModel:
    """A model in evaluation mode on its device. `name` is short and public: never a path."""

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    device: torch.device
    name: str
    precision: str
    revision: str | None = None

    def __str__(self) -> str:
        return f"{self.name} ({self.precision})"


class ModelStore:
    """Loads each model once. Used from the device's one thread. `observer` hears how long that took."""

    def __init__(self, settings: Settings, observer: WorkerObserver = UNOBSERVED) -> None:
        self.settings = settings
        self._observer = observer
        self._loaded: dict[str, LanguageModel] = {}

    def get(self, name: str | None = None) -> LanguageModel:
        """The model of that name, or the configured one. Raises ConfigurationError, OutOfMemoryError."""
        name = name or self.settings.model
        if name not in self._loaded:
            device, began = chosen_device(self.settings), time.monotonic()
            try:
                self._loaded[name] = _load(name, device, self.settings)
            except ConfigurationError as error:
                setting = "FRONTDESK_MODEL" if name == self.settings.model else "FRONTDESK_OBSERVER_MODEL"
                raise ConfigurationError(f"{setting}: {error}") from error
            self._observer.loaded(str(self._loaded[name]), time.monotonic() - began)
        return self._loaded[name]

    def unload(self) -> None:
        """Forget all models; their memory returns when no runner holds one any more."""
        self._loaded.clear()
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()


@contextmanager
def memory_errors() -> Iterator[None]:
    """Raise the runners' OutOfMemoryError in place of torch's and Python's own."""
    try:
        yield
    except (torch.OutOfMemoryError, MemoryError) as error:
        _raise_out_of_memory(error)
    except RuntimeError as error:
        # On a CPU torch has no class of its own for this.
        if "DefaultCPUAllocator" not in str(error):
            raise
        _raise_out_of_memory(error)


def _raise_out_of_memory(error: BaseException) -> None:
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    raise OutOfMemoryError("the device has not enough free memory") from error


def token_budget(device: torch.device, settings: Settings) -> int:
    """Padded tokens of one pass: as set, else few on a CPU, where larger passes gain nothing, or by free memory."""
    if settings.batch_tokens is not None:
        return settings.batch_tokens
    if device.type != "cuda":
        return CPU_BATCH_TOKENS
    free, _ = torch.cuda.mem_get_info(device)
    least, most = CUDA_BATCH_TOKENS
    return max(least, min(most, free // 2 // CUDA_BYTES_PER_TOKEN))


def chosen_device(settings: Settings) -> torch.device:
    """The device to load on. Raises ConfigurationError where the one asked for is not there."""
    if settings.device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    device = torch.device(settings.device)
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise ConfigurationError(f"FRONTDESK_DEVICE is {settings.device}, but torch finds no such device here.")
    return device


def chosen_dtype(settings: Settings, device: torch.device) -> torch.dtype:
    """The number format to compute in: bfloat16 where the device computes in it, or what is fast there instead.

    CUDA cards without it take float16. A processor without AVX-512 takes float32: bfloat16 is emulated there, and four
    times slower (docs/benchmarks.md).
    """
    if settings.dtype != "auto":
        dtype = getattr(torch, settings.dtype)
        assert isinstance(dtype, torch.dtype)  # noqa: S101 -- for the type checker: the setting lists names of dtypes
        return dtype
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
    return torch.bfloat16 if torch.backends.cpu.get_cpu_capability() == "AVX512" else torch.float32


def _load(name: str, device: torch.device, settings: Settings) -> LanguageModel:
    quiet_libraries()
    dtype = chosen_dtype(settings, device)
    source, public_name = _located(name, settings.data_dir / "models")
    options: dict[str, Any] = {"trust_remote_code": False, "local_files_only": isinstance(source, Path)}
    try:
        with memory_errors():
            tokenizer = transformers.AutoTokenizer.from_pretrained(source, **options)
            model = transformers.AutoModelForCausalLM.from_pretrained(
                source,
                use_safetensors=True,
                dtype=dtype,
                device_map={"": device},
                quantization_config=_quantisation(settings, dtype),
                **options,
            )
    except FrontdeskError:
        raise
    except Exception as error:  # a damaged or unknown model makes the libraries raise whatever comes up
        raise ConfigurationError(_why(name, error)) from error
    precision = settings.quantisation if settings.quantisation != "none" else str(dtype).removeprefix("torch.")
    return LanguageModel(model, tokenizer, device, public_name, precision, revision_of(model.config, source))


def _located(name: str, folder: Path) -> tuple[Path | str, str]:
    """Where a model's safetensors are (a local folder, or the hub's name) and what to call it in public."""
    if name == PACKAGED:
        gguf = packaged_gguf()
        return converted(gguf, folder), gguf.name.split(".")[0]
    path = Path(name).expanduser()
    if path.is_file() and path.suffix == ".gguf":
        return converted(path, folder), path.stem
    if path.is_file() and path.suffix in PICKLED:
        raise ConfigurationError(_pickled(name, path.name))
    if path.is_dir():
        _check_folder(name, path)
        return path, path.resolve().name
    if not path.exists() and HUB_NAME.fullmatch(name):
        return name, name.rpartition("/")[2]
    raise ConfigurationError(
        f"there is no model {name!r}. Give {PACKAGED}, a folder with safetensors, a .gguf file, "
        "or owner/name on the hub."
    )


def _check_folder(name: str, path: Path) -> None:
    if any(path.glob("*.safetensors")):
        return
    for file in sorted(path.iterdir()):
        if file.suffix in PICKLED:
            raise ConfigurationError(_pickled(name, file.name))
        if file.suffix == ".gguf":
            raise ConfigurationError(f"{name} is a folder; name the file: {file}.")
    raise ConfigurationError(f"the folder {name} holds no .safetensors file.")


def _pickled(name: str, file: str) -> str:
    return (
        f"{name} is a pickled checkpoint ({file}), which can run code when it is read. "
        "Save it as safetensors: model.save_pretrained(folder) where you trust it."
    )


def _why(name: str, error: Exception) -> str:
    """One line for whoever set the name; the library's own first line says the rest."""
    if "safetensors" in str(error) and HUB_NAME.fullmatch(name):
        return (
            f"{name} has no safetensors file; pickled checkpoints are refused, since they can run "
            "code when they are read. Choose a repository that has .safetensors files."
        )
    detail = str(error).strip().partition("\n")[0][:200] or type(error).__name__
    return f"{name} cannot be loaded: {detail}"


def _quantisation(settings: Settings, dtype: torch.dtype) -> transformers.BitsAndBytesConfig | None:
    options: dict[str, Any]
    if settings.quantisation == "none":
        return None
    if settings.quantisation == "int8":
        options = {"load_in_8bit": True}
    else:
        options = {
            "load_in_4bit": True,
            "bnb_4bit_quant_type": "nf4",
            "bnb_4bit_use_double_quant": True,
            "bnb_4bit_compute_dtype": dtype,
        }
    config: Any = transformers.BitsAndBytesConfig  # its constructor has no types
    return cast("transformers.BitsAndBytesConfig", config(**options))


def quiet_libraries() -> None:
    """Keep progress bars and advice out of the worker's log; errors still come through."""
    library_log: Any = transformers.utils.logging
    library_log.set_verbosity_error()
    library_log.disable_progress_bar()
    disable_progress_bars()
    # A line for every matrix multiplication in 8 bits, and advice to let it load compiled code from the hub.
    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)


def device_name(device: torch.device) -> str:
    """What an admin calls it."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else f"CPU, {torch.get_num_threads()} threads"


def memory_used(device: torch.device) -> int:
    """Bytes: those torch holds on a GPU, or this process's resident memory on a CPU."""
    return torch.cuda.memory_reserved(device) if device.type == "cuda" else psutil.Process().memory_info().rss


def gpu_uuid(device: torch.device) -> str | None:
    """The GPU's name for NVIDIA's management library, which numbers GPUs differently; None for a CPU."""
    uuid = getattr(torch.cuda.get_device_properties(device), "uuid", None) if device.type == "cuda" else None
    return uuid and f"GPU-{uuid}"
