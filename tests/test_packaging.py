"""What is installed is what lies in the tree, and what is pinned is what is asked for."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import requires
from pathlib import Path
from shutil import copytree, ignore_patterns
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
FOLDERS = ("bots", "gallery", "history", "queue", "ratelimit", "worker")
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
PINS = [line for line in (ROOT / "constraints.txt").read_text("utf-8").splitlines() if line and line[0] != "#"]
PINNED: dict[str, str] = {canonicalize_name(name): version for name, _, version in (p.partition("==") for p in PINS)}
EXTRAS: dict[str, list[str]] = PROJECT["optional-dependencies"]


def asked(*lists: list[str]) -> dict[str, Requirement]:
    requirements = (Requirement(line) for listed in lists for line in listed)
    return {canonicalize_name(requirement.name): requirement for requirement in requirements}


def pulled(*lists: list[str]) -> set[str]:
    """All that is installed for the sake of some requirements, by what the installed packages say they need."""
    todo, seen = list(asked(*lists).values()), set[tuple[str, str]]()
    while todo:
        requirement = todo.pop()
        for extra in ("", *requirement.extras):
            if (name := canonicalize_name(requirement.name), extra) not in seen:
                seen.add((name, extra))
                needs = [Requirement(line) for line in requires(name) or []]
                todo += [need for need in needs if need.marker is None or need.marker.evaluate({"extra": extra})]
    return {name for name, _ in seen}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """The wheel, built from a copy of the tree with the setuptools that is here, without a network."""
    folder = tmp_path_factory.mktemp("wheel")
    copy = folder / "tree"
    for name in FOLDERS:
        copytree(ROOT / name, copy / name, ignore=ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        (copy / name).write_bytes((ROOT / name).read_bytes())
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index",
         "--disable-pip-version-check", "--wheel-dir", str(folder), str(copy)],
        check=True, capture_output=True, timeout=110,
    )  # fmt: skip
    (built,) = folder.glob("*.whl")
    return zipfile.ZipFile(built)


def test_the_wheel_holds_every_file_of_the_folders(wheel: zipfile.ZipFile) -> None:
    """Setuptools leaves out what is not listed, without a word: a sub-folder, a data file, py.typed."""
    in_tree = {
        f"frontdesk/{path.relative_to(ROOT).as_posix()}"
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    in_wheel = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert in_wheel == in_tree
    assert {f"frontdesk/{folder}/py.typed" for folder in FOLDERS} <= in_wheel


def test_the_wheel_offers_its_command_kinds_and_runners(wheel: zipfile.ZipFile) -> None:
    """The built-in kinds are found like those of other packages; each kind has a runner."""
    (listed,) = [name for name in wheel.namelist() if name.endswith("entry_points.txt")]
    text = wheel.read(listed).decode()
    for group, points in (PROJECT["entry-points"] | {"console_scripts": PROJECT["scripts"]}).items():
        assert f"[{group}]" in text
        for name, target in points.items():
            assert f"{name} = {target}" in text
    points = PROJECT["entry-points"]
    assert points["frontdesk.kinds"].keys() - {"sweep"} == points["frontdesk.runners"].keys()  # it is made of others


def test_every_entry_point_leads_to_something() -> None:
    """The module is in the tree and defines the name."""
    points = [point for group in PROJECT["entry-points"].values() for point in group.values()]
    for target in [*points, *PROJECT["scripts"].values()]:
        module, _, name = target.partition(":")
        source = (ROOT / Path(*module.split(".")[1:]).with_suffix(".py")).read_text("utf-8")
        assert re.search(rf"^(def|class|async def) {name}\b|^{name}\b.*=", source, re.MULTILINE), target


def test_the_wheel_carries_its_licence_and_says_which_python_it_needs(wheel: zipfile.ZipFile) -> None:
    """So do the packages' indexes then."""
    (metadata,) = [name for name in wheel.namelist() if name.endswith("METADATA")]
    text = wheel.read(metadata).decode()
    assert "Requires-Python: >=3.11" in text
    assert "License-Expression: MIT" in text
    assert any(name.endswith("licenses/LICENSE") for name in wheel.namelist())


def test_pins_are_names_and_versions_only() -> None:
    """No address, no option, no path of one machine: `name==version`, each name once."""
    assert [pin for pin in PINS if not re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.+!]+", pin)] == []
    assert len(PINNED) == len(PINS)


@pytest.mark.parametrize("extra", ["", *EXTRAS])
def test_everything_asked_for_is_pinned_within_its_range(extra: str) -> None:
    """`make demo` installs the same tomorrow."""
    listed = asked(EXTRAS[extra] if extra else PROJECT["dependencies"])
    assert [name for name in listed if name not in PINNED] == []
    assert [str(ask) for name, ask in listed.items() if not ask.specifier.contains(PINNED[name])] == []


def test_what_those_need_in_turn_is_pinned_too() -> None:
    """But for what torch brings, which differs between machines with and without a GPU."""
    assert pulled(PROJECT["dependencies"], EXTRAS["bots"], EXTRAS["dev"]) - set(PINNED) == set()


def test_a_bot_needs_no_model_library() -> None:
    """`frontdesk[bots]` stays small: nothing it needs pulls torch or what comes with it."""
    listed = pulled(PROJECT["dependencies"], EXTRAS["bots"])
    assert listed >= {"discord-py", "python-telegram-bot", "redis"}
    assert listed & {"torch", "transformers", "accelerate", "bitsandbytes", "gguf", "scipy"} == set()


def test_a_worker_needs_no_chat_library() -> None:
    """And a GPU machine holds no bot."""
    assert asked(PROJECT["dependencies"], EXTRAS["worker"]).keys() & asked(EXTRAS["bots"]).keys() == set()
