"""What the documents show works as shown."""

from __future__ import annotations

import importlib
import re
import sys
import tomllib
from pathlib import Path
from typing import Annotated, Any

import pytest
from pydantic import Field

from frontdesk.bots.parsing import bounds, parse_arguments, usage, validate
from frontdesk.queue import keys
from frontdesk.queue.kinds import JobKind, Params, Registry, Result
from frontdesk.worker.runner import CancelledRunError, RunError

ROOT = Path(__file__).parent.parent
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text("utf-8")
DOCUMENTS = [*sorted((ROOT / "docs").glob("*.md")), ROOT / "README.md", ROOT / "CHANGELOG.md"]


class Calm:
    """A run that nobody cancels; notes its progress."""

    job_id = "abc"

    def __init__(self) -> None:
        self.told: list[tuple[float | None, str | None]] = []

    def progress(self, fraction: float | None = None, *, text: str | None = None, note: str | None = None) -> None:
        self.told.append((fraction, text))

    def check(self) -> None:
        if len(self.told) > 3:
            raise CancelledRunError


def test_the_parameter_that_is_a_file() -> None:
    """The example can be declared, and is described as the document says."""
    section = ARCHITECTURE.partition("## A parameter that is a file\n")[2]
    example = re.findall(r"^```python\n(.*?)^```", section, re.MULTILINE | re.DOTALL)[0]
    names: dict[str, Any] = {"Annotated": Annotated, "Field": Field, "Params": Params, "look_inside": print}
    exec(compile(example, "architecture.md", "exec", dont_inherit=True), names)  # noqa: S102 (our own document)
    kind = JobKind("frame", "Frame pictures", names["FrameParams"], Result, cost=lambda _: 1.0)
    (picture,) = kind.files
    assert (picture.required, bounds(picture)) == (False, "a .zip of at most 20 MB")


def test_the_kind_from_another_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The example is a package that registers, parses, validates and runs, without a server."""
    section = ARCHITECTURE.partition("## A kind from another package\n")[2]
    (module,) = re.findall(r"^```python\n(.*?)^```", section, re.MULTILINE | re.DOTALL)
    (project,) = (tomllib.loads(block) for block in re.findall(r"^```toml\n(.*?)^```", ARCHITECTURE, re.M | re.DOTALL))
    (name,) = project["tool"]["setuptools"]["py-modules"]
    (tmp_path / f"{name}.py").write_text(module, "utf-8")
    info = tmp_path / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {project['project']['name']}\nVersion: 1.0\n", "utf-8"
    )
    groups = project["project"]["entry-points"].items()
    lines = [line for group, points in groups for line in (f"[{group}]", *(f"{k} = {v}" for k, v in points.items()))]
    (info / "entry_points.txt").write_text("\n".join(lines), "utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, name, raising=False)

    kind = Registry.installed()["shout"]
    params = validate(kind, parse_arguments(kind, usage(kind).removeprefix("/shout")))
    runner = importlib.import_module(name).ShoutRunner(None)
    context = Calm()
    assert runner.run(params, context).body() == "HELLO! HELLO!"
    assert context.told == [(0.5, "HELLO!"), (1.0, "HELLO! HELLO!")]
    with pytest.raises(RunError):
        runner.run(validate(kind, {"text": "a\nb"}), context)


def test_the_table_of_keys_is_complete() -> None:
    """Each prefix of keys.py stands in it."""
    prefixes = [value for name, value in vars(keys).items() if name.isupper() and isinstance(value, str)]
    assert len(prefixes) > 10
    assert [prefix for prefix in prefixes if prefix not in ARCHITECTURE] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_and_named_files_lead_somewhere(document: Path) -> None:
    """Within the repository; a file that moved leaves no trace in the text."""
    text = document.read_text("utf-8")
    links = [link for link in re.findall(r"\]\(([^)#\s]+)", text) if "://" not in link]
    named = re.findall(r"`((?:bots|queue|worker|ratelimit|tests|deploy|docs)/[\w./-]+\.\w+)`", text)
    missing = [link for link in links if not (document.parent / link).exists()]
    missing += [path for path in named if not (ROOT / path).exists()]
    assert missing == []
