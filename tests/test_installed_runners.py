"""Runners come from installed packages."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from running import NO_BENCH

from frontdesk.queue.errors import ConfigurationError
from frontdesk.worker.engine import installed_runners

RUNNER = "from running import Saying\nclass Shouting(Saying):\n    def __init__(self, bench): super().__init__()\n"


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str, str], None]:
    """Installs a throw-away package with one runner: its name, its entry point, its source."""
    monkeypatch.syspath_prepend(tmp_path)

    def install(name: str, entry: str, source: str) -> None:
        (tmp_path / f"{name}.py").write_text(source)
        info = tmp_path / f"{name}-1.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n")
        (info / "entry_points.txt").write_text(f"[frontdesk.runners]\n{entry}\n")

    return install


def test_runners_come_from_installed_packages(packages: Callable[[str, str, str], None]) -> None:
    """A package brings a runner for its kind; those of kinds that are not served are not even imported."""
    packages("shouting", "shout = shouting:Shouting", RUNNER)
    packages("unused", "unused = unused:Nothing", "raise RuntimeError('imported')")
    runners, unfit = installed_runners(["shout", "nobody"], NO_BENCH)
    assert {name: type(runner).__name__ for name, runner in runners.items()} == {"shout": "Shouting"}
    assert not unfit
    assert "unused" not in sys.modules


def test_a_runner_whose_library_is_missing_is_told_of(packages: Callable[[str, str, str], None]) -> None:
    """The worker may serve other kinds: which one it cannot, and why, is for it to say."""
    packages("unimportable", "shout = unimportable:Shouting", "import not_installed_here")
    runners, unfit = installed_runners(["shout"], NO_BENCH)
    assert not runners
    reason = "cannot be imported: No module named 'not_installed_here'."
    assert unfit == {"shout": f"The runner for shout (unimportable:Shouting) {reason}"}


@pytest.mark.parametrize(
    ("name", "source", "complaint"),
    [
        ("empty_package", "", "cannot be imported: .*no attribute 'Shouting'"),
        ("printing", "Shouting = print", "is not a subclass of Runner"),
    ],
)
def test_a_runner_that_cannot_be_had_stops_the_worker(
    packages: Callable[[str, str, str], None], name: str, source: str, complaint: str
) -> None:
    """One line says which runner and why."""
    packages(name, f"shout = {name}:Shouting", source)
    with pytest.raises(ConfigurationError, match=f"The runner for shout .*{complaint}"):
        installed_runners(["shout"], NO_BENCH)


def test_two_runners_for_one_kind_stop_the_worker(packages: Callable[[str, str, str], None]) -> None:
    """Which of them would run is not left to chance."""
    packages("loud", "shout = loud:Shouting", RUNNER)
    packages("louder", "shout = louder:Shouting", RUNNER)
    with pytest.raises(ConfigurationError, match="Two installed packages bring a runner for shout"):
        installed_runners(["shout"], NO_BENCH)
