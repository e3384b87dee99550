"""Who may import whom, and what nobody may do: read from the source, so that a breach names its file and line."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FOLDERS = {
    "ratelimit": {"ratelimit"},
    "queue": {"queue"},
    "worker": {"worker", "queue"},
    "history": {"history", "queue"},
    "bots": {"bots", "history", "queue", "ratelimit"},
    "gallery": {"gallery", "bots", "history", "queue", "ratelimit"},
}
SOURCES = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))

# Heavy or replaceable libraries, and the only files that may know them, each with its reason.
TENSORS = {
    "worker/gpu_count.py": "counts the GPUs that torch finds",
    "worker/models.py": "loads models",
    "worker/packaged.py": "converts the default model",
    "worker/reading.py": "reads a text with a model",
    "worker/detection.py": "the detectors' formulas",
    "worker/texts.py": "cuts texts into a model's tokens",
    "worker/writing.py": "the runner of write",
    "worker/decoding.py": "one step of a running batch",
    "worker/sampling.py": "draws the next token",
    "worker/network.py": "the network of train, and its weights as a file",
    "worker/training.py": "trains it",
    "worker/train_runner.py": "names the device that it trains on",
    "worker/prompt_meaning.py": "matches words by their meaning",
    "worker/radiance_field.py": "the grid of a radiance field",
    "worker/radiance_rendering.py": "renders it",
    "worker/radiance_rays.py": "batches of rays to train it on",
    "worker/radiance_fitting.py": "one step of its training",
    "worker/radiance_checkpoint.py": "its state as safetensors",
    "worker/radiance_training.py": "the device it is trained on",
    "worker/sculpt_shap_e.py": "the network that sculpts",
    "worker/radiance_mesh.py": "its surface and its colours",
    "worker/reconstruct_runner.py": "the device that it runs on",
}
COMPUTING = {path.relative_to(ROOT).as_posix(): "workers alone compute" for path in ROOT.glob("worker/*.py")}
VECTORS = {
    "history/meaning.py": "what a text means",
    "history/mesh_bytes.py": "reads a mesh",
    "history/shapes.py": "what shape it has",
    "history/vectors.py": "compares them in memory",
    "history/exact_vectors.py": "reads them from bytes",
    "history/pg_vectors.py": "reads them from pgvector",
}
ALLOWED = {
    "arq": {"queue/broker.py": "writes jobs as arq reads them", "worker/arq_worker.py": "is arq's Worker"},
    "torch": TENSORS,
    "transformers": TENSORS,
    "accelerate": TENSORS,
    "bitsandbytes": TENSORS,
    "safetensors": TENSORS,
    "diffusers": {"worker/sculpt_shap_e.py": "the pipeline that sculpts"},
    "gguf": TENSORS,
    "discord": {path.relative_to(ROOT).as_posix(): "Discord" for path in ROOT.glob("bots/on_discord*.py")},
    "telegram": {path.relative_to(ROOT).as_posix(): "Telegram" for path in ROOT.glob("bots/on_telegram*.py")},
    "prometheus_client": {
        "queue/metrics.py": "the endpoint, and the queue's figures",
        "worker/metrics.py": "a worker's figures",
        "worker/nvml.py": "a GPU's figures",
        "bots/metrics.py": "a bot's figures",
        "bots/main.py": "makes a bot's registry",
        "worker/serving.py": "makes a worker's registry",
        "gallery/main.py": "makes the page's registry",
    },
    "pynvml": {"worker/nvml.py": "reads the GPU"},
    "sklearn": {"worker/datasets.py": "carries the digits"},
    "matplotlib": {"worker/training_pictures.py": "draws what a training came to"},
    "fsspec": {"queue/blobs.py": "folders and buckets"},
    "s3fs": {},  # fsspec imports it for an address that needs it
    "numpy": COMPUTING | VECTORS,
    "tokenizers": {"history/meaning.py": "a text into tokens"},
    "threadpoolctl": {"history/one_core.py": "linear algebra on one core"},
    "scipy": COMPUTING,
    "skimage": COMPUTING,
    "PIL": COMPUTING,
    "manifold3d": COMPUTING,
    "fast_simplification": COMPUTING,
}
LIBRARIES = ("torch", "transformers", "bitsandbytes", "discord", "telegram.ext")
ENVIRONMENT = {"queue/settings.py": "reads the settings, and makes the environment of child processes"}
CODE_FROM_DATA = {"pickle", "_pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
SHELLS = {"system", "popen", "getoutput", "getstatusoutput", "create_subprocess_shell"}


@dataclass(frozen=True)
class Place:
    path: Path
    line: int

    def __str__(self) -> str:
        return f"{self.path.relative_to(ROOT)}:{self.line}"


@cache
def nodes(path: Path) -> tuple[ast.AST, ...]:
    return tuple(ast.walk(ast.parse(path.read_text("utf-8"), str(path))))


def imports(path: Path) -> Iterator[tuple[Place, str]]:
    """Every imported module by its full name, wherever the import stands; `import_module("x")` too."""
    for node in nodes(path):
        match node:
            case ast.Import(names):
                yield from ((Place(path, node.lineno), alias.name) for alias in names)
            case ast.ImportFrom(module, names, 0):
                yield from ((Place(path, node.lineno), f"{module}.{alias.name}") for alias in names)
            case ast.ImportFrom():
                yield Place(path, node.lineno), "(relative)"
            case ast.Call(ast.Name(called) | ast.Attribute(_, called), [ast.Constant(str(name)), *_]) if called in (
                "import_module",
                "__import__",
            ):
                yield Place(path, node.lineno), name


def folder_of(path: Path) -> str:
    return path.relative_to(ROOT).parts[0]


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def run(code: str, cwd: Path = ROOT) -> str:
    """What a Python of its own prints."""
    done = subprocess.run([sys.executable, "-c", code], cwd=cwd, capture_output=True, text=True, timeout=110)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_all_folders_are_read() -> None:
    """An empty list of files would let every rule below hold."""
    assert {folder_of(path) for path in SOURCES} == FOLDERS.keys()
    assert len(SOURCES) > 30


def test_folders_import_only_whom_they_may() -> None:
    """`ratelimit` and `queue` know nobody, `worker` and `history` the queue, `bots` all of them but the worker, and
    `gallery` the bots' desk as well; never the other way round."""
    breaches = [
        f"{place}: {folder} may not import {module}"
        for path in SOURCES
        for place, module in imports(path)
        if module.startswith("frontdesk") or module == "(relative)"
        if module.split(".")[1:2] != [(folder := path.relative_to(ROOT).parts[0])]
        and module.split(".")[1] not in FOLDERS[folder]
    ]
    assert breaches == []


def test_ours_are_imported_by_the_name_frontdesk() -> None:
    """`from queue import broker` would be the standard library's queue, or work by chance of the current folder."""
    ours = FOLDERS.keys() | {path.stem for path in SOURCES}
    breaches = [
        f"{place}: {module}"
        for path in SOURCES
        for place, module in imports(path)
        if (parts := module.split("."))[0] in ours - {"queue"} or (parts[0] == "queue" and parts[-1] in ours)
    ]
    assert breaches == []


@pytest.mark.parametrize("library", ALLOWED)
def test_a_library_is_known_where_it_must_be_and_nowhere_else(library: str) -> None:
    """So that it can be replaced, and a bot starts without torch."""
    found = {name_of(path) for path in SOURCES for _, module in imports(path) if module.split(".")[0] == library}
    assert found <= ALLOWED[library].keys(), f"{library} is imported outside of its files"


@pytest.mark.parametrize("allowed", [ALLOWED["arq"], TENSORS, ENVIRONMENT])
def test_no_permission_outlives_its_use(allowed: dict[str, str]) -> None:
    """A file that no longer needs it, or is gone, leaves the list."""
    using = {
        name_of(path)
        for path in SOURCES
        for _, module in imports(path)
        if any(allowed is files and module.split(".")[0] == library for library, files in ALLOWED.items())
    } | {name_of(path) for path in SOURCES if allowed is ENVIRONMENT and list(environment_of(path))}
    assert allowed.keys() <= using


def environment_of(path: Path) -> Iterator[Place]:
    """Where the environment is read or written."""
    for node in nodes(path):
        match node:
            case ast.Attribute(ast.Name("os"), "environ" | "environb" | "getenv" | "putenv" | "unsetenv" | "getenvb"):
                yield Place(path, node.lineno)
            case ast.ImportFrom("os", names) if {alias.name for alias in names} & {"environ", "environb", "getenv"}:
                yield Place(path, node.lineno)


def test_the_environment_is_read_in_one_place() -> None:
    """Every setting has a name, a check and a masked value there."""
    breaches = [str(place) for path in SOURCES if name_of(path) not in ENVIRONMENT for place in environment_of(path)]
    assert breaches == []


def test_data_never_becomes_code() -> None:
    """No pickle in any of its forms, no eval, no exec, no code from a model's repository."""
    breaches = [
        f"{place}: {module}" for path in SOURCES for place, module in imports(path)
        if module.split(".")[0] in CODE_FROM_DATA
    ]  # fmt: skip
    for path in SOURCES:
        for node in nodes(path):
            match node:
                case ast.Call(ast.Name("eval" | "exec" | "compile" as called)):
                    breaches.append(f"{Place(path, node.lineno)}: {called}")
                case ast.Call(ast.Attribute(ast.Name("torch"), "load")):
                    breaches.append(f"{Place(path, node.lineno)}: torch.load unpickles")
                case ast.keyword("allow_pickle" | "trust_remote_code" as word, ast.Constant(True)):
                    breaches.append(f"{Place(path, node.value.lineno)}: {word}=True")
    assert breaches == []


def test_no_command_passes_through_a_shell() -> None:
    """Arguments are lists; nothing that somebody wrote can become a command."""
    breaches = []
    for path in SOURCES:
        for node in nodes(path):
            match node:
                case ast.keyword("shell", value) if not (isinstance(value, ast.Constant) and value.value is False):
                    breaches.append(f"{Place(path, value.lineno)}: shell=")
                case ast.Call(ast.Attribute(ast.Name("os" | "subprocess" | "asyncio"), called)) if called in SHELLS:
                    breaches.append(f"{Place(path, node.lineno)}: {called}")
    assert breaches == []


def test_no_module_is_named_after_a_standard_one() -> None:
    """A script run from its own folder would import ours in its place."""
    assert [name_of(path) for path in SOURCES if path.stem in sys.stdlib_module_names] == []


def test_the_folders_do_not_hide_the_standard_queue() -> None:
    """Python started in the repository's root still finds it: a folder without __init__.py gives way."""
    assert [name_of(path) for path in SOURCES if path.name == "__init__.py"] == []
    assert run("import queue; print(queue.Queue.__module__, queue.__file__ is not None)").split() == ["queue", "True"]
    assert run("import concurrent.futures.thread, urllib3; print('fine')").strip() == "fine"


IMPORT_ALL = """
import importlib, json, logging, os, signal, sys, threading
def state():
    return {
        "environment": dict(os.environ), "folder": os.getcwd(), "path": sys.path[:],
        "signals": [str(signal.getsignal(number)) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD)],
        "threads": threading.active_count(), "handlers": len(logging.getLogger().handlers),
    }
for name in FIRST:
    importlib.import_module(name)
before = state()
for name in NAMES:
    importlib.import_module(name)
after = state()
changed = [what for what in before if before[what] != after[what]]
print(json.dumps({"changed": changed, "modules": sorted({name.split(".")[0] for name in sys.modules})}))
"""


def imported(modules: list[str], first: tuple[str, ...] = ()) -> tuple[list[str], set[str]]:
    """What of a process changes by importing the modules after `first`, and the libraries that are loaded then."""
    answer = json.loads(run(f"NAMES, FIRST = {modules!r}, {first!r}\n{IMPORT_ALL}").splitlines()[-1])
    return answer["changed"], set(answer["modules"])


def modules(*, heavy: bool) -> list[str]:
    """By full name, without those that Alembic runs and nobody imports."""
    own = [path for path in SOURCES if "migrations" not in path.parts]
    return sorted(f"frontdesk.{folder_of(path)}.{path.stem}" for path in own if is_heavy(path) is heavy)


def is_heavy(path: Path) -> bool:
    """Whether importing it loads a model library or a chat library: those have a test of their own."""
    return path.parent.name == "worker" or path.stem.startswith(("on_discord", "on_telegram"))


def test_importing_a_module_does_nothing() -> None:
    """No variable is set, no thread or handler left: settings are read and things start when they are called."""
    changed, loaded = imported(modules(heavy=False))
    assert changed == []
    assert loaded & {"torch", "transformers", "discord", "telegram", "bitsandbytes"} == set()


def test_importing_the_heavy_modules_does_nothing_either() -> None:
    """Beyond what their libraries do on their own account."""
    changed, loaded = imported(modules(heavy=True), first=LIBRARIES)
    assert loaded >= {"torch", "discord", "telegram"}
    assert changed == []


def test_the_command_line_starts_light() -> None:
    """`frontdesk --help` answers at once: no model library, no chat library."""
    changed, loaded = imported(["frontdesk.bots.cli"])
    assert changed == []
    assert loaded & {"torch", "transformers", "discord", "telegram", "matplotlib", "numpy"} == set()
